package function

import (
	"iter"

	"github.com/basaltdb/basalt/internal/vector"
)

// column reads a flat or constant vector by row. The mask makes both forms one loop: it
// is all ones for flat vectors and zero for constants. Kernels whose body is a few
// instructions have a loop per form instead.
type column[T vector.Fixed] struct {
	vals []T
	mask int
}

func columnOf[T vector.Fixed](v *vector.Vector) column[T] {
	return column[T]{vector.Values[T](v), formMask(v)}
}

func (c column[T]) at(i int) T { return c.vals[i&c.mask] }

// text reads strings of a flat or constant vector by row.
type text struct {
	views []vector.View
	bufs  [][]byte
	mask  int
}

func textOf(v *vector.Vector) text {
	return text{vector.Values[vector.View](v), v.Bufs, formMask(v)}
}

// at is row i; the bytes belong to the vector.
func (t text) at(i int) []byte { return t.views[i&t.mask].Bytes(t.bufs) }

// sub is the view of bytes [lo, hi) of row i, sharing t's buffers.
func (t text) sub(i, lo, hi int) vector.View {
	v := &t.views[i&t.mask]
	b := v.Bytes(t.bufs)[lo:hi]
	if v.IsInline() || len(b) <= vector.MaxInline {
		return vector.MakeView(b, 0, 0)
	}
	return vector.MakeView(b, v.Buffer(), v.Offset()+lo)
}

func formMask(v *vector.Vector) int {
	if v.Form == vector.Constant {
		return 0
	}
	return -1
}

// count is how many rows a kernel computes.
func count(out *vector.Vector, sel []int32) int {
	if sel != nil {
		return len(sel)
	}
	return out.Len
}

// row is the k-th row to compute.
func row(sel []int32, k int) int {
	if sel != nil {
		return int(sel[k])
	}
	return k
}

// live yields the rows to compute that are not null in out. The loop body may make its own
// row null.
func live(out *vector.Vector, sel []int32) iter.Seq[int] {
	return func(yield func(int) bool) {
		for k := range count(out, sel) {
			i := row(sel, k)
			if out.Valid != nil && !out.Valid.Get(i) {
				continue
			}
			if !yield(i) {
				return
			}
		}
	}
}

// isNullAt tells null rows of a flat or constant argument.
func isNullAt(v *vector.Vector, i int) bool {
	if v.Valid == nil {
		return v.Type.Kind == 0
	}
	return !v.Valid.Get(i & formMask(v))
}

// b2i is 1 for true; it compiles to a flag copy.
func b2i(b bool) int {
	var x int
	if b {
		x = 1
	}
	return x
}

// dropNulls keeps the rows of sel that are not null in v.
func dropNulls(v *vector.Vector, sel []int32) []int32 {
	if v.Valid == nil {
		return sel
	}
	if v.Form == vector.Constant {
		if v.Valid.Get(0) {
			return sel
		}
		return sel[:0]
	}
	k := 0
	for _, r := range sel {
		sel[k] = r
		k += int(v.Valid[uint32(r)>>6] >> (uint32(r) & 63) & 1)
	}
	return sel[:k]
}

// appendAll appends the rows of sel, or all n, to dst.
func appendAll(n int, sel, dst []int32) []int32 {
	if sel != nil {
		return append(dst, sel...)
	}
	for i := range n {
		dst = append(dst, int32(i))
	}
	return dst
}
