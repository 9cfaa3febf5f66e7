package function

import (
	"math"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// mathFunctions has DOUBLE functions; rounding is in scalar_round.go.
func mathFunctions() map[string]builder {
	d := tDouble
	m := map[string]builder{
		"sqrt": signature{params: types(d), result: d, yields: true, run: sqrtKernel}.builder(), "dsqrt": signature{params: types(d), result: d, yields: true, run: sqrtKernel}.builder(),
		"sign":  signature{params: types(d), result: tTinyInt, run: signKernel}.builder(),
		"atan2": floatBinary(func(x, y float64) float64 { return math.Atan2(x, y) }),
		"pi":    constantFloat(math.Pi), "e": constantFloat(math.E),
		"pmod": resolvePmod, "width_bucket": signature{params: types(d, d, d, tBigInt), result: tBigInt, yields: true, run: widthBucketKernel}.builder(),
		"gcd": signature{params: types(tBigInt, tBigInt), result: tBigInt, run: gcdKernel}.builder(),
		"lcm": signature{params: types(tBigInt, tBigInt), result: tLargeInt, run: lcmKernel}.builder(),
		"log": resolveLog,
		"is_nan": predicate(types(d), func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := columnOf[float64](args[0]), vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = x.at(i) != x.at(i)
			}
			return nil
		}),
		"is_inf": predicate(types(d), func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := columnOf[float64](args[0]), vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = math.IsInf(x.at(i), 0)
			}
			return nil
		}),
	}
	m["isnan"], m["isinf"] = m["is_nan"], m["is_inf"]
	for _, n := range []string{"pow", "power", "fpow", "dpow"} {
		m[n] = floatBinary(math.Pow)
	}
	for name, f := range map[string]func(float64) float64{
		"cbrt": math.Cbrt, "exp": math.Exp, "dexp": math.Exp, "ln": math.Log, "dlog1": math.Log, "log2": math.Log2, "log10": math.Log10, "dlog10": math.Log10,
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "cot": func(x float64) float64 { return 1 / math.Tan(x) },
		"asin": math.Asin, "acos": math.Acos, "atan": math.Atan, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
		"asinh": math.Asinh, "acosh": math.Acosh, "atanh": math.Atanh,
		"degrees": func(x float64) float64 { return x * (180 / math.Pi) }, "radians": func(x float64) float64 { return x * (math.Pi / 180) },
	} {
		m[name] = floatUnary(f)
	}
	m["atan"] = func(name string, args []Arg) (*Scalar, error) { // atan(y, x) is atan2
		if len(args) == 2 {
			return m["atan2"](name, args)
		}
		return floatUnary(math.Atan)(name, args)
	}
	return m
}

// floatUnary is a function of tens of nanoseconds, beside which an indirect call does not
// show. A result that is not a number for an argument that is one is NULL, as in MySQL.
func floatUnary(f func(float64) float64) builder {
	return signature{params: types(tDouble), result: tDouble, yields: true, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst := columnOf[float64](args[0]), vector.Values[float64](out)
		for i := range live(out, sel) {
			v := x.at(i)
			z := f(v)
			if undefined(z, v, 0) {
				out.SetNull(i)
			}
			dst[i] = z
		}
		return nil
	}}.builder()
}

// undefined reports results without a value: ln(0), asin(2), exp(1000). What came from
// nan or inf stays.
func undefined(z, x, y float64) bool {
	return z-z != 0 && x-x == 0 && y-y == 0
}

// floatBinary is floatUnary of two arguments.
func floatBinary(f func(x, y float64) float64) builder {
	return signature{params: types(tDouble, tDouble), result: tDouble, yields: true, run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, y, dst := columnOf[float64](args[0]), columnOf[float64](args[1]), vector.Values[float64](out)
		for i := range live(out, sel) {
			z := f(x.at(i), y.at(i))
			if undefined(z, x.at(i), y.at(i)) {
				out.SetNull(i)
			}
			dst[i] = z
		}
		return nil
	}}.builder()
}

func constantFloat(v float64) builder {
	return signature{result: tDouble, run: func(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
		dst := vector.Values[float64](out)
		for k := range count(out, sel) {
			dst[row(sel, k)] = v
		}
		return nil
	}}.builder()
}

// resolveLog is log(x), or log(base, x).
func resolveLog(name string, args []Arg) (*Scalar, error) {
	if len(args) == 1 {
		return floatUnary(math.Log)(name, args)
	}
	return floatBinary(func(b, x float64) float64 {
		if b <= 0 || b == 1 || x <= 0 {
			return math.Inf(1)
		}
		return math.Log(x) / math.Log(b)
	})(name, args)
}

func sqrtKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[float64](args[0]), vector.Values[float64](out)
	for i := range live(out, sel) {
		v := x.at(i)
		if v < 0 {
			out.SetNull(i)
			v = 0
		}
		dst[i] = math.Sqrt(v)
	}
	return nil
}

func signKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[float64](args[0]), vector.Values[int8](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		v := x.at(i)
		dst[i] = int8(b2i(v > 0) - b2i(v < 0))
	}
	return nil
}

// resolvePmod is the remainder with the divisor's sign.
func resolvePmod(name string, args []Arg) (*Scalar, error) {
	a, b, err := numericPair(name, args)
	if err != nil {
		return nil, err
	}
	if a.IsInteger() && b.IsInteger() && a.Kind != sqltype.LargeInt && b.Kind != sqltype.LargeInt {
		return signature{params: types(tBigInt, tBigInt), result: tBigInt, yields: true, run: pmodInt}.resolve(name, args)
	}
	return signature{params: types(tDouble, tDouble), result: tDouble, yields: true, run: pmodFloat}.resolve(name, args)
}

func pmodInt(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int64](out)
	for i := range live(out, sel) {
		d := y.at(i)
		if d == 0 {
			out.SetNull(i)
			dst[i] = 0
			continue
		}
		r := x.at(i) % d
		if r != 0 && (r < 0) != (d < 0) {
			r += d
		}
		dst[i] = r
	}
	return nil
}

func pmodFloat(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[float64](args[0]), columnOf[float64](args[1]), vector.Values[float64](out)
	for i := range live(out, sel) {
		d := y.at(i)
		if d == 0 {
			out.SetNull(i)
			dst[i] = 0
			continue
		}
		r := math.Mod(x.at(i), d)
		if r != 0 && (r < 0) != (d < 0) {
			r += d
		}
		dst[i] = r
	}
	return nil
}

// widthBucketKernel is the bucket of x among n equal ones of [lo, hi): 0 below, n+1 above.
func widthBucketKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, lo, hi, n := columnOf[float64](args[0]), columnOf[float64](args[1]), columnOf[float64](args[2]), columnOf[int64](args[3])
	dst := vector.Values[int64](out)
	for i := range live(out, sel) {
		v, a, b, buckets := x.at(i), lo.at(i), hi.at(i), n.at(i)
		switch {
		case buckets <= 0 || !(a < b) || v != v:
			out.SetNull(i)
			dst[i] = 0
		case v < a:
			dst[i] = 0
		case v >= b:
			dst[i] = buckets + 1
		default:
			dst[i] = min(int64((v-a)/(b-a)*float64(buckets)), buckets-1) + 1
		}
	}
	return nil
}

func gcdKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, y, dst := columnOf[int64](args[0]), columnOf[int64](args[1]), vector.Values[int64](out)
	for i := range live(out, sel) {
		dst[i] = gcd(x.at(i), y.at(i))
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}
