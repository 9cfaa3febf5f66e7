package function

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// dateUnit is a unit of EXTRACT, date arithmetic and date_trunc.
type dateUnit uint8

const (
	unitYear dateUnit = iota
	unitQuarter
	unitMonth
	unitWeek
	unitDay
	unitHour
	unitMinute
	unitSecond
	unitMillisecond
	unitMicrosecond
	unitDayOfWeek // 1 = Sunday
	unitDayOfYear
	unitWeekday // 0 = Monday
	unitYearWeek
	unitYearMonth
	unitDayHour
	unitDayMinute
	unitDaySecond
	unitDayMicrosecond
	unitHourMinute
	unitHourSecond
	unitHourMicrosecond
	unitMinuteSecond
	unitMinuteMicrosecond
	unitSecondMicrosecond
)

var dateUnits = map[string]dateUnit{
	"year": unitYear, "quarter": unitQuarter, "month": unitMonth, "week": unitWeek, "day": unitDay, "hour": unitHour,
	"minute": unitMinute, "second": unitSecond, "millisecond": unitMillisecond, "microsecond": unitMicrosecond,
	"dow": unitDayOfWeek, "dayofweek": unitDayOfWeek, "doy": unitDayOfYear, "dayofyear": unitDayOfYear, "weekday": unitWeekday,
	"yearweek": unitYearWeek, "year_month": unitYearMonth, "day_hour": unitDayHour, "day_minute": unitDayMinute, "day_second": unitDaySecond,
	"day_microsecond": unitDayMicrosecond, "hour_minute": unitHourMinute, "hour_second": unitHourSecond,
	"hour_microsecond": unitHourMicrosecond, "minute_second": unitMinuteSecond, "minute_microsecond": unitMinuteMicrosecond,
	"second_microsecond": unitSecondMicrosecond,
}

// unitOf reads a constant unit: YEAR, years, 'year', SQL_TSI_YEAR.
func unitOf(a Arg) (dateUnit, bool) {
	if a.Const == nil || a.Const.Null {
		return 0, false
	}
	return parseUnit(a.Const.S)
}

func parseUnit(s string) (dateUnit, bool) {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "sql_tsi_")
	u, ok := dateUnits[s]
	if !ok {
		u, ok = dateUnits[strings.TrimSuffix(s, "s")]
	}
	return u, ok
}

// isClock reports units that a DATE cannot step by without becoming a DATETIME.
func (u dateUnit) isClock() bool { return u >= unitHour && u != unitYearMonth }

// dateParam is the type that a date function takes an argument as: DATE stays, the rest is
// DATETIME. Constant text without a time of day counts as a DATE.
func dateParam(a Arg) (sqltype.Type, bool) {
	switch {
	case a.Type.Kind == sqltype.Date:
		return tDate, true
	case a.Type.Kind == sqltype.DateTime:
		return a.Type, true
	case a.Type.Kind == sqltype.Timestamp:
		return sqltype.DateTimeOf(int(a.Type.Scale)), true
	case a.Type.Kind == sqltype.Null:
		return tDate, true
	case isText(a.Type) && a.Const != nil:
		if !strings.ContainsAny(a.Const.S, ": ") && len(a.Const.S) <= 10 {
			return tDate, true
		}
		if !strings.Contains(a.Const.S, ".") {
			return tDateTime, true
		}
		return tMicros, true
	case isText(a.Type):
		return tMicros, true
	case a.Type.IsNumeric(), a.Type.Kind == sqltype.Time:
		return tDateTime, true
	}
	return a.Type, false
}

// dayColumn reads the day number and the time of day of DATE and DATETIME vectors.
type dayColumn struct {
	days   column[int32]
	micros column[int64]
	isDate bool
}

func dayColumnOf(v *vector.Vector) dayColumn {
	if v.Type.Physical() == sqltype.PhysInt32 {
		return dayColumn{days: columnOf[int32](v), isDate: true}
	}
	return dayColumn{micros: columnOf[int64](v)}
}

// at is the day and the microseconds into it.
func (c *dayColumn) at(i int) (day int32, rest int64) {
	if c.isDate {
		return c.days.at(i), 0
	}
	d, rest := splitMicros(c.micros.at(i))
	return int32(d), rest
}

// microsAt is row i as a DATETIME.
func (c *dayColumn) microsAt(i int) int64 {
	if c.isDate {
		return int64(c.days.at(i)) * sqltype.MicrosPerDay
	}
	return c.micros.at(i)
}
