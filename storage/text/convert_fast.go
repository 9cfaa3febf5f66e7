package text

import (
	"encoding/binary"
	"math/bits"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Most values of a file are short and plain: at most eight bytes of digits, maybe with a point, or a date of ten. A fast
// parser computes with the eight bytes of such a value at once and leaves every other one to its parser.

// fast converts the values of a column and returns the rows of sel (nil: all) that it left, in memory of its own;
// NULLs are done. It answers false for types that it does not know.
func (c *converter) fast(buf []byte, spans []span, sel []int32) (rest []int32, ok bool) {
	switch t := c.col.Type; t.Kind {
	case sqltype.TinyInt:
		return fastInts[int8](c, buf, spans, sel, 1<<7-1), true
	case sqltype.SmallInt:
		return fastInts[int16](c, buf, spans, sel, 1<<15-1), true
	case sqltype.Int:
		return fastInts[int32](c, buf, spans, sel, 1<<31-1), true
	case sqltype.BigInt:
		return fastInts[int64](c, buf, spans, sel, 1<<63-1), true
	case sqltype.Double:
		return c.fastDoubles(buf, spans, sel), true
	case sqltype.Decimal:
		if t.Physical() == sqltype.PhysInt64 && t.Precision >= 8+t.Scale {
			return c.fastDecimals(buf, spans, sel), true
		}
	case sqltype.Date:
		return c.fastDates(buf, spans, sel), true
	}
	return nil, false
}

// zeros has the digit 0 in all bytes.
const zeros = '0' * ones

// kept keeps, by n, the last n of eight bytes.
var kept = [...]uint64{0, 0xff << 56, 0xffff << 48, 0xffffff << 40, 0xffffffff << 32, 0xffffffffff << 24, 0xffffffffffff << 16, 0xffffffffffffff << 8, 1<<64 - 1}

// digits8 reads n digits, 1 to 8, at the beginning of x; false when one is none.
func digits8(x uint64, n int) (uint64, bool) {
	x = (x ^ zeros) << uint(64-8*n) // what follows the digits goes; zeros come before them
	return sum8(x), digits(x)
}

// digits reports whether all bytes are 0 to 9.
func digits(x uint64) bool { return (x+0x76*ones|x)&^low7 == 0 }

// sum8 is the number of eight digits, the first in the lowest byte.
func sum8(x uint64) uint64 {
	// Pairs, then fours, then all: each step adds the left half, times ten, to the right one.
	x = x*10 + x>>8
	return ((x&0x000000ff000000ff)*0x000f424000000064 + (x>>16&0x000000ff000000ff)*0x0000271000000001) >> 32
}

// number8 reads up to eight bytes: a sign, digits, at most one point; digits behind the point.
func number8(buf []byte, s span) (v int64, fraction int, ok bool) {
	at, n := int(s.off), int(s.n)
	if at+8 > len(buf) || n > 8 || n <= 0 {
		return 0, 0, false
	}
	x := binary.LittleEndian.Uint64(buf[at:])
	negative := byte(x) == '-'
	if negative {
		x, n = x>>8, n-1
	}
	// The point: the only byte that is '.'.
	p := x ^ '.'*ones
	if point := ^(p&low7 + low7 | p) &^ low7 & (1<<(8*n) - 1); point != 0 {
		at := bits.TrailingZeros64(point) &^ 7
		low := uint64(1)<<at - 1
		x = x&low | x>>8&^low
		n--
		fraction = n - at/8
	}
	if n <= 0 {
		return 0, 0, false
	}
	u, ok := digits8(x, n)
	if v = int64(u); negative {
		v = -v
	}
	return v, fraction, ok
}

func fastInts[T int8 | int16 | int32 | int64](c *converter, buf []byte, spans []span, sel []int32, limit int64) []int32 {
	out, rest := vector.Values[T](&c.out), c.rest[:0]
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		// Most are digits alone: read up to their end, they need no shift.
		if end := int(s.off) + int(s.n); s.n-1 < 8 && s.n > 0 && end >= 8 && s.flag&flagEscaped == 0 {
			x := (binary.LittleEndian.Uint64(buf[end-8:end:end]) ^ zeros) & kept[s.n]
			if v := int64(sum8(x)); digits(x) && v <= limit {
				out[i] = T(v)
				continue
			}
		}
		v, fraction, ok := number8(buf, s)
		if !ok || fraction > 0 || v > limit || v < -limit || s.flag&flagEscaped != 0 || buf[s.off+uint32(s.n)-1] == '.' {
			rest = append(rest, int32(i))
			continue
		}
		out[i] = T(v)
	}
	c.rest = rest
	return rest
}

// point is where the values of a column have theirs: all at one place, mostly.
type point struct {
	fraction int32 // digits behind; 0: there is no point
	shift    uint8 // of it in eight bytes, of which the last is the last digit
	behind   uint64
	power    float64
}

func (p *point) at(fraction int) {
	if int32(fraction) != p.fraction {
		*p = point{int32(fraction), uint8(56 - 8*fraction), kept[fraction], powers10[fraction]}
	}
}

// digits are those of s, 1 to 7, in eight bytes without the point; false when there is anything else in it.
func (p *point) digits(buf []byte, s span) (uint64, bool) {
	end := int(s.off) + int(s.n)
	if s.n <= p.fraction || s.n > 8 || p.fraction == 0 || end < 8 || s.flag&flagEscaped != 0 {
		return 0, false
	}
	x := binary.LittleEndian.Uint64(buf[end-8 : end : end])
	if byte(x>>(p.shift&63)) != '.' {
		return 0, false
	}
	x = (x&p.behind | x<<8&^p.behind ^ zeros) & kept[s.n-1]
	return x, digits(x)
}

var powers10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// fastDoubles divides integers by powers of ten: both are exact, so the quotient is the nearest double.
func (c *converter) fastDoubles(buf []byte, spans []span, sel []int32) []int32 {
	out, rest := vector.Values[float64](&c.out), c.rest[:0]
	p := c.point
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		if x, ok := p.digits(buf, s); ok {
			out[i] = float64(int64(sum8(x))) / p.power
			continue
		}
		v, fraction, ok := number8(buf, s)
		p.at(fraction)
		if !ok || v == 0 || s.flag&flagEscaped != 0 { // -0 has a sign
			rest = append(rest, int32(i))
			continue
		}
		out[i] = float64(v) / powers10[fraction]
	}
	c.rest, c.point = rest, p
	return rest
}

func (c *converter) fastDecimals(buf []byte, spans []span, sel []int32) []int32 {
	out, rest := vector.Values[int64](&c.out), c.rest[:0]
	scale := int(c.col.Type.Scale)
	var factors [9]int64 // by digits behind the point
	for k := range factors {
		factors[k] = 1
		for range scale - k {
			factors[k] *= 10
		}
	}
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		v, fraction, ok := number8(buf, s)
		if !ok || fraction > scale || s.flag&flagEscaped != 0 {
			rest = append(rest, int32(i))
			continue
		}
		out[i] = v * factors[fraction]
	}
	c.rest = rest
	return rest
}

// fastDates reads YYYY-MM-DD.
func (c *converter) fastDates(buf []byte, spans []span, sel []int32) []int32 {
	out, rest := vector.Values[int32](&c.out), c.rest[:0]
	for k := range count(len(spans), sel) {
		i := at(sel, k)
		s := spans[i]
		if s.n < 0 {
			c.out.SetNull(i)
			continue
		}
		days, ok := int32(0), false
		if s.n == 10 && s.flag&flagEscaped == 0 {
			days, ok = c.date10(buf[s.off : s.off+10 : s.off+10])
		}
		if !ok {
			rest = append(rest, int32(i))
			continue
		}
		out[i] = days
	}
	c.rest = rest
	return rest
}

func (c *converter) date10(b []byte) (int32, bool) {
	x := binary.LittleEndian.Uint64(b)
	if b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	// YYYYMM in six bytes, and DD behind.
	ym, ok := digits8(x&0xffffffff|x>>40&0xffff<<32|uint64(binary.LittleEndian.Uint16(b[8:]))<<48, 8)
	if !ok {
		return 0, false
	}
	month, d := uint32(ym/100), int32(ym%100)
	e := &c.months[month%uint32(len(c.months))]
	if e.month != month {
		y, m := int(month/100), int(month%100)
		if m < 1 || m > 12 {
			return 0, false
		}
		*e = monthDays{month, int32(sqltype.DaysFromCivil(y, m, 1)) - 1, int32(sqltype.DaysInMonth(y, m))}
	}
	return e.base + d, d >= 1 && d <= e.days
}

// monthDays is a month, as YYYYMM, with the day before its first and how many it has.
type monthDays struct {
	month      uint32
	base, days int32
}
