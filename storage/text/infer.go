package text

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// sampleBytes is the text that schema and dialect are inferred from.
const sampleBytes = 4 << 20

// sample is the beginning of a file.
type sample struct {
	file  *file
	data  []byte
	whole bool
}

// sample reads the beginning, finds where rows start, and takes the header's names.
func (f *file) sample(fs storage.FS) (*sample, error) {
	if f.size == 0 {
		return &sample{file: f, whole: true}, nil
	}
	file, err := fs.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in, done, err := f.stream(file, true, nil)
	defer done()
	if err != nil {
		return nil, err
	}
	size := int64(sampleBytes)
	if f.comp == plain {
		size = min(size, f.size+1) // one more tells the end
	}
	s := &sample{file: f, data: make([]byte, size)}
	n, err := io.ReadFull(in, s.data)
	s.data = s.data[:n]
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.whole = true
	case tooLarge(err) && n > 0: // of a later frame; what is there is enough
	case err != nil:
		return nil, sqlerr.New(sqlerr.CorruptFile, "cannot read the text of %s: %v", f.path, err)
	}
	if bytes.HasPrefix(s.data, []byte("\xef\xbb\xbf")) {
		f.start = 3
	}
	if f.opt.Kind != JSON && f.opt.Field == 0 {
		s.dialect()
	}
	for range f.opt.Skip {
		at := bytes.IndexByte(s.data[f.start:], f.lineEnd())
		if at < 0 {
			f.start = int64(len(s.data))
			break
		}
		f.start += int64(at) + 1
	}
	switch {
	case f.opt.Kind == JSON:
		f.lines = s.jsonLines()
	case f.opt.Header:
		s.header()
	}
	return s, nil
}

// rows counts the rows of the sample, roughly.
func (s *sample) rows() int {
	return max(1, bytes.Count(s.data, []byte{s.file.lineEnd()}))
}

// jsonLines reports whether the first line is a whole object.
func (s *sample) jsonLines() bool {
	b := s.data[s.file.start:]
	i := skipSpace(b, 0)
	if i == len(b) {
		return true
	}
	line := b[i:]
	if at := bytes.IndexByte(line, '\n'); at >= 0 {
		line = line[:at]
	} else if !s.whole {
		return false
	}
	if line[0] == '[' {
		return false
	}
	if line[0] != '{' {
		return true
	}
	end, err := skipNested(line, 0)
	return err == nil && (s.file.opt.Serde || skipSpace(line, end) == len(line)) || err != nil && !bytes.Contains(b[i:], []byte("\n}"))
}

// dialect chooses the separator that divides the first lines into the most columns, equally many each.
func (s *sample) dialect() {
	best, bestScore := byte(','), 0
	for _, c := range []byte{',', '\t', ';', '|'} {
		opt := s.file.opt
		opt.Field = c
		rows := s.split(opt, 50)
		if len(rows) == 0 {
			continue
		}
		width, same := len(rows[0]), 0
		for _, r := range rows {
			if len(r) == width {
				same++
			}
		}
		if score := (width - 1) * same * 10 / len(rows); width > 1 && score > bestScore {
			best, bestScore = c, score
		}
	}
	s.file.opt.Field = best
}

// each calls f with the fields of the rows, missing ones nil, until it answers false. The fields are valid during the call.
func (s *sample) each(opt Options, f func(row [][]byte) bool) {
	file := *s.file.shallow()
	file.opt = opt
	file.names = nil
	width := min(bytes.Count(firstLine(s.data[s.file.start:]), []byte{opt.Field})+1, maxColumns)
	cols := make([]storage.Column, width)
	ordinals := make([]int, width)
	spans := make([][]span, width)
	for i := range ordinals {
		ordinals[i], spans[i] = i, make([]span, 1)
	}
	d := newDelimitedSplitter(&file, cols, ordinals)
	row := make([][]byte, width)
	for pos := int(s.file.start); pos < len(s.data); {
		end, ok, skip, err := d.next(s.data, pos, s.whole, spans, 0)
		if !ok || err != nil {
			return
		}
		pos = end
		if skip {
			continue
		}
		for i := range row {
			sp := spans[i][0]
			if sp.n < 0 {
				row[i] = nil
				continue
			}
			row[i] = s.data[sp.off : sp.off+uint32(sp.n) : sp.off+uint32(sp.n)]
			if sp.flag&flagEscaped != 0 {
				row[i] = opt.unescape([]byte{}, row[i], sp.flag)
			}
		}
		if !f(row) {
			return
		}
	}
}

// split reads up to n rows of fields as text; missing ones are nil.
func (s *sample) split(opt Options, n int) [][]*string {
	var out [][]*string
	width := 0 // trailing fields that no row has are not columns: the count of separators may have met quoted ones
	s.each(opt, func(fields [][]byte) bool {
		row := make([]*string, len(fields))
		for i, b := range fields {
			if b != nil {
				text := string(b)
				row[i] = &text
				width = max(width, i+1)
			}
		}
		out = append(out, row)
		return len(out) < n
	})
	for i := range out {
		out[i] = out[i][:width]
	}
	return out
}

// shallow copies what a splitter reads of a file.
func (f *file) shallow() *file {
	return &file{path: f.path, size: f.size, text: f.text, comp: f.comp, opt: f.opt, names: f.names, start: f.start, lines: f.lines}
}

const maxColumns = 10_000

func firstLine(b []byte) []byte {
	if at := bytes.IndexByte(b, '\n'); at >= 0 {
		return b[:at]
	}
	return b
}

// header takes the first row for names and moves the start behind it.
func (s *sample) header() {
	rows := s.split(s.file.opt, 1)
	if len(rows) == 0 {
		s.file.names = []string{}
		return
	}
	s.file.names = uniqueNames(rows[0])
	if s.skipRow(); s.file.opt.SkipTypes {
		s.skipRow()
	}
}

func (s *sample) skipRow() {
	d := newDelimitedSplitter(s.file, nil, nil)
	d.skimmed = false
	if end, ok, _, err := d.next(s.data, int(s.file.start), s.whole, nil, 0); ok && err == nil {
		s.file.start = int64(end)
	}
}

// uniqueNames names columns by texts: empty ones by number, equal ones with a number behind.
func uniqueNames(row []*string) []string {
	used := map[string]bool{}
	numbers := map[string]int{} // that the last name made of a text has
	out := make([]string, len(row))
	for i, v := range row {
		name := "column" + strconv.Itoa(i)
		if v != nil && strings.TrimSpace(*v) != "" {
			name = *v
		}
		base, folded := name, strings.ToLower(name)
		for used[strings.ToLower(name)] {
			numbers[folded]++
			name = base + "_" + strconv.Itoa(numbers[folded])
		}
		used[strings.ToLower(name)] = true
		out[i] = name
	}
	return out
}

// infer makes the schema.
func (s *sample) infer() ([]storage.Column, error) {
	if s.file.opt.Kind == JSON {
		return s.inferJSON()
	}
	first := s.split(s.file.opt, 1)
	var body []guess // of each column, from the second row on
	rows, width := 0, len(s.file.names)
	s.each(s.file.opt, func(row [][]byte) bool {
		rows++
		for i, b := range row {
			if b == nil {
				continue
			}
			for len(body) <= i {
				body = append(body, guess{})
			}
			if width = max(width, i+1); rows > 1 {
				body[i].add(b)
			}
		}
		return true
	})
	if !s.file.opt.Untyped && !s.file.opt.Header && s.file.names == nil && len(first) > 0 && looksLikeHeader(first[0], body, rows > 1) {
		s.file.opt.Header = true
		s.file.names = uniqueNames(first[0])
		s.skipRow()
	} else if len(first) > 0 {
		for i, v := range first[0] {
			if v != nil {
				body[i].add([]byte(*v))
			}
		}
	}
	cols := make([]storage.Column, width)
	var names []*string
	for i := range width {
		if i < len(s.file.names) {
			names = append(names, &s.file.names[i])
		} else {
			names = append(names, nil)
		}
	}
	unique := uniqueNames(names)
	for i := range cols {
		if s.file.opt.Untyped {
			if s.file.names == nil {
				unique[i] = "c" + strconv.Itoa(i+1)
			}
			cols[i] = storage.Column{Name: unique[i], Type: sqltype.T(sqltype.String), Nullable: true}
			continue
		}
		kind := guess{}
		if i < len(body) {
			kind = body[i]
		}
		cols[i] = storage.Column{Name: unique[i], Type: kind.typ(), Nullable: true}
	}
	if len(cols) == 0 {
		return nil, sqlerr.New(sqlerr.CorruptFile, "the file %s has no columns", s.file.path)
	}
	return cols, nil
}

// looksLikeHeader reports whether the first row differs in kind from the others: text above numbers or dates, or, where
// everything is text, texts that are all there and different.
func looksLikeHeader(first []*string, body []guess, more bool) bool {
	typed := false
	names := true
	for i, v := range first {
		if v == nil || *v == "" {
			continue
		}
		var head guess
		head.add([]byte(*v))
		if head.typ().Kind != sqltype.String {
			names = false
		}
		if head.typ().Kind == sqltype.String && body[i].n > 0 && body[i].typ().Kind != sqltype.String {
			typed = true
		}
	}
	return typed || names && more
}

// guess narrows the type of a column down as values come.
type guess struct {
	n                                        int
	notInt, notFloat, notDate, notTime, notB bool
	text                                     bool
}

func (g *guess) add(b []byte) {
	if g.text && g.n > 0 {
		return
	}
	g.n++
	if !g.notInt {
		_, ok := parseInt(b)
		g.notInt = !ok || leadingZero(b)
	}
	if g.notInt && !g.notFloat {
		_, ok := parseFloat(b, 64)
		g.notFloat = !ok || leadingZero(b)
	}
	if !g.notDate {
		_, rest, ok := parseDate(b)
		g.notDate = !ok || len(rest) > 0
	}
	if g.notDate && !g.notTime {
		_, ok := parseDateTime(b)
		g.notTime = !ok
	}
	if !g.notB {
		word := strings.ToLower(string(b))
		g.notB = word != "true" && word != "false"
	}
	g.text = g.notInt && g.notFloat && g.notDate && g.notTime && g.notB
}

// leadingZero reports numbers such as 00501, which are names rather than quantities.
func leadingZero(b []byte) bool {
	b = bytes.TrimLeft(trim(b), "+-")
	return len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9'
}

func (g *guess) typ() sqltype.Type {
	switch {
	case g.n == 0 || g.text:
		return sqltype.T(sqltype.String)
	case !g.notInt:
		return sqltype.T(sqltype.BigInt)
	case !g.notFloat:
		return sqltype.T(sqltype.Double)
	case !g.notDate:
		return sqltype.T(sqltype.Date)
	case !g.notTime:
		return sqltype.DateTimeOf(6)
	}
	return sqltype.T(sqltype.Boolean)
}
