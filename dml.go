package basalt

import (
	"context"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/table"
)

// DELETE and UPDATE are a query for the ids of rows and, for UPDATE, the rows as they shall be, which ends in a
// rowSink. They hold the table's write lock from their snapshot to their commit, so that the files they found
// rows in are still there; nobody who reads waits for it.

// rowChange is a DELETE or UPDATE in progress.
type rowChange struct {
	x     *execution
	table *catalog.Table // as of the snapshot under the lock
	src   *fileset.Source
	sink  *rowSink
}

// changeRows prepares a statement that changes rows of a table of ours; what names it in errors.
func (x *execution) changeRows(n ast.Name, partitions []string, what string) (*rowChange, error) {
	t, err := x.insertTable(n)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Kind != catalog.Internal:
		return nil, sqlerr.Unsupported(what + " of an external table").At(n.Position())
	case t.Hive:
		return nil, sqlerr.Unsupported(what + " of a table of Hive").At(n.Position())
	}
	for _, name := range partitions {
		if t.Partitioning == nil && strings.EqualFold(name, t.Name) {
			continue
		}
		if t.PartitionNamed(name, false) == nil {
			return nil, sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", name, t.Name).At(n.Position())
		}
	}
	c := &rowChange{x: x, table: t, src: x.s.db.fileSource(t, nil, true)}
	c.sink = &rowSink{dir: x.s.db.location(t), files: c.src.Paths(), rows: map[int]*rowset.Builder{}}
	return c, nil
}

// locked runs do under the table's write lock, with a snapshot that was taken under it.
func (x *execution) locked(ctx context.Context, n ast.Name, do func() (*Rows, error)) (*Rows, error) {
	t, err := x.insertTable(n)
	if err != nil {
		return nil, err
	}
	unlock, err := x.s.db.lockRows(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer x.s.db.pin()()
	x.snapshot = x.s.db.cat.Snapshot()
	return do()
}

// changing is locked for a statement that is a transaction of a kind.
func (x *execution) changing(ctx context.Context, n ast.Name, kind string, do func() (*Rows, error)) (*Rows, error) {
	t, err := x.insertTable(n)
	if err != nil {
		return nil, err
	}
	return x.inTransaction(t, kind, loadLabel{}, func() (*Rows, error) { return x.locked(ctx, n, do) })
}

// publish makes the change visible: the rows that go, and those that come. g is locked.
func (c *rowChange) publish(ctx context.Context, g *target, files []catalog.DataFile) error {
	if len(files) == 0 && c.sink.count == 0 {
		return nil
	}
	if c.table.Sequence() != nil { // the new rows replace the old ones if their sequence lets them
		return c.x.publish(ctx, c.x.s.db.replacing(g, files).measured(files))
	}
	return c.x.publish(ctx, c.x.s.db.load(g, func() ([]catalog.DataFile, map[string]*rowset.Set) { return files, c.sink.sets }).measured(files))
}

// env is what the binder may know: the table has the ids of its rows, as they are stored.
func (c *rowChange) env() *bind.Env {
	e := c.x.env()
	var src storage.Source = c.src
	if keys, _ := c.src.Merging(); keys != nil {
		src = c.src.Unmerged()
	}
	e.Snapshot = rowSnapshot{e.Snapshot, c.table, src}
	e.Indexes = nil
	return e
}

// rowSnapshot reads one table from a source of its own.
type rowSnapshot struct {
	catalog.Snapshot
	table *catalog.Table
	src   storage.Source
}

// Source implements catalog.Snapshot.
func (s rowSnapshot) Source(t *catalog.Table) (storage.Source, error) {
	if t == s.table {
		return s.src, nil
	}
	return s.Snapshot.Source(t)
}

var rowIDColumn = catalog.Column{Name: fileset.RowID, Type: sqltype.T(sqltype.BigInt)}

// bindDelete binds a DELETE.
func (x *execution) bindDelete(st *ast.Delete) (*rowChange, *bind.Bound, error) {
	c, err := x.changeRows(st.Name, st.Partitions, "DELETE")
	if err != nil {
		return nil, nil, err
	}
	if c.table.Model == catalog.AggregateKey && len(st.Using) > 0 {
		return nil, nil, sqlerr.Detail("delete command with using clause only supports unique key model").At(st.Position())
	}
	r := &changed{st.Pos, st.Name, st.Alias, st.Partitions, st.Using, st.Where}
	if c.table.Sequence() != nil { // later loads are compared with what is left of the row
		sign := c.table.ColumnNamed(catalog.DeleteSign)
		bound, err := c.rewrite(r, map[int32]ast.Expr{sign.ID: &ast.Literal{Pos: st.Pos, Kind: ast.IntLit, Text: "1"}})
		return c, bound, err
	}
	q := r.query(r.column(fileset.RowID))
	to := *c.table
	to.Columns = []catalog.Column{rowIDColumn}
	c.sink.columns = storageColumns(&to)
	c.sink.publish = func(ctx context.Context) error { return c.publish(ctx, &target{table: c.table}, nil) }
	bound, err := bind.Insert(bind.Target{Table: &to}, q, c.sink, c.env())
	if err != nil {
		return nil, nil, err
	}
	if c.table.Model == catalog.AggregateKey {
		if name := c.valueRead(bound.Plan); name != "" {
			return nil, nil, sqlerr.Detail("delete predicate on value column only supports Unique table with merge-on-write enabled and Duplicate table, but Table[%s] is an Aggregate table.", c.table.Name).
				At(st.Position()).WithHint("Column %s is a value: write conditions on %s", name, strings.Join(columnNames(c.table, c.table.Distribution.Sorted), ", "))
		}
	}
	return c, bound, nil
}

// valueRead is the name of a value column of the table that a plan reads; "" for none.
func (c *rowChange) valueRead(plan logical.Node) string {
	values := map[expr.ColumnID]string{}
	logical.Walk(plan, func(n logical.Node) bool {
		if s, ok := n.(*logical.Scan); ok && s.Table == c.table.Database+"."+c.table.Name {
			for i, col := range s.Cols {
				if o := s.Ordinal[i]; o < len(c.table.Columns) && !c.table.Columns[o].Key {
					values[col.ID] = c.table.Columns[o].Name
				}
			}
		}
		return true
	})
	found := ""
	logical.Walk(plan, func(n logical.Node) bool {
		logical.EachExpr(n, func(e expr.Expr) {
			for id, name := range values {
				if logical.FreeColumnsOf(e).Has(id) {
					found = name
				}
			}
		})
		return true
	})
	return found
}

// deleteRows is DELETE FROM.
func (x *execution) deleteRows(ctx context.Context, st *ast.Delete) (*Rows, error) {
	return x.changing(ctx, st.Name, deleteKind, func() (*Rows, error) {
		c, bound, err := x.bindDelete(st)
		if err != nil {
			return nil, err
		}
		if _, err := x.runWrite(ctx, bound, "LOAD", c.sink); err != nil {
			return nil, err
		}
		return okRows(x.s, c.sink.count, ""), nil
	})
}

// bindUpdate binds an UPDATE: its rows are deleted and written anew.
func (x *execution) bindUpdate(st *ast.Update) (*rowChange, *bind.Bound, error) {
	c, err := x.changeRows(st.Name, nil, "UPDATE")
	if err != nil {
		return nil, nil, err
	}
	t := c.table
	if t.Model == catalog.AggregateKey {
		return nil, nil, sqlerr.Detail("Only unique table could be updated.").At(st.Position())
	}
	values := map[int32]ast.Expr{}
	for i := range st.Set {
		a := &st.Set[i]
		col := t.ColumnNamed(a.Column)
		switch {
		case col == nil:
			return nil, nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in 'field list'", a.Column).At(a.Position())
		case col.Key && t.Model == catalog.UniqueKey:
			return nil, nil, sqlerr.Detail("Only value columns of unique table could be updated").At(a.Position())
		case values[col.ID] != nil:
			return nil, nil, sqlerr.Detail("Duplicate column name in update: %s", a.Column).At(a.Position())
		}
		values[col.ID] = a.Value
		if _, ok := a.Value.(*ast.Default); ok {
			if values[col.ID], err = x.defaultExpr(col); err != nil {
				return nil, nil, sqlerr.From(err).At(a.Position())
			}
		}
	}
	bound, err := c.rewrite(&changed{st.Pos, st.Name, st.Alias, nil, st.From, st.Where}, values)
	return c, bound, err
}

// changed is what a change says of the rows that it is about.
type changed struct {
	pos        ast.Pos
	name       ast.Name
	alias      string
	partitions []string
	others     []ast.TableExpr
	where      ast.Expr
}

// query selects columns of the rows that are changed.
func (r *changed) query(items ...ast.Expr) *ast.Select {
	q := &ast.Select{Pos: r.pos, Where: r.where}
	q.From = append([]ast.TableExpr{&ast.TableName{Pos: r.pos, Name: r.name, Alias: r.alias, Partitions: r.partitions}}, r.others...)
	for _, e := range items {
		q.Items = append(q.Items, ast.SelectItem{Pos: r.pos, Expr: e})
	}
	return q
}

// column refers to a column of the table that is changed.
func (r *changed) column(name string) ast.Expr {
	c := &ast.Column{Pos: r.pos, Database: r.name.Database, Table: r.name.Name, Name: name}
	if r.alias != "" {
		c.Database, c.Table = "", r.alias
	}
	return c
}

// rewrite binds a change that writes rows anew, with values for some of their columns, by id.
func (c *rowChange) rewrite(r *changed, values map[int32]ast.Expr) (*bind.Bound, error) {
	t := c.table
	id := r.column(fileset.RowID)
	items, names := []ast.Expr{id}, []string{fileset.RowID}
	for i := range t.Columns {
		e := values[t.Columns[i].ID]
		if e == nil {
			e = r.column(t.Columns[i].Name)
		}
		if len(r.others) > 0 { // a row that matches several is written once
			e = &ast.Call{Pos: r.pos, Name: "any_value", Args: []ast.Expr{e}}
		}
		items, names = append(items, e), append(names, t.Columns[i].Name)
	}
	q := r.query(items...)
	if len(r.others) > 0 {
		q.GroupBy = &ast.GroupBy{Pos: r.pos, Items: []ast.Expr{id}}
	}
	to := *t
	to.Columns = append([]catalog.Column{rowIDColumn}, t.Columns...)
	g := &target{table: t, locked: true, strict: true}
	c.sink.columns = storageColumns(&to)
	c.sink.inner = c.x.routedSink(g, func(ctx context.Context, files []catalog.DataFile) error { return c.publish(ctx, g, files) }).(*table.Sink)
	return bind.Insert(bind.Target{Table: &to, Columns: names}, q, c.sink, c.env())
}

// defaultExpr is the default of a column as text has it.
func (x *execution) defaultExpr(c *catalog.Column) (ast.Expr, error) {
	text := "NULL"
	if c.Default != nil {
		text = *c.Default
	} else if !c.Nullable {
		return nil, sqlerr.New(sqlerr.NoDefaultValue, "Field '%s' doesn't have a default value", c.Name)
	}
	q, err := x.parseView("SELECT " + text)
	if err != nil {
		return nil, err
	}
	return q.(*ast.Select).Items[0].Expr, nil
}

// updateRows is UPDATE.
func (x *execution) updateRows(ctx context.Context, st *ast.Update) (*Rows, error) {
	return x.changing(ctx, st.Name, updateKind, func() (*Rows, error) {
		c, bound, err := x.bindUpdate(st)
		if err != nil {
			return nil, err
		}
		return x.runWrite(ctx, bound, "LOAD", c.sink)
	})
}
