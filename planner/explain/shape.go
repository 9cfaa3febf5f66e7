package explain

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Shape is EXPLAIN SHAPE PLAN: the operators and what they compute, without numbers, two dashes
// a level, so that plans can be compared.
func Shape(p *fragment.Plan) string {
	s := &shape{}
	for _, c := range p.CTEs {
		s.line(0, fmt.Sprintf("PhysicalCteProducer ( cteId=CTEId#%d )", c.ID))
		s.node(1, c.Plan)
	}
	s.line(0, "PhysicalResultSink")
	s.node(1, p.Root)
	return strings.TrimSuffix(s.b.String(), "\n")
}

type shape struct{ b strings.Builder }

func (s *shape) line(depth int, text string) {
	s.b.WriteString(strings.Repeat("--", depth))
	s.b.WriteString(text)
	s.b.WriteByte('\n')
}

func (s *shape) node(depth int, n physical.Node) {
	s.line(depth, shapeOf(n))
	for _, c := range n.Children() {
		s.node(depth+1, c)
	}
}

var shapeDistributions = map[physical.Distribution]string{
	physical.Broadcast: "broadcast", physical.Partitioned: "shuffle", physical.BucketShuffle: "bucketShuffle", physical.Colocate: "colocated",
}

func shapeOf(n physical.Node) string {
	switch n := n.(type) {
	case *physical.Scan:
		return "PhysicalOlapScan[" + lastPart(n.Table) + indexName(n) + "]" + filterList(" apply RFs:", refIDs(n.RuntimeFilters)) + conditions(" filter=", scanConds(n))
	case *physical.Filter:
		return "filter(" + all(n.Conds) + ")"
	case *physical.Project:
		return "PhysicalProject"
	case *physical.Unnest:
		return "PhysicalGenerate[" + n.Fn.Name + "(" + exprList(n.Args) + ")]"
	case *physical.HashJoin:
		return shapeJoin(n)
	case *physical.NestedLoopJoin:
		return "NestedLoopJoin[" + joinWord(n.Kind) + "]" + all(n.Conds)
	case *physical.Aggregate:
		phase := "GLOBAL"
		if n.Phase == physical.Partial {
			phase = "LOCAL"
		}
		return "hashAgg[" + phase + "]"
	case *physical.Window:
		return "PhysicalWindow[" + windowCalls(n) + "]"
	case *physical.Sort:
		if n.Top != nil {
			return "PhysicalPartitionTopN[" + orderBy(n.Keys) + "]"
		}
		if n.Limit >= 0 {
			return "PhysicalTopN[" + orderBy(n.Keys) + "]"
		}
		return "PhysicalQuickSort[" + orderBy(n.Keys) + "]"
	case *physical.Limit:
		return "PhysicalLimit"
	case *physical.Union:
		return "PhysicalUnion"
	case *physical.SetOp:
		return "Physical" + strings.ReplaceAll(setOpName(n), " ", "")
	case *physical.Values:
		if len(n.Rows) == 0 {
			return "PhysicalEmptyRelation"
		}
		return "PhysicalOneRowRelation"
	case *physical.CTERef:
		return fmt.Sprintf("PhysicalCteConsumer ( cteId=CTEId#%d )", n.CTE.ID)
	case *physical.Write:
		return "PhysicalOlapTableSink[" + lastPart(n.Table) + "]"
	case *physical.Exchange:
		return "PhysicalDistribute[" + exchangeName(n) + "]"
	}
	d := describe(n)
	return "Physical[" + d.name + "]"
}

func shapeJoin(n *physical.HashJoin) string {
	keys := make([]string, len(n.ProbeKeys))
	for i := range keys {
		op := "="
		if n.NullSafe[i] {
			op = "<=>"
		}
		keys[i] = fmt.Sprintf("(%s %s %s)", expr.String(n.ProbeKeys[i]), op, expr.String(n.BuildKeys[i]))
	}
	ids := make([]string, len(n.RuntimeFilters))
	for i, f := range n.RuntimeFilters {
		ids[i] = fmt.Sprintf("RF%d %s", f.ID, expr.String(n.BuildKeys[f.Key]))
	}
	return fmt.Sprintf("hashJoin[%s %s] hashCondition=(%s) otherCondition=(%s)%s",
		joinWord(n.Kind), shapeDistributions[n.Distribution], strings.Join(keys, " and "), all(n.Residual), filterList(" build RFs:", ids))
}

func joinWord(k physical.JoinKind) string { return strings.ReplaceAll(joinOps[k], " ", "_") }

func scanConds(n *physical.Scan) []expr.Expr {
	out := make([]expr.Expr, len(n.Filters))
	for i, f := range n.Filters {
		out[i] = f.Cond
	}
	return out
}

func refIDs(list []physical.RuntimeFilterRef) []string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = fmt.Sprintf(" RF%d", f.ID)
	}
	return out
}

func filterList(name string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return name + strings.Join(list, ";")
}

func conditions(name string, list []expr.Expr) string {
	if len(list) == 0 {
		return ""
	}
	return name + "(" + all(list) + ")"
}

func all(list []expr.Expr) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = expr.String(e)
		if len(list) > 1 {
			out[i] = "(" + out[i] + ")"
		}
	}
	return strings.Join(out, " and ")
}

func lastPart(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 && !strings.HasSuffix(name, "'") {
		return name[i+1:]
	}
	return name
}

// indexName is the materialised index that a scan reads, in brackets; "" for the table itself.
func indexName(n *physical.Scan) string {
	if n.Index == "" {
		return ""
	}
	return "(" + n.Index + ")"
}
