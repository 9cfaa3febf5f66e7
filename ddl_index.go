package basalt

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/optimize"
)

// addRollup is ALTER TABLE t ADD ROLLUP r (…) [, …]. The rollups are built in the background.
func (a *alteration) addRollup(t *catalog.Table, act *ast.AlterAction) error {
	if err := indexable(t, "ADD ROLLUP"); err != nil {
		return err
	}
	for i := range act.Rollups {
		now := a.tx.TableByID(t.Database, t.ID)
		ix, err := rollupOf(now, &act.Rollups[i])
		if err != nil {
			return sqlerr.From(err).At(act.Rollups[i].Position())
		}
		if err := a.addIndex(now, *ix); err != nil {
			return sqlerr.From(err).At(act.Rollups[i].Position())
		}
	}
	return nil
}

// indexable fails for tables that cannot have indexes.
func indexable(t *catalog.Table, what string) error {
	if t.InPath() {
		return sqlerr.Unsupported(what + " of a table of Hive")
	}
	return internalOnly(t, what)
}

// addIndex adds an index with the job that builds it.
func (a *alteration) addIndex(t *catalog.Table, ix catalog.Index) error {
	timeout := int64(86400)
	if n, err := strconv.ParseInt(ix.Properties["timeout"], 10, 64); err == nil {
		timeout = n
	}
	added, err := a.tx.AddIndex(t.Database, t.ID, ix)
	if err != nil {
		return err
	}
	job := catalog.AlterJob{Kind: catalog.RollupJob, Database: t.Database, Table: t.Name, TableID: t.ID, Index: added.Name, IndexID: added.ID, Timeout: timeout}
	if !added.Building {
		job.State = catalog.JobFinished
	}
	a.tx.AddJob(job)
	a.reindex = &tableKey{t.Database, t.ID}
	return nil
}

// rollupOf checks a rollup's definition: Doris's rules by the model of the table.
func rollupOf(t *catalog.Table, def *ast.RollupDef) (*catalog.Index, error) {
	if def.From != "" && !strings.EqualFold(def.From, t.Name) {
		from := t.IndexNamed(def.From)
		if from == nil {
			return nil, sqlerr.Detail("Base index[%s] does not exist", def.From)
		}
		for _, name := range def.Columns {
			if !slices.ContainsFunc(from.Columns, func(c catalog.IndexColumn) bool { return strings.EqualFold(c.Name, name) }) {
				return nil, sqlerr.Detail("Column[%s] does not exist in base index[%s]", name, def.From)
			}
		}
	}
	ix := &catalog.Index{Name: def.Name, Properties: map[string]string{}}
	if err := indexProperties(ix, def.Properties); err != nil {
		return nil, err
	}
	if strings.EqualFold(def.Name, t.Name) || t.IndexNamed(def.Name) != nil {
		return nil, catalog.IndexExists(ix, t)
	}
	seen := map[int32]bool{}
	keys, replaces, values := 0, false, false
	for i, name := range def.Columns {
		c := t.ColumnNamed(name)
		switch {
		case c == nil || c.Hidden:
			return nil, sqlerr.Detail("Column[%s] does not exist", name)
		case seen[c.ID]:
			return nil, sqlerr.Detail("Duplicated column[%s]", name)
		case c.Key && values && t.Model != catalog.DuplicateKey:
			return nil, sqlerr.Detail("Invalid column order. value should be after key")
		}
		seen[c.ID] = true
		if c.Key {
			keys++
		} else {
			values = true
		}
		replaces = replaces || c.Aggregation.Replaces()
		col := catalog.IndexColumn{Column: *c, Base: c.ID}
		col.ID, col.Default = int32(i+1), nil
		ix.Columns = append(ix.Columns, col)
	}
	ix.Folded = t.Model == catalog.AggregateKey
	if t.Model == catalog.DuplicateKey {
		return ix, duplicateRollup(t, ix, def)
	}
	all := 0
	for i := range t.Columns {
		if t.Columns[i].Key {
			all++
		}
	}
	switch {
	case len(def.DupKeys) > 0:
		return nil, sqlerr.Detail("Only duplicate table can use DUPLICATE KEY in a rollup")
	case keys == 0:
		return nil, sqlerr.Detail("Key column is missing")
	case t.Model == catalog.UniqueKey && keys < all:
		return nil, sqlerr.Detail("Rollup should contains all unique keys in basetable")
	case replaces && keys < all:
		return nil, sqlerr.Detail("Rollup should contains all keys if there is a REPLACE value")
	}
	_, err := widenSums(t, ix)
	return ix, err
}

// duplicateRollup chooses the keys of a rollup that keeps every row: those written, the table's that lead it, or a
// prefix as for tables.
func duplicateRollup(t *catalog.Table, ix *catalog.Index, def *ast.RollupDef) error {
	n := 0
	switch {
	case len(def.DupKeys) > 0:
		for i, name := range def.DupKeys {
			if i >= len(ix.Columns) || !strings.EqualFold(ix.Columns[i].Name, name) {
				return sqlerr.Detail("Duplicate key should be the prefix of the rollup columns")
			}
		}
		n = len(def.DupKeys)
	default:
		bytes := 0
		for n < len(ix.Columns) && n < autoKeyColumns && canBeKey(ix.Columns[n].Type) && bytes <= autoKeyBytes {
			bytes += keyBytes(ix.Columns[n].Type)
			n++
			if ix.Columns[n-1].Type.Kind == sqltype.Varchar {
				break
			}
		}
		for n < len(ix.Columns) && ix.Columns[n].Key {
			n++
		}
	}
	for i := range ix.Columns {
		c := &ix.Columns[i]
		if c.Key = i < n; c.Key && !canBeKey(c.Type) {
			return sqlerr.Detail("%s Type should not be used in key column[%s].", typeWord(c.Type), c.Name)
		}
	}
	if n == 0 {
		return sqlerr.Detail("The rollup's first column could not be float, double, string or struct, array, map, please use decimal or varchar instead.")
	}
	return nil
}

// indexProperties takes the properties of an index that are known.
func indexProperties(ix *catalog.Index, list []ast.Property) error {
	for _, p := range list {
		switch strings.ToLower(p.Key) {
		case "timeout", "storage_format", "replication_num", "short_key", "bloom_filter_columns":
			if ix.Properties == nil {
				ix.Properties = map[string]string{}
			}
			ix.Properties[strings.ToLower(p.Key)] = p.Value
		default:
			return sqlerr.Detail("Unknown properties: {%s=%s}", p.Key, p.Value)
		}
	}
	return nil
}

// dropRollup is ALTER TABLE t DROP ROLLUP r [, …].
func (a *alteration) dropRollup(t *catalog.Table, act *ast.AlterAction) error {
	for i := range act.Rollups {
		now := a.tx.TableByID(t.Database, t.ID)
		ix := now.IndexNamed(act.Rollups[i].Name)
		if ix == nil {
			return sqlerr.Detail("Materialized view [%s] does not exist in table [%s]", act.Rollups[i].Name, t.Name).At(act.Rollups[i].Position())
		}
		if err := a.dropIndex(now, ix); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) dropIndex(t *catalog.Table, ix *catalog.Index) error {
	files, err := a.tx.DropIndex(t.Database, t.ID, ix.ID)
	a.gone = append(a.gone, a.x.s.db.filePaths(t, files)...)
	return err
}

// renameRollup is ALTER TABLE t RENAME ROLLUP a b.
func (a *alteration) renameRollup(t *catalog.Table, act *ast.AlterAction) error {
	ix := t.IndexNamed(act.Name)
	if ix == nil {
		return sqlerr.Detail("Rollup index[%s] does not exists", act.Name)
	}
	return a.tx.RenameIndex(t.Database, t.ID, ix.ID, act.NewName)
}

// createMaterializedView is CREATE MATERIALIZED VIEW v AS SELECT … FROM t: an index of t.
func (x *execution) createMaterializedView(st *ast.CreateMaterializedView) (*Rows, error) {
	sel, ok := st.Query.(*ast.Select)
	var from *ast.TableName
	if ok && len(sel.From) == 1 {
		from, _ = sel.From[0].(*ast.TableName)
	}
	if from == nil {
		return nil, sqlerr.Detail("The materialized view only supports a single table").At(st.Query.Position())
	}
	name := from.Name
	if name.Database == "" {
		name.Database = st.Name.Database
	}
	return x.change(name, func(a *alteration) error {
		t, err := x.alterable(a.tx, name)
		if err != nil {
			return err
		}
		if err := indexable(t, "CREATE MATERIALIZED VIEW"); err != nil {
			return err
		}
		if t.IndexNamed(st.Name.Name) != nil && st.IfNotExists {
			return nil
		}
		ix, err := x.viewIndex(t, st, sel)
		if err != nil {
			return err
		}
		return a.addIndex(t, *ix)
	})
}

// dropMaterializedView is DROP MATERIALIZED VIEW v ON t.
func (x *execution) dropMaterializedView(st *ast.DropMaterializedView) (*Rows, error) {
	return x.change(st.Table, func(a *alteration) error {
		t, err := x.alterable(a.tx, st.Table)
		if err != nil {
			if st.IfExists && sqlerr.Is(err, sqlerr.UnknownTable) {
				return nil
			}
			return err
		}
		ix := t.IndexNamed(st.Name.Name)
		if ix == nil {
			if st.IfExists {
				return nil
			}
			return sqlerr.Detail("Materialized view [%s] does not exist in table [%s]", st.Name.Name, t.Name).At(st.Name.Position())
		}
		return a.dropIndex(t, ix)
	})
}

// cancelAlter is CANCEL ALTER TABLE ROLLUP FROM t: indexes that are being built go.
func (x *execution) cancelAlter(st *ast.CancelAlter) (*Rows, error) {
	if st.Kind == "COLUMN" {
		return x.cancelRewrite(st)
	}
	jobs := map[int64]bool{} // indexes
	for _, j := range x.s.db.cat.Jobs() {
		if j.Kind == catalog.RollupJob && j.State == catalog.JobPending && (len(st.Jobs) == 0 || slices.Contains(st.Jobs, j.ID)) {
			jobs[j.IndexID] = true
		}
	}
	return x.change(st.Table, func(a *alteration) error {
		t, err := x.alterable(a.tx, st.Table)
		if err != nil {
			return err
		}
		found := false
		for i := range t.Indexes {
			if ix := &t.Indexes[i]; ix.Building && jobs[ix.ID] {
				found = true
				a.tx.EndJobs(catalog.RollupJob, ix.ID, catalog.JobCancelled, "user cancelled")
				if err := a.dropIndex(t, ix); err != nil {
					return err
				}
			}
		}
		if !found {
			return sqlerr.Detail("Table[%s] is not under %s. Use 'ALTER TABLE DROP ROLLUP' if you want to.", t.Name, st.Kind)
		}
		return nil
	})
}

// buildSoon builds the indexes of a small table now, of others in the background.
func (x *execution) buildSoon(key tableKey) {
	t := tableOf(x.s.db.cat.Snapshot(), key)
	if t == nil {
		return
	}
	rows := int64(0)
	for i := range t.Files {
		rows += t.Files[i].Rows
	}
	if rows <= smallBuild {
		if err := x.s.db.buildIndexes(context.Background(), key); err != nil { // the job tells
			x.warn(err)
		}
	}
	x.s.db.indexLater(key)
}

// viewIndex checks the query of a view by Doris's rules and makes its index.
func (x *execution) viewIndex(t *catalog.Table, st *ast.CreateMaterializedView, sel *ast.Select) (*catalog.Index, error) {
	for what, bad := range map[string]bool{
		"HAVING": sel.Having != nil, "LIMIT": sel.Limit != nil, "DISTINCT": sel.Distinct, "QUALIFY": sel.Qualify != nil,
		"WINDOW": len(sel.Windows) > 0, "GROUP BY … WITH ROLLUP, CUBE and GROUPING SETS": sel.GroupBy != nil && sel.GroupBy.Kind != ast.GroupPlain,
	} {
		if bad {
			return nil, sqlerr.Detail("The %s clause is not supported in add materialized view clause", what)
		}
	}
	ix := &catalog.Index{Name: st.Name.Name, View: true, Text: st.Text}
	if err := indexProperties(ix, st.Properties); err != nil {
		return nil, err
	}
	q, err := x.s.db.viewQuery(t, st.Text)
	if err != nil {
		return nil, err
	}
	def, err := x.s.db.defineView(t, q)
	if err != nil {
		return nil, err
	}
	groups := 0
	for i, it := range def.Items {
		c, err := viewColumn(it)
		if err != nil {
			return nil, err
		}
		if c.agg == nil && i > groups {
			return nil, sqlerr.Detail("The aggregate column should be after the single column").At(q.Items[i].Position())
		}
		if c.agg == nil {
			groups++
		}
		if err := nameViewColumn(t, ix, &c, &q.Items[i]); err != nil {
			return nil, err
		}
		ix.Columns = append(ix.Columns, c.IndexColumn)
	}
	if err := checkFilter(t, def.Where, q.Where); err != nil {
		return nil, err
	}
	ix.Folded = def.Grouped
	switch {
	case groups == 0:
		return nil, sqlerr.Detail("The materialized view must contain at least one key column")
	case def.Grouped && groups < def.Groups:
		return nil, sqlerr.Detail("The group by columns must all be in the select list of materialized view %s", ix.Name)
	case t.Model == catalog.UniqueKey && def.Grouped:
		return nil, sqlerr.Detail("The materialized view of unique table must not has grouping columns")
	case t.Model == catalog.AggregateKey && !def.Grouped:
		return nil, sqlerr.Detail("The materialized view of aggregate table must has grouping columns")
	}
	return ix, orderView(ix, q, groups)
}

// nameViewColumn checks a column of a view and gives it its id and name: as written, or as the expression is.
func nameViewColumn(t *catalog.Table, ix *catalog.Index, c *indexColumn, item *ast.SelectItem) error {
	at := func(err *sqlerr.Error) error { return err.At(item.Position()) }
	if item.Star {
		return at(sqlerr.Detail("The materialized view does not support select *"))
	}
	name := item.Alias
	if col, ok := item.Expr.(*ast.Column); ok && name == "" {
		name = col.Name
	}
	if name == "" {
		name = item.Text
	}
	c.Name, c.ID, c.Defined = name, int32(len(ix.Columns)+1), ast.Format(item.Expr)
	if c.Base > 0 {
		c.Base = t.Columns[c.Base-1].ID
	}
	switch {
	case c.agg == nil && expr.Columns(c.key).Empty():
		return at(sqlerr.Detail("The materialized view contain constant expr is disallowed, expr: %s", c.Defined))
	case c.agg == nil && ix.Folded && (c.Type.IsNested() || c.Type.Kind >= sqltype.Bitmap):
		return at(sqlerr.Detail("%s Type should not be used in key column[%s].", typeWord(c.Type), c.Name))
	}
	for i := range ix.Columns {
		if strings.EqualFold(ix.Columns[i].Name, name) || ix.Columns[i].Defined == c.Defined {
			return at(sqlerr.Detail("The materialized view contain duplicate column %s", name))
		}
	}
	return checkAggregation(t, c, item)
}

// checkAggregation: a view of an AGGREGATE table may only merge its values as the table does.
func checkAggregation(t *catalog.Table, c *indexColumn, item *ast.SelectItem) error {
	if t.Model != catalog.AggregateKey {
		return nil
	}
	for _, id := range expr.Columns(c.of).IDs() {
		base := &t.Columns[id-1]
		switch {
		case base.Key && c.agg != nil:
			return sqlerr.Detail("Aggregate function require single slot argument of a value column: %s", c.Defined).At(item.Position())
		case base.Key:
		case c.agg == nil || c.Aggregation != base.Aggregation:
			return sqlerr.Detail("The aggregate type of column %s in the base table is %s: %s", base.Name, base.Aggregation, c.Defined).At(item.Position())
		}
	}
	if c.agg == nil {
		return nil
	}
	if expr.Columns(c.of).Empty() {
		return sqlerr.Detail("%s is not supported in a materialized view of an aggregate table", c.Defined).At(item.Position())
	}
	if s, _ := optimize.StateOf(c.agg); !s.Plain { // sum(v + 1) of two rows that merge is not that of the merged row
		return sqlerr.Detail("Aggregate function require single slot argument of a value column: %s", c.Defined).At(item.Position())
	}
	return nil
}

// checkFilter: which rows a view of an AGGREGATE table keeps may not change when they merge.
func checkFilter(t *catalog.Table, where []expr.Expr, at ast.Node) error {
	if t.Model != catalog.AggregateKey {
		return nil
	}
	for _, e := range where {
		for _, id := range expr.Columns(e).IDs() {
			if c := &t.Columns[id-1]; !c.Key {
				return sqlerr.Detail("The where clause of a materialized view of an aggregate table may only read key columns: %s", c.Name).At(at.Position())
			}
		}
	}
	return nil
}

// orderView marks the key columns of a view: the groups, or what ORDER BY names, or a prefix as for tables.
func orderView(ix *catalog.Index, q *ast.Select, groups int) error {
	if len(q.OrderBy) > groups {
		return sqlerr.Detail("The number of columns in order by clause must be less than the number of columns in select clause")
	}
	for i, o := range q.OrderBy {
		text := ast.Format(o.Expr)
		col, plain := o.Expr.(*ast.Column)
		if text != ix.Columns[i].Defined && !(plain && strings.EqualFold(col.Name, ix.Columns[i].Name)) {
			return sqlerr.Detail("The order of columns in order by clause must be same as the order of columns in select list").At(o.Position())
		}
	}
	n := len(q.OrderBy)
	if ix.Folded {
		n = groups
	} else if n == 0 {
		for bytes := 0; n < groups && n < autoKeyColumns && canBeKey(ix.Columns[n].Type) && bytes <= autoKeyBytes; n++ {
			bytes += keyBytes(ix.Columns[n].Type)
			if ix.Columns[n].Type.Kind == sqltype.Varchar {
				n++
				break
			}
		}
	}
	for i := range ix.Columns[:n] {
		ix.Columns[i].Key = true
	}
	return nil
}

// defineRollups is CREATE TABLE … ROLLUP (…): the rollups of a new table. They get their ids with it.
func defineRollups(t *catalog.Table, list []ast.RollupDef) error {
	if len(list) > 0 && t.InPath() {
		return indexable(t, "ROLLUP")
	}
	for i := range list {
		ix, err := rollupOf(t, &list[i])
		if err != nil {
			return sqlerr.From(err).At(list[i].Position())
		}
		t.Indexes = append(t.Indexes, *ix)
	}
	return nil
}
