package hashtable

import (
	"sync"
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

const (
	firstArenaChunk = 4 << 10
	maxArenaChunk   = 1 << 20
)

// Arena holds the bytes of long string keys of one operator. A string is copied in once;
// its view is then valid in every table of the operator, on every driver, so that groups
// move between tables without moving their strings. Safe for concurrent use; bytes are
// never moved or freed before the Arena itself is.
type Arena struct {
	mu     sync.Mutex
	chunks [][]byte
	bytes  int64
}

// Bufs are the chunks so far: the Bufs of vectors whose views lie in the arena. The
// slice must not be modified.
func (a *Arena) Bufs() [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.chunks
}

// Bytes is the memory of all chunks.
func (a *Arena) Bytes() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes
}

func (a *Arena) add(size int) (chunk []byte, id int) {
	chunk = make([]byte, size)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.chunks = append(a.chunks, chunk)
	a.bytes += int64(size)
	return chunk, len(a.chunks) - 1
}

// ArenaWriter adds strings to an Arena. One goroutine uses it.
type ArenaWriter struct {
	arena *Arena
	chunk []byte
	used  int
	id    int
	bytes int64
}

// NewWriter opens a writer.
func (a *Arena) NewWriter() *ArenaWriter { return &ArenaWriter{arena: a} }

// Add copies b, which is longer than a view holds itself, and returns its view.
func (w *ArenaWriter) Add(b []byte) vector.View {
	if len(w.chunk)-w.used < len(b) {
		size := min(max(2*len(w.chunk), firstArenaChunk), maxArenaChunk)
		w.chunk, w.id = w.arena.add(max(size, len(b)))
		w.used = 0
		w.bytes += int64(len(w.chunk))
	}
	copy(w.chunk[w.used:], b)
	v := vector.MakeView(b, w.id, w.used)
	w.used += len(b)
	return v
}

// Bytes is the memory that this writer added to the arena.
func (w *ArenaWriter) Bytes() int64 { return w.bytes }

// adopt makes the view whose words these are one of the arena.
func (w *ArenaWriter) adopt(words []uint64, bufs [][]byte) {
	if uint32(words[0]) <= vector.MaxInline || words[0] == nullView0 {
		return
	}
	v := (*vector.View)(unsafe.Pointer(&words[0]))
	*v = w.Add(v.Bytes(bufs))
}
