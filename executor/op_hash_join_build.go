package executor

import "github.com/basaltdb/basalt/planner/physical"

// buildHashJoin adds the build pipeline, the probe pipeline with the join in it, and the
// tail where the kind yields build rows, and last what did not fit into memory.
func (b *builder) buildHashJoin(n *physical.HashJoin, down stage) error {
	j, err := newHashJoin(n, b.rt, b.filters)
	if err != nil {
		return err
	}
	j.spillable = j.canSpill()
	if b.part != nil {
		j.expected = b.part.rowsOf(n.Build)
	}
	if err := b.build(n.Build, stage{sink: hashJoinSink{j}}); err != nil {
		return err
	}
	probe := func(*Driver) (Transform, error) { return newHashJoinProbe(j) }
	if err := b.build(n.Probe, down.then(b.profile(n), probe)); err != nil {
		return err
	}
	if j.wantsMatched() {
		b.add(hashJoinTail{j}, n, down)
	}
	if j.spillable {
		b.add(&hashJoinAway{j: j}, n, down)
	}
	return nil
}
