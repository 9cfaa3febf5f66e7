package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Decorrelate replaces dependent joins (Apply) by joins; after it no Apply remains.
//
// Two ways, tried in this order:
//
//   - Pull (decorrelate_pull.go): the subquery's predicates over outer columns move up into the join
//     condition. Aggregates on the way group by the inner side of correlated equalities. This
//     gives plain semi, anti and left joins on the correlation keys.
//   - Domain (decorrelate_domain.go): the set of distinct outer values is joined into the subquery,
//     which then computes its result for all of them at once (Neumann and Kemper, Unnesting
//     Arbitrary Queries, 2015).
//
// Applies are taken innermost first: what an inner one leaves of columns from further
// out is part of the outer one's subquery.
func Decorrelate(c *Context, n logical.Node) (logical.Node, error) {
	d := &decorrelator{ids: c.IDs}
	var failed error
	out := logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Apply)
		if !ok || failed != nil {
			return n
		}
		m, err := d.apply(a)
		if err != nil {
			failed = err
			return n
		}
		return m
	})
	return out, failed
}

type decorrelator struct{ ids *expr.IDs }

// apply replaces one Apply whose inputs hold none.
func (d *decorrelator) apply(a *logical.Apply) (logical.Node, error) {
	outer := correlation(a.RightInput, logical.Outputs(a.LeftInput))
	if outer.Empty() {
		if a.Kind == logical.Left && len(a.On) == 0 && logical.YieldsOneRow(a.RightInput) {
			return &logical.Join{Kind: logical.Inner, LeftInput: a.LeftInput, RightInput: a.RightInput}, nil
		}
		return join(a, a.RightInput, a.On), nil
	}
	if (a.Kind == logical.Left && len(a.On) == 0 || a.Kind == logical.Inner) && logical.YieldsOneRow(a.RightInput) {
		if n, ok := d.oneRow(a, outer); ok {
			if len(a.On) > 0 {
				n = &logical.Filter{Input: n, Conds: a.On}
			}
			return n, nil
		}
		return d.domain(a, outer)
	}
	if n, ok := unnestApply(a, outer); ok {
		return n, nil
	}
	existence := a.Kind == logical.Semi || a.Kind == logical.Anti || a.Kind == logical.Mark
	b := *a
	if existence {
		b = inlineProject(b, outer)
	}
	p := &puller{decorrelator: d, outer: outer}
	if right, preds, ok := p.pull(b.RightInput, existence); ok {
		return join(&b, right, append(append([]expr.Expr(nil), b.On...), preds...)), nil
	}
	return d.domain(a, outer)
}

// correlation is the set of columns that a plan reads from outer ones.
func correlation(n logical.Node, outer expr.ColumnSet) expr.ColumnSet {
	return logical.FreeColumns(n).Intersect(outer)
}

// join is the Apply as a join on the given conjuncts; the first ones are the Apply's own.
func join(a *logical.Apply, right logical.Node, on []expr.Expr) logical.Node {
	return &logical.Join{Kind: a.Kind, LeftInput: a.LeftInput, RightInput: right, On: on,
		MarkColumn: a.MarkColumn, MarkNullOK: a.MarkNullOK, FromMarkKey: a.FromMarkKey}
}

// inlineProject moves the select list of a subquery that only existence is asked of into the
// conditions, when it reads outer columns.
func inlineProject(a logical.Apply, outer expr.ColumnSet) logical.Apply {
	p, ok := a.RightInput.(*logical.Project)
	if !ok || !anyReads(p.Exprs, outer) {
		return a
	}
	a.On = substituteAll(a.On, projection(p))
	a.RightInput = p.Input
	return a
}

// projection maps the outputs of a Project to its expressions.
func projection(p *logical.Project) func(*expr.Column) (expr.Expr, bool) {
	return func(c *expr.Column) (expr.Expr, bool) {
		for i := range p.Cols {
			if p.Cols[i].ID == c.ID {
				return p.Exprs[i], true
			}
		}
		return nil, false
	}
}

func substituteAll(list []expr.Expr, f func(*expr.Column) (expr.Expr, bool)) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = expr.Substitute(e, f)
	}
	return out
}

func anyReads(list []expr.Expr, cols expr.ColumnSet) bool {
	for _, e := range list {
		if expr.Columns(e).Intersects(cols) {
			return true
		}
	}
	return false
}

func anyAggregateReads(list []*expr.Aggregate, cols expr.ColumnSet) bool {
	for _, a := range list {
		if expr.Columns(a).Intersects(cols) {
			return true
		}
	}
	return false
}

// oneRow replaces an Apply of a subquery that yields exactly one row: projections over an
// aggregate without GROUP BY, or over nothing. The aggregate is grouped by the correlation
// keys and left-joined; the projections are computed above the join, where a missing group gives
// them what an aggregate over no rows would (NULL, or 0 for counts).
func (d *decorrelator) oneRow(a *logical.Apply, outer expr.ColumnSet) (logical.Node, bool) {
	outputs := a.RightInput.Columns()
	exprs := expr.Refs(outputs)
	n := a.RightInput
peel:
	for {
		switch m := n.(type) {
		case *logical.Project:
			exprs, n = substituteAll(exprs, projection(m)), m.Input
		case *logical.Sort:
			n = m.Input
		case *logical.Limit:
			n = m.Input
		case *logical.Distinct:
			n = m.Input
		default:
			break peel
		}
	}
	switch m := n.(type) {
	case *logical.Values:
		row := projection(&logical.Project{Exprs: m.Rows[0], Cols: m.Cols})
		return extend(a.LeftInput, substituteAll(exprs, row), outputs), true
	case *logical.Aggregate:
		p := &puller{decorrelator: d, outer: outer}
		grouped, preds, empty, ok := p.scalarAggregate(m)
		if !ok {
			return nil, false
		}
		j := &logical.Join{Kind: logical.Left, LeftInput: a.LeftInput, RightInput: grouped, On: preds}
		nullable := logical.Outputs(grouped)
		exprs = substituteAll(exprs, func(c *expr.Column) (expr.Expr, bool) {
			if e, ok := empty[c.ID]; ok {
				return e, true
			}
			if nullable.Has(c.ID) {
				r := *c
				r.Null = true
				return &r, true
			}
			return nil, false
		})
		return extend(j, exprs, outputs), true
	}
	return nil, false
}

// extend computes exprs as outputs beside all columns of n. Outputs that n has already under
// their id are left to it.
func extend(n logical.Node, exprs []expr.Expr, outputs []expr.Column) logical.Node {
	cols := n.Columns()
	have := expr.SetOfColumns(cols)
	p := &logical.Project{Input: n, Exprs: expr.Refs(cols), Cols: append([]expr.Column(nil), cols...)}
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); ok && c.ID == outputs[i].ID && have.Has(c.ID) {
			continue
		}
		out := outputs[i]
		out.Null = e.Nullable()
		p.Exprs, p.Cols = append(p.Exprs, e), append(p.Cols, out)
	}
	if len(p.Cols) == len(cols) {
		return n
	}
	return p
}
