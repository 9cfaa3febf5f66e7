package bind

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// compare binds a comparison of two values or two rows.
func (b *binder) compare(s *scope, e *ast.Binary, op string) (expr.Expr, error) {
	lrow, lok := e.L.(*ast.Row)
	rrow, rok := e.R.(*ast.Row)
	if !lok && !rok {
		return b.callOf(s, e, op, e.L, e.R)
	}
	if _, sub := e.R.(*ast.Subquery); lok && sub {
		return nil, sqlerr.Unsupported("Comparison of a row with a subquery").At(e.Position())
	}
	if !lok || !rok || len(lrow.Items) != len(rrow.Items) {
		n := 1
		if lok {
			n = len(lrow.Items)
		}
		return nil, sqlerr.New(sqlerr.OperandColumns, "Operand should contain %d column(s)", n).At(e.R.Position())
	}
	l, err := b.exprs(s, lrow.Items)
	if err != nil {
		return nil, err
	}
	r, err := b.exprs(s, rrow.Items)
	if err != nil {
		return nil, err
	}
	return b.compareRows(e, op, l, r)
}

// compareRows compares rows of equal length; orders are lexicographic.
func (b *binder) compareRows(n ast.Node, op string, l, r []expr.Expr) (expr.Expr, error) {
	if len(l) == 1 {
		return b.make(n, op, l[0], r[0])
	}
	each := func(op string) ([]expr.Expr, error) {
		out := make([]expr.Expr, len(l))
		for i := range l {
			e, err := b.make(n, op, l[i], r[i])
			if err != nil {
				return nil, err
			}
			out[i] = e
		}
		return out, nil
	}
	switch op {
	case "=", "<=>":
		parts, err := each(op)
		if err != nil {
			return nil, err
		}
		return b.make(n, "and", parts...)
	case "<>":
		parts, err := each(op)
		if err != nil {
			return nil, err
		}
		return b.make(n, "or", parts...)
	}
	// (a, b) < (c, d): a < c, or a = c and b < d.
	first, err := b.make(n, op[:1], l[0], r[0])
	if err != nil {
		return nil, err
	}
	same, err := b.make(n, "=", l[0], r[0])
	if err != nil {
		return nil, err
	}
	rest, err := b.compareRows(n, op, l[1:], r[1:])
	if err != nil {
		return nil, err
	}
	both, err := b.make(n, "and", same, rest)
	if err != nil {
		return nil, err
	}
	return b.make(n, "or", first, both)
}

// between is x >= lo AND x <= hi.
func (b *binder) between(s *scope, e *ast.Between) (expr.Expr, error) {
	list, err := b.exprs(s, []ast.Expr{e.X, e.Lo, e.Hi})
	if err != nil {
		return nil, err
	}
	lo, err := b.make(e, ">=", list[0], list[1])
	if err != nil {
		return nil, err
	}
	hi, err := b.make(e, "<=", list[0], list[2])
	if err != nil {
		return nil, err
	}
	x, err := b.make(e, "and", lo, hi)
	if err != nil || !e.Not {
		return x, err
	}
	return b.make(e, "not", x)
}

// in binds IN with a list or a subquery.
func (b *binder) in(s *scope, e *ast.In) (expr.Expr, error) {
	if e.Query != nil {
		return b.inSubquery(s, e)
	}
	var x expr.Expr
	var err error
	if row, ok := e.X.(*ast.Row); ok {
		x, err = b.rowIn(s, e, row)
	} else {
		x, err = b.inList(s, e)
	}
	if err != nil || !e.Not {
		return x, err
	}
	return b.make(e, "not", x)
}

// inList is x IN (a, b, …): "=" for one item, an "in" call for constants, ORed "=" otherwise.
func (b *binder) inList(s *scope, e *ast.In) (expr.Expr, error) {
	x, err := b.expr(s, e.X)
	if err != nil {
		return nil, err
	}
	items := make([]expr.Expr, len(e.List))
	constant := true
	for i, it := range e.List {
		if items[i], err = b.expr(s, it); err != nil {
			return nil, err
		}
		_, lit := items[i].(*expr.Literal)
		constant = constant && lit
	}
	if len(items) > 1 && constant {
		c, err := b.make(e, "in", append([]expr.Expr{x}, items...)...)
		if err != nil || allLiterals(c) {
			return c, err
		}
	}
	eqs := make([]expr.Expr, len(items))
	for i, it := range items {
		if eqs[i], err = b.make(e.List[i], "=", x, it); err != nil {
			return nil, err
		}
	}
	if len(eqs) == 1 {
		return eqs[0], nil
	}
	return b.make(e, "or", eqs...)
}

// allLiterals reports an "in" call whose items are literals after casts were folded (or
// anything that is no call any more).
func allLiterals(e expr.Expr) bool {
	args, ok := expr.IsCall(e, "in")
	if !ok {
		return true
	}
	for _, a := range args[1:] {
		if _, ok := a.(*expr.Literal); !ok {
			return false
		}
	}
	return true
}

// rowIn is (a, b) IN ((1, 2), (3, 4)).
func (b *binder) rowIn(s *scope, e *ast.In, row *ast.Row) (expr.Expr, error) {
	l, err := b.exprs(s, row.Items)
	if err != nil {
		return nil, err
	}
	var eqs []expr.Expr
	for _, it := range e.List {
		r, ok := it.(*ast.Row)
		if !ok || len(r.Items) != len(l) {
			return nil, sqlerr.New(sqlerr.OperandColumns, "Operand should contain %d column(s)", len(l)).At(it.Position())
		}
		items, err := b.exprs(s, r.Items)
		if err != nil {
			return nil, err
		}
		eq, err := b.compareRows(it, "=", l, items)
		if err != nil {
			return nil, err
		}
		eqs = append(eqs, eq)
	}
	if len(eqs) == 1 {
		return eqs[0], nil
	}
	return b.make(e, "or", eqs...)
}

// like binds LIKE and REGEXP; an escape character is a third argument.
func (b *binder) like(s *scope, e *ast.Like) (expr.Expr, error) {
	args, err := b.exprs(s, []ast.Expr{e.X, e.Pattern})
	if err != nil {
		return nil, err
	}
	name := "like"
	if e.Regexp {
		name = "regexp"
	} else if e.Escape != "" && e.Escape != `\` {
		args = append(args, expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), e.Escape)))
	}
	x, err := b.make(e, name, args...)
	if err != nil || !e.Not {
		return x, err
	}
	return b.make(e, "not", x)
}
