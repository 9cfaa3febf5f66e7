package text

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unsafe"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// converter turns the spans of one column into vectors. Values that do not parse are NULL,
// or an error where the options are strict.
type converter struct {
	col  storage.Column
	opt  *Options
	path string
	out  vector.Vector
	buf  []byte  // unescaped text of one value
	side []byte  // unescaped texts that views refer to
	rest []int32 // rows that fast left

	// padded: blanks behind a value are no part of it, as of CHAR in Hive's formats.
	padded bool
	point  point          // of the last value
	months [256]monthDays // those met last

	// problem, of a Loader, is told what is wrong with values, which are made to fit then.
	problem func(kind ProblemKind, row int, b []byte)
	cast    function.Kernel // of texts that a Loader's parsers refuse
	one     *vector.Vector  // its result
}

func newConverter(col storage.Column, opt *Options, path string) *converter {
	c := &converter{col: col, opt: opt, path: path}
	c.out.Type = col.Type
	c.padded = col.Type.Kind == sqltype.Char && opt.ofHive()
	return c
}

// vector converts the rows of sel (nil: all). It is valid until the next call and as long as buf.
func (c *converter) vector(buf []byte, spans []span, sel []int32) (*vector.Vector, error) {
	n := len(spans)
	c.out.Reset(n)
	if n == 0 {
		return &c.out, nil
	}
	if c.out.Type.Physical() != sqltype.PhysString {
		clear(c.out.Data)
	}
	c.side = c.side[:0]
	if isNested(c.col.Type) || c.col.Type.Kind == sqltype.Binary && c.opt.Kind != loaded && !c.opt.RawBinary {
		return c.bytes(buf, spans, sel)
	}
	if c.col.Type.Physical() == sqltype.PhysString {
		return c.strings(buf, spans, sel)
	}
	if rest, ok := c.fast(buf, spans, sel); ok {
		if len(rest) == 0 {
			return &c.out, nil
		}
		sel = rest
	}
	if c.opt.Serde {
		return c.serde(buf, spans, sel)
	}
	parse := c.opt.parserOf(c.col.Type)
	for k := range count(n, sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		b := buf[s.off : s.off+uint32(s.n)]
		if s.flag&flagEscaped != 0 {
			b = c.plainText(b, s.flag)
		}
		if parse(b, &c.out, i) {
			continue
		}
		if c.problem != nil {
			c.coerce(b, i)
			continue
		}
		if len(b) > 0 && c.opt.Strict {
			return nil, c.refuse(b)
		}
		c.out.SetNull(i)
	}
	return &c.out, nil
}

func (c *converter) refuse(b []byte) error {
	err := sqlerr.New(sqlerr.WrongValue, "Incorrect %s value: '%.100s' for column '%s' of %s", c.col.Type, b, c.col.Name, c.path)
	switch {
	case !c.opt.Serde:
		return err.WithHint("Declare the column as STRING: its type was taken from the first rows")
	case c.col.Type.IsString():
		return err.WithHint("The table property 'json.stringify.complex.fields' lets strings be objects and arrays")
	}
	return err
}

// serde converts the values that fast left as Hive's JsonSerDe does.
func (c *converter) serde(buf []byte, spans []span, sel []int32) (*vector.Vector, error) {
	parse := serdeParserOf(c.col.Type)
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		b := buf[s.off : s.off+uint32(s.n)]
		if s.flag&flagEscaped != 0 {
			b = c.plainText(b, s.flag)
		}
		switch f := parse(b, s.flag&flagQuoted != 0, &c.out, i); {
		case f == refused && c.opt.Strict:
			return nil, c.refuse(b)
		case f != stored:
			c.out.SetNull(i)
		}
	}
	return &c.out, nil
}

func count(n int, sel []int32) int {
	if sel != nil {
		return len(sel)
	}
	return n
}

func at(sel []int32, k int) int {
	if sel != nil {
		return int(sel[k])
	}
	return k
}

// plainText is b without escapes; valid until the next call.
func (c *converter) plainText(b []byte, flag uint8) []byte {
	if c.opt.Kind == JSON {
		c.buf, _ = unquote(c.buf[:0], b)
	} else {
		c.buf = c.opt.unescape(c.buf[:0], b, flag)
	}
	return c.buf
}

// strings makes views into buf, and into side where escapes were.
func (c *converter) strings(buf []byte, spans []span, sel []int32) (*vector.Vector, error) {
	views := vector.Values[vector.View](&c.out)
	limit := int(c.col.Type.Length)
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		if c.opt.Serde && s.n > 0 && isComplex(buf[s.off:], s.flag&flagQuoted != 0) {
			b := buf[s.off : s.off+uint32(s.n)]
			switch {
			case c.opt.Complex && c.col.Type.Kind == sqltype.String:
				off := len(c.side)
				c.side = compactJSON(c.side, b)
				views[i] = vector.MakeView(c.side[off:], 1, off)
			case c.opt.Strict:
				return nil, c.refuse(b)
			default:
				c.out.SetNull(i)
			}
			continue
		}
		if c.padded && s.n > 0 && buf[int(s.off)+int(s.n)-1] == ' ' {
			s.n = int32(len(bytes.TrimRight(buf[s.off:s.off+uint32(s.n)], " ")))
		}
		if wide := limit == 0 || int(s.n) <= limit; wide && s.flag&flagEscaped == 0 && int(s.off)+vector.MaxInline <= len(buf) {
			views[i] = vector.ViewAt((*[vector.MaxInline]byte)(buf[s.off:]), int(s.n), 0, int(s.off))
			continue
		}
		b := buf[s.off : s.off+uint32(s.n)]
		number, off := 0, int(s.off)
		if s.flag&flagEscaped != 0 {
			number, off = 1, len(c.side)
			if c.opt.Kind == JSON {
				c.side, _ = unquote(c.side, b)
			} else {
				c.side = c.opt.unescape(c.side, b, s.flag)
			}
			b = c.side[off:]
		}
		if limit > 0 && len(b) > limit {
			if c.problem != nil {
				c.problem(TooLong, i, b)
			}
			b = c.opt.cut(b, limit)
		}
		views[i] = vector.MakeView(b, number, off)
	}
	c.out.Bufs = [][]byte{buf, c.side}
	return &c.out, nil
}

// ofHive reports Hive's formats.
func (o *Options) ofHive() bool { return o.Kind == Delimited || o.OneLine || o.Serde }

// cut shortens text to what CHAR(n) and VARCHAR(n) hold: n characters in formats of Hive, else n bytes of whole characters.
func (o *Options) cut(b []byte, n int) []byte {
	if o.ofHive() {
		return vector.CutChars(b, n)
	}
	for n > 0 && b[n]&0xc0 == 0x80 {
		n--
	}
	return b[:n]
}

// bytes makes values that are not views: base64 of BINARY columns in text, nested values.
func (c *converter) bytes(buf []byte, spans []span, sel []int32) (*vector.Vector, error) {
	var tmp []byte
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		b := buf[s.off : s.off+uint32(s.n)]
		switch {
		case c.col.Type.Kind == sqltype.Binary && c.opt.Serde && isComplex(b, s.flag&flagQuoted != 0):
			if c.opt.Strict {
				return nil, c.refuse(b)
			}
			c.out.SetNull(i)
		case c.col.Type.Kind == sqltype.Binary:
			if s.flag&flagEscaped != 0 {
				b = c.plainText(b, s.flag)
			}
			tmp = fromBase64(tmp[:0], b)
			c.out.SetBytes(i, tmp)
		default:
			var ok bool
			switch c.opt.Kind {
			case JSON:
				tmp, ok = c.jsonValue(tmp[:0], c.col.Type, b, s.flag)
			case CSV, loaded:
				tmp, ok = c.jsonInside(tmp[:0], b, s.flag)
			default:
				tmp, ok = c.delimitedValue(tmp[:0], c.col.Type, b, 0)
			}
			switch {
			case ok:
				c.out.SetBytes(i, tmp)
			case c.problem != nil:
				c.problem(WrongValue, i, b)
				c.out.SetNull(i)
			case c.opt.Strict:
				return nil, c.refuse(b)
			default:
				c.out.SetNull(i)
			}
		}
	}
	return &c.out, nil
}

// fromBase64 appends the bytes of a BINARY value: base64, or, as Hive's LazyBinary has it, the text itself where it is none.
func fromBase64(dst, b []byte) []byte {
	at := len(dst)
	out, err := base64.StdEncoding.AppendDecode(dst, b)
	if err != nil {
		return append(dst[:at], b...)
	}
	return out
}

// parser stores the value of b as row i of out, a flat vector; false when b is none.
type parser func(b []byte, out *vector.Vector, i int) bool

func parserOf(t sqltype.Type) parser {
	switch t.Kind {
	case sqltype.Boolean:
		return func(b []byte, out *vector.Vector, i int) bool {
			v, ok := parseBool(b)
			vector.Values[bool](out)[i] = v
			return ok
		}
	case sqltype.TinyInt:
		return intParser[int8](-1<<7, 1<<7-1)
	case sqltype.SmallInt:
		return intParser[int16](-1<<15, 1<<15-1)
	case sqltype.Int:
		return intParser[int32](-1<<31, 1<<31-1)
	case sqltype.BigInt:
		return intParser[int64](-1<<63, 1<<63-1)
	case sqltype.Float:
		return func(b []byte, out *vector.Vector, i int) bool {
			f, ok := parseFloat(b, 32)
			vector.Values[float32](out)[i] = float32(f)
			return ok
		}
	case sqltype.Double:
		return func(b []byte, out *vector.Vector, i int) bool {
			f, ok := parseFloat(b, 64)
			vector.Values[float64](out)[i] = f
			return ok
		}
	case sqltype.LargeInt, sqltype.Decimal:
		return decimalParser(t)
	case sqltype.Date:
		return func(b []byte, out *vector.Vector, i int) bool {
			days, rest, ok := parseDate(b)
			if ok && len(rest) > 0 { // a timestamp's date
				_, ok = parseDateTime(b)
			}
			vector.Values[int32](out)[i] = days
			return ok
		}
	case sqltype.DateTime, sqltype.Timestamp:
		return func(b []byte, out *vector.Vector, i int) bool {
			v, ok := parseDateTime(b)
			vector.Values[int64](out)[i] = v
			return ok
		}
	}
	return func([]byte, *vector.Vector, int) bool { return false }
}

func intParser[T int8 | int16 | int32 | int64](lo, hi int64) parser {
	return func(b []byte, out *vector.Vector, i int) bool {
		v, ok := parseInt(b)
		if !ok || v < lo || v > hi {
			return false
		}
		vector.Values[T](out)[i] = T(v)
		return true
	}
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// parseInt reads an optional sign and digits.
func parseInt(b []byte) (int64, bool) {
	b = trim(b)
	if len(b) == 0 {
		return 0, false
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	if negative {
		return -int64(v), v <= 1<<63
	}
	return int64(v), v < 1<<63
}

// parseFloat reads what strconv takes but for its Go-only forms.
func parseFloat(b []byte, bits int) (float64, bool) {
	b = trim(b)
	if len(b) == 0 || len(b) > 400 {
		return 0, false
	}
	s := unsafe.String(&b[0], len(b))
	if c := b[len(b)-1]; c > '9' && !strings.EqualFold(s, "nan") && !strings.EqualFold(strings.TrimLeft(s, "+-"), "infinity") && !strings.EqualFold(strings.TrimLeft(s, "+-"), "inf") {
		return 0, false
	}
	if len(b) > 1 && (b[1]|0x20 == 'x' || len(b) > 2 && b[2]|0x20 == 'x') || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil || f != 0 // out of range is infinite
}

// decimalParser reads decimals with an optional exponent, rounded half up to the scale.
func decimalParser(t sqltype.Type) parser {
	scale, precision := int(t.Scale), int(t.Precision)
	if t.Kind == sqltype.LargeInt {
		scale, precision = 0, sqltype.MaxDecimalPrecision
	}
	short := t.Physical() == sqltype.PhysInt64
	limit := int64(1)
	for range min(precision, sqltype.MaxShortDecimal) {
		limit *= 10
	}
	return func(b []byte, out *vector.Vector, i int) bool {
		if short {
			if v, ok := parseShort(b, scale); ok && v < limit && v > -limit {
				vector.Values[int64](out)[i] = v
				return true
			}
		}
		v, ok := parseDecimal(trim(b), scale, precision)
		if !ok {
			return false
		}
		if short {
			vector.Values[int64](out)[i] = int64(v.Lo)
		} else {
			vector.Values[int128.Int](out)[i] = v
		}
		return true
	}
}

// parseShort reads plain decimals of at most 18 digits that need no rounding; false leaves a value to parseDecimal.
func parseShort(b []byte, scale int) (int64, bool) {
	i, negative := 0, false
	if len(b) > 0 && b[0] == '-' {
		i, negative = 1, true
	}
	v, digits := int64(0), 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		v = v*10 + int64(b[i]-'0')
		digits++
	}
	fraction := 0
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			v = v*10 + int64(b[i]-'0')
			fraction++
		}
	}
	if i < len(b) || digits+fraction == 0 || fraction > scale || digits+scale > sqltype.MaxShortDecimal {
		return 0, false
	}
	for ; fraction < scale; fraction++ {
		v *= 10
	}
	if negative {
		v = -v
	}
	return v, true
}

// parseDecimal reads any decimal; parseShort is its fast twin.
func parseDecimal(b []byte, scale, precision int) (int128.Int, bool) {
	var zero int128.Int
	if len(b) == 0 {
		return zero, false
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	var small uint64 // the first 18 digits
	var wide int128.Int
	ten := int128.FromInt64(10)
	digits, used, point, fraction := 0, 0, false, 0
	round, dropped := false, false // dropped: digits behind the scale, of which the first decides the rounding
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if point {
				if dropped {
					continue
				}
				if fraction == scale && !hasExponent(b[i:]) {
					round, dropped = c >= '5', true
					continue
				}
				fraction++
			}
			switch {
			case used < 18:
				small = small*10 + uint64(c-'0')
			case used == 18:
				wide = int128.FromUint64(small)
				fallthrough
			default:
				next, ok := wide.MulOK(ten)
				if !ok {
					return zero, false
				}
				wide = next.AddInt64(int64(c - '0'))
			}
			if used > 0 || c != '0' {
				used++
			}
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && digits > 0:
			e, ok := parseInt(b[i+1:])
			if !ok || e > 1000 || e < -1000 {
				return zero, false
			}
			return finishDecimal(small, wide, used, negative, fraction-int(e), scale, precision, false)
		default:
			return zero, false
		}
	}
	if digits == 0 {
		return zero, false
	}
	return finishDecimal(small, wide, used, negative, fraction, scale, precision, round)
}

func hasExponent(b []byte) bool {
	for _, c := range b {
		if c|0x20 == 'e' {
			return true
		}
	}
	return false
}

// finishDecimal brings digits with fraction decimals to the scale.
func finishDecimal(small uint64, wide int128.Int, used int, negative bool, fraction, scale, precision int, round bool) (int128.Int, bool) {
	v := wide
	if used <= 18 {
		v = int128.FromUint64(small)
	}
	ten := int128.FromInt64(10)
	for ; fraction < scale; fraction++ {
		var ok bool
		if v, ok = v.MulOK(ten); !ok {
			return v, false
		}
	}
	for ; fraction > scale; fraction-- {
		q, r := v.QuoRem(ten)
		round = r.Lo >= 5
		v = q
	}
	if round {
		v = v.AddInt64(1)
	}
	if !fits(v, precision) {
		return v, false
	}
	if negative {
		v = v.Neg()
	}
	return v, true
}

// fits reports whether v has at most so many digits.
func fits(v int128.Int, precision int) bool {
	if precision >= sqltype.MaxDecimalPrecision {
		limit, _ := int128.Parse("99999999999999999999999999999999999999")
		return v.Cmp(limit) <= 0
	}
	limit := int128.FromInt64(1)
	for range precision {
		limit, _ = limit.MulOK(int128.FromInt64(10))
	}
	return v.Cmp(limit) < 0
}

func parseBool(b []byte) (v, ok bool) {
	switch {
	case len(b) == 1 && (b[0] == '1' || b[0]|0x20 == 't'):
		return true, true
	case len(b) == 1 && (b[0] == '0' || b[0]|0x20 == 'f'):
		return false, true
	case len(b) == 4 && strings.EqualFold(string(b), "true"):
		return true, true
	case len(b) == 5 && strings.EqualFold(string(b), "false"):
		return false, true
	}
	return false, false
}

// number reads 1 to most digits.
func number(b []byte, most int) (v, n int) {
	for n < len(b) && n < most && b[n] >= '0' && b[n] <= '9' {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// parseDate reads YYYY-M-D and returns what follows.
func parseDate(b []byte) (days int32, rest []byte, ok bool) {
	b = trim(b)
	y, n := number(b, 4)
	if n != 4 || len(b) < 6 || b[4] != '-' {
		return 0, nil, false
	}
	m, k := number(b[5:], 2)
	b = b[5+k:]
	if k == 0 || len(b) < 2 || b[0] != '-' {
		return 0, nil, false
	}
	d, k := number(b[1:], 2)
	if k == 0 || m < 1 || m > 12 || d < 1 || d > sqltype.DaysInMonth(y, m) {
		return 0, nil, false
	}
	return int32(sqltype.DaysFromCivil(y, m, d)), b[1+k:], true
}

// parseDateTime reads a date and, behind a blank or T, H:M[:S[.fraction]] with an optional zone Z or ±HH:MM.
func parseDateTime(b []byte) (int64, bool) {
	days, rest, ok := parseDate(b)
	micros := int64(days) * sqltype.MicrosPerDay
	if !ok || len(rest) == 0 {
		return micros, ok
	}
	if rest[0] != ' ' && rest[0] != 'T' {
		return 0, false
	}
	rest = rest[1:]
	var part [3]int
	for i := range part {
		v, n := number(rest, 2)
		if n == 0 {
			return 0, false
		}
		part[i] = v
		rest = rest[n:]
		if i == 2 || len(rest) == 0 || rest[0] != ':' {
			if i == 0 {
				return 0, false
			}
			break
		}
		rest = rest[1:]
	}
	if part[0] > 23 || part[1] > 59 || part[2] > 59 {
		return 0, false
	}
	micros += (int64(part[0])*3600 + int64(part[1])*60 + int64(part[2])) * sqltype.MicrosPerSecond
	if len(rest) > 0 && rest[0] == '.' {
		v, n := number(rest[1:], 6)
		if n == 0 {
			return 0, false
		}
		for k := n; k < 6; k++ {
			v *= 10
		}
		micros += int64(v)
		rest = rest[1+n:]
		for len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
			rest = rest[1:]
		}
	}
	return zone(micros, rest)
}

// zone applies Z or ±HH[:]MM: the instant's wall clock in UTC.
func zone(micros int64, b []byte) (int64, bool) {
	switch {
	case len(b) == 0, len(b) == 1 && b[0]|0x20 == 'z':
		return micros, true
	case b[0] != '+' && b[0] != '-':
		return 0, false
	}
	h, n := number(b[1:], 2)
	rest := b[1+n:]
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[1:]
	}
	m, k := number(rest, 2)
	if n == 0 || k != len(rest) || h > 18 || m > 59 {
		return 0, false
	}
	shift := (int64(h)*60 + int64(m)) * 60 * sqltype.MicrosPerSecond
	if b[0] == '+' {
		shift = -shift
	}
	return micros + shift, true
}
