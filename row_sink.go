package basalt

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/table"
)

// rowSink takes the ids of rows that go, in its first column, and gives the rest of the rows to inner. It implements
// storage.Sink.
type rowSink struct {
	columns []storage.Column
	dir     string   // of the table
	files   []string // by their number in ids
	inner   *table.Sink
	publish func(ctx context.Context) error // where there is no inner sink to do it

	mu    sync.Mutex
	rows  map[int]*rowset.Builder // by file
	count int64                   // of rows that go, once they are all there
	sets  map[string]*rowset.Set  // … and these, by path in the table
}

// Columns implements storage.Sink.
func (s *rowSink) Columns() []storage.Column { return s.columns }

// UseBudget charges what waits to be written to b.
func (s *rowSink) UseBudget(b *budget.Budget) {
	if s.inner != nil {
		s.inner.UseBudget(b)
	}
}

// Filtered is the number of rows that were left out.
func (s *rowSink) Filtered() int64 {
	if s.inner != nil {
		return s.inner.Filtered()
	}
	return 0
}

// NewWriter implements storage.Sink.
func (s *rowSink) NewWriter(ctx context.Context, instance int) (storage.Writer, error) {
	w := &rowWriter{sink: s}
	if s.inner != nil {
		var err error
		if w.inner, err = s.inner.NewWriter(ctx, instance); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Commit implements storage.Sink.
func (s *rowSink) Commit(ctx context.Context) error {
	s.sets = map[string]*rowset.Set{}
	for i, b := range s.rows {
		path, err := filepath.Rel(s.dir, s.files[i])
		if err != nil {
			return storage.FileError(err, s.files[i], "find")
		}
		s.sets[path] = b.Set()
		s.count += s.sets[path].Len()
	}
	switch {
	case s.inner != nil:
		return s.inner.Commit(ctx)
	case s.count == 0:
		return nil
	}
	return s.publish(ctx)
}

// Abort implements storage.Sink.
func (s *rowSink) Abort() {
	if s.inner != nil {
		s.inner.Abort()
	}
}

// keptIDs is how many ids a writer keeps before it gives them to the sink.
const keptIDs = 1 << 16

type rowWriter struct {
	sink  *rowSink
	inner storage.Writer
	ids   []int64
}

// Write implements storage.Writer.
func (w *rowWriter) Write(ctx context.Context, b *vector.Batch) error {
	ids := b.Cols[0].Flatten(b.Sel, &vector.Vector{})
	w.ids = append(w.ids, vector.Values[int64](ids)[:b.NumRows()]...)
	if len(w.ids) >= keptIDs {
		w.hand()
	}
	if w.inner == nil {
		return nil
	}
	return w.inner.Write(ctx, &vector.Batch{Cols: b.Cols[1:], Len: b.Len, Sel: b.Sel})
}

// hand gives the ids to the sink.
func (w *rowWriter) hand() {
	s := w.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range w.ids {
		file, row := fileset.SplitRowID(id)
		b := s.rows[file]
		if b == nil {
			b = &rowset.Builder{}
			s.rows[file] = b
		}
		b.Add(row)
	}
	w.ids = w.ids[:0]
}

// Close implements storage.Writer.
func (w *rowWriter) Close(ctx context.Context) error {
	w.hand()
	if w.inner != nil {
		return w.inner.Close(ctx)
	}
	return nil
}
