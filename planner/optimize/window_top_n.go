package optimize

import (
	"math"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// windowTopN tells a window that only the first rows of each partition are needed: rank() <= 3 above it. The sort below
// then keeps no more of them. The condition stays: what the window leaves out is up to it.
func windowTopN(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		w, ok := f.Input.(*logical.Window)
		if !ok {
			return n
		}
		top := topOf(w, f.Conds)
		if top == nil || w.Top != nil && w.Top.Rows <= top.Rows {
			return n
		}
		m := *w
		m.Top = top
		return &logical.Filter{Input: &m, Conds: f.Conds}
	}), nil
}

// topOf is the tightest bound that the conjuncts put on a number of rows, nil when there is none.
func topOf(w *logical.Window, conds []expr.Expr) *logical.TopRows {
	var best *logical.TopRows
	for _, c := range conds {
		col, most, ok := boundedAbove(c)
		if !ok || best != nil && best.Rows <= most {
			continue
		}
		for i, f := range w.Funcs {
			if w.Cols[i].ID == col && f.Fn.Kind <= function.DenseRank && allLookBack(w, f) {
				best = &logical.TopRows{Call: col, Rows: most}
			}
		}
	}
	return best
}

// boundedAbove reads col <= n and the like: most is the largest whole number that passes.
func boundedAbove(e expr.Expr) (id expr.ColumnID, most int64, ok bool) {
	if args, isIn := expr.IsCall(e, "in"); isIn {
		col, isCol := args[0].(*expr.Column)
		most = math.MinInt64
		for _, a := range args[1:] {
			lit, isLit := a.(*expr.Literal)
			if !isLit || lit.Value.Null || !lit.Value.Type.IsInteger() || !lit.Value.I.IsInt64() {
				return 0, 0, false
			}
			most = max(most, lit.Value.Int64())
		}
		if !isCol {
			return 0, 0, false
		}
		return col.ID, max(most, 0), true
	}
	col, op, lit, ok := columnOpLiteral(e)
	if !ok || lit.Value.Null || !lit.Value.Type.IsInteger() || !lit.Value.I.IsInt64() {
		return 0, 0, false
	}
	most = lit.Value.Int64()
	switch op {
	case "=", "<=>", "<=":
	case "<":
		most--
	default:
		return 0, 0, false
	}
	return col.ID, max(most, 0), true
}

// allLookBack: no call of w would notice that rows are missing which come after all those that by numbers up to some
// bound.
func allLookBack(w *logical.Window, by *expr.Window) bool {
	for _, f := range w.Funcs {
		switch k := f.Fn.Kind; {
		case k <= function.DenseRank, k == function.Lag:
		case !k.UsesFrame():
			return false
		case f.Frame.Rows && f.Frame.End.Kind <= expr.CurrentRow:
		case f.Frame.End.Kind == expr.CurrentRow && by.Fn.Kind != function.RowNumber && f.Peers >= by.Peers:
		default:
			return false
		}
	}
	return true
}
