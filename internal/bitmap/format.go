// Package bitmap is sets of unsigned 64-bit integers: the values of type BITMAP.
//
// A value is its serialised form everywhere, in vectors, pages and files; operations read and write that form
// container by container and touch nothing else. Set is the form that grows, the state of aggregates.
//
// The form is CRoaring's portable one for 64 bits (Roaring64Map, Java's Roaring64NavigableMap in portable mode, Go's
// roaring64), little endian:
//
//	bitmap | u64 parts | parts × ( u32 high half | part )                        high halves ascend
//	part   | u32 12346 | u32 n                            | n × head | n × u32 offset | containers      without runs
//	       | u32 12347 + (n-1)<<16 | n bits: is it a run? | n × head | n × u32 offset | containers      with runs; offsets if n >= 4
//	head   | u16 key | u16 cardinality-1 |                                      keys ascend
//	array  | cardinality × u16, ascending                                       up to 4,096 values
//	bitset | 1024 × u64                                                         more than that
//	run    | u16 r | r × ( u16 first | u16 length-1 ), ascending
//
// No bytes at all are the empty set, too, so that the rows of a vector that are NULL hold one.
// Bytes come from files and users: what is read is checked for its structure (lengths, order of keys, runs) at every
// walk, errors are sqlerr.CorruptFile. The order inside of an array and the cardinality of a bitset are only checked by
// Validate; where they are wrong, results are wrong but nothing worse happens.
//
// Source: github.com/RoaringBitmap/RoaringFormatSpec, and its extension for 64 bits.
package bitmap

import (
	"encoding/binary"
	"math/bits"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

const (
	cookieNoRun = 12346
	cookieRun   = 12347
	minOffsets  = 4    // containers of a part with runs from which on it has offsets
	maxArray    = 4096 // values of an array
	numWords    = 1024 // of a bitset
	bitsetBytes = 8 * numWords
	singleBytes = 30 // of a bitmap of one value
)

// words is a bitset of a container's 65,536 values.
type words = [numWords]uint64

// kind is the form of a serialised container.
type kind uint8

const (
	arrayKind kind = iota
	bitsetKind
	runKind
)

// container is one container of a serialised bitmap; data is the bitmap's memory.
type container struct {
	key  uint64 // the upper 48 bits of its values
	kind kind
	card int // declared, 1 … 65,536
	data []byte
}

// cursor walks the containers of a bitmap in order. After next returned false, err tells why.
type cursor struct {
	container
	err    error
	rest   []byte // behind what is read of the current part
	parts  uint64 // that follow the current one
	high   uint64 // of the current part, in place
	heads  []byte // of the containers that follow
	runs   []byte // run bits of the part, nil: none
	i      int    // of the next container in the part
	before int64  // high half of the part before, -1: none
	lowKey int    // key of the container before in the part, -1: none
}

func malformed(what string) error {
	return sqlerr.New(sqlerr.CorruptFile, "malformed BITMAP value: %s", what)
}

// walk starts a cursor over b.
func walk(b []byte) (c cursor) {
	c.before, c.lowKey = -1, -1
	if len(b) == 0 {
		return c
	}
	if len(b) < 8 {
		c.err = malformed("length")
		return c
	}
	c.parts, c.rest = binary.LittleEndian.Uint64(b), b[8:]
	if c.parts == 0 && len(c.rest) > 0 {
		c.err = malformed("bytes behind the end")
	}
	return c
}

// next moves to the next container.
func (c *cursor) next() bool {
	for len(c.heads) == 0 {
		if c.parts == 0 || c.err != nil {
			return false
		}
		if !c.part() {
			c.err = malformed("part header")
			return false
		}
	}
	key := int(binary.LittleEndian.Uint16(c.heads))
	c.card = int(binary.LittleEndian.Uint16(c.heads[2:])) + 1
	c.heads = c.heads[4:]
	if key <= c.lowKey {
		return c.fail("order of containers")
	}
	c.lowKey, c.key = key, c.high|uint64(key)
	size := 0
	switch {
	case c.runs != nil && c.runs[c.i>>3]>>(c.i&7)&1 != 0:
		if c.kind = runKind; len(c.rest) < 2 {
			return c.fail("length")
		}
		size = 2 + 4*int(binary.LittleEndian.Uint16(c.rest))
	case c.card <= maxArray:
		c.kind, size = arrayKind, 2*c.card
	default:
		c.kind, size = bitsetKind, bitsetBytes
	}
	if size > len(c.rest) {
		return c.fail("length")
	}
	c.data, c.rest = c.rest[:size], c.rest[size:]
	c.i++
	if c.kind == runKind {
		if c.data = c.data[2:]; !runsFit(c.data, c.card) {
			return c.fail("runs")
		}
	}
	if len(c.heads) == 0 && c.parts == 0 && len(c.rest) > 0 {
		return c.fail("bytes behind the end")
	}
	return true
}

// size moves to the end and returns how many values and containers it passed. Containers without runs are checked by their
// heads alone, as next does.
func (c *cursor) size() (values int64, containers int) {
	for c.next() {
		values, containers = values+int64(c.card), containers+1
		if c.runs != nil || len(c.heads) == 0 {
			continue
		}
		data, lowKey := 0, c.lowKey
		for heads := c.heads; len(heads) >= 4; heads = heads[4:] {
			head := binary.LittleEndian.Uint32(heads)
			key, card := int(head&0xffff), int(head>>16)+1
			if key <= lowKey {
				c.fail("order of containers")
				return values, containers
			}
			lowKey = key
			if values += int64(card); card > maxArray {
				data += bitsetBytes
			} else {
				data += 2 * card
			}
		}
		containers += len(c.heads) / 4
		if data > len(c.rest) {
			c.fail("length")
			return values, containers
		}
		if c.rest, c.heads = c.rest[data:], nil; c.parts == 0 && len(c.rest) > 0 {
			c.fail("bytes behind the end")
		}
	}
	return values, containers
}

func (c *cursor) fail(what string) bool {
	c.err, c.parts, c.heads = malformed(what), 0, nil
	return false
}

// part reads the header of the next part.
func (c *cursor) part() bool {
	b := c.rest
	if len(b) < 8 {
		return false
	}
	high := binary.LittleEndian.Uint32(b)
	if int64(high) <= c.before {
		return false
	}
	c.before, c.high, c.i, c.lowKey = int64(high), uint64(high)<<16, 0, -1
	cookie := binary.LittleEndian.Uint32(b[4:])
	b = b[8:]
	n, offsets := 0, true
	switch {
	case cookie == cookieNoRun:
		if len(b) < 4 || binary.LittleEndian.Uint32(b) > 1<<16 {
			return false
		}
		n, b, c.runs = int(binary.LittleEndian.Uint32(b)), b[4:], nil
	case cookie&0xffff == cookieRun:
		n = int(cookie>>16) + 1
		size := (n + 7) / 8
		if len(b) < size {
			return false
		}
		c.runs, b, offsets = b[:size], b[size:], n >= minOffsets
	default:
		return false
	}
	size := 4 * n
	if offsets {
		size += 4 * n
	}
	if len(b) < size {
		return false
	}
	c.heads, c.rest = b[:4*n], b[size:]
	c.parts--
	return c.parts != 0 || n > 0 || len(c.rest) == 0
}

// runsFit tells that runs ascend, do not touch or overlap, stay inside and have card values.
func runsFit(data []byte, card int) bool {
	next, sum := 0, 0
	for ; len(data) >= 4; data = data[4:] {
		first, n := int(binary.LittleEndian.Uint16(data)), int(binary.LittleEndian.Uint16(data[2:]))+1
		if first < next || first+n > 1<<16 {
			return false
		}
		next, sum = first+n, sum+n
	}
	return sum == card
}

// Validate checks all of b: what a stranger gave.
func Validate(b []byte) error {
	c := walk(b)
	for c.next() {
		switch c.kind {
		case arrayKind:
			before := -1
			for d := c.data; len(d) > 0; d = d[2:] {
				v := int(binary.LittleEndian.Uint16(d))
				if v <= before {
					return malformed("order of values")
				}
				before = v
			}
		case bitsetKind:
			n := 0
			for d := c.data; len(d) > 0; d = d[8:] {
				n += bits.OnesCount64(binary.LittleEndian.Uint64(d))
			}
			if n != c.card {
				return malformed("cardinality")
			}
		}
	}
	return c.err
}

// single is the value of a bitmap of exactly one, in the form that AppendSingle gives.
func single(b []byte) (v uint64, ok bool) {
	const head = cookieNoRun | 1<<32
	if len(b) != singleBytes || binary.LittleEndian.Uint64(b) != 1 || binary.LittleEndian.Uint64(b[12:]) != head || binary.LittleEndian.Uint16(b[22:]) != 0 {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(b[8:]))<<32 | uint64(binary.LittleEndian.Uint16(b[20:]))<<16 | uint64(binary.LittleEndian.Uint16(b[28:])), true
}

// AppendSingle appends the bitmap of one value: 30 bytes.
func AppendSingle(dst []byte, v uint64) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, 1)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v>>32))
	dst = binary.LittleEndian.AppendUint32(dst, cookieNoRun)
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(v>>16))
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, 16) // offset of the container in its part
	return binary.LittleEndian.AppendUint16(dst, uint16(v))
}

// AppendEmpty appends the bitmap without values.
func AppendEmpty(dst []byte) []byte { return binary.LittleEndian.AppendUint64(dst, 0) }

// fill adds the container's values to w.
func (c *container) fill(w *words) {
	d := c.data
	switch c.kind {
	case arrayKind:
		setBits(w, d)
	case bitsetKind:
		d = d[:bitsetBytes]
		for i := range w {
			w[i] |= binary.LittleEndian.Uint64(d[8*i:])
		}
	case runKind:
		for ; len(d) >= 4; d = d[4:] {
			first := int(binary.LittleEndian.Uint16(d))
			setRange(w, first, first+int(binary.LittleEndian.Uint16(d[2:]))+1)
		}
	}
}

// insert is fill of an array; it returns how many of its values were not in w.
func (c *container) insert(w *words) int {
	d, known := c.data, uint64(0)
	for ; len(d) >= 8; d = d[8:] { // four at a time
		x := binary.LittleEndian.Uint64(d)
		a := &w[x>>6&(numWords-1)]
		known += *a >> (x & 63) & 1
		*a |= 1 << (x & 63)
		a = &w[x>>22&(numWords-1)]
		known += *a >> (x >> 16 & 63) & 1
		*a |= 1 << (x >> 16 & 63)
		a = &w[x>>38&(numWords-1)]
		known += *a >> (x >> 32 & 63) & 1
		*a |= 1 << (x >> 32 & 63)
		a = &w[x>>54]
		known += *a >> (x >> 48 & 63) & 1
		*a |= 1 << (x >> 48 & 63)
	}
	for ; len(d) >= 2; d = d[2:] {
		v := binary.LittleEndian.Uint16(d)
		known += w[v>>6] >> (v & 63) & 1
		w[v>>6] |= 1 << (v & 63)
	}
	return c.card - int(known)
}

// present is how many values of an array are in w.
func (c *container) present(w *words) int {
	d, n := c.data, uint64(0)
	for ; len(d) >= 8; d = d[8:] { // four at a time
		x := binary.LittleEndian.Uint64(d)
		n += w[x>>6&(numWords-1)]>>(x&63)&1 + w[x>>22&(numWords-1)]>>(x>>16&63)&1 +
			w[x>>38&(numWords-1)]>>(x>>32&63)&1 + w[x>>54]>>(x>>48&63)&1
	}
	for ; len(d) >= 2; d = d[2:] {
		v := binary.LittleEndian.Uint16(d)
		n += w[v>>6] >> (v & 63) & 1
	}
	return int(n)
}

// setRange sets bits [lo, hi), lo < hi.
func setRange(w *words, lo, hi int) {
	first, last := lo>>6, (hi-1)>>6
	from, to := ^uint64(0)<<(lo&63), ^uint64(0)>>(63-(hi-1)&63)
	if first == last {
		w[first] |= from & to
		return
	}
	w[first] |= from
	for i := first + 1; i < last; i++ {
		w[i] = ^uint64(0)
	}
	w[last] |= to
}

// values appends the lower halves of the values.
func (c *container) values(dst []uint16) []uint16 {
	d := c.data
	switch c.kind {
	case arrayKind:
		for ; len(d) >= 2; d = d[2:] {
			dst = append(dst, binary.LittleEndian.Uint16(d))
		}
	case bitsetKind:
		for i := range numWords {
			for x := binary.LittleEndian.Uint64(d[8*i:]); x != 0; x &= x - 1 {
				dst = append(dst, uint16(i<<6+bits.TrailingZeros64(x)))
			}
		}
	case runKind:
		for ; len(d) >= 4; d = d[4:] {
			first := int(binary.LittleEndian.Uint16(d))
			for v := first; v <= first+int(binary.LittleEndian.Uint16(d[2:])); v++ {
				dst = append(dst, uint16(v))
			}
		}
	}
	return dst
}

// has tells whether low is a value, without decoding.
func (c *container) has(low uint16) bool {
	switch c.kind {
	case bitsetKind:
		return binary.LittleEndian.Uint64(c.data[int(low)>>6<<3:])>>(low&63)&1 != 0
	case arrayKind:
		lo, hi := 0, len(c.data)/2
		for lo < hi {
			mid := (lo + hi) / 2
			v := binary.LittleEndian.Uint16(c.data[2*mid:])
			if v == low {
				return true
			}
			if v < low {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return false
	}
	for d := c.data; len(d) >= 4; d = d[4:] {
		first := binary.LittleEndian.Uint16(d)
		if low < first {
			return false
		}
		if low-first <= binary.LittleEndian.Uint16(d[2:]) {
			return true
		}
	}
	return false
}
