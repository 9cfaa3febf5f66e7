package function

import (
	"maps"
	"slices"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Table is one resolved overload of a table function of rows (a UDTF): explode and its like.
// Values are shared and immutable.
type Table struct {
	Name    string         // lower case
	Params  []sqltype.Type // that arguments are cast to
	Names   []string       // of the result's columns, where the query gives none
	Result  []sqltype.Type
	NotNull []bool // result columns that are never NULL, but for rows of Outer
	// Outer: a row that gives none stays, once, with NULLs (explode_outer).
	Outer bool
	// Rows is the number of rows that each input row gives, as far as the call tells; -1: it does not.
	Rows float64
	// New makes the generator of one driver.
	New func() Generator
}

// Generator makes the rows of a table function. One goroutine uses it. args are vectors in any form, of the
// overload's Params types. A caller asks for Count of a row first, then for its rows in order.
type Generator interface {
	// Count is the number of rows that row i of args gives.
	Count(args []*vector.Vector, i int) (int64, error)
	// Append appends rows [lo, hi) of those of row i to out, one flat vector a result column; nil ones are not wanted.
	Append(args []*vector.Vector, i int, lo, hi int64, out []*vector.Vector) error
}

// tableBuilder picks the overload of one table function.
type tableBuilder func(name string, args []Arg) (*Table, error)

// tables is the registry of table functions of rows; name_outer is each of those that have one, as well.
var tables = sync.OnceValue(func() map[string]tableBuilder {
	m := map[string]tableBuilder{}
	for name, b := range map[string]tableBuilder{
		"explode": resolveExplode, "posexplode": resolvePosexplode, "explode_map": resolveExplode,
		"explode_split": resolveExplodeSplit, "explode_numbers": resolveExplodeNumbers, "inline": resolveInline,
		"explode_bitmap":            resolveExplodeBitmap,
		"explode_json_array_int":    explodeJSON(tBigInt, jsonItemInt),
		"explode_json_array_double": explodeJSON(tDouble, jsonItemDouble),
		"explode_json_array_string": explodeJSON(tString, jsonItemString),
		"explode_json_array_json":   explodeJSON(sqltype.T(sqltype.JSON), jsonItemRaw),
	} {
		m[name] = b
		m[name+"_outer"] = func(name string, args []Arg) (*Table, error) {
			t, err := b(name, args)
			if err == nil {
				t.Outer = true
			}
			return t, err
		}
	}
	m["unnest"] = resolveUnnest
	m["stack"] = resolveStack
	m["json_tuple"] = resolveJSONTuple
	m["parse_url_tuple"] = resolveURLTuple
	return m
})

// IsTable reports whether name (lower case) is a table function of rows.
func IsTable(name string) bool {
	_, ok := tables()[name]
	return ok
}

// TableList is the sorted names of the table functions of rows.
func TableList() []string { return slices.Sorted(maps.Keys(tables())) }

// ResolveTable picks the overload of a table function of rows. Errors as Resolve's.
func ResolveTable(name string, args []Arg) (*Table, error) {
	b, ok := tables()[name]
	if !ok {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "TABLE FUNCTION %s does not exist", name)
	}
	t, err := b(name, args)
	if err != nil {
		return nil, err
	}
	t.Name = name
	if t.NotNull == nil {
		t.NotNull = make([]bool, len(t.Result))
	}
	return t, nil
}

// arrayArg is the type of an array or map argument; a bare NULL is an array, of which no row comes.
func arrayArg(t sqltype.Type) sqltype.Type {
	if t.Kind == sqltype.Null {
		return sqltype.ArrayOf(tTinyInt)
	}
	return t
}

func resolveExplode(name string, args []Arg) (*Table, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t := arrayArg(args[0].Type)
	switch t.Kind {
	case sqltype.Array:
		return listTable([]list{{}}, types(t), []string{"col"}, types(t.Nested.Elems[0])), nil
	case sqltype.Map:
		return listTable([]list{{}, {part: 1}}, types(t), []string{"key", "value"}, t.Nested.Elems), nil
	}
	return nil, wrongArguments(name, args)
}

// resolvePosexplode is explode with the element's position, from 0, in front.
func resolvePosexplode(name string, args []Arg) (*Table, error) {
	t, err := resolveExplode(name, args)
	if err != nil {
		return nil, err
	}
	inner := t.New
	t.Names, t.Result = append([]string{"pos"}, t.Names...), append(types(tInt), t.Result...)
	t.NotNull = make([]bool, len(t.Result))
	t.NotNull[0] = true
	t.New = func() Generator { return &numbered{of: inner()} }
	return t, nil
}

// resolveInline gives the fields of an array's structs.
func resolveInline(name string, args []Arg) (*Table, error) {
	if len(args) != 1 || args[0].Type.Kind != sqltype.Array || args[0].Type.Nested.Elems[0].Kind != sqltype.Struct {
		return nil, wrongArguments(name, args)
	}
	return resolveUnnest(name, args)
}

// resolveUnnest gives the elements of several arrays and maps side by side, fields of structs as columns;
// where one is shorter than the longest its columns are NULL.
func resolveUnnest(name string, args []Arg) (*Table, error) {
	if len(args) == 0 {
		return nil, wrongArguments(name, args)
	}
	var lists []list
	var params, result []sqltype.Type
	var names []string
	add := func(l list, name string, t sqltype.Type) {
		lists, names, result = append(lists, l), append(names, name), append(result, t)
	}
	for i, a := range args {
		t := arrayArg(a.Type)
		params = append(params, t)
		switch {
		case t.Kind == sqltype.Map:
			add(list{arg: i}, "key", t.Nested.Elems[0])
			add(list{arg: i, part: 1}, "value", t.Nested.Elems[1])
		case t.Kind == sqltype.Array && t.Nested.Elems[0].Kind == sqltype.Struct:
			for k, f := range t.Nested.Elems[0].Nested.Fields {
				add(list{arg: i, field: k + 1}, f, t.Nested.Elems[0].Nested.Elems[k])
			}
		case t.Kind == sqltype.Array:
			add(list{arg: i}, "col", t.Nested.Elems[0])
		default:
			return nil, wrongArguments(name, args)
		}
	}
	return listTable(lists, params, names, result), nil
}

// list is a result column that comes from the elements of an argument.
type list struct {
	arg   int
	part  int // of a map: 0 keys, 1 values
	field int // of an array's structs: counted from one, 0: the element itself
}

func listTable(lists []list, params []sqltype.Type, names []string, result []sqltype.Type) *Table {
	return &Table{Params: params, Names: names, Result: result, Rows: -1, New: func() Generator {
		return &elements{lists: lists, counts: make([]int, len(params)), parts: make([][2]vector.Elements, len(params))}
	}}
}

// elements generates from arrays and maps.
type elements struct {
	lists  []list
	counts []int                // elements of each argument in the current row
	parts  [][2]vector.Elements // of each argument, of the current row
}

// Count implements Generator.
func (g *elements) Count(args []*vector.Vector, i int) (int64, error) {
	most := 0
	for k, a := range args {
		g.counts[k] = 0
		if a.IsNull(i) {
			continue
		}
		if p := &g.parts[k]; a.Type.Kind == sqltype.Map {
			p[0], p[1] = vector.DecodeMap(a.Type, a.Bytes(i))
		} else {
			p[0] = vector.DecodeElements(a.Type.Nested.Elems[0], a.Bytes(i))
		}
		g.counts[k] = g.parts[k][0].N
		most = max(most, g.counts[k])
	}
	return int64(most), nil
}

// Append implements Generator.
func (g *elements) Append(_ []*vector.Vector, _ int, lo, hi int64, out []*vector.Vector) error {
	for c, l := range g.lists {
		dst := out[c]
		if dst == nil {
			continue
		}
		from, to := min(int(lo), g.counts[l.arg]), min(int(hi), g.counts[l.arg])
		if e := &g.parts[l.arg][l.part]; l.field == 0 {
			e.AppendRange(dst, from, to)
		} else {
			appendField(dst, e, from, to, l.field-1)
		}
		appendNulls(dst, int(hi-lo)-(to-from))
	}
	return nil
}

// appendField appends field k of elements [lo, hi), which are structs.
func appendField(dst *vector.Vector, e *vector.Elements, lo, hi, k int) {
	base := dst.Len
	dst.Grow(base + hi - lo)
	for i := lo; i < hi; i++ {
		if e.Null(i) {
			dst.SetNull(base + i - lo)
			continue
		}
		f := vector.DecodeStruct(e.Type, e.Bytes(i))
		f.StoreTo(k, dst, base+i-lo)
	}
}

func appendNulls(dst *vector.Vector, n int) {
	base := dst.Len
	if n == 0 {
		return
	}
	dst.Grow(base + n)
	for i := range n {
		dst.SetNull(base + i)
	}
}

// WithOrdinality is t with one more column at the end: the number of the row among those of its input row, from one.
func WithOrdinality(t *Table) *Table {
	m, inner := *t, t.New
	m.Names, m.Result = append(slices.Clone(t.Names), "ordinality"), append(slices.Clone(t.Result), tBigInt)
	m.NotNull = append(slices.Clone(t.NotNull), true)
	m.New = func() Generator { return &numbered{of: inner(), last: true} }
	return &m
}

// numbered puts the number of the row in front of another generator's columns, from zero as INT, or behind
// them, from one as BIGINT.
type numbered struct {
	of   Generator
	last bool
}

// Count implements Generator.
func (g *numbered) Count(args []*vector.Vector, i int) (int64, error) { return g.of.Count(args, i) }

// Append implements Generator.
func (g *numbered) Append(args []*vector.Vector, i int, lo, hi int64, out []*vector.Vector) error {
	dst, rest := out[0], out[1:]
	if g.last {
		dst, rest = out[len(out)-1], out[:len(out)-1]
	}
	if dst != nil {
		base := dst.Len
		dst.Grow(base + int(hi-lo))
		for k := lo; k < hi; k++ {
			if g.last {
				vector.Values[int64](dst)[base+int(k-lo)] = k + 1
			} else {
				vector.Values[int32](dst)[base+int(k-lo)] = int32(k)
			}
		}
	}
	return g.of.Append(args, i, lo, hi, rest)
}
