package executor

import (
	"math"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// Functions that give the value of another row: they find out which, then gather.

// notNull numbers the rows whose value is not NULL.
type notNull struct {
	before []int32 // by row, and one more: how many rows before it have a value
	list   []int32 // the rows that have one
}

func (x *notNull) find(v *vector.Vector, n int) {
	x.before, x.list = x.before[:0], x.list[:0]
	for i := range n {
		x.before = append(x.before, int32(len(x.list)))
		if !v.IsNull(i) {
			x.list = append(x.list, int32(i))
		}
	}
	x.before = append(x.before, int32(len(x.list)))
}

// in is the k-th row with a value, from 0, among rows [from, to); -1 when there is none.
func (x *notNull) in(from, to int32, k int64) int32 {
	if to <= from {
		return -1
	}
	at := int64(x.before[from]) + k
	if at < int64(x.before[from]) || at >= int64(x.before[to]) {
		return -1
	}
	return x.list[at]
}

// offset is the constant argument i, or what it is without.
func (c *windowCall) offset(i int, missing int64) int64 {
	if i >= len(c.consts) || c.consts[i] == nil || c.consts[i].Null {
		return missing
	}
	return c.consts[i].Int64()
}

func (c *windowCall) targets(n int) []int32 {
	if cap(c.rows) < n {
		c.rows = make([]int32, n)
	}
	return c.rows[:n]
}

// shift is lag and lead.
func (c *windowCall) shift(r *windowRows, in *vector.Batch) (*vector.Vector, error) {
	v, err := flatColumn(c.args[0], in)
	if err != nil {
		return nil, err
	}
	by := min(c.offset(1, 1), math.MaxInt32)
	rows, parts := c.targets(r.n), r.partitions()
	if c.w.IgnoreNulls && by > 0 {
		c.nulls.find(v, r.n)
	}
	for p, s := range parts[:len(parts)-1] {
		e := parts[p+1]
		switch {
		case c.w.IgnoreNulls && by > 0:
			c.shiftValues(rows, s, e, by)
		case c.w.Fn.Kind == function.Lag:
			for i := s; i < e; i++ {
				rows[i] = missingBelow(int64(i)-by, s)
			}
		default:
			for i := s; i < e; i++ {
				if rows[i] = -1; int64(i)+by < int64(e) {
					rows[i] = int32(int64(i) + by)
				}
			}
		}
	}
	out := &vector.Vector{}
	if len(c.args) < 3 {
		return v.Gather(rows, out), nil
	}
	return c.withDefault(v, rows, in)
}

func missingBelow(row int64, s int32) int32 {
	if row < int64(s) {
		return -1
	}
	return int32(row)
}

// shiftValues counts rows that have a value only.
func (c *windowCall) shiftValues(rows []int32, s, e int32, by int64) {
	for i := s; i < e; i++ {
		if c.w.Fn.Kind == function.Lag {
			rows[i] = c.nulls.in(s, i, int64(c.nulls.before[i]-c.nulls.before[s])-by)
		} else {
			rows[i] = c.nulls.in(i+1, e, by-1)
		}
	}
}

// withDefault takes the default where there is no row.
func (c *windowCall) withDefault(v *vector.Vector, rows []int32, in *vector.Batch) (*vector.Vector, error) {
	d, err := flatColumn(c.args[2], in)
	if err != nil {
		return nil, err
	}
	both := vector.New(v.Type, 0)
	appendSharing(both, v)
	appendSharing(both, d)
	for i, row := range rows {
		if row < 0 {
			rows[i] = int32(v.Len + i)
		}
	}
	return both.Gather(rows, &vector.Vector{}), nil
}

// frameValue is first_value, last_value and nth_value.
func (c *windowCall) frameValue(r *windowRows, in *vector.Batch) (*vector.Vector, error) {
	v, err := flatColumn(c.args[0], in)
	if err != nil {
		return nil, err
	}
	from, to, err := c.frame.frames(r, in)
	if err != nil {
		return nil, err
	}
	rows := c.targets(r.n)
	k := int64(0) // which value of the frame
	if c.w.Fn.Kind == function.NthValue {
		k = c.offset(1, 1) - 1
	}
	last := c.w.Fn.Kind == function.LastValue
	if c.w.IgnoreNulls {
		c.nulls.find(v, r.n)
		for i := range rows {
			at := k
			if last && from[i] < to[i] {
				at = int64(c.nulls.before[to[i]]-c.nulls.before[from[i]]) - 1
			}
			rows[i] = c.nulls.in(from[i], to[i], at)
		}
		return v.Gather(rows, &vector.Vector{}), nil
	}
	for i := range rows {
		lo, hi := int64(from[i]), int64(to[i])
		at := lo + min(k, math.MaxInt32)
		if last {
			at = hi - 1
		}
		if rows[i] = -1; lo <= at && at < hi {
			rows[i] = int32(at)
		}
	}
	return v.Gather(rows, &vector.Vector{}), nil
}
