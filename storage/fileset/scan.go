package fileset

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Limits of a pack: small files that one split reads one after the other.
const (
	smallRows  = 128 << 10 // a file of fewer rows is one row group, and not worth cutting
	smallBytes = 16 << 20
	packFiles  = 64
	leastPack  = 8 << 10 // rows

	unknownBytes = 2 << 20 // a small file whose rows are not known
)

// Splits implements storage.Source.
func (s *Source) Splits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	if s.merged() {
		return s.mergedSplits(ctx, req)
	}
	return s.splits(ctx, s.prune(req), req)
}

// splits cuts and packs files that pruning left.
func (s *Source) splits(ctx context.Context, files []int32, req *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	packRows := s.packRows(files)
	left := req.Limit
	limited := left >= 0 && len(req.Filters) == 0
	packs := map[int32]*pack{} // by bucket, those with room
	for _, f := range files {
		if ctx.Err() != nil {
			return nil, sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "the scan was interrupted")
		}
		file := &s.set.Files[f]
		if !small(file) {
			splits, err := s.openLarge(ctx, f, req)
			if err != nil {
				return nil, err
			}
			out = append(out, splits...)
			for _, sp := range splits {
				left -= sp.Rows()
			}
			left += file.Deleted.Len()
		} else {
			p := packs[file.Bucket]
			if p == nil || len(p.files) == packFiles || p.rows+rowsOf(file) > packRows {
				p = &pack{set: s.set, bucket: file.Bucket}
				packs[file.Bucket] = p
				out = append(out, p)
			}
			p.files = append(p.files, f)
			p.rows += max(rowsOf(file), 1)
			left -= max(file.live(), 0) // guesses do not end a scan
		}
		if limited && left <= 0 {
			break
		}
	}
	return out, nil
}

// small reports whether a file is read whole by one driver, without a look at its footer before.
func small(f *File) bool {
	if f.Rows < 0 {
		return f.Bytes >= 0 && f.Bytes <= unknownBytes
	}
	return f.Rows <= smallRows && f.Bytes <= smallBytes
}

// rowsOf is the number of rows of a file, or a guess.
func rowsOf(f *File) int64 {
	if f.Rows < 0 {
		return max(f.Bytes/32, 1)
	}
	return f.Rows
}

// packRows is the size of a pack: a part of the small files, so that all drivers have work.
func (s *Source) packRows(files []int32) int64 {
	var rows int64
	for _, f := range files {
		if small(&s.set.Files[f]) {
			rows += rowsOf(&s.set.Files[f])
		}
	}
	return min(max(rows/32, leastPack), smallRows)
}

// Bucketed is a Split that lies in one bucket, of one or several partitions.
type Bucketed interface {
	storage.Split
	Bucket() int32
}

// part is a split of a large file.
type part struct {
	storage.Split
	set    *set
	file   int32
	source storage.Source
}

// Bucket implements Bucketed.
func (p *part) Bucket() int32 { return p.set.Files[p.file].Bucket }

// Divide implements storage.Divisible.
func (p *part) Divide(rows int64) []storage.Split {
	d, ok := p.Split.(storage.Divisible)
	if !ok {
		return []storage.Split{p}
	}
	out := d.Divide(rows)
	for i, sp := range out {
		out[i] = &part{Split: sp, set: p.set, file: p.file, source: p.source}
	}
	return out
}

// pack is a split of whole small files of one bucket.
type pack struct {
	set    *set
	bucket int32
	files  []int32
	rows   int64
}

// Rows implements storage.Split.
func (p *pack) Rows() int64 { return p.rows }

// Bucket implements Bucketed.
func (p *pack) Bucket() int32 { return p.bucket }

// String implements storage.Split.
func (p *pack) String() string {
	first := filepath.Base(p.set.Files[p.files[0]].Path)
	if len(p.files) == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d more files", first, len(p.files)-1)
}

// open makes the source of one file.
func (s *set) open(f int32) (storage.Source, error) {
	if s.opened != nil {
		if src := s.opened[f].Load(); src != nil {
			return *src, nil
		}
	}
	file := &s.Files[f]
	open := s.Formats[file.Format]
	if open == nil {
		return nil, sqlerr.Unsupported("the file format " + file.Format)
	}
	src, err := open(s.FS, []string{file.Path}, s.fileColumns(file.Schema))
	if err == nil && s.opened != nil {
		s.opened[f].Store(&src)
	}
	return src, err
}

// fileColumns is the schema to read a file by.
func (s *set) fileColumns(schema *Schema) []storage.Column {
	if schema == nil {
		return storage.InFiles(s.stored())
	}
	cols := append([]storage.Column(nil), storage.InFiles(s.stored())...)
	for i := range cols {
		if schema.Names != nil {
			cols[i].Name = schema.Names[i]
		}
		if schema.Constants != nil && schema.Constants[i] != nil {
			cols[i].Name = storage.AbsentColumn
		}
	}
	return cols
}

// openLarge cuts a file into splits.
func (s *Source) openLarge(ctx context.Context, f int32, req *storage.ScanRequest) ([]storage.Split, error) {
	src, err := s.set.open(f)
	if err != nil {
		return nil, err
	}
	splits, err := splitsOf(ctx, src, s.set.request(f, req))
	if err != nil {
		return nil, err
	}
	for i, sp := range splits {
		splits[i] = &part{Split: sp, set: s.set, file: f, source: src}
	}
	return splits, nil
}

// splitsOf lists the splits of one file, which is counted already.
func splitsOf(ctx context.Context, src storage.Source, req *storage.ScanRequest) ([]storage.Split, error) {
	if req.Counters == nil {
		return src.Splits(ctx, req)
	}
	own, counted := *req, storage.ScanCounters{}
	own.Counters = &counted
	splits, err := src.Splits(ctx, &own)
	req.Counters.FilesPruned.Add(counted.FilesPruned.Load())
	req.Counters.RowGroupsTotal.Add(counted.RowGroupsTotal.Load())
	req.Counters.RowGroupsPruned.Add(counted.RowGroupsPruned.Load())
	req.Counters.BytesRead.Add(counted.BytesRead.Load())
	return splits, err
}

// Open implements storage.Source.
func (s *Source) Open(ctx context.Context, split storage.Split, req *storage.ScanRequest) (storage.Reader, error) {
	switch sp := split.(type) {
	case *part:
		rd, err := sp.source.Open(ctx, sp.Split, s.set.request(sp.file, req))
		if err != nil {
			return nil, err
		}
		return s.set.complete(rd, sp.file, req), nil
	case *pack:
		return &packReader{pack: sp, req: sharedFilters(req)}, nil
	case *cluster:
		return sp.open(req)
	}
	panic(invariant.Failed("split %s is of another source", split))
}

// sharedFilters is req with filters that are made once for all files that one reader reads.
func sharedFilters(req *storage.ScanRequest) *storage.ScanRequest {
	if len(req.Filters) == 0 {
		return req
	}
	out := *req
	out.Filters = append([]storage.Filter(nil), req.Filters...)
	for i := range out.Filters {
		f := &out.Filters[i]
		made, fresh := storage.FilterFunc(nil), f.New
		f.New = func() (storage.FilterFunc, error) {
			if made != nil {
				return made, nil
			}
			fn, err := fresh()
			made = fn
			return fn, err
		}
	}
	return &out
}

// Paths are the files of the set, by the numbers that ReadFile takes.
func (s *Source) Paths() []string {
	out := make([]string, len(s.set.Files))
	for i := range out {
		out[i] = s.set.Files[i].Path
	}
	return out
}

// ReadFile reads all of the i-th file of the set, in its order.
func (s *Source) ReadFile(i int, req *storage.ScanRequest) storage.Reader {
	return &packReader{pack: &pack{set: s.set, files: []int32{int32(i)}}, req: req}
}

// packReader reads the files of a pack one after the other.
type packReader struct {
	pack   *pack
	req    *storage.ScanRequest
	next   int // of pack.files
	src    storage.Source
	inner  *storage.ScanRequest
	splits []storage.Split // left of the current file
	cur    storage.Reader
}

// Next implements storage.Reader.
func (r *packReader) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		if r.cur != nil {
			b, err := r.cur.Next(ctx)
			if err != nil || b != nil {
				return b, err
			}
			r.Close()
		}
		if len(r.splits) == 0 {
			if r.next == len(r.pack.files) {
				return nil, nil
			}
			if err := r.openNext(ctx); err != nil {
				return nil, err
			}
			continue
		}
		rd, err := r.src.Open(ctx, r.splits[0], r.inner)
		if err != nil {
			return nil, err
		}
		r.splits = r.splits[1:]
		r.cur = r.pack.set.complete(rd, r.pack.files[r.next-1], r.req)
	}
}

func (r *packReader) openNext(ctx context.Context) error {
	f := r.pack.files[r.next]
	r.next++
	src, err := r.pack.set.open(f)
	if err != nil {
		return err
	}
	r.src, r.inner = src, r.pack.set.request(f, r.req)
	r.splits, err = splitsOf(ctx, src, r.inner)
	return err
}

// Close implements storage.Reader.
func (r *packReader) Close() {
	if r.cur != nil {
		r.cur.Close()
		r.cur = nil
	}
}
