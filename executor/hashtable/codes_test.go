package hashtable

import (
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Groups by codes are those that a map by values gives, in either width.
func TestCodeMap(t *testing.T) {
	for seed := range int64(200) {
		r := rand.New(rand.NewSource(seed))
		m := NewCodeMap()
		known := map[[3]int64]uint32{}
		n := 1 + r.Intn(3)
		dicts := make([]*vector.Vector, n)
		for range 6 {
			rows := 1 + r.Intn(50)
			cols := make([]*vector.Vector, n)
			for i := range cols {
				if dicts[i] == nil || r.Intn(8) == 0 {
					dicts[i] = vector.New(sqltype.T(sqltype.BigInt), 1+r.Intn(4))
					for k := range dicts[i].Len {
						vector.Values[int64](dicts[i])[k] = int64(r.Intn(8))
					}
				}
				codes := make([]int32, rows)
				for k := range codes {
					codes[k] = int32(r.Intn(dicts[i].Len))
				}
				cols[i] = vector.NewDictionary(dicts[i], codes, nil)
				if r.Intn(4) == 0 {
					cols[i].Valid = vector.NewBitmap(rows)
					cols[i].Valid.Clear(r.Intn(rows))
				}
			}
			var sel []int32
			live := rows
			if r.Intn(2) == 0 {
				sel = []int32{}
				for i := range rows {
					if r.Intn(4) > 0 {
						sel = append(sel, int32(i))
					}
				}
				live = len(sel)
			}
			var ids []uint8
			if r.Intn(3) > 0 {
				ids = make([]uint8, rows)
			}
			key := func(j int) (k [3]int64) {
				for i, v := range cols {
					if at := liveRow(sel, j); v.IsNull(at) {
						k[i] = -1
					} else {
						k[i] = v.Value(at).Int64() + 1
					}
				}
				return k
			}
			groups := make([]uint32, live)
			if !m.Find(cols, sel, groups, ids) {
				t.Fatalf("seed %d: codes do not suffice", seed)
			}
			if missing := m.Missing(); len(missing) > 0 {
				some := make([]uint32, len(missing))
				for i, j := range missing {
					g, ok := known[key(int(j))]
					if !ok {
						g = uint32(len(known))
						known[key(int(j))] = g
					}
					some[i] = g
				}
				m.Learn(some, sel, groups, ids)
			}
			for j, g := range groups {
				want, ok := known[key(j)]
				if !ok || g != want || ids != nil && ids[liveRow(sel, j)] != uint8(want) {
					t.Fatalf("seed %d: row %d is in group %d, want %d %v", seed, j, g, want, ok)
				}
			}
		}
	}
}
