package parquet

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// dictBuilder finds the distinct values of a chunk and the code of each value. The
// tables are reused from chunk to chunk.
type dictBuilder struct {
	slots   []int32 // code+1, 0: empty
	first   []int32 // where each entry's value occurs first
	codes   []int32
	entries int
}

// Limits of dictionaries: more entries than that do not stay in a reader's cache, and a
// dictionary must save a quarter of the bytes.
const (
	maxDictEntries  = 1 << 16
	dictSampleRows  = 8192
	dictSampleShare = 2 // give up when more than 1/2 of the sample is distinct
)

var stringSeed = maphash.MakeSeed()

// build tries to make a dictionary of c's values; ok is false when it does not pay.
func (d *dictBuilder) build(c *columnWriter, n int) (ok bool) {
	if c.typ == physBoolean || n == 0 {
		return false
	}
	if n > dictSampleRows {
		if !d.encode(c, dictSampleRows, dictSampleRows/dictSampleShare) {
			return false
		}
	}
	if !d.encode(c, n, min(maxDictEntries, n/2+1)) {
		return false
	}
	width := bits.Len(uint(d.entries - 1))
	cost := len(c.dictPage(nil)) + n*width/8
	return cost < len(c.plain)/4*3
}

// encode assigns codes to the first n values; false when more than limit are distinct.
func (d *dictBuilder) encode(c *columnWriter, n, limit int) bool {
	size := 1 << bits.Len(uint(2*limit))
	if cap(d.slots) < size {
		d.slots = make([]int32, size)
	}
	d.slots = d.slots[:size]
	clear(d.slots)
	if cap(d.codes) < n {
		d.codes = make([]int32, n)
	}
	d.codes = d.codes[:n]
	d.first = d.first[:0]
	d.entries = 0
	switch c.width {
	case 4:
		return encodeFixed(d, slice[uint32](c.plain, n), limit, hash32)
	case 8:
		return encodeFixed(d, slice[uint64](c.plain, n), limit, hash64)
	case 16:
		return encodeFixed(d, slice[[2]uint64](c.plain, n), limit, hash128)
	}
	return d.encodeStrings(c, n, limit)
}

const hashMultiplier = 0x9E3779B97F4A7C15

func hash32(x uint32) uint64 { return uint64(x) * hashMultiplier }
func hash64(x uint64) uint64 { return x * hashMultiplier }
func hash128(x [2]uint64) uint64 {
	return (x[0] ^ bits.RotateLeft64(x[1]*hashMultiplier, 29)) * hashMultiplier
}

func encodeFixed[T comparable](d *dictBuilder, values []T, limit int, hash func(T) uint64) bool {
	mask := uint64(len(d.slots) - 1)
	shift := uint(64 - bits.Len64(mask))
	for i, x := range values {
		if i > 0 && x == values[i-1] {
			d.codes[i] = d.codes[i-1]
			continue
		}
		at := hash(x) >> shift
		for {
			s := d.slots[at]
			if s == 0 {
				if d.entries == limit {
					return false
				}
				d.first = append(d.first, int32(i))
				d.codes[i] = int32(d.entries)
				d.entries++
				d.slots[at] = int32(d.entries)
				break
			}
			if values[d.first[s-1]] == x {
				d.codes[i] = s - 1
				break
			}
			at = (at + 1) & mask
		}
	}
	return true
}

func (d *dictBuilder) encodeStrings(c *columnWriter, n, limit int) bool {
	mask := uint64(len(d.slots) - 1)
	for i := range n {
		s := c.text(i)
		at := maphash.Bytes(stringSeed, s) & mask
		for {
			slot := d.slots[at]
			if slot == 0 {
				if d.entries == limit {
					return false
				}
				d.first = append(d.first, int32(i))
				d.codes[i] = int32(d.entries)
				d.entries++
				d.slots[at] = int32(d.entries)
				break
			}
			if string(c.text(int(d.first[slot-1]))) == string(s) {
				d.codes[i] = slot - 1
				break
			}
			at = (at + 1) & mask
		}
	}
	return true
}

// text is the i-th string of the buffer.
func (c *columnWriter) text(i int) []byte {
	at := c.offsets[i]
	n := int(binary.LittleEndian.Uint32(c.plain[at:]))
	return c.plain[at+4 : at+4+n]
}

// value is the i-th value in its PLAIN form, without a string's length.
func (c *columnWriter) value(i int) []byte {
	if c.width == 0 {
		return c.text(i)
	}
	return c.plain[i*c.width : (i+1)*c.width]
}

// dictPage appends the values of the dictionary.
func (c *columnWriter) dictPage(dst []byte) []byte {
	for _, i := range c.dict.first {
		if c.width == 0 {
			at := c.offsets[i]
			n := int(binary.LittleEndian.Uint32(c.plain[at:]))
			dst = append(dst, c.plain[at:at+4+n]...)
		} else {
			dst = append(dst, c.value(int(i))...)
		}
	}
	return dst
}
