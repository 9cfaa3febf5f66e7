//go:build !amd64 || purego

package parquet

import "unsafe"

// unpackGroups unpacks len(dst) values, a multiple of 8, from whole bytes and returns the
// largest. 32 readable bytes must follow the data.
func unpackGroups(dst []int32, p unsafe.Pointer, width uint) uint32 {
	return unpackGroupsGeneric(dst, p, width)
}
