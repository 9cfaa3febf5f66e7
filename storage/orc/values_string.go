package orc

import (
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

// stringValues are strings and binaries of the DIRECT encodings: all lengths in one
// stream, all bytes in another.
type stringValues struct {
	lengths intReader
	s       *stream // keeps its buffers: views refer to them
	trim    bool    // CHAR: writers pad it with spaces
	bufs    [][]byte
	tmp     []int64
}

const errLength = formatError("a string has a wrong length")

// maxString bounds one string, and the strings of one batch together.
const maxString = 1 << 30

// begin forgets the buffers of the vector before.
func (v *stringValues) begin() {
	v.bufs = v.bufs[:0]
	v.s.release()
}

func (v *stringValues) readLengths(n int) ([]int64, error) {
	v.tmp = grow(v.tmp, n)
	tmp := v.tmp[:n]
	if err := v.lengths.next(tmp); err != nil {
		return nil, err
	}
	total := uint64(0)
	for _, x := range tmp {
		if uint64(x) > maxString {
			return nil, errLength
		}
		total += uint64(x)
	}
	if total > maxString*2 {
		return nil, formatError("the strings of one batch are larger than 2 GiB")
	}
	return tmp, nil
}

func (v *stringValues) next(dst []byte, n int) error {
	lengths, err := v.readLengths(n)
	if err != nil {
		return err
	}
	return v.views(slice[vector.View](dst, n), lengths)
}

// buffer is the number that the bytes at hand have for the vector's views.
func (v *stringValues) buffer() int {
	if n := len(v.bufs); n > 0 && unsafe.SliceData(v.bufs[n-1]) == unsafe.SliceData(v.s.data) {
		v.bufs[n-1] = v.s.data
		return n - 1
	}
	v.bufs = append(v.bufs, v.s.data)
	return len(v.bufs) - 1
}

// views makes the views of the next strings. Views are made of whole words, which the
// padding behind the bytes allows.
func (v *stringValues) views(dst []vector.View, lengths []int64) error {
	s := v.s
	words := unsafe.Slice((*[2]uint64)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst))
	for i := 0; i < len(lengths); {
		if need := int(lengths[i]); len(s.data)-s.pos < need {
			if err := s.fill(need); err != nil {
				return err
			}
		}
		buf := uint64(uint32(v.buffer()))
		base := unsafe.Pointer(unsafe.SliceData(s.data))
		if base == nil { // only empty strings
			base = unsafe.Pointer(&nothing)
		}
		pos, end := s.pos, len(s.data)
		for ; i < len(lengths); i++ {
			n := int(lengths[i])
			if n > end-pos {
				break
			}
			p := unsafe.Add(base, pos)
			at := uint64(uint32(pos))
			pos += n
			if v.trim {
				n = trimmed(s.data[pos-n : pos])
			}
			head := uint64(uint32(n)) | *(*uint64)(p)<<32
			if n > vector.MaxInline {
				words[i] = [2]uint64{head, buf | at<<32}
				continue
			}
			m := &inlineMasks[n&15]
			words[i] = [2]uint64{head & m[0], *(*uint64)(unsafe.Add(p, 4)) & m[1]}
		}
		s.pos = pos
	}
	return nil
}

// inlineMasks cut the two words of a view that holds a string of n bytes itself.
var inlineMasks = func() (m [16][2]uint64) {
	for n := range vector.MaxInline + 1 {
		m[n][0], m[n][1] = 1<<(min(n, 4)*8+32)-1, 1<<(max(n-4, 0)*8)-1
		if n >= 4 {
			m[n][0] = ^uint64(0)
		}
		if n == vector.MaxInline {
			m[n][1] = ^uint64(0)
		}
	}
	return m
}()

var nothing [padding]byte

// trimmed is the length of b without spaces at the end.
func trimmed(b []byte) int {
	n := len(b)
	for n > 0 && b[n-1] == ' ' {
		n--
	}
	return n
}

func (v *stringValues) pick(dst []byte, idx []int32, total int) error {
	lengths, err := v.readLengths(total)
	if err != nil {
		return err
	}
	views := slice[vector.View](dst, len(idx))
	done := 0
	for i, x := range idx {
		if err := v.pass(lengths[done:x]); err != nil {
			return err
		}
		if err := v.views(views[i:i+1], lengths[x:x+1]); err != nil {
			return err
		}
		done = int(x) + 1
	}
	return v.pass(lengths[done:])
}

// pass passes over the bytes of strings.
func (v *stringValues) pass(lengths []int64) error {
	total := int64(0)
	for _, n := range lengths {
		total += n
	}
	if total == 0 {
		return nil
	}
	return v.s.skip(total)
}

func (v *stringValues) skip(n int) error {
	for n > 0 {
		k := min(n, vector.BatchRows)
		lengths, err := v.readLengths(k)
		if err != nil {
			return err
		}
		if err := v.pass(lengths); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func (v *stringValues) seek(p *positions) error {
	if err := v.s.seek(p); err != nil {
		return err
	}
	return v.lengths.seek(p)
}
