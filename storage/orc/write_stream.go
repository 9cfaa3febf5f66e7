package orc

import (
	"bytes"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// compressor packs chunks. One goroutine uses it.
type compressor struct {
	codec   int
	block   int
	zstd    *zstd.Encoder
	deflate *flate.Writer
	lz4     lz4.Compressor
	out     []byte
	buf     bytes.Buffer
}

// deflateLevel is a trade of size for time: higher levels win a few percent.
const deflateLevel = 5

func newCompressor(name string, block int) (*compressor, error) {
	c := &compressor{block: block}
	var err error
	switch name {
	case "", "zlib":
		c.codec = codecZlib
		c.deflate, err = flate.NewWriter(&c.buf, deflateLevel)
	case "zstd":
		c.codec = codecZstd
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)) // no other codec has checksums
	case "snappy":
		c.codec = codecSnappy
	case "lz4":
		c.codec = codecLZ4
	case "none":
		c.codec = codecNone
	default:
		return nil, sqlerr.Unsupported("ORC codec " + name)
	}
	return c, err
}

// pack compresses a chunk; the result is valid until the next call. ok is false when it does
// not get smaller.
func (c *compressor) pack(src []byte) (out []byte, ok bool, err error) {
	switch c.codec {
	case codecZlib:
		c.buf.Reset()
		c.deflate.Reset(&c.buf)
		if _, err := c.deflate.Write(src); err != nil {
			return nil, false, err
		}
		if err := c.deflate.Close(); err != nil {
			return nil, false, err
		}
		out = c.buf.Bytes()
	case codecZstd:
		c.out = c.zstd.EncodeAll(src, c.out[:0])
		out = c.out
	case codecSnappy:
		c.out = snappy.Encode(c.out[:cap(c.out)], src)
		out = c.out
	case codecLZ4:
		if n := lz4.CompressBlockBound(len(src)); cap(c.out) < n {
			c.out = make([]byte, n)
		}
		n, err := c.lz4.CompressBlock(src, c.out[:cap(c.out)])
		if err != nil || n == 0 {
			return nil, false, err
		}
		out = c.out[:n]
	}
	return out, len(out) < len(src), nil
}

// outStream collects one stream of a stripe.
type outStream struct {
	kind   streamKind
	column uint32
	c      *compressor
	packed []byte // finished chunks; all bytes where there is no codec
	open   []byte // of the chunk that is being filled
	err    error
}

func (s *outStream) write(b []byte) {
	if s.c.codec == codecNone {
		s.packed = append(s.packed, b...)
		return
	}
	for len(b) > 0 {
		n := min(len(b), s.c.block-len(s.open))
		s.open = append(s.open, b[:n]...)
		if b = b[n:]; len(s.open) == s.c.block {
			s.flush()
		}
	}
}

// flush ends the open chunk.
func (s *outStream) flush() {
	if len(s.open) == 0 || s.err != nil {
		return
	}
	out, smaller, err := s.c.pack(s.open)
	if err != nil {
		s.err = err
		return
	}
	header := len(out) << 1
	if !smaller {
		out, header = s.open, len(s.open)<<1|1
	}
	s.packed = append(s.packed, byte(header), byte(header>>8), byte(header>>16))
	s.packed = append(s.packed, out...)
	s.open = s.open[:0]
}

// position appends where the stream is now.
func (s *outStream) position(dst []uint64) []uint64 {
	if s.c.codec == codecNone {
		return append(dst, uint64(len(s.packed)))
	}
	return append(dst, uint64(len(s.packed)), uint64(len(s.open)))
}

// packAll compresses a message as a stream of its own.
func (c *compressor) packAll(b []byte) ([]byte, error) {
	s := outStream{c: c}
	s.write(b)
	s.flush()
	return s.packed, s.err
}
