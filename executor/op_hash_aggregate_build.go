package executor

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/physical"
)

// buildAggregate adds the pipeline that fills the aggregation and the one that starts with
// its groups. A Final aggregate, the exchange below it and the Partial one below that are
// built as one operator.
func (b *builder) buildAggregate(n *physical.Aggregate, down stage) error {
	whole := n
	if n.Phase == physical.Final {
		p := *partialOf(n)
		p.Info = n.Info
		whole = &p
	}
	a, err := newHashAggregate(whole, b.rt)
	if err != nil {
		return err
	}
	if err := b.build(whole.Input, stage{sink: a}); err != nil {
		return err
	}
	b.add(aggSource{a}, n, down)
	return nil
}

func partialOf(n *physical.Aggregate) *physical.Aggregate {
	in := n.Input
	if x, ok := in.(*physical.Exchange); ok {
		in = x.Input
	}
	p, ok := in.(*physical.Aggregate)
	if !ok || p.Phase != physical.Partial {
		panic(invariant.Failed("final aggregate #%d over %T", n.ID, in))
	}
	return p
}
