package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// hashAggregate groups by hash: first the Sink of a pipeline, then the Source of the next.
//
// Every driver aggregates what it consumes into tables of its own (aggLocal), without any
// lock. Finalize runs the second level of DISTINCT aggregates; readers of the Source then
// claim radix partitions of the group keys and merge each from all drivers' tables. A
// Partial aggregate, the hash exchange above it and the Final above that are this one
// operator: partial states never leave memory.
type hashAggregate struct {
	rt      *Runtime
	node    *NodeProfile
	groups  []expr.Expr
	aggs    []*expr.Aggregate
	sets    [][]int
	withID  bool
	layout  *hashtable.Layout // of the group keys, and the ordinal of the set with Sets
	streams []*aggStream

	arena  *hashtable.Arena
	memory *memoryClaim
	// spilling is set when some driver had to spill: the others follow, so that the strings
	// in the common arena go. spillable is false where an aggregate's states cannot be saved.
	spilling  atomic.Bool
	spillable bool
	below     *hashAggregate // whose groups this one groups once more by its leading keys, or nil
	// checkGroups, smallGroups and finestGroups are aggCheckGroups, aggSmallGroups and finestMostGroups, earlyGroups is
	// aggEarlyGroups where there are several instances; tests lower them.
	earlyGroups, checkGroups, smallGroups, finestGroups int

	mu     sync.Mutex
	level  int           // see levelOf; -1: not decided
	locals [][]*aggLocal // by stream; in the end only locals[0] is left: what to merge
	merge  *aggMerge
}

// aggStream is a group of aggregates that see the same rows: all those without DISTINCT, or
// those that are DISTINCT over the same arguments and filter.
type aggStream struct {
	aggs []int // positions in hashAggregate.aggs
	// args and filter are those of a DISTINCT stream; layout is of group keys and args.
	distinct bool
	args     []expr.Expr
	filter   expr.Expr
	layout   *hashtable.Layout
}

// newHashAggregate makes the operator of n, whose input expressions are those of n (a
// Complete or Partial aggregate). Groups that are equal in the keys lead are yielded by one driver,
// unless that gave the drivers uneven shares.
func newHashAggregate(n *physical.Aggregate, rt *Runtime, lead []int) (*hashAggregate, error) {
	a := &hashAggregate{level: -1, rt: rt, node: rt.Profile.Node(n.ID), groups: n.Groups, aggs: n.Aggs, sets: n.Sets, withID: n.GroupingID,
		arena: &hashtable.Arena{}, earlyGroups: aggCheckGroups, checkGroups: aggCheckGroups, smallGroups: aggSmallGroups, finestGroups: finestMostGroups}
	if rt.Instances > 1 {
		a.earlyGroups = aggEarlyGroups
	}
	a.memory = newSpillClaim(rt, fmt.Sprintf("aggregate #%d", n.ID), a.node)
	types, nullable := typesOf(n.Groups), nullableKeys(n.Groups)
	if n.Sets != nil {
		for i := range nullable {
			nullable[i] = true
		}
		types, nullable = append(types, sqltype.T(sqltype.Int)), append(nullable, false)
	}
	var err error
	if a.layout, err = hashtable.NewLayout(types, nullable); err != nil {
		return nil, err
	}
	a.layout = a.layout.Lead(lead)
	if err := a.makeStreams(types, nullable); err != nil {
		return nil, err
	}
	a.locals = make([][]*aggLocal, len(a.streams))
	a.spillable, err = a.canSpill()
	return a, err
}

// nullableKeys says which keys get room for NULL: all that have it for free, and the wide
// ones that can be NULL.
func nullableKeys(es []expr.Expr) []bool {
	out := make([]bool, len(es))
	for i, e := range es {
		t := e.Type()
		size := t.Physical().Size()
		out[i] = len(es) == 1 || size < 8 || t.Physical() == sqltype.PhysString || e.Nullable()
	}
	return out
}

// makeStreams sorts the aggregates into streams; stream 0 is the one without DISTINCT. It
// is left out when nothing needs it.
func (a *hashAggregate) makeStreams(types []sqltype.Type, nullable []bool) error {
	plain := &aggStream{layout: a.layout}
	var distinct []*aggStream
	unfiltered := false
	for i, g := range a.aggs {
		if !g.Distinct || g.Fn.IgnoresDistinct || len(g.Args) == 0 || len(g.OrderBy) > 0 {
			plain.aggs = append(plain.aggs, i)
			continue
		}
		s := findStream(distinct, g)
		if s == nil {
			s = &aggStream{distinct: true, args: g.Args, filter: g.Filter}
			t := append(append([]sqltype.Type(nil), types...), typesOf(g.Args)...)
			n := append(append([]bool(nil), nullable...), nullableKeys(g.Args)...)
			var err error
			if s.layout, err = hashtable.NewLayout(t, n); err != nil {
				return err
			}
			distinct = append(distinct, s)
		}
		unfiltered = unfiltered || g.Filter == nil
		s.aggs = append(s.aggs, i)
	}
	if len(plain.aggs) > 0 || !unfiltered {
		a.streams = append(a.streams, plain)
	}
	a.streams = append(a.streams, distinct...)
	return nil
}

func findStream(streams []*aggStream, g *expr.Aggregate) *aggStream {
next:
	for _, s := range streams {
		if len(s.args) != len(g.Args) || (s.filter == nil) != (g.Filter == nil) {
			continue
		}
		if s.filter != nil && !sameExpr(s.filter, g.Filter) {
			continue
		}
		for i, x := range s.args {
			if !sameExpr(x, g.Args[i]) {
				continue next
			}
		}
		return s
	}
	return nil
}

// sameExpr reports whether two expressions surely have the same value.
func sameExpr(x, y expr.Expr) bool {
	if x == y {
		return true
	}
	fx, ok1 := x.(*expr.Field)
	fy, ok2 := y.(*expr.Field)
	return ok1 && ok2 && fx.Index == fy.Index
}

// newAccumulators makes empty accumulators of the aggregates at the given positions.
func (a *hashAggregate) newAccumulators(which []int) ([]function.Accumulator, error) {
	out := make([]function.Accumulator, len(which))
	for i, at := range which {
		acc, err := newAccumulator(a.aggs[at], a.rt.Functions)
		if err != nil {
			return nil, err
		}
		out[i] = acc
	}
	return out, nil
}

func newAccumulator(g *expr.Aggregate, fc *function.Context) (function.Accumulator, error) {
	acc, err := g.Fn.NewAccumulator(fc, constsOf(g.Args))
	if err != nil || len(g.OrderBy) == 0 {
		return acc, err
	}
	return newOrderedAccumulator(g, acc)
}

// Open implements Sink.
func (a *hashAggregate) Open(ctx context.Context, d *Driver) (SinkWriter, error) {
	w := &aggWriter{a: a, locals: make([]*aggLocal, len(a.streams))}
	fc := a.rt.Functions
	var err error
	if w.groups, err = compileRowExprs(a.groups, fc); err != nil {
		return nil, err
	}
	for i, s := range a.streams {
		if w.locals[i], err = newAggLocal(a, s, a.spilling.Load()); err != nil {
			return nil, err
		}
		in, err := newAggInput(a, s)
		if err != nil {
			return nil, err
		}
		w.inputs = append(w.inputs, in)
		w.keys = append(w.keys, hashtable.NewKeys(s.layout))
	}
	w.finest, err = newFinestGroups(w)
	return w, err
}

// Finalize implements Sink.
func (a *hashAggregate) Finalize(ctx context.Context) error {
	var plain []*aggLocal
	for i, s := range a.streams {
		if !s.distinct {
			plain = append(plain, a.locals[i]...)
			continue
		}
		second, err := a.secondLevel(ctx, s, a.locals[i])
		if err != nil {
			return err
		}
		plain = append(plain, second...)
		a.locals[i] = nil
	}
	a.locals = nil
	a.merge = newAggMerge(a, plain)
	switch {
	case a.apart() && a.merge.inMemory():
		a.merge.concatenate()
		return nil
	case a.merge.foldable():
		return a.merge.fold(ctx)
	}
	return a.merge.makeRoom()
}

// Abort implements Sink.
func (a *hashAggregate) Abort() {
	a.merge, a.locals = nil, nil
	a.memory.release()
}

// aggWriter is one driver's part of the sink.
type aggWriter struct {
	a      *hashAggregate
	groups []*rowExpr
	inputs []*aggInput // by stream
	keys   []*hashtable.Keys
	locals []*aggLocal
	cols   []*vector.Vector
	finest *finestGroups // with grouping sets, where it may help
}

// Consume implements SinkWriter.
func (w *aggWriter) Consume(ctx context.Context, b *vector.Batch) (Flow, error) {
	if b.NumRows() == 0 {
		return NeedInput, nil
	}
	cols, err := evalAll(w.groups, b, false, w.cols)
	if err != nil {
		return NeedInput, err
	}
	w.cols = cols
	for _, in := range w.inputs {
		if err := in.eval(b); err != nil {
			return NeedInput, err
		}
	}
	if w.a.sets == nil {
		return NeedInput, w.update(cols, b, 0)
	}
	return NeedInput, w.updateSets(cols, b)
}

// update adds the rows of b, whose keys are cols, to the streams from first on.
func (w *aggWriter) update(cols []*vector.Vector, b *vector.Batch, first int) error {
	for i, l := range w.locals[first:] {
		i += first
		in := w.inputs[i]
		sel := b.Sel
		keyCols := cols
		if l.stream.distinct {
			keyCols = append(append([]*vector.Vector(nil), cols...), in.keyArgs...)
			if in.filter != nil {
				sel = in.filtered
			}
		}
		if err := l.update(w.keys[i], keyCols, b.Len, sel, in); err != nil {
			return err
		}
	}
	return nil
}

// Close implements SinkWriter.
func (w *aggWriter) Close(ctx context.Context) error {
	if w.finest != nil {
		if err := w.finest.rollUp(); err != nil {
			return err
		}
	}
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	for i, l := range w.locals {
		if !l.empty() {
			w.a.locals[i] = append(w.a.locals[i], l)
		}
	}
	return nil
}
