package logical

import "github.com/basaltdb/basalt/planner/expr"

// Walk calls f for n and everything below it, parents first; where f returns false it does
// not go below. Shared plans of CTEs and plans of subqueries are not entered.
func Walk(n Node, f func(Node) bool) {
	if !f(n) {
		return
	}
	for _, c := range n.Children() {
		Walk(c, f)
	}
}

// Rewrite replaces every node by f(node), inputs first. Nodes that nothing changed below
// are passed as they are.
func Rewrite(n Node, f func(Node) Node) Node {
	return f(RewriteChildren(n, func(c Node) Node { return Rewrite(c, f) }))
}

// RewriteChildren is n over f(child) for each of its children; n itself when none changed.
func RewriteChildren(n Node, f func(Node) Node) Node {
	old := n.Children()
	var out []Node
	for i, c := range old {
		m := f(c)
		if m != c && out == nil {
			out = append(make([]Node, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, m)
		}
	}
	if out == nil {
		return n
	}
	return n.WithChildren(out)
}

// EachExpr calls f for every expression that n itself holds.
func EachExpr(n Node, f func(expr.Expr)) {
	each := func(list []expr.Expr) {
		for _, e := range list {
			f(e)
		}
	}
	switch n := n.(type) {
	case *Scan:
		each(n.Filter)
	case *Filter:
		each(n.Conds)
	case *Project:
		each(n.Exprs)
	case *Join:
		each(n.On)
	case *Apply:
		each(n.On)
	case *Unnest:
		each(n.Args)
	case *Aggregate:
		each(n.Groups)
		for _, a := range n.Aggs {
			f(a)
		}
	case *Window:
		each(n.Partition)
		for _, k := range n.Order {
			f(k.Expr)
		}
		for _, w := range n.Funcs {
			f(w)
		}
	case *Sort:
		for _, k := range n.Keys {
			f(k.Expr)
		}
	case *Values:
		for _, row := range n.Rows {
			each(row)
		}
	}
}

// MapExprs is a copy of n with every expression e that n itself holds replaced by f(e), n
// itself when nothing changed. f must keep types, and give an *expr.Aggregate or *expr.Window for one.
func MapExprs(n Node, f func(expr.Expr) expr.Expr) Node {
	changed := false
	mapped := func(list []expr.Expr) []expr.Expr {
		out := make([]expr.Expr, len(list))
		for i, e := range list {
			out[i] = f(e)
			changed = changed || out[i] != e
		}
		return out
	}
	keys := func(list []expr.SortKey) []expr.SortKey {
		out := make([]expr.SortKey, len(list))
		for i, k := range list {
			e := f(k.Expr)
			changed = changed || e != k.Expr
			k.Expr = e
			out[i] = k
		}
		return out
	}
	var out Node = n
	switch n := n.(type) {
	case *Scan:
		m := *n
		m.Filter = mapped(n.Filter)
		out = &m
	case *Filter:
		out = &Filter{Input: n.Input, Conds: mapped(n.Conds)}
	case *Project:
		out = &Project{Input: n.Input, Exprs: mapped(n.Exprs), Cols: n.Cols}
	case *Join:
		m := *n
		m.On = mapped(n.On)
		out = &m
	case *Apply:
		m := *n
		m.On = mapped(n.On)
		out = &m
	case *Unnest:
		m := *n
		m.Args = mapped(n.Args)
		out = &m
	case *Aggregate:
		m := *n
		m.Groups = mapped(n.Groups)
		m.Aggs = make([]*expr.Aggregate, len(n.Aggs))
		for i, a := range n.Aggs {
			m.Aggs[i] = f(a).(*expr.Aggregate)
			changed = changed || m.Aggs[i] != a
		}
		out = &m
	case *Sort:
		m := *n
		m.Keys = keys(n.Keys)
		out = &m
	case *Window:
		m := *n
		m.Partition, m.Order = mapped(n.Partition), keys(n.Order)
		m.Funcs = make([]*expr.Window, len(n.Funcs))
		for i, w := range n.Funcs {
			m.Funcs[i] = f(w).(*expr.Window)
			changed = changed || m.Funcs[i] != w
		}
		out = &m
	case *Values:
		m := *n
		m.Rows = make([][]expr.Expr, len(n.Rows))
		for i, row := range n.Rows {
			m.Rows[i] = mapped(row)
		}
		out = &m
	}
	if !changed {
		return n
	}
	return out
}

// Outputs is the set of n's output ids.
func Outputs(n Node) expr.ColumnSet { return expr.SetOfColumns(n.Columns()) }

// produced adds to s the ids that n itself makes; pass-through nodes make none.
func produced(s *expr.ColumnSet, n Node) {
	var cols []expr.Column
	switch n := n.(type) {
	case *Scan:
		cols = n.Cols
	case *Project:
		cols = n.Cols
	case *Aggregate:
		cols = n.Cols
	case *SetOp:
		cols = n.Cols
	case *Values:
		cols = n.Cols
	case *CTERef:
		cols = n.Cols
	case *Unnest:
		cols = n.Cols
	case *Window:
		cols = n.Cols
	case *Write:
		cols = n.Cols
	case *Join:
		if n.MarkColumn != nil {
			s.Add(n.MarkColumn.ID)
		}
	case *Apply:
		if n.MarkColumn != nil {
			s.Add(n.MarkColumn.ID)
		}
	}
	for i := range cols {
		s.Add(cols[i].ID)
	}
}

// FreeColumns is the set of columns that the plan reads but nothing in it makes: the
// outer references of a correlated subquery. Ids are unique in a plan, so that a plan's
// own columns can be told from outer ones wherever they occur.
func FreeColumns(n Node) expr.ColumnSet {
	var used, made expr.ColumnSet
	gather(n, &used, &made)
	used.RemoveAll(made)
	return used
}

func gather(n Node, used, made *expr.ColumnSet) {
	Walk(n, func(n Node) bool {
		produced(made, n)
		EachExpr(n, func(e expr.Expr) {
			expr.AddColumns(used, e)
			expr.Walk(e, func(e expr.Expr) bool {
				if q, ok := e.(*expr.Subquery); ok {
					gather(q.Plan.(Node), used, made)
				}
				return true
			})
		})
		return true
	})
}

// FreeColumnsOf is the set of columns that an expression reads from its surroundings: its own
// columns and those that the plans of its subqueries read from outside.
func FreeColumnsOf(e expr.Expr) expr.ColumnSet {
	s := expr.Columns(e)
	expr.Walk(e, func(e expr.Expr) bool {
		if q, ok := e.(*expr.Subquery); ok {
			s.AddAll(FreeColumns(q.Plan.(Node)))
		}
		return true
	})
	return s
}

// CTEs lists the shared plans that n refers to, each once, those that others read first.
func CTEs(n Node) []*CTE {
	var out []*CTE
	seen := map[*CTE]bool{}
	var visit func(n Node)
	visit = func(n Node) {
		Walk(n, func(n Node) bool {
			if ref, ok := n.(*CTERef); ok && !seen[ref.CTE] {
				seen[ref.CTE] = true
				visit(ref.CTE.Plan)
				out = append(out, ref.CTE)
			}
			return true
		})
	}
	visit(n)
	return out
}

// YieldsOneRow reports plans that yield exactly one row whatever their inputs hold.
func YieldsOneRow(n Node) bool {
	switch n := n.(type) {
	case *Aggregate:
		return len(n.Groups) == 0 && n.Sets == nil
	case *Values:
		return len(n.Rows) == 1
	case *Project:
		return YieldsOneRow(n.Input)
	case *Sort:
		return YieldsOneRow(n.Input) && n.Offset == 0 && n.Limit != 0
	case *Limit:
		return YieldsOneRow(n.Input) && n.Offset == 0 && n.Count != 0
	case *Distinct:
		return YieldsOneRow(n.Input)
	case *Join:
		return n.Kind == Inner && len(n.On) == 0 && YieldsOneRow(n.LeftInput) && YieldsOneRow(n.RightInput) ||
			n.Kind == Single && YieldsOneRow(n.LeftInput)
	}
	return false
}
