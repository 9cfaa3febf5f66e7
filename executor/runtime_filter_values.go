package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// readerFilter is a runtime filter at work in one reader. It gives up when it turns out
// to let most rows pass.
type readerFilter struct {
	s            *scanFilter
	x            *runtimeFilter
	keys         *hashtable.Keys
	bounds       *rangeTest // when x can only compare with its bounds
	out          []int32
	others, mem  []int32 // rows that are not NULL, and those of them that pass
	wide         *vector.Vector
	seen, passed int
	dropped      bool
	dict         *vector.Vector // the dictionary that pass is of
	pass         []bool
}

func newReaderFilter(s *scanFilter) *readerFilter {
	f := &readerFilter{s: s, x: s.x}
	if x := s.x; x.bits == nil && x.bloom == nil {
		f.bounds = &rangeTest{typ: x.typ, lo: x.min, hi: x.max, above: x.aboveMin, below: x.belowMax, none: x.rows == 0}
	} else {
		f.keys = hashtable.NewKeys(x.layout)
	}
	return f
}

// filter is a storage.FilterFunc.
func (f *readerFilter) filter(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
	v := cols[0]
	rows := live(n, sel)
	if cap(f.out) < rows {
		f.out = make([]int32, rows)
	}
	if f.dropped {
		return f.all(n, sel), nil
	}
	out := f.out[:0]
	switch {
	case v.Form == vector.Constant:
		if f.passesConstant(v) {
			out = f.all(n, sel)
		}
	case f.x.rows == 0 && !f.x.null:
	case v.Form == vector.Dictionary:
		out = f.byDictionary(v, n, sel, out)
	case f.x.null && v.MayHaveNulls():
		out = f.withNulls(v, n, sel, out)
	default:
		out = f.byValue(v, n, sel, out)
	}
	f.learn(rows, len(out))
	return out, nil
}

// learn counts and gives up a filter that is of little use.
func (f *readerFilter) learn(rows, passed int) {
	if c := f.s.count; c != nil {
		c.input.Add(int64(rows))
		c.dropped.Add(int64(rows - passed))
	}
	f.seen += rows
	f.passed += passed
	if f.seen < filterTrial {
		return
	}
	f.s.seen.Add(int64(f.seen))
	f.s.passed.Add(int64(f.passed))
	if useless(int64(f.seen), int64(f.passed)) {
		f.giveUp()
	}
	f.seen, f.passed = 0, 0
}

func (f *readerFilter) giveUp() {
	f.dropped = true
	if f.s.count != nil {
		f.s.count.off.Add(1)
	}
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

func (f *readerFilter) passesConstant(v *vector.Vector) bool {
	if v.IsNull(0) {
		return f.x.null
	}
	return f.x.rows > 0 && f.passes(&vector.Vector{Type: v.Type, Len: 1, Data: v.Data, Bufs: v.Bufs})[0]
}

// passes tests every value of a flat vector without nulls.
func (f *readerFilter) passes(v *vector.Vector) []bool {
	pass := make([]bool, v.Len)
	if f.x.rows == 0 {
		return pass
	}
	for _, r := range f.byValue(v, v.Len, nil, make([]int32, 0, v.Len)) {
		pass[r] = true
	}
	return pass
}

func (f *readerFilter) byDictionary(v *vector.Vector, n int, sel, out []int32) []int32 {
	if f.dict != v.Dict {
		f.dict, f.pass = v.Dict, f.passes(v.Dict)
	}
	null := f.x.null
	if sel == nil {
		for i, c := range v.Codes[:n] {
			if v.Valid.Get(i) {
				if f.pass[c] {
					out = append(out, int32(i))
				}
			} else if null {
				out = append(out, int32(i))
			}
		}
		return out
	}
	for _, r := range sel {
		if v.Valid.Get(int(r)) {
			if f.pass[v.Codes[r]] {
				out = append(out, r)
			}
		} else if null {
			out = append(out, r)
		}
	}
	return out
}

// withNulls tests the rows that are not NULL and lets the others pass.
func (f *readerFilter) withNulls(v *vector.Vector, n int, sel, out []int32) []int32 {
	if cap(f.mem) < n {
		f.mem = make([]int32, n)
	}
	f.others, _ = withoutNulls(v, sel, f.others)
	var pass []int32
	if f.x.rows > 0 {
		pass = f.byValue(v, n, f.others, f.mem[:0])
	}
	eachRow(live(n, sel), sel, func(r int) {
		if v.IsNull(r) {
			out = append(out, int32(r))
		} else if len(pass) > 0 && pass[0] == int32(r) {
			out, pass = append(out, int32(r)), pass[1:]
		}
	})
	return out
}

// byValue keeps the rows that are not NULL and pass.
func (f *readerFilter) byValue(v *vector.Vector, n int, sel, out []int32) []int32 {
	if f.bounds != nil {
		return f.bounds.test(v, n, sel, out)
	}
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
	f.keys.Encode([]*vector.Vector{f.widened(v, n)}, n, sel)
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

// widened is v with the integer width of the filter's keys, which are hashed in that width.
func (f *readerFilter) widened(v *vector.Vector, n int) *vector.Vector {
	to := f.x.typ.Physical()
	if v.Type.Physical() == to || !isInteger(v.Type) {
		return v
	}
	if f.wide == nil {
		f.wide = &vector.Vector{Type: f.x.typ}
	}
	f.wide.Reset(n)
	switch to {
	case sqltype.PhysInt16:
		widenInto(vector.Values[int16](f.wide), v)
	case sqltype.PhysInt32:
		widenInto(vector.Values[int32](f.wide), v)
	case sqltype.PhysInt64:
		widenInto(vector.Values[int64](f.wide), v)
	}
	return f.wide
}

func widenInto[D int16 | int32 | int64](dst []D, v *vector.Vector) {
	switch v.Type.Physical() {
	case sqltype.PhysInt8:
		convertInto(dst, vector.Values[int8](v))
	case sqltype.PhysInt16:
		convertInto(dst, vector.Values[int16](v))
	case sqltype.PhysInt32:
		convertInto(dst, vector.Values[int32](v))
	}
}

func convertInto[D int16 | int32 | int64, S int8 | int16 | int32](dst []D, src []S) {
	for i := range dst {
		dst[i] = D(src[i])
	}
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
