package fragment

import (
	"testing"

	"github.com/basaltdb/basalt/planner/physical"
)

func TestCut(t *testing.T) {
	build := &physical.Scan{Table: "build"}
	broadcast := &physical.Exchange{Kind: physical.BroadcastRows, Input: build}
	probe := &physical.Scan{Table: "probe"}
	join := &physical.HashJoin{Probe: probe, Build: broadcast}
	gather := &physical.Exchange{Kind: physical.Gather, Input: join}
	root := &physical.Limit{Input: gather}

	p := Cut(root, nil, 4)
	if len(p.Fragments) != 3 || p.Root != physical.Node(root) {
		t.Fatalf("%d fragments", len(p.Fragments))
	}
	check := func(id int, root physical.Node, sink *physical.Exchange, instances, inputs int) {
		t.Helper()
		f := p.Fragments[id]
		if f.ID != id || f.Root != root || f.Sink != sink || f.Instances != instances || len(f.Inputs) != inputs {
			t.Errorf("fragment %d: %+v", id, f)
		}
	}
	check(0, root, nil, 1, 1)
	check(1, join, gather, 4, 1)
	check(2, build, broadcast, 4, 0)
	if p.Fragments[0].Inputs[0] != p.Fragments[1] || p.Fragments[1].Inputs[0] != p.Fragments[2] {
		t.Error("inputs are not the producers")
	}
}
