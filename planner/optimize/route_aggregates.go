package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// aggregateBuilder makes the aggregates of an aggregation over an index that folds rows, from its states:
//
//	sum(x), min(x), max(x)          the same of the states
//	count(x), count(*)              the sum of the counts, 0 for no row
//	avg(x)                          sum by count
//	count(DISTINCT x)               bitmap_union_count of bitmap_union(to_bitmap(x)), for integers
//	bitmap and HLL unions           the same of the states
//	ndv(x)                          hll_union_agg of hll_union(hll_hash(x))
//	f(CASE … THEN x ELSE y END)     f over CASE of the states, for conditions on keys
//	f(key)                          itself, when f does not mind repetitions; sum and count with the rows' count
type aggregateBuilder struct {
	m   *matcher
	out *logical.Aggregate
}

// add gives the expression over the outputs of out that is a, whose column is col; a reason says what is missing.
func (b *aggregateBuilder) add(a *expr.Aggregate, col expr.Column) (e expr.Expr, reason string) {
	m := b.m
	var filter expr.Expr
	if a.Filter != nil {
		if filter = m.expr(a.Filter); filter == nil {
			return nil, "FILTER: " + m.missing()
		}
	}
	mine := len(a.Args) == 0
	for _, x := range a.Args {
		mine = mine || expr.Columns(x).Intersects(m.own) || expr.Columns(x).Empty()
	}
	if ignoresRepetition(a) {
		if same, ok := m.aggregate(a); ok {
			b.emit(same, col)
			return expr.Ref(col), ""
		}
	}
	if !mine {
		return nil, reasonf("%s counts how often rows join", expr.String(a))
	}
	if e, ok := b.fromStates(a, filter, col); ok {
		m.lost = nil
		return e, ""
	}
	m.lost = nil
	return nil, reasonf("it does not have %s", expr.String(a))
}

// ignoresRepetition reports aggregates whose result is that of the distinct rows.
func ignoresRepetition(a *expr.Aggregate) bool {
	if a.Fn.IgnoresDistinct || a.Distinct {
		return len(a.Args) > 0
	}
	switch a.Fn.Name {
	case "bitmap_union", "bitmap_union_count", "bitmap_union_int", "bitmap_agg", "hll_union", "hll_raw_agg", "hll_union_agg", "bitmap_intersect", "intersect_count":
		return true
	}
	return false
}

// aggregate reads all of a over the index.
func (m *matcher) aggregate(a *expr.Aggregate) (*expr.Aggregate, bool) {
	ok := true
	out := expr.RewriteChildren(a, func(e expr.Expr) expr.Expr {
		t := m.expr(e)
		if t == nil {
			ok = false
			return e
		}
		return t
	})
	if !ok {
		m.lost = nil
		return nil, false
	}
	return out.(*expr.Aggregate), true
}

func (b *aggregateBuilder) emit(a *expr.Aggregate, col expr.Column) {
	b.out.Aggs, b.out.Cols = append(b.out.Aggs, a), append(b.out.Cols, col)
}

// named emits an aggregate under a new column.
func (b *aggregateBuilder) named(a *expr.Aggregate) expr.Expr {
	col := expr.Column{ID: b.m.c.IDs.New(), Name: expr.String(a), T: a.Type(), Null: a.Nullable()}
	b.emit(a, col)
	return expr.Ref(col)
}

func (b *aggregateBuilder) fromStates(a *expr.Aggregate, filter expr.Expr, col expr.Column) (expr.Expr, bool) {
	if len(a.OrderBy) > 0 {
		return nil, false
	}
	if a.Distinct && !a.Fn.IgnoresDistinct {
		return b.distinct(a, filter, col)
	}
	switch a.Fn.Name {
	case "sum", "min", "max":
		return b.merged(a, filter, col)
	case "count":
		n, ok := b.counted(a, filter)
		return n, ok
	case "avg", "mean":
		return b.average(a, filter)
	case "approx_count_distinct", "ndv":
		if b.m.c.NoDistinctRewrite {
			return nil, false
		}
		return b.union("hll_union_agg", a, filter, col)
	case "bitmap_union", "bitmap_union_count", "intersect_count", "orthogonal_bitmap_union_count", "orthogonal_bitmap_intersect", "orthogonal_bitmap_intersect_count",
		"orthogonal_bitmap_expr_calculate", "orthogonal_bitmap_expr_calculate_count", "hll_union", "hll_raw_agg", "hll_union_agg":
		return b.union(a.Fn.Name, a, filter, col)
	case "bitmap_union_int":
		return b.union("bitmap_union_count", a, filter, col)
	case "bitmap_agg":
		return b.union("bitmap_union", a, filter, col)
	}
	return nil, false
}

// over is the aggregate name of a state, with the other arguments and the filter; false where there is no such.
func over(name string, state expr.Expr, others []expr.Expr, filter expr.Expr) (*expr.Aggregate, bool) {
	args := append([]expr.Expr{state}, others...)
	fn, err := function.ResolveAggregate(name, expr.ArgsOf(args))
	if err != nil {
		return nil, false
	}
	out, err := expr.ApplyAggregate(fn, args)
	if err != nil {
		return nil, false
	}
	out.Filter = filter
	return out, true
}

// merged is sum, min and max.
func (b *aggregateBuilder) merged(a *expr.Aggregate, filter expr.Expr, col expr.Column) (expr.Expr, bool) {
	state := b.m.state(a.Fn.Name, a.Args[0])
	if state == nil {
		return nil, false
	}
	merge, err := merging(a, state, false)
	if err != nil {
		return nil, false
	}
	merge.Filter = filter
	if merge.Type().Equal(a.Type()) {
		b.emit(merge, col)
		return expr.Ref(col), true
	}
	e, err := expr.CastTo(b.named(merge), a.Type())
	return e, err == nil
}

// counted is count: 0 where there is no row.
func (b *aggregateBuilder) counted(a *expr.Aggregate, filter expr.Expr) (expr.Expr, bool) {
	var arg expr.Expr
	switch len(a.Args) {
	case 0:
	case 1:
		arg = a.Args[0]
	default:
		return nil, false
	}
	state := b.m.count(arg)
	if state == nil {
		return nil, false
	}
	sum, ok := over("sum", state, nil, filter)
	if !ok {
		return nil, false
	}
	e, err := expr.NewCall("coalesce", b.named(sum), expr.Int(0))
	return e, err == nil && e.Type().Equal(a.Type())
}

func (b *aggregateBuilder) average(a *expr.Aggregate, filter expr.Expr) (expr.Expr, bool) {
	state, count := b.m.state("sum", a.Args[0]), b.m.count(a.Args[0])
	if state == nil || count == nil {
		return nil, false
	}
	if state.Type().IsInteger() {
		wide, err := expr.CastTo(state, sqltype.T(sqltype.LargeInt))
		if err != nil {
			return nil, false
		}
		state = wide
	}
	sum, ok := over("sum", state, nil, filter)
	if !ok {
		return nil, false
	}
	n, ok := over("sum", count, nil, filter)
	if !ok || !n.Type().Equal(sqltype.T(sqltype.BigInt)) {
		return nil, false
	}
	total := b.named(sum)
	return &expr.Call{Fn: function.Average(total.Type(), a.Type()), Args: []expr.Expr{total, b.named(n)}}, true
}

// distinct is count(DISTINCT x) of an integer that a bitmap holds: rows that it cannot hold were never loaded.
func (b *aggregateBuilder) distinct(a *expr.Aggregate, filter expr.Expr, col expr.Column) (expr.Expr, bool) {
	if a.Fn.Name != "count" || len(a.Args) != 1 || !a.Args[0].Type().IsInteger() || b.m.c.NoDistinctRewrite {
		return nil, false
	}
	return b.union("bitmap_union_count", a, filter, col)
}

// union is an aggregate of sets: the first argument is the set, or what a set is made of.
func (b *aggregateBuilder) union(name string, a *expr.Aggregate, filter expr.Expr, col expr.Column) (expr.Expr, bool) {
	state := b.m.state("union", a.Args[0])
	if state == nil {
		return nil, false
	}
	var others []expr.Expr
	for _, x := range a.Args[1:] {
		t := b.m.expr(x)
		if t == nil {
			return nil, false
		}
		others = append(others, t)
	}
	out, ok := over(name, state, others, filter)
	if !ok || !out.Type().Equal(a.Type()) {
		return nil, false
	}
	b.emit(out, col)
	return expr.Ref(col), true
}

// state is what a row of the index contributes to an aggregate ("sum", "min", "max", or "union" for sets) of e; nil
// when the index does not have it.
func (m *matcher) state(fn string, e expr.Expr) expr.Expr {
	if t := m.choice(fn, e); t != nil {
		return t
	}
	for i, a := range m.aggs {
		if a == nil || a.Filter != nil || len(a.Args) != 1 {
			continue
		}
		if _, of := setOf(a.Args[0]); !m.nullWithout(of) {
			continue
		}
		switch {
		case fn == "union" && sameSet(a, e), fn == a.Fn.Name && expr.Equal(lossless(a.Args[0]), lossless(e)):
			return m.ref(i)
		}
	}
	if fn == "sum" {
		return m.weighted(e)
	}
	return nil
}

// weighted is the sum of a constant, or of an integer that depends on keys only, over the rows of a row of the index.
func (m *matcher) weighted(e expr.Expr) expr.Expr {
	e = lossless(e)
	if l, ok := e.(*expr.Literal); ok && (l.Value.Null || l.Value.I.Sign() == 0 && !e.Type().IsFloat()) {
		return e
	}
	if !e.Type().IsInteger() || m.nullSide || !expr.Columns(e).Empty() && !expr.Columns(e).SubsetOf(m.own) {
		return nil
	}
	t, n := m.expr(e), m.count(nil)
	if t == nil || n == nil {
		return nil
	}
	wide, err := expr.CastTo(t, sqltype.T(sqltype.LargeInt))
	if err != nil {
		return nil
	}
	product, err := expr.NewCall("*", wide, n)
	if err != nil || product.Type().Kind != sqltype.LargeInt {
		return nil
	}
	return product
}

// count is how many of the rows of a row of the index have a value of e, which is nil for all rows.
func (m *matcher) count(e expr.Expr) expr.Expr {
	if e != nil {
		if l, ok := e.(*expr.Literal); ok && l.Value.Null {
			return expr.Int(0)
		}
		if t := m.choice("count", e); t != nil {
			return t
		}
		for i, a := range m.aggs {
			if a != nil && a.Fn.Name == "count" && a.Filter == nil && len(a.Args) == 1 && expr.Equal(lossless(a.Args[0]), lossless(e)) && m.nullWithout(a.Args[0]) {
				return m.ref(i)
			}
		}
	}
	all := m.countAll()
	switch {
	case all == nil:
		return nil
	case e == nil || expr.Columns(e).Empty() && !e.Nullable():
		if m.nullSide {
			return nil // rows without one of this scan count as well
		}
		return all
	case !e.Nullable() && expr.Columns(e).Intersects(m.own) && (!m.nullSide || isColumn(e)):
		return all
	}
	t := m.expr(e)
	if t == nil || m.nullSide && !isColumn(e) || !expr.Columns(e).SubsetOf(m.own) {
		return nil
	}
	return expr.MustCall("case", expr.MustCall("is_null", t), expr.Int(0), all)
}

func isColumn(e expr.Expr) bool {
	_, ok := lossless(e).(*expr.Column)
	return ok
}

// countAll is the column that counts rows.
func (m *matcher) countAll() expr.Expr {
	for i, a := range m.aggs {
		if a != nil && a.Fn.Name == "count" && a.Filter == nil && !a.Distinct && (len(a.Args) == 0 || len(a.Args) == 1 && !a.Args[0].Nullable()) {
			return m.ref(i)
		}
	}
	return nil
}

// choice is the state of a CASE or IF: its conditions read keys, its branches are states.
func (m *matcher) choice(fn string, e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok {
		return nil
	}
	if c.Fn.Name == "cast" { // of the branches
		in, ok := c.Args[0].(*expr.Call)
		if !ok || !isChoice(in) {
			return nil
		}
		args := append([]expr.Expr(nil), in.Args...)
		for i := range args {
			if !isCondition(i, len(args)) {
				args[i] = &expr.Call{Fn: c.Fn, Args: []expr.Expr{args[i]}}
				if l, ok := in.Args[i].(*expr.Literal); ok {
					args[i] = expr.FoldTree(args[i], m.c.Functions)
					if l.Value.Null {
						args[i] = expr.Null(c.Type())
					}
				}
			}
		}
		return m.branches(fn, args)
	}
	if !isChoice(c) {
		return nil
	}
	return m.branches(fn, c.Args)
}

// isChoice tells case(cond, then, …, else) and if(cond, then, else).
func isChoice(c *expr.Call) bool { return c.Fn.Name == "case" || c.Fn.Name == "if" }

// isCondition tells the conditions of case(cond, then, …, else).
func isCondition(i, n int) bool { return i%2 == 0 && i < n-1 }

func (m *matcher) branches(fn string, args []expr.Expr) expr.Expr {
	out := make([]expr.Expr, len(args))
	var types []sqltype.Type
	for i, a := range args {
		switch {
		case isCondition(i, len(args)):
			out[i] = m.expr(a)
		case isNullLiteral(a) && fn == "count":
			out[i] = expr.Int(0)
		case isNullLiteral(a):
			continue // of the type of the others
		case fn == "count":
			out[i] = m.count(a)
		default:
			out[i] = m.state(fn, a)
		}
		if out[i] == nil {
			return nil
		}
		if !isCondition(i, len(args)) {
			types = append(types, out[i].Type())
		}
	}
	if len(types) == 0 {
		return nil
	}
	t, err := expr.CommonType(types...)
	if err != nil {
		return nil
	}
	if t.IsInteger() && fn == "sum" {
		t = sqltype.T(sqltype.LargeInt)
	}
	for i := range out {
		switch {
		case isCondition(i, len(args)):
			continue
		case out[i] == nil:
			out[i] = nullOf(t)
		default:
			if out[i], err = expr.CastTo(out[i], t); err != nil {
				return nil
			}
		}
	}
	e, err := expr.NewCall("case", out...)
	if err != nil || !e.Type().Equal(t) {
		return nil
	}
	return e
}

func isNullLiteral(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && l.Value.Null
}

// lossless is e without casts that lose nothing.
func lossless(e expr.Expr) expr.Expr {
	for {
		cast, ok := expr.IsCall(e, "cast")
		if !ok || !widens(cast[0].Type(), e.Type()) {
			return e
		}
		e = cast[0]
	}
}

// setMakers are functions that make a set of one element: two of one kind make the same set of equal arguments.
var setMakers = map[string]string{
	"to_bitmap": "bitmap", "to_bitmap_with_check": "bitmap", "bitmap_hash": "bitmap_hash", "bitmap_hash64": "bitmap_hash64", "hll_hash": "hll",
}

// sameSet reports that an aggregate of an index unites the sets that e is, or whose elements e is.
func sameSet(a *expr.Aggregate, e expr.Expr) bool {
	kind, of := setOf(a.Args[0])
	other, arg := setOf(e)
	switch {
	case kind == "": // a column of sets
		return other == "" && (a.Fn.Name == "bitmap_union" || a.Fn.Name == "hll_union" || a.Fn.Name == "hll_raw_agg") && expr.Equal(a.Args[0], e)
	case other == "": // the elements themselves
		if kind == "bitmap" {
			return e.Type().IsInteger() && of.Type().IsInteger() && expr.Equal(lossless(of), lossless(e))
		}
		return kind == "hll" && expr.Equal(exactlyText(of), exactlyText(e))
	}
	return kind == other && expr.Equal(lossless(of), lossless(arg))
}

func setOf(e expr.Expr) (kind string, of expr.Expr) {
	if c, ok := e.(*expr.Call); ok && len(c.Args) == 1 {
		if kind := setMakers[c.Fn.Name]; kind != "" {
			return kind, c.Args[0]
		}
	}
	return "", e
}

// exactlyText is e without the cast to text that hashing takes its argument by.
func exactlyText(e expr.Expr) expr.Expr {
	if cast, ok := expr.IsCall(e, "cast"); ok && e.Type().IsString() {
		return cast[0]
	}
	return e
}

// nullOf is NULL of a type.
func nullOf(t sqltype.Type) expr.Expr { return expr.Lit(vector.NullOf(t)) }
