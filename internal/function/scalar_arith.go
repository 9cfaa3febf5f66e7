package function

import (
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// arithOp is + - or *.
type arithOp uint8

const (
	opAdd arithOp = iota
	opSub
	opMul
)

func (op arithOp) String() string { return [...]string{"+", "-", "*"}[op] }

func arithmeticFunctions() map[string]builder {
	return map[string]builder{
		"+": resolveAddSub, "add": resolveAddSub, "-": resolveAddSub, "subtract": resolveAddSub, "*": resolveArith, "multiply": resolveArith,
		"/": resolveDivide, "divide": resolveDivide, "div": resolveIntDivide, "int_divide": resolveIntDivide,
		"%": resolveModulo, "mod": resolveModulo, "fmod": resolveModulo,
		"neg": resolveNegate, "negative": resolveNegate, "positive": resolvePositive, "abs": resolveAbs,
	}
}

// binaryLoop computes one operation over all forms; checkedLoop may find an overflow.
type (
	binaryLoop  func(a, b *vector.Vector, sel []int32, out *vector.Vector)
	checkedLoop func(a, b *vector.Vector, sel []int32, out *vector.Vector) error
)

func (loop binaryLoop) newKernel() func([]*vector.Value) (Kernel, error) {
	return stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		loop(args[0], args[1], sel, out)
		return nil
	})
}

func (loop checkedLoop) newKernel() func([]*vector.Value) (Kernel, error) {
	return stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		return loop(args[0], args[1], sel, out)
	})
}

// outOfRange is the error of a result that its type cannot hold.
func outOfRange(t sqltype.Type, op string) error {
	name := map[sqltype.Kind]string{sqltype.BigInt: "BIGINT", sqltype.LargeInt: "LARGEINT", sqltype.Decimal: "DECIMAL", sqltype.Double: "DOUBLE"}[t.Kind]
	if name == "" {
		name = t.String()
	}
	return sqlerr.New(sqlerr.OutOfRangeArith, "%s value is out of range in '%s'", name, op)
}

// numericArgument is the numeric type that an argument of arithmetic counts as: text is
// DOUBLE, BOOLEAN a TINYINT, dates and times the number of their digits.
func numericArgument(t sqltype.Type) (sqltype.Type, bool) {
	switch {
	case t.IsNumeric():
		if t.Kind == sqltype.Float {
			return tDouble, true
		}
		return t, true
	case t.Kind == sqltype.Null, t.Kind == sqltype.Boolean:
		return tTinyInt, true
	case isText(t):
		return tDouble, true
	case t.Kind == sqltype.Date:
		return tInt, true
	case t.IsTemporal(), t.Kind == sqltype.Time:
		return tBigInt, true
	}
	return t, false
}

// numericPair is numericArgument of both operands of a binary operator. A bare NULL takes the other's type.
func numericPair(name string, args []Arg) (a, b sqltype.Type, err error) {
	if len(args) != 2 {
		return a, b, wrongArguments(name, args)
	}
	a, ok1 := numericArgument(args[0].Type)
	b, ok2 := numericArgument(args[1].Type)
	if !ok1 || !ok2 {
		return a, b, wrongArguments(name, args)
	}
	if args[0].Type.Kind == sqltype.Null {
		a = b
	}
	if args[1].Type.Kind == sqltype.Null {
		b = a
	}
	return a, b, nil
}

// resolveAddSub is + and -, which also step dates by intervals (three arguments).
func resolveAddSub(name string, args []Arg) (*Scalar, error) {
	if len(args) == 3 {
		if name == "+" {
			return resolveDateAdd("date_add", args)
		}
		return resolveDateAdd("date_sub", args)
	}
	return resolveArith(name, args)
}

func resolveArith(name string, args []Arg) (*Scalar, error) {
	a, b, err := numericPair(name, args)
	if err != nil {
		return nil, err
	}
	op := map[string]arithOp{"+": opAdd, "add": opAdd, "-": opSub, "subtract": opSub, "*": opMul, "multiply": opMul}[name]
	switch {
	case a.IsFloat() || b.IsFloat():
		loop := wideningLoop[float64, float64](op)
		return &Scalar{Params: []sqltype.Type{tDouble, tDouble}, Result: tDouble, New: loop.newKernel()}, nil
	case a.Kind == sqltype.Decimal || b.Kind == sqltype.Decimal:
		return resolveDecimalArith(op, a, b)
	}
	t := sqltype.T(max(a.Kind, b.Kind))
	s := &Scalar{Params: []sqltype.Type{t, t}, Result: t}
	switch t.Kind {
	case sqltype.TinyInt:
		s.Result, s.New = sqltype.T(sqltype.SmallInt), wideningLoop[int8, int16](op).newKernel()
	case sqltype.SmallInt:
		s.Result, s.New = tInt, wideningLoop[int16, int32](op).newKernel()
	case sqltype.Int:
		s.Result, s.New = tBigInt, wideningLoop[int32, int64](op).newKernel()
	case sqltype.BigInt:
		s.Fails, s.New = true, bigintLoop(op).newKernel()
	default:
		s.Fails, s.New = true, wideLoop(op, t, nil).newKernel()
	}
	return s, nil
}

// number are the layouts with machine arithmetic.
type number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

// wideningLoop is an operation whose result type holds every result.
func wideningLoop[A, R number](op arithOp) binaryLoop {
	switch op {
	case opAdd:
		return addLoop[A, R]
	case opSub:
		return subLoop[A, R]
	}
	return mulLoop[A, R]
}

func addLoop[A, R number](a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := vector.Values[A](a), vector.Values[A](b), vector.Values[R](out)
	switch {
	case sel != nil:
		ma, mb := formMask(a), formMask(b)
		for _, r := range sel {
			i := int(r)
			dst[i] = R(x[i&ma]) + R(y[i&mb])
		}
	case a.Form == vector.Constant && b.Form == vector.Constant:
		for i := range dst {
			dst[i] = R(x[0]) + R(y[0])
		}
	case b.Form == vector.Constant:
		addConstant(dst, x, R(y[0]))
	case a.Form == vector.Constant:
		addConstant(dst, y, R(x[0]))
	default:
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			dst[i] = R(x[i]) + R(y[i])
		}
	}
}

func addConstant[A, R number](dst []R, x []A, c R) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = R(x[i]) + c
	}
}

func subLoop[A, R number](a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := vector.Values[A](a), vector.Values[A](b), vector.Values[R](out)
	switch {
	case sel != nil:
		ma, mb := formMask(a), formMask(b)
		for _, r := range sel {
			i := int(r)
			dst[i] = R(x[i&ma]) - R(y[i&mb])
		}
	case a.Form == vector.Constant && b.Form == vector.Constant:
		for i := range dst {
			dst[i] = R(x[0]) - R(y[0])
		}
	case b.Form == vector.Constant:
		x, c := x[:len(dst)], R(y[0])
		for i := range dst {
			dst[i] = R(x[i]) - c
		}
	case a.Form == vector.Constant:
		y, c := y[:len(dst)], R(x[0])
		for i := range dst {
			dst[i] = c - R(y[i])
		}
	default:
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			dst[i] = R(x[i]) - R(y[i])
		}
	}
}

func mulLoop[A, R number](a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := vector.Values[A](a), vector.Values[A](b), vector.Values[R](out)
	switch {
	case sel != nil:
		ma, mb := formMask(a), formMask(b)
		for _, r := range sel {
			i := int(r)
			dst[i] = R(x[i&ma]) * R(y[i&mb])
		}
	case a.Form == vector.Constant && b.Form == vector.Constant:
		for i := range dst {
			dst[i] = R(x[0]) * R(y[0])
		}
	case b.Form == vector.Constant:
		mulConstant(dst, x, R(y[0]))
	case a.Form == vector.Constant:
		mulConstant(dst, y, R(x[0]))
	default:
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			dst[i] = R(x[i]) * R(y[i])
		}
	}
}

func mulConstant[A, R number](dst []R, x []A, c R) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = R(x[i]) * c
	}
}

// bigintLoop is int64 arithmetic that reports overflow. The loops compute every row and
// collect one sticky sign; only when it is set the rows are looked at again, so that a
// null row cannot raise the error.
func bigintLoop(op arithOp) checkedLoop {
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
		var sticky int64
		switch op {
		case opAdd:
			sticky = addSticky(a, b, sel, out)
		case opSub:
			sticky = subSticky(a, b, sel, out)
		default:
			sticky = mulSticky(a, b, sel, out)
		}
		if sticky >= 0 {
			return nil
		}
		x, y := columnOf[int64](a), columnOf[int64](b)
		for i := range live(out, sel) {
			if !fitsBigint(op, x.at(i), y.at(i)) {
				return outOfRange(tBigInt, op.String())
			}
		}
		return nil
	}
}

func fitsBigint(op arithOp, x, y int64) bool {
	switch op {
	case opAdd:
		z := x + y
		return (z^x)&(z^y) >= 0
	case opSub:
		z := x - y
		return (x^y)&(x^z) >= 0
	}
	return mulFits(x, y)
}

func addSticky(a, b *vector.Vector, sel []int32, out *vector.Vector) (sticky int64) {
	x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int64](out)
	if sel == nil && a.Form == vector.Flat && b.Form == vector.Flat {
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			z := x[i] + y[i]
			dst[i] = z
			sticky |= (z ^ x[i]) & (z ^ y[i])
		}
		return sticky
	}
	if a.Form == vector.Constant {
		a, b, x, y = b, a, y, x
	}
	if sel == nil && a.Form == vector.Flat {
		x, c := x[:len(dst)], y[0]
		for i := range dst {
			z := x[i] + c
			dst[i] = z
			sticky |= (z ^ x[i]) & (z ^ c)
		}
		return sticky
	}
	ma, mb := formMask(a), formMask(b)
	for k := range count(out, sel) {
		i := row(sel, k)
		p, q := x[i&ma], y[i&mb]
		z := p + q
		dst[i] = z
		sticky |= (z ^ p) & (z ^ q)
	}
	return sticky
}

func subSticky(a, b *vector.Vector, sel []int32, out *vector.Vector) (sticky int64) {
	x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int64](out)
	if sel == nil && a.Form == vector.Flat && b.Form == vector.Flat {
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			z := x[i] - y[i]
			dst[i] = z
			sticky |= (x[i] ^ y[i]) & (x[i] ^ z)
		}
		return sticky
	}
	ma, mb := formMask(a), formMask(b)
	for k := range count(out, sel) {
		i := row(sel, k)
		p, q := x[i&ma], y[i&mb]
		z := p - q
		dst[i] = z
		sticky |= (p ^ q) & (p ^ z)
	}
	return sticky
}

func mulSticky(a, b *vector.Vector, sel []int32, out *vector.Vector) int64 {
	x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int64](out)
	ma, mb := formMask(a), formMask(b)
	overflow := false
	for k := range count(out, sel) {
		i := row(sel, k)
		p, q := x[i&ma], y[i&mb]
		dst[i] = p * q
		overflow = overflow || !mulFits(p, q)
	}
	if overflow {
		return -1
	}
	return 0
}

// mulFits reports whether the product fits an int64: at once when both are 31-bit.
func mulFits(p, q int64) bool {
	if uint64(p+1<<31)|uint64(q+1<<31) < 1<<32 {
		return true
	}
	return mul64Fits(p, q)
}

func resolveNegate(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t, ok := numericArgument(args[0].Type)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	s := &Scalar{Params: []sqltype.Type{t}, Result: t}
	switch t.Kind {
	case sqltype.TinyInt:
		s.Result, s.New = sqltype.T(sqltype.SmallInt), stateless(negateLoop[int8, int16])
	case sqltype.SmallInt:
		s.Result, s.New = tInt, stateless(negateLoop[int16, int32])
	case sqltype.Int:
		s.Result, s.New = tBigInt, stateless(negateLoop[int32, int64])
	case sqltype.Double:
		s.New = stateless(negateLoop[float64, float64])
	case sqltype.BigInt:
		s.Fails, s.New = true, stateless(negateBigint)
	default:
		s.New = stateless(negateWide)
		if t.Physical() == sqltype.PhysInt64 {
			s.New = stateless(negateLoop[int64, int64])
		}
		s.Fails = t.Kind == sqltype.LargeInt
	}
	return s, nil
}

func negateLoop[A, R number](_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[A](args[0]), vector.Values[R](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = -R(x.at(i))
	}
	return nil
}

func negateBigint(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int64](out)
	for i := range live(out, sel) {
		if x.at(i) == math.MinInt64 {
			return outOfRange(tBigInt, "-")
		}
		dst[i] = -x.at(i)
	}
	return nil
}

func negateWide(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int128.Int](args[0]), vector.Values[int128.Int](out)
	for i := range live(out, sel) {
		if x.at(i) == int128.Min {
			return outOfRange(tLargeInt, "-")
		}
		dst[i] = x.at(i).Neg()
	}
	return nil
}

func resolvePositive(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t, ok := numericArgument(args[0].Type)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	return &Scalar{Params: []sqltype.Type{t}, Result: t, New: stateless(copyKernel)}, nil
}

// floatMod keeps the dividend's sign; x % 0 is NULL.
func floatMod(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[float64](args[0]), columnOf[float64](args[1]), vector.Values[float64](out)
	for i := range live(out, sel) {
		d := y.at(i)
		if d == 0 {
			out.SetNull(i)
			dst[i] = 0
			continue
		}
		dst[i] = math.Mod(x.at(i), d)
	}
	return nil
}
