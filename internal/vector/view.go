package vector

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

// View is a 16-byte string view, Arrow's StringView layout:
//
//	| u32 length | 12 bytes inline, zero padded |            length <= 12
//	| u32 length | 4 bytes prefix | u32 buffer | u32 offset | length > 12
//
// buffer indexes the owning Vector's Bufs. The zero View is the empty string. Two
// inline views are equal exactly when both words are.
type View struct{ w0, w1 uint64 }

// MaxInline is the longest string that a View holds itself.
const MaxInline = 12

// MakeView builds a view of b, which lies in the vector's Bufs[buf] at off; for inline
// lengths buf and off are ignored and the bytes are copied into the view.
func MakeView(b []byte, buf, off int) View {
	n := len(b)
	if n <= MaxInline {
		var v View
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), 16)[4:], b)
		v.w0 |= uint64(uint32(n))
		return v
	}
	prefix := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
	return View{uint64(uint32(n)) | prefix<<32, uint64(uint32(buf)) | uint64(uint32(off))<<32}
}

// inlineMasks keep, by length, what a view holds of the twelve bytes read: in its first word, in its second, and of the place in the buffer.
var inlineMasks = func() (m [MaxInline + 2][3]uint64) {
	for n := range m {
		m[n] = [3]uint64{(1<<(8*min(n, 4)) - 1) << 32, 1<<(8*max(n-4, 0)) - 1, 0}
	}
	m[MaxInline+1] = [3]uint64{0xffffffff << 32, 0, ^uint64(0)}
	return m
}()

// ViewAt is MakeView of the n bytes at bufs[number][off:], b, of which MaxInline can be read though they may be fewer. It does not branch.
func ViewAt(b *[MaxInline]byte, n, number, off int) View {
	m := &inlineMasks[min(n, MaxInline+1)]
	x, y := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint64(b[4:])
	return View{uint64(uint32(n)) | uint64(x)<<32&m[0], y&m[1] | (uint64(uint32(number))|uint64(uint32(off))<<32)&m[2]}
}

// Len is the string's length in bytes.
func (v View) Len() int { return int(uint32(v.w0)) }

// IsInline reports whether the bytes are in the view itself.
func (v View) IsInline() bool { return uint32(v.w0) <= MaxInline }

// Words are the raw 16 bytes, for hashing and comparing.
func (v View) Words() (uint64, uint64) { return v.w0, v.w1 }

// Buffer and Offset locate a view that is not inline.
func (v View) Buffer() int { return int(uint32(v.w1)) }

// Offset is the byte offset in the buffer.
func (v View) Offset() int { return int(v.w1 >> 32) }

// Rebase returns the view with its buffer number changed; inline views stay as they are.
func (v View) Rebase(buf int) View {
	if v.IsInline() {
		return v
	}
	return View{v.w0, v.w1>>32<<32 | uint64(uint32(buf))}
}

// Bytes is the string. For an inline view the slice points into *v itself, so v must
// stay where it is as long as the slice is used; otherwise it points into bufs.
func (v *View) Bytes(bufs [][]byte) []byte {
	n := v.Len()
	if n <= MaxInline {
		return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(v), 4)), n)
	}
	off := v.Offset()
	return bufs[v.Buffer()][off : off+n : off+n]
}

// ViewEqual compares two strings of maybe different vectors.
func ViewEqual(x *View, xb [][]byte, y *View, yb [][]byte) bool {
	if x.w0 != y.w0 { // length and first four bytes
		return false
	}
	if x.IsInline() {
		return x.w1 == y.w1
	}
	return bytes.Equal(x.Bytes(xb), y.Bytes(yb))
}

// ViewCompare orders by bytes: -1, 0, 1.
func ViewCompare(x *View, xb [][]byte, y *View, yb [][]byte) int {
	return bytes.Compare(x.Bytes(xb), y.Bytes(yb))
}
