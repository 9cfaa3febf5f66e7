package text

import "bytes"

// loadSplitter finds the fields of lines as MySQL's LOAD DATA does.
type loadSplitter struct {
	opt    *LoadOptions
	field  []byte
	line   []byte
	marks  marks
	fields []span // of the line found last
}

func newLoadSplitter(o *LoadOptions) *loadSplitter {
	s := &loadSplitter{opt: o, field: []byte(o.Field), line: []byte(o.Line)}
	look := []byte{s.field[0], s.line[0]}
	if o.Escape != 0 {
		look = append(look, o.Escape)
	}
	s.marks = newMarks(look...)
	return s
}

// match is what stands at a place.
type match uint8

const (
	no match = iota
	yes
	perhaps // the buffer ends too early to tell
)

func (s *loadSplitter) at(buf []byte, i int, sep []byte, last bool) match {
	switch {
	case bytes.HasPrefix(buf[i:], sep):
		return yes
	case !last && len(buf)-i < len(sep) && bytes.HasPrefix(sep, buf[i:]):
		return perhaps
	}
	return no
}

// next finds the line that begins at buf[pos:] and returns where the next one does; false when it is not complete, or there is
// none.
func (s *loadSplitter) next(buf []byte, pos int, last bool) (end int, ok bool) {
	s.marks.use(buf)
	s.fields = s.fields[:0]
	i := pos
	if s.opt.Starting != "" {
		at := bytes.Index(buf[pos:], []byte(s.opt.Starting))
		if at < 0 {
			return 0, false
		}
		i += at + len(s.opt.Starting)
	} else if i >= len(buf) {
		return 0, false
	}
	for {
		sp, after, ok := s.one(buf, i, last)
		if !ok {
			return 0, false
		}
		s.fields = append(s.fields, sp)
		if after >= len(buf) { // only where it is the last
			return len(buf), true
		}
		// Lines first: a separator may begin like the end of a line.
		if s.at(buf, after, s.line, last) == yes {
			return after + len(s.line), true
		}
		i = after + len(s.field)
		if i == len(buf) && !last {
			return 0, false
		}
	}
}

// one reads the field at buf[i:] and returns where the separator behind it is, len(buf) at the end of the file.
func (s *loadSplitter) one(buf []byte, i int, last bool) (sp span, after int, ok bool) {
	if q := s.opt.Quote; q != 0 && i < len(buf) && buf[i] == q {
		return s.enclosed(buf, i+1, last)
	}
	from, flag := i, uint8(0)
	for {
		i = s.marks.next(buf, i)
		if i >= len(buf) {
			if !last {
				return sp, 0, false
			}
			i = len(buf)
			break
		}
		if buf[i] == s.opt.Escape && s.opt.Escape != 0 {
			flag = flagEscaped
			if i += 2; i > len(buf) {
				if !last {
					return sp, 0, false
				}
				i = len(buf)
			}
			continue
		}
		here := max(s.at(buf, i, s.line, last), s.at(buf, i, s.field, last))
		if here == perhaps {
			return sp, 0, false
		}
		if s.at(buf, i, s.line, last) == yes || s.at(buf, i, s.field, last) == yes {
			break
		}
		i++
	}
	sp = span{uint32(from), int32(i - from), flag}
	text := buf[from:i]
	if len(text) == 2 && s.opt.Escape != 0 && text[0] == s.opt.Escape && text[1] == 'N' || s.opt.Quote != 0 && string(text) == "NULL" {
		sp = span{n: missing}
	}
	return sp, i, true
}

// enclosed reads a field in quotes, whose text begins at buf[i:]. A quote ends it only where a separator follows.
func (s *loadSplitter) enclosed(buf []byte, i int, last bool) (sp span, after int, ok bool) {
	from, flag := i, flagQuoted
	q, esc := s.opt.Quote, s.opt.Escape
	for i < len(buf) {
		c := buf[i]
		switch {
		case c == q:
			if i+1 >= len(buf) {
				if !last {
					return sp, 0, false
				}
				return span{uint32(from), int32(i - from), flag}, i + 1, true
			}
			if buf[i+1] == q {
				flag |= flagEscaped
				i += 2
				continue
			}
			line, field := s.at(buf, i+1, s.line, last), s.at(buf, i+1, s.field, last)
			if line == yes || field == yes {
				return span{uint32(from), int32(i - from), flag}, i + 1, true
			}
			if line == perhaps || field == perhaps {
				return sp, 0, false
			}
			i++
		case c == esc && esc != 0:
			flag |= flagEscaped
			i += 2
		default:
			i++
		}
	}
	if !last {
		return sp, 0, false
	}
	return span{uint32(from), int32(min(i, len(buf)) - from), flag}, len(buf), true
}

// unescapeLoaded appends a field's value: MySQL's escapes, and doubled quotes.
func (o *Options) unescapeLoaded(dst, b []byte, flag uint8) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == o.Escape && o.Escape != 0 && i+1 < len(b) && (c != o.Quote || flag&flagQuoted == 0):
			i++
			switch c = b[i]; c {
			case '0':
				c = 0
			case 'b':
				c = '\b'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'Z':
				c = 26
			}
		case flag&flagQuoted != 0 && c == o.Quote && i+1 < len(b) && b[i+1] == c:
			i++
		}
		dst = append(dst, c)
	}
	return dst
}
