package function

import (
	"bytes"
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/vector"
)

// int128Loops compare three-way and look the answer up.
func int128Loops(op compareOp) (compareValues, compareSelect) {
	table := op.table()
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			x, y := columnOf[int128.Int](a), columnOf[int128.Int](b)
			dst := vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = table[x.at(i).Cmp(y.at(i))+1]
			}
		}, func(a, b *vector.Vector, n int, sel, dst []int32) []int32 {
			x, y := columnOf[int128.Int](a), columnOf[int128.Int](b)
			base, k := len(dst), 0
			room, rows := roomFor(dst, n, sel)
			for j := range room {
				i := row(rows, j)
				room[k] = int32(i)
				k += b2i(table[x.at(i).Cmp(y.at(i))+1])
			}
			return dst[:base+k]
		}
}

// textEqualLoops compare views: length and prefix first, and for inline strings nothing else.
func textEqualLoops(negate bool) (compareValues, compareSelect) {
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			x, y := textOf(a), textOf(b)
			dst := vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = vector.ViewEqual(&x.views[i&x.mask], x.bufs, &y.views[i&y.mask], y.bufs) != negate
			}
		}, func(a, b *vector.Vector, n int, sel, dst []int32) []int32 {
			if a.Form == vector.Constant {
				a, b = b, a
			}
			x, y := textOf(a), textOf(b)
			base, k := len(dst), 0
			room, rows := roomFor(dst, n, sel)
			if a.Form == vector.Flat && b.Form == vector.Constant && y.views[0].IsInline() {
				if rows != nil {
					return dst[:base+selectInline(x.views, &y.views[0], negate, rows, room)]
				}
				return dst[:base+selectAllInline(x.views[:n], &y.views[0], negate, room)]
			}
			for j := range room {
				i := row(rows, j)
				room[k] = int32(i)
				k += b2i(vector.ViewEqual(&x.views[i&x.mask], x.bufs, &y.views[i&y.mask], y.bufs) != negate)
			}
			return dst[:base+k]
		}
}

// selectInline keeps the rows that equal a constant of at most twelve bytes, or those that do not.
func selectInline(x []vector.View, c *vector.View, negate bool, rows, dst []int32) int {
	c0, c1 := c.Words()
	flip, k := b2i(negate), 0
	dst = dst[:len(rows)]
	for _, r := range rows {
		w0, w1 := x[r].Words()
		dst[k] = r
		k += b2i(w0^c0|w1^c1 == 0) ^ flip
	}
	return k
}

func selectAllInline(x []vector.View, c *vector.View, negate bool, dst []int32) int {
	c0, c1 := c.Words()
	flip, k := b2i(negate), 0
	dst = dst[:len(x)]
	for i := range x {
		w0, w1 := x[i].Words()
		dst[k] = int32(i)
		k += b2i(w0^c0|w1^c1 == 0) ^ flip
	}
	return k
}

// prefixOf is the first four bytes of a string, zero padded, as a number in byte order:
// where two differ, the strings differ the same way.
func prefixOf(v *vector.View) uint32 {
	w0, _ := v.Words()
	return bits.ReverseBytes32(uint32(w0 >> 32))
}

// compareText orders two strings; most differ in their first bytes.
func compareText(x *vector.View, xb [][]byte, y *vector.View, yb [][]byte) int {
	if p, q := prefixOf(x), prefixOf(y); p != q {
		return 2*b2i(p > q) - 1
	}
	return bytes.Compare(x.Bytes(xb), y.Bytes(yb))
}

func textOrderLoops(op compareOp) (compareValues, compareSelect) {
	table := op.table()
	return func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
			x, y := textOf(a), textOf(b)
			dst := vector.Values[bool](out)
			for k := range count(out, sel) {
				i := row(sel, k)
				dst[i] = table[compareText(&x.views[i&x.mask], x.bufs, &y.views[i&y.mask], y.bufs)+1]
			}
		}, func(a, b *vector.Vector, n int, sel, dst []int32) []int32 {
			x, y := textOf(a), textOf(b)
			base, k := len(dst), 0
			room, rows := roomFor(dst, n, sel)
			for j := range room {
				i := row(rows, j)
				room[k] = int32(i)
				k += b2i(table[compareText(&x.views[i&x.mask], x.bufs, &y.views[i&y.mask], y.bufs)+1])
			}
			return dst[:base+k]
		}
}

// resolveNullSafeEqual is <=>: NULL <=> NULL is true, NULL <=> x false.
func resolveNullSafeEqual(name string, args []Arg) (*Scalar, error) {
	t, err := comparisonParams(name, args)
	if err != nil {
		return nil, err
	}
	values, _ := compareLoops(opEq, t[0])
	run := func(a, b *vector.Vector, sel []int32, out *vector.Vector) {
		values(a, b, sel, out)
		if !a.MayHaveNulls() && !b.MayHaveNulls() {
			return
		}
		dst := vector.Values[bool](out)
		for k := range count(out, sel) {
			i := row(sel, k)
			an, bn := isNullAt(a, i), isNullAt(b, i)
			if an || bn {
				dst[i] = an && bn
			}
		}
	}
	return &Scalar{
		Params: t, Result: tBoolean, Nulls: NullAware,
		New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			run(args[0], args[1], sel, out)
			return nil
		}),
		NewSelector: func([]*vector.Value) (Selector, error) {
			var tmp vector.Vector
			return func(_ *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
				tmp.Type = tBoolean
				tmp.Reset(n)
				run(args[0], args[1], sel, &tmp)
				return appendTrue(&tmp, sel, dst), nil
			}, nil
		},
	}, nil
}

// appendTrue appends the rows of sel (nil: all) that are true in the flat BOOLEAN v.
func appendTrue(v *vector.Vector, sel, dst []int32) []int32 {
	vals := vector.Values[bool](v)
	base, k := len(dst), 0
	room, rows := roomFor(dst, v.Len, sel)
	for j := range room {
		i := row(rows, j)
		room[k] = int32(i)
		k += b2i(vals[i])
	}
	kept := dropNulls(v, room[:k])
	return dst[:base+len(kept)]
}

// selectorOf is the filter form of a predicate that has no faster one: the kernel, then
// the rows that are true.
func selectorOf(newKernel func([]*vector.Value) (Kernel, error), nulls NullMode) func([]*vector.Value) (Selector, error) {
	return func(consts []*vector.Value) (Selector, error) {
		kernel, err := newKernel(consts)
		if err != nil {
			return nil, err
		}
		var tmp vector.Vector
		var valid vector.Bitmap
		return func(ctx *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
			tmp.Type = tBoolean
			tmp.Reset(n)
			if nulls == Propagate {
				for _, a := range args {
					if constantNull(a) {
						return dst, nil
					}
					if a.Form == vector.Flat && a.Valid != nil {
						valid = vector.And(valid, a.Valid, tmp.Valid, n)
						tmp.Valid = valid
					}
				}
			}
			if err := kernel(ctx, args, sel, &tmp); err != nil {
				return dst, err
			}
			return appendTrue(&tmp, sel, dst), nil
		}, nil
	}
}
