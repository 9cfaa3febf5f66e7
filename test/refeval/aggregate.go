package refeval

import (
	"math/big"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// aggregateOf computes one aggregate over the rows of a group.
func aggregateOf(a *expr.Aggregate, rows []*env) vector.Value {
	t := a.Fn.Result
	var vals []vector.Value
	seen := map[string]bool{}
	for _, e := range rows {
		if a.Filter != nil && !scalar(a.Filter, e).IsTrue() {
			continue
		}
		args := make(Row, len(a.Args))
		null := false
		for i, x := range a.Args {
			args[i] = scalar(x, e)
			null = null || args[i].Null
		}
		if null {
			continue
		}
		if a.Distinct {
			if k := key(args); seen[k] {
				continue
			} else {
				seen[k] = true
			}
		}
		if len(args) == 0 {
			args = Row{vector.BoolValue(true)} // count(*)
		}
		vals = append(vals, args[0])
	}
	if a.Fn.Name == "count" {
		return vector.IntValue(t, int64(len(vals)))
	}
	if len(vals) == 0 {
		return vector.NullOf(t)
	}
	switch a.Fn.Name {
	case "min", "max":
		best := vals[0]
		for _, v := range vals[1:] {
			if c := v.Compare(best); c != 0 && (c < 0) == (a.Fn.Name == "min") {
				best = v
			}
		}
		best.Type = t
		return best
	case "sum", "avg":
		return sumOf(a.Fn.Name == "avg", vals, t)
	}
	fail("aggregate %s", a.Fn.Name)
	return vector.Value{}
}

func sumOf(avg bool, vals []vector.Value, t sqltype.Type) vector.Value {
	if vals[0].Type.IsFloat() {
		sum := 0.0
		for _, v := range vals {
			sum += v.F
		}
		if avg {
			sum /= float64(len(vals))
		}
		return vector.Value{Type: t, F: sum}
	}
	total := new(big.Int)
	for _, v := range vals {
		total.Add(total, bigOf(v.I))
	}
	switch {
	case t.IsFloat(): // average of integers
		f, _ := new(big.Rat).SetFrac(total, big.NewInt(int64(len(vals)))).Float64()
		return vector.Value{Type: t, F: f}
	case avg:
		total.Mul(total, pow10(int(t.Scale)-int(vals[0].Type.Scale)))
		total = divideHalfUp(total, big.NewInt(int64(len(vals))))
	}
	x, ok := int128.Parse(total.String())
	if !ok {
		fail("sum out of range")
	}
	return vector.Value{Type: t, I: x}
}

func bigOf(x int128.Int) *big.Int {
	z, _ := new(big.Int).SetString(x.String(), 10)
	return z
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// divideHalfUp rounds halves away from zero.
func divideHalfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(b) >= 0 {
		if (a.Sign() < 0) != (b.Sign() < 0) {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}
