package basalt

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/hive"
	"github.com/basaltdb/basalt/storage/table"
)

// Writes to external tables. Their folders belong to everybody, so files are what counts, and a commit is many
// renames:
//
//  1. A Change in the catalog names the staging folder, whose name other programs pass over. Files are written there.
//  2. With the folder locked, the Change is completed by every rename that is to come, and then they are done: old files
//     move into the staging folder, new ones to their places.
//  3. One catalog transaction ends the Change. From then on the write counts.
//
// Whatever ends the process before the third step, Undo of what the Change says brings back what was there. Where
// a disk refuses that as well, the table can be neither read nor written until it works.
// Statements of this process list a table's folders before or after the renames, never between, and find the
// files that they listed until they end. Other programs see each rename when it happens.

// folderState is what this process knows of an external table's folder.
type folderState struct {
	// The lock is held to write while files are renamed, to read while folders are listed.
	sync.RWMutex
	mu    sync.Mutex
	stuck []*catalog.Change // that could not be taken back, the last begun last
}

// isStuck reports whether changes wait to be taken back.
func (f *folderState) isStuck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.stuck) > 0
}

// last is the change to be taken back first; nil: none.
func (f *folderState) last() *catalog.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.stuck) == 0 {
		return nil
	}
	return f.stuck[len(f.stuck)-1]
}

// settle notes whether a change was taken back. One that renamed nothing leaves no more than a hidden folder.
func (f *folderState) settle(c *catalog.Change, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stuck = slices.DeleteFunc(f.stuck, func(s *catalog.Change) bool { return s == c })
	if !done && len(c.Folders)+len(c.Aside)+len(c.Placed) > 0 {
		f.stuck = append(f.stuck, c)
		slices.SortFunc(f.stuck, func(a, b *catalog.Change) int { return cmp.Compare(a.ID, b.ID) })
	}
}

func (db *DB) folderState(location string) *folderState {
	f, _ := db.folders.LoadOrStore(location, &folderState{})
	return f.(*folderState)
}

// lockFolder locks the folder of an external table for its renames.
func (db *DB) lockFolder(t *catalog.Table) (unlock func(), err error) {
	f := db.folderState(t.Location)
	f.Lock()
	for c := f.last(); c != nil; c = f.last() {
		if err := db.takeBack(c); err != nil {
			f.Unlock()
			return nil, sqlerr.Wrap(sqlerr.FileIO, err, "a write to %s failed and cannot be taken back yet", t.Location)
		}
	}
	return f.Unlock, nil
}

// shareFolder locks the folder of an external table for listing it.
func (db *DB) shareFolder(t *catalog.Table) (unlock func(), err error) {
	f := db.folderState(t.Location)
	for {
		f.RLock()
		if !f.isStuck() {
			return f.RUnlock, nil
		}
		f.RUnlock()
		unlock, err := db.lockFolder(t) // takes it back
		if err != nil {
			return nil, err
		}
		unlock()
	}
}

// externalSink is the sink of a write to an external table.
func (w *pathWrite) externalSink() (storage.Sink, error) {
	db, t := w.x.s.db, w.t
	if err := w.checkWritable(); err != nil {
		return nil, err
	}
	o := w.options(t.Location)
	o.Staging = fmt.Sprintf("_staging_%d_%016x", o.Txn, rand.Uint64())
	o.Staged = true
	w.change = &catalog.Change{FolderChange: storage.FolderChange{Staging: filepath.Join(t.Location, o.Staging)}}
	o.Publish = func(ctx context.Context, files []table.File) error {
		if err := w.checkFiles(len(files)); err != nil {
			return err
		}
		return w.x.publish(ctx, published{outside: func(also func(tx *catalog.Tx) error) error { return w.commitExternal(files, also) }}.measuredFiles(files))
	}
	return &externalSink{Sink: table.NewSink(o), db: db, change: w.change}, nil
}

// checkWritable fails for external tables that cannot take rows.
func (w *pathWrite) checkWritable() error {
	db, t := w.x.s.db, w.t
	if strings.ContainsAny(t.Location, "*?[{") {
		return sqlerr.Unsupported("INSERT into an external table whose LOCATION is a pattern")
	}
	if st, err := db.fs.Stat(t.Location); err == nil && !st.IsDir {
		return sqlerr.Unsupported("INSERT into an external table whose LOCATION is a file")
	}
	for _, id := range t.Distribution.Columns {
		if c := t.ColumnByID(id); !t.Distribution.Hash.Supports(c.Type) {
			return sqlerr.Unsupported(fmt.Sprintf("INSERT into buckets of a column of type %s with the hash %s", c.Type, t.Distribution.Hash))
		}
	}
	f, err := formatFor(t.Format)
	if err == nil {
		_, err = f.writer(t)
	}
	return err
}

// externalSink writes its Change down before the first writer is made.
type externalSink struct {
	*table.Sink
	db     *DB
	change *catalog.Change
	once   sync.Once
	err    error
}

func (s *externalSink) begin() error {
	s.once.Do(func() {
		s.err = s.db.cat.Update(func(tx *catalog.Tx) error { tx.BeginChange(s.change); return nil })
	})
	return s.err
}

// NewWriter implements storage.Sink.
func (s *externalSink) NewWriter(ctx context.Context, instance int) (storage.Writer, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	return s.Sink.NewWriter(ctx, instance)
}

// foldersOf are the folders of the i-th partition of the write: those there are with its values, or the one to be
// made. An unpartitioned table has its own.
func (w *pathWrite) foldersOf(i int) ([]string, error) {
	t := w.t
	if !t.InPath() {
		return []string{t.Location}, nil
	}
	if w.folders == nil {
		parts, err := w.x.s.db.pathPartitions(t)
		if err != nil {
			return nil, err
		}
		w.folders = map[string][]string{}
		for i := range parts {
			name := pathName(t, parts[i].tuple)
			w.folders[name] = append(w.folders[name], parts[i].folder)
		}
	}
	name := w.parts[i].Name
	if list := w.folders[name]; len(list) > 0 {
		return list, nil
	}
	return []string{filepath.Join(t.Location, filepath.FromSlash(name))}, nil
}

// commitExternal moves the written files to their places, see above, and runs also in the catalog transaction that makes
// them count.
func (w *pathWrite) commitExternal(files []table.File, also func(tx *catalog.Tx) error) error {
	db, t := w.x.s.db, w.t
	unlock, err := db.lockFolder(t)
	if err != nil {
		return err
	}
	defer unlock()
	w.folders = nil // as they are now
	c, err := w.planChange(files)
	if err != nil {
		return err
	}
	if err := db.cat.Update(func(tx *catalog.Tx) error { tx.BeginChange(c); return nil }); err != nil {
		w.change = &catalog.Change{ID: c.ID, FolderChange: storage.FolderChange{Staging: c.Staging}} // nothing was renamed
		return err
	}
	w.change = nil
	err = c.Apply(db.fs)
	if err == nil && len(c.Aside) == 0 {
		err = db.fs.RemoveAll(c.Staging)
	}
	if err == nil {
		db.moved.Note(c.Aside)
		err = db.cat.Update(func(tx *catalog.Tx) error {
			tx.EndChange(c.ID)
			if len(c.Aside) > 0 { // what is left to do
				tx.BeginChange(&catalog.Change{ID: c.ID, FolderChange: storage.FolderChange{Staging: c.Staging}})
			}
			if err := w.noteWritten(tx); err != nil {
				return err
			}
			return also(tx)
		})
	}
	if err != nil {
		if terr := db.takeBack(c); terr != nil {
			db.log.Warn("cannot take back a write to an external table yet", "location", t.Location, "error", terr)
		}
		return err
	}
	if len(c.Aside) > 0 {
		db.discardChange(c)
	}
	return nil
}

// planChange lists the renames of a commit. It runs with the folder locked.
func (w *pathWrite) planChange(files []table.File) (*catalog.Change, error) {
	c := &catalog.Change{ID: w.change.ID, FolderChange: storage.FolderChange{Staging: w.change.Staging}}
	w.change = c
	byPart := map[int64][]table.File{}
	for _, f := range files {
		byPart[f.Partition] = append(byPart[f.Partition], f)
	}
	planned := map[string]bool{}
	if !w.t.InPath() {
		return c, w.planPartition(c, 0, byPart[0], planned)
	}
	for i := range w.parts {
		of := byPart[w.parts[i].ID]
		if len(of) == 0 && len(w.dynamic) > 0 {
			continue // no row came
		}
		if err := w.planPartition(c, i, of, planned); err != nil {
			return c, err
		}
	}
	return c, nil
}

// planPartition adds the renames of one partition.
func (w *pathWrite) planPartition(c *catalog.Change, i int, files []table.File, planned map[string]bool) error {
	db := w.x.s.db
	folders, err := w.foldersOf(i)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for n, dir := range folders {
		entries, err := db.fs.List(dir)
		if sqlerr.Is(err, sqlerr.FileNotFound) && n == 0 {
			w.planFolders(c, dir, planned)
			break
		}
		if err != nil {
			return err
		}
		old := map[string]bool{}
		for _, e := range entries {
			if n == 0 {
				taken[strings.TrimSuffix(strings.TrimPrefix(e.Name, "."), ".crc")] = true
			}
			if e.IsDir || hidden(e.Name) {
				if e.IsDir && hive.Transactional(e.Name) {
					return sqlerr.Unsupported("a transactional table of Hive (" + filepath.Join(dir, e.Name) + ")")
				}
				continue
			}
			if !w.overwrite {
				if err := immutable(w.t); err != nil && len(files) > 0 && e.Size > 0 {
					return err
				}
				continue
			}
			old[e.Name] = true
		}
		for _, e := range entries {
			// The checksums that Hadoop keeps beside local files go with them.
			name, isSum := strings.CutSuffix(e.Name, ".crc")
			if old[e.Name] || isSum && old[strings.TrimPrefix(name, ".")] {
				to := filepath.Join(c.Staging, "old", fmt.Sprintf("%d_%d", i, n), e.Name)
				c.Aside = append(c.Aside, storage.FileMove{From: filepath.Join(dir, e.Name), To: to})
			}
		}
	}
	name := w.namer(folders[0], taken)
	for k, f := range files {
		c.Placed = append(c.Placed, storage.FileMove{From: filepath.Join(c.Staging, f.Name), To: filepath.Join(folders[0], name(k, &f))})
	}
	return nil
}

// planFolders adds dir and its parents that are not there, parents first.
func (w *pathWrite) planFolders(c *catalog.Change, dir string, planned map[string]bool) {
	var missing []string
	for d := dir; !planned[d] && d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := w.x.s.db.fs.Stat(d); err == nil {
			break
		}
		planned[d] = true
		missing = append(missing, d)
	}
	slices.Reverse(missing)
	c.Folders = append(c.Folders, missing...)
}

// namer names the files that a partition gets as the engine whose buckets they are does: 000003_0 for Hive, with
// _copy_1 and so on where the name is taken, part-00000-…_00003.c000.parquet for Spark. No name is one that a file has
// or had that a running statement may still read.
func (w *pathWrite) namer(dir string, taken map[string]bool) func(k int, f *table.File) string {
	bucketed := w.t.Distribution.Kind == catalog.HashDistributed
	free := func(name string) bool {
		if taken[name] || w.x.s.db.moved.Moved(filepath.Join(dir, name)) {
			return false
		}
		taken[name] = true
		return true
	}
	if w.loaded {
		return func(_ int, f *table.File) string {
			name := filepath.Base(f.Name)
			stem, ending, _ := strings.Cut(name, ".")
			if ending != "" {
				ending = "." + ending
			}
			for n := 1; !free(name); n++ {
				name = fmt.Sprintf("%s_copy_%d%s", stem, n, ending)
			}
			return name
		}
	}
	if bucketed && w.t.Distribution.Hash == bucket.Spark {
		id := fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", rand.Uint32(), rand.Uint32N(1<<16), rand.Uint32N(1<<12), 0x8000|rand.Uint32N(1<<14), rand.Uint64N(1<<48))
		return func(k int, f *table.File) string {
			name := fmt.Sprintf("part-%05d-%s_%05d.c000%s", k, id, f.Bucket, filepath.Ext(f.Name))
			free(name)
			return name
		}
	}
	return func(k int, f *table.File) string {
		number := int32(k)
		if bucketed {
			number = f.Bucket
		}
		ending := filepath.Ext(f.Name)
		switch ending {
		case ".parquet", ".orc", ".txt", ".csv", ".json":
			ending = "" // what is left tells how text is compressed
		}
		name := fmt.Sprintf("%06d_0%s", number, ending)
		for n := 1; !free(name); n++ {
			name = fmt.Sprintf("%06d_0_copy_%d%s", number, n, ending)
		}
		return name
	}
}

// noteWritten brings what the catalog knows of partitions up to date: those that had been dropped are there again, and
// where folders are not discovered all are noted.
func (w *pathWrite) noteWritten(tx *catalog.Tx) error {
	t := tx.TableByID(w.t.Database, w.t.ID)
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' was dropped meanwhile", w.t.Database, w.t.Name)
	}
	if !t.InPath() {
		return nil
	}
	var missing []catalog.Partition
	dropped := map[string]bool{}
	names := make(map[string]*catalog.Partition, len(t.Partitions))
	for i := range t.Partitions {
		names[t.Partitions[i].Name] = &t.Partitions[i]
	}
	for i := range w.parts {
		rec := names[w.parts[i].Name]
		if rec != nil && rec.Dropped {
			dropped[rec.Name] = true
		}
		if !discovers(t) && (rec == nil || rec.Dropped) {
			missing = append(missing, w.record(i))
		}
	}
	return changeRecords(tx, t, dropped, missing)
}

// changeRecords takes records of partitions of an external table away and then adds others.
func changeRecords(tx *catalog.Tx, t *catalog.Table, gone map[string]bool, added []catalog.Partition) error {
	if len(gone) > 0 {
		_, err := tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
			t.Partitions = slices.DeleteFunc(t.Partitions, func(p catalog.Partition) bool { return gone[p.Name] })
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	_, err := tx.AddPartitions(t.Database, t.ID, added...)
	return err
}

// takeBack undoes a change that did not end, with the folder locked where files were renamed. What cannot be
// undone is tried again before the folder is used, and at the next start.
func (db *DB) takeBack(c *catalog.Change) error {
	err := c.Undo(db.fs)
	if err == nil {
		err = db.cat.Update(func(tx *catalog.Tx) error { tx.EndChange(c.ID); return nil })
	}
	db.folderState(filepath.Dir(c.Staging)).settle(c, err == nil)
	return err
}

// takeBackAll undoes, at start, the changes that a crash left.
func (db *DB) takeBackAll() {
	for _, c := range slices.Backward(db.cat.Changes()) {
		if err := db.takeBack(c); err != nil {
			db.log.Warn("cannot take back a write to an external table yet", "location", filepath.Dir(c.Staging), "error", err)
		}
	}
}
