package parquet

import (
	"math/bits"
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

// hybrid decodes the RLE / bit-packed hybrid of levels and dictionary codes:
//
//	run:     varint(count<<1)       value in ceil(width/8) bytes, little endian
//	packed:  varint(groups<<1 | 1)  groups*8 values of width bits, least significant first
//
// Source: parquet-format Encodings.md. The bytes behind data must be readable (padding).
type hybrid struct {
	data  []byte
	pos   int // of the next header
	width uint

	left   int // values left in the run
	packed bool
	value  uint32 // of an RLE run
	start  int    // first byte of a packed run
	index  int    // next value of a packed run
}

const (
	errRunShort = formatError("run-length data ends early")
	errRunEmpty = formatError("run-length data has an empty run")
	errCode     = formatError("a dictionary code is out of range")
	errLevel    = formatError("a definition level is out of range")
)

func (h *hybrid) init(data []byte, width uint) {
	*h = hybrid{data: data, width: width}
}

// nextRun reads the header of the next run; left is positive afterwards.
func (h *hybrid) nextRun() error {
	var x uint64
	for shift := uint(0); ; shift += 7 {
		if h.pos >= len(h.data) || shift > 35 {
			return errRunShort
		}
		c := h.data[h.pos]
		h.pos++
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	count := int(x >> 1)
	if count == 0 {
		return errRunEmpty
	}
	if x&1 == 0 {
		bytes := int(h.width+7) / 8
		if len(h.data)-h.pos < bytes {
			return errRunShort
		}
		h.value = 0
		for i := range bytes {
			h.value |= uint32(h.data[h.pos+i]) << (8 * i)
		}
		h.pos += bytes
		h.packed, h.left = false, count
		return nil
	}
	h.packed, h.start, h.index = true, h.pos, 0
	h.left = count * 8
	if h.width == 0 {
		return nil
	}
	if rest := len(h.data) - h.pos; count > rest/int(h.width) { // writers may cut the last group
		h.left = rest * 8 / int(h.width)
		if h.left == 0 {
			return errRunShort
		}
		h.pos = len(h.data)
		return nil
	}
	h.pos += count * int(h.width)
	return nil
}

// codes decodes len(dst) codes, all of them below limit.
func (h *hybrid) codes(dst []int32, limit int) error {
	for len(dst) > 0 {
		if h.left == 0 {
			if err := h.nextRun(); err != nil {
				return err
			}
		}
		n := min(len(dst), h.left)
		switch {
		case !h.packed || h.width == 0:
			v := h.value
			if h.packed {
				v = 0
			}
			if int64(v) >= int64(limit) {
				return errCode
			}
			fill32(dst[:n], int32(v))
		default:
			if int64(unpackBits(dst[:n], h.data[h.start:], h.index*int(h.width), h.width)) >= int64(limit) {
				return errCode
			}
		}
		h.index += n
		h.left -= n
		dst = dst[n:]
	}
	return nil
}

// pick decodes the codes at the positions idx (ascending, below total) among the next
// total ones, and passes over all of them.
func (h *hybrid) pick(dst []int32, idx []int32, total, limit int) error {
	done := 0
	for done < total {
		if h.left == 0 {
			if len(idx) == 0 {
				return h.skip(total - done)
			}
			if err := h.nextRun(); err != nil {
				return err
			}
		}
		n := min(total-done, h.left)
		k := 0
		for k < len(idx) && int(idx[k]) < done+n {
			k++
		}
		if h.packed && h.width > 0 {
			base := unsafe.Pointer(unsafe.SliceData(h.data))
			mask := uint64(1)<<h.width - 1
			for i, x := range idx[:k] {
				bit := (h.index + int(x) - done) * int(h.width)
				v := load64(base, h.start+bit>>3) >> (uint(bit) & 7) & mask
				if v >= uint64(limit) {
					return errCode
				}
				dst[i] = int32(v)
			}
		} else if k > 0 {
			v := h.value
			if h.packed {
				v = 0
			}
			if int64(v) >= int64(limit) {
				return errCode
			}
			fill32(dst[:k], int32(v))
		}
		dst, idx = dst[k:], idx[k:]
		h.index += n
		h.left -= n
		done += n
	}
	return nil
}

// skip passes over n values.
func (h *hybrid) skip(n int) error {
	for n > 0 {
		if h.left == 0 {
			if err := h.nextRun(); err != nil {
				return err
			}
		}
		k := min(n, h.left)
		h.index += k
		h.left -= k
		n -= k
	}
	return nil
}

func fill32(dst []int32, v int32) {
	for i := range dst {
		dst[i] = v
	}
}

// validity decodes n definition levels of 0 or 1 into bits [off, off+n) of valid, which
// are zero, and returns how many are 1. h.width is 1.
func (h *hybrid) validity(valid vector.Bitmap, off, n int) (ones int, err error) {
	for n > 0 {
		if h.left == 0 {
			if err := h.nextRun(); err != nil {
				return 0, err
			}
		}
		k := min(n, h.left)
		switch {
		case h.packed:
			ones += copyBits(valid, off, h.data[h.start:], h.index, k)
		case h.value == 1:
			setBits(valid, off, k)
			ones += k
		case h.value != 0:
			return 0, errLevel
		}
		h.index += k
		h.left -= k
		off += k
		n -= k
	}
	return ones, nil
}

// skipValidity passes over n levels and returns how many are 1.
func (h *hybrid) skipValidity(n int) (ones int, err error) {
	for n > 0 {
		if h.left == 0 {
			if err := h.nextRun(); err != nil {
				return 0, err
			}
		}
		k := min(n, h.left)
		switch {
		case h.packed:
			ones += countBits(h.data[h.start:], h.index, k)
		case h.value == 1:
			ones += k
		case h.value != 0:
			return 0, errLevel
		}
		h.index += k
		h.left -= k
		n -= k
	}
	return ones, nil
}

// setBits sets bits [off, off+n).
func setBits(b vector.Bitmap, off, n int) {
	for n > 0 {
		shift := uint(off) & 63
		k := min(n, 64-int(shift))
		b[off>>6] |= ^uint64(0) >> (64 - uint(k)) << shift
		off += k
		n -= k
	}
}

// bitsAt reads k bits (1..56) from bit `at` of src.
func bitsAt(src []byte, at, k int) uint64 {
	x := load64(unsafe.Pointer(unsafe.SliceData(src)), at>>3) >> (uint(at) & 7)
	return x & (1<<uint(k) - 1)
}

// copyBits ORs n bits of src, from bit `at`, into dst at off, and counts the ones.
func copyBits(dst vector.Bitmap, off int, src []byte, at, n int) (ones int) {
	for n > 0 {
		k := min(n, 56)
		x := bitsAt(src, at, k)
		ones += bits.OnesCount64(x)
		shift := uint(off) & 63
		dst[off>>6] |= x << shift
		if int(shift)+k > 64 {
			dst[off>>6+1] |= x >> (64 - shift)
		}
		off += k
		at += k
		n -= k
	}
	return ones
}

func countBits(src []byte, at, n int) (ones int) {
	for n > 0 {
		k := min(n, 56)
		ones += bits.OnesCount64(bitsAt(src, at, k))
		at += k
		n -= k
	}
	return ones
}

func popcount(x uint64) int { return bits.OnesCount64(x) }
