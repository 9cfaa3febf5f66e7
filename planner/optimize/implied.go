package optimize

import "github.com/basaltdb/basalt/planner/expr"

// Implied marks conjuncts on one column that follow from the unmarked ones, by way of another column (a > b AND
// b > 10 imply a > 10). No row fails them that passes the others: they are there for pruning, and neither
// estimates nor the order of filters should count them.
func Implied(conds []expr.Expr) []bool {
	out := make([]bool, len(conds))
	linked := false
	for _, c := range conds {
		if call, ok := c.(*expr.Call); ok && len(call.Args) == 2 {
			x, _ := widened(call.Args[0])
			y, _ := widened(call.Args[1])
			linked = linked || x != nil && y != nil
		}
	}
	if !linked {
		return out
	}
	for i := len(conds) - 1; i >= 0; i-- {
		f, ok := factOf(conds[i])
		if !ok {
			continue
		}
		var rest []expr.Expr
		for k, c := range conds {
			if k != i && !out[k] {
				rest = append(rest, c)
			}
		}
		d := closureOf(rest, nil).direct([]expr.Column{*f.col})
		out[i] = d.implies(conds[i])
	}
	return out
}

// independent leaves out the conjuncts that Implied marks.
func independent(conds []expr.Expr) []expr.Expr {
	marks := Implied(conds)
	var out []expr.Expr
	for i, c := range conds {
		if !marks[i] {
			out = append(out, c)
		}
	}
	return out
}
