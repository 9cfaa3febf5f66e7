package optimize

import (
	"math"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// filtered is in after the conjuncts. Bounds on one column are taken together: an interval
// keeps its share of the column's range, not the product of two thirds.
func filtered(in *relation, conds []expr.Expr) *relation {
	if len(conds) == 0 {
		return in
	}
	var parts shares
	bounds := map[expr.ColumnID]valueRange{}
	var order []expr.ColumnID
	for _, c := range conds {
		id, iv, ok := boundOf(in, c)
		if !ok {
			parts.add(tableRead(in, c), selectivity(in, c))
			continue
		}
		old, seen := bounds[id]
		if !seen {
			order = append(order, id)
			old = everything
		}
		bounds[id] = old.and(iv)
	}
	for _, id := range order {
		c := in.column(id)
		parts.add(c.table, share(c, bounds[id]))
	}
	out := in.scaled(in.rows * parts.product())
	for _, c := range conds {
		narrow(in, out, c)
	}
	for _, id := range order {
		c, b := out.cols[id], bounds[id]
		c.lo, c.hi = math.Max(c.lo, b.lo), math.Min(c.hi, b.hi)
		if s := share(in.column(id), b); !c.unique {
			c.ndv = math.Max(1, math.Min(c.ndv, in.column(id).ndv*s))
		}
		c.values = nil
		out.cols[id] = c
	}
	return out
}

// shares are the selectivities of conjuncts by the table that each reads. Conditions on one table tend to
// be about related columns: the most selective counts in full, each next one as the root of the last.
type shares struct {
	sel    float64 // of those that read no table, or several
	any    bool
	tables []logical.Node
	lists  [][]float64
}

func (s *shares) add(table logical.Node, sel float64) {
	if !s.any {
		s.sel, s.any = 1, true
	}
	if table == nil {
		s.sel *= sel
		return
	}
	for i, t := range s.tables {
		if t == table {
			s.lists[i] = append(s.lists[i], sel)
			return
		}
	}
	s.tables, s.lists = append(s.tables, table), append(s.lists, []float64{sel})
}

func (s *shares) product() float64 {
	if !s.any {
		return 1
	}
	out := s.sel
	for _, list := range s.lists {
		slices.Sort(list)
		exponent := 1.0
		for _, x := range list {
			out *= math.Pow(x, exponent)
			exponent *= backOff
		}
	}
	return out
}

// backOff is by how much less each further condition on a table counts: 1 would be independence, and 0
// that the others follow from the first.
const backOff = 0.75

// tableRead is the one table whose columns e reads; nil for none, several and computed columns.
func tableRead(in *relation, e expr.Expr) logical.Node {
	var table logical.Node
	for _, id := range expr.Columns(e).IDs() {
		t := in.column(id).table
		if t == nil || table != nil && t != table {
			return nil
		}
		table = t
	}
	return table
}

// interval is a range of numbers.
type interval struct{ lo, hi float64 }

// valueRange is a range of a column's values: as positions, and as the values themselves where they are known.
type valueRange struct {
	lo, hi   float64
	from, to *vector.Value
	// The bounds themselves are not in the range.
	fromOpen, toOpen bool
}

var everything = valueRange{lo: math.Inf(-1), hi: math.Inf(1)}

func (a valueRange) and(b valueRange) valueRange {
	if b.lo > a.lo || b.lo == a.lo && b.from != nil && (a.from == nil || a.from.Compare(*b.from) < 0) {
		a.lo, a.from, a.fromOpen = b.lo, b.from, b.fromOpen
	}
	if b.hi < a.hi || b.hi == a.hi && b.to != nil && (a.to == nil || a.to.Compare(*b.to) > 0) {
		a.hi, a.to, a.toOpen = b.hi, b.to, b.toOpen
	}
	return a
}

// share is the fraction of a column's rows inside an interval.
func share(c column, b valueRange) float64 {
	if c.values != nil {
		if s, ok := c.values.between(b); ok {
			return (1 - c.nulls) * math.Max(s, 0.5/math.Max(1, c.baseRows))
		}
	}
	if !c.ranged {
		return guessRange
	}
	lo, hi := math.Max(c.lo, b.lo), math.Min(c.hi, b.hi)
	if hi < lo {
		return 1 / math.Max(1, c.baseRows)
	}
	width := math.Max(c.hi-c.lo, 1)
	return (1 - c.nulls) * math.Max(math.Min((hi-lo)/width, 1), 1/math.Max(1, c.ndv))
}

// boundOf reads a comparison of a column, whose range is known, with a constant.
func boundOf(in *relation, e expr.Expr) (expr.ColumnID, valueRange, bool) {
	col, op, lit, ok := columnOpLiteral(e)
	if !ok || lit.Value.Null {
		return 0, valueRange{}, false
	}
	c := in.column(col.ID)
	if !c.ranged && c.values == nil || col.T.Kind != lit.Value.Type.Kind {
		return 0, valueRange{}, false
	}
	iv := everything
	switch op {
	case "<", "<=":
		iv.hi, iv.to, iv.toOpen = position(lit.Value), &lit.Value, op == "<"
		return col.ID, iv, true
	case ">", ">=":
		iv.lo, iv.from, iv.fromOpen = position(lit.Value), &lit.Value, op == ">"
		return col.ID, iv, true
	}
	return 0, valueRange{}, false
}

// narrow lowers the distinct values of columns that a conjunct pins to constants.
func narrow(in, out *relation, e expr.Expr) {
	set := func(x expr.Expr, n float64) {
		if col, ok := x.(*expr.Column); ok {
			if c, ok := out.cols[col.ID]; ok {
				c.ndv = math.Min(c.ndv, math.Min(n, in.column(col.ID).ndv))
				c.values = nil
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
		if s, ok := evaluated(in, e); ok {
			return clamp(s)
		}
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
		sum := 0.0
		for _, a := range e.Args[1:] {
			sum += equalSelectivity(in, e.Args[0], a)
		}
		return sum
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
	if lit := b.(*expr.Literal); left.values != nil && !lit.Value.Null {
		if _, isColumn := a.(*expr.Column); isColumn {
			if f, ok := left.values.equal(lit.Value, left.ndv); ok {
				return (1 - left.nulls) * math.Max(f, 0.5/math.Max(1, left.baseRows))
			}
		}
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
