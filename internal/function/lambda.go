package function

import (
	"slices"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Higher is a higher-order function for given arguments, before the type of its lambda's body is known.
type Higher struct {
	Lambda []sqltype.Type // of the lambda's parameters
	Truth  bool           // the body is a condition: BOOLEAN
	// Of is the overload for a body of the given type. Params[0] is the type that the body is cast to, the others are
	// those of the other arguments.
	//
	// Where Scalar.Lambda is EachElement, the kernel's first argument is an ARRAY vector with the body's results for
	// each row, and a nil New means that this array is the result.
	Of func(body sqltype.Type) (*Scalar, error)
}

// higherBuilder makes the overload from the types of the arguments without the lambda.
type higherBuilder struct {
	truth   bool
	mapOnly bool // takes one map, else arrays
	of      func(body sqltype.Type, args []sqltype.Type) (result sqltype.Type, run Kernel, ok bool)
}

// higher is the registry of functions that take a lambda.
var higher = sync.OnceValue(func() map[string]higherBuilder {
	mapped := higherBuilder{of: func(body sqltype.Type, _ []sqltype.Type) (sqltype.Type, Kernel, bool) {
		return sqltype.ArrayOf(body), nil, true
	}}
	exists := mapped
	exists.truth = true
	filter := higherBuilder{truth: true, of: func(_ sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
		return args[0], filterKernel, true
	}}
	fixed := func(result sqltype.Type, run Kernel) higherBuilder {
		return higherBuilder{truth: true, of: func(sqltype.Type, []sqltype.Type) (sqltype.Type, Kernel, bool) { return result, run, true }}
	}
	found := func(last bool) higherBuilder {
		return higherBuilder{truth: true, of: func(_ sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
			return args[0].Nested.Elems[0], foundKernel(last), true
		}}
	}
	sortBy := higherBuilder{of: func(body sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
		return args[0], sortByKernel, !body.IsNested()
	}}
	anyOf, allOf := fixed(tBoolean, matchKernel(true, false)), fixed(tBoolean, matchKernel(false, false))
	return map[string]higherBuilder{
		"array_map": mapped, "transform": mapped, "list_transform": mapped, "array_exists": exists,
		"array_filter": filter, "filter": filter, "list_filter": filter, "array_sortby": sortBy, "array_sort": sortBy,
		"any_match": anyOf, "array_any": anyOf, "array_match_any": anyOf, "all_match": allOf, "array_all": allOf, "array_match_all": allOf,
		"none_match": fixed(tBoolean, matchKernel(true, true)), "array_count": fixed(tBigInt, countTrueKernel),
		"array_first": found(false), "array_last": found(true),
		"array_first_index": fixed(tBigInt, foundIndexKernel(false)), "array_last_index": fixed(tBigInt, foundIndexKernel(true)),
		"map_filter": {truth: true, mapOnly: true, of: func(_ sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
			return args[0], mapFilterKernel, true
		}},
		"transform_values": {mapOnly: true, of: func(body sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
			return sqltype.MapOf(args[0].Nested.Elems[0], body), mapTransformKernel(1), true
		}},
		"transform_keys": {mapOnly: true, of: func(body sqltype.Type, args []sqltype.Type) (sqltype.Type, Kernel, bool) {
			return sqltype.MapOf(body, args[0].Nested.Elems[1]), mapTransformKernel(0), !body.IsNested()
		}},
	}
})

// IsHigher reports whether name (lower case) is a function that takes a lambda.
func IsHigher(name string) bool {
	_, ok := higher()[name]
	return ok
}

// ResolveHigher picks the function of a call with a lambda of so many parameters; args are the other arguments.
// Errors: sqlerr.UnknownFunction, sqlerr.WrongArguments.
func ResolveHigher(name string, args []Arg, params int) (*Higher, error) {
	b, ok := higher()[name]
	if !ok {
		if _, known := scalars()[name]; known || IsAggregate(name) {
			return nil, sqlerr.New(sqlerr.WrongArguments, "function %s takes no lambda", name)
		}
		return nil, sqlerr.New(sqlerr.UnknownFunction, "FUNCTION %s does not exist", name)
	}
	h := &Higher{Truth: b.truth}
	types := make([]sqltype.Type, len(args))
	for i, a := range args {
		t := a.Type
		switch {
		case t.Kind == sqltype.Null && b.mapOnly:
			t = sqltype.MapOf(tTinyInt, tTinyInt)
		case t.Kind == sqltype.Null:
			t = arrayArg(t)
		}
		if t.Kind != sqltype.Array && !b.mapOnly || t.Kind != sqltype.Map && b.mapOnly {
			return nil, wrongArguments(name, args)
		}
		types[i] = t
		h.Lambda = append(h.Lambda, t.Nested.Elems...)
	}
	if len(args) == 0 || b.mapOnly && len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	mode := EachElement
	if name == "array_sort" && params == 2 && len(args) == 1 {
		mode, h.Lambda = CompareElements, []sqltype.Type{h.Lambda[0], h.Lambda[0]}
	}
	if params != len(h.Lambda) {
		return nil, sqlerr.New(sqlerr.WrongArguments, "the lambda of %s has %d parameters, its arguments give %d", name, params, len(h.Lambda))
	}
	h.Of = func(body sqltype.Type) (*Scalar, error) {
		body = notNull(body)
		result, run, ok := b.of(body, types)
		if mode == CompareElements {
			ok, body = body.IsInteger(), tBigInt
		}
		if !ok {
			return nil, sqlerr.New(sqlerr.WrongArguments, "the lambda of %s cannot give %s", name, body)
		}
		s := &Scalar{Name: name, Params: append([]sqltype.Type{body}, types...), Result: result, YieldsNull: true, Lambda: mode}
		s.Fails = len(types) > 1 // arrays of different lengths
		if run != nil && mode == EachElement {
			s.New = stateless(run)
		}
		return s, nil
	}
	return h, nil
}

// arrayBy is a function of an array and, in place of a lambda's results, a second array: of elem, or any type for NULL.
func arrayBy(k Kernel, elem sqltype.Type) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 || !isArray(args, 0) || !isArray(args, 1) || args[1].Type.Nested.Elems[0].IsNested() {
			return nil, wrongArguments(name, args)
		}
		by := args[1].Type
		if elem.Kind != sqltype.Null {
			by = sqltype.ArrayOf(elem)
		}
		return &Scalar{Params: types(args[0].Type, by), Result: args[0].Type, Fails: true, New: stateless(
			func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				a, b := nestedOf(args[0]), nestedOf(args[1])
				for i := range live(out, sel) {
					if x, y := a.elements(i), b.elements(i); x.N != y.N {
						return sqlerr.New(sqlerr.WrongArguments, "The arrays of %s have different lengths in a row", name)
					}
				}
				return k(ctx, []*vector.Vector{args[1], args[0]}, sel, out)
			})}, nil
	}
}

// outcomes are a row's results of a condition.
type outcomes struct{ vector.Elements }

func outcomesOf(v *vector.Vector) func(i int) outcomes {
	a := nestedOf(v)
	return func(i int) outcomes { return outcomes{a.elements(i)} }
}

func (o *outcomes) isTrue(k int) bool { return !o.Null(k) && o.Slot(k)[0] != 0 }

func filterKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	kept := outcomesOf(args[0])
	var at []int32
	return eachArray(args[1], sel, out, func(i int, _ *vector.Vector, e *vector.Elements) []int32 {
		at = at[:0]
		o := kept(i)
		for k := range e.N {
			if o.isTrue(k) {
				at = append(at, int32(k))
			}
		}
		return at
	})
}

// sortByKernel orders elements by keys, NULL keys first.
func sortByKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	a := nestedOf(args[0])
	keys := vector.New(args[0].Type.Nested.Elems[0], 0)
	return eachArray(args[1], sel, out, func(i int, _ *vector.Vector, _ *vector.Elements) []int32 {
		keys.Reset(0)
		e := a.elements(i)
		e.AppendTo(keys)
		return sortPositions(keys, nil)
	})
}

// matchKernel tells whether one (any) or each element satisfies the condition; NULL where that hangs on a NULL.
func matchKernel(anyOf, negated bool) Kernel {
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		of, dst := outcomesOf(args[0]), vector.Values[bool](out)
		for i := range live(out, sel) {
			o := of(i)
			decided, null := false, false
			for k := range o.N {
				null = null || o.Null(k)
				decided = decided || !o.Null(k) && o.isTrue(k) == anyOf
			}
			if dst[i] = decided == anyOf != negated; !decided && null {
				out.SetNull(i)
			}
		}
		return nil
	}
}

func countTrueKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	of, dst := outcomesOf(args[0]), vector.Values[int64](out)
	for i := range live(out, sel) {
		o, n := of(i), int64(0)
		for k := range o.N {
			if o.isTrue(k) {
				n++
			}
		}
		dst[i] = n
	}
	return nil
}

// foundAt is the first or last element that satisfies the condition, -1 when none does.
func (o *outcomes) foundAt(last bool) int {
	at := -1
	for k := range o.N {
		if o.isTrue(k) {
			if at = k; !last {
				break
			}
		}
	}
	return at
}

func foundKernel(last bool) Kernel {
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		of, a := outcomesOf(args[0]), nestedOf(args[1])
		for i := range live(out, sel) {
			o, e := of(i), a.elements(i)
			if at := o.foundAt(last); at >= 0 {
				e.StoreTo(at, out, i)
			} else {
				out.SetNull(i)
			}
		}
		return nil
	}
}

// foundIndexKernel counts from one; 0 is nowhere.
func foundIndexKernel(last bool) Kernel {
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		of, dst := outcomesOf(args[0]), vector.Values[int64](out)
		for i := range live(out, sel) {
			o := of(i)
			dst[i] = int64(o.foundAt(last) + 1)
		}
		return nil
	}
}

func mapFilterKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	of, m := outcomesOf(args[0]), nestedOf(args[1])
	keys, values := vector.New(out.Type.Nested.Elems[0], 0), vector.New(out.Type.Nested.Elems[1], 0)
	var pickedKeys, pickedValues vector.Vector
	for i := range live(out, sel) {
		o := of(i)
		entries(m, i, keys, values)
		var at []int32
		for k := range o.N {
			if o.isTrue(k) {
				at = append(at, int32(k))
			}
		}
		out.SetBytes(i, vector.AppendMap(nil, keys.Gather(at, &pickedKeys), values.Gather(at, &pickedValues), 0, len(at)))
	}
	return nil
}

// entries fills keys and values with those of the map in row i.
func entries(m nestedArg, i int, keys, values *vector.Vector) {
	keys.Reset(0)
	values.Reset(0)
	k, v := m.entries(i)
	k.AppendTo(keys)
	v.AppendTo(values)
}

// mapTransformKernel replaces the keys (0), of which the last of equal ones wins, or the values (1) of maps.
func mapTransformKernel(part int) Kernel {
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		of, m := nestedOf(args[0]), nestedOf(args[1])
		t := slices.Clone(args[1].Type.Nested.Elems)
		keys, values := vector.New(t[0], 0), vector.New(t[1], 0)
		made := vector.New(args[0].Type.Nested.Elems[0], 0)
		for i := range live(out, sel) {
			entries(m, i, keys, values)
			made.Reset(0)
			e := of.elements(i)
			e.AppendTo(made)
			if part == 0 {
				out.SetBytes(i, appendLastOfKeys(nil, made, values))
			} else {
				out.SetBytes(i, vector.AppendMap(nil, keys, made, 0, made.Len))
			}
		}
		return nil
	}
}
