package vector

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Value is one scalar outside of any vector: a literal, a bound of statistics, a
// parameter. It is for planning and for the edges, never for row loops.
//
// By layout: booleans are 0 or 1 in I.Lo; all integers, dates, times and decimals
// (unscaled) are in I; floats in F; strings and binaries in S.
type Value struct {
	Type sqltype.Type
	Null bool
	I    int128.Int
	F    float64
	S    string
}

// NullOf is NULL of type t.
func NullOf(t sqltype.Type) Value { return Value{Type: t, Null: true} }

// IntValue is an integer, date, time or unscaled decimal that fits 64 bits.
func IntValue(t sqltype.Type, v int64) Value { return Value{Type: t, I: int128.FromInt64(v)} }

// BoolValue is a BOOLEAN.
func BoolValue(b bool) Value {
	v := Value{Type: sqltype.T(sqltype.Boolean)}
	if b {
		v.I.Lo = 1
	}
	return v
}

// FloatValue is a DOUBLE.
func FloatValue(f float64) Value { return Value{Type: sqltype.T(sqltype.Double), F: f} }

// StringValue is a string of type t.
func StringValue(t sqltype.Type, s string) Value { return Value{Type: t, S: s} }

// Int64 is I as an int64; only for values that fit.
func (x Value) Int64() int64 { return int64(x.I.Lo) }

// IsTrue reports a non-null, non-zero BOOLEAN.
func (x Value) IsTrue() bool { return !x.Null && x.I.Lo != 0 }

// Value is row i of v, in any form.
func (v *Vector) Value(i int) Value {
	if v.IsNull(i) {
		return NullOf(v.Type)
	}
	if v.Form == Dictionary {
		return v.Dict.Value(int(v.Codes[i]))
	}
	i = v.index(i)
	x := Value{Type: v.Type}
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		if Values[bool](v)[i] {
			x.I.Lo = 1
		}
	case sqltype.PhysInt8:
		x.I = int128.FromInt64(int64(Values[int8](v)[i]))
	case sqltype.PhysInt16:
		x.I = int128.FromInt64(int64(Values[int16](v)[i]))
	case sqltype.PhysInt32:
		x.I = int128.FromInt64(int64(Values[int32](v)[i]))
	case sqltype.PhysInt64:
		x.I = int128.FromInt64(Values[int64](v)[i])
	case sqltype.PhysInt128:
		x.I = Values[int128.Int](v)[i]
	case sqltype.PhysFloat32:
		x.F = float64(Values[float32](v)[i])
	case sqltype.PhysFloat64:
		x.F = Values[float64](v)[i]
	case sqltype.PhysString:
		x.S = string(Values[View](v)[i].Bytes(v.Bufs))
	default:
		panic(invariant.Failed("value of %s", v.Type))
	}
	return x
}

// SetValue stores x, of v's type, as row i of a flat vector that the caller owns.
func (v *Vector) SetValue(i int, x Value) {
	if x.Null {
		v.SetNull(i)
		return
	}
	if v.Valid != nil {
		v.Valid.Set(i)
	}
	switch v.Type.Physical() {
	case sqltype.PhysNone:
	case sqltype.PhysBool:
		Values[bool](v)[i] = x.I.Lo != 0
	case sqltype.PhysInt8:
		Values[int8](v)[i] = int8(x.I.Lo)
	case sqltype.PhysInt16:
		Values[int16](v)[i] = int16(x.I.Lo)
	case sqltype.PhysInt32:
		Values[int32](v)[i] = int32(x.I.Lo)
	case sqltype.PhysInt64:
		Values[int64](v)[i] = int64(x.I.Lo)
	case sqltype.PhysInt128:
		Values[int128.Int](v)[i] = x.I
	case sqltype.PhysFloat32:
		Values[float32](v)[i] = float32(x.F)
	case sqltype.PhysFloat64:
		Values[float64](v)[i] = x.F
	case sqltype.PhysString:
		v.SetString(i, x.S)
	default:
		panic(invariant.Failed("value of %s", v.Type))
	}
}

// Compare orders two non-null values of the same type: -1, 0, 1. NaN is the largest
// float and equal to itself.
func (x Value) Compare(y Value) int {
	switch x.Type.Physical() {
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		return CompareFloat(x.F, y.F)
	case sqltype.PhysString:
		switch {
		case x.S < y.S:
			return -1
		case x.S > y.S:
			return 1
		}
		return 0
	}
	return x.I.Cmp(y.I)
}

// CompareFloat orders floats with NaN as the largest and equal to itself, -0 equal to +0.
func CompareFloat[T float32 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	an, bn := a != a, b != b
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	}
	return -1
}
