package bind

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

var joinKinds = map[ast.JoinKind]logical.JoinKind{
	ast.InnerJoin: logical.Inner, ast.CrossJoin: logical.Inner, ast.LeftJoin: logical.Left, ast.RightJoin: logical.Right,
	ast.FullJoin: logical.Full, ast.LeftSemiJoin: logical.Semi, ast.LeftAntiJoin: logical.Anti,
	ast.RightSemiJoin: logical.Semi, ast.RightAntiJoin: logical.Anti,
}

// join binds an explicit join. Right semi and anti joins are bound with swapped inputs.
func (b *binder) join(j *ast.Join, fc *fromContext) (fromItem, error) {
	l, err := b.tableExpr(j.Left, fc)
	if err != nil {
		return l, err
	}
	inner := *fc
	inner.left = append(append([]fromItem(nil), fc.left...), l)
	r, err := b.tableExpr(j.Right, &inner)
	if err != nil {
		return r, err
	}
	kind := joinKinds[j.Kind]
	if r.lateral && kind != logical.Inner && kind != logical.Left && logical.FreeColumns(r.node).Intersects(logical.Outputs(l.node)) {
		return l, sqlerr.Unsupported("LATERAL on the right of this kind of join").At(j.Position())
	}
	if j.Kind == ast.RightSemiJoin || j.Kind == ast.RightAntiJoin {
		l, r = r, l
	}
	if err := uniqueNames(append(append([]*relation(nil), l.rels...), r.rels...), j); err != nil {
		return l, err
	}
	if j.Natural || len(j.Using) > 0 {
		return b.joinUsing(j, kind, l, r, fc)
	}
	var on []expr.Expr
	if j.On != nil {
		s := fc.scope(l, r).in("on clause", aggregatesForbidden, nil)
		e, err := b.condition(s, j.On)
		if err != nil {
			return l, err
		}
		on = expr.Conjuncts(nil, e)
	}
	return b.joinOn(j, kind, l, r, on, fc)
}

// joinOn joins two items on bound conjuncts, which may hold subqueries.
func (b *binder) joinOn(j *ast.Join, kind logical.JoinKind, l, r fromItem, on []expr.Expr, fc *fromContext) (fromItem, error) {
	var plain, after []expr.Expr
	for _, c := range on {
		if !expr.HasSubquery(c) {
			plain = append(plain, c)
			continue
		}
		if kind == logical.Inner {
			after = append(after, c)
			continue
		}
		// The subquery is computed on the side that it reads, below the join.
		side := &r
		free := logical.FreeColumnsOf(c)
		if free.Intersects(logical.Outputs(l.node)) && b.subqueriesRead(c, logical.Outputs(l.node)) {
			side = &l
			if b.subqueriesRead(c, logical.Outputs(r.node)) {
				return l, sqlerr.Unsupported("A subquery over both sides in ON of an outer join").At(j.On.Position())
			}
		}
		node, e, err := b.extract(side.node, c, kind == logical.Left || kind == logical.Semi)
		if err != nil {
			return l, at(err, j.On)
		}
		side.node = node
		plain = append(plain, e)
	}
	hint, err := joinHint(j)
	if err != nil {
		return l, err
	}
	nullable(kind, l, r)
	out := b.combine(kind, l, r, plain, fc)
	if join, ok := out.node.(*logical.Join); ok {
		join.Hint = hint
	}
	if kind == logical.Semi || kind == logical.Anti {
		out.rels, out.visible = l.rels, l.visible
	}
	if len(after) > 0 {
		node, err := b.filter(out.node, after)
		if err != nil {
			return out, at(err, j.On)
		}
		out.node = node
	}
	return out, nil
}

// subqueriesRead reports whether plans of subqueries in e, or what they compare with, use columns of cols.
func (b *binder) subqueriesRead(e expr.Expr, cols expr.ColumnSet) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if q, ok := e.(*expr.Subquery); ok && logical.FreeColumnsOf(q).Intersects(cols) {
			found = true
		}
		return !found
	})
	return found
}

// nullable marks the columns of the sides that a join null-extends.
func nullable(kind logical.JoinKind, l, r fromItem) {
	mark := func(it fromItem) {
		for _, rel := range it.rels {
			for i := range rel.cols {
				rel.cols[i].col.Null = true
			}
		}
		for i := range it.visible {
			it.visible[i].col.Null = true
		}
	}
	if kind == logical.Left || kind == logical.Full {
		mark(r)
	}
	if kind == logical.Right || kind == logical.Full {
		mark(l)
	}
}

// joinUsing binds USING (…) and NATURAL: equality of columns of the same name, which are one
// column to the rest of the query.
func (b *binder) joinUsing(j *ast.Join, kind logical.JoinKind, l, r fromItem, fc *fromContext) (fromItem, error) {
	names := j.Using
	if j.Natural {
		names = commonNames(shown(l.visible), shown(r.visible))
		b.frozen.natural(j, names)
	}
	var on []expr.Expr
	var lcols, rcols []named
	for _, name := range names {
		lc, err := usingColumn(l, name, j)
		if err != nil {
			return l, err
		}
		rc, err := usingColumn(r, name, j)
		if err != nil {
			return l, err
		}
		eq, err := expr.NewCall("=", expr.Ref(lc.col), expr.Ref(rc.col))
		if err != nil {
			return l, at(err, j)
		}
		on = append(on, eq)
		lcols, rcols = append(lcols, lc), append(rcols, rc)
	}
	lvisible, rvisible := l.visible, r.visible
	out, err := b.joinOn(j, kind, l, r, on, fc)
	if err != nil || kind == logical.Semi || kind == logical.Anti {
		return out, err
	}
	var merged []named
	if kind == logical.Full {
		if merged, err = b.coalesced(&out, lcols, rcols); err != nil {
			return out, at(err, j)
		}
	} else {
		for i := range lcols {
			m := lcols[i]
			if kind == logical.Right {
				m = named{name: m.name, col: rcols[i].col}
			}
			merged = append(merged, m)
		}
	}
	out.visible = merged
	for _, side := range [2][]named{lvisible, rvisible} {
		for _, c := range side {
			if !containsName(names, c.name) {
				out.visible = append(out.visible, c)
			}
		}
	}
	return out, nil
}

// coalesced adds coalesce(l, r) columns above a FULL JOIN … USING.
func (b *binder) coalesced(it *fromItem, l, r []named) ([]named, error) {
	p := &logical.Project{Input: it.node, Exprs: expr.Refs(it.node.Columns()), Cols: it.node.Columns()}
	p.Cols = append([]expr.Column(nil), p.Cols...)
	var merged []named
	for i := range l {
		lc, rc := l[i].col, r[i].col
		lc.Null, rc.Null = true, true
		e, err := expr.NewCall("coalesce", expr.Ref(lc), expr.Ref(rc))
		if err != nil {
			return nil, err
		}
		col := b.newColumn(l[i].name, e.Type(), true)
		p.Exprs, p.Cols = append(p.Exprs, e), append(p.Cols, col)
		merged = append(merged, named{name: l[i].name, col: col})
	}
	it.node = p
	if len(merged) > 0 { // so that owns() knows them
		it.rels = append(it.rels, &relation{cols: merged})
	}
	return merged, nil
}

func usingColumn(it fromItem, name string, j *ast.Join) (named, error) {
	var found []named
	for _, c := range it.visible {
		if equalName(c.name, name) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return named{}, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in 'from clause'", name).At(j.Position())
	case 1:
		return found[0], nil
	}
	return named{}, sqlerr.New(sqlerr.AmbiguousColumn, "Column '%s' in from clause is ambiguous", name).At(j.Position())
}

func commonNames(l, r []named) []string {
	var out []string
	for _, c := range l {
		for _, d := range r {
			if equalName(c.name, d.name) && !containsName(out, c.name) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

func containsName(list []string, name string) bool {
	for _, n := range list {
		if equalName(n, name) {
			return true
		}
	}
	return false
}
