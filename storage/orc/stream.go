package orc

import (
	"fmt"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// readAhead is how much of a stream is read from the file at once.
const readAhead = 256 << 10

// input is what the streams of one reader share.
type input struct {
	file   storage.File
	path   string
	mem    memory
	codec  int
	block  int
	bytes  *atomic.Int64 // counter, or nil
	chunks *atomic.Int64 // counter, or nil
	// elements are those of lists in the current read of a column.
	elements int64
}

// stream yields the plain bytes of one stream of a stripe: data[pos:] are those at hand,
// with padding readable bytes behind, and fill gets more. Bytes that are left when the
// next chunk is decompressed move in front of it, so that what a decoder asks for is always
// contiguous.
type stream struct {
	in         *input
	start, end int64 // file offsets
	next       int64 // where reading goes on: a chunk's header, or bytes without a codec

	data []byte
	pos  int
	buf  *buffer // of data

	raw     *buffer // compressed bytes read ahead
	rawBase int64
	rawLen  int

	chunkAt  int64 // header of the chunk that data ends with, -1: none
	chunkPos int   // where that chunk begins in data
	// keep: vectors may refer to data, so that its buffers live until release.
	keep    bool
	retired []*buffer
}

const errStreamEnd = formatError("a stream ends early")

// newStream opens a stream; m may be nil: a stream without bytes.
func newStream(in *input, m *streamMeta, keep bool) *stream {
	s := &stream{in: in, chunkAt: -1, keep: keep}
	if m != nil {
		s.start, s.end, s.next = m.offset, m.offset+m.length, m.offset
	}
	return s
}

// fill makes at least n bytes available at pos.
func (s *stream) fill(n int) error {
	if len(s.data)-s.pos >= n {
		return nil
	}
	return s.refill(n)
}

func (s *stream) refill(n int) error {
	if s.in.codec == codecNone {
		return s.readPlain(n)
	}
	for len(s.data)-s.pos < n {
		if err := s.nextChunk(n); err != nil {
			return err
		}
	}
	return nil
}

// readPlain reads from pos on, where there is no codec.
func (s *stream) readPlain(n int) error {
	at := s.next - int64(len(s.data)-s.pos)
	if int64(n) > s.end-at {
		return errStreamEnd
	}
	size := int(min(max(int64(n), readAhead), s.end-at))
	buf, err := s.in.mem.get(size)
	if err != nil {
		return err
	}
	if err := s.readAt(buf.mem[:size], at); err != nil {
		s.in.mem.put(buf)
		return err
	}
	s.drop()
	s.buf, s.data, s.pos, s.next = buf, buf.mem[:size], 0, at+int64(size)
	return nil
}

func (s *stream) readAt(dst []byte, off int64) error {
	n, err := s.in.file.ReadAt(dst, off)
	if n < len(dst) {
		if err == nil {
			err = errStreamEnd
		}
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", s.in.path)
	}
	if s.in.bytes != nil {
		s.in.bytes.Add(int64(n))
	}
	return nil
}

// rawAt returns n compressed bytes from file offset off, valid until the next call.
func (s *stream) rawAt(off int64, n int) ([]byte, error) {
	if off >= s.rawBase && off+int64(n) <= s.rawBase+int64(s.rawLen) {
		return s.raw.mem[off-s.rawBase : off-s.rawBase+int64(n)], nil
	}
	if int64(n) > s.end-off {
		return nil, errStreamEnd
	}
	size := int(min(max(int64(n), readAhead), s.end-off))
	if s.raw == nil || s.raw.room() < size {
		s.in.mem.put(s.raw)
		s.raw, s.rawLen = nil, 0
		buf, err := s.in.mem.get(size)
		if err != nil {
			return nil, err
		}
		s.raw = buf
	}
	s.rawLen = 0
	if err := s.readAt(s.raw.mem[:size], off); err != nil {
		return nil, err
	}
	s.rawBase, s.rawLen = off, size
	return s.raw.mem[:n], nil
}

// nextChunk decompresses the next chunk behind the bytes that are left; need is how many
// are wanted in all.
func (s *stream) nextChunk(need int) error {
	if s.next >= s.end {
		return errStreamEnd
	}
	h, err := s.rawAt(s.next, chunkHeader)
	if err != nil {
		return err
	}
	n, stored := chunkSize(h)
	if int64(n) > s.end-s.next-chunkHeader {
		return formatError("a compression chunk is longer than its stream")
	}
	if stored && n > s.in.block {
		return formatError("a compression chunk is longer than its block")
	}
	src, err := s.rawAt(s.next+chunkHeader, n)
	if err != nil {
		return err
	}
	size := n
	if !stored {
		if size, err = outputLimit(s.in.codec, s.in.block, src); err != nil {
			return err
		}
	}
	rest := len(s.data) - s.pos
	if err := s.makeRoom(rest, size, need); err != nil {
		return err
	}
	dst := s.buf.mem
	if stored {
		copy(dst[rest:], src)
	} else if size, err = expand(s.in.codec, dst[rest:rest+size], src); err != nil {
		return err
	}
	if s.in.chunks != nil {
		s.in.chunks.Add(1)
	}
	s.chunkAt, s.chunkPos = s.next, rest
	s.data, s.pos = dst[:rest+size], 0
	s.next += int64(chunkHeader + n)
	return nil
}

// makeRoom moves the rest bytes that are left to the front of a buffer with room for size
// more. Long values double the buffer, so that many chunks are not copied again and again.
func (s *stream) makeRoom(rest, size, need int) error {
	if s.buf != nil && s.buf.room() >= rest+size && (!s.keep || s.pos == 0) {
		if s.pos > 0 {
			copy(s.buf.mem, s.data[s.pos:])
		}
		return nil
	}
	want := rest + size
	if need > want {
		want = min(need, max(want, 2*rest)) // as data comes, not as lengths promise
	}
	buf, err := s.in.mem.get(want)
	if err != nil {
		return err
	}
	copy(buf.mem, s.data[s.pos:])
	s.drop()
	s.buf, s.data, s.pos = buf, buf.mem[:rest], 0
	return nil
}

// drop lets go of the bytes at hand.
func (s *stream) drop() {
	if s.keep && s.buf != nil {
		s.retired = append(s.retired, s.buf)
	} else {
		s.in.mem.put(s.buf)
	}
	s.buf, s.data, s.pos, s.chunkAt = nil, nil, 0, -1
}

// skip passes over n bytes.
func (s *stream) skip(n int64) error {
	if n < 0 {
		return errStreamEnd
	}
	for {
		if have := int64(len(s.data) - s.pos); n <= have {
			s.pos += int(n)
			return nil
		} else if s.in.codec == codecNone {
			if n-have > s.end-s.next {
				return errStreamEnd
			}
			at := s.next + n - have
			s.drop()
			s.next = at
			return nil
		} else {
			n -= have
			s.pos = len(s.data)
		}
		if err := s.nextChunk(1); err != nil {
			return err
		}
	}
}

// positions are those of one row group's index entry, taken one after another.
type positions struct {
	list []uint64
}

func (p *positions) take() (uint64, error) {
	if len(p.list) == 0 {
		return 0, formatError("the row index has too few positions")
	}
	x := p.list[0]
	p.list = p.list[1:]
	return x, nil
}

// seek jumps to the next position of p.
func (s *stream) seek(p *positions) error {
	off, err := p.take()
	if err != nil {
		return err
	}
	if off > uint64(s.end-s.start) {
		return formatError("a position of the row index lies behind its stream")
	}
	at := s.start + int64(off)
	if s.in.codec == codecNone {
		if have := s.next - int64(len(s.data)); at >= have && at <= s.next {
			s.pos = int(at - have)
			return nil
		}
		s.drop()
		s.next = at
		return nil
	}
	within, err := p.take()
	if err != nil {
		return err
	}
	if s.chunkAt != at {
		s.drop()
		s.next = at
		if within == 0 {
			return nil
		}
		if err := s.nextChunk(1); err != nil {
			return err
		}
	}
	if within > uint64(len(s.data)-s.chunkPos) {
		return formatError("a position of the row index lies behind its chunk")
	}
	s.pos = s.chunkPos + int(within)
	return nil
}

// release gives back buffers that only the vector before could refer to.
func (s *stream) release() {
	for i, b := range s.retired {
		s.in.mem.put(b)
		s.retired[i] = nil
	}
	s.retired = s.retired[:0]
}

// close gives back everything.
func (s *stream) close() {
	s.drop()
	s.release()
	s.in.mem.put(s.raw)
	s.raw, s.rawLen = nil, 0
	s.next = s.end
}

// readAll is the whole stream's plain bytes, in memory of its own. limit bounds them.
func (s *stream) readAll(limit int64) ([]byte, error) {
	var out []byte
	for {
		if s.pos == len(s.data) {
			if s.next >= s.end {
				return out, nil
			}
			if err := s.fill(1); err != nil {
				if s.next >= s.end { // a last chunk of no bytes
					return out, nil
				}
				return nil, err
			}
		}
		if int64(len(out)+len(s.data)-s.pos) > limit {
			return nil, formatError(fmt.Sprintf("a stream is larger than %d bytes", limit))
		}
		out = append(out, s.data[s.pos:]...)
		s.pos = len(s.data)
	}
}

// want is fill for a decoder that can do with less, where the stream ends.
func (s *stream) want(n int) error {
	if s.in.codec == codecNone {
		left := s.end - s.next + int64(len(s.data)-s.pos)
		n = int(min(int64(n), left))
	}
	if err := s.fill(n); err != nil && err != error(errStreamEnd) {
		return err
	}
	return nil
}
