package executor

import (
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// keyBounds finds the smallest and largest of flat keys without NULLs. NaN is the largest
// float, as everywhere.
type keyBounds struct {
	typ      sqltype.Type
	seen     bool
	lo, hi   int64 // integers, dates, times, short decimals
	flo, fhi float64
	ilo, ihi int128.Int
	slo      []byte
	shi      []byte
}

func isInteger(t sqltype.Type) bool {
	switch t.Physical() {
	case sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32, sqltype.PhysInt64:
		return true
	}
	return false
}

// add takes the rows sel, nil: all.
func (b *keyBounds) add(v *vector.Vector, sel []int32) {
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	if n == 0 {
		return
	}
	if !b.seen {
		b.lo, b.hi = math.MaxInt64, math.MinInt64
	}
	switch v.Type.Physical() {
	case sqltype.PhysInt8:
		addBounds[int8](b, v, sel)
	case sqltype.PhysInt16:
		addBounds[int16](b, v, sel)
	case sqltype.PhysInt32:
		addBounds[int32](b, v, sel)
	case sqltype.PhysInt64:
		addBounds[int64](b, v, sel)
	case sqltype.PhysString:
		eachRow(n, sel, func(r int) { b.addString(v.Bytes(r)) })
	case sqltype.PhysFloat32:
		vals := vector.Values[float32](v)
		eachRow(n, sel, func(r int) { b.addFloat(float64(vals[r])) })
	case sqltype.PhysFloat64:
		vals := vector.Values[float64](v)
		eachRow(n, sel, func(r int) { b.addFloat(vals[r]) })
	case sqltype.PhysInt128:
		vals := vector.Values[int128.Int](v)
		eachRow(n, sel, func(r int) { b.addWide(vals[r]) })
	}
}

func eachRow(n int, sel []int32, f func(r int)) {
	for i := range n {
		if sel != nil {
			f(int(sel[i]))
		} else {
			f(i)
		}
	}
}

func addBounds[T int8 | int16 | int32 | int64](b *keyBounds, v *vector.Vector, sel []int32) {
	vals := vector.Values[T](v)
	b.seen = true
	if sel == nil {
		for _, x := range vals {
			b.lo, b.hi = min(b.lo, int64(x)), max(b.hi, int64(x))
		}
		return
	}
	for _, r := range sel {
		b.lo, b.hi = min(b.lo, int64(vals[r])), max(b.hi, int64(vals[r]))
	}
}

func (b *keyBounds) addString(s []byte) {
	if !b.seen || string(s) < string(b.slo) {
		b.slo = append(b.slo[:0], s...)
	}
	if !b.seen || string(s) > string(b.shi) {
		b.shi = append(b.shi[:0], s...)
	}
	b.seen = true
}

func (b *keyBounds) addFloat(x float64) {
	if !b.seen || vector.CompareFloat(x, b.flo) < 0 {
		b.flo = x
	}
	if !b.seen || vector.CompareFloat(x, b.fhi) > 0 {
		b.fhi = x
	}
	b.seen = true
}

func (b *keyBounds) addWide(x int128.Int) {
	if !b.seen || x.Less(b.ilo) {
		b.ilo = x
	}
	if !b.seen || b.ihi.Less(x) {
		b.ihi = x
	}
	b.seen = true
}

// merge adds what other found.
func (b *keyBounds) merge(other *keyBounds) {
	if !other.seen {
		return
	}
	if !b.seen {
		*b = *other
		return
	}
	b.lo, b.hi = min(b.lo, other.lo), max(b.hi, other.hi)
	switch b.typ.Physical() {
	case sqltype.PhysString:
		b.addString(other.slo)
		b.addString(other.shi)
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		b.addFloat(other.flo)
		b.addFloat(other.fhi)
	case sqltype.PhysInt128:
		b.addWide(other.ilo)
		b.addWide(other.ihi)
	}
}

// values are the bounds, nil where the type has none here.
func (b *keyBounds) values() (lo, hi *vector.Value) {
	if !b.seen {
		return nil, nil
	}
	x, y := vector.Value{Type: b.typ}, vector.Value{Type: b.typ}
	switch b.typ.Physical() {
	case sqltype.PhysString:
		x.S, y.S = string(b.slo), string(b.shi)
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		x.F, y.F = b.flo, b.fhi
	case sqltype.PhysInt128:
		x.I, y.I = b.ilo, b.ihi
	default:
		x.I, y.I = int128.FromInt64(b.lo), int128.FromInt64(b.hi)
	}
	return &x, &y
}

// span is the distance of the bounds of integers.
func (b *keyBounds) span() (uint64, bool) {
	return uint64(b.hi) - uint64(b.lo), b.seen && isInteger(b.typ)
}

// rangeTest keeps rows between two bounds. Immutable.
type rangeTest struct {
	typ          sqltype.Type
	lo, hi       *vector.Value // nil: open
	above, below bool          // bounds are exclusive
	null         bool          // NULL passes
	none         bool          // nothing but NULL passes
}

// test appends the rows of a flat vector that pass; typ's physical type may be wider than v's.
func (t *rangeTest) test(v *vector.Vector, n int, sel, out []int32) []int32 {
	switch v.Type.Physical() {
	case sqltype.PhysInt8:
		return t.integers(n, sel, out, v, func(r int) int64 { return int64(vector.Values[int8](v)[r]) })
	case sqltype.PhysInt16:
		return t.integers(n, sel, out, v, func(r int) int64 { return int64(vector.Values[int16](v)[r]) })
	case sqltype.PhysInt32:
		vals := vector.Values[int32](v)
		return t.integers(n, sel, out, v, func(r int) int64 { return int64(vals[r]) })
	case sqltype.PhysInt64:
		vals := vector.Values[int64](v)
		return t.integers(n, sel, out, v, func(r int) int64 { return vals[r] })
	case sqltype.PhysString:
		return t.strings(n, sel, out, v)
	}
	keep := func(r int) bool {
		if v.IsNull(r) {
			return t.null
		}
		return t.passes(v.Value(r))
	}
	eachRow(live(n, sel), sel, func(r int) {
		if keep(r) {
			out = append(out, int32(r))
		}
	})
	return out
}

func live(n int, sel []int32) int {
	if sel != nil {
		return len(sel)
	}
	return n
}

// passes compares one value.
func (t *rangeTest) passes(x vector.Value) bool {
	switch {
	case t.none:
		return false
	case t.lo != nil && (x.Compare(*t.lo) < 0 || t.above && x.Compare(*t.lo) == 0):
		return false
	}
	return t.hi == nil || x.Compare(*t.hi) < 0 || !t.below && x.Compare(*t.hi) == 0
}

// integers compares after making the bounds inclusive.
func (t *rangeTest) integers(n int, sel, out []int32, v *vector.Vector, at func(int) int64) []int32 {
	lo, hi, none := int64(math.MinInt64), int64(math.MaxInt64), t.none
	if t.lo != nil {
		if lo = t.lo.Int64(); t.above {
			none = none || lo == math.MaxInt64
			lo++
		}
	}
	if t.hi != nil {
		if hi = t.hi.Int64(); t.below {
			none = none || hi == math.MinInt64
			hi--
		}
	}
	if none {
		lo, hi = 1, 0
	}
	span, empty := uint64(hi)-uint64(lo), lo > hi
	nulls := v.MayHaveNulls()
	for i := range live(n, sel) {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if nulls && v.IsNull(r) {
			if t.null {
				out = append(out, int32(r))
			}
			continue
		}
		if !empty && uint64(at(r))-uint64(lo) <= span {
			out = append(out, int32(r))
		}
	}
	return out
}

func (t *rangeTest) strings(n int, sel, out []int32, v *vector.Vector) []int32 {
	eachRow(live(n, sel), sel, func(r int) {
		if v.IsNull(r) {
			if t.null {
				out = append(out, int32(r))
			}
			return
		}
		s := v.Bytes(r)
		switch {
		case t.none,
			t.lo != nil && (string(s) < t.lo.S || t.above && string(s) == t.lo.S),
			t.hi != nil && (string(s) > t.hi.S || t.below && string(s) == t.hi.S):
			return
		}
		out = append(out, int32(r))
	})
	return out
}
