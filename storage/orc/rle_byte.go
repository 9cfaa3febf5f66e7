package orc

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/vector"
)

// byteReader is byte run length encoding: a control byte 0..127 repeats the next byte
// control+3 times, 128..255 is followed by 256-control bytes.
type byteReader struct {
	s       *stream
	left    int // of the run
	literal bool
	value   byte
}

func (r *byteReader) header() error {
	if err := r.s.fill(2); err != nil { // no run is shorter
		return err
	}
	c := r.s.data[r.s.pos]
	r.s.pos++
	if c >= 128 {
		r.left, r.literal = 256-int(c), true
		return nil
	}
	r.left, r.literal, r.value = int(c)+3, false, r.s.data[r.s.pos]
	r.s.pos++
	return nil
}

func (r *byteReader) next(dst []byte) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.header(); err != nil {
				return err
			}
		}
		n := min(r.left, len(dst))
		if r.literal {
			if err := r.s.fill(n); err != nil {
				return err
			}
			copy(dst[:n], r.s.data[r.s.pos:])
			r.s.pos += n
		} else {
			part := dst[:n]
			for i := range part {
				part[i] = r.value
			}
		}
		r.left -= n
		dst = dst[n:]
	}
	return nil
}

func (r *byteReader) skip(n int) error {
	for n > 0 {
		if r.left == 0 {
			if err := r.header(); err != nil {
				return err
			}
		}
		k := min(r.left, n)
		if r.literal {
			if err := r.s.skip(int64(k)); err != nil {
				return err
			}
		}
		r.left -= k
		n -= k
	}
	return nil
}

func (r *byteReader) seek(p *positions) error {
	if err := r.s.seek(p); err != nil {
		return err
	}
	n, err := p.take()
	if err != nil {
		return err
	}
	r.left = 0
	if n > 130 {
		return formatError("a position of the row index lies behind its run")
	}
	return r.skip(int(n))
}

// bitReader is boolean run length encoding: bits, the first in the highest place, packed
// into bytes that are run length encoded.
type bitReader struct {
	bytes byteReader
	acc   uint64 // bits that are left of the last byte, the next in the lowest place
	left  int    // how many
	buf   []byte
}

// next reads n bits to the front of dst and returns how many are set. Bits behind them in
// the last word are cleared.
func (r *bitReader) next(dst vector.Bitmap, n int) (ones int, err error) {
	if n == 0 {
		return 0, nil
	}
	if r.left >= n {
		w := r.acc & (1<<uint(n) - 1)
		dst[0] = w
		r.acc >>= uint(n)
		r.left -= n
		return bits.OnesCount64(w), nil
	}
	count := (n - r.left + 7) / 8
	if len(r.buf) < count {
		r.buf = make([]byte, max(count, 512))
	}
	buf := r.buf[:count]
	if err := r.bytes.next(buf); err != nil {
		return 0, err
	}
	w, filled, at := r.acc, r.left, 0
	for _, b := range buf {
		x := uint64(bits.Reverse8(b))
		w |= x << uint(filled)
		if filled += 8; filled >= 64 {
			dst[at] = w
			ones += bits.OnesCount64(w)
			at++
			filled -= 64
			w = x >> uint(8-filled)
		}
	}
	total := r.left + 8*count
	r.left = total - n
	r.acc = uint64(bits.Reverse8(buf[count-1])) >> uint(8-r.left)
	if tail := n & 63; tail != 0 {
		if at == n>>6 { // the last word is still in w
			dst[at] = w & (1<<uint(tail) - 1)
			ones += bits.OnesCount64(dst[at])
		} else { // it was full and has bits of the next call
			ones -= bits.OnesCount64(dst[at-1])
			dst[at-1] &= 1<<uint(tail) - 1
			ones += bits.OnesCount64(dst[at-1])
		}
	}
	return ones, nil
}

// skip passes over n bits and returns how many of them are set.
func (r *bitReader) skip(n int) (ones int, err error) {
	var words [64]uint64
	for n > 0 {
		k := min(n, 64*len(words))
		x, err := r.next(words[:], k)
		if err != nil {
			return 0, err
		}
		ones += x
		n -= k
	}
	return ones, nil
}

func (r *bitReader) seek(p *positions) error {
	if err := r.bytes.seek(p); err != nil {
		return err
	}
	n, err := p.take()
	if err != nil {
		return err
	}
	r.acc, r.left = 0, 0
	if n > 8 {
		return formatError("a position of the row index lies behind its byte")
	}
	_, err = r.skip(int(n))
	return err
}
