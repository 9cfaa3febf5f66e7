package function

import (
	"slices"
)

// Exists reports whether name (lower case) is a function of the engine, scalar or aggregate.
func Exists(name string) bool { return slices.Contains(List(), name) }
