package orc

import (
	"bufio"
	"io"
	"slices"
	"sort"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// WriterOptions tune a file. The zero value is good.
type WriterOptions struct {
	// Codec is "zlib" (default), "zstd", "snappy", "lz4" or "none".
	Codec string
	// StripeBytes ends a stripe, by the memory that buffered rows take; default 64 MiB.
	// StripeRows does so too; default 1 Mi.
	StripeBytes, StripeRows int
	// Stride is the rows of a row group; default 10,000.
	Stride int
	// BlockBytes is the size of a compression chunk; default 256 KiB.
	BlockBytes int
	// BloomColumns get a bloom filter a row group: columns that are looked up by value and
	// whose order does not prune.
	BloomColumns []int
	// KeyValues are written to the file's user metadata.
	KeyValues map[string]string
}

const (
	defaultStripeBytes = 64 << 20
	defaultStripeRows  = 1 << 20
	defaultStride      = 10_000
	// writerCode is nobody else's; readers take unknown writers to have no old bugs.
	writerCode          = 66
	writerVersion       = 8
	calendarProleptic   = 2
	softwareVersionText = "basalt 1.0"
)

// Writer streams batches into one ORC file. It buffers a stripe. One goroutine uses it.
type Writer struct {
	out      *bufio.Writer
	offset   int64
	err      error
	opt      WriterOptions
	c        *compressor
	enc      *encoder
	types    []typeMeta
	columns  []*columnWriter
	buffered int // rows of the open stripe
	group    int // rows of the open row group
	rows     int64
	stripes  []stripeMeta
	stats    [][]byte // encoded StripeStatistics
	total    []writtenStats
	closed   bool
}

// NewWriter starts a file on w. Types without an ORC form fail with sqlerr.NotSupported.
func NewWriter(w io.Writer, cols []storage.Column, opt WriterOptions) (*Writer, error) {
	setDefault := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	setDefault(&opt.StripeBytes, defaultStripeBytes)
	setDefault(&opt.StripeRows, defaultStripeRows)
	setDefault(&opt.Stride, defaultStride)
	setDefault(&opt.BlockBytes, defaultBlock)
	opt.BlockBytes = min(opt.BlockBytes, 4<<20)
	f := &Writer{out: bufio.NewWriterSize(w, 256<<10), opt: opt}
	var err error
	if f.c, err = newCompressor(opt.Codec, opt.BlockBytes); err != nil {
		return nil, err
	}
	f.enc = newEncoder(f.c, opt.Stride)
	f.types = []typeMeta{{kind: kindStruct}}
	var ids []uint32
	for _, c := range cols {
		var id uint32
		if f.types, id, err = appendTypes(f.types, c.Type); err != nil {
			return nil, err
		}
		ids = append(ids, id)
		f.types[0].children = append(f.types[0].children, id)
		f.types[0].names = append(f.types[0].names, c.Name)
	}
	for i, c := range cols {
		cw := newColumnWriter(f.types, ids[i], c.Type, c.Name, c.Nullable)
		cw.bloom = slices.Contains(opt.BloomColumns, i) && bloomable(c.Type)
		f.columns = append(f.columns, cw)
	}
	f.total = make([]writtenStats, len(f.types))
	return f, f.put([]byte(magic))
}

func bloomable(t sqltype.Type) bool { return !t.IsNested() && t.Kind != sqltype.Boolean }

// put writes bytes to the file.
func (f *Writer) put(b []byte) error {
	if f.err != nil {
		return f.err
	}
	n, err := f.out.Write(b)
	f.offset += int64(n)
	if err != nil {
		f.err = sqlerr.Wrap(sqlerr.FileIO, err, "cannot write ORC file")
	}
	return f.err
}

// Rows is the number of rows written so far, buffered ones included.
func (f *Writer) Rows() int64 { return f.rows + int64(f.buffered) }

// Bytes is the size of the file so far, without what is buffered; the file's size after Close.
func (f *Writer) Bytes() int64 { return f.offset }

// Buffered is the memory that the open stripe takes, in bytes.
func (f *Writer) Buffered() int64 {
	n := 0
	for _, c := range f.columns {
		n += c.buffered()
	}
	return int64(n)
}

// Write appends the live rows of b, whose columns have the types of the writer's.
func (f *Writer) Write(b *vector.Batch) error {
	if f.err != nil {
		return f.err
	}
	n := b.NumRows()
	for lo := 0; lo < n; {
		hi := min(n, lo+f.opt.Stride-f.group, lo+f.opt.StripeRows-f.buffered)
		part := b
		if lo > 0 || hi < n {
			part = b.View(lo, hi)
		}
		for i, c := range f.columns {
			if err := c.append(part.Cols[i], part.Sel, part.NumRows()); err != nil {
				f.err = err
				return err
			}
		}
		f.buffered += hi - lo
		f.group += hi - lo
		lo = hi
		if f.group == f.opt.Stride {
			f.endGroup()
		}
		if f.buffered >= f.opt.StripeRows || f.group == 0 && f.Buffered() >= int64(f.opt.StripeBytes) {
			if err := f.Flush(); err != nil {
				return err
			}
		}
	}
	return f.err
}

func (f *Writer) endGroup() {
	for _, c := range f.columns {
		c.endGroup()
	}
	f.group = 0
}

// Flush ends the open stripe, if it has rows.
func (f *Writer) Flush() error {
	if f.buffered == 0 || f.err != nil {
		return f.err
	}
	groups := (f.buffered + f.opt.Stride - 1) / f.opt.Stride
	if f.group > 0 {
		f.endGroup()
	}
	root := &encodedColumn{groups: make([]encodedGroup, groups)}
	for g := range root.groups {
		root.groups[g].stats.values = int64(min(f.opt.Stride, f.buffered-g*f.opt.Stride))
		root.total.merge(&root.groups[g].stats)
	}
	encoded := []*encodedColumn{root}
	for _, c := range f.columns {
		var err error
		if encoded, err = f.enc.column(encoded, c); err != nil {
			f.err = err
			return err
		}
	}
	if err := f.writeStripe(encoded); err != nil {
		f.err = err
		return err
	}
	f.rows += int64(f.buffered)
	f.buffered = 0
	for _, c := range f.columns {
		c.reset()
	}
	return f.err
}

// writeStripe writes indexes, data and footer of a stripe:
//
//	| row indexes and bloom filters | data streams | stripe footer |
func (f *Writer) writeStripe(encoded []*encodedColumn) error {
	stripe := stripeMeta{offset: f.offset, rows: int64(f.buffered)}
	var footer protoWriter
	list := func(kind streamKind, column uint32, n int) {
		var s protoWriter
		s.uint(1, uint64(kind))
		s.uint(2, uint64(column))
		s.uint(3, uint64(n))
		footer.bytes(1, s.b)
	}
	for _, c := range encoded {
		b, err := f.c.packAll(c.rowIndex(f.types))
		if err == nil {
			list(streamRowIndex, c.id, len(b))
			err = f.put(b)
		}
		if err == nil && c.bloom {
			if b, err = f.c.packAll(c.blooms()); err == nil {
				list(streamBloomUTF8, c.id, len(b))
				err = f.put(b)
			}
		}
		if err != nil {
			return err
		}
	}
	stripe.indexLength = f.offset - stripe.offset
	for _, c := range encoded {
		for _, s := range c.streams {
			list(s.kind, c.id, len(s.packed))
			if err := f.put(s.packed); err != nil {
				return err
			}
		}
	}
	stripe.dataLength = f.offset - stripe.offset - stripe.indexLength
	var stats protoWriter
	for _, c := range encoded {
		var e protoWriter
		e.uint(1, c.encoding.kind)
		if c.encoding.dictSize > 0 {
			e.uint(2, c.encoding.dictSize)
		}
		if c.bloom {
			e.uint(3, 1) // UTF-8 and UTC
		}
		footer.bytes(2, e.b)
		stats.bytes(1, c.total.encode(&f.types[c.id]))
		f.total[c.id].merge(&c.total)
	}
	footer.text(3, "UTC")
	f.stats = append(f.stats, stats.b)
	b, err := f.c.packAll(footer.b)
	if err != nil {
		return err
	}
	stripe.footerLength = int64(len(b))
	f.stripes = append(f.stripes, stripe)
	return f.put(b)
}

// rowIndex is the ROW_INDEX message.
func (c *encodedColumn) rowIndex(types []typeMeta) []byte {
	var w protoWriter
	for i := range c.groups {
		var e protoWriter
		e.packed(1, c.groups[i].positions)
		e.bytes(2, c.groups[i].stats.encode(&types[c.id]))
		w.bytes(1, e.b)
	}
	return w.b
}

// blooms is the BLOOM_FILTER_UTF8 message.
func (c *encodedColumn) blooms() []byte {
	var w protoWriter
	for i := range c.groups {
		var e protoWriter
		e.uint(1, uint64(c.groups[i].bloom.hashes))
		e.bytes(3, c.groups[i].bloom.bitset)
		w.bytes(1, e.b)
	}
	return w.b
}

// Close writes what is buffered and the tail. It does not close the underlying writer.
func (f *Writer) Close() error {
	if f.closed {
		return f.err
	}
	f.closed = true
	if err := f.Flush(); err != nil {
		return err
	}
	content := f.offset
	var meta protoWriter
	for _, s := range f.stats {
		meta.bytes(1, s)
	}
	metadata, err := f.c.packAll(meta.b)
	if err == nil {
		err = f.put(metadata)
	}
	var footer []byte
	if err == nil {
		footer, err = f.c.packAll(f.footer(content))
	}
	if err == nil {
		err = f.put(footer)
	}
	if err != nil {
		f.err = sqlerr.From(err)
		return f.err
	}
	ps := f.postscript(len(footer), len(metadata))
	if err := f.put(append(ps, byte(len(ps)))); err != nil {
		return err
	}
	if err := f.out.Flush(); err != nil {
		f.err = sqlerr.Wrap(sqlerr.FileIO, err, "cannot write ORC file")
	}
	return f.err
}

func (f *Writer) footer(content int64) []byte {
	var w protoWriter
	w.uint(1, uint64(len(magic)))
	w.uint(2, uint64(content))
	for _, s := range f.stripes {
		var m protoWriter
		m.uint(1, uint64(s.offset))
		m.uint(2, uint64(s.indexLength))
		m.uint(3, uint64(s.dataLength))
		m.uint(4, uint64(s.footerLength))
		m.uint(5, uint64(s.rows))
		w.bytes(3, m.b)
	}
	for i := range f.types {
		w.bytes(4, f.types[i].encode())
	}
	keys := make([]string, 0, len(f.opt.KeyValues))
	for k := range f.opt.KeyValues {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		var m protoWriter
		m.text(1, k)
		m.text(2, f.opt.KeyValues[k])
		w.bytes(5, m.b)
	}
	w.uint(6, uint64(f.rows))
	f.total[0] = writtenStats{values: f.rows}
	for i := range f.total {
		w.bytes(7, f.total[i].encode(&f.types[i]))
	}
	w.uint(8, uint64(f.opt.Stride))
	w.uint(9, writerCode)
	w.uint(11, calendarProleptic)
	w.text(12, softwareVersionText)
	return w.b
}

func (f *Writer) postscript(footer, metadata int) []byte {
	var w protoWriter
	w.uint(1, uint64(footer))
	w.uint(2, uint64(f.c.codec))
	if f.c.codec != codecNone {
		w.uint(3, uint64(f.opt.BlockBytes))
	}
	w.packed(4, []uint64{0, 12})
	w.uint(5, uint64(metadata))
	w.uint(6, writerVersion)
	w.text(8000, magic)
	return w.b
}
