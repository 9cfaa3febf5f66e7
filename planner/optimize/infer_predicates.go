package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// inferPredicates carries conditions on one column (comparisons with constants, IN lists, IS NOT NULL has no need)
// over to the columns that a join equates with it: t1.id = t2.id AND t1.id = 1 gives t2.id = 1. Which input may
// receive one depends on the kind of join; see receivers.
func inferPredicates(_ *Context, n logical.Node) (logical.Node, error) {
	return boundsOf(n).infer(n), nil
}

// infer works from the top, so that what an upper join learns reaches the joins below it.
func (b bounds) infer(n logical.Node) logical.Node {
	if j, ok := n.(*logical.Join); ok {
		n = b.inferJoin(j)
	}
	return logical.RewriteChildren(n, b.infer)
}

// receivers: which inputs inferred conditions may be put on. A side whose unmatched rows are kept must not lose
// any; NULL-aware and mark joins give a meaning to rows without a match.
func receivers(k logical.JoinKind) (left, right bool) {
	switch k {
	case logical.Inner, logical.Semi:
		return true, true
	case logical.Left, logical.Anti:
		return false, true
	case logical.Right:
		return true, false
	}
	return false, false
}

func (b bounds) inferJoin(n *logical.Join) logical.Node {
	toLeft, toRight := receivers(n.Kind)
	if !toLeft && !toRight {
		return n
	}
	lknown, rknown := known(n.LeftInput), known(n.RightInput)
	sources := append([]expr.Expr(nil), n.On...)
	classes := newClasses()
	if toRight { // what holds of the left rows limits the right rows that can match them
		sources = append(sources, lknown...)
	}
	if toLeft {
		sources = append(sources, rknown...)
	}
	for _, c := range sources {
		classes.equate(c)
	}
	lcols, rcols := logical.Outputs(n.LeftInput), logical.Outputs(n.RightInput)
	var left, right []expr.Expr
	for _, c := range sources {
		col := constrained(c)
		if col == nil {
			continue
		}
		for _, other := range classes.others(col) {
			e := expr.Substitute(c, func(x *expr.Column) (expr.Expr, bool) { return other, x.ID == col.ID })
			switch {
			case toLeft && lcols.Has(other.ID) && !containsExpr(lknown, e) && !containsExpr(left, e):
				left = append(left, e)
			case toRight && rcols.Has(other.ID) && !containsExpr(rknown, e) && !containsExpr(right, e):
				right = append(right, e)
			}
		}
	}
	if len(left)+len(right) == 0 {
		return n
	}
	m := *n
	m.LeftInput, m.RightInput = b.push(n.LeftInput, left), b.push(n.RightInput, right)
	return &m
}

// constrained is the column that a condition compares with constants only, if it is of that form.
func constrained(e expr.Expr) *expr.Column {
	if expr.IsVolatile(e) || expr.MayFail(e) {
		return nil
	}
	if col, op, lit, ok := columnOpLiteral(e); ok && op != "<=>" && op != "<>" && !lit.Value.Null {
		return col
	}
	if args, ok := expr.IsCall(e, "in"); ok {
		col, _ := args[0].(*expr.Column)
		for _, a := range args[1:] {
			if _, ok := a.(*expr.Literal); !ok {
				return nil
			}
		}
		return col
	}
	return nil
}

// classes are sets of columns that are equal in every row.
type classes struct {
	of   map[expr.ColumnID]int
	list [][]*expr.Column
}

func newClasses() *classes { return &classes{of: map[expr.ColumnID]int{}} }

// equate takes in a = b for two bare columns of the same type. (Where types differ, the comparison is of
// casts, and a condition on one column says something else of the other.)
func (s *classes) equate(e expr.Expr) bool {
	args, ok := expr.IsCall(e, "=")
	if !ok {
		return false
	}
	a, ok1 := args[0].(*expr.Column)
	b, ok2 := args[1].(*expr.Column)
	if !ok1 || !ok2 || !sameDomain(a, b) || a.ID == b.ID {
		return false
	}
	i, j := s.class(a), s.class(b)
	if i != j {
		for _, c := range s.list[j] {
			s.of[c.ID] = i
		}
		s.list[i] = append(s.list[i], s.list[j]...)
		s.list[j] = nil
	}
	return true
}

func sameDomain(a, b *expr.Column) bool {
	return a.T.Equal(b.T) || a.T.IsString() && b.T.IsString()
}

func (s *classes) class(c *expr.Column) int {
	if i, ok := s.of[c.ID]; ok {
		return i
	}
	s.of[c.ID] = len(s.list)
	s.list = append(s.list, []*expr.Column{c})
	return len(s.list) - 1
}

// others are the columns equal to c.
func (s *classes) others(c *expr.Column) []*expr.Column {
	i, ok := s.of[c.ID]
	if !ok {
		return nil
	}
	var out []*expr.Column
	for _, o := range s.list[i] {
		if o.ID != c.ID {
			out = append(out, o)
		}
	}
	return out
}

// known are conditions that hold of every output row of n, over n's columns.
func known(n logical.Node) []expr.Expr {
	switch n := n.(type) {
	case *logical.Scan:
		return n.Filter
	case *logical.Filter:
		return append(append([]expr.Expr(nil), n.Conds...), known(n.Input)...)
	case *logical.Project:
		at := map[expr.ColumnID]expr.Expr{}
		for i, e := range n.Exprs {
			if c, ok := e.(*expr.Column); ok {
				at[c.ID] = expr.Ref(n.Cols[i])
			}
		}
		return renamed(known(n.Input), at)
	case *logical.Aggregate:
		at := map[expr.ColumnID]expr.Expr{}
		for i, e := range n.Groups {
			if c, ok := e.(*expr.Column); ok && everySetHas(n.Sets, i) {
				at[c.ID] = expr.Ref(n.Cols[i])
			}
		}
		return renamed(known(n.Input), at)
	case *logical.Distinct:
		return known(n.Input)
	case *logical.Sort:
		return known(n.Input)
	case *logical.Limit:
		return known(n.Input)
	case *logical.Join:
		return knownOfJoin(n)
	}
	return nil
}

func knownOfJoin(n *logical.Join) []expr.Expr {
	switch n.Kind {
	case logical.Inner:
		out := append([]expr.Expr(nil), n.On...)
		return append(append(out, known(n.LeftInput)...), known(n.RightInput)...)
	case logical.Right:
		return known(n.RightInput)
	case logical.Full:
		return nil
	}
	return known(n.LeftInput)
}

// renamed keeps the conditions all of whose columns have a name above.
func renamed(conds []expr.Expr, at map[expr.ColumnID]expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		ok := true
		for _, id := range expr.Columns(c).IDs() {
			_, has := at[id]
			ok = ok && has
		}
		if ok {
			out = append(out, substituted(c, at))
		}
	}
	return out
}
