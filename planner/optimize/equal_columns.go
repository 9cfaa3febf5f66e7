package optimize

import "github.com/basaltdb/basalt/planner/expr"

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
