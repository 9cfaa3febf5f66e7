package orc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// chunkHeader is the length of a compression chunk's header: compressed length * 2 +
// "stored as it is", 3 bytes little endian.
const chunkHeader = 3

// zstdRoom is what the zstd decoder likes to have behind its output.
const zstdRoom = 32

// maxRatios bound how much a codec can expand, so that a buffer for a short chunk is
// short, whatever the block size.
var maxRatios = [numCodecs]int{codecZlib: 1040, codecSnappy: 64, codecLZO: 256, codecLZ4: 256, codecZstd: 1 << 16, codecBrotli: 1 << 16}

var (
	zstdOnce    sync.Once
	zstdDecoder *zstd.Decoder
)

func sharedZstd() *zstd.Decoder {
	zstdOnce.Do(func() {
		zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxBlock))
	})
	return zstdDecoder
}

// chunkSize parses a chunk header.
func chunkSize(h []byte) (n int, stored bool) {
	x := int(h[0]) | int(h[1])<<8 | int(h[2])<<16
	return x >> 1, x&1 != 0
}

// outputLimit is the room to give a compressed chunk: no chunk is larger than a block.
func outputLimit(codec, block int, src []byte) (int, error) {
	limit := min(block, maxRatios[codec]*(len(src)+1))
	switch codec {
	case codecSnappy:
		n, err := snappy.DecodedLen(src)
		if err != nil || n > limit {
			return 0, formatError("snappy data is larger than its block")
		}
		return n, nil
	case codecZstd:
		var h zstd.Header
		if err := h.Decode(src); err == nil && h.HasFCS {
			if h.FrameContentSize > uint64(limit) {
				return 0, formatError("zstd data is larger than its block")
			}
			return int(h.FrameContentSize), nil
		}
	}
	return limit, nil
}

// expand decompresses a chunk to the front of dst and returns its size. Bytes of dst
// behind it may be overwritten.
func expand(codec int, dst, src []byte) (int, error) {
	switch codec {
	case codecZlib:
		return inflate(dst, src)
	case codecSnappy:
		out, err := snappy.Decode(dst, src)
		if err != nil {
			return 0, fmt.Errorf("snappy: %w", err)
		}
		return len(out), nil
	case codecLZO:
		return expandLZO(dst, src)
	case codecLZ4:
		n, err := lz4.UncompressBlock(src, dst)
		if err != nil {
			return 0, fmt.Errorf("lz4: %w", err)
		}
		return n, nil
	case codecZstd:
		// With some room behind the output the decoder needs no bounds checks.
		out, err := sharedZstd().DecodeAll(src, dst[:0:min(cap(dst), len(dst)+zstdRoom)])
		if err != nil {
			return 0, fmt.Errorf("zstd: %w", err)
		}
		if len(out) > len(dst) {
			return 0, formatError("zstd data is larger than its block")
		}
		return len(out), nil
	case codecBrotli:
		n, err := io.ReadFull(brotli.NewReader(bytes.NewReader(src)), dst)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("brotli: %w", err)
		}
		return n, nil
	}
	return 0, formatError(fmt.Sprintf("codec %d is unknown", codec))
}

// expandAll decompresses a whole stream: footers and indexes. Where there is no codec the
// result is src itself.
func expandAll(codec, block int, src []byte) ([]byte, error) {
	if codec == codecNone {
		return src, nil
	}
	limit := leastTailBytes + min(len(src), maxTailBytes/tailRatio)*tailRatio
	var out []byte
	for len(src) > 0 {
		if len(src) < chunkHeader {
			return nil, formatError("a compression chunk is cut off")
		}
		n, stored := chunkSize(src)
		src = src[chunkHeader:]
		if n > len(src) {
			return nil, formatError("a compression chunk is longer than its stream")
		}
		if stored {
			out = append(out, src[:n]...)
		} else {
			room, err := outputLimit(codec, block, src[:n])
			if err != nil {
				return nil, err
			}
			at := len(out)
			if cap(out)-at < room {
				out = append(make([]byte, 0, max(2*at, at+room)), out...)
			}
			k, err := expand(codec, out[at:at+room:cap(out)], src[:n])
			if err != nil {
				return nil, err
			}
			out = out[:at+k]
		}
		if len(out) > limit {
			return nil, formatError("metadata is larger than its compressed bytes make likely")
		}
		src = src[n:]
	}
	if cap(out) > 2*len(out) { // what is kept of metadata would keep the room of a whole chunk
		out = slices.Clone(out)
	}
	return out, nil
}
