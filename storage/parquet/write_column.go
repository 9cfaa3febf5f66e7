package parquet

import (
	"encoding/binary"
	"slices"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// columnWriter buffers one column of a row group in its PLAIN form, so that a PLAIN page
// is a part of the buffer. The choice between dictionary and PLAIN is made for a whole
// chunk, when its values are known: readers never meet mixed chunks of ours.
type columnWriter struct {
	col   storage.Column
	typ   physicalType
	width int // bytes of a buffered value, 0: strings; booleans take a byte here

	plain []byte        // non-null values
	valid vector.Bitmap // a bit a row; empty while no row is null
	rows  int
	nulls int
	// nested holds the levels of a nested column's leaf, whose rows are entries.
	nested *leafLevels

	idx     []int32 // scratch: positions of the values to append
	offsets []int   // strings: start of every value in plain, and the end

	// Scratch of flush.
	dict   dictBuilder
	levels []int32
	page   []byte
	packed []byte
}

// append buffers n rows of v, those of sel (nil: all).
func (c *columnWriter) append(v *vector.Vector, sel []int32, n int) error {
	idx, all := c.positions(v, sel, n)
	added := n
	if !all {
		added = len(idx)
	}
	if added < n && !c.col.Nullable {
		return sqlerr.New(sqlerr.NotNull, "Column '%s' cannot be null", c.col.Name)
	}
	c.nulls += n - added
	c.rows += n
	if added == 0 {
		return nil
	}
	src := v
	if v.Form == vector.Dictionary {
		src = v.Dict
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		appendValues[uint8, uint8](c, src, idx, all)
	case sqltype.PhysInt8:
		appendValues[int8, int32](c, src, idx, all)
	case sqltype.PhysInt16:
		appendValues[int16, int32](c, src, idx, all)
	case sqltype.PhysInt32, sqltype.PhysFloat32:
		appendValues[int32, int32](c, src, idx, all)
	case sqltype.PhysInt64, sqltype.PhysFloat64:
		appendValues[int64, int64](c, src, idx, all)
	case sqltype.PhysInt128:
		c.appendWide(src, idx, all)
	case sqltype.PhysString:
		c.appendStrings(src, idx, all)
	default:
		return sqlerr.Unsupported("writing " + v.Type.String() + " to Parquet")
	}
	return nil
}

// positions finds where the non-null live rows are in v's data (or its dictionary's), and
// notes the validity of the rows. all: every value of v in order, idx is not set.
func (c *columnWriter) positions(v *vector.Vector, sel []int32, n int) (idx []int32, all bool) {
	words := (c.rows + n + 63) / 64
	if v.Type.Kind == sqltype.Null || v.Form == vector.Constant && v.IsNull(0) {
		c.makeValid(words)
		return c.idx[:0], false
	}
	if v.Valid == nil || v.Form == vector.Constant {
		if len(c.valid) > 0 {
			c.makeValid(words)
			setBits(c.valid, c.rows, n)
		}
		if sel == nil && v.Form == vector.Flat {
			return nil, true
		}
	}
	idx = slices.Grow(c.idx[:0], n)[:n]
	c.idx = idx
	switch {
	case v.Form == vector.Constant:
		clear(idx)
		return idx, false
	case v.Valid == nil && sel != nil:
		copy(idx, sel)
	case v.Valid == nil:
		for i := range idx {
			idx[i] = int32(i)
		}
	default:
		idx = c.nonNull(idx, v, sel, n, words)
	}
	if v.Form == vector.Dictionary {
		for i, r := range idx {
			idx[i] = v.Codes[r]
		}
	}
	return idx, false
}

// nonNull fills idx with the live rows that are not null and notes which they are.
func (c *columnWriter) nonNull(idx []int32, v *vector.Vector, sel []int32, n, words int) []int32 {
	k := 0
	for i := range n {
		r := int32(i)
		if sel != nil {
			r = sel[i]
		}
		if v.Valid.Get(int(r)) {
			idx[k] = r
			k++
			if len(c.valid) > 0 {
				c.valid = growBits(c.valid, words)
				c.valid.Set(c.rows + i)
			}
		} else if len(c.valid) == 0 {
			c.makeValid(words)
			setBits(c.valid, c.rows, i)
		}
	}
	if len(c.valid) > 0 {
		c.valid = growBits(c.valid, words)
	}
	return idx[:k]
}

// makeValid makes the validity bits explicit and at least words long. Rows so far are
// valid if they were implicit.
func (c *columnWriter) makeValid(words int) {
	implicit := len(c.valid) == 0
	c.valid = growBits(c.valid, words)
	if implicit {
		setBits(c.valid, 0, c.rows)
	}
}

func growBits(b vector.Bitmap, words int) vector.Bitmap {
	for len(b) < words {
		b = append(b, 0)
	}
	return b
}

// room appends n bytes to the buffer and returns them.
func (c *columnWriter) room(n int) []byte {
	at := len(c.plain)
	if cap(c.plain) < at+n { // doubled: append's own growth copies large buffers too often
		next := alignedBytes(max(at+n, 2*cap(c.plain), 64<<10))
		copy(next, c.plain)
		c.plain = next
	}
	c.plain = c.plain[:at+n]
	return c.plain[at:]
}

// appendValues appends values of S as D.
func appendValues[S, D integer](c *columnWriter, v *vector.Vector, idx []int32, all bool) {
	src := slice[S](v.Data, len(v.Data)/v.Type.Physical().Size())
	if all {
		out := slice[D](c.room(len(src)*c.width), len(src))
		for i, x := range src {
			out[i] = D(x)
		}
		return
	}
	out := slice[D](c.room(len(idx)*c.width), len(idx))
	for i, r := range idx {
		out[i] = D(src[r])
	}
}

// appendWide appends 128-bit values in big-endian order.
func (c *columnWriter) appendWide(v *vector.Vector, idx []int32, all bool) {
	src := vector.Values[int128.Int](v)
	n := len(idx)
	if all {
		n = len(src)
	}
	out := c.room(16 * n)
	for i := range n {
		r := i
		if !all {
			r = int(idx[i])
		}
		binary.BigEndian.PutUint64(out[16*i:], uint64(src[r].Hi))
		binary.BigEndian.PutUint64(out[16*i+8:], src[r].Lo)
	}
}

// appendStrings appends | u32 length | bytes | for each value.
func (c *columnWriter) appendStrings(v *vector.Vector, idx []int32, all bool) {
	views := vector.Values[vector.View](v)
	n := len(idx)
	if all {
		n = len(views)
	}
	size := 4 * n
	for i := range n {
		r := i
		if !all {
			r = int(idx[i])
		}
		size += views[r].Len()
	}
	at := len(c.plain)
	out := c.room(size)
	pos := 0
	for i := range n {
		r := i
		if !all {
			r = int(idx[i])
		}
		s := views[r].Bytes(v.Bufs)
		c.offsets = append(c.offsets, at+pos)
		binary.LittleEndian.PutUint32(out[pos:], uint32(len(s)))
		copy(out[pos+4:], s)
		pos += 4 + len(s)
	}
}

// reset empties the buffer for the next row group.
func (c *columnWriter) reset() {
	c.plain, c.valid, c.offsets = c.plain[:0], c.valid[:0], c.offsets[:0]
	c.rows, c.nulls = 0, 0
	if c.nested != nil {
		c.nested.def, c.nested.rep = c.nested.def[:0], c.nested.rep[:0]
	}
}
