package executor

import (
	"bytes"
	"context"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/vector"
)

// topNSlack is how many rows a driver collects at least before it cuts back.
const topNSlack = 2 * vector.BatchRows

// topNWriter is the sortWriter of ORDER BY … LIMIT: it cuts back to the first keep rows
// whenever it holds twice as many, and drops rows behind the threshold, which all
// drivers share, before it copies them.
type topNWriter struct {
	*sortWriter
	fresh *sorting.Keys // of the current batch
	sel   []int32
}

func newTopNWriter(w *sortWriter) *topNWriter {
	return &topNWriter{sortWriter: w, fresh: w.encoder.NewKeys()}
}

// Consume implements SinkWriter.
func (w *topNWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	if w.s.keep == 0 {
		return Finished, nil
	}
	w.fresh.Reset()
	if err := w.encode(b, w.fresh); err != nil {
		return NeedInput, err
	}
	var limit []byte
	if p := w.s.threshold.Load(); p != nil {
		limit = *p
	}
	w.sel = w.sel[:0]
	for k := range w.fresh.Len() {
		key := w.fresh.At(k)
		if limit != nil && bytes.Compare(key, limit) >= 0 {
			continue
		}
		w.sel = append(w.sel, int32(b.Row(k)))
		w.keys.Add(key)
	}
	if len(w.sel) == 0 {
		return NeedInput, nil
	}
	for i, c := range w.cols {
		c.AppendFrom(b.Cols[i], w.sel)
	}
	if int64(w.keys.Len()) >= 2*w.s.keep+topNSlack {
		w.cut()
	}
	return NeedInput, w.claim()
}

// cut keeps the first keep rows and tells the others what they must beat.
func (w *topNWriter) cut() *sorting.Run {
	r := sorting.NewRun(w.keys)
	if int64(len(r.Order)) > w.s.keep {
		rows := make([]int32, w.s.keep)
		keys := w.encoder.NewKeys()
		for i := range rows {
			rows[i] = int32(r.Order[i].Row)
			keys.Add(w.keys.At(int(r.Order[i].Row)))
		}
		cols := w.s.newColumns()
		for i, c := range cols {
			c.AppendFrom(w.cols[i], rows)
		}
		w.keys, w.cols = keys, cols
		r = sorting.NewRun(keys)
	}
	if int64(len(r.Order)) == w.s.keep {
		w.s.lower(bytes.Clone(w.keys.At(int(r.Order[len(r.Order)-1].Row))))
	}
	return r
}

// lower replaces the threshold by a better one.
func (s *sorter) lower(key []byte) {
	for {
		old := s.threshold.Load()
		if old != nil && bytes.Compare(*old, key) <= 0 || s.threshold.CompareAndSwap(old, &key) {
			return
		}
	}
}

// Close implements SinkWriter.
func (w *topNWriter) Close(context.Context) error {
	if w.keys.Len() > 0 {
		r := w.cut()
		w.s.addRun(r, w.cols)
	}
	return nil
}
