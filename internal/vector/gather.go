package vector

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Flatten returns v as a flat vector of the rows in sel (nil: all), densely packed, in
// out's memory. String buffers are shared with v, not copied. When v is flat and sel
// is nil, v itself is returned.
func (v *Vector) Flatten(sel []int32, out *Vector) *Vector {
	if v.Form == Flat && sel == nil {
		return v
	}
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	out.Type = v.Type
	out.Reset(n)
	src, idx := v, sel
	switch v.Form {
	case Constant:
		out.Bufs = v.Bufs
		fillConstant(out, v)
		return out
	case Dictionary:
		src = v.Dict
		idx = v.Codes
		if sel != nil {
			idx = make([]int32, n)
			for i, r := range sel {
				idx[i] = v.Codes[r]
			}
		}
	}
	out.Bufs = src.Bufs
	gatherData(out, src, idx)
	gatherValid(out, v.Valid, sel)
	return out
}

// FlattenInPlace is v, a dictionary vector, as a flat vector in out's memory whose rows
// stay where they are; only the rows of sel (nil: all) are filled, and codes of other rows are
// not looked at. Buffers and validity are shared with v.
func (v *Vector) FlattenInPlace(sel []int32, out *Vector) *Vector {
	if sel == nil {
		return v.Flatten(nil, out)
	}
	out.Type = v.Type
	out.Reset(v.Len)
	out.Bufs = v.Dict.Bufs
	switch v.Type.Physical().Size() {
	case 1:
		lookUp[uint8](v, sel, out)
	case 2:
		lookUp[uint16](v, sel, out)
	case 4:
		lookUp[uint32](v, sel, out)
	case 8:
		lookUp[uint64](v, sel, out)
	case 16:
		lookUp[int128.Int](v, sel, out)
	}
	out.Valid = v.Valid
	return out
}

func lookUp[T Fixed](v *Vector, sel []int32, out *Vector) {
	dst, dict, codes := Values[T](out), Values[T](v.Dict), v.Codes
	if 4*len(sel) >= 3*v.Len { // nearly all rows: to take all is faster
		codes = codes[:len(dst)]
		for i := range dst {
			if c := codes[i]; uint(c) < uint(len(dict)) {
				dst[i] = dict[c]
			}
		}
		return
	}
	for _, i := range sel {
		dst[i] = dict[codes[i]]
	}
}

// Gather returns the rows of v, in any form, at the positions rows, in out's memory. A
// dictionary stays one. Negative positions give NULL. Buffers are shared with v.
func (v *Vector) Gather(rows []int32, out *Vector) *Vector {
	negative := false
	for _, r := range rows {
		if r < 0 {
			negative = true
			break
		}
	}
	if !negative {
		switch v.Form {
		case Dictionary:
			codes := make([]int32, len(rows))
			for i, r := range rows {
				codes[i] = v.Codes[r]
			}
			out.Type = v.Type
			out.Reset(0)
			out.Form, out.Len, out.Codes, out.Dict = Dictionary, len(rows), codes, v.Dict
			gatherValid(out, v.Valid, rows)
			return out
		case Constant:
			*out = Vector{Type: v.Type, Form: Constant, Len: len(rows), Data: v.Data, Valid: v.Valid, Bufs: v.Bufs, owned: out.owned, ownV: out.ownV}
			return out
		}
		return v.Flatten(rows, out)
	}
	clean := make([]int32, len(rows))
	for i, r := range rows {
		clean[i] = max(r, 0)
	}
	if v.Len == 0 {
		out.Type = v.Type
		out.SetAllNull(len(rows))
		return out
	}
	out = v.Flatten(clean, out)
	valid := out.MutableValid()
	for i, r := range rows {
		if r < 0 {
			valid.Clear(i)
		}
	}
	return out
}

// CopyOf is a flat copy of the selected rows (nil: all) that shares nothing with v.
func CopyOf(v *Vector, sel []int32) *Vector {
	out := New(v.Type, 0)
	out.AppendFrom(v, sel)
	return out
}

// AppendFrom appends the selected rows of v (nil: all) to the flat vector out, copying
// string bytes. out must own its memory.
func (out *Vector) AppendFrom(v *Vector, sel []int32) {
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	base := out.Len
	out.Grow(base + n)
	if v.Type.Kind == sqltype.Null {
		for i := range n {
			out.SetNull(base + i)
		}
		return
	}
	if sel != nil && v.Form == Flat && v.Type.Physical() != sqltype.PhysString {
		out.appendFixed(v, sel, base)
		return
	}
	flat := v.Flatten(sel, &Vector{})
	w := v.Type.Physical().Size()
	if v.Type.Physical() == sqltype.PhysString {
		src, dst := Values[View](flat), Values[View](out)[base:]
		for i := range n {
			if src[i].IsInline() {
				dst[i] = src[i]
			} else {
				dst[i] = out.AddBytes(src[i].Bytes(flat.Bufs))
			}
		}
	} else {
		copy(out.Data[base*w:], flat.Data[:n*w])
	}
	if flat.Valid != nil {
		for i := range n {
			if !flat.Valid.Get(i) {
				out.SetNull(base + i)
			}
		}
	}
}

// appendFixed stores the rows of sel of a flat vector from base on.
func (out *Vector) appendFixed(v *Vector, sel []int32, base int) {
	w := v.Type.Physical().Size()
	to := Vector{Type: v.Type, Data: out.Data[base*w:]}
	gatherData(&to, v, sel)
	if v.Valid == nil {
		return
	}
	for i, r := range sel {
		if !v.Valid.Get(int(r)) {
			out.SetNull(base + i)
		}
	}
}

// Grow extends a flat vector that owns its memory to n rows; new rows are valid and zero.
func (v *Vector) Grow(n int) {
	w := v.Type.Physical().Size()
	old := len(v.Data)
	if cap(v.owned) < n*w {
		next := alloc(max(n*w, 2*cap(v.owned), 1024))
		copy(next, v.Data)
		v.owned = next
	}
	v.Data = v.owned[:n*w]
	clear(v.Data[old:])
	if v.Valid != nil {
		for len(v.Valid) < (n+63)/64 {
			v.Valid = append(v.Valid, ^uint64(0))
		}
		for i := v.Len; i < n; i++ {
			v.Valid.Set(i)
		}
	}
	v.Len = n
}

func fillConstant(out, v *Vector) {
	n := out.Len
	switch v.Type.Physical() {
	case sqltype.PhysNone:
	case sqltype.PhysBool:
		fill[bool](out, v)
	case sqltype.PhysInt8:
		fill[int8](out, v)
	case sqltype.PhysInt16:
		fill[int16](out, v)
	case sqltype.PhysInt32, sqltype.PhysFloat32:
		fill[int32](out, v)
	case sqltype.PhysInt64, sqltype.PhysFloat64:
		fill[int64](out, v)
	case sqltype.PhysInt128:
		fill[int128.Int](out, v)
	case sqltype.PhysString:
		fill[View](out, v)
	default:
		panic(invariant.Failed("constant of %s", v.Type))
	}
	if v.IsNull(0) {
		valid := out.MutableValid()
		for i := range valid[:(n+63)/64] {
			valid[i] = 0
		}
	}
}

func fill[T Fixed](out, v *Vector) {
	dst, x := Values[T](out), Values[T](v)[0]
	for i := range dst {
		dst[i] = x
	}
}

func gatherData(out, src *Vector, idx []int32) {
	switch src.Type.Physical().Size() {
	case 0:
	case 1:
		gather[uint8](out, src, idx)
	case 2:
		gather[uint16](out, src, idx)
	case 4:
		gather[uint32](out, src, idx)
	case 8:
		gather[uint64](out, src, idx)
	case 16:
		gather[int128.Int](out, src, idx)
	}
}

func gather[T Fixed](out, src *Vector, idx []int32) {
	dst, s := Values[T](out), Values[T](src)
	dst = dst[:len(idx)]
	for i, r := range idx {
		dst[i] = s[r]
	}
}

func gatherValid(out *Vector, valid Bitmap, sel []int32) {
	if valid == nil {
		return
	}
	if sel == nil {
		out.Valid = And(out.ownV, valid, nil, out.Len)
		out.ownV = out.Valid
		return
	}
	v := out.MutableValid()
	for i, r := range sel {
		if !valid.Get(int(r)) {
			v.Clear(i)
		}
	}
}
