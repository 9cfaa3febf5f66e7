package bucket

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// slices8 are the tables of the slicing-by-8 algorithm: slices8[k][b] is the CRC of byte b
// followed by k zero bytes. The standard library's Update costs more to call than a column value
// of up to 16 bytes costs to hash.
//
// Source: Kounavis & Berry, A systematic approach to building high performance
// software-based CRC generators, 2005.
var slices8 = makeSlices()

func makeSlices() *[8][256]uint32 {
	var t [8][256]uint32
	t[0] = *crc32.IEEETable
	for i := range t[0] {
		crc := t[0][i]
		for k := 1; k < 8; k++ {
			crc = t[0][crc&0xff] ^ crc>>8
			t[k][i] = crc
		}
	}
	return &t
}

func crc1(h uint32, x uint8) uint32 {
	h = ^h
	return ^(slices8[0][byte(h)^x] ^ h>>8)
}

func crc2(h uint32, x uint16) uint32 {
	h = ^h ^ uint32(x)
	return ^(slices8[1][byte(h)] ^ slices8[0][byte(h>>8)] ^ h>>16)
}

func crc4(h, x uint32) uint32 {
	h = ^h ^ x
	return ^(slices8[3][byte(h)] ^ slices8[2][byte(h>>8)] ^ slices8[1][byte(h>>16)] ^ slices8[0][byte(h>>24)])
}

func crc8(h uint32, x uint64) uint32 {
	lo, hi := ^h^uint32(x), uint32(x>>32)
	return ^(slices8[7][byte(lo)] ^ slices8[6][byte(lo>>8)] ^ slices8[5][byte(lo>>16)] ^ slices8[4][byte(lo>>24)] ^
		slices8[3][byte(hi)] ^ slices8[2][byte(hi>>8)] ^ slices8[1][byte(hi>>16)] ^ slices8[0][byte(hi>>24)])
}

func crc16(h uint32, x int128.Int) uint32 { return crc8(crc8(h, x.Lo), uint64(x.Hi)) }

func crcBytes(h uint32, b []byte) uint32 {
	if len(b) >= 64 {
		return crc32.Update(h, crc32.IEEETable, b)
	}
	for ; len(b) >= 8; b = b[8:] {
		h = crc8(h, binary.LittleEndian.Uint64(b))
	}
	if len(b) >= 4 {
		h = crc4(h, binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	for _, c := range b {
		h = crc1(h, c)
	}
	return h
}

// crcChar ends at the first NUL, CHAR's padding in Doris.
func crcChar(h uint32, b []byte) uint32 {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return crcBytes(h, b)
}

// packedDate is Doris's DATEV2.
func packedDate(days int32) uint32 {
	y, m, d := sqltype.CivilFromDays(days)
	return uint32(y)<<9 | uint32(m)<<5 | uint32(d)
}

// packedDateTime is Doris's DATETIMEV2.
func packedDateTime(micros int64) uint64 {
	days := micros / sqltype.MicrosPerDay
	rest := micros % sqltype.MicrosPerDay
	if rest < 0 {
		days--
		rest += sqltype.MicrosPerDay
	}
	s := uint64(rest / sqltype.MicrosPerSecond)
	y, m, d := sqltype.CivilFromDays(int32(days))
	return uint64(y)<<46 | uint64(m)<<42 | uint64(d)<<37 | s/3600<<32 | s/60%60<<26 | s%60<<20 | uint64(rest%sqltype.MicrosPerSecond)
}
