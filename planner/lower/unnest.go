package lower

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// unnest runs where its input's rows are. Only columns that are needed above are repeated, and only result
// columns that are needed are made.
func (l *lowerer) unnest(n *logical.Unnest, need expr.ColumnSet) (stream, error) {
	below := need.Clone()
	for _, a := range n.Args {
		expr.AddColumns(&below, a)
	}
	in, err := l.node(n.Input, below)
	if err != nil {
		return stream{}, err
	}
	u := &physical.Unnest{Input: in.node, Fn: n.Fn, Args: fields(in.cols(), n.Args), Outer: n.Outer, PassCols: positions(in.cols(), need), Ordinal: []int{}}
	cols := []expr.Column{}
	for _, i := range u.PassCols {
		cols = append(cols, in.cols()[i])
	}
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			cols, u.Ordinal = append(cols, c), append(u.Ordinal, n.Ordinal[i])
		}
	}
	u.Info = l.info(cols, l.est.Rows(n))
	return in.as(u), nil
}
