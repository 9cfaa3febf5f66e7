package bitmap

import (
	"math/bits"
	"sync"
)

// bufferPools keep memory of bitmaps that wait, buffers of 1<<(minPooled+i) bytes: what a query of a millisecond copies would
// otherwise go to memory that the process touches for the first time, which takes longer than the copying.
const (
	minPooled = 11
	maxPooled = 20
)

var bufferPools [maxPooled - minPooled + 1]sync.Pool

// buffer is memory of the pools.
type buffer struct{ mem []byte }

// kept is a copy of b, in a buffer of the pools where those have its size, else nil.
func kept(b []byte) ([]byte, *buffer) {
	class := bits.Len(uint(len(b) - 1))
	if class < minPooled || class > maxPooled {
		return append([]byte(nil), b...), nil // append to nil: nothing is cleared before
	}
	buf, ok := bufferPools[class-minPooled].Get().(*buffer)
	if !ok {
		buf = &buffer{make([]byte, 1<<class)}
	}
	return buf.mem[:copy(buf.mem, b)], buf
}

// free gives the memory of a bitmap back, if it is of the pools and not shared.
func (b *waiting) free() {
	if b.buf != nil {
		bufferPools[bits.Len(uint(len(b.buf.mem)-1))-minPooled].Put(b.buf)
	}
	b.bytes, b.buf = nil, nil
}

// held is the memory of a bitmap.
func (b *waiting) held() int64 {
	if b.buf != nil {
		return int64(len(b.buf.mem))
	}
	return int64(len(b.bytes))
}

// Release gives memory of sets back that others can use, and ends the sets and those that they were merged into: none may be
// used any more.
func Release(sets []Set) {
	for i := range sets {
		if p := sets[i].pending; p != nil {
			for k := range p.bitmaps {
				p.bitmaps[k].free()
			}
		}
		sets[i] = Set{}
	}
}
