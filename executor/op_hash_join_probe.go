package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// hashJoinProbe is the join as a transform of one driver's probe pipeline.
//
// Where every probe row yields at most one row (semi-like kinds, unique build keys
// without a residual) the probe's columns pass through untouched under a selection, and
// build columns are scattered to the rows' places. Else matches are expanded to pairs, a
// batch at a time.
type hashJoinProbe struct {
	j        *hashJoin
	exprs    []*rowExpr
	vals     []*vector.Vector
	keys     *hashtable.Keys
	residual *eval.Predicate
	fields   []int // that the residual reads
	rows     int   // of an output batch

	heads []uint32 // by live row: first build row plus one
	sel   []int32
	built []uint32 // by live row of the output: build row plus one
	pairs pairState
	out   vector.Batch
	gather,
	scatter []gatherMemory // by output column
	pairCols []gatherMemory // by residual column
	mark     *vector.Vector
	marker   *markProbe
	spill    *probeSpill
	rest     *vector.Batch // of the input, what was not spilled
	passes   *joinPasses   // whose matches are remembered, or nil
	from     int           // number of the input's first row in its partition, for passes
}

func newHashJoinProbe(j *hashJoin) (*hashJoinProbe, error) {
	p := &hashJoinProbe{j: j, keys: hashtable.NewKeys(j.layout), rows: batchRowsOf(j.rt), fields: fieldsOf(j.n.Residual)}
	var err error
	if p.exprs, err = compileRowExprs(j.n.ProbeKeys, j.rt.Functions); err != nil {
		return nil, err
	}
	if len(j.n.Residual) > 0 {
		if p.residual, err = eval.CompilePredicate(j.n.Residual, j.rt.Functions); err != nil {
			return nil, err
		}
	}
	outputs := len(j.n.ProbeCols) + len(j.n.BuildCols)
	p.gather, p.scatter = make([]gatherMemory, outputs), make([]gatherMemory, outputs)
	p.pairCols = make([]gatherMemory, len(j.probeTypes)+len(j.buildTypes))
	if j.mark != nil {
		p.marker = newMarkProbe(p)
		p.mark = vector.New(sqltype.T(sqltype.Boolean), 0)
	}
	return p, nil
}

// Apply implements Transform.
func (p *hashJoinProbe) Apply(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	if p.pairs.active {
		return p.morePairs(ctx, p.rest)
	}
	if in.NumRows() == 0 {
		return nil, NeedInput, nil
	}
	if p.j.rows == 0 && p.endsEmpty() && !p.j.disk.some {
		return nil, Finished, nil
	}
	in, err := p.lookUp(in)
	if err != nil || in.NumRows() == 0 {
		return nil, NeedInput, err
	}
	p.rest = in
	j := p.j
	switch j.n.Kind {
	case physical.Semi, physical.Anti:
		err := p.filterHeads(ctx, in)
		if err == nil {
			err = p.noteHeads(in)
		}
		if err != nil || p.passes != nil && j.n.Kind == physical.Anti {
			return nil, NeedInput, err
		}
		return p.emitSelected(in, j.n.Kind == physical.Semi), NeedInput, nil
	case physical.Mark, physical.NullAwareAnti:
		if err := p.filterHeads(ctx, in); err != nil {
			return nil, NeedInput, err
		}
		return p.emitMarks(ctx, in)
	case physical.RightSemi, physical.RightAnti:
		if err := p.filterHeads(ctx, in); err != nil {
			return nil, NeedInput, err
		}
		p.markHeads()
		return nil, NeedInput, nil
	}
	if p.residual == nil && j.table.Unique() {
		if err := p.noteHeads(in); err != nil {
			return nil, NeedInput, err
		}
		return p.emitUnique(in), NeedInput, nil
	}
	p.pairs.start(in)
	return p.morePairs(ctx, in)
}

// endsEmpty: an empty build side leaves nothing to come out, now or at the tail.
func (p *hashJoinProbe) endsEmpty() bool {
	switch p.j.n.Kind {
	case physical.Inner, physical.Right, physical.Semi, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

// lookUp fills heads for the live rows of in; where rows go to disk, for the others, and
// returns these.
func (p *hashJoinProbe) lookUp(in *vector.Batch) (*vector.Batch, error) {
	vals, err := evalAll(p.exprs, in, false, p.vals)
	if err != nil {
		return nil, err
	}
	p.vals = vals
	p.keys.Encode(vals, in.Len, in.Sel)
	if p.j.disk.some {
		if p.spill == nil {
			p.spill = newProbeSpill(p.j)
		}
		all := in
		if in, err = p.spill.divert(in, p.keys, vals); err != nil || in.NumRows() == 0 {
			return in, err
		}
		if in != all {
			p.keys.Encode(vals, in.Len, in.Sel)
		}
	}
	if cap(p.heads) < p.keys.N {
		p.heads = make([]uint32, p.keys.N)
		p.built = make([]uint32, p.keys.N)
		p.sel = make([]int32, p.keys.N)
	}
	p.heads = p.heads[:p.keys.N]
	p.j.table.Probe(p.keys, p.heads)
	for i, v := range vals {
		if !p.j.nullSafe(i) && v.MayHaveNulls() {
			for k := range p.heads {
				if v.IsNull(in.Row(k)) {
					p.heads[k] = 0
				}
			}
		}
	}
	return in, nil
}

// markHeads marks all build rows of the keys that were found.
func (p *hashJoinProbe) markHeads() {
	if p.residual != nil {
		return // filterHeads marked what passed
	}
	t := p.j.table
	for _, head := range p.heads {
		if head == 0 || p.j.setMatched(head-1) {
			continue
		}
		for row := t.Next(head - 1); row != 0; row = t.Next(row - 1) {
			p.j.setMatched(row - 1)
		}
	}
}

// emitSelected passes the rows that matched, or those that did not.
func (p *hashJoinProbe) emitSelected(in *vector.Batch, matched bool) *vector.Batch {
	sel := p.sel[:0]
	if in.Sel == nil {
		for k, head := range p.heads {
			if head != 0 == matched {
				sel = append(sel, int32(k))
			}
		}
	} else {
		for k, head := range p.heads {
			if head != 0 == matched {
				sel = append(sel, in.Sel[k])
			}
		}
	}
	if len(sel) == 0 {
		return nil
	}
	p.passProbe(in)
	if p.out.Sel = sel; len(sel) == in.Len {
		p.out.Sel = nil
	}
	return &p.out
}

// passProbe makes out the probe's output columns as they are.
func (p *hashJoinProbe) passProbe(in *vector.Batch) {
	p.out.Cols = p.out.Cols[:0]
	for _, c := range p.j.n.ProbeCols {
		p.out.Cols = append(p.out.Cols, in.Cols[c])
	}
	p.out.Len, p.out.Sel = in.Len, in.Sel
}

// emitUnique yields the batch when every row has one match at most.
func (p *hashJoinProbe) emitUnique(in *vector.Batch) *vector.Batch {
	kind := p.j.n.Kind
	if kind == physical.Right || kind == physical.Full {
		for _, head := range p.heads {
			if head != 0 {
				p.j.setMatched(head - 1)
			}
		}
	}
	p.passProbe(in)
	built, outer := p.heads, false
	if kind == physical.Inner || kind == physical.Right || p.passes != nil {
		sel := p.sel[:len(p.heads)]
		built = p.built[:len(p.heads)]
		n := 0
		for k, head := range p.heads { // without branches: matches are hard to predict
			sel[n] = int32(k)
			built[n] = head
			if head != 0 {
				n++
			}
		}
		if n == 0 {
			return nil
		}
		if n < len(p.heads) {
			sel, built = sel[:n], built[:n]
			if in.Sel != nil {
				for i, k := range sel {
					sel[i] = in.Sel[k]
				}
			}
			p.out.Sel = sel
		}
	} else {
		for _, head := range built {
			if head == 0 {
				outer = true
				break
			}
		}
	}
	for i, c := range p.j.n.BuildCols {
		p.out.Cols = append(p.out.Cols, p.scatter[i].scatter(p.j.cols[c], built, p.out.Sel, in.Len, outer))
	}
	return &p.out
}

// nullColumns are NULLs in the types of the given columns.
func nullColumns(types []sqltype.Type, which []int, n int) []*vector.Vector {
	out := make([]*vector.Vector, len(which))
	for i, c := range which {
		out[i] = vector.New(types[c], 0)
		out[i].SetAllNull(n)
	}
	return out
}
