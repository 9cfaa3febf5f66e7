package text

import (
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// elements writes those of one list, or of the keys or values of a map.
type elements struct {
	value appender
	flat  *vector.Vector // the list that is being written
}

func (e *encoder) elements(t sqltype.Type, make func(t sqltype.Type) appender) *elements {
	return &elements{value: make(t), flat: vector.New(t, 0)}
}

// bind unpacks the elements of one value.
func (x *elements) bind(e *vector.Elements) {
	x.flat.Reset(0)
	e.AppendTo(x.flat)
}

// field unpacks field k of a struct.
func (x *elements) field(f *vector.Fields, k int) {
	x.flat.Reset(1)
	if x.flat.Type.Physical() != sqltype.PhysString {
		clear(x.flat.Data)
	}
	f.StoreTo(k, x.flat, 0)
}

func (x *elements) json(dst []byte, i int) ([]byte, bool) {
	if x.flat.IsNull(i) {
		return append(dst, "null"...), true
	}
	return x.value(dst, x.flat, i)
}

// jsonNested writes arrays and objects.
func (e *encoder) jsonNested(t sqltype.Type) appender {
	switch t.Kind {
	case sqltype.Array:
		elems := e.elements(t.Nested.Elems[0], e.json)
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			list := vector.DecodeElements(t.Nested.Elems[0], vector.Values[vector.View](v)[i].Bytes(v.Bufs))
			elems.bind(&list)
			dst = append(dst, '[')
			good := true
			for k := range list.N {
				if k > 0 {
					dst = append(dst, ',')
				}
				var ok bool
				dst, ok = elems.json(dst, k)
				good = good && ok
			}
			return append(dst, ']'), good
		}
	case sqltype.Map:
		return e.jsonMap(t)
	}
	var fields []*elements
	var names [][]byte
	for k, elem := range t.Nested.Elems {
		fields = append(fields, e.elements(elem, e.json))
		names = append(names, append(appendJSONString(nil, []byte(t.Nested.Fields[k])), ':'))
	}
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		f := vector.DecodeStruct(t, vector.Values[vector.View](v)[i].Bytes(v.Bufs))
		dst = append(dst, '{')
		good := true
		for k, x := range fields {
			if k > 0 {
				dst = append(dst, ',')
			}
			x.field(&f, k)
			var ok bool
			dst, ok = x.json(append(dst, names[k]...), 0)
			good = good && ok
		}
		return append(dst, '}'), good
	}
}

// jsonMap writes a map as an object; keys that are not strings are written as the strings that they look like.
func (e *encoder) jsonMap(t sqltype.Type) appender {
	plain := func(t sqltype.Type) appender {
		if t.Physical() == sqltype.PhysString || t.IsNested() {
			return e.json(t)
		}
		return e.number(t)
	}
	keys, values := e.elements(t.Nested.Elems[0], plain), e.elements(t.Nested.Elems[1], e.json)
	var text []byte
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		k, x := vector.DecodeMap(t, vector.Values[vector.View](v)[i].Bytes(v.Bufs))
		keys.bind(&k)
		values.bind(&x)
		dst = append(dst, '{')
		good := true
		for i := range k.N {
			if i > 0 {
				dst = append(dst, ',')
			}
			if k.Null(i) {
				return dst, false
			}
			var ok bool
			text, ok = keys.value(text[:0], keys.flat, i)
			good = good && ok && utf8.Valid(text)
			if len(text) > 0 && text[0] == '"' {
				dst = append(dst, text...)
			} else {
				dst = appendJSONString(dst, text)
			}
			dst, ok = values.json(append(dst, ':'), i)
			good = good && ok
		}
		return append(dst, '}'), good
	}
}

// delimited writes a nested value with the separators from level on.
func (e *encoder) delimited(t sqltype.Type, level int) appender {
	item := func(level int) func(t sqltype.Type) appender {
		return func(t sqltype.Type) appender {
			if t.IsNested() {
				return e.delimited(t, level)
			}
			if t.Physical() != sqltype.PhysString {
				return e.number(t)
			}
			return e.inside(e.text(t))
		}
	}
	null := []byte(e.opt.Null)
	put := func(dst []byte, x *elements, i int) ([]byte, bool) {
		if x.flat.IsNull(i) {
			return append(dst, null...), true
		}
		return x.value(dst, x.flat, i)
	}
	sep := e.opt.Nested[level]
	switch t.Kind {
	case sqltype.Array:
		elems := e.elements(t.Nested.Elems[0], item(level+1))
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			list := vector.DecodeElements(t.Nested.Elems[0], vector.Values[vector.View](v)[i].Bytes(v.Bufs))
			elems.bind(&list)
			good := true
			for k := range list.N {
				if k > 0 {
					dst = append(dst, sep)
				}
				var ok bool
				dst, ok = put(dst, elems, k)
				good = good && ok
			}
			return dst, good
		}
	case sqltype.Map:
		keys, values := e.elements(t.Nested.Elems[0], item(level+2)), e.elements(t.Nested.Elems[1], item(level+2))
		between := e.opt.Nested[level+1]
		return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
			k, x := vector.DecodeMap(t, vector.Values[vector.View](v)[i].Bytes(v.Bufs))
			keys.bind(&k)
			values.bind(&x)
			good := true
			for i := range k.N {
				if i > 0 {
					dst = append(dst, sep)
				}
				var a, b bool
				dst, a = put(dst, keys, i)
				dst, b = put(append(dst, between), values, i)
				good = good && a && b
			}
			return dst, good
		}
	}
	var fields []*elements
	for _, elem := range t.Nested.Elems {
		fields = append(fields, e.elements(elem, item(level+1)))
	}
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		f := vector.DecodeStruct(t, vector.Values[vector.View](v)[i].Bytes(v.Bufs))
		good := true
		for k, x := range fields {
			if k > 0 {
				dst = append(dst, sep)
			}
			x.field(&f, k)
			var ok bool
			dst, ok = put(dst, x, 0)
			good = good && ok
		}
		return dst, good
	}
}

// inside refuses strings that hold a separator of nested values where there is no escape.
func (e *encoder) inside(f appender) appender {
	if e.opt.Escape != 0 {
		return f
	}
	var bad [256]bool
	for _, c := range e.opt.Nested {
		bad[c] = true
	}
	return func(dst []byte, v *vector.Vector, i int) ([]byte, bool) {
		at := len(dst)
		dst, ok := f(dst, v, i)
		for _, c := range dst[at:] {
			ok = ok && !bad[c]
		}
		return dst, ok
	}
}
