package parquet

import (
	"errors"
	"fmt"
	"sync"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// column reads one column chunk forwards: rows are read (all of a window, or some of it)
// or passed over. One goroutine uses it. Vectors that it returns are its own and valid
// until its next read.
type column struct {
	leaf     *leaf
	meta     *chunkMeta
	file     *File
	group    int
	win      window
	counters *storage.ScanCounters

	start int64 // file offset of the first page
	next  int64 // of the next page's header
	rows  int64 // of the row group
	row   int64 // next row to read
	ahead int64 // rows of the pages whose headers were passed, the current page included
	until int64 // rows from here on are not read next; 0: unknown
	// pages is the offset index, read when pages are to be passed over.
	pages      []pageLocation
	triedPages bool

	stored   int // bytes of a stored value, 0: BYTE_ARRAY
	width    int // bytes of a value of the column's layout
	isString bool
	// maxDef and maxRep are the levels of a leaf of a nested column; rows then count levels.
	maxDef, maxRep uint8

	page page
	// shared is what other readers of the row group use, too, and this one reads rows [lo, hi)
	// of; nil: the reader has the row group alone.
	shared *sharedPages
	lo, hi int64

	cache      *storage.PageCache // for the dictionary and the bloom filter; nil: none
	key        storage.PageKey    // of the chunk
	dict       *vector.Vector
	cachedDict bool  // dict is in the cache
	dictBytes  int64 // charged to the budget
	keepDict   bool
	hasDict    bool // dictHeader and dictBody are known
	dictHeader pageHeader
	dictBody   int64

	// The vector being read.
	out   vector.Vector
	done  int
	mode  outputMode
	nulls bool
	*workspace
}

// workspace is the memory of a column's vectors. It is pooled: readers are short-lived
// where row groups are small.
type workspace struct {
	memData  []byte // flat values
	codes    []int32
	tmpCodes []int32
	valid    vector.Bitmap
	scratch  vector.Bitmap // of the page that rows are picked from
	ordinals []int32
	raw      []byte // stored form before conversion
	out1     sink
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// columns is where the memory of columns comes from: a column is large, and a lookup of one row makes several.
var columns = sync.Pool{New: func() any { return new(column) }}

// release is close for a column of newColumn that nobody refers to any more.
func (c *column) release() {
	c.close()
	*c = column{}
	columns.Put(c)
}

// Numbers of rows under which the cache has what belongs to a whole chunk.
const (
	dictRow  = -1
	bloomRow = -2
)

// outputMode is the form that the rows read so far have.
type outputMode uint8

const (
	modeNone outputMode = iota
	modeCodes
	modeFlat
)

// newColumn opens the chunk of leaf l in row group g. Nothing is read yet.
func newColumn(f *File, file storage.File, l *leaf, g int, mem *memory, counters *storage.ScanCounters) (*column, error) {
	meta := &f.meta.groups[g].chunks[l.index]
	c := columns.Get().(*column)
	*c = column{leaf: l, meta: meta, file: f, group: g, rows: f.meta.groups[g].rows, counters: counters}
	c.workspace = workspaces.Get().(*workspace)
	if l.unsupported != "" {
		return nil, sqlerr.Unsupported(fmt.Sprintf("reading %s column %s of %s", l.unsupported, l.Name, f.path))
	}
	if err := c.open(file, mem); err != nil {
		return nil, c.fail(err)
	}
	return c, nil
}

// newLevelColumn opens the chunk of a leaf of a nested column: page by page, its levels
// and then its values are read (see leafStream).
func newLevelColumn(f *File, file storage.File, n *node, g int, mem *memory, counters *storage.ScanCounters) (*column, error) {
	meta := &f.meta.groups[g].chunks[n.leaf.index]
	c := &column{leaf: n.leaf, meta: meta, file: f, group: g, rows: meta.values, counters: counters, maxDef: n.maxDef, maxRep: n.maxRep}
	c.workspace = workspaces.Get().(*workspace)
	if err := c.open(file, mem); err != nil {
		return nil, c.fail(err)
	}
	return c, nil
}

// pageValues reads the next n values of the current page, which is loaded.
func (c *column) pageValues(n int) (*vector.Vector, error) {
	c.win.release()
	c.done, c.mode, c.nulls = 0, modeNone, false
	c.out1.reset()
	var err error
	if c.page.isDict {
		err = c.readCodes(n, n, n)
	} else {
		err = c.readValues(n, n, n)
	}
	if err != nil {
		return nil, err
	}
	c.done += n
	return c.finish(n), nil
}

// open checks what the footer says about the chunk.
func (c *column) open(file storage.File, mem *memory) error {
	m := c.meta
	if err := c.leaf.check(); err != nil {
		return err
	}
	switch {
	case m.encrypted || !m.hasMeta && m.filePath == "":
		return sqlerr.Unsupported(fmt.Sprintf("encrypted column %s of %s", c.leaf.Name, c.file.path))
	case m.filePath != "":
		return sqlerr.Unsupported(fmt.Sprintf("column %s of %s in another file", c.leaf.Name, c.file.path))
	case m.typ != c.leaf.elem.typ:
		return formatError(fmt.Sprintf("the chunk is %s, the schema says %s", m.typ, c.leaf.elem.typ))
	case m.codec < 0 || m.codec >= numCodecs:
		return formatError(fmt.Sprintf("codec %d is unknown", m.codec))
	case m.codec == codecLZO:
		return sqlerr.Unsupported("LZO compression in " + c.file.path)
	case m.values != c.rows:
		return formatError(fmt.Sprintf("the chunk has %d values, its row group %d rows", m.values, c.rows))
	case m.compressed < 0:
		return formatError("the chunk has a negative size")
	}
	c.start = m.dataOffset
	if m.dictOffset > 0 && m.dictOffset < m.dataOffset {
		c.start = m.dictOffset
	}
	if c.start < 4 || c.start+m.compressed > c.file.dataEnd || c.start+m.compressed < c.start {
		return formatError("the chunk lies outside of the file")
	}
	c.next = c.start
	counters := c.counters
	c.win = window{file: file, path: c.file.path, mem: mem}
	if counters != nil {
		c.win.bytes = &counters.BytesRead
	}
	// Old writers leave the dictionary's header out of the size.
	c.win.end = min(c.start+m.compressed+100, c.file.dataEnd)
	c.stored = c.leaf.storedWidth()
	c.width = c.leaf.Type.Physical().Size()
	c.isString = c.leaf.Type.Physical() == sqltype.PhysString
	c.out.Type = c.leaf.Type
	c.out1.made.Of = mem.budget
	return nil
}

// fail names the place of an error. Errors that are ours already stay as they are.
func (c *column) fail(err error) error {
	var e *sqlerr.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return sqlerr.New(sqlerr.CorruptFile, "corrupt Parquet file %s: row group %d, column %s: %s", c.file.path, c.group, c.leaf.Name, err)
}

// close gives back buffers. The vectors that were returned are not valid any more.
func (c *column) close() {
	c.win.retire(c.page.buf)
	c.page = page{}
	c.win.close()
	c.win.mem.budget.Shrink(c.dictBytes)
	c.dictBytes = 0
	if w := c.workspace; w != nil {
		clear(w.out1.bufs[:cap(w.out1.bufs)]) // do not keep pages alive
		w.out1.reset()
		w.out1.made = budget.Claim{}
		c.workspace = nil
		workspaces.Put(w)
	}
}

// nextPage moves to the next data page that has rows. The page before must be finished.
func (c *column) nextPage(ahead int) error {
	c.dropPage()
	for {
		if c.ahead >= c.rows {
			return formatError("the column chunk has fewer rows than its row group")
		}
		h, size, err := c.header(c.next, c.readSize(c.next, ahead))
		if err != nil {
			return err
		}
		offset, body := c.next, c.next+int64(size)
		if body+int64(h.compressed) > c.win.end {
			return formatError("a page reaches behind its column chunk")
		}
		c.next = body + int64(h.compressed)
		switch h.typ {
		case pageDict:
			if c.hasDict || c.ahead > 0 {
				if c.hasDict && body == c.dictBody {
					continue
				}
				return formatError("the column chunk has two dictionaries")
			}
			c.hasDict, c.dictHeader, c.dictBody = true, h, body
		case pageData, pageDataV2:
			if h.values == 0 {
				continue
			}
			if int64(h.values) > c.rows-c.ahead {
				return formatError("the column chunk has more rows than its row group")
			}
			c.ahead += int64(h.values)
			c.page.header, c.page.offset, c.page.body, c.page.left, c.page.loaded = h, offset, body, h.values, false
			return nil
		}
	}
}

// dropPage lets go of the current page; its memory lives on until the next read.
func (c *column) dropPage() {
	c.win.retire(c.page.buf)
	c.page.buf = nil
	c.page.left, c.page.loaded = 0, false
}

// skipTo passes over rows up to row.
func (c *column) skipTo(row int64) error {
	if row <= c.row {
		return nil
	}
	if row-c.row > int64(c.page.left) {
		c.loadPages()
		if c.pages != nil {
			if err := c.jump(row); err != nil {
				return err
			}
		}
	}
	for c.row < row {
		p := &c.page
		if p.left == 0 {
			ahead := readAhead
			if row-c.row > 1<<16 {
				ahead = headerAhead
			}
			if err := c.nextPage(ahead); err != nil {
				return err
			}
		}
		n := int(min(int64(p.left), row-c.row))
		c.row += int64(n)
		if n == p.left {
			if !p.loaded && c.counters != nil {
				c.counters.PagesSkipped.Add(1)
			}
			c.dropPage()
			continue
		}
		if !p.loaded {
			if err := c.load(); err != nil {
				return err
			}
		}
		p.left -= n
		if c.leaf.optional {
			ones, err := p.levels.skipValidity(n)
			if err != nil {
				return err
			}
			n = ones
		}
		if err := c.skipValues(n); err != nil {
			return err
		}
	}
	return nil
}

func (c *column) skipValues(n int) error {
	p := &c.page
	switch {
	case n == 0:
		return nil
	case p.isDict:
		return p.codes.skip(n)
	case c.isString:
		return p.strings.skip(n)
	}
	return p.fixed.skip(n)
}

// begin starts a vector of at most n rows.
func (c *column) begin(n int) {
	c.win.release()
	c.done, c.mode, c.nulls = 0, modeNone, false
	c.out1.reset()
	if c.leaf.optional {
		words := (n+63)/64 + 1
		if cap(c.valid) < words {
			c.valid = make(vector.Bitmap, words)
		}
		c.valid = c.valid[:words]
		clear(c.valid)
	}
}

// needPage makes the current page one with rows left, loaded.
func (c *column) needPage() error {
	if c.page.left == 0 {
		if err := c.nextPage(readAhead); err != nil {
			return err
		}
	}
	if !c.page.loaded {
		return c.load()
	}
	return nil
}

// read returns rows [row, row+n) of the row group, where row is not before what was read.
func (c *column) read(row int64, n int) (*vector.Vector, error) {
	v, err := c.readWindow(row, n)
	if err != nil {
		return nil, c.fail(err)
	}
	return v, nil
}

func (c *column) readWindow(row int64, n int) (*vector.Vector, error) {
	if err := c.skipTo(row); err != nil {
		return nil, err
	}
	c.begin(n)
	for c.done < n {
		if err := c.needPage(); err != nil {
			return nil, err
		}
		p := &c.page
		m := min(n-c.done, p.left)
		ones := m
		if c.leaf.optional {
			var err error
			if ones, err = p.levels.validity(c.valid, c.done, m); err != nil {
				return nil, err
			}
			c.nulls = c.nulls || ones < m
		}
		var err error
		switch {
		case p.isDict:
			err = c.readCodes(n, m, ones)
		case p.direct && c.leaf.conv == convNone && m == n && ones == n && !c.isString:
			var data []byte
			data, err = p.plain.peek(n) // in place
			p.plain.pos += len(data)
			c.mode = modeFlat
			c.setFlat(data, n)
			p.left -= n
			c.row += int64(n)
			if err != nil {
				return nil, err
			}
			return &c.out, nil
		default:
			err = c.readValues(n, m, ones)
		}
		if err != nil {
			return nil, err
		}
		p.left -= m
		c.done += m
		c.row += int64(m)
	}
	return c.finish(n), nil
}

// finish completes the vector of n rows.
func (c *column) finish(n int) *vector.Vector {
	if c.mode == modeCodes {
		o := &c.out
		o.Form, o.Len = vector.Dictionary, n
		o.Data, o.Bufs, o.Lender = nil, nil, nil
		o.Codes, o.Dict = c.codes[:n], c.dict
		o.Valid = nil
	} else {
		c.setFlat(c.memData[:n*c.width], n)
	}
	if c.nulls {
		c.out.Valid = c.valid[:(n+63)/64]
	}
	return &c.out
}

func (c *column) setFlat(data []byte, n int) {
	o := &c.out
	o.Form, o.Len = vector.Flat, n
	o.Data, o.Valid = data, nil
	o.Codes, o.Dict = nil, nil
	o.Bufs, o.Lender = nil, nil
	if c.isString {
		o.Bufs, o.Lender = c.out1.bufs, c
	}
}

// Lend implements vector.Lender: it lends buffers that the current vector fills at least half of.
func (c *column) Lend(b []byte) ([]byte, func()) {
	buf := c.page.buf
	if !buf.has(b) {
		buf = c.win.holder(b)
	}
	if buf == nil {
		return nil, nil
	}
	used := 0
	for _, x := range c.out1.bufs {
		if buf.has(x) {
			used += len(x)
		}
	}
	if 2*used < len(buf.mem) {
		return nil, nil
	}
	buf.lend()
	return buf.mem, buf.drop
}

// flat makes the output flat and returns memory for n values.
func (c *column) flat(n int) {
	if len(c.memData) < n*c.width {
		c.memData = alignedBytes(max(n, vector.BatchRows) * c.width)
		// Rows before were not written yet: flat is called before the first value.
	}
	if c.mode == modeCodes { // the chunk went on without its dictionary
		c.gatherDict(0, c.codes[:c.done])
	}
	c.mode = modeFlat
}

// gatherDict writes dictionary values to the rows from at on.
func (c *column) gatherDict(at int, codes []int32) {
	if len(codes) == 0 || c.dict.Len == 0 { // no value at all: codes are those of null rows
		clear(c.memData[at*c.width : (at+len(codes))*c.width])
		return
	}
	dst := c.memData[at*c.width:]
	gatherFixed(dst, c.dict.Data, c.width, codes)
	if !c.isString || len(c.dict.Bufs) == 0 {
		return
	}
	moved := false
	numbers := make([]int, len(c.dict.Bufs)) // one buffer, but for UUIDs
	for i, b := range c.dict.Bufs {
		numbers[i] = c.out1.add(b)
		moved = moved || numbers[i] != i
	}
	if !moved {
		return
	}
	views := slice[vector.View](dst, len(codes))
	for i, v := range views {
		if !v.IsInline() {
			views[i] = v.Rebase(numbers[v.Buffer()])
		}
	}
}

func (c *column) codeBuffers(n int) {
	if len(c.codes) < n {
		size := max(n, vector.BatchRows)
		old := c.codes
		c.codes, c.tmpCodes = make([]int32, size), make([]int32, size)
		copy(c.codes, old)
	}
}

// readCodes reads m rows, of which ones are not null, of a page of codes into a vector
// of n rows.
func (c *column) readCodes(n, m, ones int) error {
	c.codeBuffers(n)
	if c.mode == modeNone && c.keepDict && (c.dict.Len > 0) {
		c.mode = modeCodes
	}
	if c.mode == modeCodes {
		dst := c.codes[c.done : c.done+m]
		if err := c.page.codes.codes(dst[:ones], c.dict.Len); err != nil {
			return err
		}
		spread(dst, c.valid, c.done, m, ones)
		return nil
	}
	c.flat(n)
	if err := c.page.codes.codes(c.tmpCodes[:ones], c.dict.Len); err != nil {
		return err
	}
	c.gatherDict(c.done, c.tmpCodes[:ones])
	spreadFixed(c.memData[c.done*c.width:], c.width, c.valid, c.done, m, ones)
	return nil
}

// readValues reads m rows, of which ones are not null, of a page without dictionary.
func (c *column) readValues(n, m, ones int) error {
	c.flat(n)
	dst := c.memData[c.done*c.width : (c.done+m)*c.width]
	if err := c.nextValues(dst, ones); err != nil {
		return err
	}
	spreadFixed(dst, c.width, c.valid, c.done, m, ones)
	return nil
}

// nextValues decodes n values of the page to dst, in the column's layout.
func (c *column) nextValues(dst []byte, n int) error {
	p := &c.page
	switch {
	case n == 0:
		return nil
	case c.isString:
		return p.strings.next(slice[vector.View](dst, n), &c.out1)
	case c.leaf.conv == convNone || c.leaf.conv.fromStrings():
		return p.fixed.next(dst, n)
	case p.direct:
		src, err := p.plain.peek(n)
		if err != nil {
			return err
		}
		p.plain.pos += len(src)
		return convertFixed(c.leaf.conv, c.stored, dst, src, n)
	}
	c.growRaw(n * c.stored)
	if err := p.fixed.next(c.raw, n); err != nil {
		return err
	}
	return convertFixed(c.leaf.conv, c.stored, dst, c.raw, n)
}
