package function

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// dateCalcFunctions has differences, steps, truncation and conversions of dates.
func dateCalcFunctions() map[string]builder {
	d, dt, n := tDate, tMicros, tBigInt
	m := map[string]builder{
		"week": weekBuilder(0, false), "weekofyear": weekBuilder(3, false), "week_of_year": weekBuilder(3, false), "yearweek": weekBuilder(0, true),
		"datediff":  signature{params: types(d, d), result: tInt, run: datediffKernel}.builder(),
		"timediff":  resolveTimeDiff,
		"last_day":  signature{params: types(d), result: d, run: lastDayKernel}.builder(),
		"to_monday": signature{params: types(d), result: d, run: toMondayKernel}.builder(),
		"to_days":   signature{params: types(d), result: tInt, run: toDaysKernel}.builder(),
		"from_days": signature{params: types(n), result: d, yields: true, run: fromDaysKernel}.builder(),
		"makedate":  signature{params: types(n, n), result: d, yields: true, run: makedateKernel}.builder(),
		"maketime":  signature{params: types(n, n, sqltype.DecimalOf(18, 6)), result: sqltype.Type{Kind: sqltype.Time, Scale: 6}, yields: true, run: maketimeKernel}.builder(),
		"date":      castTo(func(Arg) sqltype.Type { return tDate }), "to_date": castTo(func(Arg) sqltype.Type { return tDate }), "to_datev2": castTo(func(Arg) sqltype.Type { return tDate }),
		"timestamp": castTo(asDateTime), "to_datetime": castTo(asDateTime),
		"time":           castTo(func(a Arg) sqltype.Type { return sqltype.Type{Kind: sqltype.Time, Scale: a.Type.Scale} }),
		"time_to_sec":    signature{params: types(sqltype.Type{Kind: sqltype.Time, Scale: 6}), result: tInt, run: timeToSecKernel}.builder(),
		"sec_to_time":    signature{params: types(n), result: tTime, run: secToTimeKernel}.builder(),
		"months_between": signature{params: types(dt, dt, tBoolean), optional: 1, result: tDouble, run: monthsBetweenKernel}.builder(),
		"date_trunc":     resolveDateTrunc,
		"timestampdiff":  resolveTimestampDiff,
		"timestampadd": func(name string, args []Arg) (*Scalar, error) {
			if len(args) != 3 {
				return nil, wrongArguments(name, args)
			}
			return swapStep(name, args)
		},
		"add_months": stepBuilder(unitMonth, false),
		"next_day":   signature{params: types(d, tString), result: d, yields: true, run: nextDayKernel}.builder(),
		"is_leap_year": signature{params: types(d), result: tBoolean, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := columnOf[int32](args[0]), vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				y, _, _ := sqltype.CivilFromDays(x.at(i))
				dst[i] = sqltype.IsLeap(y)
			}
			return nil
		}}.builder(),
	}
	for _, u := range []struct {
		name string
		unit dateUnit
	}{{"year", unitYear}, {"quarter", unitQuarter}, {"month", unitMonth}, {"week", unitWeek}, {"day", unitDay}, {"hour", unitHour}, {"minute", unitMinute},
		{"second", unitSecond}, {"millisecond", unitMillisecond}, {"microsecond", unitMicrosecond}} {
		m[u.name+"s_add"], m[u.name+"s_sub"] = stepBuilder(u.unit, false), stepBuilder(u.unit, true)
		m[u.name+"s_diff"] = diffBuilder(u.unit)
		if u.unit <= unitSecond {
			m[u.name+"_floor"], m[u.name+"_ceil"] = floorBuilder(u.unit, false), floorBuilder(u.unit, true)
		}
	}
	return m
}

func asDateTime(a Arg) sqltype.Type {
	p, _ := dateParam(a)
	if p.Kind == sqltype.Date {
		return tDateTime
	}
	return p
}

// castTo is a cast under a function's name.
func castTo(target func(Arg) sqltype.Type) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 {
			return nil, wrongArguments(name, args)
		}
		t := target(args[0])
		if !castable(args[0].Type, t) {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{Params: types(t), Result: t, New: stateless(copyKernel)}, nil
	}
}

func stepBuilder(u dateUnit, negative bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 {
			return nil, wrongArguments(name, args)
		}
		return stepDate(name, u, negative, args)
	}
}

// swapStep is timestampadd(unit, amount, x), which is date_add with the arguments in another order.
func swapStep(name string, args []Arg) (*Scalar, error) {
	u, ok := unitOf(args[0])
	if !ok {
		return nil, wrongArguments(name, args)
	}
	s, err := stepDate(name, u, false, []Arg{args[2], args[1]})
	if err != nil {
		return nil, err
	}
	s.Params = types(args[0].Type, s.Params[1], s.Params[0])
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		stepLoop(u, false, args[2], args[1], sel, out)
		return nil
	})
	return s, nil
}

// weekBuilder is week(x[, mode]) and yearweek(x[, mode]).
func weekBuilder(mode int, withYear bool) builder {
	result := tTinyInt
	if withYear {
		result = tInt
	}
	return signature{params: types(tDate, tBigInt), optional: 1, result: result, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x := columnOf[int32](args[0])
		modes := column[int64]{vals: []int64{int64(mode)}}
		if len(args) == 2 {
			modes = columnOf[int64](args[1])
		}
		for k := range count(out, sel) {
			i := row(sel, k)
			m := int(modes.at(i) & 7)
			if withYear {
				y, w := weekOf(x.at(i), m|2)
				vector.Values[int32](out)[i] = int32(y*100 + w)
			} else {
				_, w := weekOf(x.at(i), m)
				vector.Values[int8](out)[i] = int8(w)
			}
		}
		return nil
	}}.builder()
}

func datediffKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int32](args[0]), columnOf[int32](args[1]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) - y.at(i)
	}
	return nil
}

// resolveTimeDiff is a - b as TIME, cut to its range.
func resolveTimeDiff(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	t := tMicros
	if args[0].Type.Kind == sqltype.Time && args[1].Type.Kind == sqltype.Time {
		t = sqltype.Type{Kind: sqltype.Time, Scale: 6}
	}
	result := sqltype.Type{Kind: sqltype.Time, Scale: max(args[0].Type.Scale, args[1].Type.Scale)}
	return signature{params: types(t, t), result: result, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, y, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int64](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = min(max(x.at(i)-y.at(i), -maxTime), maxTime)
		}
		return nil
	}}.resolve(name, args)
}

func lastDayKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int32](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		y, m, d := sqltype.CivilFromDays(x.at(i))
		dst[i] = x.at(i) + int32(sqltype.DaysInMonth(y, m)-d)
	}
	return nil
}

func toMondayKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int32](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) - int32(weekdayOf(x.at(i)))
	}
	return nil
}

func toDaysKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int32](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) - sqltype.MinDate
	}
	return nil
}

func fromDaysKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int32](out)
	for i := range live(out, sel) {
		v := x.at(i)
		dst[i] = 0
		if v < 0 || v > sqltype.MaxDate-sqltype.MinDate {
			out.SetNull(i)
			continue
		}
		dst[i] = int32(v) + sqltype.MinDate
	}
	return nil
}

// makedateKernel is day n (from 1) of a year.
func makedateKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	year, day, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		y, n := year.at(i), day.at(i)
		dst[i] = 0
		if y < 0 || y > 9999 || n < 1 || n > sqltype.MaxDate-sqltype.MinDate {
			out.SetNull(i)
			continue
		}
		if y < 100 {
			y = int64(fullYear(int(y), 2))
		}
		d := int64(sqltype.DaysFromCivil(int(y), 1, 1)) + n - 1
		if d > sqltype.MaxDate {
			out.SetNull(i)
			continue
		}
		dst[i] = int32(d)
	}
	return nil
}

func maketimeKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	h, m, s, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), columnOf[int64](args[2]), vector.Values[int64](out)
	for i := range live(out, sel) {
		hour, minute, micros := h.at(i), m.at(i), s.at(i)
		dst[i] = 0
		if minute < 0 || minute > 59 || micros < 0 || micros >= 60*sqltype.MicrosPerSecond || hour > 838 || hour < -838 {
			out.SetNull(i)
			continue
		}
		rest := minute*60*sqltype.MicrosPerSecond + micros
		if hour < 0 {
			rest = -rest
		}
		dst[i] = hour*3600*sqltype.MicrosPerSecond + rest
	}
	return nil
}

func timeToSecKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int32(x.at(i) / sqltype.MicrosPerSecond)
	}
	return nil
}

func secToTimeKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int64](out)
	const limit = maxTime / sqltype.MicrosPerSecond
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = min(max(x.at(i), -limit), limit) * sqltype.MicrosPerSecond
	}
	return nil
}

// monthsBetweenKernel counts whole months where both days are the same or both the last of
// their months, else with a fraction of 31 days, rounded to 8 digits unless told not to.
func monthsBetweenKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	a, b, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[float64](out)
	for i := range live(out, sel) {
		d1, r1 := splitMicros(a.at(i))
		d2, r2 := splitMicros(b.at(i))
		y1, m1, x1 := sqltype.CivilFromDays(int32(d1))
		y2, m2, x2 := sqltype.CivilFromDays(int32(d2))
		months := float64((y1-y2)*12 + m1 - m2)
		last := x1 == sqltype.DaysInMonth(y1, m1) && x2 == sqltype.DaysInMonth(y2, m2)
		if x1 != x2 && !last {
			micros := float64(x1-x2)*sqltype.MicrosPerDay + float64(r1-r2)
			months += micros / (31 * sqltype.MicrosPerDay)
		}
		if len(args) < 3 || columnOf[bool](args[2]).at(i) {
			months = roundFloat(months, 8)
		}
		dst[i] = months
	}
	return nil
}

// nextDayKernel is the first such weekday after a date: mo, mon, monday.
func nextDayKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, name, dst := columnOf[int32](args[0]), textOf(args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		want := weekdayNamed(string(name.at(i)))
		dst[i] = x.at(i)
		if want < 0 {
			out.SetNull(i)
			continue
		}
		dst[i] += int32((want-weekdayOf(x.at(i))+6)%7 + 1)
	}
	return nil
}

func weekdayNamed(s string) int {
	s = strings.ToLower(s)
	if len(s) < 2 {
		return -1
	}
	for k, n := range dayNames {
		if n := strings.ToLower(n); s == n || s == n[:2] || s == n[:3] {
			return k
		}
	}
	return -1
}

// resolveTimestampDiff is timestampdiff(unit, a, b): whole units from a to b.
func resolveTimestampDiff(name string, args []Arg) (*Scalar, error) {
	if len(args) != 3 {
		return nil, wrongArguments(name, args)
	}
	u, ok := unitOf(args[0])
	if !ok || u > unitMicrosecond || !castable(args[1].Type, tMicros) || !castable(args[2].Type, tMicros) {
		return nil, wrongArguments(name, args)
	}
	return &Scalar{Params: types(args[0].Type, tMicros, tMicros), Result: tBigInt, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		diffLoop(u, args[2], args[1], sel, out)
		return nil
	})}, nil
}

// diffBuilder is days_diff(a, b) and the like: whole units from b to a.
func diffBuilder(u dateUnit) builder {
	return signature{params: types(tMicros, tMicros), result: tBigInt, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		diffLoop(u, args[0], args[1], sel, out)
		return nil
	}}.builder()
}

// diffLoop counts whole units from b to a, cut towards zero.
func diffLoop(u dateUnit, a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	by := unitSpan(u)
	if by.months == 0 {
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = (x.at(i) - y.at(i)) / by.micros
		}
		return
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = monthsBetween(x.at(i), y.at(i)) / by.months
	}
}

// monthsBetween is the whole months from b to a, cut towards zero.
func monthsBetween(a, b int64) int64 {
	if a < b {
		return -monthsBetween(b, a)
	}
	d1, r1 := splitMicros(a)
	d2, r2 := splitMicros(b)
	y1, m1, x1 := sqltype.CivilFromDays(int32(d1))
	y2, m2, x2 := sqltype.CivilFromDays(int32(d2))
	n := int64((y1-y2)*12 + m1 - m2)
	if x1 < x2 || x1 == x2 && r1 < r2 {
		n--
	}
	return n
}

// resolveDateTrunc is date_trunc(x, unit) or date_trunc(unit, x).
func resolveDateTrunc(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	at := 0
	u, ok := unitOf(args[1])
	if !ok {
		at = 1
		u, ok = unitOf(args[0])
	}
	p, isDate := dateParam(args[at])
	if !ok || !isDate || u > unitMicrosecond {
		return nil, wrongArguments(name, args)
	}
	params := types(args[0].Type, args[1].Type)
	params[at] = p
	return &Scalar{Params: params, Result: p, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		truncLoop(u, args[at], sel, out)
		return nil
	})}, nil
}

// floorBuilder is month_floor(x) and the like; periods and origins are not supported.
func floorBuilder(u dateUnit, up bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 {
			return nil, wrongArguments(name, args)
		}
		p, ok := dateParam(args[0])
		if !ok {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{Params: types(p), Result: p, YieldsNull: up, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			truncLoop(u, args[0], sel, out)
			if up {
				stepTruncated(u, args[0], sel, out)
			}
			return nil
		})}, nil
	}
}

// stepTruncated moves rows that truncation changed to the next unit.
func stepTruncated(u dateUnit, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, by := dayColumnOf(src), unitSpan(u)
	for i := range live(out, sel) {
		var ok bool
		if x.isDate {
			if dst := vector.Values[int32](out); dst[i] != x.days.at(i) {
				dst[i], ok = addSpanDate(dst[i], 1, by.months, by.micros/sqltype.MicrosPerDay)
				if !ok {
					out.SetNull(i)
				}
			}
			continue
		}
		if dst := vector.Values[int64](out); dst[i] != x.micros.at(i) {
			if dst[i], ok = addSpan(dst[i], 1, by); !ok {
				out.SetNull(i)
			}
		}
	}
}

func truncLoop(u dateUnit, src *vector.Vector, sel []int32, out *vector.Vector) {
	x := dayColumnOf(src)
	if x.isDate {
		dst := vector.Values[int32](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = truncDay(u, x.days.at(i))
		}
		return
	}
	dst := vector.Values[int64](out)
	if u >= unitHour {
		unit := unitSpan(u).micros
		for k := range count(out, sel) {
			i := row(sel, k)
			days, rest := splitMicros(x.micros.at(i))
			dst[i] = days*sqltype.MicrosPerDay + rest - rest%unit
		}
		return
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		days, _ := splitMicros(x.micros.at(i))
		dst[i] = int64(truncDay(u, int32(days))) * sqltype.MicrosPerDay
	}
}

func truncDay(u dateUnit, day int32) int32 {
	switch u {
	case unitWeek:
		return day - int32(weekdayOf(day))
	case unitYear, unitQuarter, unitMonth:
		y, m, d := sqltype.CivilFromDays(day)
		switch u {
		case unitMonth:
			return day - int32(d) + 1
		case unitYear:
			m = 1
		default:
			m = (m-1)/3*3 + 1
		}
		return int32(sqltype.DaysFromCivil(y, m, 1))
	}
	return day
}
