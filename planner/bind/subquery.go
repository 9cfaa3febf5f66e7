package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// subquery binds the query of a subquery in an expression; it sees s as its outer scope.
func (b *binder) subquery(s *scope, q ast.Query) (*expr.Subquery, error) {
	r, err := b.query(q, s, s.ctes, false)
	if err != nil {
		return nil, err
	}
	return &expr.Subquery{Plan: r.node, Columns: r.node.Columns()}, nil
}

func (b *binder) scalarSubquery(s *scope, e *ast.Subquery) (expr.Expr, error) {
	q, err := b.subquery(s, e.Query)
	if err != nil {
		return nil, err
	}
	if len(q.Columns) != 1 {
		return nil, sqlerr.New(sqlerr.OperandColumns, "Operand should contain 1 column(s)").At(e.Position())
	}
	q.Kind = expr.ScalarSubquery
	if n, ok, err := b.firstRow(q.Plan.(logical.Node)); err != nil {
		return nil, at(err, e)
	} else if ok {
		q.Plan, q.Columns = n, n.Columns()
	}
	if err := perRowLimit(q.Plan.(logical.Node), e.Query); err != nil {
		return nil, err
	}
	return q, nil
}

// perRowLimit refuses LIMIT in a subquery that depends on outer rows: it would be a limit for each of them.
func perRowLimit(n logical.Node, at ast.Node) error {
	var refused error
	logical.Walk(n, func(n logical.Node) bool {
		if l, ok := n.(*logical.Limit); ok && !logical.YieldsOneRow(l) && !logical.FreeColumns(l).Empty() {
			refused = sqlerr.Unsupported("LIMIT in a correlated subquery").At(at.Position())
		}
		return refused == nil
	})
	return refused
}

// firstRow replaces LIMIT 1 of a correlated scalar subquery by an aggregate where one gives the
// same value: sorted by the selected value itself it is the least or the greatest, unsorted any
// row will do. NULLs sort first when ascending.
func (b *binder) firstRow(n logical.Node) (logical.Node, bool, error) {
	if p, ok := n.(*logical.Project); ok && len(p.Exprs) == 1 {
		if _, ok := p.Exprs[0].(*expr.Column); ok { // it only drops sort keys
			n = p.Input
		}
	}
	l, ok := n.(*logical.Limit)
	if !ok || l.Count != 1 || l.Offset != 0 || logical.FreeColumns(l).Empty() {
		return nil, false, nil
	}
	value, name, nullsFirst := expr.Ref(l.Columns()[0]), "min", false
	in := l.Input
	if s, ok := in.(*logical.Sort); ok {
		c, isColumn := s.Keys[0].Expr.(*expr.Column)
		if !isColumn || c.ID != value.ID {
			return nil, false, nil
		}
		if s.Keys[0].Desc {
			name = "max"
		}
		nullsFirst = s.Keys[0].NullsFirst && value.Null
		in = s.Input
	}
	agg := &logical.Aggregate{Input: in}
	best, err := b.addAggregate(agg, name, value)
	if err != nil {
		return nil, false, nil // a type without an order
	}
	if !nullsFirst {
		return agg, true, nil
	}
	rows, err := b.addAggregate(agg, "count")
	if err != nil {
		return nil, false, err
	}
	values, err := b.addAggregate(agg, "count", value)
	if err != nil {
		return nil, false, err
	}
	e, err := expr.NewCall("case", expr.MustCall("<", values, rows), expr.Null(best.Type()), best)
	if err != nil {
		return nil, false, err
	}
	return b.project(agg, []expr.Expr{e}, []string{value.Name}), true, nil
}

// exists binds [NOT] EXISTS: what the subquery selects, sorts or limits (but to nothing) does not matter.
func (b *binder) exists(s *scope, e *ast.Exists, not bool) (expr.Expr, error) {
	q, err := b.subquery(s, e.Query)
	if err != nil {
		return nil, err
	}
	q.Kind, q.Negated = expr.ExistsSubquery, not
	q.Plan = existence(q.Plan.(logical.Node))
	return q, perRowLimit(q.Plan.(logical.Node), e.Query)
}

// existence is a simpler plan that has rows exactly when n has.
func existence(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Project:
		return existence(n.Input)
	case *logical.Distinct:
		return existence(n.Input)
	case *logical.Window:
		return existence(n.Input)
	case *logical.Sort:
		if n.Limit < 0 {
			return existence(n.Input)
		}
	case *logical.Limit:
		if n.Count != 0 && n.Offset == 0 {
			return existence(n.Input)
		}
	case *logical.Aggregate:
		if len(n.Groups) > 0 && n.Sets == nil {
			return existence(n.Input)
		}
	}
	return n
}

// inSubquery binds x [NOT] IN (query) and (a, b) [NOT] IN (query).
func (b *binder) inSubquery(s *scope, e *ast.In) (expr.Expr, error) {
	left := []ast.Expr{e.X}
	if row, ok := e.X.(*ast.Row); ok {
		left = row.Items
	}
	return b.membership(s, e, left, e.Query, e.Not)
}

func (b *binder) membership(s *scope, n ast.Node, left []ast.Expr, query ast.Query, not bool) (expr.Expr, error) {
	l, err := b.exprs(s, left)
	if err != nil {
		return nil, err
	}
	q, err := b.subquery(s, query)
	if err != nil {
		return nil, err
	}
	if len(q.Columns) != len(l) {
		return nil, sqlerr.New(sqlerr.OperandColumns, "Operand should contain %d column(s)", len(l)).At(query.Position())
	}
	q.Kind, q.Left, q.Negated = expr.InSubquery, l, not
	plan := q.Plan.(logical.Node)
	if len(l) == 1 && l[0].Type().Kind != sqltype.Bitmap && expr.Ref(q.Columns[0]).Type().Kind == sqltype.Bitmap {
		if err := b.members(q); err != nil {
			return nil, at(err, n)
		}
	}
	if _, err := keyConditions(q); err != nil {
		return nil, at(err, n)
	}
	return q, perRowLimit(plan, query)
}

// members makes a subquery of bitmaps one of their values: x IN (SELECT bitmap) asks whether one of them has x.
func (b *binder) members(q *expr.Subquery) error {
	set := expr.Ref(q.Columns[0])
	fn, err := function.ResolveTable("explode_bitmap", expr.ArgsOf([]expr.Expr{set}))
	if err != nil {
		return err
	}
	id := b.newColumn(q.Columns[0].Name, fn.Result[0], !fn.NotNull[0])
	u := &logical.Unnest{Input: q.Plan.(logical.Node), Fn: fn, Args: []expr.Expr{set}, Cols: []expr.Column{id}, Ordinal: []int{0}}
	p := b.project(u, []expr.Expr{expr.Ref(id)}, []string{id.Name})
	q.Plan, q.Columns = p, p.Columns()
	return nil
}

// keyConditions are the comparisons of an IN subquery, one a column.
func keyConditions(q *expr.Subquery) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(q.Left))
	for i, l := range q.Left {
		e, err := expr.NewCall("=", l, expr.Ref(q.Columns[i]))
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

// quantified binds x op ANY|ALL (query). "= ANY" is IN and "<> ALL" is NOT IN.
func (b *binder) quantified(s *scope, e *ast.Quantified) (expr.Expr, error) {
	op := e.Op
	if op == "!=" {
		op = "<>"
	}
	left := []ast.Expr{e.X}
	row, isRow := e.X.(*ast.Row)
	if isRow {
		left = row.Items
	}
	switch {
	case op == "=" && !e.All:
		return b.membership(s, e, left, e.Query, false)
	case op == "<>" && e.All:
		return b.membership(s, e, left, e.Query, true)
	case isRow:
		return nil, sqlerr.Unsupported("Comparison of a row by ANY or ALL").At(e.Position())
	case mirrored[op] == "" || op == "<=>":
		return nil, sqlerr.New(sqlerr.WrongUsage, "Operator %s cannot be used with ANY or ALL", e.Op).At(e.Position())
	}
	x, err := b.expr(s, e.X)
	if err != nil {
		return nil, err
	}
	q, err := b.subquery(s, e.Query)
	if err != nil {
		return nil, err
	}
	if len(q.Columns) != 1 {
		return nil, sqlerr.New(sqlerr.OperandColumns, "Operand should contain 1 column(s)").At(e.Query.Position())
	}
	if _, err := expr.NewCall(op, x, expr.Ref(q.Columns[0])); err != nil {
		return nil, at(err, e)
	}
	q.Kind, q.Op, q.All, q.Left = expr.QuantifiedSubquery, op, e.All, []expr.Expr{x}
	return q, perRowLimit(q.Plan.(logical.Node), e.Query)
}
