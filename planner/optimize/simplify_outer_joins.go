package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// simplifyOuterJoins turns outer joins into inner ones (or full into one-sided) where rows with the
// NULLs that they add are thrown away above, and scalar-subquery joins into outer ones where at most one row can match.
//
// Source: Galindo-Legaria and Rosenthal, Outerjoin Simplification and Reordering, TODS 1997.
func simplifyOuterJoins(_ *Context, n logical.Node) (logical.Node, error) {
	return nonNull(n, expr.ColumnSet{}), nil
}

// nonNull simplifies n, of whose rows only those are used that have no NULL in the columns of rejected.
func nonNull(n logical.Node, rejected expr.ColumnSet) logical.Node {
	switch n := n.(type) {
	case *logical.Filter:
		below := rejected.Clone()
		for _, c := range n.Conds {
			below.AddAll(rejectedBy(c))
		}
		return rebuild(n, nonNull(n.Input, below))
	case *logical.Project:
		return rebuild(n, nonNull(n.Input, throughExprs(rejected, n.Cols, n.Exprs)))
	case *logical.Aggregate:
		if n.Sets != nil || len(n.Groups) == 0 {
			return rebuild(n, nonNull(n.Input, expr.ColumnSet{}))
		}
		return rebuild(n, nonNull(n.Input, throughExprs(rejected, n.Cols[:len(n.Groups)], n.Groups)))
	case *logical.Distinct:
		return rebuild(n, nonNull(n.Input, rejected))
	case *logical.Unnest:
		return nonNullUnnest(n, rejected)
	case *logical.Window:
		return rebuild(n, nonNull(n.Input, rejected.Intersect(partitionColumns(n))))
	case *logical.Sort:
		if n.Limit < 0 && n.Offset == 0 {
			return rebuild(n, nonNull(n.Input, rejected))
		}
	case *logical.Join:
		return nonNullJoin(n, rejected)
	}
	return logical.RewriteChildren(n, func(c logical.Node) logical.Node { return nonNull(c, expr.ColumnSet{}) })
}

// rebuild is n over another only input, n itself over the same.
func rebuild(n, input logical.Node) logical.Node {
	if n.Children()[0] == input {
		return n
	}
	return n.WithChildren([]logical.Node{input})
}

// nonNullUnnest: OUTER goes where the rows that it adds are thrown away. A row whose only array is NULL then gives none.
func nonNullUnnest(n *logical.Unnest, rejected expr.ColumnSet) logical.Node {
	m := *n
	made := expr.SetOfColumns(n.Cols)
	if n.Outer && !n.Fn.Outer && rejected.Intersects(made) {
		m.Outer = false
	}
	below := rejected.Intersect(logical.Outputs(n.Input))
	if !m.Outer && len(n.Args) == 1 && n.Args[0].Type().IsNested() {
		below.AddAll(strictIn(n.Args[0]))
	}
	m.Input = nonNull(n.Input, below)
	if m.Outer == n.Outer && m.Input == n.Input {
		return n
	}
	return &m
}

func throughExprs(rejected expr.ColumnSet, cols []expr.Column, exprs []expr.Expr) expr.ColumnSet {
	var below expr.ColumnSet
	for i, c := range cols {
		if rejected.Has(c.ID) {
			below.AddAll(strictIn(exprs[i]))
		}
	}
	return below
}

func nonNullJoin(n *logical.Join, rejected expr.ColumnSet) logical.Node {
	m := *n
	lcols, rcols := logical.Outputs(n.LeftInput), logical.Outputs(n.RightInput)
	m.Kind = simplerKind(n, rejected, lcols, rcols)
	var on expr.ColumnSet
	for _, c := range n.On {
		on.AddAll(rejectedBy(c))
	}
	var left, right expr.ColumnSet
	switch m.Kind {
	case logical.Inner:
		left, right = union(rejected, on), union(rejected, on)
	case logical.Semi:
		left, right = union(rejected, on), on
	case logical.Left, logical.Single, logical.Anti:
		left, right = rejected, on
	case logical.Right:
		left, right = on, rejected
	case logical.Mark, logical.NullAwareAnti:
		left = rejected
	}
	m.LeftInput = nonNull(n.LeftInput, left.Intersect(lcols))
	m.RightInput = nonNull(n.RightInput, right.Intersect(rcols))
	if m.Kind == n.Kind && m.LeftInput == n.LeftInput && m.RightInput == n.RightInput {
		return n
	}
	return &m
}

func union(a, b expr.ColumnSet) expr.ColumnSet {
	out := a.Clone()
	out.AddAll(b)
	return out
}

func simplerKind(n *logical.Join, rejected, lcols, rcols expr.ColumnSet) logical.JoinKind {
	kind := n.Kind
	if kind == logical.Single && atMostOneMatch(n, rcols) {
		kind = logical.Left
	}
	if kind == logical.Left && len(n.On) == 0 && logical.YieldsOneRow(n.RightInput) {
		return logical.Inner
	}
	needLeft, needRight := rejected.Intersects(lcols), rejected.Intersects(rcols)
	switch {
	case kind == logical.Left && needRight, kind == logical.Right && needLeft, kind == logical.Full && needLeft && needRight:
		return logical.Inner
	case kind == logical.Full && needLeft:
		return logical.Left
	case kind == logical.Full && needRight:
		return logical.Right
	}
	return kind
}

// atMostOneMatch: the right side is one row, or is grouped by columns that the condition all equates.
func atMostOneMatch(n *logical.Join, rcols expr.ColumnSet) bool {
	if logical.YieldsOneRow(n.RightInput) {
		return true
	}
	var equated expr.ColumnSet
	lcols := logical.Outputs(n.LeftInput)
	for _, c := range n.On {
		if _, r, ok := splitEquality(c, lcols, rcols); ok {
			if col, ok := r.(*expr.Column); ok {
				equated.Add(col.ID)
			}
		}
	}
	return uniqueBy(n.RightInput, equated)
}

// uniqueBy reports whether no two rows of n agree in all the columns.
func uniqueBy(n logical.Node, cols expr.ColumnSet) bool {
	switch n := n.(type) {
	case *logical.Filter:
		return uniqueBy(n.Input, cols)
	case *logical.Sort:
		return uniqueBy(n.Input, cols)
	case *logical.Window:
		return numbered(n, cols) || uniqueBy(n.Input, cols)
	case *logical.Limit:
		return n.Count >= 0 && n.Count <= 1 || uniqueBy(n.Input, cols)
	case *logical.Project:
		var below expr.ColumnSet
		for i, c := range n.Cols {
			if col, ok := n.Exprs[i].(*expr.Column); ok && cols.Has(c.ID) {
				below.Add(col.ID)
			}
		}
		return uniqueBy(n.Input, below)
	case *logical.Distinct:
		return logical.Outputs(n).SubsetOf(cols)
	case *logical.Aggregate:
		return n.Sets == nil && expr.SetOfColumns(n.Cols[:len(n.Groups)]).SubsetOf(cols)
	case *logical.Join:
		if n.Kind == logical.Semi || n.Kind == logical.Anti || n.Kind == logical.NullAwareAnti || n.Kind == logical.Mark || n.Kind == logical.Single {
			return uniqueBy(n.LeftInput, cols)
		}
	}
	return logical.YieldsOneRow(n)
}

// numbered: the columns hold the partition keys and the rows' numbers among them.
func numbered(n *logical.Window, cols expr.ColumnSet) bool {
	if !partitionColumns(n).SubsetOf(cols) || partitionColumns(n).Len() < len(n.Partition) {
		return false
	}
	for i, w := range n.Funcs {
		if w.Fn.Kind == function.RowNumber && cols.Has(n.Cols[i].ID) {
			return true
		}
	}
	return false
}

// rejectedBy is the set of columns that cannot be NULL in a row for which e is true.
func rejectedBy(e expr.Expr) expr.ColumnSet {
	c, ok := e.(*expr.Call)
	if !ok {
		return strictIn(e)
	}
	switch c.Fn.Name {
	case "and":
		var out expr.ColumnSet
		for _, a := range c.Args {
			out.AddAll(rejectedBy(a))
		}
		return out
	case "or":
		out := rejectedBy(c.Args[0])
		for _, a := range c.Args[1:] {
			out = out.Intersect(rejectedBy(a))
		}
		return out
	case "is_not_null":
		return strictIn(c.Args[0])
	case "is_true":
		return rejectedBy(c.Args[0])
	case "not":
		if inner, ok := expr.IsCall(c.Args[0], "is_null"); ok {
			return strictIn(inner[0])
		}
	}
	return strictIn(e)
}

// strictIn is the set of columns whose NULL makes e NULL.
func strictIn(e expr.Expr) expr.ColumnSet {
	var out expr.ColumnSet
	switch e := e.(type) {
	case *expr.Column:
		out.Add(e.ID)
	case *expr.Call:
		if e.Fn.Nulls == function.Propagate {
			for _, a := range e.Args {
				out.AddAll(strictIn(a))
			}
		} else if e.Fn.Name == "in" {
			out = strictIn(e.Args[0])
		}
	}
	return out
}
