package bucket

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/big"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// chain is the hash of a tuple that ends with v, where x is that of the values before.
// It is written from the definitions, byte by byte, apart from the kernels.
func (h Hash) chain(x uint32, v vector.Value) uint32 {
	switch h {
	case DorisCRC32:
		return crc32.Update(x, crc32.IEEETable, dorisBytes(v))
	case HiveV1:
		return 31*x + hiveV1Value(v)
	case HiveV2:
		return 31*x + hiveV2Value(v)
	}
	return sparkValue(x, v)
}

// dorisBytes is what v feeds to the CRC.
func dorisBytes(v vector.Value) []byte {
	if v.Null {
		return make([]byte, 4)
	}
	le := binary.LittleEndian
	switch v.Type.Kind {
	case sqltype.Boolean, sqltype.TinyInt:
		return []byte{byte(v.I.Lo)}
	case sqltype.SmallInt:
		return le.AppendUint16(nil, uint16(v.I.Lo))
	case sqltype.Int:
		return le.AppendUint32(nil, uint32(v.I.Lo))
	case sqltype.BigInt, sqltype.Time, sqltype.Timestamp:
		return le.AppendUint64(nil, v.I.Lo)
	case sqltype.LargeInt:
		return wide(v)
	case sqltype.Decimal:
		switch {
		case v.Type.Precision <= 9:
			return le.AppendUint32(nil, uint32(v.I.Lo))
		case v.Type.Precision <= sqltype.MaxShortDecimal:
			return le.AppendUint64(nil, v.I.Lo)
		}
		return wide(v)
	case sqltype.Date:
		return le.AppendUint32(nil, packedDate(int32(v.I.Lo)))
	case sqltype.DateTime:
		return le.AppendUint64(nil, packedDateTime(v.Int64()))
	case sqltype.Float:
		return le.AppendUint32(nil, math.Float32bits(float32(v.F)))
	case sqltype.Double:
		return le.AppendUint64(nil, math.Float64bits(v.F))
	case sqltype.Char:
		s, _, _ := bytes.Cut([]byte(v.S), []byte{0})
		return s
	}
	if v.Type.Physical() != sqltype.PhysString {
		panic(invariant.Failed("bucket of %s", v.Type))
	}
	return []byte(v.S)
}

func wide(v vector.Value) []byte {
	b := binary.LittleEndian.AppendUint64(nil, v.I.Lo)
	return binary.LittleEndian.AppendUint64(b, uint64(v.I.Hi))
}

// hiveV1Value is the Java-style hash of v.
func hiveV1Value(v vector.Value) uint32 {
	if v.Null {
		return 0
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32:
		return uint32(v.I.Lo)
	case sqltype.PhysInt64:
		return uint32(v.I.Lo ^ v.I.Lo>>32)
	case sqltype.PhysFloat32:
		return javaFloatBits(float32(v.F))
	case sqltype.PhysFloat64:
		b := javaDoubleBits(v.F)
		return uint32(b ^ b>>32)
	case sqltype.PhysString:
		h := uint32(0)
		if v.Type.Kind == sqltype.Varchar || v.Type.Kind == sqltype.Char {
			h = 1
		}
		for _, c := range stripped(v.Type, []byte(v.S)) {
			h = 31*h + uint32(int32(int8(c)))
		}
		return h
	}
	panic(invariant.Failed("hive bucket of %s", v.Type))
}

// hiveV2Value is the Murmur3 hash of v's big-endian bytes.
func hiveV2Value(v vector.Value) uint32 {
	if v.Null {
		return 0
	}
	be := binary.BigEndian
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8:
		return uint32(v.I.Lo)
	case sqltype.PhysInt16:
		return murmur3(be.AppendUint16(nil, uint16(v.I.Lo)))
	case sqltype.PhysInt32:
		return murmur3(be.AppendUint32(nil, uint32(v.I.Lo)))
	case sqltype.PhysInt64:
		return murmur3(be.AppendUint64(nil, v.I.Lo))
	case sqltype.PhysFloat32: // the bits as a number, and the bits of that number
		return murmur3(be.AppendUint32(nil, math.Float32bits(float32(int32(javaFloatBits(float32(v.F)))))))
	case sqltype.PhysFloat64:
		return murmur3(be.AppendUint64(nil, math.Float64bits(float64(int64(javaDoubleBits(v.F))))))
	case sqltype.PhysString:
		return murmur3(stripped(v.Type, []byte(v.S)))
	}
	panic(invariant.Failed("hive bucket of %s", v.Type))
}

// sparkValue chains v to the hash x.
func sparkValue(x uint32, v vector.Value) uint32 {
	if v.Null {
		return x
	}
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32:
		return sparkBytes(x, binary.LittleEndian.AppendUint32(nil, uint32(v.I.Lo)))
	case sqltype.PhysInt64:
		return sparkBytes(x, binary.LittleEndian.AppendUint64(nil, v.I.Lo))
	case sqltype.PhysInt128:
		return sparkBytes(x, javaBigInteger(v.I))
	case sqltype.PhysFloat32:
		return sparkBytes(x, binary.LittleEndian.AppendUint32(nil, javaFloatBits(float32(v.F)+0)))
	case sqltype.PhysFloat64:
		return sparkBytes(x, binary.LittleEndian.AppendUint64(nil, javaDoubleBits(v.F+0)))
	case sqltype.PhysString:
		return sparkBytes(x, []byte(v.S))
	}
	panic(invariant.Failed("spark bucket of %s", v.Type))
}

// javaBigInteger is the shortest big-endian two's complement of x, as Java's BigInteger.toByteArray.
func javaBigInteger(x int128.Int) []byte {
	v := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	v.Add(v, new(big.Int).SetUint64(x.Lo))
	for n := 1; ; n++ {
		limit := new(big.Int).Lsh(big.NewInt(1), uint(8*n-1))
		if v.Cmp(limit) < 0 && v.Cmp(new(big.Int).Neg(limit)) >= 0 {
			if v.Sign() < 0 {
				v.Add(v, new(big.Int).Lsh(limit, 1))
			}
			return v.FillBytes(make([]byte, n))
		}
	}
}
