package vector

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// AppendText appends the text form of row i of v, in any form, and returns dst. It is the one
// text form: the MySQL text protocol, CSV, concat and casts to strings share it. A
// null row appends NULL, which callers that tell NULL otherwise check for first.
// TIMESTAMP is shown in UTC: casts apply the session's zone.
func AppendText(dst []byte, v *Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "NULL"...)
	}
	if v.Form == Dictionary {
		v, i = v.Dict, int(v.Codes[i])
	}
	i = v.index(i)
	switch v.Type.Kind {
	case sqltype.Boolean:
		if Values[bool](v)[i] {
			return append(dst, '1')
		}
		return append(dst, '0')
	case sqltype.TinyInt:
		return strconv.AppendInt(dst, int64(Values[int8](v)[i]), 10)
	case sqltype.SmallInt:
		return strconv.AppendInt(dst, int64(Values[int16](v)[i]), 10)
	case sqltype.Int:
		return strconv.AppendInt(dst, int64(Values[int32](v)[i]), 10)
	case sqltype.BigInt:
		return strconv.AppendInt(dst, Values[int64](v)[i], 10)
	case sqltype.LargeInt:
		return int128.AppendDecimal(dst, Values[int128.Int](v)[i], 0)
	case sqltype.Float:
		return AppendFloat(dst, float64(Values[float32](v)[i]), 32)
	case sqltype.Double:
		return AppendFloat(dst, Values[float64](v)[i], 64)
	case sqltype.Decimal:
		if v.Type.Precision <= sqltype.MaxShortDecimal {
			return appendShortDecimal(dst, Values[int64](v)[i], int(v.Type.Scale))
		}
		return int128.AppendDecimal(dst, Values[int128.Int](v)[i], int(v.Type.Scale))
	case sqltype.Date:
		return AppendDate(dst, Values[int32](v)[i])
	case sqltype.DateTime, sqltype.Timestamp:
		return AppendDateTime(dst, Values[int64](v)[i], int(v.Type.Scale))
	case sqltype.Time:
		return AppendTime(dst, Values[int64](v)[i], int(v.Type.Scale))
	case sqltype.Array, sqltype.Map, sqltype.Struct:
		return appendNested(dst, v, i)
	}
	return append(dst, Values[View](v)[i].Bytes(v.Bufs)...)
}

// Text is AppendText of x as a string; NULL for NULL.
func (x Value) Text() string {
	if x.Null {
		return "NULL"
	}
	return string(AppendText(nil, NewConstant(x, 1), 0))
}

// appendNested shows [1, "a", null], {"k":1} and {"f":1}, as Doris does.
func appendNested(dst []byte, v *Vector, i int) []byte {
	b := Values[View](v)[i].Bytes(v.Bufs)
	switch v.Type.Kind {
	case sqltype.Array:
		e := DecodeElements(v.Type.Nested.Elems[0], b)
		elems := e.vector()
		dst = append(dst, '[')
		for k := range e.N {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendElement(dst, elems, k)
		}
		return append(dst, ']')
	case sqltype.Map:
		k, x := DecodeMap(v.Type, b)
		keys, values := k.vector(), x.vector()
		dst = append(dst, '{')
		for i := range k.N {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendElement(dst, keys, i)
			dst = append(dst, ':')
			dst = appendElement(dst, values, i)
		}
		return append(dst, '}')
	}
	f := DecodeStruct(v.Type, b)
	dst = append(dst, '{')
	for k, t := range v.Type.Nested.Elems {
		if k > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '"')
		dst = append(dst, v.Type.Nested.Fields[k]...)
		dst = append(dst, `":`...)
		field := New(t, 1)
		f.StoreTo(k, field, 0)
		dst = appendElement(dst, field, 0)
	}
	return append(dst, '}')
}

// vector holds the elements as a flat vector.
func (e *Elements) vector() *Vector {
	out := New(e.Type, 0)
	e.AppendTo(out)
	return out
}

func appendElement(dst []byte, v *Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch v.Type.Kind {
	case sqltype.Char, sqltype.Varchar, sqltype.String, sqltype.Binary, sqltype.Date, sqltype.DateTime, sqltype.Timestamp, sqltype.Time:
		dst = append(dst, '"')
		dst = AppendText(dst, v, i)
		return append(dst, '"')
	}
	return AppendText(dst, v, i)
}

// AppendFloat appends the shortest text that reads back as f in the given bit size:
// plain digits for magnitudes in [1e-5, 1e15), else 1.5e20; nan, inf, -inf.
func AppendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case f == 0:
		return append(dst, '0') // -0 equals 0 everywhere else, so it does not show
	}
	if a := math.Abs(f); a >= 1e-5 && a < 1e15 {
		return strconv.AppendFloat(dst, f, 'f', -1, bits)
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	for k := at; k < len(dst); k++ { // 1e+20, 1e-07 -> 1e20, 1e-7
		if dst[k] != 'e' {
			continue
		}
		to := k + 1
		from := k + 2
		if dst[k+1] == '-' {
			to++
		}
		if dst[from] == '0' {
			from++
		}
		return append(dst[:to], dst[from:]...)
	}
	return dst
}

func appendShortDecimal(dst []byte, x int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(dst, x, 10)
	}
	u := uint64(x)
	if x < 0 {
		dst = append(dst, '-')
		u = -u
	}
	p := uint64(int128.Pow10[scale].Lo)
	dst = strconv.AppendUint(dst, u/p, 10)
	dst = append(dst, '.')
	return appendDigits(dst, u%p, scale)
}

// appendDigits appends exactly n digits of x.
func appendDigits(dst []byte, x uint64, n int) []byte {
	at := len(dst)
	for range n {
		dst = append(dst, '0')
	}
	for k := at + n - 1; k >= at; k-- {
		dst[k] = byte('0' + x%10)
		x /= 10
	}
	return dst
}

// AppendDate appends YYYY-MM-DD of a day number.
func AppendDate(dst []byte, days int32) []byte {
	y, m, d := sqltype.CivilFromDays(days)
	if y < 0 || y > 9999 {
		dst = strconv.AppendInt(dst, int64(y), 10)
	} else {
		dst = append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
	}
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// AppendDateTime appends YYYY-MM-DD HH:MM:SS[.ffffff] with scale fractional digits (truncated).
func AppendDateTime(dst []byte, micros int64, scale int) []byte {
	days := micros / sqltype.MicrosPerDay
	rest := micros % sqltype.MicrosPerDay
	if rest < 0 {
		days--
		rest += sqltype.MicrosPerDay
	}
	dst = AppendDate(dst, int32(days))
	dst = append(dst, ' ')
	return appendClock(dst, uint64(rest), scale)
}

// AppendTime appends [-]HH:MM:SS[.ffffff]; hours may have more than two digits.
func AppendTime(dst []byte, micros int64, scale int) []byte {
	u := uint64(micros)
	if micros < 0 {
		dst = append(dst, '-')
		u = -u
	}
	return appendClock(dst, u, scale)
}

func appendClock(dst []byte, micros uint64, scale int) []byte {
	s := micros / sqltype.MicrosPerSecond
	h, m := s/3600, s/60%60
	s %= 60
	if h < 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendUint(dst, h, 10)
	dst = append(dst, ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	if scale > 0 {
		dst = append(dst, '.')
		frac := micros % sqltype.MicrosPerSecond
		for range 6 - scale {
			frac /= 10
		}
		dst = appendDigits(dst, frac, scale)
	}
	return dst
}

// CutChars is at most n characters of b; a byte that is not UTF-8 is one.
func CutChars(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	at := 0
	for ; n > 0 && at < len(b); n-- {
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return b[:at]
}
