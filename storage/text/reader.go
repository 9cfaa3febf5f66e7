package text

import (
	"bytes"
	"context"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// span is where a value lies in the block.
type span struct {
	off  uint32
	n    int32 // bytes; missing for NULL
	flag uint8
}

const missing = -1

// Flags of a span.
const (
	flagEscaped uint8 = 1 << iota // holds escapes or doubled quotes
	flagQuoted                    // stood in quotes; of JSON a string
)

// splitter finds rows.
type splitter interface {
	// next finds the spans of the row that begins at buf[pos:], stores them as spans[column][row], a column a needed
	// one, and returns where the next row begins. ok is false when the row is not complete in buf and last is false:
	// nothing was found then. A row without content gives skip.
	next(buf []byte, pos int, last bool, spans [][]span, row int) (end int, ok, skip bool, err error)
}

func newSplitter(f *file, cols []storage.Column, ordinals []int) splitter {
	if f.opt.Kind == JSON {
		return newJSONSplitter(f, cols, ordinals)
	}
	return newDelimitedSplitter(f, cols, ordinals)
}

// reader is the storage.Reader of one split.
type reader struct {
	source   *Source
	split    *split
	in       *blocks
	splitter splitter
	straight *straight    // nil: every row by splitter
	columns  []*converter // one a needed column
	filters  []readFilter
	output   []int
	size     int
	count    *storage.ScanCounters

	begun  bool
	ended  bool
	closed bool
	spans  [][]span // by needed column, rows of the batch (those that straight left)
	before int      // rows of the batch before
	cols   []*vector.Vector
	batch  vector.Batch
}

type readFilter struct {
	slots []int
	fn    storage.FilterFunc
	args  []*vector.Vector
}

// Close implements storage.Reader.
func (r *reader) Close() {
	if !r.closed {
		r.closed = true
		r.in.done()
	}
}

// begin finds the first row of the split.
func (r *reader) begin() error {
	f := r.split.file
	if r.count != nil {
		r.in.count = func(n int64) { r.count.BytesRead.Add(n) }
	}
	r.spans = make([][]span, len(r.columns))
	// A row stores into all columns: lengths that are no power of two keep them from meeting in one set of the cache.
	const apart = 37
	all := make([]span, len(r.spans)*(r.size+apart))
	for k := range r.spans {
		at := k * (r.size + apart)
		r.spans[k] = all[at : at+r.size : at+r.size]
	}
	if at, ok := f.firstRow(r.split.lo); ok && r.split.lo > 0 {
		if at >= r.split.hi {
			r.ended = true
			return nil
		}
		r.in.next, r.in.base = at, at
		return r.in.fill()
	}
	if err := r.in.fill(); err != nil {
		return err
	}
	if r.split.lo == 0 {
		for int64(len(r.in.buf)) < f.start && !r.in.last {
			if err := r.in.fill(); err != nil {
				return err
			}
		}
		r.in.pos = min(int(f.start), len(r.in.buf))
		return nil
	}
	quoted := false
	if f.quotesLines() {
		var err error
		if quoted, err = f.insideQuotes(r.source.fs, r.split.lo); err != nil {
			return err
		}
	}
	// The row before ends with the first line end; it is the former range's, as is a row that begins
	// exactly here unless a line ends just before.
	if before, err := r.lineEndsBefore(); before || err != nil {
		return err
	}
	for {
		for i := r.in.pos; i < len(r.in.buf); i++ {
			switch c := r.in.buf[i]; {
			case f.quotesLines() && c == f.opt.Quote:
				quoted = !quoted
			case c == f.lineEnd() && !quoted:
				r.in.pos = i + 1
				return nil
			}
		}
		r.in.pos = len(r.in.buf)
		if r.in.last {
			return nil
		}
		if err := r.in.fill(); err != nil {
			return err
		}
	}
}

func (f *file) lineEnd() byte {
	if f.opt.Line == 0 || f.opt.Kind == JSON {
		return '\n'
	}
	return f.opt.Line
}

func (r *reader) lineEndsBefore() (bool, error) {
	var b [1]byte
	if _, err := r.in.file.ReadAt(b[:], r.split.lo-1); err != nil {
		return false, sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", r.in.path)
	}
	if b[0] != r.split.file.lineEnd() {
		return false, nil
	}
	if f := r.split.file; f.quotesLines() {
		quoted, err := f.insideQuotes(r.source.fs, r.split.lo)
		return !quoted, err
	}
	return true, nil
}

// Next implements storage.Reader.
func (r *reader) Next(ctx context.Context) (*vector.Batch, error) {
	if !r.begun {
		r.begun = true
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
	for !r.ended {
		if ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
		n, err := r.rows()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		b, err := r.convert(n)
		if b != nil || err != nil {
			return b, err
		}
	}
	return nil, nil
}

// rows finds the spans of up to a batch of rows that lie in one buffer.
func (r *reader) rows() (int, error) {
	n := 0
	plainFile := r.in.in == nil
	if r.straight != nil && !r.straight.begin(r.before) {
		r.straight = nil
	}
	defer func() { r.before = n }()
	for n < r.size {
		if plainFile && r.in.base+int64(r.in.pos) >= r.split.hi {
			r.ended = true
			r.split.file.noteRow(r.split.hi, r.in.base+int64(r.in.pos))
			break
		}
		if r.in.pos >= len(r.in.buf) && r.in.last {
			r.ended = true
			break
		}
		row := n
		if r.straight != nil {
			until := len(r.in.buf)
			if plainFile {
				until = int(min(int64(until), r.split.hi-r.in.base))
			}
			if n, r.in.pos = r.straight.take(r.in.buf, r.in.pos, until, n); n > row {
				continue
			}
			row = r.straight.general
		}
		end, ok, skip, err := r.splitter.next(r.in.buf, r.in.pos, r.in.last, r.spans, row)
		if err != nil {
			return 0, r.place(err)
		}
		if !ok {
			if n > 0 {
				break // the rows so far are views into this buffer
			}
			if err := r.in.fill(); err != nil {
				return 0, err
			}
			continue
		}
		r.in.pos = end
		if skip {
			continue
		}
		if r.straight != nil {
			r.straight.leave(n)
		}
		n++
	}
	return n, nil
}

// place adds the line to an error.
func (r *reader) place(err error) error {
	line := bytes.Count(r.in.buf[:min(r.in.pos, len(r.in.buf))], []byte{'\n'}) + 1
	if r.in.base == 0 {
		return sqlerr.New(sqlerr.CorruptFile, "malformed row at line %d of %s: %v", line, r.in.path, err)
	}
	return sqlerr.New(sqlerr.CorruptFile, "malformed row at byte %d of %s: %v", r.in.base+int64(r.in.pos), r.in.path, err)
}

// convert makes the batch of n rows; nil when none passes the filters.
func (r *reader) convert(n int) (*vector.Batch, error) {
	if r.count != nil {
		r.count.RowsRead.Add(int64(n))
	}
	vecs := make([]*vector.Vector, len(r.columns))
	get := func(k int, sel []int32) (*vector.Vector, error) {
		if vecs[k] == nil {
			spans := r.spans[k]
			if r.straight != nil {
				spans = r.straight.spans(r.in.buf, k, n, spans, sel)
			}
			v, err := r.columns[k].vector(r.in.buf, spans[:n], sel)
			if err != nil {
				return nil, err
			}
			vecs[k] = v
		}
		return vecs[k], nil
	}
	var sel []int32
	for i := range r.filters {
		f := &r.filters[i]
		for k, slot := range f.slots {
			v, err := get(slot, sel)
			if err != nil {
				return nil, err
			}
			f.args[k] = v
		}
		next, err := f.fn(f.args, n, sel)
		if err != nil {
			return nil, err
		}
		if len(next) == 0 {
			return nil, nil
		}
		if len(next) < n {
			sel = append([]int32(nil), next...) // the function's memory is its own
		}
	}
	r.cols = r.cols[:0]
	for _, slot := range r.output {
		v, err := get(slot, sel)
		if err != nil {
			return nil, err
		}
		r.cols = append(r.cols, v)
	}
	r.batch = vector.Batch{Cols: r.cols, Len: n, Sel: sel}
	return &r.batch, nil
}
