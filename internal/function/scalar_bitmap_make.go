package function

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/bits"

	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

var (
	tBitmap = sqltype.T(sqltype.Bitmap)
	tHLL    = sqltype.T(sqltype.HLL)
)

func wideOf(v *vector.Vector) column[int128.Int] { return columnOf[int128.Int](v) }

// idType is the type that ids of bitmaps are taken as: BIGINT, LARGEINT, else text that is a number.
func idType(t sqltype.Type) sqltype.Type {
	switch {
	case t.Kind == sqltype.LargeInt:
		return t
	case t.IsInteger() || t.Kind == sqltype.Boolean || t.Kind == sqltype.Null:
		return tBigInt
	}
	return tString
}

// idsOf reads ids of a vector of an idType; ok is false for what no bitmap can hold.
func idsOf(v *vector.Vector) func(i int) (id uint64, ok bool) {
	switch v.Type.Kind {
	case sqltype.LargeInt:
		x := wideOf(v)
		return func(i int) (uint64, bool) { return x.at(i).Lo, x.at(i).Hi == 0 }
	case sqltype.BigInt:
		x := columnOf[int64](v)
		return func(i int) (uint64, bool) { return uint64(x.at(i)), x.at(i) >= 0 }
	}
	x := textOf(v)
	return func(i int) (uint64, bool) { return parseID(x.at(i)) }
}

// parseID reads an unsigned 64-bit number; blanks around it are allowed.
func parseID(b []byte) (id uint64, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		hi, lo := bits.Mul64(id, 10)
		sum, carry := bits.Add64(lo, d, 0)
		if hi+carry != 0 {
			return 0, false
		}
		id = sum
	}
	return id, true
}

// resolveToBitmap is to_bitmap, where what is no id gives the empty bitmap, and to_bitmap_with_check, where it is an error.
// NULL gives the empty bitmap.
func resolveToBitmap(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	check := name == "to_bitmap_with_check"
	return signature{params: types(idType(args[0].Type)), result: tBitmap, nulls: NullAware, fails: check,
		run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			var buf [32]byte
			id := idsOf(args[0])
			for k := range count(out, sel) {
				i := row(sel, k)
				b := buf[:0]
				if isNullAt(args[0], i) {
					out.SetBytes(i, bitmap.AppendEmpty(b))
					continue
				}
				v, ok := id(i)
				switch {
				case ok:
					b = bitmap.AppendSingle(b, v)
				case check:
					return noID("to_bitmap_with_check", args[0], i)
				default:
					b = bitmap.AppendEmpty(b)
				}
				out.SetBytes(i, b)
			}
			return nil
		}}.resolve(name, args)
}

func noID(name string, v *vector.Vector, i int) error {
	return sqlerr.New(sqlerr.IncorrectValue, "The input: %s is not valid, %s only support bigint value from 0 to 18446744073709551615 currently", v.Value(i).Text(), name)
}

// hashedBitmap is the bitmap of a text's hash; NULL gives the empty one.
func hashedBitmap(hash func([]byte) uint64) builder {
	return signature{params: types(tString), result: tBitmap, nulls: NullAware,
		run: func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x := textOf(args[0])
			var buf [32]byte
			for k := range count(out, sel) {
				i := row(sel, k)
				b := buf[:0]
				if isNullAt(args[0], i) {
					b = bitmap.AppendEmpty(b)
				} else {
					b = bitmap.AppendSingle(b, hash(x.at(i)))
				}
				out.SetBytes(i, b)
			}
			return nil
		}}.builder()
}

func bitmapEmptyKernel(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
	b := bitmap.AppendEmpty(nil)
	for k := range count(out, sel) {
		out.SetBytes(row(sel, k), b)
	}
	return nil
}

// bitmapFromStringKernel reads ids with commas between; what is none makes the result NULL.
func bitmapFromStringKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
	x := textOf(args[0])
	var w bitmap.Workspace
	var buf []byte
	for i := range live(out, sel) {
		var s bitmap.Set
		rest := x.at(i)
		for len(rest) > 0 {
			token, more, found := bytes.Cut(rest, []byte(","))
			id, ok := parseID(token)
			if !ok || found && len(more) == 0 {
				out.SetNull(i)
				break
			}
			w.Add(&s, id)
			rest = more
		}
		if isNullAt(out, i) {
			continue
		}
		if buf, err = w.AppendTo(buf[:0], &s); err != nil {
			return err
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// bitmapFromBase64Kernel is NULL for text that is not base64 of a bitmap, in Doris's form or ours.
func bitmapFromBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var w bitmap.Workspace
	var form, b []byte
	for i := range live(out, sel) {
		var err error
		if form, err = base64.StdEncoding.AppendDecode(form[:0], x.at(i)); err == nil {
			b, err = w.FromDoris(b[:0], form)
		}
		if err != nil || bitmap.Validate(b) != nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, b)
	}
	return nil
}

// resolveBitmapFromArray: an array with an element that is NULL or no id gives NULL.
func resolveBitmapFromArray(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t := sqltype.ArrayOf(tBigInt)
	if a := args[0].Type; a.Kind == sqltype.Array {
		t = sqltype.ArrayOf(idType(a.Nested.Elems[0]))
	}
	return signature{params: types(t), result: tBitmap, yields: true, make: func([]*vector.Value) (Kernel, error) {
		var w bitmap.Workspace
		var buf []byte
		elems := vector.New(t.Nested.Elems[0], 0)
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
			for i := range live(out, sel) {
				e := vector.DecodeElements(elems.Type, args[0].Bytes(i))
				elems.Reset(0)
				e.AppendTo(elems)
				id := idsOf(elems)
				var s bitmap.Set
				for k := range elems.Len {
					v, ok := id(k)
					if elems.IsNull(k) || !ok {
						out.SetNull(i)
						break
					}
					w.Add(&s, v)
				}
				if isNullAt(out, i) {
					continue
				}
				if buf, err = w.AppendTo(buf[:0], &s); err != nil {
					return err
				}
				out.SetBytes(i, buf)
			}
			return nil
		}, nil
	}}.resolve(name, args)
}

// dorisSeed is the seed of bitmap_hash.
const dorisSeed = 104729

// murmur32 is MurmurHash3_x86_32. Source: Appleby, SMHasher, public domain.
func murmur32(b []byte, seed uint32) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	h, n := seed, uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h ^= bits.RotateLeft32(binary.LittleEndian.Uint32(b)*c1, 15) * c2
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	k := uint32(0)
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	h ^= bits.RotateLeft32(k*c1, 15) * c2
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// murmur64 is the variant of MurmurHash3 for 64 bits that Doris has: one lane of the one for 128.
func murmur64(b []byte, seed uint64) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h, n := seed, uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b)*c1, 31) * c2
		h = bits.RotateLeft64(h, 27)*5 + 0x52dce729
	}
	k := uint64(0)
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint64(b[i])
	}
	h ^= bits.RotateLeft64(k*c1, 31) * c2
	return mix64(h ^ n)
}

func mix64(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
