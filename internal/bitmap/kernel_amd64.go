//go:build !purego

package bitmap

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// countsFast chooses at start-up how bits are counted: with it all words of a bitset take as long as clearing them.
var countsFast = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VPOPCNTDQ

//go:noescape
func setBitsScalar(w *words, values *byte, n int)

//go:noescape
func takeOnesAVX512(w *words) int

// setBits adds the values of an array.
func setBits(w *words, d []byte) { setBitsScalar(w, unsafe.SliceData(d), len(d)/2) }

// takeOnes counts the bits of w and clears them.
func takeOnes(w *words) int {
	if countsFast {
		return takeOnesAVX512(w)
	}
	return takeOnesGeneric(w)
}
