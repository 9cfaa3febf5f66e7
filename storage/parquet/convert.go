package parquet

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
)

// conversion is how stored values become values of the column's layout.
type conversion uint8

// The conversions. convNone: the stored bytes are the layout (fixed widths), or views of
// byte arrays are the value.
const (
	convNone conversion = iota
	convInt32To8
	convInt32To16
	convUint8To16
	convUint16To32
	convUint32To64
	convInt32To64
	convInt32To128
	convInt64To128
	convUint64To128
	convMillisToMicros
	convNanosToMicros
	convInt32MillisToMicros
	convInt96
	convFloat16
	convBigEndian64  // FIXED decimals
	convBigEndian128 // FIXED decimals
	convBytes64      // BYTE_ARRAY decimals
	convBytes128     // BYTE_ARRAY decimals
	convFixedBytes   // FIXED to strings
	convUUID         // FIXED(16) to text
)

// toStrings reports that fixed values become strings.
func (c conversion) toStrings() bool { return c == convFixedBytes || c == convUUID }

// fromStrings reports that byte arrays become numbers.
func (c conversion) fromStrings() bool { return c == convBytes64 || c == convBytes128 }

// slice reads p as n values.
func slice[T any](p []byte, n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&p[0])), n)
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// castInts converts n integers, through V (so that unsigned 8-bit values stored as int32
// are reinterpreted before they widen).
func castInts[S, V, D integer](dst, src []byte, n int) {
	d, s := slice[D](dst, n), slice[S](src, n)
	for i, x := range s {
		d[i] = D(V(x))
	}
}

// convertFixed converts n values of width bytes from src to dst, which must be large
// enough and must not overlap. Values outside of the type's range are an error.
func convertFixed(c conversion, width int, dst, src []byte, n int) error {
	switch c {
	case convNone:
		copy(dst[:n*width], src[:n*width])
	case convInt32To8:
		castInts[int32, int8, int8](dst, src, n)
	case convInt32To16:
		castInts[int32, int16, int16](dst, src, n)
	case convUint8To16:
		castInts[int32, uint8, int16](dst, src, n)
	case convUint16To32:
		castInts[int32, uint16, int32](dst, src, n)
	case convUint32To64:
		castInts[int32, uint32, int64](dst, src, n)
	case convInt32To64:
		castInts[int32, int32, int64](dst, src, n)
	case convInt32To128:
		d, s := slice[int128.Int](dst, n), slice[int32](src, n)
		for i, x := range s {
			d[i] = int128.FromInt64(int64(x))
		}
	case convInt64To128:
		d, s := slice[int128.Int](dst, n), slice[int64](src, n)
		for i, x := range s {
			d[i] = int128.FromInt64(x)
		}
	case convUint64To128:
		d, s := slice[int128.Int](dst, n), slice[uint64](src, n)
		for i, x := range s {
			d[i] = int128.FromUint64(x)
		}
	case convMillisToMicros:
		d, s := slice[int64](dst, n), slice[int64](src, n)
		for i, x := range s {
			d[i] = saturatingMul1000(x)
		}
	case convNanosToMicros:
		d, s := slice[int64](dst, n), slice[int64](src, n)
		for i, x := range s {
			d[i] = floorDiv1000(x)
		}
	case convInt32MillisToMicros:
		d, s := slice[int64](dst, n), slice[int32](src, n)
		for i, x := range s {
			d[i] = int64(x) * 1000
		}
	case convInt96:
		d := slice[int64](dst, n)
		for i := range d {
			d[i] = int96Micros(src[12*i:])
		}
	case convFloat16:
		d, s := slice[float32](dst, n), slice[uint16](src, n)
		for i, x := range s {
			d[i] = float16(x)
		}
	case convBigEndian64:
		return bigEndian64(slice[int64](dst, n), src, width)
	case convBigEndian128:
		return bigEndian128s(slice[int128.Int](dst, n), src, width)
	default:
		return formatError("the encoding does not fit the column's type")
	}
	return nil
}

// saturatingMul1000 keeps timestamps that overflow at the end of the range, where they
// print as out of range rather than as a wrong year.
func saturatingMul1000(x int64) int64 {
	if x > math.MaxInt64/1000 {
		return math.MaxInt64
	}
	if x < math.MinInt64/1000 {
		return math.MinInt64
	}
	return x * 1000
}

func floorDiv1000(x int64) int64 {
	q := x / 1000
	if x%1000 < 0 {
		q--
	}
	return q
}

const (
	julianEpochDay = 2440588 // the Julian day number of 1970-01-01
	microsPerDay   = 86400 * 1000000
)

// int96Micros reads nanoseconds of the day and a Julian day. Both may lie outside of
// their range in files of old writers: they are added, not clamped, and wrap as the
// writers' sums did.
func int96Micros(b []byte) int64 {
	nanos := int64(binary.LittleEndian.Uint64(b))
	day := int64(int32(binary.LittleEndian.Uint32(b[8:])))
	return (day-julianEpochDay)*microsPerDay + floorDiv1000(nanos)
}

// float16 widens an IEEE half.
func float16(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	case frac == 0:
		return math.Float32frombits(sign)
	}
	shift := uint32(bits.LeadingZeros32(frac)) - 21
	return math.Float32frombits(sign | (113-shift)<<23 | (frac<<shift&1023)<<13)
}

const errDecimalRange = formatError("a decimal is wider than its type")

// bigEndian64 reads two's complement numbers of width bytes.
func bigEndian64(dst []int64, src []byte, width int) error {
	if width > 8 {
		for i := range dst {
			v, ok := bigEndianInt(src[i*width : (i+1)*width])
			if !ok || !v.IsInt64() {
				return errDecimalRange
			}
			dst[i] = int64(v.Lo)
		}
		return nil
	}
	shift := uint(64 - 8*width)
	for i := range dst {
		var x uint64
		for _, c := range src[i*width : (i+1)*width] {
			x = x<<8 | uint64(c)
		}
		dst[i] = int64(x<<shift) >> shift
	}
	return nil
}

func bigEndian128s(dst []int128.Int, src []byte, width int) error {
	if width == 16 {
		for i := range dst {
			p := src[i*16 : i*16+16]
			dst[i] = int128.Int{Hi: int64(binary.BigEndian.Uint64(p)), Lo: binary.BigEndian.Uint64(p[8:])}
		}
		return nil
	}
	for i := range dst {
		v, ok := bigEndianInt(src[i*width : (i+1)*width])
		if !ok {
			return errDecimalRange
		}
		dst[i] = v
	}
	return nil
}

// bigEndianInt reads a two's complement number of any length; none is 0. ok is false
// when it does not fit 128 bits.
func bigEndianInt(p []byte) (v int128.Int, ok bool) {
	if len(p) == 0 {
		return v, true
	}
	fill := byte(int8(p[0]) >> 7)
	for len(p) > 16 {
		if p[0] != fill {
			return v, false
		}
		p = p[1:]
		if len(p) == 16 && byte(int8(p[0])>>7) != fill {
			return v, false
		}
	}
	v = int128.FromInt64(int64(int8(fill)))
	for _, c := range p {
		v.Hi = v.Hi<<8 | int64(v.Lo>>56)
		v.Lo = v.Lo<<8 | uint64(c)
	}
	return v, true
}

// appendUUID appends the 36 characters of a 16-byte UUID.
func appendUUID(dst, p []byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range p[:16] {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}
