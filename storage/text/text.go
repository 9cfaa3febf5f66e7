// Package text reads and writes delimited text and JSON files as vectors: Hive's LazySimpleSerDe, CSV
// as RFC 4180 and OpenCSVSerde have it, and JSON, an object a row.
//
// A reader works in two steps. Splitting finds where the values of the needed columns lie in
// a block of the file (spans); converting turns the spans of one column into a vector, first
// for the columns of filters, then, only for the rows that passed, for the others. Strings stay
// views into the block.
//
// Large uncompressed files are read by byte ranges in parallel: a range owns the rows that
// begin in it. Where quotes may hold line ends, the number of quotes before a range tells
// whether it begins inside of one.
//
// Bytes are hostile: rows are at most MaxRowBytes long, nesting at most maxDepth deep.
package text

import (
	"context"
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Kind is the family of a format.
type Kind uint8

// Kinds.
const (
	Delimited Kind = iota // LazySimpleSerDe: no quotes
	CSV                   // quotes, doubled or escaped inside of them
	JSON                  // an object a line, objects one after the other, or one array of objects
	loaded                // MySQL's LOAD DATA, by a Loader
)

// Options say how the bytes are read.
type Options struct {
	Kind Kind
	// Field separates columns. Nested lists the separators inside of a value, outermost first: items of
	// collections, then keys from values. Line ends rows, '\n' by default.
	Field  byte
	Nested []byte
	Line   byte
	Escape byte // makes the next byte plain; 0: none
	Quote  byte // CSV; 0: none
	// OneLine ends a row of CSV with its line, though a quote is open: that value and those behind it are missing.
	OneLine bool
	// Null is the text of NULL; of CSV an unquoted field. HasNull tells whether there is one.
	Null    string
	HasNull bool
	// Header says that the first line names the columns; else Skip lines are passed over.
	// Rest makes the last column of delimited text what is left of the row, separators too.
	Rest bool
	// Footer is how many lines at the end of a file, none of which quotes span, are no rows.
	Header       bool
	Skip, Footer int
	// Untyped makes all columns of an inferred schema STRING, named c1, c2, … where there is no header.
	// SkipTypes passes over a second header line, which has the types.
	Untyped, SkipTypes bool
	// Strict makes a value that does not parse, and malformed JSON, an error instead of NULL.
	Strict bool
	// Serde makes JSON what Hive's JsonSerDe makes of it: a row is the first object of a line, keys may be _col0, _col1, …,
	// values are coerced. Complex then lets strings be objects and arrays, RawBinary has BINARY values stand as they are.
	Serde, Complex, RawBinary bool
}

// Hive returns LazySimpleSerDe's defaults.
func Hive() Options {
	return Options{Kind: Delimited, Field: 1, Nested: []byte{2, 3, 4, 5, 6, 7, 8}, Line: '\n', Null: `\N`, HasNull: true}
}

// MaxRowBytes bounds a row.
const MaxRowBytes = 64 << 20

const maxDepth = 128

// rangeBytes is the size of a split.
const rangeBytes = 16 << 20

// batchValues bounds the values of a batch: one of very many columns, which a short line can declare, has fewer rows.
const (
	batchValues = 1 << 20
	leastRows   = 64
)

// Source is a table of text files with one schema.
type Source struct {
	fs      storage.FS
	files   []*file
	columns []storage.Column
	opt     Options
	rows    float64 // estimated
}

// file is one file of a source.
type file struct {
	path string
	size int64 // where the rows of a plain file end
	text int64 // where those of a compressed file end in its text; -1: with it
	comp compression
	opt  Options
	// names are the header's, for columns by name; nil: columns by position.
	names  []string
	start  int64 // of the first row
	lines  bool  // JSON: an object a line, so that ranges begin at lines
	step   int64 // size of a range
	block  int   // how much is read at a time
	ranges ranges
	// general finds every row by the splitter, in tests.
	general bool
}

// NewSource makes a table of the files at paths. cols nil takes the schema from a sample of
// the first file, and with opt.Field 0 the dialect too. Only samples are read.
func NewSource(fs storage.FS, paths []string, cols []storage.Column, opt Options) (*Source, error) {
	s := &Source{fs: fs, columns: cols, opt: opt}
	var bytes, sampled float64
	var sampleRows float64
	for i, p := range paths {
		f := &file{path: p, text: -1, comp: compressionOf(p), opt: opt, step: rangeBytes, block: blockBytes}
		st, err := fs.Stat(p)
		if err != nil {
			return nil, err
		}
		f.size = st.Size
		if err := f.cutFooter(fs); err != nil {
			return nil, err
		}
		bytes += float64(f.size) * f.comp.ratio()
		if i == 0 || opt.Header || opt.Skip > 0 || opt.Kind == JSON {
			sm, err := f.sample(fs)
			if err != nil {
				return nil, err
			}
			if i == 0 && cols == nil {
				if s.columns, err = sm.infer(); err != nil {
					return nil, err
				}
				s.opt = f.opt // the dialect is that of the first file
				opt = f.opt
			}
			sampled += float64(len(sm.data))
			sampleRows += float64(sm.rows())
		}
		s.files = append(s.files, f)
	}
	if sampled > 0 {
		s.rows = sampleRows * bytes / sampled
	}
	return s, nil
}

// Options are those that the files are read by, a dialect that was found included.
func (s *Source) Options() Options { return s.opt }

// Columns implements storage.Source.
func (s *Source) Columns() []storage.Column { return s.columns }

// Stats implements storage.Source: the number of rows is an estimate from samples.
func (s *Source) Stats() *storage.Stats {
	out := &storage.Stats{Rows: int64(s.rows)}
	for _, f := range s.files {
		out.Bytes += f.size
	}
	for range s.columns {
		out.Columns = append(out.Columns, storage.ColumnStats{Nulls: -1, Distinct: -1})
	}
	return out
}

// split is the rows of a file that begin in [lo, hi).
type split struct {
	file   *file
	lo, hi int64
	rows   int64
}

// Rows implements storage.Split.
func (s *split) Rows() int64 { return s.rows }

// String implements storage.Split.
func (s *split) String() string { return fmt.Sprintf("%s, bytes %d-%d", s.file.path, s.lo, s.hi) }

// Splits implements storage.Source.
func (s *Source) Splits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	for _, f := range s.files {
		if ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
		if req.Counters != nil {
			req.Counters.FilesTotal.Add(1)
		}
		step := f.size
		if f.divisible() {
			step = f.step
		}
		for lo := int64(0); lo < f.size; lo += step {
			hi := min(lo+step, f.size)
			out = append(out, &split{f, lo, hi, int64(s.rows * float64(hi-lo) / float64(max(f.size, 1)) / float64(len(s.files)))})
		}
	}
	return out, nil
}

// divisible reports whether ranges of the file can be read on their own.
func (f *file) divisible() bool {
	switch {
	case f.comp != plain || f.size <= f.step:
		return false
	case f.opt.Kind == JSON:
		return f.lines
	case f.quotesLines():
		return f.opt.Escape == 0 || f.opt.Escape == f.opt.Quote
	}
	return true
}

// quotesLines reports whether a line end in quotes does not end a row.
func (f *file) quotesLines() bool { return f.opt.Kind == CSV && f.opt.Quote != 0 && !f.opt.OneLine }

func interrupted(ctx context.Context) error {
	if err := context.Cause(ctx); sqlerr.Is(err, sqlerr.QueryTimeout) {
		return err
	}
	return sqlerr.New(sqlerr.Interrupted, "Query execution was interrupted")
}

// wanted maps the columns that a request needs to those of the file.
type wanted struct {
	ordinals []int // source ordinals, in the order of slots
	slot     map[int]int
}

func (w *wanted) add(ordinal int) int {
	if k, ok := w.slot[ordinal]; ok {
		return k
	}
	k := len(w.ordinals)
	w.slot[ordinal] = k
	w.ordinals = append(w.ordinals, ordinal)
	return k
}

// Open implements storage.Source.
func (s *Source) Open(_ context.Context, sp storage.Split, req *storage.ScanRequest) (storage.Reader, error) {
	p := sp.(*split)
	w := &wanted{slot: map[int]int{}}
	r := &reader{source: s, split: p, count: req.Counters, size: req.BatchRows}
	if r.size <= 0 {
		r.size = vector.BatchRows
	}
	for i := range req.Filters {
		f := readFilter{args: make([]*vector.Vector, len(req.Filters[i].Columns))}
		for _, o := range req.Filters[i].Columns {
			f.slots = append(f.slots, w.add(o))
		}
		var err error
		if f.fn, err = req.Filters[i].New(); err != nil {
			return nil, err
		}
		r.filters = append(r.filters, f)
	}
	for _, o := range req.Columns {
		r.output = append(r.output, w.add(o))
	}
	for _, o := range w.ordinals {
		if o < 0 || o >= len(s.columns) {
			return nil, fmt.Errorf("column ordinal %d of %d", o, len(s.columns))
		}
		r.columns = append(r.columns, newConverter(s.columns[o], &p.file.opt, p.file.path))
	}
	r.size = min(r.size, max(leastRows, batchValues/max(len(r.columns), 1)))
	r.splitter = newSplitter(p.file, s.columns, w.ordinals)
	if d, ok := r.splitter.(*delimitedSplitter); ok && !p.file.general && d.rest < 0 {
		r.straight = newStraight(d, len(s.columns), r.size)
	}
	in, err := s.openBlocks(p, req.Budget)
	if err != nil {
		return nil, err
	}
	r.in = in
	return r, nil
}

// position is where the file has a column, by the header's names or by order; -1: nowhere.
func (f *file) position(cols []storage.Column, ordinal int) int {
	if f.names == nil {
		at := ordinal
		for i := range cols[:ordinal+1] {
			if cols[i].Name == storage.AbsentColumn {
				if at--; i == ordinal {
					return -1
				}
			}
		}
		return at
	}
	for i, n := range f.names {
		if n == cols[ordinal].Name {
			return i
		}
	}
	for i, n := range f.names {
		if strings.EqualFold(n, cols[ordinal].Name) {
			return i
		}
	}
	return -1
}

// isNested reports types whose text has a structure.
func isNested(t sqltype.Type) bool { return t.IsNested() }
