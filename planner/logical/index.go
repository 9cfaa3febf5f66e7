package logical

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// Index is a materialised index that a Scan's table has: rows computed from the table's, in files of their own. The
// column with ordinal o of the table is expr.Column o+1 in its expressions. Immutable.
type Index struct {
	Name string
	View bool // made by CREATE MATERIALIZED VIEW
	// Source has the table's partitions, in the same order; its buckets are the table's or there are none.
	Source storage.Partitioned
	// Merged, when set, is Source with rows of equal keys merged: a row a row of the table, which merges too and has the
	// same keys. Known are statistics of all of it, as Scan.Known.
	Merged storage.Partitioned
	Known  *storage.Stats
	// Rows is what who names the index reads: Source, with rows of equal keys merged where it is Folded.
	Rows storage.Partitioned
	// Columns are by ordinal of Source. The first Keys of them order the rows of a file.
	Columns []IndexColumn
	Keys    int
	// Where are the conjuncts that the table's rows in the index satisfy.
	Where []expr.Expr
	// Folded: rows of equal keys may be one row, whose other columns hold states of aggregates. Without it each row
	// of the table that satisfies Where is one row.
	Folded bool
	// Stale tells, by ordinal of the layout, the partitions that have rows which are not in the index; nil: none.
	Stale []bool
	// Reason, when set, says why the index cannot be used at all.
	Reason string
}

// IndexColumn is a column of an Index.
type IndexColumn struct {
	Name string
	Type sqltype.Type
	Null bool
	// Expr computes it from a row of the table; nil where Agg is set: the column holds states of that aggregate.
	Expr expr.Expr
	Agg  *expr.Aggregate
	// Value is the table's column that a merged row has here, for columns with Agg of an index with Merged.
	Value expr.Expr
}

// IndexUse says what became of an index of a scan's table, for EXPLAIN.
type IndexUse struct {
	Index  string
	View   bool
	Chosen bool
	Reason string // why not; "": it would do, but another one is cheaper
}
