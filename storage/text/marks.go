package text

import (
	"encoding/binary"
	"math/bits"
)

// marks finds the bytes that mean something in a buffer (separators, line ends, escapes), 64 bytes at a time: a bit a byte.
// Values are mostly shorter than that, so that most are found by counting zeros.
type marks struct {
	first [3]uint64 // the bytes looked for, each repeated eight times
	buf   *byte     // of the buffer at hand
	size  int
	block int // begin of the 64 bytes that word is of; -1: none
	word  uint64
}

const (
	low7 = 0x7f7f7f7f7f7f7f7f
	ones = 0x0101010101010101
)

// newMarks looks for up to three bytes.
func newMarks(c ...byte) marks {
	m := marks{block: -1}
	for i := range m.first {
		m.first[i] = uint64(c[min(i, len(c)-1)]) * ones
	}
	return m
}

// use says which buffer is searched from now on.
func (m *marks) use(buf []byte) {
	if len(buf) == 0 || m.buf == &buf[0] && m.size == len(buf) {
		return
	}
	m.buf, m.size, m.block = &buf[0], len(buf), -1
}

// next is the first mark at i or behind; len(buf) when there is none.
func (m *marks) next(buf []byte, i int) int {
	if i&^63 == m.block {
		if w := m.word >> (i & 63); w != 0 {
			return i + bits.TrailingZeros64(w)
		}
		i = m.block + 64
	}
	return m.search(buf, i)
}

// search goes on from i in blocks that were not looked at.
func (m *marks) search(buf []byte, i int) int {
	for b := i &^ 63; b < len(buf); b += 64 {
		m.block, m.word = b, m.scan(buf, b)
		w := m.word
		if b < i {
			w = w >> (i & 63) << (i & 63)
		}
		if w != 0 {
			return b + bits.TrailingZeros64(w)
		}
	}
	return len(buf)
}

// scan looks at the 64 bytes from b on.
func (m *marks) scan(buf []byte, b int) uint64 {
	var word uint64
	if b+64 > len(buf) {
		for k, c := range buf[b:] {
			if x := uint64(c) * ones; x == m.first[0] || x == m.first[1] || x == m.first[2] {
				word |= 1 << k
			}
		}
		return word
	}
	p, q, r := m.first[0], m.first[1], m.first[2]
	block := buf[b : b+64 : b+64]
	for k := 0; k < 64; k += 8 {
		x := binary.LittleEndian.Uint64(block[k:])
		// A byte is zero where neither its low seven bits carry into the eighth nor that is set.
		u, v, w := x^p, x^q, x^r
		found := ^((u&low7 + low7 | u) & (v&low7 + low7 | v) & (w&low7 + low7 | w)) &^ low7
		word |= (found >> 7 * 0x0102040810204080 >> 56) << k // the eight high bits side by side
	}
	return word
}
