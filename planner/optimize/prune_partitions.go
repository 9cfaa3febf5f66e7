package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
	partitions "github.com/basaltdb/basalt/storage/partition"
)

// prunePartitions restricts scans of partitioned and bucketed tables to the partitions and buckets in which rows can
// satisfy the scan's filter, inferred conditions included; files are left out by their statistics when the
// scan starts, row groups when their file is open. A scan of which nothing is left is no scan: it reads nothing.
func prunePartitions(c *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		s, ok := n.(*logical.Scan)
		if !ok {
			return n
		}
		src, ok := s.Source.(storage.Partitioned)
		if !ok {
			return n
		}
		sel := c.selection(s, src)
		switch {
		case len(sel.Partitions) == 0:
			return empty(n)
		case sel == src.Selection():
			return n
		}
		m := *s
		m.Selection, m.Source = sel, src.Restrict(sel)
		return &m
	}), nil
}

// selection is the part of the source that the filter needs; the source's own where it needs all.
func (c *Context) selection(n *logical.Scan, src storage.Partitioned) *storage.Selection {
	l, sel := src.Layout(), src.Selection()
	var preds []storage.Predicate
	var others []expr.Expr
	for _, cond := range n.Filter {
		if p, ok := PrunePredicate(n, cond); ok {
			preds = append(preds, p)
		} else {
			others = append(others, cond)
		}
	}
	o := partitions.DefaultPruning
	if c.MaxPruningProduct > 0 {
		o.MaxProduct = c.MaxPruningProduct
	}
	out := o.Prune(l, src.Columns(), sel, preds)
	return computed(n, l, out, others, c.Functions)
}

// Limits of computed: values of one partition, and rows computed for one scan.
const (
	maxPartitionValues = 64
	maxComputedRows    = 20_000
)

// computed tests conditions of any form that read partition columns only, where the values of a partition can be
// listed (lists, folders, ranges of a few days): month(dt) = 3.
func computed(n *logical.Scan, l *storage.Layout, sel *storage.Selection, conds []expr.Expr, fc *function.Context) *storage.Selection {
	position := map[expr.ColumnID]int{} // in tuples
	for k, ordinal := range l.Columns {
		for i, c := range n.Cols {
			if n.Ordinal[i] == ordinal {
				position[c.ID] = k
			}
		}
	}
	conds = overPartition(conds, position)
	if len(conds) == 0 || l.Kind == storage.Unpartitioned {
		return sel
	}
	out := &storage.Selection{}
	budget := maxComputedRows
	for i, at := range sel.Partitions {
		tuples, ok := partitions.Values(l, at, maxPartitionValues)
		if ok && len(tuples)*len(conds) <= budget {
			budget -= len(tuples) * len(conds)
			if !anyPasses(tuples, conds, position, fc) {
				continue
			}
		}
		out.Partitions = append(out.Partitions, at)
		if sel.Buckets != nil {
			out.Buckets = append(out.Buckets, sel.Buckets[i])
		}
	}
	if len(out.Partitions) == len(sel.Partitions) {
		return sel
	}
	return out
}

// overPartition are the conditions that can be computed from partition columns alone.
func overPartition(conds []expr.Expr, position map[expr.ColumnID]int) []expr.Expr {
	out, _ := partition(conds, func(e expr.Expr) bool {
		used := expr.Columns(e)
		for _, id := range used.IDs() {
			if _, ok := position[id]; !ok {
				return false
			}
		}
		return !used.Empty() && !expr.IsVolatile(e) && !expr.MayFail(e) && !expr.HasSubquery(e)
	})
	return out
}

// anyPasses reports that some tuple may satisfy all conditions; what cannot be computed may.
func anyPasses(tuples [][]vector.Value, conds []expr.Expr, position map[expr.ColumnID]int, fc *function.Context) bool {
	for _, t := range tuples {
		passes := true
		for _, c := range conds {
			e := expr.FoldTree(expr.Substitute(c, func(col *expr.Column) (expr.Expr, bool) {
				v := t[position[col.ID]]
				v.Type = col.T
				return expr.Lit(v), true
			}), fc)
			passes = passes && !isFalse(e)
		}
		if passes {
			return true
		}
	}
	return false
}
