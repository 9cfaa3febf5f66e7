package orc

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// Stripes of more than splitRows rows are dealt out in parts of whole row groups, so that
// a file of few stripes keeps every core busy.
const splitRows = 256 << 10

// maxParts bounds the parts of a stripe, whose declared rows may be a lie.
const maxParts = 256

// Source is one table over several ORC files. It implements storage.Source.
type Source struct {
	columns []storage.Column
	files   []*File
	mapping [][]mapped // one a file
	once    sync.Once
	stats   *storage.Stats // after once
}

// mapped says where a table's column comes from in one file.
type mapped struct {
	column int // of the file, -1: NULL
	cast   bool
	bad    *sqlerr.Error // why reading the column fails; nil: it does not
}

// NewSource makes a table of the files at paths, in that order. cols nil takes the schema of
// the first file that has one. Columns are found by name, exactly or else without regard
// to case, or by position in files whose columns have no names (_col0, _col1, …); a column
// that a file lacks is NULL there; a file's type may be narrower than the table's.
// Nothing but file tails is read, and those are cached by fs (which must be comparable),
// path, size and time.
func NewSource(fs storage.FS, paths []string, cols []storage.Column) (*Source, error) {
	s := &Source{columns: cols}
	for _, p := range paths {
		f, err := cachedFile(fs, p)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	first := -1 // the file that the schema is from
	if cols == nil && len(s.files) > 0 {
		for i, f := range s.files {
			if f.info.Size > 0 {
				s.columns, first = f.Columns(), i
				break
			}
		}
		if first < 0 {
			return nil, sqlerr.New(sqlerr.CorruptFile, "the ORC file %s is empty: it has no schema", s.files[0].path)
		}
	}
	for i, f := range s.files {
		if i == first { // by position: names may repeat
			s.mapping = append(s.mapping, identity(len(s.columns)))
			continue
		}
		s.mapping = append(s.mapping, s.mapFile(f))
	}
	return s, nil
}

// identity maps the columns of the file that the schema was taken from.
func identity(n int) []mapped {
	out := make([]mapped, n)
	for i := range out {
		out[i].column = i
	}
	return out
}

// mapFile finds the table's columns in a file.
func (s *Source) mapFile(f *File) []mapped {
	exact, folded := map[string]int{}, map[string]int{}
	for i := range f.columns {
		name := f.columns[i].Name
		if _, ok := exact[name]; !ok {
			exact[name] = i
		}
		lower := strings.ToLower(name)
		if _, ok := folded[lower]; ok {
			folded[lower] = -1
			continue
		}
		folded[lower] = i
	}
	positional := f.positional()
	out := make([]mapped, len(s.columns))
	for i, c := range s.columns {
		at, ok := exact[c.Name]
		if !ok {
			at, ok = folded[strings.ToLower(c.Name)]
		}
		if positional {
			at, ok = i, i < len(f.columns)
		}
		if !ok {
			out[i].column = -1
			continue
		}
		if at < 0 {
			out[i] = mapped{column: -1, bad: sqlerr.New(sqlerr.AmbiguousColumn, "Column '%s' in %s is ambiguous: names differ by case only", c.Name, f.path)}
			continue
		}
		x := &f.columns[at]
		out[i] = mapped{column: at, cast: !x.Type.Equal(c.Type)}
		if x.unsupported == "" && out[i].cast && !readable(f.types, x.id, x.Type, c.Type) {
			out[i] = mapped{column: -1, bad: sqlerr.New(sqlerr.TypeMismatch, "column %s is %s in %s, which cannot be read as %s", c.Name, x.Type, f.path, c.Type)}
		}
	}
	return out
}

// Columns implements storage.Source.
func (s *Source) Columns() []storage.Column { return s.columns }

// Stats implements storage.Source: from the files' statistics.
func (s *Source) Stats() *storage.Stats {
	s.once.Do(func() { s.stats = s.mergeStats() })
	return s.stats
}

// split is rows [lo, hi) of a stripe.
type split struct {
	file      *File
	fileIndex int
	mapping   []mapped
	stripe    int
	lo, hi    int64
}

// Rows implements storage.Split.
func (s *split) Rows() int64 { return s.hi - s.lo }

// String implements storage.Split.
func (s *split) String() string {
	return fmt.Sprintf("%s, stripe %d, rows %d-%d", s.file.path, s.stripe, s.lo, s.hi)
}

// Splits implements storage.Source.
func (s *Source) Splits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	left := req.Limit
	for k, f := range s.files {
		if req.Counters != nil {
			req.Counters.FilesTotal.Add(1)
		}
		fileMay := len(f.stripes) == 0 || len(req.Prune) == 0 || mayMatch(req.Prune, s.fileLookup(k))
		stripes := s.stripeLookup(k, fileMay && len(req.Prune) > 0)
		kept := 0
		for i := range f.stripes {
			if ctx.Err() != nil {
				return nil, interrupted(ctx)
			}
			rows := f.stripes[i].rows
			if req.Counters != nil {
				req.Counters.RowGroupsTotal.Add(1)
			}
			if rows == 0 {
				continue
			}
			if !fileMay || !mayMatch(req.Prune, stripes(i)) {
				if req.Counters != nil {
					req.Counters.RowGroupsPruned.Add(1)
				}
				continue
			}
			kept++
			out = append(out, (&split{f, k, s.mapping[k], i, 0, rows}).Divide(splitRows)...)
			if req.Limit >= 0 && len(req.Filters) == 0 {
				if left -= rows; left <= 0 {
					return out, nil
				}
			}
		}
		if kept == 0 && len(f.stripes) > 0 && req.Counters != nil {
			req.Counters.FilesPruned.Add(1)
		}
	}
	return out, nil
}

// Divide implements storage.Divisible: parts are whole row groups, to which readers can jump.
func (s *split) Divide(rows int64) []storage.Split {
	n, stride := s.hi-s.lo, s.file.tail.stride
	parts := min((n+rows-1)/rows, maxParts)
	if n < rows*3/2 || parts < 2 || stride == 0 || stride > rows {
		return []storage.Split{s}
	}
	step := (n/parts/stride + 1) * stride
	var out []storage.Split
	for lo := s.lo; lo < s.hi; lo += step {
		out = append(out, &split{s.file, s.fileIndex, s.mapping, s.stripe, lo, min(lo+step, s.hi)})
	}
	return out
}

// SplitRange implements storage.BoundedSource: of the split's stripe.
func (s *Source) SplitRange(sp storage.Split, column int) storage.Range {
	p := sp.(*split)
	return s.stripeLookup(p.fileIndex, true)(p.stripe)(column)
}

// Open implements storage.Source.
func (s *Source) Open(_ context.Context, sp storage.Split, req *storage.ScanRequest) (rd storage.Reader, err error) {
	p := sp.(*split)
	defer storage.RecoverCorrupt("ORC", p.file.path, &err)
	r, err := s.open(p, req)
	if err != nil {
		return nil, err
	}
	return r, nil
}
