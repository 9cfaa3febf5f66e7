package basalt

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
)

// indexColumn is a column of an index with the expressions over the table's row that make it: column o of the table is
// expr.Column o+1.
type indexColumn struct {
	catalog.IndexColumn
	key expr.Expr       // nil where agg is set
	agg *expr.Aggregate // of which the column holds states
	of  expr.Expr       // the value for one row
}

// indexDefinition is an index of a version of its table, ready to be written and read.
type indexDefinition struct {
	*catalog.Index
	columns []indexColumn
	where   []expr.Expr
	err     error // it cannot be understood any more
}

// tableIndexes are those of one version of a table.
type tableIndexes struct {
	table   *catalog.Table
	list    []*indexDefinition
	once    sync.Once
	logical []*logical.Index
}

// indexesOf defines the indexes of a table. Those of its last version are kept.
func (db *DB) indexesOf(t *catalog.Table) []*indexDefinition {
	if len(t.Indexes) == 0 {
		return nil
	}
	return db.definitions(t).list
}

func (db *DB) definitions(t *catalog.Table) *tableIndexes {
	if c, ok := db.indexes.Load(t.ID); ok && c.(*tableIndexes).table == t {
		return c.(*tableIndexes)
	}
	x := &tableIndexes{table: t}
	for i := range t.Indexes {
		d, err := db.defineIndex(t, &t.Indexes[i])
		if err != nil {
			d = &indexDefinition{Index: &t.Indexes[i], err: err}
		}
		x.list = append(x.list, d)
	}
	db.indexes.Store(t.ID, x)
	return x
}

// defineIndex reads the definition of an index.
func (db *DB) defineIndex(t *catalog.Table, ix *catalog.Index) (*indexDefinition, error) {
	d := &indexDefinition{Index: ix}
	if !ix.View {
		for _, c := range ix.Columns {
			col, err := rollupColumn(t, c)
			if err != nil {
				return nil, err
			}
			d.columns = append(d.columns, col)
		}
		return d, nil
	}
	q, err := db.viewQuery(t, ix.Text)
	if err != nil {
		return nil, err
	}
	def, err := db.defineView(t, q)
	if err != nil {
		return nil, err
	}
	if len(def.Items) != len(ix.Columns) {
		return nil, sqlerr.New(sqlerr.CorruptFile, "the query of materialized view %s has %d columns, %d are stored", ix.Name, len(def.Items), len(ix.Columns))
	}
	d.where = def.Where
	for i, c := range ix.Columns {
		col, err := viewColumn(def.Items[i])
		if err != nil {
			return nil, err
		}
		if !col.Type.Equal(c.Type) {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "column %s of materialized view %s has type %s now and is stored as %s", c.Name, ix.Name, col.Type, c.Type)
		}
		col.IndexColumn = c
		d.columns = append(d.columns, col)
	}
	return d, nil
}

// tableColumn is column o of a table in an index's expressions.
func tableColumn(t *catalog.Table, o int) *expr.Column {
	c := &t.Columns[o]
	return &expr.Column{ID: expr.ColumnID(o + 1), Name: c.Name, T: c.Type, Null: c.Nullable}
}

// rollupColumn is a column of the table in a rollup.
func rollupColumn(t *catalog.Table, c catalog.IndexColumn) (indexColumn, error) {
	o := slices.IndexFunc(t.Columns, func(x catalog.Column) bool { return x.ID == c.Base })
	if o < 0 {
		return indexColumn{}, sqlerr.New(sqlerr.UnknownColumn, "Column[%s] does not exist", c.Name)
	}
	out := indexColumn{IndexColumn: c, of: tableColumn(t, o)}
	if c.Aggregation == function.NoAggregation {
		out.key = out.of
		return out, nil
	}
	fn, err := function.ResolveAggregate(strings.ToLower(c.Aggregation.String()), []function.Arg{{Type: out.of.Type()}}) // as queries name it
	if c.Aggregation.Replaces() {
		fn, err = c.Aggregation.Merging(c.Type)
	}
	if err != nil {
		return out, err
	}
	if out.agg, err = expr.ApplyAggregate(fn, []expr.Expr{out.of}); err != nil {
		return out, err
	}
	out.of, err = expr.CastTo(out.of, c.Type)
	return out, err
}

// widenSums gives the sums of a rollup types that hold those of many rows of the table, as the states of views are, where
// a row of it is made of several: an INT would wrap where every row of the table fits. It reports whether a type changed.
func widenSums(t *catalog.Table, ix *catalog.Index) (changed bool, err error) {
	if !foldsFurther(t, ix) {
		return false, nil
	}
	for i := range ix.Columns {
		c := &ix.Columns[i]
		if c.Aggregation != function.SumAggregation {
			continue
		}
		col, err := rollupColumn(t, *c)
		if err != nil {
			return false, err
		}
		if s, ok := optimize.StateOf(col.agg); ok && !s.Type.Equal(c.Type) {
			c.Type, c.Former, c.Default, changed = s.Type, nil, nil, true
		}
	}
	return changed, nil
}

// foldsFurther reports a rollup that makes a row of several of its table's, as it lacks keys.
func foldsFurther(t *catalog.Table, ix *catalog.Index) bool {
	return ix.Folded && !ix.View && len(indexColumns(ix, keyIDs(t))) < len(keyIDs(t))
}

// isComputed reports a column that is none of the table as it is.
func isComputed(c indexColumn) bool {
	_, ok := c.of.(*expr.Column)
	return !ok
}

// viewColumn is an output of a view's query.
func viewColumn(it optimize.DefinedItem) (indexColumn, error) {
	if it.Agg == nil {
		c := indexColumn{key: it.Expr, of: it.Expr}
		c.Type, c.Nullable = it.Expr.Type(), it.Expr.Nullable()
		if col, ok := it.Expr.(*expr.Column); ok {
			c.Base = int32(col.ID) // its ordinal, for now
		}
		return c, nil
	}
	s, ok := optimize.StateOf(it.Agg)
	if !ok {
		return indexColumn{}, sqlerr.Detail("The aggregate function %s is not supported in a materialized view", expr.String(it.Agg))
	}
	c := indexColumn{agg: it.Agg, of: s.Of}
	c.Type, c.Nullable, c.Aggregation = s.Type, s.Null, s.Aggregation
	return c, nil
}

// viewQuery parses the query of a view, whose table may have another name by now.
func (db *DB) viewQuery(t *catalog.Table, text string) (*ast.Select, error) {
	list, err := parser.Parse(text, parser.Options{})
	if err != nil {
		return nil, err
	}
	sel, ok := list[0].Statement.(*ast.Select)
	if !ok || len(sel.From) != 1 {
		return nil, sqlerr.Detail("The materialized view only supports a single table")
	}
	name, ok := sel.From[0].(*ast.TableName)
	if !ok {
		return nil, sqlerr.Detail("The materialized view only supports a single table")
	}
	from := *name
	if from.Alias == "" {
		from.Alias = from.Name.Name
	}
	from.Name = ast.Name{Pos: name.Name.Pos, Database: t.Database, Name: t.Name}
	sel.From = []ast.TableExpr{&from}
	return sel, nil
}

// defineView binds the query of a view and brings it to the form that queries are routed in.
func (db *DB) defineView(t *catalog.Table, q *ast.Select) (*optimize.Definition, error) {
	sel := *q
	sel.OrderBy = nil
	fc := &function.Context{Now: time.Unix(0, 0), Location: time.UTC, Database: t.Database, Version: ServerVersion}
	bound, err := bind.Query(&sel, &bind.Env{Snapshot: onlyTable{db.cat.Snapshot(), t, db.fs}, Database: t.Database, Functions: fc,
		ParseView: func(string) (ast.Query, error) {
			return nil, sqlerr.Detail("The materialized view only supports a single table")
		}})
	if err != nil {
		return nil, err
	}
	if e := unstableIn(bound.Plan); e != nil {
		return nil, sqlerr.Detail("The materialized view contain nondeterministic expr is disallowed, expr: %s", expr.String(e))
	}
	return optimize.Define(&optimize.Context{IDs: expr.NewIDs(bound.NextID), Functions: fc}, bound.Plan)
}

// unstableIn is a call in a plan that gives another value another time; nil for none.
func unstableIn(n logical.Node) (found expr.Expr) {
	logical.Walk(n, func(n logical.Node) bool {
		logical.EachExpr(n, func(e expr.Expr) {
			expr.Walk(e, func(e expr.Expr) bool {
				if c, ok := e.(*expr.Call); ok && c.Fn.Stability != function.Immutable {
					found = c
				}
				return found == nil
			})
		})
		return found == nil
	})
	return found
}

// onlyTable is a snapshot in which a table is as it will be.
type onlyTable struct {
	catalog.Snapshot
	table *catalog.Table
	fs    storage.FS
}

// Table implements catalog.Snapshot.
func (s onlyTable) Table(database, name string) *catalog.Table {
	if database == s.table.Database && name == s.table.Name {
		return s.table
	}
	return nil
}

// View implements catalog.Snapshot.
func (s onlyTable) View(string, string) *catalog.View { return nil }

// Source implements catalog.Snapshot: nothing is read.
func (s onlyTable) Source(t *catalog.Table) (storage.Source, error) {
	return fileset.New(fileset.Options{FS: s.fs, Columns: storageColumns(t), Layout: layoutOf(t, nil)}), nil
}

// indexTable is an index as a table of its own: its columns and files, in the partitions of t.
func indexTable(t *catalog.Table, ix *catalog.Index) *catalog.Table {
	parts := slices.Clone(t.Partitions)
	for i := range parts {
		if !isBucketed(t, ix) {
			parts[i].Buckets = 0
		}
	}
	out := &catalog.Table{ID: ix.ID, Database: t.Database, Name: t.Name, Location: t.Location, Format: t.Format, Properties: t.Properties,
		Version: t.Version, Partitions: parts}
	for i := range ix.Columns {
		out.Columns = append(out.Columns, ix.Columns[i].Column)
		if ix.Columns[i].Key {
			out.Distribution.Sorted = append(out.Distribution.Sorted, ix.Columns[i].ID)
		}
	}
	if ix.Folded {
		out.Model = catalog.AggregateKey
	}
	for _, f := range t.IndexFiles {
		if f.Index == ix.ID {
			out.Files = append(out.Files, f)
		}
	}
	if p := t.Partitioning; p != nil {
		cp := *p
		if cp.Columns = indexColumns(ix, p.Columns); len(cp.Columns) < len(p.Columns) {
			cp.Columns = nil // its rows do not know their partition
		}
		out.Partitioning = &cp
	}
	if isBucketed(t, ix) {
		out.Distribution.Kind, out.Distribution.Hash, out.Distribution.Buckets = t.Distribution.Kind, t.Distribution.Hash, t.Distribution.Buckets
		out.Distribution.Columns = indexColumns(ix, t.Distribution.Columns)
		out.FirstTablet = t.FirstTablet
	}
	return out
}

// isBucketed reports that rows of an index stay in their bucket: it has the columns that tell which.
func isBucketed(t *catalog.Table, ix *catalog.Index) bool {
	d := &t.Distribution
	return d.Kind == catalog.HashDistributed && len(indexColumns(ix, d.Columns)) == len(d.Columns)
}

// indexColumns are the ids in an index of columns of the table that it has as they are.
func indexColumns(ix *catalog.Index, base []int32) (out []int32) {
	for _, id := range base {
		for i := range ix.Columns {
			if c := &ix.Columns[i]; c.Base == id && c.Aggregation == function.NoAggregation {
				out = append(out, c.ID)
				break
			}
		}
	}
	return out
}

// keyIDs are the ids of a table's key columns.
func keyIDs(t *catalog.Table) (out []int32) {
	for i := range t.Columns {
		if t.Columns[i].Key {
			out = append(out, t.Columns[i].ID)
		}
	}
	return out
}

// logicalIndexes are the indexes of a table as the optimizer reads them.
func (db *DB) logicalIndexes(t *catalog.Table) []*logical.Index {
	x := db.definitions(t)
	x.once.Do(func() {
		for _, d := range x.list {
			x.logical = append(x.logical, db.logicalIndex(t, d))
		}
	})
	return x.logical
}

func (db *DB) logicalIndex(t *catalog.Table, d *indexDefinition) *logical.Index {
	x := &logical.Index{Name: d.Name, View: d.View, Folded: d.Folded, Keys: d.Keys(), Where: d.where}
	own := indexTable(t, d.Index)
	src := db.newSource(own, nil)
	x.Source, x.Rows, x.Known = src, src, own.KnownStats()
	if d.Folded {
		x.Source = src.Unmerged() // who reads it folds on
		if !d.View && !foldsFurther(t, d.Index) && !slices.ContainsFunc(d.columns, isComputed) {
			x.Merged = src
		}
	}
	switch {
	case d.err != nil:
		x.Reason = sqlerr.From(d.err).Message
	case d.Building:
		x.Reason = "it is being built"
	}
	for _, c := range d.columns {
		col := logical.IndexColumn{Name: c.Name, Type: c.Type, Null: c.Nullable, Expr: c.key, Agg: c.agg}
		if x.Merged != nil && c.agg != nil {
			col.Value = c.of
		}
		x.Columns = append(x.Columns, col)
	}
	byID := map[int64]int{}
	for i, p := range x.Source.Layout().Partitions {
		byID[p.ID] = i
	}
	for i := range t.Files {
		f := &t.Files[i]
		if p, ok := byID[f.Partition]; ok && !f.Covers(d.ID) {
			if x.Stale == nil {
				x.Stale = make([]bool, len(byID))
			}
			x.Stale[p] = true
		}
	}
	return x
}
