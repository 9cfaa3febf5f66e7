package text

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Hive's JsonSerDe reads the values of JSON as Jackson coerces them. Only what cannot be a value of the
// type at all is refused: objects and arrays, and texts that are no date.
//
//	integers  numbers lose their digits behind the point and, as a cast does, the bits that do not fit; texts are read as
//	          such numbers, those that are none are 0; true is 1
//	floats    texts that are no number are 0; true is 1
//	booleans  numbers but 0, and the text true alone
//	decimals  what is none, or has too many digits, is NULL
//	strings   any scalar as it stands in the file; objects and arrays with Options.Complex

// fate is what became of a value.
type fate uint8

const (
	stored fate = iota
	null
	refused
)

// serdeParser stores the value b, of a JSON string where quoted, as row i of out.
type serdeParser func(b []byte, quoted bool, out *vector.Vector, i int) fate

// serdeParserOf is the parser of a type that is neither nested nor a string.
func serdeParserOf(t sqltype.Type) serdeParser {
	switch t.Kind {
	case sqltype.Boolean:
		return scalars(func(b []byte, quoted bool, out *vector.Vector, i int) {
			v := string(trimJava(b)) == "true"
			if !quoted && !v {
				f, ok := parseJavaDouble(b)
				v = ok && f != 0
			}
			vector.Values[bool](out)[i] = v
		})
	case sqltype.TinyInt:
		return serdeInts[int8](32)
	case sqltype.SmallInt:
		return serdeInts[int16](32)
	case sqltype.Int:
		return serdeInts[int32](32)
	case sqltype.BigInt:
		return serdeInts[int64](64)
	case sqltype.Float:
		return scalars(func(b []byte, quoted bool, out *vector.Vector, i int) {
			vector.Values[float32](out)[i] = float32(serdeFloat(b, quoted))
		})
	case sqltype.Double:
		return scalars(func(b []byte, quoted bool, out *vector.Vector, i int) {
			vector.Values[float64](out)[i] = serdeFloat(b, quoted)
		})
	case sqltype.Decimal, sqltype.LargeInt:
		parse := decimalParser(t)
		return func(b []byte, quoted bool, out *vector.Vector, i int) fate {
			switch {
			case isComplex(b, quoted):
				return refused
			case parse(b, out, i):
				return stored
			}
			return null
		}
	}
	parse := parserOf(t)
	return func(b []byte, quoted bool, out *vector.Vector, i int) fate {
		switch {
		case parse(b, out, i):
			return stored
		case len(b) == 0:
			return null
		}
		return refused
	}
}

// scalars is the parser of a type that every scalar can be read as.
func scalars(store func(b []byte, quoted bool, out *vector.Vector, i int)) serdeParser {
	return func(b []byte, quoted bool, out *vector.Vector, i int) fate {
		if isComplex(b, quoted) {
			return refused
		}
		store(b, quoted, out, i)
		return stored
	}
}

// isComplex reports an object or an array.
func isComplex(b []byte, quoted bool) bool {
	return !quoted && len(b) > 0 && (b[0] == '{' || b[0] == '[')
}

// serdeInts reads an integer of so many bits and keeps those that T has.
func serdeInts[T int8 | int16 | int32 | int64](bits int) serdeParser {
	return scalars(func(b []byte, quoted bool, out *vector.Vector, i int) {
		var v int64
		switch {
		case quoted:
			v = textInt(b, bits)
		case string(b) == "true":
			v = 1
		case isInteger(b):
			v = lowBits(b)
		default:
			f, _ := parseJavaDouble(b)
			v = castDouble(f, bits)
		}
		vector.Values[T](out)[i] = T(v)
	})
}

// isInteger reports an optional sign and digits.
func isInteger(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// lowBits are the low 64 bits of an integer of any length.
func lowBits(b []byte) int64 {
	var v uint64
	for _, c := range b {
		if c != '-' {
			v = v*10 + uint64(c-'0')
		}
	}
	if b[0] == '-' {
		return -int64(v)
	}
	return int64(v)
}

// textInt reads text as Jackson's asInt and asLong do: digits that do not fit, and what is no number, are 0; other numbers
// are cast.
func textInt(b []byte, bits int) int64 {
	b = trimJava(b)
	if isInteger(b) {
		v, err := strconv.ParseInt(string(b), 10, bits)
		if err != nil {
			return 0
		}
		return v
	}
	f, ok := parseJavaDouble(b)
	if !ok {
		return 0
	}
	return castDouble(f, bits)
}

// castDouble is Java's cast to int or long: towards 0, to the nearest where it does not fit, NaN to 0.
func castDouble(f float64, bits int) int64 {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if bits == 32 {
		lo, hi = math.MinInt32, math.MaxInt32
	}
	switch {
	case f != f:
		return 0
	case f >= float64(hi):
		return hi
	case f <= float64(lo):
		return lo
	}
	return int64(f)
}

func serdeFloat(b []byte, quoted bool) float64 {
	if !quoted && string(b) == "true" {
		return 1
	}
	f, _ := parseJavaDouble(b)
	return f
}

// parseJavaDouble reads what Java's Double.parseDouble takes, but for hexadecimal digits: blanks around and a last d or f belong to it.
func parseJavaDouble(b []byte) (float64, bool) {
	b = trimJava(b)
	if len(b) == 0 || len(b) > 400 {
		return 0, false
	}
	switch strings.TrimLeft(string(b), "+-") {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		if b[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	if c := b[len(b)-1] | 0x20; len(b) > 1 && (c == 'd' || c == 'f') {
		b = b[:len(b)-1]
	}
	if c := b[len(b)-1]; c != '.' && (c < '0' || c > '9') || bytes.ContainsAny(b, "_xX") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil || f != 0 // out of range is infinite
}

// trimJava cuts off blanks and control characters, as String.trim does.
func trimJava(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// compactJSON appends an object or array without the blanks between its values.
func compactJSON(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		switch {
		case isSpace(b[i]):
			continue
		case b[i] == '"':
			end, _, err := skipString(b, i+1)
			if err != nil {
				end = len(b)
			}
			dst = append(dst, b[i:end]...)
			i = end - 1
			continue
		}
		dst = append(dst, b[i])
	}
	return dst
}
