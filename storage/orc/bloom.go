package orc

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// bloomFilter is the filter of one row group.
type bloomFilter struct {
	hashes int
	bitset []byte // little-endian words
}

const (
	// maxBloomHashes bounds the probes of one lookup.
	maxBloomHashes = 64
	bloomSeed      = 104729
)

// decodeBlooms decodes a stream of filters, one a row group.
func decodeBlooms(b []byte) ([]bloomFilter, error) {
	var out []bloomFilter
	m := message{b: b}
	for m.next() {
		if m.field != 1 {
			continue
		}
		var f bloomFilter
		x := message{b: m.bytes()}
		for x.next() {
			switch x.field {
			case 1:
				f.hashes = int(min(x.uint(), maxBloomHashes+1))
			case 2: // fixed64 words, packed or one by one
				if x.wire == wireBytes {
					f.bitset = append(f.bitset, x.data...)
				} else {
					f.bitset = binary.LittleEndian.AppendUint64(f.bitset, x.value)
				}
			case 3:
				f.bitset = x.bytes()
			}
		}
		if x.err != nil {
			return nil, x.err
		}
		out = append(out, f)
	}
	return out, m.err
}

// mayContain reports whether a value with this hash may be among the row group's.
func (f *bloomFilter) mayContain(h uint64) bool {
	n := len(f.bitset) &^ 7 * 8
	if n == 0 || n > math.MaxInt32 || f.hashes <= 0 || f.hashes > maxBloomHashes {
		return true
	}
	a, b := int32(h), int32(h>>32)
	for i := int32(1); i <= int32(f.hashes); i++ {
		c := a + i*b
		if c < 0 {
			c = ^c
		}
		at := int(c) % n
		if f.bitset[at>>3]>>(uint(at)&7)&1 == 0 {
			return false
		}
	}
	return true
}

// add enters a hash.
func (f *bloomFilter) add(h uint64) {
	n := len(f.bitset) * 8
	a, b := int32(h), int32(h>>32)
	for i := int32(1); i <= int32(f.hashes); i++ {
		c := a + i*b
		if c < 0 {
			c = ^c
		}
		at := int(c) % n
		f.bitset[at>>3] |= 1 << (uint(at) & 7)
	}
}

// hashInt is Thomas Wang's 64-bit mix with arithmetic shifts.
func hashInt(x int64) uint64 {
	x = ^x + x<<21
	x ^= x >> 24
	x = x + x<<3 + x<<8
	x ^= x >> 14
	x = x + x<<2 + x<<4
	x ^= x >> 28
	x += x << 31
	return uint64(x)
}

// hashBytes is Murmur3 with one 64-bit lane.
func hashBytes(b []byte) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h := uint64(bloomSeed)
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b)
		k *= c1
		k = bits.RotateLeft64(k, 31)
		k *= c2
		h ^= k
		h = bits.RotateLeft64(h, 27)*5 + 0x52dce729
	}
	if len(b) > 0 {
		var k uint64
		for i, c := range b {
			k |= uint64(c) << (8 * uint(i))
		}
		k *= c1
		k = bits.RotateLeft64(k, 31)
		k *= c2
		h ^= k
	}
	h ^= uint64(n)
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}

// badBlooms reports writers whose filters lose rows: C++ up to 1.6.11 and 1.7.0 hashed
// numbers with unsigned shifts.
func (f *File) badBlooms() bool {
	if f.tail.writer != writerCPP {
		return false
	}
	major, rest, _ := strings.Cut(f.tail.softwareVersion, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil {
		return true
	}
	c, err := strconv.Atoi(patch)
	switch {
	case a < 1 || a == 1 && b < 6:
		return true
	case a == 1 && b == 6:
		return err != nil || c <= 11
	case a == 1 && b == 7:
		return err != nil || c == 0
	}
	return false
}

// hashesOf are the hashes that v may have in the filters of column c: a row group has v
// only if one of them is there. nil: the filters cannot tell.
func (f *File) hashesOf(c *fileColumn, v vector.Value, utf8 bool, encoding uint64) []uint64 {
	switch kind := f.types[c.id].kind; kind {
	case kindByte, kindShort, kindInt, kindLong:
		if c.Type.IsInteger() && v.Type.IsInteger() && v.I.IsInt64() {
			return []uint64{hashInt(int64(v.I.Lo))}
		}
	case kindDate:
		if v.Type.Kind == sqltype.Date && f.tail.calendar != calendarHybrid {
			return []uint64{hashInt(int64(v.I.Lo))}
		}
	case kindFloat, kindDouble:
		if v.Type.Equal(c.Type) && v.F == v.F && v.F != 0 {
			return []uint64{hashInt(int64(math.Float64bits(v.F)))}
		}
	case kindTimestamp, kindTimestampInstant:
		if v.Type.Kind == c.Type.Kind && encoding == 1 && v.I.Hi == 0 {
			return []uint64{hashInt(int64(v.I.Lo) / 1000)}
		}
	case kindString, kindVarchar, kindBinary:
		if utf8 && v.Type.Physical() == sqltype.PhysString {
			return []uint64{hashBytes([]byte(v.S))}
		}
	case kindDecimal:
		if utf8 && v.Type.Equal(c.Type) { // some writers drop the zeros at the end
			text, short := decimalTexts(v.I, int(v.Type.Scale))
			return []uint64{hashBytes(text), hashBytes(short)}
		}
	}
	return nil
}

// decimalTexts are the text of a decimal with all digits of its scale, and without zeros at
// the end.
func decimalTexts(x int128.Int, scale int) (text, short []byte) {
	text = int128.AppendDecimal(nil, x, scale)
	if scale == 0 {
		return text, text
	}
	return text, bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte("."))
}
