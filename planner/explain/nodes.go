package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// description is a node in words: its name, the details in order, a limit (-1: none).
type description struct {
	name        string
	lines       []string
	limit       int64
	cardinality bool
}

func (d *description) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// Describe is a node's name and its details, as EXPLAIN prints them.
func Describe(n physical.Node) (name string, details []string) {
	d := describe(n)
	return d.name, d.lines
}

func describe(n physical.Node) description {
	d := description{limit: -1, cardinality: true}
	switch n := n.(type) {
	case *physical.Scan:
		d.scan(n)
	case *physical.Filter:
		d.name = "SELECT"
		d.add("predicates: %s", exprList(n.Conds))
	case *physical.Project:
		d.name, d.cardinality = "PROJECT", false
		d.add("expressions: %s", exprList(n.Exprs))
	case *physical.Unnest:
		d.unnest(n)
	case *physical.HashJoin:
		d.hashJoin(n)
	case *physical.NestedLoopJoin:
		d.nestedLoop(n)
	case *physical.Aggregate:
		d.aggregate(n)
	case *physical.Sort:
		d.sort(n)
	case *physical.Window:
		d.window(n)
	case *physical.Limit:
		d.name, d.cardinality = "LIMIT", false
		if n.Offset > 0 {
			d.add("offset: %d", n.Offset)
		}
		d.limit = n.Count
	case *physical.Union:
		d.name, d.cardinality = "UNION", false
		d.add("pass-through-operands: all")
	case *physical.SetOp:
		d.name = setOpName(n)
		d.makesFilters(n.RuntimeFilters, func(key int) string { return n.Left.Base().Cols[key].Name })
	case *physical.Values:
		d.values(n)
	case *physical.CTERef:
		d.name = "SHARED PLAN SCAN"
		d.add("TABLE: %s", n.CTE.Name)
		d.add("shared plan: %d", n.CTE.ID)
	case *physical.Write:
		d.name, d.cardinality = "TABLE WRITE", false
		d.add("TABLE: %s", n.Table)
	case *physical.Exchange:
		d.exchange(n)
	default:
		panic(invariant.Failed("explaining %T", n))
	}
	return d
}

func (d *description) unnest(n *physical.Unnest) {
	d.name = "TABLE FUNCTION NODE"
	outer := ""
	if n.Outer && !n.Fn.Outer {
		outer = "outer "
	}
	d.add("table function: %s%s(%s)", outer, n.Fn.Name, exprList(n.Args))
	d.add("lateral view tuple id: %d", n.ID)
}

var joinOps = map[physical.JoinKind]string{
	physical.Inner: "INNER JOIN", physical.Left: "LEFT OUTER JOIN", physical.Right: "RIGHT OUTER JOIN", physical.Full: "FULL OUTER JOIN",
	physical.Semi: "LEFT SEMI JOIN", physical.Anti: "LEFT ANTI JOIN", physical.NullAwareAnti: "NULL AWARE LEFT ANTI JOIN",
	physical.Mark: "LEFT MARK JOIN", physical.Single: "LEFT SINGLE JOIN",
	physical.RightSemi: "RIGHT SEMI JOIN", physical.RightAnti: "RIGHT ANTI JOIN",
}

var distributions = map[physical.Distribution]string{
	physical.Broadcast: " (BROADCAST)", physical.Partitioned: " (PARTITIONED)", physical.BucketShuffle: " (BUCKET_SHUFFLE)",
}

func (d *description) hashJoin(n *physical.HashJoin) {
	d.name = "HASH JOIN"
	d.add("join op: %s%s", joinOps[n.Kind], distributions[n.Distribution])
	d.add("hash predicates:")
	switch {
	case n.Distribution == physical.Colocate && n.Reason != "":
		d.add("colocate: true, %s", n.Reason)
	case n.Distribution == physical.Colocate:
		d.add("colocate: true")
	default:
		d.add("colocate: false, reason: %s", n.Reason)
	}
	for i := range n.ProbeKeys {
		op := "="
		if n.NullSafe[i] {
			op = "<=>"
		}
		d.add("equal join conjunct: %s %s %s", expr.String(n.ProbeKeys[i]), op, expr.String(n.BuildKeys[i]))
	}
	if len(n.Residual) > 0 {
		d.add("other join predicates: %s", exprList(n.Residual))
	}
	d.makesFilters(n.RuntimeFilters, func(key int) string { return expr.String(n.BuildKeys[key]) })
}

func (d *description) nestedLoop(n *physical.NestedLoopJoin) {
	if n.Kind == physical.Inner && len(n.Conds) == 0 {
		d.name = "CROSS JOIN"
		d.add("cross join:")
		d.add("predicates is NULL.")
		return
	}
	d.name = "NESTED LOOP JOIN"
	d.add("join op: %s", joinOps[n.Kind])
	if len(n.Conds) == 0 {
		d.add("predicates is NULL.")
	} else {
		d.add("predicates: %s", exprList(n.Conds))
	}
	filters := make([]physical.RuntimeFilter, len(n.RangeFilters))
	for i, f := range n.RangeFilters {
		filters[i] = physical.RuntimeFilter{ID: f.ID, Key: f.Build, Kind: physical.FilterMinMax}
	}
	d.makesFilters(filters, func(key int) string { return n.Build.Base().Cols[key].Name })
}

var phases = map[physical.Phase]string{
	physical.Complete: "update finalize", physical.Partial: "update serialize", physical.Final: "merge finalize",
}

func (d *description) aggregate(n *physical.Aggregate) {
	d.name = "AGGREGATE (" + phases[n.Phase] + ")"
	if len(n.Aggs) > 0 {
		out := make([]string, len(n.Aggs))
		for i, a := range n.Aggs {
			out[i] = expr.String(a)
			if n.Phase == physical.Final {
				out[i] = a.Fn.Name + "(<partial>)"
			}
		}
		d.add("output: %s", strings.Join(out, ", "))
	}
	d.add("group by: %s", exprList(n.Groups))
	if len(n.Sets) > 0 {
		sets := make([]string, len(n.Sets))
		for i, s := range n.Sets {
			keys := make([]expr.Expr, len(s))
			for k, g := range s {
				keys[k] = n.Groups[g]
			}
			sets[i] = "[" + exprList(keys) + "]"
		}
		d.add("repeat: repeat %d lines [%s]", len(n.Sets)-1, strings.Join(sets, ", "))
	}
}

func (d *description) window(n *physical.Window) {
	d.name = "ANALYTIC"
	d.add("functions: %s", windowCalls(n))
	if len(n.Partition) > 0 {
		d.add("partition by: %s", exprList(n.Partition))
	}
	if len(n.Order) > 0 {
		d.add("order by: %s", windowOrder(n.Order))
	}
	var frames []string
	for _, w := range n.Funcs {
		if f := w.Frame.String(); w.Fn.Kind.UsesFrame() && !slices.Contains(frames, f) {
			frames = append(frames, f)
		}
	}
	if len(frames) > 0 {
		d.add("window: %s", strings.Join(frames, ", "))
	}
	if n.Colocate {
		d.add("colocate: true")
	}
}

func windowCalls(n *physical.Window) string {
	out := make([]string, len(n.Funcs))
	for i, w := range n.Funcs {
		out[i] = "[" + w.CallString(false) + "]"
	}
	return strings.Join(out, ", ")
}

// windowOrder is an order with its NULLs always said, as Doris does here.
func windowOrder(keys []expr.SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		dir, nulls := " ASC", " NULLS LAST"
		if k.Desc {
			dir = " DESC"
		}
		if k.NullsFirst {
			nulls = " NULLS FIRST"
		}
		out[i] = expr.String(k.Expr) + dir + nulls
	}
	return strings.Join(out, ", ")
}

var topNames = map[function.WindowKind]string{function.RowNumber: "row_number", function.Rank: "rank", function.DenseRank: "dense_rank"}

func (d *description) sort(n *physical.Sort) {
	d.name = "SORT"
	if n.Limit >= 0 {
		d.name, d.limit = "TOP-N", n.Limit
	}
	if n.Top != nil {
		d.name = "PARTITION TOP-N"
	}
	keys := n.Keys
	if n.Sectioned {
		d.name = "SORT BY"
		if n.Numbered {
			d.add("distribute by: %s", expr.String(keys[0].Expr))
			keys = keys[1:]
		}
	}
	if len(keys) > 0 {
		d.add("order by: %s", orderBy(keys))
	}
	if n.Top != nil {
		d.add("partition limit: %d by %s", n.Top.Rows, topNames[n.Top.Kind])
	}
	if n.Limit >= 0 || n.Offset > 0 {
		d.add("offset: %d", n.Offset)
	}
	if n.TopN != nil {
		d.makesFilters([]physical.RuntimeFilter{*n.TopN}, func(int) string { return expr.String(n.Keys[0].Expr) })
	}
}

// orderBy prints where NULLs go only where it is not MySQL's way (first ascending, last descending).
func orderBy(keys []expr.SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		s := expr.String(k.Expr) + " ASC"
		if k.Desc {
			s = expr.String(k.Expr) + " DESC"
		}
		if k.NullsFirst == k.Desc {
			if k.NullsFirst {
				s += " NULLS FIRST"
			} else {
				s += " NULLS LAST"
			}
		}
		out[i] = s
	}
	return strings.Join(out, ", ")
}

func setOpName(n *physical.SetOp) string {
	name := "INTERSECT"
	if n.Except {
		name = "EXCEPT"
	}
	if n.All {
		name += " ALL"
	}
	return name
}

func (d *description) values(n *physical.Values) {
	d.cardinality = false
	if len(n.Rows) == 0 {
		d.name = "EMPTYSET"
		return
	}
	d.name = "UNION"
	if len(n.Cols) == 0 {
		d.add("constant rows: %d", len(n.Rows))
		return
	}
	d.add("constant exprs:")
	for i, r := range n.Rows {
		if i == 10 {
			d.add("  … %d more", len(n.Rows)-i)
			break
		}
		d.add("  %s", exprList(r))
	}
}

func (d *description) exchange(n *physical.Exchange) {
	d.name, d.cardinality = "EXCHANGE", false
	if n.Kind == physical.MergeGather {
		d.name = "MERGING-EXCHANGE"
		d.add("order by: %s", orderBy(n.Order))
	}
}
