package hll

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Hash64 hashes an integer; decimals, dates and booleans hash as their integers.
func Hash64(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15 // splitmix64
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// Hash128 hashes a 128-bit integer; it equals Hash64 where the value fits in 64 bits.
func Hash128(hi int64, lo uint64) uint64 {
	if hi == int64(lo)>>63 {
		return Hash64(lo)
	}
	return Hash64(Hash64(lo) ^ uint64(hi))
}

// HashFloat hashes a float; zeros of both signs are one value, and so are all NaNs.
func HashFloat(f float64) uint64 {
	switch {
	case f == 0:
		f = 0
	case f != f:
		f = math.NaN()
	}
	return Hash64(math.Float64bits(f))
}

const (
	bytesKey0 = 0xA0761D6478BD642F
	bytesKey1 = 0xE7037ED1A0B428DB
)

// HashBytes hashes a string's bytes: 16 a round by a wide multiplication, the rest padded, the length last.
func HashBytes(b []byte) uint64 {
	n, h := uint64(len(b)), uint64(bytesKey0)
	for ; len(b) > 16; b = b[16:] {
		h = fold(binary.LittleEndian.Uint64(b)^bytesKey1, binary.LittleEndian.Uint64(b[8:])^h)
	}
	var lo, hi uint64
	switch {
	case len(b) >= 8:
		lo, hi = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	case len(b) >= 4:
		lo, hi = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))
	default:
		for _, c := range b {
			lo = lo<<8 | uint64(c)
		}
	}
	h = fold(lo^bytesKey1, hi^h)
	return Hash64(h ^ n)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
