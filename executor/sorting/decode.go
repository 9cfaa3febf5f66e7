package sorting

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// First is the value of the first column, c, of an encoded key; ok is false for types that are not
// decoded. -0 comes back as 0.
func First(c Column, key []byte) (v vector.Value, ok bool) {
	null := byte(1)
	if c.NullsFirst {
		null = 0
	}
	if key[0] == null {
		return vector.NullOf(c.Type), true
	}
	p := bytes.Clone(key[1:])
	if c.Desc {
		for i := range p {
			p[i] = ^p[i]
		}
	}
	v.Type = c.Type
	switch c.Type.Physical() {
	case sqltype.PhysBool:
		v.I = int128.FromInt64(int64(p[0]))
	case sqltype.PhysInt8:
		v.I = int128.FromInt64(int64(int8(p[0] ^ 0x80)))
	case sqltype.PhysInt16:
		v.I = int128.FromInt64(int64(int16(binary.BigEndian.Uint16(p) ^ 1<<15)))
	case sqltype.PhysInt32:
		v.I = int128.FromInt64(int64(int32(binary.BigEndian.Uint32(p) ^ 1<<31)))
	case sqltype.PhysInt64:
		v.I = int128.FromInt64(int64(binary.BigEndian.Uint64(p) ^ 1<<63))
	case sqltype.PhysInt128:
		v.I = int128.Int{Hi: int64(binary.BigEndian.Uint64(p) ^ 1<<63), Lo: binary.BigEndian.Uint64(p[8:])}
	case sqltype.PhysFloat32:
		v.F = float64(floatOf32(binary.BigEndian.Uint32(p)))
	case sqltype.PhysFloat64:
		v.F = floatOf64(binary.BigEndian.Uint64(p))
	case sqltype.PhysString:
		v.S = unescaped(p)
	default:
		return v, false
	}
	return v, true
}

// floatOf64 is the inverse of orderedFloat64.
func floatOf64(b uint64) float64 {
	switch {
	case b == ^uint64(0):
		return math.NaN()
	case b>>63 == 0:
		return math.Float64frombits(^b)
	}
	return math.Float64frombits(b &^ (1 << 63))
}

func floatOf32(b uint32) float32 {
	switch {
	case b == ^uint32(0):
		return float32(math.NaN())
	case b>>31 == 0:
		return math.Float32frombits(^b)
	}
	return math.Float32frombits(b &^ (1 << 31))
}

// unescaped is the string that p begins with.
func unescaped(p []byte) string {
	var out []byte
	for {
		i := bytes.IndexByte(p, 0)
		out = append(out, p[:i]...)
		if p[i+1] == 0 {
			return string(out)
		}
		out = append(out, 0)
		p = p[i+2:]
	}
}
