package executor

import (
	"context"
	"sync"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// collectRanges looks at build rows, flat columns, for publishRanges. One caller at a time.
func (j *nestedLoopJoin) collectRanges(cols []*vector.Vector) {
	if j.filters == nil {
		return
	}
	for i, spec := range j.n.RangeFilters {
		if j.ranges == nil {
			j.ranges = make([]*keyCollector, len(j.n.RangeFilters))
		}
		if j.ranges[i] == nil {
			j.ranges[i] = newKeyCollector(nil, j.buildTypes[spec.Build], nil, 0, 0)
		}
		j.ranges[i].add(cols[spec.Build], nil)
	}
}

// publishRanges makes the filters of a nested loop join's comparisons: a probe row that is not below the
// largest build value (or above the smallest) matches none.
func (j *nestedLoopJoin) publishRanges(filters *runtimeFilters) {
	if filters == nil {
		return
	}
	for i, spec := range j.n.RangeFilters {
		count := j.memory.node.addFilter(spec.ID, physical.FilterMinMax.String())
		x, _ := collected(nil, j.buildTypes[spec.Build], []*keyCollector{j.ranges[i]})
		x.values, x.null = nil, false
		p := &publication{filter: x}
		switch spec.Op {
		case storage.OpLt, storage.OpLe:
			x.min, x.belowMax = nil, spec.Op == storage.OpLt
		default:
			x.max, x.aboveMin = nil, spec.Op == storage.OpGt
		}
		if x.rows > 0 && x.min == nil && x.max == nil {
			p = &publication{why: "the type has no bounds"}
		}
		filters.publish(spec.ID, p)
		count.made(p)
	}
}

// setOpFilters make runtime filters of the left side of a set operation, whose rows pass by
// before the right side is scanned. NULL equals NULL.
type setOpFilters struct {
	n     *physical.SetOp
	arena *hashtable.Arena
	limit int

	mu   sync.Mutex
	made map[int][]*keyCollector // by column
}

// newSetOpFilters publishes the filters of n, which are finished when the first scan asks. nil when there are none.
func newSetOpFilters(b *builder, n *physical.SetOp) *setOpFilters {
	if len(n.RuntimeFilters) == 0 || b.filters == nil {
		return nil
	}
	s := &setOpFilters{n: n, arena: &hashtable.Arena{}, limit: b.rt.Filters.maxIn(), made: map[int][]*keyCollector{}}
	for _, spec := range n.RuntimeFilters {
		count := b.profile(n).addFilter(spec.ID, kindOf(spec).String())
		b.filters.publish(spec.ID, &publication{later: func() *runtimeFilter {
			x := s.finish(spec)
			count.made(&publication{filter: x, why: "too many values, or a type without bounds"})
			return x
		}})
	}
	return s
}

func (s *setOpFilters) finish(spec physical.RuntimeFilter) *runtimeFilter {
	s.mu.Lock()
	defer s.mu.Unlock()
	typ := s.n.Left.Base().Cols[spec.Key].T
	l, err := hashtable.NewJoinLayout([]sqltype.Type{typ}, []bool{false})
	if err != nil {
		return nil
	}
	x, bounds := collected(l, typ, s.made[spec.Key])
	if kindOf(spec) == physical.FilterMinMax {
		x.values = nil
	}
	switch {
	case x.rows == 0:
	case x.values == nil && kindOf(spec) != physical.FilterMinMax:
		return nil
	case x.values == nil && x.min == nil:
		return nil
	case x.values != nil:
		x.fillValues(bounds)
	}
	return x
}

// fillValues makes a filter of the listed values: a bitmap where they lie close together, else a
// Bloom filter.
func (x *runtimeFilter) fillValues(bounds *keyBounds) {
	v := vector.New(x.typ, len(x.values))
	for i, val := range x.values {
		v.SetValue(i, val)
	}
	if span, ok := bounds.span(); ok && span < 1<<16 {
		x.base, x.bits = bounds.lo, make([]uint64, span/64+1)
		x.setBits(v, nil)
		return
	}
	k := hashtable.NewKeys(x.layout)
	k.Encode([]*vector.Vector{v}, v.Len, nil)
	x.bloom = hashtable.NewBloom(len(x.values))
	x.bloom.Add(k.Hash())
}

// setOpWatch is the transform that looks at the left side's rows.
type setOpWatch struct {
	columns []int
	collect []*keyCollector
	flat    []vector.Vector
}

func (s *setOpFilters) watch(*Driver) (Transform, error) {
	w := &setOpWatch{}
	seen := map[int]bool{}
	for _, spec := range s.n.RuntimeFilters {
		if seen[spec.Key] {
			continue
		}
		seen[spec.Key] = true
		typ := s.n.Left.Base().Cols[spec.Key].T
		l, err := hashtable.NewJoinLayout([]sqltype.Type{typ}, []bool{false})
		if err != nil {
			return nil, err
		}
		c := newKeyCollector(l, typ, s.arena, s.limit, 0)
		w.columns, w.collect = append(w.columns, spec.Key), append(w.collect, c)
		s.mu.Lock()
		s.made[spec.Key] = append(s.made[spec.Key], c)
		s.mu.Unlock()
	}
	w.flat = make([]vector.Vector, len(w.columns))
	return w, nil
}

// Apply implements Transform.
func (w *setOpWatch) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	for i, c := range w.columns {
		v, sel := in.Cols[c], in.Sel
		if v.Form != vector.Flat {
			v = v.Flatten(sel, &w.flat[i])
			sel = nil
		}
		w.collect[i].add(v, sel)
	}
	return in, NeedInput, nil
}
