// Package outfile writes the rows of a query to files of its user: SELECT … INTO OUTFILE and what is
// like it. The files are all there at the end, or none: they are written under hidden names beside where they will stand
// (.basalt_…), synced, and renamed when all rows are written. A process that dies in between leaves
// hidden files, never a part of a result under a name that was asked for.
package outfile

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/table"
)

// Options configure a Sink.
type Options struct {
	FS      storage.FS
	Columns []storage.Column
	// Writer encodes one file.
	Writer func(f storage.WritableFile) (table.FileWriter, error)
	// Name is the path of file n, counted from 0.
	Name func(n int) string
	// Replace allows that a file of a name is there already and goes; else that is error 1086.
	Replace bool
	// MaxBytes starts a new file behind so many bytes, as far as the format tells; 0: one file. Rows are never cut.
	MaxBytes int64
	// Parallel gives every driver files of its own; else they take turns.
	Parallel bool
	// Success is the path of an empty file that is made when all others stand; "": none.
	Success string
	// Unique is part of the hidden names; another one for every statement.
	Unique string
	// Remove lists files that go when the others are in place: what an overwrite replaces; nil: none.
	Remove func() ([]string, error)
}

// Sink implements storage.Sink.
type Sink struct {
	o     Options
	rows  atomic.Int64
	bytes atomic.Int64

	mu     sync.Mutex
	staged []staged
	open   map[*file]bool
	placed []string // renamed, until all are
	done   bool

	turn   sync.Mutex // of drivers that share a file
	shared *file
}

type staged struct{ hidden, name string }

// New prepares a sink; nothing is touched before the first row.
func New(o Options) *Sink { return &Sink{o: o, open: map[*file]bool{}} }

// Columns implements storage.Sink.
func (s *Sink) Columns() []storage.Column { return s.o.Columns }

// Rows, Bytes and Files tell what was written, after Commit.
func (s *Sink) Rows() int64 { return s.rows.Load() }

// Bytes is the size of all files together.
func (s *Sink) Bytes() int64 { return s.bytes.Load() }

// Files is their number.
func (s *Sink) Files() int { return len(s.staged) }

// NewWriter implements storage.Sink.
func (s *Sink) NewWriter(context.Context, int) (storage.Writer, error) { return &writer{sink: s}, nil }

// file is one that is being written.
type file struct {
	raw  storage.WritableFile
	name string
	enc  table.FileWriter
	size int64
}

// Write implements io.Writer for the encoder.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.raw.Write(p)
	f.size += int64(n)
	return n, storage.FileError(err, f.name, "write")
}

// Sync implements storage.WritableFile.
func (f *file) Sync() error { return storage.FileError(f.raw.Sync(), f.name, "sync") }

// Close implements storage.WritableFile.
func (f *file) Close() error { return storage.FileError(f.raw.Close(), f.name, "close") }

// start creates the next file under its hidden name.
func (s *Sink) start() (*file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.o.Name(len(s.staged))
	if err := s.free(name); err != nil {
		return nil, err
	}
	hidden := filepath.Join(filepath.Dir(name), fmt.Sprintf(".basalt_%s_%d", s.o.Unique, len(s.staged)))
	raw, err := s.o.FS.Create(hidden)
	if err != nil {
		return nil, err
	}
	s.staged = append(s.staged, staged{hidden, name})
	f := &file{raw: raw, name: name}
	s.open[f] = true
	f.enc, err = s.o.Writer(f)
	return f, err
}

// free fails when a file of the name is there and may not go.
func (s *Sink) free(name string) error {
	if s.o.Replace {
		return nil
	}
	if _, err := s.o.FS.Stat(name); err == nil {
		return sqlerr.New(sqlerr.FileExists, "File '%s' already exists", name)
	} else if !sqlerr.Is(err, sqlerr.FileNotFound) {
		return err
	}
	return nil
}

// finish completes a file.
func (s *Sink) finish(f *file) error {
	err := f.enc.Close()
	if err == nil {
		err = f.Sync()
	}
	s.mu.Lock()
	delete(s.open, f)
	s.mu.Unlock()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	s.bytes.Add(f.size)
	return err
}

// writer is that of one driver.
type writer struct {
	sink *Sink
	out  *file // its own
}

// Write implements storage.Writer.
func (w *writer) Write(ctx context.Context, b *vector.Batch) error {
	if ctx.Err() != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "write was interrupted")
	}
	if b.NumRows() == 0 {
		return nil
	}
	s := w.sink
	if s.o.Parallel {
		return s.add(&w.out, b)
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.add(&s.shared, b)
}

// add writes a batch to *out, opening and completing files as needed.
func (s *Sink) add(out **file, b *vector.Batch) error {
	if *out == nil {
		f, err := s.start()
		if err != nil {
			return err
		}
		*out = f
	}
	f := *out
	if err := f.enc.Write(b); err != nil {
		return err
	}
	s.rows.Add(int64(b.NumRows()))
	if s.o.MaxBytes > 0 && f.size >= s.o.MaxBytes {
		*out = nil
		return s.finish(f)
	}
	return nil
}

// SeparateSections implements storage.SectionSink.
func (s *Sink) SeparateSections() bool { return s.o.Parallel }

// EndSection implements storage.SectionWriter: a section is a file, where the result may be several.
func (w *writer) EndSection(ctx context.Context) error {
	if w.sink.o.MaxBytes == 0 {
		return nil
	}
	if f := w.sink.shared; f != nil && !w.sink.o.Parallel { // one driver writes sections then
		w.sink.shared = nil
		return w.sink.finish(f)
	}
	return w.Close(ctx)
}

// Close implements storage.Writer.
func (w *writer) Close(context.Context) error {
	if w.out == nil {
		return nil
	}
	f := w.out
	w.out = nil
	return w.sink.finish(f)
}

// Commit implements storage.Sink. A result without rows is one file without rows.
func (s *Sink) Commit(ctx context.Context) error {
	if len(s.staged) == 0 {
		f, err := s.start()
		if err != nil {
			return err
		}
		s.shared = f
	}
	if s.shared != nil {
		f := s.shared
		s.shared = nil
		if err := s.finish(f); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "write was interrupted")
	}
	var old []string
	if s.o.Remove != nil {
		var err error
		if old, err = s.o.Remove(); err != nil {
			return err
		}
	}
	for _, f := range s.staged {
		if err := s.free(f.name); err != nil { // it may have come while the query ran
			return err
		}
		if err := s.o.FS.Rename(f.hidden, f.name); err != nil {
			return err
		}
		s.placed = append(s.placed, f.name)
	}
	if s.o.Success != "" {
		if err := s.free(s.o.Success); err != nil {
			return err
		}
		f, err := s.o.FS.Create(s.o.Success)
		if err != nil {
			return err
		}
		s.placed = append(s.placed, s.o.Success)
		if err := f.Close(); err != nil {
			return storage.FileError(err, s.o.Success, "close")
		}
	}
	if err := s.o.FS.SyncDir(filepath.Dir(s.staged[0].name)); err != nil {
		return err
	}
	s.done = true
	for _, path := range old {
		if err := s.o.FS.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// Abort implements storage.Sink.
func (s *Sink) Abort() {
	if s.done {
		return
	}
	for f := range s.open { // those that an error left open
		_ = f.raw.Close()
	}
	clear(s.open)
	for _, path := range s.placed {
		_ = s.o.FS.Remove(path)
	}
	for _, f := range s.staged {
		_ = s.o.FS.Remove(f.hidden)
	}
	s.placed, s.staged = nil, nil
}
