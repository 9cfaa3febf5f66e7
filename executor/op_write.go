package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// write stores its input through a storage.Sink, committed when all rows are written;
// the pipeline after it yields their number.
type write struct {
	sink storage.Sink
	node *NodeProfile
	rows atomic.Int64
}

func (b *builder) buildWrite(n *physical.Write, down stage) error {
	w := &write{sink: n.Sink, node: b.profile(n)}
	if err := b.build(n.Input, stage{sink: w}); err != nil {
		return err
	}
	b.addSerial(writeCount{w}, n, down)
	return nil
}

// Open implements Sink.
func (w *write) Open(ctx context.Context, d *Driver) (SinkWriter, error) {
	f, err := w.sink.NewWriter(ctx, d.Index)
	return &writeWriter{w: w, f: f}, err
}

// Finalize implements Sink.
func (w *write) Finalize(ctx context.Context) error { return w.sink.Commit(ctx) }

// Abort implements Sink.
func (w *write) Abort() { w.sink.Abort() }

type writeWriter struct {
	w *write
	f storage.Writer
}

// Consume implements SinkWriter.
func (w *writeWriter) Consume(ctx context.Context, b *vector.Batch) (Flow, error) {
	w.w.rows.Add(int64(b.NumRows()))
	return NeedInput, w.f.Write(ctx, b)
}

// EndSection implements sectionedWriter.
func (w *writeWriter) EndSection(ctx context.Context) error {
	if f, ok := w.f.(storage.SectionWriter); ok {
		return f.EndSection(ctx)
	}
	return nil
}

// takesSections reports whether drivers may write sections side by side.
func (w *write) takesSections() bool {
	s, ok := w.sink.(storage.SectionSink)
	return ok && s.SeparateSections()
}

// Close implements SinkWriter.
func (w *writeWriter) Close(ctx context.Context) error { return w.f.Close(ctx) }

// writeCount yields one row: how many rows were written.
type writeCount struct{ w *write }

// Open implements Source.
func (c writeCount) Open(context.Context, *Driver) (SourceReader, error) {
	return &writeCountReader{w: c.w}, nil
}

type writeCountReader struct {
	w    *write
	done bool
}

// Next implements SourceReader.
func (r *writeCountReader) Next(context.Context) (*vector.Batch, error) {
	if r.done {
		return nil, nil
	}
	r.done = true
	v := vector.New(sqltype.T(sqltype.BigInt), 1)
	vector.Values[int64](v)[0] = r.w.rows.Load()
	return vector.NewBatch(1, v), nil
}

// Close implements SourceReader.
func (r *writeCountReader) Close() {}
