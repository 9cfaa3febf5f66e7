package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// markFactor is how many times larger the right input of a mark join must be than the left one for the sides to be exchanged.
const markFactor = 4

// markSide makes a mark join whose right input is much larger than its left one an outer join with the distinct keys of
// the right input: x OR EXISTS (…) over a few customers and all sales. A mark join hashes its right input; the outer join
// hashes the few rows of the left one and sends their keys as runtime filters to the scans below the grouping.
// The mark is whether a key came; so only marks that need not tell NULL from FALSE qualify, and conditions that are
// equalities throughout.
func markSide(c *Context, n logical.Node) (logical.Node, error) {
	est := NewEstimates()
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		j, ok := n.(*logical.Join)
		if !ok || j.Kind != logical.Mark || j.Hint != "" || j.NoReorder || j.FromMarkKey > 0 && !j.MarkNullOK {
			return n
		}
		if est.Rows(j.RightInput) < markFactor*est.Rows(j.LeftInput) {
			return n
		}
		edges, rest := equalities(j.On, logical.Outputs(j.LeftInput), logical.Outputs(j.RightInput))
		if len(edges) == 0 || len(rest) > 0 {
			return n
		}
		for _, e := range j.On {
			if _, plain := expr.IsCall(e, "="); !plain || expr.IsVolatile(e) {
				return n
			}
		}
		return marked(c, j, edges)
	}), nil
}

func marked(c *Context, j *logical.Join, edges []edge) logical.Node {
	keys := &logical.Aggregate{Input: j.RightInput}
	outer := &logical.Join{Kind: logical.Left, LeftInput: j.LeftInput, RightInput: keys}
	for _, e := range edges {
		col := expr.Column{ID: c.IDs.New(), Name: expr.String(e.right), T: e.right.Type(), Null: e.right.Nullable()}
		keys.Groups, keys.Cols = append(keys.Groups, e.right), append(keys.Cols, col)
		outer.On = append(outer.On, expr.MustCall("=", e.left, expr.Ref(col)))
	}
	first := outer.Columns()[len(j.LeftInput.Columns())]
	cols := j.LeftInput.Columns()
	p := &logical.Project{Input: outer, Exprs: expr.Refs(cols), Cols: append([]expr.Column(nil), cols...)}
	p.Exprs = append(p.Exprs, expr.MustCall("is_not_null", expr.Ref(first)))
	p.Cols = append(p.Cols, *j.MarkColumn)
	return p
}
