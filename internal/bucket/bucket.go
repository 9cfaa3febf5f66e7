// Package bucket computes the bucket of a row as Doris, Hive and Spark do, so that files
// they wrote are pruned and joined by bucket, and files of ours by them.
//
// # The rules of DorisCRC32
//
// The bucket is the zlib CRC-32, chained over the columns in declared order from 0, modulo
// the number of buckets. A column feeds, little-endian: BOOLEAN and TINYINT 1 byte, SMALLINT 2,
// INT 4, BIGINT 8, LARGEINT 16, DECIMAL its unscaled value in 4 bytes up to 9 digits, 8 up to 18,
// else 16; strings their bytes, CHAR up to its first NUL. So INT 1 and BIGINT 1 land in
// different buckets. Two points where versions of Doris differ are decided here, for
// every reader and writer: NULL feeds four zero bytes (as Doris's tablet writer does), and
// dates feed the packed integers of the DATEV2 and DATETIMEV2 types, which every table
// made by a current Doris has: DATE year<<9|month<<5|day in 4 bytes; DATETIME
// year<<46|month<<42|day<<37|hour<<32|minute<<26|second<<20|microsecond in 8.
//
// # Hive and Spark
//
// HiveV1 and HiveV2 combine columns as 31*h + f from 0, NULL being 0, and drop the sign bit
// before the modulo. Spark chains Murmur3 from seed 42, leaves the hash as it is for NULL, and takes the
// positive remainder.
package bucket

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Hash names a bucketing function.
type Hash uint8

// Bucketing functions.
const (
	DorisCRC32 Hash = iota // zlib CRC-32 chained over the columns
	HiveV1                 // Java-style hashes, bucketing_version 1
	HiveV2                 // Murmur3, seed 104729, bucketing_version 2
	Spark                  // Murmur3, seed 42, chained
)

// names are the values of the table property bucket_hash.
var names = [...]string{DorisCRC32: "doris_crc32", HiveV1: "hive_v1", HiveV2: "hive_v2", Spark: "spark"}

// String is the hash's name as the table property bucket_hash spells it.
func (h Hash) String() string { return names[h] }

// Parse finds a hash by its name.
func Parse(name string) (Hash, bool) {
	for h, n := range names {
		if n == name {
			return Hash(h), true
		}
	}
	return 0, false
}

// Supports reports whether equal values of type t always have equal numbers, the ones that
// the hash's own engine computes: only columns of such types may be pruned, joined or written by
// bucket. Floats fail (0 and -0 are equal and hash apart), and so do types whose hash
// is an implementation detail of Java.
func (h Hash) Supports(t sqltype.Type) bool {
	switch t.Kind {
	case sqltype.Boolean, sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.BigInt, sqltype.Date,
		sqltype.Varchar, sqltype.String:
		return true
	case sqltype.Char:
		return h == DorisCRC32 || h == HiveV2
	case sqltype.Binary:
		return h == HiveV2 || h == Spark
	case sqltype.LargeInt:
		return h == DorisCRC32
	case sqltype.Decimal, sqltype.DateTime:
		return h == DorisCRC32 || h == Spark
	case sqltype.Timestamp:
		return h == Spark
	}
	return false
}

// Numbers writes the bucket (0 … buckets-1) of each row of sel (nil: all n rows) to out,
// indexed by row. cols are the bucket columns in declared order, any vector form. It does
// not allocate beyond a scratch area that it reuses when scratch has capacity n plus the rows of
// the largest dictionary; the scratch is returned.
func (h Hash) Numbers(cols []*vector.Vector, n int, sel []int32, buckets int, out []int32, scratch []uint32) []uint32 {
	if cap(scratch) < n {
		scratch = make([]uint32, n)
	}
	scratch = scratch[:n]
	s := state{hash: h, h: scratch, sel: sel, live: n, seed: h.seed()}
	if sel != nil {
		s.live = len(sel)
	}
	for k := range s.live {
		s.h[s.row(k)] = s.seed
	}
	for i, c := range cols {
		s.uniform = i == 0
		s.column(c)
	}
	m := uint32(buckets)
	for k := range s.live {
		i := s.row(k)
		out[i] = int32(h.bucket(s.h[i], m))
	}
	return s.h
}

// Number is the bucket of one tuple of constants; the simple twin of Numbers.
func (h Hash) Number(tuple []vector.Value, buckets int) int32 {
	x := h.seed()
	for _, v := range tuple {
		x = h.chain(x, v)
	}
	return int32(h.bucket(x, uint32(buckets)))
}

// seed is the hash of no column.
func (h Hash) seed() uint32 {
	if h == Spark {
		return 42
	}
	return 0
}

// bucket is the bucket of a finished hash.
func (h Hash) bucket(x, buckets uint32) uint32 {
	switch h {
	case DorisCRC32:
		return x % buckets
	case Spark:
		m := int64(int32(x)) % int64(buckets)
		if m < 0 {
			m += int64(buckets)
		}
		return uint32(m)
	}
	return x & 0x7fffffff % buckets
}
