package parquet

import (
	"math/bits"
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

// fixedValues yields the non-null values of one page whose stored form has a fixed width.
type fixedValues interface {
	// next writes the next n values to dst, in stored form.
	next(dst []byte, n int) error
	// skip passes over n values.
	skip(n int) error
}

const errValuesShort = formatError("a page has fewer values than its header declares")

// plainFixed is PLAIN: the values one after another.
type plainFixed struct {
	data  []byte
	pos   int
	width int
}

// peek returns the next n values in place.
func (p *plainFixed) peek(n int) ([]byte, error) {
	size := n * p.width
	if size > len(p.data)-p.pos {
		return nil, errValuesShort
	}
	return p.data[p.pos : p.pos+size], nil
}

func (p *plainFixed) next(dst []byte, n int) error {
	src, err := p.peek(n)
	if err != nil {
		return err
	}
	copy(dst, src)
	p.pos += len(src)
	return nil
}

func (p *plainFixed) skip(n int) error {
	src, err := p.peek(n)
	p.pos += len(src)
	return err
}

// plainBool is PLAIN BOOLEAN: a bit a value, least significant first.
type plainBool struct {
	data []byte
	bit  int
}

func (p *plainBool) next(dst []byte, n int) error {
	if p.bit+n > 8*len(p.data) {
		return errValuesShort
	}
	for i := range dst[:n] {
		dst[i] = p.data[p.bit>>3] >> (uint(p.bit) & 7) & 1
		p.bit++
	}
	return nil
}

func (p *plainBool) skip(n int) error {
	if p.bit+n > 8*len(p.data) {
		return errValuesShort
	}
	p.bit += n
	return nil
}

// runBool is RLE BOOLEAN.
type runBool struct{ runs hybrid }

func (p *runBool) next(dst []byte, n int) error {
	var codes [256]int32
	for n > 0 {
		k := min(n, len(codes))
		if err := p.runs.codes(codes[:k], 2); err != nil {
			return err
		}
		for i, c := range codes[:k] {
			dst[i] = byte(c)
		}
		dst = dst[k:]
		n -= k
	}
	return nil
}

func (p *runBool) skip(n int) error { return p.runs.skip(n) }

// deltaFixed is DELTA_BINARY_PACKED for INT32 and INT64.
type deltaFixed struct {
	delta deltaReader
	width int
}

func (p *deltaFixed) next(dst []byte, n int) error {
	if p.width == 8 {
		return p.delta.next(slice[int64](dst, n))
	}
	var wide [256]int64
	out := slice[int32](dst, n)
	for len(out) > 0 {
		k := min(len(out), len(wide))
		if err := p.delta.next(wide[:k]); err != nil {
			return err
		}
		for i, x := range wide[:k] {
			out[i] = int32(x)
		}
		out = out[k:]
	}
	return nil
}

func (p *deltaFixed) skip(n int) error { return p.delta.skip(n) }

// splitFixed is BYTE_STREAM_SPLIT: byte k of value i is at k*count+i.
type splitFixed struct {
	data  []byte
	width int
	count int
	pos   int
}

func (p *splitFixed) next(dst []byte, n int) error {
	if n > p.count-p.pos {
		return errValuesShort
	}
	for k := range p.width {
		src := p.data[k*p.count+p.pos:][:n]
		for i, c := range src {
			dst[i*p.width+k] = c
		}
	}
	p.pos += n
	return nil
}

func (p *splitFixed) skip(n int) error {
	if n > p.count-p.pos {
		return errValuesShort
	}
	p.pos += n
	return nil
}

// stringFixed adapts a string encoding to FIXED values (DELTA_BYTE_ARRAY).
type stringFixed struct {
	values stringValues
	out    sink
	views  []vector.View
	width  int
}

func (p *stringFixed) next(dst []byte, n int) error {
	p.out.reset()
	if cap(p.views) < n {
		p.views = make([]vector.View, n)
	}
	views := p.views[:n]
	if err := p.values.next(views, &p.out); err != nil {
		return err
	}
	for i := range views {
		b := views[i].Bytes(p.out.bufs)
		if len(b) != p.width {
			return formatError("a fixed-length value has another length")
		}
		copy(dst[i*p.width:], b)
	}
	return nil
}

func (p *stringFixed) skip(n int) error { return p.values.skip(n) }

// spread moves the n0 values packed at the front of dst to the rows of [0, n) whose bits
// are set in valid from off on. Rows between hold a neighbour's value or zero. It works
// backwards, a word of bits at a time, so that it needs no second buffer.
func spread[T any](dst []T, valid vector.Bitmap, off, n, n0 int) {
	j := n0                       // values still at the front
	for i := n; j < i && i > 0; { // j == i: everything before is in place
		k := (off + i) & 63 // rows of this word
		if k == 0 {
			k = 64
		}
		k = min(k, i)
		i -= k
		w := valid[(off+i)>>6] >> (uint(off+i) & 63)
		if k < 64 {
			w &= 1<<uint(k) - 1
		}
		switch bits.OnesCount64(w) {
		case k:
			copy(dst[i:i+k], dst[j-k:j])
			j -= k
		case 0: // the values left are all before row i
			clear(dst[i : i+k])
		default:
			row := dst[i : i+k]
			for r := k - 1; r >= 0; r-- {
				if j == 0 {
					clear(row[:r+1])
					break
				}
				row[r] = dst[j-1]
				j -= int(w >> uint(r) & 1)
			}
		}
	}
}

// spreadFixed is spread for values of width bytes.
func spreadFixed(data []byte, width int, valid vector.Bitmap, off, n, n0 int) {
	switch width {
	case 1:
		spread(slice[uint8](data, n), valid, off, n, n0)
	case 2:
		spread(slice[uint16](data, n), valid, off, n, n0)
	case 4:
		spread(slice[uint32](data, n), valid, off, n, n0)
	case 8:
		spread(slice[uint64](data, n), valid, off, n, n0)
	case 16:
		spread(slice[[2]uint64](data, n), valid, off, n, n0)
	}
}

// gatherFixed writes src[idx[i]] to dst[i]. Every index must be within src.
func gatherFixed(dst, src []byte, width int, idx []int32) {
	switch width {
	case 1:
		gather[uint8](dst, src, idx)
	case 2:
		gather[uint16](dst, src, idx)
	case 4:
		gather[uint32](dst, src, idx)
	case 8:
		gather[uint64](dst, src, idx)
	case 16:
		gather[[2]uint64](dst, src, idx)
	default:
		for i, x := range idx {
			copy(dst[i*width:(i+1)*width], src[int(x)*width:])
		}
	}
}

// gather does no bounds checks on src: codes were validated when they were unpacked.
func gather[T any](dst, src []byte, idx []int32) {
	d := slice[T](dst, len(idx))
	base := unsafe.Pointer(unsafe.SliceData(src))
	var t T
	for i, x := range idx {
		d[i] = *(*T)(unsafe.Add(base, uintptr(uint32(x))*unsafe.Sizeof(t)))
	}
}
