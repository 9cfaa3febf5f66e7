package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// setOp is INTERSECT and EXCEPT: the rows of the left side are kept once each with the
// number of times they came, the right side counts its own occurrences of them, and the
// output follows from the two numbers. NULLs are equal here.
type setOp struct {
	n      *physical.SetOp
	rt     *Runtime
	memory *budget.Reservation

	mu    sync.Mutex
	index map[string]int // key of a row -> position in cols
	cols  []*vector.Vector
	left  []int64
	right []int64
	next  atomic.Int64
}

func (b *builder) buildSetOp(n *physical.SetOp, down stage) error {
	s := &setOp{n: n, rt: b.rt, index: map[string]int{}}
	if b.rt.Budget != nil {
		name := "intersect"
		if n.Except {
			name = "except"
		}
		s.memory = b.rt.Budget.Reserve(fmt.Sprintf("%s #%d", name, n.ID))
	}
	for _, c := range n.Left.Base().Cols {
		s.cols = append(s.cols, vector.New(c.T, 0))
	}
	if err := b.build(n.Left, stage{sink: &setOpSink{s: s, left: true}}); err != nil {
		return err
	}
	if err := b.build(n.Right, stage{sink: &setOpSink{s: s}}); err != nil {
		return err
	}
	b.add(s, n, down)
	return nil
}

// setOpSink takes one side.
type setOpSink struct {
	s    *setOp
	left bool
}

// Open implements Sink.
func (s *setOpSink) Open(context.Context, *Driver) (SinkWriter, error) {
	return &setOpWriter{s: s.s, left: s.left}, nil
}

// Finalize implements Sink.
func (s *setOpSink) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (s *setOpSink) Abort() {
	s.s.index, s.s.cols = nil, nil
	s.s.memory.Release()
}

type setOpWriter struct {
	s    *setOp
	left bool
	keys []byte
	ends []int
	rows []int32
}

// entryOverhead is what a row costs in the index beside its key and columns.
const entryOverhead = 80

// Consume implements SinkWriter: keys are made without the lock, counted under it.
func (w *setOpWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	w.keys, w.ends, w.rows = w.keys[:0], w.ends[:0], w.rows[:0]
	for k := range b.NumRows() {
		for _, c := range b.Cols {
			w.keys = sorting.AppendKey(w.keys, c, b.Row(k), sorting.Order{})
		}
		w.ends = append(w.ends, len(w.keys))
	}
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	start, grown := 0, 0
	for k, end := range w.ends {
		key := w.keys[start:end]
		start = end
		at, ok := s.index[string(key)]
		switch {
		case ok && w.left:
			s.left[at]++
		case ok:
			s.right[at]++
		case w.left:
			s.index[string(key)] = len(s.left)
			s.left, s.right = append(s.left, 1), append(s.right, 0)
			w.rows = append(w.rows, int32(b.Row(k)))
			grown += len(key) + entryOverhead
		}
	}
	if len(w.rows) == 0 {
		return NeedInput, nil
	}
	for i, c := range s.cols {
		before := c.Bytesize()
		c.AppendFrom(b.Cols[i], w.rows)
		grown += int(c.Bytesize() - before)
	}
	return NeedInput, s.memory.Grow(int64(grown))
}

// Close implements SinkWriter.
func (w *setOpWriter) Close(context.Context) error { return nil }

// times is how often row i is in the result.
func (s *setOp) times(i int) int64 {
	l, r := s.left[i], s.right[i]
	switch {
	case s.n.Except && s.n.All:
		return max(l-r, 0)
	case s.n.Except:
		if r == 0 {
			return 1
		}
		return 0
	case s.n.All:
		return min(l, r)
	}
	return min(r, 1)
}

// Open implements Source.
func (s *setOp) Open(context.Context, *Driver) (SourceReader, error) { return &setOpReader{s: s}, nil }

type setOpReader struct {
	s    *setOp
	rows []int32
	at   int
}

// Next implements SourceReader.
func (r *setOpReader) Next(context.Context) (*vector.Batch, error) {
	size := r.s.rt.batchRows()
	for r.at >= len(r.rows) {
		lo := int(r.s.next.Add(int64(size))) - size
		if lo >= len(r.s.left) {
			return nil, nil
		}
		r.rows, r.at = r.rows[:0], 0
		for i := lo; i < min(lo+size, len(r.s.left)); i++ {
			for range r.s.times(i) {
				r.rows = append(r.rows, int32(i))
			}
		}
	}
	rows := r.rows[r.at:min(r.at+size, len(r.rows))]
	r.at += len(rows)
	out := &vector.Batch{Len: len(rows)}
	for _, c := range r.s.cols {
		out.Cols = append(out.Cols, c.Gather(rows, &vector.Vector{}))
	}
	return out, nil
}

// Close implements SourceReader.
func (r *setOpReader) Close() {}
