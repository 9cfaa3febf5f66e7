package spill

import (
	"encoding/binary"
	"unsafe"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Codec encodes and decodes blocks of columns of fixed types. One goroutine uses it; it
// keeps memory of about one block each way.
//
// A column is | u8 flags | validity words, with hasNulls | values |: values of fixed width as
// they are in memory, strings as their u32 lengths and then their bytes, allNull none.
type Codec struct {
	types       []sqltype.Type
	raw, packed []byte // of the block being written
	in, out     []byte // of the block read last
	flat        []vector.Vector
	cols        []*vector.Vector
	extra       [][]byte
}

// Flags of a column.
const (
	hasNulls = 1 << iota
	allNull
)

// NewCodec makes a codec for rows of columns of the given types.
func NewCodec(types []sqltype.Type) *Codec {
	return &Codec{types: types, flat: make([]vector.Vector, len(types))}
}

// Bytes is the memory that the codec holds, read vectors not counted.
func (c *Codec) Bytes() int64 {
	return int64(cap(c.raw) + cap(c.packed) + cap(c.in) + cap(c.out))
}

func (c *Codec) encode(cols []*vector.Vector, n int, rows []int32, extra [][]byte) error {
	c.raw = c.raw[:0]
	for i := range c.types {
		c.column(i, cols[i], n, rows)
	}
	for _, x := range extra {
		c.raw = binary.LittleEndian.AppendUint32(c.raw, uint32(len(x)))
		c.raw = append(c.raw, x...)
	}
	if int64(len(c.raw)) > 1<<31-1<<20 {
		return sqlerr.New(sqlerr.OutOfMemory, "a spilled block of %d bytes is too large", len(c.raw))
	}
	return nil
}

// column appends rows of v, which is nil where nobody will read it.
func (c *Codec) column(i int, v *vector.Vector, n int, rows []int32) {
	t := c.types[i]
	if v == nil || t.Kind == sqltype.Null || v.Form == vector.Constant && v.IsNull(0) {
		c.raw = append(c.raw, allNull)
		return
	}
	if rows == nil && v.Form == vector.Flat && v.Len != n {
		v = v.Slice(0, n)
	}
	f := v.Flatten(rows, &c.flat[i])
	flags := byte(0)
	if !f.Valid.AllSet(n) {
		flags = hasNulls
	}
	c.raw = append(c.raw, flags)
	if flags != 0 {
		words := f.Valid[:(n+63)/64]
		c.raw = append(c.raw, asBytes(words)...)
	}
	if t.Physical() != sqltype.PhysString {
		c.raw = append(c.raw, f.Data[:n*t.Physical().Size()]...)
		return
	}
	views := vector.Values[vector.View](f)[:n]
	at := len(c.raw)
	for j := range views {
		size := views[j].Len()
		if flags != 0 && !f.Valid.Get(j) {
			size = 0
		}
		c.raw = binary.LittleEndian.AppendUint32(c.raw, uint32(size))
	}
	for j := range views {
		if size := binary.LittleEndian.Uint32(c.raw[at+4*j:]); size > 0 {
			c.raw = append(c.raw, views[j].Bytes(f.Bufs)...)
		}
	}
}

func asBytes(words []uint64) []byte {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}

func (c *Codec) decode(raw []byte, n int) ([]*vector.Vector, [][]byte, error) {
	if c.cols == nil {
		for _, t := range c.types {
			c.cols = append(c.cols, &vector.Vector{Type: t})
		}
	}
	d := decoder{raw: raw}
	for _, v := range c.cols {
		d.column(v, n)
	}
	c.extra = c.extra[:0]
	for len(d.raw) > 0 && !d.bad {
		size := d.take(4)
		if d.bad {
			break
		}
		c.extra = append(c.extra, d.take(int(binary.LittleEndian.Uint32(size))))
	}
	if d.bad {
		return nil, nil, sqlerr.New(sqlerr.CorruptFile, "a spilled block is cut short")
	}
	return c.cols, c.extra, nil
}

type decoder struct {
	raw []byte
	bad bool
}

// take is the next n bytes; with bad set, nil.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.raw) {
		d.bad = true
	}
	if d.bad {
		return nil
	}
	out := d.raw[:n:n]
	d.raw = d.raw[n:]
	return out
}

func (d *decoder) column(v *vector.Vector, n int) {
	flag := d.take(1)
	if d.bad {
		return
	}
	if flag[0]&allNull != 0 {
		v.SetAllNull(n)
		return
	}
	v.Reset(n)
	if flag[0]&hasNulls != 0 {
		words := d.take(8 * ((n + 63) / 64))
		if d.bad {
			return
		}
		copy(asBytes(v.MutableValid()), words)
	}
	if v.Type.Physical() != sqltype.PhysString {
		copy(v.Data, d.take(len(v.Data)))
		return
	}
	lengths := d.take(4 * n)
	if d.bad {
		return
	}
	text := d.raw
	views := vector.Values[vector.View](v)
	at := 0
	for j := range views {
		size := int(binary.LittleEndian.Uint32(lengths[4*j:]))
		if size > len(text)-at {
			d.bad = true
			return
		}
		views[j] = vector.MakeView(text[at:at+size], 0, at)
		at += size
	}
	v.Bufs = [][]byte{text[:at:at]}
	d.raw = d.raw[at:]
}

// AppendColumns appends the given rows of cols to dst, in the form of a block that is not
// compressed; DecodeColumns reads them.
func AppendColumns(dst []byte, cols []*vector.Vector, rows []int32) []byte {
	types := make([]sqltype.Type, len(cols))
	for i, v := range cols {
		types[i] = v.Type
	}
	c := NewCodec(types)
	c.raw = dst
	for i, v := range cols {
		c.column(i, v, len(rows), rows)
	}
	return c.raw
}

// DecodeColumns is n rows of columns that AppendColumns wrote; they share src.
func DecodeColumns(src []byte, types []sqltype.Type, n int) ([]*vector.Vector, error) {
	cols, _, err := NewCodec(types).decode(src, n)
	return cols, err
}
