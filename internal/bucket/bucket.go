// Package bucket computes the bucket of a row as Doris, Hive and Spark do, so that files
// they wrote are pruned and joined by bucket, and files of ours by them.
package bucket

import (
	"github.com/basaltdb/basalt/internal/invariant"
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

// Numbers writes the bucket (0 … buckets-1) of each row of sel (nil: all n rows) to out,
// indexed by row. cols are the bucket columns in declared order, any vector form. It does
// not allocate beyond a scratch area that it reuses when scratch has capacity n; the
// scratch is returned.
func (h Hash) Numbers(cols []*vector.Vector, n int, sel []int32, buckets int, out []int32, scratch []uint32) []uint32 {
	panic(invariant.Failed("bucket numbers are not built yet"))
}

// Number is the bucket of one tuple of constants; the simple twin of Numbers.
func (h Hash) Number(tuple []vector.Value, buckets int) int32 {
	panic(invariant.Failed("bucket numbers are not built yet"))
}
