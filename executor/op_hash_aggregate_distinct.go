package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/vector"
)

// secondLevel feeds the distinct (group, arguments) keys of a DISTINCT stream to its
// aggregates: the keys' partitions are deduplicated in parallel, every worker aggregating
// what it found into a table of its own. The tables are merged with those of the other
// streams.
func (a *hashAggregate) secondLevel(ctx context.Context, s *aggStream, locals []*aggLocal) ([]*aggLocal, error) {
	m := newAggMerge(a, locals)
	if len(locals) == 0 {
		return nil, nil
	}
	if err := m.makeRoom(); err != nil {
		return nil, err
	}
	workers := make([]*distinctWorker, max(1, min(a.rt.Instances, m.partitions)))
	err := parallelTasks(ctx, a.rt, len(workers), m.partitions, func(worker, p int) error {
		w := workers[worker]
		if w == nil {
			var err error
			if w, err = newDistinctWorker(a, s); err != nil {
				return err
			}
			workers[worker] = w
		}
		w.cursor.m = m
		w.cursor.add(p)
		for {
			r, err := w.cursor.next()
			if err != nil || r == nil {
				return err
			}
			err = w.add(r)
			w.cursor.recycle(r)
			if err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, l := range locals {
		a.memory.force(&l.held, 0)
		if l.disk != nil {
			if err := l.disk.parts.File.Close(); err != nil {
				return nil, err
			}
		}
	}
	var out []*aggLocal
	for _, w := range workers {
		if w != nil {
			w.cursor.drop()
		}
		if w != nil && !w.local.empty() {
			out = append(out, w.local)
		}
	}
	return out, nil
}

// distinctWorker aggregates distinct keys.
type distinctWorker struct {
	a      *hashAggregate
	local  *aggLocal
	keys   *hashtable.Keys
	cols   []*vector.Vector // group keys, then arguments
	input  aggInput
	cursor aggCursor
}

func newDistinctWorker(a *hashAggregate, s *aggStream) (*distinctWorker, error) {
	l, err := newAggLocal(a, &aggStream{aggs: s.aggs, layout: a.layout}, a.spilling.Load())
	if err != nil {
		return nil, err
	}
	w := &distinctWorker{a: a, local: l, keys: hashtable.NewKeys(a.layout)}
	for i := range s.layout.Columns() {
		w.cols = append(w.cols, &vector.Vector{Type: s.layout.Type(i)})
	}
	for range s.aggs {
		w.input.values = append(w.input.values, w.cols[a.layout.Columns():])
	}
	return w, nil
}

func (w *distinctWorker) add(r *aggResult) error {
	rows := r.table.Rows
	for lo := 0; lo < rows.N; lo += mergeChunk {
		n := min(mergeChunk, rows.N-lo)
		for i, v := range w.cols {
			v.Reset(n)
			rows.Decode(i, lo, v)
		}
		if err := w.local.update(w.keys, w.cols[:w.a.layout.Columns()], n, nil, &w.input); err != nil {
			return err
		}
	}
	return nil
}
