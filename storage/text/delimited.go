package text

import (
	"bytes"

	"github.com/basaltdb/basalt/storage"
)

// class is what a byte means to the splitter.
type class uint8

const (
	classPlain class = iota
	classField
	classLine
	classEscape
)

// delimitedSplitter finds rows of delimited text and CSV.
type delimitedSplitter struct {
	opt     Options
	classes [256]class
	slotOf  []int // by position in the file: the needed column, or -1
	slots   int
	last    int // largest needed position
	skimmed bool
	csv     bool
	blank   bool // an empty line is a row, of one column
	line    byte
	null    []byte
}

func newDelimitedSplitter(f *file, cols []storage.Column, ordinals []int) *delimitedSplitter {
	d := &delimitedSplitter{opt: f.opt, last: -1, slots: len(ordinals), csv: f.opt.Kind == CSV, blank: len(cols) == 1, line: f.lineEnd(), null: []byte(f.opt.Null)}
	for slot, o := range ordinals {
		at := f.position(cols, o)
		if at < 0 {
			continue
		}
		for len(d.slotOf) <= at {
			d.slotOf = append(d.slotOf, -1)
		}
		d.slotOf[at] = slot
		d.last = max(d.last, at)
	}
	d.classes[f.opt.Field] = classField
	d.classes[d.line] = classLine
	if f.opt.Escape != 0 && !(d.csv && f.opt.Escape == f.opt.Quote) {
		d.classes[f.opt.Escape] = classEscape
	}
	// Behind the last needed column the line end is all there is to find, where nothing can hide it.
	d.skimmed = f.opt.Escape == 0 && (!d.csv || f.opt.Quote == 0)
	return d
}

// next implements splitter.
func (d *delimitedSplitter) next(buf []byte, pos int, last bool, spans []span) (end int, ok, skip bool, err error) {
	for k := range spans {
		spans[k].n = missing
	}
	start, field := pos, 0
	for i := pos; ; {
		if d.skimmed && field > d.last {
			at := bytes.IndexByte(buf[i:], d.line)
			if at >= 0 {
				return i + at + 1, true, false, nil
			}
			return len(buf), last, false, nil
		}
		from, flag := i, uint8(0)
		if d.csv && d.opt.Quote != 0 && i < len(buf) && buf[i] == d.opt.Quote {
			var closed bool
			i, flag, closed = d.quoted(buf, i+1, last)
			if !closed && !last {
				return 0, false, false, nil
			}
			from++
			to := i
			if closed {
				i++
			}
			// What follows the quote belongs to no value; it ends with the field.
			for i < len(buf) && d.classes[buf[i]] != classField && d.classes[buf[i]] != classLine {
				i++
			}
			if i >= len(buf) && !last {
				return 0, false, false, nil
			}
			d.store(spans, field, buf, from, to, flag|flagQuoted)
		} else {
			for i < len(buf) {
				c := d.classes[buf[i]]
				if c == classPlain {
					i++
					continue
				}
				if c != classEscape {
					break
				}
				flag = flagEscaped
				i += 2
			}
			if i >= len(buf) {
				if !last {
					return 0, false, false, nil
				}
				i = len(buf)
			}
			to := i
			if to > from && (i == len(buf) || buf[i] == '\n' && d.line == '\n') && buf[to-1] == '\r' {
				to--
			}
			if d.csv && !d.blank && field == 0 && to == from && (i == len(buf) || d.classes[buf[i]] == classLine) {
				return min(i+1, len(buf)), true, true, nil // an empty line
			}
			d.store(spans, field, buf, from, to, flag)
		}
		field++
		if i >= len(buf) {
			return len(buf), true, start == len(buf), nil
		}
		if d.classes[buf[i]] == classLine {
			return i + 1, true, false, nil
		}
		i++
		if i == len(buf) && !last {
			return 0, false, false, nil
		}
	}
}

// quoted finds the end of a quoted field whose content begins at i.
func (d *delimitedSplitter) quoted(buf []byte, i int, last bool) (end int, flag uint8, closed bool) {
	q := d.opt.Quote
	for i < len(buf) {
		switch c := buf[i]; {
		case c == q:
			if i+1 < len(buf) && buf[i+1] == q {
				flag = flagEscaped
				i += 2
				continue
			}
			return i, flag, i+1 < len(buf) || last // else it may be the first of two
		case c == d.opt.Escape && c != 0:
			flag = flagEscaped
			i += 2
		default:
			i++
		}
	}
	return min(i, len(buf)), flag, false
}

func (d *delimitedSplitter) store(spans []span, field int, buf []byte, from, to int, flag uint8) {
	if field >= len(d.slotOf) || d.slotOf[field] < 0 {
		return
	}
	s := &spans[d.slotOf[field]]
	if d.opt.HasNull && flag&flagQuoted == 0 && to-from == len(d.null) && string(buf[from:to]) == string(d.null) {
		return
	}
	*s = span{uint32(from), int32(to - from), flag}
}

// unescape appends the value without its escapes and doubled quotes.
func (o *Options) unescape(dst, b []byte, flag uint8) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case o.Escape != 0 && c == o.Escape && i+1 < len(b) && (o.Escape != o.Quote || flag&flagQuoted == 0):
			i++
			c = b[i]
			if o.Kind == Delimited { // as LazySimpleSerDe writes them
				switch c {
				case 'n':
					c = '\n'
				case 'r':
					c = '\r'
				}
			}
		case o.Quote != 0 && c == o.Quote && flag&flagQuoted != 0 && i+1 < len(b) && b[i+1] == o.Quote:
			i++
		}
		dst = append(dst, c)
	}
	return dst
}
