package parquet

import "unsafe"

// load64 reads 8 bytes at p[off]; the caller guarantees that they are readable, which
// the padding behind every page buffer does for the bytes just past the data.
func load64(p unsafe.Pointer, off int) uint64 { return *(*uint64)(unsafe.Add(p, off)) }

// unpackBits reads len(dst) values of width bits (1..32), least significant bit first,
// that start at bit `first` of src, and returns the largest. The bytes of all values
// must be in src, followed by 32 readable bytes.
func unpackBits(dst []int32, src []byte, first int, width uint) (largest uint32) {
	if len(dst) == 0 {
		return 0
	}
	base := unsafe.Pointer(unsafe.SliceData(src))
	mask := uint64(1)<<width - 1
	i := 0
	for ; i < len(dst) && first&7 != 0; i++ {
		x := uint32(load64(base, first>>3) >> (uint(first) & 7) & mask)
		dst[i] = int32(x)
		largest = max(largest, x)
		first += int(width)
	}
	p := unsafe.Add(base, first>>3)
	if n := (len(dst) - i) &^ 7; n > 0 {
		largest = max(largest, unpackGroups(dst[i:i+n], p, width))
		p = unsafe.Add(p, n/8*int(width))
		i += n
	}
	bit := 0
	for ; i < len(dst); i++ {
		x := uint32(load64(p, bit>>3) >> (uint(bit) & 7) & mask)
		dst[i] = int32(x)
		largest = max(largest, x)
		bit += int(width)
	}
	return largest
}

// unpackGroupsGeneric is unpackGroups in plain Go.
func unpackGroupsGeneric(all []int32, p unsafe.Pointer, width uint) (largest uint32) {
	dst := all
	switch width {
	case 1:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, uint64(*(*byte)(p)), 1, 1)
			p = unsafe.Add(p, 1)
		}
	case 2:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 2, 3)
			p = unsafe.Add(p, 2)
		}
	case 3:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 3, 7)
			p = unsafe.Add(p, 3)
		}
	case 4:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 4, 15)
			p = unsafe.Add(p, 4)
		}
	case 5:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 5, 31)
			p = unsafe.Add(p, 5)
		}
	case 6:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 6, 63)
			p = unsafe.Add(p, 6)
		}
	case 7:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 7, 127)
			p = unsafe.Add(p, 7)
		}
	case 8:
		for ; len(dst) >= 8; dst = dst[8:] {
			unpack8(dst, load64(p, 0), 8, 255)
			p = unsafe.Add(p, 8)
		}
	case 9, 10, 11, 12, 13, 14, 15, 16:
		unpackWords4(dst, p, width)
	default:
		unpackWords1(dst, p, width)
	}
	return largestOf(all)
}

func largestOf(codes []int32) uint32 {
	var m0, m1, m2, m3 uint32
	for ; len(codes) >= 4; codes = codes[4:] {
		m0 = max(m0, uint32(codes[0]))
		m1 = max(m1, uint32(codes[1]))
		m2 = max(m2, uint32(codes[2]))
		m3 = max(m3, uint32(codes[3]))
	}
	for _, c := range codes {
		m0 = max(m0, uint32(c))
	}
	return max(max(m0, m1), max(m2, m3))
}

// unpack8 spreads the lowest 8*width bits of x. It is inlined with constant shifts.
func unpack8(dst []int32, x uint64, width uint, mask uint64) {
	d := dst[:8:8]
	d[0] = int32(x & mask)
	d[1] = int32(x >> width & mask)
	d[2] = int32(x >> (2 * width) & mask)
	d[3] = int32(x >> (3 * width) & mask)
	d[4] = int32(x >> (4 * width) & mask)
	d[5] = int32(x >> (5 * width) & mask)
	d[6] = int32(x >> (6 * width) & mask)
	d[7] = int32(x >> (7 * width) & mask)
}

// unpackWords4 unpacks widths 9..16: four values from each load. 4*width bits plus the
// odd half byte of odd widths fit 64 bits.
func unpackWords4(dst []int32, p unsafe.Pointer, width uint) {
	mask := uint64(1)<<width - 1
	half, odd := int(4*width>>3), 4*width&7
	w1, w2, w3 := width&63, 2*width&63, 3*width&63
	for ; len(dst) >= 8; dst = dst[8:] {
		d := dst[:8:8]
		x := load64(p, 0)
		y := load64(p, half) >> odd
		d[0] = int32(x & mask)
		d[1] = int32(x >> w1 & mask)
		d[2] = int32(x >> w2 & mask)
		d[3] = int32(x >> w3 & mask)
		d[4] = int32(y & mask)
		d[5] = int32(y >> w1 & mask)
		d[6] = int32(y >> w2 & mask)
		d[7] = int32(y >> w3 & mask)
		p = unsafe.Add(p, int(width))
	}
}

// unpackWords1 unpacks widths 17..32: a load a value.
func unpackWords1(dst []int32, p unsafe.Pointer, width uint) {
	mask := uint64(1)<<width - 1
	for ; len(dst) >= 8; dst = dst[8:] {
		d := dst[:8:8]
		bit := uint(0)
		for i := range d {
			d[i] = int32(load64(p, int(bit>>3)) >> (bit & 7) & mask)
			bit += width
		}
		p = unsafe.Add(p, int(width))
	}
}

// unpack64 is unpackBits for widths 0..64 into 64-bit values; 9 readable bytes must
// follow the data.
func unpack64(dst []uint64, src []byte, first int, width uint) {
	if width == 0 {
		clear(dst)
		return
	}
	base := unsafe.Pointer(unsafe.SliceData(src))
	mask := ^uint64(0) >> (64 - width)
	for i := range dst {
		at, shift := first>>3, uint(first)&7
		x := load64(base, at) >> shift
		if shift+width > 64 {
			x |= uint64(*(*byte)(unsafe.Add(base, at+8))) << (64 - shift)
		}
		dst[i] = x & mask
		first += int(width)
	}
}
