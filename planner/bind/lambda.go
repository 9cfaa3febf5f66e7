package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// lambdaArg is which argument of a call is a lambda: the first in Doris, the last in Trino and Spark; -1: none.
func lambdaArg(c *ast.Call) int {
	for i, a := range c.Args {
		if _, ok := a.(*ast.Lambda); ok {
			return i
		}
	}
	return -1
}

// higherOrder binds a call whose argument number pos is a lambda: its parameters get the types of the elements of
// the other arguments.
func (b *binder) higherOrder(s *scope, c *ast.Call, pos int) (expr.Expr, error) {
	lambda := c.Args[pos].(*ast.Lambda)
	var rest []ast.Expr
	for i, a := range c.Args {
		if i == pos {
			continue
		}
		if _, ok := a.(*ast.Lambda); ok {
			return nil, sqlerr.Unsupported("A second lambda in " + c.Name).At(a.Position())
		}
		rest = append(rest, a)
	}
	args, err := b.exprs(s, rest)
	if err != nil {
		return nil, err
	}
	h, err := function.ResolveHigher(c.Name, expr.ArgsOf(args), len(lambda.Params))
	if err != nil {
		return nil, at(err, c)
	}
	params := make([]expr.Column, len(lambda.Params))
	inner := *s
	for i, name := range lambda.Params {
		for _, p := range params[:i] {
			if equalName(p.Name, name) {
				return nil, sqlerr.New(sqlerr.WrongArguments, "The lambda parameter '%s' occurs twice", name).At(lambda.Position())
			}
		}
		params[i] = b.newColumn(name, h.Lambda[i], true)
		inner.lambda = append([]named{{name: name, col: params[i]}}, inner.lambda...)
	}
	body, err := b.expr(&inner, lambda.Body)
	if err != nil {
		return nil, err
	}
	if h.Truth {
		if body, err = b.truth(body, lambda.Body); err != nil {
			return nil, err
		}
	}
	fn, err := h.Of(body.Type())
	if err != nil {
		return nil, at(err, c)
	}
	if body, err = expr.CastTo(body, fn.Params[0]); err != nil {
		return nil, at(err, lambda)
	}
	l, err := b.closeLambda(params, b.fold(body), lambda)
	if err != nil {
		return nil, err
	}
	call := &expr.Call{Fn: fn, Args: []expr.Expr{l}}
	for i, a := range args {
		x, err := expr.CastTo(a, fn.Params[i+1])
		if err != nil {
			return nil, at(err, c)
		}
		call.Args = append(call.Args, b.fold(x))
	}
	return call, nil
}

// closeLambda captures what does not depend on the parameters: subqueries and aggregates, which belong to the
// query around, and expressions of columns that cannot fail, so that they are computed once a row.
func (b *binder) closeLambda(params []expr.Column, body expr.Expr, n *ast.Lambda) (*expr.Lambda, error) {
	own := expr.SetOfColumns(params)
	var failed error
	capture := func(e expr.Expr) bool {
		free := logical.FreeColumnsOf(e)
		switch e.(type) {
		case *expr.Subquery, *expr.Aggregate:
			if free.Intersects(own) {
				failed = sqlerr.Unsupported("A subquery or aggregate over the parameters of a lambda").At(n.Position())
			}
			return true
		}
		return !free.Empty() && !free.Intersects(own) && !expr.IsVolatile(e) && !expr.MayFail(e)
	}
	l := expr.CloseLambda(params, body, capture)
	return l, failed
}
