package executor_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// TestAggregateMergesRanges: drivers whose tables are direct arrays merge by ranges of keys, NULL, negative
// keys and keys at the ends of ranges among them.
func TestAggregateMergesRanges(t *testing.T) {
	big := sqltype.T(sqltype.BigInt)
	for _, spread := range []int{20_000, 40_000, 63_000} {
		for _, low := range []int{0, -30_000, 1 << 40} {
			r := rand.New(rand.NewSource(int64(spread + low)))
			rows := make(optest.Rows, 60_000)
			for i := range rows {
				rows[i] = []any{low + r.Intn(spread)}
				if r.Intn(5000) == 0 {
					rows[i][0] = nil
				}
			}
			run := func(instances int) []string {
				table := optest.NewTable([]sqltype.Type{big}, rows)
				table.Cut(500)
				agg := &physical.Aggregate{Input: table.Scan(1), Groups: []expr.Expr{optest.Field(0, big)}, MaxGroups: -1,
					Aggs: []*expr.Aggregate{{Fn: countFn(t)}}}
				agg.ID, agg.Cols = 2, optest.Columns(big, big)
				got, err := optest.Collect(agg, optest.Variation{Instances: instances}.Runtime())
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(got)
				return got
			}
			if one, three := run(1), run(3); !slices.Equal(one, three) {
				t.Fatalf("spread %d from %d: %d groups on one driver, %d on three, or others", spread, low, len(one), len(three))
			}
		}
	}
}
