package text

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// storeText makes row i of out, of a type that is not nested, the value of b.
func (c *converter) storeText(out *vector.Vector, i int, b []byte, flag uint8) bool {
	if flag&flagEscaped != 0 {
		b = append([]byte(nil), c.plainText(b, flag)...)
	}
	complex := c.opt.Serde && isComplex(b, flag&flagQuoted != 0)
	switch {
	case complex && (out.Type.Kind != sqltype.String || !c.opt.Complex):
		return false
	case complex:
		out.SetBytes(i, compactJSON(nil, b))
		return true
	case out.Type.Kind == sqltype.Binary && !c.opt.RawBinary:
		out.SetBytes(i, fromBase64(nil, b))
		return true
	case out.Type.Physical() == sqltype.PhysString:
		if limit := int(out.Type.Length); limit > 0 && len(b) > limit {
			b = c.opt.cut(b, limit)
		}
		out.SetBytes(i, b)
		return true
	case c.opt.Serde:
		f := serdeParserOf(out.Type)(b, flag&flagQuoted != 0, out, i)
		if f == null {
			out.SetNull(i)
		}
		return f != refused
	}
	return c.opt.parserOf(out.Type)(b, out, i)
}

// jsonInside appends the encoding of a nested value that stands as JSON in a field of CSV, as Doris prints it.
func (c *converter) jsonInside(dst, b []byte, flag uint8) ([]byte, bool) {
	if flag&flagEscaped != 0 {
		b = append([]byte(nil), c.plainText(b, flag)...)
	}
	opt := *c.opt
	opt.Kind = JSON
	in := converter{col: c.col, opt: &opt, path: c.path}
	return in.jsonValue(dst, c.col.Type, trim(b), 0)
}

// jsonValue appends the encoding of a nested value of type t that b spells.
func (c *converter) jsonValue(dst []byte, t sqltype.Type, b []byte, flag uint8) ([]byte, bool) {
	opening := byte('{')
	if t.Kind == sqltype.Array {
		opening = '['
	}
	if flag&flagQuoted != 0 || len(b) == 0 || b[0] != opening {
		return dst, false
	}
	switch t.Kind {
	case sqltype.Array:
		elems := vector.New(t.Nested.Elems[0], 0)
		ok := eachJSON(b, func(_ []byte, v []byte, s span) bool { return c.appendJSON(elems, v, s) })
		return vector.AppendElements(dst, elems, 0, elems.Len), ok
	case sqltype.Map:
		keys, values := vector.New(t.Nested.Elems[0], 0), vector.New(t.Nested.Elems[1], 0)
		ok := eachJSON(b, func(key, v []byte, s span) bool {
			name, _ := unquote(nil, key)
			n := keys.Len
			keys.Grow(n + 1)
			return c.storeText(keys, n, name, flagQuoted) && c.appendJSON(values, v, s)
		})
		if rows := lastKeys(keys); len(rows) < keys.Len {
			keys, values = keys.Gather(rows, vector.New(keys.Type, 0)), values.Gather(rows, vector.New(values.Type, 0))
		}
		return vector.AppendMap(dst, keys, values, 0, keys.Len), ok
	}
	fields := make([]*vector.Vector, len(t.Nested.Elems))
	for i, e := range t.Nested.Elems {
		fields[i] = vector.New(e, 1)
		fields[i].SetNull(0)
	}
	ok := eachJSON(b, func(key, v []byte, s span) bool {
		name, _ := unquote(nil, key)
		for i, f := range t.Nested.Fields {
			if strings.EqualFold(f, string(name)) || c.opt.Serde && i == columnNumber(name) {
				one := vector.New(t.Nested.Elems[i], 0)
				if !c.appendJSON(one, v, s) {
					return false
				}
				fields[i] = one
			}
		}
		return true
	})
	return vector.AppendStruct(dst, fields, 0), ok
}

// lastKeys are the rows of a MAP's keys without those that come again: the last of equal keys counts.
func lastKeys(keys *vector.Vector) []int32 {
	rows := make([]int32, 0, keys.Len)
	if keys.Len < 2 {
		return append(rows, make([]int32, keys.Len)...)
	}
	last := make(map[string]int, keys.Len)
	for i := range keys.Len {
		last[keys.Value(i).Text()] = i
	}
	for i := range keys.Len {
		if last[keys.Value(i).Text()] == i {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// appendJSON appends the value at span s of b to out. A scalar that does not fit is NULL, or, where the
// options are strict, makes the whole value malformed.
func (c *converter) appendJSON(out *vector.Vector, b []byte, s span) bool {
	n := out.Len
	out.Grow(n + 1)
	if s.n < 0 {
		out.SetNull(n)
		return true
	}
	body := b[s.off : s.off+uint32(s.n)]
	if out.Type.IsNested() {
		enc, ok := c.jsonValue(nil, out.Type, body, s.flag)
		if ok {
			out.SetBytes(n, enc)
			return true
		}
	} else if c.storeText(out, n, body, s.flag) {
		return true
	}
	out.SetNull(n)
	return !c.opt.Strict
}

// eachJSON calls f for each element of the array, or each entry of the object, b; key is without its quotes.
func eachJSON(b []byte, f func(key, b []byte, s span) bool) bool {
	object, closing := b[0] == '{', b[0]+2
	i := skipSpace(b, 1)
	for k := 0; i < len(b) && b[i] != ']' && b[i] != '}'; k++ {
		if k > 0 {
			if b[i] != ',' {
				return false
			}
			i = skipSpace(b, i+1)
		}
		var key []byte
		if object {
			if i >= len(b) || b[i] != '"' {
				return false
			}
			end, _, err := skipString(b, i+1)
			if err != nil {
				return false
			}
			key = b[i+1 : end-1]
			if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
				return false
			}
			i = skipSpace(b, i+1)
		}
		s, end, err := value(b, i)
		if err != nil || !f(key, b, s) {
			return false
		}
		i = skipSpace(b, end)
	}
	return i == len(b)-1 && b[i] == closing
}

// delimitedValue appends the encoding of a nested value whose items the level-th separator divides.
func (c *converter) delimitedValue(dst []byte, t sqltype.Type, b []byte, level int) ([]byte, bool) {
	separators := 1
	if t.Kind == sqltype.Map {
		separators = 2
	}
	if level+separators > len(c.opt.Nested) {
		return dst, false
	}
	items := c.cut(b, c.opt.Nested[level])
	if len(b) == 0 {
		items = nil
	}
	add := func(out *vector.Vector, b []byte, level int) {
		n := out.Len
		out.Grow(n + 1)
		if c.opt.HasNull && string(b) == c.opt.Null {
			out.SetNull(n)
			return
		}
		if out.Type.IsNested() {
			if enc, ok := c.delimitedValue(nil, out.Type, b, level); ok {
				out.SetBytes(n, enc)
				return
			}
		} else if c.storeText(out, n, b, flagEscaped) {
			return
		}
		out.SetNull(n)
	}
	switch t.Kind {
	case sqltype.Array:
		elems := vector.New(t.Nested.Elems[0], 0)
		for _, x := range items {
			add(elems, x, level+1)
		}
		return vector.AppendElements(dst, elems, 0, elems.Len), true
	case sqltype.Map:
		keys, values := vector.New(t.Nested.Elems[0], 0), vector.New(t.Nested.Elems[1], 0)
		seen := map[string]bool{}
		for _, x := range items {
			parts := c.cut(x, c.opt.Nested[level+1])
			key := vector.New(keys.Type, 0)
			add(key, parts[0], level+2)
			// Of equal keys Hive keeps the first, and none that is NULL.
			if key.IsNull(0) || seen[key.Value(0).Text()] {
				continue
			}
			seen[key.Value(0).Text()] = true
			keys.AppendFrom(key, nil)
			if len(parts) == 1 {
				values.Grow(values.Len + 1)
				values.SetNull(values.Len - 1)
				continue
			}
			add(values, x[len(parts[0])+1:], level+2)
		}
		return vector.AppendMap(dst, keys, values, 0, keys.Len), true
	}
	fields := make([]*vector.Vector, len(t.Nested.Elems))
	for i, e := range t.Nested.Elems {
		fields[i] = vector.New(e, 0)
		if i < len(items) {
			add(fields[i], items[i], level+1)
		} else {
			fields[i].Grow(1)
			fields[i].SetNull(0)
		}
	}
	return vector.AppendStruct(dst, fields, 0), true
}

// cut splits b at separators that are not escaped; always at least one part.
func (c *converter) cut(b []byte, sep byte) [][]byte {
	var out [][]byte
	start := 0
	for i := 0; i < len(b); i++ {
		switch {
		case c.opt.Escape != 0 && b[i] == c.opt.Escape:
			i++
		case b[i] == sep:
			out = append(out, b[start:i])
			start = i + 1
		}
	}
	return append(out, b[start:])
}
