package sorting

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Packed sorts rows whose key columns all fit into one 64-bit word together, by what values they really have: a day of
// seven years takes 12 bits. Then no keys are made, and sorting looks at as many bytes as there are. One goroutine
// uses it; its memory is reused.
type Packed struct {
	cols  []Column
	words []uint64
	order []Entry
	s     sorter
}

// NewPacked makes a sorter by cols.
func NewPacked(cols []Column) *Packed { return &Packed{cols: cols} }

// Sort gives the order of n rows of flat or constant key columns, valid until the next call; false when the keys are too
// wide.
func (p *Packed) Sort(keys []*vector.Vector, n int) ([]Entry, bool) {
	parts := make([]packing, len(keys))
	width := 0
	for i, k := range keys {
		if k.Form == vector.Constant {
			continue
		}
		if !parts[i].measure(k, n) {
			return nil, false
		}
		if width += parts[i].bits; width > 64 {
			return nil, false
		}
	}
	if cap(p.order) < n {
		p.order, p.words = make([]Entry, n), make([]uint64, n)
	}
	words := p.words[:n]
	clear(words)
	for i, k := range keys {
		if parts[i].bits > 0 {
			parts[i].pack(words, k, p.cols[i])
		}
	}
	order := p.order[:n]
	for i, w := range words {
		order[i] = Entry{w, uint32(i)}
	}
	p.s.words(order, (width+7)/8)
	return order, true
}

// packing is how the values of a column become numbers from 0 on.
type packing struct {
	bits  int
	nulls bool
	base  uint64 // the least value, as an ordered number
	span  uint64 // the largest less the least
	wide  int128.Int
}

// measure finds the range of n values; false where the column cannot be packed.
func (p *packing) measure(v *vector.Vector, n int) bool {
	p.nulls = v.Valid != nil && !v.Valid.AllSet(n)
	ok := true
	switch v.Type.Physical() {
	case sqltype.PhysNone:
	case sqltype.PhysBool:
		rangeOf(p, v, n, func(x uint8) uint64 { return uint64(x) })
	case sqltype.PhysInt8:
		rangeOf(p, v, n, func(x int8) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt16:
		rangeOf(p, v, n, func(x int16) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt32:
		rangeOf(p, v, n, func(x int32) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt64:
		rangeOf(p, v, n, func(x int64) uint64 { return uint64(x) ^ 1<<63 })
	case sqltype.PhysFloat32:
		rangeOf(p, v, n, func(x float32) uint64 { return uint64(orderedFloat32(x)) })
	case sqltype.PhysFloat64:
		rangeOf(p, v, n, orderedFloat64)
	case sqltype.PhysInt128:
		ok = p.wideRange(v, n)
	default:
		return false
	}
	if p.nulls && p.span == ^uint64(0) {
		return false
	}
	top := p.span
	if p.nulls {
		top++
	}
	p.bits = bits.Len64(top)
	return ok
}

func rangeOf[T vector.Fixed](p *packing, v *vector.Vector, n int, number func(T) uint64) {
	vals := vector.Values[T](v)[:n]
	lo, hi := ^uint64(0), uint64(0)
	if !p.nulls {
		for _, x := range vals {
			u := number(x)
			lo, hi = min(lo, u), max(hi, u)
		}
	} else {
		for i, x := range vals {
			if v.Valid.Get(i) {
				u := number(x)
				lo, hi = min(lo, u), max(hi, u)
			}
		}
	}
	if lo <= hi {
		p.base, p.span = lo, hi-lo
	}
}

func (p *packing) wideRange(v *vector.Vector, n int) bool {
	first := true
	var lo, hi int128.Int
	for i, x := range vector.Values[int128.Int](v)[:n] {
		switch {
		case !v.Valid.Get(i):
		case first:
			lo, hi, first = x, x, false
		case x.Less(lo):
			lo = x
		case hi.Less(x):
			hi = x
		}
	}
	d := hi.Sub(lo)
	p.wide, p.span = lo, d.Lo
	return d.Hi == 0
}

// pack moves words up and puts the column's numbers below.
func (p *packing) pack(words []uint64, v *vector.Vector, c Column) {
	switch v.Type.Physical() {
	case sqltype.PhysNone:
	case sqltype.PhysBool:
		packAll(p, words, v, c, func(x uint8) uint64 { return uint64(x) })
	case sqltype.PhysInt8:
		packAll(p, words, v, c, func(x int8) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt16:
		packAll(p, words, v, c, func(x int16) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt32:
		packAll(p, words, v, c, func(x int32) uint64 { return uint64(int64(x)) ^ 1<<63 })
	case sqltype.PhysInt64:
		packAll(p, words, v, c, func(x int64) uint64 { return uint64(x) ^ 1<<63 })
	case sqltype.PhysFloat32:
		packAll(p, words, v, c, func(x float32) uint64 { return uint64(orderedFloat32(x)) })
	case sqltype.PhysFloat64:
		packAll(p, words, v, c, orderedFloat64)
	case sqltype.PhysInt128:
		base := p.wide
		p.base = 0
		packAll(p, words, v, c, func(x int128.Int) uint64 { return x.Sub(base).Lo })
	}
}

func packAll[T vector.Fixed](p *packing, words []uint64, v *vector.Vector, c Column, number func(T) uint64) {
	vals := vector.Values[T](v)[:len(words)]
	shift, base, span := uint(p.bits), p.base, p.span
	if !p.nulls {
		if c.Desc {
			for i, x := range vals {
				words[i] = words[i]<<shift | (span - (number(x) - base))
			}
			return
		}
		for i, x := range vals {
			words[i] = words[i]<<shift | (number(x) - base)
		}
		return
	}
	null, first := span+1, uint64(0)
	if c.NullsFirst {
		null, first = 0, 1
	}
	for i, x := range vals {
		u := null
		if v.Valid.Get(i) {
			u = number(x) - base
			if c.Desc {
				u = span - u
			}
			u += first
		}
		words[i] = words[i]<<shift | u
	}
}
