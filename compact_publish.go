package basalt

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/keyorder"
	"github.com/basaltdb/basalt/storage/table"
)

// compaction is some merges of a table and their publication. Rows that others delete from the files while they are being
// merged are found in the merged ones by merging again, in the same way, the columns that the order
// depends on with the ids of rows: what is at a place there is at that place in the merged file.
type compaction struct {
	db         *DB
	table      *catalog.Table // or an index as one
	id         int64          // of the table
	keys       []int          // what rows are sorted by, as mergedBy
	descending []bool
	memory     *budget.Budget
	done       []merging // in the order that they were written
}

// merging is how rows of one key become one in merged files. Those of UNIQUE tables without a sequence column have one row
// each; with one, deleted rows with the delete sign take part.
func (c *compaction) merging() *keyorder.Merging {
	if c.table.Sequence() != nil {
		m := writeMerging(c.table)
		m.Unique = true
		return m
	}
	return mergingOf(c.table)
}

// readers read the files of m, in their order.
func (c *compaction) readers(ctx context.Context, m *merging, req *storage.ScanRequest) ([]storage.Reader, error) {
	src, err := c.source(ctx, m)
	if err != nil {
		return nil, err
	}
	out := make([]storage.Reader, len(m.files))
	for i := range m.files {
		out[i] = src.ReadFile(i, req)
	}
	return out, nil
}

// source reads the files of m; with a sequence column, rows that are deleted because of their delete sign too, for later
// loads are compared with them.
func (c *compaction) source(ctx context.Context, m *merging) (*fileset.Source, error) {
	t := *c.table
	t.Files = append([]catalog.DataFile(nil), m.files...)
	if err := c.db.withTombstones(ctx, &t); err != nil {
		return nil, err
	}
	return c.db.fileSource(&t, func(*catalog.Partition) bool { return true }, true), nil
}

// withTombstones makes t, whose files are the caller's, one whose deleted rows that later loads are compared with are there.
func (db *DB) withTombstones(ctx context.Context, t *catalog.Table) error {
	if t.Sequence() == nil {
		return nil
	}
	for i := range t.Files {
		signed, err := db.signedRows(ctx, t, &t.Files[i])
		if err != nil {
			return err
		}
		t.Files[i].Deleted = t.Files[i].Deleted.Minus(signed)
	}
	return nil
}

// buryTombstones deletes, in files that were written of rows of withTombstones, those that are only there to be compared with.
func (db *DB) buryTombstones(ctx context.Context, t *catalog.Table, files []catalog.DataFile) error {
	if t.Sequence() == nil {
		return nil
	}
	for i := range files {
		signed, err := db.signedRows(ctx, t, &files[i])
		if err != nil {
			return err
		}
		files[i].Deleted = signed
	}
	return nil
}

// hasTombstones reports that a file may have deleted rows that must stay: those with the delete sign, with which later
// loads are compared by the sequence column.
func hasTombstones(t *catalog.Table, f *catalog.DataFile) bool {
	if t.Sequence() == nil {
		return false
	}
	r := rangeOf(f, t.ColumnNamed(catalog.DeleteSign))
	return r.Max == nil || r.Max.Int64() != 0
}

// publish puts merged files into the place of those they were made of.
func (c *compaction) publish(ctx context.Context, files []table.File) (taken int, err error) {
	list, err := c.replacements(ctx, files)
	if err != nil {
		return 0, err
	}
	db, t := c.db, c.table
	if err := c.settle(ctx, list); err != nil { // most of it without the lock
		return 0, err
	}
	unlock, err := db.lockRows(ctx, c.id)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := c.settle(ctx, list); err != nil {
		return 0, err
	}
	var all []catalog.Replacement
	for i := range list {
		all = append(all, list[i].Replacement)
	}
	var late []catalog.Replacement
	err = db.cat.Update(func(tx *catalog.Tx) (err error) {
		late, err = tx.ReplaceFiles(t.Database, c.id, all)
		return err
	})
	if err != nil {
		return 0, err
	}
	var gone []string
	lost := map[string]bool{}
	for _, r := range late {
		lost[r.Added.Path] = true
		gone = append(gone, filepath.Join(db.location(t), r.Added.Path))
	}
	for _, r := range all {
		if lost[r.Added.Path] {
			continue
		}
		for path := range r.Removed {
			gone = append(gone, filepath.Join(db.location(t), path))
		}
		if r.Added.Rows == 0 {
			gone = append(gone, filepath.Join(db.location(t), r.Added.Path))
		}
		taken += len(r.Removed)
	}
	db.discard(gone...)
	return taken, nil
}

// replacement is one merge that is done.
type replacement struct {
	catalog.Replacement
	merged *merging
	// origin is the id of the row that each row of the merged file is; nil: not asked for yet.
	origin []int64
}

// replacements are the merges with the files that were written.
func (c *compaction) replacements(ctx context.Context, files []table.File) ([]replacement, error) {
	bySequence := make(map[int]catalog.DataFile, len(files))
	written := dataFiles(c.table, files)
	if err := c.db.buryTombstones(ctx, c.table, written); err != nil {
		return nil, err
	}
	for _, r := range written {
		var bucket, sequence int
		if _, err := fmt.Sscanf(filepath.Base(r.Path), "%d_%d_", &bucket, &sequence); err != nil {
			return nil, sqlerr.Wrap(sqlerr.FileIO, err, "name of data file %s", r.Path)
		}
		bySequence[sequence] = r
	}
	var list []replacement
	for i := range c.done {
		m := &c.done[i]
		r := replacement{merged: m, Replacement: catalog.Replacement{Added: bySequence[i], Removed: map[string]*rowset.Set{}}}
		for _, f := range m.files {
			r.Removed[f.Path] = f.Deleted
		}
		list = append(list, r)
	}
	return list, nil
}

// settle deletes rows of merged files that were deleted in the files they come from since these were read. Where rows
// became one it cannot be said which part of a row is left: such merges are given up, as Removed
// is not what is there.
func (c *compaction) settle(ctx context.Context, list []replacement) error {
	now := tableOf(c.db.cat.Snapshot(), tableKey{c.table.Database, c.id})
	if now == nil || c.table.Model == catalog.AggregateKey {
		return nil
	}
	files := now.AllFiles()
	current := make(map[string]*rowset.Set, len(files))
	for i := range files {
		current[files[i].Path] = files[i].Deleted
	}
	for i := range list {
		r := &list[i]
		lost := make([]*rowset.Set, len(r.merged.files))
		some := false
		for k, f := range r.merged.files {
			if gone, ok := current[f.Path]; ok && gone != r.Removed[f.Path] {
				lost[k] = gone.Minus(r.Removed[f.Path])
				r.Removed[f.Path], some = gone, true
			}
		}
		if !some {
			continue
		}
		if r.origin == nil {
			var err error
			if r.origin, err = c.origins(ctx, r.merged, r.Added.Rows); err != nil {
				return err
			}
		}
		var dead rowset.Builder
		for at, id := range r.origin {
			if k, row := fileset.SplitRowID(id); lost[k].Has(row) {
				dead.Add(int64(at))
			}
		}
		r.Added.Deleted = r.Added.Deleted.Union(dead.Set())
	}
	return nil
}

// origins are the ids, by number of the file in m and of the row in it, of the rows of the merged file.
func (c *compaction) origins(ctx context.Context, m *merging, rows int64) ([]int64, error) {
	held := c.memory.Reserve("origins of merged rows")
	if err := held.Grow(8 * rows); err != nil {
		return nil, err
	}
	req := &storage.ScanRequest{Limit: -1, Columns: append(append([]int(nil), c.keys...), len(c.table.Columns))}
	var types []sqltype.Type
	var order []keyorder.Key
	for i, k := range c.keys {
		types = append(types, c.table.Columns[k].Type)
		order = append(order, keyorder.Key{Column: i, Descending: i < len(c.descending) && c.descending[i]})
	}
	types = append(types, sqltype.T(sqltype.BigInt))
	var one *keyorder.Merging
	if whole := c.merging(); whole != nil {
		one = &keyorder.Merging{Unique: true, Columns: make([]function.Aggregation, len(types))}
		for i := range whole.Keys { // the sequence column and the delete sign are behind them
			one.Keys = append(one.Keys, i)
		}
		for i := len(whole.Keys); i < len(types); i++ {
			one.Columns[i] = function.ReplaceAggregation
		}
	}
	readers, err := c.readers(ctx, m, req)
	if err != nil {
		return nil, err
	}
	merged, err := keyorder.NewMerger(readers, types, order, one)
	if err != nil {
		return nil, err
	}
	defer merged.Close()
	out := make([]int64, 0, rows)
	for {
		b, err := merged.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		out = append(out, vector.Values[int64](b.Cols[len(c.keys)])[:b.Len]...)
	}
	if int64(len(out)) != rows {
		return nil, sqlerr.New(sqlerr.Internal, "compaction: %d rows merge to %d", rows, len(out))
	}
	return out, nil
}
