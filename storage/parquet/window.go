package parquet

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// Read sizes. A read buffer with its padding fills a pool class exactly.
const (
	readAhead   = 1<<20 - padding // sequential reads
	headerAhead = 4<<10 - padding // while pages are passed over
)

// window is the part of a column chunk that was read from the file last.
type window struct {
	file  storage.File
	path  string
	mem   *memory
	bytes *atomic.Int64 // counter, or nil
	buf   *buffer
	base  int64 // file offset of buf
	n     int   // bytes in buf
	end   int64 // reads stop here
	// retired are buffers that the current batch may still refer to.
	retired []*buffer
}

// at returns n bytes from file offset off. It reads up to `ahead` bytes when it must read.
// The slice stays valid until release.
func (w *window) at(off int64, n, ahead int) ([]byte, error) {
	if off >= w.base && off+int64(n) <= w.base+int64(w.n) {
		return w.buf.mem[off-w.base : off-w.base+int64(n)], nil
	}
	if off < 0 || off+int64(n) > w.end {
		return nil, formatError(fmt.Sprintf("a page reaches behind its column chunk: %d bytes at %d", n, off))
	}
	size := int(min(int64(max(n, ahead)), w.end-off))
	if rest := w.end - off; ahead == readAhead && rest <= 2*readAhead {
		size = int(rest) // no second read for what is left
	}
	buf, err := w.mem.get(size)
	if err != nil {
		return nil, err
	}
	have := 0
	if off >= w.base && off < w.base+int64(w.n) {
		have = copy(buf.mem, w.buf.mem[off-w.base:w.n])
	}
	got, err := w.file.ReadAt(buf.mem[have:size], off+int64(have))
	if got < size-have {
		w.mem.put(buf)
		var ours *sqlerr.Error
		if err == nil || off+int64(size) > w.end && !errors.As(err, &ours) {
			return nil, formatError("the file is shorter than its footer says")
		}
		return nil, readError(err, w.path)
	}
	if w.bytes != nil {
		w.bytes.Add(int64(size - have))
	}
	w.retire(w.buf)
	w.buf, w.base, w.n = buf, off, size
	return buf.mem[:n], nil
}

// header decodes the page header at off.
func (w *window) header(off int64, ahead int) (pageHeader, int, error) {
	n := 64
	for {
		if off >= w.base && off < w.base+int64(w.n) {
			n = max(n, int(w.base+int64(w.n)-off)) // all that is here already
		}
		if int64(n) > w.end-off {
			n = int(w.end - off)
		}
		if n <= 0 {
			return pageHeader{}, 0, formatError("the column chunk ends before all of its rows")
		}
		b, err := w.at(off, n, ahead)
		if err != nil {
			return pageHeader{}, 0, err
		}
		h, size, err := decodePageHeader(b)
		if err != errShort || int64(n) == w.end-off || n > maxHeaderBytes {
			return h, size, err
		}
		n *= 4
	}
}

// maxHeaderBytes bounds a page header, which may hold long statistics.
const maxHeaderBytes = 16 << 20

// retire keeps a buffer until release.
func (w *window) retire(b *buffer) {
	if b != nil {
		w.retired = append(w.retired, b)
	}
}

// holder is the buffer that b lies in, of those that the current batch may refer to; nil: none.
func (w *window) holder(b []byte) *buffer {
	if w.buf.has(b) {
		return w.buf
	}
	for _, r := range w.retired {
		if r.has(b) {
			return r
		}
	}
	return nil
}

// release gives back what only the batch before could refer to.
func (w *window) release() {
	for i, b := range w.retired {
		w.mem.put(b)
		w.retired[i] = nil
	}
	w.retired = w.retired[:0]
}

// close gives back everything.
func (w *window) close() {
	w.retire(w.buf)
	w.buf, w.n = nil, 0
	w.release()
}
