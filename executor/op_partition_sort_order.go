package executor

import (
	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// rowOrder finds the order of the rows of a radix partition, of which it leaves out those that nobody needs. One driver
// uses it.
type rowOrder struct {
	n       *physical.Sort
	exprs   []*rowExpr
	vals    []*vector.Vector
	encoder *sorting.Encoder
	packed  *sorting.Packed
	rows    []int32

	sorted      []vector.Vector // the keys in order, for Top
	keys        []*vector.Vector
	parts, ties boundaryFinder
	starts      [2][]int32
}

func (s *partitionSorter) newRowOrder() (*rowOrder, error) {
	o := &rowOrder{n: s.n, packed: sorting.NewPacked(s.keys)}
	var err error
	if o.encoder, err = sorting.NewEncoder(s.keys); err != nil {
		return nil, err
	}
	o.exprs, err = compileRowExprs(s.exprs, s.rt.Functions)
	return o, err
}

// of is the order of n rows, valid until the next call.
func (o *rowOrder) of(cols []*vector.Vector, n int) ([]int32, error) {
	var err error
	if o.vals, err = evalAll(o.exprs, vector.NewBatch(n, cols...), true, o.vals); err != nil {
		return nil, err
	}
	order, ok := o.packed.Sort(o.vals, n)
	if !ok {
		keys := o.encoder.NewKeys()
		o.encoder.Append(keys, o.vals, n, nil)
		order = sorting.NewRun(keys).Order
	}
	if cap(o.rows) < n {
		o.rows = make([]int32, n)
	}
	o.rows = o.rows[:n]
	for i, e := range order {
		o.rows[i] = int32(e.Row)
	}
	if o.n.Top == nil || n == 0 {
		return o.rows, nil
	}
	return o.top(), nil
}

// top keeps the rows of each partition whose number is not above the bound.
func (o *rowOrder) top() []int32 {
	t := o.n.Top
	n := len(o.rows)
	if o.sorted == nil {
		o.sorted = make([]vector.Vector, len(o.vals))
	}
	o.keys = o.keys[:0]
	for i, v := range o.vals {
		o.keys = append(o.keys, v.Gather(o.rows, &o.sorted[i]))
	}
	parts := o.parts.all(o.keys[:o.n.Partition], n, o.starts[0][:0])
	o.starts[0] = parts
	if t.Kind == function.RowNumber {
		return o.firstRows(parts, func(s, e int32) int32 { return s + int32(min(t.Rows, int64(e-s))) })
	}
	ties := o.ties.all(o.keys[:o.n.Partition+t.Peers], n, o.starts[1][:0])
	o.starts[1] = ties
	g := 0 // the first group of peers of the partition
	return o.firstRows(parts, func(s, e int32) int32 {
		for ties[g] < s {
			g++
		}
		for k := int64(1); ties[g] < e; k++ { // rank counts rows before the group, dense_rank groups
			rank := k
			if t.Kind == function.Rank {
				rank = int64(ties[g]-s) + 1
			}
			if rank > t.Rows {
				break
			}
			g++
		}
		return ties[g]
	})
}

// firstRows keeps rows [s, end(s, e)) of each partition [s, e).
func (o *rowOrder) firstRows(parts []int32, end func(s, e int32) int32) []int32 {
	out := o.rows[:0]
	for p, s := range parts[:len(parts)-1] {
		out = append(out, o.rows[s:end(s, parts[p+1])]...)
	}
	return out
}
