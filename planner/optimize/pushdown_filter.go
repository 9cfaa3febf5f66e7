package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// pushdownFilter moves every conjunct as close to the scans as it may go: through projections and grouping
// columns, to the sides of joins, into all inputs of a union, into the scan itself. Conditions over both
// sides of an inner join become its condition, so that a cross join under a WHERE is a join.
func pushdownFilter(_ *Context, n logical.Node) (logical.Node, error) {
	return boundsOf(n).push(n, nil), nil
}

// push is n under the conjuncts. Those that cannot go into n stay in a Filter on top.
func (b bounds) push(n logical.Node, conds []expr.Expr) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		return b.pushScan(n, conds)
	case *logical.Filter:
		return b.push(n.Input, append(append([]expr.Expr(nil), foldConds(n.Conds)...), conds...))
	case *logical.Project:
		return b.pushProject(n, conds)
	case *logical.Join:
		return b.pushJoin(n, conds)
	case *logical.Unnest:
		return b.pushUnnest(n, conds)
	case *logical.Aggregate:
		return b.pushAggregate(n, conds)
	case *logical.Window:
		return b.pushWindow(n, conds)
	case *logical.SetOp:
		return b.pushSetOp(n, conds)
	case *logical.Distinct:
		down, stay := partition(conds, func(e expr.Expr) bool { return !expr.IsVolatile(e) })
		return under(stay, rebuild(n, b.push(n.Input, down)))
	case *logical.Sort:
		if n.Limit < 0 && n.Offset == 0 {
			down, stay := partition(conds, func(e expr.Expr) bool { return !expr.IsVolatile(e) })
			return under(stay, rebuild(n, b.push(n.Input, down)))
		}
	}
	return under(conds, logical.RewriteChildren(n, func(c logical.Node) logical.Node { return b.push(c, nil) }))
}

// under is n with a Filter on top, each conjunct once.
func under(conds []expr.Expr, n logical.Node) logical.Node {
	if len(conds) == 0 {
		return n
	}
	return &logical.Filter{Input: n, Conds: withConds(nil, conds)}
}

// withConds adds to list the conjuncts that it does not have.
func withConds(list, conds []expr.Expr) []expr.Expr {
	out := append([]expr.Expr(nil), list...)
	for _, c := range conds {
		if expr.IsVolatile(c) || !containsExpr(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func partition(conds []expr.Expr, f func(expr.Expr) bool) (yes, no []expr.Expr) {
	for _, c := range conds {
		if f(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

func (b bounds) pushScan(n *logical.Scan, conds []expr.Expr) logical.Node {
	down, stay := partition(conds, func(e expr.Expr) bool { return !expr.IsVolatile(e) && n.Limit < 0 })
	if len(down) == 0 {
		return under(stay, n)
	}
	all := withConds(n.Filter, down)
	if len(all) == len(n.Filter) {
		return under(stay, n)
	}
	m := *n
	m.Filter = all
	return under(stay, &m)
}

// pushProject reads the conjuncts over the inputs of the projection.
func (b bounds) pushProject(n *logical.Project, conds []expr.Expr) logical.Node {
	at := map[expr.ColumnID]expr.Expr{}
	for i, c := range n.Cols {
		at[c.ID] = n.Exprs[i]
	}
	var down, stay []expr.Expr
	for _, c := range conds {
		s := substituted(c, at)
		if expr.IsVolatile(s) {
			stay = append(stay, c)
		} else {
			down = append(down, expr.Conjuncts(nil, s)...)
		}
	}
	return under(stay, rebuild(n, b.push(n.Input, down)))
}

func substituted(e expr.Expr, at map[expr.ColumnID]expr.Expr) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		x, ok := at[c.ID]
		return x, ok
	})
}

// pushUnnest: a conjunct over the input's columns keeps or drops all rows that an input row gives.
func (b bounds) pushUnnest(n *logical.Unnest, conds []expr.Expr) logical.Node {
	in := logical.Outputs(n.Input)
	down, stay := partition(conds, func(e expr.Expr) bool { return b.movable(e) && expr.Columns(e).SubsetOf(in) })
	for _, c := range stay {
		if b.movable(c) {
			down = append(down, implied(c, in)...)
		}
	}
	return under(stay, rebuild(n, b.push(n.Input, down)))
}

// pushAggregate: a conjunct over grouping columns keeps or drops whole groups.
func (b bounds) pushAggregate(n *logical.Aggregate, conds []expr.Expr) logical.Node {
	at := map[expr.ColumnID]expr.Expr{}
	var keys expr.ColumnSet
	for i, g := range n.Groups {
		if everySetHas(n.Sets, i) && !expr.IsVolatile(g) {
			at[n.Cols[i].ID] = g
			keys.Add(n.Cols[i].ID)
		}
	}
	down, stay := partition(conds, func(e expr.Expr) bool {
		used := expr.Columns(e)
		return !used.Empty() && used.SubsetOf(keys) && !expr.IsVolatile(e)
	})
	for _, c := range stay { // of an OR over keys and aggregates, what it says of the keys
		if b.movable(c) {
			down = append(down, implied(c, keys)...)
		}
	}
	for i, c := range down {
		down[i] = substituted(c, at)
	}
	return under(stay, rebuild(n, b.push(n.Input, down)))
}

// pushWindow: a conjunct over partition keys keeps or drops whole partitions.
func (b bounds) pushWindow(n *logical.Window, conds []expr.Expr) logical.Node {
	keys := partitionColumns(n)
	down, stay := partition(conds, func(e expr.Expr) bool {
		used := expr.Columns(e)
		return !used.Empty() && used.SubsetOf(keys) && !expr.IsVolatile(e)
	})
	for _, c := range stay {
		if b.movable(c) {
			down = append(down, implied(c, keys)...)
		}
	}
	return under(stay, rebuild(n, b.push(n.Input, down)))
}

// partitionColumns are the columns that are equal for all rows of a partition.
func partitionColumns(n *logical.Window) expr.ColumnSet {
	var keys expr.ColumnSet
	for _, e := range n.Partition {
		if c, ok := e.(*expr.Column); ok {
			keys.Add(c.ID)
		}
	}
	return keys
}

func everySetHas(sets [][]int, group int) bool {
	for _, s := range sets {
		found := false
		for _, g := range s {
			found = found || g == group
		}
		if !found {
			return false
		}
	}
	return true
}

func (b bounds) pushSetOp(n *logical.SetOp, conds []expr.Expr) logical.Node {
	down, stay := partition(conds, func(e expr.Expr) bool { return !expr.IsVolatile(e) })
	m := *n
	m.Inputs = make([]logical.Node, len(n.Inputs))
	changed := false
	for i, in := range n.Inputs {
		at := map[expr.ColumnID]expr.Expr{}
		for k, c := range in.Columns() {
			at[n.Cols[k].ID] = expr.Ref(c)
		}
		below := make([]expr.Expr, len(down))
		for k, c := range down {
			below[k] = substituted(c, at)
		}
		m.Inputs[i] = b.push(in, below)
		changed = changed || m.Inputs[i] != in
	}
	if !changed {
		return under(stay, n)
	}
	return under(stay, &m)
}

// sides says where the conjuncts of a kind of join may go.
type sides struct {
	// From above: to the left, to the right input, into the condition.
	aboveLeft, aboveRight, aboveOn bool
	// From the condition.
	onLeft, onRight bool
}

var joinSides = map[logical.JoinKind]sides{
	logical.Inner:         {aboveLeft: true, aboveRight: true, aboveOn: true, onLeft: true, onRight: true},
	logical.Left:          {aboveLeft: true, onRight: true},
	logical.Right:         {aboveRight: true, onLeft: true},
	logical.Full:          {},
	logical.Semi:          {aboveLeft: true, onLeft: true, onRight: true},
	logical.Anti:          {aboveLeft: true, onRight: true},
	logical.NullAwareAnti: {aboveLeft: true, onRight: true},
	logical.Mark:          {aboveLeft: true, onRight: true},
	logical.Single:        {aboveLeft: true, onRight: true},
}

func (b bounds) pushJoin(n *logical.Join, conds []expr.Expr) logical.Node {
	s := joinSides[n.Kind]
	lcols, rcols := logical.Outputs(n.LeftInput), logical.Outputs(n.RightInput)
	var left, right, on, stay []expr.Expr
	for _, c := range conds {
		used := expr.Columns(c)
		switch {
		case s.aboveOn && !b.movable(c) && isKey(c, lcols, rcols):
			on = append(on, c)
		case !b.movable(c):
			stay = append(stay, c)
		case s.aboveLeft && used.SubsetOf(lcols):
			left = append(left, c)
		case s.aboveRight && used.SubsetOf(rcols):
			right = append(right, c)
		case s.aboveOn:
			on = append(on, c)
		default:
			stay = append(stay, c)
		}
	}
	fixed := fixedConds(n)
	on = append(append([]expr.Expr(nil), n.On...), on...)
	var keep []expr.Expr
	for i, c := range on {
		used := expr.Columns(c)
		switch {
		case i < fixed || !b.movable(c):
			keep = append(keep, c)
		case s.onLeft && used.SubsetOf(lcols):
			left = append(left, c)
		case s.onRight && used.SubsetOf(rcols):
			right = append(right, c)
		default:
			if !containsExpr(keep[fixed:], c) { // one that reads as the comparison of IN is a correlation all the same
				keep = append(keep, c)
			}
			if s.onLeft {
				left = append(left, implied(c, lcols)...)
			}
			if s.onRight {
				right = append(right, implied(c, rcols)...)
			}
		}
	}
	l, r := b.push(n.LeftInput, left), b.push(n.RightInput, right)
	if l == n.LeftInput && r == n.RightInput && sameExprs(keep, n.On) {
		return under(stay, n)
	}
	m := *n
	m.LeftInput, m.RightInput, m.On = l, r, keep
	return under(stay, &m)
}

// isKey reports an equality of both sides of a join. It becomes the join's key even when computing one of its sides may
// fail for some row: comparing all pairs instead would cost too much to spare the error where the other input is empty.
func isKey(c expr.Expr, lcols, rcols expr.ColumnSet) bool {
	if expr.IsVolatile(c) {
		return false
	}
	_, _, ok := splitEquality(c, lcols, rcols)
	return ok
}

// fixedConds is how many conjuncts at the start of the condition are the comparison of IN, whose NULLs have
// a meaning: they never move.
func fixedConds(n *logical.Join) int {
	switch n.Kind {
	case logical.Mark:
		return n.FromMarkKey
	case logical.NullAwareAnti:
		return max(1, n.FromMarkKey)
	}
	return 0
}

// implied is what an OR over both sides of a join says of one side alone: each branch's conjuncts over
// that side, if every branch has some. The OR itself stays.
func implied(e expr.Expr, cols expr.ColumnSet) []expr.Expr {
	args, ok := expr.IsCall(e, "or")
	if !ok {
		return nil
	}
	branches := make([]expr.Expr, len(args))
	for i, a := range args {
		var mine []expr.Expr
		for _, c := range expr.Conjuncts(nil, a) {
			if used := expr.Columns(c); !used.Empty() && used.SubsetOf(cols) {
				mine = append(mine, c)
			}
		}
		if len(mine) == 0 {
			return nil
		}
		branches[i] = expr.And(mine...)
	}
	return factorOr(expr.Or(branches...))
}
