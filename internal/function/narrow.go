package function

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Narrow arithmetic. A DECIMAL of more than 18 digits takes 128 bits a value, though most
// products and sums of real columns fit 64. Where a call's operands and its reader allow
// it, the evaluator computes a batch in 64 bits: the values themselves say, before any is
// computed, that no result can overflow. Types and statistics are not asked: types promise too much,
// statistics of files may be wrong.

// NarrowKernel is a kernel of DECIMALs of any precision on vectors whose layout is int64
// (see NarrowType), whatever the parameters' types say. args are flat, constant or
// dictionary vectors, none of them a NULL constant; limits[i] bounds argument i: all its values
// lie within ±2^limits[i]. It computes at least the rows of sel (nil: all) of out, which
// is flat, of a narrow type and Reset to its length with Valid already set, and returns the bound
// of the results; false, with out meaningless, where it cannot tell that all fit.
type NarrowKernel func(args []*vector.Vector, limits []int, sel []int32, out *vector.Vector) (int, bool)

// NarrowType is the type of a narrow vector of DECIMALs of type t: it has t's scale and 64 bits a value.
func NarrowType(t sqltype.Type) sqltype.Type {
	t.Precision = sqltype.MaxShortDecimal
	return t
}

// isWide tells DECIMALs of 128 bits.
func isWide(t sqltype.Type) bool {
	return t.Kind == sqltype.Decimal && t.Physical() == sqltype.PhysInt128
}

// maxNarrowBits bounds results: |x| <= 2^62 fits an int64.
const maxNarrowBits = 62

// Magnitude is the least b such that all values of an int64 vector in any form lie within ±2^b;
// of a flat one, those of sel (nil: all).
func Magnitude(v *vector.Vector, sel []int32) int {
	if v.Form == vector.Dictionary {
		v, sel = v.Dict, nil
	}
	vals := vector.Values[int64](v)
	if v.Form != vector.Flat {
		return magnitude(vals)
	}
	if dense(sel, len(vals)) {
		if b := magnitude(vals); b <= maxNarrowBits/2 || sel == nil {
			return b
		} // rows that are not selected may hold anything
	}
	var m int64
	for _, i := range sel {
		m |= vals[i] ^ vals[i]>>63
	}
	return bits.Len64(uint64(m))
}

func magnitude(vals []int64) int {
	var a, b, c, d int64
	for len(vals) >= 4 {
		v, w, x, y := vals[0], vals[1], vals[2], vals[3]
		a |= v ^ v>>63
		b |= w ^ w>>63
		c |= x ^ x>>63
		d |= y ^ y>>63
		vals = vals[4:]
	}
	for _, v := range vals {
		a |= v ^ v>>63
	}
	return bits.Len64(uint64(a | b | c | d))
}

// dense tells that running over all n rows is faster than over those of sel.
func dense(sel []int32, n int) bool { return sel == nil || 4*len(sel) >= 3*n }

// narrowMul multiplies.
func narrowMul() NarrowKernel {
	var memory [2]vector.Vector
	return func(args []*vector.Vector, limits []int, sel []int32, out *vector.Vector) (int, bool) {
		limit := limits[0] + limits[1]
		if limit > maxNarrowBits {
			return 0, false
		}
		a, b, _ := narrowOperands(args, sel, &memory)
		x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int64](out)
		switch {
		case !dense(sel, len(dst)):
			mb := formMask(b)
			for _, r := range sel {
				i := int(r)
				dst[i] = x[i] * y[i&mb]
			}
		case b.Form == vector.Constant:
			mulConstant(dst, x, y[0])
		case b.Form == vector.Dictionary:
			x, codes, entries := x[:len(dst)], b.Codes[:len(dst)], vector.Values[int64](b.Dict)
			for i := range dst {
				var e int64
				if c := codes[i]; uint(c) < uint(len(entries)) { // codes of rows that are not selected may be anything
					e = entries[c]
				}
				dst[i] = x[i] * e
			}
		default:
			x, y = x[:len(dst)], y[:len(dst)]
			for i := range dst {
				dst[i] = x[i] * y[i]
			}
		}
		return limit, true
	}
}

// narrowAdd adds or subtracts.
func narrowAdd(op arithOp) func() NarrowKernel {
	sign := int64(1)
	if op == opSub {
		sign = -1
	}
	return func() NarrowKernel {
		var memory [2]vector.Vector
		return func(args []*vector.Vector, limits []int, sel []int32, out *vector.Vector) (int, bool) {
			limit := max(limits[0], limits[1]) + 1
			if limit > maxNarrowBits {
				return 0, false
			}
			sx, sy := int64(1), sign
			a, b, swapped := narrowOperands(args, sel, &memory)
			if swapped {
				sx, sy = sy, sx
			}
			x, y, dst := vector.Values[int64](a), vector.Values[int64](b), vector.Values[int64](out)
			switch {
			case !dense(sel, len(dst)):
				mb := formMask(b)
				for _, r := range sel {
					i := int(r)
					dst[i] = sx*x[i] + sy*y[i&mb]
				}
			case b.Form == vector.Constant:
				x, c := x[:len(dst)], sy*y[0]
				for i := range dst {
					dst[i] = sx*x[i] + c
				}
			case b.Form == vector.Dictionary:
				x, codes, entries := x[:len(dst)], b.Codes[:len(dst)], vector.Values[int64](b.Dict)
				for i := range dst {
					var e int64
					if c := codes[i]; uint(c) < uint(len(entries)) {
						e = entries[c]
					}
					dst[i] = sx*x[i] + sy*e
				}
			default:
				x, y = x[:len(dst)], y[:len(dst)]
				for i := range dst {
					dst[i] = sx*x[i] + sy*y[i]
				}
			}
			return limit, true
		}
	}
}

// narrowScale multiplies by a power of ten: a cast to a DECIMAL of more digits, which holds every narrow result.
func narrowScale(shift int) func() NarrowKernel {
	factor := int64(int128.Pow10[shift].Lo)
	by := vector.FromValues(NarrowType(sqltype.DecimalOf(maxPrecision, 0)), []int64{factor}, nil)
	by.Form = vector.Constant
	return func() NarrowKernel {
		mul := narrowMul()
		args, limits := []*vector.Vector{nil, by}, []int{0, bits.Len64(uint64(factor - 1))}
		return func(from []*vector.Vector, of []int, sel []int32, out *vector.Vector) (int, bool) {
			args[0], limits[0] = from[0], of[0]
			return mul(args, limits, sel, out)
		}
	}
}

// narrowOperands puts the arguments of a binary kernel into forms that its loops have: a flat,
// b any form where the loops run over all rows, else flat or constant. swapped tells that a is the second argument.
func narrowOperands(args []*vector.Vector, sel []int32, memory *[2]vector.Vector) (a, b *vector.Vector, swapped bool) {
	a, b = args[0], args[1]
	if a.Form == vector.Constant || a.Form == vector.Dictionary && b.Form == vector.Flat {
		a, b, swapped = b, a, true
	}
	if a.Form == vector.Dictionary {
		a = a.FlattenInPlace(sel, &memory[0])
	}
	if b.Form == vector.Dictionary && !dense(sel, b.Len) {
		b = b.FlattenInPlace(sel, &memory[1])
	}
	return a, b, swapped
}

// Widen is v, a narrow vector in any form, in the layout of the wide type t, in out's memory; rows
// stay where they are, and validity is shared.
func Widen(v *vector.Vector, t sqltype.Type, sel []int32, out *vector.Vector) *vector.Vector {
	if v.Form == vector.Dictionary {
		v = v.FlattenInPlace(sel, &vector.Vector{})
	}
	x := vector.Values[int64](v)
	out.Type = t
	out.Reset(len(x))
	dst := vector.Values[int128.Int](out)
	if dense(sel, len(x)) || v.Form == vector.Constant {
		for i, y := range x {
			dst[i] = int128.FromInt64(y)
		}
	} else {
		for _, i := range sel {
			dst[i] = int128.FromInt64(x[i])
		}
	}
	out.Form, out.Len, out.Valid = v.Form, v.Len, v.Valid
	return out
}
