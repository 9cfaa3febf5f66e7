package catalog

import (
	"context"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// CatalogName is the name of the built-in catalog: MySQL clients see "def" in
// information_schema, as MySQL and Doris show it.
const CatalogName = "internal"

const tableCatalog = "def"

var (
	textType = sqltype.VarcharOf(512)
	longType = sqltype.T(sqltype.BigInt)
	timeType = sqltype.DateTimeOf(0)
)

// SystemTimeType is that of ":time" columns of metadata tables.
var SystemTimeType = sqltype.DateTimeOf(6)

// addRow takes one row of a metadata table.
type addRow func(vals ...vector.Value)

func text(s string) vector.Value { return vector.StringValue(textType, s) }
func long(v int64) vector.Value  { return vector.IntValue(longType, v) }
func null() vector.Value         { return vector.NullOf(textType) }

func yesNo(b bool) vector.Value {
	if b {
		return text("YES")
	}
	return text("NO")
}

// defineSystem makes a metadata table from a column list "name", "name:bigint", "name:datetime".
func defineSystem(name string, columns ...string) *Table {
	t := &Table{Database: InformationSchema, Name: name, Kind: System}
	for i, c := range columns {
		col := Column{ID: int32(i + 1), Type: textType, Nullable: true}
		var kind string
		col.Name, kind, _ = strings.Cut(c, ":")
		switch kind {
		case "bigint":
			col.Type = longType
		case "datetime":
			col.Type = timeType
		case "time":
			col.Type = SystemTimeType
		}
		t.Columns = append(t.Columns, col)
	}
	return t
}

// systemTables are the tables of information_schema. Those without rows in systemRows are
// there for tools that ask, and empty.
var systemTables = []*Table{
	defineSystem("character_sets", "CHARACTER_SET_NAME", "DEFAULT_COLLATE_NAME", "DESCRIPTION", "MAXLEN:bigint"),
	defineSystem("collations", "COLLATION_NAME", "CHARACTER_SET_NAME", "ID:bigint", "IS_DEFAULT", "IS_COMPILED", "SORTLEN:bigint"),
	defineSystem("columns", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION:bigint", "COLUMN_DEFAULT", "IS_NULLABLE",
		"DATA_TYPE", "CHARACTER_MAXIMUM_LENGTH:bigint", "CHARACTER_OCTET_LENGTH:bigint", "NUMERIC_PRECISION:bigint", "NUMERIC_SCALE:bigint",
		"DATETIME_PRECISION:bigint", "CHARACTER_SET_NAME", "COLLATION_NAME", "COLUMN_TYPE", "COLUMN_KEY", "EXTRA", "PRIVILEGES", "COLUMN_COMMENT",
		"COLUMN_SIZE:bigint", "DECIMAL_DIGITS:bigint", "GENERATION_EXPRESSION", "SRS_ID:bigint"),
	defineSystem("column_privileges", "GRANTEE", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "PRIVILEGE_TYPE", "IS_GRANTABLE"),
	defineSystem("engines", "ENGINE", "SUPPORT", "COMMENT", "TRANSACTIONS", "XA", "SAVEPOINTS"),
	defineSystem("events", "EVENT_CATALOG", "EVENT_SCHEMA", "EVENT_NAME", "DEFINER", "TIME_ZONE", "EVENT_BODY", "EVENT_DEFINITION", "EVENT_TYPE", "STATUS"),
	defineSystem("files", "FILE_ID:bigint", "FILE_NAME", "FILE_TYPE", "TABLESPACE_NAME", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"),
	defineSystem("key_column_usage", "CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME",
		"ORDINAL_POSITION:bigint", "POSITION_IN_UNIQUE_CONSTRAINT:bigint", "REFERENCED_TABLE_SCHEMA", "REFERENCED_TABLE_NAME", "REFERENCED_COLUMN_NAME"),
	defineSystem("optimizer_trace", "QUERY", "TRACE", "MISSING_BYTES_BEYOND_MAX_MEM_SIZE:bigint", "INSUFFICIENT_PRIVILEGES:bigint"),
	defineSystem("parameters", "SPECIFIC_CATALOG", "SPECIFIC_SCHEMA", "SPECIFIC_NAME", "ORDINAL_POSITION:bigint", "PARAMETER_MODE", "PARAMETER_NAME", "DATA_TYPE", "DTD_IDENTIFIER", "ROUTINE_TYPE"),
	defineSystem("partitions", partitionColumns...),
	// The profiles of the last statements that ran with enable_profile.
	defineSystem("query_profiles", "PROFILE_ID", "TASK_TYPE", "START_TIME:time", "END_TIME:time", "PLAN_US:bigint", "RUN_US:bigint", "TASK_STATE", "ERROR", "USER",
		"DEFAULT_DB", "SQL_STATEMENT", "RETURN_ROWS:bigint", "PEAK_MEMORY_BYTES:bigint", "INSTANCES:bigint", "PROFILE"),
	defineSystem("referential_constraints", "CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "UNIQUE_CONSTRAINT_CATALOG", "UNIQUE_CONSTRAINT_SCHEMA",
		"UNIQUE_CONSTRAINT_NAME", "MATCH_OPTION", "UPDATE_RULE", "DELETE_RULE", "TABLE_NAME", "REFERENCED_TABLE_NAME"),
	defineSystem("routines", "SPECIFIC_NAME", "ROUTINE_CATALOG", "ROUTINE_SCHEMA", "ROUTINE_NAME", "ROUTINE_TYPE", "DTD_IDENTIFIER", "ROUTINE_DEFINITION", "ROUTINE_COMMENT", "DEFINER"),
	defineSystem("schemata", "CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME", "SQL_PATH", "DEFAULT_ENCRYPTION"),
	defineSystem("schema_privileges", "GRANTEE", "TABLE_CATALOG", "TABLE_SCHEMA", "PRIVILEGE_TYPE", "IS_GRANTABLE"),
	defineSystem("statistics", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "NON_UNIQUE:bigint", "INDEX_SCHEMA", "INDEX_NAME", "SEQ_IN_INDEX:bigint", "COLUMN_NAME",
		"COLLATION", "CARDINALITY:bigint", "SUB_PART:bigint", "PACKED", "NULLABLE", "INDEX_TYPE", "COMMENT", "INDEX_COMMENT", "IS_VISIBLE", "EXPRESSION"),
	defineSystem("tables", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE", "VERSION:bigint", "ROW_FORMAT", "TABLE_ROWS:bigint",
		"AVG_ROW_LENGTH:bigint", "DATA_LENGTH:bigint", "MAX_DATA_LENGTH:bigint", "INDEX_LENGTH:bigint", "DATA_FREE:bigint", "AUTO_INCREMENT:bigint",
		"CREATE_TIME:datetime", "UPDATE_TIME:datetime", "CHECK_TIME:datetime", "TABLE_COLLATION", "CHECKSUM:bigint", "CREATE_OPTIONS", "TABLE_COMMENT"),
	defineSystem("table_constraints", "CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "TABLE_SCHEMA", "TABLE_NAME", "CONSTRAINT_TYPE", "ENFORCED"),
	defineSystem("table_privileges", "GRANTEE", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "PRIVILEGE_TYPE", "IS_GRANTABLE"),
	defineSystem("triggers", "TRIGGER_CATALOG", "TRIGGER_SCHEMA", "TRIGGER_NAME", "EVENT_MANIPULATION", "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE", "ACTION_STATEMENT", "ACTION_TIMING"),
	defineSystem("user_privileges", "GRANTEE", "TABLE_CATALOG", "PRIVILEGE_TYPE", "IS_GRANTABLE"),
	defineSystem("views", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "VIEW_DEFINITION", "CHECK_OPTION", "IS_UPDATABLE", "DEFINER", "SECURITY_TYPE",
		"CHARACTER_SET_CLIENT", "COLLATION_CONNECTION"),
}

// systemRows is what fills a metadata table, nil for the empty ones.
func systemRows(name string) func(s *snapshot, add addRow) {
	switch name {
	case "character_sets":
		return characterSetRows
	case "collations":
		return collationRows
	case "columns":
		return columnRows
	case "engines":
		return engineRows
	case "partitions":
		return partitionRows
	case "schemata":
		return schemataRows
	case "tables":
		return tableRows
	case "views":
		return viewRows
	}
	return nil
}

// systemTable finds a metadata table; clients write these names in either case.
func systemTable(name string) *Table {
	for _, t := range systemTables {
		if strings.EqualFold(t.Name, name) {
			return t
		}
	}
	return nil
}

// systemSource scans a metadata table as of s.
func systemSource(s *snapshot, t *Table) storage.Source {
	rows := systemRows(t.Name)
	schema := make([]storage.Column, len(t.Columns))
	for i, c := range t.Columns {
		schema[i] = storage.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable}
	}
	return &storage.Memory{Schema: schema, Size: -1, Fill: func(context.Context) ([]*vector.Batch, error) {
		if rows == nil {
			return nil, nil
		}
		b := storage.NewRowBuilder(schema)
		rows(s, b.Add)
		return b.Batches(), nil
	}}
}

func schemataRows(s *snapshot, add addRow) {
	for _, db := range s.Databases() {
		add(text(tableCatalog), text(db), text("utf8mb4"), text("utf8mb4_0900_bin"), null(), text("NO"))
	}
}

func tableRows(s *snapshot, add addRow) {
	n := null()
	for _, db := range s.Databases() {
		for _, t := range s.Tables(db) {
			kind, engine := "BASE TABLE", "Doris"
			if t.Kind == System {
				kind, engine = "SYSTEM VIEW", "MEMORY"
			}
			rows, size := n, n
			created, updated := n, n
			if t.Kind == Internal && !t.Modified.IsZero() {
				updated = vector.IntValue(timeType, t.Modified.UnixMicro())
			}
			if t.Kind != System {
				created = vector.IntValue(timeType, t.Created.UnixMicro())
				if src, err := s.Source(t); err == nil {
					st := src.Stats()
					rows, size = long(max(st.Rows, 0)), long(max(st.Bytes, 0))
				}
			}
			add(text(tableCatalog), text(db), text(t.Name), text(kind), text(engine), n, n, rows, n, size, n, n, n, n,
				created, updated, n, text("utf8mb4_0900_bin"), n, n, text(t.Comment))
		}
		for _, v := range s.Views(db) {
			add(text(tableCatalog), text(db), text(v.Name), text("VIEW"), n, n, n, n, n, n, n, n, n, n,
				vector.IntValue(timeType, v.Created.UnixMicro()), n, n, n, n, n, text(v.Comment))
		}
	}
}

func columnRows(s *snapshot, add addRow) {
	for _, db := range s.Databases() {
		for _, t := range s.Tables(db) {
			for i, cols := 0, t.Visible(); i < len(cols); i++ {
				addColumn(add, db, t.Name, t.Model, i, &cols[i])
			}
		}
		for _, v := range s.Views(db) {
			for i := range v.Columns {
				addColumn(add, db, v.Name, DuplicateKey, i, &v.Columns[i])
			}
		}
	}
}

func addColumn(add addRow, db, table string, model KeyModel, i int, c *Column) {
	n := null()
	def, length, precision, scale, digits, charset, collation, key := n, n, n, n, n, n, n, text("")
	if c.Default != nil {
		def = text(c.DefaultText())
	}
	if c.Key {
		key = text(model.Short())
	}
	switch {
	case c.Type.IsString():
		l := int64(c.Type.Length)
		if l == 0 {
			l = 65533
		}
		length, charset, collation = long(l), text("utf8mb4"), text("utf8mb4_0900_bin")
	case c.Type.Kind == sqltype.Decimal:
		precision, scale = long(int64(c.Type.Precision)), long(int64(c.Type.Scale))
	case c.Type.IsInteger() || c.Type.Kind == sqltype.Boolean:
		p := map[int]int64{1: 3, 2: 5, 4: 10, 8: 19, 16: 39}[c.Type.Physical().Size()]
		precision, scale = long(p), long(0)
	case c.Type.Kind == sqltype.Float:
		precision = long(12)
	case c.Type.Kind == sqltype.Double:
		precision = long(22)
	case c.Type.Kind == sqltype.DateTime || c.Type.Kind == sqltype.Timestamp:
		digits = long(int64(c.Type.Scale))
	}
	add(text(tableCatalog), text(db), text(table), text(c.Name), long(int64(i+1)), def, yesNo(c.Nullable),
		text(DataTypeName(c.Type)), length, length, precision, scale, digits, charset, collation, text(ColumnTypeName(c.Type)), key, text(c.Aggregation.String()), text("select,insert"),
		text(c.Comment), firstOf(length, precision), scale, text(""), n)
}

func firstOf(a, b vector.Value) vector.Value {
	if a.Null {
		return b
	}
	return a
}

// DataTypeName is information_schema's DATA_TYPE: the bare name as MySQL clients know it.
func DataTypeName(t sqltype.Type) string {
	switch t.Kind {
	case sqltype.Boolean:
		return "tinyint"
	case sqltype.LargeInt:
		return "bigint unsigned"
	case sqltype.Timestamp:
		return "datetime"
	case sqltype.String:
		return "text"
	case sqltype.Null:
		return "null"
	}
	name, _, _ := strings.Cut(t.String(), "(")
	name, _, _ = strings.Cut(name, "<")
	return name
}

// ColumnTypeName is COLUMN_TYPE and DESC's Type: DataTypeName with parameters.
func ColumnTypeName(t sqltype.Type) string {
	switch t.Kind {
	case sqltype.Boolean:
		return "tinyint(1)"
	case sqltype.LargeInt:
		return "largeint"
	}
	return t.String()
}

func viewRows(s *snapshot, add addRow) {
	for _, db := range s.Databases() {
		for _, v := range s.Views(db) {
			add(text(tableCatalog), text(db), text(v.Name), text(v.Text), text("NONE"), text("NO"), text("root@%"), text("DEFINER"),
				text("utf8mb4"), text("utf8mb4_0900_bin"))
		}
	}
}

func characterSetRows(_ *snapshot, add addRow) {
	add(text("utf8mb4"), text("utf8mb4_0900_bin"), text("UTF-8 Unicode"), long(4))
}

func collationRows(_ *snapshot, add addRow) {
	add(text("utf8mb4_0900_bin"), text("utf8mb4"), long(309), text("Yes"), text("Yes"), long(1))
}

func engineRows(_ *snapshot, add addRow) {
	add(text("Doris"), text("DEFAULT"), text("Columnar tables over Parquet files"), text("YES"), text("NO"), text("NO"))
}
