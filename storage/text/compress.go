package text

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// compression is how a file is wrapped, by its name's ending.
type compression uint8

const (
	plain compression = iota
	gzipped
	bzipped
	zstandard
	snappied
	deflated
	lz4ed
)

func compressionOf(path string) compression {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz", ".gzip":
		return gzipped
	case ".bz2":
		return bzipped
	case ".zst", ".zstd":
		return zstandard
	case ".snappy", ".sz":
		return snappied
	case ".deflate": // of Hadoop, which means zlib
		return deflated
	case ".lz4":
		return lz4ed
	}
	return plain
}

// ratio is about how much larger the text is than its file.
func (c compression) ratio() float64 {
	if c == plain {
		return 1
	}
	return 4
}

// stream reads the file's text from its beginning, what it holds charged to b. For a sample, when not much is read, b may be nil.
func (f *file) stream(file storage.File, sample bool, b *budget.Reservation) (io.Reader, func(), error) {
	raw := io.NewSectionReader(file, 0, f.size)
	wrap := func(err error) error {
		if e := new(sqlerr.Error); errors.As(err, &e) {
			return err
		}
		return sqlerr.New(sqlerr.CorruptFile, "corrupt compressed file %s: %v", f.path, err)
	}
	none := func() {}
	switch f.comp {
	case gzipped:
		r, err := gzip.NewReader(raw)
		if err != nil {
			return nil, none, wrap(err)
		}
		return r, none, nil
	case bzipped:
		return bzip2.NewReader(raw), none, nil
	case zstandard:
		if sample {
			r, err := zstdSample(file, f.size)
			if err != nil {
				return nil, none, wrap(err)
			}
			return r, r.Close, nil
		}
		r, err := newZstdText(file, f.size, b)
		if err != nil {
			return nil, none, wrap(err)
		}
		return r, r.close, nil
	case snappied:
		in := bufio.NewReaderSize(raw, 64<<10)
		if head, _ := in.Peek(len(snappyMagic)); string(head) == snappyMagic {
			return snappy.NewReader(in), none, nil
		}
		return &hadoopBlocks{in: in, decode: decodeSnappy}, none, nil
	case deflated:
		r, err := zlib.NewReader(raw)
		if err != nil {
			return nil, none, wrap(err)
		}
		return r, none, nil
	case lz4ed:
		in := bufio.NewReaderSize(raw, 64<<10)
		if head, _ := in.Peek(len(lz4Magic)); string(head) == lz4Magic {
			return lz4.NewReader(in), none, nil
		}
		return &hadoopBlocks{in: in, decode: decodeLZ4}, none, nil
	}
	return raw, none, nil
}

// snappyMagic and lz4Magic begin files in the framing formats of these codecs; those of Hadoop's codecs do not have it.
const (
	snappyMagic = "\xff\x06\x00\x00sNaPpY"
	lz4Magic    = "\x04\x22\x4d\x18"
)

// maxSnappyRatio is more than snappy can reach: copies of 64 bytes take three. Of lz4 a byte makes 255.
const (
	maxSnappyRatio = 32
	maxLZ4Ratio    = 256
)

// hadoopBlocks reads what Hadoop's SnappyCodec and Lz4Codec write: blocks, each its size without compression (big endian,
// 4 bytes) and then chunks, each its compressed size and the raw codec, until the block is complete.
type hadoopBlocks struct {
	in *bufio.Reader
	// decode appends to an empty dst what raw, of at most left bytes, is without compression.
	decode func(dst, raw []byte, left int64) ([]byte, error)

	left  int64 // of the block
	chunk []byte
	raw   []byte
	at    int
}

var (
	errChunk  = errors.New("malformed block")
	errSnappy = errors.New("malformed snappy block")
	errLZ4    = errors.New("malformed lz4 block")
)

func decodeSnappy(dst, raw []byte, left int64) ([]byte, error) {
	size, err := snappy.DecodedLen(raw)
	if err != nil || int64(size) > left || size > MaxRowBytes || size > maxSnappyRatio*len(raw) {
		return nil, errSnappy
	}
	if dst, err = snappy.Decode(dst[:cap(dst)], raw); err != nil {
		return nil, errSnappy
	}
	return dst, nil
}

func decodeLZ4(dst, raw []byte, left int64) ([]byte, error) {
	size := int(min(left, MaxRowBytes, int64(maxLZ4Ratio*len(raw))))
	dst = slices.Grow(dst, size)[:size]
	n, err := lz4.UncompressBlock(raw, dst)
	if err != nil || n == 0 {
		return nil, errLZ4
	}
	return dst[:n], nil
}

// Read implements io.Reader.
func (h *hadoopBlocks) Read(dst []byte) (int, error) {
	for h.at == len(h.chunk) {
		if err := h.next(); err != nil {
			return 0, err
		}
	}
	n := copy(dst, h.chunk[h.at:])
	h.at += n
	return n, nil
}

func (h *hadoopBlocks) size() (int64, error) {
	var b [4]byte
	if _, err := io.ReadFull(h.in, b[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint32(b[:])), nil
}

func (h *hadoopBlocks) next() error {
	for h.left == 0 {
		n, err := h.size()
		if err != nil {
			return err // io.EOF between blocks is the end
		}
		h.left = n
	}
	n, err := h.size()
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case n > MaxRowBytes:
		return errChunk
	}
	for h.raw = h.raw[:0]; int64(len(h.raw)) < n; { // memory grows with what is there
		at, more := len(h.raw), min(n-int64(len(h.raw)), max(int64(len(h.raw)), 64<<10))
		h.raw = slices.Grow(h.raw, int(more))[:at+int(more)]
		if _, err := io.ReadFull(h.in, h.raw[at:]); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
	if h.chunk, err = h.decode(h.chunk[:0], h.raw, h.left); err != nil {
		return err
	}
	h.at = 0
	h.left -= int64(len(h.chunk))
	return nil
}

// Compressions are the names that WriterOptions.Compression may have, with the endings of file names that
// readers, ours and Hive's, know them by.
var Compressions = map[string]string{"": "", "gzip": ".gz", "zstd": ".zst", "snappy": ".snappy"}

// compressor wraps out; nil without compression.
func compressor(out io.Writer, name string) (io.WriteCloser, error) {
	switch name {
	case "":
		return nil, nil
	case "gzip":
		return gzip.NewWriterLevel(out, 5)
	case "zstd":
		return zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	case "snappy":
		return &snappyBlocks{out: out}, nil
	}
	return nil, sqlerr.Unsupported("text files compressed with " + name).WithHint("Use gzip, zstd or snappy")
}

// snappyBlocks writes what hadoopBlocks reads, a chunk a block.
type snappyBlocks struct {
	out io.Writer
	buf []byte
}

// Write implements io.Writer.
func (s *snappyBlocks) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		part := p[done:min(done+flushBytes, len(p))]
		if need := 8 + snappy.MaxEncodedLen(len(part)); len(s.buf) < need {
			s.buf = make([]byte, need)
		}
		n := len(snappy.Encode(s.buf[8:], part))
		binary.BigEndian.PutUint32(s.buf, uint32(len(part)))
		binary.BigEndian.PutUint32(s.buf[4:], uint32(n))
		if _, err := s.out.Write(s.buf[:8+n]); err != nil {
			return done, err
		}
		done += len(part)
	}
	return done, nil
}

// Close implements io.Closer.
func (s *snappyBlocks) Close() error { return nil }
