package executor

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// sortSink orders all rows: each driver collects and sorts a run, the runs are merged by
// the source of the next pipeline. With a limit it is a top-N: a driver keeps no more
// than a few times Offset+Limit rows and drops rows behind its threshold at once.
type sortSink struct {
	n      *physical.Sort
	rt     *Runtime
	node   *NodeProfile
	memory *budget.Reservation
	orders []sorting.Order
	types  []sqltype.Type
	keep   int64 // Offset+Limit, or MaxInt64

	mu   sync.Mutex
	runs []*sorting.Run
}

// topNSlack is how many rows a top-N collects beyond its limit before it cuts back.
const topNSlack = 2 * vector.BatchRows

func (b *builder) buildSort(n *physical.Sort, down stage) error {
	s := &sortSink{n: n, rt: b.rt, node: b.profile(n), keep: math.MaxInt64}
	if b.rt.Budget != nil {
		s.memory = b.rt.Budget.Reserve(fmt.Sprintf("sort #%d", n.ID))
	}
	if n.Limit >= 0 && n.Limit < math.MaxInt64-n.Offset {
		s.keep = n.Offset + n.Limit
	}
	for _, k := range n.Keys {
		s.orders = append(s.orders, sorting.Order{Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	for _, c := range n.Input.Base().Cols {
		s.types = append(s.types, c.T)
	}
	if err := b.build(n.Input, stage{sink: s}); err != nil {
		return err
	}
	b.addSerial(sortSource{s}, n, down)
	return nil
}

// sortSource merges the runs for the pipeline after.
type sortSource struct{ s *sortSink }

// Open implements Source.
func (s sortSource) Open(context.Context, *Driver) (SourceReader, error) {
	return &sortReader{sorting.NewMerge(s.s.runs, s.s.n.Offset, s.s.n.Limit), s.s.rt.batchRows()}, nil
}

// Open implements Sink.
func (s *sortSink) Open(_ context.Context, d *Driver) (SinkWriter, error) {
	w := &sortWriter{s: s, run: sorting.NewRun(s.types)}
	for _, k := range s.n.Keys {
		x, err := compileRowExpr(k.Expr, d.Runtime.Functions)
		if err != nil {
			return nil, err
		}
		w.keys = append(w.keys, x)
	}
	return w, nil
}

type sortWriter struct {
	s         *sortSink
	run       *sorting.Run
	keys      []*rowExpr
	held      int64
	threshold []byte // top-N: rows whose key is not below it are useless

	mem  []byte
	ends []int
	rows []int32
	key  [][]byte
}

// Consume implements SinkWriter.
func (w *sortWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	if w.s.keep == 0 {
		return Finished, nil
	}
	cols := make([]*vector.Vector, len(w.keys))
	for i, k := range w.keys {
		v, err := k.eval(b)
		if err != nil {
			return NeedInput, err
		}
		cols[i] = v
	}
	w.mem, w.ends, w.rows, w.key = w.mem[:0], w.ends[:0], w.rows[:0], w.key[:0]
	for k := range b.NumRows() {
		row := b.Row(k)
		start := len(w.mem)
		for i, c := range cols {
			w.mem = sorting.AppendKey(w.mem, c, row, w.s.orders[i])
		}
		if w.threshold != nil && bytes.Compare(w.mem[start:], w.threshold) >= 0 {
			w.mem = w.mem[:start]
			continue
		}
		w.ends = append(w.ends, len(w.mem))
		w.rows = append(w.rows, int32(row))
	}
	if len(w.rows) == 0 {
		return NeedInput, nil
	}
	start := 0
	for _, end := range w.ends {
		w.key = append(w.key, w.mem[start:end])
		start = end
	}
	w.run.Append(b.Cols, w.rows, w.key)
	if int64(w.run.Len())-w.s.keep >= topNSlack {
		w.run.Truncate(int(w.s.keep))
		last := &w.run.Entries[w.run.Len()-1]
		w.threshold = append(w.threshold[:0], w.run.Key(last)...)
	}
	return NeedInput, w.charge()
}

// charge brings the reservation to what the run holds.
func (w *sortWriter) charge() error {
	n := w.run.Bytes()
	d := n - w.held
	w.held = n
	if d < 0 {
		w.s.memory.Shrink(-d)
		return nil
	}
	if err := w.s.memory.Grow(d); err != nil {
		w.held -= d
		return err
	}
	w.s.node.PeakBytes.Store(max(w.s.node.PeakBytes.Load(), w.s.memoryHeld()))
	return nil
}

func (s *sortSink) memoryHeld() int64 {
	if s.memory == nil {
		return 0
	}
	return s.memory.Held()
}

// Close implements SinkWriter: the run is sorted by its own driver.
func (w *sortWriter) Close(context.Context) error {
	if w.s.keep < math.MaxInt64 {
		w.run.Truncate(int(w.s.keep))
	} else {
		w.run.Sort()
	}
	w.s.mu.Lock()
	w.s.runs = append(w.s.runs, w.run)
	w.s.mu.Unlock()
	return nil
}

// Finalize implements Sink.
func (s *sortSink) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (s *sortSink) Abort() {
	s.runs = nil
	s.memory.Release()
}

type sortReader struct {
	merge *sorting.Merge
	rows  int
}

// Next implements SourceReader.
func (r *sortReader) Next(context.Context) (*vector.Batch, error) { return r.merge.Next(r.rows), nil }

// Close implements SourceReader.
func (r *sortReader) Close() {}
