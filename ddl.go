package basalt

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/parquet"
)

// resolveName fills in the current database.
func (x *execution) resolveName(n ast.Name) (database, name string, err error) {
	if n.Catalog != "" && n.Catalog != "internal" {
		return "", "", sqlerr.New(sqlerr.UnknownDatabase, "Unknown catalog '%s'", n.Catalog).At(n.Position())
	}
	database = n.Database
	if database == "" {
		database = x.s.Database()
	}
	if !x.snapshot.HasDatabase(database) {
		return "", "", sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", database).At(n.Position())
	}
	if n.Name == "" || len(n.Name) > 256 || strings.ContainsAny(n.Name, "/\\\x00") || n.Name == "." || n.Name == ".." || hidden(n.Name) && strings.HasPrefix(n.Name, ".") {
		return "", "", sqlerr.New(sqlerr.WrongName, "Incorrect table name '%s'", n.Name).At(n.Position())
	}
	return database, n.Name, nil
}

func (x *execution) createDatabase(st *ast.CreateDatabase) (*Rows, error) {
	name := st.Name.Name
	if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
		return nil, sqlerr.New(sqlerr.WrongName, "Incorrect database name '%s'", name).At(st.Position())
	}
	err := x.s.db.cat.Update(func(tx *catalog.Tx) error { return tx.CreateDatabase(name, st.Location) })
	if err != nil && !(st.IfNotExists && sqlerr.Is(err, sqlerr.DatabaseExists)) {
		return nil, sqlerr.From(err).At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// refuseUnsupported names what a CREATE TABLE asks for and the engine cannot do yet.
func refuseUnsupported(st *ast.CreateTable) error {
	refuse := func(bad bool, what string) error {
		if bad {
			return sqlerr.Unsupported(what).At(st.Position())
		}
		return nil
	}
	h := st.Hive
	checks := []error{
		refuse(st.Temporary, "CREATE TEMPORARY TABLE"),
		refuse(st.Like != nil && len(st.LikeRollup) > 0, "CREATE TABLE LIKE … WITH ROLLUP"),
		refuse(st.KeysType == "UNIQUE" || st.KeysType == "AGGREGATE" || st.KeysType == "PRIMARY", st.KeysType+" KEY"),
		refuse(st.Partition != nil, "PARTITION BY"),
		refuse(len(st.Rollups) > 0, "ROLLUP"),
		refuse(len(st.Indexes) > 0, "INDEX"),
		refuse(st.Distributed != nil && len(st.Distributed.Hash) > 0, "DISTRIBUTED BY HASH"),
		refuse(h != nil && len(h.PartitionedBy) > 0, "PARTITIONED BY"),
		refuse(h != nil && len(h.ClusteredBy) > 0, "CLUSTERED BY"),
		refuse(h != nil && h.RowFormat != nil, "ROW FORMAT"),
		refuse(h != nil && h.StoredBy != "", "STORED BY"),
	}
	if h != nil && h.StoredAs != "" && h.StoredAs != "PARQUET" {
		checks = append(checks, refuse(true, "STORED AS "+h.StoredAs))
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	for i := range st.Columns {
		c := &st.Columns[i]
		for what, bad := range map[string]bool{"an aggregate column (" + c.AggType + ")": c.AggType != "", "AUTO_INCREMENT": c.AutoIncrement, "GENERATED ALWAYS AS": c.Generated != nil, "ON UPDATE": c.OnUpdate != nil} {
			if bad {
				return sqlerr.Unsupported(what).At(c.Position())
			}
		}
	}
	return nil
}

func (x *execution) createTable(ctx context.Context, st *ast.CreateTable) (*Rows, error) {
	if err := refuseUnsupported(st); err != nil {
		return nil, err
	}
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	if x.snapshot.Table(db, name) != nil || x.snapshot.View(db, name) != nil {
		if st.IfNotExists {
			return okRows(x.s, 0, ""), nil
		}
		return nil, sqlerr.New(sqlerr.TableExists, "Table '%s' already exists", name).At(st.Name.Position())
	}
	t := &catalog.Table{Database: db, Name: name, Format: "parquet", Comment: st.Comment, Properties: map[string]string{}}
	for _, p := range st.Properties {
		t.Properties[p.Key] = p.Value
	}
	if st.Hive != nil {
		for _, p := range st.Hive.TblProperties {
			t.Properties[p.Key] = p.Value
		}
	}
	if _, err := parquetCodec(t.Properties); err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	if t.Columns, err = tableColumns(st.Columns); err != nil {
		return nil, err
	}
	switch {
	case st.Like != nil:
		err = x.copyDefinition(t, *st.Like)
	case st.External:
		err = x.prepareExternal(t, st)
	case st.Query != nil:
		return x.createTableAs(ctx, t, st)
	case len(t.Columns) == 0:
		err = sqlerr.New(sqlerr.WrongFieldSpec, "A table must have at least 1 column").At(st.Position())
	}
	if err != nil {
		return nil, err
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error { return x.addTable(tx, t) })
	if err != nil && !(st.IfNotExists && sqlerr.Is(err, sqlerr.TableExists)) {
		return nil, sqlerr.From(err).At(st.Name.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// copyDefinition gives t the columns and properties of a table of ours, not its rows.
func (x *execution) copyDefinition(t *catalog.Table, like ast.Name) error {
	db, name, err := x.resolveName(like)
	if err != nil {
		return err
	}
	src := x.snapshot.Table(db, name)
	if src == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(like.Position())
	}
	if src.Kind != catalog.Internal {
		return sqlerr.Unsupported("CREATE TABLE LIKE an external table").At(like.Position())
	}
	t.Columns, t.Properties, t.Comment = slices.Clone(src.Columns), maps.Clone(src.Properties), src.Comment
	return nil
}

// addTable registers t; an internal table gets its folder's name from its id, so that a
// dropped and re-created table never meets old files.
func (x *execution) addTable(tx *catalog.Tx, t *catalog.Table) error {
	if t.Kind == catalog.Internal && t.Location == "" {
		t.Location = filepath.Join(t.Database+".db", fmt.Sprintf("%s_%d", t.Name, tx.NewID()))
	}
	return tx.CreateTable(t)
}

// prepareExternal finds the files and, when no columns were given, their schema.
func (x *execution) prepareExternal(t *catalog.Table, st *ast.CreateTable) error {
	if st.Query != nil {
		return sqlerr.Unsupported("CREATE EXTERNAL TABLE AS SELECT").At(st.Position())
	}
	if st.Hive == nil || st.Hive.Location == "" {
		return sqlerr.New(sqlerr.Syntax, "CREATE EXTERNAL TABLE needs LOCATION 'path'").At(st.Position())
	}
	t.Kind = catalog.External
	loc := strings.TrimPrefix(st.Hive.Location, "file://")
	abs, err := filepath.Abs(loc)
	if err != nil {
		return storage.FileError(err, loc, "resolve")
	}
	t.Location = abs
	paths, err := x.s.db.listFiles(abs)
	if err != nil {
		return sqlerr.From(err).At(st.Hive.Position())
	}
	if len(t.Columns) > 0 {
		return nil
	}
	if len(paths) == 0 {
		return sqlerr.New(sqlerr.FileNotFound, "cannot infer columns: %s has no data files", abs).At(st.Hive.Position())
	}
	src, err := parquet.NewSource(x.s.db.fs, paths, nil)
	if err != nil {
		return err
	}
	for i, c := range src.Columns() {
		t.Columns = append(t.Columns, catalog.Column{ID: int32(i + 1), Name: c.Name, Type: c.Type, Nullable: c.Nullable})
	}
	return nil
}

// tableColumns turns column definitions into columns.
func tableColumns(defs []ast.ColumnDef) ([]catalog.Column, error) {
	var out []catalog.Column
	seen := map[string]bool{}
	for i := range defs {
		d := &defs[i]
		if seen[strings.ToLower(d.Name)] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", d.Name).At(d.Position())
		}
		seen[strings.ToLower(d.Name)] = true
		t, err := bind.Type(d.Type)
		if err != nil {
			return nil, err
		}
		if t.IsNested() || t.Kind == sqltype.Bitmap || t.Kind == sqltype.HLL || t.Kind == sqltype.JSON {
			return nil, sqlerr.Unsupported("a column of type " + t.String()).At(d.Position())
		}
		c := catalog.Column{ID: int32(i + 1), Name: d.Name, Type: t, Nullable: !d.NotNull, Comment: d.Comment, Key: d.Key}
		if d.Default != nil {
			text := ast.Format(d.Default)
			c.Default = &text
		}
		out = append(out, c)
	}
	return out, nil
}

// createTableAs is CREATE TABLE AS SELECT: the table becomes visible with its rows, in one
// catalog transaction.
func (x *execution) createTableAs(ctx context.Context, t *catalog.Table, st *ast.CreateTable) (*Rows, error) {
	bound, err := bind.Query(st.Query, x.env())
	if err != nil {
		return nil, err
	}
	if len(t.Columns) == 0 {
		if t.Columns, err = columnsOf(bound, st.ColumnNames); err != nil {
			return nil, sqlerr.From(err).At(st.Query.Position())
		}
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error {
		// The folder's name only; the table itself comes with its files.
		t.Location = filepath.Join(t.Database+".db", fmt.Sprintf("%s_%d", t.Name, tx.NewID()))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x.write(ctx, t, nil, st.Query, x.createSink(t))
}

// columnsOf names and types the columns of a table made from a query.
func columnsOf(b *bind.Bound, names []string) ([]catalog.Column, error) {
	cols := b.Plan.Columns()
	if names == nil {
		names = b.Names
	}
	if len(names) != len(b.Names) {
		return nil, sqlerr.New(sqlerr.ValueCount, "the query has %d columns, %d names were given", len(b.Names), len(names))
	}
	out := make([]catalog.Column, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		if seen[strings.ToLower(name)] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", name)
		}
		seen[strings.ToLower(name)] = true
		t := cols[i].T
		if t.Kind == sqltype.Null {
			t = sqltype.T(sqltype.TinyInt)
		}
		out[i] = catalog.Column{ID: int32(i + 1), Name: name, Type: t, Nullable: cols[i].Null}
	}
	return out, nil
}

// write runs a query into a sink. It has ended when write returns.
func (x *execution) write(ctx context.Context, t *catalog.Table, columns []string, q ast.Query, sink storage.Sink) (*Rows, error) {
	bound, err := bind.Insert(t, columns, q, sink, x.env())
	if err != nil {
		return nil, err
	}
	plan, err := x.plan(bound)
	if err != nil {
		return nil, err
	}
	res, err := executor.Run(ctx, plan, x.runtime(nil))
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var count int64
	for {
		b, err := res.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		for i := range b.NumRows() {
			count += b.Cols[0].Value(b.Row(i)).Int64()
		}
	}
	return okRows(x.s, count, ""), nil
}

// writableTable finds the target of an INSERT.
func (x *execution) writableTable(n ast.Name) (*catalog.Table, error) {
	db, name, err := x.resolveName(n)
	if err != nil {
		return nil, err
	}
	t := x.snapshot.Table(db, name)
	switch {
	case t == nil && x.snapshot.View(db, name) != nil:
		return nil, sqlerr.New(sqlerr.NotBaseTable, "'%s.%s' is not BASE TABLE", db, name).At(n.Position())
	case t == nil:
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(n.Position())
	case t.Kind == catalog.External:
		return nil, sqlerr.Unsupported("INSERT into an external table").At(n.Position())
	case t.Kind == catalog.System:
		return nil, sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", db).At(n.Position())
	}
	return t, nil
}

func (x *execution) insert(ctx context.Context, st *ast.Insert) (*Rows, error) {
	for what, bad := range map[string]bool{
		"INSERT OVERWRITE": st.Overwrite, "REPLACE INTO": st.Replace, "INSERT … PARTITION": len(st.Partition) > 0 || len(st.Partitions) > 0 || st.AutoDetect,
		"INSERT … WITH LABEL": st.Label != "",
	} {
		if bad {
			return nil, sqlerr.Unsupported(what).At(st.Position())
		}
	}
	t, err := x.writableTable(st.Name)
	if err != nil {
		return nil, err
	}
	return x.write(ctx, t, st.Columns, st.Query, x.sinkFor(t))
}

func (x *execution) truncate(st *ast.Truncate) (*Rows, error) {
	if len(st.Partitions) > 0 {
		return nil, sqlerr.Unsupported("TRUNCATE … PARTITION").At(st.Position())
	}
	t, err := x.writableTable(st.Name)
	if err != nil {
		return nil, err
	}
	db := x.s.db
	var gone []string
	err = db.cat.Update(func(tx *catalog.Tx) error {
		gone = nil
		removed := map[string]bool{}
		for _, f := range tx.Table(t.Database, t.Name).Files {
			removed[f.Path] = true
			gone = append(gone, filepath.Join(db.location(t), f.Path))
		}
		return tx.SetFiles(t.Database, t.ID, removed, nil)
	})
	if err != nil {
		return nil, err
	}
	db.discard(gone...)
	return okRows(x.s, 0, ""), nil
}

func (x *execution) alterTable(st *ast.AlterTable) (*Rows, error) {
	if len(st.Actions) != 1 || st.Actions[0].Kind != "RENAME" {
		kind := "…"
		if len(st.Actions) > 0 {
			kind = st.Actions[0].Kind
		}
		return nil, sqlerr.Unsupported("ALTER TABLE " + kind).At(st.Position())
	}
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	if x.snapshot.Table(db, name) == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(st.Name.Position())
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error { return tx.RenameTable(db, name, st.Actions[0].NewName) })
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}

func (x *execution) drop(st *ast.Drop) (*Rows, error) {
	db := x.s.db
	var gone []string
	err := db.cat.Update(func(tx *catalog.Tx) error {
		gone = nil
		for _, n := range st.Names {
			dropped, err := x.dropOne(tx, st.Kind, n)
			if err != nil {
				missing := sqlerr.Is(err, sqlerr.UnknownTableDDL) || sqlerr.Is(err, sqlerr.UnknownDatabase) ||
					sqlerr.Is(err, sqlerr.CannotDropDB) && n.Name != catalog.DefaultDatabase
				if st.IfExists && missing {
					continue
				}
				return sqlerr.From(err).At(n.Position())
			}
			for _, t := range dropped {
				if t.Kind == catalog.Internal {
					gone = append(gone, db.location(t))
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db.discard(gone...)
	return okRows(x.s, 0, ""), nil
}

func (x *execution) dropOne(tx *catalog.Tx, kind ast.ObjectKind, n ast.Name) ([]*catalog.Table, error) {
	if kind == ast.DatabaseObject {
		dropped, err := tx.DropDatabase(n.Name)
		if sqlerr.Is(err, sqlerr.UnknownDatabase) {
			err = sqlerr.New(sqlerr.CannotDropDB, "Can't drop database '%s'; database doesn't exist", n.Name)
		}
		return dropped, err
	}
	db := n.Database
	if db == "" {
		db = x.s.Database()
	}
	if kind == ast.ViewObject {
		return nil, tx.DropView(db, n.Name)
	}
	t, err := tx.DropTable(db, n.Name)
	if err != nil {
		return nil, err
	}
	return []*catalog.Table{t}, nil
}

func (x *execution) createView(st *ast.CreateView) (*Rows, error) {
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	if st.Alter && x.snapshot.View(db, name) == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(st.Name.Position())
	}
	if st.IfNotExists && x.snapshot.View(db, name) != nil {
		return okRows(x.s, 0, ""), nil
	}
	bound, err := bind.Query(st.Query, x.env())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range st.Columns {
		names = append(names, c.Name)
	}
	cols, err := columnsOf(bound, names)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	for i := range st.Columns {
		cols[i].Comment = st.Columns[i].Comment
	}
	v := &catalog.View{Database: db, Name: name, Columns: cols, Text: st.Text, DefaultDatabase: x.s.Database(), Comment: st.Comment}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error { return tx.CreateView(v, st.OrReplace || st.Alter) })
	if err != nil {
		return nil, sqlerr.From(err).At(st.Name.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// createSink is the sink of CREATE TABLE AS: its publication creates the table.
func (x *execution) createSink(t *catalog.Table) storage.Sink {
	return x.newSink(t, func(files []catalog.DataFile) error {
		return x.s.db.cat.Update(func(tx *catalog.Tx) error {
			next := *t
			next.Files = files
			return tx.CreateTable(&next)
		})
	})
}
