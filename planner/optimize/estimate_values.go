package optimize

import (
	"math"
	"sort"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// valueStats are the frequent values of a column and a histogram of the others. Fractions are of the
// rows that are not NULL. Immutable.
type valueStats struct {
	t         sqltype.Type
	common    []storage.CommonValue
	histogram []vector.Value
	rest      float64 // fraction of the rows that are not common
}

func valuesOf(t sqltype.Type, s *storage.ColumnStats) *valueStats {
	if len(s.Common) == 0 && len(s.Histogram) == 0 {
		return nil
	}
	v := &valueStats{t: t, common: s.Common, histogram: s.Histogram, rest: 1}
	for _, c := range s.Common {
		v.rest -= c.Fraction
	}
	v.rest = math.Max(0, v.rest)
	return v
}

// equal is the fraction of rows with value x, of ndv values in all.
func (v *valueStats) equal(x vector.Value, ndv float64) (float64, bool) {
	if !x.Type.Equal(v.t) {
		return 0, false
	}
	for _, c := range v.common {
		if c.Value.Compare(x) == 0 {
			return c.Fraction, true
		}
	}
	if n := len(v.histogram); n > 1 && (x.Compare(v.histogram[0]) < 0 || x.Compare(v.histogram[n-1]) > 0) {
		return 0, true
	}
	return v.rest / math.Max(1, ndv-float64(len(v.common))), true
}

// between is the fraction of rows with values in a range.
func (v *valueStats) between(r valueRange) (float64, bool) {
	lo, hi := r.from, r.to
	if lo != nil && !lo.Type.Equal(v.t) || hi != nil && !hi.Type.Equal(v.t) {
		return 0, false
	}
	sum := 0.0
	for _, c := range v.common {
		if lo != nil && (lo.Compare(c.Value) > 0 || r.fromOpen && lo.Compare(c.Value) == 0) {
			continue
		}
		if hi != nil && (hi.Compare(c.Value) < 0 || r.toOpen && hi.Compare(c.Value) == 0) {
			continue
		}
		sum += c.Fraction
	}
	if v.rest < 0.001 {
		return sum, true
	}
	if len(v.histogram) < 2 {
		return 0, false
	}
	below, above := 0.0, 1.0
	if lo != nil {
		below = v.below(*lo)
	}
	if hi != nil {
		above = v.below(*hi)
	}
	return sum + v.rest*math.Max(0, above-below), true
}

// below is the part of the histogram's rows that is smaller than x.
func (v *valueStats) below(x vector.Value) float64 {
	h := v.histogram
	i := sort.Search(len(h), func(i int) bool { return h[i].Compare(x) > 0 })
	switch i {
	case 0:
		return 0
	case len(h):
		return 1
	}
	inside := 0.5
	if a, b := position(h[i-1]), position(h[i]); b > a {
		inside = math.Max(0, math.Min(1, (position(x)-a)/(b-a)))
	}
	return (float64(i-1) + inside) / float64(len(h)-1)
}

// joined is the fraction of pairs of rows that are equal: frequent values meet as often as both
// occur, the others as if they were spread evenly.
func (v *valueStats) joined(w *valueStats, nv, nw float64) (float64, bool) {
	if !v.t.Equal(w.t) || len(v.common) == 0 || len(w.common) == 0 {
		return 0, false
	}
	sum, mine, theirs, met := 0.0, 0.0, 0.0, 0
	for _, a := range v.common {
		for _, b := range w.common {
			if a.Value.Compare(b.Value) == 0 {
				sum += a.Fraction * b.Fraction
				mine, theirs = mine+a.Fraction, theirs+b.Fraction
				met++
			}
		}
	}
	others := math.Max(1, math.Max(nv, nw)-float64(met))
	return sum + math.Max(0, 1-mine)*math.Max(0, 1-theirs)/others, true
}

// sampledBounds is how many bounds of a histogram stand for its rows when a predicate is tried on them.
const sampledBounds = 25

// evaluated tries a predicate over one column, which no simple rule covers, on the column's known values.
func evaluated(in *relation, e *expr.Call) (float64, bool) {
	switch e.Fn.Name {
	case "=", "<=>", "<>", "<", "<=", ">", ">=", "is_null", "is_not_null", "and", "or", "not":
		if col, _, _, ok := columnOpLiteral(e); ok || col != nil || len(e.Args) < 2 || e.Fn.Name == "and" || e.Fn.Name == "or" {
			return 0, false
		}
	case "in":
		if _, ok := e.Args[0].(*expr.Column); ok {
			return 0, false
		}
	}
	ids := expr.Columns(e).IDs()
	if len(ids) != 1 || expr.IsVolatile(e) || expr.HasSubquery(e) {
		return 0, false
	}
	c := in.column(ids[0])
	if c.values == nil {
		return 0, false
	}
	sum := 0.0
	for _, x := range c.values.common {
		holds, ok := holdsFor(e, ids[0], x.Value)
		if !ok {
			return 0, false
		}
		if holds {
			sum += x.Fraction
		}
	}
	if h := c.values.histogram; c.values.rest > 0.001 {
		if len(h) < 2 {
			return 0, false
		}
		step := max(1, len(h)/sampledBounds)
		tried, held := 0, 0
		for i := step / 2; i < len(h); i += step {
			holds, ok := holdsFor(e, ids[0], h[i])
			if !ok {
				return 0, false
			}
			tried++
			if holds {
				held++
			}
		}
		part := float64(held) / float64(tried)
		if held == 0 { // rarer than the sample can tell
			part = math.Min(selectivityGuess(in, e), 0.5/float64(tried))
		}
		sum += c.values.rest * part
	}
	return (1 - c.nulls) * sum, true
}

func selectivityGuess(in *relation, e *expr.Call) float64 { return clamp(callSelectivity(in, e)) }

// holdsFor computes e for one value of its column.
func holdsFor(e expr.Expr, id expr.ColumnID, x vector.Value) (holds, ok bool) {
	out := expr.FoldTree(expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		if c, isColumn := e.(*expr.Column); isColumn && c.ID == id {
			return expr.Lit(x)
		}
		return e
	}), &function.Context{})
	lit, ok := out.(*expr.Literal)
	return ok && lit.Value.IsTrue(), ok
}
