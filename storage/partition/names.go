package partition

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// civil is a DATE or DATETIME value as a wall clock.
func civil(v vector.Value) time.Time {
	if v.Type.Kind == sqltype.Date {
		return time.Unix(v.Int64()*86400, 0).UTC()
	}
	return time.UnixMicro(v.Int64()).UTC()
}

// ValueOf is a wall clock as a value of a DATE or DATETIME column; ok is false outside of
// the years that the types have.
func ValueOf(t sqltype.Type, wall time.Time) (v vector.Value, ok bool) {
	days := sqltype.DaysFromCivil(wall.Year(), int(wall.Month()), wall.Day())
	if days < sqltype.MinDate || days > sqltype.MaxDate {
		return vector.Value{}, false
	}
	if t.Kind == sqltype.Date {
		return vector.IntValue(t, int64(days)), true
	}
	clock := int64(wall.Hour())*3600 + int64(wall.Minute())*60 + int64(wall.Second())
	return vector.IntValue(t, int64(days)*sqltype.MicrosPerDay+clock*sqltype.MicrosPerSecond+int64(wall.Nanosecond()/1000)), true
}

// Truncate is the start of the unit (YEAR, QUARTER, MONTH, WEEK from Monday, DAY, HOUR, MINUTE,
// SECOND; any case) that a DATE or DATETIME lies in.
func Truncate(v vector.Value, unit string) vector.Value {
	out, _ := ValueOf(v.Type, truncateTime(civil(v), unit))
	return out
}

func truncateTime(t time.Time, unit string) time.Time {
	y, m, d := t.Date()
	hour, minute, second := 0, 0, 0
	switch strings.ToUpper(unit) {
	case "YEAR":
		m, d = 1, 1
	case "QUARTER":
		m, d = (m-1)/3*3+1, 1
	case "MONTH":
		d = 1
	case "WEEK":
		d -= int(t.Weekday()+6) % 7
	case "HOUR":
		hour = t.Hour()
	case "MINUTE":
		hour, minute = t.Hour(), t.Minute()
	case "SECOND":
		hour, minute, second = t.Clock()
	}
	return time.Date(y, m, d, hour, minute, second, 0, t.Location())
}

// Shift moves a DATE or DATETIME by n units; ok is false outside of the type's years.
// Days that a month does not have become its last.
func Shift(v vector.Value, n int64, unit string) (out vector.Value, ok bool) {
	const seconds = 400_000_000_000 // more than all years have; what is beyond could overflow below
	if per := secondsOf(unit); n > seconds/per || n < -seconds/per {
		return vector.Value{}, false
	}
	return ValueOf(v.Type, shiftTime(civil(v), int(n), unit))
}

// secondsOf is about how long a unit is.
func secondsOf(unit string) int64 {
	switch strings.ToUpper(unit) {
	case "SECOND":
		return 1
	case "MINUTE":
		return 60
	case "HOUR":
		return 3600
	case "DAY":
		return 86400
	case "WEEK":
		return 7 * 86400
	}
	return 28 * 86400
}

func shiftTime(t time.Time, n int, unit string) time.Time {
	months := 0
	switch strings.ToUpper(unit) {
	case "YEAR":
		months = 12 * n
	case "QUARTER":
		months = 3 * n
	case "MONTH":
		months = n
	case "WEEK":
		return t.AddDate(0, 0, 7*n)
	case "DAY":
		return t.AddDate(0, 0, n)
	case "HOUR", "MINUTE", "SECOND":
		all := int64(n) * secondsOf(unit) // a Duration holds 292 years only
		return t.AddDate(0, 0, int(all/86400)).Add(time.Duration(all%86400) * time.Second)
	}
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	if last := sqltype.DaysInMonth(first.Year(), int(first.Month())); d > last {
		d = last
	}
	return first.AddDate(0, 0, d-1)
}

// unitName is a moment as partition names write it: 2024, 2024_03 (week), 202403, 20240310, 2024031005.
// Weeks are those of ISO 8601.
func unitName(t time.Time, unit string) string {
	switch strings.ToUpper(unit) {
	case "YEAR":
		return t.Format("2006")
	case "QUARTER":
		return fmt.Sprintf("%04d_Q%d", t.Year(), (int(t.Month())+2)/3)
	case "MONTH":
		return t.Format("200601")
	case "WEEK":
		y, w := t.ISOWeek()
		return fmt.Sprintf("%04d_%02d", y, w)
	case "HOUR":
		return t.Format("2006010215")
	case "MINUTE":
		return t.Format("200601021504")
	case "SECOND":
		return t.Format("20060102150405")
	}
	return t.Format("20060102")
}

// batchName names a partition of FROM … TO … INTERVAL by its lower bound: p_20200101, p_10.
func batchName(from vector.Value, unit string) string {
	if from.Type.IsInteger() {
		return "p_" + strings.ReplaceAll(from.Text(), "-", "_")
	}
	return "p_" + unitName(civil(from), unit)
}

// AutoRangeName names a partition that a load makes, by its lower bound: p20240115000000.
func AutoRangeName(from vector.Value) string { return "p" + civil(from).Format("20060102150405") }

// AutoListName names a partition that a load makes for a tuple: p and the values, in which
// letters and digits of ASCII stand for themselves and every other byte is _ and two hex digits;
// values are joined by two underscores, and NULL is __NULL. Different tuples have different names
// but for case; those that would be too long end in a hash instead.
func AutoListName(tuple []vector.Value) string {
	var b strings.Builder
	b.WriteByte('p')
	for i, v := range tuple {
		if i > 0 {
			b.WriteString("__")
		}
		if v.Null {
			b.WriteString("__NULL")
			continue
		}
		for _, c := range []byte(v.Text()) {
			if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "_%02x", c)
			}
		}
	}
	if b.Len() > maxName {
		sum := sha256.Sum256([]byte(b.String()))
		return fmt.Sprintf("%s_%x", b.String()[:maxName-17], sum[:8])
	}
	return b.String()
}

// maxName is the length of the longest name that AutoListName gives; partitions' names may be longer.
const maxName = 128
