package fragment

import "github.com/basaltdb/basalt/planner/physical"

// Cut makes a fragment of every part of the plan between exchanges. Fragments are numbered from the
// result (0) towards the scans, as EXPLAIN prints them; shared subplans stay whole in
// Plan.CTEs, and their exchanges are cut into the fragments that follow. instances is how many copies run
// of a fragment that no gather makes single.
func Cut(root physical.Node, ctes []*physical.CTE, instances int) *Plan {
	c := &cutter{instances: max(1, instances), plan: &Plan{CTEs: ctes, Root: root}}
	c.fragment(root, nil)
	for _, cte := range ctes {
		c.inputs(cte.Plan)
	}
	return c.plan
}

type cutter struct {
	plan      *Plan
	instances int
}

func (c *cutter) fragment(root physical.Node, sink *physical.Exchange) *Fragment {
	f := &Fragment{ID: len(c.plan.Fragments), Root: root, Sink: sink, Instances: c.instances}
	c.plan.Fragments = append(c.plan.Fragments, f)
	if single(root) {
		f.Instances = 1
	}
	f.Inputs = c.inputs(root)
	return f
}

// inputs cuts below the exchanges that are the leaves of n's fragment.
func (c *cutter) inputs(n physical.Node) []*Fragment {
	if x, ok := n.(*physical.Exchange); ok {
		return []*Fragment{c.fragment(x.Input, x)}
	}
	var out []*Fragment
	for _, ch := range n.Children() {
		out = append(out, c.inputs(ch)...)
	}
	return out
}

// single reports that a fragment takes all its rows on one instance: its probe path ends in a
// gathering exchange or in literal rows.
func single(n physical.Node) bool {
	switch n := n.(type) {
	case *physical.Exchange:
		return n.Kind == physical.Gather || n.Kind == physical.MergeGather
	case *physical.Values, *physical.Write:
		return true
	case *physical.Union:
		for _, in := range n.Inputs {
			if !single(in) {
				return false
			}
		}
		return true
	}
	ch := n.Children()
	return len(ch) > 0 && single(ch[0])
}
