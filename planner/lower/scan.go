package lower

import (
	"cmp"
	"slices"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// scan reads the needed columns; each conjunct becomes a filter that the reader applies before it
// decodes the columns of the next one, and, where metadata can answer it, a pruning predicate.
func (l *lowerer) scan(n *logical.Scan, need expr.ColumnSet) stream {
	s := &physical.Scan{
		Info:  l.info([]expr.Column{}, l.est.Rows(n)),
		Table: n.Table, Alias: n.Alias, Source: n.Source, Limit: n.Limit, Columns: []int{},
		Selection: n.Selection, Preaggregation: n.Preaggregation, Index: n.Index,
	}
	for _, u := range n.Uses {
		s.Indexes = append(s.Indexes, physical.IndexUse{Name: u.Index, Chosen: u.Chosen, Reason: u.Reason})
	}
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			s.Cols, s.Columns = append(s.Cols, c), append(s.Columns, n.Ordinal[i])
		}
	}
	for _, cond := range l.filterOrder(n) {
		s.Filters = append(s.Filters, scanFilter(n, cond))
		if p, ok := optimize.PrunePredicate(n, cond); ok {
			s.Prune = append(s.Prune, p)
		}
	}
	if len(n.Filter) > 0 {
		s.Limit = -1
	}
	if p, ok := n.Source.(storage.Partitioned); ok && s.Selection == nil {
		s.Selection = p.Selection()
	}
	return l.scanned(s, n)
}

func scanFilter(n *logical.Scan, cond expr.Expr) physical.ScanFilter {
	var f physical.ScanFilter
	var cols []expr.Column
	used := expr.Columns(cond)
	for i, c := range n.Cols {
		if used.Has(c.ID) {
			cols, f.Columns = append(cols, c), append(f.Columns, n.Ordinal[i])
		}
	}
	f.Cond = field(cols, cond)
	return f
}

// filterOrder sorts the conjuncts so that the work is least: conjuncts over the same columns stay together, and
// such groups are ordered by cost over the fraction of rows they throw away. A conjunct that can fail stays behind those that cannot;
// one that the others imply comes last of all.
func (l *lowerer) filterOrder(n *logical.Scan) []expr.Expr {
	type group struct {
		conds []expr.Expr
		cols  expr.ColumnSet
		last  int // 1: can fail, 2: implied
		rank  float64
	}
	var stats *storage.Stats
	if n.Source != nil {
		stats = n.Source.Stats()
	}
	var groups []*group
	implied := optimize.Implied(n.Filter)
	for i, c := range n.Filter {
		cols, last := expr.Columns(c), 0
		switch {
		case implied[i]:
			last = 2
		case expr.MayFail(c):
			last = 1
		}
		var g *group
		for _, x := range groups {
			if x.last == last && x.cols.SubsetOf(cols) && cols.SubsetOf(x.cols) {
				g = x
			}
		}
		if g == nil {
			g = &group{cols: cols, last: last}
			groups = append(groups, g)
		}
		g.conds = append(g.conds, c)
	}
	for _, g := range groups {
		cost := decodeCost(n, stats, g.cols)
		for _, c := range g.conds {
			cost += evalCost(c)
		}
		g.rank = cost / max(1-l.est.Selectivity(n, g.conds), 0.01)
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		switch {
		case a.last != b.last:
			return a.last - b.last
		case a.last == 1:
			return 0 // as written
		}
		return cmp.Compare(a.rank, b.rank)
	})
	var conds []expr.Expr
	for _, g := range groups {
		conds = append(conds, g.conds...)
	}
	return conds
}

// decodeCost is the price of reading one row of columns, by their width.
func decodeCost(n *logical.Scan, stats *storage.Stats, cols expr.ColumnSet) float64 {
	cost := 0.0
	for i, c := range n.Cols {
		if !cols.Has(c.ID) {
			continue
		}
		width := float64(c.T.Physical().Size())
		if stats != nil && n.Ordinal[i] < len(stats.Columns) {
			width = max(width, stats.Columns[n.Ordinal[i]].AvgBytes)
		}
		cost += 1 + width/8
	}
	return cost
}

// evalCost is the price of one row of a conjunct's calls.
func evalCost(cond expr.Expr) float64 {
	cost := 0.0
	expr.Walk(cond, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Call); ok {
			cost += callCost(c)
		}
		return true
	})
	return cost
}

func callCost(c *expr.Call) float64 {
	switch c.Fn.Name {
	case "=", "<>", "<", "<=", ">", ">=", "<=>", "and", "or", "not", "is_null", "is_not_null":
		if len(c.Args) > 0 && c.Args[0].Type().IsString() {
			return 1.5
		}
		return 0.5
	case "+", "-", "*", "in":
		return 1
	case "like":
		return 8
	case "regexp":
		return 40
	case "cast":
		return 2
	}
	return 4
}
