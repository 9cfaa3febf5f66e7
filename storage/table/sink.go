// Package table commits files to tables, all or nothing.
//
// Writing: files go to <table>/_staging_<txn>/, are synced, renamed into the table's
// folder and only then listed by one catalog transaction (Publish). A crash at any point
// leaves exactly the committed state: staged or renamed files that the catalog does not
// list are swept when the folder is opened next.
//
// Rows of partitioned, bucketed or sorted tables are routed: each partition and bucket (a
// target) has a compact buffer that all drivers append to; what outgrows the memory is sorted
// and written as one more file of its target, the largest buffer first. So only the files that are
// being written are open, however many partitions there are.
package table

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
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

// File is one finished file: its name relative to the table's folder, what it belongs to, and its
// statistics.
type File struct {
	Name      string
	Index     int64 // whose rows; 0: the table's own
	Partition int64 // storage.PartitionInfo.ID; 0 without Routing
	Bucket    int32
	Rows      int64
	Bytes     int64
	Columns   []storage.ColumnStats
	seq       int // among those of its partition and bucket
}

// Options configure a Sink.
type Options struct {
	FS      storage.FS
	Dir     string // the table's folder; made when missing
	Txn     int64  // unique in the catalog
	Columns []storage.Column
	Format  Format
	// FileRows and FileBytes start a new file after so many rows or bytes; 0: never. They are for rows that are not
	// routed. A file grows beyond FileBytes by what its encoder holds back.
	FileRows, FileBytes int64
	// Routing sends rows to partitions and buckets; nil: all rows belong together.
	Routing *Routing
	// Sorted are the columns, by position, that the rows of each file are ordered by, NULL first; those
	// of which Descending is true the other way round. Descending may be nil.
	Sorted     []int
	Descending []bool
	// Merge, when set, makes rows of one key in a file one row; Sorted starts with its keys. The inputs of Rewrite
	// are then files of this table.
	Merge *keyorder.Merging
	// BufferBytes bounds the rows that wait to be sorted and written; 0 is 256 MiB, and in
	// any case a quarter of the query's budget.
	BufferBytes int64
	// Lenient drops rows that the table cannot take (NULL in a NOT NULL column, no partition)
	// and counts them, where otherwise the first one fails the write.
	Lenient bool
	// MaxFiltered is the share of all rows that a lenient write may drop; more fails it. 1: any.
	MaxFiltered float64
	// Staging is the name of the folder below Dir where files are written; "": _staging_<Txn>.
	Staging string
	// Staged leaves the files in the staging folder: Publish moves them, or fails and leaves all as it was, and
	// whoever gave the folder its name removes it.
	Staged bool
	// Indexes are written with the rows. IndexOnly writes them alone: the rows are in files already.
	Indexes   []Index
	IndexOnly bool
	// Publish makes the renamed files visible, in one catalog transaction. Files of one partition and bucket are in
	// the order that they were filled in.
	Publish func(ctx context.Context, files []File) error
	// Progress, when set, is called for each partition and bucket whose rows are all in files, of rows that are routed: so many are
	// done of so many, those without rows included. It may be called concurrently.
	Progress func(done, all int)
	// Done, of writes that are published together, tells whether they were: Publish then only notes the files of each.
	// nil: Publish is all.
	Done func() bool
}

// Routing says where rows belong.
type Routing struct {
	// Layout has the partitions that rows may go to, and the bucketing.
	Layout *storage.Layout
	// Folder is where a partition's files go, relative to Dir, another one for each; nil: there is one partition,
	// and its files go to Dir.
	Folder func(p *storage.PartitionInfo) string
	// InPath tells that the folders' names say the values of the partition columns, which the files then do not have.
	InPath bool
	// Create, for AUTO PARTITION, makes partitions for tuples that no partition takes and returns a
	// layout that has them, besides those of before. It is called by one driver at a time.
	Create func(ctx context.Context, tuples [][]vector.Value) (*storage.Layout, error)
}

const (
	stagingPrefix      = "_staging_"
	defaultBufferBytes = 256 << 20
	minBufferBytes     = 1 << 20
)

// Sink implements storage.Sink.
type Sink struct {
	o       Options
	staging string
	only    *storage.PartitionInfo // of all rows; nil: see routes
	stored  []int                  // the columns that files have, by position
	schema  []storage.Column       // of files
	sorted  []keyorder.Key         // by position in schema

	filtered atomic.Int64
	routes   atomic.Pointer[routes] // nil: rows are not routed
	createMu sync.Mutex             // one driver creates partitions

	indexed  indexTargets
	reserved *budget.Reservation
	bound    int64        // of buffered
	buffered atomic.Int64 // bytes of all targets, those being written included

	mu      sync.Mutex
	folders map[string]bool // made below staging
	newDir  bool            // Dir was not there before
	next    int
	files   []File
	writers int
	open    map[storage.WritableFile]bool
	// flushing targets leave memory soon; flushed wakes those who wait for it.
	flushing int
	flushed  sync.Cond
	// renamed are files that already stand in Dir, to be removed by Abort until Publish.
	renamed   []string
	published bool
}

// NewSink prepares a sink; nothing is touched on disk before the first row.
func NewSink(o Options) *Sink {
	if o.Staging == "" {
		o.Staging = fmt.Sprintf("%s%d", stagingPrefix, o.Txn)
	}
	s := &Sink{o: o, staging: filepath.Join(o.Dir, o.Staging),
		folders: map[string]bool{}, open: map[storage.WritableFile]bool{}, bound: o.BufferBytes}
	s.flushed.L = &s.mu
	s.defineFiles()
	if s.bound <= 0 {
		s.bound = defaultBufferBytes
	}
	if s.only = onlyPartition(&o); s.only != nil {
		return s
	}
	if o.Routing != nil || len(o.Sorted) > 0 || len(o.Indexes) > 0 {
		if s.o.Routing == nil {
			s.o.Routing = &Routing{Layout: &storage.Layout{Partitions: make([]storage.PartitionInfo, 1)}}
		}
		s.routes.Store(newRoutes(s.o.Routing.Layout, o.Columns, nil))
	}
	return s
}

// onlyPartition is the partition that all rows of a write go to, where nothing must be known of a row to tell
// its file: such rows need not be routed.
func onlyPartition(o *Options) *storage.PartitionInfo {
	r := o.Routing
	if r == nil || !r.InPath || r.Create != nil || r.Layout.Bucketing != nil || len(r.Layout.Partitions) != 1 ||
		len(o.Sorted) > 0 || len(o.Indexes) > 0 || o.Merge != nil {
		return nil
	}
	return &r.Layout.Partitions[0]
}

// defineFiles finds the columns of files.
func (s *Sink) defineFiles() {
	for i, c := range s.o.Columns {
		if r := s.o.Routing; r != nil && r.InPath && slices.Contains(r.Layout.Columns, i) {
			continue
		}
		for k, key := range s.o.Sorted {
			if key == i {
				if s.sorted == nil {
					s.sorted = make([]keyorder.Key, len(s.o.Sorted))
				}
				s.sorted[k] = keyorder.Key{Column: len(s.stored), Descending: k < len(s.o.Descending) && s.o.Descending[k]}
			}
		}
		s.stored = append(s.stored, i)
		s.schema = append(s.schema, c)
	}
}

// UseBudget charges buffered rows to b, the query's, and keeps them within a quarter of its limit.
// Call it before the first writer is made.
func (s *Sink) UseBudget(b *budget.Budget) {
	if b == nil || s.routes.Load() == nil {
		return
	}
	s.reserved = b.Reserve("table writer")
	if l := b.Limit(); l > 0 {
		s.bound = max(min(s.bound, l/4), minBufferBytes)
	}
}

// Columns implements storage.Sink.
func (s *Sink) Columns() []storage.Column { return s.o.Columns }

// Filtered is the number of rows that a lenient sink dropped.
func (s *Sink) Filtered() int64 { return s.filtered.Load() }

// NewWriter implements storage.Sink.
func (s *Sink) NewWriter(_ context.Context, instance int) (storage.Writer, error) {
	s.mu.Lock()
	s.writers++
	s.mu.Unlock()
	if s.routes.Load() != nil {
		return newRouter(s, instance), nil
	}
	return &streamer{sink: s}, nil
}

// newFile creates a staged file; folder is relative to the table's.
func (s *Sink) newFile(folder string, name func(next int) string) (string, storage.WritableFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.folders) == 0 {
		_, err := s.o.FS.Stat(s.o.Dir)
		s.newDir = err != nil
	}
	if !s.folders[folder] {
		if err := s.o.FS.MkdirAll(filepath.Join(s.staging, folder)); err != nil {
			return "", nil, err
		}
		s.folders[folder] = true
	}
	path := filepath.Join(folder, name(s.next))
	s.next++
	f, err := s.o.FS.Create(filepath.Join(s.staging, path))
	if err == nil {
		s.open[f] = true
	}
	return path, f, err
}

// closeFile closes a file of newFile.
func (s *Sink) closeFile(f storage.WritableFile) error {
	s.mu.Lock()
	delete(s.open, f)
	s.mu.Unlock()
	return f.Close()
}

// Commit implements storage.Sink.
func (s *Sink) Commit(ctx context.Context) error {
	if err := interrupted(ctx); err != nil {
		return err
	}
	if err := s.flushAll(ctx); err != nil {
		return err
	}
	if err := s.checkFiltered(); err != nil {
		return err
	}
	if len(s.files) > 0 && !s.o.Staged {
		if err := s.rename(); err != nil {
			return err
		}
	}
	slices.SortFunc(s.files, func(a, b File) int { // drivers finish in any order
		return cmp.Or(cmp.Compare(filepath.Dir(a.Name), filepath.Dir(b.Name)), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.seq, b.seq), cmp.Compare(a.Name, b.Name))
	})
	if err := s.o.Publish(ctx, s.files); err != nil {
		return err
	}
	s.published = true
	if len(s.folders) > 0 && !s.o.Staged {
		// Committed: what is left of the staging folder is swept later if this fails.
		_ = s.o.FS.RemoveAll(s.staging)
	}
	return nil
}

// checkFiltered fails when too many rows were dropped.
func (s *Sink) checkFiltered() error {
	filtered := s.filtered.Load()
	all := filtered
	for i := range s.files {
		if s.files[i].Index == 0 {
			all += s.files[i].Rows
		}
	}
	if s.o.Lenient && float64(filtered) > s.o.MaxFiltered*float64(all) {
		return sqlerr.Detail("Insert has too many filtered data %d/%d insert_max_filter_ratio is %f", filtered, all, s.o.MaxFiltered)
	}
	return nil
}

// rename moves the staged files to where they will be read, durably.
func (s *Sink) rename() error {
	for folder := range s.folders {
		if folder != "" {
			if err := s.o.FS.MkdirAll(filepath.Join(s.o.Dir, folder)); err != nil {
				return err
			}
		}
	}
	for _, f := range s.files {
		to := filepath.Join(s.o.Dir, f.Name)
		if err := s.o.FS.Rename(filepath.Join(s.staging, f.Name), to); err != nil {
			return err
		}
		s.renamed = append(s.renamed, to)
	}
	synced := map[string]bool{}
	for folder := range s.folders {
		for d := folder; d != "" && d != "." && !synced[d]; d = filepath.Dir(d) {
			if err := s.o.FS.SyncDir(filepath.Join(s.o.Dir, d)); err != nil {
				return err
			}
			synced[d] = true
		}
	}
	if err := s.o.FS.SyncDir(s.o.Dir); err != nil || !s.newDir {
		return err
	}
	for dir, n := filepath.Dir(s.o.Dir), 0; n < 2; dir, n = filepath.Dir(dir), n+1 { // the database's and the warehouse
		if err := s.o.FS.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Abort implements storage.Sink. Files that cannot be removed now are swept at the next open.
func (s *Sink) Abort() {
	s.reserved.Release()
	if s.published && (s.o.Done == nil || s.o.Done()) {
		return
	}
	for f := range s.open { // those that an error left open
		_ = f.Close()
	}
	clear(s.open)
	for _, f := range s.renamed {
		_ = s.o.FS.Remove(f)
	}
	s.renamed = nil
	if len(s.folders) > 0 && !s.o.Staged {
		_ = s.o.FS.RemoveAll(s.staging)
		clear(s.folders)
	}
}

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "write was interrupted")
	}
	return nil
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

// output is one file that is being written.
type output struct {
	sink *Sink
	name string
	file *countingFile
	raw  storage.WritableFile
	enc  FileWriter
	rows int64
	seq  int                   // of the file in its partition and bucket
	seen *statistics.Collector // of the rows
	cols []storage.Column
	of   int64 // Index.ID
}

// start begins a file with columns cols: those of the table, or of an index.
func (s *Sink) start(folder string, cols []storage.Column, format Format, name func(next int) string) (*output, error) {
	path, f, err := s.newFile(folder, name)
	if err != nil {
		return nil, err
	}
	o := &output{sink: s, cols: cols, name: path, raw: f, file: &countingFile{WritableFile: f},
		seen: statistics.NewCollector(cols, statistics.Options{})}
	o.enc, err = format.NewFileWriter(o.file, storage.InFiles(cols))
	if err != nil {
		_ = s.closeFile(f)
		return nil, err
	}
	return o, nil
}

func (o *output) write(b *vector.Batch) error {
	if err := o.enc.Write(b); err != nil {
		return err
	}
	o.seen.Add(b)
	o.rows += int64(b.NumRows())
	return nil
}

// finish completes the file and hands it to the sink.
func (o *output) finish(partition int64, bucket int32) error {
	err := o.enc.Close()
	if err == nil {
		err = storage.FileError(o.file.Sync(), o.name, "sync")
	}
	if cerr := o.sink.closeFile(o.raw); err == nil {
		err = storage.FileError(cerr, o.name, "close")
	}
	if err != nil {
		return err
	}
	st, err := o.sink.o.Format.Stats(o.sink.o.FS, filepath.Join(o.sink.staging, o.name))
	if err != nil {
		return err
	}
	o.describe(st.Columns)
	o.sink.mu.Lock()
	o.sink.files = append(o.sink.files, File{Name: o.name, Index: o.of, Partition: partition, Bucket: bucket, Rows: o.rows, Bytes: o.file.n, Columns: st.Columns, seq: o.seq})
	o.sink.mu.Unlock()
	return nil
}

// describe adds what was seen of the rows to what the file's footer tells.
func (o *output) describe(cols []storage.ColumnStats) {
	seen := o.seen.Stats(-1).Columns
	for i := range cols {
		s := &cols[i]
		s.Sketch, s.Origin = seen[i].Sketch, storage.OriginFiles
		if seen[i].Distinct >= 0 {
			s.Distinct, s.Nulls, s.AvgBytes = seen[i].Distinct, seen[i].Nulls, seen[i].AvgBytes
		}
	}
}

// streamer is the writer of one driver for rows that need no order: it writes whole files, one
// after the other.
type streamer struct {
	sink *Sink
	out  *output
	keep []int32
}

// Write implements storage.Writer.
func (w *streamer) Write(ctx context.Context, b *vector.Batch) error {
	sel, err := w.sink.storable(b, &w.keep)
	if err != nil {
		return err
	}
	part := &vector.Batch{Cols: b.Cols, Len: b.Len, Sel: sel}
	if part.NumRows() == 0 {
		return nil
	}
	folder := ""
	if p := w.sink.only; p != nil {
		folder = w.sink.o.Routing.Folder(p)
		part.Cols = make([]*vector.Vector, len(w.sink.stored))
		for i, c := range w.sink.stored {
			part.Cols[i] = b.Cols[c]
		}
	}
	if w.out == nil {
		w.out, err = w.sink.start(folder, w.sink.schema, w.sink.o.Format, func(next int) string {
			return fmt.Sprintf("%06d_0_%d%s", next, w.sink.o.Txn, w.sink.o.Format.Extension())
		})
		if err != nil {
			return err
		}
	}
	if err := w.out.write(part); err != nil {
		return err
	}
	if o := &w.sink.o; o.FileRows > 0 && w.out.rows >= o.FileRows || o.FileBytes > 0 && w.out.file.n >= o.FileBytes {
		return w.finish()
	}
	return nil
}

// SeparateSections implements storage.SectionSink: rows that are routed gather from all drivers.
func (s *Sink) SeparateSections() bool { return s.routes.Load() == nil }

// EndSection implements storage.SectionWriter.
func (w *streamer) EndSection(context.Context) error {
	if w.out == nil {
		return nil
	}
	return w.finish()
}

func (w *streamer) finish() error {
	out := w.out
	w.out = nil
	if p := w.sink.only; p != nil {
		return out.finish(p.ID, 0)
	}
	return out.finish(0, 0)
}

// Close implements storage.Writer. A writer that is closed after an error leaves its file
// to Abort.
func (w *streamer) Close(ctx context.Context) error {
	if w.out == nil {
		return nil
	}
	if err := interrupted(ctx); err != nil {
		return err
	}
	return w.finish()
}

// storable is the selection of b without rows that have NULL where the table has NOT NULL; such
// rows are an error unless the sink is lenient. keep is the memory of the selection.
func (s *Sink) storable(b *vector.Batch, keep *[]int32) ([]int32, error) {
	sel := b.Sel
	for i := range s.o.Columns {
		if c, v := &s.o.Columns[i], b.Cols[i]; !c.Nullable && v.MayHaveNulls() {
			bad := 0
			kept := (*keep)[:0]
			if sel == nil {
				if v.Form != vector.Constant && v.Valid.AllSet(b.Len) {
					continue
				}
				for r := range b.Len {
					if v.IsNull(r) {
						bad++
					} else {
						kept = append(kept, int32(r))
					}
				}
			} else {
				for _, r := range sel { // in place when sel is keep already
					if v.IsNull(int(r)) {
						bad++
					} else {
						kept = append(kept, r)
					}
				}
			}
			if bad > 0 && !s.o.Lenient {
				return nil, sqlerr.New(sqlerr.NotNull, "Column '%s' cannot be null", c.Name)
			}
			s.filtered.Add(int64(bad))
			*keep, sel = kept, kept
		}
	}
	return sel, nil
}
