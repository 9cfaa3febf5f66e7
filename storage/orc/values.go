package orc

import (
	"math/bits"
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

func sizeOf[T any](t T) uintptr { return unsafe.Sizeof(t) }

// values yields the non-null values of one column of a stripe, in the layout of its type.
type values interface {
	// next writes the next n values to dst.
	next(dst []byte, n int) error
	// pick writes those at the positions idx (ascending) among the next total values to dst,
	// and passes over all of them.
	pick(dst []byte, idx []int32, total int) error
	// skip passes over n values.
	skip(n int) error
	// seek jumps to a row group, taking its positions.
	seek(p *positions) error
}

type integer interface{ int8 | int16 | int32 | int64 }

// intValues are integers and dates of T.
type intValues[T integer] struct {
	r   intReader
	tmp []int64
}

func (v *intValues[T]) next(dst []byte, n int) error {
	var t T
	if unsafe.Sizeof(t) == 8 {
		return v.r.next(slice[int64](dst, n))
	}
	v.tmp = grow(v.tmp, n)
	tmp := v.tmp[:n]
	if err := v.r.next(tmp); err != nil {
		return err
	}
	out := slice[T](dst, n)
	for i, x := range tmp {
		out[i] = T(x)
	}
	return nil
}

func (v *intValues[T]) pick(dst []byte, idx []int32, total int) error {
	v.tmp = grow(v.tmp, total)
	tmp := v.tmp[:total]
	if err := v.r.next(tmp); err != nil {
		return err
	}
	out := slice[T](dst, len(idx))
	for i, x := range idx {
		out[i] = T(tmp[x])
	}
	return nil
}

func (v *intValues[T]) skip(n int) error        { return v.r.skip(n) }
func (v *intValues[T]) seek(p *positions) error { return v.r.seek(p) }

// hybridDates are days of the hybrid calendar, in which the day before 1582-10-15 is the
// Julian 1582-10-04: the date that is shown is kept, not the day.
type hybridDates struct{ intValues[int32] }

func (v *hybridDates) next(dst []byte, n int) error {
	err := v.intValues.next(dst, n)
	rebaseDates(slice[int32](dst, n))
	return err
}

func (v *hybridDates) pick(dst []byte, idx []int32, total int) error {
	err := v.intValues.pick(dst, idx, total)
	rebaseDates(slice[int32](dst, len(idx)))
	return err
}

// byteValues are TINYINT.
type byteValues struct {
	r   byteReader
	tmp []byte
}

func (v *byteValues) next(dst []byte, n int) error { return v.r.next(dst[:n]) }

func (v *byteValues) pick(dst []byte, idx []int32, total int) error {
	v.tmp = grow(v.tmp, total)
	if err := v.r.next(v.tmp[:total]); err != nil {
		return err
	}
	for i, x := range idx {
		dst[i] = v.tmp[x]
	}
	return nil
}

func (v *byteValues) skip(n int) error        { return v.r.skip(n) }
func (v *byteValues) seek(p *positions) error { return v.r.seek(p) }

// bitValues are BOOLEAN.
type bitValues struct {
	r   bitReader
	tmp vector.Bitmap
}

func (v *bitValues) read(n int) error {
	v.tmp = grow(v.tmp, (n+63)/64)
	_, err := v.r.next(v.tmp, n)
	return err
}

func (v *bitValues) next(dst []byte, n int) error {
	if err := v.read(n); err != nil {
		return err
	}
	for i := range dst[:n] {
		dst[i] = byte(v.tmp[i>>6] >> (uint(i) & 63) & 1)
	}
	return nil
}

func (v *bitValues) pick(dst []byte, idx []int32, total int) error {
	if err := v.read(total); err != nil {
		return err
	}
	for i, x := range idx {
		dst[i] = byte(v.tmp[x>>6] >> (uint(x) & 63) & 1)
	}
	return nil
}

func (v *bitValues) skip(n int) error {
	_, err := v.r.skip(n)
	return err
}

func (v *bitValues) seek(p *positions) error { return v.r.seek(p) }

// rawValues are FLOAT and DOUBLE: the bytes as they are.
type rawValues struct {
	s     *stream
	width int
}

func (v *rawValues) next(dst []byte, n int) error {
	dst = dst[:n*v.width]
	for len(dst) > 0 {
		if err := v.s.fill(v.width); err != nil {
			return err
		}
		k := copy(dst, v.s.data[v.s.pos:len(v.s.data)-(len(v.s.data)-v.s.pos)%v.width])
		v.s.pos += k
		dst = dst[k:]
	}
	return nil
}

func (v *rawValues) pick(dst []byte, idx []int32, total int) error {
	done := 0
	for i, x := range idx {
		if err := v.skip(int(x) - done); err != nil {
			return err
		}
		if err := v.next(dst[i*v.width:], 1); err != nil {
			return err
		}
		done = int(x) + 1
	}
	return v.skip(total - done)
}

func (v *rawValues) skip(n int) error {
	if n == 0 {
		return nil
	}
	return v.s.skip(int64(n) * int64(v.width))
}

func (v *rawValues) seek(p *positions) error { return v.s.seek(p) }

// codeValues are positions in a dictionary.
type codeValues struct {
	r   intReader
	tmp []int64
}

const errCode = formatError("a value lies outside of its dictionary")

// next reads codes and makes sure that they are below limit.
func (v *codeValues) next(dst []int32, limit int) error {
	v.tmp = grow(v.tmp, len(dst))
	tmp := v.tmp[:len(dst)]
	if err := v.r.next(tmp); err != nil {
		return err
	}
	var all uint64
	for i, x := range tmp {
		all |= uint64(x)
		dst[i] = int32(x)
	}
	if bits.Len64(all) > 31 || int(all) >= limit {
		return checkCodes(tmp, limit)
	}
	return nil
}

func checkCodes(tmp []int64, limit int) error {
	for _, x := range tmp {
		if uint64(x) >= uint64(limit) {
			return errCode
		}
	}
	return nil
}

func (v *codeValues) pick(dst []int32, idx []int32, total, limit int) error {
	v.tmp = grow(v.tmp, total)
	tmp := v.tmp[:total]
	if err := v.r.next(tmp); err != nil {
		return err
	}
	for i, x := range idx {
		c := tmp[x]
		if uint64(c) >= uint64(limit) {
			return errCode
		}
		dst[i] = int32(c)
	}
	return nil
}
