package function

import (
	"math/big"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// maxPrecision is the widest decimal.
const maxPrecision = sqltype.MaxDecimalPrecision

// resolveDecimalArith types + - and * with a decimal operand. Results of up to 18 digits
// are computed in int64 and, like all whose exact precision is at most 38, cannot
// overflow; only results cut to 38 digits are checked.
func resolveDecimalArith(op arithOp, a, b sqltype.Type) (*Scalar, error) {
	pa, sa := decimalDigits(a)
	pb, sb := decimalDigits(b)
	if op == opMul {
		return resolveDecimalMul(pa, sa, pb, sb), nil
	}
	scale := max(sa, sb)
	exact := max(pa-sa, pb-sb) + 1 + scale
	result := sqltype.DecimalOf(min(exact, maxPrecision), scale)
	s := &Scalar{Result: result}
	wa, wb := pa-sa+scale, pb-sb+scale // digits of the operands at the common scale
	switch {
	case exact <= sqltype.MaxShortDecimal:
		s.Params = []sqltype.Type{sqltype.DecimalOf(wa, scale), sqltype.DecimalOf(wb, scale)}
		s.New = wideningLoop[int64, int64](op).newKernel()
	case wa <= sqltype.MaxShortDecimal && wb <= sqltype.MaxShortDecimal:
		s.Params = []sqltype.Type{sqltype.DecimalOf(wa, scale), sqltype.DecimalOf(wb, scale)}
		s.New, s.NewNarrow = shortToWide(op).newKernel(), narrowAdd(op)
	default:
		t := sqltype.DecimalOf(maxPrecision, scale)
		s.Params, s.NewNarrow = []sqltype.Type{t, t}, narrowAdd(op)
		if exact <= maxPrecision {
			s.New = wideUnchecked(op).newKernel()
			break
		}
		s.Fails, s.New = true, wideLoop(op, result, &int128.Pow10[maxPrecision]).newKernel()
	}
	return s, nil
}

func resolveDecimalMul(pa, sa, pb, sb int) *Scalar {
	if sa+sb > maxPrecision { // the scale cannot be kept: the second operand gives digits up
		cut := sa + sb - maxPrecision
		pb, sb = max(pb-cut, 1), sb-cut
	}
	exact, scale := pa+pb, sa+sb
	result := sqltype.DecimalOf(max(min(exact, maxPrecision), scale), scale)
	s := &Scalar{Result: result, Params: []sqltype.Type{sqltype.DecimalOf(pa, sa), sqltype.DecimalOf(pb, sb)}}
	shortA, shortB := pa <= sqltype.MaxShortDecimal, pb <= sqltype.MaxShortDecimal
	switch {
	case exact <= sqltype.MaxShortDecimal:
		s.New = wideningLoop[int64, int64](opMul).newKernel()
		return s
	case shortA && shortB:
		s.New = binaryLoop(mulShortToWide).newKernel()
	case shortB || shortA:
		s.Fails = exact > maxPrecision
		s.New = mulWideShort(result, shortA, s.Fails).newKernel()
	default:
		s.Fails = exact > maxPrecision
		s.New = wideLoop(opMul, result, &int128.Pow10[maxPrecision]).newKernel()
	}
	s.NewNarrow = narrowMul
	return s
}

// mulShortToWide is the product of two short decimals as 128 bits, which always holds it.
func mulShortToWide(a, b *vector.Vector, sel []int32, out *vector.Vector) {
	x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int128.Int](out)
	switch {
	case sel != nil && a.Form == vector.Flat && b.Form == vector.Flat:
		x, y = x[:len(dst)], y[:len(dst)]
		for _, i := range sel {
			dst[i] = int128.Mul64(x[i], y[i])
		}
	case sel != nil:
		ma, mb := formMask(a), formMask(b)
		for _, r := range sel {
			i := int(r)
			dst[i] = int128.Mul64(x[i&ma], y[i&mb])
		}
	case a.Form == vector.Flat && b.Form == vector.Flat:
		x, y = x[:len(dst)], y[:len(dst)]
		for i := range dst {
			dst[i] = int128.Mul64(x[i], y[i])
		}
	default:
		if a.Form == vector.Constant {
			a, b, x, y = b, a, y, x
		}
		ma, c := formMask(a), y[0]
		for i := range dst {
			dst[i] = int128.Mul64(x[i&ma], c)
		}
	}
}

// shortToWide adds or subtracts short decimals into 128 bits.
func shortToWide(op arithOp) binaryLoop {
	if op == opAdd {
		return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int128.Int](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = int128.FromInt64(x.at(i)).AddInt64(y.at(i))
			}
		}
	}
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
		x, y, dst := columnOf[int64](a), columnOf[int64](b), vector.Values[int128.Int](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = int128.FromInt64(x.at(i)).Sub(int128.FromInt64(y.at(i)))
		}
	}
}

// wideUnchecked adds or subtracts 128-bit values whose result is known to fit.
func wideUnchecked(op arithOp) binaryLoop {
	if op == opAdd {
		return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int128.Int](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i).Add(y.at(i))
			}
		}
	}
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
		x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int128.Int](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = x.at(i).Sub(y.at(i))
		}
	}
}

// wideLoop is checked 128-bit arithmetic. bound, when not nil, is what the absolute
// result must stay below (a power of ten for decimals).
func wideLoop(op arithOp, t sqltype.Type, bound *int128.Int) checkedLoop {
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
		x, y, dst := columnOf[int128.Int](a), columnOf[int128.Int](b), vector.Values[int128.Int](out)
		for i := range live(out, sel) {
			var z int128.Int
			var ok bool
			switch op {
			case opAdd:
				z, ok = x.at(i).AddOK(y.at(i))
			case opSub:
				z, ok = x.at(i).SubOK(y.at(i))
			default:
				z, ok = x.at(i).MulOK(y.at(i))
			}
			if !ok || bound != nil && !within(z, *bound) {
				return outOfRange(t, op.String())
			}
			dst[i] = z
		}
		return nil
	}
}

// within reports |z| < bound.
func within(z, bound int128.Int) bool { return z.Less(bound) && bound.Neg().Less(z) }

// mulWideShort multiplies a 128-bit decimal by a 64-bit one. Products of two values of 63
// bits stay below 10^38 (2^126), so the usual row needs one test.
func mulWideShort(t sqltype.Type, shortFirst, checked bool) checkedLoop {
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
		if shortFirst {
			a, b = b, a
		}
		x, y, dst := vector.Values[int128.Int](a), vector.Values[int64](b), vector.Values[int128.Int](out)
		ma, mb := formMask(a), formMask(b)
		for k := range count(out, sel) {
			i := row(sel, k)
			p, q := &x[i&ma], y[i&mb]
			if p.Hi == int64(p.Lo)>>63 {
				dst[i] = int128.Mul64(int64(p.Lo), q)
				continue
			}
			z, ok := p.MulOK(int128.FromInt64(q))
			if (!ok || checked && !within(z, int128.Pow10[maxPrecision])) && out.Valid.Get(i) {
				return outOfRange(t, "*")
			}
			dst[i] = z
		}
		return nil
	}
}

// resolveDecimalDivide keeps four digits more than the dividend has.
func resolveDecimalDivide(a, b sqltype.Type) *Scalar {
	pa, sa := decimalDigits(a)
	pb, sb := decimalDigits(b)
	scale := min(sa+4, maxPrecision)
	result := sqltype.DecimalOf(max(min(pa-sa+sb+scale, maxPrecision), scale), scale)
	loop := divideDecimal(result, scale-sa+sb)
	s := &Scalar{Result: result, YieldsNull: true, Fails: true, New: loop.newKernel()}
	if pa <= sqltype.MaxShortDecimal && pb <= sqltype.MaxShortDecimal && scale-sa+sb <= 18 {
		s.Params = []sqltype.Type{sqltype.DecimalOf(pa, sa), sqltype.DecimalOf(pb, sb)}
		s.New = divideShort(result, scale-sa+sb).newKernel()
		return s
	}
	s.Params = []sqltype.Type{sqltype.DecimalOf(maxPrecision, sa), sqltype.DecimalOf(maxPrecision, sb)}
	return s
}

// divideShort divides int64 by int64 after widening the dividend by 10^shift.
func divideShort(t sqltype.Type, shift int) checkedLoop {
	factor := int64(int128.Pow10[shift].Lo)
	short := t.Physical() == sqltype.PhysInt64
	bound := int128.Pow10[t.Precision]
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
		x, y := columnOf[int64](a), columnOf[int64](b)
		var dst64 []int64
		var dst128 []int128.Int
		if short {
			dst64 = vector.Values[int64](out)
		} else {
			dst128 = vector.Values[int128.Int](out)
		}
		for i := range live(out, sel) {
			q := y.at(i)
			if q == 0 {
				out.SetNull(i)
				continue
			}
			z := divideRound(int128.Mul64(x.at(i), factor), int128.FromInt64(q))
			if !within(z, bound) {
				return outOfRange(t, "/")
			}
			if short {
				dst64[i] = int64(z.Lo)
			} else {
				dst128[i] = z
			}
		}
		return nil
	}
}

// divideDecimal is the general exact division; the widened dividend may need more than 128 bits.
func divideDecimal(t sqltype.Type, shift int) checkedLoop {
	short := t.Physical() == sqltype.PhysInt64
	bound := int128.Pow10[t.Precision]
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) error {
		x, y := columnOf[int128.Int](a), columnOf[int128.Int](b)
		for i := range live(out, sel) {
			q := y.at(i)
			if q.Sign() == 0 {
				out.SetNull(i)
				continue
			}
			z, ok := scaledQuotient(x.at(i), q, shift)
			if !ok || !within(z, bound) {
				return outOfRange(t, "/")
			}
			if short {
				vector.Values[int64](out)[i] = int64(z.Lo)
			} else {
				vector.Values[int128.Int](out)[i] = z
			}
		}
		return nil
	}
}

// scaledQuotient is x * 10^shift / y rounded half away from zero.
func scaledQuotient(x, y int128.Int, shift int) (int128.Int, bool) {
	if shift < len(int128.Pow10) {
		if w, ok := x.MulOK(int128.Pow10[shift]); ok {
			return divideRound(w, y), true
		}
	}
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), nil)
	n.Mul(n, bigOf(x))
	return bigQuotient(n, bigOf(y))
}

func bigQuotient(n, d *big.Int) (int128.Int, bool) {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(d) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign()*d.Sign())))
	}
	return int128.Parse(q.String())
}

func bigOf(x int128.Int) *big.Int {
	z := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return z.Add(z, new(big.Int).SetUint64(x.Lo))
}

// divideRound is x / y rounded half away from zero.
func divideRound(x, y int128.Int) int128.Int {
	if x.IsInt64() && y.IsInt64() && !(int64(y.Lo) == -1) {
		return int128.FromInt64(divideRound64(int64(x.Lo), int64(y.Lo)))
	}
	q, r := x.QuoRem(y)
	// |r| >= |y| - |r| without overflow
	if !r.Abs().Less(y.Abs().Sub(r.Abs())) && r.Sign() != 0 {
		if (x.Hi < 0) != (y.Hi < 0) {
			return q.AddInt64(-1)
		}
		return q.AddInt64(1)
	}
	return q
}

// divideRound64 is divideRound for int64; y is neither 0 nor -1.
func divideRound64(x, y int64) int64 {
	q, r := x/y, x%y
	if r == 0 {
		return q
	}
	ar, ay := uint64(max(r, -r)), uint64(y)
	if y < 0 {
		ay = -ay
	}
	if ar >= ay-ar {
		if (x < 0) != (y < 0) {
			return q - 1
		}
		return q + 1
	}
	return q
}
