package basalt

import (
	"cmp"
	"context"
	"math/bits"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/table"
)

// Sizes of compaction.
const (
	compactedBytes = 128 << 20 // files are merged up to this size
	mergedBytes    = 1 << 30   // … where merging makes rows of equal keys one
	compactedFiles = 32        // and not more at once: each is open with its pages
	tierFiles      = 8         // so many files of a size are merged on their own
	smallestTier   = 64 << 10
	batchOfMerges  = 64 // merges that one transaction publishes
)

// compactor merges small files of internal tables in the background: one table at a time, after
// writes to it. Files keep their bucket and their order. It reads a snapshot as queries do, and its
// transaction takes away only files that it read, so that neither readers nor writers wait for it
// or lose anything by it.
type compactor struct {
	mu      sync.Mutex
	queue   map[tableKey]map[int64]bool // partitions that were written to
	running bool
	stopped bool
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup
	serial  sync.Mutex // one compaction at a time, automatic or not
}

// tableKey finds a table, renamed or not.
type tableKey struct {
	database string
	id       int64
}

// compactLater asks for automatic compaction of the partitions of t that files were written to, unless
// the table (disable_auto_compaction) or the engine (enable_auto_compaction) has it off.
func (db *DB) compactLater(t *catalog.Table, files []catalog.DataFile, holes ...int64) {
	db.mu.Lock()
	on := db.global.bool("enable_auto_compaction") && !db.closed
	db.mu.Unlock()
	if !on || strings.EqualFold(t.Properties["disable_auto_compaction"], "true") || len(t.Files)+len(files) < tierFiles && len(holes) == 0 {
		return
	}
	c := &db.compaction
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	if c.ctx == nil {
		c.ctx, c.stop = context.WithCancel(context.Background())
		c.queue = map[tableKey]map[int64]bool{}
	}
	key := tableKey{t.Database, t.ID}
	if c.queue[key] == nil {
		c.queue[key] = map[int64]bool{}
	}
	for i := range files {
		c.queue[key][files[i].Partition] = true
	}
	for _, p := range holes {
		c.queue[key][p] = true
	}
	if !c.running {
		c.running = true
		c.done.Go(func() { db.compactQueue(c.ctx) })
	}
}

// compactQueue compacts the queued tables until there are none.
func (db *DB) compactQueue(ctx context.Context) {
	c := &db.compaction
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.stopped {
			c.running = false
			c.mu.Unlock()
			return
		}
		var key tableKey
		for key = range c.queue {
			break
		}
		partitions := c.queue[key]
		delete(c.queue, key)
		c.mu.Unlock()
		if _, err := db.compact(ctx, key, automaticMerges, partitions); err != nil && ctx.Err() == nil {
			db.log.Warn("compaction failed", "database", key.database, "table", key.id, "error", err)
		}
	}
}

// stopCompaction ends the background work and waits for it.
func (db *DB) stopCompaction() {
	c := &db.compaction
	c.mu.Lock()
	c.stopped = true
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	c.done.Wait()
}

// merging is one merge: files of one bucket that become one file.
type merging struct {
	partition storage.PartitionInfo
	bucket    int32
	files     []catalog.DataFile
}

// planMerges chooses what to merge of the files of one bucket. inOrder: the files are in the order that their rows
// count as added, and only neighbours may be merged; else they are in order of size.
type planMerges func(files []catalog.DataFile, inOrder bool) [][]catalog.DataFile

// automaticMerges merges files when there are many of about the same size, so that a row is
// rewritten a logarithmic number of times.
func automaticMerges(files []catalog.DataFile, inOrder bool) [][]catalog.DataFile {
	if inOrder {
		return neighbours(files)
	}
	for at := 0; at < len(files); {
		tier := tierOf(files[at].Bytes)
		end := at
		var sum int64
		for end < len(files) && tierOf(files[end].Bytes) == tier {
			sum += files[end].Bytes
			end++
		}
		if end-at >= tierFiles && sum/int64(end-at) < compactedBytes/2 {
			return chunks(files[:end], compactedBytes) // with the smaller ones
		}
		at = end
	}
	return nil
}

// tierOf grows by one when the size grows four times.
func tierOf(size int64) int { return bits.Len64(uint64(max(size, smallestTier))/smallestTier) / 2 }

// neighbours is automaticMerges of files in order: the first runs of many files that are small enough, the smallest
// size first.
func neighbours(files []catalog.DataFile) [][]catalog.DataFile {
	var tiers []int
	for i := range files {
		tiers = append(tiers, tierOf(files[i].Bytes))
	}
	sizes := slices.Clone(tiers)
	slices.Sort(sizes)
	for _, tier := range slices.Compact(sizes) {
		var out [][]catalog.DataFile
		for lo := 0; lo < len(files); lo++ {
			hi := lo
			for hi < len(files) && tiers[hi] <= tier {
				hi++
			}
			if hi-lo >= tierFiles {
				out = append(out, chunks(files[lo:hi], mergedBytes)...)
			}
			lo = hi
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// allMerges merges every file below the target size with others.
func allMerges(files []catalog.DataFile, inOrder bool) [][]catalog.DataFile {
	if inOrder {
		return chunks(files, mergedBytes)
	}
	n := 0
	for n < len(files) && files[n].Bytes < compactedBytes {
		n++
	}
	return chunks(files[:n], compactedBytes)
}

// chunks cuts files into merges of at least two, of up to limit bytes.
func chunks(files []catalog.DataFile, limit int64) (out [][]catalog.DataFile) {
	for len(files) > 1 {
		n, sum := 0, int64(0)
		for n < len(files) && n < compactedFiles && (n == 0 || sum+files[n].Bytes <= limit) {
			sum += files[n].Bytes
			n++
		}
		if n > 1 {
			out = append(out, files[:n])
		}
		files = files[n:]
	}
	return out
}

// merges lists what plan chooses for each bucket of the partitions that keep names (nil: all).
func merges(t *catalog.Table, plan planMerges, keep map[int64]bool) []merging {
	type tablet struct {
		partition int64
		bucket    int32
	}
	inOrder := t.Model == catalog.AggregateKey
	groups := map[tablet][]catalog.DataFile{}
	var order []tablet
	for _, f := range t.Files {
		k := tablet{f.Partition, f.Bucket}
		if keep != nil && !keep[f.Partition] || !inOrder && !indexed(t, &f) {
			continue
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], f)
	}
	infos := map[int64]storage.PartitionInfo{}
	for _, p := range layoutOf(t, func(*catalog.Partition) bool { return true }).Partitions {
		infos[p.ID] = p
	}
	var out []merging
	for _, k := range order {
		files := groups[k]
		slices.SortStableFunc(files, func(a, b catalog.DataFile) int {
			if inOrder {
				return a.Compare(&b)
			}
			return cmp.Compare(a.Bytes, b.Bytes)
		})
		var parts [][]catalog.DataFile
		for _, run := range runsAlike(t, files, inOrder) {
			parts = append(parts, plan(run, inOrder)...)
		}
		for _, part := range append(parts, holey(t, files, parts)...) {
			slices.SortStableFunc(part, func(a, b catalog.DataFile) int { return a.Compare(&b) })
			out = append(out, merging{infos[k.partition], k.bucket, part})
		}
	}
	return out
}

// runsAlike cuts files that are in order at those that are being indexed, which must stay; others are one run.
func runsAlike(t *catalog.Table, files []catalog.DataFile, inOrder bool) (out [][]catalog.DataFile) {
	if !inOrder {
		return [][]catalog.DataFile{files}
	}
	for lo := 0; lo < len(files); {
		hi := lo + 1
		for hi < len(files) && indexed(t, &files[hi]) == indexed(t, &files[lo]) {
			hi++
		}
		if indexed(t, &files[lo]) {
			out = append(out, files[lo:hi])
		}
		lo = hi
	}
	return out
}

// holeyShare: a file of which one row in so many is deleted is written anew.
const holeyShare = 3

func isHoley(t *catalog.Table, f *catalog.DataFile) bool {
	return f.Rows > 0 && f.Deleted.Len()*holeyShare >= f.Rows && !hasTombstones(t, f)
}

// holey are the files, each alone, that are not in parts and have many deleted rows.
func holey(t *catalog.Table, files []catalog.DataFile, parts [][]catalog.DataFile) (out [][]catalog.DataFile) {
	taken := map[string]bool{}
	for _, p := range parts {
		for i := range p {
			taken[p[i].Path] = true
		}
	}
	for i := range files {
		if f := &files[i]; isHoley(t, f) && !taken[f.Path] && indexed(t, f) {
			out = append(out, []catalog.DataFile{*f})
		}
	}
	return out
}

// indexed reports that all indexes cover a file: one that is being indexed must stay.
func indexed(t *catalog.Table, f *catalog.DataFile) bool {
	for i := range t.Indexes {
		if !f.Covers(t.Indexes[i].ID) {
			return false
		}
	}
	return true
}

// compact merges files of a table and of its indexes, in the partitions that keep names (nil: all), as plan says until there is
// nothing to merge, and returns how many files it took away.
func (db *DB) compact(ctx context.Context, key tableKey, plan planMerges, keep map[int64]bool) (taken int, err error) {
	db.compaction.serial.Lock()
	defer db.compaction.serial.Unlock()
	defer func() { // a bug ends this compaction, not the process
		if p := recover(); p != nil {
			db.log.Error("compaction", "panic", p, "stack", string(debug.Stack()))
			err = sqlerr.New(sqlerr.Internal, "compaction: %v", p)
		}
	}()
	for {
		n, err := db.compactOnce(ctx, key, plan, keep)
		taken += n
		if err != nil || n == 0 {
			return taken, err
		}
	}
}

// compactOnce does some merges of a table in one transaction.
func (db *DB) compactOnce(ctx context.Context, key tableKey, plan planMerges, keep map[int64]bool) (int, error) {
	defer db.pin()() // the files that it reads stay
	t := tableOf(db.cat.Snapshot(), key)
	if t == nil || t.Kind != catalog.Internal {
		return 0, nil
	}
	of := t // the table, or one of its indexes
	list := merges(t, plan, keep)
	for i := 0; i < len(t.Indexes) && len(list) == 0; i++ {
		of = indexTable(t, &t.Indexes[i])
		list = merges(of, plan, keep)
	}
	if len(list) == 0 {
		return 0, nil
	}
	list = list[:min(len(list), batchOfMerges)]
	ctx, release, err := db.slots.Hold(ctx)
	if err != nil {
		return 0, sqlerr.Wrap(sqlerr.Interrupted, err, "compaction was interrupted")
	}
	defer release()
	pause := func() error { // whoever waits for a core gets it
		if err := executor.Yield(ctx, func() error { return nil }); err != nil {
			return sqlerr.Wrap(sqlerr.Interrupted, err, "compaction was interrupted")
		}
		return nil
	}
	return db.merge(ctx, of, t.ID, list, pause)
}

// tableOf finds a table of a snapshot by its id.
func tableOf(snap catalog.Snapshot, key tableKey) *catalog.Table {
	for _, t := range snap.Tables(key.database) {
		if t.ID == key.id {
			return t
		}
	}
	return nil
}

// merge does a list of merges of files of t, which is a table or the index of one, and publishes them together. id is
// that of the table.
func (db *DB) merge(ctx context.Context, t *catalog.Table, id int64, list []merging, pause func() error) (taken int, err error) {
	memory := budget.New("compaction", max(db.memory.Limit()/8, 64<<20), db.memory)
	defer memory.ReleaseAll()
	layout := layoutOf(t, nil)
	if len(layout.Columns) == 0 {
		layout.Kind = storage.Unpartitioned // an index without the partition columns; nothing is routed
	}
	c := &compaction{db: db, table: t, id: id, memory: memory}
	c.keys, c.descending = mergedBy(t)
	sink := table.NewSink(table.Options{
		FS: db.fs, Dir: db.location(t), Txn: db.newTxn(), Columns: storageColumns(t), Format: writeFormat(t),
		Sorted: c.keys, Descending: c.descending,
		Routing: routingOf(t, layout),
		Merge:   c.merging(),
		Publish: func(ctx context.Context, files []table.File) error {
			n, err := c.publish(ctx, files)
			taken = n
			return err
		},
	})
	defer sink.Abort()
	req := &storage.ScanRequest{Limit: -1, Budget: memory.Reserve("compaction")}
	for i := range t.Columns {
		if !isPathColumn(t, i) {
			req.Columns = append(req.Columns, i)
		}
	}
	for i := range list {
		m := &list[i]
		readers, err := c.readers(ctx, m, req)
		if err != nil {
			return 0, err
		}
		if err := sink.Rewrite(ctx, &m.partition, m.bucket, readers, pause); err != nil {
			return 0, err
		}
		c.done = append(c.done, *m)
	}
	return taken, sink.Commit(ctx)
}

// isConcatenate reports whether a statement is ALTER TABLE t [PARTITION (…)] CONCATENATE.
func isConcatenate(st *ast.AlterTable) bool {
	return len(st.Actions) == 1 && st.Actions[0].Kind == "CONCATENATE"
}

// specPartitions adds the partitions of a table of Hive that a spec takes.
func (x *execution) specPartitions(t *catalog.Table, spec []ast.PartitionSpec, to map[int64]bool) error {
	match, err := x.specMatch(t, spec)
	if err != nil {
		return err
	}
	found := false
	for i := range t.Partitions {
		if match(t.Partitions[i].Bounds.Values[0]) {
			found, to[t.Partitions[i].ID] = true, true
		}
	}
	if !found {
		return sqlerr.New(sqlerr.UnknownPartition, "No partition of table '%s' is (%s)", t.Name, specText(spec)).At(spec[0].Position())
	}
	return nil
}

// concatenate merges the small files of a table, or of some of its partitions, now.
func (x *execution) concatenate(ctx context.Context, st *ast.AlterTable) (*Rows, error) {
	t, err := x.writableTable(st.Name)
	if err != nil {
		return nil, err
	}
	var partitions map[int64]bool
	if len(st.Actions[0].Specs) > 0 {
		partitions = map[int64]bool{}
	}
	for _, spec := range st.Actions[0].Specs {
		if t.InPath() {
			if err := x.specPartitions(t, spec, partitions); err != nil {
				return nil, err
			}
			continue
		}
		for _, s := range spec {
			if s.Value != nil {
				return nil, sqlerr.Unsupported("CONCATENATE with Hive's partition specifications").At(s.Position())
			}
			if t.Partitioning == nil && strings.EqualFold(s.Column, t.Name) {
				partitions[0] = true
				continue
			}
			p := t.PartitionNamed(s.Column, false)
			if p == nil {
				return nil, sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", s.Column, t.Name).At(s.Position())
			}
			partitions[p.ID] = true
		}
	}
	if _, err := x.s.db.compact(ctx, tableKey{t.Database, t.ID}, allMerges, partitions); err != nil {
		return nil, err
	}
	return okRows(x.s, 0, ""), nil
}
