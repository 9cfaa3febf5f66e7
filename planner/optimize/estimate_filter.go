package optimize

import (
	"math"
	"strings"

	"github.com/basaltdb/basalt/planner/expr"
)

// filtered is in after the conjuncts. Bounds on one column are taken together: an interval
// keeps its share of the column's range, not the product of two thirds.
func filtered(in *relation, conds []expr.Expr) *relation {
	if len(conds) == 0 {
		return in
	}
	sel := 1.0
	bounds := map[expr.ColumnID]interval{}
	var order []expr.ColumnID
	for _, c := range conds {
		id, iv, ok := boundOf(in, c)
		if !ok {
			sel *= selectivity(in, c)
			continue
		}
		old, seen := bounds[id]
		if !seen {
			order = append(order, id)
			old = interval{math.Inf(-1), math.Inf(1)}
		}
		bounds[id] = interval{math.Max(old.lo, iv.lo), math.Min(old.hi, iv.hi)}
	}
	for _, id := range order {
		sel *= share(in.column(id), bounds[id])
	}
	out := in.scaled(in.rows * sel)
	for _, c := range conds {
		narrow(in, out, c)
	}
	for _, id := range order {
		c, b := out.cols[id], bounds[id]
		c.lo, c.hi = math.Max(c.lo, b.lo), math.Min(c.hi, b.hi)
		if s := share(in.column(id), b); !c.unique {
			c.ndv = math.Max(1, math.Min(c.ndv, in.column(id).ndv*s))
		}
		out.cols[id] = c
	}
	return out
}

type interval struct{ lo, hi float64 }

// share is the fraction of a column's rows inside an interval.
func share(c column, b interval) float64 {
	lo, hi := math.Max(c.lo, b.lo), math.Min(c.hi, b.hi)
	if hi < lo {
		return 1 / math.Max(1, c.baseRows)
	}
	width := math.Max(c.hi-c.lo, 1)
	return (1 - c.nulls) * math.Max(math.Min((hi-lo)/width, 1), 1/math.Max(1, c.ndv))
}

// boundOf reads a comparison of a column, whose range is known, with a constant.
func boundOf(in *relation, e expr.Expr) (expr.ColumnID, interval, bool) {
	col, op, lit, ok := columnOpLiteral(e)
	if !ok || lit.Value.Null {
		return 0, interval{}, false
	}
	c := in.column(col.ID)
	if !c.ranged || col.T.Kind != lit.Value.Type.Kind {
		return 0, interval{}, false
	}
	x := position(lit.Value)
	switch op {
	case "<", "<=":
		return col.ID, interval{math.Inf(-1), x}, true
	case ">", ">=":
		return col.ID, interval{x, math.Inf(1)}, true
	}
	return 0, interval{}, false
}

// narrow lowers the distinct values of columns that a conjunct pins to constants.
func narrow(in, out *relation, e expr.Expr) {
	set := func(x expr.Expr, n float64) {
		if col, ok := x.(*expr.Column); ok {
			if c, ok := out.cols[col.ID]; ok {
				c.ndv = math.Min(c.ndv, math.Min(n, in.column(col.ID).ndv))
				out.cols[col.ID] = c
			}
		}
	}
	if col, op, _, ok := columnOpLiteral(e); ok && op == "=" {
		set(col, 1)
	}
	if args, ok := expr.IsCall(e, "in"); ok {
		set(args[0], float64(len(args)-1))
	}
	if args, ok := expr.IsCall(e, "or"); ok {
		if col, n := sameColumnEquals(args); col != nil {
			set(col, float64(n))
		}
	}
}

// sameColumnEquals reads a = 1 OR a = 2 OR …
func sameColumnEquals(args []expr.Expr) (*expr.Column, int) {
	var first *expr.Column
	for _, a := range args {
		col, op, _, ok := columnOpLiteral(a)
		if !ok || op != "=" || first != nil && first.ID != col.ID {
			return nil, 0
		}
		first = col
	}
	return first, len(args)
}

// columnOpLiteral reads "column op constant" in either order, as seen from the column.
func columnOpLiteral(e expr.Expr) (*expr.Column, string, *expr.Literal, bool) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return nil, "", nil, false
	}
	flipped, ok := flippedOp[c.Fn.Name]
	if !ok {
		return nil, "", nil, false
	}
	if col, ok := c.Args[0].(*expr.Column); ok {
		if lit, ok := c.Args[1].(*expr.Literal); ok {
			return col, c.Fn.Name, lit, true
		}
	}
	if col, ok := c.Args[1].(*expr.Column); ok {
		if lit, ok := c.Args[0].(*expr.Literal); ok {
			return col, flipped, lit, true
		}
	}
	return nil, "", nil, false
}

// flippedOp is the comparison with its operands exchanged.
var flippedOp = map[string]string{"=": "=", "<>": "<>", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// selectivity is the fraction of rows for which a predicate is true.
func selectivity(in *relation, e expr.Expr) float64 {
	switch e := e.(type) {
	case *expr.Literal:
		if e.Value.IsTrue() {
			return 1
		}
		return 0
	case *expr.Call:
		return clamp(callSelectivity(in, e))
	}
	return 0.5
}

func clamp(x float64) float64 { return math.Max(0, math.Min(1, x)) }

func callSelectivity(in *relation, e *expr.Call) float64 {
	switch e.Fn.Name {
	case "and":
		return filtered(in, e.Args).rows / math.Max(in.rows, 1e-9)
	case "or":
		miss := 1.0
		sum := 0.0
		for _, a := range e.Args {
			s := selectivity(in, a)
			miss *= 1 - s
			sum += s
		}
		if col, _ := sameColumnEquals(e.Args); col != nil {
			return sum
		}
		return 1 - miss
	case "not":
		return 1 - selectivity(in, e.Args[0])
	case "=", "<=>":
		return equalSelectivity(in, e.Args[0], e.Args[1])
	case "<>":
		return 1 - equalSelectivity(in, e.Args[0], e.Args[1])
	case "<", "<=", ">", ">=":
		return compareSelectivity(in, e)
	case "in":
		return float64(len(e.Args)-1) * equalSelectivity(in, e.Args[0], e.Args[1])
	case "is_null":
		if c, ok := e.Args[0].(*expr.Column); ok {
			return math.Max(in.column(c.ID).nulls, 0.001)
		}
		return 1 - guessNotNull
	case "is_not_null":
		if c, ok := e.Args[0].(*expr.Column); ok {
			return 1 - in.column(c.ID).nulls
		}
		return guessNotNull
	case "like":
		return likeSelectivity(in, e)
	}
	return guessOther
}

func equalSelectivity(in *relation, a, b expr.Expr) float64 {
	_, aConst := a.(*expr.Literal)
	_, bConst := b.(*expr.Literal)
	if aConst {
		a, b, aConst, bConst = b, a, bConst, aConst
	}
	if aConst { // both
		return 0.5
	}
	left := describe(in, a)
	if !bConst {
		return (1 - left.nulls) / math.Max(left.ndv, describe(in, b).ndv)
	}
	if lit := b.(*expr.Literal); left.ranged && !lit.Value.Null && lit.Value.Type.Kind == a.Type().Kind {
		if x := position(lit.Value); x < left.lo || x > left.hi {
			return 0
		}
	}
	if _, isColumn := a.(*expr.Column); !isColumn { // a function maps many values to one
		return math.Max(1/left.ndv, guessEqual*2)
	}
	if left.guessed {
		return math.Max(1/left.ndv, math.Min(guessEqual, 10/left.ndv))
	}
	return (1 - left.nulls) / left.ndv
}

func compareSelectivity(in *relation, e *expr.Call) float64 {
	if id, b, ok := boundOf(in, e); ok {
		return share(in.column(id), b)
	}
	for _, id := range expr.Columns(e).IDs() {
		if in.column(id).summary {
			return guessHaving
		}
	}
	return guessRange
}

// likeSelectivity: a pattern with a fixed start is a narrow range, one without a rarer word.
func likeSelectivity(_ *relation, e *expr.Call) float64 {
	lit, ok := e.Args[1].(*expr.Literal)
	if !ok || lit.Value.Null {
		return guessLike
	}
	words := strings.FieldsFunc(lit.Value.S, func(r rune) bool { return r == '%' })
	if len(words) > 1 {
		return guessLike / 4
	}
	return guessLike / 2
}
