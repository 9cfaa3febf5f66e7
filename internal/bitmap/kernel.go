package bitmap

import "encoding/binary"

// setBitsGeneric adds the values of an array, four at a time.
func setBitsGeneric(w *words, d []byte) {
	for ; len(d) >= 8; d = d[8:] {
		x := binary.LittleEndian.Uint64(d)
		w[x>>6&(numWords-1)] |= 1 << (x & 63)
		w[x>>22&(numWords-1)] |= 1 << (x >> 16 & 63)
		w[x>>38&(numWords-1)] |= 1 << (x >> 32 & 63)
		w[x>>54] |= 1 << (x >> 48 & 63)
	}
	for ; len(d) >= 2; d = d[2:] {
		v := binary.LittleEndian.Uint16(d)
		w[v>>6] |= 1 << (v & 63)
	}
}

// takeOnesGeneric counts the bits of w and clears them.
func takeOnesGeneric(w *words) int {
	n := ones(w)
	clear(w[:])
	return n
}
