package function

import (
	"bytes"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// scanned is what a format found in a text; -1 and zero are parts that were not there.
type scanned struct {
	year, month, dom, doy int
	hour, minute, secs    int
	micros                int
	pm, half              bool // half: a 12-hour clock with AM or PM
	week, weekday         int  // ISO-like parts, for %x%v and %X%V
	weekYear              int
	weekMode              int
}

// parse reads b by the format, as STR_TO_DATE does: white space is free, text left over
// is ignored, and parts that are missing are those of year 0 or of midnight.
func (f *dateFormat) parse(b []byte) (int64, bool) {
	s := scanned{year: -1, month: -1, dom: -1, doy: -1, week: -1, weekday: -1}
	b = trimSpace(b)
	for _, p := range f.parts {
		if p.code == 0 {
			var ok bool
			if b, ok = skipLiteral(b, p.text); !ok {
				return 0, len(b) == 0 && s.dom >= 0
			}
			continue
		}
		for len(b) > 0 && isSpace(b[0]) {
			b = b[1:]
		}
		rest, ok := s.scanCode(b, p.code)
		if !ok {
			return 0, false
		}
		b = rest
	}
	return s.moment()
}

// skipLiteral matches text; spaces in it match any number of spaces.
func skipLiteral(b, text []byte) ([]byte, bool) {
	for _, c := range text {
		if isSpace(c) {
			for len(b) > 0 && isSpace(b[0]) {
				b = b[1:]
			}
			continue
		}
		if len(b) == 0 || b[0] != c {
			return b, false
		}
		b = b[1:]
	}
	return b, true
}

// scanNumber reads up to width digits.
func scanNumber(b []byte, width int) (v int, rest []byte, ok bool) {
	n := 0
	for n < len(b) && n < width && isDigit(b[n]) {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, b[n:], n > 0
}

func (s *scanned) scanCode(b []byte, code byte) ([]byte, bool) {
	var ok bool
	switch code {
	case 'Y':
		n := len(b)
		s.year, b, ok = scanNumber(b, 4)
		if n -= len(b); n <= 2 {
			s.year = fullYear(s.year, 2)
		}
	case 'y':
		s.year, b, ok = scanNumber(b, 2)
		s.year = fullYear(s.year, 2)
	case 'm', 'c':
		s.month, b, ok = scanNumber(b, 2)
	case 'd', 'e':
		s.dom, b, ok = scanNumber(b, 2)
	case 'D':
		s.dom, b, ok = scanNumber(b, 2)
		if ok && len(b) >= 2 && bytes.EqualFold(b[:2], []byte(ordinal(s.dom))) {
			b = b[2:]
		}
	case 'j':
		s.doy, b, ok = scanNumber(b, 3)
	case 'H', 'k':
		s.hour, b, ok = scanNumber(b, 2)
	case 'h', 'I', 'l':
		s.hour, b, ok = scanNumber(b, 2)
		s.half = true
		ok = ok && s.hour >= 1 && s.hour <= 12
	case 'i':
		s.minute, b, ok = scanNumber(b, 2)
	case 's', 'S':
		s.secs, b, ok = scanNumber(b, 2)
	case 'f':
		micros, n := parseFraction(b)
		s.micros, b, ok = int(micros), b[n:], n > 0
	case 'p':
		b, ok = s.scanHalf(b)
	case 'T', 'r':
		b, ok = s.scanTime(b, code == 'r')
	case 'M', 'b':
		s.month, b, ok = scanName(b, monthNames[:], code == 'b')
		s.month++
	case 'W', 'a':
		s.weekday, b, ok = scanName(b, dayNames[:], code == 'a')
	case 'w':
		s.weekday, b, ok = scanNumber(b, 1)
		s.weekday = (s.weekday + 6) % 7
	case 'v', 'V', 'u', 'U':
		s.week, b, ok = scanNumber(b, 2)
		s.weekMode = b2i(code == 'v' || code == 'u') | 2*b2i(code == 'v' || code == 'V')
	case 'x', 'X':
		s.weekYear, b, ok = scanNumber(b, 4)
	}
	return b, ok
}

func (s *scanned) scanHalf(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[1]|0x20 != 'm' || b[0]|0x20 != 'a' && b[0]|0x20 != 'p' {
		return b, false
	}
	s.half, s.pm = true, b[0]|0x20 == 'p'
	return b[2:], true
}

func (s *scanned) scanTime(b []byte, half bool) ([]byte, bool) {
	var ok1, ok2, ok3 bool
	s.hour, b, ok1 = scanNumber(b, 2)
	b, _ = skipLiteral(b, []byte{':'})
	s.minute, b, ok2 = scanNumber(b, 2)
	b, _ = skipLiteral(b, []byte{':'})
	s.secs, b, ok3 = scanNumber(b, 2)
	if half && ok3 {
		return s.scanHalf(trimSpace(b))
	}
	return b, ok1 && ok2 && ok3
}

// scanName finds which of the names b starts with, in any case.
func scanName(b []byte, names []string, short bool) (int, []byte, bool) {
	for k, n := range names {
		if short {
			n = n[:3]
		}
		if len(b) >= len(n) && bytes.EqualFold(b[:len(n)], []byte(n)) {
			return k, b[len(n):], true
		}
	}
	return -1, b, false
}

// moment puts the parts together and checks them.
func (s *scanned) moment() (int64, bool) {
	if s.half {
		if s.hour < 1 || s.hour > 12 {
			return 0, false
		}
		s.hour %= 12
		if s.pm {
			s.hour += 12
		}
	}
	if s.hour > 23 || s.minute > 59 || s.secs > 59 {
		return 0, false
	}
	days, ok := s.date()
	v := int64(days)*sqltype.MicrosPerDay + int64(s.hour*3600+s.minute*60+s.secs)*sqltype.MicrosPerSecond + int64(s.micros)
	return v, ok
}

func (s *scanned) date() (int, bool) {
	switch {
	case s.week >= 0 && s.weekday >= 0 && (s.weekYear > 0 || s.year >= 0):
		return s.weekDate()
	case s.doy >= 0 && s.year >= 0:
		last := 365 + b2i(sqltype.IsLeap(s.year))
		return sqltype.DaysFromCivil(s.year, 1, 1) + s.doy - 1, s.doy >= 1 && s.doy <= last
	case s.year < 0 && s.month < 0 && s.dom < 0: // a time alone
		return sqltype.MinDate, true
	}
	year, month, dom := max(s.year, 0), s.month, s.dom
	if month < 0 {
		month = 1
	}
	if dom < 0 {
		dom = 1
	}
	return civilDays(year, month, dom)
}

// weekDate finds the day of a weekday in a week of a year.
func (s *scanned) weekDate() (int, bool) {
	year := s.weekYear
	if year == 0 {
		year = s.year
	}
	if year < 1 || year > 9999 || s.week > 53 {
		return 0, false
	}
	jan1 := sqltype.DaysFromCivil(year, 1, 1)
	for d := jan1 - 7; d < jan1+373; d++ {
		y, w := weekOf(int32(d), s.weekMode|2)
		if y == year && w == s.week && weekdayOf(int32(d)) == s.weekday {
			return d, true
		}
	}
	return 0, false
}
