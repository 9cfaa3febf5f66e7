package orc

import (
	"encoding/binary"

	"math/bits"
)

// maxRun is the longest run of integers.
const maxRun = 512

// intReader is integer run length encoding, version 1 or 2.
type intReader struct {
	s      *stream
	signed bool
	v2     bool
	at     int // next value of buf
	have   int
	buf    []int64 // a run that did not fit the caller's memory
}

func newIntReader(s *stream, signed, v2 bool) intReader {
	return intReader{s: s, signed: signed, v2: v2}
}

const errRun = formatError("an integer run is malformed")

// next reads len(dst) values.
func (r *intReader) next(dst []int64) error {
	for len(dst) > 0 {
		if r.at < r.have {
			n := copy(dst, r.buf[r.at:r.have])
			r.at += n
			dst = dst[n:]
			continue
		}
		n, err := r.run(dst)
		if err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// target is memory for a run of n values: dst where it fits, else buf. direct is n in the
// first case, else 0.
func (r *intReader) target(dst []int64, n int) (out []int64, direct int) {
	if n <= len(dst) {
		return dst[:n], n
	}
	if r.buf == nil {
		r.buf = make([]int64, maxRun)
	}
	r.at, r.have = 0, n
	return r.buf[:n], 0
}

// run decodes the next run, to dst if it fits there, and returns how many values it wrote
// to dst.
func (r *intReader) run(dst []int64) (int, error) {
	if !r.v2 {
		return r.run1(dst)
	}
	s := r.s
	if err := s.fill(2); err != nil { // no run is shorter
		return 0, err
	}
	switch s.data[s.pos] >> 6 {
	case 0:
		return r.shortRepeat(dst)
	case 1:
		n, width, err := r.header()
		if err != nil {
			return 0, err
		}
		out, k := r.target(dst, n)
		if err := r.packed(out, width); err != nil {
			return 0, err
		}
		if r.signed {
			unzigzagAll(out)
		}
		return k, nil
	case 2:
		return r.patched(dst)
	}
	return r.delta(dst)
}

// skip passes over n values.
func (r *intReader) skip(n int) error {
	k := min(n, r.have-r.at)
	r.at += k
	n -= k
	for n > 0 {
		size, err := r.pass(n)
		if err != nil {
			return err
		}
		if size > 0 {
			n -= size
			continue
		}
		if _, err := r.run(nil); err != nil {
			return err
		}
		k := min(n, r.have-r.at)
		r.at += k
		n -= k
	}
	return nil
}

// pass passes over the next run without decoding it, where that is simple and the run has
// at most n values; it returns their number, else 0.
func (r *intReader) pass(n int) (int, error) {
	s := r.s
	if !r.v2 {
		return 0, nil
	}
	if err := s.fill(2); err != nil {
		return 0, err
	}
	b := s.data[s.pos:]
	switch b[0] >> 6 {
	case 0:
		size := int(b[0]&7) + 3
		if size > n {
			return 0, nil
		}
		return size, s.skip(int64(b[0]>>3&7) + 2)
	case 1:
		size := int(b[0]&1)<<8 + int(b[1]) + 1
		if size > n {
			return 0, nil
		}
		return size, s.skip(2 + int64(packedBytes(size, decodeWidth(b[0]>>1&31))))
	}
	return 0, nil
}

// widths are the bit widths of the 5-bit codes.
var widths = [32]uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 40, 48, 56, 64}

func decodeWidth(code byte) uint { return uint(widths[code&31]) }

// closestWidth is the smallest width of a code that holds n bits.
func closestWidth(n uint) uint {
	switch {
	case n == 0:
		return 1
	case n <= 24:
		return n
	case n <= 32:
		return (n + 1) &^ 1
	}
	return (n + 7) &^ 7
}

func packedBytes(n int, width uint) int { return (n*int(width) + 7) / 8 }

// header reads the two bytes that DIRECT, PATCHED_BASE and DELTA begin with.
func (r *intReader) header() (n int, width uint, err error) {
	s := r.s
	if err := s.fill(2); err != nil {
		return 0, 0, err
	}
	b0, b1 := s.data[s.pos], s.data[s.pos+1]
	s.pos += 2
	return int(b0&1)<<8 + int(b1) + 1, decodeWidth(b0 >> 1), nil
}

// packed reads len(out) values of width bits, padded to a byte.
func (r *intReader) packed(out []int64, width uint) error {
	size := packedBytes(len(out), width)
	if err := r.s.fill(size); err != nil {
		return err
	}
	unpack(out, r.s.data[r.s.pos:], width)
	r.s.pos += size
	return nil
}

func (r *intReader) shortRepeat(dst []int64) (int, error) {
	s := r.s
	size := int(s.data[s.pos]>>3&7) + 1
	n := int(s.data[s.pos]&7) + 3
	if err := s.fill(1 + size); err != nil {
		return 0, err
	}
	x := bigEndian(s.data[s.pos+1 : s.pos+1+size])
	s.pos += 1 + size
	v := int64(x)
	if r.signed {
		v = unzigzag(x)
	}
	out, k := r.target(dst, n)
	for i := range out {
		out[i] = v
	}
	return k, nil
}

func bigEndian(b []byte) (x uint64) {
	for _, c := range b {
		x = x<<8 | uint64(c)
	}
	return x
}

// varint reads a base 128 varint.
func (r *intReader) varint() (uint64, error) {
	s := r.s
	if err := s.want(binary.MaxVarintLen64); err != nil {
		return 0, err
	}
	x, n := binary.Uvarint(s.data[s.pos:])
	if n <= 0 {
		if n == 0 {
			return 0, errStreamEnd
		}
		return 0, errRun
	}
	s.pos += n
	return x, nil
}

func (r *intReader) delta(dst []int64) (int, error) {
	fixed := r.s.data[r.s.pos]>>1&31 == 0
	n, width, err := r.header()
	if err != nil {
		return 0, err
	}
	first, err := r.varint()
	if err != nil {
		return 0, err
	}
	step, err := r.varint()
	if err != nil {
		return 0, err
	}
	out, k := r.target(dst, n)
	v := int64(first)
	if r.signed {
		v = unzigzag(first)
	}
	d := unzigzag(step)
	out[0] = v
	if fixed {
		if d == 0 {
			for i := range out {
				out[i] = v
			}
			return k, nil
		}
		for i := range out {
			out[i] = v
			v += d
		}
		return k, nil
	}
	if n == 1 {
		return k, nil
	}
	v += d
	out[1] = v
	rest := out[2:]
	if err := r.packed(rest, width); err != nil {
		return 0, err
	}
	if d < 0 {
		for i, x := range rest {
			v -= x
			rest[i] = v
		}
		return k, nil
	}
	for i, x := range rest {
		v += x
		rest[i] = v
	}
	return k, nil
}

func (r *intReader) patched(dst []int64) (int, error) {
	s := r.s
	n, width, err := r.header()
	if err != nil {
		return 0, err
	}
	if err := s.fill(2); err != nil {
		return 0, err
	}
	b2, b3 := s.data[s.pos], s.data[s.pos+1]
	s.pos += 2
	baseBytes := int(b2>>5) + 1
	patchWidth := decodeWidth(b2)
	gapWidth := uint(b3>>5) + 1
	patches := int(b3 & 31)
	if patchWidth+gapWidth > 64 {
		return 0, errRun
	}
	if err := s.fill(baseBytes); err != nil {
		return 0, err
	}
	x := bigEndian(s.data[s.pos : s.pos+baseBytes])
	s.pos += baseBytes
	sign := uint64(1) << uint(8*baseBytes-1)
	base := int64(x &^ sign)
	if x&sign != 0 {
		base = -base
	}
	out, k := r.target(dst, n)
	if err := r.packed(out, width); err != nil {
		return 0, err
	}
	var list [32]int64
	if err := r.packed(list[:patches], closestWidth(patchWidth+gapWidth)); err != nil {
		return 0, err
	}
	at := 0
	for _, e := range list[:patches] {
		at += int(uint64(e) >> patchWidth & (1<<gapWidth - 1))
		patch := uint64(e) & (1<<patchWidth - 1)
		if patch == 0 {
			continue // only the gap counts
		}
		if at >= n {
			return 0, errRun
		}
		out[at] |= int64(patch << width)
	}
	for i := range out {
		out[i] += base
	}
	return k, nil
}

// run1 decodes a run of version 1.
func (r *intReader) run1(dst []int64) (int, error) {
	s := r.s
	if err := s.fill(2); err != nil {
		return 0, err
	}
	c := s.data[s.pos]
	s.pos++
	if c < 128 {
		step := int64(int8(s.data[s.pos]))
		s.pos++
		x, err := r.varint()
		if err != nil {
			return 0, err
		}
		v := int64(x)
		if r.signed {
			v = unzigzag(x)
		}
		out, k := r.target(dst, int(c)+3)
		for i := range out {
			out[i] = v
			v += step
		}
		return k, nil
	}
	out, k := r.target(dst, 256-int(c))
	for i := range out {
		x, err := r.varint()
		if err != nil {
			r.have = r.at
			return 0, err
		}
		out[i] = int64(x)
	}
	if r.signed {
		unzigzagAll(out)
	}
	return k, nil
}

func (r *intReader) seek(p *positions) error {
	if err := r.s.seek(p); err != nil {
		return err
	}
	n, err := p.take()
	if err != nil {
		return err
	}
	r.at, r.have = 0, 0
	if n > maxRun {
		return formatError("a position of the row index lies behind its run")
	}
	return r.skip(int(n))
}

func unzigzagAll(v []int64) {
	for i, x := range v {
		v[i] = int64(uint64(x)>>1) ^ -(x & 1)
	}
}

// widthOf is the number of bits that x takes, at least 1.
func widthOf(x uint64) uint { return max(uint(bits.Len64(x)), 1) }
