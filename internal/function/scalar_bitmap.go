package function

import (
	"encoding/base64"
	"strconv"

	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// bitmapFunctions are the scalar functions of BITMAP. Their rules for NULL differ from one to the other: they are Doris's.
func bitmapFunctions() map[string]builder {
	text := func(run Kernel, result sqltype.Type) builder {
		return signature{params: types(tString), result: result, run: run, yields: true, fails: true}.builder()
	}
	return map[string]builder{
		"to_bitmap": resolveToBitmap, "to_bitmap_with_check": resolveToBitmap,
		"bitmap_hash":        hashedBitmap(func(b []byte) uint64 { return uint64(murmur32(b, dorisSeed)) }),
		"bitmap_hash64":      hashedBitmap(func(b []byte) uint64 { return murmur64(b, 0) }),
		"bitmap_empty":       signature{result: tBitmap, nulls: NullAware, run: bitmapEmptyKernel}.builder(),
		"bitmap_from_string": text(bitmapFromStringKernel, tBitmap),
		"bitmap_from_base64": text(bitmapFromBase64Kernel, tBitmap),
		"bitmap_from_array":  resolveBitmapFromArray,
		"bitmap_to_string":   ofBitmap(tString, bitmapToStringKernel),
		"bitmap_to_base64":   ofBitmap(tString, bitmapToBase64Kernel),
		"bitmap_to_array":    ofBitmap(sqltype.ArrayOf(tBigInt), bitmapToArrayKernel),
		"bitmap_count":       signature{params: types(tBitmap), result: tBigInt, nulls: NullAware, fails: true, run: bitmapCountKernel}.builder(),
		"bitmap_min":         ofBitmap(tBigInt, bitmapBoundKernel(bitmap.Min)),
		"bitmap_max":         ofBitmap(tBigInt, bitmapBoundKernel(bitmap.Max)),

		"bitmap_and":           foldBitmaps(tBitmap, Propagate, (*bitmap.Algebra).And),
		"bitmap_xor":           foldBitmaps(tBitmap, Propagate, (*bitmap.Algebra).Xor),
		"bitmap_or":            signature{params: types(tBitmap, tBitmap), rest: true, result: tBitmap, nulls: NullAware, fails: true, make: bitmapOrKernel(true)}.builder(),
		"bitmap_or_count":      signature{params: types(tBitmap, tBitmap), rest: true, result: tBigInt, fails: true, make: bitmapOrKernel(false)}.builder(),
		"bitmap_not":           twoBitmaps(tBitmap, Propagate),
		"bitmap_and_not":       twoBitmaps(tBitmap, Propagate),
		"bitmap_andnot":        twoBitmaps(tBitmap, Propagate),
		"bitmap_and_count":     foldBitmaps(tBigInt, Propagate, (*bitmap.Algebra).And),
		"bitmap_xor_count":     foldBitmaps(tBigInt, NullAware, (*bitmap.Algebra).Xor),
		"bitmap_and_not_count": twoBitmaps(tBigInt, NullAware),
		"bitmap_andnot_count":  twoBitmaps(tBigInt, NullAware),

		"bitmap_contains":        resolveBitmapMember,
		"bitmap_remove":          resolveBitmapMember,
		"bitmap_has_any":         compareBitmaps((*bitmap.Algebra).HasAny),
		"bitmap_has_all":         compareBitmaps((*bitmap.Algebra).HasAll),
		"sub_bitmap":             sliceBitmap(subBitmap),
		"bitmap_subset_limit":    sliceBitmap(subsetLimit),
		"bitmap_subset_in_range": sliceBitmap(subsetInRange),
	}
}

// ofBitmap is a function of one bitmap that propagates NULL.
func ofBitmap(result sqltype.Type, run Kernel) builder {
	return signature{params: types(tBitmap), result: result, yields: true, fails: true, run: run}.builder()
}

func bitmapToStringKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	var vals []uint64
	for i := range live(out, sel) {
		r := bitmap.Read(x.at(i))
		buf = buf[:0]
		for {
			var err error
			if vals, err = r.Append(vals[:0], 1024); err != nil {
				return err
			}
			for _, v := range vals {
				buf = append(strconv.AppendUint(buf, v, 10), ',')
			}
			if len(vals) < 1024 {
				break
			}
			if len(buf) > bitmap.MaxBytes {
				return outOfRange(tString, "bitmap_to_string")
			}
		}
		out.SetBytes(i, buf[:max(len(buf)-1, 0)])
	}
	return nil
}

// bitmapToBase64Kernel writes Doris's form of a bitmap.
func bitmapToBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
	x := textOf(args[0])
	var form, buf []byte
	for i := range live(out, sel) {
		if form, err = bitmap.AppendDoris(form[:0], x.at(i)); err != nil {
			return err
		}
		buf = base64.StdEncoding.AppendEncode(buf[:0], form)
		out.SetBytes(i, buf)
	}
	return nil
}

// bitmapToArrayKernel gives values above 2^63-1 as the negative numbers of the same bits.
func bitmapToArrayKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	elems := vector.New(tBigInt, 0)
	var vals []uint64
	var buf []byte
	for i := range live(out, sel) {
		n, err := bitmap.Count(x.at(i))
		if err != nil {
			return err
		}
		if n > bitmap.MaxBytes/8 {
			return outOfRange(out.Type, "bitmap_to_array")
		}
		r := bitmap.Read(x.at(i))
		if vals, err = r.Append(vals[:0], int(n)); err != nil {
			return err
		}
		elems.Reset(len(vals))
		for k, v := range vals {
			vector.Values[int64](elems)[k] = int64(v)
		}
		buf = vector.AppendElements(buf[:0], elems, 0, elems.Len)
		out.SetBytes(i, buf)
	}
	return nil
}

// bitmapCountKernel is 0 for NULL.
func bitmapCountKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = 0
		if isNullAt(args[0], i) {
			continue
		}
		n, err := bitmap.Count(x.at(i))
		if err != nil {
			return err
		}
		dst[i] = n
	}
	return nil
}

func bitmapBoundKernel(bound func([]byte) (uint64, bool, error)) Kernel {
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		x, dst := textOf(args[0]), vector.Values[int64](out)
		for i := range live(out, sel) {
			v, ok, err := bound(x.at(i))
			if err != nil {
				return err
			}
			if dst[i] = int64(v); !ok {
				out.SetNull(i)
			}
		}
		return nil
	}
}

// combineBitmaps is And, Or, Xor or AndNot.
type combineBitmaps func(a *bitmap.Algebra, dst, x, y []byte) ([]byte, error)

// foldBitmaps folds any number of bitmaps from the left; BIGINT is the size of the result. A count that is NullAware
// is 0 where an argument is NULL.
func foldBitmaps(result sqltype.Type, nulls NullMode, f combineBitmaps) builder {
	return signature{params: types(tBitmap, tBitmap), rest: true, result: result, nulls: nulls, fails: true, make: foldKernel(result, f)}.builder()
}

// twoBitmaps is the difference of exactly two bitmaps.
func twoBitmaps(result sqltype.Type, nulls NullMode) builder {
	return signature{params: types(tBitmap, tBitmap), result: result, nulls: nulls, fails: true, make: foldKernel(result, (*bitmap.Algebra).AndNot)}.builder()
}

func foldKernel(result sqltype.Type, f combineBitmaps) func([]*vector.Value) (Kernel, error) {
	return func([]*vector.Value) (Kernel, error) {
		var a bitmap.Algebra
		var buf, next []byte
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
			nullable := nullableArgs(args)
			for i := range live(out, sel) {
				if anyNull(nullable, i) { // NullAware counts
					vector.Values[int64](out)[i] = 0
					continue
				}
				buf = append(buf[:0], args[0].Bytes(i)...)
				for _, y := range args[1:] {
					if next, err = f(&a, next[:0], buf, y.Bytes(i)); err != nil {
						return err
					}
					buf, next = next, buf
				}
				if result.Kind == sqltype.Bitmap {
					out.SetBytes(i, buf)
					continue
				}
				n, err := bitmap.Count(buf)
				if err != nil {
					return err
				}
				vector.Values[int64](out)[i] = n
			}
			return nil
		}, nil
	}
}

// bitmapOrKernel unites any number of bitmaps at once. bitmap_or passes over NULLs and is NULL if all are; bitmap_or_count
// propagates them.
func bitmapOrKernel(isBitmap bool) func([]*vector.Value) (Kernel, error) {
	return func([]*vector.Value) (Kernel, error) {
		var w bitmap.Workspace
		var buf []byte
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
			for i := range live(out, sel) {
				var s bitmap.Set
				some := false
				for _, x := range args {
					if isNullAt(x, i) {
						continue
					}
					some = true
					if err := w.Or(&s, x.Bytes(i), nil); err != nil {
						return err
					}
				}
				switch {
				case !some:
					out.SetNull(i)
				case isBitmap:
					if buf, err = w.AppendTo(buf[:0], &s); err != nil {
						return err
					}
					out.SetBytes(i, buf)
				default:
					vector.Values[int64](out)[i] = w.Count(&s)
				}
			}
			return nil
		}, nil
	}
}

// memberType is BIGINT, or LARGEINT for arguments that are.
func memberType(t sqltype.Type) sqltype.Type {
	if t.Kind == sqltype.LargeInt {
		return t
	}
	return tBigInt
}

// memberOf reads members of a BIGINT or LARGEINT argument: negative BIGINTs are the unsigned numbers of the same bits, as
// bitmap_to_array shows them; LARGEINTs outside of 64 bits are no members (ok false).
func memberOf(v *vector.Vector) func(i int) (m uint64, ok bool) {
	if v.Type.Kind == sqltype.LargeInt {
		x := wideOf(v)
		return func(i int) (uint64, bool) {
			return x.at(i).Lo, x.at(i).Hi == 0 || x.at(i).Hi == -1 && int64(x.at(i).Lo) < 0
		}
	}
	x := columnOf[int64](v)
	return func(i int) (uint64, bool) { return uint64(x.at(i)), true }
}

// resolveBitmapMember is bitmap_contains and bitmap_remove.
func resolveBitmapMember(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	g := signature{params: types(tBitmap, memberType(args[1].Type)), result: tBoolean, fails: true}
	if name == "bitmap_contains" {
		g.run = func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, member, dst := textOf(args[0]), memberOf(args[1]), vector.Values[bool](out)
			for i := range live(out, sel) {
				m, ok := member(i)
				has, err := bitmap.Contains(x.at(i), m)
				if err != nil {
					return err
				}
				dst[i] = has && ok
			}
			return nil
		}
		return g.resolve(name, args)
	}
	g.result = tBitmap
	g.make = func([]*vector.Value) (Kernel, error) {
		var a bitmap.Algebra
		var buf, one []byte
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
			x, member := textOf(args[0]), memberOf(args[1])
			for i := range live(out, sel) {
				m, ok := member(i)
				if one = bitmap.AppendEmpty(one[:0]); ok {
					one = bitmap.AppendSingle(one[:0], m)
				}
				if buf, err = a.AndNot(buf[:0], x.at(i), one); err != nil {
					return err
				}
				out.SetBytes(i, buf)
			}
			return nil
		}, nil
	}
	return g.resolve(name, args)
}

func compareBitmaps(f func(a *bitmap.Algebra, x, y []byte) (bool, error)) builder {
	return signature{params: types(tBitmap, tBitmap), result: tBoolean, fails: true, make: func([]*vector.Value) (Kernel, error) {
		var a bitmap.Algebra
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
			x, y, dst := textOf(args[0]), textOf(args[1]), vector.Values[bool](out)
			for i := range live(out, sel) {
				if dst[i], err = f(&a, x.at(i), y.at(i)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}}.builder()
}

// bounds of a part of a bitmap: values in [lo, hi], without the first skip, at most n.
type bitmapPart struct{ lo, hi, skip, n uint64 }

// sliceBitmap is a part of a bitmap by two numbers; part is not ok where the result is NULL.
func sliceBitmap(part func(b []byte, x, y int64) (p bitmapPart, ok bool, err error)) builder {
	return signature{params: types(tBitmap, tBigInt, tBigInt), result: tBitmap, yields: true, fails: true, make: func([]*vector.Value) (Kernel, error) {
		var a bitmap.Algebra
		var buf []byte
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			b, x, y := textOf(args[0]), columnOf[int64](args[1]), columnOf[int64](args[2])
			for i := range live(out, sel) {
				p, ok, err := part(b.at(i), x.at(i), y.at(i))
				if err != nil {
					return err
				}
				if !ok {
					out.SetNull(i)
					continue
				}
				if buf, _, err = a.Slice(buf[:0], b.at(i), p.lo, p.hi, p.skip, p.n); err != nil {
					return err
				}
				out.SetBytes(i, buf)
			}
			return nil
		}, nil
	}}.builder()
}

const noBound = ^uint64(0)

// subBitmap is n values from the offset on, which counts from the end where it is negative; NULL if there are none.
func subBitmap(b []byte, offset, n int64) (bitmapPart, bool, error) {
	count, err := bitmap.Count(b)
	if offset < 0 {
		offset += count
	}
	return bitmapPart{0, noBound, uint64(offset), uint64(n)}, offset >= 0 && offset < count && n > 0, err
}

// subsetLimit is up to n values from start on.
func subsetLimit(_ []byte, start, n int64) (bitmapPart, bool, error) {
	return bitmapPart{uint64(start), noBound, 0, uint64(n)}, start >= 0 && n >= 0, nil
}

// subsetInRange is the values in [lo, hi).
func subsetInRange(_ []byte, lo, hi int64) (bitmapPart, bool, error) {
	return bitmapPart{uint64(lo), uint64(hi) - 1, 0, noBound}, lo >= 0 && lo < hi, nil
}
