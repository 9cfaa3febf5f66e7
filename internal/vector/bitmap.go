package vector

import "math/bits"

// Bitmap is a validity bitmap in Arrow's bit order (least significant bit first, 1 =
// not null), as 64-bit words. A nil Bitmap means that every row is valid. Bits past
// the vector's length are unspecified.
type Bitmap []uint64

// NewBitmap returns a bitmap of n bits, all set.
func NewBitmap(n int) Bitmap {
	b := make(Bitmap, (n+63)/64)
	for i := range b {
		b[i] = ^uint64(0)
	}
	return b
}

// Get reports bit i; a nil bitmap is all ones.
func (b Bitmap) Get(i int) bool { return b == nil || b[uint(i)>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i. b must not be nil.
func (b Bitmap) Set(i int) { b[uint(i)>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i. b must not be nil.
func (b Bitmap) Clear(i int) { b[uint(i)>>6] &^= 1 << (uint(i) & 63) }

// CountZeros is the number of clear bits among the first n.
func (b Bitmap) CountZeros(n int) int {
	if b == nil {
		return 0
	}
	ones := 0
	for i := 0; i < n>>6; i++ {
		ones += bits.OnesCount64(b[i])
	}
	if r := uint(n) & 63; r != 0 {
		ones += bits.OnesCount64(b[n>>6] & (1<<r - 1))
	}
	return n - ones
}

// AllSet reports whether the first n bits are ones.
func (b Bitmap) AllSet(n int) bool {
	if b == nil {
		return true
	}
	for i := 0; i < n>>6; i++ {
		if b[i] != ^uint64(0) {
			return false
		}
	}
	if r := uint(n) & 63; r != 0 {
		return ^b[n>>6]&(1<<r-1) == 0
	}
	return true
}

// And stores x AND y of n bits in dst's memory where it suffices and returns it; nil
// when both are nil. The result never aliases x or y.
func And(dst, x, y Bitmap, n int) Bitmap {
	words := (n + 63) / 64
	if x == nil && y == nil {
		return nil
	}
	if cap(dst) < words {
		dst = make(Bitmap, words)
	}
	dst = dst[:words]
	switch {
	case x == nil:
		copy(dst, y[:words])
	case y == nil:
		copy(dst, x[:words])
	default:
		for i := range dst {
			dst[i] = x[i] & y[i]
		}
	}
	return dst
}
