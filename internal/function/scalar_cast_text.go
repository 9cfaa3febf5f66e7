package function

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// trimSpace cuts ASCII white space from both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c-'0' <= 9 }

// stringOf is b as a string without a copy, for calls that do not keep it.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func parseBool(b []byte) (bool, bool) {
	b = trimSpace(b)
	switch len(b) {
	case 1:
		switch b[0] | 0x20 {
		case '1' | 0x20, 't', 'y':
			return true, true
		case '0' | 0x20, 'f', 'n':
			return false, true
		}
	case 2, 3, 4, 5:
		for word, v := range map[string]bool{"true": true, "false": false, "yes": true, "no": false, "on": true, "off": false} {
			if bytes.EqualFold(b, []byte(word)) {
				return v, true
			}
		}
	}
	if f, ok := parseFloat(b); ok {
		return f != 0, true
	}
	return false, false
}

// parseInt64 reads digits; a fraction is cut off, an exponent is allowed.
func parseInt64(b []byte) (int64, bool) {
	b = trimSpace(b)
	neg := false
	i := 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg = b[i] == '-'
		i++
	}
	start := i
	var u uint64
	for ; i < len(b) && isDigit(b[i]); i++ {
		if u > (math.MaxUint64-9)/10 {
			return 0, false
		}
		u = u*10 + uint64(b[i]-'0')
	}
	if i < len(b) {
		v, ok := parseInt128(b)
		return int64(v.Lo), ok && v.IsInt64()
	}
	if i == start {
		return 0, false
	}
	if neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}

func parseInt128(b []byte) (int128.Int, bool) {
	b = trimSpace(b)
	if v, ok := int128.Parse(stringOf(b)); ok { // may have 39 digits
		return v, true
	}
	mantissa, scale, ok := parseDigits(b)
	if !ok {
		return int128.Int{}, false
	}
	return shiftDigits(mantissa, -scale, true)
}

// parseFloat takes what a decimal literal looks like, inf, infinity and nan.
func parseFloat(b []byte) (float64, bool) {
	b = trimSpace(b)
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(stringOf(b), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, err == nil
}

// parseDigits reads [sign]digits[.digits][e[sign]digits] as mantissa / 10^scale. Digits
// past 38 are dropped after rounding the last one kept.
func parseDigits(b []byte) (mantissa int128.Int, scale int, ok bool) {
	i, neg := 0, false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg = b[i] == '-'
		i++
	}
	ten := int128.FromInt64(10)
	seen, point, kept, dropped := false, false, 0, byte(0)
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if !isDigit(c) {
			break
		}
		seen = true
		switch {
		case kept < 38:
			mantissa, _ = mantissa.MulOK(ten)
			mantissa = mantissa.AddInt64(int64(c - '0'))
			if mantissa.Sign() != 0 {
				kept++
			}
			scale += b2i(point)
		default:
			if kept == 38 {
				dropped = c
				kept++
			}
			scale -= b2i(!point)
		}
	}
	if dropped >= '5' {
		mantissa = mantissa.AddInt64(1)
	}
	if !seen {
		return mantissa, 0, false
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		e, err := strconv.Atoi(stringOf(b[i+1:]))
		if err != nil || e > 1000 || e < -1000 {
			return mantissa, 0, false
		}
		scale -= e
		i = len(b)
	}
	if neg {
		mantissa = mantissa.Neg()
	}
	return mantissa, scale, i == len(b)
}

// shiftDigits is v * 10^shift; for negative shifts cut off or rounded half up.
func shiftDigits(v int128.Int, shift int, cut bool) (int128.Int, bool) {
	switch {
	case v.Sign() == 0 || shift == 0:
		return v, true
	case shift > 38:
		return v, false
	case shift > 0:
		return v.MulOK(int128.Pow10[shift])
	case shift < -38:
		return int128.Int{}, true
	case cut:
		q, _ := v.QuoRem(int128.Pow10[-shift])
		return q, true
	}
	return divideRound(v, int128.Pow10[-shift]), true
}

// parseDecimal reads b as a decimal of the given scale, unscaled, below bound.
func parseDecimal(b []byte, scale int, bound int128.Int) (int128.Int, bool) {
	m, s, ok := parseDigits(trimSpace(b))
	if !ok {
		return m, false
	}
	m, ok = shiftDigits(m, scale-s, false)
	return m, ok && within(m, bound)
}

func parseDecimalLoop(to sqltype.Type) castLoop {
	scale, bound := int(to.Scale), int128.Pow10[to.Precision]
	short := to.Physical() == sqltype.PhysInt64
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x := textOf(src)
		for i := range live(out, sel) {
			v, ok := parseDecimal(x.at(i), scale, bound)
			if !ok {
				out.SetNull(i)
				v = int128.Int{}
			}
			if short {
				vector.Values[int64](out)[i] = int64(v.Lo)
			} else {
				vector.Values[int128.Int](out)[i] = v
			}
		}
	}
}

// checkJSON keeps text that is valid JSON.
func checkJSON(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	out.Bufs = src.Bufs
	x, dst := textOf(src), vector.Values[vector.View](out)
	for i := range live(out, sel) {
		b := x.at(i)
		if !json.Valid(b) {
			out.SetNull(i)
			continue
		}
		dst[i] = x.sub(i, 0, len(b))
	}
}
