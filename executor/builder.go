package executor

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/physical"
)

// newTransform makes the transform of one driver.
type newTransform func(d *Driver) (Transform, error)

// step is one transform of a pipeline and the plan node whose rows it yields.
type step struct {
	node *NodeProfile
	make newTransform
}

// stage is what comes after a node in its pipeline: the steps that its rows pass, in
// order, and the sink at the end. Stages are values; then puts a step in front.
type stage struct {
	steps []step
	sink  Sink
}

func (s stage) then(node *NodeProfile, f newTransform) stage {
	steps := make([]step, 0, len(s.steps)+1)
	steps = append(append(steps, step{node, f}), s.steps...)
	return stage{steps, s.sink}
}

// pipeline is source → steps → sink. Pipelines run one after the other in the order in
// which the builder added them: one that needs the outcome of others (a probe its
// build side, a sorted scan its sort) is added after them.
type pipeline struct {
	source Source
	node   *NodeProfile // whose rows the source yields
	stage
	// serial: one driver only, because the source is ordered.
	serial bool
}

// builder turns a physical plan into pipelines.
//
// To add an operator: a streaming one calls build on its input with a step in front of
// down; a pipeline breaker builds its input into a sink of its own and then calls add
// with itself as the source of what comes down; an operator with several outputs (union
// inputs, the unmatched rows of an outer join) calls build or add several times with the
// same down: its sink is finalized after the last of them.
type builder struct {
	rt        *Runtime
	pipelines []*pipeline
	filters   *runtimeFilters
	ctes      map[*physical.CTE]*materialized
	regrouped map[*physical.Aggregate]regrouping // aggregates still to be built
	part      *bucketPart                        // set while the pipelines of one bucket are built
}

// add appends a pipeline from a source to down.
func (b *builder) add(src Source, n physical.Node, down stage) {
	b.pipelines = append(b.pipelines, &pipeline{source: src, node: b.profile(n), stage: down})
}

// addSerial is add for a source whose order matters.
func (b *builder) addSerial(src Source, n physical.Node, down stage) {
	b.add(src, n, down)
	b.pipelines[len(b.pipelines)-1].serial = true
}

func (b *builder) profile(n physical.Node) *NodeProfile { return b.rt.Profile.Node(n.Base().ID) }

// build adds the pipelines that make n's rows and send them down.
func (b *builder) build(n physical.Node, down stage) error {
	if b.part != nil {
		if done, err := b.buildPart(n, down); done || err != nil {
			return err
		}
	} else if n.Base().Run != nil {
		return b.buildBucketRun(n, down)
	}
	switch n := n.(type) {
	case *physical.Scan:
		src, err := newScan(n, b.rt, b.filters)
		if err != nil {
			return err
		}
		b.add(src, n, down)
		return nil
	case *physical.Filter:
		return b.build(n.Input, down.then(b.profile(n), newFilter(n)))
	case *physical.Project:
		return b.build(n.Input, down.then(b.profile(n), newProject(n)))
	case *physical.Window:
		return b.buildWindow(n, nil, down)
	case *physical.Unnest:
		return b.build(n.Input, down.then(b.profile(n), newUnnest(n)))
	case *physical.Limit:
		return b.build(n.Input, down.then(b.profile(n), newLimit(n)))
	case *physical.Exchange:
		// Inside one process rows change hands where sinks meet sources; see ARCHITECTURE.md.
		return b.build(n.Input, down)
	case *physical.Union:
		if len(n.Inputs) == 0 {
			b.addSerial(&values{rt: b.rt, n: &physical.Values{Info: n.Info}}, n, down)
		}
		for _, in := range n.Inputs {
			if err := b.build(in, down); err != nil {
				return err
			}
		}
		return nil
	case *physical.Values:
		b.addSerial(newValues(n, b.rt), n, down)
		return nil
	case *physical.Sort:
		if n.Partition > 0 {
			return b.buildPartitionSort(n, down)
		}
		return b.buildSort(n, down)
	case *physical.HashJoin:
		return b.buildHashJoin(n, down)
	case *physical.NestedLoopJoin:
		return b.buildNestedLoopJoin(n, down)
	case *physical.Aggregate:
		return b.buildAggregate(n, down)
	case *physical.SetOp:
		return b.buildSetOp(n, down)
	case *physical.CTERef:
		return b.buildCTERef(n, down)
	case *physical.Write:
		return b.buildWrite(n, down)
	}
	panic(invariant.Failed("executor: no operator for %T", n))
}
