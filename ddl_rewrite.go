package basalt

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
)

// rewriteAttempts bounds how often a table is written anew because loads came meanwhile.
const rewriteAttempts = 5

// mustRewrite ends a transaction whose table's files do not fit its columns: table is as it would be.
type mustRewrite struct{ table *catalog.Table }

func (*mustRewrite) Error() string { return "the table must be written anew" }

// changeColumns runs an ALTER TABLE that changes columns: in the catalog alone or, where rows must be in another order or
// meet others, together with all rows written anew.
func (x *execution) changeColumns(ctx context.Context, st *ast.AlterTable, run func(a *alteration) error) (rows *Rows, result error) {
	var job *rewriteJob          // once rows must be written
	var files []catalog.DataFile // that hold the rows as they are to be
	var version int64            // of the table that they were made of
	var from *catalog.Table
	apply := func(a *alteration) error {
		before, err := x.alterable(a.tx, a.name)
		if err != nil {
			return err
		}
		if err := run(a); err != nil {
			return err
		}
		t := a.tx.TableByID(before.Database, before.ID)
		if t == nil || !a.columns || t.Kind != catalog.Internal {
			return nil
		}
		if a.rewrite && len(before.Files) > 0 {
			if from == nil || version != before.Version || from.Schema != before.Schema || from.ID != before.ID {
				return &mustRewrite{t}
			}
			removed := map[string]bool{}
			for i := range before.Files {
				removed[before.Files[i].Path] = true
				a.gone = append(a.gone, filepath.Join(x.s.db.location(t), before.Files[i].Path))
			}
			if err := a.tx.SetFiles(t.Database, t.ID, removed, files); err != nil {
				return err
			}
			a.reindex = &tableKey{t.Database, t.ID}
		}
		if job != nil {
			a.tx.EndJobs(catalog.ColumnJob, t.ID, catalog.JobFinished, "")
		} else {
			a.tx.AddJob(columnJobOf(t, catalog.JobFinished))
		}
		return nil
	}
	for range rewriteAttempts {
		rows, err := x.change(st.Name, apply)
		var must *mustRewrite
		if !errors.As(err, &must) {
			return rows, err
		}
		if job == nil {
			if job, err = x.beginRewrite(ctx, must.table); err != nil {
				return nil, err
			}
			defer func() { result = x.endRewrite(job, result) }()
			ctx = job.ctx
		}
		rows, err = x.locked(ctx, st.Name, func() (*Rows, error) {
			t := tableOf(x.snapshot, tableKey{must.table.Database, must.table.ID})
			if t == nil {
				return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s' was dropped meanwhile", must.table.Name)
			}
			var err error
			if files, err = x.rewriteRows(ctx, t, must.table, job.tasks.set); err != nil {
				return nil, err
			}
			from, version = t, t.Version
			rows, err := x.change(st.Name, apply)
			if err != nil {
				x.dropWritten(t, files)
			}
			return rows, err
		})
		if !errors.As(err, &must) {
			return rows, err
		}
	}
	return nil, sqlerr.New(sqlerr.DefinitionChanged, "Table '%s' was loaded %d times while it was written anew; try again when there are fewer loads", st.Name.Name, rewriteAttempts)
}

// dropWritten removes files that nobody is going to list.
func (x *execution) dropWritten(t *catalog.Table, files []catalog.DataFile) {
	var paths []string
	for i := range files {
		paths = append(paths, filepath.Join(x.s.db.location(t), files[i].Path))
	}
	x.s.db.discard(paths...)
}

// rewriteRows writes the rows of a table as those of another form of it, and gives the files that hold them. progress is told how many
// of its tablets are written.
func (x *execution) rewriteRows(ctx context.Context, t, as *catalog.Table, progress func(done, all int)) (files []catalog.DataFile, err error) {
	next := *as
	next.Files, next.IndexFiles, next.Source = nil, nil, nil
	var pos ast.Pos
	q := &ast.Select{Pos: pos, From: []ast.TableExpr{&ast.TableName{Pos: pos, Name: ast.Name{Database: t.Database, Name: t.Name}}}}
	var names []string
	for i := range next.Columns {
		old := t.ColumnByID(next.Columns[i].ID)
		if old == nil {
			continue // its default
		}
		names = append(names, next.Columns[i].Name)
		q.Items = append(q.Items, ast.SelectItem{Pos: pos, Expr: &ast.Column{Pos: pos, Name: old.Name}})
	}
	g := &target{table: &next, locked: true, strict: true, stored: true, progress: progress}
	parts := slices.Clone(t.Partitions)
	g.partitions = map[int64]bool{0: true}
	for i := range parts { // temporary ones keep their rows, too
		if parts[i].Temporary {
			return nil, sqlerr.Unsupported("this change of columns of a table with temporary partitions")
		}
		g.partitions[parts[i].ID] = true
	}
	sink := x.routedSink(g, func(_ context.Context, written []catalog.DataFile) error { files = written; return nil })
	progress(0, tabletsOf(t))
	env, err := x.storedRows(ctx, t)
	if err != nil {
		return nil, err
	}
	bound, err := bind.Insert(bind.Target{Table: &next, Columns: names}, q, sink, env)
	if err != nil {
		return nil, err
	}
	if _, err = x.runWrite(ctx, bound, "LOAD", sink); err != nil {
		return nil, err
	}
	if err := x.s.db.buryTombstones(ctx, &next, files); err != nil {
		x.dropWritten(t, files)
		return nil, err
	}
	return files, nil
}

// tabletsOf is how many partitions with their buckets a table has.
func tabletsOf(t *catalog.Table) (n int) {
	for _, p := range layoutOf(t, nil).Partitions {
		n += max(p.Buckets, 1)
	}
	return n
}

// storedRows is the environment of a query that reads t with the deleted rows that later loads are compared with.
func (x *execution) storedRows(ctx context.Context, t *catalog.Table) (*bind.Env, error) {
	e := x.env()
	if t.Sequence() == nil {
		return e, nil
	}
	whole := *t
	whole.Files = slices.Clone(t.Files)
	if err := x.s.db.withTombstones(ctx, &whole); err != nil {
		return nil, err
	}
	e.Snapshot = rowSnapshot{e.Snapshot, t, x.s.db.newSource(&whole, nil)}
	e.Indexes = nil
	return e, nil
}
