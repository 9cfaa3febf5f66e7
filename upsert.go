package basalt

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// Rows of UNIQUE tables are merged when they are written: publishing new files deletes the rows of the same keys
// in older ones, by adding them to the files' sets of deleted rows. They are found by reading the keys of new and
// old files of a bucket side by side, both sorted. Most of it happens before the table is locked, against the files
// that are there; under the lock, only what came meanwhile is compared. So loads of a table become visible one
// after the other, and no two rows of a key ever are.

// writeLock serialises the changes of a table's rows that depend on what rows there are: loads of UNIQUE tables when
// they publish, UPDATE and DELETE as a whole, compaction when it publishes.
type writeLock chan struct{}

// lockRows takes the write lock of a table and returns what gives it back. Who waits does so without its CPU slot: the statement that
// has the lock may need that one to end.
func (db *DB) lockRows(ctx context.Context, id int64) (func(), error) {
	l, _ := db.rowLocks.LoadOrStore(id, make(writeLock, 1))
	lock := l.(writeLock)
	unlock := sync.OnceFunc(func() { <-lock })
	select {
	case lock <- struct{}{}:
		return unlock, nil
	default:
	}
	locked := false
	err := executor.Yield(ctx, func() error {
		select {
		case lock <- struct{}{}:
			locked = true
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err != nil {
		if locked {
			unlock()
		}
		return nil, sqlerr.Wrap(sqlerr.Interrupted, err, "waiting for other writes to the table")
	}
	return unlock, nil
}

// replacingRows publishes files of a UNIQUE table, which replace rows of their keys. The table's write lock is held from
// when it is known which ones to when they are gone, unless the caller of the write holds it.
func (db *DB) replacingRows(g *target, files []catalog.DataFile) published {
	var added []catalog.DataFile
	var gone map[string]*rowset.Set
	w := db.load(g, func() ([]catalog.DataFile, map[string]*rowset.Set) { return added, gone })
	w.prepare = func(ctx context.Context) (release func(), err error) {
		t := tableOf(db.cat.Snapshot(), tableKey{g.table.Database, g.table.ID})
		if t == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s' was dropped meanwhile", g.table.Name)
		}
		if err := checkLoad(g.table, t); err != nil {
			return nil, err
		}
		u := db.newUpsert(g.table, files)
		if err := u.within(ctx); err != nil {
			return nil, err
		}
		var before []catalog.DataFile
		if !g.overwrite {
			before = t.Files
			if err := u.against(ctx, before); err != nil {
				return nil, err
			}
		}
		release = func() {}
		if !g.locked {
			if release, err = db.lockRows(ctx, g.table.ID); err != nil {
				return nil, err
			}
		}
		now := tableOf(db.cat.Snapshot(), tableKey{g.table.Database, g.table.ID})
		if err := checkLoad(g.table, now); err != nil { // before files of another form are compared
			release()
			return nil, err
		}
		if now != nil && !g.overwrite {
			if err := u.against(ctx, u.changed(before, now.Files)); err != nil {
				release()
				return nil, err
			}
		}
		added, gone = u.result()
		return release, nil
	}
	return w
}

// lastRows are the files of a table's first load, with the rows deleted that others of their keys replace.
func (db *DB) lastRows(ctx context.Context, t *catalog.Table, files []catalog.DataFile) ([]catalog.DataFile, error) {
	u := db.newUpsert(t, files)
	if err := u.within(ctx); err != nil {
		return nil, err
	}
	added, _ := u.result()
	return added, nil
}

// upsert finds the rows that new files of a UNIQUE table replace.
type upsert struct {
	db    *DB
	table *catalog.Table // as the files were written
	files []catalog.DataFile
	// Columns that are read of files: the keys first, then, with a sequence column, it and the delete sign, then the row id.
	columns []int
	types   []sqltype.Type
	keys    int
	ordered bool // by a sequence column

	mu   sync.Mutex
	gone map[string]*rowset.Builder // by path
}

func (db *DB) newUpsert(t *catalog.Table, files []catalog.DataFile) *upsert {
	u := &upsert{db: db, table: t, files: files, columns: ordinals(t, t.Distribution.Sorted), gone: map[string]*rowset.Builder{}}
	u.keys = len(u.columns)
	if c := t.Sequence(); c != nil {
		u.ordered = true
		u.columns = append(u.columns, ordinals(t, []int32{c.ID, t.ColumnNamed(catalog.DeleteSign).ID})...)
	}
	for _, c := range u.columns {
		u.types = append(u.types, t.Columns[c].Type)
	}
	u.columns = append(u.columns, len(t.Columns))
	u.types = append(u.types, sqltype.T(sqltype.BigInt))
	return u
}

// result are the new files with their deleted rows, and the rows of others that are gone, by path.
func (u *upsert) result() ([]catalog.DataFile, map[string]*rowset.Set) {
	added, gone := slices.Clone(u.files), make(map[string]*rowset.Set, len(u.gone))
	for path, b := range u.gone {
		gone[path] = b.Set()
	}
	for i := range added {
		added[i].Deleted = gone[added[i].Path]
		delete(gone, added[i].Path)
	}
	return added, gone
}

func (u *upsert) remove(path string, rows []int64) {
	if len(rows) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	b := u.gone[path]
	if b == nil {
		b = &rowset.Builder{}
		u.gone[path] = b
	}
	for _, r := range rows {
		b.Add(r)
	}
}

// changed are the files of now that must be compared though those of before were: new ones and, where it matters which
// row is alive, those of which rows were deleted.
func (u *upsert) changed(before, now []catalog.DataFile) []catalog.DataFile {
	known := make(map[string]*rowset.Set, len(before))
	for i := range before {
		known[before[i].Path] = before[i].Deleted
	}
	var out []catalog.DataFile
	for i := range now {
		if gone, ok := known[now[i].Path]; !ok || u.ordered && gone != now[i].Deleted {
			out = append(out, now[i])
		}
	}
	return out
}

// within compares the new files with each other, and deletes rows that say nothing but that their key is gone.
func (u *upsert) within(ctx context.Context) error {
	return u.run(ctx, func(add func(func(context.Context) error)) {
		for i := range u.files {
			f := &u.files[i]
			add(func(ctx context.Context) error { return u.signed(ctx, f) })
			for k := range i {
				if older := &u.files[k]; u.meet(older, f) {
					add(func(ctx context.Context) error { return u.pair(ctx, older, f) })
				}
			}
		}
	})
}

// against compares the new files with older ones.
func (u *upsert) against(ctx context.Context, older []catalog.DataFile) error {
	return u.run(ctx, func(add func(func(context.Context) error)) {
		for i := range older {
			for k := range u.files {
				if u.meet(&older[i], &u.files[k]) {
					add(func(ctx context.Context) error { return u.pair(ctx, &older[i], &u.files[k]) })
				}
			}
		}
	})
}

// run does the tasks that list adds on all cores.
func (u *upsert) run(ctx context.Context, list func(add func(task func(context.Context) error))) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(runtime.GOMAXPROCS(0), 1))
	list(func(task func(context.Context) error) {
		group.Go(func() error { return task(ctx) })
	})
	return group.Wait()
}

// meet reports whether the same key may be in both files.
func (u *upsert) meet(older, newer *catalog.DataFile) bool {
	if older.Partition != newer.Partition || older.Bucket != newer.Bucket || older.Live() == 0 && !u.ordered {
		return false
	}
	return mayMatchAll(u.table, older, u.bounds(newer))
}

func mayMatchAll(t *catalog.Table, f *catalog.DataFile, preds []storage.Predicate) bool {
	for i := range preds {
		if !preds[i].MayMatch(func(column int) storage.Range { return rangeOf(f, &t.Columns[column]) }) {
			return false
		}
	}
	return true
}

// bounds are conditions that all keys of a file satisfy.
func (u *upsert) bounds(f *catalog.DataFile) []storage.Predicate {
	var out []storage.Predicate
	for _, c := range u.columns[:u.keys] {
		r := rangeOf(f, &u.table.Columns[c])
		if r.Min == nil || r.Max == nil || r.Nulls != 0 {
			continue
		}
		out = append(out, storage.Predicate{Op: storage.OpGe, Column: c, Values: []vector.Value{*r.Min}},
			storage.Predicate{Op: storage.OpLe, Column: c, Values: []vector.Value{*r.Max}})
	}
	return out
}

// source reads the given files.
func (u *upsert) source(files ...catalog.DataFile) *fileset.Source {
	t := *u.table
	t.Files = files
	t.Partitions = slices.Clone(t.Partitions)
	for i := range files { // partitions that AUTO PARTITION made meanwhile
		if t.Partitioning != nil && t.PartitionByID(files[i].Partition) == nil {
			t.Partitions = append(t.Partitions, catalog.Partition{ID: files[i].Partition})
		}
	}
	return u.db.fileSource(&t, func(*catalog.Partition) bool { return true }, true)
}

// open reads the keys of a file, in order; those that satisfy prune, and maybe others. all: deleted rows too.
func (u *upsert) open(f *catalog.DataFile, prune []storage.Predicate, all bool) storage.Reader {
	file := *f
	if all {
		file.Deleted = nil
	}
	return u.source(file).ReadFile(0, &storage.ScanRequest{Columns: u.columns, Limit: -1, Prune: prune})
}

// pair compares the keys of two files.
func (u *upsert) pair(ctx context.Context, older, newer *catalog.DataFile) error {
	prune, err := u.prunes(ctx, newer)
	if err != nil || !mayMatchAll(u.table, older, prune) {
		return err
	}
	var replaced, refused []int64 // rows of older and newer
	row := len(u.columns) - 1
	pair := func(a []*vector.Vector, i int, b []*vector.Vector, j int) {
		x, y := vector.Values[int64](a[row])[i], vector.Values[int64](b[row])[j]
		_, x = fileset.SplitRowID(x)
		_, y = fileset.SplitRowID(y)
		if !u.ordered {
			replaced = append(replaced, x)
			return
		}
		dead := older.Deleted.Has(x)
		switch {
		case dead && a[u.keys+1].Value(i).Int64() == 0: // replaced before
		case laterThan(a[u.keys], i, b[u.keys], j):
			refused = append(refused, y)
		case !dead:
			replaced = append(replaced, x)
		}
	}
	if err := keyorder.Match(ctx, u.open(older, prune, u.ordered), u.open(newer, u.bounds(older), false), u.types, u.keys, pair); err != nil {
		return err
	}
	u.remove(older.Path, replaced)
	u.remove(newer.Path, refused)
	return nil
}

// laterThan reports whether the sequence value in row i of a is above that in row j of b. NULL is the smallest.
func laterThan(a *vector.Vector, i int, b *vector.Vector, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return !a.IsNull(i)
	}
	return a.Value(i).Compare(b.Value(j)) > 0
}

// listedKeys is how many keys of a new file are looked up one by one: in more, pages of old files are passed over by
// bounds only.
const listedKeys = 1024

// prunes are conditions that all keys of a new file satisfy, for skipping parts of older ones.
func (u *upsert) prunes(ctx context.Context, f *catalog.DataFile) ([]storage.Predicate, error) {
	if f.Rows > listedKeys {
		return u.bounds(f), nil
	}
	values := make([][]vector.Value, u.keys)
	rd := u.source(*f).ReadFile(0, &storage.ScanRequest{Columns: u.columns[:u.keys], Limit: -1})
	defer rd.Close()
	null := make([]bool, u.keys)
	for {
		b, err := rd.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		for k, c := range b.Cols {
			for i := range b.NumRows() {
				if v := c.Value(b.Row(i)); v.Null {
					null[k] = true
				} else {
					values[k] = append(values[k], v)
				}
			}
		}
	}
	var out []storage.Predicate
	for k, list := range values {
		if null[k] {
			continue
		}
		slices.SortFunc(list, vector.Value.Compare)
		list = slices.CompactFunc(list, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
		out = append(out, storage.Predicate{Op: storage.OpIn, Column: u.columns[k], Values: list})
	}
	return out, nil
}

// signed deletes the rows of a new file whose delete sign is set.
func (u *upsert) signed(ctx context.Context, f *catalog.DataFile) error {
	rows, err := u.db.signedRows(ctx, u.table, f)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	b := u.gone[f.Path]
	if b == nil {
		b = &rowset.Builder{}
		u.gone[f.Path] = b
	}
	rows.Each(func(row int64) bool { b.Add(row); return true })
	return nil
}

// signedRows are the rows of a file of t, deleted or not, whose delete sign is set.
func (db *DB) signedRows(ctx context.Context, t *catalog.Table, f *catalog.DataFile) (*rowset.Set, error) {
	sign := t.ColumnNamed(catalog.DeleteSign)
	if r := rangeOf(f, sign); r.Max != nil && r.Max.Int64() == 0 && r.Min.Int64() == 0 || f.Rows == 0 {
		return nil, nil
	}
	part, whole := *t, *f
	whole.Deleted = nil
	part.Files = []catalog.DataFile{whole}
	src := db.fileSource(&part, func(*catalog.Partition) bool { return true }, true)
	rd := src.ReadFile(0, &storage.ScanRequest{Columns: []int{ordinals(t, []int32{sign.ID})[0], len(t.Columns)}, Limit: -1})
	defer rd.Close()
	var out rowset.Builder
	for {
		b, err := rd.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			return out.Set(), nil
		}
		for i := range b.NumRows() {
			if v := b.Cols[0].Value(b.Row(i)); !v.Null && v.Int64() != 0 {
				_, row := fileset.SplitRowID(b.Cols[1].Value(b.Row(i)).Int64())
				out.Add(row)
			}
		}
	}
}
