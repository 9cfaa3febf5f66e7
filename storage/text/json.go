package text

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/basaltdb/basalt/storage"
)

var (
	errJSON      = errors.New("malformed JSON")
	errJSONShort = errors.New("JSON ends early")
	errJSONDeep  = errors.New("JSON is nested too deeply")
)

// jsonSplitter finds the objects of a JSON file. Keys match columns by name, else without regard to
// case. The last of equal keys wins.
type jsonSplitter struct {
	strict bool
	lines  bool
	serde  bool
	slots  []int          // by position in the file, with serde: the needed column, or -1
	exact  map[string]int // key -> needed column
	folded map[string]int
	// order is the needed column (or -1) of the k-th key of the last object, whose name is in names:
	// objects of one file mostly have their keys in one order.
	order []int
	names [][]byte
	key   []byte
}

func newJSONSplitter(f *file, cols []storage.Column, ordinals []int) *jsonSplitter {
	j := &jsonSplitter{strict: f.opt.Strict, lines: f.lines, serde: f.opt.Serde, exact: map[string]int{}, folded: map[string]int{}}
	for slot, o := range ordinals {
		j.exact[cols[o].Name] = slot
		j.folded[strings.ToLower(cols[o].Name)] = slot
		if at := f.position(cols, o); f.opt.Serde && at >= 0 {
			for len(j.slots) <= at {
				j.slots = append(j.slots, -1)
			}
			j.slots[at] = slot
		}
	}
	return j
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// next implements splitter.
func (j *jsonSplitter) next(buf []byte, pos int, last bool, spans [][]span, row int) (end int, ok, skip bool, err error) {
	for k := range spans {
		spans[k][row].n = missing
	}
	i := pos
	for i < len(buf) && (isSpace(buf[i]) || buf[i] == ',' || !j.lines && (buf[i] == '[' || buf[i] == ']')) {
		i++
	}
	if i == len(buf) {
		return i, last, true, nil
	}
	whole := buf // where the object may lie: of a file of lines, in one line, however much of the file is at hand
	if j.lines {
		at := bytes.IndexByte(buf[i:], '\n')
		if at < 0 && !last {
			return 0, false, false, nil
		}
		if at >= 0 {
			whole = buf[:i+at+1]
		}
	}
	end, err = j.object(whole, i, spans, row)
	switch {
	case err == nil && j.lines && j.serde:
		return len(whole), true, false, nil
	case err == nil && j.lines:
		return skipLine(buf, end), true, false, nil
	case err == nil:
		return end, true, false, nil
	case !last && !j.lines:
		return 0, false, false, nil // perhaps it goes on behind the buffer
	case j.strict || !j.lines && errors.Is(err, errJSONShort):
		return 0, false, false, err
	}
	for k := range spans { // a malformed line is a row of NULLs
		spans[k][row].n = missing
	}
	if j.lines {
		return len(whole), true, false, nil
	}
	at := bytes.IndexByte(buf[i:], '\n')
	if at < 0 {
		return len(buf), true, false, nil
	}
	return i + at + 1, true, false, nil
}

// skipLine passes over the rest of a line when it is blank.
func skipLine(buf []byte, i int) int {
	for i < len(buf) && isSpace(buf[i]) {
		i++
		if buf[i-1] == '\n' {
			break
		}
	}
	return i
}

// object reads the object at buf[i:] and returns its end.
func (j *jsonSplitter) object(buf []byte, i int, spans [][]span, row int) (int, error) {
	if buf[i] != '{' {
		return 0, errJSON
	}
	i = skipSpace(buf, i+1)
	for k := 0; ; k++ {
		if i >= len(buf) {
			return 0, errJSONShort
		}
		if buf[i] == '}' {
			return i + 1, nil
		}
		if k > 0 {
			if buf[i] != ',' {
				return 0, errJSON
			}
			i = skipSpace(buf, i+1)
		}
		if i >= len(buf) {
			return 0, errJSONShort
		}
		if buf[i] != '"' {
			return 0, errJSON
		}
		end, escaped, err := skipString(buf, i+1)
		if err != nil {
			return 0, err
		}
		slot := j.slot(k, buf[i+1:end-1], escaped)
		if i = skipSpace(buf, end); i >= len(buf) {
			return 0, errJSONShort
		}
		if buf[i] != ':' {
			return 0, errJSON
		}
		i = skipSpace(buf, i+1)
		s, end, err := value(buf, i)
		if err != nil {
			return 0, err
		}
		if slot >= 0 {
			spans[slot][row] = s
		}
		i = skipSpace(buf, end)
	}
}

// slot is the needed column of the k-th key of an object; -1: not needed.
func (j *jsonSplitter) slot(k int, key []byte, escaped bool) int {
	if k < len(j.names) && string(j.names[k]) == string(key) {
		return j.order[k]
	}
	name := key
	if escaped {
		j.key, _ = unquote(j.key[:0], key)
		name = j.key
	}
	slot, ok := j.exact[string(name)]
	if !ok {
		if slot, ok = j.folded[strings.ToLower(string(name))]; !ok {
			slot = -1
			if at := columnNumber(name); j.serde && at >= 0 && at < len(j.slots) {
				slot = j.slots[at]
			}
		}
	}
	if k <= len(j.names) && k < 1000 {
		j.names, j.order = append(j.names[:k], append([]byte(nil), key...)), append(j.order[:k], slot)
	}
	return slot
}

// columnNumber is the position that a key like _col12 names; -1 for others.
func columnNumber(key []byte) int {
	digits, ok := bytes.CutPrefix(key, []byte("_col"))
	if n, k := number(digits, 6); ok && k > 0 && k == len(digits) {
		return n
	}
	return -1
}

// value finds the value at buf[i:]: null is missing, a string is without its quotes.
func value(buf []byte, i int) (s span, end int, err error) {
	if i >= len(buf) {
		return s, 0, errJSONShort
	}
	switch c := buf[i]; {
	case c == '"':
		end, escaped, err := skipString(buf, i+1)
		s = span{uint32(i + 1), int32(end - i - 2), flagQuoted}
		if escaped {
			s.flag |= flagEscaped
		}
		return s, end, err
	case c == '{' || c == '[':
		end, err := skipNested(buf, i)
		return span{uint32(i), int32(end - i), 0}, end, err
	}
	end = i
	for end < len(buf) && buf[end] != ',' && buf[end] != '}' && buf[end] != ']' && !isSpace(buf[end]) {
		if c := buf[end]; c == '"' || c == '{' || c == '[' || c == ':' {
			return s, 0, errJSON
		}
		end++
	}
	switch word := buf[i:end]; {
	case end == len(buf):
		return s, 0, errJSONShort
	case len(word) == 0:
		return s, 0, errJSON
	case string(word) == "null":
		return span{n: missing}, end, nil
	case word[0] != '-' && (word[0] < '0' || word[0] > '9') && string(word) != "true" && string(word) != "false":
		return s, 0, errJSON
	}
	return span{uint32(i), int32(end - i), 0}, end, nil
}

// skipString returns the position behind the closing quote of the string whose content begins at i.
func skipString(buf []byte, i int) (end int, escaped bool, err error) {
	for i < len(buf) {
		switch buf[i] {
		case '"':
			return i + 1, escaped, nil
		case '\\':
			escaped = true
			i += 2
		default:
			i++
		}
	}
	return 0, false, errJSONShort
}

// skipNested returns the position behind the object or array at i.
func skipNested(buf []byte, i int) (int, error) {
	depth := 0
	var open [maxDepth]byte
	for i < len(buf) {
		switch c := buf[i]; c {
		case '"':
			end, _, err := skipString(buf, i+1)
			if err != nil {
				return 0, err
			}
			i = end
			continue
		case '{', '[':
			if depth == maxDepth {
				return 0, errJSONDeep
			}
			open[depth] = c + 2 // the closing one
			depth++
		case '}', ']':
			if depth == 0 || open[depth-1] != c {
				return 0, errJSON
			}
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return 0, errJSONShort
}

// unquote appends the content of a JSON string without its escapes.
func unquote(dst, b []byte) ([]byte, bool) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		if i++; i == len(b) {
			return dst, false
		}
		switch b[i] {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, ok := hex4(b, i+1)
			if !ok {
				return dst, false
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					low, ok = hex4(b, i+3)
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, b[i])
		}
	}
	return dst, true
}

func hex4(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
