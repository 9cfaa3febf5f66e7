package text

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// shape is what the values of one place of JSON documents have in common.
type shape struct {
	null   bool // only nulls
	scalar guess
	text   bool // strings
	bools  bool
	nums   bool
	elem   *shape
	names  []string
	fields map[string]*shape
	mixed  bool
}

// inferJSON makes the schema of the sample's objects, keys in the order of their first appearance.
func (s *sample) inferJSON() ([]storage.Column, error) {
	top := &shape{}
	data := s.data[s.file.start:]
	for i := 0; i < len(data); {
		for i < len(data) && (isSpace(data[i]) || data[i] == ',' || data[i] == '[' || data[i] == ']') {
			i++
		}
		if i == len(data) {
			break
		}
		if data[i] != '{' {
			if at := indexLine(data[i:]); s.file.lines && at > 0 {
				i += at
				continue
			}
			return nil, sqlerr.New(sqlerr.CorruptFile, "malformed JSON in %s: rows must be objects", s.file.path)
		}
		end, err := skipNested(data, i)
		if err != nil {
			if at := indexLine(data[i:]); s.file.lines && at > 0 {
				i += at
				continue
			}
			if s.whole && len(top.names) == 0 {
				return nil, sqlerr.New(sqlerr.CorruptFile, "malformed JSON in %s: %v", s.file.path, err)
			}
			break
		}
		top.addValue(data, span{uint32(i), int32(end - i), 0}, 0)
		if len(top.names) > maxColumns {
			return nil, sqlerr.New(sqlerr.CorruptFile, "the objects of %s have more than %d keys", s.file.path, maxColumns)
		}
		i = end
	}
	var cols []storage.Column
	for _, n := range top.names {
		cols = append(cols, storage.Column{Name: n, Type: top.fields[n].typ(), Nullable: true})
	}
	if len(cols) == 0 {
		return nil, sqlerr.New(sqlerr.CorruptFile, "the file %s has no JSON objects", s.file.path)
	}
	return cols, nil
}

// indexLine is the position behind the next line end; 0 when there is none.
func indexLine(b []byte) int {
	for i, c := range b {
		if c == '\n' {
			return i + 1
		}
	}
	return 0
}

// Objects nested deeper, or with more keys, are text: the keys are data then.
const (
	maxInferredDepth  = 16
	maxInferredFields = 1000
)

func (s *shape) addValue(b []byte, at span, depth int) {
	if at.n < 0 {
		s.null = true
		return
	}
	body := b[at.off : at.off+uint32(at.n)]
	switch {
	case at.flag&flagQuoted != 0:
		s.mixed = s.mixed || s.elem != nil || s.fields != nil || s.nums || s.bools
		s.text = true
		s.scalar.add(body)
	case body[0] == '{' && depth < maxInferredDepth:
		s.mixed = s.mixed || s.elem != nil || s.text || s.nums || s.bools
		if s.fields == nil {
			s.fields = map[string]*shape{}
		}
		eachJSON(body, func(key, b []byte, v span) bool {
			name, _ := unquote(nil, key)
			f := s.fields[string(name)]
			if f == nil {
				if s.mixed = s.mixed || depth > 0 && len(s.names) >= maxInferredFields; len(s.names) > maxColumns || s.mixed && depth > 0 {
					return false
				}
				f = &shape{}
				s.fields[string(name)] = f
				s.names = append(s.names, string(name))
			}
			f.addValue(b, v, depth+1)
			return true
		})
	case body[0] == '[' && depth < maxInferredDepth:
		s.mixed = s.mixed || s.fields != nil || s.text || s.nums || s.bools
		if s.elem == nil {
			s.elem = &shape{}
		}
		eachJSON(body, func(_, b []byte, v span) bool {
			s.elem.addValue(b, v, depth+1)
			return true
		})
	case body[0] == 't' || body[0] == 'f':
		s.mixed = s.mixed || s.elem != nil || s.fields != nil || s.text || s.nums
		s.bools = true
	default:
		s.mixed = s.mixed || s.elem != nil || s.fields != nil || s.text || s.bools
		s.nums = true
		s.scalar.add(body)
	}
}

// typ is the narrowest type that holds all values; what has no common one is text.
func (s *shape) typ() sqltype.Type {
	text := sqltype.T(sqltype.String)
	switch {
	case s.mixed:
		return text
	case s.fields != nil:
		if len(s.names) == 0 {
			return text
		}
		elems := make([]sqltype.Type, len(s.names))
		for i, n := range s.names {
			elems[i] = s.fields[n].typ()
		}
		return sqltype.StructOf(s.names, elems)
	case s.elem != nil:
		return sqltype.ArrayOf(s.elem.typ())
	case s.bools:
		return sqltype.T(sqltype.Boolean)
	case s.nums:
		return s.scalar.typ()
	case s.text:
		if t := s.scalar.typ(); t.Kind == sqltype.Date || t.Kind == sqltype.DateTime {
			return t
		}
	}
	return text
}
