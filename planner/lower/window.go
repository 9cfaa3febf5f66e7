package lower

import (
	"slices"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// window brings the rows of each partition together, sorts them, and computes the calls. The rows need not move where
// they lie in buckets of the partition keys or were sent by some of them, and need no other order where the window
// below sorted them so.
func (l *lowerer) window(n *logical.Window, need expr.ColumnSet) (stream, error) {
	below := need.Clone()
	logical.EachExpr(n, func(e expr.Expr) { expr.AddColumns(&below, e) })
	in, err := l.node(n.Input, below)
	if err != nil {
		return stream{}, err
	}
	in, n = l.windowKeys(in, n)
	w := &physical.Window{Partition: fields(in.cols(), n.Partition), Order: sortKeys(in.cols(), n.Order)}
	for _, f := range n.Funcs {
		w.Funcs = append(w.Funcs, field(in.cols(), f).(*expr.Window))
	}
	cols := slices.Clone(in.cols())
	w.Info = l.info(append(cols, n.Cols...), l.est.Rows(n))
	w.Total = isTotal(w)
	if !w.Total && sortedBelow(in.node, w) {
		w.Colocate = in.node.(*physical.Window).Colocate
		w.Input = in.node
		return in.as(w), nil
	}
	out := in
	sorted := &physical.Sort{Info: l.info(in.cols(), in.rows()), Limit: -1, Within: true, Partition: len(w.Partition)}
	switch {
	case in.single:
		sorted.Input = in.node
	case l.colocatedGroups(in, n.Partition):
		sorted.Input, w.Colocate = in.node, true
	case in.together(n.Partition):
		sorted.Input = in.node
	case w.Total:
		sorted.Input = in.node
		out = in.moved(w, in.single)
	case len(w.Partition) == 0, in.rows() <= tinyRows && smallInput(in.node):
		sorted.Input = l.gather(in)
		out = in.moved(w, true)
	default:
		sorted.Input = l.hashed(in, w.Partition)
		out = in.moved(w, false)
		for _, e := range n.Partition {
			out.sentBy = append(out.sentBy, e.(*expr.Column).ID)
		}
	}
	for _, e := range w.Partition {
		sorted.Keys = append(sorted.Keys, expr.SortKey{Expr: e, NullsFirst: true})
	}
	sorted.Keys = append(sorted.Keys, w.Order...)
	needed(sorted, n)
	w.Input = sorted
	if len(sorted.Keys) == 0 { // any order will do, and one instance at a time
		w.Input = sorted.Input
	}
	return out.as(w), nil
}

// needed tells the sort below a window that some rows are not needed.
func needed(s *physical.Sort, n *logical.Window) {
	if n.Top == nil {
		return
	}
	for i, f := range n.Funcs {
		switch {
		case n.Cols[i].ID != n.Top.Call:
		case s.Partition > 0:
			s.Top = &physical.PartitionTop{Kind: f.Fn.Kind, Peers: f.Peers, Rows: n.Top.Rows}
		case f.Fn.Kind == function.RowNumber && len(s.Keys) > 0:
			s.Limit = n.Top.Rows
		}
	}
}

// isTotal: the calls are aggregates over all rows.
func isTotal(w *physical.Window) bool {
	for _, f := range w.Funcs {
		if f.Fn.Kind != function.WindowAggregate || f.Distinct || !f.Frame.IsWhole() {
			return false
		}
	}
	return len(w.Partition) == 0
}

// windowKeys projects partition and sort keys that are no columns of the input to columns.
func (l *lowerer) windowKeys(in stream, n *logical.Window) (stream, *logical.Window) {
	exprs, cols := expr.Refs(in.cols()), slices.Clone(in.cols())
	column := func(e expr.Expr) expr.Expr {
		if _, ok := e.(*expr.Column); ok {
			return e
		}
		for i, x := range exprs {
			if expr.Equal(x, e) {
				return expr.Ref(cols[i])
			}
		}
		c := expr.Column{ID: l.opts.IDs.New(), Name: expr.String(e), T: e.Type(), Null: e.Nullable()}
		exprs, cols = append(exprs, e), append(cols, c)
		return expr.Ref(c)
	}
	m := *n
	m.Partition, m.Order = slices.Clone(n.Partition), slices.Clone(n.Order)
	for i, e := range m.Partition {
		m.Partition[i] = column(e)
	}
	for i, k := range m.Order {
		m.Order[i].Expr = column(k.Expr)
	}
	if len(cols) == len(in.cols()) {
		return in, n
	}
	p := &physical.Project{Info: l.info(cols, in.rows()), Input: in.node, Exprs: fields(in.cols(), exprs)}
	return in.renamed(exprs, cols).as(p), &m
}

// sortedBelow reports whether n is a window whose rows come in an order that does for w: the partition keys first, in
// any order, then w's order.
func sortedBelow(n physical.Node, w *physical.Window) bool {
	if _, ok := n.(*physical.Window); !ok {
		return false
	}
	for {
		below, ok := n.(*physical.Window)
		if !ok {
			break
		}
		if below.Total {
			return false
		}
		n = below.Input
	}
	s, ok := n.(*physical.Sort)
	k := len(w.Partition)
	if !ok || !s.Within || len(s.Keys) < k+len(w.Order) || s.Partition > k {
		return false
	}
	for _, key := range s.Keys[:k] {
		if !slices.ContainsFunc(w.Partition, func(e expr.Expr) bool { return expr.Equal(e, key.Expr) }) {
			return false
		}
	}
	return expr.SameKeys(s.Keys[k:k+len(w.Order)], w.Order)
}
