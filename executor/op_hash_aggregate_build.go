package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
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
	r := b.regrouped[n]
	a, err := newHashAggregate(whole, b.rt, r.lead)
	if err != nil {
		return err
	}
	if r.by != nil {
		r.by.below = a
	}
	if below, lead := aggregateBelow(n); below != nil && b.part == nil && b.rt.Instances > 1 {
		if b.regrouped == nil {
			b.regrouped = map[*physical.Aggregate]regrouping{}
		}
		b.regrouped[below] = regrouping{lead, a}
	}
	if err := b.build(whole.Input, stage{sink: a}); err != nil {
		return err
	}
	b.add(aggSource{a}, n, down)
	return nil
}

// regrouping says of an aggregate that another one groups its groups once more, by keys that
// include lead.
type regrouping struct {
	lead []int
	by   *hashAggregate
}

// aggregateBelow finds the aggregate whose groups n, a Complete one, aggregates once more by some of
// their keys (count(distinct x) is planned so), and the keys that its exchange hashes, all of which n groups by.
// What is between them keeps rows in their drivers.
func aggregateBelow(n *physical.Aggregate) (below *physical.Aggregate, lead []int) {
	if n.Phase != physical.Complete || n.Sets != nil {
		return nil, nil
	}
	kept := map[int]bool{} // columns of node that n groups by
	for _, g := range n.Groups {
		if f, ok := g.(*expr.Field); ok {
			kept[int(f.Index)] = true
		}
	}
	for node := n.Input; node.Base().Run == nil; {
		switch x := node.(type) {
		case *physical.Filter:
			node = x.Input
		case *physical.Project:
			under := map[int]bool{}
			for i, e := range x.Exprs {
				if f, ok := e.(*expr.Field); ok && kept[i] {
					under[int(f.Index)] = true
				}
			}
			node, kept = x.Input, under
		case *physical.Aggregate:
			if lead = exchangedKeys(x, kept); lead == nil {
				return nil, nil
			}
			return x, lead
		default:
			return nil, nil
		}
	}
	return nil, nil
}

// exchangedKeys are the keys of n, a Final aggregate without grouping sets, that its exchange hashes; nil unless
// all are among kept.
func exchangedKeys(n *physical.Aggregate, kept map[int]bool) []int {
	x, ok := n.Input.(*physical.Exchange)
	if n.Phase != physical.Final || !ok || x.Kind != physical.HashExchange || partialOf(n).Sets != nil {
		return nil
	}
	for i, g := range n.Groups {
		if f, ok := g.(*expr.Field); !ok || int(f.Index) != i {
			return nil
		}
	}
	var keys []int
	for _, k := range x.Keys {
		f, ok := k.(*expr.Field)
		if !ok || int(f.Index) >= len(n.Groups) || !kept[int(f.Index)] {
			return nil
		}
		keys = append(keys, int(f.Index))
	}
	return keys
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

// levelOf is which bits of the hashes groups are partitioned by: on level 0 the highest ones. With a
// layout that leads those are the leading keys' alone; where they crowd into few partitions (skewed
// keys), all groups go by the next bits, on level 1, and nothing can be said about the drivers that
// yield them. The first driver whose groups are partitioned decides, by these.
func (a *hashAggregate) levelOf(t *hashtable.GroupTable) int {
	if !t.Rows.L.Leads() {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.level < 0 {
		a.level = 0
		if t.Crowded(aggPartitionBits) {
			a.level = 1
		}
	}
	return a.level
}

// apart reports whether the input comes so that no two drivers see rows of one group. It is known when the
// input begins.
func (a *hashAggregate) apart() bool {
	if a.below == nil {
		return false
	}
	a.below.mu.Lock()
	defer a.below.mu.Unlock()
	return a.below.level <= 0
}
