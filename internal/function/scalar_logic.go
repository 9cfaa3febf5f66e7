package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func logicFunctions() map[string]builder {
	return map[string]builder{
		"and": logicBuilder(andKernel), "or": logicBuilder(orKernel),
		"not":         signature{params: []sqltype.Type{tBoolean}, result: tBoolean, run: notKernel}.builder(),
		"xor":         signature{params: []sqltype.Type{tBoolean, tBoolean}, result: tBoolean, run: xorKernel}.builder(),
		"is_null":     nullTest(true),
		"isnull":      nullTest(true),
		"is_not_null": nullTest(false),
		"is_true":     truthTest(true, false),
		"is_false":    truthTest(false, false),
		"is_not_true": truthTest(true, true), "is_not_false": truthTest(false, true),
	}
}

// logicBuilder is an n-ary three-valued connective over BOOLEAN.
func logicBuilder(run Kernel) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		return signature{params: types(tBoolean), rest: true, result: tBoolean, nulls: NullAware, run: run}.resolve(name, args)
	}
}

// andKernel: false beats NULL beats true.
func andKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	dst := vector.Values[bool](out)
	for k := range count(out, sel) {
		dst[row(sel, k)] = true
	}
	for _, a := range args {
		x := columnOf[bool](a)
		if !a.MayHaveNulls() {
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = dst[i] && x.at(i)
			}
			continue
		}
		for k := range count(out, sel) {
			i := row(sel, k)
			if isNullAt(a, i) {
				out.SetNull(i)
			} else {
				dst[i] = dst[i] && x.at(i)
			}
		}
	}
	settle(out, sel, false)
	return nil
}

// orKernel: true beats NULL beats false.
func orKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	dst := vector.Values[bool](out)
	for k := range count(out, sel) {
		dst[row(sel, k)] = false
	}
	for _, a := range args {
		x := columnOf[bool](a)
		if !a.MayHaveNulls() {
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = dst[i] || x.at(i)
			}
			continue
		}
		for k := range count(out, sel) {
			i := row(sel, k)
			if isNullAt(a, i) {
				out.SetNull(i)
			} else {
				dst[i] = dst[i] || x.at(i)
			}
		}
	}
	settle(out, sel, true)
	return nil
}

// settle makes rows that reached the deciding value valid again.
func settle(out *vector.Vector, sel []int32, deciding bool) {
	if out.Valid == nil {
		return
	}
	dst := vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		if dst[i] == deciding {
			out.Valid.Set(i)
		}
	}
}

func notKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[bool](args[0]), vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = !x.at(i)
	}
	return nil
}

func xorKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[bool](args[0]), columnOf[bool](args[1]), vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) != y.at(i)
	}
	return nil
}

// nullTest is IS NULL (want) and IS NOT NULL of any type.
func nullTest(want bool) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 {
			return nil, wrongArguments(name, args)
		}
		return &Scalar{
			Params: []sqltype.Type{args[0].Type}, Result: tBoolean, Nulls: NullAware,
			New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				a, dst := args[0], vector.Values[bool](out)
				for k := range count(out, sel) {
					i := row(sel, k)
					dst[i] = isNullAt(a, i) == want
				}
				return nil
			}),
			NewSelector: func([]*vector.Value) (Selector, error) {
				return func(_ *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
					return selectNulls(args[0], want, n, sel, dst), nil
				}, nil
			},
		}, nil
	}
}

func selectNulls(a *vector.Vector, want bool, n int, sel, dst []int32) []int32 {
	if a.Form == vector.Constant || a.Valid == nil {
		if (a.MayHaveNulls() && (n == 0 || a.IsNull(0))) == want {
			return appendAll(n, sel, dst)
		}
		return dst
	}
	flip := uint64(b2i(want))
	base, k := len(dst), 0
	room, rows := roomFor(dst, n, sel)
	for j := range room {
		i := row(rows, j)
		room[k] = int32(i)
		k += int(a.Valid[uint(i)>>6]>>(uint(i)&63)&1 ^ flip)
	}
	return dst[:base+k]
}

// truthTest is IS [NOT] TRUE and IS [NOT] FALSE: never NULL.
func truthTest(want, negate bool) builder {
	run := func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		a, x, dst := args[0], columnOf[bool](args[0]), vector.Values[bool](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = (!isNullAt(a, i) && x.at(i) == want) != negate
		}
		return nil
	}
	return func(name string, args []Arg) (*Scalar, error) {
		s, err := signature{params: []sqltype.Type{tBoolean}, result: tBoolean, nulls: NullAware, run: run}.resolve(name, args)
		if err == nil {
			s.NewSelector = selectorOf(s.New, NullAware)
		}
		return s, err
	}
}
