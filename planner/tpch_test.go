package planner_test

import (
	"testing"

	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// TestTPCHShapes checks what must hold of the TPC-H plans whatever else changes: pairs are compared one by one only with
// a single row, and what is hashed is never much larger than what is probed.
func TestTPCHShapes(t *testing.T) {
	for q := 1; q <= tpch.Count; q++ {
		b, err := bound(tpch.Query(q))
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Plan(b, planner.Options{Instances: 2, Verify: true, Functions: &function.Context{}})
		if err != nil {
			t.Fatal(err)
		}
		eachNode(p, func(n physical.Node) {
			switch n := n.(type) {
			case *physical.NestedLoopJoin:
				if n.Build.Base().Rows > 1 {
					t.Errorf("%s: node %d compares %.0f rows with %.0f", tpch.Name(q), n.ID, n.Probe.Base().Rows, n.Build.Base().Rows)
				}
			case *physical.HashJoin:
				if probe, build := n.Probe.Base().Rows, n.Build.Base().Rows; build > 2*probe {
					t.Errorf("%s: node %d hashes %.0f rows for %.0f", tpch.Name(q), n.ID, build, probe)
				}
			}
		})
	}
}

func eachNode(p *fragment.Plan, f func(physical.Node)) {
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		f(n)
		for _, c := range n.Children() {
			visit(c)
		}
	}
	for _, c := range p.CTEs {
		visit(c.Plan)
	}
	visit(p.Root)
}
