package optimize

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// granule is a span of time that instants are truncated to. A granule lies in one of each that it divides.
type granule uint8

const (
	noGranule granule = iota
	second
	minute
	hour
	day
	week
	month
	quarter
	year
)

var granuleNames = map[string]granule{"second": second, "minute": minute, "hour": hour, "day": day, "week": week, "month": month, "quarter": quarter, "year": year}

// divides reports that every g lies in one of the granules of.
func (g granule) divides(of granule) bool {
	switch {
	case g == noGranule || of == noGranule:
		return false
	case g == of:
		return true
	case g == week || of == week:
		return g < week && of == week && g <= day
	}
	return g < of
}

// needs are, by function of one moment, the coarsest granule that decides the result.
var needs = map[string]granule{
	"year": year, "quarter": quarter, "month": month, "monthname": month, "year_floor": year, "quarter_floor": quarter, "month_floor": month, "week_floor": week, "to_monday": week,
	"day": day, "dayofmonth": day, "dayofyear": day, "dayofweek": day, "weekday": day, "dayname": day, "week": day, "weekofyear": day, "yearweek": day, "to_days": day,
	"to_date": day, "date": day, "to_datev2": day, "last_day": month, "day_floor": day, "hour_floor": hour, "minute_floor": minute, "hour": hour, "minute": minute,
}

// truncation reads e as a moment truncated: date_trunc(x, 'unit'), unit_floor(x), CAST(x AS DATE) and its like.
func truncation(e expr.Expr) (x expr.Expr, to granule) {
	c, ok := e.(*expr.Call)
	if !ok {
		return nil, noGranule
	}
	switch name := c.Fn.Name; {
	case name == "date_trunc":
		for i, a := range c.Args {
			if l, ok := a.(*expr.Literal); ok && !l.Value.Null {
				return c.Args[1-i], granuleNames[strings.ToLower(l.Value.S)]
			}
		}
	case len(c.Args) == 1 && (name == "to_date" || name == "date" || name == "to_datev2" || name == "cast" && c.Fn.Result.Kind == sqltype.Date):
		if c.Args[0].Type().Kind == sqltype.DateTime {
			return c.Args[0], day
		}
	case len(c.Args) == 1 && strings.HasSuffix(name, "_floor"):
		return c.Args[0], granuleNames[strings.TrimSuffix(name, "_floor")]
	}
	return nil, noGranule
}

// derived computes a function of a moment from a column of the index that has the moment truncated.
func (m *matcher) derived(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok {
		return nil
	}
	of, needed := truncation(e)
	at := 0
	if of == nil {
		needed = needs[c.Fn.Name]
		if needed == noGranule || len(c.Args) == 0 {
			return nil
		}
		of = c.Args[0]
	}
	for i, a := range c.Args {
		if a == of {
			at = i
		}
	}
	for i, key := range m.exprs {
		if key == nil {
			continue
		}
		x, has := truncation(key)
		if x == nil || !has.divides(needed) || !expr.Equal(x, of) || !m.nullWithout(key) {
			continue
		}
		arg, err := expr.CastTo(m.ref(i), of.Type())
		if err != nil {
			continue
		}
		args := append([]expr.Expr(nil), c.Args...)
		args[at] = arg
		return &expr.Call{Fn: c.Fn, Args: args}
	}
	return nil
}

// truncated is a comparison of a moment with a constant as one of a column of the index that has the moment
// truncated: where the constant is the border of two granules.
func (m *matcher) truncated(e expr.Expr) expr.Expr {
	col, op, lit, ok := columnOpLiteral(e)
	if !ok || lit.Value.Null || !col.T.Equal(lit.Value.Type) || !col.T.IsTemporal() {
		return nil
	}
	border := lit.Value
	switch op {
	case ">", "<=": // x <= b is x < b + 1
		next, ok := successor(border)
		if !ok {
			return nil
		}
		border = next
		op = map[string]string{">": ">=", "<=": "<"}[op]
	case ">=", "<":
	default:
		return nil
	}
	for i, key := range m.exprs {
		if key == nil {
			continue
		}
		x, g := truncation(key)
		if c, ok := x.(*expr.Column); !ok || g == noGranule || c.ID != col.ID {
			continue
		}
		at := expr.FoldTree(expr.Substitute(key, func(c *expr.Column) (expr.Expr, bool) { return expr.Lit(border), c.ID == col.ID }), m.c.Functions)
		l, ok := at.(*expr.Literal)
		if !ok {
			continue
		}
		if order, ok := compareExact(l.Value, border); !ok || order != 0 {
			continue
		}
		return expr.MustCall(op, m.ref(i), l)
	}
	return nil
}

// successor is the next moment of a value's type.
func successor(v vector.Value) (vector.Value, bool) {
	step := int64(1)
	if v.Type.Kind == sqltype.DateTime {
		for range 6 - int(v.Type.Scale) {
			step *= 10
		}
	}
	return vector.IntValue(v.Type, v.Int64()+step), true
}
