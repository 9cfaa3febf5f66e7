package executor

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// nestedLoopJoin is one join without equalities of a running query: the build pipeline
// ends in it, the probe pipeline passes through one nestedLoopProbe a driver, and a last
// pipeline yields unmatched build rows where the kind asks for them (Right, Full,
// RightSemi, RightAnti).
type nestedLoopJoin struct {
	rt         *Runtime
	n          *physical.NestedLoopJoin
	memory     *memoryClaim
	filters    *runtimeFilters
	probeTypes []sqltype.Type
	buildTypes []sqltype.Type

	mu    sync.Mutex
	parts [][]*vector.Vector // by driver

	// After Finalize, read-only:
	rows int
	cols []*vector.Vector // flat, by build column

	matched []uint32 // a bit a build row; set atomically
	tail    atomic.Int64
}

func (b *builder) buildNestedLoopJoin(n *physical.NestedLoopJoin, down stage) error {
	j := &nestedLoopJoin{rt: b.rt, n: n, filters: b.filters,
		memory: newMemoryClaim(b.rt.Budget, fmt.Sprintf("nested loop join build #%d", n.ID), b.profile(n))}
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
}

// Consume implements SinkWriter.
func (w *nestedLoopWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	bytes := int64(0)
	for i, c := range w.cols {
		c.AppendFrom(b.Cols[i], b.Sel)
		bytes += c.Bytesize()
	}
	w.rows += b.NumRows()
	return NeedInput, w.j.memory.set(&w.held, bytes)
}

// Close implements SinkWriter.
func (w *nestedLoopWriter) Close(context.Context) error {
	if w.rows > 0 {
		w.j.mu.Lock()
		w.j.parts = append(w.j.parts, w.cols)
		w.j.rows += w.rows
		w.j.mu.Unlock()
	}
	return nil
}

// Finalize implements Sink: the drivers' rows become one list.
func (j *nestedLoopJoin) Finalize(context.Context) error {
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
	j.publishRanges(j.filters)
	if j.wantsMatched() {
		j.matched = make([]uint32, (j.rows+31)/32)
	}
	return nil
}

// Abort implements Sink.
func (j *nestedLoopJoin) Abort() {
	j.memory.release()
	j.parts, j.cols, j.matched = nil, nil, nil
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
	return &nestedLoopTailReader{j: t.j}, nil
}

type nestedLoopTailReader struct {
	j   *nestedLoopJoin
	sel []int32
	out vector.Batch
}

// Next implements SourceReader.
func (r *nestedLoopTailReader) Next(ctx context.Context) (*vector.Batch, error) {
	j, size := r.j, batchRowsOf(r.j.rt)
	want := uint32(0)
	if j.n.Kind == physical.RightSemi {
		want = 1
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo := int(j.tail.Add(int64(size))) - size
		if lo >= j.rows {
			return nil, nil
		}
		n := min(size, j.rows-lo)
		r.sel = r.sel[:0]
		for i := range n {
			if row := lo + i; j.matched[row>>5]>>(row&31)&1 == want {
				r.sel = append(r.sel, int32(i))
			}
		}
		if len(r.sel) == 0 {
			continue
		}
		r.out = vector.Batch{Len: n, Sel: r.sel}
		if j.n.Kind == physical.Right || j.n.Kind == physical.Full {
			r.out.Cols = nullColumns(j.probeTypes, j.n.ProbeCols, n)
		}
		for _, c := range j.n.BuildCols {
			r.out.Cols = append(r.out.Cols, j.cols[c].Slice(lo, lo+n))
		}
		return &r.out, nil
	}
}

// Close implements SourceReader.
func (r *nestedLoopTailReader) Close() {}
