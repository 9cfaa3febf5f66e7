package text

import (
	"bytes"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// parserOf is the parser of a type in files of the options. LazySimpleSerDe reads some types in a way of its own:
//
//	integers  digits behind a point are cut off; blanks around make NULL
//	decimals  blanks around make NULL
//	booleans  true and false in any case, nothing else
//	floats    what Java reads: NaN and Infinity are spelled so, a last d or f belongs to the number
func (o *Options) parserOf(t sqltype.Type) parser {
	parse := parserOf(t)
	if o.Kind != Delimited {
		return parse
	}
	switch t.Kind {
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.BigInt:
		return func(b []byte, out *vector.Vector, i int) bool {
			if hasBlanks(b) {
				return false
			}
			at := bytes.IndexByte(b, '.')
			if at < 0 {
				return parse(b, out, i)
			}
			for _, c := range b[at+1:] {
				if c < '0' || c > '9' {
					return false
				}
			}
			if whole := bytes.TrimLeft(b[:at], "+-"); len(whole) > 0 {
				return parse(b[:at], out, i)
			}
			return at <= 1 && len(b) > at+1 && parse([]byte{'0'}, out, i) // .5
		}
	case sqltype.Decimal, sqltype.LargeInt:
		return func(b []byte, out *vector.Vector, i int) bool { return !hasBlanks(b) && parse(b, out, i) }
	case sqltype.Float:
		return func(b []byte, out *vector.Vector, i int) bool {
			f, ok := parseJavaDouble(b)
			vector.Values[float32](out)[i] = float32(f)
			return ok
		}
	case sqltype.Double:
		return func(b []byte, out *vector.Vector, i int) bool {
			f, ok := parseJavaDouble(b)
			vector.Values[float64](out)[i] = f
			return ok
		}
	case sqltype.Boolean:
		return func(b []byte, out *vector.Vector, i int) bool { return len(b) > 1 && parse(b, out, i) }
	}
	return parse
}

func hasBlanks(b []byte) bool { return len(trim(b)) != len(b) }
