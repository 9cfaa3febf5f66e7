package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// loopJoin joins by trying pairs: all build rows are kept, and each probe batch meets them
// either a build row at a time (its values as constants beside the probe columns) or,
// when the build side is the larger one, a probe row at a time.
type loopJoin struct {
	n          *physical.NestedLoopJoin
	rt         *Runtime
	memory     *budget.Reservation
	probeTypes []sqltype.Type
	buildTypes []sqltype.Type

	mu      sync.Mutex
	cols    []*vector.Vector // all build rows, flat
	rows    int
	matched []atomic.Uint32 // a bit a build row, for kinds that yield build rows
	tail    atomic.Int64
}

func (b *builder) buildNestedLoopJoin(n *physical.NestedLoopJoin, down stage) error {
	j := &loopJoin{n: n, rt: b.rt}
	if b.rt.Budget != nil {
		j.memory = b.rt.Budget.Reserve(fmt.Sprintf("nested loop join #%d", n.ID))
	}
	for _, c := range n.Probe.Base().Cols {
		j.probeTypes = append(j.probeTypes, c.T)
	}
	for _, c := range n.Build.Base().Cols {
		j.buildTypes = append(j.buildTypes, c.T)
		j.cols = append(j.cols, vector.New(c.T, 0))
	}
	if err := b.build(n.Build, stage{sink: loopJoinSink{j}}); err != nil {
		return err
	}
	if err := b.build(n.Probe, down.then(b.profile(n), func(*Driver) (Transform, error) { return newLoopJoinProbe(j) })); err != nil {
		return err
	}
	if j.yieldsBuildRows() {
		b.add(loopJoinTail{j}, n, down)
	}
	return nil
}

func (j *loopJoin) yieldsBuildRows() bool {
	switch j.n.Kind {
	case physical.Right, physical.Full, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

// loopJoinSink collects the build side.
type loopJoinSink struct{ j *loopJoin }

// Open implements Sink.
func (s loopJoinSink) Open(context.Context, *Driver) (SinkWriter, error) {
	return &loopJoinWriter{j: s.j}, nil
}

// Finalize implements Sink.
func (s loopJoinSink) Finalize(context.Context) error {
	if s.j.yieldsBuildRows() {
		s.j.matched = make([]atomic.Uint32, (s.j.rows+31)/32)
	}
	return nil
}

// Abort implements Sink.
func (s loopJoinSink) Abort() {
	s.j.cols = nil
	s.j.memory.Release()
}

type loopJoinWriter struct{ j *loopJoin }

// Consume implements SinkWriter. The build sides of such joins are small: one lock a batch.
func (w *loopJoinWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	if err := w.j.memory.Grow(b.Copy().Bytesize()); err != nil {
		return NeedInput, err
	}
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	for i, c := range w.j.cols {
		c.AppendFrom(b.Cols[i], b.Sel)
	}
	w.j.rows += b.NumRows()
	return NeedInput, nil
}

// Close implements SinkWriter.
func (w *loopJoinWriter) Close(context.Context) error { return nil }

// loopJoinProbe joins probe batches on one driver. It is a small machine: Apply yields one
// batch of pairs a call (HasMore) and at the end of an input batch what the kind says
// about probe rows without, or with, a match.
type loopJoinProbe struct {
	j     *loopJoin
	conds []*eval.Evaluator // for kinds that need three-valued answers
	pred  *eval.Predicate
	used  []bool // build columns that conditions or output read

	in      *vector.Batch
	dense   []int32 // the live rows of in
	next    int     // next build row, or next probe row of dense
	matched []bool  // by physical probe row
	null    []bool  // Mark, NullAwareAnti: the condition was NULL for some build row
	single  []int32 // Single: the build row that matched, -1 none
	sel     []int32
	out     vector.Batch
}

func newLoopJoinProbe(j *loopJoin) (*loopJoinProbe, error) {
	p := &loopJoinProbe{j: j}
	var err error
	if p.threeValued() {
		for _, c := range j.n.Conds {
			ev, err := eval.Compile(c, j.rt.Functions)
			if err != nil {
				return nil, err
			}
			p.conds = append(p.conds, ev)
		}
	} else if p.pred, err = eval.CompilePredicate(j.n.Conds, j.rt.Functions); err != nil {
		return nil, err
	}
	p.used = make([]bool, len(j.buildTypes))
	for _, f := range fieldsOf(j.n.Conds) {
		if f >= len(j.probeTypes) {
			p.used[f-len(j.probeTypes)] = true
		}
	}
	return p, nil
}

func (p *loopJoinProbe) threeValued() bool {
	return p.j.n.Kind == physical.NullAwareAnti || p.j.n.Kind == physical.Mark
}

// yieldsPairs: the kind outputs a row for each match.
func (p *loopJoinProbe) yieldsPairs() bool {
	switch p.j.n.Kind {
	case physical.Inner, physical.Left, physical.Right, physical.Full:
		return true
	}
	return false
}

// Apply implements Transform.
func (p *loopJoinProbe) Apply(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	if p.in == nil {
		p.start(in)
	}
	byBuild := p.j.rows <= len(p.dense)
	steps := p.j.rows
	if !byBuild {
		// A probe row meets the build rows in slices of a batch each.
		steps = len(p.dense) * ((p.j.rows + vector.BatchRows - 1) / vector.BatchRows)
	}
	for p.next < steps {
		if err := ctx.Err(); err != nil {
			return nil, NeedInput, err
		}
		step := p.next
		p.next++
		var out *vector.Batch
		var err error
		if byBuild {
			out, err = p.tryBuildRow(step)
		} else {
			out, err = p.tryProbeRow(step)
		}
		if err != nil || out != nil {
			return out, HasMore, err
		}
	}
	out := p.finish()
	p.in = nil
	return out, NeedInput, nil
}

func (p *loopJoinProbe) start(in *vector.Batch) {
	p.in, p.next = in, 0
	p.dense = p.dense[:0]
	for i := range in.NumRows() {
		p.dense = append(p.dense, int32(in.Row(i)))
	}
	if cap(p.matched) < in.Len {
		p.matched, p.null, p.single = make([]bool, in.Len), make([]bool, in.Len), make([]int32, in.Len)
	}
	p.matched, p.null, p.single = p.matched[:in.Len], p.null[:in.Len], p.single[:in.Len]
	clear(p.matched)
	clear(p.null)
	for i := range p.single {
		p.single[i] = -1
	}
}

// constantOf is row i of v for n rows.
func constantOf(v *vector.Vector, i, n int) *vector.Vector {
	one := &vector.Vector{Type: v.Type}
	if v.Form == vector.Constant {
		i = 0
	}
	if v.IsNull(i) {
		one.SetAllNull(n)
		return one
	}
	one = v.Flatten([]int32{int32(i)}, one)
	one.Form, one.Len = vector.Constant, n
	return one
}

// tryBuildRow joins build row r with the rows of the batch.
func (p *loopJoinProbe) tryBuildRow(r int) (*vector.Batch, error) {
	cols := make([]*vector.Vector, 0, len(p.in.Cols)+len(p.used))
	cols = append(cols, p.in.Cols...)
	for _, c := range p.j.cols {
		cols = append(cols, constantOf(c, r, p.in.Len))
	}
	hits, err := p.test(cols, p.in.Len, p.dense, func(row int32) int32 { return row })
	if err != nil {
		return nil, err
	}
	for _, row := range hits {
		if err := p.note(row, int32(r)); err != nil {
			return nil, err
		}
	}
	if len(hits) == 0 || !p.yieldsPairs() {
		return nil, nil
	}
	return p.pairs(cols, p.in.Len, hits), nil
}

// tryProbeRow joins one probe row with a slice of the build rows.
func (p *loopJoinProbe) tryProbeRow(step int) (*vector.Batch, error) {
	slices := (p.j.rows + vector.BatchRows - 1) / vector.BatchRows
	row := p.dense[step/slices]
	lo := step % slices * vector.BatchRows
	n := min(vector.BatchRows, p.j.rows-lo)
	if p.matched[row] && !p.yieldsPairs() && !p.j.yieldsBuildRows() && p.j.n.Kind != physical.Single {
		return nil, nil // decided already
	}
	cols := make([]*vector.Vector, 0, len(p.in.Cols)+len(p.used))
	for _, c := range p.in.Cols {
		cols = append(cols, constantOf(c, int(row), n))
	}
	for _, c := range p.j.cols {
		cols = append(cols, c.Slice(lo, lo+n))
	}
	hits, err := p.test(cols, n, nil, func(int32) int32 { return row })
	if err != nil {
		return nil, err
	}
	for _, r := range hits {
		if err := p.note(row, int32(lo)+r); err != nil {
			return nil, err
		}
	}
	if len(hits) == 0 || !p.yieldsPairs() {
		return nil, nil
	}
	return p.pairs(cols, n, hits), nil
}

// test returns the rows for which the condition is true; for three-valued kinds it notes
// NULLs by probe row.
func (p *loopJoinProbe) test(cols []*vector.Vector, n int, sel []int32, probeRow func(int32) int32) ([]int32, error) {
	if p.pred != nil {
		return p.pred.Select(cols, n, sel)
	}
	vals := make([]*vector.Vector, len(p.conds))
	for i, ev := range p.conds {
		v, err := ev.Eval(cols, n, sel)
		if err != nil {
			return nil, err
		}
		vals[i] = v
	}
	p.sel = p.sel[:0]
	visit := func(row int32) {
		null := false
		for _, v := range vals {
			x := v.Value(int(row))
			if x.Null {
				null = true
			} else if !x.IsTrue() {
				return
			}
		}
		if null {
			p.null[probeRow(row)] = true
		} else {
			p.sel = append(p.sel, row)
		}
	}
	if sel == nil {
		for i := range n {
			visit(int32(i))
		}
	}
	for _, row := range sel {
		visit(row)
	}
	return p.sel, nil
}

// note records that a probe row and a build row match.
func (p *loopJoinProbe) note(probe, build int32) error {
	if p.j.n.Kind == physical.Single {
		if p.matched[probe] {
			return sqlerr.New(sqlerr.SubqueryMoreThanOne, "Subquery returns more than 1 row")
		}
		p.single[probe] = build
	}
	p.matched[probe] = true
	if p.j.matched != nil {
		p.j.matched[build>>5].Or(1 << (uint32(build) & 31))
	}
	return nil
}

// pairs is a batch of matching rows with the output columns.
func (p *loopJoinProbe) pairs(cols []*vector.Vector, n int, hits []int32) *vector.Batch {
	p.out = vector.Batch{Len: n, Sel: hits}
	for _, c := range p.j.n.ProbeCols {
		p.out.Cols = append(p.out.Cols, cols[c])
	}
	for _, c := range p.j.n.BuildCols {
		p.out.Cols = append(p.out.Cols, cols[len(p.in.Cols)+c])
	}
	return &p.out
}

// finish is what a kind yields after all build rows were tried for a batch.
func (p *loopJoinProbe) finish() *vector.Batch {
	keep := func(want func(row int32) bool) []int32 {
		var rows []int32
		for _, row := range p.dense {
			if want(row) {
				rows = append(rows, row)
			}
		}
		return rows
	}
	p.out = vector.Batch{Len: p.in.Len}
	for _, c := range p.j.n.ProbeCols {
		p.out.Cols = append(p.out.Cols, p.in.Cols[c])
	}
	switch p.j.n.Kind {
	case physical.Left, physical.Full:
		p.out.Sel = keep(func(row int32) bool { return !p.matched[row] })
		p.out.Cols = append(p.out.Cols, nullColumns(p.j.buildTypes, p.j.n.BuildCols, p.in.Len)...)
	case physical.Semi:
		p.out.Sel = keep(func(row int32) bool { return p.matched[row] })
	case physical.Anti:
		p.out.Sel = keep(func(row int32) bool { return !p.matched[row] })
	case physical.NullAwareAnti:
		p.out.Sel = keep(func(row int32) bool { return !p.matched[row] && !p.null[row] })
	case physical.Mark:
		p.out.Sel = p.dense
		p.out.Cols = append(p.out.Cols, p.marks())
	case physical.Single:
		p.out.Sel = p.dense
		for _, c := range p.j.n.BuildCols {
			p.out.Cols = append(p.out.Cols, p.j.cols[c].Gather(p.single, &vector.Vector{}))
		}
	default:
		return nil
	}
	if len(p.out.Sel) == 0 {
		return nil
	}
	return &p.out
}

// marks is the column of Mark joins: TRUE with a match, NULL without one where a
// condition was NULL, else FALSE.
func (p *loopJoinProbe) marks() *vector.Vector {
	m := vector.New(sqltype.T(sqltype.Boolean), p.in.Len)
	vals := vector.Values[bool](m)
	for _, row := range p.dense {
		vals[row] = p.matched[row]
		if !p.matched[row] && p.null[row] && !p.j.n.MarkNullOK {
			m.SetNull(int(row))
		}
	}
	return m
}

// loopJoinTail yields build rows after the probe side: those without a match (Right, Full,
// RightAnti) or with one (RightSemi).
type loopJoinTail struct{ j *loopJoin }

// Open implements Source.
func (t loopJoinTail) Open(context.Context, *Driver) (SourceReader, error) {
	return &loopJoinTailReader{j: t.j}, nil
}

type loopJoinTailReader struct {
	j   *loopJoin
	out vector.Batch
}

// Next implements SourceReader.
func (r *loopJoinTailReader) Next(context.Context) (*vector.Batch, error) {
	j := r.j
	size := j.rt.batchRows()
	for {
		lo := int(j.tail.Add(int64(size))) - size
		if lo >= j.rows {
			return nil, nil
		}
		n := min(size, j.rows-lo)
		var sel []int32
		for i := range n {
			row := lo + i
			hit := j.matched[row>>5].Load()>>(uint32(row)&31)&1 == 1
			if hit == (j.n.Kind == physical.RightSemi) {
				sel = append(sel, int32(i))
			}
		}
		if len(sel) == 0 {
			continue
		}
		r.out = vector.Batch{Len: n, Sel: sel}
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
func (r *loopJoinTailReader) Close() {}
