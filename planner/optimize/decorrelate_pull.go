package optimize

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// puller moves predicates over outer columns out of one subquery.
type puller struct {
	*decorrelator
	outer expr.ColumnSet
}

// pull gives n without its reads of outer columns and the conjuncts that were taken out, over
// outer columns and outputs of the new n (which may have more outputs than n). existence
// tells that only whether there are rows matters, so that duplicates may appear. ok is
// false when the reads cannot be moved.
func (p *puller) pull(n logical.Node, existence bool) (out logical.Node, preds []expr.Expr, ok bool) {
	if correlation(n, p.outer).Empty() {
		return n, nil, true
	}
	switch n := n.(type) {
	case *logical.Filter:
		in, preds, ok := p.pull(n.Input, existence)
		if !ok {
			return nil, nil, false
		}
		own, moved := p.split(n.Conds)
		if len(own) > 0 {
			in = &logical.Filter{Input: in, Conds: own}
		}
		return in, append(preds, moved...), true
	case *logical.Project:
		if anyReads(n.Exprs, p.outer) {
			return nil, nil, false
		}
		in, preds, ok := p.pull(n.Input, existence)
		if !ok {
			return nil, nil, false
		}
		return widen(n, in, preds), preds, true
	case *logical.Distinct:
		in, preds, ok := p.pull(n.Input, existence)
		if !ok {
			return nil, nil, false
		}
		for _, c := range preds { // duplicates of each outer row are those with equal keys
			if _, _, eq := p.equality(c); !eq && !existence && expr.Columns(c).Intersects(logical.Outputs(in)) {
				return nil, nil, false
			}
		}
		return &logical.Distinct{Input: in}, preds, true
	case *logical.Sort:
		if n.Limit < 0 {
			return p.pull(n.Input, existence)
		}
	case *logical.Window:
		return p.pullWindow(n)
	case *logical.Aggregate:
		if len(n.Groups) > 0 && n.Sets == nil {
			return p.pullAggregate(n)
		}
	case *logical.Join:
		return p.pullJoin(n, existence)
	}
	return nil, nil, false
}

// split parts conjuncts into those over inner columns only and the others.
func (p *puller) split(conds []expr.Expr) (own, moved []expr.Expr) {
	for _, c := range conds {
		if expr.Columns(c).Intersects(p.outer) {
			moved = append(moved, c)
		} else {
			own = append(own, c)
		}
	}
	return own, moved
}

// widen is the Project over a new input, passing on the inner columns that preds need.
func widen(n *logical.Project, in logical.Node, preds []expr.Expr) logical.Node {
	have := expr.SetOfColumns(n.Cols)
	m := &logical.Project{Input: in, Exprs: n.Exprs[:len(n.Exprs):len(n.Exprs)], Cols: n.Cols[:len(n.Cols):len(n.Cols)]}
	var need expr.ColumnSet
	for _, c := range preds {
		expr.AddColumns(&need, c)
	}
	for _, c := range in.Columns() {
		if need.Has(c.ID) && !have.Has(c.ID) {
			have.Add(c.ID)
			m.Exprs, m.Cols = append(m.Exprs, expr.Ref(c)), append(m.Cols, c)
		}
	}
	return m
}

// pullJoin pulls out of the sides of a join that are not null-extended.
func (p *puller) pullJoin(n *logical.Join, existence bool) (logical.Node, []expr.Expr, bool) {
	kind := n.Kind
	if kind == logical.Semi && existence {
		kind = logical.Inner // its duplicates do not matter, and its right columns become visible
	}
	switch kind {
	case logical.Inner:
		l, lp, ok := p.pull(n.LeftInput, existence)
		if !ok {
			return nil, nil, false
		}
		r, rp, ok := p.pull(n.RightInput, existence)
		if !ok {
			return nil, nil, false
		}
		own, moved := p.split(n.On)
		m := *n
		if len(rp) > 0 || len(moved) > 0 {
			m.Kind = kind
		}
		m.LeftInput, m.RightInput, m.On = l, r, own
		return &m, append(append(lp, rp...), moved...), true
	case logical.Right, logical.Full:
		return nil, nil, false
	}
	if anyReads(n.On, p.outer) || !correlation(n.RightInput, p.outer).Empty() {
		return nil, nil, false
	}
	l, preds, ok := p.pull(n.LeftInput, existence)
	if !ok {
		return nil, nil, false
	}
	m := *n
	m.LeftInput = l
	return &m, preds, true
}

// equality takes a conjunct apart that compares an expression of outer columns with one that
// reads none of them.
func (p *puller) equality(c expr.Expr) (outer, inner expr.Expr, ok bool) {
	call, isCall := c.(*expr.Call)
	if !isCall || len(call.Args) != 2 || call.Fn.Name != "=" && call.Fn.Name != "<=>" {
		return nil, nil, false
	}
	for i := range 2 {
		outer, inner = call.Args[i], call.Args[1-i]
		if cols := expr.Columns(outer); !cols.Empty() && cols.SubsetOf(p.outer) && !expr.Columns(inner).Intersects(p.outer) {
			return outer, inner, true
		}
	}
	return nil, nil, false
}

// groupKeys are the inner sides of correlated equalities, which an aggregate on the way
// groups by, and the conjuncts that join its groups to the outer rows.
type groupKeys struct {
	exprs []expr.Expr
	cols  []expr.Column
	preds []expr.Expr
}

// keysOf makes group keys of the conjuncts pulled out of an aggregate's input; ok is false when one of
// them is not an equality (one over outer columns only passes as it is).
func (p *puller) keysOf(in logical.Node, preds []expr.Expr, groups []expr.Expr, groupCols []expr.Column) (k groupKeys, ok bool) {
	inside := logical.Outputs(in)
	for _, c := range preds {
		if !expr.Columns(c).Intersects(inside) {
			k.preds = append(k.preds, c)
			continue
		}
		outer, inner, ok := p.equality(c)
		if !ok {
			return k, false
		}
		col := p.keyColumn(&k, inner, groups, groupCols)
		same := expr.MustCall(c.(*expr.Call).Fn.Name, outer, expr.Ref(col))
		k.preds = append(k.preds, same)
	}
	return k, true
}

// keyColumn is the output that holds a group key, one that is there already if possible.
func (p *puller) keyColumn(k *groupKeys, inner expr.Expr, groups []expr.Expr, groupCols []expr.Column) expr.Column {
	for i, g := range groups {
		if expr.Equal(g, inner) {
			return groupCols[i]
		}
	}
	for i, g := range k.exprs {
		if expr.Equal(g, inner) {
			return k.cols[i]
		}
	}
	col, isColumn := inner.(*expr.Column)
	if !isColumn {
		col = &expr.Column{ID: p.ids.New(), Name: expr.String(inner), T: inner.Type(), Null: inner.Nullable()}
	}
	k.exprs, k.cols = append(k.exprs, inner), append(k.cols, *col)
	return *col
}

// pullAggregate pulls out of an aggregate with GROUP BY, which gets the keys as more groups:
// for one outer row the groups with its keys are those that it would have seen.
func (p *puller) pullAggregate(n *logical.Aggregate) (logical.Node, []expr.Expr, bool) {
	if anyReads(n.Groups, p.outer) || anyAggregateReads(n.Aggs, p.outer) {
		return nil, nil, false
	}
	in, preds, ok := p.pull(n.Input, false)
	if !ok {
		return nil, nil, false
	}
	k, ok := p.keysOf(in, preds, n.Groups, n.Cols)
	if !ok {
		return nil, nil, false
	}
	g := len(n.Groups)
	m := &logical.Aggregate{Input: in, Aggs: n.Aggs}
	m.Groups = append(append(m.Groups, n.Groups...), k.exprs...)
	m.Cols = append(append(append(m.Cols, n.Cols[:g]...), k.cols...), n.Cols[g:]...)
	return m, k.preds, true
}

// pullWindow pulls out of a window's input: the rows that one outer row sees are those of some partitions when
// the keys of the correlation are partition keys.
func (p *puller) pullWindow(n *logical.Window) (logical.Node, []expr.Expr, bool) {
	reads := false
	logical.EachExpr(n, func(e expr.Expr) { reads = reads || expr.Columns(e).Intersects(p.outer) })
	if reads {
		return nil, nil, false
	}
	in, preds, ok := p.pull(n.Input, false)
	if !ok {
		return nil, nil, false
	}
	inside := logical.Outputs(in)
	m := *n
	m.Input, m.Partition = in, append([]expr.Expr(nil), n.Partition...)
	for _, c := range preds {
		if !expr.Columns(c).Intersects(inside) {
			continue
		}
		_, inner, ok := p.equality(c)
		if !ok || expr.IsVolatile(inner) {
			return nil, nil, false
		}
		if !containsExpr(m.Partition, inner) {
			m.Partition = append(m.Partition, inner)
		}
	}
	return &m, preds, true
}

// scalarAggregate groups an aggregate without GROUP BY by its correlation keys. empty maps
// outputs to what they are above a left join: those that are not NULL over no rows.
func (p *puller) scalarAggregate(n *logical.Aggregate) (grouped logical.Node, preds []expr.Expr, empty map[expr.ColumnID]expr.Expr, ok bool) {
	if anyAggregateReads(n.Aggs, p.outer) {
		return nil, nil, nil, false
	}
	in, preds, ok := p.pull(n.Input, false)
	if !ok {
		return nil, nil, nil, false
	}
	k, ok := p.keysOf(in, preds, nil, nil)
	if !ok || len(k.exprs) == 0 {
		return nil, nil, nil, false
	}
	m := &logical.Aggregate{Input: in, Groups: k.exprs, Aggs: n.Aggs, Cols: append(append([]expr.Column(nil), k.cols...), n.Cols...)}
	empty = map[expr.ColumnID]expr.Expr{}
	for i, a := range n.Aggs {
		if a.Fn.NullOnEmpty {
			continue
		}
		made := n.Cols[i] // gets an id of its own: the old one is what the join's reader sees
		made.ID = p.ids.New()
		m.Cols[len(k.cols)+i] = made
		e, ok := overNothing(a, made)
		if !ok {
			return nil, nil, nil, false
		}
		empty[n.Cols[i].ID] = e
	}
	return m, k.preds, empty, true
}

// overNothing is the value of an aggregate's output above a left join to its groups: what a
// missing group gives is what the aggregate gives over no rows.
func overNothing(a *expr.Aggregate, col expr.Column) (expr.Expr, bool) {
	var none expr.Expr
	switch kind := a.Type().Kind; {
	case a.Type().IsInteger() || kind == sqltype.Boolean:
		none = expr.Lit(vector.IntValue(a.Type(), 0))
	case kind == sqltype.Bitmap:
		none = expr.MustCall("bitmap_empty")
	case kind == sqltype.HLL:
		none = expr.MustCall("hll_empty")
	default:
		return nil, false
	}
	col.Null = true
	return expr.MustCall("coalesce", expr.Ref(col), none), true
}
