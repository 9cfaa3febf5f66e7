package executor

import (
	"bytes"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// windowRows are whole partitions of sorted rows, and where partitions and peers begin in them. What is asked for is
// found out once a batch.
type windowRows struct {
	n         int
	partition int              // number of partition keys
	keys      []*vector.Vector // partition keys, then sort keys; flat or constant

	found   []bool
	starts  [][]int32 // by number of keys: where rows that are equal in them begin, and n
	finders []boundaryFinder
}

func (r *windowRows) reset(in *vector.Batch) {
	r.n = in.Len
	clear(r.found)
}

// groups are the beginnings of the runs of rows that are equal in the first k keys, ascending, and n at the end.
func (r *windowRows) groups(k int) []int32 {
	for len(r.found) <= k {
		r.found, r.starts, r.finders = append(r.found, false), append(r.starts, nil), append(r.finders, boundaryFinder{})
	}
	if !r.found[k] {
		r.starts[k] = r.finders[k].all(r.keys[:k], r.n, r.starts[k][:0])
		r.found[k] = true
	}
	return r.starts[k]
}

// partitions are the beginnings of partitions, and n.
func (r *windowRows) partitions() []int32 { return r.groups(r.partition) }

// peers are the beginnings of the groups of rows that the first k sort keys do not tell apart, and n.
func (r *windowRows) peers(k int) []int32 { return r.groups(r.partition + k) }

// boundaryFinder finds rows whose keys differ from those of the row before. NULLs are equal, and so are NaNs.
type boundaryFinder struct{ differs []bool }

// all appends the first row, every row that differs from the one before it, and n.
func (f *boundaryFinder) all(keys []*vector.Vector, n int, out []int32) []int32 {
	if n == 0 {
		return append(out, 0)
	}
	if len(keys) == 0 {
		return append(out, 0, int32(n))
	}
	f.mark(keys, n)
	out = append(out, 0)
	for i := 1; i < n; i++ {
		if f.differs[i] {
			out = append(out, int32(i))
		}
	}
	return append(out, int32(n))
}

// last is the last row that differs from the one before it, 0 when there is none.
func (f *boundaryFinder) last(keys []*vector.Vector, n int) int {
	f.mark(keys, n)
	for i := n - 1; i > 0; i-- {
		if f.differs[i] {
			return i
		}
	}
	return 0
}

func (f *boundaryFinder) mark(keys []*vector.Vector, n int) {
	if cap(f.differs) < n {
		f.differs = make([]bool, n)
	}
	f.differs = f.differs[:n]
	clear(f.differs)
	for _, k := range keys {
		if k.Form != vector.Constant {
			f.column(k)
		}
	}
}

func (f *boundaryFinder) column(v *vector.Vector) {
	switch v.Type.Physical() {
	case sqltype.PhysNone:
	case sqltype.PhysBool, sqltype.PhysInt8:
		markChanges[uint8](f.differs, v)
	case sqltype.PhysInt16:
		markChanges[uint16](f.differs, v)
	case sqltype.PhysInt32:
		markChanges[uint32](f.differs, v)
	case sqltype.PhysInt64:
		markChanges[uint64](f.differs, v)
	case sqltype.PhysInt128:
		markChanges[int128.Int](f.differs, v)
	case sqltype.PhysFloat32:
		markFloats[float32](f.differs, v)
	case sqltype.PhysFloat64:
		markFloats[float64](f.differs, v)
	case sqltype.PhysString:
		markStrings(f.differs, v)
	}
}

func markChanges[T uint8 | uint16 | uint32 | uint64 | int128.Int](differs []bool, v *vector.Vector) {
	vals := vector.Values[T](v)
	vals = vals[:len(differs)]
	if v.Valid == nil {
		for i := 1; i < len(vals); i++ {
			differs[i] = differs[i] || vals[i] != vals[i-1]
		}
		return
	}
	before := v.Valid.Get(0)
	for i := 1; i < len(vals); i++ {
		now := v.Valid.Get(i)
		differs[i] = differs[i] || now != before || now && vals[i] != vals[i-1]
		before = now
	}
}

func markFloats[T float32 | float64](differs []bool, v *vector.Vector) {
	vals := vector.Values[T](v)
	vals = vals[:len(differs)]
	before := v.Valid.Get(0)
	for i := 1; i < len(vals); i++ {
		now := v.Valid.Get(i)
		x, y := vals[i], vals[i-1]
		same := x == y || x != x && y != y
		differs[i] = differs[i] || now != before || now && !same
		before = now
	}
}

func markStrings(differs []bool, v *vector.Vector) {
	vals := vector.Values[vector.View](v)
	vals = vals[:len(differs)]
	before := v.Valid.Get(0)
	for i := 1; i < len(vals); i++ {
		now := v.Valid.Get(i)
		differs[i] = differs[i] || now != before || now && !vector.ViewEqual(&vals[i], v.Bufs, &vals[i-1], v.Bufs)
		before = now
	}
}

// keyCompare orders two non-NULL values of flat vectors of one type.
type keyCompare func(i, j int) int

// compareKeys compares value i of a with value j of b.
func compareKeys(a, b *vector.Vector) keyCompare {
	switch a.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8:
		return comparing[int8](a, b)
	case sqltype.PhysInt16:
		return comparing[int16](a, b)
	case sqltype.PhysInt32:
		return comparing[int32](a, b)
	case sqltype.PhysInt64:
		return comparing[int64](a, b)
	case sqltype.PhysFloat32:
		return comparing[float32](a, b)
	case sqltype.PhysFloat64:
		return comparing[float64](a, b)
	case sqltype.PhysInt128:
		x, y := vector.Values[int128.Int](a), vector.Values[int128.Int](b)
		return func(i, j int) int {
			switch {
			case x[i] == y[j]:
				return 0
			case x[i].Less(y[j]):
				return -1
			}
			return 1
		}
	}
	return func(i, j int) int { return bytes.Compare(a.Bytes(i), b.Bytes(j)) }
}

// comparing has NaN above all, equal to itself.
func comparing[T int8 | int16 | int32 | int64 | float32 | float64](a, b *vector.Vector) keyCompare {
	x, y := vector.Values[T](a), vector.Values[T](b)
	return func(i, j int) int {
		p, q := x[i], y[j]
		switch {
		case p < q, q != q && p == p:
			return -1
		case p > q, p != p && q == q:
			return 1
		}
		return 0
	}
}
