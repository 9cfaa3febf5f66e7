package function

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// sumParam is the type that sum and avg take an argument as.
func sumParam(name string, args []Arg) (sqltype.Type, error) {
	if len(args) != 1 {
		return tNull, wrongArguments(name, args)
	}
	t, ok := numericArgument(args[0].Type)
	if !ok {
		return tNull, wrongArguments(name, args)
	}
	return t, nil
}

// resolveSum: integers give BIGINT, LARGEINT itself, decimals DECIMAL(38, s), floats DOUBLE.
func resolveSum(name string, args []Arg) (*Aggregate, error) {
	t, err := sumParam(name, args)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Params: []sqltype.Type{t}, NullOnEmpty: true}
	switch {
	case t.Kind == sqltype.Double:
		a.Result = tDouble
		a.NewAccumulator = accumulator(func() Accumulator { return &floatSum{finish: finishFloatSum} })
	case t.Kind == sqltype.Decimal:
		a.Result, a.Narrow = sqltype.DecimalOf(maxPrecision, int(t.Scale)), true
		a.NewAccumulator = sumOf(t, finishDecimalSum)
	case t.Kind == sqltype.LargeInt:
		a.Result = tLargeInt
		a.NewAccumulator = sumOf(t, finishWideSum)
	default:
		a.Result = tBigInt
		a.NewAccumulator = sumOf(t, finishBigintSum)
	}
	return a, nil
}

func accumulator(make func() Accumulator) func(*Context, []*vector.Value) (Accumulator, error) {
	return func(*Context, []*vector.Value) (Accumulator, error) { return make(), nil }
}

// finishSum writes the result of one group from its exact sum of n > 0 values.
type finishSum func(sum int128.Int, n int64, i int, out *vector.Vector) error

// sumOf is the exact sum of t's layout.
func sumOf(t sqltype.Type, finish finishSum) func(*Context, []*vector.Value) (Accumulator, error) {
	return accumulator(func() Accumulator {
		switch t.Physical() {
		case sqltype.PhysInt8:
			return &intSum[int8]{finish: finish}
		case sqltype.PhysInt16:
			return &intSum[int16]{finish: finish}
		case sqltype.PhysInt32:
			return &intSum[int32]{finish: finish}
		case sqltype.PhysInt64:
			return &intSum[int64]{finish: finish}
		}
		return &wideSum{finish: finish, of: t}
	})
}

func finishBigintSum(sum int128.Int, _ int64, i int, out *vector.Vector) error {
	if !sum.IsInt64() {
		return outOfRange(tBigInt, "sum")
	}
	vector.Values[int64](out)[i] = int64(sum.Lo)
	return nil
}

func finishWideSum(sum int128.Int, _ int64, i int, out *vector.Vector) error {
	vector.Values[int128.Int](out)[i] = sum
	return nil
}

func finishDecimalSum(sum int128.Int, _ int64, i int, out *vector.Vector) error {
	if !within(sum, int128.Pow10[maxPrecision]) {
		return outOfRange(out.Type, "sum")
	}
	vector.Values[int128.Int](out)[i] = sum
	return nil
}

// intSum adds values of up to 64 bits. A state is one int64; what does not fit is counted
// in carry, in units of 2^64, so that the sum is exact and the usual row pays one test.
type intSum[A integer] struct {
	states []intSumState
	carry  map[uint32]int64
	finish finishSum
}

type intSumState struct{ sum, n int64 }

func (s *intSum[A]) Grow(n int) { s.states = growTo(s.states, n) }

// overflow accounts for z = a + b having wrapped in group g, where b is the addend.
func (s *intSum[A]) overflow(g uint32, b int64) {
	if s.carry == nil {
		s.carry = make(map[uint32]int64)
	}
	if b < 0 {
		s.carry[g]--
	} else {
		s.carry[g]++
	}
}

func (s *intSum[A]) add(g uint32, v int64) {
	st := &s.states[g]
	z := st.sum + v
	if (z^st.sum)&(z^v) < 0 {
		s.overflow(g, v)
	}
	st.sum = z
	st.n++
}

func (s *intSum[A]) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[A](v)
	switch {
	case constantNull(v):
	case v.Form == vector.Flat && v.Valid == nil && sel == nil:
		vals, states := x.vals[:len(groups)], s.states
		for k, g := range groups {
			st := &states[g]
			y := int64(vals[k])
			z := st.sum + y
			if (z^st.sum)&(z^y) < 0 {
				s.overflow(g, y)
			}
			st.sum = z
			st.n++
		}
	case v.Form == vector.Flat && v.Valid == nil:
		vals, states := x.vals, s.states
		sel = sel[:len(groups)]
		for k, g := range groups {
			st := &states[g]
			y := int64(vals[sel[k]])
			z := st.sum + y
			if (z^st.sum)&(z^y) < 0 {
				s.overflow(g, y)
			}
			st.sum = z
			st.n++
		}
	case v.Form == vector.Flat:
		for k, g := range groups {
			if i := row(sel, k); v.Valid.Get(i) {
				s.add(g, int64(x.vals[i]))
			}
		}
	default:
		for k, g := range groups {
			s.add(g, int64(x.at(row(sel, k))))
		}
	}
	return nil
}

// UpdateOne sums a batch into 128 bits, then adds once.
func (s *intSum[A]) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	sum, live := sumAll[A](args[0], sel, n)
	if live > 0 {
		s.addWide(group, sum, live)
	}
	return nil
}

// sumAll is the exact sum of the n rows of sel (nil: the first n) and how many of them are not NULL.
func sumAll[A integer](v *vector.Vector, sel []int32, n int) (sum int128.Int, live int64) {
	x := columnOf[A](v)
	var lo uint64
	var hi int64
	switch {
	case constantNull(v):
		return sum, 0
	case v.Form == vector.Constant:
		return int128.Mul64(int64(x.vals[0]), int64(n)), int64(n)
	case v.Valid == nil && sel == nil:
		for _, y := range x.vals[:n] {
			var c uint64
			lo, c = bits.Add64(lo, uint64(int64(y)), 0)
			hi += int64(y)>>63 + int64(c)
		}
		live = int64(n)
	default:
		for k := range n {
			i := row(sel, k)
			if !v.Valid.Get(i) {
				continue
			}
			var c uint64
			y := int64(x.vals[i])
			lo, c = bits.Add64(lo, uint64(y), 0)
			hi += y>>63 + int64(c)
			live++
		}
	}
	return int128.Int{Lo: lo, Hi: hi}, live
}

// addWide adds a 128-bit sum of n values to a state.
func (s *intSum[A]) addWide(g uint32, sum int128.Int, n int64) {
	total := s.total(g).Add(sum)
	s.states[g].n += n
	s.states[g].sum = int64(total.Lo)
	carry := total.Hi - int64(total.Lo)>>63
	if carry != 0 || s.carry != nil {
		if s.carry == nil {
			s.carry = make(map[uint32]int64)
		}
		s.carry[g] = carry
	}
}

// total is the exact sum of a group.
func (s *intSum[A]) total(g uint32) int128.Int {
	t := int128.FromInt64(s.states[g].sum)
	if s.carry != nil {
		t.Hi += s.carry[g]
	}
	return t
}

func (s *intSum[A]) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*intSum[A])
	for k, g := range groups {
		src := uint32(from + k)
		if o.carry != nil || s.carry != nil {
			s.addWide(g, o.total(src), o.states[src].n)
			continue
		}
		n := s.states[g].n + o.states[src].n
		s.add(g, o.states[src].sum)
		s.states[g].n = n
	}
	return nil
}

func (s *intSum[A]) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		g := uint32(lo + i)
		n := s.states[g].n
		if n == 0 {
			out.SetNull(i)
			continue
		}
		if err := s.finish(s.total(g), n, i, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *intSum[A]) Bytes() int64 { return int64(cap(s.states))*16 + int64(len(s.carry))*40 }

// wideSum adds 128-bit values: two words and a carry a row. Wrapping past 128 bits is
// collected in one sticky sign and is an error.
type wideSum struct {
	states []wideSumState
	finish finishSum
	of     sqltype.Type
}

type wideSumState struct {
	sum int128.Int
	n   int64
}

func (s *wideSum) Grow(n int) { s.states = growTo(s.states, n) }

func (s *wideSum) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	if v.Type.Physical() == sqltype.PhysInt64 {
		return s.updateNarrow(groups, v, sel)
	}
	x := columnOf[int128.Int](v)
	var sticky int64
	switch {
	case constantNull(v):
	case v.Form == vector.Flat && v.Valid == nil && sel == nil:
		vals, states := x.vals[:len(groups)], s.states
		for k, g := range groups {
			st := &states[g]
			z := st.sum.Add(vals[k])
			sticky |= (st.sum.Hi ^ z.Hi) & (vals[k].Hi ^ z.Hi)
			st.sum = z
			st.n++
		}
	case v.Form == vector.Flat && v.Valid == nil:
		vals, states := x.vals, s.states
		sel = sel[:len(groups)]
		for k, g := range groups {
			st, y := &states[g], &vals[sel[k]]
			z := st.sum.Add(*y)
			sticky |= (st.sum.Hi ^ z.Hi) & (y.Hi ^ z.Hi)
			st.sum = z
			st.n++
		}
	default:
		for k, g := range groups {
			i := row(sel, k)
			if isNullAt(v, i) {
				continue
			}
			st, y := &s.states[g], x.at(i)
			z := st.sum.Add(y)
			sticky |= (st.sum.Hi ^ z.Hi) & (y.Hi ^ z.Hi)
			st.sum = z
			st.n++
		}
	}
	return s.check(sticky)
}

// updateNarrow is Update by a narrow vector.
func (s *wideSum) updateNarrow(groups []uint32, v *vector.Vector, sel []int32) error {
	if constantNull(v) {
		return nil
	}
	x := columnOf[int64](v)
	var sticky int64
	for k, g := range groups {
		i := row(sel, k)
		if v.Valid != nil && isNullAt(v, i) {
			continue
		}
		st, y := &s.states[g], x.at(i)
		z := st.sum.AddInt64(y)
		sticky |= (st.sum.Hi ^ z.Hi) & (y ^ z.Hi)
		st.sum = z
		st.n++
	}
	return s.check(sticky)
}

// addSum adds a sum of n values to a state.
func (s *wideSum) addSum(group uint32, sum int128.Int, n int64) error {
	st := &s.states[group]
	z, ok := st.sum.AddOK(sum)
	if !ok {
		return s.check(-1)
	}
	st.sum = z
	st.n += n
	return nil
}

func (s *wideSum) check(sticky int64) error {
	if sticky < 0 {
		return outOfRange(s.of, "sum")
	}
	return nil
}

func (s *wideSum) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v := args[0]
	if constantNull(v) {
		return nil
	}
	if v.Type.Physical() == sqltype.PhysInt64 {
		sum, live := sumAll[int64](v, sel, n)
		return s.addSum(group, sum, live)
	}
	x := columnOf[int128.Int](v)
	st := &s.states[group]
	sum, live := st.sum, st.n
	var sticky int64
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		for _, y := range x.vals[:n] {
			z := sum.Add(y)
			sticky |= (sum.Hi ^ z.Hi) & (y.Hi ^ z.Hi)
			sum = z
		}
		live += int64(n)
	} else {
		for k := range n {
			i := row(sel, k)
			if isNullAt(v, i) {
				continue
			}
			y := x.at(i)
			z := sum.Add(y)
			sticky |= (sum.Hi ^ z.Hi) & (y.Hi ^ z.Hi)
			sum = z
			live++
		}
	}
	st.sum, st.n = sum, live
	return s.check(sticky)
}

func (s *wideSum) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*wideSum).states[from:]
	for k, g := range groups {
		if err := s.addSum(g, o[k].sum, o[k].n); err != nil {
			return err
		}
	}
	return nil
}

func (s *wideSum) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		st := &s.states[lo+i]
		if st.n == 0 {
			out.SetNull(i)
			continue
		}
		if err := s.finish(st.sum, st.n, i, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *wideSum) Bytes() int64 { return int64(cap(s.states)) * 32 }

// floatSum adds doubles.
type floatSum struct {
	states []floatSumState
	finish func(sum float64, n int64) float64
}

type floatSumState struct {
	sum float64
	n   int64
}

func finishFloatSum(sum float64, _ int64) float64 { return sum }

func finishFloatAvg(sum float64, n int64) float64 { return sum / float64(n) }

func (s *floatSum) Grow(n int) { s.states = growTo(s.states, n) }

func (s *floatSum) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[float64](v)
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		vals, states := x.vals[:len(groups)], s.states
		for k, g := range groups {
			st := &states[g]
			st.sum += vals[k]
			st.n++
		}
		return nil
	}
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			st := &s.states[g]
			st.sum += x.at(i)
			st.n++
		}
	}
	return nil
}

func (s *floatSum) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v := args[0]
	x := columnOf[float64](v)
	st := &s.states[group]
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		sum := st.sum
		for _, y := range x.vals[:n] {
			sum += y
		}
		st.sum = sum
		st.n += int64(n)
		return nil
	}
	for k := range n {
		if i := row(sel, k); !isNullAt(v, i) {
			st.sum += x.at(i)
			st.n++
		}
	}
	return nil
}

func (s *floatSum) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*floatSum).states[from:]
	for k, g := range groups {
		s.states[g].sum += o[k].sum
		s.states[g].n += o[k].n
	}
	return nil
}

func (s *floatSum) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[float64](out)
	for i := range dst {
		st := &s.states[lo+i]
		if st.n == 0 {
			out.SetNull(i)
			dst[i] = 0
			continue
		}
		dst[i] = s.finish(st.sum, st.n)
	}
	return nil
}

func (s *floatSum) Bytes() int64 { return int64(cap(s.states)) * 16 }
