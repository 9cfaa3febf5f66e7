// Package table commits files to tables, all or nothing.
//
// Writing: files go to <table>/_staging_<txn>/, are synced, renamed into the table's
// folder and only then listed by one catalog transaction (Publish). A crash at any point
// leaves exactly the committed state: staged or renamed files that the catalog does not
// list are swept when the folder is opened next.
package table

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/statistics"
)

// FileWriter encodes one file of a table. Close writes what is buffered; it does not
// close the underlying file.
type FileWriter interface {
	Write(b *vector.Batch) error
	Close() error
}

// Format makes file writers.
type Format interface {
	NewFileWriter(f storage.WritableFile, cols []storage.Column) (FileWriter, error)
	// Stats opens a finished file and tells what it holds: a file that cannot be read back
	// is never published.
	Stats(fs storage.FS, path string) (*storage.Stats, error)
	// Extension is the file name's ending, with the dot.
	Extension() string
}

// File is one finished file: its name in the table's folder and its statistics.
type File struct {
	Name    string
	Rows    int64
	Bytes   int64
	Columns []storage.ColumnStats
}

// Options configure a Sink.
type Options struct {
	FS      storage.FS
	Dir     string // the table's folder; made when missing
	Txn     int64  // unique in the catalog
	Columns []storage.Column
	Format  Format
	// FileRows starts a new file after so many rows; 0: never.
	FileRows int64
	// Publish makes the renamed files visible, in one catalog transaction.
	Publish func(ctx context.Context, files []File) error
}

const stagingPrefix = "_staging_"

// Sink implements storage.Sink.
type Sink struct {
	o       Options
	staging string

	mu      sync.Mutex
	made    bool
	next    int
	files   []File
	writers []*writer
	// renamed are files that already stand in Dir, to be removed by Abort until Publish.
	renamed   []string
	published bool
}

// NewSink prepares a sink; nothing is touched on disk before the first row.
func NewSink(o Options) *Sink {
	return &Sink{o: o, staging: filepath.Join(o.Dir, fmt.Sprintf("%s%d", stagingPrefix, o.Txn))}
}

// Columns implements storage.Sink.
func (s *Sink) Columns() []storage.Column { return s.o.Columns }

// NewWriter implements storage.Sink.
func (s *Sink) NewWriter(context.Context, int) (storage.Writer, error) {
	w := &writer{sink: s}
	s.mu.Lock()
	s.writers = append(s.writers, w)
	s.mu.Unlock()
	return w, nil
}

// newFile creates the next staged file.
func (s *Sink) newFile() (string, storage.WritableFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		if err := s.o.FS.MkdirAll(s.staging); err != nil {
			return "", nil, err
		}
		s.made = true
	}
	name := fmt.Sprintf("%06d_0_%d%s", s.next, s.o.Txn, s.o.Format.Extension())
	s.next++
	f, err := s.o.FS.Create(filepath.Join(s.staging, name))
	return name, f, err
}

// Commit implements storage.Sink.
func (s *Sink) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, err, "write was interrupted")
	}
	if s.made {
		if err := s.o.FS.SyncDir(s.staging); err != nil {
			return err
		}
		for _, f := range s.files {
			to := filepath.Join(s.o.Dir, f.Name)
			if err := s.o.FS.Rename(filepath.Join(s.staging, f.Name), to); err != nil {
				return err
			}
			s.renamed = append(s.renamed, to)
		}
		if err := s.o.FS.SyncDir(s.o.Dir); err != nil {
			return err
		}
	}
	if err := s.o.Publish(ctx, s.files); err != nil {
		return err
	}
	s.published = true
	if s.made {
		// Committed: what is left of the staging folder is swept later if this fails.
		_ = s.o.FS.RemoveAll(s.staging)
	}
	return nil
}

// Abort implements storage.Sink. Files that cannot be removed now are swept at the next open.
func (s *Sink) Abort() {
	if s.published {
		return
	}
	for _, w := range s.writers { // those that an error left open
		if w.file != nil {
			_ = w.file.Close()
			w.file, w.enc = nil, nil
		}
	}
	for _, f := range s.renamed {
		_ = s.o.FS.Remove(f)
	}
	s.renamed = nil
	if s.made {
		_ = s.o.FS.RemoveAll(s.staging)
		s.made = false
	}
}

// writer is one driver's part: it writes whole files, one after the other.
type writer struct {
	sink *Sink
	name string
	file storage.WritableFile
	enc  FileWriter
	rows int64
	size countingFile
	seen *statistics.Collector // of the current file's rows
}

// countingFile counts the bytes of a file as they are written.
type countingFile struct {
	storage.WritableFile
	n int64
}

func (c *countingFile) Write(p []byte) (int, error) {
	n, err := c.WritableFile.Write(p)
	c.n += int64(n)
	return n, err
}

// Write implements storage.Writer.
func (w *writer) Write(ctx context.Context, b *vector.Batch) error {
	if b.NumRows() == 0 {
		return nil
	}
	if w.enc == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	if err := w.enc.Write(b); err != nil {
		return err
	}
	w.seen.Add(b)
	w.rows += int64(b.NumRows())
	if w.sink.o.FileRows > 0 && w.rows >= w.sink.o.FileRows {
		return w.finish()
	}
	return nil
}

func (w *writer) start() error {
	name, f, err := w.sink.newFile()
	if err != nil {
		return err
	}
	w.name, w.rows = name, 0
	w.seen = statistics.NewCollector(w.sink.o.Columns, statistics.Options{})
	w.size = countingFile{WritableFile: f}
	w.file = &w.size
	w.enc, err = w.sink.o.Format.NewFileWriter(w.file, w.sink.o.Columns)
	return err
}

// finish completes the current file and hands it to the sink.
func (w *writer) finish() error {
	enc, f := w.enc, w.file
	w.enc, w.file = nil, nil
	err := enc.Close()
	if err == nil {
		err = storage.FileError(f.Sync(), w.name, "sync")
	}
	if cerr := f.Close(); err == nil {
		err = storage.FileError(cerr, w.name, "close")
	}
	if err != nil {
		return err
	}
	st, err := w.sink.o.Format.Stats(w.sink.o.FS, filepath.Join(w.sink.staging, w.name))
	if err != nil {
		return err
	}
	w.describe(st.Columns)
	w.sink.mu.Lock()
	w.sink.files = append(w.sink.files, File{Name: w.name, Rows: w.rows, Bytes: w.size.n, Columns: st.Columns})
	w.sink.mu.Unlock()
	return nil
}

// describe adds what was seen of the rows to what the file's footer tells.
func (w *writer) describe(cols []storage.ColumnStats) {
	seen := w.seen.Stats(-1).Columns
	for i := range cols {
		s := &cols[i]
		s.Sketch, s.Origin = seen[i].Sketch, storage.OriginFiles
		if seen[i].Distinct >= 0 {
			s.Distinct, s.Nulls, s.AvgBytes = seen[i].Distinct, seen[i].Nulls, seen[i].AvgBytes
		}
	}
}

// Close implements storage.Writer. A writer that is closed after an error leaves its file
// to Abort.
func (w *writer) Close(ctx context.Context) error {
	if w.enc == nil {
		return nil
	}
	if ctx.Err() != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, ctx.Err(), "write was interrupted")
	}
	return w.finish()
}

// Sweep removes from a table's folder what no commit lists: staging folders and data
// files whose names are not in keep. It is for internal tables only, at start, before
// anything is written.
func Sweep(fs storage.FS, dir string, keep map[string]bool, ext string) error {
	entries, err := fs.List(dir)
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.IsDir && strings.HasPrefix(e.Name, stagingPrefix):
			err = fs.RemoveAll(filepath.Join(dir, e.Name))
		case !e.IsDir && strings.HasSuffix(e.Name, ext) && !keep[e.Name]:
			err = fs.Remove(filepath.Join(dir, e.Name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
