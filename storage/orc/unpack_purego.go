package orc

import "unsafe"

// unpackGroups unpacks as many whole groups of 8 values as it has a fast way for, and
// returns how many values that are.
func unpackGroups([]int64, unsafe.Pointer, uint) int { return 0 }
