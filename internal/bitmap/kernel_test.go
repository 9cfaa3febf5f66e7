package bitmap

import (
	"math/rand/v2"
	"testing"
)

// TestSetBits compares setBits with its plain twin for arrays of every small length at every place in memory, sorted or not.
func TestSetBits(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for n := range 70 {
		for from := range 9 {
			mem := make([]byte, from+2*n)
			for i := range mem {
				mem[i] = byte(r.Uint32())
			}
			d := mem[from:]
			for i := range d {
				switch from % 3 {
				case 1:
					d[i] = byte(i / 2) // neighbours in one word
				case 2:
					d[i] |= 0xf0 // the end of the bitset
				}
			}
			var got, want words
			got[n*14], want[n*14] = 1<<n, 1<<n
			setBits(&got, d)
			setBitsGeneric(&want, d)
			if got != want {
				t.Fatalf("%d values from byte %d on: other bits than one by one", n, from)
			}
		}
	}
}

// TestTakeOnes compares takeOnes with its plain twin, and looks at what lies around the bitset.
func TestTakeOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for round := range 1000 {
		var guarded struct {
			before [8]uint64
			set    words
			after  [8]uint64
		}
		guarded.before[7], guarded.after[0] = 7, 9
		want := 0
		for range r.IntN(1 << (round % 12)) {
			at, x := r.IntN(numWords), r.Uint64()
			guarded.set[at] |= x
		}
		switch round {
		case 0:
			guarded.set[numWords-1] = 1 << 63
		case 1:
			for i := range guarded.set {
				guarded.set[i] = ^uint64(0)
			}
		}
		twin := guarded.set
		want = takeOnesGeneric(&twin)
		if got := takeOnes(&guarded.set); got != want || guarded.set != (words{}) || twin != (words{}) {
			t.Fatalf("round %d: counted %d, want %d; both must be empty then", round, got, want)
		}
		if guarded.before[7] != 7 || guarded.after[0] != 9 {
			t.Fatal("memory around the bitset changed")
		}
	}
}
