package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// inferPredicates adds conditions that follow from others: t1.id = t2.id AND t1.id = 1 gives t2.id = 1, a > b AND
// b > 10 gives a > 10. Scans then read less, and partitions, buckets and files are pruned on all sides of a join.
//
// It works in three steps. Pull-up (infer_pullup.go): for each node, the conditions that all its rows satisfy.
// Closure (infer_closure.go): from the conditions of both inputs of a join and its ON, all that follows, by
// classes of equal columns (whose values are in infer_values.go), the order among them and columns of one value.
// Push-down: each input receives what it does not know yet, if the kind of join allows (receivers), and the
// filter pushdown takes it to the scans.
//
// Nothing is inferred from volatile conditions or through casts that lose something. Conditions that others
// imply are dropped: an inferred one is never a second copy, and a filter whose input satisfies it disappears.
func inferPredicates(c *Context, n logical.Node) (logical.Node, error) {
	if c.inShared {
		return n, nil // done with the root's plan
	}
	f := &inferrer{bounds: boundsOf(n), fc: c.Functions, c: c, pulled: map[logical.Node][]expr.Expr{}}
	shared := logical.CTEs(n)
	for _, s := range shared {
		for id, r := range boundsOf(s.Plan) {
			f.bounds[id] = r
		}
	}
	n = f.node(n)
	f.intoShared(n, shared)
	clear(f.pulled) // references give more, now that their plans have more
	for _, s := range shared {
		s.Plan = keepColumns(s.Plan.Columns(), f.dropImplied(s.Plan))
	}
	return f.dropImplied(n), nil
}

// inferrer is one run of the pass.
type inferrer struct {
	bounds
	fc     *function.Context
	c      *Context
	pulled map[logical.Node][]expr.Expr // known, by node
}

// node works from the top, so that what an upper node learns reaches those below it.
func (f *inferrer) node(n logical.Node) logical.Node {
	switch m := n.(type) {
	case *logical.Join:
		n = f.join(m)
	case *logical.SetOp:
		n = f.setOp(m)
	case *logical.Filter:
		if n = f.filter(m); n != m {
			if _, ok := n.(*logical.Filter); !ok {
				return f.node(n)
			}
		}
	case *logical.Scan:
		return f.scan(m)
	}
	return logical.RewriteChildren(n, f.node)
}

// receivers: which inputs inferred conditions may be put on. A side whose unmatched rows are kept must not lose
// any; NULL-aware and mark joins give a meaning to rows without a match.
func receivers(k logical.JoinKind) (left, right bool) {
	switch k {
	case logical.Inner, logical.Semi:
		return true, true
	case logical.Left, logical.Anti, logical.Single:
		return false, true
	case logical.Right:
		return true, false
	}
	return false, false
}

// join: a pair of rows can only match if all that is known of either and ON hold together. What follows from
// that, a side that may receive can be limited to. Conditions of WHERE are in the inputs by now, or above; those
// above an outer join are no part of it.
func (f *inferrer) join(n *logical.Join) logical.Node {
	toLeft, toRight := receivers(n.Kind)
	if !toLeft && !toRight {
		return n
	}
	lknown, rknown := f.known(n.LeftInput), f.known(n.RightInput)
	s := f.closure(n)
	var left, right []expr.Expr
	if toLeft {
		left = s.missing(n.LeftInput.Columns(), lknown)
	}
	if toRight {
		right = s.missing(n.RightInput.Columns(), rknown)
	}
	if len(left)+len(right) == 0 {
		return n
	}
	m := *n
	m.LeftInput, m.RightInput = f.push(n.LeftInput, left), f.push(n.RightInput, right)
	return &m
}

// setOp: rows of an INTERSECT are in all inputs, so that each may be limited by what is known of the others; those
// that EXCEPT subtracts matter only if they can be in the first.
func (f *inferrer) setOp(n *logical.SetOp) logical.Node {
	if n.Kind == logical.Union {
		return n
	}
	inputs := make([]logical.Node, len(n.Inputs))
	changed := false
	for i, in := range n.Inputs {
		var others []expr.Expr
		for k, from := range n.Inputs {
			if k != i && (n.Kind == logical.Intersect || k == 0 && i > 0) {
				others = both(others, renamed(f.known(from), namesOf(from.Columns(), in.Columns())))
			}
		}
		inputs[i] = f.push(in, f.missingFrom(others, in))
		changed = changed || inputs[i] != in
	}
	if !changed {
		return n
	}
	return n.WithChildren(inputs)
}

// missingFrom are the conditions, and what follows from them, that n does not satisfy by what is known of it. Those
// of no form that inference understands are passed on as they are.
func (f *inferrer) missingFrom(conds []expr.Expr, n logical.Node) []expr.Expr {
	if len(conds) == 0 {
		return nil
	}
	own := f.known(n)
	out := closureOf(both(conds, own), f.fc).missing(n.Columns(), own)
	for _, c := range conds {
		if _, ok := factOf(c); !ok && f.movable(c) && !containsExpr(own, c) && !containsExpr(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// filter pushes down what follows for single columns from its conditions and what its input satisfies. What cannot
// go further is left out again: no row would fail it.
func (f *inferrer) filter(n *logical.Filter) logical.Node {
	all := both(n.Conds, f.known(n.Input))
	s := closureOf(all, f.fc, f.guarded(n.Input)...)
	if s.never {
		return &logical.Filter{Input: n.Input, Conds: []expr.Expr{expr.Bool(false)}}
	}
	add := s.missing(n.Columns(), all)
	if len(add) == 0 {
		return n
	}
	pushed := f.push(n, add)
	out, ok := pushed.(*logical.Filter)
	if !ok {
		return pushed
	}
	conds, _ := partition(out.Conds, func(c expr.Expr) bool { return !containsExpr(add, c) })
	return under(conds, out.Input)
}

// dropImplied removes conditions of filters that their inputs satisfy.
func (f *inferrer) dropImplied(n logical.Node) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		m, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		below := f.known(m.Input)
		own := directOf(below)
		keep, _ := partition(m.Conds, func(c expr.Expr) bool {
			return expr.IsVolatile(c) || !containsExpr(below, c) && !own.implies(c)
		})
		switch len(keep) {
		case len(m.Conds):
			return n
		case 0:
			return m.Input
		}
		return &logical.Filter{Input: m.Input, Conds: keep}
	})
}

func (f *inferrer) scan(n *logical.Scan) logical.Node {
	if len(n.Filter) == 0 || n.Limit >= 0 {
		return n
	}
	s := closureOf(n.Filter, f.fc)
	m := *n
	if s.never {
		m.Filter = []expr.Expr{expr.Bool(false)}
		return &m
	}
	add := s.missing(n.Cols, n.Filter)
	m.Filter = withoutImplied(withConds(n.Filter, add))
	if len(add) == 0 && len(m.Filter) == len(n.Filter) {
		return n
	}
	return &m
}

// withoutImplied leaves out conditions on one column that the other ones imply.
func withoutImplied(conds []expr.Expr) []expr.Expr {
	out := conds
	for i := len(out) - 1; i >= 0; i-- {
		if _, ok := factOf(out[i]); !ok {
			continue
		}
		rest := append(append([]expr.Expr(nil), out[:i]...), out[i+1:]...)
		sure, _ := partition(rest, func(e expr.Expr) bool { return !expr.MayFail(e) }) // an error must not come sooner
		others := directOf(sure)
		if others.implies(out[i]) {
			out = rest
		}
	}
	return out
}

// implies reports that a condition on one column holds wherever d does.
func (d *direct) implies(e expr.Expr) bool {
	f, ok := factOf(e)
	if !ok {
		return false
	}
	own, ok := d.of[f.col.ID]
	if !ok || !own.values.notNull {
		return false
	}
	for _, p := range f.values.patterns {
		if !contains(own.values.patterns, p) {
			return false
		}
	}
	return own.values.within(&f.values)
}

// missing are the conditions on single columns that the closure has and own does not imply: FALSE alone where
// no row can satisfy all.
func (s *closure) missing(cols []expr.Column, own []expr.Expr) []expr.Expr {
	if s.never {
		if anyFalse(own) {
			return nil
		}
		return []expr.Expr{expr.Bool(false)}
	}
	d := directOf(own)
	var out []expr.Expr
	for _, c := range cols {
		for _, e := range s.conditions(c, d.values(c.ID)) {
			if !containsExpr(own, e) && !containsExpr(out, e) {
				out = append(out, e)
			}
		}
	}
	return out
}

// direct is what the closure leaves of each column.
func (s *closure) direct(cols []expr.Column) direct {
	d := direct{of: map[expr.ColumnID]*fact{}}
	for i := range cols {
		if t, ok := s.at[cols[i].ID]; ok {
			v := *s.known[s.root(t)]
			v.never = v.never || s.never
			d.of[cols[i].ID] = &fact{&cols[i], v}
			d.order = append(d.order, cols[i].ID)
		}
	}
	return d
}
