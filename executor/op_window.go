package executor

import (
	"context"
	"fmt"
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// windowOp is a node that computes calls with OVER, shared by its drivers. Its input comes sorted, with the rows of a
// partition on one driver, one after the other.
type windowOp struct {
	n      *physical.Window
	rt     *Runtime
	memory *memoryClaim
	// stacked: the transform that follows is a window, too, and takes batches of any size. parts: its partitions are parts
	// of this one's.
	stacked, parts bool
	// sorted is the sort of all rows below, which knows how many there are; nil: there are partitions.
	sorted *sorter
}

// buildWindow adds n; above is the window that reads it, nil: something else.
func (b *builder) buildWindow(n, above *physical.Window, down stage) error {
	if n.Total {
		return b.buildWindowTotal(n, down)
	}
	w := &windowOp{n: n, rt: b.rt, stacked: above != nil, parts: above != nil && containsAll(above.Partition, n.Partition)}
	w.memory = newSpillClaim(b.rt, fmt.Sprintf("window #%d", n.ID), b.profile(n))
	down = down.then(b.profile(n), w.newTransform)
	switch in := n.Input.(type) {
	case *physical.Window:
		if len(n.Partition) > 0 || oneDriver(in) {
			return b.buildWindow(in, n, down)
		}
	case *physical.Sort:
		if in.Partition == 0 {
			s, err := b.addSort(in, down)
			if len(n.Partition) == 0 {
				w.sorted = s
			}
			return err
		}
		return b.build(in, down)
	}
	return b.buildCollected(n.Input, down)
}

// oneDriver: the rows of a window come sorted as a whole, from one driver.
func oneDriver(n *physical.Window) bool {
	if n.Total {
		return false
	}
	switch in := n.Input.(type) {
	case *physical.Window:
		return oneDriver(in)
	case *physical.Sort:
		return in.Within && in.Partition == 0
	}
	return len(n.Partition) == 0 // collected
}

func containsAll(list, some []expr.Expr) bool {
	for _, e := range some {
		if !slices.ContainsFunc(list, func(x expr.Expr) bool { return expr.Equal(x, e) }) {
			return false
		}
	}
	return true
}

// window is one driver's transform: it collects rows until they are whole partitions, computes the calls for all of
// them at once, and hands out rows in batches.
type window struct {
	op    *windowOp
	d     *Driver
	rows  windowRows
	calls []*windowCall
	keys  []*rowExpr // partition keys, then sort keys
	tail  boundaryFinder
	// streaming is set where partitions need not be in memory as a whole, used for those that do not come so.
	streaming *streamState

	held  int64
	buf   []*vector.Vector // rows that wait for the end of their partition; the calls' outputs are not among them
	count int              // rows of buf
	last  int              // where the last partition in buf begins

	ready vector.Batch // computed rows that are not handed out yet, from at on
	at    int
	out   vector.Batch
	ended bool // the input of one that streams
}

func (w *windowOp) newTransform(d *Driver) (Transform, error) {
	t := &window{op: w, d: d}
	keys := append([]expr.Expr(nil), w.n.Partition...)
	for _, k := range w.n.Order {
		keys = append(keys, k.Expr)
	}
	var err error
	if t.keys, err = compileRowExprs(keys, w.rt.Functions); err != nil {
		return nil, err
	}
	for _, f := range w.n.Funcs {
		c, err := newWindowCall(f, w.rt)
		if c != nil && w.sorted != nil {
			c.total = w.sorted.total
		}
		if err != nil {
			return nil, err
		}
		t.calls = append(t.calls, c)
	}
	t.rows.partition = len(w.n.Partition)
	t.streaming = newStreamState(t.calls)
	t.clear()
	return t, nil
}

// clear empties the buffer.
func (w *window) clear() {
	w.buf, w.count, w.last = w.buf[:0], 0, 0
	for _, c := range w.op.n.Input.Base().Cols {
		w.buf = append(w.buf, vector.New(c.T, 0))
	}
}

// Apply implements Transform.
func (w *window) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	if w.at < w.ready.Len { // called again with the batch that it took before
		return w.next(), w.flow(), nil
	}
	closed := w.d.closed
	w.d.closed = false
	if closed && w.count == 0 {
		return w.compute(in, true)
	}
	if w.streaming != nil {
		return w.stream(in)
	}
	if err := w.add(in); err != nil {
		return nil, NeedInput, err
	}
	if closed {
		return w.computeFirst(w.count)
	}
	if err := w.findLast(w.count - in.NumRows()); err != nil {
		return nil, NeedInput, err
	}
	if w.last < w.enough() {
		return nil, NeedInput, nil
	}
	return w.computeFirst(w.last)
}

// enough is how many rows are worth computing at once.
func (w *window) enough() int {
	if w.op.rt.BatchRows > 0 {
		return w.op.rt.BatchRows
	}
	return vector.BatchRows
}

// add copies the live rows of a batch behind the buffered ones.
func (w *window) add(in *vector.Batch) error {
	n := 2*w.bytes() + 2*in.Bytesize()
	if w.streaming != nil && w.count <= 4*w.enough() {
		w.op.memory.force(&w.held, n) // no row is computed with less
	} else if err := w.op.memory.settle(&w.held, n); err != nil {
		return err
	}
	for i, c := range w.buf {
		c.AppendFrom(in.Cols[i], in.Sel)
	}
	w.count += in.NumRows()
	return nil
}

func (w *window) bytes() int64 {
	n := int64(0)
	for _, c := range w.buf {
		n += c.Bytesize()
	}
	return n
}

// findLast brings w.last up to date after the rows from first on have come.
func (w *window) findLast(first int) error {
	if w.rows.partition == 0 {
		return nil
	}
	lo := max(first-1, 0) // the first of them may begin a partition
	b := vector.NewBatch(w.count, w.buf...).View(lo, w.count)
	keys, err := evalAll(w.keys[:w.rows.partition], b, true, nil)
	if err != nil {
		return err
	}
	if at := w.tail.last(keys, b.Len); at > 0 {
		w.last = lo + at
	}
	return nil
}

// computeFirst computes the first n buffered rows, which are whole partitions.
func (w *window) computeFirst(n int) (*vector.Batch, Flow, error) {
	cols, rest := w.buf, w.count-n
	w.buf = nil
	w.clear()
	if rest > 0 {
		sel := make([]int32, rest)
		for i := range sel {
			sel[i] = int32(n + i)
		}
		for i, c := range w.buf {
			c.AppendFrom(cols[i], sel)
			cols[i] = cols[i].Slice(0, n)
		}
		w.count = rest
	}
	if n == 0 {
		return nil, NeedInput, nil
	}
	return w.compute(vector.NewBatch(n, cols...), w.op.parts)
}

// compute evaluates the calls over a batch of whole partitions and gives its first rows; closed tells that it ends with
// whole partitions of a window above, too.
func (w *window) compute(in *vector.Batch, closed bool) (*vector.Batch, Flow, error) {
	if in.Sel != nil {
		in = in.Copy()
	}
	if err := w.prepare(in); err != nil {
		return nil, NeedInput, err
	}
	w.ready = vector.Batch{Len: in.Len, Cols: append(w.ready.Cols[:0], in.Cols...)}
	for _, c := range w.calls {
		v, err := c.compute(&w.rows, in)
		if err != nil {
			return nil, NeedInput, err
		}
		w.ready.Cols = append(w.ready.Cols, v)
	}
	w.at = 0
	if w.op.stacked {
		w.at = in.Len
		w.d.closed = closed
		return &w.ready, NeedInput, nil
	}
	return w.next(), w.flow(), nil
}

// next is the next rows that are ready.
func (w *window) next() *vector.Batch {
	most := w.enough()
	if w.at == 0 && w.ready.Len <= most {
		w.at = w.ready.Len
		return &w.ready
	}
	lo := w.at
	w.at = min(lo+most, w.ready.Len)
	w.out = *w.ready.View(lo, w.at)
	return &w.out
}

func (w *window) flow() Flow {
	if w.at < w.ready.Len {
		return HasMore
	}
	return NeedInput
}

// Flush implements Flusher: the end of the input ends the last partition.
func (w *window) Flush(context.Context) (*vector.Batch, error) {
	if w.at < w.ready.Len {
		return w.next(), nil
	}
	if w.streaming != nil && !w.ended {
		w.ended = true
		b, _, err := w.stream(nil)
		if b != nil || err != nil {
			return b, err
		}
	}
	if w.count == 0 || w.streaming != nil {
		w.op.memory.force(&w.held, 0)
		return nil, nil
	}
	b, _, err := w.computeFirst(w.count)
	return b, err
}
