package bucket

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// hiveSeed is the seed of Hive's Murmur3.
const hiveSeed = 104729

func mixK(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func mixH(h, k uint32) uint32 { return bits.RotateLeft32(h^mixK(k), 13)*5 + 0xe6546b64 }

func finish(h uint32, length int) uint32 {
	h ^= uint32(length)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// murmur3 is the standard 32-bit Murmur3 of b with Hive's seed.
//
// Source: Austin Appleby, MurmurHash3 (public domain).
func murmur3(b []byte) uint32 {
	h, n := uint32(hiveSeed), len(b)
	for ; len(b) >= 4; b = b[4:] {
		h = mixH(h, binary.LittleEndian.Uint32(b))
	}
	var tail uint32
	for i := len(b) - 1; i >= 0; i-- {
		tail = tail<<8 | uint32(b[i])
	}
	if len(b) > 0 {
		h ^= mixK(tail)
	}
	return finish(h, n)
}

func hive16(x int16) uint32 {
	return finish(hiveSeed^mixK(uint32(bits.ReverseBytes16(uint16(x)))), 2)
}

func hive32(x uint32) uint32 { return finish(mixH(hiveSeed, bits.ReverseBytes32(x)), 4) }

func hive64(x uint64) uint32 {
	h := mixH(hiveSeed, bits.ReverseBytes32(uint32(x>>32)))
	return finish(mixH(h, bits.ReverseBytes32(uint32(x))), 8)
}

func hiveFloat(x float32) uint32 { return hive32(math.Float32bits(float32(int32(javaFloatBits(x))))) }

func hiveDouble(x float64) uint32 {
	return hive64(math.Float64bits(float64(int64(javaDoubleBits(x)))))
}

func spark32(h, x uint32) uint32 { return finish(mixH(h, x), 4) }

func spark64(h uint32, x uint64) uint32 { return finish(mixH(mixH(h, uint32(x)), uint32(x>>32)), 8) }

// sparkBytes is Spark's variant: each byte of the tail is mixed on its own, as a signed number.
func sparkBytes(h uint32, b []byte) uint32 {
	n := len(b)
	for ; len(b) >= 4; b = b[4:] {
		h = mixH(h, binary.LittleEndian.Uint32(b))
	}
	for _, c := range b {
		h = mixH(h, uint32(int32(int8(c))))
	}
	return finish(h, n)
}

// sparkWide chains a wide decimal: the shortest big-endian two's complement bytes.
func sparkWide(h uint32, x int128.Int) uint32 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	at := 0
	for at < 15 && (b[at] == 0 && b[at+1] < 0x80 || b[at] == 0xff && b[at+1] >= 0x80) {
		at++
	}
	return sparkBytes(h, b[at:])
}

// javaFloatBits are the bits of x, all NaNs being one, as Float.floatToIntBits.
func javaFloatBits(x float32) uint32 {
	if x != x {
		return 0x7fc00000
	}
	return math.Float32bits(x)
}

func javaDoubleBits(x float64) uint64 {
	if x != x {
		return 0x7ff8000000000000
	}
	return math.Float64bits(x)
}

// stripped is a CHAR without its padding; other strings stay.
func stripped(t sqltype.Type, b []byte) []byte {
	if t.Kind == sqltype.Char {
		for len(b) > 0 && b[len(b)-1] == ' ' {
			b = b[:len(b)-1]
		}
	}
	return b
}
