package hashtable

import "sync/atomic"

// Bloom is a Bloom filter of hashes whose bits for one key all lie in one 64-bit word: a
// test costs one memory access. At 16 bits a key and four bits set it passes about one
// in a hundred wrong keys.
type Bloom struct {
	words []uint64
	shift uint
}

// NewBloom makes a filter for about n keys.
func NewBloom(n int) *Bloom {
	bits := uint(6) // of the number of words
	for 1<<bits < n/4 {
		bits++
	}
	return &Bloom{words: make([]uint64, 1<<bits), shift: 64 - bits}
}

// Bytes is the memory held.
func (f *Bloom) Bytes() int64 { return int64(8 * len(f.words)) }

func bloomBits(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}

// Add adds hashes; safe for concurrent use with itself.
func (f *Bloom) Add(hashes []uint64) {
	for _, h := range hashes {
		if w, b := &f.words[h>>f.shift], bloomBits(h); atomic.LoadUint64(w)&b != b {
			atomic.OrUint64(w, b)
		}
	}
}

// May reports whether h may have been added.
func (f *Bloom) May(h uint64) bool {
	b := bloomBits(h)
	return f.words[h>>f.shift]&b == b
}
