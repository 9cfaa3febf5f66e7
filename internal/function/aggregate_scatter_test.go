package function

import (
	"math"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// MergeRows gives what Merge one by one gives, sums beyond 64 bits included.
func TestScatteredMerge(t *testing.T) {
	decimal, wide := sqltype.DecimalOf(18, 2), sqltype.DecimalOf(38, 2)
	for _, c := range []struct {
		name string
		arg  sqltype.Type
	}{{"sum", decimal}, {"sum", wide}, {"avg", tBigInt}, {"sum", tDouble}, {"count", tBigInt}} {
		fn, err := ResolveAggregate(c.name, []Arg{{Type: c.arg}})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewSource(1))
		fresh := func() Accumulator {
			acc, err := fn.NewAccumulator(&Context{}, []*vector.Value{nil})
			if err != nil {
				t.Fatal(err)
			}
			acc.Grow(40)
			return acc
		}
		from, groups, rows := fresh(), make([]uint32, 300), make([]uint32, 0, 40)
		v := vector.New(c.arg, len(groups))
		for i := range groups {
			groups[i] = uint32(r.Intn(40))
			x := vector.Value{Type: c.arg, I: int128.FromInt64(math.MaxInt64 - int64(i)), F: float64(i)}
			if r.Intn(5) == 0 {
				x = vector.NullOf(c.arg)
			}
			v.SetValue(i, x)
		}
		if err := from.Update(groups, []*vector.Vector{v}, nil); err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Perm(40)[:30] {
			rows = append(rows, uint32(row))
		}
		one, all := fresh(), fresh()
		for range 2 {
			for k, row := range rows {
				if err := one.Merge(groups[k:k+1], from, int(row)); err != nil {
					t.Fatal(err)
				}
			}
			if err := all.(ScatteredMerge).MergeRows(groups[:len(rows)], from, rows); err != nil {
				t.Fatal(err)
			}
		}
		want, got := vector.New(fn.Result, 40), vector.New(fn.Result, 40)
		if err := one.Finish(0, want); err != nil {
			t.Fatal(err)
		}
		if err := all.Finish(0, got); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			if x, y := got.Value(i), want.Value(i); x.Null != y.Null || !x.Null && x.Compare(y) != 0 {
				t.Fatalf("%s(%s), group %d: %v, want %v", c.name, c.arg, i, x, y)
			}
		}
	}
}
