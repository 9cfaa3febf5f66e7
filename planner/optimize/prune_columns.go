package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// pruneColumns makes every node give only what is read above it: scans read fewer columns (none at
// all for count(*)), projections and aggregations compute less, outer joins that nobody looks at go.
func pruneColumns(_ *Context, n logical.Node) (logical.Node, error) {
	return pruneExact(n, n.Columns()), nil
}

// pruneExact is n with exactly the columns cols, in their order.
func pruneExact(n logical.Node, cols []expr.Column) logical.Node {
	return keepColumns(cols, prune(n, expr.SetOfColumns(cols)))
}

// prune gives n with at least the columns of need that it has.
func prune(n logical.Node, need expr.ColumnSet) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		return pruneScan(n, need)
	case *logical.Project:
		return pruneProject(n, need)
	case *logical.Aggregate:
		return pruneAggregate(n, need)
	case *logical.SetOp:
		return pruneSetOp(n, need)
	case *logical.Values:
		return pruneValues(n, need)
	case *logical.Unnest:
		return pruneUnnest(n, need)
	case *logical.Window:
		return pruneWindow(n, need)
	case *logical.Join:
		if unusedJoin(n, need) {
			return prune(n.LeftInput, need)
		}
	case *logical.Write, *logical.Distinct:
		return rebuild(n, pruneExact(n.Children()[0], n.Children()[0].Columns()))
	}
	below := need.Clone()
	logical.EachExpr(n, func(e expr.Expr) { expr.AddColumns(&below, e) })
	return logical.RewriteChildren(n, func(c logical.Node) logical.Node { return prune(c, below) })
}

func pruneScan(n *logical.Scan, need expr.ColumnSet) logical.Node {
	above := need
	need = need.Clone()
	for _, c := range n.Filter {
		expr.AddColumns(&need, c)
	}
	m := *n
	m.Cols, m.Ordinal = nil, nil
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			m.Cols, m.Ordinal = append(m.Cols, c), append(m.Ordinal, n.Ordinal[i])
		}
	}
	if m.Indexes != nil {
		m.Needed = above.Clone()
		return &m
	}
	if len(m.Cols) == len(n.Cols) {
		return n
	}
	return &m
}

func pruneProject(n *logical.Project, need expr.ColumnSet) logical.Node {
	m := &logical.Project{}
	var below expr.ColumnSet
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			m.Cols, m.Exprs = append(m.Cols, c), append(m.Exprs, n.Exprs[i])
			expr.AddColumns(&below, n.Exprs[i])
		}
	}
	m.Input = prune(n.Input, below)
	if m.Input == n.Input && len(m.Cols) == len(n.Cols) {
		return n
	}
	return m
}

func pruneAggregate(n *logical.Aggregate, need expr.ColumnSet) logical.Node {
	m := *n
	k := len(n.Groups)
	m.Cols = append([]expr.Column(nil), n.Cols[:k]...)
	m.Aggs = nil
	var below expr.ColumnSet
	for _, g := range n.Groups {
		expr.AddColumns(&below, g)
	}
	for i, a := range n.Aggs {
		if need.Has(n.Cols[k+i].ID) {
			m.Aggs, m.Cols = append(m.Aggs, a), append(m.Cols, n.Cols[k+i])
			expr.AddColumns(&below, a)
		}
	}
	if n.GroupingID != nil {
		if need.Has(n.GroupingID.ID) {
			m.Cols = append(m.Cols, n.Cols[len(n.Cols)-1])
		} else {
			m.GroupingID = nil
		}
	}
	m.Input = prune(n.Input, below)
	if m.Input == n.Input && len(m.Cols) == len(n.Cols) {
		return n
	}
	return &m
}

func pruneSetOp(n *logical.SetOp, need expr.ColumnSet) logical.Node {
	if n.Kind != logical.Union || !n.All {
		return logical.RewriteChildren(n, func(c logical.Node) logical.Node { return pruneExact(c, c.Columns()) })
	}
	var at []int
	m := *n
	m.Cols = nil
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			at, m.Cols = append(at, i), append(m.Cols, c)
		}
	}
	return logical.RewriteChildren(&m, func(c logical.Node) logical.Node {
		cols := make([]expr.Column, len(at))
		for i, k := range at {
			cols[i] = c.Columns()[k]
		}
		return pruneExact(c, cols)
	})
}

// pruneUnnest makes only the needed columns of the function; its rows stay, even when none is.
func pruneUnnest(n *logical.Unnest, need expr.ColumnSet) logical.Node {
	m := *n
	m.Cols, m.Ordinal = nil, nil
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			m.Cols, m.Ordinal = append(m.Cols, c), append(m.Ordinal, n.Ordinal[i])
		}
	}
	below := need.Clone()
	for _, a := range n.Args {
		expr.AddColumns(&below, a)
	}
	m.Input = prune(n.Input, below)
	if m.Input == n.Input && len(m.Cols) == len(n.Cols) {
		return n
	}
	return &m
}

// pruneWindow leaves out calls that nobody reads, and itself when none is left.
func pruneWindow(n *logical.Window, need expr.ColumnSet) logical.Node {
	m := *n
	m.Funcs, m.Cols = nil, nil
	below := need.Clone()
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			m.Funcs, m.Cols = append(m.Funcs, n.Funcs[i]), append(m.Cols, c)
			expr.AddColumns(&below, n.Funcs[i])
		}
	}
	if len(m.Cols) == 0 {
		return prune(n.Input, need)
	}
	if n.Top != nil && !need.Has(n.Top.Call) {
		m.Top = nil
	}
	longest := 0
	for _, w := range m.Funcs {
		longest = max(longest, w.Peers)
	}
	m.Order = n.Order[:longest:longest]
	for _, e := range n.Partition {
		expr.AddColumns(&below, e)
	}
	for _, k := range m.Order {
		expr.AddColumns(&below, k.Expr)
	}
	m.Input = prune(n.Input, below)
	if m.Input == n.Input && len(m.Cols) == len(n.Cols) {
		return n
	}
	return &m
}

func pruneValues(n *logical.Values, need expr.ColumnSet) logical.Node {
	m := &logical.Values{Rows: make([][]expr.Expr, len(n.Rows))}
	for i, c := range n.Cols {
		if !need.Has(c.ID) {
			continue
		}
		m.Cols = append(m.Cols, c)
		for k := range n.Rows {
			m.Rows[k] = append(m.Rows[k], n.Rows[k][i])
		}
	}
	if len(m.Cols) == len(n.Cols) {
		return n
	}
	return m
}
