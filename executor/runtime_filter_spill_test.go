package executor

import (
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// The filters of a build side that is on disk let every row with a match pass.
func TestRuntimeFiltersOfSpilledJoins(t *testing.T) {
	spilled, dropped := int64(0), 0
	for seed := range seeds(60) {
		r := rand.New(rand.NewSource(seed))
		n, keys, types := randomJoin(r, []physical.JoinKind{physical.Semi, physical.Inner, physical.Right}[r.Intn(3)])
		spread := []int{20, 3000, 1 << 30}[r.Intn(3)]
		distinct := make([]int, len(types))
		for i := range distinct {
			distinct[i] = spread
		}
		n.RuntimeFilters = []physical.RuntimeFilter{{ID: 7, Key: 0, Kind: physical.FilterKind(1 << r.Intn(5))}}
		build := randomBatches(r, types, 500+r.Intn(3000), 400, distinct, true)
		probe := append(randomBatches(r, types, 2000, 400, distinct, true), build...)
		rt := &Runtime{Instances: 1 + r.Intn(3), BatchRows: 500, Functions: &function.Context{}, Filters: FilterLimits{MaxIn: 50}}
		spillDir(t, rt, 4<<10+r.Int63n(400<<10), nil)
		filters := newRuntimeFilters()
		_, err := runJoin(t, n, rt, filters, probe, build)
		rt.Budget.ReleaseAll()
		if sqlerr.Is(err, sqlerr.OutOfMemory) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		spilled += rt.Profile.Node(0).SpilledBytes.Load()
		made := filters.forScan([]physical.RuntimeFilterRef{{ID: 7, Column: 0}}, nil, &NodeProfile{})
		built := map[string]bool{}
		for _, b := range allRows(build) {
			null := false
			for i, k := range keys {
				null = null || b.b.Cols[k].IsNull(b.row) && !(i < len(n.NullSafe) && n.NullSafe[i])
			}
			if !null {
				built[cell(b.b.Cols[0], b.row)] = true
			}
		}
		if len(made.filters) == 0 {
			continue
		}
		f, err := made.filters[0].New()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range probe {
			sel, err := f([]*vector.Vector{b.Cols[0]}, b.Len, b.Sel)
			if err != nil {
				t.Fatal(err)
			}
			pass := map[int]bool{}
			for _, row := range sel {
				pass[int(row)] = true
			}
			for i := range b.NumRows() {
				row := b.Row(i)
				key := cell(b.Cols[0], row)
				if !pass[row] {
					dropped++
				}
				if built[key] && !pass[row] {
					t.Fatalf("seed %d kind %s type %v: key %s was built and is filtered out", seed, n.RuntimeFilters[0].Kind, types[0], key)
				}
				v := b.Cols[0].Value(row)
				for _, p := range made.prune {
					lookup := func(int) storage.Range { return storage.Range{Min: &v, Max: &v, Rows: 1} }
					if v.Null {
						lookup = func(int) storage.Range { return storage.Range{Nulls: 1, Rows: 1} }
					}
					if built[key] && !p.MayMatch(lookup) {
						t.Fatalf("seed %d: key %s is pruned by %v", seed, key, p)
					}
				}
			}
		}
	}
	if (spilled == 0 || dropped == 0) && !testing.Short() {
		t.Fatalf("%d bytes spilled, %d rows dropped", spilled, dropped)
	}
}
