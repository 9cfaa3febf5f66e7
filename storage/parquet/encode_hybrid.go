package parquet

import "encoding/binary"

// appendHybrid appends codes of width bits (0..32) as the RLE / bit-packed hybrid: runs of
// 8 or more equal values as runs, everything between in packed groups of 8.
func appendHybrid(dst []byte, codes []int32, width uint) []byte {
	if width == 0 {
		return appendRun(dst, 0, len(codes), 0)
	}
	n := len(codes)
	start := 0 // of the values not written yet
	for i := 0; i < n; {
		run := 1
		for i+run < n && codes[i+run] == codes[i] {
			run++
		}
		if fill := (8 - (i-start)&7) & 7; run-fill >= 8 {
			dst = appendPacked(dst, codes[start:i+fill], width)
			dst = appendRun(dst, uint32(codes[i]), run-fill, width)
			start = i + run
		}
		i += run
	}
	return appendPacked(dst, codes[start:], width)
}

func appendRun(dst []byte, v uint32, n int, width uint) []byte {
	if n == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for i := uint(0); i < width; i += 8 {
		dst = append(dst, byte(v>>i))
	}
	return dst
}

// appendPacked appends one packed run; the last group is filled up with zeros.
func appendPacked(dst []byte, codes []int32, width uint) []byte {
	if len(codes) == 0 {
		return dst
	}
	groups := (len(codes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*int(width)
	var acc uint64
	bits := uint(0)
	for _, c := range codes {
		acc |= uint64(uint32(c)) << bits
		for bits += width; bits >= 8; bits -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if bits > 0 {
		dst = append(dst, byte(acc))
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}
