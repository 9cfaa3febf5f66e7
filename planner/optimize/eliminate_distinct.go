package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// eliminateDistinct removes DISTINCT where no two rows are equal anyway, and where only the existence of
// a row is asked: below the right input of semi and anti joins.
func eliminateDistinct(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		switch n := n.(type) {
		case *logical.Distinct:
			if uniqueBy(n.Input, logical.Outputs(n)) {
				return n.Input
			}
		case *logical.Join:
			switch n.Kind {
			case logical.Semi, logical.Anti, logical.NullAwareAnti, logical.Mark:
				if right := withoutDistinct(n.RightInput); right != n.RightInput {
					return n.WithChildren([]logical.Node{n.LeftInput, right})
				}
			}
		}
		return n
	}), nil
}

// withoutDistinct drops what only removes duplicates from the top of n.
func withoutDistinct(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Distinct:
		return withoutDistinct(n.Input)
	case *logical.Project:
		return rebuild(n, withoutDistinct(n.Input))
	case *logical.Aggregate:
		if len(n.Aggs) == 0 && n.Sets == nil && len(n.Groups) > 0 {
			return &logical.Project{Input: n.Input, Exprs: n.Groups, Cols: n.Cols}
		}
	case *logical.SetOp:
		if n.Kind == logical.Union && !n.All {
			m := *n
			m.All = true
			return &m
		}
	}
	return n
}

// unusedJoin reports an outer join that gives every left row exactly once and of whose right
// columns none is needed.
func unusedJoin(n *logical.Join, need expr.ColumnSet) bool {
	rcols := logical.Outputs(n.RightInput)
	return n.Kind == logical.Left && !need.Intersects(rcols) && atMostOneMatch(n, rcols)
}
