package optimize

import (
	"slices"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// maxSharedReferences bounds the OR that the references of a common table expression may put on it.
const maxSharedReferences = 16

// intoShared puts on the plan of each common table expression what all its references ask for: a condition that
// they share, else the OR of their conditions (year = 1999 here, year = 2000 there gives year IN (1999, 2000)). Then it
// infers in that plan. shared lists those first that others read; their readers come first here.
func (f *inferrer) intoShared(root logical.Node, shared []*logical.CTE) {
	readers := []logical.Node{root}
	for _, s := range slices.Backward(shared) {
		plan := s.Plan
		if conds := sharedConditions(s, readers); len(conds) > 0 {
			plan = f.push(plan, conds)
			if plan != s.Plan {
				plan, _ = foldConstants(f.c, plan) // constants of the select list meet those of the conditions
				plan, _ = simplifyPredicates(f.c, plan)
			}
		}
		s.Plan = keepColumns(s.Plan.Columns(), f.node(plan))
		readers = append(readers, s.Plan)
	}
}

// sharedConditions are conditions over the plan's columns that hold of every row which any reference keeps.
func sharedConditions(s *logical.CTE, readers []logical.Node) []expr.Expr {
	var branches []expr.Expr
	references := 0
	var visit func(n logical.Node, conds []expr.Expr)
	visit = func(n logical.Node, conds []expr.Expr) {
		if f, ok := n.(*logical.Filter); ok {
			visit(f.Input, both(conds, f.Conds))
			return
		}
		if ref, ok := n.(*logical.CTERef); ok && ref.CTE == s {
			references++
			if l := overPlan(conds, ref); len(l) > 0 {
				branches = append(branches, expr.And(l...))
			}
		}
		for _, c := range n.Children() {
			visit(c, nil)
		}
	}
	for _, n := range readers {
		visit(n, nil)
	}
	if references == 0 || len(branches) < references || references > maxSharedReferences {
		return nil
	}
	var out []expr.Expr
	for _, e := range factorOr(expr.Or(branches...)) {
		out = expr.Conjuncts(out, e)
	}
	return out
}

// overPlan reads the conditions of a reference over the columns of the shared plan, without those that may
// not be computed there.
func overPlan(conds []expr.Expr, ref *logical.CTERef) []expr.Expr {
	keep, _ := partition(conds, func(e expr.Expr) bool { return !expr.IsVolatile(e) && !expr.MayFail(e) })
	return renamed(keep, namesOf(ref.Cols, ref.CTE.Plan.Columns()))
}
