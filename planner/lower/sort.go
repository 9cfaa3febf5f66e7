package lower

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// sort orders the rows; every instance contributes sorted rows and a merging exchange makes
// them one stream.
func (l *lowerer) sort(n *logical.Sort, need expr.ColumnSet) (stream, error) {
	below := need.Clone()
	for _, k := range n.Keys {
		expr.AddColumns(&below, k.Expr)
	}
	in, err := l.node(n.Input, below)
	if err != nil {
		return stream{}, err
	}
	s := &physical.Sort{
		Info: l.info(in.cols(), l.est.Rows(n)), Input: in.node,
		Keys: sortKeys(in.cols(), n.Keys), Limit: n.Limit, Offset: n.Offset,
	}
	if n.Sections != logical.Whole && n.Limit < 0 && n.Offset == 0 {
		if s.Sectioned = true; n.Sections == logical.Numbered {
			s.Numbered = true
			s.Input = l.hashed(in, []expr.Expr{s.Keys[0].Expr})
		}
		return in.moved(s, false), nil
	}
	if in.single {
		return in.as(s), nil
	}
	return in.moved(&physical.Exchange{Info: l.info(s.Cols, s.Rows), Kind: physical.MergeGather, Input: s, Order: s.Keys}, true), nil
}

// limit runs on one instance.
func (l *lowerer) limit(n *logical.Limit, need expr.ColumnSet) (stream, error) {
	in, err := l.node(n.Input, need)
	if err != nil {
		return stream{}, err
	}
	out := &physical.Limit{Info: l.info(in.cols(), l.est.Rows(n)), Input: l.gather(in), Count: n.Count, Offset: n.Offset}
	return in.moved(out, true), nil
}
