package basalt

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/table"
)

// Sizes of building indexes.
const (
	// buildRows rows are indexed in one transaction, and are what a crash or an overwrite in between costs.
	buildRows = 16 << 20
	// smallBuild: the statement that adds an index to fewer rows waits until it is built.
	smallBuild = 1 << 20
)

// indexer indexes, in the background, what files of tables their indexes do not cover: all when an index was added,
// those of loads that began before, and what is left where rows were deleted.
//
// A round takes files of one partition that one index misses, reads them as a snapshot has them, writes the index's
// rows and publishes both in one transaction, which does nothing when one of the files is gone by then: the next
// round sees what is there now. So a restart goes on where the last round ended, and neither loads nor readers wait.
type indexer struct {
	mu      sync.Mutex
	queue   map[tableKey]bool
	at      map[int64]bool // indexes that are being built at the moment
	running bool
	stopped bool
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup
	serial  sync.Mutex // one round at a time
}

// uncovered is what an index misses of a partition.
type uncovered struct {
	index     *indexDefinition
	partition int64
	files     []catalog.DataFile
}

// nextUncovered is the next thing to do for a table; nil when all is done. Indexes of which skip is set are left out.
func (db *DB) nextUncovered(t *catalog.Table, skip func(index int64) bool) *uncovered {
	for _, d := range db.indexesOf(t) {
		if d.err != nil || skip(d.ID) {
			continue
		}
		var u *uncovered
		rows := int64(0)
		for _, f := range t.Files {
			if f.Covers(d.ID) || u != nil && f.Partition != u.partition {
				continue
			}
			if u == nil {
				u = &uncovered{index: d, partition: f.Partition}
			}
			if rows > 0 && rows+f.Rows > buildRows {
				break
			}
			rows += f.Rows
			u.files = append(u.files, f)
		}
		if u != nil {
			return u
		}
		if d.Building { // its files went
			return &uncovered{index: d}
		}
	}
	return nil
}

// indexLater asks for the indexes of a table, if they miss anything.
func (db *DB) indexLater(key tableKey) {
	t := tableOf(db.cat.Snapshot(), key)
	if t == nil || len(t.Indexes) == 0 || db.nextUncovered(t, func(int64) bool { return false }) == nil {
		return
	}
	x := &db.indexing
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stopped {
		return
	}
	if x.ctx == nil {
		x.ctx, x.stop = context.WithCancel(context.Background())
		x.queue = map[tableKey]bool{}
	}
	x.queue[key] = true
	if !x.running {
		x.running = true
		x.done.Go(func() { db.indexQueue(x.ctx) })
	}
}

// indexAll asks for what is missing in all tables.
func (db *DB) indexAll() {
	snap := db.cat.Snapshot()
	for _, name := range snap.Databases() {
		for _, t := range snap.Tables(name) {
			if len(t.Indexes) > 0 {
				db.indexLater(tableKey{t.Database, t.ID})
			}
		}
	}
}

func (db *DB) indexQueue(ctx context.Context) {
	x := &db.indexing
	for {
		x.mu.Lock()
		if len(x.queue) == 0 || x.stopped {
			x.running = false
			x.mu.Unlock()
			return
		}
		var key tableKey
		for key = range x.queue {
			break
		}
		delete(x.queue, key)
		x.mu.Unlock()
		if err := db.buildIndexes(ctx, key); err != nil && ctx.Err() == nil {
			db.log.Warn("building an index failed", "database", key.database, "table", key.id, "error", err)
		}
	}
}

// stopIndexing ends the background work and waits for it.
func (db *DB) stopIndexing() {
	x := &db.indexing
	x.mu.Lock()
	x.stopped = true
	if x.stop != nil {
		x.stop()
	}
	x.mu.Unlock()
	x.done.Wait()
}

// buildIndexes builds what the indexes of a table miss. An index whose rows cannot be made is dropped when it was
// never complete, and its job tells why.
func (db *DB) buildIndexes(ctx context.Context, key tableKey) (err error) {
	x := &db.indexing
	x.serial.Lock()
	defer x.serial.Unlock()
	defer func() { // a bug ends this round, not the process
		if p := recover(); p != nil {
			db.log.Error("building an index", "panic", p, "stack", string(debug.Stack()))
			err = sqlerr.New(sqlerr.Internal, "building an index: %v", p)
		}
	}()
	given := map[int64]bool{}
	for ctx.Err() == nil {
		t := tableOf(db.cat.Snapshot(), key)
		if t == nil {
			return nil
		}
		u := db.nextUncovered(t, func(index int64) bool { return given[index] })
		if u == nil {
			return err
		}
		x.enter(u.index.ID, true)
		failed := db.buildPart(ctx, t, u)
		x.enter(u.index.ID, false)
		switch {
		case failed == nil:
		case ctx.Err() != nil:
			return failed
		default:
			err = failed
			given[u.index.ID] = true
			if u.index.Building && !retriable(failed) {
				if cerr := db.cancelIndex(t, u.index.ID, sqlerr.From(failed).Message); cerr != nil {
					return cerr
				}
			}
		}
	}
	return sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "building an index was interrupted")
}

// retriable errors are not the data's.
func retriable(err error) bool {
	switch sqlerr.From(err).Code {
	case sqlerr.FileIO, sqlerr.FileNotFound, sqlerr.Interrupted, sqlerr.OutOfMemory, sqlerr.Internal:
		return true
	}
	return false
}

func (x *indexer) enter(index int64, in bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at == nil {
		x.at = map[int64]bool{}
	}
	x.at[index] = in
}

// cancelIndex drops an index that cannot be built.
func (db *DB) cancelIndex(t *catalog.Table, index int64, message string) error {
	var gone []string
	err := db.cat.Update(func(tx *catalog.Tx) error {
		now := tx.TableByID(t.Database, t.ID)
		if now == nil || now.IndexByID(index) == nil {
			return nil
		}
		tx.EndJobs(catalog.RollupJob, index, catalog.JobCancelled, message)
		files, err := tx.DropIndex(t.Database, t.ID, index)
		gone = db.filePaths(now, files)
		return err
	})
	db.discard(gone...)
	return err
}

// buildPart indexes some files of a partition.
func (db *DB) buildPart(ctx context.Context, t *catalog.Table, u *uncovered) error {
	defer db.pin()() // the files that it reads stay
	covered := map[string]*rowset.Set{}
	for _, f := range u.files {
		covered[f.Path] = f.Deleted
	}
	publish := func(_ context.Context, files []table.File) error {
		var ok bool
		err := db.cat.Update(func(tx *catalog.Tx) (err error) {
			if now := tx.TableByID(t.Database, t.ID); now != nil && !sameIndex(u.index.Index, now.IndexByID(u.index.ID)) {
				return nil // its rows go to it in another way now
			}
			ok, err = tx.CoverFiles(t.Database, t.ID, u.index.ID, covered, dataFiles(t, files))
			return err
		})
		if err == nil && !ok { // what was read is not there any more
			db.discard(db.filePaths(t, dataFiles(t, files))...)
		}
		return err
	}
	if len(u.files) == 0 {
		return publish(ctx, nil)
	}
	memory := budget.New("index", max(db.memory.Limit()/4, 64<<20), db.memory)
	defer memory.ReleaseAll()
	keep := func(p *catalog.Partition) bool { return p.ID == u.partition }
	sink := table.NewSink(table.Options{
		FS: db.fs, Dir: db.location(t), Txn: db.newTxn(), Columns: storageColumns(t), Format: writeFormat(t), IndexOnly: true,
		Indexes: []table.Index{sinkIndex(t, u.index)},
		Routing: &table.Routing{Layout: layoutOf(t, keep), Folder: partitionFolder},
		Publish: publish,
	})
	defer sink.Abort()
	sink.UseBudget(memory)
	if err := db.copyFiles(ctx, t, keep, covered, sink, memory); err != nil {
		return err
	}
	return sink.Commit(ctx)
}

// copyFiles gives the rows of files of a partition to a sink, on as many goroutines as there are cores.
func (db *DB) copyFiles(ctx context.Context, t *catalog.Table, keep func(*catalog.Partition) bool, paths map[string]*rowset.Set, sink *table.Sink, memory *budget.Budget) error {
	part := *t
	part.Files = nil
	for _, f := range t.Files {
		if _, ok := paths[f.Path]; ok {
			part.Files = append(part.Files, f)
		}
	}
	src := db.newSource(&part, keep)
	req := &storage.ScanRequest{Limit: -1, Budget: memory.Reserve("index")}
	for i := range t.Columns {
		req.Columns = append(req.Columns, i)
	}
	splits, err := src.Splits(ctx, req)
	if err != nil {
		return err
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		next  int
		first error
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	claim := func() storage.Split {
		mu.Lock()
		defer mu.Unlock()
		if next == len(splits) || first != nil {
			return nil
		}
		next++
		return splits[next-1]
	}
	work := func(instance int) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = sqlerr.New(sqlerr.Internal, "building an index: %v", p)
				db.log.Error("building an index", "panic", p, "stack", string(debug.Stack()))
			}
		}()
		w, err := sink.NewWriter(ctx, instance)
		if err != nil {
			return err
		}
		for sp := claim(); sp != nil; sp = claim() {
			if err := db.copySplit(ctx, src, sp, req, w); err != nil {
				return err
			}
		}
		return w.Close(ctx)
	}
	for i := range max(min(db.work, len(splits)), 1) {
		wg.Go(func() {
			if err := work(i); err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
				cancel()
			}
		})
	}
	wg.Wait()
	return first
}

// copySplit gives the rows of a split to a writer. It holds a core while it computes, and gives it away now and then.
func (db *DB) copySplit(ctx context.Context, src storage.Source, sp storage.Split, req *storage.ScanRequest, w storage.Writer) error {
	r, err := src.Open(ctx, sp, req)
	if err != nil {
		return err
	}
	defer r.Close()
	const batches = 16 // between two breaks
	for more := true; more; {
		if err := db.slots.Acquire(ctx); err != nil {
			return sqlerr.Wrap(sqlerr.Interrupted, err, "building an index was interrupted")
		}
		for i := 0; i < batches && more && err == nil; i++ {
			b, rerr := r.Next(ctx)
			if more, err = b != nil, rerr; more && err == nil {
				err = w.Write(ctx, b)
			}
		}
		db.slots.Release()
		if err != nil {
			return err
		}
	}
	return nil
}
