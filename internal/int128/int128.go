// Package int128 is 128-bit signed two's complement arithmetic, for LARGEINT, wide
// decimals and sums. Values are plain data, 16 bytes, little-endian word order, the
// layout of Arrow's decimal128.
package int128

import (
	"math"
	"math/big"
	"math/bits"
)

// Int is a signed 128-bit integer.
type Int struct {
	Lo uint64
	Hi int64
}

// Bounds.
var (
	Max = Int{math.MaxUint64, math.MaxInt64}
	Min = Int{0, math.MinInt64}
)

// FromInt64 widens.
func FromInt64(v int64) Int { return Int{uint64(v), v >> 63} }

// FromUint64 widens.
func FromUint64(v uint64) Int { return Int{v, 0} }

// IsInt64 reports whether x fits an int64, so that int64(x.Lo) is x.
func (x Int) IsInt64() bool { return x.Hi == int64(x.Lo)>>63 }

// Sign is -1, 0 or 1.
func (x Int) Sign() int {
	if x.Hi < 0 {
		return -1
	}
	if x.Hi == 0 && x.Lo == 0 {
		return 0
	}
	return 1
}

// Cmp is -1, 0 or 1.
func (x Int) Cmp(y Int) int {
	switch {
	case x.Hi < y.Hi:
		return -1
	case x.Hi > y.Hi:
		return 1
	case x.Lo < y.Lo:
		return -1
	case x.Lo > y.Lo:
		return 1
	}
	return 0
}

// Less reports x < y.
func (x Int) Less(y Int) bool { return x.Hi < y.Hi || x.Hi == y.Hi && x.Lo < y.Lo }

// Add wraps.
func (x Int) Add(y Int) Int {
	lo, c := bits.Add64(x.Lo, y.Lo, 0)
	hi, _ := bits.Add64(uint64(x.Hi), uint64(y.Hi), c)
	return Int{lo, int64(hi)}
}

// AddInt64 wraps.
func (x Int) AddInt64(v int64) Int { return x.Add(FromInt64(v)) }

// Sub wraps.
func (x Int) Sub(y Int) Int {
	lo, b := bits.Sub64(x.Lo, y.Lo, 0)
	hi, _ := bits.Sub64(uint64(x.Hi), uint64(y.Hi), b)
	return Int{lo, int64(hi)}
}

// Neg wraps at Min.
func (x Int) Neg() Int { return Int{}.Sub(x) }

// Abs wraps at Min.
func (x Int) Abs() Int {
	if x.Hi < 0 {
		return x.Neg()
	}
	return x
}

// AddOK is Add and whether it did not overflow.
func (x Int) AddOK(y Int) (Int, bool) {
	z := x.Add(y)
	return z, (x.Hi^z.Hi)&(y.Hi^z.Hi) >= 0
}

// SubOK is Sub and whether it did not overflow.
func (x Int) SubOK(y Int) (Int, bool) {
	z := x.Sub(y)
	return z, (x.Hi^y.Hi)&(x.Hi^z.Hi) >= 0
}

// Mul64 is the exact product of two int64.
func Mul64(a, b int64) Int {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi)
	if a < 0 {
		h -= b
	}
	if b < 0 {
		h -= a
	}
	return Int{lo, h}
}

// MulOK is the product and whether it did not overflow.
func (x Int) MulOK(y Int) (Int, bool) {
	if x.IsInt64() && y.IsInt64() {
		return Mul64(int64(x.Lo), int64(y.Lo)), true
	}
	neg := (x.Hi < 0) != (y.Hi < 0)
	a, b := x.Abs(), y.Abs()
	ah, bh := uint64(a.Hi), uint64(b.Hi)
	if ah != 0 && bh != 0 {
		return Int{}, false
	}
	hi, lo := bits.Mul64(a.Lo, b.Lo)
	c1h, c1 := bits.Mul64(ah, b.Lo)
	c2h, c2 := bits.Mul64(a.Lo, bh)
	if c1h != 0 || c2h != 0 {
		return Int{}, false
	}
	hi, k1 := bits.Add64(hi, c1, 0)
	hi, k2 := bits.Add64(hi, c2, 0)
	if k1 != 0 || k2 != 0 {
		return Int{}, false
	}
	z := Int{lo, int64(hi)}
	if neg {
		if hi > 1<<63 || hi == 1<<63 && lo != 0 {
			return Int{}, false
		}
		return z.Neg(), true
	}
	return z, z.Hi >= 0
}

// QuoRem truncates towards zero; the remainder has x's sign. y must not be zero.
func (x Int) QuoRem(y Int) (q, r Int) {
	a, b := x.Abs(), y.Abs()
	uq, ur := udiv(a, b)
	if (x.Hi < 0) != (y.Hi < 0) {
		uq = uq.Neg()
	}
	if x.Hi < 0 {
		ur = ur.Neg()
	}
	return uq, ur
}

// udiv divides as unsigned 128-bit numbers.
func udiv(a, b Int) (q, r Int) {
	ah, bh := uint64(a.Hi), uint64(b.Hi)
	if bh == 0 {
		if ah == 0 {
			return Int{a.Lo / b.Lo, 0}, Int{a.Lo % b.Lo, 0}
		}
		qh, rh := ah/b.Lo, ah%b.Lo
		ql, rl := bits.Div64(rh, a.Lo, b.Lo)
		return Int{ql, int64(qh)}, Int{rl, 0}
	}
	return slowDiv(a, b)
}

func slowDiv(a, b Int) (q, r Int) {
	x, y := a.ubig(), b.ubig()
	m := new(big.Int)
	x.QuoRem(x, y, m)
	return fromUbig(x), fromUbig(m)
}

func (x Int) ubig() *big.Int {
	z := new(big.Int).SetUint64(uint64(x.Hi))
	z.Lsh(z, 64)
	return z.Or(z, new(big.Int).SetUint64(x.Lo))
}

func fromUbig(z *big.Int) Int {
	lo := new(big.Int).And(z, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	return Int{lo, int64(new(big.Int).Rsh(z, 64).Uint64())}
}

// Float64 rounds to the nearest double (within one unit in the last place).
func (x Int) Float64() float64 {
	if x.IsInt64() {
		return float64(int64(x.Lo))
	}
	if x.Hi < 0 {
		return -x.Neg().ufloat()
	}
	return x.ufloat()
}

func (x Int) ufloat() float64 { return float64(uint64(x.Hi))*(1<<64) + float64(x.Lo) }

// FromFloat64 truncates; ok is false for NaN and values outside the range.
func FromFloat64(f float64) (Int, bool) {
	if f != f || f >= 1<<127 || f < -(1<<127) {
		return Int{}, false
	}
	neg := f < 0
	f = math.Trunc(math.Abs(f))
	hi := math.Floor(f / (1 << 64))
	lo := f - hi*(1<<64)
	var z Int
	if hi >= 1<<63 {
		return Min, true // exactly -(1<<127)
	}
	z = Int{uint64(lo), int64(hi)}
	if neg {
		z = z.Neg()
	}
	return z, true
}

// Pow10 holds 10^0 … 10^38.
var Pow10 = func() (p [39]Int) {
	p[0] = FromInt64(1)
	for i := 1; i < len(p); i++ {
		p[i], _ = p[i-1].MulOK(FromInt64(10))
	}
	return
}()
