package executor

import (
	"context"
	"sync"

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
		r, err := m.partition(p, nil)
		if err != nil {
			return err
		}
		return w.add(r)
	})
	if err != nil {
		return nil, err
	}
	for _, l := range locals {
		if err := a.memory.set(&l.held, 0); err != nil {
			return nil, err
		}
	}
	var out []*aggLocal
	for _, w := range workers {
		if w != nil && !w.local.empty() {
			out = append(out, w.local)
		}
	}
	return out, nil
}

// distinctWorker aggregates distinct keys.
type distinctWorker struct {
	a     *hashAggregate
	local *aggLocal
	keys  *hashtable.Keys
	cols  []*vector.Vector // group keys, then arguments
	input aggInput
}

func newDistinctWorker(a *hashAggregate, s *aggStream) (*distinctWorker, error) {
	l, err := newAggLocal(a, &aggStream{aggs: s.aggs, layout: a.layout})
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

// parallelTasks runs tasks 0 … tasks-1 on up to workers goroutines, the caller being one
// of them; the others take CPU slots. It returns the first error, after all have ended.
func parallelTasks(ctx context.Context, rt *Runtime, workers, tasks int, run func(worker, task int) error) error {
	var mu sync.Mutex
	var first error
	next := 0
	claim := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = ctx.Err()
		}
		if first != nil || next >= tasks {
			return 0, false
		}
		next++
		return next - 1, true
	}
	work := func(worker int) {
		for {
			task, ok := claim()
			if !ok {
				return
			}
			if err := run(worker, task); err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		}
	}
	var wg sync.WaitGroup
	var failed any
	for worker := 1; worker < min(workers, tasks); worker++ {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					failed = p
					mu.Unlock()
				}
			}()
			if rt.Slots.Acquire(ctx) != nil {
				return
			}
			defer rt.Slots.Release()
			work(worker)
		})
	}
	work(0)
	wg.Wait()
	if failed != nil {
		panic(failed)
	}
	return first
}
