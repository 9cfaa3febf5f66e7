package text

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// appender appends the text of row i of v, a flat vector of the type that it was made for; the row is not NULL.
// It answers false for a value that the format cannot hold.
type appender func(dst []byte, v *vector.Vector, i int) ([]byte, bool)

// cell writes one column.
type cell struct {
	value appender
	null  []byte
	name  func(dst []byte, text string) []byte // a header's field
}

// encoder makes the cells of a file.
type encoder struct {
	opt *WriterOptions
	// plain are bytes that a value outside of quotes may have as they are.
	plain [256]bool
	// many are separators of several bytes, whose first byte is not plain.
	many bool
}

func newEncoder(o *WriterOptions) *encoder {
	e := &encoder{opt: o}
	for c := range e.plain {
		e.plain[c] = true
	}
	mark := func(s string) {
		if s != "" {
			e.plain[s[0]] = false
			e.many = e.many || len(s) > 1
		}
	}
	mark(o.Field)
	mark(o.Line)
	mark(o.Starting)
	if o.Escape != 0 {
		e.plain[o.Escape] = false
		e.plain['\r'] = o.Kind == CSV
		if o.Kind == CSV {
			e.plain[0] = false
		}
	}
	if o.Quote != 0 {
		e.plain[o.Quote] = false
		e.plain['\r'] = false
		e.plain['\n'] = false
	}
	if o.Kind == Delimited {
		for _, c := range o.Nested {
			e.plain[c] = o.Escape == 0 // without an escape they are plain in columns that are not nested
		}
	}
	return e
}

// cell makes the cell of a column.
func (e *encoder) cell(c storage.Column) (cell, error) {
	if err := writable(c.Type, e.opt, 0); err != nil {
		return cell{}, err.WithHint("Leave the column '%s' out, or cast it", c.Name)
	}
	out := cell{null: []byte(e.opt.Null)}
	if e.opt.Kind == JSON {
		out.null = []byte("null")
		out.value = e.json(c.Type)
		return out, nil
	}
	if c.Type.IsNested() {
		if e.opt.Kind == Delimited {
			out.value = e.delimited(c.Type, 0)
		} else {
			out.value = e.wrap(jsonEncoder(e.opt.Words).json(c.Type))
		}
	} else {
		out.value = e.scalar(c.Type)
	}
	text := e.text(sqltype.T(sqltype.String))
	one := vector.New(sqltype.T(sqltype.String), 1)
	out.name = func(dst []byte, name string) []byte {
		one.Reset(1)
		one.SetString(0, name)
		dst, _ = text(dst, one, 0)
		return dst
	}
	return out, nil
}

// writable refuses types without a text form.
func writable(t sqltype.Type, o *WriterOptions, level int) *sqlerr.Error {
	switch t.Kind {
	case sqltype.Bitmap, sqltype.HLL:
		return sqlerr.Unsupported(t.String() + " in text files")
	case sqltype.Array, sqltype.Map, sqltype.Struct:
		next := level + 1
		if t.Kind == sqltype.Map {
			next++
		}
		if o.Kind == Delimited && next > len(o.Nested) {
			return sqlerr.Unsupported("text files with more than " + strconv.Itoa(len(o.Nested)) + " levels of separators")
		}
		for _, elem := range t.Nested.Elems {
			if err := writable(elem, o, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// scalar writes values of a type that is not nested outside of JSON.
func (e *encoder) scalar(t sqltype.Type) appender {
	if t.Physical() == sqltype.PhysString {
		return e.text(t)
	}
	f := e.number(t)
	switch {
	case e.opt.Quote != 0 && (e.opt.Quoting == QuoteAll || e.opt.Quoting == QuoteStrings && !t.IsNumeric() && t.Kind != sqltype.Boolean):
		q := e.opt.Quote
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			dst, _ = f(append(dst, q), v, i)
			return append(dst, q), true
		}
	case e.safe("0123456789+-.:eE " + "truefalsnNaInity"):
		return f
	}
	return e.wrap(f) // a separator such as '.' or ' '
}

// safe reports whether none of the bytes means something.
func (e *encoder) safe(all string) bool {
	return plainBytes([]byte(all), &e.plain) && (e.opt.Null == "" || e.opt.Null[0] > '9' || e.opt.Null[0] == '\\')
}

// wrap escapes or quotes what f writes.
func (e *encoder) wrap(f appender) appender {
	var tmp []byte
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		var ok bool
		if tmp, ok = f(tmp[:0], v, i); !ok {
			return dst, false
		}
		return e.field(dst, tmp, false)
	}
}

// number writes values of fixed width.
func (e *encoder) number(t sqltype.Type) appender {
	words := e.opt.Words
	switch t.Kind {
	case sqltype.Boolean:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			b := vector.Values[bool](v)[i]
			switch {
			case words:
				return strconv.AppendBool(dst, b), true
			case b:
				return append(dst, '1'), true
			}
			return append(dst, '0'), true
		}
	case sqltype.TinyInt:
		return appendInt[int8]
	case sqltype.SmallInt:
		return appendInt[int16]
	case sqltype.Int:
		return appendInt[int32]
	case sqltype.BigInt:
		return appendInt[int64]
	case sqltype.Float:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return appendFloat(dst, float64(vector.Values[float32](v)[i]), 32, words), true
		}
	case sqltype.Double:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return appendFloat(dst, vector.Values[float64](v)[i], 64, words), true
		}
	case sqltype.Date:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return vector.AppendDate(dst, vector.Values[int32](v)[i]), true
		}
	case sqltype.DateTime, sqltype.Timestamp:
		scale := int(t.Scale)
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			dst = vector.AppendDateTime(dst, vector.Values[int64](v)[i], scale)
			if words && scale > 0 {
				for dst[len(dst)-1] == '0' {
					dst = dst[:len(dst)-1]
				}
				if dst[len(dst)-1] == '.' {
					dst = dst[:len(dst)-1]
				}
			}
			return dst, true
		}
	}
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) { return vector.AppendText(dst, v, i), true }
}

func appendInt[T int8 | int16 | int32 | int64](dst []byte, v *vector.Vector, i int) ([]byte, bool) {
	return strconv.AppendInt(dst, int64(vector.Values[T](v)[i]), 10), true
}

// appendFloat writes NaN and Infinity as Java does where words is set.
func appendFloat(dst []byte, f float64, bits int, words bool) []byte {
	switch {
	case !words:
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return vector.AppendFloat(dst, f, bits)
}

// text writes strings; BINARY is base64 in Hive's formats.
func (e *encoder) text(t sqltype.Type) appender {
	if t.Kind == sqltype.Binary && e.opt.Words {
		var tmp []byte
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			tmp = base64.StdEncoding.AppendEncode(tmp[:0], vector.Values[vector.View](v)[i].Bytes(v.Bufs))
			return e.field(dst, tmp, true)
		}
	}
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		return e.field(dst, vector.Values[vector.View](v)[i].Bytes(v.Bufs), true)
	}
}

// field appends one value of delimited text or CSV.
func (e *encoder) field(dst, s []byte, text bool) ([]byte, bool) {
	o := e.opt
	plain := plainBytes(s, &e.plain)
	if o.Kind == CSV && o.Quote != 0 {
		if o.Quoting == QuoteAll || text && o.Quoting == QuoteStrings || !plain || len(s) == len(o.Null) && string(s) == o.Null || len(s) == 0 {
			return e.quoted(dst, s), !o.OneLine || !holds(s, o.Line)
		}
		return append(dst, s...), true
	}
	if plain {
		return append(dst, s...), true
	}
	if o.Escape == 0 {
		return append(dst, s...), !holds(s, o.Field) && !holds(s, o.Line)
	}
	for _, c := range s {
		if e.plain[c] {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, o.Escape, escaped(c, o.Kind))
	}
	return dst, true
}

// escaped is what follows the escape character for c.
func escaped(c byte, k Kind) byte {
	switch {
	case c == 0 && k == CSV:
		return '0'
	case k == CSV: // a line end behind an escape is one
		return c
	case c == '\n':
		return 'n'
	case c == '\r':
		return 'r'
	}
	return c
}

// quoted appends s in quotes.
func (e *encoder) quoted(dst, s []byte) []byte {
	q, esc := e.opt.Quote, e.opt.Escape
	dst = append(dst, q)
	for _, c := range s {
		switch {
		case c == q && esc != 0:
			dst = append(dst, esc)
		case c == q:
			dst = append(dst, q)
		case esc != 0 && (c == esc || c == e.opt.Line[0]):
			dst = append(dst, esc)
		case esc != 0 && c == 0:
			dst = append(dst, esc)
			c = '0'
		}
		dst = append(dst, c)
	}
	return append(dst, q)
}

// jsonEncoder writes JSON inside of other formats.
func jsonEncoder(words bool) *encoder {
	return &encoder{opt: &WriterOptions{Kind: JSON, Words: words}}
}

// json writes values of any type as JSON.
func (e *encoder) json(t sqltype.Type) appender {
	switch t.Kind {
	case sqltype.Array, sqltype.Map, sqltype.Struct:
		return e.jsonNested(t)
	case sqltype.Boolean:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return strconv.AppendBool(dst, vector.Values[bool](v)[i]), true
		}
	case sqltype.Float:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return appendJSONFloat(dst, float64(vector.Values[float32](v)[i]), 32), true
		}
	case sqltype.Double:
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			return appendJSONFloat(dst, vector.Values[float64](v)[i], 64), true
		}
	case sqltype.Date, sqltype.DateTime, sqltype.Timestamp, sqltype.Time:
		f := e.number(t)
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			dst, _ = f(append(dst, '"'), v, i)
			return append(dst, '"'), true
		}
	case sqltype.Binary:
		if e.opt.RawBinary {
			break
		}
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			dst = base64.StdEncoding.AppendEncode(append(dst, '"'), vector.Values[vector.View](v)[i].Bytes(v.Bufs))
			return append(dst, '"'), true
		}
	}
	if t.Physical() == sqltype.PhysString {
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			b := vector.Values[vector.View](v)[i].Bytes(v.Bufs)
			return appendJSONString(dst, b), utf8.Valid(b)
		}
	}
	return e.number(t)
}

// appendJSONFloat writes what is no number as a string.
func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	if f != f || math.IsInf(f, 0) {
		return append(appendFloat(append(dst, '"'), f, bits, true), '"')
	}
	return vector.AppendFloat(dst, f, bits)
}
