package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// filter narrows the selection of its input; columns pass as they are.
type filter struct {
	pred *eval.Predicate
	out  vector.Batch
}

func newFilter(n *physical.Filter) newTransform {
	return func(d *Driver) (Transform, error) {
		p, err := eval.CompilePredicate(n.Conds, d.Runtime.Functions)
		return &filter{pred: p}, err
	}
}

// Apply implements Transform.
func (f *filter) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	sel, err := f.pred.Select(in.Cols, in.Len, in.Sel)
	if err != nil || len(sel) == 0 {
		return nil, NeedInput, err
	}
	f.out = vector.Batch{Cols: in.Cols, Len: in.Len, Sel: sel}
	if len(sel) == in.Len {
		f.out.Sel = nil
	}
	return &f.out, NeedInput, nil
}
