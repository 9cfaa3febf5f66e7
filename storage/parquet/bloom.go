package parquet

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Split block bloom filters: blocks of eight 32-bit words, one bit set in each word.
// Source: parquet-format BloomFilter.md.

const bloomBlock = 32

var bloomSalt = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// bloomIndex is the block of a hash among n.
func bloomIndex(hash uint64, n int) int { return int((hash >> 32) * uint64(n) >> 32) }

func bloomHas(block []byte, hash uint64) bool {
	for i, salt := range bloomSalt {
		if binary.LittleEndian.Uint32(block[4*i:])>>(uint32(hash)*salt>>27)&1 == 0 {
			return false
		}
	}
	return true
}

func bloomAdd(filter []byte, hash uint64) {
	block := filter[bloomIndex(hash, len(filter)/bloomBlock)*bloomBlock:][:bloomBlock]
	for i, salt := range bloomSalt {
		x := binary.LittleEndian.Uint32(block[4*i:])
		binary.LittleEndian.PutUint32(block[4*i:], x|1<<(uint32(hash)*salt>>27))
	}
}

// bloomPlace is where the bits of a chunk's filter stand. blocks is 0 where there is none that can be used.
type bloomPlace struct {
	offset int64
	blocks int
}

// bloomReader looks values up in the filter of a chunk: in the page cache, else a block at a time.
type bloomReader struct {
	column *column
	bloomPlace
	asked bool           // the cache
	bits  *vector.Vector // from it; nil: not there
}

// openBloom finds the filter; nil when there is none that can be used.
func (c *column) openBloom() *bloomReader {
	at := c.meta.bloomOffset
	if at < 4 || at >= c.file.dataEnd {
		return nil
	}
	known, ok := c.file.indexes.blooms.Load(c.chunk())
	if !ok {
		place, err := c.readBloomPlace(at)
		if err != nil {
			return nil
		}
		known = place
		c.file.indexes.keep(c.file, &c.file.indexes.blooms, c.chunk(), known, int(unsafe.Sizeof(place)))
	}
	if place := known.(bloomPlace); place.blocks > 0 {
		return &bloomReader{column: c, bloomPlace: place}
	}
	return nil
}

// readBloomPlace reads the filter's header, which stands at a place of the file.
func (c *column) readBloomPlace(at int64) (bloomPlace, error) {
	head := make([]byte, min(64, c.file.dataEnd-at))
	if err := readFull(c.win.file, head, at, c.file.path); err != nil {
		return bloomPlace{}, err
	}
	r := &thriftReader{b: head}
	size, usable := int32(0), 0
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			break
		}
		last = id
		switch {
		case id == 1 && typ == thriftI32:
			size = r.int32()
		case id <= 4 && typ == thriftStruct: // BLOCK, XXHASH, UNCOMPRESSED
			if decodeUnion(r) == 1 {
				usable++
			}
		default:
			r.skip(typ)
		}
	}
	start := at + int64(r.pos)
	if r.err != nil || usable != 3 || size < bloomBlock || size%bloomBlock != 0 || start+int64(size) > c.file.dataEnd {
		return bloomPlace{}, nil
	}
	if n := c.meta.bloomLength; n > 0 && int64(n) != int64(r.pos)+int64(size) {
		return bloomPlace{}, nil
	}
	return bloomPlace{offset: start, blocks: int(size) / bloomBlock}, nil
}

// cached are the filter's bits from the page cache, which takes the whole filter in when it is asked for the second time.
func (b *bloomReader) cached() *vector.Vector {
	c := b.column
	if b.asked || c.cache == nil {
		return b.bits
	}
	b.asked = true
	key := c.key
	key.Row = bloomRow
	var admit bool
	if b.bits, admit = c.cache.Get(key); !admit || b.blocks*bloomBlock > maxBloomBytes {
		return b.bits
	}
	bits := &vector.Vector{Type: sqltype.T(sqltype.TinyInt), Len: b.blocks * bloomBlock, Data: make([]byte, b.blocks*bloomBlock)}
	if readFull(c.win.file, bits.Data, b.offset, c.file.path) == nil {
		b.bits = bits
		c.cache.Put(key, bits, bits.Bytesize())
	}
	return b.bits
}

// has reports whether the value may be in the chunk.
func (b *bloomReader) has(v *vector.Value) bool {
	p, ok := b.column.leaf.plainBytes(v)
	if !ok {
		return true
	}
	hash := xxhash64(p)
	if bits := b.cached(); bits != nil {
		return bloomHas(bits.Data[bloomIndex(hash, b.blocks)*bloomBlock:][:bloomBlock], hash)
	}
	var block [bloomBlock]byte
	if readFull(b.column.win.file, block[:], b.offset+int64(bloomIndex(hash, b.blocks))*bloomBlock, b.column.file.path) != nil {
		return true
	}
	return bloomHas(block[:], hash)
}

// plainBytes is how a value of the column's type is stored, without a string's length. ok is
// false where a value has several stored forms (zeros, NaN) or none.
func (l *leaf) plainBytes(v *vector.Value) (p []byte, ok bool) {
	switch {
	case v.Null:
		return nil, false
	case l.elem.typ == physByteArray && l.conv == convNone:
		return []byte(v.S), true
	case l.conv == convFixedBytes:
		return []byte(v.S), len(v.S) == l.storedWidth()
	case l.elem.typ == physFloat:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v.F))), v.F != 0 && v.F == v.F
	case l.elem.typ == physDouble:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v.F)), v.F != 0 && v.F == v.F
	case l.elem.typ == physFixed && (l.conv == convBigEndian64 || l.conv == convBigEndian128):
		return bigEndianBytes(v.I, l.storedWidth()), true
	case !v.I.IsInt64() && l.conv != convUint64To128:
		return nil, false
	}
	x := int64(v.I.Lo)
	switch l.conv {
	case convNone, convInt32To8, convInt32To16, convUint8To16, convUint16To32, convUint32To64, convInt32To64, convInt32To128, convInt64To128:
	case convUint64To128:
		if v.I.Hi != 0 {
			return nil, false
		}
	case convMillisToMicros, convInt32MillisToMicros:
		if x%1000 != 0 {
			return nil, false
		}
		x /= 1000
	default:
		return nil, false
	}
	switch l.elem.typ {
	case physInt32:
		return binary.LittleEndian.AppendUint32(nil, uint32(x)), true
	case physInt64:
		return binary.LittleEndian.AppendUint64(nil, uint64(x)), true
	}
	return nil, false
}

// bigEndianBytes is x in n bytes, which it fits.
func bigEndianBytes(x int128.Int, n int) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	if n <= 16 {
		return b[16-n:]
	}
	out := make([]byte, n)
	for i := range out[:n-16] {
		out[i] = byte(x.Hi >> 63)
	}
	copy(out[n-16:], b[:])
	return out
}

// blooms are the opened filters of a reader's columns; nil values: none.
type blooms struct {
	columns map[int]*readColumn
	open    map[int]*bloomReader
}

// mayMatch reports whether any row could satisfy p as far as bloom filters know.
func (b *blooms) mayMatch(p *storage.Predicate) bool {
	switch p.Op {
	case storage.OpAnd:
		for i := range p.Children {
			if !b.mayMatch(&p.Children[i]) {
				return false
			}
		}
		return true
	case storage.OpOr:
		for i := range p.Children {
			if b.mayMatch(&p.Children[i]) {
				return true
			}
		}
		return false
	case storage.OpEq, storage.OpIn:
	default:
		return true
	}
	if len(p.Values) > maxBloomValues {
		return true
	}
	f := b.filter(p.Column)
	if f == nil {
		return true
	}
	for i := range p.Values {
		if f.has(&p.Values[i]) {
			return true
		}
	}
	return false
}

// maxBloomValues bounds the list of an IN that is looked up: each costs a small read.
const maxBloomValues = 64

func (b *blooms) filter(column int) *bloomReader {
	if f, ok := b.open[column]; ok {
		return f
	}
	var f *bloomReader
	if c := b.columns[column]; c != nil && c.column != nil && c.cast == nil {
		f = c.column.openBloom()
	}
	b.open[column] = f
	return f
}

// maxBloomBytes bounds a filter that is written.
const maxBloomBytes = 1 << 20

// bloomFilter makes the filter of the buffered values: of the dictionary's where there is one.
// n is the number of values. One value in a hundred that is absent is taken for present.
func (c *columnWriter) bloomFilter(n int, dict bool) []byte {
	distinct := n
	if dict {
		distinct = c.dict.entries
	}
	size := bloomBlock
	for size < distinct*10/8 && size < maxBloomBytes {
		size *= 2
	}
	filter := make([]byte, size)
	if dict {
		for _, i := range c.dict.first {
			bloomAdd(filter, xxhash64(c.value(int(i))))
		}
		return filter
	}
	for i := range n {
		bloomAdd(filter, xxhash64(c.value(i)))
	}
	return filter
}

// appendBloomHeader appends the header that stands before a filter.
func appendBloomHeader(dst []byte, size int) []byte {
	w := thriftWriter{b: dst}
	w.i32(1, int32(size))
	for id := int16(2); id <= 4; id++ {
		w.open(id)
		w.empty(1)
		w.close()
	}
	return append(w.b, thriftStop)
}
