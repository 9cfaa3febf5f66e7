package executor

import (
	"context"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// aggMergeGroups is the number of groups over all drivers from which merging is worth 64
// partitions.
const aggMergeGroups = 1 << 13

// aggMergeBytes is the memory of all drivers' tables from which on it is worth them whatever the number of groups: few groups
// with large states (bitmaps, lists).
const aggMergeBytes = 1 << 20

// aggEmitBytes is about how much of states goes into one batch of results.
const aggEmitBytes = 8 << 20

// mergeChunk is how many keys are merged at a time.
const mergeChunk = 4096

// aggMerge merges drivers' tables by radix partition; readers claim partitions.
type aggMerge struct {
	a          *hashAggregate
	locals     []*aggLocal
	orders     []aggOrder // by local
	partitions int
	next       atomic.Int64
	// ranged: all tables are direct arrays, and partition p is the keys from lo+p<<shift on.
	ranged bool
	lo     int64
	shift  uint
	folded *aggFold // not nil: the tables are merged, and a partition is a chunk of one
}

// aggOrder lists a local table's groups by partition; made by whoever needs it first.
type aggOrder struct {
	once    sync.Once
	order   []uint32
	offsets []int
}

func newAggMerge(a *hashAggregate, locals []*aggLocal) *aggMerge {
	m := &aggMerge{a: a, locals: locals, orders: make([]aggOrder, len(locals)), partitions: 1}
	groups, bytes := 0, int64(0)
	for _, l := range locals {
		if l.parts != nil || l.disk != nil {
			m.partitions = aggPartitions
		}
		groups += l.table.Groups()
		bytes += l.bytes()
	}
	if len(locals) > 1 && (groups >= aggMergeGroups || groups > len(locals) && bytes >= aggMergeBytes) {
		m.partitions = aggPartitions
		m.byRange()
	}
	return m
}

// byRange partitions by ranges of keys, where all tables are direct arrays: then merging is
// reading and writing along short arrays, without hashes.
func (m *aggMerge) byRange() {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, l := range m.locals {
		if l.parts != nil || l.disk != nil || !l.table.Dense() {
			return
		}
		from, to := l.table.Span()
		lo, hi = min(lo, from), max(hi, to)
	}
	m.ranged, m.lo = true, lo
	m.shift = uint(bits.Len64(uint64(hi-lo) / aggPartitions))
}

// aggResult are complete groups. accs are in the order of the cursor's which.
type aggResult struct {
	table  *hashtable.GroupTable
	accs   []function.Accumulator
	layout *hashtable.Layout
	writer *hashtable.ArenaWriter
	alone  bool // writer's arena is the result's own
	level  int  // of the file that it goes to when it is too large
	disk   *aggDisk
	held   int64
	// renewable: the table is the cursor's for its next result.
	renewable bool
	// lo and hi are the groups that it has of the table, but for zeros in kept (nil: all).
	lo, hi int
	kept   vector.Bitmap
}

// partition merges what a task names. Every partition is asked for once. The result is nil
// when it was too large: there are more tasks instead.
func (m *aggMerge) partition(c *aggCursor, t aggTask) (*aggResult, error) {
	if t.disk == nil && m.partitions == 1 && len(m.locals) == 1 && len(m.locals[0].aggs) == len(c.which) {
		l := m.locals[0]
		return &aggResult{table: l.table, accs: l.accs}, nil
	}
	r, err := m.newResult(c, t)
	if err != nil {
		return nil, err
	}
	if t.disk != nil {
		if err := c.readDisk(r, t.disk, t.partition); err != nil {
			return nil, err
		}
		return c.finish(r)
	}
	for i, l := range m.locals {
		at := positions(c.which, l.aggs)
		if l.parts != nil {
			for k := range l.parts.part[t.partition] {
				if err := c.w.mergeChunk(r, at, &l.parts.part[t.partition][k]); err != nil {
					return nil, err
				}
				if err := c.claim(r); err != nil {
					return nil, err
				}
			}
			m.forget(l, t.partition)
		}
		if err := c.mergeTable(r, at, l, m.rowsOf(i, t.partition)); err != nil {
			return nil, err
		}
		if l.disk != nil {
			if err := c.readDisk(r, l.disk, t.partition); err != nil {
				return nil, err
			}
		}
	}
	return c.finish(r)
}

// newResult makes an empty result for a task.
func (m *aggMerge) newResult(c *aggCursor, t aggTask) (*aggResult, error) {
	r := &aggResult{}
	// What drivers put into partitions hardly comes back, so it adds up; groups of growing tables
	// are mostly the same in all.
	capacity, apart := 16, 0
	spilled := t.disk != nil
	if spilled {
		r.level = t.disk.parts.Level + 1
	} else if m.partitions > 1 {
		r.level = 1
	}
	for i, l := range m.locals {
		r.layout = l.stream.layout
		if spilled || l.disk != nil {
			spilled = true
			continue
		}
		if l.parts != nil {
			apart += l.parts.expect(t.partition)
		}
		capacity = max(capacity, len(m.rowsOf(i, t.partition)))
	}
	if r.layout == nil {
		r.layout = m.a.layout
	}
	capacity = max(capacity, apart)
	if spilled {
		capacity = 16
		r.writer, r.alone = new(hashtable.Arena).NewWriter(), true
	} else {
		r.writer = m.a.arena.NewWriter()
	}
	var err error
	if r.accs, err = m.a.newAccumulators(c.which); err != nil {
		return nil, err
	}
	if m.ranged && !spilled {
		lo := m.lo + int64(t.partition)<<m.shift
		r.table = hashtable.NewDenseTable(r.layout, r.writer, lo, lo+1<<m.shift-1, capacity)
		for _, acc := range r.accs {
			acc.Grow(capacity)
		}
		return r, nil
	}
	r.table, r.renewable = c.table(r, capacity), !r.alone
	return r, nil
}

// forget frees the chunks of a partition that was merged.
func (m *aggMerge) forget(l *aggLocal, p int) {
	var bytes int64
	for k := range l.parts.part[p] {
		bytes += l.parts.part[p][k].bytes()
	}
	l.parts.part[p] = nil
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	m.a.memory.force(&l.held, max(0, l.held-bytes))
}

// rowsOf are the groups of local i that belong to partition p.
func (m *aggMerge) rowsOf(i, p int) []uint32 {
	o := &m.orders[i]
	o.once.Do(func() {
		t := m.locals[i].table
		if m.ranged {
			o.order, o.offsets = t.PartitionRange(m.lo, m.shift, aggPartitions)
			return
		}
		if m.partitions > 1 {
			o.order, o.offsets = t.PartitionAt(m.a.levelOf(t), aggPartitionBits)
			return
		}
		ascending(&o.order, 0, t.Groups())
		o.order, o.offsets = o.order[:t.Groups()], []int{0, t.Groups()}
	})
	return o.order[o.offsets[p]:o.offsets[p+1]]
}

// positions says where each aggregate of aggs is in which.
func positions(which, aggs []int) []int {
	out := make([]int, len(aggs))
	for i, x := range aggs {
		for j, y := range which {
			if x == y {
				out[i] = j
			}
		}
	}
	return out
}

// mergeWorker is scratch memory of one partition's merge.
type mergeWorker struct {
	keys   hashtable.Keys
	groups [mergeChunk]uint32
}

func (w *mergeWorker) mergeChunk(r *aggResult, at []int, c *aggChunk) error {
	w.keys.Load(c.rows, 0, c.rows.N)
	groups := w.groups[:c.rows.N]
	r.table.FindOrAdd(&w.keys, groups)
	for i, acc := range c.accs {
		to := r.accs[at[i]]
		to.Grow(r.table.Groups())
		if err := to.Merge(groups, acc, 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *aggCursor) mergeTable(r *aggResult, at []int, l *aggLocal, rows []uint32) error {
	w := &c.w
	for lo := 0; lo < len(rows); lo += mergeChunk {
		chunk := rows[lo:min(lo+mergeChunk, len(rows))]
		w.keys.LoadAt(l.table.Rows, chunk)
		groups := w.groups[:len(chunk)]
		r.table.FindOrAdd(&w.keys, groups)
		for i, acc := range l.accs {
			to := r.accs[at[i]]
			to.Grow(r.table.Groups())
			if err := mergeRows(to, groups, acc, chunk); err != nil {
				return err
			}
		}
		if err := c.claim(r); err != nil {
			return err
		}
	}
	return nil
}

// aggSource is the hashAggregate as the source of the next pipeline.
type aggSource struct{ a *hashAggregate }

// Idle implements retiring.
func (s aggSource) Idle() bool { return false }

// Retire implements retiring.
func (s aggSource) Retire() {
	if s.a.merge == nil {
		return
	}
	for _, l := range s.a.merge.locals {
		if l.disk != nil {
			_ = l.disk.parts.File.Close() // the query's end tries again
		}
		for _, acc := range l.accs {
			if r, ok := acc.(function.Releasing); ok {
				r.Release()
			}
		}
	}
	s.a.Abort()
}

// Open implements Source.
func (s aggSource) Open(ctx context.Context, d *Driver) (SourceReader, error) {
	rows := d.Runtime.BatchRows
	if rows <= 0 {
		rows = vector.BatchRows
	}
	a := s.a
	r := &aggReader{a: a, rows: rows, all: make([]int, len(a.aggs))}
	for i := range r.all {
		r.all[i] = i
	}
	r.cursor = aggCursor{m: a.merge, which: r.all}
	for _, g := range a.groups {
		r.out.Cols = append(r.out.Cols, &vector.Vector{Type: g.Type()})
	}
	for _, g := range a.aggs {
		r.out.Cols = append(r.out.Cols, &vector.Vector{Type: g.Fn.Result})
	}
	if a.withID {
		r.out.Cols = append(r.out.Cols, &vector.Vector{Type: sqltype.T(sqltype.BigInt)})
	}
	return r, nil
}

// aggReader merges the partitions it claims and yields their groups.
type aggReader struct {
	a      *hashAggregate
	rows   int
	all    []int
	cursor aggCursor
	cur    *aggResult
	at     int
	out    vector.Batch
	sel    []int32
}

// Next implements SourceReader.
func (r *aggReader) Next(ctx context.Context) (*vector.Batch, error) {
	m := r.a.merge
	for r.cur == nil || r.at >= r.cur.hi {
		r.Close()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cur, err := r.cursor.next()
		if err != nil {
			return nil, err
		}
		if cur == nil {
			p := int(m.next.Add(1)) - 1
			if p >= m.partitions {
				return nil, nil
			}
			if m.folded == nil {
				r.cursor.add(p)
				continue
			}
			cur = m.chunk(p)
		} else {
			if len(r.a.groups) == 0 && r.a.sets == nil && cur.table.Groups() == 0 {
				if cur, err = r.emptyResult(); err != nil {
					return nil, err
				}
			}
			cur.hi = cur.table.Groups()
		}
		r.cur, r.at = cur, cur.lo
	}
	n := min(r.emitRows(), r.cur.hi-r.at)
	if err := r.emit(n); err != nil {
		return nil, err
	}
	r.at += n
	return &r.out, nil
}

// emitRows is the number of rows of a batch: fewer than usual where groups have large states.
func (r *aggReader) emitRows() int {
	var bytes int64
	for _, acc := range r.cur.accs {
		bytes += acc.Bytes()
	}
	each := bytes / int64(max(1, r.cur.table.Groups()))
	return int(max(1, min(int64(r.rows), aggEmitBytes/(each+1))))
}

// emptyResult is the one group that an aggregation without GROUP BY has of no rows.
func (r *aggReader) emptyResult() (*aggResult, error) {
	res := &aggResult{table: hashtable.NewGroupTable(r.a.layout, nil, 1)}
	k := hashtable.NewKeys(r.a.layout)
	k.Encode(nil, 1, nil)
	res.table.FindOrAdd(k, make([]uint32, 1))
	var err error
	if res.accs, err = r.a.newAccumulators(r.all); err != nil {
		return nil, err
	}
	for _, acc := range res.accs {
		acc.Grow(1)
	}
	return res, nil
}

// bytes counts what a merged partition holds; its source is still counted, too.
func (r *aggResult) bytes() int64 {
	n := r.table.Bytes()
	for _, acc := range r.accs {
		n += acc.Bytes()
	}
	if r.alone {
		n += r.writer.Bytes()
	}
	return n
}

func (r *aggReader) emit(n int) error {
	g := len(r.a.groups)
	r.out.Len = n
	for i := range r.a.groups {
		v := r.out.Cols[i]
		v.Reset(n)
		r.cur.table.Rows.Decode(i, r.at, v)
	}
	for i, acc := range r.cur.accs {
		v := r.out.Cols[g+i]
		v.Reset(n)
		if err := acc.Finish(r.at, v); err != nil {
			return err
		}
	}
	if r.a.withID {
		v := r.out.Cols[len(r.out.Cols)-1]
		v.Reset(n)
		r.groupingIDs(v)
	}
	r.out.Sel = nil
	if r.cur.kept != nil {
		if r.sel == nil {
			r.sel = make([]int32, 0, r.rows) // not nil where no group is kept
		}
		r.sel = r.sel[:0]
		for i := range n {
			if r.cur.kept.Get(r.at + i) {
				r.sel = append(r.sel, int32(i))
			}
		}
		if len(r.sel) < n {
			r.out.Sel = r.sel
		}
	}
	return nil
}

// groupingIDs translates set ordinals, the last key column, to GROUPING_ID: bit 1 for a
// key that the set leaves out, the first key the most significant.
func (r *aggReader) groupingIDs(v *vector.Vector) {
	out := vector.Values[int64](v)
	if r.a.sets == nil {
		clear(out)
		return
	}
	g := len(r.a.groups)
	ids := make([]int64, len(r.a.sets))
	for s, set := range r.a.sets {
		ids[s] = 1<<g - 1
		for _, key := range set {
			ids[s] &^= 1 << (g - 1 - key)
		}
	}
	ordinal := vector.New(sqltype.T(sqltype.Int), v.Len)
	r.cur.table.Rows.Decode(g, r.at, ordinal)
	for i, s := range vector.Values[int32](ordinal) {
		out[i] = ids[s]
	}
}

// Close implements SourceReader.
func (r *aggReader) Close() {
	if r.cur != nil {
		r.cursor.recycle(r.cur)
		r.cur = nil
	}
}
