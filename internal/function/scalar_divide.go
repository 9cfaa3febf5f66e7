package function

import (
	"math"
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// mul64Fits reports whether p*q fits an int64.
func mul64Fits(p, q int64) bool { return int128.Mul64(p, q).IsInt64() }

// resolveDivide is /: DOUBLE, or an exact decimal where a decimal meets no float.
func resolveDivide(name string, args []Arg) (*Scalar, error) {
	a, b, err := numericPair(name, args)
	if err != nil {
		return nil, err
	}
	if (a.Kind == sqltype.Decimal || b.Kind == sqltype.Decimal) && !a.IsFloat() && !b.IsFloat() {
		return resolveDecimalDivide(a, b), nil
	}
	return &Scalar{Params: []sqltype.Type{tDouble, tDouble}, Result: tDouble, YieldsNull: true, New: binaryLoop(divideFloat).newKernel()}, nil
}

func divideFloat(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[float64](a), vector.Values[float64](out)
	y := columnOf[float64](b)
	if b.Form == vector.Constant && y.vals[0] != 0 {
		c := y.vals[0]
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = x.at(i) / c
		}
		return
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		d := y.at(i)
		if d == 0 {
			dst[i] = 0
			out.SetNull(i)
			continue
		}
		dst[i] = x.at(i) / d
	}
}

// resolveIntDivide is DIV: the quotient truncated to BIGINT (LARGEINT for LARGEINT).
func resolveIntDivide(name string, args []Arg) (*Scalar, error) {
	a, b, err := numericPair(name, args)
	if err != nil {
		return nil, err
	}
	s := &Scalar{YieldsNull: true, Fails: true, Result: tBigInt}
	switch {
	case a.IsFloat() || b.IsFloat():
		s.Params, s.New = []sqltype.Type{tDouble, tDouble}, checkedLoop(intDivideFloat).newKernel()
	case a.Kind == sqltype.Decimal || b.Kind == sqltype.Decimal:
		_, sa := decimalDigits(a)
		_, sb := decimalDigits(b)
		t := sqltype.DecimalOf(sqltype.MaxDecimalPrecision, max(sa, sb))
		s.Params, s.New = []sqltype.Type{t, t}, checkedLoop(intDivideDecimal).newKernel()
	case a.Kind == sqltype.LargeInt || b.Kind == sqltype.LargeInt:
		s.Params, s.Result, s.New = []sqltype.Type{tLargeInt, tLargeInt}, tLargeInt, checkedLoop(intDivideWide).newKernel()
	default:
		s.Params, s.New = []sqltype.Type{tBigInt, tBigInt}, checkedLoop(intDivide).newKernel()
	}
	return s, nil
}

func intDivide(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for i := range live(out, sel) {
		p, q := x.at(i), y.at(i)
		if q == 0 {
			dst[i] = 0
			out.SetNull(i)
			continue
		}
		if p == math.MinInt64 && q == -1 {
			return outOfRange(tBigInt, "div")
		}
		dst[i] = p / q
	}
	return nil
}

func intDivideWide(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int128.Int](out)
	for i := range live(out, sel) {
		p, q := x.at(i), y.at(i)
		if q.Sign() == 0 {
			dst[i] = int128.Int{}
			out.SetNull(i)
			continue
		}
		if p == int128.Min && q == int128.FromInt64(-1) {
			return outOfRange(tLargeInt, "div")
		}
		dst[i], _ = p.QuoRem(q)
	}
	return nil
}

func intDivideDecimal(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int64](out)
	for i := range live(out, sel) {
		q := y.at(i)
		if q.Sign() == 0 {
			dst[i] = 0
			out.SetNull(i)
			continue
		}
		z, _ := x.at(i).QuoRem(q)
		if !z.IsInt64() {
			return outOfRange(tBigInt, "div")
		}
		dst[i] = int64(z.Lo)
	}
	return nil
}

func intDivideFloat(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[float64](a), columnOf[float64](b), vector.Values[int64](out)
	for i := range live(out, sel) {
		d := y.at(i)
		if d == 0 {
			dst[i] = 0
			out.SetNull(i)
			continue
		}
		z := math.Trunc(x.at(i) / d)
		if !(z >= -1<<63 && z < 1<<63) {
			return outOfRange(tBigInt, "div")
		}
		dst[i] = int64(z)
	}
	return nil
}

// resolveModulo is %: the dividend's sign, the wider operand's type.
func resolveModulo(name string, args []Arg) (*Scalar, error) {
	a, b, err := numericPair(name, args)
	if err != nil {
		return nil, err
	}
	t := commonNumber(a, b)
	s := &Scalar{Params: []sqltype.Type{t, t}, Result: t, YieldsNull: true}
	switch t.Physical() {
	case sqltype.PhysFloat64:
		s.New = stateless(floatMod)
	case sqltype.PhysInt8:
		s.New = binaryLoop(moduloLoop[int8]).newKernel()
	case sqltype.PhysInt16:
		s.New = binaryLoop(moduloLoop[int16]).newKernel()
	case sqltype.PhysInt32:
		s.New = binaryLoop(moduloLoop[int32]).newKernel()
	case sqltype.PhysInt64:
		s.New = binaryLoop(moduloLoop[int64]).newKernel()
	default:
		s.New = binaryLoop(moduloWide).newKernel()
	}
	return s, nil
}

func moduloLoop[T int8 | int16 | int32 | int64](a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[T](a), columnOf[T](b), vector.Values[T](out)
	if b.Form == vector.Constant && y.vals[0] != 0 {
		c := y.vals[0]
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = x.at(i) % c
		}
		return
	}
	for k := range count(out, sel) {
		i := row(sel, k)
		d := y.at(i)
		if d == 0 {
			dst[i] = 0
			out.SetNull(i)
			continue
		}
		dst[i] = x.at(i) % d
	}
}

func moduloWide(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int128.Int](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		d := y.at(i)
		if d.Sign() == 0 {
			dst[i] = int128.Int{}
			out.SetNull(i)
			continue
		}
		_, dst[i] = x.at(i).QuoRem(d)
	}
}

func resolveAbs(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t, ok := numericArgument(args[0].Type)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	s := &Scalar{Params: []sqltype.Type{t}, Result: t}
	switch t.Kind { // |-128| needs the next type, as in Doris
	case sqltype.TinyInt:
		s.Result, s.New = sqltype.T(sqltype.SmallInt), stateless(absLoop[int8, int16])
	case sqltype.SmallInt:
		s.Result, s.New = tInt, stateless(absLoop[int16, int32])
	case sqltype.Int:
		s.Result, s.New = tBigInt, stateless(absLoop[int32, int64])
	case sqltype.BigInt:
		s.Result, s.New = tLargeInt, stateless(absBigint)
	case sqltype.Double:
		s.New = stateless(absFloat)
	default:
		if t.Physical() == sqltype.PhysInt64 {
			s.New = stateless(absLoop[int64, int64])
			break
		}
		s.Fails, s.New = true, stateless(absWide)
	}
	return s, nil
}

func absLoop[A, R int8 | int16 | int32 | int64](_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[A](args[0]), vector.Values[R](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		z := R(x.at(i))
		dst[i] = max(z, -z)
	}
	return nil
}

func absBigint(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int128.Int](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int128.FromInt64(x.at(i)).Abs()
	}
	return nil
}

func absWide(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int128.Int](args[0]), vector.Values[int128.Int](out)
	for i := range live(out, sel) {
		if x.at(i) == int128.Min {
			return outOfRange(tLargeInt, "abs")
		}
		dst[i] = x.at(i).Abs()
	}
	return nil
}

func absFloat(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[float64](args[0]), vector.Values[float64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = math.Abs(x.at(i))
	}
	return nil
}

func bitFunctions() map[string]builder {
	return map[string]builder{
		"&": bitBuilder(bitAnd), "bitand": bitBuilder(bitAnd), "|": bitBuilder(bitOr), "bitor": bitBuilder(bitOr),
		"^": bitBuilder(bitXor), "bitxor": bitBuilder(bitXor),
		"<<": bitBuilder(shiftLeft), "bit_shift_left": bitBuilder(shiftLeft), ">>": bitBuilder(shiftRight), "bit_shift_right": bitBuilder(shiftRight),
		"~":      signature{params: []sqltype.Type{tBigInt}, result: tBigInt, run: bitNot}.builder(),
		"bitnot": signature{params: []sqltype.Type{tBigInt}, result: tBigInt, run: bitNot}.builder(),
		"bit_count": signature{params: []sqltype.Type{tBigInt}, result: tTinyInt, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := columnOf[int64](args[0]), vector.Values[int8](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = int8(bits.OnesCount64(uint64(x.at(i))))
			}
			return nil
		}}.builder(),
	}
}

// bitBuilder is an operation on 64-bit integers; others are cast.
func bitBuilder(loop binaryLoop) builder {
	return signature{params: []sqltype.Type{tBigInt, tBigInt}, result: tBigInt, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		loop(args[0], args[1], sel, out)
		return nil
	}}.builder()
}

func bitAnd(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) & y.at(i)
	}
}

func bitOr(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) | y.at(i)
	}
}

func bitXor(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) ^ y.at(i)
	}
}

// shiftLeft and shiftRight are MySQL's: logical, zero for counts outside of 0..63.
func shiftLeft(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int64(uint64(x.at(i)) << uint64(y.at(i)))
	}
}

func shiftRight(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int64(uint64(x.at(i)) >> uint64(y.at(i)))
	}
}

func bitNot(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[int64](args[0]), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = ^x.at(i)
	}
	return nil
}
