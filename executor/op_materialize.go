package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// materialized keeps the rows of a shared common table expression: it runs once and any
// number of scans replay it.
type materialized struct {
	memory  *budget.Reservation
	mu      sync.Mutex
	batches []*vector.Batch
}

func (b *builder) buildCTERef(n *physical.CTERef, down stage) error {
	m := b.ctes[n.CTE]
	if m == nil {
		m = &materialized{}
		if b.rt.Budget != nil {
			m.memory = b.rt.Budget.Reserve(fmt.Sprintf("common table expression %s", n.CTE.Name))
		}
		b.ctes[n.CTE] = m
		if err := b.build(n.CTE.Plan, stage{sink: m}); err != nil {
			return err
		}
	}
	b.add(&replay{m: m, columns: n.Columns}, n, down)
	return nil
}

// Open implements Sink.
func (m *materialized) Open(context.Context, *Driver) (SinkWriter, error) {
	return &materializedWriter{m: m}, nil
}

// Finalize implements Sink.
func (m *materialized) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (m *materialized) Abort() {
	m.batches = nil
	m.memory.Release()
}

type materializedWriter struct {
	m    *materialized
	rows []*vector.Batch
}

// Consume implements SinkWriter.
func (w *materializedWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	c := b.Copy()
	if err := w.m.memory.Grow(c.Bytesize()); err != nil {
		return NeedInput, err
	}
	w.rows = append(w.rows, c)
	return NeedInput, nil
}

// Close implements SinkWriter.
func (w *materializedWriter) Close(context.Context) error {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.batches = append(w.m.batches, w.rows...)
	return nil
}

// replay is one scan of materialized rows; drivers claim batches from a counter.
type replay struct {
	m       *materialized
	columns []int
	next    atomic.Int64
}

// Open implements Source.
func (r *replay) Open(context.Context, *Driver) (SourceReader, error) {
	return &replayReader{r: r}, nil
}

type replayReader struct {
	r   *replay
	out vector.Batch
}

// Next implements SourceReader.
func (r *replayReader) Next(context.Context) (*vector.Batch, error) {
	i := int(r.r.next.Add(1)) - 1
	if i >= len(r.r.m.batches) {
		return nil, nil
	}
	b := r.r.m.batches[i]
	r.out = vector.Batch{Len: b.Len, Cols: make([]*vector.Vector, len(r.r.columns))}
	for k, c := range r.r.columns {
		v := *b.Cols[c] // an own header: readers must not share mutable state
		r.out.Cols[k] = &v
	}
	return &r.out, nil
}

// Close implements SourceReader.
func (r *replayReader) Close() {}
