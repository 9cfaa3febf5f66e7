package executor

import (
	"context"
	"sync"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// Folding merges drivers' tables in place: the groups of one that another has, too, are added
// there and left out here, all others stay where they are. It is for direct arrays, where
// a lookup is one memory access and whole pages are missing when drivers saw different
// parts of a clustered table; merging by partition would add every group once more.

// Limits of folding: a group is looked up in the tables of all drivers before its own.
const (
	foldLocals = 8
	foldChunk  = 1 << 14 // groups of a task
	// apartChunk is the same for tables that need no folding: small, so that the drivers share evenly what one of them made.
	apartChunk = 1 << 12
)

// aggFold is how a folded merge is read: chunks of the drivers' tables.
type aggFold struct {
	dropped []vector.Bitmap // by local, a zero for every group that went to another; nil: none
	chunks  []foldTask
}

type foldTask struct{ local, lo, hi int }

// foldable reports whether all tables are direct arrays with the same aggregates, whose states
// are cheap to move.
func (m *aggMerge) foldable() bool {
	if !m.ranged || len(m.locals) > foldLocals || !m.inMemory() {
		return false
	}
	for _, l := range m.locals {
		for _, acc := range l.accs {
			if _, ok := acc.(function.ScatteredMerge); !ok {
				return false
			}
		}
	}
	return true
}

// inMemory reports whether all groups are in drivers' tables, each with all aggregates.
func (m *aggMerge) inMemory() bool {
	for _, l := range m.locals {
		if l.parts != nil || l.disk != nil || len(l.aggs) != len(m.a.aggs) {
			return false
		}
		for i, at := range l.aggs {
			if at != i {
				return false
			}
		}
	}
	return true
}

// concatenate leaves m to be read by chunks of tables that have no group in common.
func (m *aggMerge) concatenate() {
	f := &aggFold{dropped: make([]vector.Bitmap, len(m.locals))}
	for k, l := range m.locals {
		f.chunks = append(f.chunks, foldTasks(k, l.table.Groups(), apartChunk)...)
	}
	m.folded, m.partitions = f, len(f.chunks)
}

// fold merges the tables and leaves m to be read by chunks.
func (m *aggMerge) fold(ctx context.Context) error {
	f := &aggFold{dropped: make([]vector.Bitmap, len(m.locals))}
	for k, l := range m.locals {
		tasks := foldTasks(k, l.table.Groups(), foldChunk)
		f.chunks = append(f.chunks, tasks...)
		if k == 0 {
			continue
		}
		f.dropped[k] = vector.NewBitmap(l.table.Groups())
		workers := make([]foldWorker, max(m.a.rt.Instances, 1))
		var states sync.Mutex
		err := parallelTasks(ctx, m.a.rt, len(workers), len(tasks), func(worker, i int) error {
			return workers[worker].fold(m.locals[:k], l, f.dropped[k], tasks[i], &states)
		})
		if err != nil {
			return err
		}
	}
	m.folded, m.partitions = f, len(f.chunks)
	return nil
}

// foldTasks cuts the groups of local k; chunks begin with a word of the bitmap.
func foldTasks(k, groups, chunk int) []foldTask {
	var out []foldTask
	for lo := 0; lo < groups; lo += chunk {
		out = append(out, foldTask{k, lo, min(lo+chunk, groups)})
	}
	return out
}

// foldWorker is scratch memory of one goroutine.
type foldWorker struct {
	keys     hashtable.Keys
	rows, to []uint32
	found    []int32
}

// fold adds those of l's groups that a table of before has to it. Looking up is the work and
// goes on side by side; states, which may share memory beyond a group's, change under the lock.
func (w *foldWorker) fold(before []*aggLocal, l *aggLocal, dropped vector.Bitmap, t foldTask, states *sync.Mutex) error {
	if w.found == nil {
		w.found = make([]int32, mergeChunk)
	}
	for lo := t.lo; lo < t.hi; lo += mergeChunk {
		n := min(mergeChunk, t.hi-lo)
		w.keys.Load(l.table.Rows, lo, lo+n)
		for _, b := range before {
			found := w.found[:n]
			b.table.Lookup(&w.keys, found)
			w.rows, w.to = w.rows[:0], w.to[:0]
			for i, g := range found {
				if g >= 0 && dropped.Get(lo+i) {
					w.rows, w.to = append(w.rows, uint32(lo+i)), append(w.to, uint32(g))
					dropped.Clear(lo + i)
				}
			}
			if len(w.rows) == 0 {
				continue
			}
			if err := w.merge(b, l, states); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge adds the states at w.rows of l to the groups w.to of b.
func (w *foldWorker) merge(b, l *aggLocal, states *sync.Mutex) error {
	states.Lock()
	defer states.Unlock()
	for i, acc := range b.accs {
		if err := mergeRows(acc, w.to, l.accs[i], w.rows); err != nil {
			return err
		}
	}
	return nil
}

// chunk is the result of task p.
func (m *aggMerge) chunk(p int) *aggResult {
	t := m.folded.chunks[p]
	l := m.locals[t.local]
	return &aggResult{table: l.table, accs: l.accs, lo: t.lo, hi: t.hi, kept: m.folded.dropped[t.local]}
}
