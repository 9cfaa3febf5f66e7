package hashtable

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with about half of their bits set.
const (
	s0 = 0xa0761d6478bd642f
	s1 = 0xe7037ed1a0b428db
	s2 = 0x8ebc6af09c88c6e3
	s3 = 0x589965cc75374cc3
)

// nullHash is the hash of a NULL that its layout keeps aside.
const nullHash = 0x1d8e4e27c47d124f

// Mix is a bijection of 64 bits whose outputs look random in every bit: equal hashes of
// single-word keys are equal keys, so tables of such keys never look at the key itself.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// fold multiplies to 128 bits and folds the halves together.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// combine adds the hash of one more unit to the hash of those before it.
func combine(h, unit uint64) uint64 { return fold(h^s2, unit^s3) + unit }

// hashInline hashes a string view of at most 12 bytes by its two words.
func hashInline(w0, w1 uint64) uint64 { return fold(w0^s0, w1^s1) }

// HashBytes hashes a string of any length: three independent multiply-and-fold lanes
// over 48 bytes a step, then the rest by 16.
func HashBytes(b []byte) uint64 {
	n := len(b)
	seed := uint64(n) ^ s0
	if n > 48 {
		x, y := seed, seed
		for len(b) > 48 {
			seed = fold(binary.LittleEndian.Uint64(b)^s1, binary.LittleEndian.Uint64(b[8:])^seed)
			x = fold(binary.LittleEndian.Uint64(b[16:])^s2, binary.LittleEndian.Uint64(b[24:])^x)
			y = fold(binary.LittleEndian.Uint64(b[32:])^s3, binary.LittleEndian.Uint64(b[40:])^y)
			b = b[48:]
		}
		seed ^= x ^ y
	}
	for len(b) > 16 {
		seed = fold(binary.LittleEndian.Uint64(b)^s1, binary.LittleEndian.Uint64(b[8:])^seed)
		b = b[16:]
	}
	var lo, hi uint64
	switch m := len(b); {
	case m >= 8:
		lo, hi = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[m-8:])
	case m >= 4:
		lo, hi = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[m-4:]))
	case m > 0:
		lo = uint64(b[0])<<16 | uint64(b[m>>1])<<8 | uint64(b[m-1])
	}
	return fold(s1^uint64(n), fold(lo^s1, hi^seed))
}
