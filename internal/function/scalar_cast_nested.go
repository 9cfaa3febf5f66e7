package function

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// castNested converts between arrays, maps and structs part by part, and from and to their
// text, which is JSON; nil when there is no way.
func castNested(from, to sqltype.Type) castLoop {
	switch {
	case from.IsNested() && to.IsNested():
		convert := nestedConverter(from, to)
		if convert == nil {
			return nil
		}
		return func(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x := textOf(src)
			var b []byte
			for i := range live(out, sel) {
				b = convert(ctx, b[:0], x.at(i))
				out.SetBytes(i, b)
			}
		}
	case isText(to):
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			var b []byte
			for i := range live(out, sel) {
				b = vector.AppendText(b[:0], src, i)
				out.SetBytes(i, b)
			}
		}
	case isText(from) && textReadable(to):
		return func(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x := textOf(src)
			for i := range live(out, sel) {
				d := json.NewDecoder(bytes.NewReader(x.at(i)))
				d.UseNumber()
				var tree any
				cell := vector.New(to, 1)
				if d.Decode(&tree) != nil || d.More() || !storeTree(ctx, tree, cell, 0) || cell.IsNull(0) {
					out.SetNull(i)
					continue
				}
				out.SetBytes(i, cell.Bytes(0))
			}
		}
	}
	return nil
}

func textReadable(t sqltype.Type) bool {
	if !t.IsNested() {
		return castable(tString, t)
	}
	for _, e := range t.Nested.Elems {
		if !textReadable(e) {
			return false
		}
	}
	return true
}

// nestedConverter appends the encoding of a value of type to, made of b, one of type from.
func nestedConverter(from, to sqltype.Type) func(ctx *Context, dst, b []byte) []byte {
	if from.Kind != to.Kind || len(from.Nested.Elems) != len(to.Nested.Elems) {
		return nil
	}
	parts := make([]func(*Context, *vector.Vector) *vector.Vector, len(from.Nested.Elems))
	for i, f := range from.Nested.Elems {
		if parts[i] = vectorConverter(f, to.Nested.Elems[i]); parts[i] == nil {
			return nil
		}
	}
	flat := func(e vector.Elements) *vector.Vector {
		v := vector.New(e.Type, 0)
		e.AppendTo(v)
		return v
	}
	switch from.Kind {
	case sqltype.Array:
		return func(ctx *Context, dst, b []byte) []byte {
			v := parts[0](ctx, flat(vector.DecodeElements(from.Nested.Elems[0], b)))
			return vector.AppendElements(dst, v, 0, v.Len)
		}
	case sqltype.Map:
		return func(ctx *Context, dst, b []byte) []byte {
			k, v := vector.DecodeMap(from, b)
			keys, values := parts[0](ctx, flat(k)), parts[1](ctx, flat(v))
			return vector.AppendMap(dst, keys, values, 0, keys.Len)
		}
	}
	return func(ctx *Context, dst, b []byte) []byte {
		f := vector.DecodeStruct(from, b)
		fields := make([]*vector.Vector, len(parts))
		for i, t := range from.Nested.Elems {
			cell := vector.New(t, 1)
			f.StoreTo(i, cell, 0)
			fields[i] = parts[i](ctx, cell)
		}
		return vector.AppendStruct(dst, fields, 0)
	}
}

// vectorConverter casts whole flat vectors; nil when there is no way.
func vectorConverter(from, to sqltype.Type) func(*Context, *vector.Vector) *vector.Vector {
	switch {
	case from == to:
		return func(_ *Context, v *vector.Vector) *vector.Vector { return v }
	case from.Kind == sqltype.Null:
		return func(_ *Context, v *vector.Vector) *vector.Vector {
			out := vector.New(to, v.Len)
			for i := range v.Len {
				out.SetNull(i)
			}
			return out
		}
	}
	step := castStep(from, to)
	if step == nil {
		return nil
	}
	return func(ctx *Context, v *vector.Vector) *vector.Vector {
		out := vector.New(to, v.Len)
		if v.Valid != nil {
			copy(out.MutableValid(), v.Valid)
		}
		step(ctx, v, nil, out)
		return out
	}
}

// storeTree makes row i of out, of any type, the value of a JSON tree; false when it has another shape.
func storeTree(ctx *Context, tree any, out *vector.Vector, i int) bool {
	if tree == nil {
		out.SetNull(i)
		return true
	}
	t := out.Type
	switch x := tree.(type) {
	case []any:
		if t.Kind == sqltype.Array {
			v := vector.New(t.Nested.Elems[0], len(x))
			for k, e := range x {
				if !storeTree(ctx, e, v, k) {
					return false
				}
			}
			out.SetBytes(i, vector.AppendElements(nil, v, 0, v.Len))
			return true
		}
	case map[string]any:
		switch t.Kind {
		case sqltype.Map:
			return storeMap(ctx, x, out, i)
		case sqltype.Struct:
			return storeStruct(ctx, x, out, i)
		}
	}
	if t.IsNested() {
		return false
	}
	var word string
	switch x := tree.(type) {
	case string:
		word = x
	case json.Number:
		word = x.String()
	case bool:
		if word = "false"; x {
			word = "true"
		}
	default:
		return false
	}
	if isText(t) {
		out.SetString(i, word)
		return true
	}
	cell := vectorConverter(tString, t)(ctx, vector.FromStrings(tString, word))
	if cell.IsNull(0) {
		out.SetNull(i)
	} else {
		out.SetValue(i, cell.Value(0))
	}
	return true
}

func storeMap(ctx *Context, x map[string]any, out *vector.Vector, i int) bool {
	keys, values := vector.New(out.Type.Nested.Elems[0], len(x)), vector.New(out.Type.Nested.Elems[1], len(x))
	for k, name := range sortedKeys(x) {
		if !storeTree(ctx, name, keys, k) || !storeTree(ctx, x[name], values, k) {
			return false
		}
	}
	out.SetBytes(i, vector.AppendMap(nil, keys, values, 0, keys.Len))
	return true
}

func storeStruct(ctx *Context, x map[string]any, out *vector.Vector, i int) bool {
	fields := make([]*vector.Vector, len(out.Type.Nested.Elems))
	for k, f := range out.Type.Nested.Fields {
		fields[k] = vector.New(out.Type.Nested.Elems[k], 1)
		fields[k].SetNull(0)
		for name, v := range x {
			if strings.EqualFold(name, f) {
				if fields[k].Valid.Set(0); !storeTree(ctx, v, fields[k], 0) {
					return false
				}
			}
		}
	}
	out.SetBytes(i, vector.AppendStruct(nil, fields, 0))
	return true
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
