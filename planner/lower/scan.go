package lower

import (
	"slices"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// scan reads the needed columns; each conjunct becomes a filter that the reader applies before it
// decodes the columns of the next one, and, where metadata can answer it, a pruning predicate.
func (l *lowerer) scan(n *logical.Scan, need expr.ColumnSet) stream {
	s := &physical.Scan{
		Info:  l.info([]expr.Column{}, l.est.Rows(n)),
		Table: n.Table, Alias: n.Alias, Source: n.Source, Limit: n.Limit, Columns: []int{},
	}
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			s.Cols, s.Columns = append(s.Cols, c), append(s.Columns, n.Ordinal[i])
		}
	}
	for _, cond := range l.filterOrder(n) {
		s.Filters = append(s.Filters, scanFilter(n, cond))
		if p, ok := prunePredicate(n, cond); ok {
			s.Prune = append(s.Prune, p)
		}
	}
	if len(n.Filter) > 0 {
		s.Limit = -1
	}
	return stream{s, false}
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

// filterOrder sorts the conjuncts so that the work is least: by cost over the fraction of rows they
// throw away. A conjunct that can fail stays behind those that stand before it in the statement.
func (l *lowerer) filterOrder(n *logical.Scan) []expr.Expr {
	type ranked struct {
		cond expr.Expr
		rank float64
	}
	var stats *storage.Stats
	if n.Source != nil {
		stats = n.Source.Stats()
	}
	var out []ranked
	for _, c := range n.Filter {
		dropped := 1 - l.est.Selectivity(n, c)
		out = append(out, ranked{c, filterCost(n, stats, c) / max(dropped, 0.01)})
	}
	slices.SortStableFunc(out, func(a, b ranked) int {
		if af, bf := expr.MayFail(a.cond), expr.MayFail(b.cond); af || bf {
			switch {
			case af && !bf:
				return 1
			case bf && !af:
				return -1
			}
			return 0
		}
		switch {
		case a.rank < b.rank:
			return -1
		case a.rank > b.rank:
			return 1
		}
		return 0
	})
	conds := make([]expr.Expr, len(out))
	for i, r := range out {
		conds[i] = r.cond
	}
	return conds
}

// filterCost is the price of one row: decoding the columns by their width, then the calls.
func filterCost(n *logical.Scan, stats *storage.Stats, cond expr.Expr) float64 {
	cost := 0.0
	used := expr.Columns(cond)
	for i, c := range n.Cols {
		if !used.Has(c.ID) {
			continue
		}
		width := float64(c.T.Physical().Size())
		if stats != nil && n.Ordinal[i] < len(stats.Columns) {
			width = max(width, stats.Columns[n.Ordinal[i]].AvgBytes)
		}
		cost += 1 + width/8
	}
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
