// Package catalog maps names to objects: databases, tables, views, their files and
// statistics. A Catalog changes by transactions on a bbolt store (or in memory); every
// statement works on one immutable Snapshot.
package catalog

import (
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// DefaultDatabase exists in every catalog.
const DefaultDatabase = "default"

// InformationSchema is the database of metadata tables; it cannot be changed.
const InformationSchema = "information_schema"

// Column is a column of a table's declared schema.
type Column struct {
	ID       int32 // unique in the table for ever: a re-added name gets a new id
	Name     string
	Type     sqltype.Type
	Nullable bool
	Comment  string
	Default  *string // SQL text of the default, nil: none
	Key      bool    // part of the table's sort key; what rows are the same by in AGGREGATE and UNIQUE tables
	// Aggregation is how values of equal keys merge; NoAggregation for keys and in tables of other models.
	Aggregation function.Aggregation `json:",omitempty"`
	// Hidden columns are those that a model adds: they follow the others, and * does not show them.
	Hidden bool `json:",omitempty"`
	// Stored is its name in data files where that is another one: it was renamed, or a column that is gone had the
	// name. Files keep it for ever, so a name that comes back never finds old values.
	Stored string `json:",omitempty"`
	// Initial is what rows from before the column read, as SQL text of a literal; nil: the Default.
	Initial *string `json:",omitempty"`
	// Former are the types that files may have it in beside Type.
	Former []sqltype.Type `json:",omitempty"`
	// DictionaryOf is the id of the column whose global dictionary gives the ids in this one; a BITMAP column's own.
	DictionaryOf int32 `json:",omitempty"`
}

// DictionaryPrefix begins the names of the hidden columns of ids; the column's name follows.
const DictionaryPrefix = "__DICT_"

// Hidden columns of UNIQUE tables.
const (
	// DeleteSign is a TINYINT: a row with 1 takes the row of its key away.
	DeleteSign = "__DORIS_DELETE_SIGN__"
	// SequenceColumn is the column of the property function_column.sequence_type.
	SequenceColumn = "__DORIS_SEQUENCE_COL__"
)

// DefaultText is the default as clients are shown it: the value of a text literal without
// its quotes, CURRENT_TIMESTAMP and BITMAP_EMPTY without brackets, else the SQL text; "" for none.
func (c *Column) DefaultText() string {
	if c.Default == nil {
		return ""
	}
	text := *c.Default
	switch strings.ToLower(text) {
	case "current_timestamp()", "bitmap_empty()", "hll_empty()":
		return strings.ToUpper(text[:len(text)-2])
	}
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return text
	}
	body := text[1 : len(text)-1]
	var out strings.Builder
	for i := 0; i < len(body); i++ {
		if body[i] == '\'' || body[i] == '\\' {
			i++
			if i == len(body) || body[i] != body[i-1] {
				return text // an expression between literals, or an escape that stays
			}
		}
		out.WriteByte(body[i])
	}
	return out.String()
}

// TableKind tells who owns a table's files.
type TableKind uint8

// Table kinds.
const (
	Internal TableKind = iota // ours: transactional
	External                  // a folder or file that others own
	System                    // information_schema
)

// Table is one table of a snapshot. Immutable.
type Table struct {
	ID         int64
	Database   string
	Name       string
	Kind       TableKind
	Format     string // "parquet"
	Location   string // folder, or file for External; "" for System
	Columns    []Column
	Comment    string
	Properties map[string]string
	Created    time.Time
	Files      []DataFile // Internal only: the committed files
	// Hive tells that the table was defined with Hive's clauses, as external ones always are: values are converted as
	// Hive does.
	Hive bool
	// Indexes are its rollups and materialised views; IndexFiles their files, all of one Index each.
	Indexes    []Index
	IndexFiles []DataFile

	// LastColumn is the largest column id that was given out, 0 for that of Columns; Retired are the names in files of
	// columns that are gone. Schema counts the changes of Columns.
	LastColumn int32
	Retired    []string
	Schema     int32

	Model        KeyModel
	Partitioning *Partitioning // nil: unpartitioned
	// Partitions are in definition order (temporary ones too). An unpartitioned table has none: its one partition
	// has ID 0 and the table's name.
	Partitions   []Partition
	Distribution Distribution
	// FirstTablet is that of an unpartitioned table's one partition.
	FirstTablet int64
	// Version counts the changes of the table's files from 1; it is the version of an unpartitioned table's one
	// partition. Modified is when it last changed.
	Version  int64
	Modified time.Time
	// Group is the qualified name of the table's colocate group, "" for none; GroupUnstable copies
	// the group's Unstable.
	Group         string
	GroupUnstable bool
	// Statistics are what ANALYZE found; nil: never analyzed.
	Statistics *Statistics
	// Source reads the table as of this snapshot. For external tables the folder is listed
	// when the snapshot's user first asks; see Snapshot.Source.
	Source storage.Source
}

// KeyModel is Doris's data model.
type KeyModel uint8

// Key models.
const (
	DuplicateKey KeyModel = iota // every row stays; keys are the sort order
	AggregateKey                 // one row a key: values merge by their column's Aggregation
	UniqueKey                    // one row a key: the last one
)

// String is the word before KEY.
func (m KeyModel) String() string { return [...]string{"DUPLICATE", "AGGREGATE", "UNIQUE"}[m] }

// Short is what information_schema shows as a key column's kind.
func (m KeyModel) Short() string { return [...]string{"DUP", "AGG", "UNI"}[m] }

// Partitioning says how rows find their partition.
type Partitioning struct {
	Kind    storage.PartitionKind
	Columns []int32 // column ids
	Auto    bool    // missing partitions are made by loads
	Unit    string  // AUTO RANGE: the unit of date_trunc
}

// Partition is one partition of a table.
type Partition struct {
	ID          int64
	Name        string
	Temporary   bool
	Bounds      storage.PartitionBounds
	Buckets     int
	FirstTablet int64 // tablet of bucket b: FirstTablet+b
	Version     int64 // of the last load; 1 when made
	Created     time.Time
	Modified    time.Time
	Location    string // external tables: the folder when it is not the default one
	Dropped     bool   `json:",omitempty"` // external tables: not read, although its folder may be there
	Properties  map[string]string
}

// DistributionKind tells how rows find their bucket.
type DistributionKind uint8

// Distribution kinds.
const (
	NotDistributed DistributionKind = iota
	HashDistributed
	RandomDistributed
)

// Distribution is DISTRIBUTED BY, the default for new partitions.
type Distribution struct {
	Kind    DistributionKind
	Hash    bucket.Hash
	Columns []int32 // column ids
	Buckets int
	Auto    bool // BUCKETS AUTO
	// Sorted are the column ids that rows inside each file are sorted by; for Doris tables the keys. Descending, nil or
	// as long, are those that descend.
	Sorted     []int32
	Descending []bool `json:",omitempty"`
}

// DataFile is one committed file of an internal table.
type DataFile struct {
	Path      string // relative to the table's Location
	Partition int64  // Partition.ID; 0: the one of an unpartitioned table
	Bucket    int32  // meaningless unless distributed
	Version   int64  // the load that wrote it: the partition's Version then
	Seq       int32  `json:",omitempty"` // among the files of a version, which are in the order that rows came
	Rows      int64  // deleted ones too; see Live
	Bytes     int64
	// Deleted are rows that the file has and the table does not. It is shared by snapshots, and stored beside the file's
	// record, a part for each load that deleted some; parts counts them.
	Deleted *rowset.Set `json:",omitempty"`
	parts   int
	Columns []FileColumnStats // by position of Table.Columns at write time, keyed by ID
	// Index is the Index whose rows these are; 0: the table's own. Indexed are the indexes that have the rows of a
	// file of the table in files of theirs.
	Index   int64   `json:",omitempty"`
	Indexed []int64 `json:",omitempty"`
}

// Live is the number of rows that are not deleted.
func (f *DataFile) Live() int64 { return f.Rows - f.Deleted.Len() }

// FileColumnStats are the per-file statistics of one column, in the order of the file's columns.
// Min and Max are the bounds as text: integers, days, microseconds and unscaled decimals in digits, strings
// as they are; nil: unknown. FileColumn makes them, DataFile.Range reads them.
type FileColumnStats struct {
	ColumnID int32
	Min, Max *string
	Form     uint16 `json:",omitempty"` // of Min and Max; 0: that of an older version, which is not read
	Nulls    int64
	// AvgBytes is the average width of a value; Sketch the stored form of the sketch of the distinct values. Files of
	// older versions have neither.
	AvgBytes float64 `json:",omitempty"`
	Sketch   []byte  `json:",omitempty"`
}

// View is a stored query. Columns are frozen at creation.
type View struct {
	Database string
	Name     string
	Columns  []Column
	Text     string // the query, as written
	// DefaultDatabase is the one that unqualified names of Text resolve in.
	DefaultDatabase string
	Comment         string
	Created         time.Time
}

// Snapshot is the catalog at one moment. Safe for concurrent use. Database and table
// names compare as stored (case sensitive), columns without case.
type Snapshot interface {
	// Databases lists names in order, information_schema included.
	Databases() []string
	HasDatabase(name string) bool
	// Tables and Views list the objects of a database ordered by name.
	Tables(database string) []*Table
	Views(database string) []*View
	// Table and View look one up; nil when there is none.
	Table(database, name string) *Table
	View(database, name string) *View
	// Source is what a scan of t reads: for internal tables the files of this snapshot, for
	// external ones the folder as listed now, for system tables rows made from this snapshot.
	Source(t *Table) (storage.Source, error)
}
