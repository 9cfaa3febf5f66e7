package function

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveAvg: decimals give DECIMAL(38, max(s, 4)) rounded half up, all else DOUBLE.
func resolveAvg(name string, args []Arg) (*Aggregate, error) {
	t, err := sumParam(name, args)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Params: []sqltype.Type{t}, NullOnEmpty: true, Result: tDouble}
	switch {
	case t.Kind == sqltype.Double:
		a.NewAccumulator = accumulator(func() Accumulator { return &floatSum{finish: finishFloatAvg} })
	case t.Kind == sqltype.Decimal:
		shift := max(0, 4-int(t.Scale))
		a.Result, a.Narrow = sqltype.DecimalOf(maxPrecision, int(t.Scale)+shift), true
		a.NewAccumulator = sumOf(t, func(sum int128.Int, n int64, i int, out *vector.Vector) error {
			q, ok := scaledQuotient(sum, int128.FromInt64(n), shift)
			if !ok || !within(q, int128.Pow10[maxPrecision]) {
				return outOfRange(out.Type, "avg")
			}
			vector.Values[int128.Int](out)[i] = q
			return nil
		})
	default:
		a.NewAccumulator = sumOf(t, func(sum int128.Int, n int64, i int, out *vector.Vector) error {
			vector.Values[float64](out)[i] = sum.Float64() / float64(n)
			return nil
		})
	}
	return a, nil
}
