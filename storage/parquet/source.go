package parquet

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Row groups of more than splitRows rows are dealt out in parts, so that a file of few
// row groups keeps every core busy. Pages before a part are passed over unread.
const splitRows = 256 << 10

// maxParts bounds the parts of a row group, whose declared rows may be a lie.
const maxParts = 256

// Source is one table over several Parquet files. It implements storage.Source.
type Source struct {
	columns []storage.Column
	files   []*File
	mapping [][]mapped // one a file
	once    sync.Once
	stats   *storage.Stats // after once
}

// mapped says where a table's column comes from in one file.
type mapped struct {
	leaf int // index of the file's column, -1: NULL
	cast bool
	bad  *sqlerr.Error // why reading the column fails; nil: it does not
}

// NewSource makes a table of the files at paths, in that order. cols nil takes the schema of
// the first file. Columns are found by name, exactly or else without regard to case; a
// column that a file lacks is NULL there; a file's type may be narrower than the
// table's. Nothing but footers and dictionary page headers is read, and those are cached by
// fs (which must be comparable), path, size and time.
func NewSource(fs storage.FS, paths []string, cols []storage.Column) (*Source, error) {
	s := &Source{columns: cols}
	for _, p := range paths {
		f, err := cachedFile(fs, p)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	if cols == nil && len(s.files) > 0 {
		s.columns = s.files[0].Columns()
	}
	for i, f := range s.files {
		if i == 0 && cols == nil { // by position: names may repeat
			s.mapping = append(s.mapping, identity(len(s.columns)))
			continue
		}
		s.mapping = append(s.mapping, s.mapFile(f))
	}
	s.widenNullability(cols == nil)
	return s, nil
}

// identity maps the columns of the file that the schema was taken from.
func identity(n int) []mapped {
	out := make([]mapped, n)
	for i := range out {
		out[i].leaf = i
	}
	return out
}

// mapFile finds the table's columns in a file.
func (s *Source) mapFile(f *File) []mapped {
	exact, folded := map[string]int{}, map[string]int{}
	for i := range f.leaves {
		name := f.leaves[i].Name
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
	out := make([]mapped, len(s.columns))
	for i, c := range s.columns {
		at, ok := exact[c.Name]
		if !ok {
			at, ok = folded[strings.ToLower(c.Name)]
		}
		if !ok {
			out[i].leaf = -1
			continue
		}
		if at < 0 {
			out[i] = mapped{leaf: -1, bad: sqlerr.New(sqlerr.AmbiguousColumn, "Column '%s' in %s is ambiguous: names differ by case only", c.Name, f.path)}
			continue
		}
		l := &f.leaves[at]
		out[i] = mapped{leaf: at, cast: !l.Type.Equal(c.Type)}
		if l.unsupported == "" && out[i].cast && !l.readable(c.Type) {
			out[i] = mapped{leaf: -1, bad: sqlerr.New(sqlerr.TypeMismatch, "column %s is %s in %s, which cannot be read as %s", c.Name, l.Type, f.path, c.Type)}
		}
	}
	return out
}

// widenNullability makes columns nullable that a later file has nulls in or lacks, when
// the schema is the first file's.
func (s *Source) widenNullability(derived bool) {
	if !derived {
		return
	}
	for k, m := range s.mapping {
		for i := range s.columns {
			if m[i].leaf < 0 || s.files[k].leaves[m[i].leaf].Nullable {
				s.columns[i].Nullable = true
			}
		}
	}
}

// Columns implements storage.Source.
func (s *Source) Columns() []storage.Column { return s.columns }

// Stats implements storage.Source: merged from the row groups' statistics.
func (s *Source) Stats() *storage.Stats {
	s.once.Do(func() { s.stats = s.mergeStats() })
	return s.stats
}

// split is rows [lo, hi) of a row group.
type split struct {
	file      *File
	fileIndex int
	mapping   []mapped
	group     int
	lo, hi    int64
	shared    *sharedPages // with the other parts of the row group, nil: there are none
}

// Rows implements storage.Split.
func (s *split) Rows() int64 { return s.hi - s.lo }

// String implements storage.Split.
func (s *split) String() string {
	return fmt.Sprintf("%s, row group %d, rows %d-%d", s.file.path, s.group, s.lo, s.hi)
}

// Divide implements storage.Divisible.
func (s *split) Divide(rows int64) []storage.Split {
	n := s.hi - s.lo
	parts := min((n+rows-1)/rows, maxParts)
	if n < rows*3/2 || parts < 2 {
		return []storage.Split{s}
	}
	step := (n/parts/vector.BatchRows + 1) * vector.BatchRows // whole batches: pages of ours end with them
	shared := s.shared
	if shared == nil {
		shared = newSharedPages()
	}
	var out []storage.Split
	for lo := s.lo; lo < s.hi; lo += step {
		out = append(out, &split{s.file, s.fileIndex, s.mapping, s.group, lo, min(lo+step, s.hi), shared})
	}
	shared.parts += len(out) - 1
	return out
}

// Splits implements storage.Source.
func (s *Source) Splits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	left := req.Limit
	for k, f := range s.files {
		if req.Counters != nil {
			req.Counters.FilesTotal.Add(1)
		}
		kept := 0
		for g := range f.meta.groups {
			if ctx.Err() != nil {
				return nil, interrupted(ctx)
			}
			rows := f.meta.groups[g].rows
			if req.Counters != nil {
				req.Counters.RowGroupsTotal.Add(1)
			}
			if rows == 0 {
				continue
			}
			if !s.mayMatch(k, g, req.Prune) {
				if req.Counters != nil {
					req.Counters.RowGroupsPruned.Add(1)
				}
				continue
			}
			kept++
			out = append(out, (&split{f, k, s.mapping[k], g, 0, rows, nil}).Divide(splitRows)...)
			if req.Limit >= 0 && len(req.Filters) == 0 {
				if left -= rows; left <= 0 {
					return out, nil
				}
			}
		}
		if kept == 0 && len(f.meta.groups) > 0 && req.Counters != nil {
			req.Counters.FilesPruned.Add(1)
		}
	}
	return out, nil
}

// SplitRange implements storage.BoundedSource: of the split's row group.
func (s *Source) SplitRange(sp storage.Split, column int) storage.Range {
	p := sp.(*split)
	return s.lookup(p.fileIndex, p.group)(column)
}

// Open implements storage.Source.
func (s *Source) Open(_ context.Context, sp storage.Split, req *storage.ScanRequest) (rd storage.Reader, err error) {
	p := sp.(*split)
	defer storage.RecoverCorrupt("Parquet", p.file.path, &err)
	r, err := s.open(p, req)
	if err != nil {
		return nil, err
	}
	return r, nil
}
