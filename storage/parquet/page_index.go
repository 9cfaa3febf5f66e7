package parquet

import (
	"sort"
	"sync"
	"unsafe"

	"github.com/basaltdb/basalt/storage"
)

// pageLocation is where a data page stands.
type pageLocation struct {
	offset int64
	size   int   // header included
	row    int64 // first row
	rows   int64
}

// pageIndexes are the decoded page indexes of a file's chunks: what looks single rows up asks for them each time. They
// live as long as the footer.
type pageIndexes struct {
	pages, ranges, blooms sync.Map // chunkKey -> []pageLocation, *pageRanges, bloomPlace; read-only
}

// chunkKey is a column chunk; nested ones count values, not rows.
type chunkKey struct {
	group, leaf int
	nested      bool
}

func (c *column) chunk() chunkKey { return chunkKey{c.group, c.leaf.index, c.maxDef > 0} }

// keep remembers a decoded index of about so many bytes.
func (x *pageIndexes) keep(f *File, in *sync.Map, key chunkKey, index any, bytes int) {
	if _, there := in.LoadOrStore(key, index); !there {
		footers.grow(f, int64(bytes)+64)
	}
}

// maxIndexBytes bounds a page index that is read.
const maxIndexBytes = 64 << 20

// loadPages reads the chunk's offset index, once. An index that is absent or that
// contradicts itself or the footer leaves pages nil: the chunk is read in order then.
func (c *column) loadPages() {
	if c.triedPages {
		return
	}
	c.triedPages = true
	if known, ok := c.file.indexes.pages.Load(c.chunk()); ok {
		c.pages = known.([]pageLocation)
		return
	}
	c.readPages()
	c.file.indexes.keep(c.file, &c.file.indexes.pages, c.chunk(), c.pages, len(c.pages)*int(unsafe.Sizeof(pageLocation{})))
}

// readPages reads the offset index.
func (c *column) readPages() {
	m := c.meta
	b := c.readIndex(m.offsetIndexOffset, m.offsetIndexLength)
	if b == nil {
		return
	}
	pages := decodeOffsetIndex(b, min(c.rows, int64(len(b))/leastLocation))
	for i := range pages {
		p := &pages[i]
		next := c.rows
		if i+1 < len(pages) {
			next = pages[i+1].row
		}
		p.rows = next - p.row
		if p.row < 0 || p.rows <= 0 || i == 0 && p.row != 0 || p.size <= 0 || p.offset < c.start || p.offset > c.win.end-int64(p.size) {
			return
		}
	}
	if len(pages) > 0 {
		c.pages = pages
	}
}

// readIndex reads an index structure from the file; nil when there is none or its
// place is wrong.
func (c *column) readIndex(off int64, n int32) []byte {
	if off < 4 || n <= 0 || n > maxIndexBytes || off > c.file.dataEnd-int64(n) {
		return nil
	}
	b := make([]byte, n)
	if readFull(c.win.file, b, off, c.file.path) != nil {
		return nil
	}
	if c.counters != nil {
		c.counters.BytesRead.Add(int64(n))
	}
	return b
}

// leastLocation is the fewest bytes that a location takes: three fields and their end.
const leastLocation = 7

// decodeOffsetIndex returns nil when the index is wrong, or has more than most pages.
func decodeOffsetIndex(b []byte, most int64) []pageLocation {
	r := &thriftReader{b: b}
	var out []pageLocation
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			break
		}
		last = id
		if id != 1 {
			r.skip(typ)
			continue
		}
		r.structs(typ, func() {
			if p := decodeLocation(r); int64(len(out)) < most {
				out = append(out, p)
			} else {
				r.fail(errList)
			}
		})
	}
	if r.err != nil {
		return nil
	}
	return out
}

func decodeLocation(r *thriftReader) pageLocation {
	var p pageLocation
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return p
		}
		last = id
		switch {
		case id == 1 && typ == thriftI64:
			p.offset = r.int()
		case id == 2 && typ == thriftI32:
			p.size = int(r.int32())
		case id == 3 && typ == thriftI64:
			p.row = r.int()
		default:
			r.skip(typ)
		}
	}
}

// readSize is how much is read at off where ahead is wanted: not beyond the page that holds the last row that the reader
// visits next.
func (c *column) readSize(off int64, ahead int) int {
	if c.until <= 0 || c.until >= c.rows {
		return ahead
	}
	c.loadPages()
	if c.pages == nil {
		return ahead
	}
	last := &c.pages[sort.Search(len(c.pages), func(i int) bool { return c.pages[i].row >= c.until })-1]
	if end := last.offset + int64(last.size); end > off {
		return int(min(int64(ahead), end-off))
	}
	return ahead
}

// jump moves to the page that holds row, using the offset index, when that is not the
// current one. A page that is not what the index says makes the index worthless.
func (c *column) jump(row int64) error {
	if row-c.row <= int64(c.page.left) {
		return nil
	}
	at := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].row > row }) - 1
	p := c.pages[at]
	if p.row <= c.row {
		return nil
	}
	h, n, err := c.win.header(p.offset, c.readSize(p.offset, readAhead))
	if err != nil || n+h.compressed != p.size || int64(h.values) != p.rows || h.typ != pageData && h.typ != pageDataV2 {
		c.pages = nil
		return nil
	}
	if c.counters != nil {
		first := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].row >= c.row })
		c.counters.PagesSkipped.Add(int64(at - first))
	}
	c.dropPage()
	c.next, c.row, c.ahead = p.offset, p.row, p.row
	return nil
}

// columnIndex is what the file tells of each page of a chunk.
type columnIndex struct {
	nullPages []bool
	min, max  [][]byte
	nulls     []int64 // nil: unknown
}

// decodeColumnIndex returns nil when the index is wrong, or is not one of so many pages.
func decodeColumnIndex(b []byte, pages int) *columnIndex {
	r := &thriftReader{b: b}
	x := &columnIndex{}
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			break
		}
		last = id
		if typ != thriftList {
			r.skip(typ)
			continue
		}
		n, elem := r.list()
		if id <= 3 && n != pages || id == 5 && n != pages && n != 0 {
			return nil
		}
		for range n {
			switch {
			case id == 1 && (elem == thriftTrue || elem == thriftFalse):
				x.nullPages = append(x.nullPages, r.byte() == thriftTrue)
			case id == 2 && elem == thriftBinary:
				x.min = append(x.min, r.binary())
			case id == 3 && elem == thriftBinary:
				x.max = append(x.max, r.binary())
			case id == 5 && elem == thriftI64:
				x.nulls = append(x.nulls, r.int())
			default:
				r.skipElem(elem, 0)
			}
		}
	}
	if r.err != nil {
		return nil
	}
	return x
}

// pageRanges is what is known of a column page by page. Immutable, shared by readers.
type pageRanges struct {
	pages []storage.Range // empty: nothing
	// ascending tells that neither the least nor the largest values ever fall from one page to the next.
	ascending bool
}

// pageRanges is what the column index tells of every page.
func (c *column) pageRanges() *pageRanges {
	c.loadPages()
	if known, ok := c.file.indexes.ranges.Load(c.chunk()); ok {
		return known.(*pageRanges)
	}
	p := &pageRanges{pages: c.readRanges()}
	p.ascending = ascending(p.pages)
	c.file.indexes.keep(c.file, &c.file.indexes.ranges, c.chunk(), p, len(p.pages)*rangeBytes)
	return p
}

// ascending reports whether bounds, all known, never fall.
func ascending(pages []storage.Range) bool {
	for i := range pages {
		r := &pages[i]
		if r.Min == nil || r.Max == nil || r.HasNaN {
			return false
		}
		if i > 0 && (pages[i-1].Min.Compare(*r.Min) > 0 || pages[i-1].Max.Compare(*r.Max) > 0) {
			return false
		}
	}
	return len(pages) > 0
}

// span are the pages [lo, hi) that may hold rows which satisfy p, as far as order tells; all of them where it does not.
func (x *pageRanges) span(p *storage.Predicate) (lo, hi int) {
	hi = len(x.pages)
	if !x.ascending {
		return 0, hi
	}
	from, to := -1, -1 // of p.Values
	switch p.Op {
	case storage.OpEq, storage.OpIn:
		from, to = 0, len(p.Values)-1
	case storage.OpLt, storage.OpLe:
		to = 0
	case storage.OpGt, storage.OpGe:
		from = 0
	}
	if from >= 0 && from < len(p.Values) {
		lo = sort.Search(hi, func(i int) bool { return x.pages[i].Max.Compare(p.Values[from]) >= 0 })
	}
	if to >= 0 {
		hi = lo + sort.Search(hi-lo, func(i int) bool { return x.pages[lo+i].Min.Compare(p.Values[to]) > 0 })
	}
	return lo, hi
}

// rangeBytes is about what a page's bounds take.
const rangeBytes = 320

// readRanges reads the column index.
func (c *column) readRanges() []storage.Range {
	b := c.readIndex(c.meta.columnIndexOffset, c.meta.columnIndexLength)
	n := len(c.pages)
	if n == 0 || b == nil {
		return nil
	}
	x := decodeColumnIndex(b, n)
	if x == nil || len(x.nullPages) != n || len(x.min) != n || len(x.max) != n || x.nulls != nil && len(x.nulls) != n {
		return nil
	}
	orders := c.file.meta.orders
	ordered := c.leaf.index < len(orders) && orders[c.leaf.index] == orderType
	out := make([]storage.Range, n)
	for i := range out {
		r := &out[i]
		*r = storage.Range{Rows: c.pages[i].rows, Nulls: -1, HasNaN: c.leaf.Type.IsFloat()}
		if x.nulls != nil && x.nulls[i] >= 0 && x.nulls[i] <= r.Rows && !c.file.wrongNullCounts() {
			r.Nulls = x.nulls[i]
		}
		if !c.leaf.optional {
			r.Nulls = 0
		}
		switch {
		case x.nullPages[i]:
			r.Nulls = r.Rows
		case ordered:
			r.Min, r.Max = c.leaf.bounds(x.min[i], x.max[i])
		}
	}
	return out
}
