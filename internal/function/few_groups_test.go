package function

import (
	"math"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// UpdateFew gives what Update gives, whatever the values, selections and NULLs.
func TestFewGroups(t *testing.T) {
	decimal, wide := sqltype.DecimalOf(18, 2), sqltype.DecimalOf(38, 2)
	taken := 0
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		for _, c := range []struct {
			name     string
			arg, low sqltype.Type // declared, and of the vectors
		}{
			{"sum", decimal, decimal}, {"sum", wide, NarrowType(wide)}, {"avg", wide, NarrowType(wide)}, {"avg", tBigInt, tBigInt},
			{"sum", sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.TinyInt)}, {"avg", tInt, tInt}, {"count", tBigInt, tBigInt},
		} {
			fn, err := ResolveAggregate(c.name, []Arg{{Type: c.arg}})
			if err != nil {
				t.Fatal(err)
			}
			groups := 1 + r.Intn(FewGroupsMost)
			fresh := func() Accumulator {
				acc, err := fn.NewAccumulator(&Context{}, []*vector.Value{nil})
				if err != nil {
					t.Fatal(err)
				}
				acc.Grow(groups)
				return acc
			}
			few, one, b := fresh(), fresh(), &FewGroups{}
			for range 5 {
				v, of, sel := randomGrouped(r, c.low, groups)
				ids := b.IDs(v.Len)
				for k, g := range of {
					ids[row(sel, k)] = uint8(g)
				}
				b.Begin(groups, sel)
				args := []*vector.Vector{v}
				for range 2 { // the second time from memory
					done, err := few.(FewGroupsUpdate).UpdateFew(b, args)
					if err != nil {
						t.Fatal(err)
					}
					flat := []*vector.Vector{v.Flatten(nil, &vector.Vector{})}
					if !done {
						err = few.Update(of, flat, sel)
					} else {
						taken++
					}
					if err != nil {
						t.Fatal(err)
					}
					if err := one.Update(of, flat, sel); err != nil {
						t.Fatal(err)
					}
				}
			}
			want, got := vector.New(fn.Result, groups), vector.New(fn.Result, groups)
			if err := one.Finish(0, want); err != nil {
				continue // out of range
			}
			if err := few.Finish(0, got); err != nil {
				t.Fatal(err)
			}
			for i := range groups {
				if x, y := got.Value(i), want.Value(i); x.Null != y.Null || !x.Null && x.Compare(y) != 0 {
					t.Fatalf("seed %d: %s(%s), group %d: %v, want %v", seed, c.name, c.arg, i, x, y)
				}
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d updates were by sums", taken)
	}
}

// randomGrouped is a column, its live rows, and a group for each of them.
func randomGrouped(r *rand.Rand, t sqltype.Type, groups int) (v *vector.Vector, of []uint32, sel []int32) {
	n := 1 + r.Intn(50)
	most := []int64{100, 100, 100, math.MaxInt64}[r.Intn(4)]
	value := func() vector.Value {
		x := r.Int63n(most) - most/2
		if t.Kind == sqltype.TinyInt || t.Kind == sqltype.Int {
			x %= 100
		}
		return vector.Value{Type: t, I: int128.FromInt64(x)}
	}
	if r.Intn(5) == 0 {
		x := value()
		if r.Intn(2) == 0 {
			x = vector.NullOf(t)
		}
		v = vector.NewConstant(x, n)
	} else {
		v = vector.New(t, n)
		for i := range n {
			v.SetValue(i, value())
		}
		if r.Intn(3) == 0 {
			codes := make([]int32, n)
			for i := range codes {
				codes[i] = int32(r.Intn(n))
			}
			v = vector.NewDictionary(v, codes, nil)
		}
		if most < 1000 {
			v.Valid = vector.NewBitmap(n)
			for i := range n {
				if r.Intn(6) == 0 {
					v.Valid.Clear(i)
				}
			}
		}
	}
	live := n
	if share := r.Intn(3); share > 0 {
		sel = []int32{}
		for i := range n {
			if r.Intn(8) < 4*share-1 {
				sel = append(sel, int32(i))
			}
		}
		live = len(sel)
	}
	of = make([]uint32, live)
	for i := range of {
		of[i] = uint32(r.Intn(groups))
	}
	return v, of, sel
}
