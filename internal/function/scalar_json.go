package function

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// jsonFunctions read JSON text by path without building a tree.
func jsonFunctions() map[string]builder {
	s := tString
	m := map[string]builder{
		"json_valid":   signature{params: types(s), result: tInt, run: jsonValidKernel}.builder(),
		"json_unquote": signature{params: types(s), result: s, run: jsonUnquoteKernel}.builder(),
		"json_quote":   signature{params: types(s), result: s, run: jsonQuoteKernel}.builder(),
		"json_length":  jsonBuilder(tInt, jsonLength), "json_type": jsonBuilder(s, jsonType),
		"json_object": jsonConstructor(true), "json_array": jsonConstructor(false),
	}
	for name, b := range map[string]builder{
		"json_extract": jsonBuilder(sqltype.T(sqltype.JSON), jsonRaw), "jsonb_extract": jsonBuilder(sqltype.T(sqltype.JSON), jsonRaw),
		"get_json_string": jsonBuilder(s, jsonString), "json_extract_string": jsonBuilder(s, jsonString), "get_json_object": jsonBuilder(s, jsonString), "json_value": jsonBuilder(s, jsonString),
		"get_json_int": jsonBuilder(tInt, jsonInt), "json_extract_int": jsonBuilder(tInt, jsonInt),
		"get_json_bigint": jsonBuilder(tBigInt, jsonBigint), "json_extract_bigint": jsonBuilder(tBigInt, jsonBigint),
		"get_json_double": jsonBuilder(tDouble, jsonDouble), "json_extract_double": jsonBuilder(tDouble, jsonDouble),
		"get_json_bool": jsonBuilder(tBoolean, jsonBool), "json_extract_bool": jsonBuilder(tBoolean, jsonBool),
		"json_exists_path": jsonBuilder(tBoolean, jsonExists),
	} {
		m[name] = b
	}
	return m
}

// jsonStep is .key or [index]; index -1 is .key.
type jsonStep struct {
	key   string
	index int
}

// parseJSONPath reads $.a."b c"[0].d; the $. may be left out.
func parseJSONPath(p []byte) ([]jsonStep, bool) {
	p = trimSpace(p)
	p = bytes.TrimPrefix(p, []byte{'$'})
	steps := []jsonStep{}
	for first := true; len(p) > 0; first = false {
		switch {
		case p[0] == '[':
			end := bytes.IndexByte(p, ']')
			if end < 0 {
				return nil, false
			}
			n, err := strconv.Atoi(string(p[1:end]))
			if err != nil || n < 0 {
				return nil, false
			}
			steps, p = append(steps, jsonStep{index: n}), p[end+1:]
			continue
		case p[0] == '.':
			p = p[1:]
		case !first:
			return nil, false
		}
		if len(p) == 0 {
			return nil, false
		}
		end := bytes.IndexAny(p, ".[")
		if p[0] == '"' {
			q := bytes.IndexByte(p[1:], '"')
			if q < 0 {
				return nil, false
			}
			steps, p = append(steps, jsonStep{key: string(p[1 : q+1]), index: -1}), p[q+2:]
			continue
		}
		if end < 0 {
			end = len(p)
		}
		if end == 0 {
			return nil, false
		}
		steps, p = append(steps, jsonStep{key: string(p[:end]), index: -1}), p[end:]
	}
	return steps, true
}

// findJSON is the text of the value at the path; ok is false when there is none or the
// text is broken on the way.
func findJSON(b []byte, steps []jsonStep) ([]byte, bool) {
	b = trimSpace(b)
	for _, s := range steps {
		var ok bool
		if s.index < 0 {
			b, ok = jsonMember(b, s.key)
		} else {
			b, ok = jsonItem(b, s.index)
		}
		if !ok {
			return nil, false
		}
	}
	n, ok := skipJSON(b)
	return b[:n], ok && n > 0
}

// jsonMember is the text from the value of a key on.
func jsonMember(b []byte, key string) ([]byte, bool) {
	if len(b) == 0 || b[0] != '{' {
		return nil, false
	}
	b = trimLeft(b[1:])
	for len(b) > 0 && b[0] == '"' {
		n, ok := skipJSON(b)
		if !ok {
			return nil, false
		}
		name := b[1 : n-1]
		b = trimLeft(b[n:])
		if len(b) == 0 || b[0] != ':' {
			return nil, false
		}
		b = trimLeft(b[1:])
		if string(name) == key || bytes.IndexByte(name, '\\') >= 0 && unquoteJSON(name) == key {
			return b, len(b) > 0
		}
		if n, ok = skipJSON(b); !ok {
			return nil, false
		}
		b = trimLeft(b[n:])
		if len(b) == 0 || b[0] != ',' {
			return nil, false
		}
		b = trimLeft(b[1:])
	}
	return nil, false
}

// jsonItem is the text from item n of an array on; a value that is no array is its own item 0.
func jsonItem(b []byte, n int) ([]byte, bool) {
	if len(b) == 0 || b[0] != '[' {
		return b, n == 0 && len(b) > 0
	}
	b = trimLeft(b[1:])
	for ; ; n-- {
		if len(b) == 0 || b[0] == ']' {
			return nil, false
		}
		if n == 0 {
			return b, true
		}
		k, ok := skipJSON(b)
		if !ok {
			return nil, false
		}
		b = trimLeft(b[k:])
		if len(b) == 0 || b[0] != ',' {
			return nil, false
		}
		b = trimLeft(b[1:])
	}
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

// skipJSON is the length of the value at the start of b. Brackets must balance; what is
// between them is not checked further.
func skipJSON(b []byte) (int, bool) {
	depth := 0
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '"':
			i++
			for i < len(b) && b[i] != '"' {
				if b[i] == '\\' {
					i++
				}
				i++
			}
			if i >= len(b) {
				return 0, false
			}
			i++
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i, i > 0
			}
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i, i > 0
			}
			i++
			continue
		default:
			i++
			if depth == 0 && i < len(b) && (isWordByte(c) && isWordByte(b[i])) {
				continue
			}
		}
		if depth == 0 {
			return i, true
		}
	}
	return len(b), depth == 0 && len(b) > 0
}

func isWordByte(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '+' || c == '.'
}

// unquoteJSON resolves the escapes of the inside of a JSON string.
func unquoteJSON(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	var s string
	quoted := append(append([]byte{'"'}, b...), '"')
	if json.Unmarshal(quoted, &s) != nil {
		return string(b)
	}
	return s
}

// jsonWriter stores the value found as row i of out; false makes it NULL.
type jsonWriter func(value []byte, out *vector.Vector, i int) bool

// jsonBuilder is f(json[, path]); finding the value costs more than the indirect call.
func jsonBuilder(result sqltype.Type, write jsonWriter) builder {
	return signature{params: types(tString, tString), optional: 1, result: result, yields: true, make: func([]*vector.Value) (Kernel, error) {
		var path []byte
		var steps []jsonStep
		valid := true
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x := textOf(args[0])
			for i := range live(out, sel) {
				if len(args) == 2 {
					if p := textOf(args[1]).at(i); path == nil || !bytes.Equal(p, path) {
						path = append([]byte{}, p...)
						steps, valid = parseJSONPath(p)
					}
				}
				v, ok := findJSON(x.at(i), steps)
				if !valid || !ok || !write(v, out, i) {
					out.SetNull(i)
				}
			}
			return nil
		}, nil
	}}.builder()
}

func jsonRaw(v []byte, out *vector.Vector, i int) bool {
	out.SetBytes(i, v)
	return true
}

func jsonString(v []byte, out *vector.Vector, i int) bool {
	if string(v) == "null" {
		return false
	}
	if len(v) >= 2 && v[0] == '"' {
		out.SetString(i, unquoteJSON(v[1:len(v)-1]))
		return true
	}
	out.SetBytes(i, v)
	return true
}

func jsonBigint(v []byte, out *vector.Vector, i int) bool {
	n, ok := parseInt64(bytes.Trim(v, `"`))
	vector.Values[int64](out)[i] = n
	return ok
}

func jsonInt(v []byte, out *vector.Vector, i int) bool {
	n, ok := parseInt64(bytes.Trim(v, `"`))
	vector.Values[int32](out)[i] = int32(n)
	return ok && int64(int32(n)) == n
}

func jsonDouble(v []byte, out *vector.Vector, i int) bool {
	f, ok := parseFloat(bytes.Trim(v, `"`))
	vector.Values[float64](out)[i] = f
	return ok
}

func jsonBool(v []byte, out *vector.Vector, i int) bool {
	vector.Values[bool](out)[i] = string(v) == "true"
	return string(v) == "true" || string(v) == "false"
}

func jsonExists(_ []byte, out *vector.Vector, i int) bool {
	vector.Values[bool](out)[i] = true
	return true
}

// jsonLength counts items of arrays, members of objects; anything else is 1.
func jsonLength(v []byte, out *vector.Vector, i int) bool {
	n := int32(1)
	if v[0] == '[' || v[0] == '{' {
		n = 0
		b := trimLeft(v[1:])
		for len(b) > 0 && b[0] != ']' && b[0] != '}' {
			k, ok := skipJSON(b)
			if !ok || k == 0 {
				return false
			}
			b = trimLeft(b[k:])
			if len(b) > 0 && b[0] == ':' {
				b = trimLeft(b[1:])
				continue
			}
			n++
			if len(b) > 0 && b[0] == ',' {
				b = trimLeft(b[1:])
			}
		}
	}
	vector.Values[int32](out)[i] = n
	return true
}

func jsonType(v []byte, out *vector.Vector, i int) bool {
	name := "int"
	switch {
	case v[0] == '{':
		name = "object"
	case v[0] == '[':
		name = "array"
	case v[0] == '"':
		name = "string"
	case string(v) == "null":
		name = "null"
	case string(v) == "true" || string(v) == "false":
		name = "bool"
	case bytes.ContainsAny(v, ".eE"):
		name = "double"
	}
	out.SetString(i, name)
	return true
}

func jsonValidKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int32](out)
	for i := range live(out, sel) {
		dst[i] = int32(b2i(json.Valid(x.at(i))))
	}
	return nil
}

func jsonUnquoteKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	for i := range live(out, sel) {
		b := x.at(i)
		if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
			out.SetString(i, unquoteJSON(b[1:len(b)-1]))
		} else {
			out.SetBytes(i, b)
		}
	}
	return nil
}

// appendJSONString appends b as a JSON string.
func appendJSONString(dst, b []byte) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(string(b)) // strings always encode
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})...)
}

func jsonQuoteKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		buf = appendJSONString(buf[:0], x.at(i))
		out.SetBytes(i, buf)
	}
	return nil
}

// jsonConstructor is json_object(k, v, …) and json_array(v, …).
func jsonConstructor(object bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if object && len(args)%2 != 0 {
			return nil, wrongArguments(name, args)
		}
		params := make([]sqltype.Type, len(args))
		for i, a := range args {
			params[i] = a.Type
			if object && i%2 == 0 {
				params[i] = tString
			}
			if a.Type.Kind >= sqltype.Array {
				return nil, wrongArguments(name, args)
			}
		}
		return &Scalar{Params: slices.Clone(params), Result: sqltype.T(sqltype.JSON), Nulls: NullAware, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			var buf []byte
			for k := range count(out, sel) {
				i := row(sel, k)
				buf = append(buf[:0], "[{"[b2i(object)])
				for j, a := range args {
					switch {
					case j > 0 && object && j%2 == 1:
						buf = append(buf, ':')
					case j > 0:
						buf = append(buf, ',')
					}
					buf = appendJSONValue(buf, a, i)
				}
				out.SetBytes(i, append(buf, "]}"[b2i(object)]))
			}
			return nil
		})}, nil
	}
}

func appendJSONValue(dst []byte, v *vector.Vector, i int) []byte {
	switch {
	case isNullAt(v, i):
		return append(dst, "null"...)
	case v.Type.Kind == sqltype.Boolean:
		if columnOf[bool](v).at(i) {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case v.Type.IsNumeric(), v.Type.Kind == sqltype.JSON:
		return vector.AppendText(dst, v, i)
	}
	return appendJSONString(dst, vector.AppendText(nil, v, i))
}
