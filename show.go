package basalt

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// show runs SHOW. What clients ask of MySQL and the engine has nothing to tell about
// gives an empty result with the right columns; what Doris and Hive can show and we
// cannot yet is refused by name.
func (x *execution) show(ctx context.Context, st *ast.Show) (*Rows, error) {
	if cols, ok := emptyShows[st.What]; ok {
		return newResult(textCols(cols...)).rows(x.s), nil
	}
	var r *result
	var err error
	switch st.What {
	case "DATABASES", "SCHEMAS":
		r = x.showDatabases()
	case "TABLES":
		r, err = x.showTables(st)
	case "VIEWS":
		r, err = x.showViews(st)
	case "TABLE STATUS":
		r, err = x.showTableStatus(st)
	case "COLUMNS", "FIELDS":
		r, err = x.showColumns(st)
	case "CREATE TABLE", "CREATE VIEW":
		r, err = x.showCreateTable(st)
	case "ALTER TABLE COLUMN":
		r, err = x.showAlterColumn(st)
	case "ALTER TABLE ROLLUP", "ALTER TABLE MATERIALIZED VIEW":
		r, err = x.showAlterRollup(st)
	case "LOAD":
		r, err = x.showLoad(st)
	case "TRANSACTION":
		r, err = x.showTransaction(st)
	case "LAST INSERT":
		r = x.showLastInsert()
	case "CREATE MATERIALIZED VIEW":
		r, err = x.showCreateMaterializedView(st)
	case "CREATE DATABASE", "CREATE SCHEMA":
		r, err = x.showCreateDatabase(st)
	case "VARIABLES":
		r = x.showVariables(st)
	case "PROCESSLIST":
		r = x.showProcesslist(st)
	case "STATUS":
		r = x.showStatus()
	case "QUERY PROFILE":
		r, err = x.showQueryProfile(st)
	case "ENGINES":
		r = newResult(textCols("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"))
		r.Add(str("Doris"), str("DEFAULT"), str("Columnar tables over Parquet files"), str("YES"), str("NO"), str("NO"))
	case "CHARSET", "CHARACTER SET":
		r = newResult(append(textCols("Charset", "Description", "Default collation"), longCol("Maxlen")))
		r.Add(str("utf8mb4"), str("UTF-8 Unicode"), str("utf8mb4_0900_bin"), long(4))
	case "COLLATION":
		r = newResult([]Column{textCol("Collation"), textCol("Charset"), longCol("Id"), textCol("Default"), textCol("Compiled"), longCol("Sortlen")})
		r.Add(str("utf8mb4_0900_bin"), str("utf8mb4"), long(309), str("Yes"), str("Yes"), long(1))
	case "COLUMN STATS", "COLUMN CACHED STATS":
		r, err = x.showColumnStats(st)
	case "TABLE STATS":
		r, err = x.showTableStats(st)
	case "ANALYZE":
		r = x.showAnalyze(st)
	case "PARTITIONS", "TEMPORARY PARTITIONS":
		n := st.Name
		if st.From != "" {
			n.Database = st.From
		}
		if t, terr := x.describedTable(n); terr == nil && t != nil && t.Hive {
			return x.showPaths(t, st)
		}
		r, err = x.showPartitions(st)
	case "TABLE EXTENDED":
		return x.showTableExtended(st)
	case "TBLPROPERTIES":
		r, err = x.showTableProperties(st)
	case "PARTITION":
		r, err = x.showPartition(st)
	case "TABLETS":
		r, err = x.showTablets(st)
	case "TABLET":
		r, err = x.showTablet(st)
	case "DYNAMIC PARTITION TABLES":
		r, err = x.showDynamic(st)
	case "CATALOG RECYCLE BIN":
		r = x.showRecycleBin()
	case "PROC":
		r, err = x.showProc(st)
	case "WARNINGS", "ERRORS":
		r = x.showWarnings(st.What == "ERRORS")
	case "CATALOGS":
		r = newResult(append([]Column{longCol("CatalogId")}, textCols("CatalogName", "Type", "IsCurrent", "CreateTime", "LastUpdateTime", "Comment")...))
		r.Add(long(0), str(catalog.CatalogName), str("internal"), str("Yes"), str("UNRECORDED"), nullText(), str("Internal catalog"))
	case "FUNCTIONS", "BUILTIN FUNCTIONS":
		r = newResult(textCols("Function Name"))
		for _, name := range function.List() {
			r.Add(str(name))
		}
	case "FRONTENDS":
		r = newResult(textCols("Name", "Host", "Alive", "Version"))
		r.Add(str("fe"), str("127.0.0.1"), str("true"), str(ServerVersion))
	case "BACKENDS":
		r = newResult(textCols("BackendId", "Host", "Alive", "Version"))
		r.Add(str("10001"), str("127.0.0.1"), str("true"), str(ServerVersion))
	case "GRANTS":
		r = newResult(textCols("Grants for " + x.s.user))
		r.Add(str(fmt.Sprintf("GRANT ALL PRIVILEGES ON *.* TO '%s'@'%%'", x.s.user)))
	default:
		return nil, sqlerr.Unsupported("SHOW " + st.What).At(st.Position())
	}
	if err != nil {
		return nil, err
	}
	return x.filterShow(r, st)
}

// emptyShows are SHOW forms that have nothing to show: clients ask for them while connecting.
var emptyShows = map[string][]string{
	"PLUGINS":          {"Name", "Status", "Type", "Library", "License"},
	"TRIGGERS":         {"Trigger", "Event", "Table", "Statement", "Timing", "Created", "sql_mode", "Definer"},
	"EVENTS":           {"Db", "Name", "Definer", "Time zone", "Type", "Execute at", "Interval value", "Interval field", "Starts", "Ends", "Status"},
	"PROCEDURE STATUS": {"Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment"},
	"FUNCTION STATUS":  {"Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment"},
	"INDEX":            {"Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality", "Sub_part", "Packed", "Null", "Index_type", "Comment"},
	"INDEXES":          {"Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality", "Sub_part", "Packed", "Null", "Index_type", "Comment"},
	"KEYS":             {"Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality", "Sub_part", "Packed", "Null", "Index_type", "Comment"},
	"OPEN TABLES":      {"Database", "Table", "In_use", "Name_locked"},
	"PRIVILEGES":       {"Privilege", "Context", "Comment"},
	"PROFILES":         {"Query_ID", "Duration", "Query"},
	"MASTER STATUS":    {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
	"SLAVE STATUS":     {"Slave_IO_State"},
}

// showMatch decides LIKE 'pattern' of SHOW: as SQL's LIKE, without case.
func (x *execution) showMatch(pattern *string) (func(string) bool, error) {
	if pattern == nil {
		return func(string) bool { return true }, nil
	}
	return function.LikeMatcher(*pattern, true)
}

func (x *execution) showDatabases() *result {
	r := newResult(textCols("Database"))
	for _, d := range x.snapshot.Databases() {
		r.Add(str(d))
	}
	return r
}

// showDatabase is the database that SHOW … FROM db means.
func (x *execution) showDatabase(from string, pos int) (string, error) {
	if from == "" {
		from = x.s.Database()
	}
	if !x.snapshot.HasDatabase(from) {
		return "", sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", from).At(pos)
	}
	return from, nil
}

func (x *execution) showTables(st *ast.Show) (*result, error) {
	db, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	cols := textCols("Tables_in_" + db)
	if st.Full {
		cols = append(cols, textCols("Table_type", "Storage_format", "Inverted_index_storage_format")...)
	}
	r := newResult(cols)
	type item struct{ name, kind string }
	var items []item
	for _, t := range x.snapshot.Tables(db) {
		kind := "BASE TABLE"
		if t.Kind == catalog.System {
			kind = "SYSTEM VIEW"
		}
		items = append(items, item{t.Name, kind})
	}
	for _, v := range x.snapshot.Views(db) {
		items = append(items, item{v.Name, "VIEW"})
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	for _, it := range items {
		if st.Full {
			r.Add(str(it.name), str(it.kind), str("PARQUET"), str(""))
		} else {
			r.Add(str(it.name))
		}
	}
	return r, nil
}

func (x *execution) showViews(st *ast.Show) (*result, error) {
	db, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("Tables_in_" + db))
	for _, v := range x.snapshot.Views(db) {
		r.Add(str(v.Name))
	}
	return r, nil
}

func (x *execution) showTableStatus(st *ast.Show) (*result, error) {
	db, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	cols := []Column{textCol("Name"), textCol("Engine"), longCol("Version"), textCol("Row_format"), longCol("Rows"), longCol("Avg_row_length"),
		longCol("Data_length"), longCol("Max_data_length"), longCol("Index_length"), longCol("Data_free"), longCol("Auto_increment"),
		textCol("Create_time"), textCol("Update_time"), textCol("Check_time"), textCol("Collation"), longCol("Checksum"), textCol("Create_options"), textCol("Comment")}
	r := newResult(cols)
	n := nullText()
	for _, t := range x.snapshot.Tables(db) {
		rows, bytes := n, n
		if src, err := x.snapshot.Source(t); err == nil && t.Kind != catalog.System {
			rows, bytes = long(max(src.Stats().Rows, 0)), long(max(src.Stats().Bytes, 0))
		}
		updated := n
		if t.Kind == catalog.Internal && !t.Modified.IsZero() {
			updated = str(t.Modified.Format(time.DateTime))
		}
		r.Add(str(t.Name), str("Doris"), n, n, rows, n, bytes, n, n, n, n, str(t.Created.Format(time.DateTime)), updated, n, str("utf8mb4_0900_bin"), n, n, str(t.Comment))
	}
	for _, v := range x.snapshot.Views(db) {
		r.Add(str(v.Name), n, n, n, n, n, n, n, n, n, n, str(v.Created.Format(time.DateTime)), n, n, n, n, n, str("VIEW"))
	}
	return r, nil
}

// columnsOfName finds a table's or view's columns.
func (x *execution) columnsOfName(n ast.Name) ([]catalog.Column, error) {
	db := n.Database
	if db == "" {
		db = x.s.Database()
	}
	if !x.snapshot.HasDatabase(db) {
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", db).At(n.Position())
	}
	if t := x.snapshot.Table(db, n.Name); t != nil {
		if x.s.settings.bool("show_hidden_columns") {
			return t.Columns, nil
		}
		return t.Visible(), nil
	}
	if v := x.snapshot.View(db, n.Name); v != nil {
		return v.Columns, nil
	}
	return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, n.Name).At(n.Position())
}

func (x *execution) showColumns(st *ast.Show) (*result, error) {
	n := st.Name
	if st.From != "" {
		n.Database = st.From
	}
	cols, err := x.columnsOfName(n)
	if err != nil {
		return nil, err
	}
	if !st.Full {
		return describeColumns(cols), nil
	}
	db := n.Database
	if db == "" {
		db = x.s.Database()
	}
	t := x.snapshot.Table(db, n.Name)
	r := newResult(textCols("Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"))
	for _, c := range cols {
		coll := nullText()
		if c.Type.IsString() {
			coll = str("utf8mb4_0900_bin")
		}
		r.Add(str(c.Name), str(catalog.ColumnTypeName(c.Type)), coll, yesNo(c.Nullable), keyText(t, c), defaultText(c), str(c.Aggregation.String()), str("select,insert"), str(c.Comment))
	}
	return r, nil
}

func yesNo(b bool) vector.Value {
	if b {
		return str("YES")
	}
	return str("NO")
}

// keyText is the Key column of a table that t describes; nil for a view.
func keyText(t *catalog.Table, c catalog.Column) vector.Value {
	if c.Key && t != nil {
		return str(t.Model.Short())
	}
	return str("")
}

func defaultText(c catalog.Column) vector.Value {
	if c.Default == nil {
		return nullText()
	}
	return str(c.DefaultText())
}

// describeColumns is DESC t: Doris's columns. Extra is the aggregate type; NONE for the value columns
// of a table with keys.
func describeColumns(cols []catalog.Column) *result {
	r := newResult(textCols("Field", "Type", "Null", "Key", "Default", "Extra"))
	keyed := slices.ContainsFunc(cols, func(c catalog.Column) bool { return c.Key })
	for _, c := range cols {
		null, key := "No", "false"
		if c.Nullable {
			null = "Yes"
		}
		if c.Key {
			key = "true"
		}
		extra := ""
		switch {
		case c.Key:
		case c.Aggregation != function.NoAggregation:
			extra = c.Aggregation.String()
		case keyed:
			extra = "NONE"
		}
		r.Add(str(c.Name), str(c.Type.String()), str(null), str(key), defaultText(c), str(extra))
	}
	return r
}

func (x *execution) describeTable(st *ast.Describe) (*Rows, error) {
	if st.Mode == "FUNCTION" && st.Function != nil {
		src, err := x.tableFunction(st.Function.Name, st.Function.Properties, nil)
		if err != nil {
			return nil, sqlerr.From(err).At(st.Position())
		}
		var cols []catalog.Column
		for _, c := range src.Columns() {
			cols = append(cols, catalog.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		}
		return describeColumns(cols).rows(x.s), nil
	}
	switch st.Mode {
	case "":
		return x.describePlain(st)
	case "ALL":
		return x.describeAll(st)
	case "EXTENDED", "FORMATTED":
		return x.describeHive(st)
	}
	return nil, sqlerr.Unsupported("DESCRIBE " + st.Mode).At(st.Position())
}

// describePlain is DESC t [column].
func (x *execution) describePlain(st *ast.Describe) (*Rows, error) {
	if len(st.Partition) > 0 {
		t, err := x.describedTable(st.Name)
		if err != nil {
			return nil, err
		}
		if _, err := x.describedPartition(t, st); err != nil {
			return nil, err
		}
	}
	cols, err := x.columnsOfName(st.Name)
	if err != nil {
		return nil, err
	}
	if st.Column != "" {
		cols = slices.DeleteFunc(slices.Clone(cols), func(c catalog.Column) bool { return !strings.EqualFold(c.Name, st.Column) })
	}
	return describeColumns(cols).rows(x.s), nil
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func (x *execution) showCreateDatabase(st *ast.Show) (*result, error) {
	db, err := x.showDatabase(st.Name.Name, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("Database", "Create Database"))
	r.Add(str(db), str("CREATE DATABASE "+quoteName(db)))
	return r, nil
}

func (x *execution) showVariables(st *ast.Show) *result {
	values := x.s.settings
	if st.Scope == "GLOBAL" {
		x.s.db.mu.Lock()
		values = x.s.db.global.clone()
		x.s.db.mu.Unlock()
	}
	r := newResult(textCols("Variable_name", "Value", "Default_Value", "Changed"))
	names := make([]string, len(settingsTable))
	for i := range settingsTable {
		names[i] = settingsTable[i].name
	}
	slices.Sort(names)
	for _, name := range names {
		d := settingIndex[name]
		changed := "0"
		if values.values[name] != d.def {
			changed = "1"
		}
		r.Add(str(name), str(values.shown(d)), str(d.shown(d.def)), str(changed))
	}
	return r
}

func (x *execution) showProcesslist(st *ast.Show) *result {
	r := newResult([]Column{longCol("Id"), textCol("User"), textCol("Host"), textCol("db"), textCol("Command"), longCol("Time"), textCol("State"), textCol("Info")})
	list := x.s.db.Sessions()
	slices.SortFunc(list, func(a, b SessionInfo) int { return int(a.ID) - int(b.ID) })
	for _, s := range list {
		command, state, info := "Sleep", "", nullText()
		if s.Query != "" {
			command, state = "Query", "executing"
			q := s.Query
			if !st.Full && len(q) > 100 {
				q = q[:100]
			}
			info = str(q)
		}
		r.Add(long(int64(s.ID)), str(s.User), str(s.Host), str(s.Database), str(command), long(int64(time.Since(s.Since).Seconds())), str(state), info)
	}
	return r
}

func (x *execution) showStatus() *result {
	r := newResult(textCols("Variable_name", "Value"))
	c := &x.s.db.counters
	for _, kv := range []struct {
		name  string
		value int64
	}{
		{"Queries", c.Queries.Load()}, {"Threads_connected", int64(len(x.s.db.Sessions()))}, {"Threads_running", c.Running.Load()}, {"Aborted_clients", 0},
		{"Slow_queries", c.SlowQueries.Load()}, {"Spilled_bytes", x.s.db.resources.spill.Written.Load()}, {"Spilled_files", x.s.db.resources.spill.Files.Load()},
		{"Queries_waiting", int64(x.s.db.queue.Waiting())}, {"Queries_queued", x.s.db.queue.Waited.Load()}, {"Queries_refused", x.s.db.queue.Refused.Load()},
		{"Memory_used", x.s.db.memory.Used()}, {"Memory_limit", x.s.db.memory.Limit()},
	} {
		r.Add(str(kv.name), str(fmt.Sprint(kv.value)))
	}
	d := x.s.db.dictionaries.Stats()
	for _, kv := range []struct {
		name  string
		value int64
	}{{"Dictionary_cache_limit", d.Limit}, {"Dictionary_cache_bytes", d.Bytes}, {"Dictionary_cache_in_use_bytes", d.InUse}, {"Dictionary_cache_entries", d.Entries},
		{"Dictionary_cache_hits", d.Hits}, {"Dictionary_cache_misses", d.Misses}, {"Dictionary_cache_evicted", d.Evicted}} {
		r.Add(str(kv.name), str(fmt.Sprint(kv.value)))
	}
	if p := x.s.db.pages; p != nil {
		st := p.Stats()
		for _, kv := range []struct {
			name  string
			value int64
		}{{"Page_cache_limit", st.Limit}, {"Page_cache_bytes", st.Bytes}, {"Page_cache_entries", st.Entries}, {"Page_cache_hits", st.Hits}, {"Page_cache_misses", st.Misses}} {
			r.Add(str(kv.name), str(fmt.Sprint(kv.value)))
		}
	}
	r.Add(str("Ssl_cipher"), str(""))
	return r
}
