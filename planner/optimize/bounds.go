package optimize

import (
	"math"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// bounds are the ranges of the stored columns of a plan, as numbers (decimals scaled). They prove that
// arithmetic which could overflow for some value of its type does not for any value that is there.
type bounds map[expr.ColumnID]interval

// boundsOf collects the ranges that the statistics of n's tables guarantee.
func boundsOf(n logical.Node) bounds {
	b := bounds{}
	logical.Walk(n, func(n logical.Node) bool {
		s, ok := n.(*logical.Scan)
		if !ok || s.Source == nil {
			return true
		}
		stats := s.Source.Stats()
		if stats == nil {
			return true
		}
		for i, c := range s.Cols {
			if s.Ordinal[i] >= len(stats.Columns) || !c.T.IsNumeric() {
				continue
			}
			if r, ok := stored(&stats.Columns[s.Ordinal[i]]); ok {
				b[c.ID] = r
			}
		}
		return true
	})
	return b
}

func stored(s *storage.ColumnStats) (interval, bool) {
	if s.Min == nil || s.Max == nil || s.Min.Null || s.Max.Null {
		return interval{}, false
	}
	return interval{number(*s.Min), number(*s.Max)}, true
}

// number is the value of a numeric constant.
func number(v vector.Value) float64 {
	if v.Type.IsFloat() {
		return v.F
	}
	x := v.I.Float64()
	if v.Type.Kind == sqltype.Decimal {
		x /= math.Pow10(int(v.Type.Scale))
	}
	return x
}

// movable conjuncts may run on rows that an operator between would have dropped: they give the same
// value each time and fail for no row.
func (b bounds) movable(e expr.Expr) bool {
	if expr.IsVolatile(e) {
		return false
	}
	if !expr.MayFail(e) {
		return true
	}
	_, safe := b.value(e)
	return safe
}

var unbounded = interval{math.Inf(-1), math.Inf(1)}

// value is a range that holds every value of e; safe tells that computing e cannot fail.
func (b bounds) value(e expr.Expr) (r interval, safe bool) {
	r = rangeOfType(e.Type())
	switch e := e.(type) {
	case *expr.Column:
		if s, ok := b[e.ID]; ok {
			return s, true
		}
		return r, true
	case *expr.Literal:
		if e.Type().IsNumeric() && !e.Value.Null {
			x := number(e.Value)
			return interval{x, x}, true
		}
		return r, true
	case *expr.Call:
		return b.call(e, r)
	}
	return unbounded, false
}

func (b bounds) call(e *expr.Call, ofType interval) (interval, bool) {
	args := make([]interval, len(e.Args))
	for i, a := range e.Args {
		r, safe := b.value(a)
		if !safe {
			return ofType, false
		}
		args[i] = r
	}
	r, ok := arithmetic(e, args)
	if ok && within(r, ofType) {
		return r, true
	}
	return ofType, !e.Fn.Fails
}

// arithmetic is the exact range of the operators that are understood.
func arithmetic(e *expr.Call, args []interval) (interval, bool) {
	t := e.Type()
	if !t.IsNumeric() || t.IsFloat() {
		return unbounded, false
	}
	for _, a := range e.Args {
		if !a.Type().IsNumeric() {
			return unbounded, false
		}
	}
	switch {
	case e.Fn.Name == "cast" && len(args) == 1:
		return args[0], true
	case e.Fn.Name == "-" && len(args) == 1:
		return interval{-args[0].hi, -args[0].lo}, true
	case len(args) != 2:
		return unbounded, false
	}
	x, y := args[0], args[1]
	switch e.Fn.Name {
	case "+":
		return interval{x.lo + y.lo, x.hi + y.hi}, true
	case "-":
		return interval{x.lo - y.hi, x.hi - y.lo}, true
	case "*":
		a, b, c, d := x.lo*y.lo, x.lo*y.hi, x.hi*y.lo, x.hi*y.hi
		return interval{min(a, b, c, d), max(a, b, c, d)}, true
	case "/", "div":
		if y.lo >= 1 || y.hi <= -1 { // the quotient is no larger than the dividend
			m := max(math.Abs(x.lo), math.Abs(x.hi))
			return interval{-m, m}, true
		}
	}
	return unbounded, false
}

// within leaves a margin for what floats round away.
func within(r, limit interval) bool {
	const margin = 1 - 1e-9
	return r.lo >= limit.lo*margin && r.hi <= limit.hi*margin
}

// rangeOfType is what values of a type can be.
func rangeOfType(t sqltype.Type) interval {
	switch {
	case t.IsInteger():
		m := math.Pow(2, float64(t.Physical().Size()*8-1))
		return interval{-m, m}
	case t.Kind == sqltype.Decimal:
		m := math.Pow10(int(t.Precision) - int(t.Scale))
		return interval{-m, m}
	}
	return unbounded
}
