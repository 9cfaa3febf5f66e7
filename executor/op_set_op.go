package executor

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// buildSetOp makes INTERSECT and EXCEPT an aggregation: both inputs are grouped by all
// columns together, each group counts the rows of either side, and a last step yields
// every group as often as the counts say.
func (b *builder) buildSetOp(n *physical.SetOp, down stage) error {
	g := &physical.Aggregate{Info: n.Info, Input: n.Left, MaxGroups: -1}
	for i, c := range n.Left.Base().Cols {
		g.Groups = append(g.Groups, &expr.Field{Index: expr.FieldIndex(i), Name: c.Name, T: c.T, Null: true})
	}
	big := sqltype.T(sqltype.BigInt)
	count := &function.Aggregate{Name: "count", Params: []sqltype.Type{big}, Result: big,
		NewAccumulator: func(*function.Context, []*vector.Value) (function.Accumulator, error) { return &sideCounts{}, nil }}
	for i := range 2 {
		at := expr.FieldIndex(len(g.Groups) + i)
		g.Aggs = append(g.Aggs, &expr.Aggregate{Fn: count, Args: []expr.Expr{&expr.Field{Index: at, T: big}}})
	}
	a, err := newHashAggregate(g, b.rt, nil)
	if err != nil {
		return err
	}
	a.memory = newSpillClaim(b.rt, fmt.Sprintf("set operation #%d", n.ID), b.profile(n))
	unread := &NodeProfile{}
	filters := newSetOpFilters(b, n)
	for side, in := range []physical.Node{n.Left, n.Right} {
		tag := func(*Driver) (Transform, error) { return &sideTag{side: side}, nil }
		to := stage{sink: a}.then(unread, tag)
		if side == 0 && filters != nil {
			to = to.then(unread, filters.watch)
		}
		if err := b.build(in, to); err != nil {
			return err
		}
	}
	expand := func(*Driver) (Transform, error) { return &setExpand{n: n, rows: batchRowsOf(b.rt)}, nil }
	b.pipelines = append(b.pipelines, &pipeline{source: aggSource{a}, node: unread, stage: down.then(b.profile(n), expand)})
	return nil
}

// sideTag appends two constant columns: 1 in that of its side, 0 in the other.
type sideTag struct {
	side int
	one  [2]*vector.Vector
	out  vector.Batch
}

// Apply implements Transform.
func (t *sideTag) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	t.out = vector.Batch{Len: in.Len, Sel: in.Sel, Cols: append(t.out.Cols[:0], in.Cols...)}
	for i := range t.one {
		if t.one[i] == nil {
			x := int64(0)
			if i == t.side {
				x = 1
			}
			t.one[i] = vector.NewConstant(vector.IntValue(sqltype.T(sqltype.BigInt), x), 0)
		}
		t.one[i].Len = in.Len
		t.out.Cols = append(t.out.Cols, t.one[i])
	}
	return &t.out, NeedInput, nil
}

// sideCounts adds up the tags of one side.
type sideCounts struct{ n []int64 }

// Grow implements function.Accumulator.
func (s *sideCounts) Grow(n int) {
	if d := n - len(s.n); d > 0 {
		s.n = append(s.n, make([]int64, d)...)
	}
}

// Update implements function.Accumulator.
func (s *sideCounts) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	vals := vector.Values[int64](args[0])
	if args[0].Form == vector.Constant {
		for _, g := range groups {
			s.n[g] += vals[0]
		}
		return nil
	}
	for k, g := range groups {
		r := k
		if sel != nil {
			r = int(sel[k])
		}
		s.n[g] += vals[r]
	}
	return nil
}

// Merge implements function.Accumulator.
func (s *sideCounts) Merge(groups []uint32, other function.Accumulator, from int) error {
	o := other.(*sideCounts)
	for k, g := range groups {
		s.n[g] += o.n[from+k]
	}
	return nil
}

// MergeRows implements function.ScatteredMerge.
func (s *sideCounts) MergeRows(groups []uint32, other function.Accumulator, rows []uint32) error {
	o := other.(*sideCounts)
	for k, g := range groups {
		s.n[g] += o.n[rows[k]]
	}
	return nil
}

// Finish implements function.Accumulator.
func (s *sideCounts) Finish(lo int, out *vector.Vector) error {
	copy(vector.Values[int64](out), s.n[lo:])
	return nil
}

// Save implements function.Spillable.
func (s *sideCounts) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(s.n[g]))
	}
	return dst
}

// Load implements function.Spillable.
func (s *sideCounts) Load(src []byte, n int) error {
	if len(src) < 8*n {
		return errSpilledRows
	}
	s.n = make([]int64, n)
	for i := range s.n {
		s.n[i] = int64(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return nil
}

// Bytes implements function.Accumulator.
func (s *sideCounts) Bytes() int64 { return int64(8 * cap(s.n)) }

// setExpand turns groups with their counts into rows.
type setExpand struct {
	n    *physical.SetOp
	rows int // of an output batch

	active bool
	at     int   // live row of the input batch
	left   int64 // of its copies
	sel    []int32
	cols   []*vector.Vector
	out    vector.Batch
}

// copies says how often a group with l rows on the left and r on the right comes out.
func (s *setExpand) copies(l, r int64) int64 {
	n := min(l, r)
	if s.n.Except {
		if n = l - r; !s.n.All && r > 0 {
			n = 0
		}
	}
	if !s.n.All {
		n = min(n, 1)
	}
	return max(n, 0)
}

// Apply implements Transform.
func (s *setExpand) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	width := len(in.Cols) - 2
	l, r := vector.Values[int64](in.Cols[width]), vector.Values[int64](in.Cols[width+1])
	if !s.active {
		s.active, s.at, s.left = true, 0, -1
	}
	s.sel = s.sel[:0]
	repeats := false
	for s.at < in.NumRows() && len(s.sel) < s.rows {
		row := in.Row(s.at)
		if s.left < 0 {
			s.left = s.copies(l[row], r[row])
		}
		k := min(s.left, int64(s.rows-len(s.sel)))
		for range k {
			s.sel = append(s.sel, int32(row))
		}
		repeats = repeats || k > 1
		if s.left -= k; s.left == 0 {
			s.at, s.left = s.at+1, -1
		}
	}
	flow := HasMore
	if s.at == in.NumRows() {
		s.active, flow = false, NeedInput
	}
	if len(s.sel) == 0 {
		return nil, flow, nil
	}
	s.out = vector.Batch{Len: in.Len, Sel: s.sel, Cols: in.Cols[:width:width]}
	if repeats { // a selection names no row twice
		for len(s.cols) < width {
			s.cols = append(s.cols, &vector.Vector{})
		}
		s.out = vector.Batch{Len: len(s.sel), Cols: s.cols}
		for i := range s.cols {
			s.cols[i] = in.Cols[i].Gather(s.sel, s.cols[i])
		}
	}
	return &s.out, flow, nil
}
