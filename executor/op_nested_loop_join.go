package executor

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// nestedLoopJoin is one join without equalities of a running query: the build pipeline
// ends in it, the probe pipeline passes through one nestedLoopProbe a driver, and a last
// pipeline yields unmatched build rows where the kind asks for them (Right, Full,
// RightSemi, RightAnti). A build side that does not fit into memory is in a file, see
// op_nested_loop_spill.go.
type nestedLoopJoin struct {
	rt         *Runtime
	n          *physical.NestedLoopJoin
	memory     *memoryClaim
	filters    *runtimeFilters
	probeTypes []sqltype.Type
	buildTypes []sqltype.Type

	mu     sync.Mutex
	parts  [][]*vector.Vector // by driver
	disk   nestedLoopDisk
	ranges []*keyCollector // of n.RangeFilters

	// After Finalize, read-only:
	rows int
	cols []*vector.Vector // flat, by build column; of rows on disk none

	matched []uint32 // a bit a build row; set atomically
	held    int64    // of memory, for matched
	tail    atomic.Int64
}

func (b *builder) buildNestedLoopJoin(n *physical.NestedLoopJoin, down stage) error {
	j := &nestedLoopJoin{rt: b.rt, n: n, filters: b.filters,
		memory: newSpillClaim(b.rt, fmt.Sprintf("nested loop join build #%d", n.ID), b.profile(n))}
	for _, c := range n.Probe.Base().Cols {
		j.probeTypes = append(j.probeTypes, c.T)
	}
	for _, c := range n.Build.Base().Cols {
		j.buildTypes = append(j.buildTypes, c.T)
	}
	if err := b.build(n.Build, stage{sink: j}); err != nil {
		return err
	}
	probe := func(*Driver) (Transform, error) { return newNestedLoopProbe(j) }
	if err := b.build(n.Probe, down.then(b.profile(n), probe)); err != nil {
		return err
	}
	if j.wantsMatched() {
		b.add(nestedLoopTail{j}, n, down)
	}
	return nil
}

// wantsMatched: the tail needs to know which build rows matched.
func (j *nestedLoopJoin) wantsMatched() bool {
	switch j.n.Kind {
	case physical.Right, physical.Full, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

// Open implements Sink.
func (j *nestedLoopJoin) Open(context.Context, *Driver) (SinkWriter, error) {
	w := &nestedLoopWriter{j: j}
	for _, t := range j.buildTypes {
		w.cols = append(w.cols, vector.New(t, 0))
	}
	return w, nil
}

// nestedLoopWriter collects the build rows of one driver.
type nestedLoopWriter struct {
	j    *nestedLoopJoin
	cols []*vector.Vector
	rows int
	held int64

	codec *spill.Codec
}

// Consume implements SinkWriter.
func (w *nestedLoopWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	for i, c := range w.cols {
		c.AppendFrom(b.Cols[i], b.Sel)
	}
	w.rows += b.NumRows()
	return NeedInput, w.claim()
}

// Close implements SinkWriter.
func (w *nestedLoopWriter) Close(context.Context) error {
	if w.rows > 0 {
		w.j.mu.Lock()
		defer w.j.mu.Unlock()
		w.j.parts = append(w.j.parts, w.cols)
		w.j.rows += w.rows
	}
	return nil
}

// Finalize implements Sink: the drivers' rows become one list, in memory or in the file.
func (j *nestedLoopJoin) Finalize(ctx context.Context) error {
	if j.disk.on.Load() {
		if err := j.settle(ctx); err != nil {
			return err
		}
	}
	if j.rows > math.MaxInt32 {
		return sqlerr.New(sqlerr.OutOfMemory, "nested loop join build #%d has %d rows, more than 2^31", j.n.ID, j.rows)
	}
	for i, t := range j.buildTypes {
		all := vector.New(t, 0)
		for k, p := range j.parts {
			if k == 0 {
				all = p[i]
			} else {
				appendSharing(all, p[i])
			}
			p[i] = nil
		}
		j.cols = append(j.cols, all)
	}
	j.parts = nil
	j.collectRanges(j.cols)
	j.publishRanges(j.filters)
	if j.wantsMatched() {
		j.matched = make([]uint32, (j.rows+31)/32)
		j.memory.force(&j.held, int64(4*len(j.matched)))
	}
	return nil
}

// Abort implements Sink.
func (j *nestedLoopJoin) Abort() {
	j.memory.release()
	j.parts, j.cols, j.matched = nil, nil, nil
	_ = j.disk.file.Close() // the query's end tries again
}

// setMatched marks build row r.
func (j *nestedLoopJoin) setMatched(r int) {
	w, bit := &j.matched[r>>5], uint32(1)<<(r&31)
	if atomic.LoadUint32(w)&bit == 0 {
		atomic.OrUint32(w, bit)
	}
}

// nestedLoopTail yields build rows after the probe pipeline has ended: those that matched
// (RightSemi) or did not.
type nestedLoopTail struct{ j *nestedLoopJoin }

// Open implements Source.
func (t nestedLoopTail) Open(context.Context, *Driver) (SourceReader, error) {
	r := &nestedLoopTailReader{j: t.j}
	r.block.open(t.j)
	return r, nil
}

type nestedLoopTailReader struct {
	j     *nestedLoopJoin
	block nestedLoopBlock
	at    int // next row of block
	sel   []int32
	out   vector.Batch
}

// Next implements SourceReader.
func (r *nestedLoopTailReader) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo, hi, err := r.claim()
		if err != nil || lo == hi {
			return nil, err
		}
		if b := r.batch(lo, hi); b != nil {
			return b, nil
		}
	}
}

// claim takes the next rows [lo, hi) of block; of rows on disk, drivers claim whole blocks.
func (r *nestedLoopTailReader) claim() (lo, hi int, err error) {
	j, size := r.j, batchRowsOf(r.j.rt)
	if !j.disk.on.Load() {
		lo = min(int(j.tail.Add(int64(size)))-size, j.rows)
		return lo, min(lo+size, j.rows), nil
	}
	if r.at == r.block.rows {
		k := int(j.tail.Add(1)) - 1
		if k >= len(j.disk.blocks) {
			return 0, 0, nil
		}
		if err := r.block.read(k); err != nil {
			return 0, 0, err
		}
		r.at = 0
	}
	lo, hi = r.at, min(r.at+size, r.block.rows)
	r.at = hi
	return lo, hi, nil
}

// batch is the wanted rows among rows [lo, hi) of block; nil where there is none.
func (r *nestedLoopTailReader) batch(lo, hi int) *vector.Batch {
	j, n := r.j, hi-lo
	want := uint32(0)
	if j.n.Kind == physical.RightSemi {
		want = 1
	}
	r.sel = r.sel[:0]
	for i := range n {
		if row := r.block.base + lo + i; j.matched[row>>5]>>(row&31)&1 == want {
			r.sel = append(r.sel, int32(i))
		}
	}
	if len(r.sel) == 0 {
		return nil
	}
	r.out = vector.Batch{Len: n, Sel: r.sel}
	if j.n.Kind == physical.Right || j.n.Kind == physical.Full {
		r.out.Cols = nullColumns(j.probeTypes, j.n.ProbeCols, n)
	}
	for _, c := range j.n.BuildCols {
		r.out.Cols = append(r.out.Cols, r.block.cols[c].Slice(lo, hi))
	}
	return &r.out
}

// Close implements SourceReader.
func (r *nestedLoopTailReader) Close() { r.block.close() }
