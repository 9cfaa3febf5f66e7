package expr

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// Fold computes e when it is a call of constants, by running its kernel on one row, and
// gives the constant; other expressions come back as they are, and so do volatile calls
// and, when ctx is nil, calls that depend on the session. An
// error is the user's: the constants cannot be computed. Callers to whom that is not final (the
// call may never run) keep e.
func Fold(e Expr, ctx *function.Context) (Expr, error) {
	c, ok := e.(*Call)
	if !ok || c.Fn.Stability == function.Volatile || c.Fn.New == nil || ctx == nil && c.Fn.Stability != function.Immutable {
		return e, nil
	}
	consts := make([]*vector.Value, len(c.Args))
	args := make([]*vector.Vector, len(c.Args))
	hasNull := false
	for i, a := range c.Args {
		l, ok := a.(*Literal)
		if !ok {
			return e, nil
		}
		consts[i] = &l.Value
		hasNull = hasNull || l.Value.Null
		args[i] = vector.New(l.Value.Type, 1)
		args[i].SetValue(0, l.Value)
	}
	if hasNull && c.Fn.Nulls == function.Propagate {
		return Null(c.Fn.Result), nil
	}
	if ctx == nil {
		ctx = &function.Context{}
	}
	kernel, err := c.Fn.New(consts)
	if err != nil {
		return nil, err
	}
	out := vector.New(c.Fn.Result, 1)
	if err := kernel(ctx, args, nil, out); err != nil {
		return nil, err
	}
	return Lit(out.Value(0)), nil
}

// FoldTree folds every foldable call in e, innermost first. Calls whose constants cannot be
// computed stay, so that their error comes when (and if) they run.
func FoldTree(e Expr, ctx *function.Context) Expr {
	return Rewrite(e, func(e Expr) Expr {
		f, err := Fold(e, ctx)
		if err != nil {
			return e
		}
		return f
	})
}
