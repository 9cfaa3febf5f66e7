package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// unnestApply replaces an Apply of a table function over outer columns (t CROSS JOIN UNNEST(t.a)) by the
// function over the outer rows themselves: no join is needed.
func unnestApply(a *logical.Apply, outer expr.ColumnSet) (logical.Node, bool) {
	switch a.Kind {
	case logical.Inner:
		if !readsInUnnest(a.RightInput, outer) {
			return nil, false
		}
		n, ok := overOuter(a.LeftInput, a.RightInput, outer)
		return under(a.On, n), ok
	case logical.Left:
		u, ok := a.RightInput.(*logical.Unnest)
		if !ok || len(a.On) > 0 || !isOneRow(u.Input) {
			return nil, false
		}
		m := *u
		m.Input, m.Outer, m.Cols = a.LeftInput, true, append([]expr.Column(nil), u.Cols...)
		for i := range m.Cols {
			m.Cols[i].Null = true
		}
		return &m, true
	}
	return nil, false
}

// readsInUnnest reports whether a table function in a chain of nodes with one input reads outer columns.
func readsInUnnest(n logical.Node, outer expr.ColumnSet) bool {
	for {
		switch m := n.(type) {
		case *logical.Filter:
			n = m.Input
		case *logical.Project:
			n = m.Input
		case *logical.Unnest:
			if anyReads(m.Args, outer) {
				return true
			}
			n = m.Input
		default:
			return false
		}
	}
}

// overOuter is the subquery n computed beside every outer row; ok is false when a node does not do that.
func overOuter(left, n logical.Node, outer expr.ColumnSet) (logical.Node, bool) {
	if isOneRow(n) {
		return left, true
	}
	if correlation(n, outer).Empty() {
		return &logical.Join{Kind: logical.Inner, LeftInput: left, RightInput: n}, true
	}
	switch n := n.(type) {
	case *logical.Filter:
		in, ok := overOuter(left, n.Input, outer)
		return under(n.Conds, in), ok
	case *logical.Project:
		in, ok := overOuter(left, n.Input, outer)
		cols := left.Columns()
		return &logical.Project{Input: in, Exprs: append(expr.Refs(cols), n.Exprs...), Cols: append(cols[:len(cols):len(cols)], n.Cols...)}, ok
	case *logical.Unnest:
		in, ok := overOuter(left, n.Input, outer)
		m := *n
		m.Input = in
		return &m, ok
	}
	return n, false
}

// isOneRow reports one row without columns, which stands for no FROM.
func isOneRow(n logical.Node) bool {
	v, ok := n.(*logical.Values)
	return ok && len(v.Rows) == 1 && len(v.Cols) == 0
}
