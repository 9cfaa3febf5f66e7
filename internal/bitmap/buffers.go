package bitmap

import (
	"math/bits"
	"sync"
	"unsafe"
)

// bufferPools keep memory of bitmaps that wait, buffers of 1<<(minPooled+i) bytes: what a query of a millisecond copies would
// otherwise go to memory that the process touches for the first time, which takes longer than the copying.
const (
	minPooled = 11
	maxPooled = 20
)

var bufferPools [maxPooled - minPooled + 1]sync.Pool

// Lender lends the memory of serialised bitmaps, as vector.Lender does.
type Lender interface {
	Lend(b []byte) (buffer []byte, giveBack func())
}

// buffer is memory of the pools for one bitmap, or memory that was lent, for any number of them.
type buffer struct {
	mem      []byte
	giveBack func() // nil: of the pools
	users    int    // bitmaps in it
}

// has tells whether x, which is not empty, lies in b. nil is allowed.
func (b *buffer) has(x []byte) bool {
	return b != nil && uintptr(unsafe.Pointer(unsafe.SliceData(x)))-uintptr(unsafe.Pointer(unsafe.SliceData(b.mem))) < uintptr(len(b.mem))
}

// keep is b in memory that stays as it is: lent by from (nil: nobody), of the pools where those have its size, else its own.
func (w *Workspace) keep(b []byte, from Lender) ([]byte, *buffer) {
	if from != nil {
		if !w.lent.has(b) {
			mem, giveBack := from.Lend(b)
			if mem == nil {
				return kept(b)
			}
			w.lent = &buffer{mem: mem, giveBack: giveBack}
			w.Held += int64(len(mem))
		}
		w.lent.users++
		return b, w.lent
	}
	return kept(b)
}

// kept is a copy of b, in a buffer of the pools where those have its size, else nil.
func kept(b []byte) ([]byte, *buffer) {
	class := bits.Len(uint(len(b) - 1))
	if class < minPooled || class > maxPooled {
		return append([]byte(nil), b...), nil // append to nil: nothing is cleared before
	}
	buf, ok := bufferPools[class-minPooled].Get().(*buffer)
	if !ok {
		buf = &buffer{mem: make([]byte, 1<<class)}
	}
	buf.users = 1
	return buf.mem[:copy(buf.mem, b)], buf
}

// free gives the memory of a bitmap back, if it is of the pools or lent, and not shared. It returns how much was lent.
func (b *waiting) free() (lent int64) {
	buf := b.buf
	b.bytes, b.buf = nil, nil
	if buf == nil {
		return 0
	}
	if buf.users--; buf.users > 0 {
		return 0
	}
	if buf.giveBack != nil {
		lent = int64(len(buf.mem))
		buf.mem = nil // others write there
		buf.giveBack()
		return lent
	}
	bufferPools[bits.Len(uint(len(buf.mem)-1))-minPooled].Put(buf)
	return 0
}

// held is the memory of a bitmap, without what was lent.
func (b *waiting) held() int64 {
	switch {
	case b.buf == nil:
		return int64(len(b.bytes))
	case b.buf.giveBack != nil:
		return 0
	}
	return int64(len(b.buf.mem))
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
