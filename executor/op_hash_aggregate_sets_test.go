package executor

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// TestGroupingSetsFromFinest compares grouping sets, which take the groups by all keys, with one aggregation a set, which takes the
// rows: keys that come back and keys that do not, tables that are emptied early, filters, a DISTINCT beside it, and spilling.
func TestGroupingSetsFromFinest(t *testing.T) {
	keyTypes := []sqltype.Type{bigint, text, sqltype.T(sqltype.Int), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.SmallInt)}
	emptied, spilled := 0, int64(0)
	for seed := range seeds(60) {
		r := rand.New(rand.NewSource(seed))
		keys := make([]sqltype.Type, 1+r.Intn(4))
		var distinct, all []int
		for i := range keys {
			keys[i] = keyTypes[r.Intn(len(keyTypes))]
			distinct = append(distinct, 1+r.Intn([]int{3, 40, 5000}[r.Intn(3)]))
			all = append(all, i)
		}
		sets := [][]int{all}
		for n := r.Intn(5); n >= 0; n-- { // any one, more than once as well
			set := []int{}
			for _, k := range all {
				if r.Intn(2) == 0 {
					set = append(set, k)
				}
			}
			sets = append(sets, set)
		}
		v, w := field(len(keys), bigint), field(len(keys)+1, bigint)
		n := &physical.Aggregate{GroupingID: true, Aggs: []*expr.Aggregate{
			{Fn: sumAggregate()}, {Fn: sumAggregate(bigint), Args: []expr.Expr{v}},
			{Fn: sumAggregate(bigint), Args: []expr.Expr{w}, Filter: call(t, "<", w, v)},
		}}
		if r.Intn(3) == 0 {
			n.Aggs = append(n.Aggs, &expr.Aggregate{Fn: sumAggregate(bigint), Args: []expr.Expr{w}, Distinct: true})
		}
		for i, k := range keys {
			n.Groups = append(n.Groups, field(i, k))
		}
		types := append(append([]sqltype.Type{}, keys...), bigint, bigint)
		batches := randomBatches(r, types, 1+r.Intn(6000), 1+r.Intn(900), append(distinct, 30, 300), true)
		run := func(sets [][]int, limit int64) []string {
			n.Sets = sets
			rt := &Runtime{Instances: 1 + r.Intn(3), Functions: &function.Context{}}
			if limit > 0 {
				spillDir(t, rt, limit, nil)
				defer func() { spilled += rt.Profile.Node(0).SpilledBytes.Load() }()
			}
			a, err := newHashAggregate(n, rt, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Abort()
			a.finestGroups = []int{40, 700, finestMostGroups}[r.Intn(3)]
			a.checkGroups, a.smallGroups = 64, 32
			if err := runSink(t, rt, a, batches); err != nil {
				t.Fatal(err)
			}
			got, err := drain(rt, aggSource{a})
			if err != nil {
				t.Fatal(err)
			}
			if a.finestGroups < 1000 && len(got) > 1000 {
				emptied++
			}
			return got
		}
		var want []string
		for _, s := range sets {
			want = append(want, run([][]int{s}, 0)...)
		}
		sameRows(t, fmt.Sprintf("seed %d keys %v sets %v", seed, keys, sets), run(sets, seed%3*100_000), want)
	}
	if emptied == 0 || spilled == 0 {
		t.Errorf("%d tables of groups were full, %d bytes spilled", emptied, spilled)
	}
}

func TestCoarserSets(t *testing.T) {
	var show func(list []*coarserSet) string
	show = func(list []*coarserSet) string {
		out := ""
		for _, c := range list {
			out += fmt.Sprint(c.keys) + "(" + show(c.below) + ")"
		}
		return out
	}
	for _, test := range []struct {
		sets [][]int
		keys int
		want string
	}{
		{[][]int{{0, 1, 2}, {0, 1}, {0}, {}}, 3, "[0 1 2]()[0 1]([0]([]()))"},                                // ROLLUP
		{[][]int{{0, 1}, {0}, {1}, {}}, 2, "[0 1]()[0]([]())[1]()"},                                          // CUBE
		{[][]int{{2, 0}, {2}, {2, 2}, {1, 2}, {0, 2}, {}, {}}, 3, "[0 2]([2]([]()[]())[2]())[1 2]()[0 2]()"}, // equal ones side by side
		{[][]int{{0}, {1}}, 2, "[0]()[1]()"},
	} {
		if got := show(coarserSets(test.sets, test.keys)); got != test.want {
			t.Errorf("%v: %s, want %s", test.sets, got, test.want)
		}
	}
}
