package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// project computes its output columns; the selection passes as it is.
type project struct {
	set *eval.Set
	out vector.Batch
}

func newProject(n *physical.Project) newTransform {
	return func(d *Driver) (Transform, error) {
		set, err := eval.CompileAll(n.Exprs, d.Runtime.Functions)
		return &project{set: set}, err
	}
}

// Apply implements Transform.
func (p *project) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	cols, err := p.set.Eval(in.Cols, in.Len, in.Sel)
	if err != nil {
		return nil, NeedInput, err
	}
	p.out = vector.Batch{Cols: cols, Len: in.Len, Sel: in.Sel}
	return &p.out, NeedInput, nil
}
