package parquet

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// worthPacking is the share of its size that a chunk's first page must shrink to, or the
// chunk stays uncompressed: reading it costs nothing then.
const worthPacking = 0.9

// writtenChunk is what footer and page index say of a column chunk.
type writtenChunk struct {
	column       *columnWriter
	codec        int32
	values       int64
	uncompressed int64 // headers included
	compressed   int64
	dictOffset   int64 // 0: none
	dataOffset   int64
	hasDict      bool
	stats        writtenStats
	pages        []writtenPage
	bloom        []byte // until it is written
	bloomOffset  int64
	bloomLength  int32

	columnIndexOffset, offsetIndexOffset int64
	columnIndexLength, offsetIndexLength int32
}

// writtenPage is a data page.
type writtenPage struct {
	offset int64
	size   int32
	row    int64
	stats  writtenStats
	empty  bool // only nulls
}

var (
	zstdEncoderOnce sync.Once
	zstdEncoder     *zstd.Encoder
)

func sharedZstdEncoder() *zstd.Encoder {
	zstdEncoderOnce.Do(func() {
		zstdEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	})
	return zstdEncoder
}

// pack compresses src into dst's memory.
func pack(dst []byte, codec int32, src []byte) []byte {
	switch codec {
	case codecZstd:
		return sharedZstdEncoder().EncodeAll(src, dst[:0])
	case codecSnappy:
		return s2.EncodeSnappy(dst[:cap(dst)], src)
	}
	return src
}

// flush writes the buffered rows as a column chunk.
func (c *columnWriter) flush(f *Writer, bloom bool) (writtenChunk, error) {
	n := c.rows - c.nulls
	w := writtenChunk{column: c, codec: f.codec, values: int64(c.rows)}
	if c.width == 0 {
		c.offsets = append(c.offsets, len(c.plain))
	}
	w.hasDict = c.dict.build(c, n)
	rows := min(c.pageRows(f.opt.PageBytes, w.hasDict), f.opt.PageRows)
	w.codec = c.chooseCodec(&w, rows)
	if w.hasDict {
		w.dictOffset = f.offset
		c.page = c.dictPage(c.page[:0])
		if err := c.putPage(f, &w, pageDict, c.dict.entries, encPlain); err != nil {
			return w, err
		}
	}
	w.dataOffset = f.offset
	value, record := 0, 0
	for row, m := 0, 0; row < c.rows; row += m {
		m = c.pageEnd(row, min(rows, c.rows-row))
		k := c.countValid(row, m)
		for m > 1 && !w.hasDict && c.size(value, value+k) > maxWrittenPage {
			half := c.pageEnd(row, m/2)
			if half == m {
				break // one row
			}
			m = half
			k = c.countValid(row, m)
		}
		c.encodePage(row, m, value, k, w.hasDict)
		p := writtenPage{offset: f.offset, row: int64(record), empty: k == 0}
		p.stats.lo, p.stats.hi = c.bounds(value, value+k)
		p.stats.nulls = int64(m - k)
		w.stats.merge(c, &p.stats)
		p.stats.finish(c.col.Type)
		encoding := int32(encPlain)
		if w.hasDict {
			encoding = encRLEDictionary
		}
		if err := c.putPage(f, &w, pageData, m, encoding); err != nil {
			return w, err
		}
		p.size = int32(f.offset - p.offset)
		w.pages = append(w.pages, p)
		value += k
		if record += m; c.nested != nil {
			record += c.nested.records(row, row+m) - m
		}
	}
	w.stats.finish(c.col.Type)
	if bloom && c.typ != physBoolean {
		w.bloom = c.bloomFilter(n, w.hasDict)
	}
	c.reset()
	return w, nil
}

// pageEnd makes a page of about m rows end with a whole row.
func (c *columnWriter) pageEnd(row, m int) int {
	if c.nested != nil {
		return c.nested.wholeRecords(row, m)
	}
	return m
}

// putBloom writes the chunk's bloom filter, if it has one, and lets go of it.
func (w *writtenChunk) putBloom(f *Writer) error {
	if w.bloom == nil {
		return nil
	}
	w.bloomOffset = f.offset
	err := f.put(append(appendBloomHeader(nil, len(w.bloom)), w.bloom...))
	w.bloomLength = int32(f.offset - w.bloomOffset)
	w.bloom = nil
	return err
}

// merge widens s by a page's bounds, before they are cut.
func (s *writtenStats) merge(c *columnWriter, p *writtenStats) {
	s.nulls += p.nulls
	if p.lo == nil {
		return
	}
	if s.lo == nil || c.compare(p.lo, s.lo) < 0 {
		s.lo = p.lo
	}
	if s.hi == nil || c.compare(p.hi, s.hi) > 0 {
		s.hi = p.hi
	}
}

// pageRows is how many rows a page holds: a multiple of the batch size.
func (c *columnWriter) pageRows(pageBytes int, dict bool) int {
	if dict {
		return maxPageRows
	}
	rows := pageBytes / max(1, len(c.plain)/c.rows)
	return min(max(rows/vector.BatchRows, 1)*vector.BatchRows, maxPageRows)
}

// maxWrittenPage bounds a page where strings are huge.
const maxWrittenPage = 64 << 20

// size is the PLAIN bytes of values [from, to).
func (c *columnWriter) size(from, to int) int {
	if c.width == 0 {
		return c.offsets[to] - c.offsets[from]
	}
	return (to - from) * c.width
}

// codeWidth is the bits of a dictionary code; some readers do not take 0.
func (d *dictBuilder) codeWidth() uint { return uint(max(1, bits.Len(uint(d.entries-1)))) }

// chooseCodec tries the first page.
func (c *columnWriter) chooseCodec(w *writtenChunk, rows int) int32 {
	if w.codec == codecNone {
		return codecNone
	}
	m := c.pageEnd(0, min(rows, c.rows))
	for m > 1 && c.nested == nil && !w.hasDict && c.size(0, c.countValid(0, m)) > maxWrittenPage {
		m /= 2
	}
	c.encodePage(0, m, 0, c.countValid(0, m), w.hasDict)
	c.packed = pack(c.packed, w.codec, c.page)
	if float64(len(c.packed)) > worthPacking*float64(len(c.page)) {
		return codecNone
	}
	return w.codec
}

// countValid counts the non-null ones of m rows.
func (c *columnWriter) countValid(row, m int) int {
	if c.nested != nil {
		return c.nested.values(row, row+m)
	}
	if c.nulls == 0 {
		return m
	}
	n := 0
	for i := row; i < row+m; {
		k := min(64-i&63, row+m-i)
		n += bits.OnesCount64(c.valid[i>>6] >> (uint(i) & 63) & (^uint64(0) >> (64 - uint(k))))
		i += k
	}
	return n
}

// encodePage makes the body of a data page of m rows in c.page: the k values from value on.
func (c *columnWriter) encodePage(row, m, value, k int, dict bool) {
	c.page = c.page[:0]
	if c.nested != nil {
		c.page = c.appendNestedLevels(c.page, row, m)
	} else if c.col.Nullable {
		c.page = c.appendLevels(c.page, row, m, k)
	}
	switch {
	case dict:
		width := c.dict.codeWidth()
		c.page = append(c.page, byte(width))
		c.page = appendHybrid(c.page, c.dict.codes[value:value+k], width)
	case c.typ == physBoolean:
		c.page = appendBits(c.page, c.plain[value:value+k])
	case c.width == 0:
		c.page = append(c.page, c.plain[c.offsets[value]:c.offsets[value+k]]...)
	default:
		c.page = append(c.page, c.plain[value*c.width:(value+k)*c.width]...)
	}
}

// appendLevels appends the definition levels with their length.
func (c *columnWriter) appendLevels(dst []byte, row, m, k int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch k {
	case m:
		dst = appendRun(dst, 1, m, 1)
	case 0:
		dst = appendRun(dst, 0, m, 1)
	default:
		if cap(c.levels) < m {
			c.levels = make([]int32, max(m, maxPageRows))
		}
		levels := c.levels[:m]
		for i := range levels {
			levels[i] = int32(c.valid[(row+i)>>6] >> (uint(row+i) & 63) & 1)
		}
		dst = appendHybrid(dst, levels, 1)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendBits packs bytes of 0 and 1, least significant bit first.
func appendBits(dst, src []byte) []byte {
	for len(src) > 0 {
		var x byte
		n := min(8, len(src))
		for i, b := range src[:n] {
			x |= b & 1 << i
		}
		dst = append(dst, x)
		src = src[n:]
	}
	return dst
}

// putPage writes the page in c.page: header, then body.
func (c *columnWriter) putPage(f *Writer, w *writtenChunk, typ int32, values int, encoding int32) error {
	body := c.page
	if w.codec != codecNone {
		c.packed = pack(c.packed, w.codec, c.page)
		body = c.packed
	}
	var t thriftWriter
	t.i32(1, typ)
	t.i32(2, int32(len(c.page)))
	t.i32(3, int32(len(body)))
	if typ == pageDict {
		t.open(7)
		t.i32(1, int32(values))
		t.i32(2, encoding)
	} else {
		t.open(5)
		t.i32(1, int32(values))
		t.i32(2, encoding)
		t.i32(3, encRLE)
		t.i32(4, encRLE)
	}
	t.close()
	header := append(t.b, thriftStop)
	w.uncompressed += int64(len(header) + len(c.page))
	w.compressed += int64(len(header) + len(body))
	if err := f.put(header); err != nil {
		return err
	}
	return f.put(body)
}

// meta writes the ColumnChunk of the footer.
func (w *writtenChunk) meta(t *thriftWriter) {
	first := w.dataOffset
	if w.hasDict {
		first = w.dictOffset
	}
	t.elem()
	t.i64(2, first)
	t.open(3)
	t.i32(1, int32(w.column.typ))
	t.list(2, thriftI32, 2)
	encoding := int64(encPlain)
	if w.hasDict {
		encoding = encRLEDictionary
	}
	t.zigzag(encoding)
	t.zigzag(encRLE)
	path := []string{w.column.col.Name}
	if w.column.nested != nil {
		path = w.column.nested.path
	}
	t.list(3, thriftBinary, len(path))
	for _, p := range path {
		t.raw([]byte(p))
	}
	t.i32(4, w.codec)
	t.i64(5, w.values)
	t.i64(6, w.uncompressed)
	t.i64(7, w.compressed)
	t.i64(9, w.dataOffset)
	if w.hasDict {
		t.i64(11, w.dictOffset)
	}
	t.open(12)
	t.i64(3, w.stats.nulls)
	if w.stats.lo != nil {
		t.binary(5, w.stats.hi)
		t.binary(6, w.stats.lo)
		t.bool(7, w.stats.hiExact)
		t.bool(8, w.stats.loExact)
	}
	t.close()
	w.encodingStats(t, int32(encoding))
	if w.bloomLength > 0 {
		t.i64(14, w.bloomOffset)
		t.i32(15, w.bloomLength)
	}
	t.close()
	t.i64(4, w.offsetIndexOffset)
	t.i32(5, w.offsetIndexLength)
	if w.columnIndexLength > 0 {
		t.i64(6, w.columnIndexOffset)
		t.i32(7, w.columnIndexLength)
	}
	t.close()
}

func (w *writtenChunk) encodingStats(t *thriftWriter, encoding int32) {
	one := func(page, encoding, n int32) {
		t.elem()
		t.i32(1, page)
		t.i32(2, encoding)
		t.i32(3, n)
		t.close()
	}
	if w.hasDict {
		t.list(13, thriftStruct, 2)
		one(pageDict, encPlain, 1)
	} else {
		t.list(13, thriftStruct, 1)
	}
	one(pageData, encoding, int32(len(w.pages)))
}

// columnIndex is the encoded ColumnIndex. A page with values but without bounds (all NaN, or
// a string bound that cannot be cut) would make the index invalid, so that there is none.
func (w *writtenChunk) columnIndex() []byte {
	for i := range w.pages {
		if p := &w.pages[i]; !p.empty && p.stats.lo == nil {
			return nil
		}
	}
	var t thriftWriter
	t.list(1, thriftTrue, len(w.pages))
	for i := range w.pages {
		b := byte(thriftFalse)
		if w.pages[i].empty {
			b = thriftTrue
		}
		t.b = append(t.b, b)
	}
	t.list(2, thriftBinary, len(w.pages))
	for i := range w.pages {
		t.raw(w.pages[i].stats.lo)
	}
	t.list(3, thriftBinary, len(w.pages))
	for i := range w.pages {
		t.raw(w.pages[i].stats.hi)
	}
	t.i32(4, w.boundaryOrder())
	t.list(5, thriftI64, len(w.pages))
	for i := range w.pages {
		t.zigzag(w.pages[i].stats.nulls)
	}
	return append(t.b, thriftStop)
}

// boundaryOrder tells whether the pages' bounds ascend (1), descend (2) or neither (0).
func (w *writtenChunk) boundaryOrder() int32 {
	up, down := true, true
	var last *writtenStats
	for i := range w.pages {
		p := &w.pages[i]
		if p.empty {
			continue
		}
		if last != nil {
			lo, hi := w.column.compare(last.lo, p.stats.lo), w.column.compare(last.hi, p.stats.hi)
			up = up && lo <= 0 && hi <= 0
			down = down && lo >= 0 && hi >= 0
		}
		last = &p.stats
	}
	switch {
	case up:
		return 1
	case down:
		return 2
	}
	return 0
}

// offsetIndex is the encoded OffsetIndex.
func (w *writtenChunk) offsetIndex() []byte {
	var t thriftWriter
	t.list(1, thriftStruct, len(w.pages))
	for i := range w.pages {
		p := &w.pages[i]
		t.elem()
		t.i64(1, p.offset)
		t.i32(2, p.size)
		t.i64(3, p.row)
		t.close()
	}
	return append(t.b, thriftStop)
}
