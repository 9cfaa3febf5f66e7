package bucket

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// state is one run of Numbers: the hash of each row so far.
type state struct {
	hash    Hash
	h       []uint32 // indexed by row; its spare capacity holds the hashes of a dictionary
	sel     []int32
	live    int
	seed    uint32
	uniform bool // every row still has the seed
}

func (s *state) row(k int) int {
	if s.sel != nil {
		return int(s.sel[k])
	}
	return k
}

// null is the hash of a row whose next column is NULL.
func (s *state) null(x uint32) uint32 {
	switch s.hash {
	case DorisCRC32:
		return crc4(x, 0)
	case Spark:
		return x
	}
	return 31 * x
}

// column chains one column to all rows.
func (s *state) column(v *vector.Vector) {
	if v.Type.Kind == sqltype.Null {
		for k := range s.live {
			i := s.row(k)
			s.h[i] = s.null(s.h[i])
		}
		return
	}
	switch s.hash {
	case DorisCRC32:
		s.doris(v)
	case HiveV1:
		s.hiveV1(v)
	case HiveV2:
		s.hiveV2(v)
	default:
		s.spark(v)
	}
}

func (s *state) doris(v *vector.Vector) {
	switch v.Type.Kind {
	case sqltype.Date:
		fixed(s, v, func(h uint32, x int32) uint32 { return crc4(h, packedDate(x)) })
		return
	case sqltype.DateTime:
		fixed(s, v, func(h uint32, x int64) uint32 { return crc8(h, packedDateTime(x)) })
		return
	case sqltype.Char:
		text(s, v, crcChar)
		return
	case sqltype.Decimal:
		if v.Type.Precision <= 9 {
			fixed(s, v, func(h uint32, x int64) uint32 { return crc4(h, uint32(x)) })
			return
		}
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8:
		fixed(s, v, crc1)
	case sqltype.PhysInt16:
		fixed(s, v, crc2)
	case sqltype.PhysInt32, sqltype.PhysFloat32:
		fixed(s, v, crc4)
	case sqltype.PhysInt64, sqltype.PhysFloat64:
		fixed(s, v, crc8)
	case sqltype.PhysInt128:
		fixed(s, v, crc16)
	case sqltype.PhysString:
		text(s, v, crcBytes)
	default:
		panic(invariant.Failed("bucket of %s", v.Type))
	}
}

func (s *state) hiveV1(v *vector.Vector) {
	if v.Type.IsNested() {
		s.nested(v)
		return
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		fixed(s, v, func(h uint32, x uint8) uint32 { return 31*h + uint32(x) })
	case sqltype.PhysInt8:
		fixed(s, v, func(h uint32, x int8) uint32 { return 31*h + uint32(int32(x)) })
	case sqltype.PhysInt16:
		fixed(s, v, func(h uint32, x int16) uint32 { return 31*h + uint32(int32(x)) })
	case sqltype.PhysInt32:
		fixed(s, v, func(h uint32, x uint32) uint32 { return 31*h + x })
	case sqltype.PhysInt64:
		fixed(s, v, func(h uint32, x uint64) uint32 { return 31*h + uint32(x^x>>32) })
	case sqltype.PhysFloat32:
		fixed(s, v, func(h uint32, x float32) uint32 { return 31*h + javaFloatBits(x) })
	case sqltype.PhysFloat64:
		fixed(s, v, func(h uint32, x float64) uint32 {
			b := javaDoubleBits(x)
			return 31*h + uint32(b^b>>32)
		})
	case sqltype.PhysString:
		start := uint32(0)
		if v.Type.Kind == sqltype.Varchar || v.Type.Kind == sqltype.Char {
			start = 1
		}
		text(s, v, func(h uint32, b []byte) uint32 {
			x := start
			for _, c := range stripped(v.Type, b) {
				x = 31*x + uint32(int32(int8(c)))
			}
			return 31*h + x
		})
	}
}

func (s *state) hiveV2(v *vector.Vector) {
	if v.Type.IsNested() {
		s.nested(v)
		return
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		fixed(s, v, func(h uint32, x uint8) uint32 { return 31*h + uint32(x) })
	case sqltype.PhysInt8:
		fixed(s, v, func(h uint32, x int8) uint32 { return 31*h + uint32(int32(x)) })
	case sqltype.PhysInt16:
		fixed(s, v, func(h uint32, x int16) uint32 { return 31*h + hive16(x) })
	case sqltype.PhysInt32:
		fixed(s, v, func(h uint32, x uint32) uint32 { return 31*h + hive32(x) })
	case sqltype.PhysInt64:
		fixed(s, v, func(h uint32, x uint64) uint32 { return 31*h + hive64(x) })
	case sqltype.PhysFloat32:
		fixed(s, v, func(h uint32, x float32) uint32 { return 31*h + hiveFloat(x) })
	case sqltype.PhysFloat64:
		fixed(s, v, func(h uint32, x float64) uint32 { return 31*h + hiveDouble(x) })
	case sqltype.PhysString:
		text(s, v, func(h uint32, b []byte) uint32 { return 31*h + murmur3(stripped(v.Type, b)) })
	}
}

func (s *state) spark(v *vector.Vector) {
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		fixed(s, v, func(h uint32, x uint8) uint32 { return spark32(h, uint32(x)) })
	case sqltype.PhysInt8:
		fixed(s, v, func(h uint32, x int8) uint32 { return spark32(h, uint32(int32(x))) })
	case sqltype.PhysInt16:
		fixed(s, v, func(h uint32, x int16) uint32 { return spark32(h, uint32(int32(x))) })
	case sqltype.PhysInt32:
		fixed(s, v, spark32)
	case sqltype.PhysInt64:
		fixed(s, v, spark64)
	case sqltype.PhysInt128:
		fixed(s, v, func(h uint32, x int128.Int) uint32 { return sparkWide(h, x) })
	case sqltype.PhysFloat32: // + 0 turns -0 into 0
		fixed(s, v, func(h uint32, x float32) uint32 { return spark32(h, javaFloatBits(x+0)) })
	case sqltype.PhysFloat64:
		fixed(s, v, func(h uint32, x float64) uint32 { return spark64(h, javaDoubleBits(x+0)) })
	case sqltype.PhysString:
		text(s, v, sparkBytes)
	default:
		panic(invariant.Failed("spark bucket of %s", v.Type))
	}
}

// additive tells hashes whose column hash does not depend on the columns before.
func (s *state) additive() bool { return s.hash == HiveV1 || s.hash == HiveV2 }

// fixed chains a column of fixed-width values; f chains one value.
func fixed[T vector.Fixed](s *state, v *vector.Vector, f func(h uint32, x T) uint32) {
	switch v.Form {
	case vector.Constant:
		x := vector.Values[T](v)[0]
		s.constant(v, func(h uint32) uint32 { return f(h, x) })
	case vector.Dictionary:
		vals := vector.Values[T](v.Dict)
		s.dictionary(v, func(h uint32, code int32) uint32 { return f(h, vals[code]) })
	default:
		vals := vector.Values[T](v)
		for k := range s.live {
			i := s.row(k)
			if v.Valid.Get(i) {
				s.h[i] = f(s.h[i], vals[i])
			} else {
				s.h[i] = s.null(s.h[i])
			}
		}
	}
}

// text chains a column of strings.
func text(s *state, v *vector.Vector, f func(h uint32, b []byte) uint32) {
	switch v.Form {
	case vector.Constant:
		b := vector.Values[vector.View](v)[0].Bytes(v.Bufs)
		s.constant(v, func(h uint32) uint32 { return f(h, b) })
	case vector.Dictionary:
		vals, bufs := vector.Values[vector.View](v.Dict), v.Dict.Bufs
		s.dictionary(v, func(h uint32, code int32) uint32 { return f(h, vals[code].Bytes(bufs)) })
	default:
		vals := vector.Values[vector.View](v)
		for k := range s.live {
			i := s.row(k)
			if v.Valid.Get(i) {
				s.h[i] = f(s.h[i], vals[i].Bytes(v.Bufs))
			} else {
				s.h[i] = s.null(s.h[i])
			}
		}
	}
}

// constant chains one value to all rows.
func (s *state) constant(v *vector.Vector, f func(h uint32) uint32) {
	if v.IsNull(0) {
		f = s.null
	}
	if s.uniform {
		x := f(s.seed)
		for k := range s.live {
			s.h[s.row(k)] = x
		}
		return
	}
	for k := range s.live {
		i := s.row(k)
		s.h[i] = f(s.h[i])
	}
}

// dictionary chains coded rows. Where the hash of a value does not depend on the row, each
// entry is hashed once.
func (s *state) dictionary(v *vector.Vector, f func(h uint32, code int32) uint32) {
	if v.Dict.Len > s.live || !s.uniform && !s.additive() {
		for k := range s.live {
			i := s.row(k)
			if v.Valid.Get(i) {
				s.h[i] = f(s.h[i], v.Codes[i])
			} else {
				s.h[i] = s.null(s.h[i])
			}
		}
		return
	}
	n := len(s.h)
	if cap(s.h) < n+v.Dict.Len {
		next := make([]uint32, n, n+v.Dict.Len)
		copy(next, s.h)
		s.h = next
	}
	entries := s.h[n : n+v.Dict.Len]
	start := s.seed
	if s.additive() {
		start = 0
	}
	for k := range entries {
		entries[k] = f(start, int32(k))
	}
	for k := range s.live {
		i := s.row(k)
		switch {
		case !v.Valid.Get(i):
			s.h[i] = s.null(s.h[i])
		case s.additive():
			s.h[i] = 31*s.h[i] + entries[v.Codes[i]]
		default:
			s.h[i] = entries[v.Codes[i]]
		}
	}
}

// nested chains a Hive column of arrays, maps or structs, row by row.
func (s *state) nested(v *vector.Vector) {
	for k := range s.live {
		i := s.row(k)
		s.h[i] = 31*s.h[i] + hiveElement(s.hash, v, i)
	}
}

// hiveElement is Hive's hash of row i of v.
func hiveElement(h Hash, v *vector.Vector, i int) uint32 {
	if v.IsNull(i) {
		return 0
	}
	var x uint32
	switch v.Type.Kind {
	case sqltype.Array:
		elems := vector.New(v.Type.Nested.Elems[0], 0)
		e := vector.DecodeElements(elems.Type, v.Bytes(i))
		e.AppendTo(elems)
		for k := range elems.Len {
			x = 31*x + hiveElement(h, elems, k)
		}
		return x
	case sqltype.Map: // the second version hashes values with the first
		k, e := vector.DecodeMap(v.Type, v.Bytes(i))
		keys, values := vector.New(k.Type, 0), vector.New(e.Type, 0)
		k.AppendTo(keys)
		e.AppendTo(values)
		for k := range keys.Len {
			x += hiveElement(h, keys, k) ^ hiveElement(HiveV1, values, k)
		}
		return x
	case sqltype.Struct:
		f := vector.DecodeStruct(v.Type, v.Bytes(i))
		for k, t := range v.Type.Nested.Elems {
			field := vector.New(t, 1)
			f.StoreTo(k, field, 0)
			x = 31*x + hiveElement(h, field, 0)
		}
		return x
	}
	if h == HiveV1 {
		return hiveV1Value(v.Value(i))
	}
	return hiveV2Value(v.Value(i))
}
