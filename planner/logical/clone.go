package logical

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
)

// Clone copies a plan with fresh ids for every column that it makes, so that both can stand
// in one plan. renamed maps old columns to new ones and gives columns that the plan
// reads from outside back. Shared CTEs stay shared.
func Clone(n Node, ids *expr.IDs) (clone Node, renamed func(expr.Column) expr.Column) {
	c := &cloner{ids: ids, fresh: map[expr.ColumnID]expr.ColumnID{}}
	return c.clone(n), c.column
}

type cloner struct {
	ids   *expr.IDs
	fresh map[expr.ColumnID]expr.ColumnID
}

func (c *cloner) column(col expr.Column) expr.Column {
	if id, ok := c.fresh[col.ID]; ok {
		col.ID = id
	}
	return col
}

// make gives new ids to columns that a node makes. Those that it passes through were met below.
func (c *cloner) make(cols []expr.Column) []expr.Column {
	out := make([]expr.Column, len(cols))
	for i, col := range cols {
		if _, ok := c.fresh[col.ID]; !ok {
			c.fresh[col.ID] = c.ids.New()
		}
		out[i] = c.column(col)
	}
	return out
}

func (c *cloner) expr(e expr.Expr) expr.Expr {
	return expr.Substitute(e, func(col *expr.Column) (expr.Expr, bool) {
		if _, ok := c.fresh[col.ID]; !ok {
			return nil, false
		}
		return expr.Ref(c.column(*col)), true
	})
}

func (c *cloner) clone(n Node) Node {
	n = RewriteChildren(n, c.clone)
	if s, ok := n.(*Scan); ok { // its filter reads its own columns
		m := *s
		m.Cols = c.make(s.Cols)
		return MapExprs(&m, c.expr)
	}
	n = MapExprs(n, c.expr)
	switch n := n.(type) {
	case *Project:
		return &Project{Input: n.Input, Exprs: n.Exprs, Cols: c.make(n.Cols)}
	case *Aggregate:
		m := *n
		m.Cols = c.make(n.Cols)
		if n.GroupingID != nil {
			id := c.column(*n.GroupingID)
			m.GroupingID = &id
		}
		return &m
	case *Unnest:
		m := *n
		m.Cols = c.make(n.Cols)
		return &m
	case *Window:
		m := *n
		m.Cols = c.make(n.Cols)
		if n.Top != nil {
			m.Top = &TopRows{Call: c.fresh[n.Top.Call], Rows: n.Top.Rows}
		}
		return &m
	case *SetOp:
		return &SetOp{Kind: n.Kind, All: n.All, Inputs: n.Inputs, Cols: c.make(n.Cols)}
	case *Values:
		return &Values{Rows: n.Rows, Cols: c.make(n.Cols)}
	case *CTERef:
		return &CTERef{CTE: n.CTE, Cols: c.make(n.Cols)}
	case *Join:
		if n.MarkColumn != nil {
			m := *n
			m.MarkColumn = &c.make([]expr.Column{*n.MarkColumn})[0]
			return &m
		}
	case *Apply:
		if n.MarkColumn != nil {
			m := *n
			m.MarkColumn = &c.make([]expr.Column{*n.MarkColumn})[0]
			return &m
		}
	case *Write:
		panic(invariant.Failed("clone of a write"))
	}
	return n
}
