package orc

import (
	"math/bits"
	"unsafe"
)

// load64 reads 8 bytes at p[off], the first in the highest place. The caller guarantees
// that they are readable, which the padding behind every chunk does for the bytes just past
// the data.
func load64(p unsafe.Pointer, off int) uint64 {
	return bits.ReverseBytes64(*(*uint64)(unsafe.Add(p, off)))
}

// unpack reads len(dst) values of width bits (one of widths), most significant bit first.
// The bytes of all values must be in src, followed by padding readable bytes.
func unpack(dst []int64, src []byte, width uint) {
	p := unsafe.Pointer(unsafe.SliceData(src))
	switch width {
	case 8:
		src := unsafe.Slice((*byte)(p), len(dst))
		for i, c := range src {
			dst[i] = int64(c)
		}
		return
	case 64:
		for i := range dst {
			dst[i] = int64(load64(p, 8*i))
		}
		return
	}
	down := 64 - width
	for ; len(dst) >= 8; dst = dst[8:] {
		d := dst[:8:8]
		d[0] = int64(load64(p, 0) >> down)
		bit := width
		for k := 1; k < 8; k++ {
			d[k] = int64(load64(p, int(bit>>3)) << (bit & 7) >> down)
			bit += width
		}
		p = unsafe.Add(p, int(width))
	}
	bit := uint(0)
	for i := range dst {
		dst[i] = int64(load64(p, int(bit>>3)) << (bit & 7) >> down)
		bit += width
	}
}
