package bind

import (
	"fmt"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// maxCubeColumns bounds CUBE, which makes two to the power of its columns sets.
const maxCubeColumns = 12

// group binds GROUP BY, HAVING and ORDER BY, and, when the block aggregates, puts the
// Aggregate node on and rewrites everything above it to the node's outputs.
//
// Until here aggregates stand in expressions as they were written. Expressions above
// the node may use what equals a grouping expression and aggregates; any other column
// of FROM is error 1055.
func (k *block) group() error {
	b, q := k.b, k.q
	groups, sets, err := k.groupBy()
	if err != nil {
		return err
	}
	if q.Having != nil {
		s := k.base.in("having clause", aggregatesAllowed, &aliases{items: k.items, groups: groups, first: true})
		cond, err := b.condition(s, q.Having)
		if err != nil {
			return err
		}
		if w := expr.FirstWindow(cond); w != nil {
			return k.windowAlias(q.Having, w)
		}
		k.having = expr.Conjuncts(nil, cond)
	}
	if q.Qualify != nil {
		s := k.windows.in(k.base.in("qualify clause", aggregatesAllowed, &aliases{items: k.items, groups: groups, first: true}))
		cond, err := b.condition(s, q.Qualify)
		if err != nil {
			return err
		}
		k.qualify = expr.Conjuncts(nil, cond)
	}
	if k.keys, err = k.orderOf(q); err != nil {
		return err
	}
	g := &grouping{b: b, base: k.base, groups: groups, explicit: q.GroupBy != nil}
	if q.GroupBy == nil && !k.aggregates(g) {
		return nil // HAVING is one more filter, as in MySQL
	}
	if q.GroupBy == nil { // one row has no order; MySQL takes any key there
		k.keys = nil
	}
	return k.aggregate(g, sets)
}

// orderOf binds ORDER BY, or Hive's clauses in its place.
func (k *block) orderOf(q *ast.Select) ([]orderKey, error) {
	if len(q.DistributeBy)+len(q.SortBy)+len(q.ClusterBy) == 0 {
		return k.b.orderKeys(k.base, k.windows, k.items, q.OrderBy)
	}
	if err := checkSections(q); err != nil {
		return nil, err
	}
	keys, numbered, err := k.b.sectionKeys(k, q)
	if k.sections = logical.Ranges; numbered {
		k.sections = logical.Numbered
	}
	return keys, err
}

// aggregates reports whether an aggregate of this block occurs anywhere above FROM and WHERE.
func (k *block) aggregates(g *grouping) bool {
	for _, it := range k.items {
		if g.uses(it.e) {
			return true
		}
	}
	for _, e := range append(append([]expr.Expr(nil), k.having...), k.qualify...) {
		if g.uses(e) {
			return true
		}
	}
	for _, key := range k.keys {
		if g.uses(key.e) {
			return true
		}
	}
	return false
}

// groupBy binds the grouping expressions: a column of FROM wins over an alias.
func (k *block) groupBy() (groups []expr.Expr, sets [][]int, err error) {
	gb := k.q.GroupBy
	if gb == nil {
		return nil, nil, nil
	}
	s := k.base.in("group statement", aggregatesForbidden, &aliases{items: k.items})
	for _, it := range gb.Items {
		e, ok, err := ordinal(it, k.items, "group statement")
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			if e, err = k.b.expr(s, it); err != nil {
				return nil, nil, err
			}
		}
		if w := expr.FirstWindow(e); w != nil {
			return nil, nil, k.windowAlias(it, w)
		}
		if (&grouping{b: k.b, base: k.base}).uses(e) {
			return nil, nil, sqlerr.New(sqlerr.WrongUsage, "Can't group on an aggregate").At(it.Position())
		}
		if err := function.CheckOrderable(e.Type()); err != nil {
			return nil, nil, at(err, it)
		}
		groups = append(groups, e)
	}
	n := len(groups)
	switch gb.Kind {
	case ast.GroupRollup:
		for i := n; i >= 0; i-- {
			sets = append(sets, upTo(i))
		}
	case ast.GroupCube:
		if n > maxCubeColumns {
			return nil, nil, sqlerr.Unsupported(fmt.Sprintf("CUBE over more than %d columns", maxCubeColumns)).At(gb.Position())
		}
		for mask := 1<<n - 1; mask >= 0; mask-- {
			set := []int{}
			for i := range n {
				if mask>>(n-1-i)&1 != 0 {
					set = append(set, i)
				}
			}
			sets = append(sets, set)
		}
	case ast.GroupSets:
		sets = gb.Sets
	default:
		groups = distinct(groups)
	}
	return groups, sets, nil
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// distinct drops repeated expressions and constants, which do not split groups. When there is
// nothing else one constant stays: without rows there is no group, unlike without GROUP BY.
func distinct(list []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, e := range list {
		_, known := e.(*expr.Literal)
		for _, o := range out {
			known = known || expr.Equal(e, o)
		}
		if !known {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return []expr.Expr{expr.Int(1)}
	}
	return out
}

// aggregate puts the Aggregate node on and rewrites the expressions above it.
func (k *block) aggregate(g *grouping, sets [][]int) error {
	b := k.b
	g.sets = sets
	for _, e := range g.groups {
		name := expr.String(e)
		if c, ok := e.(*expr.Column); ok && sets == nil && k.base.owns(expr.SetOf(c.ID)) {
			g.cols = append(g.cols, *c) // passed through under its own id
			continue
		}
		g.cols = append(g.cols, b.newColumn(name, e.Type(), e.Nullable() || sets != nil))
	}
	for i := range k.items {
		e, err := g.above(k.items[i].e, fmt.Sprintf("Expression #%d of SELECT list", i+1))
		if err != nil {
			return err
		}
		k.items[i].e = e
	}
	for i := range k.having {
		e, err := g.above(k.having[i], "Expression in HAVING clause")
		if err != nil {
			return err
		}
		k.having[i] = e
	}
	for i := range k.qualify {
		e, err := g.above(k.qualify[i], "Expression in QUALIFY clause")
		if err != nil {
			return err
		}
		k.qualify[i] = e
	}
	for i := range k.keys {
		e, err := g.above(k.keys[i].e, fmt.Sprintf("Expression #%d of ORDER BY clause", i+1))
		if err != nil {
			return err
		}
		k.keys[i].e = e
	}
	node := k.node
	for i, e := range g.groups {
		n, e, err := b.extract(node, e, false)
		if err != nil {
			return at(err, k.q.GroupBy)
		}
		node, g.groups[i] = n, e
	}
	for i, a := range g.aggs {
		if !expr.HasSubquery(a) {
			continue
		}
		n, e, err := b.extract(node, a, false)
		if err != nil {
			return at(err, k.q)
		}
		node, g.aggs[i] = n, e.(*expr.Aggregate)
	}
	cols := append(append([]expr.Column(nil), g.cols...), g.aggCols...)
	agg := &logical.Aggregate{Input: node, Groups: g.groups, Aggs: g.aggs, Cols: cols, Sets: sets, GroupingID: g.id}
	if g.id != nil {
		agg.Cols = append(agg.Cols, *g.id)
	}
	k.node = agg
	return nil
}

// grouping rewrites expressions to the outputs of one Aggregate node, collecting what that
// must compute.
type grouping struct {
	b        *binder
	base     *scope
	explicit bool // GROUP BY was written
	groups   []expr.Expr
	sets     [][]int
	cols     []expr.Column // of groups
	aggs     []*expr.Aggregate
	aggCols  []expr.Column
	id       *expr.Column // grouping id, when asked for
}

// owner is the scope whose rows an aggregate ranges over: the innermost one whose columns
// its arguments read; s itself when they read none.
func owner(s *scope, args expr.ColumnSet) *scope {
	for sc := s; sc != nil; sc = sc.parent {
		if sc.owns(args) {
			return sc
		}
	}
	return s
}

// mine reports whether an aggregate, found depth plans down, belongs to this block.
func (g *grouping) mine(a *expr.Aggregate, depth int) bool {
	free := logical.FreeColumnsOf(a)
	return g.base.owns(free) || depth == 0 && !ownedAbove(g.base.parent, free)
}

func ownedAbove(s *scope, ids expr.ColumnSet) bool {
	for ; s != nil; s = s.parent {
		if s.owns(ids) {
			return true
		}
	}
	return false
}

// uses reports whether an aggregate of this block occurs in e, subqueries included.
func (g *grouping) uses(e expr.Expr) bool { return g.usesAt(e, 0) }

func (g *grouping) usesAt(e expr.Expr, depth int) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Aggregate:
			found = found || g.mine(e, depth)
		case *expr.Subquery:
			logical.Walk(e.Plan.(logical.Node), func(n logical.Node) bool {
				if _, ok := n.(*logical.Aggregate); ok {
					return !found // its Aggs are its own; outer ones cannot stand in groups
				}
				logical.EachExpr(n, func(e expr.Expr) { found = found || g.usesAt(e, depth+1) })
				return !found
			})
		}
		return !found
	})
	return found
}

// above rewrites e, which is computed above the Aggregate. what names it in errors.
func (g *grouping) above(e expr.Expr, what string) (expr.Expr, error) {
	r := &regrouper{grouping: g, what: what}
	out := r.rewrite(e, 0)
	return out, r.err
}

// regrouper is one run of grouping.above; it keeps the first error.
type regrouper struct {
	*grouping
	what string
	err  error
}

func (r *regrouper) rewrite(e expr.Expr, depth int) expr.Expr {
	for i, g := range r.groups {
		if expr.Equal(e, g) {
			return expr.Ref(r.cols[i])
		}
	}
	switch x := e.(type) {
	case *expr.Literal:
		return e
	case *expr.Column:
		if r.err == nil && r.base.owns(expr.SetOf(x.ID)) {
			r.err = r.notGrouped(x)
		}
		return e
	case *expr.Aggregate:
		if x.Fn.Name == groupingName {
			return r.groupingCall(x)
		}
		if r.mine(x, depth) {
			return r.collect(x)
		}
	case *expr.Subquery:
		x = expr.RewriteChildren(x, func(c expr.Expr) expr.Expr { return r.rewrite(c, depth) }).(*expr.Subquery)
		plan := x.Plan.(logical.Node)
		if n := r.plan(plan, depth+1); n != plan {
			c := *x
			c.Plan = n
			return &c
		}
		return x
	}
	return expr.RewriteChildren(e, func(c expr.Expr) expr.Expr { return r.rewrite(c, depth) })
}

// plan rewrites the outer references in the plan of a subquery.
func (r *regrouper) plan(n logical.Node, depth int) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		return logical.MapExprs(n, func(e expr.Expr) expr.Expr {
			if _, ok := e.(*expr.Aggregate); ok { // of the subquery's own Aggregate node
				return expr.RewriteChildren(e, func(c expr.Expr) expr.Expr { return r.rewrite(c, depth) })
			}
			return r.rewrite(e, depth)
		})
	})
}

// collect gives the output that holds an aggregate, one for equal ones.
func (r *regrouper) collect(a *expr.Aggregate) expr.Expr {
	if a.Fn.IgnoresDistinct && a.Distinct {
		c := *a
		c.Distinct = false
		a = &c
	}
	for i, o := range r.aggs {
		if expr.Equal(o, a) && !expr.IsVolatile(a) {
			return expr.Ref(r.aggCols[i])
		}
	}
	// Without GROUP BY there is a row even for no input; with it, a group has rows, but they may all be NULL.
	col := r.b.newColumn(expr.String(a), a.Type(), a.Nullable())
	r.aggs, r.aggCols = append(r.aggs, a), append(r.aggCols, col)
	return expr.Ref(col)
}

func (r *regrouper) notGrouped(c *expr.Column) error {
	pos := r.position(c)
	if !r.explicit {
		return sqlerr.New(mixedAggregates, "In aggregated query without GROUP BY, %s contains nonaggregated column '%s'", lowerFirst(r.what), c.Name).
			At(pos).WithHint("Aggregate it, or add GROUP BY %s", c.Name)
	}
	return sqlerr.New(sqlerr.NotGrouped, "%s is not in GROUP BY clause and contains nonaggregated column '%s'", r.what, c.Name).
		At(pos).WithHint("Aggregate it, use any_value(%s), or add it to GROUP BY", c.Name)
}

// position is where the first column of e stands in the text, -1 when it has none.
func (r *regrouper) position(e expr.Expr) int {
	pos := -1
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && pos < 0 {
			if p, ok := r.b.positions[c]; ok {
				pos = p
			}
		}
		return pos < 0
	})
	return pos
}

func lowerFirst(s string) string { return string(s[0]|0x20) + s[1:] }

// groupingName is the placeholder that GROUPING and GROUPING_ID bind to until the grouping is known.
const groupingName = "grouping"

// groupingPlaceholder stands for GROUPING(args).
func groupingPlaceholder(args []expr.Expr) *expr.Aggregate {
	params := make([]sqltype.Type, len(args))
	for i, a := range args {
		params[i] = a.Type()
	}
	return &expr.Aggregate{Fn: &function.Aggregate{Name: groupingName, Params: params, Result: sqltype.T(sqltype.BigInt)}, Args: args}
}

// groupingCall computes GROUPING(a, b, …) from the grouping id: bits of the arguments, 1 for
// aggregated away, the first the most significant.
func (r *regrouper) groupingCall(a *expr.Aggregate) expr.Expr {
	var bits []int
	for _, arg := range a.Args {
		found := -1
		for i, g := range r.groups {
			if expr.Equal(arg, g) {
				found = len(r.groups) - 1 - i
			}
		}
		if found < 0 {
			if r.err == nil {
				r.err = sqlerr.New(sqlerr.WrongUsage, "Argument of GROUPING must be a GROUP BY expression: %s", expr.String(arg)).At(r.position(arg))
			}
			return expr.Int(0)
		}
		bits = append(bits, found)
	}
	if r.sets == nil {
		return expr.Int(0)
	}
	if r.id == nil {
		c := r.b.newColumn("grouping_id", sqltype.T(sqltype.BigInt), false)
		r.id = &c
	}
	var sum expr.Expr
	for i, bit := range bits {
		one := expr.MustCall("&", expr.MustCall("div", expr.Ref(*r.id), expr.Int(1<<bit)), expr.Int(1))
		weighted, err := expr.CastTo(one, sqltype.T(sqltype.BigInt))
		if err != nil {
			r.err = err
			return expr.Int(0)
		}
		if shift := len(bits) - 1 - i; shift > 0 {
			weighted = expr.MustCall("*", weighted, expr.Int(1<<shift))
		}
		if sum == nil {
			sum = weighted
		} else {
			sum = expr.MustCall("+", sum, weighted)
		}
	}
	out, err := expr.CastTo(sum, sqltype.T(sqltype.BigInt))
	if err != nil {
		r.err = err
		return expr.Int(0)
	}
	return out
}
