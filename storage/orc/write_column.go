package orc

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// columnWriter buffers one node of the type tree for a stripe. How it is encoded is decided
// when the stripe's values are known.
type columnWriter struct {
	name     string
	nullable bool
	id       uint32
	meta     *typeMeta
	typ      sqltype.Type
	children []*columnWriter

	rows, nulls int
	valid       vector.Bitmap // a bit a row; empty while no row is null
	values      int           // not null

	ints    []int64 // integers, days, microseconds, short decimals, lengths of lists
	wide    []int128.Int
	raw     []byte // booleans and TINYINT a byte each, floats as they are
	text    []byte
	lengths []int64 // of strings

	// marks are the ends of the row groups so far.
	marks []mark
	bloom bool

	idx    []int32
	dict   dictBuilder
	starts []int
}

// mark is how much a node had at the end of a row group.
type mark struct{ rows, values int }

func newColumnWriter(types []typeMeta, id uint32, t sqltype.Type, name string, nullable bool) *columnWriter {
	c := &columnWriter{name: name, nullable: nullable, id: id, meta: &types[id], typ: t}
	for i, child := range types[id].children {
		c.children = append(c.children, newColumnWriter(types, child, t.Nested.Elems[i], name, true))
	}
	return c
}

// append buffers n rows of v, those of sel (nil: all).
func (c *columnWriter) append(v *vector.Vector, sel []int32, n int) error {
	idx, live := c.positions(v, sel, n)
	if len(idx) < n && !c.nullable {
		return sqlerr.New(sqlerr.NotNull, "Column '%s' cannot be null", c.name)
	}
	c.nulls += n - len(idx)
	c.rows += n
	c.values += len(idx)
	if c.meta.kind == kindStruct || c.meta.kind == kindList || c.meta.kind == kindMap {
		return c.appendNested(v, live)
	}
	if len(idx) == 0 {
		return nil
	}
	src := v
	if v.Form == vector.Dictionary {
		src = v.Dict
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8:
		vals := vector.Values[uint8](src)
		for _, r := range idx {
			c.raw = append(c.raw, vals[r])
		}
	case sqltype.PhysInt16:
		appendInts[int16](c, src, idx)
	case sqltype.PhysInt32:
		appendInts[int32](c, src, idx)
	case sqltype.PhysInt64:
		appendInts[int64](c, src, idx)
	case sqltype.PhysInt128:
		vals := vector.Values[int128.Int](src)
		for _, r := range idx {
			c.wide = append(c.wide, vals[r])
		}
	case sqltype.PhysFloat32:
		vals := vector.Values[float32](src)
		for _, r := range idx {
			c.raw = binary.LittleEndian.AppendUint32(c.raw, math.Float32bits(vals[r]))
		}
	case sqltype.PhysFloat64:
		vals := vector.Values[float64](src)
		for _, r := range idx {
			c.raw = binary.LittleEndian.AppendUint64(c.raw, math.Float64bits(vals[r]))
		}
	case sqltype.PhysString:
		views := vector.Values[vector.View](src)
		for _, r := range idx {
			b := views[r].Bytes(src.Bufs)
			c.text = append(c.text, b...)
			c.lengths = append(c.lengths, int64(len(b)))
		}
	default:
		return sqlerr.Unsupported("writing " + v.Type.String() + " to ORC")
	}
	return nil
}

func appendInts[T integer](c *columnWriter, v *vector.Vector, idx []int32) {
	vals := vector.Values[T](v)
	at := len(c.ints)
	c.ints = slices.Grow(c.ints, len(idx))[:at+len(idx)]
	out := c.ints[at:]
	for i, r := range idx {
		out[i] = int64(vals[r])
	}
}

// appendNested buffers the children of the rows live of v, which are not null.
func (c *columnWriter) appendNested(v *vector.Vector, live []int32) error {
	if len(live) == 0 {
		return nil
	}
	if c.meta.kind == kindStruct {
		for k, child := range c.children {
			if err := child.append(vector.UnpackField(v, live, k), live, len(live)); err != nil {
				return err
			}
		}
		return nil
	}
	for k, child := range c.children {
		elems, offsets := vector.Unpack(v, live, k)
		if err := child.append(elems, nil, elems.Len); err != nil {
			return err
		}
		if k == 0 {
			for i := range live {
				c.ints = append(c.ints, int64(offsets[i+1]-offsets[i]))
			}
		}
	}
	return nil
}

// positions finds where the live rows that are not null are in v's data (or its
// dictionary's), and which rows of v those are, and notes the validity of all n rows.
func (c *columnWriter) positions(v *vector.Vector, sel []int32, n int) (idx, live []int32) {
	if cap(c.idx) < 2*n {
		c.idx = make([]int32, 2*n)
	}
	live = c.idx[:0:n]
	all := v.Type.Kind == sqltype.Null || v.Form == vector.Constant && v.IsNull(0)
	words := (c.rows + n + 63) / 64
	if (all || v.Valid != nil) && len(c.valid) == 0 && n > 0 {
		c.valid = append(c.valid[:0], make(vector.Bitmap, words)...)
		setBits(c.valid, c.rows)
	}
	for len(c.valid) > 0 && len(c.valid) < words {
		c.valid = append(c.valid, 0)
	}
	if all {
		return nil, nil
	}
	for i := range n {
		r := int32(i)
		if sel != nil {
			r = sel[i]
		}
		if v.Form != vector.Constant && !v.Valid.Get(int(r)) {
			continue
		}
		live = append(live, r)
		if len(c.valid) > 0 {
			c.valid.Set(c.rows + i)
		}
	}
	idx = live
	switch v.Form {
	case vector.Constant:
		idx = c.idx[n : n+len(live)]
		clear(idx)
	case vector.Dictionary:
		idx = c.idx[n : n+len(live)]
		for i, r := range live {
			idx[i] = v.Codes[r]
		}
	}
	return idx, live
}

// setBits sets the first n bits.
func setBits(b vector.Bitmap, n int) {
	for i := range n >> 6 {
		b[i] = ^uint64(0)
	}
	if rest := uint(n) & 63; rest != 0 {
		b[n>>6] |= 1<<rest - 1
	}
}

// endGroup notes the end of a row group.
func (c *columnWriter) endGroup() {
	c.marks = append(c.marks, mark{c.rows, c.values})
	for _, child := range c.children {
		child.endGroup()
	}
}

// buffered is the memory that the stripe's values take, in bytes.
func (c *columnWriter) buffered() int {
	n := 8*len(c.ints) + 16*len(c.wide) + len(c.raw) + len(c.text) + 8*len(c.lengths) + 8*len(c.valid)
	for _, child := range c.children {
		n += child.buffered()
	}
	return n
}

func (c *columnWriter) reset() {
	c.rows, c.nulls, c.values = 0, 0, 0
	c.valid, c.ints, c.wide, c.raw, c.text = c.valid[:0], c.ints[:0], c.wide[:0], c.raw[:0], c.text[:0]
	c.lengths, c.marks = c.lengths[:0], c.marks[:0]
	for _, child := range c.children {
		child.reset()
	}
}

// textStarts are where each string begins, and the end.
func (c *columnWriter) textStarts() []int {
	c.starts = slices.Grow(c.starts[:0], len(c.lengths)+1)
	at := 0
	for _, n := range c.lengths {
		c.starts = append(c.starts, at)
		at += int(n)
	}
	c.starts = append(c.starts, at)
	return c.starts
}

// packBits packs n bits, the first in the highest place.
func packBits(n int, bit func(i int) bool) []byte {
	out := make([]byte, (n+7)/8)
	for i := range n {
		if bit(i) {
			out[i>>3] |= 0x80 >> (uint(i) & 7)
		}
	}
	return out
}

// packValid packs validity bits.
func packValid(valid vector.Bitmap, n int) []byte {
	out := make([]byte, 8*len(valid))
	for i, w := range valid {
		binary.LittleEndian.PutUint64(out[8*i:], w)
	}
	out = out[:(n+7)/8]
	for i, b := range out {
		out[i] = bits.Reverse8(b)
	}
	if rest := uint(n) & 7; rest != 0 {
		out[len(out)-1] &= ^byte(0) << (8 - rest)
	}
	return out
}
