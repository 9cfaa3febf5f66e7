package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// distinctAggregates computes DISTINCT aggregates that all have the same arguments by grouping twice:
// first by the keys and the arguments, which removes the duplicates in parallel, then by the keys. Other
// mixes are left to the executor, which keeps a set a group.
func distinctAggregates(c *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok || a.Sets != nil || !oneDistinctSet(a.Aggs) {
			return n
		}
		return groupTwice(c, a)
	}), nil
}

func oneDistinctSet(aggs []*expr.Aggregate) bool {
	var args []expr.Expr
	distinct := false
	for _, a := range aggs {
		if a.Filter != nil || len(a.OrderBy) > 0 || len(a.Args) == 0 || !a.Distinct && !a.Fn.IgnoresDistinct {
			return false
		}
		if args == nil {
			args = a.Args
		}
		if len(args) != len(a.Args) {
			return false
		}
		for i := range args {
			if !expr.Equal(args[i], a.Args[i]) || expr.IsVolatile(args[i]) {
				return false
			}
		}
		distinct = distinct || a.Distinct && !a.Fn.IgnoresDistinct
	}
	return distinct
}

func groupTwice(c *Context, a *logical.Aggregate) logical.Node {
	inner := &logical.Aggregate{Input: a.Input}
	add := func(e expr.Expr, name string) expr.Expr {
		col := expr.Column{ID: c.IDs.New(), Name: name, T: e.Type(), Null: e.Nullable()}
		inner.Groups, inner.Cols = append(inner.Groups, e), append(inner.Cols, col)
		return expr.Ref(col)
	}
	outer := &logical.Aggregate{Input: inner, Cols: a.Cols}
	for i, g := range a.Groups {
		outer.Groups = append(outer.Groups, add(g, a.Cols[i].Name))
	}
	var args []expr.Expr
	for _, x := range a.Aggs[0].Args {
		args = append(args, add(x, expr.String(x)))
	}
	for _, x := range a.Aggs {
		outer.Aggs = append(outer.Aggs, &expr.Aggregate{Fn: x.Fn, Args: args})
	}
	return outer
}
