package function

import (
	"github.com/basaltdb/basalt/internal/int128"
)

// Foldable is implemented by accumulators whose states are values that can be put together in any grouping, which is
// what windows need: each row has a state of its own, frames put theirs together.
type Foldable interface {
	Accumulator
	// Scan makes each state of [lo, hi) what those from lo up to it give together.
	Scan(lo, hi int) error
	// Slide makes state at+k of result, an empty accumulator of the same function, what the states [from[k], to[k]) give
	// together; nothing where to[k] is not above from[k]. from and to never fall. The states are used up.
	Slide(result Accumulator, at int, from, to []int32) error
}

// scan is Scan for states that merge adds to.
func scan[S any](s []S, lo, hi int, merge func(into, from *S)) {
	for i := lo + 1; i < hi; i++ {
		x := s[i-1]
		merge(&x, &s[i])
		s[i] = x
	}
}

// slide is Slide for states that merge adds to: two stacks. The states [a, mid) hold what they and all up to mid give,
// the rest of the frame is in run; when the frame has left mid behind, its end becomes the next mid. So each state is
// merged a fixed number of times whatever the frames' length.
//
// Source: Tangwongsan, Hirzel and Schneider, Low-Latency Sliding-Window Aggregation in Worst-Case Constant Time, 2017 (as Two-Stacks).
func slide[S any](s, result []S, from, to []int32, merge func(into, from *S)) {
	var zero, run S
	mid, end := int32(-1), int32(-1) // run has [mid, end)
	for k := range from {
		a, b := from[k], to[k]
		if b <= a {
			continue
		}
		if a >= mid {
			for i := b - 2; i >= a; i-- {
				x := s[i]
				merge(&x, &s[i+1])
				s[i] = x
			}
			mid, end, run = b, b, zero
		}
		for ; end < b; end++ {
			merge(&run, &s[end])
		}
		x := s[a]
		merge(&x, &run)
		result[k] = x
	}
}

func mergeCount(into, from *int64) { *into += *from }

// Scan implements Foldable.
func (c *countAccumulator) Scan(lo, hi int) error {
	for i := lo + 1; i < hi; i++ {
		c.n[i] += c.n[i-1]
	}
	return nil
}

// Slide implements Foldable.
func (c *countAccumulator) Slide(result Accumulator, at int, from, to []int32) error {
	slide(c.n, result.(*countAccumulator).n[at:], from, to, mergeCount)
	return nil
}

func mergeFloatSum(into, from *floatSumState) {
	into.sum += from.sum
	into.n += from.n
}

// Scan implements Foldable.
func (s *floatSum) Scan(lo, hi int) error {
	for i := lo + 1; i < hi; i++ {
		s.states[i].sum += s.states[i-1].sum
		s.states[i].n += s.states[i-1].n
	}
	return nil
}

// Slide implements Foldable.
func (s *floatSum) Slide(result Accumulator, at int, from, to []int32) error {
	slide(s.states, result.(*floatSum).states[at:], from, to, mergeFloatSum)
	return nil
}

func mergeMoment(a, b *moment) {
	n := a.n + b.n
	if b.n == 0 {
		return
	}
	d := b.mean - a.mean
	a.mean += d * float64(b.n) / float64(n)
	a.m2 += b.m2 + d*d*float64(a.n)*float64(b.n)/float64(n)
	a.n = n
}

// Scan implements Foldable.
func (m *moments) Scan(lo, hi int) error {
	scan(m.states, lo, hi, mergeMoment)
	return nil
}

// Slide implements Foldable.
func (m *moments) Slide(result Accumulator, at int, from, to []int32) error {
	slide(m.states, result.(*moments).states[at:], from, to, mergeMoment)
	return nil
}

func (b *bitFold) merge(into, from *bitState) {
	if from.ok {
		b.add(into, from.v)
	}
}

// Scan implements Foldable.
func (b *bitFold) Scan(lo, hi int) error {
	scan(b.states, lo, hi, b.merge)
	return nil
}

// Slide implements Foldable.
func (b *bitFold) Slide(result Accumulator, at int, from, to []int32) error {
	slide(b.states, result.(*bitFold).states[at:], from, to, b.merge)
	return nil
}

func (e *extremum[T]) merge(into, from *extremumState[T]) {
	if from.ok {
		e.offer(into, from.v)
	}
}

// Scan implements Foldable.
func (e *extremum[T]) Scan(lo, hi int) error {
	scan(e.states, lo, hi, e.merge)
	return nil
}

// Slide implements Foldable.
func (e *extremum[T]) Slide(result Accumulator, at int, from, to []int32) error {
	slide(e.states, result.(*extremum[T]).states[at:], from, to, e.merge)
	return nil
}

func (e *wideExtremum) merge(into, from *wideExtremumState) {
	if from.ok {
		e.offer(into, from.v)
	}
}

// Scan implements Foldable.
func (e *wideExtremum) Scan(lo, hi int) error {
	scan(e.states, lo, hi, e.merge)
	return nil
}

// Slide implements Foldable.
func (e *wideExtremum) Slide(result Accumulator, at int, from, to []int32) error {
	slide(e.states, result.(*wideExtremum).states[at:], from, to, e.merge)
	return nil
}

// Scan implements Foldable. As long as nothing wraps there are no carries to move.
func (s *intSum[A]) Scan(lo, hi int) error {
	for i := lo + 1; i < hi; i++ {
		a, b := s.states[i-1], &s.states[i]
		z := a.sum + b.sum
		if s.carry != nil || (z^a.sum)&(z^b.sum) < 0 {
			s.addWide(uint32(i), s.total(uint32(i-1)), a.n)
			continue
		}
		b.sum = z
		b.n += a.n
	}
	return nil
}

// Slide implements Foldable: sums are exact, so that what leaves a frame is subtracted.
func (s *intSum[A]) Slide(result Accumulator, at int, from, to []int32) error {
	out := result.(*intSum[A])
	var sum int128.Int
	var n int64
	lo, hi := int32(0), int32(0) // the rows in sum
	if len(from) > 0 {
		lo, hi = from[0], from[0]
	}
	for k := range from {
		a, b := from[k], to[k]
		for ; hi < b; hi++ {
			sum = sum.Add(int128.FromInt64(s.states[hi].sum))
			n += s.states[hi].n
		}
		for ; lo < a && lo < hi; lo++ {
			sum = sum.Sub(int128.FromInt64(s.states[lo].sum))
			n -= s.states[lo].n
		}
		if lo == hi { // nothing in it: a frame behind all that were
			lo, hi = max(lo, a), max(hi, a)
		}
		if b <= a {
			continue
		}
		if sum.IsInt64() {
			out.states[at+k] = intSumState{int64(sum.Lo), n}
			if out.carry != nil {
				delete(out.carry, uint32(at+k))
			}
			continue
		}
		out.addWide(uint32(at+k), sum, n)
	}
	return nil
}

// wideFold merges 128-bit sums and remembers whether one wrapped.
type wideFold struct{ wrapped bool }

func (w *wideFold) merge(into, from *wideSumState) {
	z, ok := into.sum.AddOK(from.sum)
	w.wrapped = w.wrapped || !ok
	into.sum = z
	into.n += from.n
}

func (w *wideFold) err(s *wideSum) error {
	if w.wrapped {
		return s.check(-1)
	}
	return nil
}

// Scan implements Foldable.
func (s *wideSum) Scan(lo, hi int) error {
	var w wideFold
	scan(s.states, lo, hi, w.merge)
	return w.err(s)
}

// Slide implements Foldable.
func (s *wideSum) Slide(result Accumulator, at int, from, to []int32) error {
	var w wideFold
	slide(s.states, result.(*wideSum).states[at:], from, to, w.merge)
	return w.err(s)
}
