package function

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveExplodeSplit is explode_split(text, separator): the parts; the empty separator splits characters.
func resolveExplodeSplit(name string, args []Arg) (*Table, error) {
	if len(args) != 2 || !castable(args[0].Type, tString) || !castable(args[1].Type, tString) {
		return nil, wrongArguments(name, args)
	}
	return &Table{Params: types(tString, tString), Names: []string{"col"}, Result: types(tString), Rows: -1,
		New: func() Generator { return &splitRows{} }}, nil
}

// splitRows generates the parts of a text.
type splitRows struct{ parts [][]byte }

// Count implements Generator.
func (g *splitRows) Count(args []*vector.Vector, i int) (int64, error) {
	if args[0].IsNull(i) || args[1].IsNull(i) {
		return 0, nil
	}
	g.parts = bytes.Split(args[0].Bytes(i), args[1].Bytes(i))
	return int64(len(g.parts)), nil
}

// Append implements Generator.
func (g *splitRows) Append(_ []*vector.Vector, _ int, lo, hi int64, out []*vector.Vector) error {
	if dst := out[0]; dst != nil {
		base := dst.Len
		dst.Grow(base + int(hi-lo))
		for k, p := range g.parts[lo:hi] {
			dst.SetBytes(base+k, p)
		}
	}
	return nil
}

// resolveExplodeNumbers is explode_numbers(n): 0 to n-1.
func resolveExplodeNumbers(name string, args []Arg) (*Table, error) {
	if len(args) != 1 || !castable(args[0].Type, tBigInt) {
		return nil, wrongArguments(name, args)
	}
	t := &Table{Params: types(tBigInt), Names: []string{"col"}, Result: types(tInt), NotNull: []bool{true}, Rows: -1,
		New: func() Generator { return numberRows{} }}
	if c := args[0].Const; c != nil && !c.Null && args[0].Type.IsInteger() {
		t.Rows = float64(max(0, c.Int64()))
	}
	return t, nil
}

// numberRows generates numbers.
type numberRows struct{}

// Count implements Generator.
func (numberRows) Count(args []*vector.Vector, i int) (int64, error) {
	if args[0].IsNull(i) {
		return 0, nil
	}
	n := args[0].Value(i).Int64()
	if n > math.MaxInt32 {
		return 0, sqlerr.New(sqlerr.WrongArguments, "explode_numbers counts up to %d", math.MaxInt32)
	}
	return max(0, n), nil
}

// Append implements Generator.
func (numberRows) Append(_ []*vector.Vector, _ int, lo, hi int64, out []*vector.Vector) error {
	if dst := out[0]; dst != nil {
		base := dst.Len
		dst.Grow(base + int(hi-lo))
		vals := vector.Values[int32](dst)[base:]
		for k := range vals {
			vals[k] = int32(lo) + int32(k)
		}
	}
	return nil
}

// explodeJSON gives the items of a JSON array as item reads them; what is no array gives no row.
func explodeJSON(t sqltype.Type, item func(raw []byte, dst *vector.Vector, i int) bool) tableBuilder {
	return func(name string, args []Arg) (*Table, error) {
		if len(args) != 1 || !castable(args[0].Type, tString) {
			return nil, wrongArguments(name, args)
		}
		return &Table{Params: types(tString), Names: []string{"col"}, Result: types(t), Rows: -1,
			New: func() Generator { return &jsonRows{item: item} }}, nil
	}
}

// jsonRows generates the items of a JSON array.
type jsonRows struct {
	item  func(raw []byte, dst *vector.Vector, i int) bool // false: NULL
	items []json.RawMessage
}

// Count implements Generator.
func (g *jsonRows) Count(args []*vector.Vector, i int) (int64, error) {
	g.items = g.items[:0]
	if args[0].IsNull(i) {
		return 0, nil
	}
	if json.Unmarshal(args[0].Bytes(i), &g.items) != nil {
		return 0, nil
	}
	return int64(len(g.items)), nil
}

// Append implements Generator.
func (g *jsonRows) Append(_ []*vector.Vector, _ int, lo, hi int64, out []*vector.Vector) error {
	if dst := out[0]; dst != nil {
		base := dst.Len
		dst.Grow(base + int(hi-lo))
		for k, raw := range g.items[lo:hi] {
			if string(raw) == "null" || !g.item(raw, dst, base+k) {
				dst.SetNull(base + k)
			}
		}
	}
	return nil
}

func jsonItemInt(raw []byte, dst *vector.Vector, i int) bool {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	vector.Values[int64](dst)[i] = n
	return err == nil
}

func jsonItemDouble(raw []byte, dst *vector.Vector, i int) bool {
	f, err := strconv.ParseFloat(string(raw), 64)
	vector.Values[float64](dst)[i] = f
	return err == nil && raw[0] != 'N' && raw[0] != 'I'
}

func jsonItemString(raw []byte, dst *vector.Vector, i int) bool {
	dst.SetBytes(i, jsonAsText(raw))
	return true
}

func jsonItemRaw(raw []byte, dst *vector.Vector, i int) bool {
	dst.SetBytes(i, raw)
	return true
}

// jsonAsText is a value as text: strings without their quotes, others as JSON.
func jsonAsText(raw []byte) []byte {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// resolveStack is stack(n, v1, …, vk): n rows of the values, k/n to a row.
func resolveStack(name string, args []Arg) (*Table, error) {
	if len(args) < 2 || args[0].Const == nil || args[0].Const.Null || !args[0].Type.IsInteger() || args[0].Const.Int64() < 1 || args[0].Const.Int64() > 1<<20 {
		return nil, sqlerr.New(sqlerr.WrongArguments, "the first argument of stack must be a positive number, the others its values")
	}
	n := int(args[0].Const.Int64())
	width := (len(args) - 1 + n - 1) / n
	t := &Table{Params: types(args[0].Type), Rows: float64(n), New: func() Generator { return stackRows{n: n, width: width} }}
	for c := range width {
		var column []Arg
		for i := 1 + c; i < len(args); i += width {
			column = append(column, args[i])
		}
		common, ok := commonOf(column)
		if !ok {
			return nil, wrongArguments(name, args)
		}
		t.Names, t.Result = append(t.Names, "col"+strconv.Itoa(c)), append(t.Result, common)
	}
	for i := range args[1:] {
		t.Params = append(t.Params, t.Result[i%width])
	}
	return t, nil
}

// stackRows generates rows of arguments.
type stackRows struct{ n, width int }

// Count implements Generator.
func (g stackRows) Count([]*vector.Vector, int) (int64, error) { return int64(g.n), nil }

// Append implements Generator.
func (g stackRows) Append(args []*vector.Vector, i int, lo, hi int64, out []*vector.Vector) error {
	for r := int(lo); r < int(hi); r++ {
		for c, dst := range out {
			if dst == nil {
				continue
			}
			if at := 1 + r*g.width + c; at < len(args) {
				dst.AppendFrom(args[at], []int32{int32(i)})
			} else {
				appendNulls(dst, 1)
			}
		}
	}
	return nil
}

// tupleTable gives one row of texts: each what read finds in the first argument by one of the others.
func tupleTable(name string, args []Arg, read func(text, key string) (string, bool)) (*Table, error) {
	if len(args) < 2 {
		return nil, wrongArguments(name, args)
	}
	t := &Table{Rows: 1, New: func() Generator { return tupleRow{read} }}
	for i, a := range args {
		if !castable(a.Type, tString) {
			return nil, wrongArguments(name, args)
		}
		if t.Params = append(t.Params, tString); i > 0 {
			t.Names, t.Result = append(t.Names, "c"+strconv.Itoa(i-1)), append(t.Result, tString)
		}
	}
	return t, nil
}

// tupleRow generates one row.
type tupleRow struct {
	read func(text, key string) (string, bool)
}

// Count implements Generator.
func (tupleRow) Count([]*vector.Vector, int) (int64, error) { return 1, nil }

// Append implements Generator.
func (g tupleRow) Append(args []*vector.Vector, i int, _, _ int64, out []*vector.Vector) error {
	for c, dst := range out {
		if dst == nil {
			continue
		}
		key := args[c+1]
		if !args[0].IsNull(i) && !key.IsNull(i) {
			if s, ok := g.read(string(args[0].Bytes(i)), string(key.Bytes(i))); ok {
				base := dst.Len
				dst.Grow(base + 1)
				dst.SetString(base, s)
				continue
			}
		}
		appendNulls(dst, 1)
	}
	return nil
}

// resolveJSONTuple is Hive's json_tuple(json, key, …): values of top-level keys.
func resolveJSONTuple(name string, args []Arg) (*Table, error) {
	return tupleTable(name, args, func(text, key string) (string, bool) {
		raw, ok := findJSON([]byte(text), []jsonStep{{key: key, index: -1}})
		if !ok || string(raw) == "null" {
			return "", false
		}
		return string(jsonAsText(raw)), true
	})
}

// resolveURLTuple is Hive's parse_url_tuple(url, 'HOST', 'QUERY:key', …).
func resolveURLTuple(name string, args []Arg) (*Table, error) {
	return tupleTable(name, args, func(text, part string) (string, bool) {
		values := []*vector.Vector{vector.FromStrings(tString, text), vector.FromStrings(tString, part)}
		if name, key, ok := strings.Cut(part, ":"); ok {
			values = append(values[:1], vector.FromStrings(tString, name), vector.FromStrings(tString, key))
		}
		out := vector.New(tString, 1)
		if parseURLKernel(&Context{}, values, nil, out) != nil || out.IsNull(0) {
			return "", false
		}
		return string(out.Bytes(0)), true
	})
}
