package function

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// stringBuildFunctions has functions that write new strings.
func stringBuildFunctions() map[string]builder {
	s, n := tString, tBigInt
	upper := signature{params: types(s), result: s, run: upperKernel}.builder()
	lower := signature{params: types(s), result: s, run: lowerKernel}.builder()
	return map[string]builder{
		"upper": upper, "ucase": upper, "lower": lower, "lcase": lower,
		"concat":    signature{params: types(s), rest: true, result: s, run: concatKernel}.builder(),
		"concat_ws": signature{params: types(s, s), rest: true, result: s, nulls: NullAware, run: concatWSKernel}.builder(),
		"lpad":      padBuilder(true), "rpad": padBuilder(false),
		"repeat":                         signature{params: types(s, n), result: s, yields: true, run: repeatKernel}.builder(),
		"space":                          signature{params: types(n), result: s, yields: true, run: spaceKernel}.builder(),
		"reverse":                        signature{params: types(s), result: s, run: reverseKernel}.builder(),
		"replace":                        signature{params: types(s, s, s), result: s, run: replaceKernel}.builder(),
		"translate":                      signature{params: types(s, s, s), result: s, run: translateKernel}.builder(),
		"insert":                         signature{params: types(s, n, n, s), result: s, run: insertKernel}.builder(),
		"initcap":                        signature{params: types(s), result: s, run: initcapKernel}.builder(),
		"quote":                          signature{params: types(s), result: s, nulls: NullAware, run: quoteKernel}.builder(),
		"elt":                            signature{params: types(n, s), rest: true, result: s, nulls: NullAware, yields: true, run: eltKernel}.builder(),
		"field":                          resolveField,
		"append_trailing_char_if_absent": signature{params: types(s, s), result: s, yields: true, run: appendTrailingKernel}.builder(),
	}
}

func upperKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = appendUpper(buf[:0], x.at(i))
		out.SetBytes(i, buf)
	}
	return nil
}

func lowerKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = appendLower(buf[:0], x.at(i))
		out.SetBytes(i, buf)
	}
	return nil
}

// appendUpper and appendLower change ASCII letters eight bytes at a time; from the first
// other character on, package bytes knows the rules. dst may be b[:0].
func appendUpper(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	n := flipASCII(dst[at:], 'a')
	if n < len(b) {
		dst = append(dst[:at+n], bytes.ToUpper(dst[at+n:])...)
	}
	return dst
}

func appendLower(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	n := flipASCII(dst[at:], 'A')
	if n < len(b) {
		dst = append(dst[:at+n], bytes.ToLower(dst[at+n:])...)
	}
	return dst
}

// flipASCII flips the case of the 26 letters from first on, and stops at the first byte
// that is not ASCII; it returns where.
func flipASCII(b []byte, first byte) int {
	const ones = 0x0101010101010101
	from, past := uint64(0x80-first)*ones, uint64(0x80-first-26)*ones
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if w&notASCII != 0 {
			break
		}
		// The top bit of a byte says letter: at or after first, and not past the last. No
		// byte carries into the next, as all are below 0x80.
		letters := (w + from) &^ (w + past) & notASCII
		binary.LittleEndian.PutUint64(b[i:], w^letters>>2)
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
		if b[i]-first < 26 {
			b[i] ^= 0x20
		}
	}
	return i
}

func concatKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	cols := make([]text, len(args))
	for k, a := range args {
		cols[k] = textOf(a)
	}
	var buf []byte
	for i := range live(out, sel) {
		buf = buf[:0]
		for k := range cols {
			buf = append(buf, cols[k].at(i)...)
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// concatWSKernel skips NULL items; a NULL separator gives NULL.
func concatWSKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	cols := make([]text, len(args))
	for k, a := range args {
		cols[k] = textOf(a)
	}
	var buf []byte
	for j := range count(out, sel) {
		i := row(sel, j)
		if isNullAt(args[0], i) {
			out.SetNull(i)
			continue
		}
		buf = buf[:0]
		first := true
		for k := 1; k < len(cols); k++ {
			if isNullAt(args[k], i) {
				continue
			}
			if !first {
				buf = append(buf, cols[0].at(i)...)
			}
			first = false
			buf = append(buf, cols[k].at(i)...)
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// padBuilder fills or cuts to n characters.
func padBuilder(left bool) builder {
	return signature{params: types(tString, tBigInt, tString), optional: 1, result: tString, yields: true, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, n := textOf(args[0]), columnOf[int64](args[1])
		pad := textOf(vector.FromStrings(tString, " "))
		pad.mask = 0
		if len(args) == 3 {
			pad = textOf(args[2])
		}
		var buf []byte
		for i := range live(out, sel) {
			b, want, p := x.at(i), n.at(i), pad.at(i)
			have := int64(charCount(b))
			switch {
			case want < 0 || want > maxText:
				out.SetNull(i)
				continue
			case want <= have:
				out.SetBytes(i, b[:charOffset(b, int(want))])
				continue
			case len(p) == 0:
				out.SetString(i, "")
				continue
			}
			buf = buf[:0]
			if !left {
				buf = append(buf, b...)
			}
			buf = appendPad(buf, p, int(want-have))
			if left {
				buf = append(buf, b...)
			}
			out.SetBytes(i, buf)
		}
		return nil
	}}.builder()
}

// appendPad appends n characters of p over and over.
func appendPad(dst, p []byte, n int) []byte {
	chars := charCount(p)
	for ; n >= chars; n -= chars {
		dst = append(dst, p...)
	}
	return append(dst, p[:charOffset(p, n)]...)
}

func repeatKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, n := textOf(args[0]), columnOf[int64](args[1])
	for i := range live(out, sel) {
		b, times := x.at(i), max(n.at(i), 0)
		if len(b) > 0 && times > int64(maxText/len(b)) {
			out.SetNull(i)
			continue
		}
		if len(b) == 0 {
			times = 0
		}
		out.SetBytes(i, bytes.Repeat(b, int(times)))
	}
	return nil
}

func spaceKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	n := columnOf[int64](args[0])
	for i := range live(out, sel) {
		times := max(n.at(i), 0)
		if times > maxText {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, bytes.Repeat([]byte{' '}, int(times)))
	}
	return nil
}

func reverseKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = buf[:0]
		for b := x.at(i); len(b) > 0; {
			_, n := utf8.DecodeLastRune(b)
			buf = append(buf, b[len(b)-n:]...)
			b = b[:len(b)-n]
		}
		out.SetBytes(i, buf)
	}
	return nil
}

func replaceKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, from, to := textOf(args[0]), textOf(args[1]), textOf(args[2])
	var buf []byte
	for i := range live(out, sel) {
		b, f, t := x.at(i), from.at(i), to.at(i)
		buf = buf[:0]
		for len(f) > 0 {
			k := bytes.Index(b, f)
			if k < 0 {
				break
			}
			buf = append(append(buf, b[:k]...), t...)
			b = b[k+len(f):]
		}
		out.SetBytes(i, append(buf, b...))
	}
	return nil
}

// translateKernel replaces characters of from by those at the same places of to, and
// drops those that have none.
func translateKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, from, to := textOf(args[0]), textOf(args[1]), textOf(args[2])
	var buf []byte
	for i := range live(out, sel) {
		f, t := []rune(string(from.at(i))), []rune(string(to.at(i)))
		buf = buf[:0]
		for b := x.at(i); len(b) > 0; {
			r, n := utf8.DecodeRune(b)
			switch k := slices.Index(f, r); {
			case k < 0:
				buf = append(buf, b[:n]...)
			case k < len(t):
				buf = utf8.AppendRune(buf, t[k])
			}
			b = b[n:]
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// insertKernel is insert(x, pos, len, new): x itself when pos is outside of it.
func insertKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pos, n, by := textOf(args[0]), columnOf[int64](args[1]), columnOf[int64](args[2]), textOf(args[3])
	var buf []byte
	for i := range live(out, sel) {
		b, p, cut := x.at(i), pos.at(i), n.at(i)
		if p < 1 || p > int64(charCount(b)) {
			out.SetBytes(i, b)
			continue
		}
		lo := charOffset(b, int(p-1))
		hi := len(b)
		if cut >= 0 && cut < int64(len(b)) {
			hi = lo + charOffset(b[lo:], int(cut))
		}
		buf = append(append(append(buf[:0], b[:lo]...), by.at(i)...), b[hi:]...)
		out.SetBytes(i, buf)
	}
	return nil
}

// initcapKernel makes the first letter of every word a capital and the rest small.
func initcapKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = buf[:0]
		inWord := false
		for b := x.at(i); len(b) > 0; {
			r, n := utf8.DecodeRune(b)
			switch {
			case !unicode.IsLetter(r) && !unicode.IsDigit(r):
				inWord = false
				buf = append(buf, b[:n]...)
			case inWord:
				buf = utf8.AppendRune(buf, unicode.ToLower(r))
			default:
				inWord = true
				buf = utf8.AppendRune(buf, unicode.ToUpper(r))
			}
			b = b[n:]
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// quoteKernel writes an SQL literal; NULL becomes the word.
func quoteKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for k := range count(out, sel) {
		i := row(sel, k)
		if isNullAt(args[0], i) {
			out.SetString(i, "NULL")
			continue
		}
		buf = append(buf[:0], '\'')
		for _, c := range x.at(i) {
			switch c {
			case '\'', '\\':
				buf = append(buf, '\\', c)
			case 0:
				buf = append(buf, '\\', '0')
			case 26:
				buf = append(buf, '\\', 'Z')
			default:
				buf = append(buf, c)
			}
		}
		out.SetBytes(i, append(buf, '\''))
	}
	return nil
}

// eltKernel is elt(n, a, b, …): the n-th of the strings.
func eltKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	n := columnOf[int64](args[0])
	cols := make([]text, len(args))
	for k, a := range args[1:] {
		cols[k+1] = textOf(a)
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		at := n.at(i)
		if isNullAt(args[0], i) || at < 1 || at >= int64(len(args)) || isNullAt(args[at], i) {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, cols[at].at(i))
	}
	return nil
}

// resolveField is field(x, a, b, …): the position of x among the others, 0 for none or NULL.
func resolveField(name string, args []Arg) (*Scalar, error) {
	if len(args) < 2 {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	for _, a := range args[1:] {
		u, ok := comparisonType(Arg{Type: t}, Arg{Type: a.Type})
		if !ok || u.IsNested() || u.IsOpaque() {
			return nil, wrongArguments(name, args)
		}
		t = u
	}
	params := slices.Repeat([]sqltype.Type{t}, len(args))
	_, equals := compareLoops(opEq, t)
	return &Scalar{Params: params, Result: tInt, Nulls: NullAware, New: func([]*vector.Value) (Kernel, error) {
		var open, same []int32
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			dst := vector.Values[int32](out)
			open = appendAll(out.Len, sel, open[:0])
			for _, r := range open {
				dst[r] = 0
			}
			if len(open) == 0 {
				return nil
			}
			if cap(same) < len(open) {
				same = make([]int32, 0, len(open))
			}
			for k := len(args) - 1; k > 0; k-- { // backwards, so that the first one stays
				for _, r := range selectNotNull(equals, args[0], args[k], out.Len, open, same[:0]) {
					dst[r] = int32(k)
				}
			}
			return nil
		}, nil
	}}, nil
}

func appendTrailingKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y := textOf(args[0]), textOf(args[1])
	var buf []byte
	for i := range live(out, sel) {
		b, c := x.at(i), y.at(i)
		if charCount(c) != 1 {
			out.SetNull(i)
			continue
		}
		buf = append(buf[:0], b...)
		if !bytes.HasSuffix(b, c) {
			buf = append(buf, c...)
		}
		out.SetBytes(i, buf)
	}
	return nil
}
