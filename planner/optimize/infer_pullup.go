package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// known are conditions that hold of every output row of n, over n's columns: the pull-up half of inference. What ON
// of an outer join says is true of matching pairs only and stays in the join; see inferrer.join.
func (f *inferrer) known(n logical.Node) []expr.Expr {
	if conds, ok := f.pulled[n]; ok {
		return conds
	}
	conds := f.pullUp(n)
	f.pulled[n] = conds
	return conds
}

func (f *inferrer) pullUp(n logical.Node) []expr.Expr {
	switch n := n.(type) {
	case *logical.Scan:
		return n.Filter
	case *logical.Filter:
		return both(n.Conds, f.known(n.Input))
	case *logical.Project:
		return f.knownOfExprs(f.known(n.Input), n.Exprs, n.Cols)
	case *logical.Aggregate:
		if len(n.Groups) == 0 || !everySetHasAny(n.Sets) {
			return nil // no input gives a row all the same
		}
		var exprs []expr.Expr
		var cols []expr.Column
		for i, g := range n.Groups {
			if everySetHas(n.Sets, i) {
				exprs, cols = append(exprs, g), append(cols, n.Cols[i])
			}
		}
		return f.knownOfExprs(f.known(n.Input), exprs, cols)
	case *logical.Distinct:
		return f.known(n.Input)
	case *logical.Unnest:
		return f.known(n.Input)
	case *logical.Window:
		return f.known(n.Input)
	case *logical.Sort:
		return f.known(n.Input)
	case *logical.Limit:
		return f.known(n.Input)
	case *logical.Join:
		return f.knownOfJoin(n)
	case *logical.SetOp:
		return f.knownOfSetOp(n)
	case *logical.Values:
		return knownOfValues(n)
	case *logical.CTERef:
		return renamed(f.known(n.CTE.Plan), namesOf(n.CTE.Plan.Columns(), n.Cols))
	}
	return nil
}

func both(lists ...[]expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func (f *inferrer) knownOfJoin(n *logical.Join) []expr.Expr {
	switch n.Kind {
	case logical.Inner:
		return both(n.On, f.known(n.LeftInput), f.known(n.RightInput))
	case logical.Semi: // some right row matches: what it satisfies limits the left row
		left := f.known(n.LeftInput)
		s := f.closure(n)
		return both(left, s.missing(n.LeftInput.Columns(), left))
	case logical.Right:
		return f.known(n.RightInput)
	case logical.Full:
		return nil
	}
	return f.known(n.LeftInput)
}

// closure is all that follows for a pair of rows that match.
func (f *inferrer) closure(n *logical.Join) *closure {
	guards := append(f.guarded(n.LeftInput), f.guarded(n.RightInput)...)
	return closureOf(both(n.On, f.known(n.LeftInput), f.known(n.RightInput)), f.fc, guards...)
}

// namesOf maps columns to those that stand for them, by position.
func namesOf(from, to []expr.Column) map[expr.ColumnID]expr.Expr {
	at := make(map[expr.ColumnID]expr.Expr, len(from))
	for i, c := range from {
		at[c.ID] = expr.Ref(to[i])
	}
	return at
}

// renamed keeps the conditions all of whose columns have a name above.
func renamed(conds []expr.Expr, at map[expr.ColumnID]expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		ok := !expr.HasSubquery(c)
		for _, id := range expr.Columns(c).IDs() {
			_, has := at[id]
			ok = ok && has
		}
		if ok {
			out = append(out, substituted(c, at))
		}
	}
	return out
}

// knownOfExprs reads conditions on an input over the outputs that are made of it: plain columns, casts that
// lose nothing, constants.
func (f *inferrer) knownOfExprs(below []expr.Expr, exprs []expr.Expr, cols []expr.Column) []expr.Expr {
	at := map[expr.ColumnID]expr.Expr{}
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); ok {
			at[c.ID] = expr.Ref(cols[i])
		}
	}
	out := renamed(below, at)
	var s *closure
	for i, e := range exprs {
		if lit, ok := e.(*expr.Literal); ok {
			if eq, err := expr.NewCall("=", expr.Ref(cols[i]), lit); err == nil && !lit.Value.Null {
				out = append(out, eq)
			}
			continue
		}
		col, casts := widened(e)
		if col == nil || len(casts) == 0 && isName(at[col.ID], cols[i]) {
			continue
		}
		if s == nil {
			s = closureOf(below, f.fc)
		}
		if t, ok := s.at[col.ID]; ok {
			out = append(out, asConditions(s.known[s.root(t)], cols[i], &values{})...)
		}
	}
	return out
}

func isName(e expr.Expr, c expr.Column) bool {
	x, ok := e.(*expr.Column)
	return ok && x.ID == c.ID
}

// knownOfSetOp: rows of an INTERSECT are rows of both inputs, rows of an EXCEPT of the first; of a UNION,
// what each input says of a column is put together.
func (f *inferrer) knownOfSetOp(n *logical.SetOp) []expr.Expr {
	lists := make([][]expr.Expr, len(n.Inputs))
	for i, in := range n.Inputs {
		lists[i] = renamed(f.known(in), namesOf(in.Columns(), n.Cols))
	}
	switch n.Kind {
	case logical.Intersect:
		return both(lists...)
	case logical.Except:
		return lists[0]
	}
	return f.knownOfAny(lists, n.Cols)
}

// knownOfAny is what holds of a row for which one of the lists holds.
func (f *inferrer) knownOfAny(lists [][]expr.Expr, cols []expr.Column) []expr.Expr {
	var out []expr.Expr
	var hulls direct
	for i, l := range lists {
		s := closureOf(l, f.fc)
		d := s.direct(cols)
		switch {
		case i == 0:
			hulls = d
		default:
			hulls = hulls.hull(d)
		}
	}
	for _, c := range cols {
		out = append(out, asConditions(hulls.values(c.ID), c, &values{})...)
	}
	for _, c := range lists[0] {
		everywhere := true
		for _, l := range lists[1:] {
			everywhere = everywhere && containsExpr(l, c)
		}
		if everywhere && !containsExpr(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// knownOfValues: a column of a list of rows is one of its values.
func knownOfValues(n *logical.Values) []expr.Expr {
	if len(n.Rows) == 0 || len(n.Rows) > maxHullPoints {
		return nil
	}
	var out []expr.Expr
	for i, c := range n.Cols {
		args := []expr.Expr{expr.Ref(c)}
		for _, row := range n.Rows {
			lit, ok := row[i].(*expr.Literal)
			if !ok || lit.Value.Null || !lit.Value.Type.Equal(c.T) {
				args = nil
				break
			}
			args = append(args, lit)
		}
		name := "in"
		if len(args) == 2 {
			name = "="
		}
		if len(args) > 1 {
			if e, err := expr.NewCall(name, args...); err == nil {
				out = append(out, e)
			}
		}
	}
	return out
}

// guarded is what holds of the rows of n in which the NULL-filled side of an outer join is not NULL.
func (f *inferrer) guarded(n logical.Node) []guard {
	switch n := n.(type) {
	case *logical.Filter:
		return f.guarded(n.Input)
	case *logical.Unnest:
		return f.guarded(n.Input)
	case *logical.Window:
		return f.guarded(n.Input)
	case *logical.Sort:
		return f.guarded(n.Input)
	case *logical.Limit:
		return f.guarded(n.Input)
	case *logical.Project:
		at := map[expr.ColumnID]expr.Expr{}
		for i, e := range n.Exprs {
			if c, ok := e.(*expr.Column); ok {
				at[c.ID] = expr.Ref(n.Cols[i])
			}
		}
		var out []guard
		for _, g := range f.guarded(n.Input) {
			m := guard{conds: renamed(g.conds, at)}
			for id, e := range at {
				if g.cols.Has(id) {
					m.cols.Add(e.(*expr.Column).ID)
				}
			}
			out = append(out, m)
		}
		return out
	case *logical.Join:
		return f.guardedByJoin(n)
	}
	return nil
}

func (f *inferrer) guardedByJoin(n *logical.Join) []guard {
	left, right := f.guarded(n.LeftInput), f.guarded(n.RightInput)
	filled := func(side logical.Node, conds ...[]expr.Expr) guard {
		return guard{logical.Outputs(side), both(append(conds, f.known(side))...)}
	}
	switch n.Kind {
	case logical.Inner:
		return append(left, right...)
	case logical.Left, logical.Single:
		return append(append(left, right...), filled(n.RightInput, n.On))
	case logical.Right:
		return append(append(left, right...), filled(n.LeftInput, n.On))
	case logical.Full:
		return append(append(left, right...), filled(n.LeftInput), filled(n.RightInput))
	}
	return left
}
