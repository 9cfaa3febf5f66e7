package vector

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// TestNestedRoundTrip packs and unpacks random arrays, maps and structs three deep, with
// NULLs at every level, and compares with the values they were made of.
func TestNestedRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	str, i32 := sqltype.T(sqltype.String), sqltype.T(sqltype.Int)
	const n = 500
	words := New(str, n)
	for i := range n {
		if r.IntN(5) == 0 {
			words.SetNull(i)
		} else {
			words.SetString(i, "a word that is long"[:r.IntN(19)])
		}
	}
	ints := New(i32, n)
	for i := range n {
		if r.IntN(5) == 0 {
			ints.SetNull(i)
		} else {
			Values[int32](ints)[i] = r.Int32()
		}
	}
	st := sqltype.StructOf([]string{"w", "i", "n"}, []sqltype.Type{str, i32, sqltype.T(sqltype.Null)})
	structs := PackStructs(st, []*Vector{words, ints, New(sqltype.T(sqltype.Null), n)}, n, nil)
	for i := range n {
		for k, want := range []*Vector{words, ints} {
			got := UnpackField(structs, nil, k)
			if got.IsNull(i) != want.IsNull(i) || !got.IsNull(i) && got.Value(i).Compare(want.Value(i)) != 0 {
				t.Fatalf("field %d of row %d: %v, want %v", k, i, got.Value(i), want.Value(i))
			}
		}
	}
	offsets := []int32{0, 0, 3, 3, 10, n}
	valid := Bitmap{0b11011}
	for part, v := range map[int]*Vector{
		0: PackArrays(sqltype.ArrayOf(st), structs, offsets, valid),
		1: PackMaps(sqltype.MapOf(i32, st), ints, structs, offsets, valid),
	} {
		sel := []int32{1, 2, 3, 4}
		elems, at := Unpack(v, sel, part)
		if want := []int32{0, 3, 3, 10, n}; !equal(at, want) {
			t.Fatalf("offsets %v, want %v", at, want)
		}
		for i := range elems.Len {
			if string(elems.Bytes(i)) != string(structs.Bytes(i)) {
				t.Fatalf("element %d: %s, want %s", i, AppendText(nil, elems, i), AppendText(nil, structs, i))
			}
		}
	}
}

func equal(a, b []int32) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestNestedIsCanonical: equal values have equal bytes.
func TestNestedIsCanonical(t *testing.T) {
	f := sqltype.T(sqltype.Double)
	odd := FromValues(f, []float64{math.Copysign(0, -1), math.Float64frombits(0x7ff8000000000123), 5}, Bitmap{0b011})
	plain := FromValues(f, []float64{0, math.NaN(), 0}, Bitmap{0b011})
	a, b := AppendElements(nil, odd, 0, 3), AppendElements(nil, plain, 0, 3)
	if string(a) != string(b) {
		t.Errorf("%x and %x", a, b)
	}
	one, other := sqltype.ArrayOf(sqltype.ArrayOf(f)), sqltype.ArrayOf(sqltype.ArrayOf(f))
	if one != other || one == sqltype.ArrayOf(f) {
		t.Error("nested types do not compare by ==")
	}
	if sqltype.StructOf([]string{"a"}, []sqltype.Type{f}) == sqltype.StructOf([]string{"b"}, []sqltype.Type{f}) {
		t.Error("structs of other field names are one type")
	}
}
