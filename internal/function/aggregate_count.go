package function

import (
	"github.com/basaltdb/basalt/internal/hugepage"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// growTo extends s with zero states to n.
func growTo[S any](s []S, n int) []S {
	switch {
	case n <= len(s):
		return s
	case n <= cap(s):
		return s[:n] // nobody shortens states: what lies beyond them was never written
	}
	t := hugepage.Make[S](n, max(n, 2*cap(s)))
	copy(t, s)
	return t
}

// resolveCount is count(*) and count(x, …), which skips rows where any x is NULL.
func resolveCount(_ string, args []Arg) (*Aggregate, error) {
	params := make([]sqltype.Type, len(args))
	for i, a := range args {
		params[i] = a.Type
	}
	return &Aggregate{Params: params, Result: tBigInt, NewAccumulator: func(*Context, []*vector.Value) (Accumulator, error) {
		return &countAccumulator{}, nil
	}}, nil
}

type countAccumulator struct{ n []int64 }

func (c *countAccumulator) Grow(n int) { c.n = growTo(c.n, n) }

func (c *countAccumulator) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	nullable := nullableArgs(args)
	if nullable == nil {
		counts := c.n
		for _, g := range groups {
			counts[g]++
		}
		return nil
	}
	for k, g := range groups {
		c.n[g] += int64(1 - b2i(anyNull(nullable, row(sel, k))))
	}
	return nil
}

// UpdateOne adds n rows to one group.
func (c *countAccumulator) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	nullable := nullableArgs(args)
	switch {
	case nullable == nil:
		c.n[group] += int64(n)
	case sel == nil && len(args) == 1 && args[0].Form == vector.Flat && args[0].Valid != nil:
		c.n[group] += int64(n - args[0].Valid.CountZeros(n))
	default:
		for k := range n {
			c.n[group] += int64(1 - b2i(anyNull(nullable, row(sel, k))))
		}
	}
	return nil
}

func nullableArgs(args []*vector.Vector) (list []*vector.Vector) {
	for _, a := range args {
		if a.MayHaveNulls() {
			list = append(list, a)
		}
	}
	return list
}

func anyNull(args []*vector.Vector, i int) bool {
	for _, a := range args {
		if isNullAt(a, i) {
			return true
		}
	}
	return false
}

func (c *countAccumulator) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*countAccumulator).n[from:]
	for k, g := range groups {
		c.n[g] += o[k]
	}
	return nil
}

func (c *countAccumulator) Finish(lo int, out *vector.Vector) error {
	copy(vector.Values[int64](out), c.n[lo:lo+out.Len])
	return nil
}

func (c *countAccumulator) Bytes() int64 { return int64(cap(c.n)) * 8 }
