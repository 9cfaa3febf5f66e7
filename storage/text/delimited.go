package text

import (
	"bytes"
	"math/bits"

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
	at      []int // by needed column: its position in the file, or -1
	slots   int
	last    int // largest needed position
	rest    int // position of the column that takes the rest of the row; -1: none
	skimmed bool
	csv     bool
	blank   bool // an empty line is a row, of one column
	line    byte
	null    []byte
	marks   marks
	absent  []int // needed columns that the file does not have
}

func newDelimitedSplitter(f *file, cols []storage.Column, ordinals []int) *delimitedSplitter {
	d := &delimitedSplitter{opt: f.opt, last: -1, rest: -1, slots: len(ordinals), csv: f.opt.Kind == CSV, blank: len(cols) == 1, line: f.lineEnd(), null: []byte(f.opt.Null)}
	for slot, o := range ordinals {
		at := f.position(cols, o)
		d.at = append(d.at, at)
		if at < 0 {
			d.absent = append(d.absent, slot)
			continue
		}
		for len(d.slotOf) <= at {
			d.slotOf = append(d.slotOf, -1)
		}
		d.slotOf[at] = slot
		d.last = max(d.last, at)
	}
	if f.opt.Rest {
		d.rest = f.position(cols, len(cols)-1)
	}
	d.classes[f.opt.Field] = classField
	d.classes[d.line] = classLine
	look := []byte{f.opt.Field, d.line}
	if f.opt.Escape != 0 && !(d.csv && f.opt.Escape == f.opt.Quote) {
		d.classes[f.opt.Escape] = classEscape
		look = append(look, f.opt.Escape)
	}
	d.marks = newMarks(look...)
	// Behind the last needed column the line end is all there is to find, where nothing can hide it.
	d.skimmed = f.opt.Escape == 0 && (!d.csv || f.opt.Quote == 0)
	return d
}

// next implements splitter.
func (d *delimitedSplitter) next(buf []byte, pos int, last bool, spans [][]span, row int) (end int, ok, skip bool, err error) {
	d.marks.use(buf)
	field := 0
	for i := pos; ; {
		if d.skimmed && field > d.last {
			at := bytes.IndexByte(buf[i:], d.line)
			if at >= 0 {
				return i + at + 1, true, false, d.finish(spans, row, field)
			}
			return len(buf), last, false, d.finish(spans, row, field)
		}
		from, flag, to := i, uint8(0), 0
		if d.csv && d.opt.Quote != 0 && i < len(buf) && buf[i] == d.opt.Quote {
			var closed bool
			i, flag, closed = d.quoted(buf, i+1, last)
			if !closed && d.opt.OneLine && (i < len(buf) && buf[i] == d.line || last) {
				return min(i+1, len(buf)), true, false, d.finish(spans, row, field)
			}
			if !closed && !last {
				return 0, false, false, nil
			}
			from++
			to = i
			if closed {
				i++
			}
			flag |= flagQuoted
			// What follows the quote belongs to no value; it ends with the field.
			for i < len(buf) && d.classes[buf[i]] != classField && d.classes[buf[i]] != classLine {
				i++
			}
			if i >= len(buf) && !last {
				return 0, false, false, nil
			}
		} else {
			// Most values end within the 64 bytes at hand.
			if w := d.marks.word >> (i & 63); w != 0 && i&^63 == d.marks.block {
				i += bits.TrailingZeros64(w)
			} else {
				i = d.marks.next(buf, i)
			}
			for ; i < len(buf) && (d.classes[buf[i]] == classEscape || d.classes[buf[i]] == classField && field == d.rest); i = d.marks.next(buf, i) {
				if d.classes[buf[i]] == classField {
					i++
					continue
				}
				flag = flagEscaped
				if (!d.csv || d.opt.OneLine) && i+1 < len(buf) && buf[i+1] == d.line { // lines are cut before escapes are looked at
					i++
					break
				}
				if i += 2; i >= len(buf) {
					break
				}
			}
			if i >= len(buf) {
				if !last {
					return 0, false, false, nil
				}
				i = len(buf)
			}
			to = i
			if to > from && buf[to-1] == '\r' && (i == len(buf) || buf[i] == '\n' && d.line == '\n') {
				to--
			}
			if field == 0 && to == from && d.csv && !d.blank && (i == len(buf) || d.classes[buf[i]] == classLine) {
				return min(i+1, len(buf)), true, !d.opt.OneLine, d.finish(spans, row, 0) // an empty line
			}
		}
		if field < len(d.slotOf) && d.slotOf[field] >= 0 {
			s := span{uint32(from), int32(to - from), flag}
			if to-from == len(d.null) && d.opt.HasNull && flag&flagQuoted == 0 && string(buf[from:to]) == string(d.null) {
				s.n = missing
			}
			spans[d.slotOf[field]][row] = s
		}
		field++
		if i >= len(buf) {
			return len(buf), true, pos == len(buf), d.finish(spans, row, field)
		}
		if buf[i] == d.line {
			return i + 1, true, false, d.finish(spans, row, field)
		}
		i++
		if i == len(buf) && !last {
			return 0, false, false, nil
		}
	}
}

// finish makes what a row of so many fields does not have missing.
func (d *delimitedSplitter) finish(spans [][]span, row, fields int) error {
	for ; fields < len(d.slotOf); fields++ {
		if slot := d.slotOf[fields]; slot >= 0 {
			spans[slot][row].n = missing
		}
	}
	for _, slot := range d.absent {
		spans[slot][row].n = missing
	}
	return nil
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
		case c == d.opt.Escape && c != 0 && !(d.opt.OneLine && i+1 < len(buf) && buf[i+1] == d.line):
			flag = flagEscaped
			i += 2
		case c == d.line && d.opt.OneLine:
			return i, flag, false
		default:
			i++
		}
	}
	return min(i, len(buf)), flag, false
}

// unescape appends the value without its escapes and doubled quotes.
func (o *Options) unescape(dst, b []byte, flag uint8) []byte {
	if o.Kind == loaded {
		return o.unescapeLoaded(dst, b, flag)
	}
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
