package optimize

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// foldConstants computes what depends on no row, and simplifies the boolean operators around it.
func foldConstants(c *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		n = logical.MapExprs(n, func(e expr.Expr) expr.Expr {
			return expr.Rewrite(e, func(e expr.Expr) expr.Expr { return foldOne(c, e) })
		})
		return mapConds(n, foldConds)
	}), nil
}

// foldOne simplifies a node over operands that are simple already.
func foldOne(c *Context, e expr.Expr) expr.Expr {
	call, ok := e.(*expr.Call)
	if !ok {
		return e
	}
	switch call.Fn.Name {
	case "and":
		return foldJunction(call, true)
	case "or":
		return foldJunction(call, false)
	case "not":
		if inner, ok := expr.IsCall(call.Args[0], "not"); ok && inner[0].Type().Kind == sqltype.Boolean {
			return inner[0]
		}
	case "case":
		if f, ok := foldCase(call); ok {
			return f
		}
	}
	f, err := expr.Fold(e, c.Functions)
	if err != nil {
		return e // its error comes when, and if, it runs
	}
	return f
}

// foldJunction removes the operands that decide nothing and lets one that decides everything win.
func foldJunction(call *expr.Call, neutral bool) expr.Expr {
	var keep []expr.Expr
	for _, a := range call.Args {
		lit, ok := a.(*expr.Literal)
		switch {
		case !ok || lit.Value.Null || lit.Value.Type.Kind != sqltype.Boolean:
			keep = append(keep, a)
		case lit.Value.IsTrue() != neutral:
			return expr.Bool(!neutral)
		}
	}
	switch {
	case len(keep) == len(call.Args):
		return call
	case len(keep) == 0:
		return expr.Bool(neutral)
	case len(keep) == 1 && keep[0].Type().Kind != sqltype.Boolean:
		return call
	case neutral:
		return expr.And(keep...)
	}
	return expr.Or(keep...)
}

// foldCase drops the branches that cannot be taken, up to one that is always taken.
func foldCase(call *expr.Call) (expr.Expr, bool) {
	if len(call.Args)%2 == 0 {
		return nil, false
	}
	lit, ok := call.Args[0].(*expr.Literal)
	if !ok || len(call.Args) < 3 {
		return nil, false
	}
	if lit.Value.IsTrue() && call.Args[1].Type().Equal(call.Fn.Result) {
		return call.Args[1], true
	}
	if !lit.Value.IsTrue() && len(call.Args) == 3 && call.Args[2].Type().Equal(call.Fn.Result) {
		return call.Args[2], true
	}
	return nil, false
}

// foldConds simplifies a list of conjuncts that only pass rows for which all are true: NULL is as
// good as FALSE, TRUE is dropped.
func foldConds(conds []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		for _, part := range expr.Conjuncts(nil, c) {
			if lit, ok := part.(*expr.Literal); ok {
				if lit.Value.IsTrue() {
					continue
				}
				if lit.Value.Null {
					part = expr.Bool(false)
				}
			}
			out = append(out, part)
		}
	}
	return out
}

// mapConds rewrites the conjunct lists of filters, scans and those joins to which only the truth of the
// condition matters. A filter without conjuncts disappears.
func mapConds(n logical.Node, f func([]expr.Expr) []expr.Expr) logical.Node {
	switch n := n.(type) {
	case *logical.Filter:
		conds := f(n.Conds)
		if len(conds) == 0 {
			return n.Input
		}
		if sameExprs(conds, n.Conds) {
			return n
		}
		return &logical.Filter{Input: n.Input, Conds: conds}
	case *logical.Scan:
		if conds := f(n.Filter); !sameExprs(conds, n.Filter) {
			m := *n
			m.Filter = conds
			return &m
		}
	case *logical.Join:
		if n.Kind == logical.Mark || n.Kind == logical.NullAwareAnti {
			return n
		}
		if conds := f(n.On); !sameExprs(conds, n.On) {
			m := *n
			m.On = conds
			return &m
		}
	}
	return n
}

func sameExprs(a, b []expr.Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// isFalse reports a constant that passes no row.
func isFalse(e expr.Expr) bool {
	lit, ok := e.(*expr.Literal)
	return ok && (lit.Value.Null || lit.Value.Type.Kind == sqltype.Boolean && !lit.Value.IsTrue())
}
