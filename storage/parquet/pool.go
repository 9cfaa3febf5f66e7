package parquet

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/basaltdb/basalt/internal/budget"
)

// padding is how many readable bytes stand behind every page and read buffer, so that
// decoders may load whole words at its end.
const padding = 64

// bufferPools keep buffers of 1<<(minPooled+i) bytes.
const (
	minPooled = 12
	maxPooled = 26
)

var bufferPools [maxPooled - minPooled + 1]sync.Pool

// buffer is pooled memory that a reader holds and its budget is charged for.
type buffer struct {
	mem []byte
	// users are the reader, while it holds the buffer, and those that it was lent to. Nobody writes once it was lent.
	users atomic.Int32
}

func (b *buffer) size() int { return len(b.mem) - padding }

// memory hands out the buffers of one reader. One goroutine uses it.
type memory struct {
	budget *budget.Reservation
}

// get returns a buffer of at least n usable bytes.
func (m *memory) get(n int) (*buffer, error) {
	total := n + padding
	class := max(bits.Len(uint(total-1)), minPooled)
	size := total
	if class <= maxPooled {
		size = 1 << class
	}
	if err := m.budget.Grow(int64(size)); err != nil {
		return nil, err
	}
	if class <= maxPooled {
		if b, ok := bufferPools[class-minPooled].Get().(*buffer); ok {
			b.users.Store(1)
			return b, nil
		}
	}
	b := &buffer{mem: make([]byte, size)}
	b.users.Store(1)
	return b, nil
}

// put takes a buffer back. nil is allowed.
func (m *memory) put(b *buffer) {
	if b == nil {
		return
	}
	m.budget.Shrink(int64(len(b.mem)))
	b.drop()
}

// lend makes one more user of b, who drops it.
func (b *buffer) lend() { b.users.Add(1) }

// drop ends the use of b by one of its users; after the last one others get its memory.
func (b *buffer) drop() {
	if b.users.Add(-1) > 0 {
		return
	}
	class := bits.Len(uint(len(b.mem) - 1))
	if class <= maxPooled && len(b.mem) == 1<<class {
		bufferPools[class-minPooled].Put(b)
	}
}

// has tells whether x lies in b. nil is allowed.
func (b *buffer) has(x []byte) bool {
	if b == nil || len(x) == 0 {
		return false
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(x))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.mem)))
	return at < uintptr(len(b.mem))
}
