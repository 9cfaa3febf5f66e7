package executor

import (
	"fmt"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// count(distinct x) as two aggregations: with many values of the key and even ones, the drivers of
// the second one see no group in common and nothing is merged; with one value in half of the rows,
// all drivers share its values and the groups are merged. The counts are right in both cases.
func TestAggregateApart(t *testing.T) {
	count, err := function.ResolveAggregate("count", []function.Arg{{Type: bigint}})
	if err != nil {
		t.Fatal(err)
	}
	const batchRows, batches = 1000, 60
	for name, c := range map[string]struct {
		key   func(i int) int64
		apart bool
	}{
		"even keys":        {func(i int) int64 { return int64(i * 7 % 9000) }, true},
		"one key for half": {func(i int) int64 { return int64(i % 2 * (i * 7 % 9000)) }, false},
		"few keys":         {func(i int) int64 { return int64(i % 5) }, false},
	} {
		var in []*vector.Batch
		distinct := map[[2]int64]bool{}
		for b := range batches {
			keys, values := make([]int64, batchRows), make([]int64, batchRows)
			for i := range keys {
				row := b*batchRows + i
				keys[i], values[i] = c.key(row), int64(row*row%50_021)
				distinct[[2]int64{keys[i], values[i]}] = true
			}
			in = append(in, &vector.Batch{Len: batchRows, Cols: []*vector.Vector{
				vector.FromValues(bigint, keys, nil), vector.FromValues(bigint, values, nil)}})
		}
		want := map[int64]int{}
		for d := range distinct {
			want[d[0]]++
		}
		rt := &Runtime{Instances: 3, BatchRows: 700, Functions: &function.Context{}}
		below, err := newHashAggregate(&physical.Aggregate{Groups: []expr.Expr{field(0, bigint), field(1, bigint)}}, rt, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		if err := runSink(t, rt, below, in); err != nil {
			t.Fatal(err)
		}
		a, err := newHashAggregate(&physical.Aggregate{Groups: []expr.Expr{field(0, bigint)},
			Aggs: []*expr.Aggregate{{Fn: count, Args: []expr.Expr{field(1, bigint)}}}}, rt, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.below = below
		if err := runPipelines(t.Context(), rt, []*pipeline{{source: aggSource{below}, node: &NodeProfile{}, stage: stage{sink: a}}}); err != nil {
			t.Fatal(err)
		}
		if apart := a.apart(); apart != c.apart || apart && a.merge.folded == nil {
			t.Errorf("%s: drivers have no group in common: %v, want %v", name, apart, c.apart)
		}
		got, err := drain(rt, aggSource{a})
		a.Abort()
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for k, n := range want {
			rows = append(rows, fmt.Sprintf("%d|%d|", k, n))
		}
		sameRows(t, name, got, rows)
	}
}
