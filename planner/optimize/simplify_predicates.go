package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// simplifyPredicates brings conditions into a form that other passes can use: equal conjuncts once, common
// factors out of OR, casts away from compared columns, OR of equalities as IN.
func simplifyPredicates(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		n = logical.MapExprs(n, func(e expr.Expr) expr.Expr { return expr.Rewrite(e, unwrapCast) })
		return mapConds(n, func(conds []expr.Expr) []expr.Expr {
			var out []expr.Expr
			changed := false
			for _, c := range conds {
				parts := factorOr(c)
				changed = changed || len(parts) != 1 || parts[0] != c
				for _, p := range parts {
					if containsExpr(out, p) && !expr.IsVolatile(p) {
						changed = true
						continue
					}
					out = append(out, p)
				}
			}
			if !changed {
				return conds
			}
			return out
		})
	}), nil
}

func containsExpr(list []expr.Expr, e expr.Expr) bool {
	for _, x := range list {
		if expr.Equal(x, e) {
			return true
		}
	}
	return false
}

// factorOr is (a AND x) OR (a AND y) as a, x OR y. A branch that is nothing but common factors makes the
// OR true wherever they hold.
func factorOr(e expr.Expr) []expr.Expr {
	args, ok := expr.IsCall(e, "or")
	if !ok || expr.IsVolatile(e) {
		return []expr.Expr{e}
	}
	branches := make([][]expr.Expr, len(args))
	for i, a := range args {
		branches[i] = expr.Conjuncts(nil, a)
	}
	var common []expr.Expr
	for _, c := range branches[0] {
		everywhere := !containsExpr(common, c)
		for _, b := range branches[1:] {
			everywhere = everywhere && containsExpr(b, c)
		}
		if everywhere {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return []expr.Expr{orToIn(e)}
	}
	var rest []expr.Expr
	for _, b := range branches {
		var keep []expr.Expr
		for _, c := range b {
			if !containsExpr(common, c) {
				keep = append(keep, c)
			}
		}
		if len(keep) == 0 {
			return common
		}
		rest = append(rest, expr.And(keep...))
	}
	return append(common, orToIn(expr.Or(rest...)))
}

// orToIn is x = 1 OR x = 2 as x IN (1, 2).
func orToIn(e expr.Expr) expr.Expr {
	args, ok := expr.IsCall(e, "or")
	if !ok {
		return e
	}
	col, n := sameColumnEquals(args)
	if col == nil || n < 2 {
		return e
	}
	list := []expr.Expr{col}
	for _, a := range args {
		_, _, lit, _ := columnOpLiteral(a)
		if lit.Value.Null || !lit.Value.Type.Equal(col.T) && !(col.T.IsString() && lit.Value.Type.IsString()) {
			return e
		}
		list = append(list, lit)
	}
	in, err := expr.NewCall("in", list...)
	if err != nil {
		return e
	}
	if args, ok := expr.IsCall(in, "in"); !ok || args[0] != col {
		return e
	}
	return in
}
