// Package optimize rewrites logical plans into cheaper ones that give the same rows. Start reading
// here: passes is the whole optimizer, in order, one file a pass.
//
// Every pass takes a plan and returns a plan; nodes are never changed in place (the plans of shared
// common table expressions are replaced, once a pass, by the driver). All passes but the ones marked
// Required can be switched off by name, and any subset gives the same rows.
package optimize

import (
	"time"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Context is what passes may know of the statement. One goroutine uses it.
type Context struct {
	IDs       *expr.IDs         // fresh column ids
	Functions *function.Context // for constant folding; nil folds nothing that depends on the session
	Disabled  map[string]bool   // passes to leave out, by name
	// MaxPruningProduct bounds the combinations of values whose buckets are computed; 0: the default, 100.
	MaxPruningProduct int
	// NoDistinctRewrite keeps count(DISTINCT x) and ndv(x) away from bitmaps and HLLs (rewrite_count_distinct_to_bitmap_hll).
	NoDistinctRewrite bool
	Trace             *Trace // nil: nothing is recorded
	// Verify checks the plan after each pass; tests set it, builds with -tags invariants always do.
	Verify bool
	// inShared is set while a pass runs over the plan of a common table expression, after its run over the root's.
	inShared bool
}

// Pass is one named rewrite of a whole plan.
type Pass struct {
	Name string
	// Required passes cannot be disabled: without them plans cannot be lowered.
	Required bool
	Run      func(c *Context, n logical.Node) (logical.Node, error)
}

// passes is the optimizer: this list, in this order. Some names occur twice: switching a name off
// switches off every occurrence.
var passes = []Pass{
	{Name: "decorrelate", Required: true, Run: Decorrelate},
	{Name: "fold_constants", Run: foldConstants},
	{Name: "simplify_predicates", Run: simplifyPredicates},
	{Name: "simplify_outer_joins", Run: simplifyOuterJoins},
	{Name: "pushdown_filter", Run: pushdownFilter},
	{Name: "eliminate_projects", Run: eliminateProjects},
	{Name: "infer_predicates", Run: inferPredicates},
	{Name: "prune_partitions", Run: prunePartitions},
	{Name: "empty_relation", Run: emptyRelation},
	{Name: "distinct_dictionary", Run: distinctDictionary},
	{Name: "route_rollups", Run: routeRollups},
	{Name: "bitmap_aggregates", Run: bitmapAggregates},
	{Name: "distinct_aggregates", Run: distinctAggregates},
	{Name: "eliminate_distinct", Run: eliminateDistinct},
	{Name: "join_order", Run: joinOrder},
	{Name: "mark_side", Run: markSide},
	{Name: "eliminate_sort", Run: eliminateSort},
	{Name: "top_n", Run: topN},
	{Name: "window_top_n", Run: windowTopN},
	{Name: "pushdown_limit", Run: pushdownLimit},
	{Name: "prune_columns", Run: pruneColumns},
	{Name: "eliminate_projects", Run: eliminateProjects},
	{Name: "preaggregation", Run: preaggregation},
}

// Trace records what each pass did. Keeping it prints the plan after every pass: it is for EXPLAIN and tests.
type Trace struct {
	Keep  bool // Steps get the plans of passes that changed something
	Steps []Step
	last  string
	nodes int
}

func (t *Trace) begin(n logical.Node) { t.last, t.nodes = logical.FormatIDs(n), countNodes(n) }

func (t *Trace) add(pass string, took time.Duration, n logical.Node) {
	plan := logical.FormatIDs(n)
	s := Step{Pass: pass, Took: took, Changed: plan != t.last, NodesBefore: t.nodes, NodesAfter: countNodes(n)}
	if t.Keep && s.Changed {
		s.Before, s.After = t.last, plan
	}
	t.Steps = append(t.Steps, s)
	t.last, t.nodes = plan, s.NodesAfter
}

// countNodes counts the nodes of a plan and of the shared plans that it reads.
func countNodes(n logical.Node) int {
	count := 0
	visit := func(logical.Node) bool { count++; return true }
	logical.Walk(n, visit)
	for _, c := range logical.CTEs(n) {
		logical.Walk(c.Plan, visit)
	}
	return count
}

// Changed reports whether a pass of that name changed the plan.
func (t *Trace) Changed(pass string) bool {
	for _, s := range t.Steps {
		if s.Pass == pass && s.Changed {
			return true
		}
	}
	return false
}

// Step is one pass of a Trace.
type Step struct {
	Pass                    string
	Took                    time.Duration
	Changed                 bool
	NodesBefore, NodesAfter int
	Before, After           string // plans, with Trace.Keep
}

// Passes are the names of all passes that may be disabled, in order, each once.
func Passes() []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range passes {
		if !p.Required && !seen[p.Name] {
			seen[p.Name] = true
			names = append(names, p.Name)
		}
	}
	return names
}

// Run takes n through all passes that are not disabled. Errors are *sqlerr.Error.
func Run(c *Context, n logical.Node) (logical.Node, error) {
	if c.Trace != nil {
		c.Trace.begin(n)
	}
	for _, p := range passes {
		if c.Disabled[p.Name] && !p.Required {
			continue
		}
		start := time.Now()
		out, err := runPass(c, p, n)
		if err != nil {
			return nil, err
		}
		if c.Trace != nil {
			c.Trace.add(p.Name, time.Since(start), out)
		}
		n = out
		if invariant.On || c.Verify {
			if msg := Verify(n); msg != "" {
				panic(invariant.Failed("after pass %s: %s", p.Name, msg))
			}
		}
	}
	return n, nil
}

// runPass runs one pass over the plan and over the plan of every common table expression in it,
// which are replaced in place, each once.
func runPass(c *Context, p Pass, n logical.Node) (logical.Node, error) {
	out, err := p.Run(c, n)
	if err != nil {
		return nil, err
	}
	c.inShared = true
	defer func() { c.inShared = false }()
	done := map[*logical.CTE]bool{}
	var shared func(n logical.Node)
	shared = func(n logical.Node) {
		logical.Walk(n, func(n logical.Node) bool {
			ref, ok := n.(*logical.CTERef)
			if !ok || done[ref.CTE] || err != nil {
				return err == nil
			}
			done[ref.CTE] = true
			var plan logical.Node
			if plan, err = p.Run(c, ref.CTE.Plan); err == nil {
				ref.CTE.Plan = plan
				shared(plan)
			}
			return true
		})
	}
	shared(out)
	return out, err
}

// keepColumns is out with exactly the columns of old, in their order: for places where the order of a
// plan's columns has a meaning (the result, inputs of set operations, shared plans, writes).
func keepColumns(old []expr.Column, out logical.Node) logical.Node {
	cols := out.Columns()
	same := len(cols) == len(old)
	for i := 0; same && i < len(old); i++ {
		same = cols[i].ID == old[i].ID
	}
	if same {
		return out
	}
	return &logical.Project{Input: out, Exprs: expr.Refs(old), Cols: old}
}

// ordersColumns reports nodes to which the order and number of their inputs' columns matters.
func ordersColumns(n logical.Node) bool {
	switch n.(type) {
	case *logical.SetOp, *logical.Write, *logical.Distinct:
		return true
	}
	return false
}
