package basalt

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
)

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
		refuse(st.KeysType == "PRIMARY", "PRIMARY KEY"),
		refuse(len(st.ClusterKeys) > 0, "ORDER BY of cluster keys"),
		refuse(len(st.Indexes) > 0, "INDEX"),
		refuse(h != nil && h.StoredBy != "", "STORED BY"),
	}
	if h != nil && h.StoredAs != "" {
		_, err := formatFor(h.StoredAs)
		checks = append(checks, refuse(err != nil, "STORED AS "+h.StoredAs))
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	for i := range st.Columns {
		c := &st.Columns[i]
		for what, bad := range map[string]bool{"AUTO_INCREMENT": c.AutoIncrement, "GENERATED ALWAYS AS": c.Generated != nil, "ON UPDATE": c.OnUpdate != nil} {
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
	rows, err := x.newTable(ctx, st, db, name)
	if st.IfNotExists && sqlerr.Is(err, sqlerr.TableExists) { // another session was first
		return okRows(x.s, 0, ""), nil
	}
	return rows, err
}

// newTable defines a table, and makes it with its rows if it has a query.
func (x *execution) newTable(ctx context.Context, st *ast.CreateTable, db, name string) (rows *Rows, err error) {
	t := &catalog.Table{Database: db, Name: name, Format: formatParquet, Comment: st.Comment, Properties: map[string]string{}}
	if t.Columns, err = tableColumns(st.Columns, isHive(st)); err != nil {
		return nil, err
	}
	if st.Hive != nil {
		for _, p := range st.Hive.TblProperties {
			t.Properties[p.Key] = p.Value
		}
	}
	named, err := nameFormat(t, st)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	switch {
	case st.Like != nil:
		err = x.copyDefinition(t, st)
	case st.External:
		err = x.prepareExternal(t, st, named)
	case st.Query != nil:
		return x.createTableAs(ctx, t, st)
	case len(t.Columns) == 0:
		err = sqlerr.New(sqlerr.WrongFieldSpec, "A table must have at least 1 column").At(st.Position())
	default:
		err = x.define(t, st)
	}
	if err != nil {
		return nil, err
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error {
		next := *t
		return x.addTable(tx, &next)
	})
	if err != nil {
		return nil, sqlerr.From(err).At(st.Name.Position())
	}
	if err := x.s.db.dynamicOf(t); err != nil {
		x.warn(err)
	}
	return okRows(x.s, 0, ""), nil
}

// define fills in what the Doris clauses say: properties, keys, partitions, distribution.
func (x *execution) define(t *catalog.Table, st *ast.CreateTable) error {
	if err := x.setProperties(t, st.Properties, createStatement); err != nil {
		return err
	}
	if err := defineKeys(t, st); err != nil {
		return err
	}
	if err := defineDistribution(t, st); err != nil {
		return err
	}
	if err := x.definePartitions(t, st.Partition); err != nil {
		return err
	}
	if h := st.Hive; h != nil && isDoris(st) && (len(h.PartitionedBy) > 0 || len(h.ClusteredBy) > 0) {
		return sqlerr.Detail("A table has either keys, partitions and distribution of Doris or those of Hive").At(h.Position())
	}
	if isHive(st) {
		if err := x.defineManaged(t, st.Hive); err != nil {
			return err
		}
	}
	if err := defineDictionaries(t); err != nil {
		return sqlerr.From(err).At(st.Position())
	}
	if err := defineRollups(t, st.Rollups); err != nil {
		return err
	}
	return x.checkTable(t, st.Position())
}

// isDoris tells a table definition of Doris from one of MySQL and Hive. Only the former gets
// keys and a distribution that were not written.
func isDoris(st *ast.CreateTable) bool {
	return st.KeysType != "" || st.Partition != nil || st.Distributed != nil || st.Engine == "OLAP" ||
		slices.ContainsFunc(st.Columns, func(c ast.ColumnDef) bool { return c.Key || c.AggType != "" })
}

// copyDefinition gives t everything of a table of ours but its rows: partitions of the same names and
// bounds, properties, and with them the colocate group; and the rollups that are named ("*": all; those of
// materialised views never).
func (x *execution) copyDefinition(t *catalog.Table, st *ast.CreateTable) error {
	like, rollups := *st.Like, st.LikeRollup
	db, name, err := x.resolveName(like)
	if err != nil {
		return err
	}
	src := x.snapshot.Table(db, name)
	if src == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(like.Position())
	}
	if src.Hive || st.External {
		return copyHive(t, src, st)
	}
	t.Columns, t.Properties, t.Comment, t.Format = slices.Clone(src.Columns), maps.Clone(src.Properties), src.Comment, src.Format
	t.Model, t.Partitioning, t.Distribution, t.Hive = src.Model, src.Partitioning, src.Distribution, src.Hive
	for _, p := range src.Partitions {
		if !p.Temporary {
			p.ID = 0
			t.Partitions = append(t.Partitions, p)
		}
	}
	for _, name := range rollups {
		if ix := src.IndexNamed(name); name != "*" && (ix == nil || ix.View) {
			return sqlerr.Detail("Rollup index[%s] not exists in Table[%s]", name, src.Name).At(like.Position())
		}
	}
	for _, ix := range src.Indexes {
		if ix.View { // Doris copies no materialised views
			continue
		}
		if slices.Contains(rollups, "*") || slices.ContainsFunc(rollups, func(r string) bool { return strings.EqualFold(r, ix.Name) }) {
			ix.ID, ix.Building = 0, false
			t.Indexes = append(t.Indexes, ix)
		}
	}
	return nil
}

// addTable registers t; an internal table gets its folder's name from its id, so that a
// dropped and re-created table never meets old files.
func (x *execution) addTable(tx *catalog.Tx, t *catalog.Table) error {
	if t.Kind == catalog.Internal && t.Location == "" {
		t.Location = filepath.Join(t.Database+".db", fmt.Sprintf("%s_%d", t.Name, tx.NewID()))
	}
	// A failed Update is tried again by nobody, but its Partitions belong to the caller.
	t.Partitions = slices.Clone(t.Partitions)
	if err := tx.CreateTable(t); err != nil {
		return err
	}
	return joinGroup(tx, t)
}

// prepareExternal finds the files and, when no columns were given, their schema.
func (x *execution) prepareExternal(t *catalog.Table, st *ast.CreateTable, named bool) error {
	if st.Query != nil {
		return sqlerr.Unsupported("CREATE EXTERNAL TABLE AS SELECT").At(st.Position())
	}
	if st.Partition != nil || st.Distributed != nil || st.KeysType != "" {
		return sqlerr.Detail("An external table has no keys, partitions and distribution of Doris").At(st.Position())
	}
	for _, p := range st.Properties {
		t.Properties[p.Key] = p.Value
	}
	if st.Hive == nil || st.Hive.Location == "" {
		return sqlerr.New(sqlerr.Syntax, "CREATE EXTERNAL TABLE needs LOCATION 'path'").At(st.Position())
	}
	t.Kind, t.Hive = catalog.External, true
	if err := setLocation(t, st.Hive.Location); err != nil {
		return err
	}
	abs := t.Location
	if len(t.Columns) > 0 && (len(st.Hive.PartitionedBy) > 0 || len(st.Hive.ClusteredBy) > 0 || st.Hive.RowFormat != nil || isTextTable(t)) {
		if err := x.defineHive(t, st.Hive); err != nil {
			return err
		}
		_, err := openerOf(t)
		return err
	}
	paths, err := x.s.db.listFiles(abs)
	if sqlerr.Is(err, sqlerr.FileNotFound) && len(t.Columns) > 0 {
		x.note("The folder %s does not exist yet", abs)
		return nil
	}
	if err != nil {
		return sqlerr.From(err).At(st.Hive.Position())
	}
	if !named && len(paths) > 0 {
		t.Format = x.s.db.formatAt(paths[0])
	}
	if len(t.Columns) > 0 {
		return nil
	}
	if len(paths) == 0 {
		return sqlerr.New(sqlerr.FileNotFound, "cannot infer columns: %s has no data files", abs).At(st.Hive.Position())
	}
	open, err := openerOf(t)
	if err != nil {
		return err
	}
	src, err := open(x.s.db.fs, paths, nil)
	if err != nil {
		return err
	}
	for i, c := range src.Columns() {
		t.Columns = append(t.Columns, catalog.Column{ID: int32(i + 1), Name: c.Name, Type: c.Type, Nullable: c.Nullable})
	}
	return nil
}

// tableColumns turns column definitions into columns.
func tableColumns(defs []ast.ColumnDef, hive bool) ([]catalog.Column, error) {
	var out []catalog.Column
	seen := map[string]bool{}
	for i := range defs {
		d := &defs[i]
		if seen[strings.ToLower(d.Name)] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", d.Name).At(d.Position())
		}
		seen[strings.ToLower(d.Name)] = true
		typeOf := bind.Type
		if hive {
			typeOf = bind.HiveType
		}
		t, err := typeOf(d.Type)
		if err != nil {
			return nil, err
		}
		if t.Kind == sqltype.JSON {
			return nil, sqlerr.Unsupported("a column of type " + t.String()).At(d.Position())
		}
		c := catalog.Column{ID: int32(i + 1), Name: d.Name, Type: t, Nullable: !d.NotNull, Comment: d.Comment, Key: d.Key}
		if d.Default != nil {
			text, err := storedDefault(t, d.Default)
			if err != nil {
				return nil, err
			}
			c.Default = &text
		}
		out = append(out, c)
	}
	return out, nil
}

// storedDefault is a default as the catalog keeps it. BITMAP and HLL have no literals: their only value is the empty one, which
// Doris writes as the word BITMAP_EMPTY.
func storedDefault(t sqltype.Type, e ast.Expr) (string, error) {
	text := ast.Format(e)
	if !t.IsOpaque() {
		return text, nil
	}
	word := strings.ToLower(strings.TrimSuffix(strings.ReplaceAll(text, "`", ""), "()"))
	if word == t.String()+"_empty" {
		return word + "()", nil
	}
	if word == "null" {
		return text, nil
	}
	return "", sqlerr.New(sqlerr.WrongDefinition, "The default value of a %s column can only be %s_EMPTY or NULL", t, strings.ToUpper(t.String())).At(e.Position())
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
	names := make([]string, len(t.Columns)) // in the order of the query
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	if err := x.define(t, st); err != nil {
		return nil, err
	}
	for _, c := range t.Visible() { // PARTITIONED BY with types
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error {
		// Ids and the folder's name only; the table itself comes with its files.
		t.Location = filepath.Join(t.Database+".db", fmt.Sprintf("%s_%d", t.Name, tx.NewID()))
		tx.AssignIDs(t)
		return checkGroup(tx, t)
	})
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	rows, err := x.inTransaction(t, insertKind, loadLabel{st.LabelDatabase, st.Label, st.Position()}, func() (*Rows, error) {
		return x.write(ctx, bind.Target{Table: t, Columns: names}, st.Query, x.createSink(t))
	})
	if err != nil {
		return nil, err
	}
	if err := x.s.db.dynamicOf(t); err != nil {
		x.warn(err)
	}
	return rows, nil
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
