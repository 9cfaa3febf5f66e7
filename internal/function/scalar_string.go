package function

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// maxText bounds what repeat, lpad and the like may build; more gives NULL, as
// max_allowed_packet does in MySQL.
const maxText = 64 << 20

// stringFunctions has measures of strings, searches in them, and cuts that share their bytes.
func stringFunctions() map[string]builder {
	s, n := tString, tBigInt
	substring := signature{params: types(s, n, n), optional: 1, result: s, run: substringKernel}.builder()
	length := signature{params: types(s), result: tInt, run: lengthKernel}.builder()
	chars := signature{params: types(s), result: tInt, run: charLengthKernel}.builder()
	left := signature{params: types(s, n), result: s, run: leftKernel}.builder()
	right := signature{params: types(s, n), result: s, run: rightKernel}.builder()
	locate := signature{params: types(s, s, n), optional: 1, result: tInt, run: locateKernel}.builder()
	return map[string]builder{
		"substring": substring, "substr": substring, "mid": substring,
		"length": length, "octet_length": length, "char_length": chars, "character_length": chars,
		"bit_length": signature{params: types(s), result: tInt, run: bitLengthKernel}.builder(),
		"left":       left, "strleft": left, "right": right, "strright": right,
		"trim": trimBuilder(true, true), "ltrim": trimBuilder(true, false), "rtrim": trimBuilder(false, true),
		"instr":  signature{params: types(s, s), result: tInt, run: instrKernel}.builder(),
		"locate": locate, "position": locate,
		"find_in_set":       signature{params: types(s, s), result: tInt, run: findInSetKernel}.builder(),
		"strcmp":            signature{params: types(s, s), result: tTinyInt, run: strcmpKernel}.builder(),
		"substring_index":   signature{params: types(s, s, n), result: s, run: substringIndexKernel}.builder(),
		"split_part":        signature{params: types(s, s, n), result: s, yields: true, run: splitPartKernel}.builder(),
		"starts_with":       predicate(types(s, s), startsWithKernel),
		"ends_with":         predicate(types(s, s), endsWithKernel),
		"null_or_empty":     nullOrEmpty(true),
		"not_null_or_empty": nullOrEmpty(false),
	}
}

func types(t ...sqltype.Type) []sqltype.Type { return t }

// predicate is a BOOLEAN function with a filter form.
func predicate(params []sqltype.Type, run Kernel) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		s, err := signature{params: params, result: tBoolean, run: run}.resolve(name, args)
		if err == nil {
			s.NewSelector = selectorOf(s.New, Propagate)
		}
		return s, err
	}
}

// charOffset is where character n (from 0) of b starts, len(b) when there are fewer.
func charOffset(b []byte, n int) int {
	i := 0
	for n >= 8 && i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&notASCII == 0 {
		i += 8
		n -= 8
	}
	for n > 0 && i < len(b) {
		if b[i] < utf8.RuneSelf {
			i++
		} else {
			i += charLen(b[i:])
		}
		n--
	}
	return i
}

// notASCII has the top bit of every byte of a word.
const notASCII = 0x8080808080808080

// charCount is the number of characters; a broken byte counts as one.
func charCount(b []byte) int { return utf8.RuneCount(b) }

// substringKernel counts characters from 1, negative positions from the end; position 0
// gives an empty string. The result shares the argument's bytes.
func substringKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pos := textOf(args[0]), columnOf[int64](args[1])
	length := column[int64]{vals: []int64{1 << 40}}
	if len(args) == 3 {
		length = columnOf[int64](args[2])
	}
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		lo, hi := substringBounds(x.at(i), pos.at(i), length.at(i))
		dst[i] = x.sub(i, lo, hi)
	}
	return nil
}

func substringBounds(b []byte, pos, n int64) (lo, hi int) {
	if pos == 0 || n <= 0 || pos > int64(len(b)) || pos < -int64(len(b)) {
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

func leftKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, n := textOf(args[0]), columnOf[int64](args[1])
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		lo, hi := substringBounds(x.at(i), 1, n.at(i))
		dst[i] = x.sub(i, lo, hi)
	}
	return nil
}

func rightKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, n := textOf(args[0]), columnOf[int64](args[1])
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		b, want := x.at(i), n.at(i)
		lo := len(b)
		if want > 0 {
			lo = charOffset(b, max(0, charCount(b)-int(min(want, int64(len(b))))))
		}
		dst[i] = x.sub(i, lo, len(b))
	}
	return nil
}

func lengthKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[vector.View](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int32(x.at(i).Len())
	}
	return nil
}

func bitLengthKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[vector.View](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int32(x.at(i).Len()) * 8
	}
	return nil
}

func charLengthKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int32(charCount(x.at(i)))
	}
	return nil
}

// trimBuilder is trim(x[, text]): spaces, or repetitions of the whole text, are cut.
func trimBuilder(left, right bool) builder {
	return signature{params: types(tString, tString), optional: 1, result: tString, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x := textOf(args[0])
		what := textOf(vector.FromStrings(tString, " "))
		what.mask = 0
		if len(args) == 2 {
			what = textOf(args[1])
		}
		out.Bufs = args[0].Bufs
		dst := vector.Values[vector.View](out)
		for i := range live(out, sel) {
			b, w := x.at(i), what.at(i)
			lo, hi := 0, len(b)
			if len(w) > 0 {
				for left && bytes.HasPrefix(b[lo:hi], w) {
					lo += len(w)
				}
				for right && bytes.HasSuffix(b[lo:hi], w) {
					hi -= len(w)
				}
			}
			dst[i] = x.sub(i, lo, hi)
		}
		return nil
	}}.builder()
}

// charPosition is the character (from 1) at which byte at lies; 0 for -1.
func charPosition(b []byte, at int) int32 {
	if at < 0 {
		return 0
	}
	return int32(charCount(b[:at])) + 1
}

func instrKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, sub, dst := textOf(args[0]), textOf(args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		b := x.at(i)
		dst[i] = charPosition(b, bytes.Index(b, sub.at(i)))
	}
	return nil
}

// locateKernel is locate(sub, x[, from]).
func locateKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	sub, x, dst := textOf(args[0]), textOf(args[1]), vector.Values[int32](out)
	from := column[int64]{vals: []int64{1}}
	if len(args) == 3 {
		from = columnOf[int64](args[2])
	}
	for i := range live(out, sel) {
		b, start := x.at(i), from.at(i)
		dst[i] = 0
		if start < 1 || start > int64(len(b))+1 {
			continue
		}
		skip := charOffset(b, int(start-1))
		if at := bytes.Index(b[skip:], sub.at(i)); at >= 0 {
			dst[i] = charPosition(b, skip+at)
		}
	}
	return nil
}

// findInSetKernel is the position of x in a list separated by commas, 0 when it is not there.
func findInSetKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, list, dst := textOf(args[0]), textOf(args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		want, rest := x.at(i), list.at(i)
		dst[i] = 0
		if bytes.IndexByte(want, ',') >= 0 || len(rest) == 0 {
			continue
		}
		for n := int32(1); ; n++ {
			item, tail, more := bytes.Cut(rest, []byte{','})
			if bytes.Equal(item, want) {
				dst[i] = n
				break
			}
			if !more {
				break
			}
			rest = tail
		}
	}
	return nil
}

func strcmpKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := textOf(args[0]), textOf(args[1]), vector.Values[int8](out)
	for i := range live(out, sel) {
		dst[i] = int8(bytes.Compare(x.at(i), y.at(i)))
	}
	return nil
}

// substringIndexKernel is what stands before the n-th delimiter, or after it from the end.
func substringIndexKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, delim, n := textOf(args[0]), textOf(args[1]), columnOf[int64](args[2])
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		lo, hi := substringIndex(x.at(i), delim.at(i), n.at(i))
		dst[i] = x.sub(i, lo, hi)
	}
	return nil
}

func substringIndex(b, delim []byte, n int64) (lo, hi int) {
	if n == 0 || len(delim) == 0 {
		return 0, 0
	}
	if n > 0 {
		at := 0
		for ; n > 0; n-- {
			k := bytes.Index(b[at:], delim)
			if k < 0 {
				return 0, len(b)
			}
			at += k + len(delim)
		}
		return 0, at - len(delim)
	}
	at := len(b)
	for ; n < 0; n++ {
		k := bytes.LastIndex(b[:at], delim)
		if k < 0 {
			return 0, len(b)
		}
		at = k
	}
	return at + len(delim), len(b)
}

// splitPartKernel is part n (from 1, or from the end) of x; NULL when there is no such part.
func splitPartKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, delim, n := textOf(args[0]), textOf(args[1]), columnOf[int64](args[2])
	out.Bufs = args[0].Bufs
	dst := vector.Values[vector.View](out)
	for i := range live(out, sel) {
		b, d, part := x.at(i), delim.at(i), n.at(i)
		if part == 0 {
			out.SetNull(i)
			continue
		}
		if len(d) == 0 {
			dst[i] = vector.View{}
			continue
		}
		if part < 0 {
			part += int64(bytes.Count(b, d)) + 2
		}
		lo, ok := 0, part > 0
		for ; ok && part > 1; part-- {
			k := bytes.Index(b[lo:], d)
			lo += k + len(d)
			ok = k >= 0
		}
		if !ok {
			out.SetNull(i)
			continue
		}
		hi := len(b)
		if k := bytes.Index(b[lo:], d); k >= 0 {
			hi = lo + k
		}
		dst[i] = x.sub(i, lo, hi)
	}
	return nil
}

func startsWithKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := textOf(args[0]), textOf(args[1]), vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = bytes.HasPrefix(x.at(i), y.at(i))
	}
	return nil
}

func endsWithKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := textOf(args[0]), textOf(args[1]), vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = bytes.HasSuffix(x.at(i), y.at(i))
	}
	return nil
}

// nullOrEmpty is true for NULL and ” (want), or for everything else.
func nullOrEmpty(want bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		s, err := signature{params: types(tString), result: tBoolean, nulls: NullAware, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := columnOf[vector.View](args[0]), vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = (isNullAt(args[0], i) || x.at(i).Len() == 0) == want
			}
			return nil
		}}.resolve(name, args)
		if err == nil {
			s.NewSelector = selectorOf(s.New, NullAware)
		}
		return s, err
	}
}
