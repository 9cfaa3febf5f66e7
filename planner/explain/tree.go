package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Tree is EXPLAIN TREE: the whole plan as one tree, a line a node, exchanges included.
func Tree(p *fragment.Plan, opts Options) string {
	t := &text{opts: opts, plan: p}
	for _, c := range p.CTEs {
		t.line(fmt.Sprintf("SHARED PLAN %d: %s", c.ID, c.Name))
		t.tree("", "", c.Plan)
		t.line("")
	}
	t.tree("", "", p.Root)
	return strings.TrimSuffix(t.b.String(), "\n")
}

func (t *text) tree(first, rest string, n physical.Node) {
	d := describe(n)
	s := fmt.Sprintf("%d:%s", n.Base().ID, d.name)
	lines := slices.DeleteFunc(slices.Clone(d.lines), func(l string) bool {
		return strings.HasPrefix(l, "tabletList=") || strings.HasPrefix(l, "rollup:") || strings.HasPrefix(l, "PREAGGREGATION: ON")
	})
	if len(lines) > 0 {
		s += " [" + strings.Join(lines, "; ") + "]"
	}
	if x, ok := n.(*physical.Exchange); ok {
		s += " " + exchangeName(x)
	}
	if d.limit >= 0 {
		s += fmt.Sprintf(" limit=%d", d.limit)
	}
	if d.cardinality {
		s += " rows=" + t.rows(n.Base().Rows)
	}
	t.line(first + s)
	if t.opts.Analyze != nil {
		if m := t.opts.Analyze(n.Base().ID); m != "" {
			for _, l := range strings.Split(strings.TrimRight(m, "\n"), "\n") {
				t.line(rest + "      " + l)
			}
		}
	}
	ch := n.Children()
	for i, c := range ch {
		if i == len(ch)-1 {
			t.tree(rest+"└─ ", rest+"   ", c)
		} else {
			t.tree(rest+"├─ ", rest+"│  ", c)
		}
	}
}

func exchangeName(x *physical.Exchange) string {
	switch x.Kind {
	case physical.HashExchange:
		return "hash(" + exprList(x.Keys) + ")"
	case physical.BucketExchange:
		return fmt.Sprintf("buckets(%s)", exprList(x.Keys))
	case physical.BroadcastRows:
		return "broadcast"
	case physical.MergeGather:
		return "merge"
	}
	return "gather"
}
