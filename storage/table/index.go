package table

import (
	"context"
	"fmt"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// Index is a further set of files that a sink writes in the commit of the rows: rows derived from those of the table,
// sorted by other columns and, where it aggregates, folded by them.
type Index struct {
	ID      int64
	Name    string // for errors
	Columns []storage.Column
	Format  Format
	Sorted  []keyorder.Key
	// Merge makes rows of equal keys one; nil: every row stays.
	Merge *keyorder.Merging
	// Bucketed indexes keep rows in the bucket of the rows that they are made of; the others have one bucket a partition.
	Bucketed bool
	// NewDeriver makes what computes the index's rows; one goroutine uses it.
	NewDeriver func() (Deriver, error)
}

// Deriver computes rows of an index.
type Deriver interface {
	// Derive gives the rows of the index that the rows of b, which has the table's columns, make. The result is
	// valid until the next call.
	Derive(b *vector.Batch) (*vector.Batch, error)
}

// foldRows rows are folded together before they gather: more find more equal keys and take more memory.
const foldRows = 128 << 10

// indexTarget is where the rows of an index gather: the target of its partition and bucket.
type indexTarget struct {
	index     int // of Options.Indexes
	partition int64
	bucket    int32
}

// indexTargets are all of a sink, made on demand.
type indexTargets struct {
	mu   sync.Mutex
	at   map[indexTarget]*target
	list []*target
}

func (s *Sink) indexTarget(index int, of *target) *target {
	x := &s.o.Indexes[index]
	key := indexTarget{index, of.partition.ID, 0}
	if x.Bucketed {
		key.bucket = of.bucket
	}
	s.indexed.mu.Lock()
	defer s.indexed.mu.Unlock()
	t := s.indexed.at[key]
	if t == nil {
		if s.indexed.at == nil {
			s.indexed.at = map[indexTarget]*target{}
		}
		t = &target{partition: of.partition, bucket: key.bucket, index: x}
		s.indexed.at[key] = t
		s.indexed.list = append(s.indexed.list, t)
	}
	return t
}

// targets are all places where rows gather now: those of the table, then those of its indexes.
func (s *Sink) targets() []*target {
	r := s.routes.Load()
	if len(s.o.Indexes) == 0 {
		return r.targets
	}
	s.indexed.mu.Lock()
	defer s.indexed.mu.Unlock()
	return append(r.targets[:len(r.targets):len(r.targets)], s.indexed.list...)
}

// index derives the rows of every index from n rows of the target of, and lets them gather.
func (s *Sink) index(ctx context.Context, of *target, cols []*vector.Vector, n int) error {
	for i := range s.o.Indexes {
		if err := s.derive(ctx, i, of, cols, n); err != nil {
			return s.o.Indexes[i].failed(err)
		}
	}
	return nil
}

func (s *Sink) derive(ctx context.Context, index int, of *target, cols []*vector.Vector, n int) error {
	x := &s.o.Indexes[index]
	d, err := x.NewDeriver()
	if err != nil {
		return err
	}
	var derived buffer
	batch := &vector.Batch{Cols: make([]*vector.Vector, len(cols))}
	flat := make([]*vector.Vector, len(x.Columns))
	memory := make([]vector.Vector, len(x.Columns))
	for lo := 0; lo < n; lo += vector.BatchRows {
		if err := interrupted(ctx); err != nil {
			return err
		}
		hi := min(lo+vector.BatchRows, n)
		batch.Len = hi - lo
		for c, v := range cols {
			batch.Cols[c] = v.Slice(lo, hi)
		}
		rows, err := d.Derive(batch)
		if err != nil {
			return err
		}
		if rows.NumRows() > 0 {
			for c, v := range rows.Cols {
				flat[c] = v.Flatten(rows.Sel, &memory[c])
			}
			derived.append(x.Columns, flat, 0, rows.NumRows())
		}
		if derived.rows >= foldRows || hi == n && derived.rows > 0 {
			if err := s.gather(ctx, x, s.indexTarget(index, of), &derived); err != nil {
				return err
			}
			derived = buffer{}
		}
	}
	return nil
}

// failed says whose rows could not be made.
func (x *Index) failed(err error) error {
	e := sqlerr.From(err)
	if e.Code == sqlerr.Interrupted || e.Code == sqlerr.OutOfMemory {
		return err
	}
	return sqlerr.New(e.Code, "index %s: %s", x.Name, e.Message).WithHint("%s", e.Hint)
}

// gather folds derived rows and adds them to their target.
func (s *Sink) gather(ctx context.Context, x *Index, t *target, derived *buffer) error {
	cols := derived.columns(x.Columns)
	add := func(cols []*vector.Vector, n int) {
		t.mu.Lock()
		grown := t.buf.append(x.Columns, cols, 0, n)
		t.bytes.Add(grown)
		t.mu.Unlock()
		s.buffered.Add(grown)
		s.reserved.Force(grown) // in place of the rows that it was made of, which go
	}
	if x.Merge == nil { // sorted when it is written
		add(cols, derived.rows)
		return nil
	}
	rows := &sortedRows{cols: cols, perm: keyorder.Sort(cols, derived.rows, x.Sorted), n: derived.rows}
	merged, err := keyorder.NewMerger([]storage.Reader{rows}, typesOf(x.Columns), x.Sorted, x.Merge)
	if err != nil {
		return err
	}
	defer merged.Close()
	for {
		b, err := merged.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		add(b.Cols, b.Len)
	}
}

// flushIndex writes what gathered of an index as one file.
func (s *Sink) flushIndex(ctx context.Context, t *target, folder string, seq int, buf *buffer) error {
	x := t.index
	out, err := s.start(folder, x.Columns, x.Format, func(int) string {
		return fmt.Sprintf("r%d_%06d_%d_%d%s", x.ID, t.bucket, seq, s.o.Txn, x.Format.Extension())
	})
	if err != nil {
		return err
	}
	out.of, out.seq = x.ID, seq
	if err := s.writeSorted(ctx, out, buf.columns(x.Columns), buf.rows, x.Sorted, x.Merge); err != nil {
		_ = s.closeFile(out.raw)
		return x.failed(err)
	}
	return out.finish(t.partition.ID, t.bucket)
}
