package basalt

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/keyorder"
	"github.com/basaltdb/basalt/storage/table"
	"github.com/basaltdb/basalt/storage/widen"
)

// dataExtensions are the endings of files that internal tables write; sweeping removes no others.
var dataExtensions = append([]string{".parquet", ".orc"}, textExtensions()...)

// storageColumns is the schema of t as storage knows it.
func storageColumns(t *catalog.Table) []storage.Column {
	cols := make([]storage.Column, len(t.Columns))
	for i, c := range t.Columns {
		cols[i] = storage.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment, Hidden: c.Hidden, Stored: c.Stored}
		if of := t.Dictionary(&t.Columns[i]); of != nil && of.ID != c.ID {
			cols[i].DictionaryOf = of.Name
		}
	}
	return cols
}

// fileColumns are the columns that data files of t have, as they are named there.
func fileColumns(t *catalog.Table) []storage.Column {
	all := storageColumns(t)
	cols := make([]storage.Column, 0, len(all))
	for i := range all {
		if !isPathColumn(t, i) {
			cols = append(cols, all[i])
		}
	}
	return storage.InFiles(cols)
}

// isPathColumn reports whether the i-th column of t is told by folders, not by files.
func isPathColumn(t *catalog.Table, i int) bool {
	return t.InPath() && slices.Contains(t.Partitioning.Columns, t.Columns[i].ID)
}

// ordinals are the positions in t of columns by id.
func ordinals(t *catalog.Table, ids []int32) []int {
	out := make([]int, 0, len(ids))
	for _, id := range ids {
		for i := range t.Columns {
			if t.Columns[i].ID == id {
				out = append(out, i)
			}
		}
	}
	return out
}

// layoutOf tells how the files of an internal table are grouped. keep chooses its partitions;
// nil takes all but the temporary ones.
func layoutOf(t *catalog.Table, keep func(p *catalog.Partition) bool) *storage.Layout {
	l := &storage.Layout{Table: t.ID, Group: t.Group, GroupStable: t.Group != "" && !t.GroupUnstable, Sorted: ordinals(t, t.Distribution.Sorted)}
	d := &t.Distribution
	buckets := 0
	if d.Kind != catalog.NotDistributed {
		buckets = max(d.Buckets, 1)
		l.Bucketing = &storage.Bucketing{Hash: d.Hash, Columns: ordinals(t, d.Columns), Trusted: d.Kind == catalog.HashDistributed,
			Random: d.Kind == catalog.RandomDistributed}
	}
	if t.Partitioning == nil {
		l.Partitions = []storage.PartitionInfo{{Name: t.Name, Buckets: buckets, FirstTablet: t.FirstTablet}}
	} else {
		l.Kind, l.Columns, l.Function = t.Partitioning.Kind, ordinals(t, t.Partitioning.Columns), t.Partitioning.Unit
		for i := range t.Partitions {
			p := &t.Partitions[i]
			if keep == nil && p.Temporary || keep != nil && !keep(p) {
				continue
			}
			l.Partitions = append(l.Partitions, storage.PartitionInfo{ID: p.ID, Name: p.Name, Bounds: p.Bounds, Buckets: p.Buckets, FirstTablet: p.FirstTablet})
		}
	}
	if b := l.Bucketing; b != nil && len(l.Partitions) > 0 {
		b.Buckets = l.Partitions[0].Buckets
		for _, p := range l.Partitions {
			if p.Buckets != b.Buckets {
				b.Buckets = 0
			}
		}
	}
	return l
}

// routingOf is how rows find their file in t, whose layout is l: folders of key=value where the table is Hive's.
func routingOf(t *catalog.Table, l *storage.Layout) *table.Routing {
	if t.InPath() {
		return &table.Routing{Layout: l, Folder: func(p *storage.PartitionInfo) string { return p.Name }, InPath: true}
	}
	return &table.Routing{Layout: l, Folder: partitionFolder}
}

// partitionFolder is where a partition's new files go, below the table's folder. The id keeps
// partitions apart that have a name one after the other.
func partitionFolder(p *storage.PartitionInfo) string {
	if p.ID == 0 {
		return ""
	}
	return fmt.Sprintf("%s_%d", p.Name, p.ID)
}

// internalSource is the source of an internal table: its committed files. The source of the last
// version of a table is kept, for making it costs time in tables of many files.
func (db *DB) internalSource(t *catalog.Table) storage.Source {
	if c, ok := db.sources.Load(t.ID); ok && t.ID != 0 && c.(*openedTable).table == t {
		return c.(*openedTable).source
	}
	src := db.newSource(t, nil)
	if t.ID != 0 {
		db.sources.Store(t.ID, &openedTable{t, src})
		if db.opened.Add(1)%1024 == 0 {
			db.forgetSources()
		}
	}
	return src
}

// forgetSources lets go of the sources of tables that are gone.
func (db *DB) forgetSources() {
	snap := db.cat.Snapshot()
	db.sources.Range(func(id, o any) bool {
		if t := o.(*openedTable).table; tableOf(snap, tableKey{t.Database, t.ID}) == nil {
			db.sources.Delete(id)
			db.indexes.Delete(id)
		}
		return true
	})
	db.listings.Range(func(id, o any) bool {
		l := o.(*listedTable)
		if l.mu.TryLock() { // else it is in use
			if t := l.table; t == nil || tableOf(snap, tableKey{t.Database, t.ID}) == nil {
				db.listings.Delete(id)
			}
			l.mu.Unlock()
		}
		return true
	})
}

// openedTable is one version of a table with its source.
type openedTable struct {
	table  *catalog.Table
	source storage.Source
}

// newSource makes the source of the partitions of t that keep chooses, as layoutOf.
func (db *DB) newSource(t *catalog.Table, keep func(p *catalog.Partition) bool) *fileset.Source {
	return db.fileSource(t, keep, false)
}

// fileSource is newSource, with the ids of rows when they are wanted.
func (db *DB) fileSource(t *catalog.Table, keep func(p *catalog.Partition) bool, rowIDs bool) *fileset.Source {
	l := layoutOf(t, keep)
	byID := make(map[int64]int32, len(l.Partitions))
	for i := range l.Partitions {
		byID[l.Partitions[i].ID] = int32(i)
	}
	dir := db.location(t)
	schemas := fileSchemas{table: t, known: map[string]*fileset.Schema{}}
	files := make([]fileset.File, 0, len(t.Files))
	committed := make([]*catalog.DataFile, 0, len(t.Files))
	for _, f := range filesInOrder(t) {
		p, ok := byID[f.Partition]
		if !ok {
			continue
		}
		committed = append(committed, f)
		files = append(files, fileset.File{Path: filepath.Join(dir, f.Path), Format: formatOf(t, f.Path), Partition: p, Bucket: f.Bucket,
			Rows: f.Rows, Bytes: f.Bytes, Deleted: f.Deleted, Schema: schemas.of(f, &l.Partitions[p])})
	}
	return fileset.New(fileset.Options{FS: db.fs, Columns: storageColumns(t), Layout: l, Files: files, Formats: openersOf(t), Merge: mergingOf(t), RowIDs: rowIDs, Fixed: true,
		Range: func(file, column int) storage.Range { return rangeOf(committed[file], &t.Columns[column]) }})
}

// filesInOrder are the files of t, those of tables whose rows merge in the order that their rows count as added.
func filesInOrder(t *catalog.Table) []*catalog.DataFile {
	out := make([]*catalog.DataFile, len(t.Files))
	for i := range t.Files {
		out[i] = &t.Files[i]
	}
	if t.Model == catalog.AggregateKey {
		slices.SortStableFunc(out, (*catalog.DataFile).Compare)
	}
	return out
}

// sortedBy are the ids of the columns that the rows of a load are sorted by: the key and, so that the last row of a key is the
// one that stays, the sequence column.
func sortedBy(t *catalog.Table) []int32 {
	if c := t.Sequence(); c != nil {
		return append(slices.Clone(t.Distribution.Sorted), c.ID)
	}
	return t.Distribution.Sorted
}

// mergedBy is the order in which rows that are stored already become one, by position. With a sequence column deleted rows take
// part; they come before the live row of their sequence value: had they come after it, it would be deleted, too.
func mergedBy(t *catalog.Table) (columns []int, descending []bool) {
	columns, descending = ordinals(t, sortedBy(t)), t.Distribution.Descending
	if t.Sequence() != nil {
		descending = append(make([]bool, len(columns)), true)
		columns = append(columns, ordinals(t, []int32{t.ColumnNamed(catalog.DeleteSign).ID})...)
	}
	return columns, descending
}

// writeMerging is how rows of one key in a load become one; nil where they do not.
func writeMerging(t *catalog.Table) *keyorder.Merging {
	if t.Model != catalog.UniqueKey {
		return mergingOf(t)
	}
	m := &keyorder.Merging{Keys: ordinals(t, t.Distribution.Sorted)}
	for range t.Columns {
		m.Columns = append(m.Columns, function.ReplaceAggregation)
	}
	return m
}

// mergingOf is how rows of one key become one when they are read; nil where they do not.
func mergingOf(t *catalog.Table) *keyorder.Merging {
	if t.Model != catalog.AggregateKey {
		return nil
	}
	m := &keyorder.Merging{Keys: ordinals(t, t.Distribution.Sorted), Unique: true}
	for _, c := range t.Columns {
		m.Columns = append(m.Columns, c.Aggregation)
	}
	return m
}

// fileSchemas finds how files of a table, maybe written before its columns were changed, are read.
type fileSchemas struct {
	table *catalog.Table
	known map[string]*fileset.Schema // by the ids of the columns in the file
}

// of is the schema of a file of partition p; nil when it has all columns. Columns that it does not have
// read as the default they were added with, those of the path as the partition's values.
func (s *fileSchemas) of(f *catalog.DataFile, p *storage.PartitionInfo) *fileset.Schema {
	cols := s.table.Columns
	same := len(f.Columns) == 0 || len(f.Columns) >= len(cols)
	for i := 0; same && i < len(cols) && i < len(f.Columns); i++ {
		same = f.Columns[i].ColumnID == cols[i].ID
	}
	if same {
		return nil
	}
	var key strings.Builder
	var path []vector.Value
	if s.table.InPath() {
		fmt.Fprintf(&key, "%d:", p.ID)
		path = p.Bounds.Values[0]
	}
	has := map[int32]bool{}
	for _, c := range f.Columns {
		has[c.ColumnID] = true
		fmt.Fprintf(&key, "%d,", c.ColumnID)
	}
	if sc, ok := s.known[key.String()]; ok {
		return sc
	}
	var sc *fileset.Schema
	for i := range cols {
		if has[cols[i].ID] {
			continue
		}
		if sc == nil {
			sc = &fileset.Schema{Constants: make([]*vector.Value, len(cols))}
		}
		v := constantDefault(&cols[i])
		if path != nil {
			if k := slices.Index(s.table.Partitioning.Columns, cols[i].ID); k >= 0 {
				v = path[k]
			}
		}
		sc.Constants[i] = &v
	}
	s.known[key.String()] = sc
	return sc
}

// constantDefault is the default of a column as rows from before it existed have it: NULL unless it is a
// literal.
func constantDefault(c *catalog.Column) vector.Value {
	null := vector.NullOf(c.Type)
	if c.Initial != nil {
		d := *c
		d.Default, d.Initial = c.Initial, nil
		return constantDefault(&d)
	}
	if c.Default == nil || strings.EqualFold(*c.Default, "NULL") {
		return null
	}
	text := c.DefaultText()
	if text == *c.Default && strings.ContainsAny(text, "(abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") {
		return null // an expression
	}
	e, err := expr.CastWith(expr.Lit(vector.StringValue(sqltype.VarcharOf(0), text)), c.Type, function.Cast)
	if err != nil {
		return null
	}
	if e, err = expr.Fold(e, nil); err != nil {
		return null
	}
	if lit, ok := e.(*expr.Literal); ok {
		return lit.Value
	}
	return null
}

// rangeOf is what the catalog knows of a column of a file, as values of the column's type, although the file may have it in
// a former one.
func rangeOf(f *catalog.DataFile, c *catalog.Column) storage.Range {
	r := f.Range(c)
	for i := len(c.Former) - 1; i >= 0 && r.Min == nil; i-- {
		former := *c
		former.Type = c.Former[i]
		old := f.Range(&former)
		if old.Min == nil {
			continue
		}
		lo, hi := widen.Bound(old.Min, former.Type, c.Type), widen.Bound(old.Max, former.Type, c.Type)
		if lo != nil && hi != nil {
			r.Min, r.Max, r.HasNaN = lo, hi, old.HasNaN
		}
	}
	return r
}
