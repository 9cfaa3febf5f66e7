package function

import (
	"github.com/basaltdb/basalt/internal/vector"
)

// Selections append without a branch: the row is stored always and the length grows by
// the answer. They write at most one row past what they keep, inside dst's room.

func orderedSelect[T ordered](op compareOp, a, b *vector.Vector, n int, sel, dst []int32) []int32 {
	x, y := vector.Values[T](a), vector.Values[T](b)
	if a.Form == vector.Constant {
		if b.Form == vector.Constant {
			if n == 0 || !valueTest(op, x[0], y[0]) {
				return dst
			}
			return appendAll(n, sel, dst)
		}
		x, y, op = y, x, op.flip()
	} else if b.Form == vector.Flat {
		if op == opGt || op == opGe {
			x, y, op = y, x, op.flip()
		}
		base := len(dst)
		room, rows := roomFor(dst, n, sel)
		if sel != nil {
			return dst[:base+selectVVSel(op, x, y, rows, room)]
		}
		return dst[:base+selectVV(op, x[:n], y[:n], room)]
	}
	base := len(dst)
	room, rows := roomFor(dst, n, sel)
	if sel != nil {
		return dst[:base+selectVCSel(op, x, y[0], rows, room)]
	}
	return dst[:base+selectVC(op, x[:n], y[0], room)]
}

// roomFor is the free part of dst, one entry a candidate row, and the candidates. dst may
// be sel's own memory: rows are read before their place is written.
func roomFor(dst []int32, n int, sel []int32) (room, rows []int32) {
	if sel != nil {
		n = len(sel)
	}
	return dst[len(dst) : len(dst)+n], sel
}

func selectVC[T ordered](op compareOp, x []T, c T, dst []int32) int {
	dst = dst[:len(x)]
	k := 0
	switch op {
	case opEq:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(equal(x[i], c))
		}
	case opNe:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(!equal(x[i], c))
		}
	case opLt:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(less(x[i], c))
		}
	case opLe:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(!less(c, x[i]))
		}
	case opGt:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(less(c, x[i]))
		}
	case opGe:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(!less(x[i], c))
		}
	}
	return k
}

func selectVCSel[T ordered](op compareOp, x []T, c T, sel, dst []int32) int {
	dst = dst[:len(sel)]
	k := 0
	switch op {
	case opEq:
		for _, i := range sel {
			dst[k] = i
			k += b2i(equal(x[i], c))
		}
	case opNe:
		for _, i := range sel {
			dst[k] = i
			k += b2i(!equal(x[i], c))
		}
	case opLt:
		for _, i := range sel {
			dst[k] = i
			k += b2i(less(x[i], c))
		}
	case opLe:
		for _, i := range sel {
			dst[k] = i
			k += b2i(!less(c, x[i]))
		}
	case opGt:
		for _, i := range sel {
			dst[k] = i
			k += b2i(less(c, x[i]))
		}
	case opGe:
		for _, i := range sel {
			dst[k] = i
			k += b2i(!less(x[i], c))
		}
	}
	return k
}

func selectVV[T ordered](op compareOp, x, y []T, dst []int32) int {
	y, dst = y[:len(x)], dst[:len(x)]
	k := 0
	switch op {
	case opEq:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(equal(x[i], y[i]))
		}
	case opNe:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(!equal(x[i], y[i]))
		}
	case opLt:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(less(x[i], y[i]))
		}
	case opLe:
		for i := range x {
			dst[k] = int32(i)
			k += b2i(!less(y[i], x[i]))
		}
	}
	return k
}

func selectVVSel[T ordered](op compareOp, x, y []T, sel, dst []int32) int {
	dst = dst[:len(sel)]
	k := 0
	switch op {
	case opEq:
		for _, i := range sel {
			dst[k] = i
			k += b2i(equal(x[i], y[i]))
		}
	case opNe:
		for _, i := range sel {
			dst[k] = i
			k += b2i(!equal(x[i], y[i]))
		}
	case opLt:
		for _, i := range sel {
			dst[k] = i
			k += b2i(less(x[i], y[i]))
		}
	case opLe:
		for _, i := range sel {
			dst[k] = i
			k += b2i(!less(y[i], x[i]))
		}
	}
	return k
}
