package optimize

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Explain tells where the number of rows of n comes from: what its conditions keep, by which statistics. "" where the
// operator leaves its input's rows as they are.
func (e *Estimates) Explain(n logical.Node) string {
	switch n := n.(type) {
	case *logical.Scan:
		base := tableOf(n)
		rows := "table " + inDigits(base.rows) + " rows"
		if base.unknown {
			rows += " (guess)"
		}
		return strings.Join(append([]string{rows}, explainConds(base, n.Filter)...), "; ")
	case *logical.Filter:
		return strings.Join(explainConds(e.of(n.Input), n.Conds), "; ")
	case *logical.Join:
		return strings.Join(e.explainJoin(n), "; ")
	case *logical.Aggregate:
		in := e.of(n.Input)
		var out []string
		for _, g := range n.Groups {
			c := describe(in, g)
			out = append(out, fmt.Sprintf("%s: %s values (%s)", expr.String(g), inDigits(c.ndv), knowledge(c)))
		}
		return strings.Join(out, "; ")
	}
	return ""
}

func explainConds(in *relation, conds []expr.Expr) []string {
	var out []string
	for _, c := range conds {
		out = append(out, fmt.Sprintf("%s: %s (%s)", expr.String(c), fraction(filtered(in, []expr.Expr{c}).rows/max(in.rows, 1e-9)), reasonOf(in, c)))
	}
	if len(out) > 1 {
		if all := filtered(in, conds).rows / max(in.rows, 1e-9); all > 0 {
			out = append(out, "together "+fraction(all))
		}
	}
	return out
}

func (e *Estimates) explainJoin(n *logical.Join) []string {
	l, r := e.of(n.LeftInput), e.of(n.RightInput)
	edges, rest := equalities(n.On, logical.Outputs(n.LeftInput), logical.Outputs(n.RightInput))
	var out []string
	for _, x := range edges {
		a, b := describe(l, x.left), describe(r, x.right)
		how := fmt.Sprintf("%s and %s values (%s, %s)", inDigits(a.ndv), inDigits(b.ndv), knowledge(a), knowledge(b))
		switch {
		case a.unique:
			how = fmt.Sprintf("key of %s values (%s)", inDigits(a.baseNDV), knowledge(a))
		case b.unique:
			how = fmt.Sprintf("key of %s values (%s)", inDigits(b.baseNDV), knowledge(b))
		case a.values != nil && b.values != nil && len(a.values.common) > 0 && len(b.values.common) > 0:
			how = fmt.Sprintf("frequent values of both (%s, %s)", a.origin, b.origin)
		}
		out = append(out, fmt.Sprintf("%s = %s: %s", expr.String(x.left), expr.String(x.right), how))
	}
	for _, c := range rest {
		out = append(out, fmt.Sprintf("%s: %s (%s)", expr.String(c), fraction(selectivity(merged(l, r), c)), reasonOf(merged(l, r), c)))
	}
	return out
}

// knowledge is where a number of distinct values comes from.
func knowledge(c column) string {
	if c.guessed {
		return "guess"
	}
	return c.origin.String()
}

// reasonOf names the statistics that a condition is judged by.
func reasonOf(in *relation, e expr.Expr) string {
	col, op, lit, ok := columnOpLiteral(e)
	if ok && !lit.Value.Null {
		c := in.column(col.ID)
		known := c.values != nil && lit.Value.Type.Equal(c.values.t)
		switch {
		case known && (op == "=" || op == "<=>" || op == "<>"):
			return "frequent values, " + c.origin.String()
		case known && (len(c.values.histogram) > 1 || c.values.rest < 0.001):
			return "histogram, " + c.origin.String()
		case op == "=" || op == "<=>" || op == "<>":
			return "distinct values, " + knowledge(c)
		case c.ranged && col.T.Kind == lit.Value.Type.Kind:
			return "range, " + c.origin.String()
		}
		return "guess"
	}
	call, isCall := e.(*expr.Call)
	if !isCall {
		return "guess"
	}
	if _, ok := evaluated(in, call); ok {
		return "tried on known values, " + in.column(expr.Columns(e).IDs()[0]).origin.String()
	}
	switch call.Fn.Name {
	case "and", "or", "not":
		return "by its parts"
	case "in":
		if c, ok := call.Args[0].(*expr.Column); ok {
			s := in.column(c.ID)
			if s.values != nil {
				return "frequent values, " + s.origin.String()
			}
			return "distinct values, " + knowledge(s)
		}
	case "=", "<=>":
		return "distinct values, " + knowledge(describe(in, call.Args[0]))
	case "is_null", "is_not_null":
		if c, ok := call.Args[0].(*expr.Column); ok {
			return "NULLs, " + in.column(c.ID).origin.String()
		}
	}
	return "guess"
}

func inDigits(x float64) string { return strconv.FormatFloat(x, 'f', 0, 64) }

func fraction(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
