// Package widen reads vectors of the type that a file has as the type that its table has:
// schema evolution.
//
// Allowed is what loses nothing (integers to wider ones, to decimals and doubles, dates to
// datetimes, decimals of another scale where the value fits), numbers and times to text,
// and text to numbers, where text that is no number becomes NULL, as in Hive.
package widen

import (
	"math"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Can reports whether a column of type from can be read as to.
func Can(from, to sqltype.Type) bool {
	if from.Equal(to) || Ordered(from, to) {
		return true
	}
	switch {
	case from.IsNested() || to.IsNested():
		return false
	case isText(to):
		return from.IsNumeric() || from.IsTemporal() || from.Kind == sqltype.Boolean
	case isText(from):
		return to.IsNumeric()
	}
	return false
}

func isText(t sqltype.Type) bool { return t.IsString() }

// Ordered reports whether from can be read as to and bounds of the one bound the other, so
// that statistics of a file prune for the table's type.
func Ordered(from, to sqltype.Type) bool {
	switch {
	case from.IsNested() || to.IsNested():
		return false
	case from.Equal(to):
		return true
	case from.Kind == sqltype.Boolean:
		return to.IsInteger()
	case from.IsInteger():
		if to.IsInteger() {
			return to.Kind >= from.Kind
		}
		return to.Kind == sqltype.Double || to.Kind == sqltype.Decimal || to.Kind == sqltype.Float
	case from.Kind == sqltype.Float:
		return to.Kind == sqltype.Double
	case from.Kind == sqltype.Decimal:
		return to.Kind == sqltype.Decimal || to.Kind == sqltype.Double || to.Kind == sqltype.LargeInt && from.Scale == 0
	case from.Kind == sqltype.Date:
		return to.Kind == sqltype.DateTime || to.Kind == sqltype.Timestamp
	case from.Kind == sqltype.DateTime, from.Kind == sqltype.Timestamp:
		return to.Kind == sqltype.DateTime || to.Kind == sqltype.Timestamp
	case from.Kind == sqltype.Time:
		return to.Kind == sqltype.Time
	case from.Physical() == sqltype.PhysString:
		return to.Physical() == sqltype.PhysString && to.Kind != sqltype.Bitmap && to.Kind != sqltype.HLL
	}
	return false
}

// Caster converts vectors of a file's type to the table's. A dictionary is converted once.
// One goroutine uses it; what it returns is valid until its next call.
type Caster struct {
	From, To sqltype.Type
	// Place names the column and file in errors.
	Place string

	dict   *vector.Vector // last dictionary, and what became of it
	casted *vector.Vector
	view   vector.Vector
	flat   vector.Vector
	out    vector.Vector
}

// Apply converts v, in any form.
func (c *Caster) Apply(v *vector.Vector) (*vector.Vector, error) {
	if v.Form == vector.Dictionary {
		if isText(c.From) && c.To.IsNumeric() { // bad text is NULL, which no dictionary has
			v = v.Flatten(nil, &c.flat)
		} else {
			return c.dictionary(v)
		}
	}
	if err := c.convert(&c.out, v); err != nil {
		return nil, err
	}
	return &c.out, nil
}

func (c *Caster) dictionary(v *vector.Vector) (*vector.Vector, error) {
	if c.dict != v.Dict {
		d := &vector.Vector{}
		if err := c.convert(d, v.Dict); err != nil {
			return nil, err
		}
		c.dict, c.casted = v.Dict, d
	}
	c.view = vector.Vector{Type: c.To, Form: vector.Dictionary, Len: v.Len, Codes: v.Codes, Valid: v.Valid, Dict: c.casted}
	return &c.view, nil
}

// Bound converts a bound of statistics; nil stays nil, and what cannot be converted in
// order is unknown.
func Bound(v *vector.Value, from, to sqltype.Type) *vector.Value {
	if v == nil || from.Equal(to) {
		return v
	}
	if !Ordered(from, to) {
		return nil
	}
	one := vector.New(from, 1)
	one.SetValue(0, *v)
	c := Caster{From: from, To: to}
	out, err := c.Apply(one)
	if err != nil {
		return nil
	}
	x := out.Value(0)
	return &x
}

func sameValues(from, to sqltype.Type) bool {
	if from.Physical() != to.Physical() || from.IsNested() {
		return from.Equal(to)
	}
	if from.Kind != sqltype.Decimal && to.Kind != sqltype.Decimal {
		return !(isText(from) && to.IsNumeric())
	}
	return from.Kind == to.Kind && from.Scale == to.Scale && from.Precision <= to.Precision
}

// convert writes the flat or constant vector v to out.
func (c *Caster) convert(out, v *vector.Vector) error {
	if sameValues(c.From, c.To) {
		*out = vector.Vector{Type: c.To, Form: v.Form, Len: v.Len, Data: v.Data, Valid: v.Valid, Bufs: v.Bufs}
		return nil
	}
	n := len(v.Data) / v.Type.Physical().Size()
	out.Type = c.To
	out.Reset(n)
	if isText(c.To) {
		toText(out, v, n)
		return nil
	}
	if isText(c.From) {
		fromText(out, v, n)
		return nil
	}
	out.Form, out.Len, out.Valid = v.Form, v.Len, v.Valid
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		return castFrom[uint8](c, out, v)
	case sqltype.PhysInt8:
		return castFrom[int8](c, out, v)
	case sqltype.PhysInt16:
		return castFrom[int16](c, out, v)
	case sqltype.PhysInt32:
		return castFrom[int32](c, out, v)
	case sqltype.PhysInt64:
		return castFrom[int64](c, out, v)
	case sqltype.PhysInt128:
		return c.wide(out, vector.Values[int128.Int](v))
	case sqltype.PhysFloat32:
		d := vector.Values[float64](out)
		for i, x := range vector.Values[float32](v) {
			d[i] = float64(x)
		}
		return nil
	}
	return c.refuse()
}

// toText writes the text form of n values.
func toText(out, v *vector.Vector, n int) {
	one := *v
	one.Form, one.Len = vector.Flat, n
	var b []byte
	for i := range n {
		if one.IsNull(i) {
			out.SetNull(i)
			continue
		}
		b = vector.AppendText(b[:0], &one, i)
		out.SetBytes(i, b)
	}
	out.Form, out.Len = v.Form, v.Len
}

// fromText reads numbers.
func fromText(out, v *vector.Vector, n int) {
	views := vector.Values[vector.View](v)
	for i := range n {
		x := vector.Value{Type: out.Type}
		ok := v.Valid.Get(i)
		if ok {
			x, ok = parse(out.Type, string(views[i].Bytes(v.Bufs)))
		}
		if x.Null = !ok; x.Null {
			clear(out.Data[i*out.Type.Physical().Size():][:out.Type.Physical().Size()])
		}
		out.SetValue(i, x)
	}
	out.Form, out.Len = v.Form, v.Len
}

// parse reads text as a number of type t, without a loss but for digits behind the scale.
func parse(t sqltype.Type, s string) (x vector.Value, ok bool) {
	x.Type = t
	if t.IsFloat() {
		f, err := strconv.ParseFloat(s, 64)
		x.F = f
		return x, err == nil
	}
	scale := 0
	if t.Kind == sqltype.Decimal {
		scale = int(t.Scale)
	}
	whole, fraction, point := strings.Cut(s, ".")
	if point {
		for _, c := range fraction {
			if c < '0' || c > '9' {
				return x, false
			}
		}
	}
	if len(fraction) > scale {
		fraction = fraction[:scale]
	}
	digits := whole + fraction + strings.Repeat("0", scale-len(fraction))
	x.I, ok = int128.Parse(digits)
	if !ok {
		return x, false
	}
	switch t.Kind {
	case sqltype.Decimal:
		limit := int128.Pow10[t.Precision]
		return x, x.I.Less(limit) && x.I.Neg().Less(limit)
	case sqltype.LargeInt:
		return x, true
	}
	bits := uint(8 * t.Physical().Size())
	v := int64(x.I.Lo)
	return x, x.I.IsInt64() && v<<(64-bits)>>(64-bits) == v
}

func (c *Caster) refuse() error {
	return sqlerr.New(sqlerr.TypeMismatch, "cannot read %s of %s as %s", c.From, c.Place, c.To)
}

type signed interface {
	int8 | int16 | int32 | int64 | uint8
	vector.Fixed
}

// castFrom converts integers, dates and short decimals.
func castFrom[S signed](c *Caster, out, v *vector.Vector) error {
	src := vector.Values[S](v)
	switch {
	case c.From.Kind == sqltype.Date && c.To.Physical() == sqltype.PhysInt64:
		d := vector.Values[int64](out)
		for i, x := range src {
			d[i] = int64(x) * sqltype.MicrosPerDay
		}
		return nil
	case c.To.Kind == sqltype.Decimal || c.From.Kind == sqltype.Decimal && c.To.Kind != sqltype.Double:
		w := make([]int128.Int, len(src))
		for i, x := range src {
			w[i] = int128.FromInt64(int64(x))
		}
		return c.wide(out, w)
	case c.To.Kind == sqltype.Double:
		d := vector.Values[float64](out)
		div := math.Pow10(int(c.From.Scale))
		if c.From.Kind != sqltype.Decimal {
			div = 1
		}
		for i, x := range src {
			d[i] = float64(x) / div
		}
		return nil
	case c.To.Kind == sqltype.Float:
		d := vector.Values[float32](out)
		for i, x := range src {
			d[i] = float32(x)
		}
		return nil
	}
	switch c.To.Physical() {
	case sqltype.PhysInt8:
		widen[S, int8](out, src)
	case sqltype.PhysInt16:
		widen[S, int16](out, src)
	case sqltype.PhysInt32:
		widen[S, int32](out, src)
	case sqltype.PhysInt64:
		widen[S, int64](out, src)
	case sqltype.PhysInt128:
		d := vector.Values[int128.Int](out)
		for i, x := range src {
			d[i] = int128.FromInt64(int64(x))
		}
	default:
		return c.refuse()
	}
	return nil
}

func widen[S signed, D int8 | int16 | int32 | int64](out *vector.Vector, src []S) {
	d := vector.Values[D](out)
	for i, x := range src {
		d[i] = D(x)
	}
}

// wide converts 128-bit integers and decimals to decimals, large integers and doubles.
func (c *Caster) wide(out *vector.Vector, src []int128.Int) error {
	if c.To.Kind == sqltype.Double {
		d := vector.Values[float64](out)
		div := math.Pow10(int(c.From.Scale))
		for i, x := range src {
			d[i] = x.Float64() / div
		}
		return nil
	}
	up := int(c.To.Scale) - int(c.From.Scale)
	limit := int128.Max
	if c.To.Kind == sqltype.Decimal {
		limit = int128.Pow10[c.To.Precision]
	}
	short := c.To.Physical() == sqltype.PhysInt64
	for i, x := range src {
		y, ok := Rescale(x, up)
		if !ok || c.To.Kind == sqltype.Decimal && (!y.Less(limit) || !y.Neg().Less(limit)) {
			if out.Valid.Get(i) {
				return sqlerr.New(sqlerr.OutOfRange, "value %s of %s does not fit %s", int128.AppendDecimal(nil, x, int(c.From.Scale)), c.Place, c.To)
			}
			y = int128.Int{}
		}
		if short {
			vector.Values[int64](out)[i] = int64(y.Lo)
		} else {
			vector.Values[int128.Int](out)[i] = y
		}
	}
	return nil
}

// Rescale multiplies by 10^up, or divides by 10^-up rounding half away from zero; ok is
// false when the product does not fit. up is within -38..38.
func Rescale(x int128.Int, up int) (int128.Int, bool) {
	if up >= 0 {
		return x.MulOK(int128.Pow10[up])
	}
	div := int128.Pow10[-up]
	q, r := x.QuoRem(div)
	if twice := r.Abs().Add(r.Abs()); !twice.Less(div) {
		q = q.AddInt64(int64(x.Sign()))
	}
	return q, true
}
