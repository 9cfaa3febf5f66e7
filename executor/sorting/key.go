// Package sorting orders rows by binary keys: the sort columns of a row become one byte
// string that compares like the row (bytes.Compare), whatever the types, directions and
// NULL positions.
//
//	key of a column: | 1 byte: NULL before or after values | value bytes |
//	integers, dates, decimals: big endian, sign bit flipped    floats: IEEE order, NaN last, -0 = +0
//	strings: bytes with 00 written 00 FF, ended by 00 00        descending: every value byte inverted
package sorting

import (
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Order is the direction of one key column.
type Order struct {
	Desc       bool
	NullsFirst bool
}

// AppendKey appends the key of row i of v, in any form, and returns dst.
func AppendKey(dst []byte, v *vector.Vector, i int, o Order) []byte {
	null, value := byte(2), byte(1)
	if o.NullsFirst {
		null = 0
	}
	if v.IsNull(i) {
		return append(dst, null)
	}
	dst = append(dst, value)
	start := len(dst)
	if v.Form == vector.Dictionary {
		v, i = v.Dict, int(v.Codes[i])
	}
	if v.Form == vector.Constant {
		i = 0
	}
	dst = appendValue(dst, v, i)
	if o.Desc {
		for k := start; k < len(dst); k++ {
			dst[k] = ^dst[k]
		}
	}
	return dst
}

func appendValue(dst []byte, v *vector.Vector, i int) []byte {
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		if vector.Values[bool](v)[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case sqltype.PhysInt8:
		return append(dst, byte(vector.Values[int8](v)[i])^0x80)
	case sqltype.PhysInt16:
		return binary.BigEndian.AppendUint16(dst, uint16(vector.Values[int16](v)[i])^1<<15)
	case sqltype.PhysInt32:
		return binary.BigEndian.AppendUint32(dst, uint32(vector.Values[int32](v)[i])^1<<31)
	case sqltype.PhysInt64:
		return binary.BigEndian.AppendUint64(dst, uint64(vector.Values[int64](v)[i])^1<<63)
	case sqltype.PhysInt128:
		x := vector.Values[int128.Int](v)[i]
		dst = binary.BigEndian.AppendUint64(dst, uint64(x.Hi)^1<<63)
		return binary.BigEndian.AppendUint64(dst, x.Lo)
	case sqltype.PhysFloat32:
		return appendFloat(dst, float64(vector.Values[float32](v)[i]))
	case sqltype.PhysFloat64:
		return appendFloat(dst, vector.Values[float64](v)[i])
	case sqltype.PhysString:
		for _, c := range vector.Values[vector.View](v)[i].Bytes(v.Bufs) {
			if dst = append(dst, c); c == 0 {
				dst = append(dst, 0xff)
			}
		}
		return append(dst, 0, 0)
	}
	panic(invariant.Failed("sort key of %s", v.Type))
}

func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		f = 0 // -0 sorts as +0
	}
	u := math.Float64bits(f)
	switch {
	case f != f:
		u = math.MaxUint64
	case u>>63 != 0:
		u = ^u
	default:
		u |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, u)
}
