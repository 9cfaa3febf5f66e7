package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs of the format.
const (
	codecNone    = 0
	codecSnappy  = 1
	codecGzip    = 2
	codecLZO     = 3
	codecBrotli  = 4
	codecLZ4     = 5
	codecZstd    = 6
	codecLZ4Raw  = 7
	numCodecs    = 8
	maxPageBytes = 1 << 30
)

var codecNames = [numCodecs]string{"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"}

// Ratios above which a page's declared size is not believed until that much was really
// decompressed. LZ4 and snappy cannot reach more than these.
const (
	maxSnappyRatio  = 64
	maxLZ4Ratio     = 256
	trustedRatio    = 256
	trustedMinBytes = 64 << 10
)

var (
	zstdOnce    sync.Once
	zstdDecoder *zstd.Decoder
	gzipPool    sync.Pool
)

func sharedZstd() *zstd.Decoder {
	zstdOnce.Do(func() {
		zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPageBytes))
	})
	return zstdDecoder
}

// decompress expands src to exactly size bytes in a buffer of mem's. Memory grows with
// what really comes out, not with the declared size, except within the ratio that the
// codec can reach.
func decompress(mem *memory, codec int32, src []byte, size int) (*buffer, error) {
	if size > maxPageBytes {
		return nil, formatError("a page is larger than 1 GiB")
	}
	ratio := trustedRatio
	switch codec {
	case codecSnappy:
		ratio = maxSnappyRatio
		if n, err := snappy.DecodedLen(src); err != nil || n != size {
			return nil, formatError("snappy data does not have the declared size")
		}
	case codecLZ4, codecLZ4Raw:
		ratio = maxLZ4Ratio
	}
	if size > trustedMinBytes && size/ratio > len(src) {
		if codec == codecSnappy || codec == codecLZ4 || codec == codecLZ4Raw {
			return nil, formatError("a page declares more than its codec can hold")
		}
		return expandSlowly(mem, codec, src, size)
	}
	b, err := mem.get(size)
	if err != nil {
		return nil, err
	}
	if err := decompressInto(b.mem[:size], codec, src); err != nil {
		mem.put(b)
		return nil, err
	}
	return b, nil
}

// decompressInto fills dst exactly. Bytes behind dst may be overwritten up to its capacity.
func decompressInto(dst []byte, codec int32, src []byte) error {
	switch codec {
	case codecSnappy:
		out, err := snappy.Decode(dst, src)
		if err != nil {
			return fmt.Errorf("snappy: %w", err)
		}
		return sameSize(len(out), len(dst))
	case codecZstd:
		out, err := sharedZstd().DecodeAll(src, dst[:0:len(dst)])
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		return sameSize(len(out), len(dst))
	case codecLZ4Raw:
		n, err := lz4.UncompressBlock(src, dst)
		if err != nil {
			return fmt.Errorf("lz4: %w", err)
		}
		return sameSize(n, len(dst))
	case codecLZ4:
		return decompressHadoopLZ4(dst, src)
	}
	r, done, err := streamOf(codec, src)
	if err != nil {
		return err
	}
	defer done()
	n, err := io.ReadFull(r, dst)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fmt.Errorf("%s: %w", codecNames[codec], err)
	}
	if err := sameSize(n, len(dst)); err != nil {
		return err
	}
	var more [1]byte
	if n, _ := r.Read(more[:]); n > 0 {
		return formatError("a page is larger than declared")
	}
	return nil
}

func sameSize(got, want int) error {
	if got != want {
		return formatError(fmt.Sprintf("a page has %d bytes, not the declared %d", got, want))
	}
	return nil
}

// streamOf opens a reader over compressed data; done gives it back.
func streamOf(codec int32, src []byte) (r io.Reader, done func(), err error) {
	switch codec {
	case codecGzip: // several members in a row are one stream
		z, _ := gzipPool.Get().(*gzip.Reader)
		if z == nil {
			z = new(gzip.Reader)
		}
		if err := z.Reset(bytes.NewReader(src)); err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return z, func() { gzipPool.Put(z) }, nil
	case codecBrotli:
		return brotli.NewReader(bytes.NewReader(src)), func() {}, nil
	case codecZstd:
		d, err := zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return d, d.Close, nil
	}
	return nil, nil, formatError(fmt.Sprintf("codec %d is unknown", codec))
}

// expandSlowly decompresses a page whose declared size is suspicious, doubling the
// buffer as data really arrives.
func expandSlowly(mem *memory, codec int32, src []byte, size int) (*buffer, error) {
	r, done, err := streamOf(codec, src)
	if err != nil {
		return nil, err
	}
	defer done()
	b, err := mem.get(min(size, trustedMinBytes))
	if err != nil {
		return nil, err
	}
	have := 0
	for have < size {
		if have == b.size() {
			next, err := mem.get(min(size, 2*b.size()))
			if err != nil {
				mem.put(b)
				return nil, err
			}
			copy(next.mem, b.mem[:have])
			mem.put(b)
			b = next
		}
		n, err := r.Read(b.mem[have:min(b.size(), size)])
		have += n
		if err != nil && have < size {
			mem.put(b)
			return nil, formatError(fmt.Sprintf("%s data ends early: %v", codecNames[codec], err))
		}
	}
	return b, nil
}

// decompressHadoopLZ4 reads what is called LZ4 in files: Hadoop's framing
//
//	[BE u32 raw length][BE u32 compressed length][LZ4 block] …
//
// or, from some writers, an LZ4 frame or a raw block.
func decompressHadoopLZ4(dst, src []byte) error {
	if hadoopLZ4(dst, src) {
		return nil
	}
	if len(src) >= 4 && binary.LittleEndian.Uint32(src) == 0x184D2204 {
		n, err := io.ReadFull(lz4.NewReader(bytes.NewReader(src)), dst)
		if err == nil && n == len(dst) {
			return nil
		}
	}
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil {
		return fmt.Errorf("lz4: %w", err)
	}
	return sameSize(n, len(dst))
}

func hadoopLZ4(dst, src []byte) bool {
	for len(src) >= 8 {
		raw := int64(binary.BigEndian.Uint32(src))
		packed := int64(binary.BigEndian.Uint32(src[4:]))
		src = src[8:]
		if raw > int64(len(dst)) || packed > int64(len(src)) {
			return false
		}
		n, err := lz4.UncompressBlock(src[:packed], dst[:raw:raw])
		if err != nil || int64(n) != raw {
			return false
		}
		dst, src = dst[raw:], src[packed:]
	}
	return len(src) == 0 && len(dst) == 0
}
