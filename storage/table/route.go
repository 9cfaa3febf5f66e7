package table

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
	"github.com/basaltdb/basalt/storage/partition"
)

// target is one bucket of one partition: where rows gather.
type target struct {
	partition *storage.PartitionInfo
	bucket    int32
	index     *Index       // whose rows; nil: the table's own
	bytes     atomic.Int64 // of buf

	mu  sync.Mutex
	buf buffer
	seq int // files so far
}

// routes find the target of rows. Immutable; AUTO PARTITION replaces it by one with more
// targets.
type routes struct {
	layout  *storage.Layout
	router  *partition.Router
	targets []*target
	first   []int32 // by partition ordinal: the target of its bucket 0
	buckets []int32 // by partition ordinal, at least 1
	counts  []int32 // the distinct numbers in buckets
}

// newRoutes makes the targets of l, taking those of old where the partition is the same.
func newRoutes(l *storage.Layout, schema []storage.Column, old *routes) *routes {
	types := make([]sqltype.Type, len(l.Columns))
	for i, c := range l.Columns {
		types[i] = schema[c].Type
	}
	r := &routes{layout: l, router: partition.NewRouter(l.Kind, types, l.Partitions)}
	known := map[int64]int32{}
	if old != nil {
		for i := range old.layout.Partitions {
			known[old.layout.Partitions[i].ID] = int32(i)
		}
	}
	seen := map[int32]bool{}
	for i := range l.Partitions {
		p := &l.Partitions[i]
		n := int32(1)
		if l.Bucketing != nil {
			n = int32(max(p.Buckets, 1))
		}
		r.first = append(r.first, int32(len(r.targets)))
		r.buckets = append(r.buckets, n)
		if !seen[n] {
			seen[n] = true
			r.counts = append(r.counts, n)
		}
		if at, ok := known[p.ID]; ok && old.buckets[at] == n {
			r.targets = append(r.targets, old.targets[old.first[at]:old.first[at]+n]...)
			continue
		}
		for b := range n {
			r.targets = append(r.targets, &target{partition: p, bucket: b})
		}
	}
	return r
}

// router is the writer of one driver: it sends rows to their targets.
type router struct {
	sink     *Sink
	instance int
	batches  int // for RANDOM buckets
	keep     []int32

	parts, buckets, scratch []int32
	hashes                  []uint32
	some                    []int32 // rows of partitions with one of several bucket counts

	counts  []int32 // by target, zero between batches
	touched []int32 // targets of the batch
	starts  []int32
	order   []int32 // rows grouped by target
	flat    []*vector.Vector
	cols    []*vector.Vector
}

func newRouter(s *Sink, instance int) *router {
	w := &router{sink: s, instance: instance, batches: instance, flat: make([]*vector.Vector, len(s.schema)), cols: make([]*vector.Vector, len(s.schema))}
	for i := range w.flat {
		w.flat[i] = &vector.Vector{}
	}
	return w
}

// Write implements storage.Writer.
func (w *router) Write(ctx context.Context, b *vector.Batch) error {
	sel, err := w.sink.storable(b, &w.keep)
	if err != nil {
		return err
	}
	if b.Len == 0 || sel != nil && len(sel) == 0 {
		return nil
	}
	r, sel, err := w.partitions(ctx, b, sel)
	if err != nil || sel != nil && len(sel) == 0 {
		return err
	}
	w.bucketNumbers(r, b, sel)
	w.group(r, b.Len, sel)
	delta := w.append(r, b)
	return w.sink.grow(ctx, delta)
}

// EndSection implements storage.SectionWriter: files of a table without an order of its own keep that of the section.
func (w *router) EndSection(ctx context.Context) error {
	if len(w.sink.o.Sorted) > 0 {
		return nil
	}
	return w.sink.flushAll(ctx)
}

// Close implements storage.Writer: what is buffered is written by Commit.
func (w *router) Close(context.Context) error { return nil }

func resize(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// partitions fills parts and returns the routes that it used and the rows that have a partition.
func (w *router) partitions(ctx context.Context, b *vector.Batch, sel []int32) (*routes, []int32, error) {
	w.parts = resize(w.parts, b.Len)
	r := w.sink.routes.Load()
	cols := make([]*vector.Vector, len(r.layout.Columns))
	for i, c := range r.layout.Columns {
		cols[i] = b.Cols[c]
	}
	for {
		var missing int
		missing, w.scratch = r.router.Route(cols, b.Len, sel, w.parts, w.scratch)
		if missing == 0 {
			return r, sel, nil
		}
		if w.sink.o.Routing.Create != nil {
			next, err := w.sink.createPartitions(ctx, r, partition.Unrouted(cols, b.Len, sel, w.parts))
			if err != nil {
				return nil, nil, err
			}
			if next != r {
				r = next
				continue
			}
		}
		if !w.sink.o.Lenient {
			tuple := partition.Unrouted(cols, b.Len, sel, w.parts)[0]
			return nil, nil, sqlerr.Detail("no partition for this tuple. tuple=%s", partition.TupleText(tuple)).
				WithHint("Add a partition for it, or SET enable_insert_strict = false to leave such rows out")
		}
		w.sink.filtered.Add(int64(missing))
		return r, w.routed(b.Len, sel), nil
	}
}

// routed are the rows of sel that have a partition.
func (w *router) routed(n int, sel []int32) []int32 {
	kept := w.keep[:0]
	if kept == nil {
		kept = []int32{} // nil would be all rows
	}
	if sel == nil {
		for i := range n {
			if w.parts[i] >= 0 {
				kept = append(kept, int32(i))
			}
		}
	} else {
		for _, i := range sel { // in place when sel is keep
			if w.parts[i] >= 0 {
				kept = append(kept, i)
			}
		}
	}
	w.keep = kept
	return kept
}

// createPartitions asks for partitions of tuples that r does not route, unless another driver
// has just got some; r itself means that there is nothing to be had.
func (s *Sink) createPartitions(ctx context.Context, r *routes, tuples [][]vector.Value) (*routes, error) {
	s.createMu.Lock()
	defer s.createMu.Unlock()
	if now := s.routes.Load(); now != r {
		return now, nil
	}
	l, err := s.o.Routing.Create(ctx, tuples)
	if err != nil || l == nil || len(l.Partitions) == len(r.layout.Partitions) {
		return r, err
	}
	next := newRoutes(l, s.o.Columns, r)
	s.routes.Store(next)
	return next, nil
}

// bucketNumbers fills buckets.
func (w *router) bucketNumbers(r *routes, b *vector.Batch, sel []int32) {
	w.buckets = resize(w.buckets, b.Len)
	bk := r.layout.Bucketing
	if bk == nil || bk.Random || len(r.counts) == 1 && r.counts[0] == 1 {
		n := int32(w.batches) // RANDOM: a batch goes to one bucket, the next to another
		if bk == nil || !bk.Random {
			n = 0
		}
		w.batches++
		w.eachRow(b.Len, sel, func(i int32) { w.buckets[i] = n % r.buckets[w.parts[i]] })
		return
	}
	cols := make([]*vector.Vector, len(bk.Columns))
	for i, c := range bk.Columns {
		cols[i] = b.Cols[c]
	}
	if len(r.counts) == 1 {
		w.hashes = bk.Hash.Numbers(cols, b.Len, sel, int(r.counts[0]), w.buckets, w.hashes)
		return
	}
	for _, n := range r.counts { // partitions may differ in their buckets
		w.some = w.some[:0]
		w.eachRow(b.Len, sel, func(i int32) {
			if r.buckets[w.parts[i]] == n {
				w.some = append(w.some, i)
			}
		})
		if len(w.some) > 0 {
			w.hashes = bk.Hash.Numbers(cols, b.Len, w.some, int(n), w.buckets, w.hashes)
		}
	}
}

func (w *router) eachRow(n int, sel []int32, f func(i int32)) {
	if sel == nil {
		for i := range int32(n) {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(i)
	}
}

// group fills touched, starts and order: a counting sort of the rows by target.
func (w *router) group(r *routes, n int, sel []int32) {
	if len(w.counts) < len(r.targets) {
		w.counts = make([]int32, len(r.targets))
	}
	w.touched = w.touched[:0]
	live := 0
	w.eachRow(n, sel, func(i int32) {
		t := r.first[w.parts[i]] + w.buckets[i]
		w.parts[i] = t
		if w.counts[t] == 0 {
			w.touched = append(w.touched, t)
		}
		w.counts[t]++
		live++
	})
	w.starts = append(w.starts[:0], 0)
	at := int32(0)
	for _, t := range w.touched {
		c := w.counts[t]
		w.counts[t] = at
		at += c
		w.starts = append(w.starts, at)
	}
	w.order = resize(w.order, live)
	w.eachRow(n, sel, func(i int32) {
		t := w.parts[i]
		w.order[w.counts[t]] = i
		w.counts[t]++
	})
	for _, t := range w.touched {
		w.counts[t] = 0
	}
}

// append copies the rows to their targets and returns by how many bytes memory grew.
func (w *router) append(r *routes, b *vector.Batch) int64 {
	order := w.order
	if len(w.touched) == 1 && len(order) == b.Len {
		order = nil // all rows, in place
	}
	for i, stored := range w.sink.stored {
		c := b.Cols[stored]
		if c.Type.Kind == sqltype.Null { // a bare NULL has no layout of its own
			w.flat[i].Type = w.sink.schema[i].Type
			w.flat[i].SetAllNull(len(w.order))
			w.cols[i] = w.flat[i].Flatten(nil, &vector.Vector{})
			continue
		}
		w.cols[i] = c.Flatten(order, w.flat[i])
	}
	var delta int64
	for k := range w.touched {
		k = (k + w.instance*len(w.touched)/7) % len(w.touched) // drivers start apart: they meet less
		t := r.targets[w.touched[k]]
		t.mu.Lock()
		grown := t.buf.append(w.sink.schema, w.cols, int(w.starts[k]), int(w.starts[k+1]))
		t.bytes.Add(grown)
		t.mu.Unlock()
		delta += grown
	}
	return delta
}

// grow accounts for delta more bytes of buffered rows, writing targets out where memory ends.
func (s *Sink) grow(ctx context.Context, delta int64) error {
	s.buffered.Add(delta)
	for {
		refused := s.reserved.Grow(delta)
		if refused == nil {
			break
		}
		done, err := s.flushLargest(ctx, 0)
		if err != nil {
			return err
		}
		if !done && !s.waitForFlush() {
			s.buffered.Add(-delta)
			return refused
		}
	}
	for s.buffered.Load() > s.bound {
		if done, err := s.flushLargest(ctx, 0); err != nil || !done {
			return err
		}
	}
	for { // a target that holds much of the bound alone is better written while others grow
		if done, err := s.flushLargest(ctx, s.bound/4); err != nil || !done {
			return err
		}
	}
}

// waitForFlush waits until a flush of another driver ends; false when there is none.
func (s *Sink) waitForFlush() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flushing == 0 {
		return false
	}
	s.flushed.Wait()
	return true
}

// flushLargest writes the target with most bytes, if it has more than least; false when there is none.
func (s *Sink) flushLargest(ctx context.Context, least int64) (bool, error) {
	var best *target
	most := least
	for _, t := range s.targets() {
		if b := t.bytes.Load(); b > most {
			best, most = t, b
		}
	}
	if best == nil {
		return false, nil
	}
	return true, s.flush(ctx, best)
}

// flush sorts what a target has and writes it as one file.
func (s *Sink) flush(ctx context.Context, t *target) error {
	if err := interrupted(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.flushing++
	s.mu.Unlock()
	t.mu.Lock()
	buf, seq := t.buf, t.seq
	t.buf = buffer{}
	t.bytes.Store(0)
	if buf.rows > 0 {
		t.seq++
	}
	t.mu.Unlock()
	defer func() {
		s.buffered.Add(-buf.bytes)
		s.reserved.Shrink(buf.bytes)
		s.mu.Lock()
		s.flushing--
		s.flushed.Broadcast()
		s.mu.Unlock()
	}()
	if buf.rows == 0 {
		return nil
	}
	folder := ""
	if f := s.o.Routing.Folder; f != nil {
		folder = f(t.partition)
	}
	if t.index != nil {
		return s.flushIndex(ctx, t, folder, seq, &buf)
	}
	cols := buf.columns(s.schema)
	if !s.o.IndexOnly {
		out, err := s.start(folder, s.schema, s.o.Format, func(int) string {
			return fmt.Sprintf("%06d_%d_%d%s", t.bucket, seq, s.o.Txn, s.o.Format.Extension())
		})
		if err != nil {
			return err
		}
		out.seq = seq
		if err := s.writeSorted(ctx, out, cols, buf.rows, s.sorted, s.o.Merge); err != nil {
			_ = s.closeFile(out.raw)
			return err
		}
		if err := out.finish(t.partition.ID, t.bucket); err != nil {
			return err
		}
	}
	return s.index(ctx, t, cols, buf.rows)
}

// writeSorted writes n rows of cols in an order, those of one key as one where merging says so.
func (s *Sink) writeSorted(ctx context.Context, out *output, cols []*vector.Vector, n int, order []keyorder.Key, merging *keyorder.Merging) error {
	rows := &sortedRows{cols: cols, perm: keyorder.Sort(cols, n, order), n: n}
	if merging != nil {
		m := *merging
		m.Unique = false
		return writeMerged(ctx, out, []storage.Reader{rows}, order, &m, nil)
	}
	for {
		if err := interrupted(ctx); err != nil {
			return err
		}
		b, err := rows.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := out.write(b); err != nil {
			return err
		}
	}
}

// flushAll writes all targets, then those of the indexes, which get the last of their rows by that.
func (s *Sink) flushAll(ctx context.Context) error {
	r := s.routes.Load()
	if r == nil {
		return nil
	}
	var done atomic.Int64
	if err := s.flushTargets(ctx, r.targets, func() {
		if n := int(done.Add(1)); s.o.Progress != nil {
			s.o.Progress(n, len(r.targets))
		}
	}); err != nil {
		return err
	}
	return s.flushTargets(ctx, s.indexed.list, func() {})
}

// flushTargets writes targets on as many goroutines as there were writers, and calls flushed after each.
func (s *Sink) flushTargets(ctx context.Context, targets []*target, flushed func()) error {
	var (
		wg      sync.WaitGroup
		next    atomic.Int64
		mu      sync.Mutex
		first   error
		crashed any
	)
	work := func() {
		defer func() {
			if p := recover(); p != nil {
				mu.Lock()
				crashed = p
				mu.Unlock()
			}
		}()
		for {
			i := int(next.Add(1)) - 1
			if i >= len(targets) {
				return
			}
			if t := targets[i]; t.bytes.Load() > 0 {
				if err := s.flush(ctx, t); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					next.Store(int64(len(targets)))
					continue
				}
			}
			flushed()
		}
	}
	for range min(s.writers, len(targets)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if crashed != nil {
		panic(crashed)
	}
	return first
}
