// Package hugepage makes large slices that the kernel may back with huge pages: the first
// touch of fresh memory then costs one fault a 2 MB, not one a 4 KB, and random access
// misses the TLB less. The slices are Go's own and are collected as any other.
package hugepage

import "unsafe"

const (
	size  = 2 << 20
	least = 2 * size // of a slice that is worth a system call
)

// Make is make([]T, n, most).
func Make[T any](n, most int) []T {
	s := make([]T, n, most)
	var t T
	bytes := uintptr(most) * unsafe.Sizeof(t)
	if bytes < least {
		return s
	}
	from := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	lo := (from + size - 1) &^ (size - 1)
	if hi := (from + bytes) &^ (size - 1); hi > lo {
		advise(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), lo-from)), hi-lo))
	}
	return s
}
