package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// compareOp is one of the six comparisons.
type compareOp uint8

const (
	opEq compareOp = iota
	opNe
	opLt
	opLe
	opGt
	opGe
)

// flip is the operator with its operands exchanged.
func (op compareOp) flip() compareOp {
	return [...]compareOp{opEq: opEq, opNe: opNe, opLt: opGt, opLe: opGe, opGt: opLt, opGe: opLe}[op]
}

// table has the answer for a three-way comparison c at c+1.
func (op compareOp) table() [3]bool {
	return [...][3]bool{
		opEq: {false, true, false}, opNe: {true, false, true}, opLt: {true, false, false},
		opLe: {true, true, false}, opGt: {false, false, true}, opGe: {false, true, true},
	}[op]
}

func compareFunctions() map[string]builder {
	m := map[string]builder{"<=>": resolveNullSafeEqual}
	for op, names := range [...][]string{
		opEq: {"=", "eq"}, opNe: {"<>", "!=", "ne"}, opLt: {"<", "lt"}, opLe: {"<=", "le"}, opGt: {">", "gt"}, opGe: {">=", "ge"},
	} {
		for _, n := range names {
			m[n] = compareBuilder(compareOp(op))
		}
	}
	return m
}

func compareBuilder(op compareOp) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		t, err := comparisonParams(name, args)
		if err != nil {
			return nil, err
		}
		values, selects := compareLoops(op, t[0])
		return &Scalar{
			Params: t, Result: tBoolean,
			New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				values(args[0], args[1], sel, out)
				return nil
			}),
			NewSelector: func([]*vector.Value) (Selector, error) {
				return func(_ *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
					return selectNotNull(selects, args[0], args[1], n, sel, dst), nil
				}, nil
			},
		}, nil
	}
}

// comparisonParams is the type of both operands, kept as they are where the layouts
// compare without a cast.
func comparisonParams(name string, args []Arg) ([]sqltype.Type, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	a, b := args[0].Type, args[1].Type
	sameKind := a.Kind == b.Kind && (isText(a) || a.Kind == sqltype.DateTime || a.Kind == sqltype.Timestamp || a.Kind == sqltype.Time)
	if sameKind || a.IsString() && b.IsString() {
		return []sqltype.Type{a, b}, nil
	}
	t, ok := comparisonType(args[0], args[1])
	if a.IsOpaque() || b.IsOpaque() {
		return nil, opaqueError()
	}
	equality := name == "=" || name == "eq" || name == "<>" || name == "!=" || name == "ne" || name == "<=>"
	if !ok || t.IsNested() && !equality {
		return nil, wrongArguments(name, args)
	}
	return []sqltype.Type{t, t}, nil
}

// compareValues writes the answers of a comparison; compareSelect appends the rows for
// which it holds, as if no value were null.
type (
	compareValues func(a, b *vector.Vector, sel []int32, out *vector.Vector)
	compareSelect func(a, b *vector.Vector, n int, sel, dst []int32) []int32
)

// selectNotNull runs a selection and drops the rows where an operand is null afterwards:
// the values of null rows are defined, and fewer rows are left then.
func selectNotNull(run compareSelect, a, b *vector.Vector, n int, sel, dst []int32) []int32 {
	if constantNull(a) || constantNull(b) {
		return dst
	}
	base := len(dst)
	dst = run(a, b, n, sel, dst)
	kept := dropNulls(b, dropNulls(a, dst[base:]))
	return dst[:base+len(kept)]
}

func constantNull(v *vector.Vector) bool { return v.Form == vector.Constant && v.IsNull(0) }

func compareLoops(op compareOp, t sqltype.Type) (compareValues, compareSelect) {
	switch t.Physical() {
	case sqltype.PhysBool:
		// A bool is one byte, 0 or 1.
		return orderedLoops[uint8](op)
	case sqltype.PhysInt8:
		return orderedLoops[int8](op)
	case sqltype.PhysInt16:
		return orderedLoops[int16](op)
	case sqltype.PhysInt32:
		return orderedLoops[int32](op)
	case sqltype.PhysInt64:
		return orderedLoops[int64](op)
	case sqltype.PhysFloat32:
		return orderedLoops[float32](op)
	case sqltype.PhysFloat64:
		return orderedLoops[float64](op)
	case sqltype.PhysInt128:
		return int128Loops(op)
	}
	if op == opEq || op == opNe {
		return textEqualLoops(op == opNe)
	}
	return textOrderLoops(op)
}

// ordered are the layouts with machine comparisons. Floats order NaN last and equal to
// itself; the extra tests vanish for integers.
type ordered interface {
	uint8 | int8 | int16 | int32 | int64 | float32 | float64
}

func less[T ordered](a, b T) bool { return a < b || b != b && a == a }

func equal[T ordered](a, b T) bool { return a == b || a != a && b != b }

func orderedLoops[T ordered](op compareOp) (compareValues, compareSelect) {
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			orderedValues[T](op, a, b, sel, out)
		}, func(a, b *vector.Vector, n int, sel, dst []int32) []int32 {
			return orderedSelect[T](op, a, b, n, sel, dst)
		}
}

func orderedValues[T ordered](op compareOp, a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y := vector.Values[T](a), vector.Values[T](b)
	dst := vector.Values[bool](out)
	if a.Form == vector.Constant {
		if b.Form == vector.Constant {
			c := valueTest(op, x[0], y[0])
			for k := range count(out, sel) {
				dst[row(sel, k)] = c
			}
			return
		}
		x, y, op = y, x, op.flip()
	} else if b.Form == vector.Flat {
		valuesVV(op, x, y, sel, dst)
		return
	}
	if sel != nil {
		valuesVCSel(op, x, y[0], sel, dst)
		return
	}
	valuesVC(op, x, y[0], dst)
}

func valueTest[T ordered](op compareOp, a, b T) bool {
	switch op {
	case opEq:
		return equal(a, b)
	case opNe:
		return !equal(a, b)
	case opLt:
		return less(a, b)
	case opLe:
		return !less(b, a)
	case opGt:
		return less(b, a)
	}
	return !less(a, b)
}

func valuesVC[T ordered](op compareOp, x []T, c T, dst []bool) {
	x = x[:len(dst)]
	switch op {
	case opEq:
		for i := range dst {
			dst[i] = equal(x[i], c)
		}
	case opNe:
		for i := range dst {
			dst[i] = !equal(x[i], c)
		}
	case opLt:
		for i := range dst {
			dst[i] = less(x[i], c)
		}
	case opLe:
		for i := range dst {
			dst[i] = !less(c, x[i])
		}
	case opGt:
		for i := range dst {
			dst[i] = less(c, x[i])
		}
	case opGe:
		for i := range dst {
			dst[i] = !less(x[i], c)
		}
	}
}

func valuesVCSel[T ordered](op compareOp, x []T, c T, sel []int32, dst []bool) {
	switch op {
	case opEq:
		for _, i := range sel {
			dst[i] = equal(x[i], c)
		}
	case opNe:
		for _, i := range sel {
			dst[i] = !equal(x[i], c)
		}
	case opLt:
		for _, i := range sel {
			dst[i] = less(x[i], c)
		}
	case opLe:
		for _, i := range sel {
			dst[i] = !less(c, x[i])
		}
	case opGt:
		for _, i := range sel {
			dst[i] = less(c, x[i])
		}
	case opGe:
		for _, i := range sel {
			dst[i] = !less(x[i], c)
		}
	}
}

func valuesVV[T ordered](op compareOp, x, y []T, sel []int32, dst []bool) {
	switch op { // a > b is b < a, a >= b is b <= a
	case opGt, opGe:
		x, y, op = y, x, op.flip()
	}
	if sel != nil {
		valuesVVSel(op, x, y, sel, dst)
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	switch op {
	case opEq:
		for i := range dst {
			dst[i] = equal(x[i], y[i])
		}
	case opNe:
		for i := range dst {
			dst[i] = !equal(x[i], y[i])
		}
	case opLt:
		for i := range dst {
			dst[i] = less(x[i], y[i])
		}
	case opLe:
		for i := range dst {
			dst[i] = !less(y[i], x[i])
		}
	}
}

func valuesVVSel[T ordered](op compareOp, x, y []T, sel []int32, dst []bool) {
	switch op {
	case opEq:
		for _, i := range sel {
			dst[i] = equal(x[i], y[i])
		}
	case opNe:
		for _, i := range sel {
			dst[i] = !equal(x[i], y[i])
		}
	case opLt:
		for _, i := range sel {
			dst[i] = less(x[i], y[i])
		}
	case opLe:
		for _, i := range sel {
			dst[i] = !less(y[i], x[i])
		}
	}
}
