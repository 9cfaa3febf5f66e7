package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// semiApply turns a conjunct that is one [NOT] EXISTS or [NOT] IN into a semi or anti Apply
// over n; ok is false for anything else.
func (b *binder) semiApply(n logical.Node, cond expr.Expr) (out logical.Node, ok bool, err error) {
	q, isSub := cond.(*expr.Subquery)
	if !isSub || q.Kind != expr.ExistsSubquery && q.Kind != expr.InSubquery {
		return nil, false, nil
	}
	n, q, err = b.extractLeft(n, q)
	if err != nil {
		return nil, false, err
	}
	a := &logical.Apply{LeftInput: n, RightInput: q.Plan.(logical.Node)}
	if q.Kind == expr.ExistsSubquery {
		a.Kind = logical.Semi
		if q.Negated {
			a.Kind = logical.Anti
		}
		return a, true, nil
	}
	if a.On, err = keyConditions(q); err != nil {
		return nil, false, err
	}
	a.Kind = logical.Semi
	if q.Negated {
		nulls := false
		for _, c := range a.On {
			nulls = nulls || c.Nullable()
		}
		switch {
		case !nulls:
			a.Kind = logical.Anti
		case len(a.On) == 1:
			a.Kind, a.FromMarkKey = logical.NullAwareAnti, 1
		default:
			return nil, false, nil // rows with NULLs take a mark
		}
	}
	return a, true, nil
}

// extractLeft takes subqueries out of the left operands of q.
func (b *binder) extractLeft(n logical.Node, q *expr.Subquery) (logical.Node, *expr.Subquery, error) {
	var failed error
	out := expr.RewriteChildren(q, func(c expr.Expr) expr.Expr {
		m, e, err := b.extract(n, c, false)
		if err != nil {
			failed = err
			return c
		}
		n = m
		return e
	})
	return n, out.(*expr.Subquery), failed
}

// extract replaces every subquery in e by a column that an Apply over n computes. truth
// tells that only whether e is true matters, not whether it is false or NULL.
func (b *binder) extract(n logical.Node, e expr.Expr, truth bool) (logical.Node, expr.Expr, error) {
	if !expr.HasSubquery(e) {
		return n, e, nil
	}
	if q, ok := e.(*expr.Subquery); ok {
		m, q, err := b.extractLeft(n, q)
		if err != nil {
			return nil, nil, err
		}
		switch q.Kind {
		case expr.ScalarSubquery:
			m, e = b.scalarApply(m, q)
			return m, e, nil
		case expr.QuantifiedSubquery:
			return b.quantifiedApply(m, q)
		}
		return b.markApply(m, q, truth)
	}
	_, isAnd := expr.IsCall(e, "and")
	_, isOr := expr.IsCall(e, "or")
	truth = truth && (isAnd || isOr)
	var failed error
	out := expr.RewriteChildren(e, func(c expr.Expr) expr.Expr {
		if failed != nil {
			return c
		}
		m, x, err := b.extract(n, c, truth)
		if err != nil {
			failed = err
			return c
		}
		n = m
		return x
	})
	return n, out, failed
}

// scalarApply joins the one row of a scalar subquery: a Left Apply when the plan yields exactly one,
// else a Single one, which fails on two.
func (b *binder) scalarApply(n logical.Node, q *expr.Subquery) (logical.Node, expr.Expr) {
	right := q.Plan.(logical.Node)
	a := &logical.Apply{Kind: logical.Single, LeftInput: n, RightInput: right}
	if logical.YieldsOneRow(right) {
		a.Kind = logical.Left
	}
	col := q.Columns[0]
	col.Null = true
	return a, expr.Ref(col)
}

// markApply computes IN or EXISTS as a BOOLEAN column.
func (b *binder) markApply(n logical.Node, q *expr.Subquery, truth bool) (logical.Node, expr.Expr, error) {
	a := &logical.Apply{Kind: logical.Mark, LeftInput: n, RightInput: q.Plan.(logical.Node)}
	null := false
	if q.Kind == expr.InSubquery {
		on, err := keyConditions(q)
		if err != nil {
			return nil, nil, err
		}
		a.On, a.FromMarkKey = on, len(on)
		for _, c := range on {
			null = null || c.Nullable()
		}
	}
	a.MarkNullOK = truth && !q.Negated || !null
	mark := b.newColumn("mark", sqltype.T(sqltype.Boolean), null && !a.MarkNullOK)
	a.MarkColumn = &mark
	var e expr.Expr = expr.Ref(mark)
	if q.Negated {
		e = expr.Not(e)
	}
	return a, e, nil
}

// quantifiedApply computes x op ANY|ALL (query) from the least and the greatest value, the number
// of rows and of values: with no rows ANY is false; it is true when x compares so with the extreme
// value; else NULL when a row or x is NULL; else false. x op ALL is NOT (x inverse-op ANY).
func (b *binder) quantifiedApply(n logical.Node, q *expr.Subquery) (logical.Node, expr.Expr, error) {
	x, op := q.Left[0], q.Op
	if q.All {
		op = map[string]string{"=": "<>", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}[op]
	}
	agg := &logical.Aggregate{Input: q.Plan.(logical.Node)}
	value := expr.Ref(q.Columns[0])
	extremes := map[string][]string{"<": {"max"}, "<=": {"max"}, ">": {"min"}, ">=": {"min"}, "<>": {"min", "max"}}[op]
	var tests []expr.Expr
	for _, name := range extremes {
		e, err := b.addAggregate(agg, name, value)
		if err != nil {
			return nil, nil, err
		}
		test, err := expr.NewCall(op, x, e)
		if err != nil {
			return nil, nil, err
		}
		tests = append(tests, test)
	}
	rows, err := b.addAggregate(agg, "count")
	if err != nil {
		return nil, nil, err
	}
	values, err := b.addAggregate(agg, "count", value)
	if err != nil {
		return nil, nil, err
	}
	boolean := sqltype.T(sqltype.Boolean)
	test := expr.Or(tests...)
	e, err := expr.NewCall("case",
		expr.Eq(rows, expr.Int(0)), expr.Bool(false),
		test, expr.Bool(true),
		expr.MustCall("<", values, rows), expr.Null(boolean),
		test)
	if err != nil {
		return nil, nil, err
	}
	if q.All {
		e = expr.Not(e)
	}
	return &logical.Apply{Kind: logical.Left, LeftInput: n, RightInput: agg}, e, nil
}

// addAggregate adds an aggregate to a node that is being made and reads its output.
func (b *binder) addAggregate(n *logical.Aggregate, name string, args ...expr.Expr) (expr.Expr, error) {
	fn, err := function.ResolveAggregate(name, expr.ArgsOf(args))
	if err != nil {
		return nil, err
	}
	a, err := expr.ApplyAggregate(fn, args)
	if err != nil {
		return nil, err
	}
	col := b.newColumn(expr.String(a), a.Type(), a.Nullable())
	n.Aggs, n.Cols = append(n.Aggs, a), append(n.Cols, col)
	return expr.Ref(col), nil
}
