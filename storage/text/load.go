package text

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// LoadOptions say how LOAD DATA reads a file: MySQL's rules, in which a value that does not fit its column is made to fit
// and reported.
type LoadOptions struct {
	// Field and Line end fields and lines, Starting stands before each line, with anything before it.
	Field, Line, Starting string
	Quote, Escape         byte // 0: none
	Skip                  int64
	Columns               []LoadColumn
	// Report is told what was wrong with the rows, in their order; an error ends the load. One goroutine calls it.
	Report func(p *LoadProblem) error
}

// LoadColumn is where a field of each line goes.
type LoadColumn struct {
	storage.Column
	Default vector.Value // of lines that end before the field
}

// LoadProblem is something wrong with a row.
type LoadProblem struct {
	Kind   ProblemKind
	Row    int64 // from 1
	Column string
	Type   sqltype.Type
	Value  string
}

// ProblemKind is what was wrong.
type ProblemKind uint8

// Kinds of problems.
const (
	TooFewFields  ProblemKind = iota // the line ends before the column
	TooManyFields                    // the line goes on behind the last column
	WrongValue                       // no value of the type: zero or NULL is stored
	CutValue                         // only the beginning of the text is one
	OutOfRange                       // the nearest value is stored
	TooLong                          // text was cut
	UnwantedNull                     // NULL for a NOT NULL column: zero is stored
)

// Loader is the table of a file that LOAD DATA reads. It implements storage.Source; the file is one split.
type Loader struct {
	fs   storage.FS
	path string
	size int64
	opt  LoadOptions
	cols []storage.Column
	// block is how much is read at a time.
	block int
	// Rows is how many lines were read, at the end.
	Rows int64
}

// NewLoader opens nothing yet.
func NewLoader(fs storage.FS, path string, o LoadOptions) (*Loader, error) {
	st, err := fs.Stat(path)
	if err != nil {
		return nil, err
	}
	l := &Loader{fs: fs, path: path, size: st.Size, opt: o, block: blockBytes}
	for _, c := range o.Columns {
		l.cols = append(l.cols, c.Column)
	}
	return l, nil
}

// Columns implements storage.Source.
func (l *Loader) Columns() []storage.Column { return l.cols }

// Stats implements storage.Source: a guess.
func (l *Loader) Stats() *storage.Stats {
	out := &storage.Stats{Rows: l.size / int64(8*len(l.cols)+1), Bytes: l.size}
	for range l.cols {
		out.Columns = append(out.Columns, storage.ColumnStats{Nulls: -1, Distinct: -1})
	}
	return out
}

// Splits implements storage.Source.
func (l *Loader) Splits(context.Context, *storage.ScanRequest) ([]storage.Split, error) {
	f := &file{path: l.path, size: l.size, opt: Options{Kind: loaded, Quote: l.opt.Quote, Escape: l.opt.Escape}}
	return []storage.Split{&split{file: f, hi: l.size, rows: l.Stats().Rows}}, nil
}

// Open implements storage.Source.
func (l *Loader) Open(_ context.Context, sp storage.Split, req *storage.ScanRequest) (storage.Reader, error) {
	if len(req.Filters) > 0 {
		return nil, invariant.Failed("LOAD DATA with filters")
	}
	p := sp.(*split)
	f, err := l.fs.Open(l.path)
	if err != nil {
		return nil, err
	}
	r := &loadReader{l: l, split: newLoadSplitter(&l.opt), size: req.BatchRows, output: req.Columns,
		in: &blocks{path: l.path, file: f, size: l.size, block: l.block, close: func() {}, budget: req.Budget}, columns: make([]*converter, len(l.cols))}
	if r.size <= 0 {
		r.size = vector.BatchRows
	}
	for _, o := range req.Columns {
		if r.columns[o] == nil {
			r.columns[o] = newConverter(l.cols[o], &p.file.opt, l.path)
			r.columns[o].problem = r.problem
		}
	}
	for range l.cols {
		r.spans = append(r.spans, make([]span, r.size))
	}
	return r, nil
}

// flagAbsent marks the span of a column that its line ends before.
const flagAbsent uint8 = 1 << 7

// loadReader reads the lines of a file.
type loadReader struct {
	l       *Loader
	in      *blocks
	split   *loadSplitter
	size    int
	output  []int
	columns []*converter // nil: nobody reads it
	spans   [][]span
	cols    []*vector.Vector
	batch   vector.Batch
	skipped bool
	ended   bool
	closed  bool

	problems []placed
	column   int // being converted
}

// placed is a problem of a row of the batch.
type placed struct {
	row, column int
	problem     LoadProblem
}

// Close implements storage.Reader.
func (r *loadReader) Close() {
	if !r.closed {
		r.closed = true
		r.in.done()
	}
}

// problem notes what a converter met.
func (r *loadReader) problem(kind ProblemKind, row int, b []byte) {
	const most = 128
	r.problems = append(r.problems, placed{row, r.column, LoadProblem{Kind: kind, Value: string(b[:min(len(b), most)])}})
}

// Next implements storage.Reader.
func (r *loadReader) Next(ctx context.Context) (*vector.Batch, error) {
	if !r.skipped {
		r.skipped = true
		if err := r.skip(); err != nil {
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
		if n > 0 {
			return r.convert(n)
		}
	}
	return nil, nil
}

// skip passes over the lines of IGNORE.
func (r *loadReader) skip() error {
	for left := r.l.opt.Skip; left > 0; {
		if at := bytes.Index(r.in.buf[r.in.pos:], []byte(r.l.opt.Line)); at >= 0 {
			r.in.pos += at + len(r.l.opt.Line)
			left--
			continue
		}
		if r.in.last {
			r.ended = true
			return nil
		}
		if err := r.in.fill(); err != nil {
			return err
		}
	}
	return nil
}

// rows finds the fields of up to a batch of lines that lie in one buffer.
func (r *loadReader) rows() (int, error) {
	n := 0
	width := len(r.l.cols)
	for n < r.size {
		end, ok := r.split.next(r.in.buf, r.in.pos, r.in.last)
		if !ok {
			if r.in.last {
				r.ended = true
				break
			}
			if n > 0 {
				break // the rows so far are views into this buffer
			}
			if err := r.in.fill(); err != nil {
				return 0, err
			}
			continue
		}
		r.in.pos = end
		fields := r.split.fields
		for k := range width {
			if k < len(fields) {
				r.spans[k][n] = fields[k]
				continue
			}
			r.spans[k][n] = span{n: missing, flag: flagAbsent}
			r.column = k
			r.problem(TooFewFields, n, nil)
		}
		if len(fields) > width {
			r.column = width
			r.problem(TooManyFields, n, nil)
		}
		n++
	}
	return n, nil
}

// convert makes the batch of n rows and reports what was wrong with them.
func (r *loadReader) convert(n int) (*vector.Batch, error) {
	vecs := make([]*vector.Vector, len(r.columns))
	for k, c := range r.columns {
		if c == nil {
			continue
		}
		r.column = k
		v, err := c.vector(r.in.buf, r.spans[k][:n], nil)
		if err != nil {
			return nil, err
		}
		r.fillNulls(k, v, n)
		vecs[k] = v
	}
	r.cols = r.cols[:0]
	for _, o := range r.output {
		r.cols = append(r.cols, vecs[o])
	}
	if err := r.report(); err != nil {
		return nil, err
	}
	r.l.Rows += int64(n)
	r.batch = vector.Batch{Cols: r.cols, Len: n}
	return &r.batch, nil
}

// fillNulls gives absent values their default, and NULL in a column that takes none zero.
func (r *loadReader) fillNulls(k int, v *vector.Vector, n int) {
	if v.Valid == nil {
		return
	}
	c := &r.l.opt.Columns[k]
	for i := range n {
		if v.Valid.Get(i) {
			continue
		}
		s := r.spans[k][i]
		switch {
		case s.flag&flagAbsent != 0 && !c.Default.Null:
			v.SetValue(i, c.Default)
			v.Valid.Set(i)
		case c.Nullable:
		case s.n < 0 && s.flag&flagAbsent == 0:
			r.problem(UnwantedNull, i, nil)
			fallthrough
		default:
			if t := c.Type; t.IsNumeric() || t.Kind == sqltype.Boolean || t.IsString() { // there is no zero of other types
				v.SetValue(i, vector.Value{Type: t})
				v.Valid.Set(i)
			}
		}
	}
}

// report hands over the problems of the batch, row by row.
func (r *loadReader) report() error {
	slices.SortStableFunc(r.problems, func(a, b placed) int {
		if c := cmp.Compare(a.row, b.row); c != 0 {
			return c
		}
		return cmp.Compare(a.column, b.column)
	})
	defer func() { r.problems = r.problems[:0] }()
	for i := range r.problems {
		p := &r.problems[i].problem
		p.Row = r.l.Rows + int64(r.problems[i].row) + 1
		if k := r.problems[i].column; k < len(r.l.cols) {
			p.Column, p.Type = r.l.cols[k].Name, r.l.cols[k].Type
		}
		if err := r.l.opt.Report(p); err != nil {
			return sqlerr.From(err)
		}
	}
	return nil
}
