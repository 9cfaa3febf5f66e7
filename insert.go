package basalt

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/table"
)

// insert is INSERT INTO and INSERT OVERWRITE.
func (x *execution) insert(ctx context.Context, st *ast.Insert) (*Rows, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	kind := insertKind
	if x.given != nil {
		kind = loadKind
	}
	return x.inTransaction(t, kind, loadLabel{st.LabelDatabase, st.Label, st.Position()}, func() (*Rows, error) {
		if x.isPartial(t, st) {
			return x.insertPartial(ctx, st)
		}
		return x.insertRows(ctx, st)
	})
}

// insertRows is an INSERT that brings whole rows.
func (x *execution) insertRows(ctx context.Context, st *ast.Insert) (*Rows, error) {
	w, err := x.newInsertion(st)
	if err != nil || w.skip {
		return okRows(x.s, 0, ""), err
	}
	rows, err := x.write(ctx, w.to, st.Query, w.sink)
	w.end(x)
	return rows, err
}

// isPartial reports whether an INSERT changes some columns of rows that are there.
func (x *execution) isPartial(t *catalog.Table, st *ast.Insert) bool {
	return t.Model == catalog.UniqueKey && len(st.Columns) > 0 && !st.Overwrite && x.s.settings.bool("enable_unique_key_partial_update")
}

// insertPartial is an INSERT that changes some columns of rows. It holds the table's write lock, so that the others are
// what they were.
func (x *execution) insertPartial(ctx context.Context, st *ast.Insert) (*Rows, error) {
	return x.locked(ctx, st.Name, func() (*Rows, error) {
		w, err := x.newInsertion(st)
		if err != nil {
			return nil, err
		}
		rows, err := x.write(ctx, w.to, st.Query, w.sink)
		absent := func(c catalog.Column) bool { // NULL in a column that was not given: there is no row to take it from
			return !slices.ContainsFunc(st.Columns, func(n string) bool { return strings.EqualFold(n, c.Name) }) && strings.Contains(err.Error(), "'"+c.Name+"'")
		}
		if err != nil && w.to.Strict && sqlerr.Is(err, sqlerr.NotNull) && slices.ContainsFunc(w.to.Table.Columns, absent) {
			err = sqlerr.Detail("[PARTIAL_UPDATE] Can't append new rows in partial update when strict_mode is true").At(st.Position()).
				WithHint("SET enable_insert_strict = false to give new rows the defaults of the other columns")
		}
		return rows, err
	})
}

// insertion is one INSERT: what the binder and the executor must know of it.
type insertion struct {
	to        bind.Target
	sink      storage.Sink
	overwrite bool
	path      *pathWrite // of tables of Hive
	skip      bool       // IF NOT EXISTS, and it exists
}

// newInsertion checks an INSERT and makes its sink.
func (x *execution) newInsertion(st *ast.Insert) (*insertion, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	for what, bad := range map[string]bool{
		"REPLACE INTO": st.Replace, "INSERT … PARTITION (column = value)": len(st.Partition) > 0 && !t.Hive, "INSERT … IF NOT EXISTS": st.IfNotExists && !t.Hive,
	} {
		if bad {
			return nil, sqlerr.Unsupported(what).At(st.Position())
		}
	}
	if t.Hive {
		return x.newHiveInsertion(t, st)
	}
	if err := x.checkSequence(t, st); err != nil {
		return nil, err
	}
	target, err := insertTarget(t, st)
	if err != nil {
		return nil, err
	}
	w := &insertion{to: bind.Target{Table: t, Columns: st.Columns}, overwrite: st.Overwrite}
	if x.isPartial(t, st) {
		w.to.Existing, w.to.Strict = x.s.db.internalSource(t), x.s.settings.bool("enable_insert_strict")
		target.locked = true
	}
	w.sink = x.sinkInto(target)
	return w, nil
}

// end forgets what an insertion that failed had begun.
func (w *insertion) end(x *execution) {
	if w.path != nil {
		x.endWrite(w.path)
	}
}

// checkSequence refuses loads that do not give the hidden sequence column of a table.
func (x *execution) checkSequence(t *catalog.Table, st *ast.Insert) error {
	c := t.Sequence()
	if c == nil || !c.Hidden || x.isPartial(t, st) || slices.ContainsFunc(st.Columns, func(name string) bool { return strings.EqualFold(name, c.Name) }) {
		return nil
	}
	return sqlerr.Detail("Table %s has sequence column, need to specify the sequence column", t.Name).At(st.Position()).
		WithHint("List %s among the columns", c.Name)
}

// target is where the rows of a write go.
type target struct {
	table *catalog.Table
	// partitions are the ids of those that may take rows; nil: all but the temporary ones.
	partitions map[int64]bool
	overwrite  bool
	detect     bool // overwrite only partitions that get rows
	locked     bool // the statement holds the table's write lock
	strict     bool // rows that the table cannot take are an error whatever the session says
	stored     bool // rows are those of a table, in any order: see mergedBy
	// progress is table.Options.Progress.
	progress func(done, all int)
}

// insertTarget is the target of a statement.
func insertTarget(t *catalog.Table, st *ast.Insert) (*target, error) {
	out := &target{table: t, overwrite: st.Overwrite, detect: st.AutoDetect}
	if st.AutoDetect && !st.Overwrite {
		return nil, sqlerr.New(sqlerr.Syntax, "PARTITION (*) is for INSERT OVERWRITE").At(st.Position())
	}
	for _, name := range st.Partitions {
		if t.Partitioning == nil && !st.Temporary && strings.EqualFold(name, t.Name) {
			continue // the one partition of an unpartitioned table has its name
		}
		p := t.PartitionNamed(name, st.Temporary)
		if p == nil {
			return nil, sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", name, t.Name).At(st.Position())
		}
		if out.partitions == nil {
			out.partitions = map[int64]bool{}
		}
		out.partitions[p.ID] = true
	}
	return out, nil
}

// takes reports whether rows may go to a partition.
func (g *target) takes(p *catalog.Partition) bool {
	if g.partitions != nil {
		return g.partitions[p.ID]
	}
	return !p.Temporary
}

// sinkInto is the sink of a write to g.
func (x *execution) sinkInto(g *target) storage.Sink {
	return x.routedSink(g, func(ctx context.Context, files []catalog.DataFile) error {
		return x.publish(ctx, x.s.db.replacing(g, files).measured(files))
	})
}

// replacing lists files in the catalog and, for an overwrite, drops those that they replace: all
// that are there at this moment. Rows of UNIQUE tables replace those of their keys, see replacingRows.
func (db *DB) replacing(g *target, files []catalog.DataFile) published {
	if len(files) == 0 && (!g.overwrite || g.detect) {
		return published{} // no row: no version
	}
	if g.table.Model == catalog.UniqueKey {
		return db.replacingRows(g, files)
	}
	return db.load(g, func() ([]catalog.DataFile, map[string]*rowset.Set) { return files, nil })
}

// load is the publication of what outcome says: new files, and the rows of others that they delete.
func (db *DB) load(g *target, outcome func() (added []catalog.DataFile, gone map[string]*rowset.Set)) published {
	t := g.table
	var dropped []string
	numbered := func() {}
	apply := func(tx *catalog.Tx) error {
		dropped = nil
		var err error
		if numbered, err = db.storeDictionaries(tx, t); err != nil {
			return err
		}
		files, gone := outcome()
		now := tx.TableByID(t.Database, t.ID)
		if len(files) > 0 {
			if err := checkLoad(t, now); err != nil {
				return err
			}
			var unfit []catalog.DataFile
			files, unfit = fitIndexes(t, now, files)
			dropped = append(dropped, db.filePaths(t, unfit)...)
		}
		removed := map[string]bool{}
		if now != nil && g.overwrite {
			written := map[int64]bool{}
			for i := range files {
				written[files[i].Partition] = true
			}
			for i := range now.Files {
				f := &now.Files[i]
				p := now.PartitionByID(f.Partition)
				if g.detect && !written[f.Partition] || p != nil && !g.takes(p) {
					continue
				}
				removed[f.Path] = true
				dropped = append(dropped, filepath.Join(db.location(now), f.Path))
			}
		}
		if err := tx.Load(t.Database, t.ID, catalog.Load{Removed: removed, Added: files, Deleted: gone}); err != nil {
			return err
		}
		dropped = append(dropped, db.stalePaths(tx)...)
		return nil
	}
	return published{table: t.ID, apply: apply, after: func() {
		files, gone := outcome()
		numbered()
		db.discard(dropped...)
		db.compactLater(t, files, db.holes(t, gone)...)
		db.indexLater(tableKey{t.Database, t.ID})
	}}
}

// holes are the partitions of files that have lost so many rows, some of them just now, that they are written anew.
func (db *DB) holes(t *catalog.Table, gone map[string]*rowset.Set) (out []int64) {
	if len(gone) == 0 {
		return nil
	}
	now := tableOf(db.cat.Snapshot(), tableKey{t.Database, t.ID})
	for i := 0; now != nil && i < len(now.Files); i++ {
		if f := &now.Files[i]; gone[f.Path] != nil && isHoley(now, f) {
			out = append(out, f.Partition)
		}
	}
	return out
}

// routedSink sends rows to the partitions and buckets of g, ordered by the table's key.
func (x *execution) routedSink(g *target, publish func(ctx context.Context, files []catalog.DataFile) error) storage.Sink {
	t := g.table
	o := x.sinkOptions(t, x.s.db.location(t))
	o.Lenient = o.Lenient && !g.strict
	if g.stored {
		o.Sorted, o.Descending = mergedBy(t)
	}
	var covering []int64
	if t.Model != catalog.UniqueKey { // which rows stay is not known yet
		o.Indexes, covering = x.s.db.sinkIndexes(t)
	}
	o.Progress = g.progress
	o.Publish = func(ctx context.Context, files []table.File) error {
		return publish(ctx, coveredFiles(t, files, covering))
	}
	if t.Partitioning != nil || t.Distribution.Kind != catalog.NotDistributed {
		o.Routing = routingOf(t, layoutOf(t, g.takes))
	}
	if t.Partitioning != nil && t.Partitioning.Auto && g.partitions == nil {
		o.Routing.Create = x.createPartitions(t)
	}
	return table.NewSink(o)
}

// sinkOptions are what all writes of files of t to a folder have in common.
func (x *execution) sinkOptions(t *catalog.Table, dir string) table.Options {
	o := table.Options{
		FS: x.s.db.fs, Dir: dir, Txn: x.s.db.newTxn(), Columns: storageColumns(t), Format: writeFormat(t),
		Sorted: ordinals(t, sortedBy(t)), Descending: t.Distribution.Descending, Merge: writeMerging(t), Lenient: !x.s.settings.bool("enable_insert_strict"),
	}
	if x.together != nil {
		o.Done = x.together.isDone
	}
	o.MaxFiltered, _ = strconv.ParseFloat(x.s.settings.values["insert_max_filter_ratio"], 64)
	return o
}

// createPartitions makes the partitions of t, which has AUTO PARTITION, that a load misses.
func (x *execution) createPartitions(t *catalog.Table) func(ctx context.Context, tuples [][]vector.Value) (*storage.Layout, error) {
	grown := *t // with the partitions that this load made or met
	grown.Partitions = slices.Clone(t.Partitions)
	return func(_ context.Context, tuples [][]vector.Value) (*storage.Layout, error) {
		parts, err := x.ensurePartitions(t, tuples)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			if grown.PartitionByID(p.ID) == nil {
				grown.Partitions = append(grown.Partitions, p)
			}
		}
		return layoutOf(&grown, nil), nil
	}
}

// writeFormat is the format of new files of t.
func writeFormat(t *catalog.Table) table.Format {
	f, err := formatFor(t.Format)
	if err != nil {
		f = formats[formatParquet]
	}
	w, _ := f.writer(t) // checked when the table was made
	return w
}

// coveredFiles turns what a load wrote into catalog records: its rows are in the files of the indexes covering.
func coveredFiles(t *catalog.Table, files []table.File, covering []int64) []catalog.DataFile {
	out := dataFiles(t, files)
	for i := range out {
		if out[i].Index == 0 {
			out[i].Indexed = covering
		}
	}
	return out
}

// dataFiles turns written files into catalog records.
func dataFiles(t *catalog.Table, files []table.File) []catalog.DataFile {
	out := make([]catalog.DataFile, len(files))
	for i, f := range files {
		out[i] = catalog.DataFile{Path: f.Name, Partition: f.Partition, Bucket: f.Bucket, Rows: f.Rows, Bytes: f.Bytes}
		id := func(c int) int32 { return t.Columns[c].ID }
		if ix := t.IndexByID(f.Index); ix != nil {
			out[i].Index = ix.ID
			id = func(c int) int32 { return ix.Columns[c].ID }
		}
		for c := range f.Columns {
			out[i].Columns = append(out[i].Columns, catalog.FileColumn(id(c), &f.Columns[c]))
		}
	}
	return out
}
