package function

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func intervalFunctions() map[string]builder {
	return map[string]builder{
		"date_add": resolveDateAdd, "adddate": resolveDateAdd, "date_sub": resolveDateAdd, "subdate": resolveDateAdd,
	}
}

// resolveDateAdd is date_add(x, amount[, unit constant]); the unit is DAY when left out.
func resolveDateAdd(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 && len(args) != 3 {
		return nil, wrongArguments(name, args)
	}
	u := unitDay
	if len(args) == 3 {
		var ok bool
		if u, ok = unitOf(args[2]); !ok {
			return nil, wrongArguments(name, args)
		}
	}
	negative := name == "date_sub" || name == "subdate"
	return stepDate(name, u, negative, args)
}

// stepDate builds the step of args[0] by args[1] units.
func stepDate(name string, u dateUnit, negative bool, args []Arg) (*Scalar, error) {
	p, ok := dateParam(args[0])
	if !ok || u >= unitDayOfWeek && u <= unitYearWeek || !castable(args[1].Type, tBigInt) {
		return nil, wrongArguments(name, args)
	}
	amount := tBigInt
	switch {
	case u >= unitYearMonth:
		amount = tString
	case u == unitSecond && args[1].Type.Kind != sqltype.Null && !args[1].Type.IsInteger():
		amount = sqltype.DecimalOf(18, 6)
	}
	result := p
	if p.Kind == sqltype.Date && u.isClock() {
		p, result = tDateTime, tDateTime
	}
	if u == unitMicrosecond || u == unitMillisecond || amount.Kind == sqltype.Decimal || u >= unitDayMicrosecond && u != unitHourMinute && u != unitHourSecond && u != unitMinuteSecond {
		result = tMicros
	}
	params := []sqltype.Type{p, amount}
	if len(args) == 3 {
		params = append(params, args[2].Type)
	}
	s := &Scalar{Params: params, Result: result, YieldsNull: true}
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		stepLoop(u, negative, args[0], args[1], sel, out)
		return nil
	})
	return s, nil
}

// span is an interval: whole months, and microseconds beside them.
type span struct{ months, micros int64 }

// unitSpan is one of the unit.
func unitSpan(u dateUnit) span {
	switch u {
	case unitYear:
		return span{months: 12}
	case unitQuarter:
		return span{months: 3}
	case unitMonth:
		return span{months: 1}
	case unitWeek:
		return span{micros: 7 * sqltype.MicrosPerDay}
	case unitDay:
		return span{micros: sqltype.MicrosPerDay}
	case unitHour:
		return span{micros: 3600 * sqltype.MicrosPerSecond}
	case unitMinute:
		return span{micros: 60 * sqltype.MicrosPerSecond}
	case unitSecond:
		return span{micros: sqltype.MicrosPerSecond}
	case unitMillisecond:
		return span{micros: 1000}
	}
	return span{micros: 1}
}

func stepLoop(u dateUnit, negative bool, date, amount *vector.Vector, sel []int32, out *vector.Vector) {
	switch {
	case u >= unitYearMonth:
		stepCompound(u, negative, date, amount, sel, out)
		return
	case amount.Type.Kind == sqltype.Decimal:
		stepBy(date, columnOf[int64](amount), span{micros: signed(1, negative)}, sel, out)
		return
	}
	by := unitSpan(u)
	by.months, by.micros = signed(by.months, negative), signed(by.micros, negative)
	stepBy(date, columnOf[int64](amount), by, sel, out)
}

func signed(v int64, negative bool) int64 {
	if negative {
		return -v
	}
	return v
}

// stepBy adds amount times by. Results outside of the calendar are NULL.
func stepBy(date *vector.Vector, amount column[int64], by span, sel []int32, out *vector.Vector) {
	x := dayColumnOf(date)
	if x.isDate {
		dst := vector.Values[int32](out)
		days := by.micros / sqltype.MicrosPerDay
		for i := range live(out, sel) {
			d, ok := addSpanDate(x.days.at(i), amount.at(i), by.months, days)
			if !ok {
				out.SetNull(i)
			}
			dst[i] = d
		}
		return
	}
	dst := vector.Values[int64](out)
	for i := range live(out, sel) {
		v, ok := addSpan(x.micros.at(i), amount.at(i), by)
		if !ok {
			out.SetNull(i)
		}
		dst[i] = v
	}
}

func addSpanDate(day int32, amount, months, days int64) (int32, bool) {
	if months != 0 {
		return addMonths(day, amount, months)
	}
	if amount > 4_000_000 || amount < -4_000_000 {
		return 0, false
	}
	d := int64(day) + amount*days
	return int32(d), d >= sqltype.MinDate && d <= sqltype.MaxDate
}

// addMonths steps amount times months months; the day is cut to the month's length.
func addMonths(day int32, amount, months int64) (int32, bool) {
	if amount > 200_000 || amount < -200_000 {
		return 0, false
	}
	y, m, d := sqltype.CivilFromDays(day)
	total := int64(y)*12 + int64(m-1) + amount*months
	if total < 0 || total >= 120_000 {
		return 0, false
	}
	y, m = int(total/12), int(total%12)+1
	return int32(sqltype.DaysFromCivil(y, m, min(d, sqltype.DaysInMonth(y, m)))), true
}

// Bounds of DATETIME.
const (
	minMicros = sqltype.MinDate * sqltype.MicrosPerDay
	maxMicros = (sqltype.MaxDate+1)*sqltype.MicrosPerDay - 1
)

func addSpan(v, amount int64, by span) (int64, bool) {
	if by.months != 0 {
		days, rest := splitMicros(v)
		d, ok := addMonths(int32(days), amount, by.months)
		return int64(d)*sqltype.MicrosPerDay + rest, ok
	}
	step := int128.Mul64(amount, by.micros)
	if !step.IsInt64() {
		return 0, false
	}
	sum := int128.FromInt64(v).Add(step)
	if !sum.IsInt64() || int64(sum.Lo) < minMicros || int64(sum.Lo) > maxMicros {
		return 0, false
	}
	return int64(sum.Lo), true
}

// compoundUnits has the units of the numbers in a compound interval's text, the last first.
var compoundUnits = map[dateUnit][]dateUnit{
	unitYearMonth: {unitMonth, unitYear}, unitDayHour: {unitHour, unitDay}, unitDayMinute: {unitMinute, unitHour, unitDay},
	unitDaySecond: {unitSecond, unitMinute, unitHour, unitDay}, unitDayMicrosecond: {unitMicrosecond, unitSecond, unitMinute, unitHour, unitDay},
	unitHourMinute: {unitMinute, unitHour}, unitHourSecond: {unitSecond, unitMinute, unitHour},
	unitHourMicrosecond: {unitMicrosecond, unitSecond, unitMinute, unitHour}, unitMinuteSecond: {unitSecond, unitMinute},
	unitMinuteMicrosecond: {unitMicrosecond, unitSecond, unitMinute}, unitSecondMicrosecond: {unitMicrosecond, unitSecond},
}

// stepCompound is INTERVAL '1:30' HOUR_MINUTE and the like.
func stepCompound(u dateUnit, negative bool, date, amount *vector.Vector, sel []int32, out *vector.Vector) {
	x, text := dayColumnOf(date), textOf(amount)
	for i := range live(out, sel) {
		sp, ok := parseSpan(text.at(i), compoundUnits[u])
		var v int64
		if ok {
			v, ok = addSpan(x.microsAt(i), signed(sp.months, negative), span{months: 1})
			if sp.months == 0 {
				v, ok = addSpan(x.microsAt(i), signed(sp.micros, negative), span{micros: 1})
			}
		}
		if !ok {
			out.SetNull(i)
			v = 0
		}
		if x.isDate {
			vector.Values[int32](out)[i] = int32(v / sqltype.MicrosPerDay)
		} else {
			vector.Values[int64](out)[i] = v
		}
	}
}

// parseSpan reads numbers with anything between them; missing ones at the front are zero.
func parseSpan(b []byte, units []dateUnit) (span, bool) {
	b = trimSpace(b)
	negative := len(b) > 0 && b[0] == '-'
	var nums []int64
	digits := 0
	for i := 0; i < len(b); {
		if !isDigit(b[i]) {
			i++
			continue
		}
		var v int64
		digits = 0
		for ; i < len(b) && isDigit(b[i]) && digits < 12; i++ {
			v = v*10 + int64(b[i]-'0')
			digits++
		}
		nums = append(nums, v)
	}
	if len(nums) == 0 || len(nums) > len(units) {
		return span{}, false
	}
	var total span
	for k := range nums {
		v := nums[len(nums)-1-k]
		if units[k] == unitMicrosecond && len(nums) > 1 { // the digits of a fraction
			for d := digits; d < 6; d++ {
				v *= 10
			}
		}
		one := unitSpan(units[k])
		total.months += v * one.months
		total.micros += v * one.micros
	}
	if negative {
		total.months, total.micros = -total.months, -total.micros
	}
	return total, true
}
