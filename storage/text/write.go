package text

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Quoting says which values of CSV stand in quotes.
type Quoting uint8

// Quoting rules. NULL is never quoted.
const (
	QuoteNeeded  Quoting = iota // values that would not read back without
	QuoteStrings                // all of text and of time, as MySQL's OPTIONALLY ENCLOSED BY
	QuoteAll
)

// WriterOptions say how rows are written. Separators may have several bytes here.
type WriterOptions struct {
	Kind Kind
	// Field separates columns, Line ends rows, Starting stands before each. Nested as in Options.
	Field, Line, Starting string
	Nested                []byte
	// Escape is put before bytes that would mean something else, 0: none. Without it, and without a quote, a value that
	// holds a separator is an error: the row could not be read back.
	Escape  byte
	Quote   byte
	Quoting Quoting
	OneLine bool // as in Options: line ends in values are refused
	Null    string
	// Names and Types are header lines.
	Names, Types bool
	// Before and After are how many lines stand around the rows, for readers that pass over them: the first has the names.
	Before, After int
	// Words writes booleans as true and false, not as 1 and 0, and moments without zeros at their end, as Hive does.
	Words bool
	// RawBinary has BINARY values of JSON stand as they are, not as base64.
	RawBinary bool
	// Compression is one of those of Compressions, or "".
	Compression string
}

// WriterOptions are what writes files that o reads.
func (o *Options) WriterOptions() WriterOptions {
	w := WriterOptions{Kind: o.Kind, Field: string(o.Field), Line: string(o.Line), Nested: o.Nested, Escape: o.Escape, Quote: o.Quote, OneLine: o.OneLine,
		Names: o.Header, Before: o.Skip, After: o.Footer, Words: true, RawBinary: o.RawBinary}
	if o.HasNull {
		w.Null = o.Null
	}
	if o.Line == 0 {
		w.Line = "\n"
	}
	return w
}

// flushBytes is how much text gathers before it is written.
const flushBytes = 256 << 10

// Writer writes batches as text. One goroutine uses it. Errors are *sqlerr.Error.
type Writer struct {
	out   io.Writer
	wrap  io.WriteCloser // compression; nil: none
	opt   WriterOptions
	cols  []storage.Column
	cells []cell
	keys  [][]byte // of JSON: {"a": and ,"b":
	buf   []byte
	rows  int64
	flat  []vector.Vector
	bound []*vector.Vector
}

// NewWriter writes rows of cols to out. Types that have no text form are refused.
func NewWriter(out io.Writer, cols []storage.Column, o WriterOptions) (*Writer, error) {
	w := &Writer{out: out, opt: o, cols: cols, flat: make([]vector.Vector, len(cols)), bound: make([]*vector.Vector, len(cols))}
	if o.Line == "" {
		w.opt.Line = "\n"
	}
	e := newEncoder(&w.opt)
	for i, c := range cols {
		x, err := e.cell(c)
		if err != nil {
			return nil, err
		}
		w.cells = append(w.cells, x)
		if o.Kind == JSON {
			key := []byte{','}
			if i == 0 {
				key[0] = '{'
			}
			w.keys = append(w.keys, append(appendJSONString(key, []byte(c.Name)), ':'))
		}
	}
	var err error
	if w.wrap, err = compressor(out, o.Compression); err != nil {
		return nil, err
	}
	if o.Kind != JSON {
		w.header()
	}
	w.around(o.Before)
	return w, nil
}

// around writes n lines that are no rows: the names where they fit a line, then empty ones.
func (w *Writer) around(n int) {
	for i := range n {
		if i == 0 && w.opt.Kind != JSON && !slices.ContainsFunc(w.cols, func(c storage.Column) bool { return strings.Contains(c.Name, w.opt.Line) }) {
			w.names()
			continue
		}
		w.buf = append(w.buf, w.opt.Line...)
	}
}

// header writes the lines of names and types.
func (w *Writer) header() {
	if w.opt.Names {
		w.names()
	}
	if w.opt.Types {
		w.line(func(c *storage.Column) string { return strings.ToUpper(c.Type.String()) })
	}
}

func (w *Writer) names() { w.line(func(c *storage.Column) string { return c.Name }) }

// line writes a line with a text of each column.
func (w *Writer) line(text func(c *storage.Column) string) {
	w.buf = append(w.buf, w.opt.Starting...)
	for i := range w.cols {
		if i > 0 {
			w.buf = append(w.buf, w.opt.Field...)
		}
		w.buf = w.cells[i].name(w.buf, text(&w.cols[i]))
	}
	w.buf = append(w.buf, w.opt.Line...)
}

// Rows is the number of rows written so far.
func (w *Writer) Rows() int64 { return w.rows }

// Write takes the live rows of b; b stays the caller's.
func (w *Writer) Write(b *vector.Batch) error {
	n := b.NumRows()
	for i, c := range b.Cols {
		if c.Type.Kind == sqltype.Null { // a bare NULL has no layout of its own
			w.flat[i].Type = w.cols[i].Type
			w.flat[i].SetAllNull(n)
			w.bound[i] = w.flat[i].Flatten(nil, &vector.Vector{})
			continue
		}
		w.bound[i] = c.Flatten(b.Sel, &w.flat[i])
	}
	for row := range n {
		if err := w.row(row); err != nil {
			return err
		}
		if len(w.buf) >= flushBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	w.rows += int64(n)
	return nil
}

func (w *Writer) row(row int) error {
	json := w.opt.Kind == JSON
	w.buf = append(w.buf, w.opt.Starting...)
	for i, v := range w.bound {
		if json {
			w.buf = append(w.buf, w.keys[i]...)
		} else if i > 0 {
			w.buf = append(w.buf, w.opt.Field...)
		}
		c := &w.cells[i]
		if v.Valid != nil && !v.Valid.Get(row) {
			w.buf = append(w.buf, c.null...)
			continue
		}
		var ok bool
		if w.buf, ok = c.value(w.buf, v, row); !ok {
			return w.refuse(i, v, row)
		}
	}
	if json {
		if len(w.bound) == 0 {
			w.buf = append(w.buf, '{')
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, w.opt.Line...)
	return nil
}

// refuse tells why a value cannot be written.
func (w *Writer) refuse(i int, v *vector.Vector, row int) error {
	text := vector.AppendText(nil, v, row)
	if w.opt.Kind == JSON {
		return sqlerr.New(sqlerr.WrongValue, "column '%s' has a value that JSON cannot hold: %.50q", w.cols[i].Name, text).
			WithHint("JSON is UTF-8, and its keys are not NULL")
	}
	return sqlerr.New(sqlerr.WrongValue, "column '%s' has a value with a separator in it, which would not read back: %.50q", w.cols[i].Name, text).
		WithHint("Give an escape or a quote character, or other separators")
}

func (w *Writer) flush() error {
	var err error
	if w.wrap != nil {
		_, err = w.wrap.Write(w.buf)
	} else {
		_, err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return storage.FileError(err, "a text file", "write")
}

// Close writes what is buffered; the file below stays open.
func (w *Writer) Close() error {
	for range w.opt.After {
		w.buf = append(w.buf, w.opt.Line...)
	}
	if err := w.flush(); err != nil {
		return err
	}
	if w.wrap != nil {
		return storage.FileError(w.wrap.Close(), "a text file", "write")
	}
	return nil
}

// Buffered is how many bytes have not been written yet.
func (w *Writer) Buffered() int { return len(w.buf) }

// appendJSONString appends s in quotes; s must be UTF-8.
func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if jsonPlain[c] {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

// jsonPlain are the bytes that stand in JSON strings as they are.
var jsonPlain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// plainBytes reports whether all bytes of s are plain.
func plainBytes(s []byte, plain *[256]bool) bool {
	for _, c := range s {
		if !plain[c] {
			return false
		}
	}
	return true
}

// holds reports whether s has sep, which may be empty.
func holds(s []byte, sep string) bool { return sep != "" && bytes.Contains(s, []byte(sep)) }
