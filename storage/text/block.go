package text

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// blockBytes is how much is read at a time, or more where a row is longer.
const blockBytes = 1 << 20

// blocks hands out a file's text: buf[pos:] is unread. A refill moves what is unread to a
// new buffer; the one before stays valid until the next refill.
type blocks struct {
	path  string
	file  storage.File
	in    io.Reader // compressed files; nil: by offset
	close func()
	count func(n int64)
	block int // blockBytes, or less in tests

	buf  []byte
	pos  int
	base int64 // offset of buf[0] in the text
	next int64 // offset of the next read of plain files
	size int64
	last bool // nothing comes behind buf

	budget *budget.Reservation
	held   int64
	spare  []byte
}

func (s *Source) openBlocks(p *split, b *budget.Reservation) (*blocks, error) {
	f := p.file
	file, err := s.fs.Open(f.path)
	if err != nil {
		return nil, err
	}
	in := &blocks{path: f.path, file: file, size: f.size, block: f.block, close: func() {}, budget: b}
	if f.comp != plain {
		if in.in, in.close, err = f.stream(file, false, b); err != nil {
			file.Close()
			return nil, err
		}
		if f.text >= 0 {
			in.in = io.LimitReader(in.in, f.text)
		}
		return in, nil
	}
	in.next, in.base = p.lo, p.lo
	return in, nil
}

func (b *blocks) done() {
	b.close()
	b.file.Close()
	if b.budget != nil {
		b.budget.Shrink(b.held)
	}
	b.held, b.buf, b.spare = 0, nil, nil
}

// fill reads more behind buf[pos:]. When the text is at its end, last is set.
func (b *blocks) fill() error {
	if b.last {
		return nil
	}
	rest := b.buf[b.pos:]
	if len(rest) >= MaxRowBytes {
		return sqlerr.New(sqlerr.CorruptFile, "a row of %s is longer than %d MB", b.path, MaxRowBytes>>20)
	}
	want := max(b.block, 2*len(rest))
	if b.in == nil {
		want = int(min(int64(want), int64(len(rest))+b.size-b.next))
	}
	next := b.spare
	if cap(next) < want+8 {
		if b.budget != nil {
			if err := b.budget.Grow(int64(want)); err != nil {
				return err
			}
			b.held += int64(want)
		}
		next = make([]byte, 0, want+8)
	}
	b.spare = b.buf
	next = next[:want]
	n := copy(next, rest)
	b.base += int64(b.pos)
	b.pos = 0
	got, err := b.read(next[n:])
	b.buf = next[:n+got]
	if b.count != nil {
		b.count(int64(got))
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && b.in == nil:
		b.last = true
	case sqlerr.Is(err, sqlerr.OutOfMemory):
		return err
	case b.in != nil:
		return sqlerr.New(sqlerr.CorruptFile, "corrupt compressed file %s: %v", b.path, err)
	default:
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", b.path)
	}
	return nil
}

func (b *blocks) read(dst []byte) (int, error) {
	if b.in != nil {
		n, err := io.ReadFull(b.in, dst)
		if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 { // the end, or a cut stream: the next read tells
			var more [1]byte
			if k, again := b.in.Read(more[:]); k == 0 && errors.Is(again, io.EOF) {
				return n, io.EOF
			} else if again != nil {
				return n, again
			}
		}
		return n, err
	}
	n, err := b.file.ReadAt(dst[:min(int64(len(dst)), b.size-b.next)], b.next)
	b.next += int64(n)
	if b.next >= b.size {
		return n, io.EOF
	}
	return n, err
}

// ranges is what is known of where the ranges of a file begin, beyond their offsets; range k begins at k times the file's step.
type ranges struct {
	mu sync.Mutex
	// odd tells, for the first ranges, whether an odd number of quotes stands before them.
	odd []bool
	// rows are the offsets of the first rows of ranges, as readers of those before found them.
	rows map[int64]int64
}

// firstRow is the offset of the first row that begins in the range at offset; false when it is not known.
func (f *file) firstRow(offset int64) (int64, bool) {
	f.ranges.mu.Lock()
	defer f.ranges.mu.Unlock()
	at, ok := f.ranges.rows[offset/f.step]
	return at, ok
}

// noteRow keeps that the first row behind the end of a range, hi, begins at offset.
func (f *file) noteRow(hi, offset int64) {
	if hi >= f.size {
		return
	}
	f.ranges.mu.Lock()
	defer f.ranges.mu.Unlock()
	if f.ranges.rows == nil {
		f.ranges.rows = map[int64]int64{}
	}
	f.ranges.rows[hi/f.step] = offset
}

// insideQuotes reports whether an odd number of quotes stands before offset, a multiple of the
// size of a range. What was counted for ranges before is used again.
func (f *file) insideQuotes(fs storage.FS, offset int64) (bool, error) {
	r := &f.ranges
	r.mu.Lock()
	defer r.mu.Unlock()
	k := int(offset / f.step)
	if len(r.odd) == 0 {
		r.odd = append(r.odd, false)
	}
	if k < len(r.odd) {
		return r.odd[k], nil
	}
	file, err := fs.Open(f.path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	buf := make([]byte, min(f.step, 256<<10))
	for len(r.odd) <= k {
		odd := r.odd[len(r.odd)-1]
		for at, end := int64(len(r.odd)-1)*f.step, int64(len(r.odd))*f.step; at < end; {
			n, err := file.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
			if n == 0 && err != nil {
				return false, sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", f.path)
			}
			odd = odd != (bytes.Count(buf[:n], []byte{f.opt.Quote})%2 == 1)
			at += int64(n)
		}
		r.odd = append(r.odd, odd)
	}
	return r.odd[k], nil
}
