package expr

import "github.com/basaltdb/basalt/internal/function"

// Equal reports whether a and b compute the same from the same columns. Subqueries are
// equal only to themselves. Calls of volatile functions compare as written: whoever
// merges them asks IsVolatile first.
func Equal(a, b Expr) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil {
		return false
	}
	switch x := a.(type) {
	case *Column:
		y, ok := b.(*Column)
		return ok && x.ID == y.ID
	case *Field:
		y, ok := b.(*Field)
		return ok && x.Index == y.Index
	case *Literal:
		y, ok := b.(*Literal)
		return ok && equalLiteral(x, y)
	case *Call:
		y, ok := b.(*Call)
		return ok && SameScalar(x.Fn, y.Fn) && equalAll(x.Args, y.Args)
	case *Lambda:
		y, ok := b.(*Lambda)
		return ok && len(x.Params) == len(y.Params) && equalAll(x.Captured, y.Captured) && Equal(x.Body, y.Body)
	case *Aggregate:
		y, ok := b.(*Aggregate)
		return ok && equalAggregate(x, y)
	case *Window:
		y, ok := b.(*Window)
		return ok && equalWindow(x, y)
	}
	return false
}

func equalLiteral(x, y *Literal) bool {
	if !x.Value.Type.Equal(y.Value.Type) || x.Value.Null != y.Value.Null {
		return false
	}
	return x.Value.Null || x.Value.I == y.Value.I && x.Value.S == y.Value.S &&
		(x.Value.F == y.Value.F || x.Value.F != x.Value.F && y.Value.F != y.Value.F)
}

func equalAggregate(x, y *Aggregate) bool {
	if x.Fn.Name != y.Fn.Name || !x.Fn.Result.Equal(y.Fn.Result) || x.Distinct != y.Distinct ||
		!equalAll(x.Args, y.Args) || !Equal(x.Filter, y.Filter) {
		return false
	}
	return SameKeys(x.OrderBy, y.OrderBy)
}

func equalAll(x, y []Expr) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// SameScalar reports whether f and g are the same overload.
func SameScalar(f, g *function.Scalar) bool {
	if f == g {
		return true
	}
	if f.Name != g.Name || !f.Result.Equal(g.Result) || len(f.Params) != len(g.Params) {
		return false
	}
	for i := range f.Params {
		if !f.Params[i].Equal(g.Params[i]) {
			return false
		}
	}
	return true
}

// IsVolatile reports whether e gives another value each time (rand(), uuid()).
func IsVolatile(e Expr) bool {
	found := false
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Call:
			found = found || e.Fn.Stability == function.Volatile
		case *Lambda:
			found = found || IsVolatile(e.Body)
		}
		return !found
	})
	return found
}

// MayFail reports whether computing e can end in an error for some rows.
func MayFail(e Expr) bool {
	found := false
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Call:
			found = found || e.Fn.Fails
		case *Lambda:
			found = found || MayFail(e.Body)
		}
		return !found
	})
	return found
}
