package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func dateFunctions() map[string]builder {
	m := map[string]builder{"extract": resolveExtract}
	for name, u := range map[string]dateUnit{
		"year": unitYear, "quarter": unitQuarter, "month": unitMonth, "day": unitDay, "dayofmonth": unitDay, "day_of_month": unitDay,
		"hour": unitHour, "minute": unitMinute, "second": unitSecond, "millisecond": unitMillisecond, "microsecond": unitMicrosecond,
		"dayofweek": unitDayOfWeek, "day_of_week": unitDayOfWeek, "dow": unitDayOfWeek,
		"dayofyear": unitDayOfYear, "day_of_year": unitDayOfYear, "doy": unitDayOfYear, "weekday": unitWeekday,
	} {
		m[name] = func(name string, args []Arg) (*Scalar, error) {
			if len(args) != 1 {
				return nil, wrongArguments(name, args)
			}
			return resolveDatePart(name, u, args[0], args, 0)
		}
	}
	return m
}

// resolveExtract is extract(unit, x).
func resolveExtract(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	u, ok := unitOf(args[0])
	if !ok {
		return nil, wrongArguments(name, args)
	}
	return resolveDatePart(name, u, args[1], args, 1)
}

// resolveDatePart is a part of the date at args[at], as the narrowest type that holds it.
func resolveDatePart(name string, u dateUnit, a Arg, args []Arg, at int) (*Scalar, error) {
	p, ok := dateParam(a)
	if a.Type.Kind == sqltype.Time {
		p, ok = sqltype.Type{Kind: sqltype.Time, Scale: a.Type.Scale}, true
	} else if isText(a.Type) && u.isClock() {
		p = tMicros
	}
	if !ok {
		return nil, wrongArguments(name, args)
	}
	s := &Scalar{}
	for i := range args {
		s.Params = append(s.Params, args[i].Type)
		if i == at {
			s.Params[i] = p
		}
	}
	var run func(u dateUnit, v *vector.Vector, sel []int32, out *vector.Vector)
	switch u {
	case unitYear, unitDayOfYear:
		s.Result, run = sqltype.T(sqltype.SmallInt), datePartLoop[int16]
	case unitQuarter, unitMonth, unitWeek, unitDay, unitHour, unitMinute, unitSecond, unitDayOfWeek, unitWeekday:
		s.Result, run = tTinyInt, datePartLoop[int8]
	case unitMicrosecond, unitMillisecond, unitYearWeek, unitYearMonth, unitDayHour, unitDayMinute, unitDaySecond, unitHourMinute, unitHourSecond, unitMinuteSecond:
		s.Result, run = tInt, datePartLoop[int32]
	default:
		s.Result, run = tBigInt, datePartLoop[int64]
	}
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		run(u, args[at], sel, out)
		return nil
	})
	return s, nil
}

// datePartLoop has loops of their own for the parts that group and filter most data.
func datePartLoop[R integer](u dateUnit, v *vector.Vector, sel []int32, out *vector.Vector) {
	dst := vector.Values[R](out)
	x := dayColumnOf(v)
	switch u {
	case unitYear:
		if x.isDate && sel == nil && v.Form == vector.Flat {
			for i, d := range x.days.vals[:len(dst)] {
				y, _, _ := sqltype.CivilFromDays(d)
				dst[i] = R(y)
			}
			return
		}
		for k := range count(out, sel) {
			i := row(sel, k)
			d, _ := x.at(i)
			y, _, _ := sqltype.CivilFromDays(d)
			dst[i] = R(y)
		}
		return
	case unitMonth:
		for k := range count(out, sel) {
			i := row(sel, k)
			d, _ := x.at(i)
			_, m, _ := sqltype.CivilFromDays(d)
			dst[i] = R(m)
		}
		return
	}
	if v.Type.Kind == sqltype.Time {
		for k := range count(out, sel) {
			i := row(sel, k)
			t := x.micros.at(i)
			dst[i] = R(clockPart(u, max(t, -t)))
		}
		return
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		d, rest := x.at(i)
		dst[i] = R(datePart(u, d, rest))
	}
}

// weekdayOf is 0 for Monday … 6 for Sunday.
func weekdayOf(day int32) int { return int((int64(day)+3)%7+7) % 7 }

// datePart is one part of a date and time of day.
func datePart(u dateUnit, day int32, rest int64) int64 {
	switch u {
	case unitDayOfWeek:
		return int64(weekdayOf(day)+1)%7 + 1
	case unitWeekday:
		return int64(weekdayOf(day))
	}
	y, m, d := sqltype.CivilFromDays(day)
	switch u {
	case unitYear:
		return int64(y)
	case unitQuarter:
		return int64(m+2) / 3
	case unitMonth:
		return int64(m)
	case unitDay:
		return int64(d)
	case unitWeek:
		_, w := weekOf(day, 0)
		return int64(w)
	case unitYearWeek:
		wy, w := weekOf(day, 2)
		return int64(wy*100 + w)
	case unitDayOfYear:
		return int64(day) - int64(sqltype.DaysFromCivil(y, 1, 1)) + 1
	case unitYearMonth:
		return int64(y*100 + m)
	case unitDayHour:
		return int64(d)*100 + clockPart(unitHour, rest)
	case unitDayMinute:
		return int64(d)*10000 + clockPart(unitHourMinute, rest)
	case unitDaySecond:
		return int64(d)*1_000_000 + clockPart(unitHourSecond, rest)
	case unitDayMicrosecond:
		return (int64(d)*1_000_000+clockPart(unitHourSecond, rest))*1_000_000 + rest%sqltype.MicrosPerSecond
	}
	return clockPart(u, rest)
}

// clockPart is one part of a time of day, or of a TIME without its sign.
func clockPart(u dateUnit, t int64) int64 {
	s := t / sqltype.MicrosPerSecond
	switch u {
	case unitHour, unitDayHour:
		return s / 3600
	case unitMinute:
		return s / 60 % 60
	case unitSecond:
		return s % 60
	case unitMicrosecond:
		return t % sqltype.MicrosPerSecond
	case unitMillisecond:
		return t % sqltype.MicrosPerSecond / 1000
	case unitHourMinute, unitDayMinute:
		return s/3600*100 + s/60%60
	case unitHourSecond, unitDaySecond:
		return s/3600*10000 + s/60%60*100 + s%60
	case unitHourMicrosecond, unitDayMicrosecond:
		return (s/3600*10000+s/60%60*100+s%60)*1_000_000 + t%sqltype.MicrosPerSecond
	case unitMinuteSecond:
		return s/60%60*100 + s%60
	case unitMinuteMicrosecond:
		return (s/60%60*100+s%60)*1_000_000 + t%sqltype.MicrosPerSecond
	case unitSecondMicrosecond:
		return s%60*1_000_000 + t%sqltype.MicrosPerSecond
	}
	return 0
}

// weekOf is MySQL's week number with its year. Modes: bit 0 weeks start on Monday, bit 1
// weeks count 1..53 within their own year (else 0..53), bit 2 flips which week is the
// first: the one with four days in the year, or the one with its first day.
func weekOf(day int32, mode int) (year, week int) {
	monday := mode&1 != 0
	ownYear := mode&2 != 0
	fourDays := monday != (mode&4 != 0) // week 1 has four days of the year, else its first day
	y, _, _ := sqltype.CivilFromDays(day)
	first := func(year int) int { // the day on which week 1 starts
		jan1 := sqltype.DaysFromCivil(year, 1, 1)
		wd := weekdayOf(int32(jan1)) // from Monday
		if !monday {
			wd = (wd + 1) % 7 // from Sunday
		}
		if fourDays {
			if wd <= 3 {
				return jan1 - wd
			}
			return jan1 - wd + 7
		}
		if wd == 0 {
			return jan1
		}
		return jan1 - wd + 7
	}
	d := int(day)
	start := first(y)
	if d < start {
		if !ownYear {
			return y, 0
		}
		y--
		start = first(y)
	} else if ownYear {
		if next := first(y + 1); d >= next {
			y++
			start = next
		}
	}
	return y, (d-start)/7 + 1
}
