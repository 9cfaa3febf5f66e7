package function

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveMinMax keeps the argument's type.
func resolveMinMax(name string, args []Arg) (*Aggregate, error) {
	if len(args) == 1 && args[0].Type.IsOpaque() {
		return nil, opaqueError()
	}
	if len(args) != 1 || args[0].Type.IsNested() {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	largest := name == "max"
	return &Aggregate{
		Params: []sqltype.Type{t}, Result: t, NullOnEmpty: true, IgnoresDistinct: true,
		NewAccumulator: accumulator(func() Accumulator { return newMinMax(t, largest) }),
	}, nil
}

func newMinMax(t sqltype.Type, largest bool) Accumulator {
	switch t.Physical() {
	case sqltype.PhysBool:
		return &extremum[uint8]{largest: largest}
	case sqltype.PhysInt8:
		return &extremum[int8]{largest: largest}
	case sqltype.PhysInt16:
		return &extremum[int16]{largest: largest}
	case sqltype.PhysInt32:
		return &extremum[int32]{largest: largest}
	case sqltype.PhysInt64:
		return &extremum[int64]{largest: largest}
	case sqltype.PhysFloat32:
		return &extremum[float32]{largest: largest}
	case sqltype.PhysFloat64:
		return &extremum[float64]{largest: largest}
	case sqltype.PhysInt128:
		return &wideExtremum{largest: largest}
	}
	return &textExtremum{largest: largest, vals: vector.New(t, 0)}
}

// extremum is min and max of machine values. NaN is the largest float.
type extremum[T ordered] struct {
	states  []extremumState[T]
	largest bool
}

type extremumState[T ordered] struct {
	v  T
	ok bool
}

func (e *extremum[T]) Grow(n int) { e.states = growTo(e.states, n) }

func (e *extremum[T]) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[T](v)
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		vals, states := x.vals[:len(groups)], e.states
		if e.largest {
			for k, g := range groups {
				if st := &states[g]; !st.ok || less(st.v, vals[k]) {
					st.v, st.ok = vals[k], true
				}
			}
			return nil
		}
		for k, g := range groups {
			if st := &states[g]; !st.ok || less(vals[k], st.v) {
				st.v, st.ok = vals[k], true
			}
		}
		return nil
	}
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(&e.states[g], x.at(i))
		}
	}
	return nil
}

func (e *extremum[T]) offer(st *extremumState[T], y T) {
	if !st.ok || e.largest && less(st.v, y) || !e.largest && less(y, st.v) {
		st.v, st.ok = y, true
	}
}

func (e *extremum[T]) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v := args[0]
	if n == 0 || constantNull(v) {
		return nil
	}
	x := columnOf[T](v)
	st := &e.states[group]
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		best := x.vals[0]
		if e.largest {
			for _, y := range x.vals[:n] {
				if less(best, y) {
					best = y
				}
			}
		} else {
			for _, y := range x.vals[:n] {
				if less(y, best) {
					best = y
				}
			}
		}
		e.offer(st, best)
		return nil
	}
	for k := range n {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(st, x.at(i))
		}
	}
	return nil
}

func (e *extremum[T]) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*extremum[T]).states[from:]
	for k, g := range groups {
		if o[k].ok {
			e.offer(&e.states[g], o[k].v)
		}
	}
	return nil
}

func (e *extremum[T]) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[T](out)
	for i := range dst {
		st := &e.states[lo+i]
		dst[i] = st.v
		if !st.ok {
			out.SetNull(i)
		}
	}
	return nil
}

func (e *extremum[T]) Bytes() int64 { return int64(cap(e.states)) * 16 }

// wideExtremum is min and max of 128-bit values.
type wideExtremum struct {
	states  []wideExtremumState
	largest bool
}

type wideExtremumState struct {
	v  int128.Int
	ok bool
}

func (e *wideExtremum) Grow(n int) { e.states = growTo(e.states, n) }

func (e *wideExtremum) offer(st *wideExtremumState, y int128.Int) {
	if !st.ok || e.largest && st.v.Less(y) || !e.largest && y.Less(st.v) {
		st.v, st.ok = y, true
	}
}

func (e *wideExtremum) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[int128.Int](v)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(&e.states[g], x.at(i))
		}
	}
	return nil
}

func (e *wideExtremum) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v := args[0]
	x := columnOf[int128.Int](v)
	st := &e.states[group]
	for k := range n {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(st, x.at(i))
		}
	}
	return nil
}

func (e *wideExtremum) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*wideExtremum).states[from:]
	for k, g := range groups {
		if o[k].ok {
			e.offer(&e.states[g], o[k].v)
		}
	}
	return nil
}

func (e *wideExtremum) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[int128.Int](out)
	for i := range dst {
		st := &e.states[lo+i]
		dst[i] = st.v
		if !st.ok {
			out.SetNull(i)
		}
	}
	return nil
}

func (e *wideExtremum) Bytes() int64 { return int64(cap(e.states)) * 32 }

// textExtremum is min and max of strings. It owns the bytes: they are appended to the
// buffers of vals, which are rebuilt when more than half of them is no longer in use.
type textExtremum struct {
	vals    *vector.Vector
	ok      []bool
	largest bool
	held    int64 // bytes in vals' buffers
	live    int64 // of them in use
}

func (e *textExtremum) Grow(n int) {
	e.ok = growTo(e.ok, n)
	if n > e.vals.Len {
		e.vals.Grow(n)
	}
}

func (e *textExtremum) offer(g uint32, v *vector.View, bufs [][]byte) {
	views := vector.Values[vector.View](e.vals)
	if e.ok[g] {
		c := compareText(v, bufs, &views[g], e.vals.Bufs)
		if e.largest && c <= 0 || !e.largest && c >= 0 {
			return
		}
		e.live -= outOfLine(views[g].Len())
	}
	y := v.Bytes(bufs)
	e.ok[g] = true
	views[g] = e.vals.AddBytes(y)
	e.live += outOfLine(len(y))
	e.held += outOfLine(len(y))
	if e.held > 2*e.live+1<<16 {
		e.vals = vector.CopyOf(e.vals, nil)
		e.held = e.live
	}
}

// outOfLine is what a string of n bytes takes in buffers.
func outOfLine(n int) int64 {
	if n <= vector.MaxInline {
		return 0
	}
	return int64(n)
}

func (e *textExtremum) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := textOf(v)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(g, &x.views[i&x.mask], x.bufs)
		}
	}
	return nil
}

func (e *textExtremum) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v := args[0]
	x := textOf(v)
	if v.Form == vector.Flat && v.Valid == nil && sel == nil {
		for k := 0; k < n; k++ {
			if e.ok[group] {
				if k += e.beaten(group, x.views[k:n]); k == n {
					break
				}
			}
			e.offer(group, &x.views[k], x.bufs)
		}
		return nil
	}
	for k := range n {
		if i := row(sel, k); !isNullAt(v, i) {
			e.offer(group, &x.views[i&x.mask], x.bufs)
		}
	}
	return nil
}

// beaten is how many of the first views are no better than what the group has, as far as four bytes, or all of a short string, tell.
func (e *textExtremum) beaten(group uint32, views []vector.View) int {
	best := &vector.Values[vector.View](e.vals)[group]
	b0, b1 := best.Words()
	flip, long := uint32(0), uint64(1)
	if !e.largest {
		flip = ^flip
	}
	if best.IsInline() {
		long = 0
	}
	first := uint64(prefixOf(best) ^ flip)
	for i := range views {
		w0, w1 := views[i].Words()
		worse := (uint64(bits.ReverseBytes32(uint32(w0>>32))^flip) - first) >> 63
		other := (w0 ^ b0) | (w1 ^ b1) | long
		if worse|^(other|-other)>>63 == 0 { // one branch, which hardly ever goes this way
			return i
		}
	}
	return len(views)
}

func (e *textExtremum) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*textExtremum)
	x := textOf(o.vals)
	for k, g := range groups {
		if o.ok[from+k] {
			e.offer(g, &x.views[from+k], x.bufs)
		}
	}
	return nil
}

func (e *textExtremum) Finish(lo int, out *vector.Vector) error {
	x := textOf(e.vals)
	for i := range out.Len {
		if !e.ok[lo+i] {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, x.at(lo+i))
	}
	return nil
}

func (e *textExtremum) Bytes() int64 {
	n := int64(len(e.vals.Data) + cap(e.ok))
	for _, b := range e.vals.Bufs {
		n += int64(cap(b))
	}
	return n
}
