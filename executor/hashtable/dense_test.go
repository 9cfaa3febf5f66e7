package hashtable

import (
	"math"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Keys whose range grows, jumps and goes to the ends of int64 take the table from array to
// slots and back.
func TestDenseGroups(t *testing.T) {
	bigint := sqltype.T(sqltype.BigInt)
	entered, left := 0, 0
	for seed := range int64(200) {
		r := rand.New(rand.NewSource(seed))
		l, err := NewLayout([]sqltype.Type{bigint}, []bool{seed%3 == 0})
		if err != nil {
			t.Fatal(err)
		}
		table := NewGroupTable(l, nil, 4)
		table.AllowDense()
		keys := NewKeys(l)
		want := map[int64]uint32{}
		lo, span := r.Int63n(1000)-500, int64(1+r.Intn(300))
		null := int64(-1)
		for step := range 30 {
			switch r.Intn(8) {
			case 0:
				lo += r.Int63n(100_000) - 50_000
			case 1:
				span = 1 + r.Int63n(20_000)
			case 2:
				if step > 20 {
					lo, span = []int64{math.MinInt64, math.MaxInt64 - 10_000, 0}[r.Intn(3)], 10_000
				}
			}
			vals := make([]int64, 500)
			for i := range vals {
				vals[i] = lo + r.Int63n(span)
			}
			v := vector.FromValues(bigint, vals, nil)
			if seed%3 == 0 {
				v.Valid = randomBits(r, len(vals))
			}
			was := table.Dense()
			keys.Encode([]*vector.Vector{v}, len(vals), nil)
			groups := make([]uint32, len(vals))
			table.FindOrAdd(keys, groups)
			found := make([]int32, len(vals))
			table.Lookup(keys, found)
			if was != table.Dense() && was {
				left++
			} else if was != table.Dense() {
				entered++
			}
			next := uint32(len(want))
			if null >= 0 {
				next++
			}
			for i, x := range vals {
				var g uint32
				if v.IsNull(i) {
					if null < 0 {
						null = int64(next)
						next++
					}
					g = uint32(null)
				} else if old, ok := want[x]; ok {
					g = old
				} else {
					g = next
					want[x] = g
					next++
				}
				if groups[i] != g || found[i] != int32(g) {
					t.Fatalf("seed %d step %d: key %d is group %d, looked up %d, want %d", seed, step, x, groups[i], found[i], g)
				}
			}
		}
	}
	if entered < 200 || left < 20 {
		t.Fatalf("the array was entered %d times and left %d times only", entered, left)
	}
}
