package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// monotoneFunctions never fall when the one argument that is no constant rises. Where they give NULL (dates out
// of range), they do so at the ends of the argument's range only.
var monotoneFunctions = map[string]bool{
	"year": true, "to_days": true, "from_days": true, "last_day": true, "to_monday": true, "date": true, "to_date": true, "to_datev2": true,
	"timestamp": true, "to_datetime": true, "date_trunc": true, "floor": true, "ceil": true, "ceiling": true,
	"year_floor": true, "quarter_floor": true, "month_floor": true, "week_floor": true, "day_floor": true, "hour_floor": true, "minute_floor": true, "second_floor": true,
	"year_ceil": true, "quarter_ceil": true, "month_ceil": true, "week_ceil": true, "day_ceil": true, "hour_ceil": true, "minute_ceil": true, "second_ceil": true,
	"date_add": true, "date_sub": true, "adddate": true, "subdate": true, "add_months": true,
	"years_add": true, "quarters_add": true, "months_add": true, "weeks_add": true, "days_add": true, "hours_add": true, "minutes_add": true, "seconds_add": true,
	"years_sub": true, "quarters_sub": true, "months_sub": true, "weeks_sub": true, "days_sub": true, "hours_sub": true, "minutes_sub": true, "seconds_sub": true,
}

// monotoneIn is the column of which e is a function that never falls: e itself, or monotone functions (with constants
// beside it) of one. nil: e is nothing of the kind.
func monotoneIn(e expr.Expr) *expr.Column {
	if col, ok := e.(*expr.Column); ok {
		return col
	}
	c, ok := e.(*expr.Call)
	if !ok || c.Fn.Fails || c.Fn.Stability != function.Immutable || !monotoneFunctions[c.Fn.Name] && !monotoneCast(c) {
		return nil
	}
	var col *expr.Column
	for i, a := range c.Args {
		if _, ok := a.(*expr.Literal); ok {
			continue
		}
		// The first argument is the one that is moved or rounded; date_trunc takes the unit first as well.
		if col != nil || i > 0 && c.Fn.Name != "date_trunc" {
			return nil
		}
		if col = monotoneIn(a); col == nil {
			return nil
		}
	}
	return col
}

func monotoneCast(c *expr.Call) bool {
	if c.Fn.Name != "cast" {
		return false
	}
	from, to := c.Args[0].Type(), c.Fn.Result
	isMoment := func(t sqltype.Type) bool { return familyOf(t) == moments }
	switch {
	case isMoment(from):
		return isMoment(to) || to.IsInteger()
	case familyOf(from) == exactNumbers:
		return familyOf(to) == exactNumbers || to.Kind == sqltype.Double
	}
	return false
}

// inverse looks for the arguments of a monotone function that give certain results.
type inverse struct {
	e      expr.Expr
	col    *expr.Column
	unit   int64 // between neighbouring values of the column
	lo, hi int64 // its range, in units
	middle int64 // where the function is defined
}

// inverseOf makes the search for e, whose column must be an integer, a date or a moment.
func inverseOf(e expr.Expr) (*inverse, bool) {
	col := monotoneIn(e)
	if col == nil {
		return nil, false
	}
	v := &inverse{e: e, col: col, unit: 1}
	switch t := col.T; {
	case t.IsInteger() && t.Kind != sqltype.LargeInt:
		v.hi = 1<<(uint(t.Physical().Size())*8-1) - 1
		v.lo = -v.hi - 1
	case t.Kind == sqltype.Date:
		v.lo, v.hi, v.middle = sqltype.MinDate, sqltype.MaxDate, 10_957
	case t.Kind == sqltype.DateTime:
		for range 6 - t.Scale {
			v.unit *= 10
		}
		perDay := sqltype.MicrosPerDay / v.unit
		v.lo, v.hi, v.middle = sqltype.MinDate*perDay, (sqltype.MaxDate+1)*perDay-1, 10_957*perDay
	default:
		return nil, false
	}
	if _, ok := v.at(v.middle); !ok {
		return nil, false
	}
	return v, true
}

// argument is the column's value of position x.
func (v *inverse) argument(x int64) vector.Value { return vector.IntValue(v.col.T, x*v.unit) }

// at is the function's result for position x; ok is false where there is none.
func (v *inverse) at(x int64) (vector.Value, bool) {
	e := expr.Substitute(v.e, func(*expr.Column) (expr.Expr, bool) { return expr.Lit(v.argument(x)), true })
	lit, ok := expr.FoldTree(e, nil).(*expr.Literal)
	if !ok || lit.Value.Null {
		return vector.Value{}, false
	}
	return lit.Value, true
}

// from is the first position whose result is at least c (above c when past). ok is false when no result can be
// compared with c; none when there is no such position.
func (v *inverse) from(c vector.Value, past bool) (x int64, none, ok bool) {
	lo, hi := v.lo, v.hi
	for lo <= hi {
		mid := lo + int64((uint64(hi)-uint64(lo))/2)
		r, defined := v.at(mid)
		reached := mid > v.middle // without a result: beyond the end at which it is
		if defined {
			order, comparable := compareExact(r, c)
			if !comparable {
				return 0, false, false
			}
			reached = order > 0 || order == 0 && !past
		}
		if !reached {
			lo = mid + 1
			if mid == v.hi {
				return 0, true, true
			}
			continue
		}
		x = mid
		if mid == v.lo {
			return x, false, true
		}
		hi = mid - 1
	}
	return lo, false, true
}
