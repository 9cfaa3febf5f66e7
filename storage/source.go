// Package storage is the contract between tables of files and the engine: sources that
// are scanned, sinks that are written, predicates that prune, and the one door to disk.
//
// A scan: the planner asks a Source for its schema and statistics; the executor asks for
// Splits once a query and lets its instances claim them; each claim is opened as a Reader
// that yields batches. A reader may skip only what statistics, page indexes, bloom filters
// or dictionaries prove useless for Prune and Filters; rows it returns have passed every
// Filter.
package storage

import (
	"context"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Column is a column of a source.
type Column struct {
	Name     string
	Type     sqltype.Type
	Nullable bool
	Comment  string
	Hidden   bool // * does not show it
	// Stored is its name in files where that is not Name; see InFiles.
	Stored string
	// DictionaryOf is the name of the column whose values this one numbers, one by one: its ids are equal exactly where those
	// values are, and NULL where they are NULL. "": none.
	DictionaryOf string
}

// InFiles are columns with the names that they have in files.
func InFiles(cols []Column) []Column {
	out := cols
	for i := range cols {
		if cols[i].Stored == "" {
			continue
		}
		if &out[0] == &cols[0] {
			out = append([]Column(nil), cols...)
		}
		out[i].Name, out[i].Stored = cols[i].Stored, ""
	}
	return out
}

// AbsentColumn is the name, which no file has, of columns that a file is older than: a source that is opened by
// a schema reads them as NULL, and columns that it finds by position stand before and behind them as if they were not there.
const AbsentColumn = "\x00absent"

// RowNumber is the ordinal of a column that every file has: the number of the row in it, a BIGINT from 0 on.
const RowNumber = -1

// Source is anything that can be scanned: a table snapshot, files, generated numbers,
// information_schema. Immutable and safe for concurrent use.
type Source interface {
	// Columns is the schema. The slice must not be modified.
	Columns() []Column
	// Stats are estimates for planning; cheap (no data pages are read).
	Stats() *Stats
	// Splits lists the units of work that may hold rows for the request, in file order,
	// pruned as far as metadata allows. It may read footers and page indexes.
	Splits(ctx context.Context, req *ScanRequest) ([]Split, error)
	// Open starts reading one split. Readers of one query run concurrently.
	Open(ctx context.Context, split Split, req *ScanRequest) (Reader, error)
}

// BoundedSource is a Source that knows bounds of its splits, so that a scan can begin with
// those that matter most and skip some later.
type BoundedSource interface {
	Source
	// SplitRange is what metadata tells of a column in a split; cheap.
	SplitRange(split Split, column int) Range
}

// Split is one unit of scan work: a row group or a page range of one.
type Split interface {
	// Rows is the (estimated) number of rows before filters, for dealing out and progress.
	Rows() int64
	// String names it in errors and profiles: file, row group, rows.
	String() string
}

// Divisible is a Split that can be cut at little cost, so that the last ones of a scan end
// together in all its instances.
type Divisible interface {
	Split
	// Divide cuts the split into parts of about rows rows in the file's order; it may give
	// the split alone.
	Divide(rows int64) []Split
}

// ScanRequest says what a scan needs. It is owned by the scan after the call and is
// shared read-only by all its readers.
type ScanRequest struct {
	// Columns are the source ordinals to return, in batch order. May be empty (count(*)):
	// batches then carry only a row count. RowNumber may be among those of sources of one Parquet or ORC file.
	Columns []int
	// Deleted are rows that are not there, by their numbers in the file; for sources of one Parquet or ORC file.
	Deleted *rowset.Set
	// Prune are conjuncts for skipping by metadata; rows need not be checked against them.
	Prune []Predicate
	// Moving, when set, gives more conjuncts like Prune that are known only while the scan
	// runs and become stricter: a reader asks when it opens. Safe for concurrent use.
	Moving func() []Predicate
	// Filters are exact row filters, to be applied in this order, decoding the columns of each
	// only for rows that passed the ones before.
	Filters []Filter
	// BatchRows bounds the rows of a batch; 0 is vector.BatchRows.
	BatchRows int
	// Limit: the scan as a whole needs at most so many rows; -1 all. A hint.
	Limit int64
	// Counters, when set, is where readers add what they did (atomically).
	Counters *ScanCounters
	// Pages, when set, keeps decoded pages beyond the query.
	Pages *PageCache
	// Budget, when set, is charged for what readers hold.
	Budget *budget.Reservation
}

// Filter is a row filter that the caller evaluates and the reader applies early.
type Filter struct {
	// Columns are source ordinals that the filter reads; they need not be in ScanRequest.Columns.
	Columns []int
	// New makes the filter function of one reader.
	New func() (FilterFunc, error)
}

// FilterFunc returns the rows of sel (nil: all n rows) that pass, ascending, in memory of
// its own that stays valid until its next call. cols are in the order of Filter.Columns,
// n rows each; rows outside of sel are not data.
type FilterFunc func(cols []*vector.Vector, n int, sel []int32) ([]int32, error)

// Reader yields the rows of one split. One goroutine uses it.
type Reader interface {
	// Next returns the next batch, nil at the end. The batch and everything it refers to
	// is valid until the next Next or Close; string and dictionary memory may be shared
	// with later batches and must not be written.
	Next(ctx context.Context) (*vector.Batch, error)
	// Close frees what the reader holds; it may be called early and twice.
	Close()
}

// Stats describe a source for the planner. Absent knowledge is -1 or nil.
type Stats struct {
	Rows    int64
	Bytes   int64
	Columns []ColumnStats // one a column, or nil
}

// ColumnStats are estimates for one column. Min and Max are nil when unknown; they bound
// the values but may be wider than them.
type ColumnStats struct {
	Min, Max *vector.Value
	Nulls    int64   // -1: unknown
	Distinct int64   // -1: unknown
	AvgBytes float64 // average width of a value in bytes; 0: unknown
	// Sketch holds the distinct values, so that the counts of several parts can be merged; nil: none.
	// It is shared and must not be changed.
	Sketch *hll.Sketch
	// Common are the most frequent values, most frequent first, with their fraction of the rows that are not NULL.
	Common []CommonValue
	// Histogram are n+1 ascending bounds of n ranges that hold equally many of the rows whose value is
	// neither NULL nor in Common; nil: none.
	Histogram []vector.Value
	// Origin tells where the numbers come from, for EXPLAIN.
	Origin Origin
}

// CommonValue is a frequent value.
type CommonValue struct {
	Value    vector.Value
	Fraction float64
}

// Origin tells where statistics come from.
type Origin uint8

// Origins, the weakest first.
const (
	OriginFooter   Origin = iota // footers and dictionary headers of files
	OriginFiles                  // collected when the files were written
	OriginSample                 // ANALYZE over a part of the rows
	OriginAnalyzed               // ANALYZE over all rows
	OriginGiven                  // stated by the user
)

// String is the name that EXPLAIN shows.
func (o Origin) String() string {
	return [...]string{"footer", "files", "sample", "analyzed", "given"}[o]
}

// Sink receives rows for a table, all or nothing.
type Sink interface {
	// Columns are the types that batches must have.
	Columns() []Column
	// NewWriter makes a writer for one driver; writers run concurrently.
	NewWriter(ctx context.Context, instance int) (Writer, error)
	// Commit makes everything written visible, after all writers were closed.
	Commit(ctx context.Context) error
	// Abort removes everything written; safe after a failed Commit and twice.
	Abort()
}

// Writer takes the rows of one driver.
type Writer interface {
	// Write takes the live rows of b; b stays the caller's.
	Write(ctx context.Context, b *vector.Batch) error
	// Close finishes the writer's files.
	Close(ctx context.Context) error
}

// SectionSink is a Sink that may keep sections of rows, in an order of their own, apart.
type SectionSink interface {
	Sink
	// SeparateSections reports whether the rows of a writer stay apart from those of the others, so that
	// writers may take sections side by side.
	SeparateSections() bool
}

// SectionWriter is a Writer that is told where a section ends: what comes next goes to other files.
type SectionWriter interface {
	Writer
	EndSection(ctx context.Context) error
}
