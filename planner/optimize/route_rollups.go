package optimize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/statistics"
)

// routeRollups lets scans read a materialised index of their table (a rollup, a view of one table) instead of its
// rows, where that is cheaper and gives the same:
//
//   - an index that keeps every row serves any scan whose columns it has;
//   - one that folds rows serves the scans below an aggregation (through filters, projections and joins) that reads
//     nothing of them but the index's keys and aggregates that its states make (route_aggregates.go).
//
// One scan below an aggregation may read folded rows: the others count how often they join. What became of each index
// stays in Scan.Uses.
func routeRollups(c *Context, n logical.Node) (logical.Node, error) {
	found := false
	logical.Walk(n, func(n logical.Node) bool {
		if s, ok := n.(*logical.Scan); ok {
			found = found || s.Indexes != nil
		}
		return !found
	})
	if !found {
		return n, nil
	}
	n = pruneExact(n, n.Columns())
	r := &rollupRouter{c: c, est: NewEstimates(), known: map[*logical.Scan][]*logical.Index{}, reasons: map[*logical.Scan]map[*logical.Index]string{}}
	return r.node(n), nil
}

type rollupRouter struct {
	c       *Context
	est     *Estimates
	known   map[*logical.Scan][]*logical.Index
	reasons map[*logical.Scan]map[*logical.Index]string // why not; "" where it would do
}

// indexes are those of a scan's table.
func (r *rollupRouter) indexes(s *logical.Scan) []*logical.Index {
	if s.Indexes == nil {
		return nil
	}
	list, ok := r.known[s]
	if !ok {
		list = s.Indexes()
		r.known[s] = list
		r.reasons[s] = map[*logical.Index]string{}
	}
	return list
}

func (r *rollupRouter) node(n logical.Node) logical.Node {
	switch x := n.(type) {
	case *logical.Scan:
		return r.scan(x)
	case *logical.Aggregate:
		if out := r.aggregation(x); out != nil {
			return out
		}
	case *logical.Distinct:
		if out := r.distinct(x); out != nil {
			return out
		}
	}
	return logical.RewriteChildren(n, r.node)
}

// distinct is DISTINCT as grouping by all columns.
func (r *rollupRouter) distinct(n *logical.Distinct) logical.Node {
	cols := n.Columns()
	out := r.aggregation(&logical.Aggregate{Input: n.Input, Groups: expr.Refs(cols), Cols: cols})
	if out == nil {
		return nil
	}
	return keepColumns(cols, out)
}

// scan is s over the cheapest index that keeps rows, or over its table.
func (r *rollupRouter) scan(s *logical.Scan) logical.Node {
	list := r.indexes(s)
	if len(list) == 0 {
		return s
	}
	best, chosen, cost := r.plain(s)
	var out logical.Node
	if best != nil && best.cost <= cost {
		out = best.node
	} else {
		chosen = nil
		own := *s
		best = &route{scan: &own}
		out = best.scan
	}
	best.scan.Uses, best.scan.Indexes = r.uses(s, chosen), nil
	return out
}

// uses is what became of the indexes of s.
func (r *rollupRouter) uses(s *logical.Scan, chosen *logical.Index) []logical.IndexUse {
	var out []logical.IndexUse
	for _, x := range r.indexes(s) {
		out = append(out, logical.IndexUse{Index: x.Name, View: x.View, Chosen: x == chosen, Reason: r.reasons[s][x]})
	}
	return out
}

// route is a scan of an index in the place of one of a table.
type route struct {
	scan *logical.Scan
	rest *logical.Scan // of the partitions that are not in the index; nil: none
	node logical.Node  // with scan in it: what stands for the scan of the table, or for the aggregation
	cost float64
}

// plain is the cheapest index of s that keeps every row, and what reading the table costs.
func (r *rollupRouter) plain(s *logical.Scan) (best *route, chosen *logical.Index, table float64) {
	table = r.cost(s, r.tableSorted(s), nil)
	for _, x := range r.indexes(s) {
		if x.Folded && x.Merged == nil {
			if _, ok := r.reasons[s][x]; !ok {
				r.reasons[s][x] = "the query is no aggregation that its rows could serve"
			}
			continue
		}
		m := newMatcher(r.c, s, x, x.Folded)
		to, reason := r.plainRoute(m)
		if to == nil {
			if _, ok := r.reasons[s][x]; !ok || !x.Folded {
				r.reasons[s][x] = reason
			}
			continue
		}
		r.reasons[s][x] = ""
		to.cost = r.routeCost(to, m)
		if best == nil || cheaper(to, x, best, chosen) {
			best, chosen = to, x
		}
	}
	return best, chosen, table
}

// plainRoute reads an index that keeps every row: its columns come under the ids of the table's.
func (r *rollupRouter) plainRoute(m *matcher) (*route, string) {
	s := m.scan
	if reason := m.usable(); reason != "" {
		return nil, reason
	}
	filter, reason := m.filter()
	if reason != "" {
		return nil, reason
	}
	p := &logical.Project{Cols: s.Cols}
	same := true
	for _, col := range s.Cols {
		e := m.expr(expr.Ref(col))
		if e == nil && m.onlyFiltered(col.ID) { // its condition is the index's own
			e = nullOf(col.T)
		}
		if e == nil {
			return nil, m.missing()
		}
		p.Exprs = append(p.Exprs, e)
	}
	node, out, rest, reason := m.read(filter)
	if reason != "" {
		return nil, reason
	}
	renamed := map[expr.ColumnID]expr.Column{}
	for i, e := range p.Exprs {
		if c, ok := e.(*expr.Column); !ok || !c.T.Equal(s.Cols[i].T) {
			same = false
		} else if _, twice := renamed[c.ID]; twice {
			same = false
		} else {
			renamed[c.ID] = s.Cols[i]
		}
	}
	to := &route{scan: out, rest: rest, node: out}
	if !same || rest != nil {
		p.Input, to.node = node, p
		return to, ""
	}
	at := map[expr.ColumnID]expr.Expr{}
	for i, c := range out.Cols {
		if own, ok := renamed[c.ID]; ok {
			out.Cols[i] = own
			at[c.ID] = expr.Ref(own)
		}
	}
	for i, e := range out.Filter {
		out.Filter[i] = substituted(e, at)
	}
	return to, ""
}

// aggregation is a over the cheapest index of one of its scans that folds rows; nil when none does or pays.
func (r *rollupRouter) aggregation(a *logical.Aggregate) logical.Node {
	g := newRegion(a)
	var best *route
	var chosen *logical.Index
	var of *logical.Scan
	saved := 0.0
	for i := range g.scans {
		s := g.scans[i].scan
		table := r.cost(s, r.tableSorted(s), nil) * g.weight()
		if p, _, _ := r.plain(s); p != nil {
			table = min(table, p.cost*g.weight())
		}
		for _, x := range r.indexes(s) {
			if !x.Folded {
				continue
			}
			m := newMatcher(r.c, s, x, false)
			m.nullSide = g.scans[i].nullSide
			to, reason := r.foldedRoute(g, m)
			r.reasons[s][x] = reason
			if to == nil {
				continue
			}
			to.cost = r.routeCost(to, m)
			if to.cost > table {
				continue
			}
			if best == nil || of != s && table-to.cost > saved || of == s && cheaper(to, x, best, chosen) {
				best, chosen, of, saved = to, x, s, table-to.cost
			}
		}
	}
	if best == nil {
		return nil
	}
	best.scan.Uses = r.uses(of, chosen)
	return logical.RewriteChildren(best.node, r.inside)
}

// inside visits what is below an aggregation that is routed.
func (r *rollupRouter) inside(n logical.Node) logical.Node {
	if a, ok := n.(*logical.Aggregate); ok {
		return logical.RewriteChildren(a, r.inside)
	}
	return r.node(n)
}

// foldedRoute is the aggregation of g over an index that folds rows.
func (r *rollupRouter) foldedRoute(g *routeRegion, m *matcher) (*route, string) {
	if reason := m.usable(); reason != "" {
		return nil, reason
	}
	filter, reason := m.filter()
	if reason != "" {
		return nil, reason
	}
	out := &logical.Aggregate{Sets: g.agg.Sets, GroupingID: g.agg.GroupingID}
	k := len(g.groups)
	for i, e := range g.groups {
		t := m.expr(e)
		if t == nil {
			return nil, "GROUP BY: " + m.missing()
		}
		out.Groups, out.Cols = append(out.Groups, t), append(out.Cols, g.agg.Cols[i])
	}
	b := &aggregateBuilder{m: m, out: out}
	final := expr.Refs(g.agg.Cols[:k])
	for i, a := range g.aggs {
		e, reason := b.add(a, g.agg.Cols[k+i])
		if reason != "" {
			return nil, reason
		}
		final = append(final, e)
	}
	if g.agg.GroupingID != nil {
		out.Cols = append(out.Cols, *g.agg.GroupingID)
		final = append(final, expr.Ref(*g.agg.GroupingID))
	}
	failed := ""
	out.Input = logical.Rewrite(g.root, func(n logical.Node) logical.Node {
		if n == logical.Node(m.scan) {
			return n // when all columns that are read are known
		}
		return logical.MapExprs(n, func(e expr.Expr) expr.Expr {
			t := m.expr(e)
			if t == nil {
				failed = m.missing()
				return e
			}
			return t
		})
	})
	if failed != "" {
		return nil, failed
	}
	node, scan, rest, reason := m.read(filter)
	if reason != "" {
		return nil, reason
	}
	out.Input = replaceScan(out.Input, m.scan, node)
	to := &route{scan: scan, rest: rest, node: out}
	if !sameOutputs(out.Cols, final, g.agg.Cols) {
		to.node = &logical.Project{Input: out, Exprs: final, Cols: g.agg.Cols}
	}
	return to, ""
}

// cheaper compares routes of one scan: of two that cost the same, that of the index with fewer columns, then the older one.
func cheaper(a *route, of *logical.Index, b *route, than *logical.Index) bool {
	if a.cost != b.cost {
		return a.cost < b.cost
	}
	return len(of.Columns) < len(than.Columns)
}

// replaceScan puts another scan into a plan.
func replaceScan(n logical.Node, old *logical.Scan, with logical.Node) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		if n == logical.Node(old) {
			return with
		}
		return n
	})
}

// sameOutputs reports that exprs are the columns cols, which are want.
func sameOutputs(cols []expr.Column, exprs []expr.Expr, want []expr.Column) bool {
	if len(cols) != len(exprs) || len(cols) != len(want) {
		return false
	}
	for i := range cols {
		c, ok := exprs[i].(*expr.Column)
		if !ok || c.ID != cols[i].ID || c.ID != want[i].ID {
			return false
		}
	}
	return true
}

// Weights of the cost of a scan, in bytes.
const (
	rowCost     = 8        // of a row, whatever its columns
	fileCost    = 32 << 10 // of opening a file
	leastRows   = 4096     // that are read where a prefix of the key is known
	prefixBonus = 0.99     // of two that read as much, that one
	setRowCost  = 24       // of a row that goes into a set of distinct values
	narrowWidth = 16       // of a value whose size nobody knows
	wideValue   = 8        // of a number at most: sums in indexes have wide types in case
)

// routeCost is what reading the index takes, and the table where it must be read too.
func (r *rollupRouter) routeCost(to *route, m *matcher) float64 {
	keys := make([]int, m.index.Keys)
	for i := range keys {
		keys[i] = i
	}
	cost := r.cost(to.scan, idsOf(to.scan, keys), m)
	if to.rest != nil {
		cost += r.cost(to.rest, r.tableSorted(to.rest), nil)
	}
	return cost
}

// cost is what reading s takes: rows that are left after partitions, buckets and the sorted prefix, by the width of
// the columns that are read. sorted are its columns that files are ordered by; conditions on them read less.
func (r *rollupRouter) cost(s *logical.Scan, sorted []expr.ColumnID, m *matcher) float64 {
	st := s.Source.Stats()
	if st == nil || st.Rows < 0 {
		return unknownRows * narrowWidth
	}
	rows := float64(st.Rows)
	known := s
	conds := s.Filter
	if m != nil { // the table's statistics know more
		known, conds = m.scan, m.scan.Filter
	}
	if prefix := prefixConds(sorted, s.Filter); len(prefix) > 0 && rows > 0 {
		share := r.est.Selectivity(known, sameConds(prefix, s.Filter, conds))
		rows = min(rows, max(rows*share, leastRows)) * prefixBonus
	}
	width := float64(rowCost)
	wide := statistics.Refine(st, s.Known)
	for i, c := range s.Cols {
		w := min(float64(c.T.Physical().Size()), wideValue)
		if c.T.Physical() == sqltype.PhysString {
			w = narrowWidth
			if a := wide.Columns[s.Ordinal[i]].AvgBytes; a > 0 {
				w = a
			}
		}
		width += w
	}
	files := 0
	if p, ok := s.Source.(storage.Partitioned); ok {
		for _, i := range p.Selection().Partitions {
			files += p.Layout().Partitions[i].Files
		}
	}
	return rows*width + float64(files)*fileCost
}

// sameConds are the conditions of all at the places where picked are in list, or picked when the lists differ.
func sameConds(picked, list, all []expr.Expr) []expr.Expr {
	if len(list) != len(all) {
		return picked
	}
	var out []expr.Expr
	for _, p := range picked {
		for i, e := range list {
			if e == p {
				out = append(out, all[i])
			}
		}
	}
	return out
}

// prefixConds are the conditions that the leading columns of an order answer: equalities while they go on, then a range.
func prefixConds(sorted []expr.ColumnID, filter []expr.Expr) (out []expr.Expr) {
	for _, id := range sorted {
		equal, some := false, false
		for _, c := range filter {
			used := expr.Columns(c)
			if !used.Has(id) || used.Len() != 1 {
				continue
			}
			if call, ok := c.(*expr.Call); ok {
				switch name := call.Fn.Name; {
				case name == "or":
					some = true
				case !slices.ContainsFunc(call.Args, isColumn): // of a function of it
					continue
				case name == "=", name == "<=>", name == "in":
					equal, some = true, true
				case name == "<", name == "<=", name == ">", name == ">=", name == "like":
					some = true
				default:
					continue
				}
				out = append(out, c)
			}
		}
		if !equal || !some {
			break
		}
	}
	return out
}

// tableSorted are the columns that the files of a table are ordered by.
func (r *rollupRouter) tableSorted(s *logical.Scan) []expr.ColumnID {
	p, ok := s.Source.(storage.Partitioned)
	if !ok {
		return nil
	}
	return idsOf(s, p.Layout().Sorted)
}

// idsOf are the columns of a scan at ordinals, up to the first that it does not read.
func idsOf(s *logical.Scan, ordinals []int) (out []expr.ColumnID) {
	for _, o := range ordinals {
		found := false
		for i, c := range s.Cols {
			if s.Ordinal[i] == o {
				out, found = append(out, c.ID), true
			}
		}
		if !found {
			break
		}
	}
	return out
}

// names joins what is missing, for reasons.
func names(cols []string) string { return strings.Join(cols, ", ") }

// reasonf makes a reason.
func reasonf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
