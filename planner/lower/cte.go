package lower

import (
	"slices"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// sharedPlan is a common table expression while its readers are lowered: what they need is known when all are.
type sharedPlan struct {
	cte  *physical.CTE
	need []bool // by output of the logical plan
	refs []*physical.CTERef
}

// cteRef reads outputs of a shared plan; Columns are positions in the logical plan until shared has lowered it.
func (l *lowerer) cteRef(n *logical.CTERef, need expr.ColumnSet) stream {
	s := l.ctes[n.CTE]
	if s == nil {
		s = &sharedPlan{cte: &physical.CTE{ID: n.CTE.ID, Name: n.CTE.Name}, need: make([]bool, len(n.Cols))}
		l.ctes[n.CTE] = s
	}
	ref := &physical.CTERef{Info: l.info([]expr.Column{}, l.est.Rows(n)), CTE: s.cte, Columns: []int{}}
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			s.need[i] = true
			ref.Cols, ref.Columns = append(ref.Cols, c), append(ref.Columns, i)
		}
	}
	s.refs = append(s.refs, ref)
	return foreign(ref, false, true)
}

// shared lowers the shared plans that root reads, readers before what they read, each with the columns
// that some reader needs (at least one, so that rows have a place).
func (l *lowerer) shared(root logical.Node) error {
	ctes := logical.CTEs(root)
	for _, c := range slices.Backward(ctes) {
		s := l.ctes[c]
		if s == nil {
			continue // all its readers were dropped
		}
		if len(s.need) > 0 && !slices.Contains(s.need, true) {
			s.need[0] = true
		}
		at := make([]int, len(s.need))
		var cols []expr.Column
		for i, col := range c.Plan.Columns() {
			if s.need[i] {
				at[i] = len(cols)
				cols = append(cols, col)
			}
		}
		in, err := l.ordered(c.Plan, cols)
		if err != nil {
			return err
		}
		s.cte.Plan = in.node
		for _, ref := range s.refs {
			for i, p := range ref.Columns {
				ref.Columns[i] = at[p]
			}
		}
	}
	for _, c := range ctes {
		if s := l.ctes[c]; s != nil {
			l.order = append(l.order, s.cte)
		}
	}
	return nil
}
