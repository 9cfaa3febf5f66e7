package function

import (
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// dateNowFunctions has the clock, Unix times and time zones.
func dateNowFunctions() map[string]builder {
	m := map[string]builder{
		"unix_timestamp": resolveUnixTimestamp, "from_unixtime": resolveFromUnixtime,
		"convert_tz":            signature{params: types(tMicros, tString, tString), result: tMicros, yields: true, make: newConvertTZ}.builder(),
		"from_second":           fromEpoch(sqltype.MicrosPerSecond),
		"from_millisecond":      fromEpoch(1000),
		"from_microsecond":      fromEpoch(1),
		"second_timestamp":      toEpoch(sqltype.MicrosPerSecond),
		"milli_timestamp":       toEpoch(1000),
		"millisecond_timestamp": toEpoch(1000),
		"microsecond_timestamp": toEpoch(1),
	}
	for _, n := range []string{"now", "current_timestamp", "localtime", "localtimestamp", "sysdate"} {
		m[n] = clockBuilder(sqltype.DateTime, nowMicros)
	}
	utc := func(ctx *Context) int64 { return ctx.Now.UnixMicro() }
	m["utc_timestamp"] = clockBuilder(sqltype.DateTime, utc)
	m["curtime"], m["current_time"] = clockBuilder(sqltype.Time, nowMicros), clockBuilder(sqltype.Time, nowMicros)
	m["utc_time"] = clockBuilder(sqltype.Time, utc)
	m["curdate"], m["current_date"], m["utc_date"] = todayBuilder(nowMicros), todayBuilder(nowMicros), todayBuilder(utc)
	return m
}

// clockBuilder is now([digits]): cut to the digits.
func clockBuilder(kind sqltype.Kind, get func(*Context) int64) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		result := sqltype.T(kind)
		if len(args) == 1 && args[0].Const != nil && args[0].Const.Int64() >= 0 && args[0].Const.Int64() <= 6 {
			result.Scale = uint8(args[0].Const.Int64())
		} else if len(args) != 0 {
			return nil, wrongArguments(name, args)
		}
		unit := int64(sqltype.MicrosPerSecond)
		for range result.Scale {
			unit /= 10
		}
		return signature{params: types(tBigInt), optional: 1, result: result, stability: Stable, nulls: NullAware, run: func(ctx *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
			days, rest := splitMicros(get(ctx))
			v := rest - rest%unit
			if kind != sqltype.Time {
				v += days * sqltype.MicrosPerDay
			}
			dst := vector.Values[int64](out)
			for k := range count(out, sel) {
				dst[row(sel, k)] = v
			}
			return nil
		}}.resolve(name, args)
	}
}

func todayBuilder(get func(*Context) int64) builder {
	return signature{result: tDate, stability: Stable, run: func(ctx *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
		days, _ := splitMicros(get(ctx))
		dst := vector.Values[int32](out)
		for k := range count(out, sel) {
			dst[row(sel, k)] = int32(days)
		}
		return nil
	}}.builder()
}

// resolveUnixTimestamp is unix_timestamp([x[, format]]): seconds of an instant, with the
// fraction where x has one. Text that is no date gives NULL; times before 1970 give 0.
func resolveUnixTimestamp(name string, args []Arg) (*Scalar, error) {
	switch len(args) {
	case 0:
		return signature{result: tBigInt, stability: Stable, run: func(ctx *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
			dst := vector.Values[int64](out)
			for k := range count(out, sel) {
				dst[row(sel, k)] = ctx.Now.Unix()
			}
			return nil
		}}.resolve(name, args)
	case 2:
		return signature{params: types(tString, tString), result: tBigInt, stability: Stable, yields: true, make: func(consts []*vector.Value) (Kernel, error) {
			var f formatCache
			return func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				x, format, dst := textOf(args[0]), textOf(args[1]), vector.Values[int64](out)
				for i := range live(out, sel) {
					v, ok := f.use(format.at(i)).parse(x.at(i))
					dst[i] = 0
					if !ok {
						out.SetNull(i)
						continue
					}
					dst[i] = max(0, instantMicros(v, ctx.zone())/sqltype.MicrosPerSecond)
				}
				return nil
			}, nil
		}}.resolve(name, args)
	case 1:
	default:
		return nil, wrongArguments(name, args)
	}
	p, ok := dateParam(args[0])
	if !ok {
		return nil, wrongArguments(name, args)
	}
	if p.Kind == sqltype.Date {
		p = tDateTime
	}
	if p.Scale == 0 || args[0].Const == nil && isText(args[0].Type) {
		return signature{params: types(p), result: tBigInt, stability: Stable, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst, loc := columnOf[int64](args[0]), vector.Values[int64](out), ctx.zone()
			for i := range live(out, sel) {
				dst[i] = max(0, instantMicros(x.at(i), loc)/sqltype.MicrosPerSecond)
			}
			return nil
		}}.resolve(name, args)
	}
	unit := int64(1)
	for range 6 - p.Scale {
		unit *= 10
	}
	return signature{params: types(p), result: sqltype.DecimalOf(18, int(p.Scale)), stability: Stable, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst, loc := columnOf[int64](args[0]), vector.Values[int64](out), ctx.zone()
		for i := range live(out, sel) {
			dst[i] = max(0, instantMicros(x.at(i), loc)/unit)
		}
		return nil
	}}.resolve(name, args)
}

// resolveFromUnixtime is from_unixtime(seconds[, format]): text with a format (Doris shows
// text without one as well; a DATETIME reads the same).
func resolveFromUnixtime(name string, args []Arg) (*Scalar, error) {
	if len(args) == 2 {
		return signature{params: types(sqltype.DecimalOf(18, 6), tString), result: tString, stability: Stable, yields: true, make: func([]*vector.Value) (Kernel, error) {
			var f formatCache
			return func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				x, format, loc := columnOf[int64](args[0]), textOf(args[1]), ctx.zone()
				var buf []byte
				for i := range live(out, sel) {
					v, ok := fromUnix(x.at(i), loc)
					if !ok {
						out.SetNull(i)
						continue
					}
					buf = f.use(format.at(i)).append(buf[:0], v)
					out.SetBytes(i, buf)
				}
				return nil
			}, nil
		}}.resolve(name, args)
	}
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	result := tDateTime
	if args[0].Type.Kind == sqltype.Decimal {
		result.Scale = min(args[0].Type.Scale, 6)
	} else if !args[0].Type.IsInteger() && args[0].Type.Kind != sqltype.Null {
		result.Scale = 6
	}
	return signature{params: types(sqltype.DecimalOf(18, 6)), result: result, stability: Stable, yields: true, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst, loc := columnOf[int64](args[0]), vector.Values[int64](out), ctx.zone()
		for i := range live(out, sel) {
			v, ok := fromUnix(x.at(i), loc)
			if !ok {
				out.SetNull(i)
			}
			dst[i] = v
		}
		return nil
	}}.resolve(name, args)
}

// fromUnix is the wall clock of an instant; negative instants have none.
func fromUnix(micros int64, loc *time.Location) (int64, bool) {
	if micros < 0 || micros > maxMicros {
		return 0, false
	}
	return localMicros(micros, loc), true
}

func fromEpoch(unit int64) builder {
	return signature{params: types(tBigInt), result: tMicros, stability: Stable, yields: true, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst, loc := columnOf[int64](args[0]), vector.Values[int64](out), ctx.zone()
		for i := range live(out, sel) {
			v := x.at(i)
			dst[i] = 0
			if v < 0 || v > maxMicros/unit {
				out.SetNull(i)
				continue
			}
			dst[i] = localMicros(v*unit, loc)
		}
		return nil
	}}.builder()
}

func toEpoch(unit int64) builder {
	return signature{params: types(tMicros), result: tBigInt, stability: Stable, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst, loc := columnOf[int64](args[0]), vector.Values[int64](out), ctx.zone()
		for i := range live(out, sel) {
			dst[i] = instantMicros(x.at(i), loc) / unit
		}
		return nil
	}}.builder()
}

// newConvertTZ keeps the zones it has seen.
func newConvertTZ([]*vector.Value) (Kernel, error) {
	zones := map[string]*time.Location{}
	lookup := func(b []byte) *time.Location {
		loc, ok := zones[string(b)]
		if !ok {
			loc, _ = ParseZone(string(b))
			zones[string(b)] = loc
		}
		return loc
	}
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, from, to, dst := columnOf[int64](args[0]), textOf(args[1]), textOf(args[2]), vector.Values[int64](out)
		for i := range live(out, sel) {
			a, b := lookup(from.at(i)), lookup(to.at(i))
			dst[i] = 0
			if a == nil || b == nil {
				out.SetNull(i)
				continue
			}
			dst[i] = localMicros(instantMicros(x.at(i), a), b)
		}
		return nil
	}, nil
}

// ParseZone reads a time zone as SET time_zone takes it: ±HH:MM, UTC, CST (China, as in
// Doris) or a name like Europe/Berlin. Errors: sqlerr.WrongVariableValue.
func ParseZone(s string) (*time.Location, error) {
	switch strings.ToUpper(s) {
	case "UTC", "GMT", "Z":
		return time.UTC, nil
	case "CST", "PRC":
		s = "Asia/Shanghai"
	}
	if s != "" && (s[0] == '+' || s[0] == '-') {
		b := []byte(s)
		if len(b) == 5 && b[2] == ':' { // +8:00
			b = append([]byte{b[0], '0'}, b[1:]...)
		}
		if offset, ok := parseOffset(b); ok {
			return time.FixedZone(string(b), int(offset/sqltype.MicrosPerSecond)), nil
		}
	} else if s != "" && s != "Local" {
		if loc, err := time.LoadLocation(s); err == nil {
			return loc, nil
		}
	}
	return nil, sqlerr.New(sqlerr.WrongVariableValue, "unknown or incorrect time zone: '%s'", s)
}
