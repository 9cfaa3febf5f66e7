package basalt

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// Changes of columns are changes of the catalog alone: files are read as the columns are now, by the ids of their
// columns (layout.go), and loads in flight stay right, as every column keeps its name in files (catalog/column.go).
// Only what disturbs the order of rows in files, lets rows of a key meet, or would count a default more than once, writes the
// table anew: see ddl_rewrite.go.

// columnChange is one clause in progress: t is the transaction's own copy of the table.
type columnChange struct {
	*alteration
	t   *catalog.Table
	act *ast.AlterAction
	// rebuild are the indexes whose files must be made anew.
	rebuild map[int64]bool
}

// columnActions are the clauses about columns, by kind.
var columnActions = map[string]func(c *columnChange) error{
	"ADD COLUMN":      (*columnChange).add,
	"ADD COLUMNS":     (*columnChange).add,
	"DROP COLUMN":     (*columnChange).drop,
	"MODIFY COLUMN":   (*columnChange).modify,
	"CHANGE COLUMN":   (*columnChange).changeHive,
	"RENAME COLUMN":   (*columnChange).rename,
	"REPLACE COLUMNS": (*columnChange).replaceAll,
	"ORDER BY":        (*columnChange).reorder,
}

// alterColumns runs a clause about columns.
func (a *alteration) alterColumns(t *catalog.Table, act *ast.AlterAction) error {
	c := &columnChange{alteration: a, act: act, rebuild: map[int64]bool{}}
	next, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		t.Indexes = slices.Clone(t.Indexes)
		t.Schema++
		c.t = t
		if err := c.check(); err != nil {
			return err
		}
		if err := columnActions[act.Kind](c); err != nil {
			return err
		}
		if t.Kind == catalog.Internal {
			if err := c.settle(); err != nil {
				return err
			}
			if err := c.viewsStay(); err != nil {
				return err
			}
		}
		return a.x.checkTable(t, act.Position())
	})
	if err != nil {
		return err
	}
	a.tx.StoreStatistics(next)
	for id := range c.rebuild {
		if err := a.tx.RebuildIndex(t.Database, t.ID, id); err != nil {
			return err
		}
		a.reindex = &tableKey{t.Database, t.ID}
	}
	a.columns = true
	return nil
}

// check refuses what no clause about columns can do.
func (c *columnChange) check() error {
	if c.t.Kind == catalog.Internal && isTextTable(c.t) && !slices.Contains([]string{"ADD COLUMN", "ADD COLUMNS", "RENAME COLUMN", "CHANGE COLUMN", "MODIFY COLUMN"}, c.act.Kind) {
		return sqlerr.Unsupported("ALTER TABLE " + c.act.Kind + " of a table of text files, whose columns are found by position")
	}
	if job := c.x.s.db.rewrites.of(c.t.ID); job != nil && job.x != c.x {
		return underChange(c.t)
	}
	for i := range c.t.Indexes {
		if c.t.Indexes[i].Building {
			return sqlerr.Detail("Table[%s]'s state(ROLLUP) is not NORMAL. Do not allow doing ALTER ops", c.t.Name)
		}
	}
	return nil
}

// find looks a column up that must be there.
func (c *columnChange) find(name string) (*catalog.Column, error) {
	if col := c.t.ColumnNamed(name); col != nil && !col.Hidden {
		return col, nil
	}
	return nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", name, c.t.Name)
}

// isFixed refuses changes of columns that say where rows are.
func (c *columnChange) isFixed(col *catalog.Column, verb string) error {
	switch t := c.t; {
	case t.Partitioning != nil && slices.Contains(t.Partitioning.Columns, col.ID):
		return sqlerr.Detail("Can not %s partition column[%s]. index[%s]", verb, col.Name, t.Name)
	case slices.Contains(t.Distribution.Columns, col.ID):
		return sqlerr.Detail("Can not %s distribution column[%s]. index[%s]", verb, col.Name, t.Name)
	}
	return nil
}

// viewsStay refuses changes after which a materialised view's query would not be understood, or give other types.
func (c *columnChange) viewsStay() error {
	verb := strings.ToLower(strings.Fields(c.act.Kind)[0])
	for i := range c.t.Indexes {
		if ix := &c.t.Indexes[i]; ix.View {
			if _, err := c.x.s.db.defineIndex(c.t, ix); err != nil {
				return sqlerr.Detail("Can not %s column contained by mv, mv=%s: %s", verb, ix.Name, sqlerr.From(err).Message)
			}
		}
	}
	return nil
}

// rollup is the rollup that TO or FROM names; nil when none does.
func (c *columnChange) rollup() (*catalog.Index, error) {
	name := c.act.Rollup
	if name == "" || strings.EqualFold(name, c.t.Name) {
		return nil, nil
	}
	ix := c.t.IndexNamed(name)
	if ix == nil {
		return nil, sqlerr.Detail("Index[%s] does not exist in table[%s]", name, c.t.Name)
	}
	if ix.View {
		return nil, sqlerr.Detail("Can not change columns of materialized view[%s]", name)
	}
	return ix, nil
}

// add is ADD COLUMN and ADD COLUMNS.
func (c *columnChange) add() error {
	ix, err := c.rollup()
	if err != nil {
		return err
	}
	after := c.act.After
	for i := range c.act.Columns {
		d := &c.act.Columns[i]
		if c.act.IfExists && c.t.ColumnNamed(d.Name) != nil {
			continue
		}
		col, err := c.newColumn(d)
		if err != nil {
			return sqlerr.From(err).At(d.Position())
		}
		at, err := c.place(&col, after, c.act.First && i == 0)
		if err != nil {
			return sqlerr.From(err).At(d.Position())
		}
		c.t.Columns = slices.Insert(c.t.Columns, at, col)
		if after != "" || c.act.First {
			after = col.Name // a list stays together
		}
		c.extendIndexes(&col, ix)
		c.rewrite = c.rewrite || addsUp(&col)
	}
	return nil
}

// addsUp reports whether a new column cannot be a constant of the files without it: rows of a key that are merged
// when they are read, one a load, would bring the default once each.
func addsUp(col *catalog.Column) bool {
	if col.Aggregation != function.SumAggregation {
		return false
	}
	d := constantDefault(col)
	return !d.Null && (d.I != int128.Int{} || d.F != 0)
}

// newColumn makes the column that a definition adds.
func (c *columnChange) newColumn(d *ast.ColumnDef) (catalog.Column, error) {
	t := c.t
	cols, err := alteredColumns(t, d)
	if err != nil {
		return catalog.Column{}, err
	}
	col := cols[0]
	if t.ColumnNamed(col.Name) != nil {
		return col, sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", col.Name)
	}
	if strings.HasPrefix(strings.ToUpper(col.Name), "__DORIS_") {
		return col, sqlerr.New(sqlerr.WrongColumnName, "Incorrect column name '%s'", col.Name)
	}
	if err := c.classify(&col, d); err != nil {
		return col, err
	}
	if t.Kind != catalog.Internal {
		if d.Default != nil || d.NotNull {
			return col, sqlerr.Unsupported("NOT NULL and DEFAULT of columns of an external table")
		}
		return t.NewColumn(col), nil
	}
	if err := c.x.checkDefault(&col); err != nil {
		return col, err
	}
	if !col.Nullable && constantDefault(&col).Null && len(t.Files) > 0 && !isOpaque(&col) {
		return col, sqlerr.Detail("Can not add column[%s] that is NOT NULL and has no default value: table[%s] has rows", col.Name, t.Name)
	}
	return t.NewColumn(col), nil
}

// classify makes a column of a definition a key or a value, as the table's model has it.
func (c *columnChange) classify(col *catalog.Column, d *ast.ColumnDef) error {
	agg := aggregationOf(d)
	if d.AggType != "" && d.AggType != "NONE" && agg == function.NoAggregation {
		return sqlerr.Unsupported("the aggregate type " + d.AggType)
	}
	if col.Key && agg != function.NoAggregation {
		return sqlerr.Detail("key column of aggregate table cannot use aggregation method")
	}
	switch c.t.Model {
	case catalog.AggregateKey:
		if agg == function.NoAggregation {
			col.Key = true // what has no aggregation is a key
		} else if !agg.Allows(col.Type) {
			return sqlerr.Detail("Aggregate type %s is not compatible with primitive type %s", agg, strings.ToUpper(col.Type.String()))
		}
	case catalog.UniqueKey:
		if agg != function.NoAggregation {
			return sqlerr.Detail("Can not assign aggregation method on column in Unique data model table: %s", col.Name)
		}
	default:
		if agg != function.NoAggregation {
			return sqlerr.Detail("Can not assign aggregation method on column in Duplicate data model table: %s", col.Name)
		}
	}
	col.Aggregation = agg
	switch {
	case col.Key && col.Type.IsFloat():
		return sqlerr.Detail("Float or double can not used as a key, use decimal instead. Key column[%s]", col.Name)
	case col.Key && !canBeKey(col.Type):
		return sqlerr.Detail("%s Type should not be used in key column[%s].", typeWord(col.Type), col.Name)
	}
	return nil
}

// place is where a column goes: where it is asked for, else behind its kind.
func (c *columnChange) place(col *catalog.Column, after string, first bool) (int, error) {
	cols := c.t.Columns
	switch {
	case first:
		return 0, nil
	case after != "":
		o, err := c.find(after)
		if err != nil {
			return 0, err
		}
		return slices.IndexFunc(cols, func(x catalog.Column) bool { return x.ID == o.ID }) + 1, nil
	}
	at := len(c.t.Visible())
	if col.Key {
		at = 0
		for at < len(cols) && cols[at].Key {
			at++
		}
	}
	for at > 0 && isPathColumn(c.t, at-1) {
		at--
	}
	return at, nil
}

// extendIndexes adds a new column of the table to the rollup that is named, and to those that must have it.
func (c *columnChange) extendIndexes(col *catalog.Column, to *catalog.Index) {
	for i := range c.t.Indexes {
		ix := &c.t.Indexes[i]
		needs := !ix.View && col.Key && (c.t.Model == catalog.UniqueKey ||
			slices.ContainsFunc(ix.Columns, func(x catalog.IndexColumn) bool { return x.Aggregation.Replaces() }))
		if !needs && (to == nil || ix.ID != to.ID) {
			continue
		}
		at := len(ix.Columns)
		if col.Key {
			at = ix.Keys()
		}
		ix.Columns = slices.Insert(slices.Clone(ix.Columns), at, ix.NewColumn(catalog.IndexColumn{Column: *col, Base: col.ID}))
	}
}

// drop is DROP COLUMN.
func (c *columnChange) drop() error {
	ix, err := c.rollup()
	if err != nil {
		return err
	}
	col := c.t.ColumnNamed(c.act.Name)
	if col == nil || col.Hidden {
		if c.act.IfExists {
			return nil
		}
		return sqlerr.New(sqlerr.CannotDropColumn, "Can't DROP '%s'; check that column/key exists", c.act.Name)
	}
	if ix != nil {
		if !slices.ContainsFunc(ix.Columns, func(x catalog.IndexColumn) bool { return x.Base == col.ID }) {
			return sqlerr.New(sqlerr.CannotDropColumn, "Can't DROP '%s'; check that column/key exists", c.act.Name)
		}
		return c.dropFromIndex(ix, col)
	}
	return c.dropColumn(col)
}

func (c *columnChange) dropColumn(col *catalog.Column) error {
	t := c.t
	if err := c.isFixed(col, "drop"); err != nil {
		return err
	}
	if seq := t.Sequence(); seq != nil && seq.ID == col.ID {
		return sqlerr.Detail("Can not drop sequence mapping column[%s] in Unique data model table[%s]", col.Name, t.Name)
	}
	if col.Key {
		keys := len(t.Distribution.Sorted)
		switch {
		case t.Model == catalog.UniqueKey:
			return sqlerr.Detail("Can not drop key column in Unique data model table")
		case t.Model == catalog.AggregateKey && slices.ContainsFunc(t.Columns, func(x catalog.Column) bool { return x.Aggregation.Replaces() && !numbersKey(t, &x) }):
			return sqlerr.Detail("Can not drop key column when table has value column with REPLACE aggregation method")
		case keys == 1:
			return sqlerr.Detail("No key column left. index[%s]", t.Name)
		}
	}
	if len(t.Visible()) == 1 {
		return sqlerr.New(sqlerr.CannotRemoveAll, "You can't delete all columns with ALTER TABLE; use DROP TABLE instead")
	}
	gone := *col
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		if !ix.View && slices.ContainsFunc(ix.Columns, func(x catalog.IndexColumn) bool { return x.Base == gone.ID }) {
			if err := c.dropFromIndex(ix, &gone); err != nil {
				return err
			}
		}
	}
	replaceInProperties(t, gone.Name, "")
	t.RemoveColumn(gone.ID)
	c.dropDictionary(&gone)
	return nil
}

// dropFromIndex takes a column of the table out of an index. Where it was a key, rows that differed in it meet, or are in
// another order: the index is built anew.
func (c *columnChange) dropFromIndex(ix *catalog.Index, col *catalog.Column) error {
	at := slices.IndexFunc(ix.Columns, func(x catalog.IndexColumn) bool { return x.Base == col.ID })
	if ix.Columns[at].Key {
		replaces := slices.ContainsFunc(ix.Columns, func(x catalog.IndexColumn) bool { return x.Aggregation.Replaces() })
		switch {
		case ix.Keys() == 1:
			return sqlerr.Detail("No key column left. index[%s]", ix.Name)
		case c.t.Model == catalog.UniqueKey:
			return sqlerr.Detail("Can not drop key column in Unique data model table")
		case replaces:
			return sqlerr.Detail("Can not drop key column when rollup has value column with REPLACE aggregation method")
		}
		if ix.Folded || at < ix.Keys()-1 {
			c.rebuild[ix.ID] = true
		}
	}
	ix.RemoveColumn(col.ID)
	return nil
}

// rename is RENAME COLUMN.
func (c *columnChange) rename() error {
	col, err := c.find(c.act.Name)
	if err != nil {
		return err
	}
	return c.renameTo(col, c.act.NewName)
}

func (c *columnChange) renameTo(col *catalog.Column, to string) error {
	t := c.t
	if col.Name == to {
		return nil
	}
	if o := t.ColumnNamed(to); o != nil && o.ID != col.ID {
		return sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", to)
	}
	if to == "" || strings.HasPrefix(strings.ToUpper(to), "__DORIS_") {
		return sqlerr.New(sqlerr.WrongColumnName, "Incorrect column name '%s'", to)
	}
	if t.InPath() && slices.Contains(t.Partitioning.Columns, col.ID) {
		return c.isFixed(col, "rename")
	}
	replaceInProperties(t, col.Name, to)
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		ix.Columns = slices.Clone(ix.Columns)
		for k := range ix.Columns {
			if x := &ix.Columns[k]; x.Base == col.ID && !ix.View {
				x.Rename(to)
			}
		}
	}
	if t.Kind == catalog.Internal {
		col.Rename(to)
	} else {
		col.Name = to // others name the columns of their files
	}
	return nil
}

// columnLists are the properties whose value is a list of columns.
var columnLists = []string{"bloom_filter_columns", sequenceColumn, "bitmap_dict"}

// replaceInProperties gives a column another name in the properties that name it; "" takes it out.
func replaceInProperties(t *catalog.Table, from, to string) {
	for _, key := range columnLists {
		list := t.Properties[key]
		if list == "" {
			continue
		}
		var out []string
		for _, name := range strings.Split(list, ",") {
			if strings.EqualFold(strings.TrimSpace(name), from) {
				name = to
			}
			if name != "" {
				out = append(out, name)
			}
		}
		if t.Properties[key] = strings.Join(out, ","); len(out) == 0 {
			delete(t.Properties, key)
		}
	}
}

// reorder is ORDER BY (all columns).
func (c *columnChange) reorder() error {
	ix, err := c.rollup()
	if err != nil {
		return err
	}
	if ix != nil {
		return sqlerr.Unsupported("ALTER TABLE ORDER BY … FROM a rollup")
	}
	visible := c.t.Visible()
	var out []catalog.Column
	seen := map[int32]bool{}
	for _, name := range c.act.Order {
		col, err := c.find(name)
		if err != nil {
			return err
		}
		if seen[col.ID] {
			return sqlerr.Detail("Reduplicative column[%s]", name)
		}
		seen[col.ID] = true
		out = append(out, *col)
	}
	if len(out) != len(visible) {
		return sqlerr.Detail("Reorder stmt should contains all columns")
	}
	c.t.Columns = append(out, c.t.Columns[len(visible):]...)
	return nil
}

// settle brings what depends on the columns in line with them, and says whether the files are in the right order still.
func (c *columnChange) settle() error {
	t := c.t
	values := false
	var sorted []int32
	for i, col := range t.Visible() {
		switch {
		case col.Key && values:
			return sqlerr.Detail("Invalid column order. value should be after key. index[%s]", t.Name)
		case col.Key:
			sorted = append(sorted, col.ID)
		default:
			values = true
		}
		if t.InPath() && isPathColumn(t, i) != (i >= len(t.Columns)-len(t.Partitioning.Columns)) {
			return sqlerr.Detail("Partition columns are the last of a table of Hive. index[%s]", t.Name)
		}
	}
	if t.Hive { // sorted by SORTED BY
		if slices.ContainsFunc(t.Distribution.Sorted, func(id int32) bool { return t.ColumnByID(id) == nil }) {
			return sqlerr.Detail("Can not drop a column that files are sorted by. index[%s]", t.Name)
		}
		return nil
	}
	old := t.Distribution.Sorted
	if t.Distribution.Sorted = sorted; !keepsOrder(t, old, sorted) {
		c.rewrite = true
	}
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		ix.Columns = slices.Clone(ix.Columns)
		changed, err := widenSums(t, ix)
		if err != nil {
			return err
		}
		if changed {
			c.rebuild[ix.ID] = true
		}
	}
	return nil
}

// keepsOrder reports whether files with rows in the order of the keys old are in that of new, and of a key have one
// row still: keys were added, which old files have one value of, or the last ones of a table that keeps all rows went.
func keepsOrder(t *catalog.Table, old, now []int32) bool {
	var shared []int32
	for _, id := range now {
		if slices.Contains(old, id) {
			shared = append(shared, id)
		}
	}
	if len(shared) == len(old) {
		return slices.Equal(shared, old)
	}
	return t.Model == catalog.DuplicateKey && len(shared) > 0 && slices.Equal(shared, old[:len(shared)])
}
