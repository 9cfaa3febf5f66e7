package lower

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// tinyRows is the input below which one phase on one instance is cheaper than two.
const tinyRows = 2048

// aggregate splits into Partial and Final around an exchange. One Complete phase is left where rows are on one
// instance already, where they are few, and where an aggregate is DISTINCT or ordered: its state needs all rows of a group.
func (l *lowerer) aggregate(n *logical.Aggregate) (stream, error) {
	return l.aggregateBy(n, nil)
}

// groupsAnInstance is how many groups an instance must have, on average, for rows to be dealt out by groups.
const groupsAnInstance = 64

// dedupInput lowers the input of n. The deduplication below a distinct aggregate sends rows by the groups of the
// aggregate alone, where those are many: then the rows of a group are together already, and three phases do in place of four.
func (l *lowerer) dedupInput(n *logical.Aggregate, need expr.ColumnSet) (stream, error) {
	inner, ok := n.Input.(*logical.Aggregate)
	if !ok || len(inner.Aggs) > 0 || inner.Sets != nil || n.Sets != nil || len(n.Groups) == 0 ||
		l.est.Rows(n) < groupsAnInstance*float64(l.opts.Instances) {
		return l.node(n.Input, need)
	}
	var keys expr.ColumnSet
	for _, g := range n.Groups {
		c, ok := g.(*expr.Column)
		if !ok {
			return l.node(n.Input, need)
		}
		keys.Add(c.ID)
	}
	return l.aggregateBy(inner, &keys)
}

// aggregateBy is aggregate whose rows, when they must move, are sent by the outputs in keys; nil: by all groups.
func (l *lowerer) aggregateBy(n *logical.Aggregate, keys *expr.ColumnSet) (stream, error) {
	var need expr.ColumnSet
	for _, g := range n.Groups {
		expr.AddColumns(&need, g)
	}
	whole := false
	for _, a := range n.Aggs {
		expr.AddColumns(&need, a)
		whole = whole || a.Distinct && !a.Fn.IgnoresDistinct || len(a.OrderBy) > 0
	}
	in, err := l.dedupInput(n, need)
	if err != nil {
		return stream{}, err
	}
	agg := physical.Aggregate{
		Info:   l.info(n.Cols, l.est.Rows(n)),
		Groups: fields(in.cols(), n.Groups), Aggs: make([]*expr.Aggregate, len(n.Aggs)),
		Sets: n.Sets, GroupingID: n.GroupingID != nil,
		MaxGroups: l.est.GroupBound(n.Input, n.Groups),
	}
	for i, a := range n.Aggs {
		agg.Aggs[i] = field(in.cols(), a).(*expr.Aggregate)
	}
	return l.phases(in, agg, n.Groups, keys, whole), nil
}

// phases makes the operators of agg over in; groups are its Groups as the logical plan has them, by what
// outputs (nil: all groups) rows are sent.
func (l *lowerer) phases(in stream, agg physical.Aggregate, groups []expr.Expr, by *expr.ColumnSet, whole bool) stream {
	k := len(agg.Groups)
	done := func(n physical.Node, single, moved bool) stream {
		return in.grouped(n, groups, agg.Cols, single, moved)
	}
	switch {
	case in.single:
		agg.Input = in.node
		return done(&agg, true, false)
	case agg.Sets == nil && l.colocatedGroups(in, groups):
		agg.Input, agg.Colocate = in.node, true
		return done(&agg, false, false)
	case agg.Sets == nil && in.together(groups):
		agg.Input = in.node
		return done(&agg, false, false)
	case whole && k > 0 && agg.Sets == nil && plainFields(agg.Groups):
		agg.Input = l.hashed(in, agg.Groups)
		return done(&agg, false, true)
	case whole, in.rows() <= tinyRows && smallInput(in.node):
		agg.Input = l.gather(in)
		return done(&agg, true, true)
	}
	partial := agg
	partial.Phase, partial.Input = physical.Partial, in.node
	keys := make([]expr.Expr, k)
	var sent []expr.Expr
	var sentBy []expr.ColumnID
	for i := range keys {
		keys[i] = fieldAt(agg.Cols, i)
		if by == nil || by.Has(agg.Cols[i].ID) {
			sent, sentBy = append(sent, keys[i]), append(sentBy, agg.Cols[i].ID)
		}
	}
	final := agg
	final.Phase, final.Groups, final.Sets = physical.Final, keys, nil
	if k == 0 {
		final.Input = l.gather(stream{node: &partial})
		return done(&final, true, true)
	}
	final.Input = l.hashed(stream{node: &partial}, sent)
	out := done(&final, false, true)
	out.sentBy = sentBy
	return out
}

// smallInput tells that a subtree has few rows because its sources are small, not because
// an estimate says that joins and filters leave few.
func smallInput(n physical.Node) bool {
	if s, ok := n.(*physical.Scan); ok {
		if s.Source == nil {
			return false
		}
		rows := s.Source.Stats().Rows
		return rows >= 0 && rows <= tinyRows
	}
	if _, ok := n.(*physical.CTERef); ok {
		return false
	}
	for _, c := range n.Children() {
		if !smallInput(c) {
			return false
		}
	}
	return true
}

func plainFields(es []expr.Expr) bool {
	for _, e := range es {
		if _, ok := e.(*expr.Field); !ok {
			return false
		}
	}
	return true
}

// distinct groups by all columns.
func (l *lowerer) distinct(n *logical.Distinct) (stream, error) {
	in, err := l.ordered(n.Input, n.Columns())
	if err != nil {
		return stream{}, err
	}
	return l.deduplicated(in, l.est.Rows(n), l.est.GroupBound(n.Input, expr.Refs(n.Columns()))), nil
}

func (l *lowerer) deduplicated(in stream, rows, bound float64) stream {
	cols := in.cols()
	groups := make([]expr.Expr, len(cols))
	for i := range groups {
		groups[i] = fieldAt(cols, i)
	}
	return l.phases(in, physical.Aggregate{Info: l.info(cols, rows), Groups: groups, MaxGroups: bound}, expr.Refs(cols), nil, false)
}
