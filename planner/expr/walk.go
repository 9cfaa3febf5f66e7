package expr

import "github.com/basaltdb/basalt/internal/invariant"

// Children are the direct operands of e, in order. A subquery's plan is not among them,
// its Left expressions are; a lambda's are what it captures, not its body; an aggregate's are its arguments, sort keys, then its filter.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Column, *Field, *Literal:
		return nil
	case *Call:
		return e.Args
	case *Subquery:
		return e.Left
	case *Lambda:
		return e.Captured
	case *Window:
		return e.children()
	case *Aggregate:
		if len(e.OrderBy) == 0 && e.Filter == nil {
			return e.Args
		}
		out := append([]Expr(nil), e.Args...)
		for _, k := range e.OrderBy {
			out = append(out, k.Expr)
		}
		if e.Filter != nil {
			out = append(out, e.Filter)
		}
		return out
	}
	panic(invariant.Failed("children of %T", e))
}

// WithChildren is a copy of e over other operands: as many as Children(e), of the same types.
func WithChildren(e Expr, c []Expr) Expr {
	switch e := e.(type) {
	case *Column, *Field, *Literal:
		return e
	case *Call:
		return &Call{Fn: e.Fn, Args: c}
	case *Subquery:
		s := *e
		s.Left = c
		return &s
	case *Lambda:
		return &Lambda{Params: e.Params, Captured: c, Body: e.Body}
	case *Window:
		return e.withChildren(c)
	case *Aggregate:
		a := *e
		a.Args, c = c[:len(e.Args):len(e.Args)], c[len(e.Args):]
		if len(e.OrderBy) > 0 {
			a.OrderBy = make([]SortKey, len(e.OrderBy))
			for i, k := range e.OrderBy {
				k.Expr = c[i]
				a.OrderBy[i] = k
			}
			c = c[len(e.OrderBy):]
		}
		if e.Filter != nil {
			a.Filter = c[0]
		}
		return &a
	}
	panic(invariant.Failed("rebuild of %T", e))
}

// Walk calls f for e and everything below it, parents first; where f returns false it does not go
// below. Plans of subqueries are not entered.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, c := range Children(e) {
		Walk(c, f)
	}
}

// Rewrite replaces every node of e by f(node), operands first. Nodes that nothing changed
// below are passed as they are, so that f(x) == x everywhere gives e back.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	return f(RewriteChildren(e, func(c Expr) Expr { return Rewrite(c, f) }))
}

// RewriteChildren is e over f(child) for each of its children; e itself when none changed.
func RewriteChildren(e Expr, f func(Expr) Expr) Expr {
	old := Children(e)
	var out []Expr
	for i, c := range old {
		n := f(c)
		if n != c && out == nil {
			out = append(make([]Expr, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return e
	}
	return WithChildren(e, out)
}

// Columns is the set of columns that e reads. Columns that plans of subqueries in e read
// from outside are not included; see logical.FreeColumns.
func Columns(e Expr) ColumnSet {
	var s ColumnSet
	AddColumns(&s, e)
	return s
}

// AddColumns adds the columns that e reads to s.
func AddColumns(s *ColumnSet, e Expr) {
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok {
			s.Add(c.ID)
		}
		return true
	})
}

// Substitute replaces columns by expressions: those for which f gives one.
func Substitute(e Expr, f func(*Column) (Expr, bool)) Expr {
	return Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Column); ok {
			if r, ok := f(c); ok {
				return r
			}
		}
		return e
	})
}

// HasSubquery reports whether a subquery occurs in e.
func HasSubquery(e Expr) bool {
	found := false
	Walk(e, func(e Expr) bool {
		if _, ok := e.(*Subquery); ok {
			found = true
		}
		return !found
	})
	return found
}

// HasAggregate reports whether an aggregate occurs in e.
func HasAggregate(e Expr) bool {
	found := false
	Walk(e, func(e Expr) bool {
		if _, ok := e.(*Aggregate); ok {
			found = true
		}
		return !found
	})
	return found
}
