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
	above := l.above
	l.above = nil
	if _, ok := n.Input.(*logical.Window); ok {
		l.above = append(above[:len(above):len(above)], n)
	}
	in, err := l.node(n.Input, below)
	l.above = nil
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
	sorted := &physical.Sort{Info: l.info(in.cols(), in.rows()), Limit: -1, Within: true}
	keys, groups := sortFor(n, above)
	sorted.Keys, sorted.Partition = sortKeys(in.cols(), keys), len(groups)
	switch {
	case in.single:
		sorted.Input = in.node
	case l.colocatedGroups(in, groups):
		sorted.Input, w.Colocate = in.node, true
	case in.together(groups):
		sorted.Input = in.node
	case w.Total:
		sorted.Input = in.node
		out = in.moved(w, in.single)
	case len(w.Partition) == 0, in.rows() <= tinyRows && smallInput(in.node):
		sorted.Input = l.gather(in)
		out = in.moved(w, true)
	default:
		sorted.Input = l.hashed(in, fields(in.cols(), groups))
		out = in.moved(w, false)
		for _, e := range groups {
			out.sentBy = append(out.sentBy, e.(*expr.Column).ID)
		}
	}
	needed(sorted, n)
	w.Input = sorted
	if len(sorted.Keys) == 0 { // any order will do, and one instance at a time
		w.Input = sorted.Input
	}
	return out.as(w), nil
}

// sortFor is the order of a window's rows and by which of its partition keys they are brought together, those that come
// first. Windows above that partition by some of the keys, and order by what may follow them, are served as well.
func sortFor(n *logical.Window, above []*logical.Window) (keys []expr.SortKey, groups []expr.Expr) {
	if n.Top == nil {
		for i, w := range above {
			if keys, ok := sortForBoth(n, w); ok && servesAll(keys, len(w.Partition), above[i:]) {
				return keys, w.Partition
			}
		}
	}
	for _, e := range n.Partition {
		keys = append(keys, expr.SortKey{Expr: e, NullsFirst: true})
	}
	return append(keys, n.Order...), n.Partition
}

// servesAll: rows in that order, brought together by the first groups keys, do for all the windows.
func servesAll(keys []expr.SortKey, groups int, windows []*logical.Window) bool {
	for _, w := range windows {
		if !serves(keys, groups, w.Partition, w.Order) {
			return false
		}
	}
	return true
}

// serves reports whether rows in that order do for a window: its partition keys come first, in any order, then its own.
func serves(keys []expr.SortKey, groups int, partition []expr.Expr, order []expr.SortKey) bool {
	k := len(partition)
	if groups > k || len(keys) < k+len(order) {
		return false
	}
	for _, key := range keys[:k] {
		if !slices.ContainsFunc(partition, func(e expr.Expr) bool { return expr.Equal(e, key.Expr) }) {
			return false
		}
	}
	return expr.SameKeys(keys[k:k+len(order)], order)
}

// sortForBoth is an order for n that is one for w, too, whose partition keys are some of n's, but not all.
func sortForBoth(n, w *logical.Window) ([]expr.SortKey, bool) {
	if len(w.Partition) == 0 || len(w.Partition) >= len(n.Partition) {
		return nil, false
	}
	has := func(list []expr.Expr, e expr.Expr) bool {
		return slices.ContainsFunc(list, func(x expr.Expr) bool { return expr.Equal(x, e) })
	}
	var keys []expr.SortKey
	for _, e := range w.Partition {
		if !has(n.Partition, e) {
			return nil, false
		}
		keys = append(keys, expr.SortKey{Expr: e, NullsFirst: true})
	}
	rest := slices.DeleteFunc(slices.Clone(n.Partition), func(e expr.Expr) bool { return has(w.Partition, e) })
	order := w.Order
	for len(order) > 0 && has(rest, order[0].Expr) {
		keys = append(keys, order[0])
		rest = slices.DeleteFunc(rest, func(e expr.Expr) bool { return expr.Equal(e, order[0].Expr) })
		order = order[1:]
	}
	if len(order) > 0 && (len(rest) > 0 || len(order) > len(n.Order) || !expr.SameKeys(order, n.Order[:len(order)])) {
		return nil, false
	}
	for _, e := range rest {
		keys = append(keys, expr.SortKey{Expr: e, NullsFirst: true})
	}
	return append(keys, n.Order...), true
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
	return ok && s.Within && serves(s.Keys, s.Partition, w.Partition, w.Order)
}
