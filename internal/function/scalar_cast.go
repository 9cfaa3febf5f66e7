package function

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Cast is the conversion from one type to another, nil when they are equal in memory and
// meaning. Explicit casts and implicit ones are the same function; text that does not
// parse gives NULL (Doris, non-strict).
func Cast(from, to sqltype.Type) (*Scalar, error) {
	if sameMeaning(from, to) {
		return nil, nil
	}
	if from.Kind == sqltype.Null {
		s := nullScalar([]sqltype.Type{from}, to)
		s.Name = "cast"
		return s, nil
	}
	step := castStep(from, to)
	if step == nil {
		return nil, sqlerr.Unsupported("CAST from " + from.String() + " to " + to.String())
	}
	s := &Scalar{Name: "cast", Params: []sqltype.Type{from}, Result: to, YieldsNull: true, New: func([]*vector.Value) (Kernel, error) {
		run := castStep(from, to)
		return func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			run(ctx, args[0], sel, out)
			return nil
		}, nil
	}}
	if shift := int(to.Scale) - int(from.Scale); from.Kind == sqltype.Decimal && isWide(to) && shift >= 0 && shift <= 18 {
		s.NewNarrow = narrowScale(shift)
	}
	if from.Kind == sqltype.Timestamp || to.Kind == sqltype.Timestamp || from.Kind == sqltype.Time && to.IsTemporal() {
		s.Stability = Stable // depends on the session's zone or day
	}
	return s, nil
}

// castFunctions has "cast" for calls that carry the target as a constant's type.
func castFunctions() map[string]builder {
	return map[string]builder{"cast": func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 {
			return nil, wrongArguments(name, args)
		}
		s, err := Cast(args[0].Type, args[1].Type)
		if err == nil && s == nil {
			s = &Scalar{Result: args[1].Type, New: stateless(copyKernel)}
		}
		if err != nil {
			return nil, err
		}
		c := *s
		c.Params = []sqltype.Type{args[0].Type, args[1].Type}
		return &c, nil
	}}
}

// sameMeaning reports casts that change nothing: widening of digits or lengths only.
func sameMeaning(from, to sqltype.Type) bool {
	if from.Equal(to) {
		return true
	}
	switch to.Kind {
	case sqltype.Decimal:
		return from.Kind == sqltype.Decimal && from.Scale == to.Scale && from.Precision <= to.Precision && from.Physical() == to.Physical()
	case sqltype.String:
		return isText(from)
	case sqltype.Binary:
		return from.IsString()
	case sqltype.Varchar, sqltype.Char:
		return from.IsString() && (to.Length == 0 || from.Length > 0 && from.Length <= to.Length && from.Kind != sqltype.String)
	}
	return false
}

// castable reports whether Cast knows a way.
func castable(from, to sqltype.Type) bool {
	return from.Kind == sqltype.Null || sameMeaning(from, to) || castStep(from, to) != nil
}

// castLoop converts the rows of sel from src to out. out.Valid holds src's nulls already;
// the loop may make more. Values of null rows are defined, so loops may convert them.
type castLoop func(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector)

// castStep is the loop of a conversion, nil when there is none. Conversions without a
// loop of their own go through an intermediate type; each call makes new scratch.
func castStep(from, to sqltype.Type) castLoop {
	if from.IsNested() || to.IsNested() {
		return castNested(from, to)
	}
	if from.Kind >= sqltype.Array || to.Kind >= sqltype.Array || to.Kind == sqltype.Null {
		return nil
	}
	if sameMeaning(from, to) {
		return func(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			_ = copyKernel(ctx, []*vector.Vector{src}, sel, out)
		}
	}
	switch {
	case isText(from):
		return castFromText(to)
	case isText(to):
		return castToText(from, to)
	case from.IsTemporal() || from.Kind == sqltype.Time || to.IsTemporal() || to.Kind == sqltype.Time:
		return castTemporal(from, to)
	}
	return castNumber(from, to)
}

// via chains two conversions over scratch of the type mid.
func via(from, mid, to sqltype.Type) castLoop {
	return chain(castStep(from, mid), mid, castStep(mid, to))
}

func chain(first castLoop, mid sqltype.Type, second castLoop) castLoop {
	if first == nil || second == nil {
		return nil
	}
	scratch := &vector.Vector{Type: mid}
	var valid vector.Bitmap
	return func(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		n, rows := out.Len, sel
		if src.Form == vector.Constant {
			n, rows = 1, nil
		}
		scratch.Reset(n)
		valid = vector.And(valid, src.Valid, nil, n)
		scratch.Valid = valid
		first(ctx, src, rows, scratch)
		if src.Form == vector.Constant {
			scratch.Form, scratch.Len = vector.Constant, out.Len
		}
		if scratch.Valid != nil {
			for k := range count(out, sel) {
				if i := row(sel, k); isNullAt(scratch, i) {
					out.SetNull(i)
				}
			}
		}
		second(ctx, scratch, sel, out)
	}
}

// castToText writes the text form, cut to the bytes of CHAR(n) and VARCHAR(n) at a character boundary.
func castToText(from, to sqltype.Type) castLoop {
	if from.Kind == sqltype.Timestamp {
		mid := sqltype.DateTimeOf(int(from.Scale))
		return chain(castTemporal(from, mid), mid, castToText(mid, to))
	}
	limit := int(to.Length)
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		var buf []byte
		for i := range live(out, sel) {
			buf = vector.AppendText(buf[:0], src, i)
			out.SetBytes(i, cutBytes(buf, limit))
		}
	}
}

// cutBytes is at most limit bytes of b (0: all), whole characters only.
func cutBytes(b []byte, limit int) []byte {
	if limit == 0 || len(b) <= limit {
		return b
	}
	for limit > 0 && b[limit]&0xC0 == 0x80 {
		limit--
	}
	return b[:limit]
}

// castFromText parses; what does not parse is NULL.
func castFromText(to sqltype.Type) castLoop {
	switch to.Kind {
	case sqltype.Boolean:
		return parseLoop(parseBool)
	case sqltype.BigInt:
		return parseLoop(parseInt64)
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int:
		return chain(parseLoop(parseInt64), tBigInt, castNumber(tBigInt, to))
	case sqltype.LargeInt:
		return parseLoop(parseInt128)
	case sqltype.Double:
		return parseLoop(parseFloat)
	case sqltype.Float:
		return chain(parseLoop(parseFloat), tDouble, castNumber(tDouble, to))
	case sqltype.Decimal:
		return parseDecimalLoop(to)
	case sqltype.Date:
		return parseLoop(parseDate)
	case sqltype.DateTime:
		return chain(parseLoop(parseDateTime), tMicros, roundMicros(int(to.Scale)))
	case sqltype.Timestamp:
		return chain(castFromText(sqltype.DateTimeOf(int(to.Scale))), sqltype.DateTimeOf(int(to.Scale)), castTemporal(sqltype.DateTimeOf(int(to.Scale)), to))
	case sqltype.Time:
		return chain(parseLoop(parseTime), tTime, roundMicros(int(to.Scale)))
	case sqltype.JSON:
		return checkJSON
	case sqltype.Char, sqltype.Varchar, sqltype.Binary, sqltype.String:
		limit := int(to.Length)
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			out.Bufs = src.Bufs
			x, dst := textOf(src), vector.Values[vector.View](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.sub(i, 0, len(cutBytes(x.at(i), limit)))
			}
		}
	}
	return nil
}

// parseLoop runs a parser over rows of text.
func parseLoop[T vector.Fixed](parse func([]byte) (T, bool)) castLoop {
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := textOf(src), vector.Values[T](out)
		var zero T
		for i := range live(out, sel) {
			v, ok := parse(x.at(i))
			if !ok {
				out.SetNull(i)
				v = zero
			}
			dst[i] = v
		}
	}
}
