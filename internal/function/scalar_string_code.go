package function

import (
	"crypto/md5"  // #nosec: SQL functions of that name
	"crypto/sha1" // #nosec
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// stringCodeFunctions has encodings, digests and number bases.
func stringCodeFunctions() map[string]builder {
	s, n := tString, tBigInt
	sha := signature{params: types(s), result: s, run: sha1Kernel}.builder()
	char := signature{params: types(n), rest: true, result: s, nulls: NullAware, run: charKernel}.builder()
	return map[string]builder{
		"ascii": signature{params: types(s), result: tInt, run: asciiKernel}.builder(),
		"ord":   signature{params: types(s), result: tBigInt, run: ordKernel}.builder(),
		"char":  char, "chr": char,
		"hex":   resolveHex,
		"unhex": signature{params: types(s), result: s, yields: true, run: unhexKernel}.builder(),
		"bin":   baseBuilder(2), "oct": baseBuilder(8),
		"conv": signature{params: types(s, n, n), result: s, yields: true, run: convKernel}.builder(),
		"md5":  signature{params: types(s), result: s, run: md5Kernel}.builder(),
		"md5sum": signature{params: types(s), rest: true, result: s, run: func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			joined := vector.New(tString, out.Len)
			joined.Valid = out.Valid
			if err := concatKernel(ctx, args, sel, joined); err != nil {
				return err
			}
			return md5Kernel(ctx, []*vector.Vector{joined}, sel, out)
		}}.builder(),
		"sha1": sha, "sha": sha,
		"sha2":        signature{params: types(s, n), result: s, yields: true, run: sha2Kernel}.builder(),
		"crc32":       signature{params: types(s), result: tBigInt, run: crc32Kernel}.builder(),
		"to_base64":   signature{params: types(s), result: s, run: toBase64Kernel}.builder(),
		"from_base64": signature{params: types(s), result: s, yields: true, run: fromBase64Kernel}.builder(),
		"format":      resolveFormat, "format_number": resolveFormat,
		"url_encode":            signature{params: types(s), result: s, run: urlEncodeKernel}.builder(),
		"url_decode":            signature{params: types(s), result: s, yields: true, run: urlDecodeKernel}.builder(),
		"parse_url":             signature{params: types(s, s, s), optional: 1, result: s, yields: true, run: parseURLKernel}.builder(),
		"extract_url_parameter": signature{params: types(s, s), result: s, run: urlParameterKernel}.builder(),
	}
}

func asciiKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int32](out)
	for i := range live(out, sel) {
		dst[i] = 0
		if b := x.at(i); len(b) > 0 {
			dst[i] = int32(b[0])
		}
	}
	return nil
}

// ordKernel is the bytes of the first character as one number.
func ordKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int64](out)
	for i := range live(out, sel) {
		dst[i] = 0
		if b := x.at(i); len(b) > 0 {
			for _, c := range b[:charLen(b)] {
				dst[i] = dst[i]<<8 | int64(c)
			}
		}
	}
	return nil
}

// charKernel writes the bytes of its numbers, highest first; NULLs are skipped.
func charKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	var buf []byte
	for k := range count(out, sel) {
		i := row(sel, k)
		buf = buf[:0]
		for _, a := range args {
			if isNullAt(a, i) {
				continue
			}
			v := uint32(columnOf[int64](a).at(i))
			for shift := 24; shift >= 0; shift -= 8 {
				if v>>shift != 0 || shift == 0 {
					buf = append(buf, byte(v>>shift))
				}
			}
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// resolveHex is hex of a number, or of the bytes of anything else.
func resolveHex(name string, args []Arg) (*Scalar, error) {
	if len(args) == 1 && (isNumberLike(args[0].Type) && args[0].Type.Kind != sqltype.LargeInt) {
		return baseBuilder(16)(name, args)
	}
	return signature{params: types(tString), result: tString, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x := textOf(args[0])
		var buf []byte
		for i := range live(out, sel) {
			buf = hex.AppendEncode(buf[:0], x.at(i))
			out.SetBytes(i, appendUpper(buf[:0], buf))
		}
		return nil
	}}.resolve(name, args)
}

// baseBuilder writes a BIGINT, as unsigned, in another base.
func baseBuilder(base int) builder {
	return signature{params: types(tBigInt), result: tString, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x := columnOf[int64](args[0])
		var buf []byte
		for i := range live(out, sel) {
			buf = strconv.AppendUint(buf[:0], uint64(x.at(i)), base)
			out.SetBytes(i, appendUpper(buf[:0], buf))
		}
		return nil
	}}.builder()
}

func unhexKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		var err error
		buf, err = hex.AppendDecode(buf[:0], x.at(i))
		if err != nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// convKernel is conv(x, from, to) for bases 2..36; a negative target base shows signed numbers.
func convKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, from, to := textOf(args[0]), columnOf[int64](args[1]), columnOf[int64](args[2])
	for i := range live(out, sel) {
		f, t := from.at(i), to.at(i)
		af, at := max(f, -f), max(t, -t)
		if af < 2 || af > 36 || at < 2 || at > 36 {
			out.SetNull(i)
			continue
		}
		b := trimSpace(x.at(i))
		neg := len(b) > 0 && b[0] == '-'
		if neg {
			b = b[1:]
		}
		v := uint64(0)
		for _, c := range b {
			d := digitOf(c)
			if d >= uint64(af) {
				break
			}
			if v > (math.MaxUint64-d)/uint64(af) {
				v = math.MaxUint64
				break
			}
			v = v*uint64(af) + d
		}
		if neg {
			v = -v
		}
		if t < 0 {
			out.SetString(i, strings.ToUpper(strconv.FormatInt(int64(v), int(at))))
		} else {
			out.SetString(i, strings.ToUpper(strconv.FormatUint(v, int(at))))
		}
	}
	return nil
}

func digitOf(c byte) uint64 {
	switch {
	case isDigit(c):
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return 99
}

func md5Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		sum := md5.Sum(x.at(i))
		buf = hex.AppendEncode(buf[:0], sum[:])
		out.SetBytes(i, buf)
	}
	return nil
}

func sha1Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		sum := sha1.Sum(x.at(i))
		buf = hex.AppendEncode(buf[:0], sum[:])
		out.SetBytes(i, buf)
	}
	return nil
}

// sha2Kernel takes 224, 256 (or 0), 384 and 512 bits; others give NULL.
func sha2Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, bits := textOf(args[0]), columnOf[int64](args[1])
	var buf []byte
	for i := range live(out, sel) {
		b := x.at(i)
		var sum []byte
		switch bits.at(i) {
		case 224:
			h := sha256.Sum224(b)
			sum = h[:]
		case 0, 256:
			h := sha256.Sum256(b)
			sum = h[:]
		case 384:
			h := sha512.Sum384(b)
			sum = h[:]
		case 512:
			h := sha512.Sum512(b)
			sum = h[:]
		default:
			out.SetNull(i)
			continue
		}
		buf = hex.AppendEncode(buf[:0], sum)
		out.SetBytes(i, buf)
	}
	return nil
}

func crc32Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int64](out)
	for i := range live(out, sel) {
		dst[i] = int64(crc32.ChecksumIEEE(x.at(i)))
	}
	return nil
}

func toBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = base64.StdEncoding.AppendEncode(buf[:0], x.at(i))
		out.SetBytes(i, buf)
	}
	return nil
}

func fromBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		var err error
		buf, err = base64.StdEncoding.AppendDecode(buf[:0], x.at(i))
		if err != nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// resolveFormat is format(x, digits): 1,234,567.89.
func resolveFormat(name string, args []Arg) (*Scalar, error) {
	exact := len(args) == 2 && (args[0].Type.IsInteger() || args[0].Type.Kind == sqltype.Decimal)
	g := signature{params: types(tDouble, tBigInt), result: tString, yields: true}
	scale := 0
	if exact {
		_, scale = decimalDigits(args[0].Type)
		g.params = types(sqltype.DecimalOf(maxPrecision, scale), tBigInt)
	}
	g.run = func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		digits := columnOf[int64](args[1])
		var buf []byte
		for i := range live(out, sel) {
			d := int(min(max(digits.at(i), 0), 30))
			if exact {
				v, _ := shiftDigits(columnOf[int128.Int](args[0]).at(i), min(d-scale, 0), false)
				buf = int128.AppendDecimal(buf[:0], v, min(d, scale))
				if d > 0 && scale == 0 {
					buf = append(buf, '.')
				}
				for k := min(d, scale); k < d; k++ {
					buf = append(buf, '0')
				}
			} else {
				f := columnOf[float64](args[0]).at(i)
				if math.IsNaN(f) || math.IsInf(f, 0) {
					out.SetNull(i)
					continue
				}
				buf = strconv.AppendFloat(buf[:0], roundFloat(f, int64(d)), 'f', d, 64)
			}
			out.SetBytes(i, groupThousands(buf))
		}
		return nil
	}
	return g.resolve(name, args)
}

// groupThousands puts commas into the integer part of a plain number.
func groupThousands(b []byte) []byte {
	start, end := 0, len(b)
	if len(b) > 0 && b[0] == '-' {
		start = 1
	}
	for k, c := range b {
		if c == '.' {
			end = k
			break
		}
	}
	dst := append([]byte(nil), b[:start]...)
	for k := start; k < end; k++ {
		if k > start && (end-k)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, b[k])
	}
	return append(dst, b[end:]...)
}

func urlEncodeKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	for i := range live(out, sel) {
		out.SetString(i, strings.ReplaceAll(url.QueryEscape(string(x.at(i))), "+", "%20"))
	}
	return nil
}

func urlDecodeKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	for i := range live(out, sel) {
		s, err := url.QueryUnescape(string(x.at(i)))
		if err != nil || !utf8.ValidString(s) {
			out.SetNull(i)
			continue
		}
		out.SetString(i, s)
	}
	return nil
}

// parseURLKernel is parse_url(url, part[, key]), Hive's and Doris's.
func parseURLKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, part := textOf(args[0]), textOf(args[1])
	for i := range live(out, sel) {
		key := ""
		if len(args) == 3 {
			key = string(textOf(args[2]).at(i))
		}
		s, ok := urlPart(string(x.at(i)), strings.ToUpper(string(part.at(i))), key)
		if !ok {
			out.SetNull(i)
			continue
		}
		out.SetString(i, s)
	}
	return nil
}

func urlPart(raw, part, key string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	var s string
	switch part {
	case "PROTOCOL":
		s = u.Scheme
	case "HOST":
		s = u.Hostname()
	case "PORT":
		s = u.Port()
	case "PATH":
		return u.EscapedPath(), u.Host != "" || u.Path != ""
	case "QUERY":
		s = u.RawQuery
		if key != "" {
			s = u.Query().Get(key)
		}
	case "REF":
		s = u.EscapedFragment()
	case "AUTHORITY":
		s = u.Host
		if u.User != nil {
			s = u.User.String() + "@" + u.Host
		}
	case "USERINFO":
		if u.User != nil {
			s = u.User.String()
		}
	case "FILE":
		s = u.EscapedPath()
		if u.RawQuery != "" {
			s += "?" + u.RawQuery
		}
	}
	return s, s != ""
}

func urlParameterKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, key := textOf(args[0]), textOf(args[1])
	for i := range live(out, sel) {
		s := ""
		if u, err := url.Parse(string(x.at(i))); err == nil {
			s = u.Query().Get(string(key.at(i)))
		}
		out.SetString(i, s)
	}
	return nil
}
