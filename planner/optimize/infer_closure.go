package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// closure is everything that follows from a list of conjuncts which hold together: classes of columns that are
// equal, the order among classes, and the values that are left of each class.
//
// Columns of different types are of one class when their comparison casts them to a type that holds both
// exactly (INT = BIGINT, DATE = DATETIME): a constant is carried from one to the other only where the other type has it.
// Text compared with numbers is compared as DOUBLE, which is no such cast, and carries nothing.
type closure struct {
	at       map[expr.ColumnID]int
	cols     []*expr.Column // by term
	parent   []int          // union-find over terms
	known    []*values      // of the roots
	nullSafe [][2]int       // a <=> b: equal if one is not NULL
	less     []precedes
	pending  []expr.Expr // other comparisons: they may become facts once columns are pinned
	alike    []expr.Expr // conditions on a function of one column; see carried
	guards   []guard
	fc       *function.Context
	never    bool // the conjuncts contradict each other
}

// precedes says from < to (or <=).
type precedes struct {
	from, to int
	strict   bool
}

// guard is what holds of a row in which one of cols is not NULL: of the side of an outer join that may be
// filled with NULLs.
type guard struct {
	cols  expr.ColumnSet
	conds []expr.Expr
}

// closureOf reads the conjuncts and draws all conclusions.
func closureOf(conds []expr.Expr, fc *function.Context, guards ...guard) *closure {
	s := &closure{at: map[expr.ColumnID]int{}, fc: fc}
	for _, c := range conds {
		s.add(c)
	}
	s.guards = guards
	s.conclude()
	return s
}

func (s *closure) add(e expr.Expr) {
	if expr.IsVolatile(e) || expr.MayFail(e) {
		return
	}
	if isFalse(e) {
		s.never = true
		return
	}
	if facts := factsOf(e); len(facts) > 0 {
		for _, f := range facts {
			s.learn(f)
		}
		if _, one := factOf(e); one {
			return
		}
	}
	c, ok := e.(*expr.Call)
	if !ok {
		return
	}
	if s.withItself(c) {
		return
	}
	if a, b, ok := s.terms(c); ok {
		switch c.Fn.Name {
		case "=":
			s.equate(a, b)
			return
		case "<=>":
			s.nullSafe = append(s.nullSafe, [2]int{a, b})
			return
		case "<", "<=":
			s.order(a, b, c.Fn.Name == "<")
			return
		case ">", ">=":
			s.order(b, a, c.Fn.Name == ">")
			return
		}
	}
	if mapped(c) != nil {
		s.alike = append(s.alike, e)
	}
	if !expr.HasSubquery(e) && !expr.Columns(e).Empty() && !readsText(e) {
		s.pending = append(s.pending, e)
	}
}

// readsText: a text is read as a number or a date. Such comparisons carry nothing, not even one value.
func readsText(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if args, ok := expr.IsCall(e, "cast"); ok && args[0].Type().IsString() && !e.Type().IsString() {
			found = true
		}
		return !found
	})
	return found
}

// withItself reads a comparison of a column with itself: it excludes NULL, or everything.
func (s *closure) withItself(c *expr.Call) bool {
	if len(c.Args) != 2 {
		return false
	}
	x, ok1 := c.Args[0].(*expr.Column)
	y, ok2 := c.Args[1].(*expr.Column)
	if !ok1 || !ok2 || x.ID != y.ID || x.T.IsFloat() {
		return false
	}
	switch c.Fn.Name {
	case "=", "<=", ">=":
		s.learn(fact{x, values{notNull: true}})
		return true
	case "<", ">", "<>":
		s.never = true
		return true
	}
	return false
}

// terms are the two columns that a comparison compares exactly.
func (s *closure) terms(c *expr.Call) (a, b int, ok bool) {
	if len(c.Args) != 2 {
		return 0, 0, false
	}
	x, _ := widened(c.Args[0])
	y, _ := widened(c.Args[1])
	if x == nil || y == nil || x.ID == y.ID || !comparable(x.T, y.T) {
		return 0, 0, false
	}
	return s.term(x), s.term(y), true
}

func (s *closure) term(c *expr.Column) int {
	if i, ok := s.at[c.ID]; ok {
		return i
	}
	i := len(s.cols)
	s.at[c.ID] = i
	s.cols = append(s.cols, c)
	s.parent = append(s.parent, i)
	s.known = append(s.known, &values{})
	return i
}

func (s *closure) root(i int) int {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}

func (s *closure) learn(f fact) bool {
	return s.known[s.root(s.term(f.col))].meet(&f.values)
}

func (s *closure) equate(a, b int) {
	a, b = s.root(a), s.root(b)
	if a != b {
		s.parent[b] = a
		s.known[a].meet(s.known[b])
	}
	s.known[a].notNull = true
}

func (s *closure) order(a, b int, strict bool) {
	s.less = append(s.less, precedes{a, b, strict})
	s.known[s.root(a)].notNull, s.known[s.root(b)].notNull = true, true
}

// conclude repeats every kind of step until nothing changes. It ends: limits are taken from the constants
// that are there, classes only merge, and every pending condition is used once.
func (s *closure) conclude() {
	for changed := true; changed && !s.never; {
		changed = false
		keep := s.nullSafe[:0]
		for _, p := range s.nullSafe {
			if s.known[s.root(p[0])].notNull || s.known[s.root(p[1])].notNull {
				s.equate(p[0], p[1])
				changed = true
			} else {
				keep = append(keep, p)
			}
		}
		s.nullSafe = keep
		for _, e := range s.less {
			changed = s.relax(e) || changed
		}
		changed = s.pin() || changed
		changed = s.openGuards() || changed
		for i, p := range s.parent {
			s.never = s.never || p == i && s.known[i].never
		}
	}
}

// relax carries the limits of a class along an edge.
func (s *closure) relax(e precedes) bool {
	from, to := s.root(e.from), s.root(e.to)
	if from == to {
		s.never = s.never || e.strict
		return false
	}
	changed := false
	if l := s.known[from].lowest(); l != nil {
		changed = s.known[to].meet(&values{lo: &limit{l.v, l.strict || e.strict}})
	}
	if l := s.known[to].highest(); l != nil {
		changed = s.known[from].meet(&values{hi: &limit{l.v, l.strict || e.strict}}) || changed
	}
	return changed
}

// openGuards adds what holds since a column is known not to be NULL.
func (s *closure) openGuards() bool {
	var keep []guard
	for _, g := range s.guards {
		found := false
		for i, c := range s.cols {
			found = found || g.cols.Has(c.ID) && s.known[s.root(i)].notNull
		}
		if !found {
			keep = append(keep, g)
			continue
		}
		for _, c := range g.conds {
			s.add(c)
		}
	}
	changed := len(keep) < len(s.guards)
	s.guards = keep
	return changed
}

// pin computes pending conditions with the columns of which one value is left: id = 1 AND k = id + 1 gives k = 2.
func (s *closure) pin() bool {
	changed := false
	keep := s.pending[:0]
	var learned []expr.Expr
	for _, e := range s.pending {
		used := false
		r := expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
			i, ok := s.at[c.ID]
			if !ok {
				return nil, false
			}
			v := s.known[s.root(i)]
			if !v.only || len(v.points) != 1 {
				return nil, false
			}
			x, ok := valueAs(v.points[0], c.T)
			used = used || ok
			return expr.Lit(x), ok
		})
		if !used {
			keep = append(keep, e)
			continue
		}
		r = unwrapCast(expr.FoldTree(r, s.fc))
		if isFalse(r) {
			s.never = true
		} else if _, ok := factOf(r); ok {
			learned = append(learned, r)
		}
	}
	s.pending = keep
	for _, r := range learned {
		f, _ := factOf(r)
		changed = s.learn(f) || changed
	}
	return changed
}

// conditions are what is known of col that own, what is known already, does not imply.
func (s *closure) conditions(col expr.Column, own *values) []expr.Expr {
	i, ok := s.at[col.ID]
	if !ok {
		return nil
	}
	out := asConditions(s.known[s.root(i)], col, own)
	return append(out, s.carried(i, col)...)
}

// asConditions writes values as conditions on col, of what own does not imply.
func asConditions(v *values, col expr.Column, own *values) []expr.Expr {
	ref := expr.Ref(col)
	if v.only {
		return listCondition(v, ref, own)
	}
	var out []expr.Expr
	compare := func(op string, l *limit) {
		if x, ok := valueAs(l.v, col.T); ok {
			out = append(out, expr.MustCall(op, ref, expr.Lit(x)))
		}
	}
	if v.lo != nil && !own.aboveLimit(v.lo) {
		compare(map[bool]string{true: ">", false: ">="}[v.lo.strict], v.lo)
	}
	if v.hi != nil && !own.belowLimit(v.hi) {
		compare(map[bool]string{true: "<", false: "<="}[v.hi.strict], v.hi)
	}
	for _, p := range v.patterns {
		if col.T.IsString() && !own.only && !contains(own.patterns, p) {
			out = append(out, expr.MustCall("like", ref, expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), p))))
		}
	}
	if len(out) == 0 && v.said && !own.notNull && col.Null {
		out = append(out, expr.MustCall("is_not_null", ref))
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// listCondition is col = x or col IN (…), with the constants that col's type has. Where it has none of them,
// the comparison is left to the join.
func listCondition(v *values, ref *expr.Column, own *values) []expr.Expr {
	if own.within(v) {
		return nil
	}
	args := []expr.Expr{ref}
	for _, p := range v.points {
		if x, ok := valueAs(p, ref.T); ok {
			args = append(args, expr.Lit(x))
		}
	}
	switch len(args) {
	case 1:
		return nil
	case 2:
		return []expr.Expr{expr.Eq(args[0], args[1])}
	}
	return []expr.Expr{expr.MustCall("in", args...)}
}

// mapped is the column of a comparison or list over a function of one column that pruning can look through
// (date(t) = '2024-01-01'): such conditions hold of an equal column of the same type as well.
func mapped(c *expr.Call) *expr.Column {
	if _, ok := flippedOp[c.Fn.Name]; !ok && c.Fn.Name != "in" || c.Fn.Name == "<>" || c.Fn.Name == "<=>" {
		return nil
	}
	var col *expr.Column
	for _, a := range c.Args {
		if _, ok := a.(*expr.Literal); ok {
			continue
		}
		x := monotoneIn(a)
		if x == nil || col != nil {
			return nil
		}
		col = x
	}
	return col
}

// carried are the mapped conditions of term i's class, on col.
func (s *closure) carried(i int, col expr.Column) []expr.Expr {
	var out []expr.Expr
	for _, e := range s.alike {
		from := mapped(e.(*expr.Call))
		if from.ID == col.ID || !sameDomain(from, &col) {
			continue
		}
		if j, ok := s.at[from.ID]; ok && s.root(j) == s.root(i) {
			out = append(out, expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) { return expr.Ref(col), c.ID == from.ID }))
		}
	}
	return out
}

func sameDomain(a, b *expr.Column) bool {
	return a.T.Equal(b.T) || a.T.IsString() && b.T.IsString()
}
