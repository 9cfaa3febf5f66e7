// Package fileset is the scan source of a table that is a set of files, grouped by partition
// and bucket, of any mix of formats.
//
// What is known of the files without opening them (partition, bucket, rows, statistics) prunes
// partitions, buckets and files first; only the files that are left are opened, large ones when
// the scan starts, to be cut at row groups, small ones many to a split by the driver that reads it.
package fileset

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// Open makes the source of files of one format. cols is the schema to read them by: columns
// are found by name, those that a file lacks are NULL.
type Open func(fs storage.FS, paths []string, cols []storage.Column) (storage.Source, error)

// Options describe a set of files. They belong to the Source after New.
type Options struct {
	FS      storage.FS
	Columns []storage.Column
	Layout  *storage.Layout // its Rows, Bytes and Files may be left at zero: New fills them in
	Files   []File
	// Merge, when set, makes rows of one key one row while they are read. Every file is then sorted by the keys and
	// has one row of each, and Files are in the order that their rows count as added.
	Merge *keyorder.Merging
	// Fixed tells that files never change: what is known of them once is kept, if they are not too many.
	Fixed bool
	// RowIDs adds the hidden column RowID, the last one.
	RowIDs  bool
	Formats map[string]Open
	// Range is what is known of a column of a file, cheap; nil: nothing is. It is called for pruning and
	// estimates, concurrently.
	Range func(file, column int) storage.Range
}

// RowID is the name of a hidden column: the file's number in the set, shifted by 32 bits, and the row's number in
// the file. See SplitRowID.
const RowID = "__BASALT_ROW_ID__"

var rowIDType = sqltype.T(sqltype.BigInt)

// SplitRowID is the file and the row that an id stands for.
func SplitRowID(id int64) (file int, row int64) { return int(id >> 32), id & math.MaxUint32 }

// File is one file of a set.
type File struct {
	Path      string
	Format    string
	Partition int32 // ordinal of Layout.Partitions
	Bucket    int32
	Rows      int64 // -1: unknown
	Bytes     int64
	// Deleted are rows that the file still has and the set does not. nil: none.
	Deleted *rowset.Set
	// Schema says how the columns are found in the file; nil: all by their names.
	Schema *Schema
}

// Schema maps the columns of a set to those of files, which may be older than the table. Immutable,
// shared by the files that were written alike.
type Schema struct {
	// Names are the columns' names in the file, by ordinal; nil: the names of the set.
	Names []string
	// Constants are the values of columns that are not in the file, by ordinal; nil entries
	// are in it. A value may be NULL. Columns of the path are constants too.
	Constants []*vector.Value
}

// live is the number of rows that are there; -1: unknown.
func (f *File) live() int64 {
	if f.Rows < 0 {
		return -1
	}
	return f.Rows - f.Deleted.Len()
}

// stored are the columns without that of row ids.
func (s *set) stored() []storage.Column {
	if s.RowIDs {
		return s.Columns[:s.rowID()]
	}
	return s.Columns
}

// set is what all restrictions of a source share.
type set struct {
	Options
	opened []atomic.Pointer[storage.Source] // by file, where they are kept
	ranges []atomic.Pointer[storage.Range]  // by file and column, where they are kept
	index  [][]int32                        // by partition: its files by bucket, then as listed
}

// Sets of at most so many files, and so many ranges of their columns, keep what is known of them: a lookup of one row takes
// longer to ask for it than to read the row.
const (
	keptFiles  = 1 << 10
	keptRanges = 1 << 14
)

// Source implements storage.Partitioned. Immutable.
type Source struct {
	set   *set
	sel   *storage.Selection
	files []int32 // of the selection, by partition, bucket and as listed
	raw   bool    // rows are given as they are in the files, though the set says Merge

	once  sync.Once
	stats *storage.Stats
}

// New makes the source of a set of files.
func New(o Options) *Source {
	s := &set{Options: o, index: make([][]int32, len(o.Layout.Partitions))}
	if o.RowIDs {
		s.Columns = append(slices.Clone(o.Columns), storage.Column{Name: RowID, Type: rowIDType, Hidden: true})
	}
	if o.Fixed && len(o.Files) <= keptFiles {
		s.opened = make([]atomic.Pointer[storage.Source], len(o.Files))
		if n := len(o.Files) * len(s.Columns); n <= keptRanges {
			s.ranges = make([]atomic.Pointer[storage.Range], n)
		}
	}
	l := *o.Layout
	l.Partitions = slices.Clone(l.Partitions)
	for i := range l.Partitions {
		l.Partitions[i].Rows, l.Partitions[i].Bytes, l.Partitions[i].Files = 0, 0, 0
	}
	s.Layout = &l
	for i := range o.Files {
		f := &o.Files[i]
		p := &l.Partitions[f.Partition]
		p.Files++
		p.Bytes = plus(p.Bytes, f.Bytes)
		p.Rows = plus(p.Rows, f.live())
		s.index[f.Partition] = append(s.index[f.Partition], int32(i))
	}
	for _, files := range s.index {
		slices.SortStableFunc(files, func(a, b int32) int { return int(o.Files[a].Bucket) - int(o.Files[b].Bucket) })
	}
	return s.restrict(l.Full())
}

// plus adds numbers of which -1 is unknown.
func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

func (s *set) restrict(sel *storage.Selection) *Source {
	src := &Source{set: s, sel: sel}
	for i, p := range sel.Partitions {
		buckets, all := sel.BucketsOf(i)
		files := s.index[p]
		if all {
			src.files = append(src.files, files...)
			continue
		}
		for _, b := range buckets {
			at, _ := slices.BinarySearchFunc(files, b, func(f, b int32) int { return int(s.Files[f].Bucket) - int(b) })
			for ; at < len(files) && s.Files[files[at]].Bucket == b; at++ {
				src.files = append(src.files, files[at])
			}
		}
	}
	return src
}

// Columns implements storage.Source.
func (s *Source) Columns() []storage.Column { return s.set.Columns }

// Layout implements storage.Partitioned.
func (s *Source) Layout() *storage.Layout { return s.set.Layout }

// Selection implements storage.Partitioned.
func (s *Source) Selection() *storage.Selection { return s.sel }

// Restrict implements storage.Partitioned.
func (s *Source) Restrict(sel *storage.Selection) storage.Partitioned {
	out := s.set.restrict(sel)
	out.raw = s.raw
	return out
}

// Stats implements storage.Source: counts and bounds of the selected files. Distinct values are
// known of whole tables only, elsewhere.
func (s *Source) Stats() *storage.Stats {
	s.once.Do(func() { s.stats = s.mergeStats() })
	return s.stats
}

func (s *Source) mergeStats() *storage.Stats {
	out := &storage.Stats{Columns: make([]storage.ColumnStats, len(s.set.Columns))}
	for _, f := range s.files {
		out.Rows = plus(out.Rows, s.set.Files[f].live())
		out.Bytes = plus(out.Bytes, s.set.Files[f].Bytes)
	}
	for c := range out.Columns {
		out.Columns[c] = s.mergeColumn(c)
		out.Columns[c].Nulls = min(out.Columns[c].Nulls, max(out.Rows, -1)) // deleted rows are counted
	}
	return out
}

// mergeColumn adds up what is known of a column in the selected files.
func (s *Source) mergeColumn(c int) storage.ColumnStats {
	st := storage.ColumnStats{Distinct: -1, Origin: storage.OriginFiles}
	if w := s.set.Columns[c].Type.Physical().Size(); w > 0 && !s.set.Columns[c].Type.IsString() {
		st.AvgBytes = float64(w)
	}
	bounded := true
	for _, f := range s.files {
		r := s.set.rangeOf(f, c)
		st.Nulls = plus(st.Nulls, r.Nulls)
		switch {
		case r.Rows > 0 && r.Nulls == r.Rows || s.set.Files[f].live() == 0: // no values
		case r.Min == nil || r.Max == nil:
			bounded = false
		default:
			if st.Min == nil || r.Min.Compare(*st.Min) < 0 {
				st.Min = r.Min
			}
			if st.Max == nil || r.Max.Compare(*st.Max) > 0 {
				st.Max = r.Max
			}
		}
	}
	if !bounded || s.merged() && s.set.Merge.Columns[c] == function.SumAggregation {
		st.Min, st.Max = nil, nil
	}
	return st
}

// rangeOf is what is known of a column of a file.
func (s *set) rangeOf(file int32, column int) storage.Range {
	if s.ranges == nil {
		return s.readRange(file, column)
	}
	kept := &s.ranges[int(file)*len(s.Columns)+column]
	if r := kept.Load(); r != nil {
		return *r
	}
	r := s.readRange(file, column)
	kept.Store(&r)
	return r
}

func (s *set) readRange(file int32, column int) storage.Range {
	f := &s.Files[file]
	if v := f.Schema.constantOf(column); v != nil {
		r := storage.Range{Rows: f.Rows}
		if v.Null {
			r.Nulls = f.Rows
		} else {
			r.Min, r.Max = v, v
		}
		return r
	}
	if s.Range == nil || s.RowIDs && column == s.rowID() {
		return storage.Range{Nulls: -1, Rows: f.Rows, HasNaN: true}
	}
	return s.Range(int(file), column)
}
