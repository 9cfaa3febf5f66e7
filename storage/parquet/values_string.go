package parquet

import (
	"encoding/binary"
	"unsafe"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
)

// sink collects the buffers that the views of one vector refer to.
type sink struct {
	bufs [][]byte
	// own is memory of the sink for strings that stand nowhere in a page. Its bytes are
	// never moved: when it is full, another one follows.
	own []byte
	// made is claimed by values that take more than the bytes of the file that they are made of.
	made budget.Claim
}

func (s *sink) reset() {
	s.bufs = s.bufs[:0]
	s.own = s.own[:0]
	s.made.Release()
}

// add registers a buffer and returns its number.
func (s *sink) add(b []byte) int {
	if n := len(s.bufs); n > 0 && len(b) > 0 && len(s.bufs[n-1]) > 0 && &s.bufs[n-1][0] == &b[0] && len(s.bufs[n-1]) == len(b) {
		return n - 1
	}
	s.bufs = append(s.bufs, b)
	return len(s.bufs) - 1
}

// grow makes n bytes of own memory and returns them with their buffer number and offset.
func (s *sink) grow(n int) (mem []byte, buf, off int) {
	if cap(s.own)-len(s.own) < n || len(s.own) == 0 {
		if cap(s.own) < n || len(s.own) > 0 {
			s.own = make([]byte, 0, max(n, min(2*cap(s.own), 1<<20), 4096))
		}
		s.bufs = append(s.bufs, s.own[:cap(s.own)])
	}
	off = len(s.own)
	s.own = s.own[:off+n]
	return s.own[off:], s.ownIndex(), off
}

// ownIndex finds the buffer that own is; it is the last one but for page buffers added later.
func (s *sink) ownIndex() int {
	p := unsafe.SliceData(s.own)
	for i := len(s.bufs) - 1; i >= 0; i-- {
		if unsafe.SliceData(s.bufs[i]) == p {
			return i
		}
	}
	return 0
}

// stringValues yields the non-null strings of one page.
type stringValues interface {
	// next fills dst with views into buffers that it registers with out.
	next(dst []vector.View, out *sink) error
	skip(n int) error
}

// plainStrings is PLAIN BYTE_ARRAY: | u32 length | bytes | … . Eight bytes behind data
// are readable.
type plainStrings struct {
	data []byte
	pos  int
}

const errStringShort = formatError("a string is longer than its page")

// next builds views by loads of whole words: a PLAIN value begins exactly like a view,
// with its length and first four bytes.
func (p *plainStrings) next(dst []vector.View, out *sink) error {
	buf := uint64(uint32(out.add(p.data)))
	words := unsafe.Slice((*[2]uint64)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst))
	base := unsafe.Pointer(unsafe.SliceData(p.data))
	pos, end := p.pos, len(p.data)
	for i := range words {
		if end-pos < 4 {
			return errValuesShort
		}
		w0 := load64(base, pos)
		n := int(uint32(w0))
		if n > end-pos-4 {
			return errStringShort
		}
		switch {
		case n > vector.MaxInline:
			words[i] = [2]uint64{w0, buf | uint64(uint32(pos+4))<<32}
		case n >= 4:
			words[i] = [2]uint64{w0, load64(base, pos+8) & (1<<(uint(n-4)*8&127) - 1)}
		default:
			words[i] = [2]uint64{w0 & (1<<(uint(n+4)*8) - 1), 0}
		}
		pos += 4 + n
	}
	p.pos = pos
	return nil
}

func (p *plainStrings) skip(n int) error {
	pos, end := p.pos, len(p.data)
	base := unsafe.Pointer(unsafe.SliceData(p.data))
	for range n {
		if end-pos < 4 {
			return errValuesShort
		}
		pos += 4 + int(*(*uint32)(unsafe.Add(base, pos)))
	}
	if pos > end {
		return errStringShort
	}
	p.pos = pos
	return nil
}

// pick makes views of the values at the positions idx (ascending) among the next total,
// and passes over all of them.
func (p *plainStrings) pick(dst []vector.View, idx []int32, total int, out *sink) error {
	done := 0
	for i, x := range idx {
		if err := p.skip(int(x) - done); err != nil {
			return err
		}
		if err := p.next(dst[i:i+1], out); err != nil {
			return err
		}
		done = int(x) + 1
	}
	return p.skip(total - done)
}

// viewOf makes the view of data[off:off+n], which is out's buffer buf.
func viewOf(data []byte, off, n, buf int) vector.View {
	return vector.MakeView(data[off:off+n], buf, off)
}

// deltaLengthStrings is DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
type deltaLengthStrings struct {
	lengths deltaReader
	data    []byte
	pos     int
	scratch [256]int64
}

func (p *deltaLengthStrings) init(data []byte) error {
	if err := p.lengths.init(data); err != nil {
		return err
	}
	probe := p.lengths
	pos, err := probe.finish()
	p.data, p.pos = data, pos
	return err
}

func (p *deltaLengthStrings) next(dst []vector.View, out *sink) error {
	buf := out.add(p.data)
	for len(dst) > 0 {
		k := min(len(dst), len(p.scratch))
		if err := p.lengths.next(p.scratch[:k]); err != nil {
			return err
		}
		for i, n := range p.scratch[:k] {
			if n < 0 || n > int64(len(p.data)-p.pos) {
				return errStringShort
			}
			dst[i] = viewOf(p.data, p.pos, int(n), buf)
			p.pos += int(n)
		}
		dst = dst[k:]
	}
	return nil
}

func (p *deltaLengthStrings) skip(n int) error {
	for n > 0 {
		k := min(n, len(p.scratch))
		if err := p.lengths.next(p.scratch[:k]); err != nil {
			return err
		}
		for _, x := range p.scratch[:k] {
			if x < 0 || x > int64(len(p.data)-p.pos) {
				return errStringShort
			}
			p.pos += int(x)
		}
		n -= k
	}
	return nil
}

// deltaStrings is DELTA_BYTE_ARRAY: each value is a prefix of the one before plus a suffix.
type deltaStrings struct {
	prefixes, suffixes deltaReader
	data               []byte
	pos                int
	last               []byte
	pre, suf           [256]int64
}

func (p *deltaStrings) init(data []byte) error {
	if err := p.prefixes.init(data); err != nil {
		return err
	}
	probe := p.prefixes
	at, err := probe.finish()
	if err != nil {
		return err
	}
	if err := p.suffixes.init(data[at:]); err != nil {
		return err
	}
	probe = p.suffixes
	end, err := probe.finish()
	p.data, p.pos, p.last = data, at+end, p.last[:0]
	return err
}

// step decodes up to 256 lengths.
func (p *deltaStrings) step(k int) error {
	if err := p.prefixes.next(p.pre[:k]); err != nil {
		return err
	}
	return p.suffixes.next(p.suf[:k])
}

// advance makes the value of lengths i the last one.
func (p *deltaStrings) advance(i int) error {
	pre, suf := p.pre[i], p.suf[i]
	if pre < 0 || suf < 0 || pre > int64(len(p.last)) || suf > int64(len(p.data)-p.pos) {
		return errStringShort
	}
	p.last = append(p.last[:pre], p.data[p.pos:p.pos+int(suf)]...)
	p.pos += int(suf)
	return nil
}

func (p *deltaStrings) next(dst []vector.View, out *sink) error {
	for len(dst) > 0 {
		k := min(len(dst), len(p.pre))
		if err := p.step(k); err != nil {
			return err
		}
		for i := range k {
			if err := p.advance(i); err != nil {
				return err
			}
			if len(p.last) <= vector.MaxInline {
				dst[i] = vector.MakeView(p.last, 0, 0)
				continue
			}
			if err := out.made.Grow(int64(len(p.last))); err != nil {
				return err
			}
			mem, buf, off := out.grow(len(p.last))
			copy(mem, p.last)
			dst[i] = vector.MakeView(mem, buf, off)
		}
		dst = dst[k:]
	}
	return nil
}

func (p *deltaStrings) skip(n int) error {
	for n > 0 {
		k := min(n, len(p.pre))
		if err := p.step(k); err != nil {
			return err
		}
		for i := range k {
			if err := p.advance(i); err != nil {
				return err
			}
		}
		n -= k
	}
	return nil
}

// plainFixedStrings yields FIXED values as strings, copied (or as UUID text).
type plainFixedStrings struct {
	values fixedValues
	width  int
	uuid   bool
	raw    []byte
}

func (p *plainFixedStrings) next(dst []vector.View, out *sink) error {
	for len(dst) > 0 {
		k := min(len(dst), max(1, 1<<20/p.width))
		if cap(p.raw) < k*p.width {
			p.raw = make([]byte, k*p.width)
		}
		raw := p.raw[:k*p.width]
		if err := p.values.next(raw, k); err != nil {
			return err
		}
		var text [36]byte
		for i := range k {
			s := raw[i*p.width : (i+1)*p.width]
			if p.uuid {
				s = appendUUID(text[:0], s)
			}
			if len(s) <= vector.MaxInline {
				dst[i] = vector.MakeView(s, 0, 0)
				continue
			}
			mem, buf, off := out.grow(len(s))
			copy(mem, s)
			dst[i] = vector.MakeView(mem, buf, off)
		}
		dst = dst[k:]
	}
	return nil
}

func (p *plainFixedStrings) skip(n int) error { return p.values.skip(n) }

// decimalBytes yields BYTE_ARRAY decimals as int64 or int128 values.
type decimalBytes struct {
	values stringValues
	wide   bool
	out    sink
	views  []vector.View
}

func (p *decimalBytes) next(dst []byte, n int) error {
	p.out.reset()
	if cap(p.views) < n {
		p.views = make([]vector.View, n)
	}
	views := p.views[:n]
	if err := p.values.next(views, &p.out); err != nil {
		return err
	}
	for i := range views {
		v, ok := bigEndianInt(views[i].Bytes(p.out.bufs))
		if !ok || !p.wide && !v.IsInt64() {
			return errDecimalRange
		}
		if p.wide {
			binary.LittleEndian.PutUint64(dst[i*16:], v.Lo)
			binary.LittleEndian.PutUint64(dst[i*16+8:], uint64(v.Hi))
		} else {
			binary.LittleEndian.PutUint64(dst[i*8:], v.Lo)
		}
	}
	return nil
}

func (p *decimalBytes) skip(n int) error { return p.values.skip(n) }
