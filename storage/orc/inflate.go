package orc

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"unsafe"
)

// Raw deflate (RFC 1951) of whole buffers. It is several times as fast as stream readers:
// input and output are in memory, a table lookup of 11 bits decodes a symbol, and
// matches are copied by words. Everything is checked before it is used.

// A decoding table entry tells what the bits at hand are. Its lowest byte is how many bits to
// consume, extra bits included; bits 8..12 how many of these are the code.
//
//	literal:  bit 31 | byte << 16
//	length:   base << 16, 9 bits
//	distance: base << 16, 16 bits
//	special:  bit 15; of these bit 14: subtable, start << 16, index bits << 8; bit 13: end of
//	          the block; neither: no code
const (
	entryLiteral  = 1 << 31
	entrySpecial  = 1 << 15
	entrySubtable = 1 << 14
	entryEnd      = 1 << 13

	litBits  = 11
	distBits = 8
	preBits  = 7
	// A subtable has two codes or more.
	litTableSize  = 1<<litBits + 288/2<<(maxCodeBits-litBits)
	distTableSize = 1<<distBits + 32/2<<(maxCodeBits-distBits)

	maxCodeBits = 15
	// fastIn and fastOut are how far from the ends the fast loop stops.
	fastIn  = 16
	fastOut = 258 + 32
)

// inflater are the tables of one block.
type inflater struct {
	lit     [litTableSize]uint32
	dist    [distTableSize]uint32
	pre     [1 << preBits]uint32
	lengths [288 + 32 + 138]uint8
	sorted  [288]uint16
}

var (
	inflaters = sync.Pool{New: func() any { return new(inflater) }}

	fixedOnce   sync.Once
	fixedTables *inflater
)

const errInflate = formatError("zlib data is malformed")

var (
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	// lengthOrder is the order of the code length code's lengths.
	lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// litEntries and distEntries are the entries of symbols without bits, extra bits in the lowest byte.
var (
	litEntries = func() (e [288]uint32) {
		for i := range 256 {
			e[i] = entryLiteral | uint32(i)<<16
		}
		e[256] = entrySpecial | entryEnd
		for i := range lengthBase {
			e[257+i] = uint32(lengthBase[i])<<16 | uint32(lengthExtra[i])
		}
		e[286], e[287] = entrySpecial, entrySpecial
		return e
	}()
	distEntries = func() (e [32]uint32) {
		for i := range distBase {
			e[i] = uint32(distBase[i])<<16 | uint32(distExtra[i])
		}
		e[30], e[31] = entrySpecial, entrySpecial
		return e
	}()
	preEntries = func() (e [19]uint32) {
		for i := range e {
			e[i] = uint32(i) << 16
		}
		return e
	}()
)

// build makes the decoding table of a canonical Huffman code. lengths are the code lengths
// of the symbols. A code that leaves bits unused is legal where single says so and it is one
// symbol of one bit, or none.
func (z *inflater) build(table []uint32, tableBits uint, lengths []uint8, entries []uint32, single bool) bool {
	var count [maxCodeBits + 1]uint16
	for _, n := range lengths {
		count[n]++
	}
	used := len(lengths) - int(count[0])
	left := 1
	var offsets [maxCodeBits + 2]uint16
	for n := 1; n <= maxCodeBits; n++ {
		left = left<<1 - int(count[n])
		if left < 0 {
			return false
		}
		offsets[n+1] = offsets[n] + count[n]
	}
	if left > 0 && !(single && (used == 0 || used == 1 && count[1] == 1)) {
		return false
	}
	for i := range table[:1<<tableBits] {
		table[i] = entrySpecial
	}
	for s, n := range lengths {
		if n != 0 {
			z.sorted[offsets[n]] = uint16(s)
			offsets[n]++
		}
	}
	code, last := uint32(0), uint8(0)
	next := 1 << tableBits // where the next subtable begins
	prefix, start := ^uint32(0), 0
	subBits := uint(0) // subtables have room for the longest code
	for n := uint(maxCodeBits); n > tableBits; n-- {
		if count[n] > 0 {
			subBits = n - tableBits
			break
		}
	}
	for i := range used {
		s := z.sorted[i]
		n := lengths[s]
		code <<= n - last
		last = n
		reversed := bits.Reverse32(code) >> (32 - n)
		code++
		if uint(n) <= tableBits {
			e := entries[s] + uint32(n) + uint32(n)<<8
			for k := reversed; k < 1<<tableBits; k += 1 << n {
				table[k] = e
			}
			continue
		}
		if low := reversed & (1<<tableBits - 1); low != prefix {
			prefix, start = low, next
			if next += 1 << subBits; next > len(table) {
				return false
			}
			for k := start; k < next; k++ {
				table[k] = entrySpecial
			}
			table[prefix] = entrySpecial | entrySubtable | uint32(start)<<16 | uint32(subBits)<<8 | uint32(tableBits)
		}
		rest := uint32(n) - uint32(tableBits)
		e := entries[s] + rest + rest<<8
		for k := reversed >> tableBits; k < 1<<subBits; k += 1 << rest {
			table[start+int(k)] = e
		}
	}
	return true
}

// inflate decompresses raw deflate data to the front of dst and returns its size. Bytes of
// dst behind it may be overwritten.
func inflate(dst, src []byte) (int, error) {
	z := inflaters.Get().(*inflater)
	n, err := z.run(dst, src)
	inflaters.Put(z)
	return n, err
}

// bitSource are the bits of the input that are not consumed: have in acc, the next in the lowest
// place, and those of src from in on. Bits of acc above have are bits of src[in:], or zero.
type bitSource struct {
	src  []byte
	in   int
	acc  uint64
	have uint
}

// refill makes at least 56 bits available, or all that are left.
func (b *bitSource) refill() {
	if b.in+8 <= len(b.src) {
		b.acc |= binary.LittleEndian.Uint64(b.src[b.in:]) << b.have
		b.in += int((63 - b.have) >> 3)
		b.have |= 56
		return
	}
	for b.have <= 56 && b.in < len(b.src) {
		b.acc |= uint64(b.src[b.in]) << b.have
		b.in++
		b.have += 8
	}
}

// take consumes n bits, of which the caller made sure.
func (b *bitSource) take(n uint) uint64 {
	x := b.acc & (1<<n - 1)
	b.acc >>= n
	b.have -= n
	return x
}

func (z *inflater) run(dst, src []byte) (int, error) {
	b := bitSource{src: src}
	out := 0
	for {
		b.refill()
		if b.have < 3 {
			return 0, errInflate
		}
		final := b.take(1) != 0
		var err error
		switch b.take(2) {
		case 0:
			out, err = b.stored(dst, out)
		case 1:
			fixedOnce.Do(makeFixed)
			out, err = fixedTables.block(&b, dst, out)
		case 2:
			if !z.dynamic(&b) {
				return 0, errInflate
			}
			out, err = z.block(&b, dst, out)
		default:
			err = errInflate
		}
		if err != nil || final {
			return out, err
		}
	}
}

// stored copies a block that is not compressed.
func (b *bitSource) stored(dst []byte, out int) (int, error) {
	b.in -= int(b.have >> 3) // whole bytes that were read ahead
	b.acc, b.have = 0, 0
	if len(b.src)-b.in < 4 {
		return 0, errInflate
	}
	n := int(binary.LittleEndian.Uint16(b.src[b.in:]))
	if n != int(^binary.LittleEndian.Uint16(b.src[b.in+2:])) {
		return 0, errInflate
	}
	b.in += 4
	if n > len(b.src)-b.in || n > len(dst)-out {
		return 0, errInflate
	}
	copy(dst[out:], b.src[b.in:b.in+n])
	b.in += n
	return out + n, nil
}

// makeFixed builds the tables of blocks with the fixed code.
func makeFixed() {
	z := new(inflater)
	lengths := z.lengths[:288]
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	z.build(z.lit[:], litBits, lengths, litEntries[:], false)
	for i := range 32 {
		lengths[i] = 5
	}
	z.build(z.dist[:], distBits, lengths[:32], distEntries[:], false)
	fixedTables = z
}

// dynamic reads the codes of a block and builds their tables.
func (z *inflater) dynamic(b *bitSource) bool {
	b.refill()
	if b.have < 14 {
		return false
	}
	lits, dists, pres := int(b.take(5))+257, int(b.take(5))+1, int(b.take(4))+4
	if lits > 286 || dists > 30 {
		return false
	}
	var preLengths [19]uint8
	for i := range pres {
		if b.have < 3 {
			if b.refill(); b.have < 3 {
				return false
			}
		}
		preLengths[lengthOrder[i]] = uint8(b.take(3))
	}
	if !z.build(z.pre[:], preBits, preLengths[:], preEntries[:], false) {
		return false
	}
	total := lits + dists
	for i := 0; i < total; {
		b.refill()
		e := z.pre[b.acc&(1<<preBits-1)]
		n := uint(e & 0xff)
		if e&entrySpecial != 0 || n > b.have {
			return false
		}
		b.take(n)
		symbol := uint8(e >> 16)
		if symbol < 16 {
			z.lengths[i] = symbol
			i++
			continue
		}
		if b.have < 7 {
			if b.refill(); b.have < 7 && (symbol != 16 || b.have < 2) && (symbol != 17 || b.have < 3) {
				return false
			}
		}
		value, times := uint8(0), 0
		switch symbol {
		case 16:
			if i == 0 {
				return false
			}
			value, times = z.lengths[i-1], 3+int(b.take(2))
		case 17:
			times = 3 + int(b.take(3))
		default:
			times = 11 + int(b.take(7))
		}
		if times > total-i {
			return false
		}
		for k := range times {
			z.lengths[i+k] = value
		}
		i += times
	}
	if z.lengths[256] == 0 {
		return false
	}
	return z.build(z.lit[:], litBits, z.lengths[:lits], litEntries[:], true) &&
		z.build(z.dist[:], distBits, z.lengths[lits:total], distEntries[:], true)
}

// block decodes the symbols of a block.
func (z *inflater) block(b *bitSource, dst []byte, out int) (int, error) {
	for {
		n, ended, ok := z.fast(b, dst, out)
		if !ok {
			return 0, errInflate
		}
		if out = n; ended {
			return out, nil
		}
		// One symbol with all care, near the ends.
		if out, ended, ok = z.slow(b, dst, out); !ok {
			return 0, errInflate
		}
		if ended {
			return out, nil
		}
	}
}

// fast decodes as long as input and output are far from their ends.
func (z *inflater) fast(b *bitSource, dst []byte, out int) (_ int, ended, ok bool) {
	src := unsafe.Pointer(unsafe.SliceData(b.src))
	to := unsafe.Pointer(unsafe.SliceData(dst))
	in, acc, have := b.in, b.acc, b.have
	endIn, endOut := len(b.src)-fastIn, len(dst)-fastOut
	for in <= endIn && out <= endOut {
		acc |= *(*uint64)(unsafe.Add(src, in)) << (have & 63)
		in += int((63 - have) >> 3)
		have |= 56
		e := z.lit[acc&(1<<litBits-1)]
		if e&entryLiteral != 0 {
			acc >>= e & 63
			have -= uint(e & 63)
			*(*byte)(unsafe.Add(to, out)) = byte(e >> 16)
			out++
			if e = z.lit[acc&(1<<litBits-1)]; e&entryLiteral != 0 {
				acc >>= e & 63
				have -= uint(e & 63)
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 16)
				out++
				if e = z.lit[acc&(1<<litBits-1)]; e&entryLiteral != 0 {
					acc >>= e & 63
					have -= uint(e & 63)
					*(*byte)(unsafe.Add(to, out)) = byte(e >> 16)
					out++
					if e = z.lit[acc&(1<<litBits-1)]; e&entryLiteral != 0 {
						acc >>= e & 63
						have -= uint(e & 63)
						*(*byte)(unsafe.Add(to, out)) = byte(e >> 16)
						out++
						continue
					}
				}
			}
			acc |= *(*uint64)(unsafe.Add(src, in)) << (have & 63)
			in += int((63 - have) >> 3)
			have |= 56
		}
		if e&entrySpecial != 0 {
			if e&entrySubtable != 0 {
				acc >>= litBits
				have -= litBits
				at := uint64(e>>16) + acc&(1<<(e>>8&15)-1)
				if at >= litTableSize {
					return 0, false, false
				}
				e = z.lit[at]
			}
			if e&entryLiteral != 0 {
				acc >>= e & 63
				have -= uint(e & 63)
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 16)
				out++
				continue
			}
			if e&entrySpecial != 0 {
				acc >>= e & 63
				have -= uint(e & 63)
				b.in, b.acc, b.have = in, acc, have
				return out, true, e&entryEnd != 0
			}
		}
		saved := acc
		acc >>= e & 63
		have -= uint(e & 63)
		length := int(e>>16&511) + int(saved&(1<<(e&63)-1)>>(e>>8&15))
		d := z.dist[acc&(1<<distBits-1)]
		if d&entrySpecial != 0 {
			if d&entrySubtable == 0 {
				return 0, false, false
			}
			acc >>= distBits
			have -= distBits
			at := uint64(d>>16) + acc&(1<<(d>>8&15)-1)
			if at >= distTableSize {
				return 0, false, false
			}
			if d = z.dist[at]; d&entrySpecial != 0 {
				return 0, false, false
			}
		}
		saved = acc
		acc >>= d & 63
		have -= uint(d & 63)
		distance := int(d>>16) + int(saved&(1<<(d&63)-1)>>(d>>8&15))
		if distance > out {
			return 0, false, false
		}
		p := unsafe.Add(to, out)
		out += length
		q := unsafe.Add(p, -distance)
		switch {
		case distance >= 8:
			*(*uint64)(p) = *(*uint64)(q)
			*(*uint64)(unsafe.Add(p, 8)) = *(*uint64)(unsafe.Add(q, 8))
			for k := 16; k < length; k += 16 {
				*(*uint64)(unsafe.Add(p, k)) = *(*uint64)(unsafe.Add(q, k))
				*(*uint64)(unsafe.Add(p, k+8)) = *(*uint64)(unsafe.Add(q, k+8))
			}
		case distance == 1:
			word := uint64(*(*byte)(q)) * 0x0101010101010101
			for k := 0; k < length; k += 8 {
				*(*uint64)(unsafe.Add(p, k)) = word
			}
		default:
			// Words of a multiple of the distance, so that each holds the whole pattern.
			word := pattern(q, distance)
			step := 8 - 8%distance
			for k := 0; k < length; k += step {
				*(*uint64)(unsafe.Add(p, k)) = word
			}
		}
	}
	b.in, b.acc, b.have = in, acc, have
	return out, false, true
}

// pattern is the distance bytes at q, 2..7, repeated to a word.
func pattern(q unsafe.Pointer, distance int) (word uint64) {
	for k := 7; k >= 0; k-- {
		word = word<<8 | uint64(*(*byte)(unsafe.Add(q, k%distance)))
	}
	return word
}

// slow decodes one symbol.
func (z *inflater) slow(b *bitSource, dst []byte, out int) (_ int, ended, ok bool) {
	b.refill()
	e, ok := lookUp(b, z.lit[:], litBits)
	if !ok {
		return 0, false, false
	}
	switch {
	case e&entryLiteral != 0:
		b.take(uint(e & 63))
		if out == len(dst) {
			return 0, false, false
		}
		dst[out] = byte(e >> 16)
		return out + 1, false, true
	case e&entrySpecial != 0:
		b.take(uint(e & 63))
		return out, true, e&entryEnd != 0
	}
	bits := b.take(uint(e & 63))
	length := int(e>>16&511) + int(bits>>(e>>8&15))
	b.refill()
	d, ok := lookUp(b, z.dist[:], distBits)
	if !ok || d&entrySpecial != 0 {
		return 0, false, false
	}
	bits = b.take(uint(d & 63))
	distance := int(d>>16) + int(bits>>(d>>8&15))
	if distance > out || length > len(dst)-out {
		return 0, false, false
	}
	for k := range length {
		dst[out+k] = dst[out+k-distance]
	}
	return out + length, false, true
}

// lookUp finds the entry of the next symbol; its bits are there, but not consumed (those that lead to a
// subtable are).
func lookUp(b *bitSource, table []uint32, tableBits uint) (uint32, bool) {
	e := table[b.acc&(1<<tableBits-1)]
	if e&entrySpecial != 0 && e&entrySubtable != 0 {
		if b.have < tableBits {
			return 0, false
		}
		b.take(tableBits)
		at := uint64(e>>16) + b.acc&(1<<(e>>8&15)-1)
		if at >= uint64(len(table)) {
			return 0, false
		}
		e = table[at]
	}
	return e, uint(e&63) <= b.have
}
