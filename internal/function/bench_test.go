package function

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

const benchRows = vector.BatchRows

func benchInts(t sqltype.Type, limit int64) *vector.Vector {
	r := rand.New(rand.NewPCG(1, 1))
	v := vector.New(t, benchRows)
	for i := range benchRows {
		v.SetValue(i, vector.IntValue(t, r.Int64N(limit)))
	}
	return v
}

func benchTexts(words ...string) *vector.Vector {
	r := rand.New(rand.NewPCG(1, 1))
	v := vector.New(tString, benchRows)
	for i := range benchRows {
		v.SetString(i, words[r.IntN(len(words))])
	}
	return v
}

func constant(v vector.Value) *vector.Vector { return vector.NewConstant(v, benchRows) }

// BenchmarkScalar runs hot kernels over one batch; SetBytes counts rows, so MB/s reads as million rows a second.
func BenchmarkScalar(b *testing.B) {
	price, disc := benchInts(sqltype.DecimalOf(15, 2), 10_000_000), benchInts(sqltype.DecimalOf(15, 2), 10)
	one := constant(vector.IntValue(sqltype.DecimalOf(16, 2), 100))
	big := benchInts(tBigInt, 1<<40)
	days := benchInts(tDate, 12000)
	comments := benchTexts("carefully final deposits detect slyly agai", "furiously special packages sleep among the requests", "even, regular ideas nag")
	flags := benchTexts("AIR", "REG AIR", "MAIL", "SHIP")
	wideType := sqltype.DecimalOf(31, 4)
	wideCol := benchInts(wideType, 1<<40)
	for _, c := range []struct {
		name string
		fn   string
		args []*vector.Vector
	}{
		{"add_bigint", "+", []*vector.Vector{big, big}},
		{"add_bigint_constant", "+", []*vector.Vector{big, constant(vector.IntValue(tBigInt, 7))}},
		{"add_int", "+", []*vector.Vector{benchInts(tInt, 1000), benchInts(tInt, 1000)}},
		{"mul_bigint", "*", []*vector.Vector{benchInts(tBigInt, 1000), benchInts(tBigInt, 1000)}},
		{"sub_decimal", "-", []*vector.Vector{one, disc}},
		{"mul_decimal_wide", "*", []*vector.Vector{price, disc}},
		{"mul_decimal_31x16", "*", []*vector.Vector{wideCol, disc}},
		{"div_decimal", "/", []*vector.Vector{price, price}},
		{"less_date", "<", []*vector.Vector{days, constant(vector.IntValue(tDate, 6000))}},
		{"equal_text", "=", []*vector.Vector{flags, constant(vector.StringValue(tString, "MAIL"))}},
		{"year", "year", []*vector.Vector{days}},
		{"substring", "substring", []*vector.Vector{comments, constant(vector.IntValue(tBigInt, 1)), constant(vector.IntValue(tBigInt, 20))}},
		{"upper", "upper", []*vector.Vector{comments}},
		{"case", "case", []*vector.Vector{constant(vector.BoolValue(true)), price, disc}},
	} {
		args := make([]Arg, len(c.args))
		consts := make([]*vector.Value, len(c.args))
		for i, a := range c.args {
			args[i].Type = a.Type
			if a.Form == vector.Constant {
				v := a.Value(0)
				args[i].Const, consts[i] = &v, &v
			}
		}
		fn, err := Resolve(c.fn, args)
		if err != nil {
			b.Fatal(err)
		}
		kernel, err := fn.New(consts)
		if err != nil {
			b.Fatal(err)
		}
		out := vector.New(fn.Result, benchRows)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(benchRows)
			for b.Loop() {
				out.Reset(benchRows)
				if err := kernel(testContext, c.args, nil, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSelect runs filter forms over one batch.
func BenchmarkSelect(b *testing.B) {
	days := benchInts(tDate, 12000)
	quantity := benchInts(sqltype.DecimalOf(15, 2), 5000)
	flags := benchTexts("AIR", "REG AIR", "MAIL", "SHIP")
	comments := benchTexts("carefully final deposits detect slyly agai", "furiously special packages sleep among the requests", "even, regular ideas nag")
	text := func(s string) *vector.Vector { return constant(vector.StringValue(tString, s)) }
	for _, c := range []struct {
		name, fn string
		args     []*vector.Vector
	}{
		{"less_date", "<", []*vector.Vector{days, constant(vector.IntValue(tDate, 6000))}},
		{"less_decimal", "<", []*vector.Vector{quantity, constant(vector.IntValue(quantity.Type, 2400))}},
		{"less_date_date", "<", []*vector.Vector{days, benchInts(tDate, 12000)}},
		{"equal_text", "=", []*vector.Vector{flags, text("MAIL")}},
		{"in_text", "in", []*vector.Vector{flags, text("MAIL"), text("SHIP")}},
		{"in_int", "in", []*vector.Vector{days, constant(vector.IntValue(tDate, 1)), constant(vector.IntValue(tDate, 100)), constant(vector.IntValue(tDate, 1000)), constant(vector.IntValue(tDate, 5000)), constant(vector.IntValue(tDate, 7000))}},
		{"like_contains", "like", []*vector.Vector{comments, text("%special%")}},
		{"like_two", "like", []*vector.Vector{comments, text("%special%requests%")}},
		{"like_prefix", "like", []*vector.Vector{comments, text("even%")}},
	} {
		args := make([]Arg, len(c.args))
		consts := make([]*vector.Value, len(c.args))
		for i, a := range c.args {
			args[i].Type = a.Type
			if a.Form == vector.Constant {
				v := a.Value(0)
				args[i].Const, consts[i] = &v, &v
			}
		}
		fn, err := Resolve(c.fn, args)
		if err != nil {
			b.Fatal(err)
		}
		for i, p := range fn.Params {
			if p.Physical() != args[i].Type.Physical() {
				b.Fatalf("%s: argument %d needs a cast to %s", c.name, i, p)
			}
		}
		sel, err := fn.NewSelector(consts)
		if err != nil {
			b.Fatal(err)
		}
		dst := make([]int32, 0, benchRows)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(benchRows)
			for b.Loop() {
				if _, err := sel(testContext, c.args, benchRows, nil, dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAggregate updates 4 groups, and one.
func BenchmarkAggregate(b *testing.B) {
	groups := make([]uint32, benchRows)
	for i := range groups {
		groups[i] = uint32(i*7) % 4
	}
	for _, c := range []struct {
		fn  string
		col *vector.Vector
	}{{"sum", benchInts(sqltype.DecimalOf(15, 2), 1e7)}, {"sum", benchInts(sqltype.DecimalOf(31, 4), 1e12)}, {"avg", benchInts(tInt, 1000)}, {"count", benchInts(tInt, 1000)}, {"min", benchInts(tDate, 1000)}, {"max", benchTexts("AIR", "REG AIR", "MAIL", "SHIP")}} {
		fn, err := ResolveAggregate(c.fn, []Arg{{Type: c.col.Type}})
		if err != nil {
			b.Fatal(err)
		}
		acc, err := fn.NewAccumulator(testContext, []*vector.Value{nil})
		if err != nil {
			b.Fatal(err)
		}
		acc.Grow(4)
		name := fmt.Sprintf("%s_%s", c.fn, c.col.Type)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchRows)
			for b.Loop() {
				if err := acc.Update(groups, []*vector.Vector{c.col}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"_single", func(b *testing.B) {
			b.SetBytes(benchRows)
			for b.Loop() {
				if err := acc.(SingleGroup).UpdateOne(0, []*vector.Vector{c.col}, nil, benchRows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
