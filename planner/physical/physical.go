// Package physical is the plan that says how to compute: operators with algorithms,
// columns named by position, and exchanges where rows change their distribution. It is
// plain data; lower builds it, fragment cuts it at exchanges, executor runs it, explain
// prints it.
package physical

import (
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// NodeID names a node through EXPLAIN, profiles and errors; 0 is the first scan, as Doris
// numbers bottom up.
type NodeID int

// Node is a physical operator: one of the types of this package.
type Node interface {
	// Base is what all nodes have. (Nodes embed Info, so that n.ID, n.Cols and n.Rows read it too.)
	Base() *Info
	// Children are the inputs; a join's probe side first, then its build side.
	Children() []Node
}

// Info is common to all nodes.
type Info struct {
	ID   NodeID
	Cols []expr.Column // outputs in batch order; ids are the logical ones, for EXPLAIN
	Rows float64       // estimated output rows; -1: unknown
	// Estimate tells where Rows comes from; only where the planner was asked for it.
	Estimate string
	// Run, on the topmost node of a subtree that runs bucket by bucket; else nil.
	Run *BucketRun
}

// Base implements Node.
func (i *Info) Base() *Info { return i }

// Scan reads splits of a source.
type Scan struct {
	Info
	Table, Alias string
	Source       storage.Source
	Columns      []int               // source ordinals of the outputs
	Prune        []storage.Predicate // for skipping by metadata
	Filters      []ScanFilter        // exact, cheapest and most selective first
	Limit        int64               // -1: all
	// Selection is what was selected of the Layout of a storage.Partitioned source, which is restricted to it; nil: no layout.
	Selection *storage.Selection
	// Preaggregation is that of the logical scan.
	Preaggregation string
	// Index is the materialised index that Source is, "": the table itself; Indexes what became of each of the table's.
	Index   string
	Indexes []IndexUse
	// RuntimeFilters arrive from hash joins above, before this scan's pipeline starts.
	RuntimeFilters []RuntimeFilterRef
}

// IndexUse says whether a scan reads a materialised index of its table, and why not; "": another one is cheaper.
type IndexUse struct {
	Name   string
	Chosen bool
	Reason string
}

// ScanFilter is one conjunct that the reader evaluates early. Cond's Fields index Columns
// of this filter, not the scan's outputs.
type ScanFilter struct {
	Columns []int // source ordinals
	Cond    expr.Expr
}

// Filter keeps rows for which all conjuncts are true.
type Filter struct {
	Info
	Input Node
	Conds []expr.Expr
}

// Project computes one expression an output column.
type Project struct {
	Info
	Input Node
	Exprs []expr.Expr
}

// Unnest gives, for each input row, the rows that a table function makes of it. Output: PassCols of the
// input batch, then result columns Ordinal of the function.
type Unnest struct {
	Info
	Input    Node
	Fn       *function.Table
	Args     []expr.Expr
	Outer    bool // a row that gives none stays, once, with NULLs
	PassCols []int
	Ordinal  []int
}

// JoinKind is the kind of a physical join, seen with the probe side as the left input.
type JoinKind uint8

// Join kinds. Semi, Anti, NullAwareAnti, Mark and Single output probe columns (and mark, or build columns);
// RightSemi and RightAnti output build columns only; Left preserves the probe side, Right the build side.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi
	Anti
	NullAwareAnti
	Mark
	Single
	RightSemi
	RightAnti
)

// Distribution tells how a join brings rows together.
type Distribution uint8

// Distributions.
const (
	Broadcast Distribution = iota
	Partitioned
	BucketShuffle
	Colocate
)

// HashJoin joins on equality of key expressions. Output: ProbeCols of the probe batch,
// then BuildCols of the build batch, then the mark column.
type HashJoin struct {
	Info
	Kind         JoinKind
	Probe, Build Node
	ProbeKeys    []expr.Expr // over the probe batch
	BuildKeys    []expr.Expr // over the build batch; same types pairwise
	// NullSafe[i]: key i compares with <=> (NULL equals NULL).
	NullSafe []bool
	// Residual conjuncts are over the concatenation of all probe and all build columns; part of the join
	// condition (a probe row without a passing match is unmatched).
	Residual  []expr.Expr
	ProbeCols []int // positions of the probe batch to output
	BuildCols []int
	// MarkKeys, for Mark and NullAwareAnti: the first MarkKeys keys are the IN comparison (their NULLs matter),
	// the rest are correlation keys.
	MarkKeys       int
	MarkNullOK     bool // Mark: NULL may be given as FALSE
	Distribution   Distribution
	RuntimeFilters []RuntimeFilter
	// Reason says why the join is not colocate, for EXPLAIN; of a colocate one, why it is without a group.
	Reason string
}

// NestedLoopJoin evaluates Conds on pairs; no Conds is a cross join. Outputs as HashJoin.
type NestedLoopJoin struct {
	Info
	Kind                 JoinKind
	Probe, Build         Node
	Conds                []expr.Expr
	ProbeCols, BuildCols []int
	// MarkConds, for Mark and NullAwareAnti: Conds[:MarkConds] are the comparisons of IN, whose NULLs
	// matter; the others say which rows the subquery has, and NULL is FALSE there.
	MarkConds    int
	MarkNullOK   bool
	RangeFilters []RangeFilter
}

// Phase is the part of a split aggregation.
type Phase uint8

// Aggregation phases.
const (
	Complete Phase = iota // one phase, rows in, results out
	Partial               // rows in, states out: only ever below a hash Exchange below a Final
	Final                 // states in, results out
)

// Aggregate groups by hash. Output: group columns, aggregates, grouping id.
type Aggregate struct {
	Info
	Input  Node
	Phase  Phase
	Groups []expr.Expr // over the input batch; in Final, over the Partial's group outputs
	Aggs   []*expr.Aggregate
	Sets   [][]int // grouping sets; nil: one set with all groups. Partial and Complete only
	// GroupingID: an int64 output after the aggregates.
	GroupingID bool
	// Colocate: all rows of a group lie in one bucket, so that one phase needs no exchange.
	Colocate bool
	// Rows is what Info says; MaxGroups bounds the number of groups when known (product of distincts), -1 else.
	MaxGroups float64
}

// Sort orders all rows; with Limit >= 0 it keeps the first Offset+Limit and drops the first Offset.
type Sort struct {
	Info
	Input  Node
	Keys   []expr.SortKey
	Limit  int64
	Offset int64
	// Within: every instance sorts its own rows, for a window. Rows equal in the first Partition keys stay together.
	Within    bool
	Partition int
	// Top, of a sort with Partition: how many rows of each partition are needed; nil: all.
	Top *PartitionTop
	// Sectioned says that the rows are no one stream but sections, which different instances may take; a section is
	// all rows with one value of Keys[0] when Numbered is set, else any range of the order.
	Sectioned, Numbered bool
	// TopN, when set, is the filter of the scans that Keys[0] comes from.
	TopN *RuntimeFilter
}

// PartitionTop bounds the rows of a partition by row_number, rank or dense_rank over the first Peers keys behind those of
// the partition.
type PartitionTop struct {
	Kind  function.WindowKind
	Peers int
	Rows  int64
}

// Window computes calls with OVER: the input's columns, then one a call. Its input is sorted by the partition keys, in
// any order and direction, then by Order, and has all rows of a partition on one instance.
type Window struct {
	Info
	Input     Node
	Partition []expr.Expr // fields
	Order     []expr.SortKey
	Funcs     []*expr.Window
	// Colocate: all rows of a partition lie in one bucket, so that no exchange was needed.
	Colocate bool
	// Total: the calls are aggregates over all rows. Their order does not matter, and is lost.
	Total bool
}

// Limit passes rows [Offset, Offset+Count); Count -1 is all.
type Limit struct {
	Info
	Input         Node
	Count, Offset int64
}

// Union concatenates inputs whose columns have the same types.
type Union struct {
	Info
	Inputs []Node
}

// SetOp is INTERSECT or EXCEPT by hash; All keeps multiplicities (min, difference).
type SetOp struct {
	Info
	Except      bool
	All         bool
	Left, Right Node
	// RuntimeFilters are made of the left side, which runs first, for scans of the right side.
	RuntimeFilters []RuntimeFilter
}

// Values yields literal rows.
type Values struct {
	Info
	Rows [][]expr.Expr // no Fields inside
}

// CTERef reads the shared, materialized rows of a common table expression.
type CTERef struct {
	Info
	CTE     *CTE
	Columns []int // positions of CTE.Plan's outputs
}

// CTE is a subplan that runs once; its CTERefs replay the rows.
type CTE struct {
	ID   int
	Name string
	Plan Node
}

// Write stores rows through a sink and yields one BIGINT: the number of rows.
type Write struct {
	Info
	Input Node
	Table string
	Sink  storage.Sink
}

// ExchangeKind tells how rows move.
type ExchangeKind uint8

// Exchange kinds.
const (
	Gather         ExchangeKind = iota // to one instance, any order
	MergeGather                        // to one instance, keeping the order of Keys
	HashExchange                       // by hash of Keys
	BroadcastRows                      // to all instances
	BucketExchange                     // to the bucket of Keys by the storage hash
)

// Exchange is where rows change instance: the border between two fragments. Inside one
// process it moves ownership of memory, never bytes.
type Exchange struct {
	Info
	Kind  ExchangeKind
	Input Node
	Keys  []expr.Expr // HashExchange; BucketExchange: in the order of the bucket columns, of their types
	Order []expr.SortKey
	// BucketExchange: the hash and number of buckets of the rows that these are joined to.
	Hash    bucket.Hash
	Buckets int
}

// Children implements Node.
func (n *Scan) Children() []Node { return nil }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Unnest) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *HashJoin) Children() []Node { return []Node{n.Probe, n.Build} }

// Children implements Node.
func (n *NestedLoopJoin) Children() []Node { return []Node{n.Probe, n.Build} }

// Children implements Node.
func (n *Aggregate) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Union) Children() []Node { return n.Inputs }

// Children implements Node.
func (n *SetOp) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *Values) Children() []Node { return nil }

// Children implements Node: the shared plan is not a child; see CTE.
func (n *CTERef) Children() []Node { return nil }

// Children implements Node.
func (n *Window) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Write) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Exchange) Children() []Node { return []Node{n.Input} }
