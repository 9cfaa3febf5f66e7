package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// unnest repeats each input row for the rows that a table function makes of it. Its batches have
// Runtime.BatchRows rows at most: what an input row gives is cut where one is full.
type unnest struct {
	n    *physical.Unnest
	set  *eval.Set
	gen  function.Generator
	most int              // rows of a batch
	args []*vector.Vector // of the input batch; nil: it is not begun

	live  int   // the current live row
	count int64 // rows that it gives; -1: not asked yet
	at    int64 // rows of it that are out

	rows  []int32          // the input row of each output row
	pass  []gatherMemory   // of PassCols
	made  []*vector.Vector // result columns by number, nil where not wanted
	cols  []*vector.Vector // of the output batch
	batch vector.Batch
}

func newUnnest(n *physical.Unnest) newTransform {
	return func(d *Driver) (Transform, error) {
		set, err := eval.CompileAll(n.Args, d.Runtime.Functions)
		most := d.Runtime.BatchRows
		if most <= 0 {
			most = vector.BatchRows
		}
		u := &unnest{
			n: n, set: set, most: most, gen: n.Fn.New(), pass: make([]gatherMemory, len(n.PassCols)), made: make([]*vector.Vector, len(n.Fn.Result)),
			cols: make([]*vector.Vector, len(n.PassCols)+len(n.Ordinal)), rows: make([]int32, 0, most),
		}
		for i, k := range n.Ordinal {
			if u.made[k] == nil {
				u.made[k] = vector.New(n.Fn.Result[k], 0)
			}
			u.cols[len(n.PassCols)+i] = u.made[k]
		}
		return u, err
	}
}

// Apply implements Transform.
func (u *unnest) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	if u.args == nil {
		var err error
		if u.args, err = u.set.Eval(in.Cols, in.Len, in.Sel); err != nil {
			return nil, NeedInput, err
		}
		u.live, u.count = 0, -1
	}
	u.rows = u.rows[:0]
	for _, v := range u.made {
		if v != nil {
			v.Reset(0)
		}
	}
	n := in.NumRows()
	for u.live < n && len(u.rows) < u.most {
		if err := u.row(in.Row(u.live)); err != nil {
			return nil, NeedInput, err
		}
	}
	flow := HasMore
	if u.live == n {
		flow, u.args = NeedInput, nil
	}
	if len(u.rows) == 0 {
		return nil, flow, nil
	}
	for i, c := range u.n.PassCols {
		u.cols[i] = u.pass[i].gatherRows(in.Cols[c], u.rows)
	}
	u.batch = vector.Batch{Cols: u.cols, Len: len(u.rows)}
	return &u.batch, flow, nil
}

// row adds what fits of the rows of row i, the current one.
func (u *unnest) row(i int) error {
	if u.count < 0 {
		var err error
		if u.count, err = u.gen.Count(u.args, i); err != nil {
			return err
		}
		u.at = 0
		if u.count == 0 && u.n.Outer {
			u.rows = append(u.rows, int32(i))
			for _, v := range u.made {
				if v != nil {
					v.Grow(v.Len + 1)
					v.SetNull(v.Len - 1)
				}
			}
		}
	}
	if take := min(u.count-u.at, int64(u.most-len(u.rows))); take > 0 {
		if err := u.gen.Append(u.args, i, u.at, u.at+take, u.made); err != nil {
			return err
		}
		for range take {
			u.rows = append(u.rows, int32(i))
		}
		u.at += take
	}
	if u.at == u.count {
		u.live, u.count = u.live+1, -1
	}
	return nil
}
