package function

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// arrayFunctions compute with whole arrays.
func arrayFunctions() map[string]builder {
	return withNull(map[string]builder{
		"array_contains": arraySearch(tBoolean), "array_position": arraySearch(tBigInt), "countequal": resolveCountEqual,
		"array_join": resolveArrayJoin, "arrays_overlap": resolveArraysOverlap,
		"array_sort": arrayReorder(sortPositions), "sort_array": arrayReorder(sortPositions), "array_reverse_sort": arrayReorder(reverseSortPositions),
		"array_reverse": arrayReorder(reversePositions), "array_distinct": arrayReorder(distinctPositions), "array_compact": arrayReorder(compactPositions),
		"array_popback": arrayReorder(popBack), "array_popfront": arrayReorder(popFront), "array_enumerate": resolveEnumerate,
		"array_slice": resolveArraySlice, "array_remove": resolveArrayRemove,
		"array_concat": arraySets(concatArrays), "array_union": arraySets(unionArrays), "array_intersect": arraySets(intersectArrays), "array_except": arraySets(exceptArrays),
		"array_pushback": arrayPush(false), "array_append": arrayPush(false), "array_pushfront": arrayPush(true),
		"array_with_constant": arrayOfConstant(0), "array_repeat": arrayOfConstant(1), "array_range": resolveArrayRange, "sequence": resolveArrayRange,
		"array_min": arrayExtreme(-1), "array_max": arrayExtreme(1), "array_sum": resolveArraySum, "array_avg": resolveArrayAvg,
		"array_filter": arrayBy(filterKernel, tBoolean), "array_sortby": arrayBy(sortByKernel, tNull),
		"array_flatten": resolveFlatten, "flatten": resolveFlatten, "split_by_string": resolveSplit,
	})
}

func isArray(args []Arg, i int) bool { return i < len(args) && args[i].Type.Kind == sqltype.Array }

// elementArg is the type that an array's elements and a value compare as.
func elementArg(array, value Arg) (sqltype.Type, bool) {
	return CommonType(notNull(array.Type.Nested.Elems[0]), value.Type)
}

// arraySearch is array_contains or array_position; NULL is found among NULLs.
func arraySearch(result sqltype.Type) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 || !isArray(args, 0) {
			return nil, wrongArguments(name, args)
		}
		t, ok := elementArg(args[0], args[1])
		if !ok {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{Params: types(sqltype.ArrayOf(t), t), Result: result, Nulls: NullAware, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				a := nestedOf(args[0])
				for k := range count(out, sel) {
					i := row(sel, k)
					if isNullAt(args[0], i) {
						out.SetNull(i)
						continue
					}
					e := a.elements(i)
					at := find(&e, args[1], i)
					if result == tBoolean {
						vector.Values[bool](out)[i] = at >= 0
					} else {
						vector.Values[int64](out)[i] = int64(at + 1)
					}
				}
				return nil
			})}, nil
	}
}

func resolveCountEqual(name string, args []Arg) (*Scalar, error) {
	s, err := arraySearch(tBigInt)(name, args)
	if err != nil {
		return nil, err
	}
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		a, dst := nestedOf(args[0]), vector.Values[int64](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			if isNullAt(args[0], i) {
				out.SetNull(i)
				continue
			}
			null, n := isNullAt(args[1], i), int64(0)
			var want []byte
			if !null {
				want = canonical(args[1], i)
			}
			for e, x := a.elements(i), 0; x < e.N; x++ {
				if e.Null(x) == null && (null || string(elementBytes(&e, x)) == string(want)) {
					n++
				}
			}
			dst[i] = n
		}
		return nil
	})
	return s, nil
}

// resolveArrayJoin is array_join(array, separator[, text for NULLs]).
func resolveArrayJoin(name string, args []Arg) (*Scalar, error) {
	if len(args) < 2 || len(args) > 3 || !isArray(args, 0) {
		return nil, wrongArguments(name, args)
	}
	return &Scalar{Params: types(args[0].Type, tString, tString)[:len(args)], Result: tString, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			a, sep := nestedOf(args[0]), textOf(args[1])
			elems := vector.New(args[0].Type.Nested.Elems[0], 0)
			var b []byte
			for i := range live(out, sel) {
				e := a.elements(i)
				elems.Reset(0)
				e.AppendTo(elems)
				b = b[:0]
				first := true
				for k := range e.N {
					if e.Null(k) && len(args) < 3 {
						continue
					}
					if !first {
						b = append(b, sep.at(i)...)
					}
					first = false
					if e.Null(k) {
						b = append(b, textOf(args[2]).at(i)...)
					} else {
						b = vector.AppendText(b, elems, k)
					}
				}
				out.SetBytes(i, b)
			}
			return nil
		})}, nil
}

// positions picks the elements of a result from those of an array, in order.
type positions func(elems *vector.Vector, e *vector.Elements) []int32

// arrayReorder is a function of one array whose result has some of its elements.
func arrayReorder(pick positions) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 || !isArray(args, 0) {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{Params: types(args[0].Type), Result: args[0].Type, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				return eachArray(args[0], sel, out, func(_ int, elems *vector.Vector, e *vector.Elements) []int32 { return pick(elems, e) })
			})}, nil
	}
}

// eachArray stores, for each live row, the elements that pick names.
func eachArray(v *vector.Vector, sel []int32, out *vector.Vector, pick func(i int, elems *vector.Vector, e *vector.Elements) []int32) error {
	a := nestedOf(v)
	elems, picked := vector.New(v.Type.Nested.Elems[0], 0), &vector.Vector{}
	var b []byte
	for i := range live(out, sel) {
		e := a.elements(i)
		elems.Reset(0)
		e.AppendTo(elems)
		at := pick(i, elems, &e)
		b = vector.AppendElements(b[:0], elems.Gather(at, picked), 0, len(at))
		out.SetBytes(i, b)
	}
	return nil
}

func allPositions(n int) []int32 {
	at := make([]int32, n)
	for i := range at {
		at[i] = int32(i)
	}
	return at
}

// sortPositions orders elements, NULLs first.
func sortPositions(elems *vector.Vector, _ *vector.Elements) []int32 {
	at := allPositions(elems.Len)
	slices.SortStableFunc(at, func(x, y int32) int {
		xn, yn := elems.IsNull(int(x)), elems.IsNull(int(y))
		if xn || yn {
			return b2i(yn) - b2i(xn)
		}
		return elems.Value(int(x)).Compare(elems.Value(int(y)))
	})
	return at
}

// reverseSortPositions orders elements from the largest, NULLs last.
func reverseSortPositions(elems *vector.Vector, e *vector.Elements) []int32 {
	at := sortPositions(elems, e)
	slices.Reverse(at)
	return at
}

func reversePositions(elems *vector.Vector, _ *vector.Elements) []int32 {
	at := allPositions(elems.Len)
	slices.Reverse(at)
	return at
}

func popBack(elems *vector.Vector, _ *vector.Elements) []int32 {
	return allPositions(max(elems.Len-1, 0))
}

func popFront(elems *vector.Vector, _ *vector.Elements) []int32 {
	return allPositions(elems.Len)[min(elems.Len, 1):]
}

// seen tells elements, NULL included, that came before.
type seen map[string]bool

func (s seen) id(e *vector.Elements, i int) string {
	if e.Null(i) {
		return "n"
	}
	return "v" + string(elementBytes(e, i))
}

func (s seen) add(id string) (fresh bool) {
	fresh = !s[id]
	s[id] = true
	return fresh
}

func distinctPositions(_ *vector.Vector, e *vector.Elements) []int32 {
	var at []int32
	s := seen{}
	for i := range e.N {
		if s.add(s.id(e, i)) {
			at = append(at, int32(i))
		}
	}
	return at
}

// compactPositions leaves out elements that equal the one before.
func compactPositions(_ *vector.Vector, e *vector.Elements) []int32 {
	var at []int32
	s := seen{}
	for i := range e.N {
		if i == 0 || s.id(e, i) != s.id(e, i-1) {
			at = append(at, int32(i))
		}
	}
	return at
}

func resolveEnumerate(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 || !isArray(args, 0) {
		return nil, wrongArguments(name, args)
	}
	return &Scalar{Params: types(args[0].Type), Result: sqltype.ArrayOf(tBigInt), New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			a := nestedOf(args[0])
			for i := range live(out, sel) {
				e := a.elements(i)
				storeRange(out, i, 1, 1, int64(e.N))
			}
			return nil
		})}, nil
}

// storeRange makes row i the array of n numbers from start.
func storeRange(out *vector.Vector, i int, start, step, n int64) {
	t := out.Type.Nested.Elems[0]
	elems := vector.New(t, int(n))
	for k := range n {
		elems.SetValue(int(k), vector.IntValue(t, start+k*step))
	}
	out.SetBytes(i, vector.AppendElements(nil, elems, 0, elems.Len))
}

// resolveArraySlice is array_slice(array, offset[, length]); offsets count from one or, negative, from the end,
// and a negative length leaves so many out at the end.
func resolveArraySlice(name string, args []Arg) (*Scalar, error) {
	if len(args) < 2 || len(args) > 3 || !isArray(args, 0) || !castable(args[1].Type, tBigInt) {
		return nil, wrongArguments(name, args)
	}
	return &Scalar{Params: types(args[0].Type, tBigInt, tBigInt)[:len(args)], Result: args[0].Type, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			offset := columnOf[int64](args[1])
			return eachArray(args[0], sel, out, func(i int, elems *vector.Vector, _ *vector.Elements) []int32 {
				n := int64(elems.Len)
				lo := offset.at(i)
				if lo < 0 {
					lo += n + 1
				}
				hi := n
				if len(args) == 3 {
					if l := columnOf[int64](args[2]).at(i); l < 0 {
						hi = n + max(l, -n)
					} else {
						hi = min(n, lo-1+min(l, n))
					}
				}
				if lo < 1 || lo > n || hi < lo {
					return nil
				}
				return allPositions(elems.Len)[lo-1 : hi]
			})
		})}, nil
}

func resolveArrayRemove(name string, args []Arg) (*Scalar, error) {
	s, err := arraySearch(tBoolean)(name, args)
	if err != nil {
		return nil, err
	}
	s.Result, s.Nulls = s.Params[0], Propagate
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		return eachArray(args[0], sel, out, func(i int, _ *vector.Vector, e *vector.Elements) []int32 {
			want := canonical(args[1], i)
			var at []int32
			for k := range e.N {
				if e.Null(k) || string(elementBytes(e, k)) != string(want) {
					at = append(at, int32(k))
				}
			}
			return at
		})
	})
	return s, nil
}

// arraySets combines arrays of one type: all holds their elements one after the other, ends
// the number of elements up to each array's end.
func arraySets(pick func(all *vector.Elements, ends []int) []int32) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) == 0 {
			return nil, wrongArguments(name, args)
		}
		t, ok := commonOf(args)
		if !ok || t.Kind != sqltype.Array {
			return nil, wrongArguments(name, args)
		}
		params := make([]sqltype.Type, len(args))
		for i := range params {
			params[i] = t
		}
		return &Scalar{Params: params, Result: t, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				elems, picked := vector.New(t.Nested.Elems[0], 0), &vector.Vector{}
				var b []byte
				ends := make([]int, len(args))
				for i := range live(out, sel) {
					elems.Reset(0)
					for k, a := range args {
						e := nestedOf(a).elements(i)
						e.AppendTo(elems)
						ends[k] = elems.Len
					}
					b = vector.AppendElements(b[:0], elems, 0, elems.Len)
					all := vector.DecodeElements(elems.Type, b)
					at := pick(&all, ends)
					out.SetBytes(i, vector.AppendElements(nil, elems.Gather(at, picked), 0, len(at)))
				}
				return nil
			})}, nil
	}
}

func concatArrays(all *vector.Elements, _ []int) []int32 { return allPositions(all.N) }

func unionArrays(all *vector.Elements, _ []int) []int32 { return distinctPositions(nil, all) }

// intersectArrays keeps the first array's distinct elements that all others have.
func intersectArrays(all *vector.Elements, ends []int) []int32 {
	var at []int32
	s := seen{}
	for i := range ends[0] {
		id := s.id(all, i)
		everywhere := s.add(id)
		for k := 1; k < len(ends) && everywhere; k++ {
			everywhere = false
			for x := ends[k-1]; x < ends[k] && !everywhere; x++ {
				everywhere = s.id(all, x) == id
			}
		}
		if everywhere {
			at = append(at, int32(i))
		}
	}
	return at
}

// exceptArrays keeps the first array's distinct elements that no other has.
func exceptArrays(all *vector.Elements, ends []int) []int32 {
	var at []int32
	s := seen{}
	for x := ends[0]; x < all.N; x++ {
		s.add(s.id(all, x))
	}
	for i := range ends[0] {
		if s.add(s.id(all, i)) {
			at = append(at, int32(i))
		}
	}
	return at
}

func arrayPush(front bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 || !isArray(args, 0) {
			return nil, wrongArguments(name, args)
		}
		t, ok := elementArg(args[0], args[1])
		if !ok {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{Params: types(sqltype.ArrayOf(t), t), Result: sqltype.ArrayOf(t), Nulls: NullAware, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				a := nestedOf(args[0])
				elems := vector.New(t, 0)
				var b []byte
				for k := range count(out, sel) {
					i := row(sel, k)
					if isNullAt(args[0], i) {
						out.SetNull(i)
						continue
					}
					elems.Reset(0)
					if front {
						elems.AppendFrom(args[1], []int32{int32(i)})
					}
					e := a.elements(i)
					e.AppendTo(elems)
					if !front {
						elems.AppendFrom(args[1], []int32{int32(i)})
					}
					b = vector.AppendElements(b[:0], elems, 0, elems.Len)
					out.SetBytes(i, b)
				}
				return nil
			})}, nil
	}
}

// maxArrayElements bounds arrays that a count makes.
const maxArrayElements = 1_000_000

func tooManyElements() error {
	return sqlerr.New(sqlerr.WrongArguments, "an array cannot have more than %d elements", maxArrayElements)
}

// arrayOfConstant is array_with_constant(n, x) or array_repeat(x, n).
func arrayOfConstant(value int) builder {
	at := 1 - value // of the value: 1 for array_with_constant
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 2 || !castable(args[1-at].Type, tBigInt) {
			return nil, wrongArguments(name, args)
		}
		t := notNull(args[at].Type)
		params := types(tBigInt, tBigInt)
		params[at] = t
		return &Scalar{Params: params, Result: sqltype.ArrayOf(t), Nulls: NullAware, Fails: true, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				n := columnOf[int64](args[1-at])
				for k := range count(out, sel) {
					i := row(sel, k)
					if isNullAt(args[1-at], i) {
						out.SetNull(i)
						continue
					}
					if n.at(i) > maxArrayElements {
						return tooManyElements()
					}
					times := make([]int32, max(n.at(i), 0))
					for x := range times {
						times[x] = int32(i & formMask(args[at]))
					}
					out.SetBytes(i, vector.AppendElements(nil, args[at].Gather(times, &vector.Vector{}), 0, len(times)))
				}
				return nil
			})}, nil
	}
}

// resolveArrayRange is array_range(end), array_range(start, end[, step]); the end is not part.
// sequence(start, end[, step]) is the same in Doris.
func resolveArrayRange(name string, args []Arg) (*Scalar, error) {
	if len(args) < 1 || len(args) > 3 {
		return nil, wrongArguments(name, args)
	}
	for _, a := range args {
		if a.Type.Kind != sqltype.Null && !a.Type.IsInteger() {
			return nil, wrongArguments(name, args)
		}
	}
	return &Scalar{Params: types(tBigInt, tBigInt, tBigInt)[:len(args)], Result: sqltype.ArrayOf(tInt), YieldsNull: true, Fails: true, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			for i := range live(out, sel) {
				start, end, step := int64(0), columnOf[int64](args[0]).at(i), int64(1)
				if len(args) > 1 {
					start, end = end, columnOf[int64](args[1]).at(i)
				}
				if len(args) > 2 {
					step = columnOf[int64](args[2]).at(i)
				}
				if start < 0 || end < 0 || step <= 0 {
					out.SetNull(i)
					continue
				}
				n := (max(end-start, 0) + step - 1) / step
				if n > maxArrayElements {
					return tooManyElements()
				}
				storeRange(out, i, start, step, n)
			}
			return nil
		})}, nil
}

// arrayExtreme is array_min (-1) or array_max (1); NULLs do not count.
func arrayExtreme(sign int) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 || !isArray(args, 0) || args[0].Type.Nested.Elems[0].IsNested() {
			return nil, wrongArguments(name, args)
		}
		t := args[0].Type
		return &Scalar{Params: types(t), Result: t.Nested.Elems[0], YieldsNull: true, New: stateless(
			func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				a := nestedOf(args[0])
				elems := vector.New(t.Nested.Elems[0], 0)
				for i := range live(out, sel) {
					e := a.elements(i)
					elems.Reset(0)
					e.AppendTo(elems)
					best := -1
					for k := range e.N {
						if !e.Null(k) && (best < 0 || elems.Value(k).Compare(elems.Value(best)) == sign) {
							best = k
						}
					}
					if best < 0 {
						out.SetNull(i)
					} else {
						e.StoreTo(best, out, i)
					}
				}
				return nil
			})}, nil
	}
}

// resolveArraySum adds the elements that are not NULL as sum() does; an array without any gives NULL.
func resolveArraySum(name string, args []Arg) (*Scalar, error) {
	return arrayTotal(name, args, false)
}

func resolveArrayAvg(name string, args []Arg) (*Scalar, error) { return arrayTotal(name, args, true) }

func arrayTotal(name string, args []Arg, mean bool) (*Scalar, error) {
	if len(args) != 1 || !isArray(args, 0) {
		return nil, wrongArguments(name, args)
	}
	elem := notNull(args[0].Type.Nested.Elems[0])
	result := tDouble
	switch {
	case !elem.IsNumeric() && elem.Kind != sqltype.Boolean:
		return nil, wrongArguments(name, args)
	case elem.IsFloat() || mean:
		elem = tDouble
	case elem.Kind == sqltype.Decimal:
		elem = sqltype.DecimalOf(sqltype.MaxDecimalPrecision, int(elem.Scale))
		result = elem
	case elem.Kind == sqltype.LargeInt:
		result = elem
	default:
		elem, result = tBigInt, tBigInt
	}
	return &Scalar{Params: types(sqltype.ArrayOf(elem)), Result: result, YieldsNull: true, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			a := nestedOf(args[0])
			elems := vector.New(elem, 0)
			for i := range live(out, sel) {
				e := a.elements(i)
				elems.Reset(0)
				e.AppendTo(elems)
				n, total, f := 0, int128.Int{}, 0.0
				for k := range e.N {
					if e.Null(k) {
						continue
					}
					n++
					x := elems.Value(k)
					total, f = total.Add(x.I), f+x.F
				}
				switch {
				case n == 0:
					out.SetNull(i)
				case mean:
					vector.Values[float64](out)[i] = f / float64(n)
				case result == tDouble:
					vector.Values[float64](out)[i] = f
				default:
					out.SetValue(i, vector.Value{Type: result, I: total})
				}
			}
			return nil
		})}, nil
}

func resolveFlatten(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 || !isArray(args, 0) || args[0].Type.Nested.Elems[0].Kind != sqltype.Array {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type.Nested.Elems[0]
	return &Scalar{Params: types(args[0].Type), Result: t, New: stateless(
		func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			a := nestedOf(args[0])
			elems := vector.New(t.Nested.Elems[0], 0)
			for i := range live(out, sel) {
				outer := a.elements(i)
				elems.Reset(0)
				for k := range outer.N {
					if !outer.Null(k) {
						e := vector.DecodeElements(elems.Type, outer.Bytes(k))
						e.AppendTo(elems)
					}
				}
				out.SetBytes(i, vector.AppendElements(nil, elems, 0, elems.Len))
			}
			return nil
		})}, nil
}

// resolveArraysOverlap tells whether two arrays share an element; NULL when they share none and one has a NULL.
func resolveArraysOverlap(name string, args []Arg) (*Scalar, error) {
	s, err := arraySets(concatArrays)(name, args)
	if err != nil || len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	s.Result, s.YieldsNull = tBoolean, true
	s.New = stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		a, b, dst := nestedOf(args[0]), nestedOf(args[1]), vector.Values[bool](out)
		for i := range live(out, sel) {
			x, y := a.elements(i), b.elements(i)
			s := seen{}
			null, shared := false, false
			for k := range x.N {
				null = null || x.Null(k)
				s.add(s.id(&x, k))
			}
			for k := range y.N {
				null = null || y.Null(k)
				shared = shared || !y.Null(k) && s[s.id(&y, k)]
			}
			if dst[i] = shared; !shared && null && x.N > 0 && y.N > 0 {
				out.SetNull(i)
			}
		}
		return nil
	})
	return s, nil
}

// resolveSplit is split_by_string(text, separator): an array of the parts; the empty separator splits characters.
func resolveSplit(name string, args []Arg) (*Scalar, error) {
	return signature{params: types(tString, tString), result: sqltype.ArrayOf(tString),
		run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, sep := textOf(args[0]), textOf(args[1])
			for i := range live(out, sel) {
				parts := strings.Split(string(x.at(i)), string(sep.at(i)))
				if len(x.at(i)) == 0 {
					parts = nil
				}
				v := vector.New(tString, len(parts))
				for k, p := range parts {
					v.SetString(k, p)
				}
				out.SetBytes(i, vector.AppendElements(nil, v, 0, v.Len))
			}
			return nil
		}}.resolve(name, args)
}
