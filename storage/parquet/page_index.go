package parquet

import (
	"sort"

	"github.com/basaltdb/basalt/storage"
)

// pageLocation is where a data page stands.
type pageLocation struct {
	offset int64
	size   int   // header included
	row    int64 // first row
	rows   int64
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
	h, n, err := c.win.header(p.offset, readAhead)
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

// pageRanges is what the column index tells of every page; nil when it cannot be used.
func (c *column) pageRanges() []storage.Range {
	c.loadPages()
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
