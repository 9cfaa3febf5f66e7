package executor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// partitionSorter sorts the input of a window: rows of one window partition come one after the other and in order, the
// order among partitions is nobody's business. So rows are dealt to radix partitions by the hash of the partition keys,
// each small enough for a core's cache, and each is sorted by itself by the driver that claims it.
//
// Memory refused, a driver writes its rows to a file by radix partition. One that does not fit into memory when it
// is read back is sorted by a sorter of its own, which writes runs.
type partitionSorter struct {
	n      *physical.Sort
	rt     *Runtime
	node   *NodeProfile
	memory *memoryClaim
	keys   []sorting.Column
	exprs  []expr.Expr
	layout *hashtable.Layout // of the partition keys

	mu      sync.Mutex
	writers []*partitionWriter
	disk    *spill.Parts

	// After Finalize:
	tasks []int // radix partitions, largest first; -1: everything
	next  atomic.Int64
}

const (
	// dealRows is how many rows a driver collects before it deals them out.
	dealRows = 16 << 10
	// undealt is the number of rows up to which nothing is dealt out at all.
	undealt = 32 << 10
	// partBlockRows is the number of rows of a spilled block.
	partBlockRows = 16 << 10
)

func (b *builder) buildPartitionSort(n *physical.Sort, down stage) error {
	s := &partitionSorter{n: n, rt: b.rt, node: b.profile(n)}
	s.memory = newSpillClaim(b.rt, fmt.Sprintf("sort #%d", n.ID), s.node)
	for _, k := range n.Keys {
		s.keys = append(s.keys, sorting.Column{Type: k.Expr.Type(), Desc: k.Desc, NullsFirst: k.NullsFirst})
		s.exprs = append(s.exprs, k.Expr)
	}
	if _, err := sorting.NewEncoder(s.keys); err != nil {
		return err
	}
	nullable := make([]bool, n.Partition)
	for i := range nullable {
		nullable[i] = true
	}
	var err error
	if s.layout, err = hashtable.NewLayout(typesOf(s.exprs[:n.Partition]), nullable); err != nil {
		return err
	}
	if err := b.build(n.Input, stage{sink: s}); err != nil {
		return err
	}
	b.add(partitionSource{s}, n, down)
	return nil
}

func (s *partitionSorter) newColumns() []*vector.Vector {
	var out []*vector.Vector
	for _, c := range s.n.Input.Base().Cols {
		out = append(out, vector.New(c.T, 0))
	}
	return out
}

func (s *partitionSorter) columnTypes() []sqltype.Type {
	var out []sqltype.Type
	for _, c := range s.n.Input.Base().Cols {
		out = append(out, c.T)
	}
	return out
}

// sinkNode implements nodeSink.
func (s *partitionSorter) sinkNode() *NodeProfile { return s.node }

// Open implements Sink.
func (s *partitionSorter) Open(context.Context, *Driver) (SinkWriter, error) {
	w := &partitionWriter{s: s, keys: hashtable.NewKeys(s.layout), pending: s.newColumns()}
	var err error
	if s.n.Top != nil {
		if w.order, err = s.newRowOrder(); err != nil {
			return nil, err
		}
	}
	w.exprs, err = compileRowExprs(s.exprs[:s.n.Partition], s.rt.Functions)
	return w, err
}

// partitionWriter collects the rows of one driver.
type partitionWriter struct {
	s     *partitionSorter
	exprs []*rowExpr
	vals  []*vector.Vector
	keys  *hashtable.Keys

	pending []*vector.Vector // rows that are not dealt out yet
	hashes  []uint64         // of them
	deal    spill.Scatter
	parts   [][]*vector.Vector // columns by radix partition; nil: nothing was dealt out
	sizes   [spill.Fanout]int64
	order   *rowOrder // where only the first rows of partitions are needed; else nil
	cutAt   [spill.Fanout]int
	held    int64
	codec   *spill.Codec
}

// Consume implements SinkWriter.
func (w *partitionWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	var err error
	if w.vals, err = evalAll(w.exprs, b, false, w.vals); err != nil {
		return NeedInput, err
	}
	w.keys.Encode(w.vals, b.Len, b.Sel)
	w.hashes = append(w.hashes, w.keys.Hash()...)
	for i, c := range w.pending {
		c.AppendFrom(b.Cols[i], b.Sel)
	}
	if len(w.hashes) >= dealRows {
		if err := w.dealOut(); err != nil {
			return NeedInput, err
		}
	}
	return NeedInput, w.claim()
}

// dealOut moves the pending rows to their radix partitions.
func (w *partitionWriter) dealOut() error {
	if w.parts == nil {
		w.parts = make([][]*vector.Vector, spill.Fanout)
	}
	w.deal.By(w.hashes, 0)
	for q := range spill.Fanout {
		rows := w.deal.Rows(q)
		if len(rows) == 0 {
			continue
		}
		if w.parts[q] == nil {
			w.parts[q] = w.s.newColumns()
		}
		size := int64(0)
		for i, c := range w.parts[q] {
			c.AppendFrom(w.pending[i], rows)
			size += c.Bytesize()
		}
		w.sizes[q] = size
		if err := w.cut(q); err != nil {
			return err
		}
	}
	for _, c := range w.pending {
		c.Reset(0)
	}
	w.hashes = w.hashes[:0]
	return nil
}

// cut drops the rows of a radix partition that are not needed, when it has grown enough for that to pay.
func (w *partitionWriter) cut(q int) error {
	const least = 4096
	cols := w.parts[q]
	n := rowsIn(cols)
	if w.order == nil || n < max(least, w.cutAt[q]) {
		return nil
	}
	rows, err := w.order.of(cols, n)
	if err != nil {
		return err
	}
	w.cutAt[q] = 4 * n
	if len(rows) > n/2 {
		return nil
	}
	w.cutAt[q], w.sizes[q] = 4*len(rows), 0
	for i, c := range cols {
		cols[i] = vector.CopyOf(c, rows)
		w.sizes[q] += cols[i].Bytesize()
	}
	return nil
}

func (w *partitionWriter) bytes() int64 {
	n := int64(8 * len(w.hashes))
	for _, c := range w.pending {
		n += c.Bytesize()
	}
	for _, size := range w.sizes {
		n += size
	}
	return n
}

// claim reserves what the writer holds, or spills.
func (w *partitionWriter) claim() error {
	n, m := w.bytes(), w.s.memory
	switch {
	case !m.canSpill():
		return m.set(&w.held, n)
	case m.try(&w.held, n):
		return nil
	case n <= m.workspace():
		m.force(&w.held, n)
		return nil
	}
	return w.spill()
}

// spill writes all rows by radix partition.
func (w *partitionWriter) spill() error {
	s := w.s
	if err := w.dealOut(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.disk == nil {
		var err error
		if s.disk, err = s.memory.area.CreateParts(0, s.memory.counters()); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	s.mu.Unlock()
	if w.codec == nil {
		w.codec = spill.NewCodec(s.columnTypes())
	}
	for q, cols := range w.parts {
		if cols == nil {
			continue
		}
		n := rowsIn(cols)
		for lo := 0; lo < n; lo += partBlockRows {
			hi := min(n, lo+partBlockRows)
			part := make([]*vector.Vector, len(cols))
			for i, c := range cols {
				part[i] = c.Slice(lo, hi)
			}
			if err := s.disk.Write(w.codec, q, part, hi-lo, nil); err != nil {
				return err
			}
		}
	}
	w.parts, w.sizes, w.pending = nil, [spill.Fanout]int64{}, s.newColumns()
	s.memory.force(&w.held, w.bytes())
	return nil
}

func rowsIn(cols []*vector.Vector) int {
	if len(cols) == 0 {
		return 0
	}
	return cols[0].Len
}

// Close implements SinkWriter.
func (w *partitionWriter) Close(context.Context) error {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.writers = append(w.s.writers, w)
	return nil
}

// Finalize implements Sink: it decides how the rows are sorted.
func (s *partitionSorter) Finalize(ctx context.Context) error {
	total, dealt := 0, s.disk != nil
	for _, w := range s.writers {
		total += len(w.hashes)
		dealt = dealt || w.parts != nil
	}
	if !dealt && total <= undealt {
		if total > 0 {
			s.tasks = []int{-1}
		}
		return nil
	}
	err := parallelTasks(ctx, s.rt, s.rt.Instances, len(s.writers), func(_, i int) error { return s.writers[i].dealOut() })
	if err != nil {
		return err
	}
	var rows [spill.Fanout]int64
	for q := range rows {
		rows[q], _ = s.disk.Size(q)
		for _, w := range s.writers {
			if w.parts != nil {
				rows[q] += int64(rowsIn(w.parts[q]))
			}
		}
		if rows[q] > 0 {
			s.tasks = append(s.tasks, q)
		}
	}
	slices.SortStableFunc(s.tasks, func(a, b int) int { return int(min(max(rows[b]-rows[a], -1), 1)) })
	if s.disk != nil {
		s.memory.noteSpill(s.disk.Used(), "partitions")
	}
	return nil
}

// Abort implements Sink.
func (s *partitionSorter) Abort() {
	s.writers, s.tasks = nil, nil
	if s.disk != nil {
		_ = s.disk.File.Close() // the area removes what is left
	}
	s.memory.release()
}

// partitionSource yields the sorted rows, a radix partition on one driver.
type partitionSource struct{ s *partitionSorter }

// Open implements Source.
func (p partitionSource) Open(_ context.Context, d *Driver) (SourceReader, error) {
	s := p.s
	order, err := s.newRowOrder()
	return &partitionReader{s: s, d: d, order: order, mem: make([]vector.Vector, len(s.n.Cols))}, err
}

// Idle implements retiring.
func (p partitionSource) Idle() bool { return false }

// Retire implements retiring.
func (p partitionSource) Retire() { p.s.Abort() }

// partitionReader sorts the radix partitions that a driver claims. What it yields of one that fits into memory is one
// batch, and the driver is told that it ends with a window partition.
type partitionReader struct {
	s     *partitionSorter
	d     *Driver
	order *rowOrder
	codec *spill.Codec
	held  int64

	mem   []vector.Vector
	out   vector.Batch
	large *largePartition
}

// Next implements SourceReader.
func (r *partitionReader) Next(ctx context.Context) (*vector.Batch, error) {
	s := r.s
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.large != nil {
			b, err := r.large.next(ctx)
			if b != nil || err != nil {
				return b, err
			}
			r.large.close()
			r.large = nil
		}
		i := int(s.next.Add(1)) - 1
		if i >= len(s.tasks) {
			s.memory.force(&r.held, 0)
			return nil, nil
		}
		q := s.tasks[i]
		if r.fits(q) {
			return r.inMemory(q)
		}
		var err error
		if r.large, err = r.sortLarge(ctx, q); err != nil {
			return nil, err
		}
	}
}

// size is the number of bytes of a radix partition: those in memory and those on disk.
func (s *partitionSorter) size(q int) (inMemory, onDisk int64) {
	if q < 0 {
		for _, w := range s.writers {
			inMemory += w.bytes()
		}
		return inMemory, 0
	}
	for _, w := range s.writers {
		inMemory += w.sizes[q]
	}
	_, onDisk = s.disk.Size(q)
	return inMemory, onDisk
}

// fits claims what sorting a radix partition takes: its rows put together, in order, and their keys.
func (r *partitionReader) fits(q int) bool {
	m := r.s.memory
	if !m.canSpill() {
		return true
	}
	own, disk := r.s.size(q)
	n := 3 * (own + disk)
	if m.try(&r.held, n) {
		return true
	}
	if n > m.workspace() {
		return false
	}
	m.force(&r.held, n)
	return true
}

// take puts the rows of a radix partition together and lets go of its parts.
func (r *partitionReader) take(q int) ([]*vector.Vector, error) {
	s := r.s
	var cols []*vector.Vector
	add := func(part []*vector.Vector) {
		if cols == nil {
			cols = part
			return
		}
		for i, c := range cols {
			appendSharing(c, part[i])
		}
	}
	for _, w := range s.writers {
		switch {
		case q < 0:
			add(w.pending)
		case w.parts != nil && w.parts[q] != nil:
			add(w.parts[q])
			w.parts[q] = nil
		}
	}
	s.release(q)
	err := r.eachBlock(q, func(part []*vector.Vector) error {
		if cols == nil {
			cols = s.newColumns()
		}
		for i, c := range cols {
			c.AppendFrom(part[i], nil)
		}
		return nil
	})
	return cols, err
}

// release gives back what the writers reserved for a radix partition.
func (s *partitionSorter) release(q int) {
	if q < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.writers {
		s.memory.force(&w.held, max(0, w.held-w.sizes[q]))
		w.sizes[q] = 0
	}
}

func (r *partitionReader) eachBlock(q int, f func([]*vector.Vector) error) error {
	if q < 0 {
		return nil
	}
	for _, b := range r.s.disk.Blocks(q) {
		if r.codec == nil {
			r.codec = spill.NewCodec(r.s.columnTypes())
		}
		cols, _, err := r.s.disk.File.Read(r.codec, b)
		if err != nil {
			return err
		}
		if err := f(cols); err != nil {
			return err
		}
	}
	return nil
}

// inMemory sorts a radix partition.
func (r *partitionReader) inMemory(q int) (*vector.Batch, error) {
	cols, err := r.take(q)
	if err != nil {
		return nil, err
	}
	n := rowsIn(cols)
	if n > math.MaxInt32 {
		return nil, tooManyRows(r.s.n)
	}
	rows, err := r.order.of(cols, n)
	if err != nil {
		return nil, err
	}
	r.out = vector.Batch{Len: len(rows), Cols: r.out.Cols[:0]}
	for i, c := range cols {
		r.out.Cols = append(r.out.Cols, c.Gather(rows, &r.mem[i]))
	}
	r.d.closed = true
	return &r.out, nil
}

// Close implements SourceReader.
func (r *partitionReader) Close() {
	if r.large != nil {
		r.large.close()
	}
}

// largePartition is a radix partition that does not fit into memory, sorted by runs.
type largePartition struct {
	s *sorter
	r SourceReader
}

// sortLarge gives the rows of a radix partition to a sorter of their own.
func (r *partitionReader) sortLarge(ctx context.Context, q int) (*largePartition, error) {
	s := r.s
	rt := *s.rt
	rt.Instances = 1
	own := &sorter{n: s.n, rt: &rt, keep: math.MaxInt64, keys: s.keys, exprs: s.exprs}
	own.memory = newSpillClaim(&rt, fmt.Sprintf("sort #%d", s.n.ID), s.node)
	w, err := own.Open(ctx, r.d)
	if err != nil {
		return nil, err
	}
	consume := func(part []*vector.Vector) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := w.Consume(ctx, vector.NewBatch(rowsIn(part), part...))
		return err
	}
	for _, pw := range s.writers {
		var part []*vector.Vector
		switch {
		case q < 0:
			part = pw.pending
		case pw.parts != nil:
			part, pw.parts[q] = pw.parts[q], nil
		}
		for lo := 0; lo < rowsIn(part); lo += vector.BatchRows {
			hi := min(lo+vector.BatchRows, rowsIn(part))
			if err := consume(vector.NewBatch(rowsIn(part), part...).View(lo, hi).Cols); err != nil {
				return nil, err
			}
		}
	}
	s.release(q)
	if err := r.eachBlock(q, consume); err != nil {
		return nil, err
	}
	if err := w.Close(ctx); err != nil {
		return nil, err
	}
	if err := own.Finalize(ctx); err != nil {
		return nil, err
	}
	l := &largePartition{s: own}
	l.r, err = sortSource{own}.Open(ctx, r.d)
	return l, err
}

func (l *largePartition) next(ctx context.Context) (*vector.Batch, error) { return l.r.Next(ctx) }

// close lets go of everything; once.
func (l *largePartition) close() { sortSource{l.s}.Retire() }
