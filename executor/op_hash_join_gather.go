package executor

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// gatherMemory is the memory of one column that a join puts together; reused from batch
// to batch.
type gatherMemory struct {
	out   vector.Vector
	codes []int32
}

// scatter puts row built[i]-1 of src at position sel[i] (nil: i) of n rows; where outer is
// set, built[i] may be 0 and gives NULL.
func (m *gatherMemory) scatter(src *vector.Vector, built []uint32, sel []int32, n int, outer bool) *vector.Vector {
	out := &m.out
	out.Type = src.Type
	if src.Type.Kind == sqltype.Null || src.Len == 0 {
		out.SetAllNull(n)
		return out
	}
	if src.Form == vector.Dictionary {
		if cap(m.codes) < n {
			m.codes = make([]int32, n)
		}
		m.codes = m.codes[:n]
		scatterValues(m.codes, src.Codes, built, sel)
		out.Reset(0)
		out.Form, out.Len, out.Codes, out.Dict = vector.Dictionary, n, m.codes, src.Dict
	} else {
		out.Reset(n)
		out.Bufs = src.Bufs
		switch src.Type.Physical().Size() {
		case 1:
			scatterValues(vector.Values[uint8](out), vector.Values[uint8](src), built, sel)
		case 2:
			scatterValues(vector.Values[uint16](out), vector.Values[uint16](src), built, sel)
		case 4:
			scatterValues(vector.Values[uint32](out), vector.Values[uint32](src), built, sel)
		case 8:
			scatterValues(vector.Values[uint64](out), vector.Values[uint64](src), built, sel)
		case 16:
			scatterValues(vector.Values[int128.Int](out), vector.Values[int128.Int](src), built, sel)
		}
	}
	m.scatterNulls(src.Valid, built, sel, outer)
	return out
}

// scatterValues leaves a zero's place to row 0, so that every position holds some value.
func scatterValues[T any](dst, src []T, built []uint32, sel []int32) {
	if sel == nil {
		dst = dst[:len(built)]
		for i, b := range built {
			dst[i] = src[max(b, 1)-1]
		}
		return
	}
	sel = sel[:len(built)]
	for i, b := range built {
		dst[sel[i]] = src[max(b, 1)-1]
	}
}

func (m *gatherMemory) scatterNulls(valid vector.Bitmap, built []uint32, sel []int32, outer bool) {
	if valid == nil && !outer {
		return
	}
	bits := m.out.MutableValid()
	for i, b := range built {
		if b == 0 || !valid.Get(int(b-1)) {
			at := i
			if sel != nil {
				at = int(sel[i])
			}
			bits.Clear(at)
		}
	}
}

// gatherRows is the rows of v densely, keeping dictionaries.
func (m *gatherMemory) gatherRows(v *vector.Vector, rows []int32) *vector.Vector {
	if v.Form != vector.Dictionary {
		return v.Gather(rows, &m.out)
	}
	if cap(m.codes) < len(rows) {
		m.codes = make([]int32, len(rows))
	}
	m.codes = m.codes[:len(rows)]
	for i, r := range rows {
		m.codes[i] = v.Codes[r]
	}
	out := &m.out
	out.Type = v.Type
	out.Reset(0)
	out.Form, out.Len, out.Codes, out.Dict = vector.Dictionary, len(rows), m.codes, v.Dict
	if v.Valid != nil {
		bits := out.MutableValid()
		for i, r := range rows {
			if !v.Valid.Get(int(r)) {
				bits.Clear(i)
			}
		}
	}
	return out
}
