package expr

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Lambda is the function that a higher-order call (array_map, array_filter) applies to elements; it is such
// a call's first argument. Its body is closed: it reads Fields only, the parameters first, then the values of Captured,
// which are expressions over the row around the call and the Lambda's only children. So whatever rewrites
// expressions by columns needs to know nothing of parameters.
type Lambda struct {
	Params   []string // names, for EXPLAIN
	Captured []Expr
	Body     Expr
}

func (*Lambda) isExpr() {}

// Type implements Expr: the body's.
func (e *Lambda) Type() sqltype.Type { return e.Body.Type() }

// Nullable implements Expr.
func (e *Lambda) Nullable() bool { return e.Body.Nullable() }

// LambdaOf is the lambda of a higher-order call; nil for any other call.
func LambdaOf(c *Call) *Lambda {
	if len(c.Args) == 0 {
		return nil
	}
	l, _ := c.Args[0].(*Lambda)
	return l
}

// open is the body with captured expressions in their places, for printing.
func (e *Lambda) open() Expr {
	return Rewrite(e.Body, func(x Expr) Expr {
		f, ok := x.(*Field)
		if !ok {
			return x
		}
		if i := int(f.Index); i >= len(e.Params) {
			return e.Captured[i-len(e.Params)]
		}
		return &Column{Name: f.Name, T: f.T, Null: f.Null}
	})
}

// CloseLambda makes a Lambda of a body over the columns of params and of the row around it. Expressions that do
// not depend on parameters are captured whole, and so computed once a row, where capture allows it; columns always are.
func CloseLambda(params []Column, body Expr, capture func(Expr) bool) *Lambda {
	l := &Lambda{}
	for _, p := range params {
		l.Params = append(l.Params, p.Name)
	}
	l.Body = l.closed(params, body, capture)
	return l
}

func (e *Lambda) closed(params []Column, x Expr, capture func(Expr) bool) Expr {
	c, isColumn := x.(*Column)
	if isColumn {
		for i, p := range params {
			if p.ID == c.ID {
				return &Field{Index: FieldIndex(i), Name: c.Name, T: c.T, Null: c.Null}
			}
		}
	}
	_, isLambda := x.(*Lambda) // is no value, what it captures is
	switch x.(type) {
	case *Literal:
		return x
	case *Field:
		panic(invariant.Failed("a field in a lambda that is not closed"))
	}
	if isColumn || !isLambda && capture(x) {
		return e.captured(x)
	}
	return RewriteChildren(x, func(a Expr) Expr { return e.closed(params, a, capture) })
}

// captured is the field of x, each expression once.
func (e *Lambda) captured(x Expr) Expr {
	at := -1
	for i, c := range e.Captured {
		if Equal(c, x) {
			at = i
		}
	}
	if at < 0 {
		at = len(e.Captured)
		e.Captured = append(e.Captured, x)
	}
	name := "captured"
	if c, ok := x.(*Column); ok {
		name = c.Name
	}
	return &Field{Index: FieldIndex(len(e.Params) + at), Name: name, T: x.Type(), Null: x.Nullable()}
}
