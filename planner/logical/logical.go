// Package logical is the plan that says what to compute: relational operators over
// bound expressions, columns named by id. It is plain data. The binder builds it, the
// optimizer's rules rewrite it (building new nodes, never changing shared ones), lower
// turns it into a physical plan.
package logical

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// Node is a relational operator: one of the types of this package.
type Node interface {
	// Columns are the outputs, in order. Ids are unique in the whole plan, except that
	// nodes which pass a column through keep its id.
	Columns() []expr.Column
	// Children are the inputs, left first.
	Children() []Node
	// WithChildren is a copy of the node over other inputs (same number).
	WithChildren(c []Node) Node
	// IsPlan lets expr.Subquery hold a Node.
	IsPlan()
}

// Scan reads a table or any other source.
type Scan struct {
	Table   string // as EXPLAIN shows it
	Alias   string
	Source  storage.Source
	Cols    []expr.Column // outputs
	Ordinal []int         // Cols[i] is column Ordinal[i] of Source
	Filter  []expr.Expr   // conjuncts pushed down, over columns of Cols
	Limit   int64         // at most so many rows are needed; -1: all
	// Selection is the part of a storage.Partitioned source that pruning left; Source is already
	// restricted to it. nil: nothing pruned, or no layout.
	Selection *storage.Selection
	// Preaggregation tells why a storage.Merged source merges rows of equal keys; "": it does not, or nothing is known.
	Preaggregation string
	// Known are statistics of the whole table, by ordinal of Source, that complete Source.Stats; nil: none.
	Known *storage.Stats
	// Indexes makes the materialised indexes that the table has; nil: none, or they were looked at. Needed are the
	// columns that something above the scan reads, once columns were pruned.
	Indexes func() []*Index
	Needed  expr.ColumnSet
	// Index is the name of the one that Source is; "": the table itself. Uses is what became of each.
	Index string
	Uses  []IndexUse
}

// Filter keeps the rows for which every conjunct is true.
type Filter struct {
	Input Node
	Conds []expr.Expr
}

// Project computes expressions: output i is Exprs[i] under id Cols[i].ID.
type Project struct {
	Input Node
	Exprs []expr.Expr
	Cols  []expr.Column
}

// JoinKind is the kind of a logical join.
type JoinKind uint8

// Join kinds. Semi and anti joins output the left columns only. RIGHT forms of semi and
// anti joins are bound with swapped inputs.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi
	Anti          // NOT EXISTS: rows without a match
	NullAwareAnti // NOT IN: as SQL's three-valued logic demands; exactly one key in On[0] as "="
	Mark          // left columns plus MarkColumn: TRUE, FALSE or NULL as x IN (…) would give
	Single        // left columns plus right columns, NULL without a match, error 1242 for two matches
)

// Join combines two inputs. On holds conjuncts; no conjunct is a cross join.
type Join struct {
	Kind        JoinKind
	LeftInput   Node
	RightInput  Node
	On          []expr.Expr
	MarkColumn  *expr.Column // Mark only
	MarkNullOK  bool         // Mark: NULL may be given as FALSE (only truth is tested)
	Hint        string       // "shuffle", "broadcast", ""
	NoReorder   bool         // keep as written (STRAIGHT_JOIN, ORDERED)
	FromMarkKey int          // Mark and NullAwareAnti: On[:FromMarkKey] are the IN comparisons, the rest correlation predicates
}

// Apply is a dependent join, before decorrelation: for each row of LeftInput, RightInput is
// evaluated with that row's columns. Kind is Inner (cross apply), Left, Semi, Anti, Mark, NullAwareAnti or Single.
type Apply struct {
	Kind       JoinKind
	LeftInput  Node
	RightInput Node
	On         []expr.Expr
	MarkColumn *expr.Column
	MarkNullOK bool
	// FromMarkKey, for Mark and NullAwareAnti: On[:FromMarkKey] are the IN comparisons.
	FromMarkKey int
}

// Aggregate groups its input. Outputs: the group columns, then the aggregates, then the
// grouping id when there are several sets.
type Aggregate struct {
	Input  Node
	Groups []expr.Expr // any expression; the optimizer projects them to columns below
	Aggs   []*expr.Aggregate
	Cols   []expr.Column
	// Sets lists, for GROUP BY … WITH ROLLUP, CUBE and GROUPING SETS, which Groups are
	// kept in each set; the others are NULL. nil: one set with all.
	Sets [][]int
	// GroupingID, with Sets, is the output that holds GROUPING_ID of all groups (bit 1 = aggregated away,
	// first group the most significant); nil when not asked for.
	GroupingID *expr.Column
}

// Distinct removes duplicate rows.
type Distinct struct{ Input Node }

// Sort orders rows. Limit, when not negative, makes it a top-N of Offset+Limit rows
// with the first Offset dropped.
type Sort struct {
	Input  Node
	Keys   []expr.SortKey
	Limit  int64
	Offset int64
	// Sections, when not Whole, says that the rows need no order as a whole.
	Sections Sections
}

// Sections is how the rows of a Sort belong together; where they are written each section is a file.
type Sections uint8

// Kinds of sections.
const (
	Whole    Sections = iota // all rows are one
	Ranges                   // any ranges of the order: SORT BY
	Numbered                 // Keys[0] is the section's number: DISTRIBUTE BY
)

// Limit passes rows [Offset, Offset+Count); Count -1 is all.
type Limit struct {
	Input         Node
	Count, Offset int64
}

// SetOpKind is the kind of a set operation.
type SetOpKind uint8

// Set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// SetOp combines inputs whose i-th outputs have the types of Cols[i]. UNION ALL may have
// many inputs; the others have two.
type SetOp struct {
	Kind   SetOpKind
	All    bool
	Inputs []Node
	Cols   []expr.Column
}

// Values yields literal rows; a table-less SELECT is one row without columns under a Project.
type Values struct {
	Rows [][]expr.Expr
	Cols []expr.Column
}

// CTERef reads the shared result of a common table expression that is used more than
// once; all refs of a CTE hold the same *CTE. Cols are the ref's own ids for CTE.Plan's outputs.
type CTERef struct {
	CTE  *CTE
	Cols []expr.Column
}

// CTE is a shared subplan.
type CTE struct {
	ID   int
	Name string
	Plan Node // rewritten in place by the optimizer's driver, once
}

// Unnest gives, for each input row, the rows that a table function makes of it: the input's columns, then
// those of the function.
type Unnest struct {
	Input   Node
	Fn      *function.Table
	Args    []expr.Expr // over the input
	Outer   bool        // a row that gives none stays, once, with NULLs
	Cols    []expr.Column
	Ordinal []int // Cols[i] is result column Ordinal[i] of Fn
}

// Window computes calls with OVER: the input's columns, then one a call. The rows are split by Partition and ordered
// by Order inside; every call's own order is a beginning of that one.
type Window struct {
	Input     Node
	Partition []expr.Expr
	Order     []expr.SortKey
	Funcs     []*expr.Window
	Cols      []expr.Column // of Funcs
	Top       *TopRows      // nil: all rows are needed
}

// TopRows says that of each partition of a window only the rows are needed in which Call, a column that one of its calls
// makes (row_number, rank or dense_rank), is at most Rows. Others may be missing.
type TopRows struct {
	Call expr.ColumnID
	Rows int64
}

// Write stores its input's rows into a table and yields one row: the count.
type Write struct {
	Input Node
	Table string
	Sink  storage.Sink
	Cols  []expr.Column
}

// IsPlan implements expr.Plan for every node.
func (*Scan) IsPlan()      {}
func (*Filter) IsPlan()    {}
func (*Project) IsPlan()   {}
func (*Join) IsPlan()      {}
func (*Apply) IsPlan()     {}
func (*Aggregate) IsPlan() {}
func (*Distinct) IsPlan()  {}
func (*Sort) IsPlan()      {}
func (*Limit) IsPlan()     {}
func (*SetOp) IsPlan()     {}
func (*Values) IsPlan()    {}
func (*CTERef) IsPlan()    {}
func (*Unnest) IsPlan()    {}
func (*Window) IsPlan()    {}
func (*Write) IsPlan()     {}
