package function

import (
	"math"
	"math/rand/v2"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// rounding is what happens to the digits that go.
type rounding uint8

const (
	roundHalfUp rounding = iota // half away from zero
	roundHalfEven
	roundDown // towards zero
	roundFloor
	roundCeil
)

func roundFunctions() map[string]builder {
	return map[string]builder{
		"round": roundBuilder(roundHalfUp), "dround": roundBuilder(roundHalfUp), "round_bankers": roundBuilder(roundHalfEven),
		"truncate": roundBuilder(roundDown), "trunc": roundBuilder(roundDown),
		"floor": roundBuilder(roundFloor), "dfloor": roundBuilder(roundFloor), "ceil": roundBuilder(roundCeil), "ceiling": roundBuilder(roundCeil), "dceil": roundBuilder(roundCeil),
		"rand": resolveRand, "random": resolveRand,
	}
}

// roundBuilder is f(x[, digits]): integers and decimals stay exact, the rest is DOUBLE.
func roundBuilder(mode rounding) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		if len(args) != 1 && len(args) != 2 {
			return nil, wrongArguments(name, args)
		}
		t, ok := numericArgument(args[0].Type)
		if !ok || len(args) == 2 && !castable(args[1].Type, tBigInt) {
			return nil, wrongArguments(name, args)
		}
		params := types(t, tBigInt)[:len(args)]
		switch {
		case t.Kind == sqltype.Decimal:
			return roundDecimal(mode, t, args, params), nil
		case t.IsInteger() && len(args) == 1:
			return &Scalar{Params: params, Result: t, New: stateless(copyKernel)}, nil
		case t.IsInteger():
			if t.Kind != sqltype.LargeInt {
				params[0] = tBigInt
			}
			wide := params[0].Kind == sqltype.LargeInt
			return &Scalar{Params: params, Result: params[0], Fails: true, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				return roundInt(mode, wide, args, sel, out)
			})}, nil
		}
		return &Scalar{Params: params, Result: tDouble, New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			roundDouble(mode, args, sel, out)
			return nil
		})}, nil
	}
}

// roundDecimal gives the constant number of digits after the point; digits that are not
// constant keep the type.
func roundDecimal(mode rounding, t sqltype.Type, args []Arg, params []sqltype.Type) *Scalar {
	p, s := int(t.Precision), int(t.Scale)
	keep, digits, fixed := 0, int64(0), true
	if len(args) == 2 {
		fixed = args[1].Const != nil && !args[1].Const.Null && args[1].Type.IsInteger()
		if fixed {
			digits = min(max(args[1].Const.Int64(), -100), int64(s))
			keep = int(max(digits, 0))
		} else {
			keep = s
		}
	}
	result := sqltype.DecimalOf(min(max(p-s+keep+b2i(keep < s || !fixed), 1), maxPrecision), keep)
	short, toShort := t.Physical() == sqltype.PhysInt64, result.Physical() == sqltype.PhysInt64
	bound := int128.Pow10[result.Precision]
	return &Scalar{Params: params, Result: result, Fails: !fixed || int(result.Precision) == maxPrecision || digits < int64(s-p), New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		for i := range live(out, sel) {
			var v int128.Int
			if short {
				v = int128.FromInt64(columnOf[int64](args[0]).at(i))
			} else {
				v = columnOf[int128.Int](args[0]).at(i)
			}
			d := digits
			if !fixed {
				d = min(max(columnOf[int64](args[1]).at(i), -100), int64(s))
			}
			v, ok := dropDigits(v, s-int(d), mode)
			if ok { // back to the result's scale
				v, ok = shiftDigits(v, keep-int(d), true)
			}
			if !ok || !within(v, bound) {
				return outOfRange(result, "round")
			}
			if toShort {
				vector.Values[int64](out)[i] = int64(v.Lo)
			} else {
				vector.Values[int128.Int](out)[i] = v
			}
		}
		return nil
	})}
}

// dropDigits is v / 10^n rounded.
func dropDigits(v int128.Int, n int, mode rounding) (int128.Int, bool) {
	if n <= 0 {
		return v, true
	}
	unit := int64(0)
	if n > 38 {
		switch {
		case mode == roundFloor && v.Sign() < 0:
			unit = -1
		case mode == roundCeil && v.Sign() > 0:
			unit = 1
		}
		return int128.FromInt64(unit), true
	}
	p := int128.Pow10[n]
	q, r := v.QuoRem(p)
	if r.Sign() == 0 {
		return q, true
	}
	half := r.Abs().Cmp(p.Sub(r.Abs())) // below, at, above one half
	away := int64(1)
	if v.Sign() < 0 {
		away = -1
	}
	switch mode {
	case roundHalfUp:
		unit = away * int64(b2i(half >= 0))
	case roundHalfEven:
		unit = away * int64(b2i(half > 0 || half == 0 && q.Lo&1 == 1))
	case roundFloor:
		unit = -int64(b2i(away < 0))
	case roundCeil:
		unit = int64(b2i(away > 0))
	}
	return q.AddInt64(unit), true
}

func roundInt(mode rounding, wide bool, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	digits := columnOf[int64](args[1])
	for i := range live(out, sel) {
		var v int128.Int
		if wide {
			v = columnOf[int128.Int](args[0]).at(i)
		} else {
			v = int128.FromInt64(columnOf[int64](args[0]).at(i))
		}
		if d := max(digits.at(i), -40); d < 0 {
			var ok bool
			v, _ = dropDigits(v, int(-d), mode)
			if v, ok = shiftDigits(v, int(-d), true); !ok {
				return outOfRange(out.Type, "round")
			}
		}
		switch {
		case wide:
			vector.Values[int128.Int](out)[i] = v
		case !v.IsInt64():
			return outOfRange(out.Type, "round")
		default:
			vector.Values[int64](out)[i] = int64(v.Lo)
		}
	}
	return nil
}

func roundDouble(mode rounding, args []*vector.Vector, sel []int32, out *vector.Vector) {
	x, dst := columnOf[float64](args[0]), vector.Values[float64](out)
	if len(args) == 1 {
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = roundWhole(x.at(i), mode)
		}
		return
	}
	digits := columnOf[int64](args[1])
	for i := range live(out, sel) {
		dst[i] = roundFloatMode(x.at(i), digits.at(i), mode)
	}
}

func roundWhole(v float64, mode rounding) float64 {
	switch mode {
	case roundHalfUp:
		return math.Round(v)
	case roundHalfEven:
		return math.RoundToEven(v)
	case roundDown:
		return math.Trunc(v)
	case roundFloor:
		return math.Floor(v)
	}
	return math.Ceil(v)
}

func roundFloat(v float64, digits int64) float64 { return roundFloatMode(v, digits, roundHalfUp) }

func roundFloatMode(v float64, digits int64, mode rounding) float64 {
	digits = min(max(digits, -400), 400)
	p := math.Pow10(int(max(digits, -digits)))
	if digits >= 0 {
		z := v * p
		if math.Abs(z) >= 1<<53 || z-z != 0 { // no digits are left to round
			return v
		}
		return roundWhole(z, mode) / p
	}
	if math.IsInf(p, 0) {
		return 0
	}
	return roundWhole(v/p, mode) * p
}

// resolveRand is rand([seed]), in [0, 1), and random(lo, hi), Doris's integer in [lo, hi).
func resolveRand(name string, args []Arg) (*Scalar, error) {
	if len(args) == 2 {
		return signature{params: types(tBigInt, tBigInt), result: tBigInt, stability: Volatile, yields: true, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			lo, hi, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int64](out)
			for i := range live(out, sel) {
				if lo.at(i) >= hi.at(i) {
					out.SetNull(i)
					continue
				}
				dst[i] = lo.at(i) + int64(rand.Uint64N(uint64(hi.at(i))-uint64(lo.at(i))))
			}
			return nil
		}}.resolve(name, args)
	}
	return signature{params: types(tBigInt), optional: 1, result: tDouble, stability: Volatile, nulls: NullAware, make: func(consts []*vector.Value) (Kernel, error) {
		next := rand.Float64
		if len(consts) == 1 && consts[0] != nil {
			next = rand.New(rand.NewPCG(consts[0].I.Lo, 0)).Float64 // the same sequence every time
		}
		return func(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
			dst := vector.Values[float64](out)
			for k := range count(out, sel) {
				dst[row(sel, k)] = next()
			}
			return nil
		}, nil
	}}.resolve(name, args)
}

func lcmKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int128.Int](out)
	for i := range live(out, sel) {
		a, b := x.at(i), y.at(i)
		if a == 0 || b == 0 {
			dst[i] = int128.Int{}
			continue
		}
		dst[i] = int128.Mul64(a/gcd(a, b), b).Abs()
	}
	return nil
}
