package function

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

var monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

// dayNames begin with Monday, like weekdayOf.
var dayNames = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// dateFormatFunctions has text forms of dates.
func dateFormatFunctions() map[string]builder {
	s := tString
	return map[string]builder{
		"date_format": signature{params: types(tMicros, s), result: s, yields: true, make: newDateFormat}.builder(),
		"time_format": signature{params: types(tMicros, s), result: s, yields: true, make: newDateFormat}.builder(),
		"str_to_date": resolveStrToDate,
		"dayname":     nameBuilder(func(day int32) string { return dayNames[weekdayOf(day)] }),
		"monthname": nameBuilder(func(day int32) string {
			_, m, _ := sqltype.CivilFromDays(day)
			return monthNames[m-1]
		}),
	}
}

// nameBuilder writes one of a few names; the function is called once a row beside a string copy.
func nameBuilder(name func(day int32) string) builder {
	return signature{params: types(tDate), result: tString, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x := columnOf[int32](args[0])
		for i := range live(out, sel) {
			out.SetString(i, name(x.at(i)))
		}
		return nil
	}}.builder()
}

// dateFormat is a compiled MySQL format: codes with the literal text before each.
type dateFormat struct {
	parts []formatPart
}

// formatPart is literal text, or a code when code is not zero.
type formatPart struct {
	text []byte
	code byte
}

// compileFormat reads %-codes, and the three Java-style formats that Doris takes.
func compileFormat(f []byte) *dateFormat {
	switch strings.ToLower(string(f)) {
	case "yyyymmdd":
		f = []byte("%Y%m%d")
	case "yyyy-mm-dd":
		f = []byte("%Y-%m-%d")
	case "yyyy-mm-dd hh:mm:ss":
		f = []byte("%Y-%m-%d %H:%i:%s")
	}
	var d dateFormat
	var lit []byte
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			lit = append(lit, f[i])
			continue
		}
		i++
		if !strings.ContainsRune("aWbMmcDdejfHkhIliprSsTUuVvwXxYy", rune(f[i])) {
			lit = append(lit, f[i]) // %% and unknown codes stand for the character
			continue
		}
		if len(lit) > 0 {
			d.parts = append(d.parts, formatPart{text: lit})
			lit = nil
		}
		d.parts = append(d.parts, formatPart{code: f[i]})
	}
	if len(lit) > 0 {
		d.parts = append(d.parts, formatPart{text: lit})
	}
	return &d
}

// formatCache holds the compiled format of a call, and the last one where it varies.
type formatCache struct {
	source   []byte
	compiled *dateFormat
}

func (c *formatCache) use(f []byte) *dateFormat {
	if c.compiled == nil || !bytes.Equal(c.source, f) {
		c.source, c.compiled = append(c.source[:0], f...), compileFormat(f)
	}
	return c.compiled
}

func newDateFormat([]*vector.Value) (Kernel, error) {
	var cache formatCache
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, format := columnOf[int64](args[0]), textOf(args[1])
		var buf []byte
		for i := range live(out, sel) {
			buf = cache.use(format.at(i)).append(buf[:0], x.at(i))
			out.SetBytes(i, buf)
		}
		return nil
	}, nil
}

// pad appends v with at least n digits.
func pad(dst []byte, v, n int) []byte {
	for limit := 10; n > 1; n-- {
		if v < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

// clock is a moment taken apart once a row.
type clock struct {
	day                                  int32
	year, month, dom, hour, minute, secs int
	micros                               int
}

func clockOf(v int64) clock {
	days, rest := splitMicros(v)
	c := clock{day: int32(days)}
	c.year, c.month, c.dom = sqltype.CivilFromDays(c.day)
	s := int(rest / sqltype.MicrosPerSecond)
	c.hour, c.minute, c.secs, c.micros = s/3600, s/60%60, s%60, int(rest%sqltype.MicrosPerSecond)
	return c
}

// append writes the moment v.
func (f *dateFormat) append(dst []byte, v int64) []byte {
	c := clockOf(v)
	for _, p := range f.parts {
		if p.code == 0 {
			dst = append(dst, p.text...)
			continue
		}
		dst = c.appendCode(dst, p.code)
	}
	return dst
}

func (c *clock) appendCode(dst []byte, code byte) []byte {
	hour12 := (c.hour+11)%12 + 1
	switch code {
	case 'Y':
		return pad(dst, c.year, 4)
	case 'y':
		return pad(dst, c.year%100, 2)
	case 'm':
		return pad(dst, c.month, 2)
	case 'c':
		return strconv.AppendInt(dst, int64(c.month), 10)
	case 'd':
		return pad(dst, c.dom, 2)
	case 'e':
		return strconv.AppendInt(dst, int64(c.dom), 10)
	case 'D':
		return append(strconv.AppendInt(dst, int64(c.dom), 10), ordinal(c.dom)...)
	case 'H':
		return pad(dst, c.hour, 2)
	case 'k':
		return strconv.AppendInt(dst, int64(c.hour), 10)
	case 'h', 'I':
		return pad(dst, hour12, 2)
	case 'l':
		return strconv.AppendInt(dst, int64(hour12), 10)
	case 'i':
		return pad(dst, c.minute, 2)
	case 's', 'S':
		return pad(dst, c.secs, 2)
	case 'f':
		return pad(dst, c.micros, 6)
	case 'p':
		return append(dst, c.half()...)
	case 'T':
		return pad(append(pad(append(pad(dst, c.hour, 2), ':'), c.minute, 2), ':'), c.secs, 2)
	case 'r':
		dst = pad(append(pad(append(pad(dst, hour12, 2), ':'), c.minute, 2), ':'), c.secs, 2)
		return append(append(dst, ' '), c.half()...)
	case 'a':
		return append(dst, dayNames[weekdayOf(c.day)][:3]...)
	case 'W':
		return append(dst, dayNames[weekdayOf(c.day)]...)
	case 'b':
		return append(dst, monthNames[c.month-1][:3]...)
	case 'M':
		return append(dst, monthNames[c.month-1]...)
	case 'j':
		return pad(dst, int(c.day)-sqltype.DaysFromCivil(c.year, 1, 1)+1, 3)
	case 'w':
		return strconv.AppendInt(dst, int64(weekdayOf(c.day)+1)%7, 10)
	}
	return c.appendWeek(dst, code)
}

func (c *clock) half() string {
	if c.hour < 12 {
		return "AM"
	}
	return "PM"
}

// appendWeek is %U %u %V %v (weeks) and %X %x (their years).
func (c *clock) appendWeek(dst []byte, code byte) []byte {
	mode := map[byte]int{'U': 0, 'u': 1, 'V': 2, 'v': 3, 'X': 2, 'x': 3}[code]
	year, week := weekOf(c.day, mode)
	if code == 'X' || code == 'x' {
		return pad(dst, year, 4)
	}
	return pad(dst, week, 2)
}

func ordinal(n int) string {
	if n/10 != 1 {
		switch n % 10 {
		case 1:
			return "st"
		case 2:
			return "nd"
		case 3:
			return "rd"
		}
	}
	return "th"
}

// resolveStrToDate is a DATE for a constant format without a time of day, else a
// DATETIME, with six digits where the format has %f or is not constant.
func resolveStrToDate(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	result := tMicros
	if c := args[1].Const; c != nil && !c.Null {
		result = tDate
		for _, p := range compileFormat([]byte(c.S)).parts {
			switch {
			case p.code == 'f':
				result = tMicros
			case result == tDate && strings.IndexByte("HkhIliprSsT", p.code) >= 0 && p.code != 0:
				result = tDateTime
			}
		}
	}
	return signature{params: types(tString, tString), result: result, yields: true, make: func([]*vector.Value) (Kernel, error) {
		var cache formatCache
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, format := textOf(args[0]), textOf(args[1])
			for i := range live(out, sel) {
				v, ok := cache.use(format.at(i)).parse(x.at(i))
				if !ok {
					out.SetNull(i)
					v = 0
				}
				if result.Kind == sqltype.Date {
					days, _ := splitMicros(v)
					vector.Values[int32](out)[i] = int32(days)
				} else {
					vector.Values[int64](out)[i] = v
				}
			}
			return nil
		}, nil
	}}.resolve(name, args)
}
