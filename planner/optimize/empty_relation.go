package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// emptyRelation replaces what can give no row (WHERE FALSE, LIMIT 0, joins with nothing) by no rows, upwards as far as it goes.
func emptyRelation(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, withoutRows), nil
}

func empty(n logical.Node) logical.Node { return &logical.Values{Cols: n.Columns()} }

func isEmpty(n logical.Node) bool {
	v, ok := n.(*logical.Values)
	return ok && len(v.Rows) == 0
}

func anyFalse(conds []expr.Expr) bool {
	for _, c := range conds {
		if isFalse(c) {
			return true
		}
	}
	return false
}

func withoutRows(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		if anyFalse(n.Filter) || n.Limit == 0 {
			return empty(n)
		}
	case *logical.Filter:
		if anyFalse(n.Conds) || isEmpty(n.Input) {
			return empty(n)
		}
	case *logical.Project, *logical.Distinct, *logical.Unnest, *logical.Window:
		if isEmpty(n.Children()[0]) {
			return empty(n)
		}
	case *logical.Sort:
		if isEmpty(n.Input) || n.Limit == 0 {
			return empty(n)
		}
	case *logical.Limit:
		if isEmpty(n.Input) || n.Count == 0 {
			return empty(n)
		}
	case *logical.Aggregate:
		if isEmpty(n.Input) && len(n.Groups) > 0 && everySetHasAny(n.Sets) {
			return empty(n)
		}
	case *logical.Join:
		return joinWithoutRows(n)
	case *logical.SetOp:
		return setOpWithoutRows(n)
	}
	return n
}

// everySetHasAny: the empty grouping set gives a row even for no input.
func everySetHasAny(sets [][]int) bool {
	for _, s := range sets {
		if len(s) == 0 {
			return false
		}
	}
	return true
}

func joinWithoutRows(n *logical.Join) logical.Node {
	left, right := isEmpty(n.LeftInput), isEmpty(n.RightInput)
	never := n.Kind != logical.Mark && n.Kind != logical.NullAwareAnti && anyFalse(n.On)
	switch n.Kind {
	case logical.Inner, logical.Semi:
		if left || right || never {
			return empty(n)
		}
	case logical.Anti, logical.NullAwareAnti:
		if left {
			return empty(n)
		}
		if right || never {
			return n.LeftInput
		}
	case logical.Left, logical.Single:
		if left {
			return empty(n)
		}
		if right || never {
			return padded(n, n.LeftInput)
		}
	case logical.Right:
		if right {
			return empty(n)
		}
		if left || never {
			return padded(n, n.RightInput)
		}
	case logical.Full:
		switch {
		case left && right:
			return empty(n)
		case left:
			return padded(n, n.RightInput)
		case right:
			return padded(n, n.LeftInput)
		}
	case logical.Mark:
		if left {
			return empty(n)
		}
		if right {
			p := &logical.Project{Input: n.LeftInput, Exprs: expr.Refs(n.LeftInput.Columns()), Cols: n.Columns()}
			p.Exprs = append(p.Exprs, expr.Bool(false))
			return p
		}
	}
	return n
}

// padded is one input of an outer join with NULLs for the columns of the other.
func padded(n *logical.Join, kept logical.Node) logical.Node {
	have := logical.Outputs(kept)
	p := &logical.Project{Input: kept, Cols: n.Columns()}
	for _, c := range p.Cols {
		if have.Has(c.ID) {
			p.Exprs = append(p.Exprs, expr.Ref(c))
		} else {
			p.Exprs = append(p.Exprs, expr.Null(c.T))
		}
	}
	return p
}

func setOpWithoutRows(n *logical.SetOp) logical.Node {
	if n.Kind != logical.Union {
		if isEmpty(n.Inputs[0]) || n.Kind == logical.Intersect && isEmpty(n.Inputs[1]) {
			return empty(n)
		}
		return n
	}
	var keep []logical.Node
	for _, in := range n.Inputs {
		if !isEmpty(in) {
			keep = append(keep, in)
		}
	}
	switch {
	case len(keep) == len(n.Inputs):
		return n
	case len(keep) == 0:
		return empty(n)
	case len(keep) == 1:
		var out logical.Node = &logical.Project{Input: keep[0], Exprs: expr.Refs(keep[0].Columns()), Cols: n.Cols}
		if !n.All {
			out = &logical.Distinct{Input: out}
		}
		return out
	}
	return n.WithChildren(keep)
}
