package ast

// With is WITH [RECURSIVE] ctes Body.
type With struct {
	Pos
	Recursive bool
	CTEs      []CTE
	Body      Query
}

// CTE is one common table expression.
type CTE struct {
	Pos
	Name    string
	Columns []string // empty: names of Query's outputs
	Query   Query
}

// Select is one query block.
type Select struct {
	Pos
	Distinct bool
	Hints    []Hint
	Items    []SelectItem
	From     []TableExpr // comma-separated items; empty for a table-less SELECT
	Where    Expr        // nil: none
	GroupBy  *GroupBy    // nil: none
	Having   Expr
	Windows  []NamedWindow
	Qualify  Expr
	OrderBy  []OrderItem
	// Hive's clauses. ClusterBy is DistributeBy plus ascending SortBy of the same.
	DistributeBy, ClusterBy []Expr
	SortBy                  []OrderItem
	Limit                   *Limit
	Into                    *IntoOutfile
}

// Hint is one optimizer hint: SET_VAR(k=v), ORDERED, LEADING(…), kept as text.
type Hint struct {
	Pos
	Name string // upper case
	Args string // the text between the parentheses, "" when there are none
}

// SelectItem is one output column. A star has Star set and Table maybe filled.
type SelectItem struct {
	Pos
	Star  bool
	Table Name   // t.* or db.t.*; zero Name for a bare star
	Expr  Expr   // nil for a star
	Alias string // "" when none was written
	// Aliases name the outputs of a table-generating function: stack(…) AS (a, b).
	Aliases []string
	Except  []string // * EXCEPT (a, b)
	Text    string   // the expression as the user wrote it: the column's name when there is no alias
}

// GroupBy is GROUP BY Items [WITH ROLLUP], or GROUPING SETS, ROLLUP(…), CUBE(…).
type GroupBy struct {
	Pos
	Items []Expr // plain grouping expressions: all expressions that occur in Sets, in order of first use
	// Kind tells how the sets were written; for GroupPlain Sets is nil and Items is the one set.
	Kind GroupKind
	Sets [][]int // GroupSets: each set lists indexes into Items
}

// GroupKind is the form of a GROUP BY clause.
type GroupKind uint8

// Forms of GROUP BY.
const (
	GroupPlain GroupKind = iota
	GroupRollup
	GroupCube
	GroupSets
)

// OrderItem is one ORDER BY or SORT BY key.
type OrderItem struct {
	Pos
	Expr  Expr
	Desc  bool
	Nulls NullsOrder
}

// NullsOrder is NULLS FIRST or LAST as written.
type NullsOrder uint8

// Positions of NULLs in an order. The default is FIRST when ascending, LAST when descending.
const (
	NullsDefault NullsOrder = iota
	NullsFirst
	NullsLast
)

// Limit is LIMIT Count OFFSET Offset; each is an integer literal or a parameter, nil when not written.
type Limit struct {
	Pos
	Count, Offset Expr
}

// IntoOutfile is SELECT … INTO OUTFILE 'path' with what Doris writes behind it, FORMAT AS f PROPERTIES(…), or what MySQL does.
type IntoOutfile struct {
	Pos
	Path, Format string
	Properties   []Property
	Charset      string
	Text         *TextClauses
}

// SetOp combines two queries. ORDER BY and LIMIT here apply to the whole.
type SetOp struct {
	Pos
	Op          SetOpKind
	All         bool
	Left, Right Query
	OrderBy     []OrderItem
	Limit       *Limit
}

// SetOpKind is the kind of set operation.
type SetOpKind uint8

// Set operations. MINUS is read as EXCEPT.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// Values is VALUES ROW(…), … or VALUES (…), … as a query.
type Values struct {
	Pos
	Rows    [][]Expr
	OrderBy []OrderItem
	Limit   *Limit
}

// TableName is a named table, view or CTE in FROM.
type TableName struct {
	Pos
	Name       Name
	Alias      string
	Columns    []string // AS t(a, b)
	Index      string   // FROM t INDEX r: the rows of a rollup or materialised view of t
	Partitions []string // FROM t PARTITION (p1, p2)
	Tablets    []int64  // FROM t TABLET (…)
	Sample     *Sample
	ScanHints  []string // FROM t [PREAGGOPEN], upper case
}

// Sample is TABLESAMPLE.
type Sample struct {
	Pos
	Kind       string // "ROWS", "PERCENT", "BUCKET", "BYTES"
	N, OutOf   int64  // OutOf only for BUCKET n OUT OF m
	Percent    string // PERCENT with a fraction, in place of N
	On         []Expr
	Repeatable *int64
}

// Derived is a subquery in FROM. Lateral lets it see the items to its left.
type Derived struct {
	Pos
	Lateral bool
	Query   Query
	Alias   string
	Columns []string // AS t(a, b)
}

// TableFunction is f("k"="v", …) or f(expr, …) in FROM: local, numbers, explode, unnest.
type TableFunction struct {
	Pos
	Name       string // lower case
	Properties []Property
	Args       []Expr
	Ordinality bool // WITH ORDINALITY
	Alias      string
	Columns    []string
}

// FileTable is FROM 'dir/*.parquet'.
type FileTable struct {
	Pos
	Path    string
	Alias   string
	Columns []string
}

// LateralView is Hive's t LATERAL VIEW [OUTER] f(args) alias AS columns.
type LateralView struct {
	Pos
	Input   TableExpr
	Outer   bool
	Func    string // lower case
	Args    []Expr
	Alias   string
	Columns []string
}

// JoinKind is the kind of a join.
type JoinKind uint8

// Join kinds. A comma and JOIN without ON are CrossJoin; ASOF joins are refused by name.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	CrossJoin
	LeftSemiJoin
	LeftAntiJoin
	RightSemiJoin
	RightAntiJoin
)

// Join is Left kind JOIN Right with ON, USING or NATURAL.
type Join struct {
	Pos
	Kind        JoinKind
	Natural     bool
	Left, Right TableExpr
	On          Expr     // nil: none
	Using       []string // nil: none
	Hint        string   // "shuffle", "broadcast" from JOIN [hint]; else ""
}

// NamedWindow is WINDOW Name AS (Spec).
type NamedWindow struct {
	Pos
	Name string
	Spec *WindowSpec
}

// WindowSpec is the text between OVER's parentheses, or a reference to a named window.
type WindowSpec struct {
	Pos
	Ref         string // OVER w, or OVER (w …)
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *WindowFrame // nil: the default frame
}

// WindowFrame is ROWS or RANGE BETWEEN Start AND End.
type WindowFrame struct {
	Pos
	Unit       string // "ROWS", "RANGE", "GROUPS"
	Start, End FrameBound
}

// FrameBound is one end of a frame.
type FrameBound struct {
	Kind FrameBoundKind
	N    Expr // for Preceding and Following
}

// FrameBoundKind is the kind of frame bound.
type FrameBoundKind uint8

// Frame bounds.
const (
	UnboundedPreceding FrameBoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

func (*With) isStatement()   {}
func (*Select) isStatement() {}
func (*SetOp) isStatement()  {}
func (*Values) isStatement() {}

func (*With) isQuery()   {}
func (*Select) isQuery() {}
func (*SetOp) isQuery()  {}
func (*Values) isQuery() {}

func (*TableName) isTableExpr()     {}
func (*Derived) isTableExpr()       {}
func (*TableFunction) isTableExpr() {}
func (*FileTable) isTableExpr()     {}
func (*LateralView) isTableExpr()   {}
func (*Join) isTableExpr()          {}
