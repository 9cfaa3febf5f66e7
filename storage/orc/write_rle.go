package orc

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// encodeWidth is the 5-bit code of a width that closestWidth gave.
func encodeWidth(width uint) byte {
	switch {
	case width <= 24:
		return byte(width - 1)
	case width <= 32:
		return byte(24 + (width-26)/2)
	}
	return byte(28 + (width-40)/8)
}

// appendBytesRLE appends byte run length encoding.
func appendBytesRLE(dst, vals []byte) []byte {
	for i := 0; i < len(vals); {
		n := 1
		for n < 130 && i+n < len(vals) && vals[i+n] == vals[i] {
			n++
		}
		if n >= 3 {
			dst = append(dst, byte(n-3), vals[i])
			i += n
			continue
		}
		j := i
		for j < len(vals) && j-i < 128 && !(j+2 < len(vals) && vals[j] == vals[j+1] && vals[j] == vals[j+2]) {
			j++
		}
		dst = append(dst, byte(256-(j-i)))
		dst = append(dst, vals[i:j]...)
		i = j
	}
	return dst
}

// rleEncoder writes integer run length encoding, version 2. At each position it compares
// what a repeat, a monotonic run and literals cost a value, and takes the cheapest.
type rleEncoder struct {
	signed bool
	packed [maxRun]uint64
}

// append encodes vals.
func (e *rleEncoder) append(dst []byte, vals []int64) []byte {
	for len(vals) > 0 {
		same := repeats(vals)
		monotone, deltaBits := monotonic(vals)
		literals, width := e.literals(vals)
		repeatCost := math.Inf(1)
		if same >= 3 {
			repeatCost = float64(e.repeatBits(vals[0], same)) / float64(same)
		}
		deltaCost := math.Inf(1)
		if monotone >= 3 {
			deltaCost = float64(e.deltaBits(vals, monotone, deltaBits)) / float64(monotone)
		}
		literalCost := float64(16+literals*int(width)) / float64(literals)
		switch {
		case repeatCost <= deltaCost && repeatCost <= literalCost:
			dst = e.repeat(dst, vals[0], same)
			vals = vals[same:]
		case deltaCost <= literalCost:
			dst = e.delta(dst, vals[:monotone], deltaBits)
			vals = vals[monotone:]
		default:
			dst = e.literal(dst, vals[:literals])
			vals = vals[literals:]
		}
	}
	return dst
}

// repeats is how often the first value stands at the beginning.
func repeats(vals []int64) int {
	n := 1
	for n < len(vals) && n < maxRun && vals[n] == vals[0] {
		n++
	}
	return n
}

// monotonic is the length of the rising or falling run that vals begins with, and the bits
// that its steps but the first take; 0 bits: all steps are equal.
func monotonic(vals []int64) (n int, width uint) {
	if len(vals) < 2 {
		return len(vals), 0
	}
	first, ok := step(vals[0], vals[1])
	if !ok {
		return 1, 0
	}
	n = 2
	all, equal := uint64(0), true
	for n < len(vals) && n < maxRun {
		d, ok := step(vals[n-1], vals[n])
		if !ok || d < 0 && first >= 0 || d > 0 && first < 0 {
			break
		}
		equal = equal && d == first
		if d < 0 {
			d = -d
		}
		all |= uint64(d)
		n++
	}
	if equal {
		return n, 0
	}
	return n, max(closestWidth(widthOf(all)), 2) // code 0 means equal steps
}

// step is b-a; ok is false when it overflows.
func step(a, b int64) (int64, bool) {
	d := b - a
	return d, (b^a)&(b^d) >= 0 && d != math.MinInt64
}

func (e *rleEncoder) stored(x int64) uint64 {
	if e.signed {
		return zigzag(x)
	}
	return uint64(x)
}

// literals is how many values to write as they are: up to 512, or to a repeat that is worth a
// run of its own; and their width.
func (e *rleEncoder) literals(vals []int64) (n int, width uint) {
	all, same := uint64(0), 0
	for n < len(vals) && n < maxRun {
		if n > 0 && vals[n] == vals[n-1] {
			same++
		} else {
			same = 1
		}
		all |= e.stored(vals[n])
		n++
		if same >= 3 && same < n {
			w := int(widthOf(all))
			if same*w > 40+8*((int(widthOf(e.stored(vals[n-1])))+7)/8) {
				n -= same
				break
			}
		}
	}
	all = 0
	for _, x := range vals[:n] {
		all |= e.stored(x)
	}
	return n, closestWidth(widthOf(all))
}

func varintBytes(x uint64) int { return (bits.Len64(x|1) + 6) / 7 }

func (e *rleEncoder) repeatBits(x int64, n int) int {
	if n <= 10 {
		return 8 * (1 + (int(widthOf(e.stored(x)))+7)/8)
	}
	return 8 * (3 + varintBytes(e.stored(x)))
}

func (e *rleEncoder) deltaBits(vals []int64, n int, width uint) int {
	return 8*(2+varintBytes(e.stored(vals[0]))+varintBytes(zigzag(vals[1]-vals[0]))) + max(n-2, 0)*int(width)
}

func (e *rleEncoder) repeat(dst []byte, x int64, n int) []byte {
	v := e.stored(x)
	if n > 10 {
		dst = append(dst, 3<<6|byte((n-1)>>8), byte(n-1))
		return append(binary.AppendUvarint(dst, v), 0)
	}
	size := (int(widthOf(v)) + 7) / 8
	dst = append(dst, byte(size-1)<<3|byte(n-3))
	for k := size - 1; k >= 0; k-- {
		dst = append(dst, byte(v>>(8*uint(k))))
	}
	return dst
}

func (e *rleEncoder) delta(dst []byte, vals []int64, width uint) []byte {
	n := len(vals)
	code := byte(0)
	if width > 0 {
		code = encodeWidth(width)
	}
	dst = append(dst, 3<<6|code<<1|byte((n-1)>>8), byte(n-1))
	dst = binary.AppendUvarint(dst, e.stored(vals[0]))
	dst = binary.AppendUvarint(dst, zigzag(vals[1]-vals[0]))
	if width == 0 {
		return dst
	}
	for i := 2; i < n; i++ {
		d := vals[i] - vals[i-1]
		if d < 0 {
			d = -d
		}
		e.packed[i-2] = uint64(d)
	}
	return appendPacked(dst, e.packed[:n-2], width)
}

// literal writes DIRECT, or PATCHED_BASE where a few values are much wider than the rest.
func (e *rleEncoder) literal(dst []byte, vals []int64) []byte {
	n := len(vals)
	var count [65]int
	all := uint64(0)
	for i, x := range vals {
		v := e.stored(x)
		e.packed[i] = v
		all |= v
		count[bits.Len64(v)]++
	}
	width := closestWidth(widthOf(all))
	if n >= 16 && int(width)-percentile(&count, n, n/10) > 1 {
		if out, ok := e.patched(dst, vals, 16+n*int(width)); ok {
			return out
		}
	}
	dst = append(dst, 1<<6|encodeWidth(width)<<1|byte((n-1)>>8), byte(n-1))
	return appendPacked(dst, e.packed[:n], width)
}

// percentile is the width that all but `over` of n values fit, by their counts by width.
func percentile(count *[65]int, n, over int) int {
	for w := 64; w > 0; w-- {
		if over -= count[w]; over < 0 {
			return w
		}
	}
	return 1
}

// maxPatches is the most entries of a patch list.
const maxPatches = 31

// patched writes PATCHED_BASE where it takes less than limit bits.
func (e *rleEncoder) patched(dst []byte, vals []int64, limit int) ([]byte, bool) {
	n := len(vals)
	lo, hi := vals[0], vals[0]
	for _, x := range vals {
		lo, hi = min(lo, x), max(hi, x)
	}
	if span := hi - lo; span < 0 || lo <= -1<<55 || lo >= 1<<55 {
		return dst, false
	}
	var reduced [maxRun]uint64
	var count [65]int
	all := uint64(0)
	for i, x := range vals {
		v := uint64(x - lo)
		reduced[i] = v
		all |= v
		count[bits.Len64(v)]++
	}
	width := closestWidth(uint(percentile(&count, n, n/20)))
	full := widthOf(all)
	if full <= width {
		return dst, false
	}
	patchWidth := closestWidth(full - width)
	var gaps [maxPatches]int
	var patches [maxPatches]uint64
	k, last, widest := 0, 0, 0
	for i, v := range reduced[:n] {
		if v>>width == 0 {
			continue
		}
		gap := i - last
		for gap > 255 { // entries that only advance
			if k == maxPatches {
				return dst, false
			}
			gaps[k], patches[k] = 255, 0
			gap, widest = gap-255, 255
			k++
		}
		if k == maxPatches {
			return dst, false
		}
		gaps[k], patches[k] = gap, v>>width
		widest = max(widest, gap)
		k++
		last = i
	}
	gapWidth := widthOf(uint64(widest))
	if patchWidth+gapWidth > 64 || k == 0 {
		return dst, false
	}
	listWidth := closestWidth(patchWidth + gapWidth)
	magnitude := uint64(lo)
	if lo < 0 {
		magnitude = uint64(-lo)
	}
	baseBytes := (bits.Len64(magnitude) + 8) / 8 // and a sign
	if 32+8*baseBytes+n*int(width)+k*int(listWidth) >= limit {
		return dst, false
	}
	if lo < 0 {
		magnitude |= 1 << uint(8*baseBytes-1)
	}
	dst = append(dst, 2<<6|encodeWidth(width)<<1|byte((n-1)>>8), byte(n-1),
		byte(baseBytes-1)<<5|encodeWidth(patchWidth), byte(gapWidth-1)<<5|byte(k))
	for b := baseBytes - 1; b >= 0; b-- {
		dst = append(dst, byte(magnitude>>(8*uint(b))))
	}
	for i := range reduced[:n] {
		reduced[i] &= 1<<width - 1
	}
	dst = appendPacked(dst, reduced[:n], width)
	for i := range k {
		patches[i] |= uint64(gaps[i]) << patchWidth
	}
	return appendPacked(dst, patches[:k], listWidth), true
}

// appendPacked appends values of width bits, the highest bit first, padded to a byte.
func appendPacked(dst []byte, vals []uint64, width uint) []byte {
	acc, have := uint64(0), uint(0) // have < 8 bits, in the lowest places
	for _, v := range vals {
		left := width
		if have+left > 64 { // only for widths above 56
			top := left - 8
			acc = acc<<8 | v>>top&0xff
			have += 8
			for have >= 8 {
				have -= 8
				dst = append(dst, byte(acc>>have))
			}
			left = top
		}
		acc = acc<<left | v&(^uint64(0)>>(64-left))
		have += left
		for have >= 8 {
			have -= 8
			dst = append(dst, byte(acc>>have))
		}
	}
	if have > 0 {
		dst = append(dst, byte(acc<<(8-have)))
	}
	return dst
}
