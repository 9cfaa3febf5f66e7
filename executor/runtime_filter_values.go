package executor

import (
	"math"
	"slices"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// keyBounds finds the smallest and largest of integers, dates, times, short decimals and
// strings.
type keyBounds struct {
	typ    sqltype.Type
	seen   bool
	lo, hi int64
	slo    []byte
	shi    []byte
}

func (b *keyBounds) isInteger() bool {
	switch b.typ.Physical() {
	case sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32, sqltype.PhysInt64:
		return true
	}
	return false
}

func (b *keyBounds) add(v *vector.Vector, sel []int32) {
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
		b.addStrings(v, sel)
	}
}

func addBounds[T int8 | int16 | int32 | int64](b *keyBounds, v *vector.Vector, sel []int32) {
	vals := vector.Values[T](v)
	if sel == nil {
		for _, x := range vals {
			b.lo, b.hi = min(b.lo, int64(x)), max(b.hi, int64(x))
		}
		b.seen = b.seen || len(vals) > 0
		return
	}
	for _, r := range sel {
		b.lo, b.hi = min(b.lo, int64(vals[r])), max(b.hi, int64(vals[r]))
	}
	b.seen = b.seen || len(sel) > 0
}

func (b *keyBounds) addStrings(v *vector.Vector, sel []int32) {
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	for i := range n {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		s := v.Bytes(r)
		if !b.seen || string(s) < string(b.slo) {
			b.slo = append(b.slo[:0], s...)
		}
		if !b.seen || string(s) > string(b.shi) {
			b.shi = append(b.shi[:0], s...)
		}
		b.seen = true
	}
}

// values are the bounds, nil where the type has none here.
func (b *keyBounds) values() (lo, hi *vector.Value) {
	var x, y vector.Value
	switch {
	case !b.seen:
		return nil, nil
	case b.isInteger():
		x, y = vector.IntValue(b.typ, b.lo), vector.IntValue(b.typ, b.hi)
	default:
		x, y = vector.StringValue(b.typ, string(b.slo)), vector.StringValue(b.typ, string(b.shi))
	}
	return &x, &y
}

// span is the distance of the bounds of integers.
func (b *keyBounds) span() (uint64, bool) {
	return uint64(b.hi) - uint64(b.lo), b.seen && b.isInteger()
}

func sortedValues(t *hashtable.GroupTable, typ sqltype.Type) []vector.Value {
	v := vector.New(typ, t.Groups())
	t.Rows.Decode(0, 0, v)
	out := make([]vector.Value, v.Len)
	for i := range out {
		out[i] = v.Value(i)
	}
	slices.SortFunc(out, vector.Value.Compare)
	return out
}

func (x *runtimeFilter) setBits(v *vector.Vector, sel []int32) {
	switch v.Type.Physical() {
	case sqltype.PhysInt8:
		setBits[int8](x, v, sel)
	case sqltype.PhysInt16:
		setBits[int16](x, v, sel)
	case sqltype.PhysInt32:
		setBits[int32](x, v, sel)
	case sqltype.PhysInt64:
		setBits[int64](x, v, sel)
	}
}

func setBits[T int8 | int16 | int32 | int64](x *runtimeFilter, v *vector.Vector, sel []int32) {
	vals := vector.Values[T](v)
	if sel == nil {
		for _, val := range vals {
			at := uint64(int64(val)) - uint64(x.base)
			x.bits[at/64] |= 1 << (at & 63)
		}
		return
	}
	for _, r := range sel {
		at := uint64(int64(vals[r])) - uint64(x.base)
		x.bits[at/64] |= 1 << (at & 63)
	}
}

// readerFilter is a runtimeFilter at work in one reader. It gives up when it turns out
// to let most rows pass.
type readerFilter struct {
	x            *runtimeFilter
	keys         *hashtable.Keys
	out          []int32
	seen, passed int
	dropped      bool
	dict         *vector.Vector // the dictionary that pass is of
	pass         []bool
}

func (x *runtimeFilter) newReaderFilter() *readerFilter {
	return &readerFilter{x: x, keys: hashtable.NewKeys(x.layout)}
}

// filter is a storage.FilterFunc.
func (f *readerFilter) filter(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
	v := cols[0]
	rows := n
	if sel != nil {
		rows = len(sel)
	}
	if cap(f.out) < rows {
		f.out = make([]int32, rows)
	}
	if f.dropped {
		return f.all(n, sel), nil
	}
	out := f.out[:0]
	switch {
	case f.x.rows == 0:
	case v.Form == vector.Constant:
		if !v.IsNull(0) && f.passes(&vector.Vector{Type: v.Type, Len: 1, Data: v.Data, Bufs: v.Bufs})[0] {
			return f.all(n, sel), nil
		}
	case v.Form == vector.Dictionary:
		out = f.byDictionary(v, n, sel, out)
	default:
		out = f.byValue(v, n, sel, out)
	}
	f.seen += rows
	f.passed += len(out)
	if f.seen >= filterTrial {
		f.dropped = f.passed*100 > f.seen*dropPercent
		f.seen, f.passed = 0, 0
	}
	return out, nil
}

func (f *readerFilter) all(n int, sel []int32) []int32 {
	if sel != nil {
		return append(f.out[:0], sel...)
	}
	out := f.out[:n]
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// passes tests every value of a flat vector without nulls.
func (f *readerFilter) passes(v *vector.Vector) []bool {
	pass := make([]bool, v.Len)
	for _, r := range f.byValue(v, v.Len, nil, make([]int32, 0, v.Len)) {
		pass[r] = true
	}
	return pass
}

func (f *readerFilter) byDictionary(v *vector.Vector, n int, sel, out []int32) []int32 {
	if f.dict != v.Dict {
		f.dict, f.pass = v.Dict, f.passes(v.Dict)
	}
	if sel == nil {
		for i, c := range v.Codes[:n] {
			if f.pass[c] && v.Valid.Get(i) {
				out = append(out, int32(i))
			}
		}
		return out
	}
	for _, r := range sel {
		if f.pass[v.Codes[r]] && v.Valid.Get(int(r)) {
			out = append(out, r)
		}
	}
	return out
}

func (f *readerFilter) byValue(v *vector.Vector, n int, sel, out []int32) []int32 {
	if f.x.bits != nil {
		switch v.Type.Physical() {
		case sqltype.PhysInt8:
			return testBits[int8](f.x, v, n, sel, out)
		case sqltype.PhysInt16:
			return testBits[int16](f.x, v, n, sel, out)
		case sqltype.PhysInt32:
			return testBits[int32](f.x, v, n, sel, out)
		default:
			return testBits[int64](f.x, v, n, sel, out)
		}
	}
	f.keys.Encode([]*vector.Vector{v}, n, sel)
	out = out[:f.keys.N]
	k := 0
	for j, h := range f.keys.Hash() {
		r := int32(j)
		if sel != nil {
			r = sel[j]
		}
		out[k] = r
		if f.x.bloom.May(h) && v.Valid.Get(int(r)) {
			k++
		}
	}
	return out[:k]
}

func testBits[T int8 | int16 | int32 | int64](x *runtimeFilter, v *vector.Vector, n int, sel, out []int32) []int32 {
	vals, bits, base := vector.Values[T](v), x.bits, uint64(x.base)
	k := 0
	if sel == nil {
		out = out[:n]
		for i, val := range vals[:n] {
			at := uint64(int64(val)) - base
			out[k] = int32(i)
			if at/64 < uint64(len(bits)) && bits[at/64]>>(at&63)&1 != 0 && v.Valid.Get(i) {
				k++
			}
		}
		return out[:k]
	}
	out = out[:len(sel)]
	for _, r := range sel {
		at := uint64(int64(vals[r])) - base
		out[k] = r
		if at/64 < uint64(len(bits)) && bits[at/64]>>(at&63)&1 != 0 && v.Valid.Get(int(r)) {
			k++
		}
	}
	return out[:k]
}
