package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// materialized keeps the rows of a shared common table expression: it runs once and any
// number of scans replay it. Rows for which there is no memory go to a file as they come.
type materialized struct {
	memory  *budget.Reservation
	area    *spill.Area
	types   []sqltype.Type
	mu      sync.Mutex
	batches []*vector.Batch
	file    *spill.File
	blocks  []spill.Block
}

func (b *builder) buildCTERef(n *physical.CTERef, down stage) error {
	m := b.ctes[n.CTE]
	if m == nil {
		m = &materialized{area: b.rt.Spill}
		for _, c := range n.CTE.Plan.Base().Cols {
			m.types = append(m.types, c.T)
		}
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
	m.batches, m.file, m.blocks = nil, nil, nil
	m.memory.Release()
}

type materializedWriter struct {
	m      *materialized
	rows   []*vector.Batch
	codec  *spill.Codec
	blocks []spill.Block
}

// Consume implements SinkWriter.
func (w *materializedWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	c := b.Copy()
	if w.m.memory.TryGrow(c.Bytesize()) {
		w.rows = append(w.rows, c)
		return NeedInput, nil
	}
	if w.m.area == nil {
		if err := w.m.memory.Grow(c.Bytesize()); err != nil {
			return NeedInput, err
		}
		w.rows = append(w.rows, c)
		return NeedInput, nil
	}
	return NeedInput, w.spill(b)
}

// spill writes a batch.
func (w *materializedWriter) spill(b *vector.Batch) error {
	f, err := w.m.openFile()
	if err != nil {
		return err
	}
	if w.codec == nil {
		w.codec = spill.NewCodec(w.m.types)
	}
	block, err := f.Write(w.codec, b.Cols, b.Len, b.Sel)
	if err != nil {
		return err
	}
	w.blocks = append(w.blocks, block)
	return nil
}

// openFile makes the file when it is first needed.
func (m *materialized) openFile() (*spill.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if m.file == nil {
		m.file, err = m.area.Create(spill.Counters{})
	}
	return m.file, err
}

// Close implements SinkWriter.
func (w *materializedWriter) Close(context.Context) error {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.batches = append(w.m.batches, w.rows...)
	w.m.blocks = append(w.m.blocks, w.blocks...)
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
	r     *replay
	out   vector.Batch
	codec *spill.Codec
	block vector.Batch
}

// Next implements SourceReader.
func (r *replayReader) Next(context.Context) (*vector.Batch, error) {
	m := r.r.m
	i := int(r.r.next.Add(1)) - 1
	if i >= len(m.batches)+len(m.blocks) {
		return nil, nil
	}
	b := &r.block
	if i < len(m.batches) {
		b = m.batches[i]
	} else {
		if r.codec == nil {
			r.codec = spill.NewCodec(m.types)
		}
		block := m.blocks[i-len(m.batches)]
		cols, _, err := m.file.Read(r.codec, block)
		if err != nil {
			return nil, err
		}
		r.block = vector.Batch{Cols: cols, Len: int(block.Rows)}
	}
	r.out = vector.Batch{Len: b.Len, Cols: make([]*vector.Vector, len(r.r.columns))}
	for k, c := range r.r.columns {
		v := *b.Cols[c] // an own header: readers must not share mutable state
		r.out.Cols[k] = &v
	}
	return &r.out, nil
}

// Close implements SourceReader.
func (r *replayReader) Close() {}
