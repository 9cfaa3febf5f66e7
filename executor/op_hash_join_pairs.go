package executor

import (
	"context"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// pairState expands the matches of one probe batch to pairs of rows.
type pairState struct {
	active  bool
	row     int    // live row that goes on
	cur     uint32 // its next build row plus one; 0: its first
	live    []int32
	probe   []int32
	built   []uint32
	matched []bool // by live row
}

func (s *pairState) start(in *vector.Batch) {
	s.active, s.row, s.cur = true, 0, 0
	n := in.NumRows()
	if cap(s.matched) < n {
		s.matched = make([]bool, n)
	}
	s.matched = s.matched[:n]
	clear(s.matched)
}

// next collects up to limit pairs; it is false when there are no more after these.
func (p *hashJoinProbe) nextPairs(in *vector.Batch, limit int) bool {
	s, t := &p.pairs, p.j.table
	s.live, s.probe, s.built = s.live[:0], s.probe[:0], s.built[:0]
	for ; s.row < len(p.heads); s.row++ {
		cur := s.cur
		if cur == 0 {
			cur = p.heads[s.row]
		}
		for cur != 0 {
			if len(s.built) == limit {
				s.cur = cur
				return true
			}
			s.live = append(s.live, int32(s.row))
			s.probe = append(s.probe, int32(in.Row(s.row)))
			s.built = append(s.built, cur)
			cur = t.Next(cur - 1)
		}
		s.cur = 0
	}
	return false
}

// filterPairs keeps the pairs for which the residual is true.
func (p *hashJoinProbe) filterPairs(in *vector.Batch) error {
	s := &p.pairs
	if p.residual == nil || len(s.built) == 0 {
		return nil
	}
	pass, err := p.passing(in, s.probe, s.built)
	if err != nil {
		return err
	}
	for i, at := range pass {
		s.live[i], s.probe[i], s.built[i] = s.live[at], s.probe[at], s.built[at]
	}
	s.live, s.probe, s.built = s.live[:len(pass)], s.probe[:len(pass)], s.built[:len(pass)]
	return nil
}

// passing are the positions of pairs for which the residual is true.
func (p *hashJoinProbe) passing(in *vector.Batch, probe []int32, built []uint32) ([]int32, error) {
	cols := make([]*vector.Vector, len(p.pairCols))
	width := len(p.j.probeTypes)
	for _, c := range p.fields {
		if c < width {
			cols[c] = p.pairCols[c].gatherRows(in.Cols[c], probe)
		} else {
			cols[c] = p.pairCols[c].scatter(p.j.cols[c-width], built, nil, len(built), false)
		}
	}
	return p.residual.Select(cols, len(built), nil)
}

// morePairs yields the next batch of pairs, and at the end the rows without a match where
// the kind keeps them.
func (p *hashJoinProbe) morePairs(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	s := &p.pairs
	kind := p.j.n.Kind
	for s.row < len(p.heads) {
		if err := ctx.Err(); err != nil {
			return nil, NeedInput, err
		}
		p.nextPairs(in, p.rows)
		if err := p.filterPairs(in); err != nil {
			return nil, NeedInput, err
		}
		for i, k := range s.live {
			if s.matched[k] && kind == physical.Single {
				return nil, NeedInput, sqlerr.New(sqlerr.SubqueryMoreThanOne, "Subquery returns more than 1 row")
			}
			s.matched[k] = true
			if p.j.matched != nil {
				p.j.setMatched(s.built[i] - 1)
			}
		}
		if len(s.built) > 0 {
			return p.emitPairs(in), HasMore, nil
		}
	}
	s.active = false
	if p.passes != nil {
		return nil, NeedInput, p.notePairs(in)
	}
	switch kind {
	case physical.Left, physical.Full, physical.Single:
		return p.emitUnmatched(in), NeedInput, nil
	}
	return nil, NeedInput, nil
}

func (p *hashJoinProbe) emitPairs(in *vector.Batch) *vector.Batch {
	s, n := &p.pairs, p.j.n
	p.out.Cols, p.out.Len, p.out.Sel = p.out.Cols[:0], len(s.built), nil
	for i, c := range n.ProbeCols {
		p.out.Cols = append(p.out.Cols, p.gather[i].gatherRows(in.Cols[c], s.probe))
	}
	for i, c := range n.BuildCols {
		p.out.Cols = append(p.out.Cols, p.scatter[i].scatter(p.j.cols[c], s.built, nil, len(s.built), false))
	}
	return &p.out
}

// emitUnmatched yields the probe rows without a match, with NULL build columns.
func (p *hashJoinProbe) emitUnmatched(in *vector.Batch) *vector.Batch {
	sel := p.sel[:0]
	for k, m := range p.pairs.matched {
		if !m {
			sel = append(sel, int32(in.Row(k)))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	p.passProbe(in)
	p.out.Sel = sel
	p.out.Cols = append(p.out.Cols, nullColumns(p.j.buildTypes, p.j.n.BuildCols, in.Len)...)
	return &p.out
}

// filterHeads, for kinds that ask only whether there is a match, keeps the heads of rows
// with a match that passes the residual. For kinds that mark build rows it marks them.
func (p *hashJoinProbe) filterHeads(ctx context.Context, in *vector.Batch) error {
	if p.residual == nil {
		return nil
	}
	s := &p.pairs
	s.start(in)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		more = p.nextPairs(in, p.rows)
		if err := p.filterPairs(in); err != nil {
			return err
		}
		for i, k := range s.live {
			s.matched[k] = true
			if p.j.matched != nil {
				p.j.setMatched(s.built[i] - 1)
			}
		}
		if p.j.matched == nil && s.row < len(s.matched) && s.matched[s.row] {
			s.row, s.cur = s.row+1, 0 // one match is enough
		}
	}
	s.active = false
	for k, m := range s.matched {
		if !m {
			p.heads[k] = 0
		}
	}
	return nil
}
