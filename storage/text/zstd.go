package text

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/storage"
)

const (
	// maxWindow bounds how far back zstd files refer, which is allocated when a file says so: what the zstd program
	// takes unless it is told otherwise.
	maxWindow = 128 << 20
	// leastWindow is what a reader is prepared for in any case.
	leastWindow = 1 << 20
	// windowRoom is what the decoder holds besides its window.
	windowRoom = 512 << 10
	// sampleWindow is enough for a sample: nothing in it refers to what is before the file.
	sampleWindow = 8 << 20
	// sampleDescriptor is how a frame's header says sampleWindow.
	sampleDescriptor = 13 << 3
	// maxFrameHeader is longer than any header of a frame.
	maxFrameHeader = 32
	// maxSkipped bounds the frames without content that are looked behind.
	maxSkipped = 16
)

// zstdText reads a zstd file whose frames may ask for large windows: one of the size that the first frame asks for is
// charged to the reservation; when a later frame asks for more, a larger one, and the text so far is decompressed again.
type zstdText struct {
	file   storage.File
	size   int64
	budget *budget.Reservation // may be nil
	d      *zstd.Decoder
	window int64
	held   int64
	done   int64 // bytes that were read
}

func newZstdText(file storage.File, size int64, b *budget.Reservation) (*zstdText, error) {
	z := &zstdText{file: file, size: size, budget: b}
	_, h, _ := firstFrame(file, size)
	if err := z.open(min(max(windowOf(&h), leastWindow), maxWindow)); err != nil {
		return nil, err
	}
	return z, nil
}

// open begins anew with a window, from the first byte.
func (z *zstdText) open(window int64) error {
	z.close()
	if z.budget != nil {
		if err := z.budget.Grow(window + windowRoom); err != nil {
			return err
		}
		z.held = window + windowRoom
	}
	z.window = window
	var err error
	z.d, err = zstd.NewReader(io.NewSectionReader(z.file, 0, z.size), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(window)))
	if err != nil {
		z.close()
		return err
	}
	_, err = io.CopyN(io.Discard, z.d, z.done)
	return err
}

func (z *zstdText) close() {
	if z.d != nil {
		z.d.Close()
		z.d = nil
	}
	if z.budget != nil {
		z.budget.Shrink(z.held)
	}
	z.held = 0
}

// Read implements io.Reader.
func (z *zstdText) Read(dst []byte) (int, error) {
	for z.d != nil {
		n, err := z.d.Read(dst)
		z.done += int64(n)
		if !tooLarge(err) || z.window == maxWindow {
			return n, err
		}
		if n > 0 {
			return n, nil // the decoder tells again
		}
		if err := z.open(min(4*z.window, maxWindow)); err != nil {
			return 0, err
		}
	}
	return 0, io.ErrClosedPipe
}

// tooLarge reports the errors of a frame that asks for a larger window than the decoder's.
func tooLarge(err error) bool {
	return errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded)
}

// windowOf is what a frame asks for, 0 when the header was not understood.
func windowOf(h *zstd.Header) int64 {
	if h.SingleSegment {
		return int64(min(h.FrameContentSize, maxWindow+1))
	}
	return int64(min(h.WindowSize, maxWindow+1))
}

// firstFrame finds the first frame with content: where it begins, its header, and the header's bytes and some more.
func firstFrame(file io.ReaderAt, size int64) (at int64, h zstd.Header, head []byte) {
	for range maxSkipped {
		head = make([]byte, min(maxFrameHeader, max(0, size-at)))
		if n, _ := file.ReadAt(head, at); n < len(head) || n == 0 || h.Decode(head) != nil {
			return 0, zstd.Header{}, nil
		}
		if !h.Skippable {
			return at, h, head
		}
		at += int64(h.HeaderSize) + int64(h.SkippableSize)
	}
	return 0, zstd.Header{}, nil
}

// zstdSample reads the beginning of a zstd file, of which no more than sampleWindow bytes are wanted, with a window of
// that size, whatever the first frame asks for: its header is given to the decoder as one that asks for that.
func zstdSample(file storage.File, size int64) (*zstd.Decoder, error) {
	var in io.Reader = io.NewSectionReader(file, 0, size)
	if at, h, head := firstFrame(file, size); windowOf(&h) > sampleWindow {
		const magic, single = 4, 1 << 5
		rest := head[magic+1 : h.HeaderSize]
		if !h.SingleSegment {
			rest = rest[1:]
		}
		small := append(bytes.Clone(head[:magic]), head[magic]&^single, sampleDescriptor)
		behind := at + int64(h.HeaderSize)
		in = io.MultiReader(bytes.NewReader(append(small, rest...)), io.NewSectionReader(file, behind, size-behind))
	}
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(sampleWindow))
}
