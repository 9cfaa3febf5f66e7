package parquet

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// WriterOptions tune a file. The zero value is good.
type WriterOptions struct {
	// Codec is "zstd" (default), "snappy" or "none". Chunks that it hardly shrinks are
	// left uncompressed.
	Codec string
	// RowGroupRows ends a row group; default 1 Mi. RowGroupBytes does so too, by the
	// memory that buffered rows take; default 128 MiB.
	RowGroupRows  int
	RowGroupBytes int
	// PageBytes is the size of a page before compression; default 256 KiB. Pages hold a
	// multiple of vector.BatchRows rows, so that batches do not straddle them.
	PageBytes int
	// PageRows is the most rows of a page, a multiple of vector.BatchRows; default 32,768. Files that are looked up by
	// single rows have small pages.
	PageRows int
	// SortedBy is written down as the order of the rows, which the caller guarantees.
	SortedBy []SortColumn
	// BloomColumns get a bloom filter a row group: columns that are looked up by value and
	// whose order does not prune.
	BloomColumns []int
	// KeyValues are written to the file's metadata.
	KeyValues map[string]string
	// CreatedBy replaces the writer's name.
	CreatedBy string
}

// SortColumn is one column of a file's row order.
type SortColumn struct {
	Column     int
	Descending bool
	NullsFirst bool
}

const (
	defaultRowGroupRows  = 1 << 20
	defaultRowGroupBytes = 128 << 20
	defaultPageBytes     = 256 << 10
	maxPageRows          = 8 * vector.BatchRows
	createdBy            = "basalt version 1.0.0 (build 1)"
)

// Writer streams batches into one Parquet file. It buffers a row group. One goroutine
// uses it.
type Writer struct {
	out      *bufio.Writer
	offset   int64
	err      error
	cols     []storage.Column
	tops     []topWriter     // one a column
	columns  []*columnWriter // the leaves, in order
	opt      WriterOptions
	codec    int32
	buffered int // rows of the open row group
	rows     int64
	groups   []writtenGroup
	closed   bool
}

// topWriter is a column of the file: flat, or nested with leaves of its own.
type topWriter struct {
	flat   *columnWriter
	nested *nestedWriter
	first  int // of its leaves among the writer's
}

func (t *topWriter) append(v *vector.Vector, sel []int32, n int) error {
	if t.nested != nil {
		return t.nested.append(v, sel, n)
	}
	return t.flat.append(v, sel, n)
}

// writtenGroup is what the footer says of a row group.
type writtenGroup struct {
	rows   int64
	bytes  int64
	offset int64
	packed int64
	chunks []writtenChunk
}

// NewWriter starts a file on w. Types without a Parquet form fail with
// sqlerr.NotSupported.
func NewWriter(w io.Writer, cols []storage.Column, opt WriterOptions) (*Writer, error) {
	f := &Writer{out: bufio.NewWriterSize(w, 256<<10), cols: cols, opt: opt}
	switch opt.Codec {
	case "", "zstd":
		f.codec = codecZstd
	case "snappy":
		f.codec = codecSnappy
	case "none":
		f.codec = codecNone
	default:
		return nil, sqlerr.Unsupported("Parquet codec " + opt.Codec)
	}
	if f.opt.RowGroupRows <= 0 {
		f.opt.RowGroupRows = defaultRowGroupRows
	}
	if f.opt.RowGroupBytes <= 0 {
		f.opt.RowGroupBytes = defaultRowGroupBytes
	}
	if f.opt.PageRows <= 0 {
		f.opt.PageRows = maxPageRows
	}
	if f.opt.PageBytes <= 0 {
		f.opt.PageBytes = defaultPageBytes
	}
	if f.opt.CreatedBy == "" {
		f.opt.CreatedBy = createdBy
	}
	for _, c := range cols {
		top := topWriter{first: len(f.columns)}
		var err error
		if c.Type.IsNested() {
			if top.nested, err = newNestedWriter(c); err == nil {
				f.columns = append(f.columns, top.nested.order...)
			}
		} else if top.flat, err = newColumnWriter(c); err == nil {
			f.columns = append(f.columns, top.flat)
		}
		if err != nil {
			return nil, err
		}
		f.tops = append(f.tops, top)
	}
	return f, f.put([]byte("PAR1"))
}

// put writes bytes to the file.
func (f *Writer) put(b []byte) error {
	if f.err != nil {
		return f.err
	}
	n, err := f.out.Write(b)
	f.offset += int64(n)
	if err != nil {
		f.err = sqlerr.Wrap(sqlerr.FileIO, err, "cannot write Parquet file")
	}
	return f.err
}

// Rows is the number of rows written so far, buffered ones included.
func (f *Writer) Rows() int64 { return f.rows + int64(f.buffered) }

// Bytes is the size of the file so far, without what is buffered; the file's size after Close.
func (f *Writer) Bytes() int64 { return f.offset }

// Buffered is the memory that the open row group takes, in bytes.
func (f *Writer) Buffered() int64 {
	var n int64
	for _, c := range f.columns {
		n += int64(len(c.plain) + len(c.valid)*8)
	}
	return n
}

// Write appends the live rows of b, whose columns have the types of the writer's.
func (f *Writer) Write(b *vector.Batch) error {
	if f.err != nil {
		return f.err
	}
	n := b.NumRows()
	for lo := 0; lo < n; {
		hi := min(n, lo+f.opt.RowGroupRows-f.buffered)
		part := b
		if lo > 0 || hi < n {
			part = b.View(lo, hi)
		}
		for i := range f.tops {
			if err := f.tops[i].append(part.Cols[i], part.Sel, part.NumRows()); err != nil {
				f.err = err
				return err
			}
		}
		var bytes int
		for _, c := range f.columns {
			bytes += len(c.plain)
		}
		f.buffered += hi - lo
		lo = hi
		if f.buffered >= f.opt.RowGroupRows || bytes >= f.opt.RowGroupBytes {
			if err := f.Flush(); err != nil {
				return err
			}
		}
	}
	return f.err
}

// Flush ends the open row group, if it has rows.
func (f *Writer) Flush() error {
	if f.buffered == 0 || f.err != nil {
		return f.err
	}
	g := writtenGroup{rows: int64(f.buffered), offset: f.offset}
	bloom := map[*columnWriter]bool{}
	for _, i := range f.opt.BloomColumns {
		bloom[f.tops[i].flat] = true
	}
	for _, c := range f.columns {
		chunk, err := c.flush(f, bloom[c])
		if err != nil {
			f.err = err
			return err
		}
		g.bytes += chunk.uncompressed
		g.packed += chunk.compressed
		g.chunks = append(g.chunks, chunk)
	}
	for i := range g.chunks {
		if err := g.chunks[i].putBloom(f); err != nil {
			return err
		}
	}
	f.groups = append(f.groups, g)
	f.rows += g.rows
	f.buffered = 0
	return nil
}

// Close writes what is buffered and the footer. It does not close the underlying writer.
func (f *Writer) Close() error {
	if f.closed {
		return f.err
	}
	f.closed = true
	if err := f.Flush(); err != nil {
		return err
	}
	if err := f.writePageIndex(); err != nil {
		return err
	}
	footer := f.footer()
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	if err := f.put(append(footer, "PAR1"...)); err != nil {
		return err
	}
	if err := f.out.Flush(); err != nil {
		f.err = sqlerr.Wrap(sqlerr.FileIO, err, "cannot write Parquet file")
	}
	return f.err
}

// writePageIndex writes all column indexes, then all offset indexes.
func (f *Writer) writePageIndex() error {
	for i := range f.groups {
		for k := range f.groups[i].chunks {
			c := &f.groups[i].chunks[k]
			c.columnIndexOffset = f.offset
			if err := f.put(c.columnIndex()); err != nil {
				return err
			}
			c.columnIndexLength = int32(f.offset - c.columnIndexOffset)
		}
	}
	for i := range f.groups {
		for k := range f.groups[i].chunks {
			c := &f.groups[i].chunks[k]
			c.offsetIndexOffset = f.offset
			if err := f.put(c.offsetIndex()); err != nil {
				return err
			}
			c.offsetIndexLength = int32(f.offset - c.offsetIndexOffset)
		}
	}
	return nil
}

// footer is the encoded FileMetaData.
func (f *Writer) footer() []byte {
	var w thriftWriter
	w.i32(1, 2)
	elements := 1
	for i := range f.tops {
		if elements++; f.tops[i].nested != nil {
			elements += f.tops[i].nested.root.elements() - 1
		}
	}
	w.list(2, thriftStruct, elements)
	w.elem()
	w.string(4, "schema")
	w.i32(5, int32(len(f.tops)))
	w.close()
	for i, t := range f.tops {
		switch {
		case t.flat != nil:
			t.flat.schema(&w)
		case f.cols[i].Nullable:
			t.nested.schema(&w, t.nested.root, repOptional)
		default:
			t.nested.schema(&w, t.nested.root, repRequired)
		}
	}
	w.i64(3, f.rows)
	w.list(4, thriftStruct, len(f.groups))
	for i := range f.groups {
		f.groupMeta(&w, i)
	}
	f.keyValues(&w)
	w.string(6, f.opt.CreatedBy)
	w.list(7, thriftStruct, len(f.columns))
	for range f.columns {
		w.elem()
		w.empty(1)
		w.close()
	}
	return append(w.b, thriftStop)
}

func (f *Writer) groupMeta(w *thriftWriter, i int) {
	g := &f.groups[i]
	w.elem()
	w.list(1, thriftStruct, len(g.chunks))
	for k := range g.chunks {
		g.chunks[k].meta(w)
	}
	w.i64(2, g.bytes)
	w.i64(3, g.rows)
	if len(f.opt.SortedBy) > 0 {
		w.list(4, thriftStruct, len(f.opt.SortedBy))
		for _, s := range f.opt.SortedBy {
			w.elem()
			w.i32(1, int32(f.tops[s.Column].first))
			w.bool(2, s.Descending)
			w.bool(3, s.NullsFirst)
			w.close()
		}
	}
	w.i64(5, g.offset)
	w.i64(6, g.packed)
	w.header(7, thriftI16)
	w.zigzag(int64(int16(i)))
	w.close()
}

func (f *Writer) keyValues(w *thriftWriter) {
	names, types := make([]string, len(f.cols)), make([]sqltype.Type, len(f.cols))
	for i, c := range f.cols {
		names[i], types[i] = c.Name, c.Type
	}
	keys := sortedKeys(f.opt.KeyValues)
	text := formatTypes(names, types)
	if text != "" {
		keys = append(keys, typesKey)
	}
	if len(keys) == 0 {
		return
	}
	w.list(5, thriftStruct, len(keys))
	for _, k := range keys {
		v := f.opt.KeyValues[k]
		if k == typesKey {
			v = text
		}
		w.elem()
		w.string(1, k)
		w.string(2, v)
		w.close()
	}
}
