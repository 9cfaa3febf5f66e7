package vector

import (
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// A value of ARRAY, MAP or STRUCT is one string of bytes in a vector of views, so that every
// operator that moves, hashes, compares for equality or spills strings does so with nested
// values. The encoding is canonical: equal values have equal bytes. Numbers are little
// endian.
//
//	elements:  u32 n | null bits, a set bit is NULL, (n+7)/8 bytes | n slots | payload
//	slot:      the value of a fixed-width type (zeros for NULL), or
//	           u32 end of the value's bytes in the payload
//	ARRAY:     elements
//	MAP:       u32 bytes of the keys | elements of the keys | elements of the values
//	STRUCT:    null bits of the fields | a slot a field, each of its type's width | payload
//
// Values of nested and string types are their bytes in the payload. It is the form in memory and
// in spill files only; table files hold nested columns as their formats define them.

// slotSize is the width of a slot for values of type t.
func slotSize(t sqltype.Type) int {
	if p := t.Physical(); p != sqltype.PhysString && p != sqltype.PhysNone {
		return p.Size()
	}
	return 4
}

func isVariable(t sqltype.Type) bool { return t.Physical() == sqltype.PhysString }

// Elements is a decoded list: the value of an ARRAY, or the keys or values of a MAP.
type Elements struct {
	Type    sqltype.Type // of an element
	N       int
	nulls   []byte
	slots   []byte
	payload []byte
}

// Fields is a decoded STRUCT.
type Fields struct {
	Type    sqltype.Type // of the struct
	nulls   []byte
	slots   []byte
	payload []byte
}

// AppendElements appends the encoding of rows [lo, hi) of v, in any form.
func AppendElements(dst []byte, v *Vector, lo, hi int) []byte {
	n := hi - lo
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	nulls := len(dst)
	dst = append(dst, make([]byte, (n+7)/8)...)
	slots := len(dst)
	size := slotSize(v.Type)
	dst = append(dst, make([]byte, n*size)...)
	payload := len(dst)
	for k := range n {
		if v.IsNull(lo + k) {
			dst[nulls+k/8] |= 1 << (k % 8)
		} else {
			dst = appendSlot(dst, slots+k*size, v, lo+k)
		}
		if isVariable(v.Type) {
			binary.LittleEndian.PutUint32(dst[slots+k*4:], uint32(len(dst)-payload))
		}
	}
	return dst
}

// appendSlot stores row i of v, which is not null: fixed values at dst[at:], others as
// payload at the end; their end is the caller's to note.
func appendSlot(dst []byte, at int, v *Vector, i int) []byte {
	if v.Form == Dictionary {
		v, i = v.Dict, int(v.Codes[i])
	}
	i = v.index(i)
	switch p := v.Type.Physical(); p {
	case sqltype.PhysString:
		return append(dst, Values[View](v)[i].Bytes(v.Bufs)...)
	case sqltype.PhysFloat32:
		binary.LittleEndian.PutUint32(dst[at:], math.Float32bits(canonical32(Values[float32](v)[i])))
	case sqltype.PhysFloat64:
		binary.LittleEndian.PutUint64(dst[at:], math.Float64bits(canonical64(Values[float64](v)[i])))
	case sqltype.PhysNone:
	default:
		size := p.Size()
		copy(dst[at:at+size], v.Data[i*size:])
	}
	return dst
}

// canonical64 has one NaN and no negative zero.
func canonical64(f float64) float64 {
	if f != f {
		return math.NaN()
	}
	return f + 0
}

func canonical32(f float32) float32 {
	if f != f {
		return float32(math.NaN())
	}
	return f + 0
}

// AppendMap appends the encoding of a MAP whose entries are rows [lo, hi) of keys and values.
func AppendMap(dst []byte, keys, values *Vector, lo, hi int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = AppendElements(dst, keys, lo, hi)
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return AppendElements(dst, values, lo, hi)
}

// AppendStruct appends the encoding of the STRUCT whose fields are row i of each vector.
func AppendStruct(dst []byte, fields []*Vector, i int) []byte {
	nulls := len(dst)
	dst = append(dst, make([]byte, (len(fields)+7)/8)...)
	at := len(dst)
	size := 0
	for _, f := range fields {
		size += slotSize(f.Type)
	}
	dst = append(dst, make([]byte, size)...)
	payload := len(dst)
	for k, f := range fields {
		if f.IsNull(i) {
			dst[nulls+k/8] |= 1 << (k % 8)
		} else {
			dst = appendSlot(dst, at, f, i)
		}
		if isVariable(f.Type) {
			binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-payload))
		}
		at += slotSize(f.Type)
	}
	return dst
}

// DecodeElements reads what AppendElements wrote for elements of type t; the result refers to b.
func DecodeElements(t sqltype.Type, b []byte) Elements {
	n := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	bits, slots := (n+7)/8, n*slotSize(t)
	return Elements{Type: t, N: n, nulls: b[:bits], slots: b[bits : bits+slots], payload: b[bits+slots:]}
}

// DecodeMap reads what AppendMap wrote for a MAP of type t.
func DecodeMap(t sqltype.Type, b []byte) (keys, values Elements) {
	n := binary.LittleEndian.Uint32(b)
	b = b[4:]
	return DecodeElements(t.Nested.Elems[0], b[:n]), DecodeElements(t.Nested.Elems[1], b[n:])
}

// DecodeStruct reads what AppendStruct wrote for a STRUCT of type t.
func DecodeStruct(t sqltype.Type, b []byte) Fields {
	bits, size := (len(t.Nested.Elems)+7)/8, 0
	for _, e := range t.Nested.Elems {
		size += slotSize(e)
	}
	return Fields{Type: t, nulls: b[:bits], slots: b[bits : bits+size], payload: b[bits+size:]}
}

// Null reports whether element i is NULL.
func (e *Elements) Null(i int) bool {
	return e.nulls[i/8]>>(i%8)&1 != 0 || e.Type.Kind == sqltype.Null
}

// Bytes are those of element i of a string or nested type; empty for NULL.
func (e *Elements) Bytes(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = binary.LittleEndian.Uint32(e.slots[4*(i-1):])
	}
	return e.payload[start:binary.LittleEndian.Uint32(e.slots[4*i:])]
}

// Slot are the bytes of element i of a fixed-width type, as a flat vector holds them.
func (e *Elements) Slot(i int) []byte {
	size := slotSize(e.Type)
	return e.slots[i*size : (i+1)*size]
}

// AppendTo appends the elements to out, a flat vector of their type that owns its memory.
func (e *Elements) AppendTo(out *Vector) {
	base := out.Len
	out.Grow(base + e.N)
	switch {
	case e.Type.Kind == sqltype.Null:
	case isVariable(e.Type):
		for i := range e.N {
			out.SetBytes(base+i, e.Bytes(i))
		}
	default:
		copy(out.Data[base*slotSize(e.Type):], e.slots)
	}
	for i := range e.N {
		if e.Null(i) {
			out.SetNull(base + i)
		}
	}
}

// AppendRange is AppendTo for elements [lo, hi).
func (e *Elements) AppendRange(out *Vector, lo, hi int) {
	if lo == 0 && hi == e.N {
		e.AppendTo(out)
		return
	}
	base := out.Len
	out.Grow(base + hi - lo)
	switch {
	case e.Type.Kind == sqltype.Null:
	case isVariable(e.Type):
		for i := lo; i < hi; i++ {
			out.SetBytes(base+i-lo, e.Bytes(i))
		}
	default:
		size := slotSize(e.Type)
		copy(out.Data[base*size:], e.slots[lo*size:hi*size])
	}
	for i := lo; i < hi; i++ {
		if e.Null(i) {
			out.SetNull(base + i - lo)
		}
	}
}

// StoreTo sets row i of out, a flat vector that the caller owns, to element k.
func (e *Elements) StoreTo(k int, out *Vector, i int) {
	storeSlot(out, i, e.Null(k), isVariable(e.Type), func() []byte {
		if isVariable(e.Type) {
			return e.Bytes(k)
		}
		return e.Slot(k)
	})
}

// StoreTo sets row i of out, a flat vector of the field's type that the caller owns, to field k.
func (f *Fields) StoreTo(k int, out *Vector, i int) {
	storeSlot(out, i, f.Null(k), isVariable(f.Type.Nested.Elems[k]), func() []byte { return f.Bytes(k) })
}

func storeSlot(out *Vector, i int, null, variable bool, bytes func() []byte) {
	switch {
	case null:
		out.SetNull(i)
		return
	case variable:
		out.SetBytes(i, bytes())
	default:
		b := bytes()
		copy(out.Data[i*len(b):], b)
	}
	if out.Valid != nil {
		out.Valid.Set(i)
	}
}

// Null reports whether field k is NULL.
func (f *Fields) Null(k int) bool {
	return f.nulls[k/8]>>(k%8)&1 != 0 || f.Type.Nested.Elems[k].Kind == sqltype.Null
}

// Bytes are those of field k: the string or nested value, or the fixed-width value as a
// flat vector holds it.
func (f *Fields) Bytes(k int) []byte {
	at, start := 0, uint32(0)
	for i, t := range f.Type.Nested.Elems {
		size := slotSize(t)
		switch {
		case isVariable(t):
			end := binary.LittleEndian.Uint32(f.slots[at:])
			if i == k {
				return f.payload[start:end]
			}
			start = end
		case i == k:
			return f.slots[at : at+size]
		}
		at += size
	}
	panic(invariant.Failed("field %d of %s", k, f.Type))
}

// Unpack turns an ARRAY vector, or the keys or values of a MAP vector (part 0 or 1), into one
// flat vector of all elements of the rows of sel (nil: all), and offsets: live row k has the
// elements [offsets[k], offsets[k+1]). NULL rows have none. The memory is the caller's.
func Unpack(v *Vector, sel []int32, part int) (elems *Vector, offsets []int32) {
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	elems = New(v.Type.Nested.Elems[part], 0)
	offsets = make([]int32, 1, n+1)
	for k := range n {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		if !v.IsNull(i) {
			var e Elements
			if v.Type.Kind == sqltype.Map {
				keys, values := DecodeMap(v.Type, v.Bytes(i))
				if e = keys; part == 1 {
					e = values
				}
			} else {
				e = DecodeElements(elems.Type, v.Bytes(i))
			}
			e.AppendTo(elems)
		}
		offsets = append(offsets, int32(elems.Len))
	}
	return elems, offsets
}

// PackArrays is the flat ARRAY vector of type t whose row k has the elements
// [offsets[k], offsets[k+1]) of elems; rows where valid (nil: all) has no bit are NULL.
func PackArrays(t sqltype.Type, elems *Vector, offsets []int32, valid Bitmap) *Vector {
	out := New(t, len(offsets)-1)
	var b []byte
	for k := range out.Len {
		if !valid.Get(k) {
			out.SetNull(k)
			continue
		}
		b = AppendElements(b[:0], elems, int(offsets[k]), int(offsets[k+1]))
		out.SetBytes(k, b)
	}
	return out
}

// PackMaps is PackArrays for entries.
func PackMaps(t sqltype.Type, keys, values *Vector, offsets []int32, valid Bitmap) *Vector {
	out := New(t, len(offsets)-1)
	var b []byte
	for k := range out.Len {
		if !valid.Get(k) {
			out.SetNull(k)
			continue
		}
		b = AppendMap(b[:0], keys, values, int(offsets[k]), int(offsets[k+1]))
		out.SetBytes(k, b)
	}
	return out
}

// PackStructs is the flat STRUCT vector of type t with n rows, one vector a field.
func PackStructs(t sqltype.Type, fields []*Vector, n int, valid Bitmap) *Vector {
	out := New(t, n)
	var b []byte
	for k := range n {
		if !valid.Get(k) {
			out.SetNull(k)
			continue
		}
		b = AppendStruct(b[:0], fields, k)
		out.SetBytes(k, b)
	}
	return out
}

// UnpackField is field k of a STRUCT vector, in any form, as a flat vector with the same rows; rows
// outside of sel (nil: all) are not data. A field of a NULL struct is NULL.
func UnpackField(v *Vector, sel []int32, k int) *Vector {
	out := New(v.Type.Nested.Elems[k], v.Len)
	store := func(i int) {
		if v.IsNull(i) {
			out.SetNull(i)
			return
		}
		f := DecodeStruct(v.Type, v.Bytes(i))
		f.StoreTo(k, out, i)
	}
	if sel == nil {
		for i := range v.Len {
			store(i)
		}
		return out
	}
	for _, i := range sel {
		store(int(i))
	}
	return out
}
