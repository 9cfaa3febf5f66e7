package function

import (
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func stringFunctions() map[string]builder {
	substring := signature{params: []sqltype.Type{tString, tBigInt, tBigInt}, optional: 1, result: tString, run: substringKernel}.builder()
	return map[string]builder{
		"substring": substring, "substr": substring, "mid": substring,
	}
}

// charOffset is where character n (from 0) of b starts, len(b) when there are fewer.
func charOffset(b []byte, n int) int {
	i := 0
	for n > 0 && i < len(b) {
		i += charLen(b[i:])
		n--
	}
	return i
}

// charCount is the number of characters.
func charCount(b []byte) int { return utf8.RuneCount(b) }

// substringKernel counts characters from 1, negative positions from the end; position 0
// gives an empty string. The result shares the argument's bytes.
func substringKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pos := textOf(args[0]), columnOf[int64](args[1])
	var length column[int64]
	if len(args) == 3 {
		length = columnOf[int64](args[2])
	}
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		n := int64(1) << 40
		if len(args) == 3 {
			n = length.at(i)
		}
		lo, hi := substringBounds(x.at(i), pos.at(i), n)
		dst[i] = x.sub(i, lo, hi)
	}
	return nil
}

func substringBounds(b []byte, pos, n int64) (lo, hi int) {
	if pos == 0 || n <= 0 {
		return 0, 0
	}
	if pos > int64(len(b)) || pos < -int64(len(b)) {
		return 0, 0
	}
	if pos < 0 {
		chars := int64(charCount(b))
		if -pos > chars {
			return 0, 0
		}
		pos = chars + pos + 1
	}
	lo = charOffset(b, int(pos-1))
	if n >= int64(len(b)-lo) {
		return lo, len(b)
	}
	return lo, lo + charOffset(b[lo:], int(n))
}
