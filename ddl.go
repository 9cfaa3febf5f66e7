package basalt

import (
	"context"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
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

// routedSink is a sink of files, see storage/table.
type routedSink interface {
	UseBudget(b *budget.Budget)
	Filtered() int64
}

// write runs a query into a sink. It has ended when write returns.
func (x *execution) write(ctx context.Context, to bind.Target, q ast.Query, sink storage.Sink) (*Rows, error) {
	bound, err := bind.Insert(to, q, sink, x.env())
	if err != nil {
		return nil, err
	}
	return x.runWrite(ctx, bound, "LOAD", sink)
}

// runWrite runs a plan that ends in sinks; kind is its name in the list of profiles.
func (x *execution) runWrite(ctx context.Context, bound *bind.Bound, kind string, sinks ...storage.Sink) (*Rows, error) {
	plan, err := x.plan(bound)
	if err != nil {
		return nil, err
	}
	rt := x.runtime(nil)
	var routed []routedSink
	for _, sink := range sinks {
		if s, ok := sink.(routedSink); ok {
			s.UseBudget(rt.Budget)
			routed = append(routed, s)
		}
	}
	if x.transaction != nil {
		x.transaction.sinks = routed
	}
	run, err := x.start(ctx, plan, kind, rt)
	if err != nil {
		return nil, err
	}
	defer run.result.Close()
	var count int64
	for {
		b, err := run.result.Next(ctx)
		if err != nil {
			run.end(count, err)
			return nil, err
		}
		if b == nil {
			break
		}
		for i := range b.NumRows() {
			count += b.Cols[0].Value(b.Row(i)).Int64()
		}
	}
	run.result.Close()
	run.end(count, nil)
	for _, s := range routed {
		if s.Filtered() > 0 {
			count -= s.Filtered()
			x.note("%d rows were filtered: NULL in a NOT NULL column, or no partition takes them", s.Filtered())
		}
	}
	return okRows(x.s, count, ""), nil
}

// writableTable finds a table whose files are ours.
func (x *execution) writableTable(n ast.Name) (*catalog.Table, error) {
	t, err := x.insertTable(n)
	if err == nil && t.Kind == catalog.External {
		return nil, sqlerr.Unsupported("this change of an external table").At(n.Position())
	}
	return t, err
}

// insertTable finds the target of an INSERT.
func (x *execution) insertTable(n ast.Name) (*catalog.Table, error) {
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
	case t.Kind == catalog.System:
		return nil, sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", db).At(n.Position())
	}
	return t, nil
}

// createSink is the sink of CREATE TABLE AS: its publication creates the table.
func (x *execution) createSink(t *catalog.Table) storage.Sink {
	if t.Hive {
		return x.createHiveSink(t)
	}
	return x.routedSink(&target{table: t}, func(ctx context.Context, files []catalog.DataFile) error {
		if t.Model == catalog.UniqueKey {
			var err error
			if files, err = x.s.db.lastRows(ctx, t, files); err != nil {
				return err
			}
		}
		numbered := func() {}
		return x.publish(ctx, published{table: t.ID, after: func() { numbered() }, apply: func(tx *catalog.Tx) (err error) {
			next := *t
			next.SetAllFiles(files)
			if numbered, err = x.s.db.storeDictionaries(tx, t); err != nil {
				return err
			}
			return x.addTable(tx, &next)
		}}.measured(files))
	})
}
