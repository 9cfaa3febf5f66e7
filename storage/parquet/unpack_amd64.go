//go:build !purego

package parquet

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// hasAVX2 chooses the assembly at start-up.
var hasAVX2 = cpu.X86.HasAVX2

// maxVectorWidth is the widest value that lies within the four bytes of its lane,
// wherever it begins in its first byte.
const maxVectorWidth = 25

// unpackTable is how 8 values of one width lie in 2x16 loaded bytes.
type unpackTable struct {
	shuffle [32]byte
	shifts  [8]uint32
	high    int // where the second load begins
}

// unpackTables are by width.
var unpackTables = func() (tables [maxVectorWidth + 1]unpackTable) {
	for width := range tables {
		t := &tables[width]
		t.high = 4 * width / 8
		for lane := range 8 {
			bit := lane * width
			at := bit / 8
			if lane >= 4 {
				at -= t.high
			}
			t.shifts[lane] = uint32(bit % 8)
			for k := range 4 {
				t.shuffle[4*lane+k] = byte(at + k)
			}
		}
	}
	return tables
}()

//go:noescape
func unpackAVX2(dst *int32, src *byte, groups, step, high int, shuffle *[32]byte, shifts *[8]uint32, mask uint32) uint32

// unpackGroups unpacks len(dst) values, a multiple of 8, from whole bytes and returns the
// largest. 32 readable bytes must follow the data.
func unpackGroups(dst []int32, p unsafe.Pointer, width uint) uint32 {
	if !hasAVX2 || width > maxVectorWidth || len(dst) == 0 {
		return unpackGroupsGeneric(dst, p, width)
	}
	t := &unpackTables[width]
	return unpackAVX2(&dst[0], (*byte)(p), len(dst)/8, int(width), t.high, &t.shuffle, &t.shifts, uint32(1)<<width-1)
}
