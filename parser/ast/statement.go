package ast

// Property is "key" = "value" in PROPERTIES, TBLPROPERTIES and table functions.
type Property struct {
	Pos
	Key, Value string
}

// Explain is EXPLAIN [Mode] Statement.
type Explain struct {
	Pos
	Process bool // PLAN PROCESS: every step of the stage
	// Mode is "", "VERBOSE", "ANALYZE", "GRAPH", "TREE", or the word before PLAN:
	// PARSED, ANALYZED, REWRITTEN, OPTIMIZED, PHYSICAL, LOGICAL, SHAPE, MEMO, DISTRIBUTED, ALL.
	Mode      string
	Statement Statement
}

// ColumnDef is a column of CREATE TABLE.
type ColumnDef struct {
	Pos
	Name          string
	Type          *TypeName
	Key           bool
	AggType       string // upper case: SUM, REPLACE, BITMAP_UNION, …
	NotNull       bool
	Null          bool // NULL was written
	AutoIncrement bool
	Default       Expr // nil: none
	OnUpdate      Expr
	Generated     Expr
	Comment       string
}

// CreateTable is CREATE [EXTERNAL|TEMPORARY] TABLE in its Doris, MySQL and Hive forms.
// What only later versions run is still kept here, so that the refusal can name it.
type CreateTable struct {
	Pos
	IfNotExists bool
	External    bool
	Temporary   bool
	Name        Name
	Columns     []ColumnDef
	ColumnNames []string // CREATE TABLE t (a, b) AS …
	Like        *Name
	LikeRollup  []string
	Engine      string
	KeysType    string // "", "DUPLICATE", "UNIQUE", "AGGREGATE", "PRIMARY"
	Keys        []string
	ClusterKeys []string // ORDER BY (…) after the key clause
	Indexes     []IndexDef
	Comment     string
	Partition   *PartitionBy  // Doris
	Distributed *Distribution // Doris
	Rollups     []RollupDef
	Properties  []Property
	Hive        *HiveTable // nil when no Hive clause was written
	Query       Query      // AS query
	// Label names the load that AS makes, in LabelDatabase; "": none was written.
	LabelDatabase, Label string
}

// IndexDef is INDEX name (cols) [USING kind].
type IndexDef struct {
	Pos
	Name, Using, Comment string
	Columns              []string
	Properties           []Property
}

// PartitionBy is [AUTO] PARTITION BY {RANGE|LIST} (…) (partitions).
type PartitionBy struct {
	Pos
	Auto       bool
	Kind       string // "RANGE", "LIST"
	Exprs      []Expr
	Partitions []PartitionDef
}

// PartitionDef is one partition definition. Exactly one of the forms is filled.
type PartitionDef struct {
	Pos
	IfNotExists bool
	Name        string
	LessThan    []Expr   // VALUES LESS THAN (…); MaxValue for MAXVALUE
	Lower       []Expr   // VALUES [(lower), (upper))
	Upper       []Expr   //
	In          [][]Expr // VALUES IN (…)
	From, To    []Expr   // FROM (…) TO (…) INTERVAL n unit
	Interval    Expr
	Unit        string
	Properties  []Property
}

// MaxValue is the keyword MAXVALUE in a partition bound.
type MaxValue struct{ Pos }

func (*MaxValue) isExpr() {}

// Distribution is DISTRIBUTED BY {HASH(cols)|RANDOM} [BUCKETS {n|AUTO}].
type Distribution struct {
	Pos
	Hash    []string // empty: RANDOM
	Buckets int64    // 0: not written, -1: AUTO
}

// RollupDef is r (cols) [DUPLICATE KEY (…)] [FROM r0] [PROPERTIES].
type RollupDef struct {
	Pos
	Name       string
	Columns    []string
	DupKeys    []string
	From       string
	Properties []Property
}

// HiveTable holds the Hive clauses of CREATE TABLE.
type HiveTable struct {
	Pos
	PartitionedBy  []ColumnDef
	ClusteredBy    []string
	SortedBy       []OrderItem
	Buckets        int64
	SkewedBy       []string
	SkewedOn       [][]Expr
	StoredAsDirs   bool
	RowFormat      *RowFormat
	StoredAs       string // upper case: PARQUET, ORC, TEXTFILE, …; "" when not written
	InputFormat    string
	OutputFormat   string
	StoredBy       string
	Location       string
	TblProperties  []Property
	WithSerdeProps []Property
}

// RowFormat is ROW FORMAT DELIMITED … or SERDE '…'.
type RowFormat struct {
	Pos
	Serde      string
	Properties []Property
	// DELIMITED parts; nil when not written.
	Fields, Escape, Collection, MapKeys, Lines, NullAs *string
}

// CreateView is CREATE [OR REPLACE] VIEW, or ALTER VIEW (Alter). Text is the query as the user wrote it.
type CreateView struct {
	Pos
	OrReplace, IfNotExists, Alter bool
	Name                          Name
	Columns                       []ColumnDef // names and comments only
	Comment                       string
	Query                         Query
	Text                          string
}

// CreateDatabase is CREATE {DATABASE|SCHEMA}.
type CreateDatabase struct {
	Pos
	IfNotExists bool
	Name        Name
	Location    string
	Comment     string
	Properties  []Property
}

// ObjectKind is what a DROP, SHOW CREATE or TRUNCATE names.
type ObjectKind uint8

// Object kinds.
const (
	TableObject ObjectKind = iota
	ViewObject
	DatabaseObject
)

// Drop is DROP {TABLE|VIEW|DATABASE} [IF EXISTS] names [FORCE|PURGE].
type Drop struct {
	Pos
	Kind     ObjectKind
	IfExists bool
	Names    []Name
	Force    bool
}

// Truncate is TRUNCATE TABLE t [PARTITION (…)].
type Truncate struct {
	Pos
	Name       Name
	Partitions []string
	Specs      []PartitionSpec // Hive: PARTITION (dt = '…')
	Force      bool
}

// Insert is INSERT INTO | OVERWRITE | REPLACE INTO, and each branch of Hive's FROM … INSERT.
type Insert struct {
	Pos
	Overwrite bool
	Replace   bool
	Name      Name
	Columns   []string
	Partition []PartitionSpec // Hive: PARTITION (a='x', b)
	// Partitions are names alone: PARTITION (p1, p2). They are partitions of a Doris
	// table or dynamic columns of a Hive table; only the binder knows which.
	Partitions  []string
	Temporary   bool // TEMPORARY PARTITION (…)
	AutoDetect  bool // PARTITION (*)
	IfNotExists bool
	// Label names the load, in LabelDatabase; "": that of the table.
	LabelDatabase, Label string
	Hints                []string // [shuffle]
	Query                Query    // *Values for INSERT … VALUES
}

// PartitionSpec is col or col = value.
type PartitionSpec struct {
	Pos
	Column string
	Op     string // "=" normally; comparison operators in DROP PARTITION; "" for a dynamic column
	Value  Expr   // nil: dynamic
}

// MultiInsert is FROM src INSERT … INSERT …; each Insert's Query selects without FROM.
type MultiInsert struct {
	Pos
	From    TableExpr
	Inserts []*Insert
}

// Set is SET with one or more assignments.
type Set struct {
	Pos
	Items []SetItem
}

// SetItem is one assignment. SET NAMES x comes as Name "names", SET TRANSACTION … as
// Name "transaction" with the rest as a string literal.
type SetItem struct {
	Pos
	Scope string // "", "global", "session", "local", "user" for @x
	Name  string // lower case
	Value Expr   // *Default for DEFAULT; a bare word comes as a string Literal
}

// Use is USE [catalog.]db.
type Use struct {
	Pos
	Catalog, Database string
}

// Show is every SHOW, DESC t and DESCRIBE form that names what it shows.
type Show struct {
	Pos
	What  string // upper case words: "DATABASES", "TABLES", "COLUMNS", "CREATE TABLE", "VARIABLES", "PROCESSLIST", "INDEX", "ALTER TABLE ROLLUP", …
	Full  bool
	Scope string // GLOBAL, SESSION
	Name  Name   // the object, when there is one
	From  string // database of FROM/IN db
	Like  *string
	Where Expr
	Limit *Limit
	Order []OrderItem
	Args  []string // the rest, for example PROC's path
	// Partition is Hive's PARTITION (dt = '…') of SHOW PARTITIONS and SHOW TABLE EXTENDED.
	Partition []PartitionSpec
}

// Repair is MSCK [REPAIR] TABLE t [{ADD|DROP|SYNC} PARTITIONS], and ALTER TABLE t RECOVER PARTITIONS.
type Repair struct {
	Pos
	Name   Name
	Repair bool   // else it only reports
	Mode   string // "ADD", "DROP" or "SYNC"; "" when not written
}

// Describe is DESC t [ALL], DESCRIBE [EXTENDED|FORMATTED] t [col], DESC FUNCTION f(…).
type Describe struct {
	Pos
	Mode      string // "", "ALL", "EXTENDED", "FORMATTED", "FUNCTION", "DATABASE"
	Name      Name
	Column    string
	Partition []PartitionSpec
	Function  *TableFunction
}

// Kill is KILL [CONNECTION|QUERY] id.
type Kill struct {
	Pos
	Query   bool
	ID      uint64
	QueryID string // KILL QUERY 'id'
}

// Transaction is BEGIN, START TRANSACTION, COMMIT, ROLLBACK.
type Transaction struct {
	Pos
	Op    string // "BEGIN", "COMMIT", "ROLLBACK"
	Label string // BEGIN WITH LABEL
}

// Analyze is ANALYZE TABLE t [PARTITION (…)] [(cols)] with Doris's WITH clauses or
// Hive's COMPUTE STATISTICS [FOR COLUMNS cols] [NOSCAN]; or ANALYZE DATABASE d.
type Analyze struct {
	Pos
	Database   string // ANALYZE DATABASE; "" for a table
	Name       Name
	Partition  []PartitionSpec
	Columns    []string
	Sync       bool
	SampleUnit string // "PERCENT" or "ROWS" of Sample; "" without one
	Sample     Expr
	Compute    bool
	ForColumns bool
	NoScan     bool
	Options    []Property
}

// DropStats is DROP STATS t [(cols)] [PARTITION …].
type DropStats struct {
	Pos
	Name    Name
	Columns []string
}

// Prepare, Execute and Deallocate are the text-protocol forms of prepared statements.
type Prepare struct {
	Pos
	Name string
	Text Expr // a string literal or a user variable
}

// Execute runs a prepared statement.
type Execute struct {
	Pos
	Name  string
	Using []string // user variables, lower case
}

// Deallocate drops a prepared statement.
type Deallocate struct {
	Pos
	Name string
}

// Delete is DELETE FROM … and Update is UPDATE …; both are refused until key models exist.
type Delete struct {
	Pos
	Name       Name
	Alias      string
	Partitions []string
	Using      []TableExpr
	Where      Expr
}

// Update is UPDATE t SET … .
type Update struct {
	Pos
	Name  Name
	Alias string
	Set   []Assignment
	From  []TableExpr
	Where Expr
}

// Assignment is col = expr.
type Assignment struct {
	Pos
	Column string
	Value  Expr
}

// AlterTable is ALTER TABLE with its clauses kept as parsed actions.
type AlterTable struct {
	Pos
	Name    Name
	Actions []AlterAction
}

// AlterAction is one clause of ALTER TABLE: Kind in upper-case words ("ADD COLUMN",
// "RENAME", "ADD PARTITION", "SET", "ADD ROLLUP", "CONCATENATE", …) with the parts that
// the kind uses. Rest keeps the clause's text, for printing and for refusals.
type AlterAction struct {
	Pos
	Kind       string
	Name       string
	NewName    string
	Columns    []ColumnDef
	Order      []string // ORDER BY: columns
	After      string   // "" or a column; First sets FIRST
	First      bool
	Rollup     string // ADD COLUMN … TO r, DROP COLUMN … FROM r
	Partition  *PartitionDef
	Specs      [][]PartitionSpec // Hive's partitions: ADD, DROP, or the one that the clause is about
	Locations  []string          // of Specs in ADD PARTITION; "" where none was written
	Rollups    []RollupDef
	Properties []Property
	// Partitions are those of MODIFY and REPLACE PARTITION; "*" stands for all. With are the
	// temporary partitions that take their place.
	Partitions, With []string
	Distribution     *Distribution // ADD PARTITION, MODIFY DISTRIBUTION
	// IfExists is IF EXISTS or IF NOT EXISTS, whichever the kind has; Force is FORCE or PURGE.
	IfExists, Force bool
	Rest            string
}

// Recover is RECOVER {DATABASE d|TABLE t|PARTITION p FROM t} [id] [AS name].
type Recover struct {
	Pos
	Kind      string // "DATABASE", "TABLE", "PARTITION"
	Name      Name   // the database, or the table
	Partition string
	ID        int64 // 0: the one dropped last
	As        string
}

// CreateMaterializedView is CREATE MATERIALIZED VIEW v AS query, of one table.
type CreateMaterializedView struct {
	Pos
	IfNotExists bool
	Name        Name
	Query       Query
	Text        string // of Query, as written
	Properties  []Property
}

// DropMaterializedView is DROP MATERIALIZED VIEW v ON t.
type DropMaterializedView struct {
	Pos
	IfExists    bool
	Name, Table Name
}

// RenameTable is MySQL's RENAME TABLE From TO To [, …] of tables and views: in order, all or none.
type RenameTable struct {
	Pos
	From, To []Name
}

// CancelLoad is CANCEL LOAD [FROM db] WHERE condition on the columns of SHOW LOAD.
type CancelLoad struct {
	Pos
	Database string // "": the current one
	Where    Expr
}

// CleanLabel is CLEAN LABEL [label] FROM db.
type CleanLabel struct {
	Pos
	Label    string // "": all
	Database string
}

// CancelAlter is CANCEL ALTER TABLE Kind FROM t [(job, …)].
type CancelAlter struct {
	Pos
	Kind  string // "ROLLUP", "COLUMN", "MATERIALIZED VIEW"
	Table Name
	Jobs  []int64 // none: all
}

// Admin is any statement of the Doris and Hive surface that the engine does not run
// yet: it parsed, Name says what it is ("CREATE ROUTINE LOAD", "MSCK REPAIR TABLE",
// "GRANT", …) and Text is what the user wrote. Running it gives error 1235 with Name.
type Admin struct {
	Pos
	Name string
	Text string
}

func (*Explain) isStatement()        {}
func (*CreateTable) isStatement()    {}
func (*CreateView) isStatement()     {}
func (*CreateDatabase) isStatement() {}
func (*Drop) isStatement()           {}
func (*Truncate) isStatement()       {}
func (*Insert) isStatement()         {}
func (*MultiInsert) isStatement()    {}
func (*Set) isStatement()            {}
func (*Use) isStatement()            {}
func (*Show) isStatement()           {}
func (*Describe) isStatement()       {}
func (*Kill) isStatement()           {}
func (*Transaction) isStatement()    {}
func (*Analyze) isStatement()        {}
func (*DropStats) isStatement()      {}
func (*Prepare) isStatement()        {}
func (*Execute) isStatement()        {}
func (*Deallocate) isStatement()     {}
func (*Delete) isStatement()         {}
func (*Update) isStatement()         {}
func (*AlterTable) isStatement()     {}
func (*Recover) isStatement()        {}
func (*Repair) isStatement()         {}
func (*Admin) isStatement()          {}

func (*CreateMaterializedView) isStatement() {}
func (*DropMaterializedView) isStatement()   {}
func (*CancelAlter) isStatement()            {}
func (*RenameTable) isStatement()            {}
func (*CancelLoad) isStatement()             {}
func (*CleanLabel) isStatement()             {}
