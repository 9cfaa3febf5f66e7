// Package sorting orders rows by keys that compare as bytes.
//
// An Encoder turns the sort keys of a row into one byte string whose order under
// bytes.Compare is the order that ORDER BY asks for, so that sorting knows no types. A
// Run sorts the rows of one driver; Merge makes one order of several runs, in parallel.
package sorting

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Column says how one key column is ordered.
type Column struct {
	Type       sqltype.Type
	Desc       bool
	NullsFirst bool
}

// Keys is a growing list of encoded keys. Keys of one Encoder are prefix-free: none is the
// beginning of another, so that padding never changes their order.
type Keys struct {
	width int // of every key in bytes, 0: they vary
	data  []byte
	ends  []int // where keys end, when they vary
	n     int
}

// Len is the number of keys.
func (k *Keys) Len() int { return k.n }

// At is key i, in k's memory.
func (k *Keys) At(i int) []byte {
	lo, hi := k.span(i)
	return k.data[lo:hi]
}

func (k *Keys) span(i int) (lo, hi int) {
	if k.width > 0 {
		return i * k.width, (i + 1) * k.width
	}
	if i > 0 {
		lo = k.ends[i-1]
	}
	return lo, k.ends[i]
}

// Add appends a copy of a key of the same Encoder.
func (k *Keys) Add(key []byte) {
	k.data = append(k.data, key...)
	if k.width == 0 {
		k.ends = append(k.ends, len(k.data))
	}
	k.n++
}

// Reset empties the list and keeps its memory.
func (k *Keys) Reset() { k.data, k.ends, k.n = k.data[:0], k.ends[:0], 0 }

// Bytes is the memory held.
func (k *Keys) Bytes() int64 { return int64(cap(k.data) + 8*cap(k.ends)) }

// word is the eight bytes of key i from off on as a big-endian number, zeros past its end.
func (k *Keys) word(i, off int) uint64 {
	lo, hi := k.span(i)
	lo += off
	if lo+8 <= hi {
		return binary.BigEndian.Uint64(k.data[lo:])
	}
	var w uint64
	for j := range max(hi-lo, 0) {
		w |= uint64(k.data[lo+j]) << (56 - 8*j)
	}
	return w
}

// Encoder makes keys of batches. One goroutine uses it.
//
// A key is its columns one after the other:
//
//	| 0 or 1: NULL or not, by NullsFirst | value, absent (strings) or zeros (others) for NULL |
//
// with values big-endian, signs flipped, floats with NaN above all, and strings
// escaped (0x00 as 0x00 0xFF) and ended by 0x00 0x00. For DESC the value's bytes are inverted.
type Encoder struct {
	cols  []Column
	fixed int // bytes of a key without its strings
	vary  bool
	at    []int // where the next column of each row goes
}

// NewEncoder makes an encoder; nested types have no order (error 1235).
func NewEncoder(cols []Column) (*Encoder, error) {
	e := &Encoder{cols: cols}
	for _, c := range cols {
		switch {
		case c.Type.IsNested():
			return nil, sqlerr.Unsupported("ORDER BY of " + c.Type.String())
		case c.Type.Physical() == sqltype.PhysString:
			e.vary = true
			e.fixed++
		default:
			e.fixed += 1 + c.Type.Physical().Size()
		}
	}
	return e, nil
}

// NewKeys makes an empty list for keys of e.
func (e *Encoder) NewKeys() *Keys {
	if e.vary {
		return &Keys{}
	}
	return &Keys{width: max(e.fixed, 1)}
}

// Append encodes the live rows (sel, nil: all n) of the key columns, which are flat or
// constant, at the end of k.
func (e *Encoder) Append(k *Keys, cols []*vector.Vector, n int, sel []int32) {
	rows := n
	if sel != nil {
		rows = len(sel)
	}
	e.place(k, cols, rows, sel)
	for i, c := range e.cols {
		w := writer{data: k.data, at: e.at[:rows], v: cols[i], sel: sel, flip: 0, null: 1}
		if c.NullsFirst {
			w.null = 0
		}
		if c.Desc {
			w.flip = 0xff
		}
		w.column(c.Type)
	}
	k.n += rows
}

// place makes room for rows more keys and says where each starts.
func (e *Encoder) place(k *Keys, cols []*vector.Vector, rows int, sel []int32) {
	if cap(e.at) < rows {
		e.at = make([]int, rows)
	}
	at := e.at[:rows]
	base := len(k.data)
	if !e.vary {
		k.data = grow(k.data, rows*k.width)
		for j := range at {
			at[j] = base + j*k.width
		}
		return
	}
	for j := range at {
		at[j] = e.fixed
	}
	for i, c := range e.cols {
		if c.Type.Physical() == sqltype.PhysString {
			addLengths(at, cols[i], sel)
		}
	}
	end := base
	for j, size := range at {
		at[j] = end
		end += size
		k.ends = append(k.ends, end)
	}
	k.data = grow(k.data, end-base)
}

// addLengths adds what the value of each row takes, its NULL byte not counted.
func addLengths(sizes []int, v *vector.Vector, sel []int32) {
	views := vector.Values[vector.View](v)
	for j := range sizes {
		r := rowOf(v, sel, j)
		if !v.Valid.Get(r) {
			continue
		}
		sizes[j] += 2 + views[r].Len() + bytes.Count(views[r].Bytes(v.Bufs), zeroByte)
	}
}

var zeroByte = []byte{0}

// grow extends b by n zero bytes.
func grow(b []byte, n int) []byte {
	at := len(b)
	if cap(b)-at < n {
		next := make([]byte, at, max(at+n, 2*cap(b)))
		copy(next, b)
		b = next
	}
	b = b[:at+n]
	clear(b[at:])
	return b
}

// rowOf is where the j-th live row's value is.
func rowOf(v *vector.Vector, sel []int32, j int) int {
	switch {
	case v.Form == vector.Constant:
		return 0
	case sel != nil:
		return int(sel[j])
	}
	return j
}

// writer encodes one column of some rows and moves at behind it.
type writer struct {
	data []byte
	at   []int
	v    *vector.Vector
	sel  []int32
	null byte // the byte of NULL; a value has the other
	flip byte // inverts value bytes for DESC
}

func (w *writer) column(t sqltype.Type) {
	switch t.Physical() {
	case sqltype.PhysNone:
		for j, at := range w.at {
			w.data[at] = w.null
			w.at[j] = at + 1
		}
	case sqltype.PhysBool, sqltype.PhysInt8:
		bias := uint8(0x80)
		if t.Physical() == sqltype.PhysBool {
			bias = 0
		}
		encode(w, 1, func(dst []byte, x uint8) { dst[0] = x ^ bias })
	case sqltype.PhysInt16:
		encode(w, 2, func(dst []byte, x uint16) { binary.BigEndian.PutUint16(dst, x^1<<15) })
	case sqltype.PhysInt32:
		encode(w, 4, func(dst []byte, x uint32) { binary.BigEndian.PutUint32(dst, x^1<<31) })
	case sqltype.PhysInt64:
		encode(w, 8, func(dst []byte, x uint64) { binary.BigEndian.PutUint64(dst, x^1<<63) })
	case sqltype.PhysFloat32:
		encode(w, 4, func(dst []byte, x float32) { binary.BigEndian.PutUint32(dst, orderedFloat32(x)) })
	case sqltype.PhysFloat64:
		encode(w, 8, func(dst []byte, x float64) { binary.BigEndian.PutUint64(dst, orderedFloat64(x)) })
	case sqltype.PhysInt128:
		encode(w, 16, func(dst []byte, x int128.Int) {
			binary.BigEndian.PutUint64(dst, uint64(x.Hi)^1<<63)
			binary.BigEndian.PutUint64(dst[8:], uint64(x.Lo))
		})
	case sqltype.PhysString:
		w.strings()
	}
}

// encode stores the NULL byte and the fixed-width value of each row.
func encode[T vector.Fixed](w *writer, size int, put func(dst []byte, x T)) {
	vals, valid := vector.Values[T](w.v), w.v.Valid
	for j, at := range w.at {
		r := rowOf(w.v, w.sel, j)
		w.at[j] = at + 1 + size
		if !valid.Get(r) {
			w.data[at] = w.null
			continue
		}
		w.data[at] = 1 - w.null
		dst := w.data[at+1 : at+1+size]
		put(dst, vals[r])
		if w.flip != 0 {
			for i := range dst {
				dst[i] ^= w.flip
			}
		}
	}
}

func (w *writer) strings() {
	views := vector.Values[vector.View](w.v)
	for j, at := range w.at {
		r := rowOf(w.v, w.sel, j)
		if !w.v.Valid.Get(r) {
			w.data[at] = w.null
			w.at[j] = at + 1
			continue
		}
		w.data[at] = 1 - w.null
		start := at + 1
		at = start
		s := views[r].Bytes(w.v.Bufs)
		for {
			i := bytes.IndexByte(s, 0)
			if i < 0 {
				at += copy(w.data[at:], s)
				break
			}
			at += copy(w.data[at:], s[:i+1])
			w.data[at] = 0xff
			at++
			s = s[i+1:]
		}
		w.data[at], w.data[at+1] = 0, 0
		at += 2
		if w.flip != 0 {
			for i := start; i < at; i++ {
				w.data[i] ^= w.flip
			}
		}
		w.at[j] = at
	}
}

// orderedFloat64 maps floats to numbers of the same order: -inf … -0 = 0 … inf, NaN.
func orderedFloat64(x float64) uint64 {
	if x != x {
		return ^uint64(0)
	}
	b := math.Float64bits(x + 0)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func orderedFloat32(x float32) uint32 {
	if x != x {
		return ^uint32(0)
	}
	b := math.Float32bits(x + 0)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}
