package function

import (
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// nestedFunctions make and take apart arrays, maps and structs.
func nestedFunctions() map[string]builder {
	return withNull(map[string]builder{
		"array": resolveArray, "map": resolveMap, "named_struct": resolveNamedStruct, "struct": resolveStruct,
		"element_at": resolveElementAt, "struct_element": resolveStructElement,
		"size": resolveSize, "cardinality": resolveSize, "array_size": resolveSize, "map_size": resolveSize,
		"map_keys": mapPart(0), "map_values": mapPart(1),
		"map_contains_key": mapContains(0), "map_contains_value": mapContains(1), "str_to_map": resolveStrToMap,
	})
}

// withNull lets bare NULLs stand for arrays and maps: such a call is NULL.
func withNull(functions map[string]builder) map[string]builder {
	for name, b := range functions {
		functions[name] = func(name string, args []Arg) (*Scalar, error) {
			s, err := b(name, args)
			if err == nil || len(args) == 0 || args[0].Type.Kind != sqltype.Null {
				return s, err
			}
			for _, stand := range []sqltype.Type{sqltype.ArrayOf(tTinyInt), sqltype.ArrayOf(sqltype.ArrayOf(tTinyInt)), sqltype.MapOf(tTinyInt, tTinyInt)} {
				first, all, params := slices.Clone(args), slices.Clone(args), make([]sqltype.Type, len(args))
				first[0] = Arg{Type: stand}
				for i, a := range args {
					if params[i] = a.Type; a.Type.Kind == sqltype.Null {
						all[i] = Arg{Type: stand}
					}
				}
				for _, try := range [][]Arg{first, all} {
					if s, err := b(name, try); err == nil {
						return nullScalar(params, s.Result), nil
					}
				}
			}
			return nil, err
		}
	}
	return functions
}

// nestedArg reads the rows of a nested argument.
type nestedArg struct {
	typ sqltype.Type
	x   text
}

func nestedOf(v *vector.Vector) nestedArg { return nestedArg{v.Type, textOf(v)} }

func (a nestedArg) elements(i int) vector.Elements {
	return vector.DecodeElements(a.typ.Nested.Elems[0], a.x.at(i))
}

func (a nestedArg) entries(i int) (keys, values vector.Elements) {
	return vector.DecodeMap(a.typ, a.x.at(i))
}

// elementBytes are what equal elements have in common: canonical bytes.
func elementBytes(e *vector.Elements, i int) []byte {
	if e.Type.Physical() == sqltype.PhysString {
		return e.Bytes(i)
	}
	return e.Slot(i)
}

// canonical is row i of v, not null, as elementBytes gives it for an element.
func canonical(v *vector.Vector, i int) []byte {
	e := vector.DecodeElements(v.Type, vector.AppendElements(nil, v, i&formMask(v), i&formMask(v)+1))
	return elementBytes(&e, 0)
}

// notNull is the type of an element of bare NULLs.
func notNull(t sqltype.Type) sqltype.Type {
	if t.Kind == sqltype.Null {
		return tTinyInt
	}
	return t
}

func resolveArray(name string, args []Arg) (*Scalar, error) {
	t, ok := commonOf(args)
	if !ok || t.IsOpaque() {
		return nil, wrongArguments(name, args)
	}
	params := make([]sqltype.Type, len(args))
	for i := range params {
		params[i] = t
	}
	return &Scalar{Params: params, Result: sqltype.ArrayOf(t), Nulls: NullAware, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			var b []byte
			elems := vector.New(t, 0)
			for k := range count(out, sel) {
				i := row(sel, k)
				rowOf(elems, args, i)
				b = vector.AppendElements(b[:0], elems, 0, elems.Len)
				out.SetBytes(i, b)
			}
			return nil
		})}, nil
}

// rowOf fills elems with row i of each argument.
func rowOf(elems *vector.Vector, args []*vector.Vector, i int) {
	elems.Reset(0)
	for _, a := range args {
		elems.AppendFrom(a, []int32{int32(i)})
	}
}

func resolveMap(name string, args []Arg) (*Scalar, error) {
	if len(args)%2 != 0 {
		return nil, wrongArguments(name, args)
	}
	var sides [2][]Arg
	for i, a := range args {
		sides[i%2] = append(sides[i%2], a)
	}
	kt, ok := commonOf(sides[0])
	vt, ok2 := commonOf(sides[1])
	if !ok || !ok2 || kt.IsNested() {
		return nil, wrongArguments(name, args)
	}
	params := make([]sqltype.Type, len(args))
	for i := range params {
		if params[i] = kt; i%2 == 1 {
			params[i] = vt
		}
	}
	return &Scalar{Params: params, Result: sqltype.MapOf(kt, vt), Nulls: NullAware, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			var ks, vs []*vector.Vector
			for i, a := range args {
				if i%2 == 0 {
					ks = append(ks, a)
				} else {
					vs = append(vs, a)
				}
			}
			keys, values := vector.New(kt, 0), vector.New(vt, 0)
			for k := range count(out, sel) {
				i := row(sel, k)
				rowOf(keys, ks, i)
				rowOf(values, vs, i)
				out.SetBytes(i, appendLastOfKeys(nil, keys, values))
			}
			return nil
		})}, nil
}

// appendLastOfKeys encodes a map of the entries, of which the last of equal keys wins.
func appendLastOfKeys(dst []byte, keys, values *vector.Vector) []byte {
	last := make(map[string]int32, keys.Len)
	all := vector.DecodeElements(keys.Type, vector.AppendElements(nil, keys, 0, keys.Len))
	id := func(i int) string {
		if keys.IsNull(i) {
			return "n"
		}
		return "v" + string(elementBytes(&all, i))
	}
	for i := range keys.Len {
		last[id(i)] = int32(i)
	}
	if len(last) < keys.Len {
		kept := make([]int32, 0, len(last))
		for i := range keys.Len {
			if last[id(i)] == int32(i) {
				kept = append(kept, int32(i))
			}
		}
		keys, values = keys.Gather(kept, &vector.Vector{}), values.Gather(kept, &vector.Vector{})
	}
	return vector.AppendMap(dst, keys, values, 0, keys.Len)
}

func resolveNamedStruct(name string, args []Arg) (*Scalar, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return nil, wrongArguments(name, args)
	}
	fields := make([]string, len(args)/2)
	elems := make([]sqltype.Type, len(fields))
	params := make([]sqltype.Type, len(args))
	for i := range fields {
		c := args[2*i].Const
		if c == nil || c.Null || !args[2*i].Type.IsString() {
			return nil, sqlerr.New(sqlerr.WrongArguments, "the field names of named_struct must be text constants")
		}
		fields[i], elems[i] = strings.ToLower(c.S), args[2*i+1].Type
		params[2*i], params[2*i+1] = args[2*i].Type, elems[i]
	}
	return &Scalar{Params: params, Result: sqltype.StructOf(fields, elems), Nulls: NullAware, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			values := make([]*vector.Vector, 0, len(args)/2)
			for i := 1; i < len(args); i += 2 {
				values = append(values, args[i])
			}
			packStruct(values, sel, out)
			return nil
		})}, nil
}

// resolveStruct is struct(a, b, …) with fields col1, col2, …
func resolveStruct(name string, args []Arg) (*Scalar, error) {
	if len(args) == 0 {
		return nil, wrongArguments(name, args)
	}
	fields, elems := make([]string, len(args)), make([]sqltype.Type, len(args))
	for i, a := range args {
		fields[i], elems[i] = "col"+strconv.Itoa(i+1), a.Type
	}
	return &Scalar{Params: elems, Result: sqltype.StructOf(fields, elems), Nulls: NullAware, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			packStruct(args, sel, out)
			return nil
		})}, nil
}

func packStruct(values []*vector.Vector, sel []int32, out *vector.Vector) {
	var b []byte
	for k := range count(out, sel) {
		i := row(sel, k)
		b = vector.AppendStruct(b[:0], values, i)
		out.SetBytes(i, b)
	}
}

// resolveElementAt is x[i]: an array's element, counted from one or, negative, from the end; a map's
// value; a struct's field by name or number. What is not there is NULL.
func resolveElementAt(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	switch {
	case t.Kind == sqltype.Array && (args[1].Type.IsInteger() || args[1].Type.Kind == sqltype.Null):
		return &Scalar{Params: types(t, tBigInt), Result: t.Nested.Elems[0], YieldsNull: true, New: stateless(elementKernel)}, nil
	case t.Kind == sqltype.Map && castable(args[1].Type, t.Nested.Elems[0]):
		return &Scalar{Params: types(t, t.Nested.Elems[0]), Result: t.Nested.Elems[1], Nulls: NullAware, YieldsNull: true, New: stateless(entryKernel)}, nil
	case t.Kind == sqltype.Struct:
		return resolveStructElement(name, args)
	}
	return nil, wrongArguments(name, args)
}

func elementKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	a, at := nestedOf(args[0]), columnOf[int64](args[1])
	for i := range live(out, sel) {
		e := a.elements(i)
		k := at.at(i)
		if k < 0 {
			k += int64(e.N) + 1
		}
		if k < 1 || k > int64(e.N) {
			out.SetNull(i)
			continue
		}
		e.StoreTo(int(k-1), out, i)
	}
	return nil
}

func entryKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	m := nestedOf(args[0])
	for k := range count(out, sel) {
		i := row(sel, k)
		if isNullAt(args[0], i) {
			out.SetNull(i)
			continue
		}
		keys, values := m.entries(i)
		if at := find(&keys, args[1], i); at >= 0 {
			values.StoreTo(at, out, i)
		} else {
			out.SetNull(i)
		}
	}
	return nil
}

// find is where row i of v, which may be NULL, is first among e; -1: nowhere.
func find(e *vector.Elements, v *vector.Vector, i int) int {
	null := isNullAt(v, i)
	var want []byte
	if !null {
		want = canonical(v, i)
	}
	for k := range e.N {
		if e.Null(k) != null {
			continue
		}
		if null || string(elementBytes(e, k)) == string(want) {
			return k
		}
	}
	return -1
}

func resolveStructElement(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 || args[0].Type.Kind != sqltype.Struct || args[1].Const == nil || args[1].Const.Null {
		return nil, wrongArguments(name, args)
	}
	t, c := args[0].Type, args[1].Const
	at := -1
	if args[1].Type.IsInteger() {
		if n := c.Int64(); n >= 1 && n <= int64(len(t.Nested.Elems)) {
			at = int(n - 1)
		}
	} else {
		for i, f := range t.Nested.Fields {
			if strings.EqualFold(f, c.S) {
				at = i
			}
		}
	}
	if at < 0 {
		return nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown field '%s' in '%s'", c.Text(), t)
	}
	return &Scalar{Params: types(t, args[1].Type), Result: t.Nested.Elems[at], YieldsNull: true, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			s := nestedOf(args[0])
			for i := range live(out, sel) {
				f := vector.DecodeStruct(t, s.x.at(i))
				f.StoreTo(at, out, i)
			}
			return nil
		})}, nil
}

func resolveSize(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 || args[0].Type.Kind != sqltype.Array && args[0].Type.Kind != sqltype.Map {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	return &Scalar{Params: types(t), Result: tBigInt, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			a, dst := nestedOf(args[0]), vector.Values[int64](out)
			for i := range live(out, sel) {
				if t.Kind == sqltype.Map {
					keys, _ := a.entries(i)
					dst[i] = int64(keys.N)
				} else {
					e := a.elements(i)
					dst[i] = int64(e.N)
				}
			}
			return nil
		})}, nil
}

// mapPart is map_keys (0) or map_values (1).
func mapPart(part int) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 || args[0].Type.Kind != sqltype.Map {
			return nil, wrongArguments(name, args)
		}
		t := args[0].Type
		return &Scalar{Params: types(t), Result: sqltype.ArrayOf(t.Nested.Elems[part]), New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				m := nestedOf(args[0])
				elems := vector.New(t.Nested.Elems[part], 0)
				var b []byte
				for i := range live(out, sel) {
					var sides [2]vector.Elements
					sides[0], sides[1] = m.entries(i)
					elems.Reset(0)
					sides[part].AppendTo(elems)
					b = vector.AppendElements(b[:0], elems, 0, elems.Len)
					out.SetBytes(i, b)
				}
				return nil
			})}, nil
	}
}

func mapContains(part int) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 || args[0].Type.Kind != sqltype.Map || !castable(args[1].Type, args[0].Type.Nested.Elems[part]) {
			return nil, wrongArguments(name, args)
		}
		t := args[0].Type
		return &Scalar{Params: types(t, t.Nested.Elems[part]), Result: tBoolean, Nulls: NullAware, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				m, dst := nestedOf(args[0]), vector.Values[bool](out)
				for k := range count(out, sel) {
					i := row(sel, k)
					if isNullAt(args[0], i) {
						out.SetNull(i)
						continue
					}
					var sides [2]vector.Elements
					sides[0], sides[1] = m.entries(i)
					dst[i] = find(&sides[part], args[1], i) >= 0
				}
				return nil
			})}, nil
	}
}

// resolveStrToMap is str_to_map(text[, pair delimiter ','[, key delimiter ':']]).
func resolveStrToMap(name string, args []Arg) (*Scalar, error) {
	return signature{params: types(tString, tString, tString), optional: 2, result: sqltype.MapOf(tString, tString),
		run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x := textOf(args[0])
			for i := range live(out, sel) {
				pair, key := ",", ":"
				if len(args) > 1 {
					pair = string(textOf(args[1]).at(i))
				}
				if len(args) > 2 {
					key = string(textOf(args[2]).at(i))
				}
				keys, values := vector.New(tString, 0), vector.New(tString, 0)
				for _, p := range strings.Split(string(x.at(i)), pair) {
					k, v, ok := strings.Cut(p, key)
					n := keys.Len
					keys.Grow(n + 1)
					values.Grow(n + 1)
					keys.SetString(n, k)
					if values.SetString(n, v); !ok {
						values.SetNull(n)
					}
				}
				out.SetBytes(i, appendLastOfKeys(nil, keys, values))
			}
			return nil
		}}.resolve(name, args)
}
