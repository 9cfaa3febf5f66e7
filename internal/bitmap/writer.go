package bitmap

import (
	"encoding/binary"
	"math/bits"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// MaxBytes is the largest serialised bitmap.
const MaxBytes = 1 << 30

// writer gathers containers in ascending order of keys and serialises them. Each container that it makes has the
// smallest of the three forms.
type writer struct {
	heads []writtenHead
	body  []byte
}

type writtenHead struct {
	key  uint64
	card int
	run  bool
	end  int // of its bytes in body
}

func (w *writer) reset() { w.heads, w.body = w.heads[:0], w.body[:0] }

func (w *writer) closeContainer(key uint64, card int, run bool) {
	w.heads = append(w.heads, writtenHead{key, card, run, len(w.body)})
}

// copied adds a container of another bitmap as it is.
func (w *writer) copied(c *container) {
	if c.kind == runKind {
		w.body = binary.LittleEndian.AppendUint16(w.body, uint16(len(c.data)/4))
	}
	w.body = append(w.body, c.data...)
	w.closeContainer(c.key, c.card, c.kind == runKind)
}

// array adds up to 4,096 ascending values; none is no container.
func (w *writer) array(key uint64, vals []uint16) {
	if len(vals) == 0 {
		return
	}
	runs := 1
	for i := 1; i < len(vals); i++ {
		if vals[i] != vals[i-1]+1 {
			runs++
		}
	}
	if 2+4*runs >= 2*len(vals) {
		for _, v := range vals {
			w.body = binary.LittleEndian.AppendUint16(w.body, v)
		}
		w.closeContainer(key, len(vals), false)
		return
	}
	w.body = binary.LittleEndian.AppendUint16(w.body, uint16(runs))
	first := vals[0]
	for i, v := range vals {
		if i+1 == len(vals) || vals[i+1] != v+1 {
			w.body = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(w.body, first), v-first)
			if i+1 < len(vals) {
				first = vals[i+1]
			}
		}
	}
	w.closeContainer(key, len(vals), true)
}

// bits adds a bitset; an empty one is no container.
func (w *writer) bits(key uint64, set *words) {
	card, runs, carry := 0, 0, uint64(0)
	for _, x := range set {
		card += bits.OnesCount64(x)
		runs += bits.OnesCount64(x &^ (x<<1 | carry))
		carry = x >> 63
	}
	switch {
	case card == 0:
		return
	case 2+4*runs < min(2*card, bitsetBytes):
		w.body = binary.LittleEndian.AppendUint16(w.body, uint16(runs))
		w.body = appendRuns(w.body, set)
		w.closeContainer(key, card, true)
		return
	case card <= maxArray:
		for i, x := range set {
			for ; x != 0; x &= x - 1 {
				w.body = binary.LittleEndian.AppendUint16(w.body, uint16(i<<6+bits.TrailingZeros64(x)))
			}
		}
	default:
		for _, x := range set {
			w.body = binary.LittleEndian.AppendUint64(w.body, x)
		}
	}
	w.closeContainer(key, card, false)
}

// appendRuns appends the runs of a bitset.
func appendRuns(dst []byte, set *words) []byte {
	for at := nextBit(set, 0, 0); at < 1<<16; {
		end := nextBit(set, at, ^uint64(0))
		dst = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, uint16(at)), uint16(end-at-1))
		at = nextBit(set, end, 0)
	}
	return dst
}

// nextBit is the first position from at on whose bit is set (flip 0) or clear (flip all ones); 65,536 if none is.
func nextBit(set *words, at int, flip uint64) int {
	if at >= 1<<16 {
		return 1 << 16
	}
	i := at >> 6
	x := (set[i] ^ flip) >> (at & 63) << (at & 63)
	for x == 0 {
		if i++; i == numWords {
			return 1 << 16
		}
		x = set[i] ^ flip
	}
	return i<<6 + bits.TrailingZeros64(x)
}

// appendTo appends the bitmap of what was gathered.
func (w *writer) appendTo(dst []byte) ([]byte, error) {
	if len(w.body)+16*len(w.heads) > MaxBytes {
		return nil, sqlerr.New(sqlerr.OutOfRange, "a BITMAP value is larger than %d bytes", MaxBytes)
	}
	parts := uint64(0)
	for i := range w.heads {
		if i == 0 || w.heads[i].key>>16 != w.heads[i-1].key>>16 {
			parts++
		}
	}
	dst = binary.LittleEndian.AppendUint64(dst, parts)
	from := 0
	for heads := w.heads; len(heads) > 0; {
		n := 1
		for n < len(heads) && heads[n].key>>16 == heads[0].key>>16 {
			n++
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(heads[0].key>>16))
		dst = appendPartHeader(dst, heads[:n], from)
		dst = append(dst, w.body[from:heads[n-1].end]...)
		from, heads = heads[n-1].end, heads[n:]
	}
	return dst, nil
}

// appendPartHeader appends the header of a part whose containers begin at from of the body.
func appendPartHeader(dst []byte, heads []writtenHead, from int) []byte {
	n, hasRuns := len(heads), false
	for _, h := range heads {
		hasRuns = hasRuns || h.run
	}
	size := 8 + 8*n
	if hasRuns {
		dst = binary.LittleEndian.AppendUint32(dst, cookieRun|uint32(n-1)<<16)
		for i := 0; i < n; i += 8 {
			x := byte(0)
			for k := i; k < min(i+8, n); k++ {
				if heads[k].run {
					x |= 1 << (k - i)
				}
			}
			dst = append(dst, x)
		}
		if size = 4 + (n+7)/8 + 4*n; n >= minOffsets {
			size += 4 * n
		}
	} else {
		dst = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(dst, cookieNoRun), uint32(n))
	}
	for _, h := range heads {
		dst = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, uint16(h.key)), uint16(h.card-1))
	}
	if hasRuns && n < minOffsets {
		return dst
	}
	at := from
	for _, h := range heads {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(size+at-from))
		at = h.end
	}
	return dst
}
