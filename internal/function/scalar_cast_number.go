package function

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// castNumber converts among BOOLEAN, integers, floats and decimals. Values that do not
// fit become NULL; fractions are cut off by integers and rounded half up by decimals.
func castNumber(from, to sqltype.Type) castLoop {
	switch {
	case to.Kind == sqltype.Boolean:
		return castToBool(from)
	case from.Kind == sqltype.Boolean:
		return chain(boolToTiny, tTinyInt, castOrCopy(tTinyInt, to))
	case to.Kind == sqltype.Decimal:
		return castToDecimal(from, to)
	case from.Kind == sqltype.Decimal:
		return castFromDecimal(from, to)
	}
	switch from.Kind {
	case sqltype.TinyInt:
		return castFromInt[int8](to)
	case sqltype.SmallInt:
		return castFromInt[int16](to)
	case sqltype.Int:
		return castFromInt[int32](to)
	case sqltype.BigInt:
		return castFromInt[int64](to)
	case sqltype.LargeInt:
		return castFromWide(to)
	case sqltype.Float:
		return castFromFloat[float32](to)
	case sqltype.Double:
		return castFromFloat[float64](to)
	}
	return nil
}

func castOrCopy(from, to sqltype.Type) castLoop {
	if from == to {
		return copyLoop
	}
	return castNumber(from, to)
}

func copyLoop(ctx *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	_ = copyKernel(ctx, []*vector.Vector{src}, sel, out)
}

func boolToTiny(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[bool](src), vector.Values[int8](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = int8(b2i(x.at(i)))
	}
}

func castToBool(from sqltype.Type) castLoop {
	switch from.Physical() {
	case sqltype.PhysInt8:
		return nonZero[int8]
	case sqltype.PhysInt16:
		return nonZero[int16]
	case sqltype.PhysInt32:
		return nonZero[int32]
	case sqltype.PhysInt64:
		return nonZero[int64]
	case sqltype.PhysFloat32:
		return nonZero[float32]
	case sqltype.PhysFloat64:
		return nonZero[float64]
	case sqltype.PhysInt128:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int128.Int](src), vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i).Sign() != 0
			}
		}
	}
	return nil
}

func nonZero[A number](_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[A](src), vector.Values[bool](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = x.at(i) != 0
	}
}

type integer interface{ int8 | int16 | int32 | int64 }

func castFromInt[A integer](to sqltype.Type) castLoop {
	switch to.Kind {
	case sqltype.TinyInt:
		return narrow[A, int8]
	case sqltype.SmallInt:
		return narrow[A, int16]
	case sqltype.Int:
		return narrow[A, int32]
	case sqltype.BigInt:
		return convert[A, int64]
	case sqltype.Float:
		return convert[A, float32]
	case sqltype.Double:
		return convert[A, float64]
	case sqltype.LargeInt:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[A](src), vector.Values[int128.Int](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = int128.FromInt64(int64(x.at(i)))
			}
		}
	}
	return nil
}

// convert is a conversion that always fits.
func convert[A, R number](_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := vector.Values[A](src), vector.Values[R](out)
	if sel == nil && src.Form == vector.Flat {
		x = x[:len(dst)]
		for i := range dst {
			dst[i] = R(x[i])
		}
		return
	}
	m := formMask(src)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = R(x[i&m])
	}
}

// narrow makes values that do not fit NULL.
func narrow[A, R integer](_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[A](src), vector.Values[R](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		v := x.at(i)
		dst[i] = R(v)
		if int64(R(v)) != int64(v) {
			out.SetNull(i)
		}
	}
}

func castFromWide(to sqltype.Type) castLoop {
	switch to.Kind {
	case sqltype.BigInt:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int128.Int](src), vector.Values[int64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				v := x.at(i)
				dst[i] = int64(v.Lo)
				if !v.IsInt64() {
					out.SetNull(i)
				}
			}
		}
	case sqltype.Double:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int128.Int](src), vector.Values[float64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i).Float64()
			}
		}
	case sqltype.Float:
		return via(tLargeInt, tDouble, to)
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int:
		return via(tLargeInt, tBigInt, to)
	}
	return nil
}

func castFromFloat[A float32 | float64](to sqltype.Type) castLoop {
	switch to.Kind {
	case sqltype.TinyInt:
		return floatToInt[A, int8](math.MinInt8, math.MaxInt8)
	case sqltype.SmallInt:
		return floatToInt[A, int16](math.MinInt16, math.MaxInt16)
	case sqltype.Int:
		return floatToInt[A, int32](math.MinInt32, math.MaxInt32)
	case sqltype.BigInt:
		return floatToInt[A, int64](math.MinInt64, math.MaxInt64)
	case sqltype.Float:
		return convert[A, float32]
	case sqltype.Double:
		return convert[A, float64]
	case sqltype.LargeInt:
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[A](src), vector.Values[int128.Int](out)
			for i := range live(out, sel) {
				v, ok := int128.FromFloat64(float64(x.at(i)))
				dst[i] = v
				if !ok {
					out.SetNull(i)
				}
			}
		}
	}
	return nil
}

func floatToInt[A float32 | float64, R integer](lo, hi float64) castLoop {
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[A](src), vector.Values[R](out)
		for i := range live(out, sel) {
			v := math.Trunc(float64(x.at(i)))
			// hi+1 is exact in a double for every width, hi itself is not for int64.
			if !(v >= lo && v < hi+1) || hi == math.MaxInt64 && v >= 1<<63 {
				out.SetNull(i)
				dst[i] = 0
				continue
			}
			dst[i] = R(v)
		}
	}
}

func castToDecimal(from, to sqltype.Type) castLoop {
	switch {
	case from.Kind == sqltype.Decimal:
		return rescale(from, to)
	case from.Kind == sqltype.LargeInt, from.Kind == sqltype.BigInt:
		return rescale(from, to)
	case from.IsInteger():
		return chain(castNumber(from, tBigInt), tBigInt, rescaleDigits(tBigInt, to, intDigits(from)))
	case from.Kind == sqltype.Float:
		return chain(convert[float32, float64], tDouble, castToDecimal(tDouble, to))
	}
	factor := math.Pow10(int(to.Scale))
	bound := int128.Pow10[to.Precision]
	short := to.Physical() == sqltype.PhysInt64
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x := columnOf[float64](src)
		for i := range live(out, sel) {
			v, ok := int128.FromFloat64(math.Round(x.at(i) * factor))
			if !ok || !within(v, bound) {
				out.SetNull(i)
				v = int128.Int{}
			}
			if short {
				vector.Values[int64](out)[i] = int64(v.Lo)
			} else {
				vector.Values[int128.Int](out)[i] = v
			}
		}
	}
}

func intDigits(t sqltype.Type) int { p, _ := decimalDigits(t); return p }

// rescale moves between decimals; integers are decimals of scale 0.
func rescale(from, to sqltype.Type) castLoop { return rescaleDigits(from, to, intDigits(from)) }

// rescaleDigits knows that from's values have at most digits digits.
func rescaleDigits(from, to sqltype.Type, digits int) castLoop {
	_, sf := decimalDigits(from)
	shift := int(to.Scale) - sf
	// Rounding can carry into one more digit.
	fits := digits+shift+b2i(shift < 0) <= int(to.Precision) && from.Kind != sqltype.LargeInt
	fromShort, toShort := from.Physical() == sqltype.PhysInt64, to.Physical() == sqltype.PhysInt64
	switch {
	case fromShort && toShort && shift >= 0 && shift <= 18:
		return scaleUpShort(int64(int128.Pow10[shift].Lo), int64(int128.Pow10[to.Precision].Lo), fits)
	case fromShort && !toShort && shift >= 0 && shift <= 18 && fits:
		factor := int64(int128.Pow10[shift].Lo)
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int64](src), vector.Values[int128.Int](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = int128.Mul64(x.at(i), factor)
			}
		}
	case fromShort && toShort && shift < 0 && shift >= -18:
		return scaleDownShort(int64(int128.Pow10[-shift].Lo), int64(int128.Pow10[to.Precision].Lo))
	}
	return rescaleWide(fromShort, toShort, shift, int128.Pow10[to.Precision])
}

func scaleUpShort(factor, bound int64, fits bool) castLoop {
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int64](src), vector.Values[int64](out)
		if fits {
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i) * factor
			}
			return
		}
		limit := (bound - 1) / factor
		for k := range count(out, sel) {
			i := row(sel, k)
			v := x.at(i)
			if v > limit || v < -limit {
				out.SetNull(i)
				v = 0
			}
			dst[i] = v * factor
		}
	}
}

func scaleDownShort(factor, bound int64) castLoop {
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int64](src), vector.Values[int64](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			v := divideRound64(x.at(i), factor)
			if v >= bound || v <= -bound {
				out.SetNull(i)
				v = 0
			}
			dst[i] = v
		}
	}
}

func rescaleWide(fromShort, toShort bool, shift int, bound int128.Int) castLoop {
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		var x column[int128.Int]
		var y column[int64]
		if fromShort {
			y = columnOf[int64](src)
		} else {
			x = columnOf[int128.Int](src)
		}
		for i := range live(out, sel) {
			var v int128.Int
			if fromShort {
				v = int128.FromInt64(y.at(i))
			} else {
				v = x.at(i)
			}
			ok := true
			if shift > 0 {
				v, ok = v.MulOK(int128.Pow10[shift])
			} else if shift < 0 {
				v = divideRound(v, int128.Pow10[-shift])
			}
			if !ok || !within(v, bound) {
				out.SetNull(i)
				v = int128.Int{}
			}
			if toShort {
				vector.Values[int64](out)[i] = int64(v.Lo)
			} else {
				vector.Values[int128.Int](out)[i] = v
			}
		}
	}
}

func castFromDecimal(from, to sqltype.Type) castLoop {
	short := from.Physical() == sqltype.PhysInt64
	if to.IsFloat() {
		return decimalToFloat(from, to)
	}
	if short {
		factor := int64(int128.Pow10[from.Scale].Lo)
		cut := func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int64](src), vector.Values[int64](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i) / factor
			}
		}
		return chain(cut, tBigInt, castOrCopy(tBigInt, to))
	}
	factor := int128.Pow10[from.Scale]
	cut := func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int128.Int](src), vector.Values[int128.Int](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i], _ = x.at(i).QuoRem(factor)
		}
	}
	return chain(cut, tLargeInt, castOrCopy(tLargeInt, to))
}

func decimalToFloat(from, to sqltype.Type) castLoop {
	if to.Kind == sqltype.Float {
		return chain(decimalToFloat(from, tDouble), tDouble, convert[float64, float32])
	}
	// The double nearest to the decimal: one division rounds once where both of its sides are exact. The text of the others is
	// read, or 93.33333333333333 would not equal the same number in a DOUBLE column.
	const exact = 1 << 53
	scale := int(from.Scale)
	factor := math.Pow10(scale)
	whole := scale <= 22 // 10 to the power of more is no double
	if from.Physical() == sqltype.PhysInt64 {
		return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
			x, dst := columnOf[int64](src), vector.Values[float64](out)
			var buf []byte
			for k := range count(out, sel) {
				i := row(sel, k)
				v := x.at(i)
				if scale == 0 || v <= exact && v >= -exact {
					dst[i] = float64(v) / factor
					continue
				}
				buf = strconv.AppendInt(buf[:0], v, 10)
				dst[i] = scaledFloat(&buf, scale)
			}
		}
	}
	return func(_ *Context, src *vector.Vector, sel []int32, out *vector.Vector) {
		x, dst := columnOf[int128.Int](src), vector.Values[float64](out)
		var buf []byte
		for k := range count(out, sel) {
			i := row(sel, k)
			v := x.at(i)
			if low := int64(v.Lo); whole && v.IsInt64() && low <= exact && low >= -exact {
				dst[i] = float64(low) / factor
				continue
			}
			buf = int128.AppendDecimal(buf[:0], v, 0)
			dst[i] = scaledFloat(&buf, scale)
		}
	}
}

// scaledFloat is the double nearest to the digits in buf divided by 10 to the power of scale.
func scaledFloat(buf *[]byte, scale int) float64 {
	*buf = strconv.AppendInt(append(*buf, "e-"...), int64(scale), 10)
	f, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(*buf), len(*buf)), 64) // digits and an exponent always parse
	return f
}
