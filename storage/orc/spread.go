package orc

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/vector"
)

// spread moves the ones values packed at the front of dst to the rows of [0, n) whose bits
// are set in valid. Rows between hold a neighbour's value or zero. It works backwards, a
// word of bits at a time, so that it needs no second buffer.
func spread[T any](dst []T, valid vector.Bitmap, n, ones int) {
	j := ones
	for i := n; j < i && i > 0; { // j == i: everything before is in place
		k := i & 63
		if k == 0 {
			k = 64
		}
		i -= k
		w := valid[i>>6]
		if k < 64 {
			w &= 1<<uint(k) - 1
		}
		switch bits.OnesCount64(w) {
		case k:
			copy(dst[i:i+k], dst[j-k:j])
			j -= k
		case 0:
			clear(dst[i : i+k])
		default:
			row := dst[i : i+k]
			for r := k - 1; r >= 0; r-- {
				if j == 0 {
					clear(row[:r+1])
					break
				}
				row[r] = dst[j-1]
				j -= int(w >> uint(r) & 1)
			}
		}
	}
}

// spreadFixed is spread for values of width bytes.
func spreadFixed(data []byte, width int, valid vector.Bitmap, n, ones int) {
	if ones == n {
		return
	}
	switch width {
	case 1:
		spread(slice[uint8](data, n), valid, n, ones)
	case 2:
		spread(slice[uint16](data, n), valid, n, ones)
	case 4:
		spread(slice[uint32](data, n), valid, n, ones)
	case 8:
		spread(slice[uint64](data, n), valid, n, ones)
	case 16:
		spread(slice[[2]uint64](data, n), valid, n, ones)
	}
}

// gatherFixed writes src[idx[i]] to dst[i]; src and dst must not overlap.
func gatherFixed(dst, src []byte, width int, idx []int32) {
	switch width {
	case 1:
		gather[uint8](dst, src, idx)
	case 2:
		gather[uint16](dst, src, idx)
	case 4:
		gather[uint32](dst, src, idx)
	case 8:
		gather[uint64](dst, src, idx)
	case 16:
		gather[[2]uint64](dst, src, idx)
	}
}

func gather[T any](dst, src []byte, idx []int32) {
	var t T
	d := slice[T](dst, len(idx))
	s := slice[T](src, len(src)/int(sizeOf(t)))
	for i, x := range idx {
		d[i] = s[x]
	}
}

// deposit spreads the k bits of src over the set bits of mask, of n bits, in dst.
func deposit(dst, src, mask vector.Bitmap, n int) {
	at := 0
	for w := range (n + 63) / 64 {
		m, out := mask[w], uint64(0)
		if w == n>>6 {
			m &= 1<<(uint(n)&63) - 1
		}
		for ; m != 0; m &= m - 1 {
			low := m & -m
			if src[at>>6]>>(uint(at)&63)&1 != 0 {
				out |= low
			}
			at++
		}
		dst[w] = out
	}
}

// grow returns b with at least n elements; old ones are not kept.
func grow[T any](b []T, n int) []T {
	if len(b) < n {
		return make([]T, max(n, vector.BatchRows))
	}
	return b
}
