package int128

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func toBig(x Int) *big.Int {
	z := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return z.Add(z, new(big.Int).SetUint64(x.Lo))
}

func random(r *rand.Rand) Int {
	x := Int{r.Uint64(), int64(r.Uint64())}
	switch r.IntN(4) {
	case 0:
		return FromInt64(int64(x.Lo) >> r.IntN(64))
	case 1:
		return Int{x.Lo, x.Hi >> r.IntN(64)}
	case 2:
		return [...]Int{Min, Max, {}, FromInt64(-1), FromInt64(1)}[r.IntN(5)]
	}
	return x
}

// TestAgainstBig compares every operation with math/big on random and extreme values.
func TestAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lo, hi := toBig(Min), toBig(Max)
	fits := func(z *big.Int) bool { return z.Cmp(lo) >= 0 && z.Cmp(hi) <= 0 }
	for range 50000 {
		x, y := random(r), random(r)
		bx, by := toBig(x), toBig(y)
		check := func(op string, got Int, ok bool, want *big.Int) {
			t.Helper()
			if ok != fits(want) || ok && toBig(got).Cmp(want) != 0 {
				t.Fatalf("%v %s %v: got %v %v, want %v", bx, op, by, got, ok, want)
			}
		}
		s, ok := x.AddOK(y)
		check("+", s, ok, new(big.Int).Add(bx, by))
		s, ok = x.SubOK(y)
		check("-", s, ok, new(big.Int).Sub(bx, by))
		s, ok = x.MulOK(y)
		check("*", s, ok, new(big.Int).Mul(bx, by))
		if x.Cmp(y) != bx.Cmp(by) || x.Less(y) != (bx.Cmp(by) < 0) {
			t.Fatalf("cmp %v %v", bx, by)
		}
		if y.Sign() != 0 && !(x == Min && y == FromInt64(-1)) {
			q, m := x.QuoRem(y)
			bq, bm := new(big.Int).QuoRem(bx, by, new(big.Int))
			check("/", q, true, bq)
			check("rem", m, true, bm)
		}
		if x.String() != bx.String() {
			t.Fatalf("text %v: %s", bx, x)
		}
		if p, ok := Parse(bx.String()); !ok || p != x {
			t.Fatalf("parse %v: %v %v", bx, p, ok)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	check := func(v int64, scale int, want string) {
		t.Helper()
		if got := string(AppendDecimal(nil, FromInt64(v), scale)); got != want {
			t.Errorf("%d scale %d: got %s, want %s", v, scale, got, want)
		}
	}
	check(0, 0, "0")
	check(0, 2, "0.00")
	check(5, 2, "0.05")
	check(-5, 2, "-0.05")
	check(12345, 2, "123.45")
	check(1, 20, "0.00000000000000000001")
	if got := string(AppendDecimal(nil, Pow10[38], 19)); got != "10000000000000000000.0000000000000000000" {
		t.Error(got)
	}
	if _, ok := Parse("170141183460469231731687303715884105728"); ok {
		t.Error("overflow parsed")
	}
}
