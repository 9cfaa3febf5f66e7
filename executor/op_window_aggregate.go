package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// An aggregate with OVER runs on the accumulators that GROUP BY has:
//
//   - over whole partitions, a state a partition, its result for every row of it;
//   - over frames that begin with the partition, a state a row (or a group of peers), summed up from row to row;
//   - over frames whose ends both move, a state a row, and function.Foldable.Slide puts the states of each frame together;
//   - those whose states cannot be put together so (group_concat, …) take in the rows of each frame anew, but those
//     that the frame before ended with.
func (c *windowCall) aggregate(r *windowRows, in *vector.Batch) (*vector.Vector, error) {
	var err error
	if c.vals, err = evalAll(c.args, in, true, c.vals); err != nil {
		return nil, err
	}
	if err := c.counted(r, in); err != nil {
		return nil, err
	}
	acc, err := c.w.Fn.Aggregate.NewAccumulator(c.rt.Functions, c.consts)
	if err != nil {
		return nil, err
	}
	f := &c.w.Frame
	if f.IsWhole() {
		return c.perGroup(acc, r.partitions(), nil)
	}
	fold, ok := acc.(function.Foldable)
	switch {
	case ok && f.Start.Kind == expr.UnboundedPreceding && f.End.Kind == expr.CurrentRow && !f.Rows:
		return c.running(fold, r, r.peers(c.w.Peers))
	case ok && f.Start.Kind == expr.UnboundedPreceding && f.End.Kind == expr.CurrentRow:
		return c.running(fold, r, nil)
	}
	from, to, err := c.frame.frames(r, in)
	if err != nil {
		return nil, err
	}
	if ok {
		return c.sliding(fold, r, from, to)
	}
	return c.anew(acc, r, from, to)
}

// counted finds the rows that take part, nil: all.
func (c *windowCall) counted(r *windowRows, in *vector.Batch) error {
	c.live = c.live[:0]
	if c.filter == nil && c.distinct == nil {
		return nil
	}
	var keep *vector.Vector
	if c.filter != nil {
		var err error
		if keep, err = flatColumn(c.filter, in); err != nil {
			return err
		}
	}
	for i := range r.n {
		if keep == nil || !keep.IsNull(i) && keep.Bool(i) {
			c.live = append(c.live, int32(i))
		}
	}
	if c.distinct != nil {
		return c.distinct.firsts(c, r)
	}
	return nil
}

// counts are the rows that take part (nil: all), and how many.
func (c *windowCall) counts(n int) (sel []int32, count int) {
	if c.filter == nil && c.distinct == nil {
		return nil, n
	}
	if c.live == nil {
		c.live = []int32{}
	}
	return c.live, len(c.live)
}

// take adds the rows that take part to states: row i to group[i], or, without, to i.
func (c *windowCall) take(acc function.Accumulator, group []uint32, n int) error {
	sel, count := c.counts(n)
	if cap(c.groups) < count {
		c.groups = make([]uint32, count)
	}
	groups := c.groups[:count]
	switch {
	case sel == nil && group != nil:
		groups = group
	case group != nil:
		for k, i := range sel {
			groups[k] = group[i]
		}
	case sel == nil:
		for i := range groups {
			groups[i] = uint32(i)
		}
	default:
		for k, i := range sel {
			groups[k] = uint32(i)
		}
	}
	return acc.Update(groups, c.vals, sel)
}

// numbers is the number of its group for every row.
func (c *windowCall) numbers(starts []int32) []uint32 {
	n := int(starts[len(starts)-1])
	if cap(c.number) < n {
		c.number = make([]uint32, n)
	}
	out := c.number[:n]
	for g, s := range starts[:len(starts)-1] {
		for i := s; i < starts[g+1]; i++ {
			out[i] = uint32(g)
		}
	}
	return out
}

// perGroup is one result a group, for all rows of it. after may change the states before they are finished.
func (c *windowCall) perGroup(acc function.Accumulator, starts []int32, after func() error) (*vector.Vector, error) {
	groups := len(starts) - 1
	number := c.numbers(starts)
	acc.Grow(groups)
	if err := c.take(acc, number, len(number)); err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(); err != nil {
			return nil, err
		}
	}
	few := vector.New(c.w.Type(), groups)
	if err := acc.Finish(0, few); err != nil {
		return nil, err
	}
	rows := c.targets(len(number))
	for i, g := range number {
		rows[i] = int32(g)
	}
	return few.Gather(rows, &vector.Vector{}), nil
}

// running sums up from the beginning of each partition, row by row or, given peers, by groups of them.
func (c *windowCall) running(acc function.Foldable, r *windowRows, peers []int32) (*vector.Vector, error) {
	parts := r.partitions()
	if peers != nil {
		return c.perGroup(acc, peers, func() error {
			g := 0
			for _, e := range parts[1:] {
				first := g
				for peers[g] < e {
					g++
				}
				if err := acc.Scan(first, g); err != nil {
					return err
				}
			}
			return nil
		})
	}
	acc.Grow(r.n)
	if err := c.take(acc, nil, r.n); err != nil {
		return nil, err
	}
	for p, s := range parts[:len(parts)-1] {
		if err := acc.Scan(int(s), int(parts[p+1])); err != nil {
			return nil, err
		}
	}
	out := vector.New(c.w.Type(), r.n)
	return out, acc.Finish(0, out)
}

// sliding puts the states of the rows of each frame together.
func (c *windowCall) sliding(acc function.Foldable, r *windowRows, from, to []int32) (*vector.Vector, error) {
	acc.Grow(r.n)
	if err := c.take(acc, nil, r.n); err != nil {
		return nil, err
	}
	result, err := c.w.Fn.Aggregate.NewAccumulator(c.rt.Functions, c.consts)
	if err != nil {
		return nil, err
	}
	result.Grow(r.n)
	parts := r.partitions()
	for p, s := range parts[:len(parts)-1] {
		if err := acc.Slide(result, int(s), from[s:parts[p+1]], to[s:parts[p+1]]); err != nil {
			return nil, err
		}
	}
	out := vector.New(c.w.Type(), r.n)
	return out, result.Finish(0, out)
}

// anew takes in the rows of each frame, or, where a frame begins as the one before it, only those that it has more.
func (c *windowCall) anew(acc function.Accumulator, r *windowRows, from, to []int32) (*vector.Vector, error) {
	const most = 256 // states until a new accumulator
	sel, _ := c.counts(r.n)
	out := vector.New(c.w.Type(), 0)
	one := vector.New(c.w.Type(), 1)
	next := 0 // the position in sel, or the row, that the current state has not taken in
	state := uint32(0)
	for i := range r.n {
		if i == 0 || from[i] != from[i-1] || to[i] < to[i-1] || to[i] <= from[i] {
			if state++; state == most {
				var err error
				if acc, err = c.w.Fn.Aggregate.NewAccumulator(c.rt.Functions, c.consts); err != nil {
					return nil, err
				}
				state = 1
			}
			acc.Grow(int(state) + 1)
			next = positionIn(sel, from[i])
		}
		if end := positionIn(sel, to[i]); next < end {
			if err := c.takeRange(acc, state, sel, next, end); err != nil {
				return nil, err
			}
			next = end
		}
		one.Reset(1)
		clear(one.Data)
		if err := acc.Finish(int(state), one); err != nil {
			return nil, err
		}
		out.AppendFrom(one, nil)
	}
	return out, nil
}

// positionIn is how many rows that take part come before row.
func positionIn(sel []int32, row int32) int {
	if sel == nil {
		return int(row)
	}
	lo, hi := 0, len(sel)
	for lo < hi {
		if mid := (lo + hi) / 2; sel[mid] < row {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (c *windowCall) takeRange(acc function.Accumulator, state uint32, sel []int32, lo, hi int) error {
	c.groups = c.groups[:0]
	rows := c.rows[:0]
	for k := lo; k < hi; k++ {
		row := int32(k)
		if sel != nil {
			row = sel[k]
		}
		rows, c.groups = append(rows, row), append(c.groups, state)
	}
	c.rows = rows
	return acc.Update(c.groups, c.vals, rows)
}

// numberType is the type of partition numbers.
var numberType = []sqltype.Type{sqltype.T(sqltype.Int)}

// distinctRows finds the first row of each value in each partition.
type distinctRows struct {
	layout *hashtable.Layout
	keys   *hashtable.Keys
	groups []uint32
}

func newDistinctRows(args []expr.Expr) (*distinctRows, error) {
	// The partition's number goes before the arguments.
	types, nullable := typesOf(args), make([]bool, len(args)+1)
	for i := range args {
		nullable[i+1] = true
	}
	l, err := hashtable.NewLayout(append(types[:0:0], append(numberType, types...)...), nullable)
	return &distinctRows{layout: l}, err
}

// firsts keeps, of the rows in c.live, the first of those with equal arguments in a partition.
func (d *distinctRows) firsts(c *windowCall, r *windowRows) error {
	number := c.numbers(r.partitions())
	ids := vector.New(numberType[0], r.n)
	vals := vector.Values[int32](ids)
	for i, g := range number {
		vals[i] = int32(g)
	}
	t := hashtable.NewGroupTable(d.layout, new(hashtable.Arena).NewWriter(), len(c.live))
	if d.keys == nil {
		d.keys = hashtable.NewKeys(d.layout)
	}
	d.keys.Encode(append([]*vector.Vector{ids}, c.vals...), r.n, c.live)
	if cap(d.groups) < len(c.live) {
		d.groups = make([]uint32, len(c.live))
	}
	groups := d.groups[:len(c.live)]
	t.FindOrAdd(d.keys, groups)
	out, seen := c.live[:0], uint32(0)
	for i, g := range groups {
		if g == seen {
			out = append(out, c.live[i])
			seen++
		}
	}
	c.live = out
	return nil
}
