package function

import (
	"bytes"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// parseDate reads a date; a time after it is read and dropped.
func parseDate(b []byte) (int32, bool) {
	if len(b) == 10 && b[4] == '-' && b[7] == '-' { // the usual form
		y, ok1 := twoDigits(b[0], b[1])
		z, ok2 := twoDigits(b[2], b[3])
		m, ok3 := twoDigits(b[5], b[6])
		d, ok4 := twoDigits(b[8], b[9])
		if ok1 && ok2 && ok3 && ok4 {
			days, ok := civilDays(y*100+z, m, d)
			return int32(days), ok
		}
		return 0, false
	}
	v, ok := parseDateTime(b)
	if !ok {
		return 0, false
	}
	days, _ := splitMicros(v)
	return int32(days), true
}

func twoDigits(a, b byte) (int, bool) {
	return int(a-'0')*10 + int(b-'0'), isDigit(a) && isDigit(b)
}

// civilDays checks the calendar. Years are 0 … 9999.
func civilDays(y, m, d int) (int, bool) {
	if y < 0 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 28 && d > sqltype.DaysInMonth(y, m) {
		return 0, false
	}
	return sqltype.DaysFromCivil(y, m, d), true
}

// parseDateTime reads MySQL's forms: YYYY-MM-DD[ |T]HH:MM:SS[.ffffff][Z|±HH:MM], any
// punctuation between the parts, parts left out at the end, two-digit years, and plain
// digits YYYYMMDD[HHMMSS] or YYMMDD[HHMMSS]. The result is microseconds; more
// fractional digits round half up. An offset moves the result to UTC.
func parseDateTime(b []byte) (int64, bool) {
	b = trimSpace(b)
	n := 0
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	if n >= 5 {
		return parseCompact(b, n)
	}
	var part [6]int
	i, parts, yearDigits := 0, 0, n
	for parts < 6 {
		start, v := i, 0
		for i < len(b) && isDigit(b[i]) && i-start < 4 {
			v = v*10 + int(b[i]-'0')
			i++
		}
		if i == start || parts > 0 && i-start > 2 {
			return 0, false
		}
		part[parts] = v
		parts++
		if i == len(b) || parts == 6 {
			break
		}
		next, ok := separator(b, i, parts)
		if !ok {
			break
		}
		i = next
	}
	if parts < 3 {
		return 0, false
	}
	return finishDateTime(part, fullYear(part[0], yearDigits), b[i:])
}

// separator skips what stands between two parts of a date: one punctuation mark, or
// spaces or a T before the hours.
func separator(b []byte, i, parts int) (int, bool) {
	c := b[i]
	if parts == 3 {
		if c == 'T' || c == 't' {
			return i + 1, i+1 < len(b)
		}
		j := i
		for j < len(b) && isSpace(b[j]) {
			j++
		}
		if j > i {
			return j, true
		}
	}
	switch {
	case parts < 3 && (c == '-' || c == '/' || c == '.' || c == ':' || c == '_'):
	case parts == 3 && (c == ':' || c == '-' || c == '_'):
	case parts > 3 && c == ':':
	default:
		return i, false
	}
	return i + 1, i+1 < len(b)
}

func fullYear(y, digits int) int {
	if digits > 2 {
		return y
	}
	if y < 70 {
		return 2000 + y
	}
	return 1900 + y
}

// finishDateTime checks the parts and reads the fraction and the offset.
func finishDateTime(part [6]int, year int, rest []byte) (int64, bool) {
	days, ok := civilDays(year, part[1], part[2])
	if !ok || part[3] > 23 || part[4] > 59 || part[5] > 59 {
		return 0, false
	}
	v := int64(days)*sqltype.MicrosPerDay + int64(part[3]*3600+part[4]*60+part[5])*sqltype.MicrosPerSecond
	if len(rest) > 0 && rest[0] == '.' {
		frac, n := parseFraction(rest[1:])
		v += frac
		rest = rest[1+n:]
	}
	offset, ok := parseOffset(rest)
	return v - offset, ok
}

// parseFraction is the microseconds of the leading digits and how many digits there are.
func parseFraction(b []byte) (micros int64, n int) {
	for n < len(b) && isDigit(b[n]) {
		if n < 6 {
			micros = micros*10 + int64(b[n]-'0')
		} else if n == 6 && b[n] >= '5' {
			micros++
		}
		n++
	}
	for k := n; k < 6; k++ {
		micros *= 10
	}
	return micros, n
}

// parseOffset reads Z, ±HH:MM, ±HHMM, ±HH or nothing, in microseconds east of UTC.
func parseOffset(b []byte) (int64, bool) {
	b = trimSpace(b)
	if len(b) == 0 || len(b) == 1 && b[0]|0x20 == 'z' || string(b) == "UTC" || string(b) == "GMT" {
		return 0, true
	}
	if b[0] != '+' && b[0] != '-' || len(b) < 3 {
		return 0, false
	}
	h, ok := twoDigits(b[1], b[2])
	m, rest := 0, b[3:]
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[1:]
	}
	if ok && len(rest) == 2 {
		m, ok = twoDigits(rest[0], rest[1])
	} else if len(rest) != 0 {
		return 0, false
	}
	if !ok || h > 14 || m > 59 {
		return 0, false
	}
	v := int64(h*3600+m*60) * sqltype.MicrosPerSecond
	if b[0] == '-' {
		v = -v
	}
	return v, true
}

// parseCompact reads a run of n digits without separators.
func parseCompact(b []byte, n int) (int64, bool) {
	digits := b[:n]
	year := 4
	switch n {
	case 8, 14:
	case 6, 12:
		year = 2
	default:
		return 0, false
	}
	var part [6]int
	for _, c := range digits[:year] {
		part[0] = part[0]*10 + int(c-'0')
	}
	k := 1
	for i := year; i < n; i += 2 {
		part[k], _ = twoDigits(digits[i], digits[i+1])
		k++
	}
	rest := b[n:]
	if len(rest) > 0 && (rest[0] == 'T' || rest[0] == 't' || isSpace(rest[0])) && k == 3 {
		return parseCompactClock(part, year, trimSpace(rest[1:]))
	}
	return finishDateTime(part, fullYear(part[0], year), rest)
}

// parseCompactClock reads HHMMSS or HH:MM:SS after a compact date.
func parseCompactClock(part [6]int, year int, b []byte) (int64, bool) {
	k, i := 3, 0
	for k < 6 && i+1 < len(b) {
		v, ok := twoDigits(b[i], b[i+1])
		if !ok {
			break
		}
		part[k] = v
		k++
		i += 2
		if k < 6 && i < len(b) && b[i] == ':' {
			i++
		}
	}
	if k == 3 {
		return 0, false
	}
	return finishDateTime(part, fullYear(part[0], year), b[i:])
}

// dateTimeOfNumber reads YYYYMMDD, YYMMDD, YYYYMMDDHHMMSS and YYMMDDHHMMSS.
func dateTimeOfNumber(v int64) (int64, bool) {
	var clock int64
	switch {
	case v <= 0:
		return 0, false
	case v > 99_999_999: // has a time
		v, clock = v/1_000_000, v%1_000_000
	}
	y, m, d := int(v/10000), int(v/100%100), int(v%100)
	if y < 100 {
		y = fullYear(y, 2)
	}
	days, ok := civilDays(y, m, d)
	if !ok || clock/10000 > 23 || clock/100%100 > 59 || clock%100 > 59 {
		return 0, false
	}
	s := clock/10000*3600 + clock/100%100*60 + clock%100
	return int64(days)*sqltype.MicrosPerDay + s*sqltype.MicrosPerSecond, true
}

// maxTime bounds TIME: ±838:59:59.999999.
const maxTime = (838*3600+59*60+59)*sqltype.MicrosPerSecond + 999999

// timeOfNumber reads [-]HHMMSS.
func timeOfNumber(v int64) (int64, bool) {
	neg := v < 0
	if neg {
		v = -v
	}
	if v/100%100 > 59 || v%100 > 59 || v > 8385959 {
		return 0, false
	}
	t := (v/10000*3600 + v/100%100*60 + v%100) * sqltype.MicrosPerSecond
	if neg {
		t = -t
	}
	return t, true
}

// parseTime reads [-][D ]HH:MM[:SS][.ffffff], HHMMSS digits, or the time of a datetime.
func parseTime(b []byte) (int64, bool) {
	b = trimSpace(b)
	if bytes.LastIndexByte(b, '-') > 0 || len(b) >= 14 && bytes.IndexByte(b, ':') < 0 { // a date is in it
		if v, ok := parseDateTime(b); ok {
			_, rest := splitMicros(v)
			return rest, true
		}
	}
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	var part [3]int64
	parts, i := 0, 0
	var days int64
	for parts < 3 {
		start := i
		var v int64
		for i < len(b) && isDigit(b[i]) && i-start < 8 {
			v = v*10 + int64(b[i]-'0')
			i++
		}
		if i == start {
			return 0, false
		}
		if parts == 0 && i < len(b) && b[i] == ' ' {
			days = v
			i++
			continue
		}
		part[parts] = v
		parts++
		if i == len(b) || b[i] != ':' {
			break
		}
		i++
	}
	var v int64
	if parts == 1 && days == 0 {
		t, ok := timeOfNumber(part[0])
		if !ok {
			return 0, false
		}
		v = t
	} else {
		if parts > 1 && part[1] > 59 || part[2] > 59 || part[0] > 10000 || days > 40 {
			return 0, false
		}
		v = ((days*24+part[0])*3600 + part[1]*60 + part[2]) * sqltype.MicrosPerSecond
	}
	if i < len(b) && b[i] == '.' {
		frac, n := parseFraction(b[i+1:])
		v += frac
		i += 1 + n
	}
	if i != len(b) || v > maxTime {
		return 0, false
	}
	if neg {
		v = -v
	}
	return v, true
}

// writeMicroDigits writes clockDigits with six decimals as unscaled DECIMAL(38,6).
func writeMicroDigits(from sqltype.Type, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[int64](src), vector.Values[int128.Int](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		v := x.at(i)
		frac := v % sqltype.MicrosPerSecond
		if from.Kind != sqltype.Time {
			_, rest := splitMicros(v)
			frac = rest % sqltype.MicrosPerSecond
		}
		dst[i] = int128.Mul64(clockDigits(v, from.Kind == sqltype.Time), sqltype.MicrosPerSecond).AddInt64(frac)
	}
}
