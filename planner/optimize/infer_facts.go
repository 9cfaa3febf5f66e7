package optimize

import (
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// fact is what one condition says of one column.
type fact struct {
	col    *expr.Column
	values values
}

// factOf reads a condition that compares one column (or a cast of it that loses nothing) with constants.
func factOf(e expr.Expr) (fact, bool) {
	c, ok := e.(*expr.Call)
	if !ok {
		return fact{}, false
	}
	switch c.Fn.Name {
	case "is_not_null":
		return notNullFact(c.Args[0])
	case "not":
		return negatedFact(c.Args[0])
	case "in":
		return listFact(c)
	case "like":
		return patternFact(c)
	}
	return comparisonFact(c, c.Fn.Name)
}

func notNullFact(e expr.Expr) (fact, bool) {
	col, _ := widened(e)
	return fact{col, values{notNull: true, said: true}}, col != nil
}

// negatedFact reads NOT x < 1 as x >= 1: NULL passes neither.
func negatedFact(e expr.Expr) (fact, bool) {
	if args, ok := expr.IsCall(e, "is_null"); ok {
		return notNullFact(args[0])
	}
	c, ok := e.(*expr.Call)
	if !ok {
		return fact{}, false
	}
	op, ok := map[string]string{"<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}[c.Fn.Name]
	if !ok || len(c.Args) != 2 || c.Args[0].Type().IsFloat() {
		return fact{}, false
	}
	return comparisonFact(c, op)
}

func comparisonFact(c *expr.Call, op string) (fact, bool) {
	if _, ok := flippedOp[op]; !ok || len(c.Args) != 2 {
		return fact{}, false
	}
	a, b := c.Args[0], c.Args[1]
	if _, ok := a.(*expr.Literal); ok {
		a, b, op = b, a, flippedOp[op]
	}
	col, _ := widened(a)
	lit, ok := b.(*expr.Literal)
	if col == nil || !ok || lit.Value.Null || !comparable(col.T, lit.Value.Type) {
		return fact{}, false
	}
	f := fact{col: col, values: values{notNull: true}}
	switch op {
	case "=", "<=>":
		f.values.only, f.values.points = true, []vector.Value{lit.Value}
	case "<", "<=":
		f.values.hi = &limit{v: lit.Value, strict: op == "<"}
	case ">", ">=":
		f.values.lo = &limit{v: lit.Value, strict: op == ">"}
	default:
		return fact{}, false
	}
	return f, true
}

func listFact(c *expr.Call) (fact, bool) {
	col, _ := widened(c.Args[0])
	if col == nil {
		return fact{}, false
	}
	points := make([]vector.Value, 0, len(c.Args)-1)
	for _, a := range c.Args[1:] {
		lit, ok := a.(*expr.Literal)
		if !ok || !lit.Value.Null && !comparable(col.T, lit.Value.Type) {
			return fact{}, false
		}
		if !lit.Value.Null {
			points = append(points, lit.Value)
		}
	}
	if len(points) == 0 {
		return fact{}, false
	}
	slices.SortFunc(points, vector.Value.Compare)
	points = slices.CompactFunc(points, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
	return fact{col, values{notNull: true, only: true, points: points}}, true
}

func patternFact(c *expr.Call) (fact, bool) {
	col, ok := c.Args[0].(*expr.Column)
	if !ok || len(c.Args) != 2 || !col.T.IsString() {
		return fact{}, false
	}
	lit, ok := c.Args[1].(*expr.Literal)
	if !ok || lit.Value.Null || fixedStart(lit.Value.S) == "" {
		return fact{}, false
	}
	return fact{col, values{notNull: true, patterns: []string{lit.Value.S}}}, true
}

// factsOf are the facts of one condition: of an OR, what all its branches say of a column together.
func factsOf(e expr.Expr) []fact {
	if f, ok := factOf(e); ok {
		return []fact{f}
	}
	branches, ok := expr.IsCall(e, "or")
	if !ok {
		return nil
	}
	var hulls direct
	for i, b := range branches {
		d := directOf(expr.Conjuncts(nil, b))
		if i == 0 {
			hulls = d
			continue
		}
		hulls = hulls.hull(d)
	}
	var out []fact
	for _, id := range hulls.order {
		if v := hulls.of[id]; !v.values.open() && !v.values.never {
			out = append(out, *v)
		}
	}
	return out
}

// direct is what a list of conjuncts says of each column by itself: no condition is carried from one column to
// another.
type direct struct {
	of    map[expr.ColumnID]*fact
	order []expr.ColumnID
}

func directOf(conds []expr.Expr) direct {
	d := direct{of: map[expr.ColumnID]*fact{}}
	for _, c := range conds {
		for _, f := range factsOf(c) {
			d.add(f)
		}
	}
	return d
}

func (d *direct) add(f fact) {
	if old, ok := d.of[f.col.ID]; ok {
		old.values.meet(&f.values)
		return
	}
	f.values.settle()
	d.of[f.col.ID] = &f
	d.order = append(d.order, f.col.ID)
}

// values are those of one column; of a column without conditions, the open ones.
func (d *direct) values(id expr.ColumnID) *values {
	if f, ok := d.of[id]; ok {
		return &f.values
	}
	return &values{}
}

// hull keeps the columns of which both say something.
func (d *direct) hull(o direct) direct {
	out := direct{of: map[expr.ColumnID]*fact{}}
	for _, id := range d.order {
		if f, ok := o.of[id]; ok {
			out.of[id] = &fact{d.of[id].col, *d.of[id].values.hull(&f.values)}
			out.order = append(out.order, id)
		}
	}
	return out
}
