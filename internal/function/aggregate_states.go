package function

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// NarrowSum adds partial sums of integers, kept as LARGEINT, to what sum of the integers is: a BIGINT, or error 1690.
func NarrowSum() *Aggregate {
	return &Aggregate{Name: "sum", Params: types(tLargeInt), Result: tBigInt, NullOnEmpty: true, NewAccumulator: sumOf(tLargeInt, finishBigintSum)}
}

// Average is avg's result from its sum, which is LARGEINT for integers, and the BIGINT count of its values; NULL
// where the count is 0. result is that of the avg.
func Average(sum, result sqltype.Type) *Scalar {
	return &Scalar{Name: "avg_of", Params: types(sum, tBigInt), Result: result, Nulls: Propagate, Fails: result.Kind == sqltype.Decimal, YieldsNull: true,
		New: func([]*vector.Value) (Kernel, error) {
			return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				return average(args[0], args[1], sel, out)
			}, nil
		}}
}

func average(sum, count *vector.Vector, sel []int32, out *vector.Vector) error {
	counts := columnOf[int64](count)
	n := out.Len
	if sel != nil {
		n = len(sel)
	}
	for k := range n {
		i := row(sel, k)
		if out.Valid != nil && !out.Valid.Get(i) {
			continue
		}
		c := counts.at(i)
		if c == 0 {
			out.SetNull(i)
			continue
		}
		switch {
		case sum.Type.Kind == sqltype.Double:
			vector.Values[float64](out)[i] = finishFloatAvg(columnOf[float64](sum).at(i), c)
		case out.Type.Kind == sqltype.Double:
			vector.Values[float64](out)[i] = columnOf[int128.Int](sum).at(i).Float64() / float64(c)
		default:
			q, ok := scaledQuotient(columnOf[int128.Int](sum).at(i), int128.FromInt64(c), int(out.Type.Scale)-int(sum.Type.Scale))
			if !ok || !within(q, int128.Pow10[maxPrecision]) {
				return outOfRange(out.Type, "avg")
			}
			vector.Values[int128.Int](out)[i] = q
		}
	}
	return nil
}
