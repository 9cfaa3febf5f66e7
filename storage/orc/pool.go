package orc

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/basaltdb/basalt/internal/budget"
)

const (
	// padding is how many readable bytes stand behind every chunk and read buffer, so that
	// decoders may load whole words at its end.
	padding = 64
	// slack is what a pooled buffer has beyond its class, for the padding and for what is
	// left of the chunk before.
	slack = 8 << 10
)

// bufferPools keep buffers of 1<<(minPooled+i) + slack bytes.
const (
	minPooled = 12
	maxPooled = 24
)

var bufferPools [maxPooled - minPooled + 1]sync.Pool

// buffer is pooled memory that a reader holds and its budget is charged for.
type buffer struct{ mem []byte }

// room is what of the buffer may be filled.
func (b *buffer) room() int { return len(b.mem) - padding }

// memory hands out the buffers of one reader. One goroutine uses it.
type memory struct {
	budget *budget.Reservation
}

// get returns a buffer with room for at least n bytes.
func (m *memory) get(n int) (*buffer, error) {
	class := max(bits.Len(uint(max(n+padding-slack, 1)-1)), minPooled)
	size := n + padding
	if class <= maxPooled {
		size = 1<<class + slack
	}
	if err := m.budget.Grow(int64(size)); err != nil {
		return nil, err
	}
	if class <= maxPooled {
		if b, ok := bufferPools[class-minPooled].Get().(*buffer); ok {
			return b, nil
		}
	}
	return &buffer{mem: make([]byte, size)}, nil
}

// put takes a buffer back. nil is allowed.
func (m *memory) put(b *buffer) {
	if b == nil {
		return
	}
	m.budget.Shrink(int64(len(b.mem)))
	n := uint(len(b.mem) - slack)
	if n&(n-1) == 0 && bits.Len(n)-1 <= maxPooled {
		bufferPools[bits.Len(n)-1-minPooled].Put(b)
	}
}

// alignedBytes allocates n bytes aligned to 8, not pooled.
func alignedBytes(n int) []byte {
	if n == 0 {
		return nil
	}
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), n)
}

// slice reads p as n values.
func slice[T any](p []byte, n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&p[0])), n)
}
