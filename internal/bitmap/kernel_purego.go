//go:build !amd64 || purego

package bitmap

// countsFast tells that all words of a bitset are counted as fast as they are cleared.
const countsFast = false

// setBits adds the values of an array.
func setBits(w *words, d []byte) { setBitsGeneric(w, d) }

// takeOnes counts the bits of w and clears them.
func takeOnes(w *words) int { return takeOnesGeneric(w) }
