package eval

import (
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

var (
	money = sqltype.DecimalOf(15, 2)
	rate  = sqltype.DecimalOf(4, 2)
	whole = sqltype.DecimalOf(18, 0)
	large = sqltype.DecimalOf(38, 2)
)

// narrowColumns are the columns of TestNarrow's batches.
var narrowColumns = []sqltype.Type{money, money, rate, rate, whole, large}

// randomDecimal is of any size that t has: of most batches all values are small, of some a few are not.
func randomDecimal(r *rand.Rand, t sqltype.Type, n, digits int) *vector.Vector {
	value := func() vector.Value {
		x := int128.FromInt64(r.Int63n(1000) - 500)
		if r.Intn(4) == 0 {
			bound := int128.Pow10[min(digits, int(t.Precision))]
			x = bound.AddInt64(-1)
			if r.Intn(2) == 0 {
				x = x.Neg()
			}
		}
		return vector.Value{Type: t, I: x}
	}
	var v *vector.Vector
	switch r.Intn(4) {
	case 0:
		return vector.NewConstant(value(), n)
	case 1:
		dict := vector.New(t, 1+r.Intn(6))
		for i := range dict.Len {
			dict.SetValue(i, value())
		}
		codes := make([]int32, n)
		for i := range codes {
			codes[i] = int32(r.Intn(dict.Len))
		}
		v = vector.NewDictionary(dict, codes, nil)
	default:
		v = vector.New(t, n)
		for i := range n {
			v.SetValue(i, value())
		}
	}
	if r.Intn(3) == 0 {
		v.Valid = vector.NewBitmap(n)
		for i := range n {
			if r.Intn(4) == 0 {
				v.Valid.Clear(i)
			}
		}
	}
	return v
}

// TestNarrow compares products and sums that may be computed in 64 bits with those of one row by 128 bits.
func TestNarrow(t *testing.T) {
	g := &generator{t: t}
	col := func(i int) expr.Expr {
		return &expr.Field{Index: expr.FieldIndex(i), T: narrowColumns[i], Null: true}
	}
	op := func(name string, a, b expr.Expr) expr.Expr {
		in := []function.Arg{{Type: a.Type()}, {Type: b.Type()}}
		fn, err := function.Resolve(name, in)
		if err != nil {
			t.Fatal(err)
		}
		args := []expr.Expr{a, b}
		for i, p := range fn.Params {
			if c, err := function.Cast(args[i].Type(), p); err != nil {
				t.Fatal(err)
			} else if c != nil {
				args[i] = &expr.Call{Fn: c, Args: []expr.Expr{args[i]}}
			}
		}
		return &expr.Call{Fn: fn, Args: args}
	}
	one := &expr.Literal{Value: vector.Value{Type: rate, I: int128.FromInt64(100)}}
	price := op("*", col(0), op("-", one, col(2)))
	charge := op("*", price, op("+", one, col(3)))
	es := []expr.Expr{
		price, charge, price, op("*", col(0), col(1)), op("-", price, op("*", col(1), col(4))), op("+", op("*", col(0), col(0)), col(5)),
		op("*", col(5), one), op("-", one, op("*", one, col(4))), g.cast(price, sqltype.DecimalOf(38, 6)), op("*", col(2), col(4)),
	}
	narrow := 0
	for seed := range int64(40) {
		r := rand.New(rand.NewSource(seed))
		set, err := CompileAll(es, &function.Context{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range es {
			if r.Intn(4) > 0 {
				set.AllowNarrow(i)
			}
		}
		for range 8 {
			n := 1 + r.Intn(40)
			cols := make([]*vector.Vector, len(narrowColumns))
			for i, typ := range narrowColumns {
				cols[i] = randomDecimal(r, typ, n, []int{1, 5, 9, 18, 20}[r.Intn(5)])
			}
			var sel []int32
			if share := r.Intn(3); share > 0 {
				sel = []int32{}
				for i := range n {
					if r.Intn(8) < 4*share-1 {
						sel = append(sel, int32(i))
					}
				}
			}
			checkBatch(t, seed, es, set, cols, n, sel)
			for i, v := range set.out {
				if v.Type.Physical() == sqltype.PhysInt64 && es[i].Type().Physical() == sqltype.PhysInt128 {
					narrow++
				}
			}
		}
	}
	if narrow < 300 {
		t.Errorf("only %d results were narrow", narrow)
	}
}
