package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// nestedLoopProbe is the join as a transform of one driver's probe pipeline.
//
// Pairs are never gathered. Where the build side is the smaller one, each of its rows
// meets the whole probe batch, its columns being constants; else each probe row, as
// constants, meets the build rows, a batch at a time. Such a meeting is a step.
type nestedLoopProbe struct {
	j     *nestedLoopJoin
	pred  *eval.Predicate // nil: every pair matches
	truth *eval.Set       // the conditions as values, where NULL is not FALSE
	rows  int             // of an output batch

	active  bool
	build   nestedLoopBlock // the build rows that the batch meets now: all, or a block of those on disk
	next    int             // number of the block after it
	ended   bool            // the batch is done with build
	byBuild bool            // steps are of one build row
	at, lo  int             // next build row, or next live row and build rows from there
	gather  *probeGather    // of batches that meet a build side on disk
	match   []bool
	unknown []bool // a pair of the row was neither true nor false

	left    []int32 // rows that still need a match, for kinds that need one only
	sel     []int32
	pair    []*vector.Vector
	fixed   []vector.Vector  // memory of the constant side
	small   []*vector.Vector // output rows put aside until they are worth a batch
	waiting int
	mark    *vector.Vector
	out     vector.Batch
}

func newNestedLoopProbe(j *nestedLoopJoin) (*nestedLoopProbe, error) {
	p := &nestedLoopProbe{j: j, rows: batchRowsOf(j.rt)}
	p.build.open(j)
	if j.disk.on.Load() {
		p.gather = newProbeGather(j, p.rows)
	}
	p.pair = make([]*vector.Vector, len(j.probeTypes)+len(j.buildTypes))
	p.fixed = make([]vector.Vector, len(p.pair))
	for _, c := range j.n.ProbeCols {
		p.small = append(p.small, vector.New(j.probeTypes[c], 0))
	}
	for _, c := range j.n.BuildCols {
		p.small = append(p.small, vector.New(j.buildTypes[c], 0))
	}
	p.mark = vector.New(sqltype.T(sqltype.Boolean), 0)
	if len(j.n.Conds) == 0 {
		return p, nil
	}
	var err error
	if j.n.Kind == physical.NullAwareAnti || j.n.Kind == physical.Mark && !j.n.MarkNullOK {
		p.truth, err = eval.CompileAll(j.n.Conds, j.rt.Functions)
	} else {
		p.pred, err = eval.CompilePredicate(j.n.Conds, j.rt.Functions)
	}
	return p, err
}

// yieldsPairs: pairs are output, not only whether there are any.
func (p *nestedLoopProbe) yieldsPairs() bool {
	switch p.j.n.Kind {
	case physical.Inner, physical.Left, physical.Right, physical.Full, physical.Single:
		return true
	}
	return false
}

// oneMatch: a probe row is done with its first match.
func (p *nestedLoopProbe) oneMatch() bool {
	switch p.j.n.Kind {
	case physical.Semi, physical.Anti, physical.Mark, physical.NullAwareAnti:
		return true
	}
	return false
}

// Apply implements Transform.
func (p *nestedLoopProbe) Apply(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	if !p.active {
		if in.NumRows() == 0 {
			return nil, NeedInput, nil
		}
		if p.j.rows == 0 {
			switch p.j.n.Kind {
			case physical.Inner, physical.Right, physical.Semi, physical.RightSemi, physical.RightAnti:
				return nil, Finished, nil
			}
		}
	}
	if p.gather != nil {
		return p.applyGathered(ctx, in)
	}
	if !p.active {
		p.start(in)
	}
	out, more, err := p.proceed(ctx, in)
	if more {
		return out, HasMore, err
	}
	return out, NeedInput, err
}

// proceed returns rows that are ready to go; more is false when in is done.
func (p *nestedLoopProbe) proceed(ctx context.Context, in *vector.Batch) (out *vector.Batch, more bool, err error) {
	for {
		if p.ended {
			found, err := p.nextBlock()
			if err != nil {
				return nil, false, err
			}
			if !found {
				break
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		out, err := p.step(in)
		if err != nil {
			return nil, false, err
		}
		if out != nil {
			return out, true, nil
		}
	}
	if p.pairsWait() {
		return p.takeSmall(), true, nil
	}
	p.active = false
	return p.once(in), false, nil
}

func (p *nestedLoopProbe) start(in *vector.Batch) {
	p.active, p.ended, p.next = true, true, 0
	if cap(p.match) < in.Len {
		p.match, p.unknown = make([]bool, in.Len), make([]bool, in.Len)
	}
	p.match, p.unknown = p.match[:in.Len], p.unknown[:in.Len]
	clear(p.match)
	clear(p.unknown)
	p.left = p.left[:0]
	for i := range in.NumRows() {
		p.left = append(p.left, int32(in.Row(i)))
	}
}

// nextBlock goes on to the next block of build rows; false when the batch needs none.
func (p *nestedLoopProbe) nextBlock() (bool, error) {
	if p.next > 0 && p.oneMatch() {
		p.dropMatched()
	}
	if p.next == p.j.blocks() || len(p.left) == 0 {
		return false, nil
	}
	if err := p.build.read(p.next); err != nil {
		return false, err
	}
	p.next++
	p.ended, p.at, p.lo = p.build.rows == 0, 0, 0
	p.byBuild = p.build.rows < len(p.left)
	return true, nil
}

// dropMatched leaves the rows that have no match yet.
func (p *nestedLoopProbe) dropMatched() {
	k := 0
	for _, i := range p.left {
		if !p.match[i] {
			p.left[k] = i
			k++
		}
	}
	p.left = p.left[:k]
}

// step looks at the next pairs and returns rows that are ready to go.
func (p *nestedLoopProbe) step(in *vector.Batch) (*vector.Batch, error) {
	if p.ended {
		return nil, nil
	}
	if p.byBuild {
		return p.buildRow(in)
	}
	return p.probeRow(in)
}

// buildRow joins one build row with the probe batch.
func (p *nestedLoopProbe) buildRow(in *vector.Batch) (*vector.Batch, error) {
	r := p.at
	p.at++
	p.ended = p.at == p.build.rows
	np := len(p.j.probeTypes)
	copy(p.pair, in.Cols)
	for i, c := range p.build.cols {
		p.pair[np+i] = constantAt(c, r, in.Len, &p.fixed[np+i])
	}
	hits, err := p.matches(in.Len, p.left, func(i int32) int32 { return i })
	if err != nil {
		return nil, err
	}
	if len(hits) == 0 {
		return nil, nil
	}
	if p.j.matched != nil {
		p.j.setMatched(p.build.base + r)
	}
	for _, i := range hits {
		if p.match[i] && p.j.n.Kind == physical.Single {
			return nil, moreThanOneRow()
		}
		p.match[i] = true
	}
	if p.yieldsPairs() {
		return p.emit(in.Len, hits), nil
	}
	if p.oneMatch() {
		p.dropMatched()
		p.ended = p.ended || len(p.left) == 0
	}
	return nil, nil
}

// probeRow joins one probe row with the next batch of build rows.
func (p *nestedLoopProbe) probeRow(in *vector.Batch) (*vector.Batch, error) {
	row := p.left[p.at]
	lo, hi := p.lo, min(p.lo+p.rows, p.build.rows)
	if p.lo = hi; hi == p.build.rows {
		p.at, p.lo = p.at+1, 0
		p.ended = p.at == len(p.left)
	}
	np := len(p.j.probeTypes)
	for i, c := range in.Cols {
		p.pair[i] = constantAt(c, int(row), hi-lo, &p.fixed[i])
	}
	for i, c := range p.build.cols {
		p.pair[np+i] = c.Slice(lo, hi)
	}
	hits, err := p.matches(hi-lo, nil, func(int32) int32 { return row })
	if err != nil {
		return nil, err
	}
	if len(hits) == 0 {
		return nil, nil
	}
	if p.j.n.Kind == physical.Single && (p.match[row] || len(hits) > 1) {
		return nil, moreThanOneRow()
	}
	p.match[row] = true
	if p.j.matched != nil {
		for _, i := range hits {
			p.j.setMatched(p.build.base + lo + int(i))
		}
	}
	if p.yieldsPairs() {
		return p.emit(hi-lo, hits), nil
	}
	if p.oneMatch() && p.lo > 0 { // the rest of the build side does not matter to this row
		p.at, p.lo = p.at+1, 0
		p.ended = p.at == len(p.left)
	}
	return nil, nil
}

func moreThanOneRow() error {
	return sqlerr.New(sqlerr.SubqueryMoreThanOne, "Subquery returns more than 1 row")
}

// matches lists the rows of p.pair, n long, that match, among sel (nil: all), and notes
// in unknown which probe rows, as given by probe, have a pair that may.
func (p *nestedLoopProbe) matches(n int, sel []int32, probe func(i int32) int32) ([]int32, error) {
	if p.pred != nil {
		return p.pred.Select(p.pair, n, sel)
	}
	if p.truth == nil {
		if sel != nil {
			return sel, nil
		}
		p.sel = p.sel[:0]
		for i := range n {
			p.sel = append(p.sel, int32(i))
		}
		return p.sel, nil
	}
	vals, err := p.truth.Eval(p.pair, n, sel)
	if err != nil {
		return nil, err
	}
	p.sel = p.sel[:0]
	rows := n
	if sel != nil {
		rows = len(sel)
	}
	for k := range rows {
		i := int32(k)
		if sel != nil {
			i = sel[k]
		}
		switch truthOf(vals, p.j.n.MarkConds, int(i)) {
		case yes:
			p.sel = append(p.sel, i)
		case perhaps:
			p.unknown[probe(i)] = true
		}
	}
	return p.sel, nil
}

// truth values of a conjunction.
const (
	no = iota
	perhaps
	yes
)

// truthOf is the conjunction of row i. The first marks conditions are the comparisons of
// IN; the others say which rows the subquery has, and a row that is unknown there is none.
func truthOf(vals []*vector.Vector, marks, i int) int {
	t := yes
	for k, v := range vals {
		switch {
		case v.IsNull(i):
			if k >= marks {
				return no
			}
			t = perhaps
		case !v.Bool(i):
			return no
		}
	}
	return t
}

// emit yields rows hits of p.pair, or puts them aside where they are too few for a batch.
func (p *nestedLoopProbe) emit(n int, hits []int32) *vector.Batch {
	np := len(p.j.probeTypes)
	if len(hits) >= max(p.rows/8, 1) {
		p.out = vector.Batch{Len: n, Sel: hits, Cols: p.out.Cols[:0]}
		for _, c := range p.j.n.ProbeCols {
			p.out.Cols = append(p.out.Cols, p.pair[c])
		}
		for _, c := range p.j.n.BuildCols {
			p.out.Cols = append(p.out.Cols, p.pair[np+c])
		}
		return &p.out
	}
	var full *vector.Batch
	if p.waiting+len(hits) > p.rows {
		full = p.takeSmall()
	}
	for i, c := range p.j.n.ProbeCols {
		p.small[i].AppendFrom(p.pair[c], hits)
	}
	for i, c := range p.j.n.BuildCols {
		p.small[len(p.j.n.ProbeCols)+i].AppendFrom(p.pair[np+c], hits)
	}
	p.waiting += len(hits)
	return full
}

// pairsWait: rows put aside are still to be output.
func (p *nestedLoopProbe) pairsWait() bool { return p.waiting > 0 }

// takeSmall yields the rows put aside.
func (p *nestedLoopProbe) takeSmall() *vector.Batch {
	p.out = vector.Batch{Len: p.waiting, Cols: p.out.Cols[:0]}
	for i, v := range p.small {
		own := *v
		p.out.Cols = append(p.out.Cols, &own)
		p.small[i] = vector.New(v.Type, 0)
	}
	p.waiting = 0
	return &p.out
}

// once yields what each row of the finished batch yields once, whatever its pairs were.
func (p *nestedLoopProbe) once(in *vector.Batch) *vector.Batch {
	keep := func(bool, bool) bool { return true }
	switch p.j.n.Kind {
	case physical.Left, physical.Full, physical.Single, physical.Anti:
		keep = func(match, _ bool) bool { return !match }
	case physical.NullAwareAnti:
		keep = func(match, unknown bool) bool { return !match && !unknown }
	case physical.Semi:
		keep = func(match, _ bool) bool { return match }
	case physical.Mark:
	default:
		return nil
	}
	p.sel = p.sel[:0]
	for i := range in.NumRows() {
		if r := in.Row(i); keep(p.match[r], p.unknown[r]) {
			p.sel = append(p.sel, int32(r))
		}
	}
	if len(p.sel) == 0 {
		return nil
	}
	p.out = vector.Batch{Len: in.Len, Sel: p.sel, Cols: p.out.Cols[:0]}
	for _, c := range p.j.n.ProbeCols {
		p.out.Cols = append(p.out.Cols, in.Cols[c])
	}
	switch p.j.n.Kind {
	case physical.Left, physical.Full, physical.Single:
		p.out.Cols = append(p.out.Cols, nullColumns(p.j.buildTypes, p.j.n.BuildCols, in.Len)...)
	case physical.Mark:
		p.mark.Reset(in.Len)
		vals := vector.Values[bool](p.mark)
		for _, r := range p.sel {
			vals[r] = p.match[r]
			if !p.match[r] && p.unknown[r] {
				p.mark.SetNull(int(r))
			}
		}
		p.out.Cols = append(p.out.Cols, p.mark)
	}
	return &p.out
}

// constantAt is row r of v as a constant of n rows, in out's header; it shares v's memory.
func constantAt(v *vector.Vector, r, n int, out *vector.Vector) *vector.Vector {
	null := v.IsNull(r)
	src := v
	switch v.Form {
	case vector.Constant:
		r = 0
	case vector.Dictionary:
		src, r = v.Dict, int(v.Codes[r])
	}
	if null {
		out.Type = v.Type
		out.SetAllNull(n)
		return out
	}
	w := v.Type.Physical().Size()
	*out = vector.Vector{Type: v.Type, Form: vector.Constant, Len: n, Data: src.Data[r*w : (r+1)*w], Bufs: src.Bufs}
	return out
}
