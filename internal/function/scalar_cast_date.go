package function

import (
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// castTemporal converts among dates, times and numbers (20240131, 20240131235959, 235959).
func castTemporal(from, to sqltype.Type) castLoop {
	switch {
	case from.Kind == sqltype.Date && to.Kind == sqltype.DateTime:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int32](src), vector.Values[int64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = int64(x.at(i)) * sqltype.MicrosPerDay
			}
		}
	case from.Kind == sqltype.DateTime && to.Kind == sqltype.DateTime, from.Kind == sqltype.Timestamp && to.Kind == sqltype.Timestamp, from.Kind == sqltype.Time && to.Kind == sqltype.Time:
		if to.Scale >= from.Scale {
			return copyLoop
		}
		return roundMicros(int(to.Scale))
	case from.Kind == sqltype.DateTime && to.Kind == sqltype.Date:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int64](src), vector.Values[int32](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				days, _ := splitMicros(x.at(i))
				dst[i] = int32(days)
			}
		}
	case from.Kind == sqltype.DateTime && to.Kind == sqltype.Time:
		clock := func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int64](src), vector.Values[int64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				_, dst[i] = splitMicros(x.at(i))
			}
		}
		return chain(clock, tTime, roundMicros(int(to.Scale)))
	case from.Kind == sqltype.DateTime && to.Kind == sqltype.Timestamp:
		return chain(localToInstant, sqltype.T(sqltype.Timestamp), roundMicros(int(to.Scale)))
	case from.Kind == sqltype.Timestamp && to.Kind == sqltype.DateTime:
		return chain(instantToLocal, tMicros, roundMicros(int(to.Scale)))
	case from.Kind == sqltype.Time && to.Kind == sqltype.DateTime:
		return addToday
	case from.Kind == sqltype.Date && to.Kind == sqltype.Time:
		return func(_ *Context, _ *vector.Vector, sel []int32, out *vector.Vector) {
			dst := vector.Values[int64](out)
			for k := range count(out, sel) {
				dst[row(sel, k)] = 0
			}
		}
	case from.IsTemporal() && (to.IsTemporal() || to.Kind == sqltype.Time), from.Kind == sqltype.Time && to.IsTemporal():
		return via(from, tMicros, to)
	case isNumberLike(to):
		return temporalToNumber(from, to)
	case isNumberLike(from):
		return numberToTemporal(from, to)
	}
	return nil
}

// splitMicros is the day and the microseconds into it.
func splitMicros(v int64) (days, rest int64) {
	days, rest = v/sqltype.MicrosPerDay, v%sqltype.MicrosPerDay
	if rest < 0 {
		days--
		rest += sqltype.MicrosPerDay
	}
	return days, rest
}

// roundMicros rounds half up to scale digits of a second.
func roundMicros(scale int) castLoop {
	unit := int64(1)
	for range 6 - scale {
		unit *= 10
	}
	if unit == 1 {
		return copyLoop
	}
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int64](src), vector.Values[int64](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = roundTo(x.at(i), unit)
		}
	}
}

func roundTo(v, unit int64) int64 {
	r := v % unit
	if r < 0 {
		r += unit
	}
	if r >= unit-r {
		return v - r + unit
	}
	return v - r
}

// zone is the session's time zone.
func (ctx *Context) zone() *time.Location {
	if ctx == nil || ctx.Location == nil {
		return time.UTC
	}
	return ctx.Location
}

// localMicros is an instant as the wall clock of loc shows it.
func localMicros(instant int64, loc *time.Location) int64 {
	_, offset := time.UnixMicro(instant).In(loc).Zone()
	return instant + int64(offset)*sqltype.MicrosPerSecond
}

// instantMicros is the instant at which the wall clock of loc shows local.
func instantMicros(local int64, loc *time.Location) int64 {
	if loc == time.UTC {
		return local
	}
	days, rest := splitMicros(local)
	y, m, d := sqltype.CivilFromDays(int32(days))
	s := int(rest / sqltype.MicrosPerSecond)
	t := time.Date(y, time.Month(m), d, s/3600, s/60%60, s%60, 0, loc)
	return t.Unix()*sqltype.MicrosPerSecond + rest%sqltype.MicrosPerSecond
}

func localToInstant(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst, loc := columnOf[int64](src), vector.Values[int64](out), ctx.zone()
	for i := range live(out, sel) {
		dst[i] = instantMicros(x.at(i), loc)
	}
}

func instantToLocal(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst, loc := columnOf[int64](src), vector.Values[int64](out), ctx.zone()
	for i := range live(out, sel) {
		dst[i] = localMicros(x.at(i), loc)
	}
}

// addToday makes a DATETIME of a TIME on the statement's day.
func addToday(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[int64](src), vector.Values[int64](out)
	days, _ := splitMicros(nowMicros(ctx))
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = days*sqltype.MicrosPerDay + x.at(i)
	}
}

// nowMicros is the statement's start on the session's wall clock.
func nowMicros(ctx *Context) int64 {
	if ctx == nil {
		return 0
	}
	return localMicros(ctx.Now.UnixMicro(), ctx.zone())
}

func temporalToNumber(from, to sqltype.Type) castLoop {
	if from.Kind == sqltype.Timestamp {
		return via(from, tMicros, to)
	}
	if (to.IsFloat() || to.Kind == sqltype.Decimal) && from.Kind != sqltype.Date && from.Scale > 0 {
		return chain(temporalDigits(from, true), tMicroDigits, castOrCopy(tMicroDigits, to))
	}
	digits := temporalDigits(from, false)
	if to == tBigInt {
		return digits
	}
	return chain(digits, tBigInt, castNumber(tBigInt, to))
}

// tMicroDigits is YYYYMMDDHHMMSS.ffffff.
var tMicroDigits = sqltype.DecimalOf(maxPrecision, 6)

// temporalDigits writes the number that a date or time reads as.
func temporalDigits(from sqltype.Type, micros bool) castLoop {
	if micros {
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			writeMicroDigits(from, src, sel, out)
		}
	}
	if from.Kind == sqltype.Date {
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int32](src), vector.Values[int64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				y, m, d := sqltype.CivilFromDays(x.at(i))
				dst[i] = int64(y)*10000 + int64(m)*100 + int64(d)
			}
		}
	}
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int64](src), vector.Values[int64](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = clockDigits(x.at(i), from.Kind == sqltype.Time)
		}
	}
}

func clockDigits(v int64, isTime bool) int64 {
	if isTime {
		s := v / sqltype.MicrosPerSecond
		return s/3600*10000 + s/60%60*100 + s%60
	}
	days, rest := splitMicros(v)
	y, m, d := sqltype.CivilFromDays(int32(days))
	s := rest / sqltype.MicrosPerSecond
	return (int64(y)*10000+int64(m)*100+int64(d))*1_000_000 + s/3600*10000 + s/60%60*100 + s%60
}

// numberToTemporal reads the digits of the integer part.
func numberToTemporal(from, to sqltype.Type) castLoop {
	if from != tBigInt {
		return chain(castNumber(from, tBigInt), tBigInt, numberToTemporal(tBigInt, to))
	}
	switch to.Kind {
	case sqltype.Date:
		return via(tBigInt, tDateTime, to)
	case sqltype.Timestamp:
		return via(tBigInt, tMicros, to)
	}
	isTime := to.Kind == sqltype.Time
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int64](src), vector.Values[int64](out)
		for i := range live(out, sel) {
			v, ok := int64(0), false
			if isTime {
				v, ok = timeOfNumber(x.at(i))
			} else {
				v, ok = dateTimeOfNumber(x.at(i))
			}
			if !ok {
				out.SetNull(i)
				v = 0
			}
			dst[i] = v
		}
	}
}
