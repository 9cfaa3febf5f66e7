package executor

import (
	"fmt"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// Drivers' direct arrays are merged in place: of the same keys, of others, and of some in
// common, NULL and negative keys among them. Every driver gets every third batch.
func TestAggregateFolds(t *testing.T) {
	resolve := func(name string) *function.Aggregate {
		fn, err := function.ResolveAggregate(name, []function.Arg{{Type: bigint}})
		if err != nil {
			t.Fatal(err)
		}
		return fn
	}
	const batchRows, batches = 1000, 60
	for name, key := range map[string]func(batch, i int) int64{
		"the same keys":  func(b, i int) int64 { return int64((b/3*batchRows + i) % 5000) },
		"other keys":     func(b, i int) int64 { return int64(b*batchRows+i) - 20_000 },
		"some in common": func(b, i int) int64 { return int64((b*977 + i) % 40_000) },
	} {
		var in []*vector.Batch
		want := map[string][2]int64{}
		for b := range batches {
			keys, values := make([]int64, batchRows), make([]int64, batchRows)
			valid := vector.NewBitmap(batchRows)
			for i := range keys {
				keys[i], values[i] = key(b, i), int64(b*i)
				text := fmt.Sprint(keys[i])
				if i == b {
					valid.Clear(i)
					text = "NULL"
				}
				w := want[text]
				want[text] = [2]int64{w[0] + values[i], w[1] + 1}
			}
			in = append(in, &vector.Batch{Len: batchRows, Cols: []*vector.Vector{
				vector.FromValues(bigint, keys, valid), vector.FromValues(bigint, values, nil)}})
		}
		v := []expr.Expr{field(1, bigint)}
		rt := &Runtime{Instances: 3, BatchRows: 700, Functions: &function.Context{}}
		a, err := newHashAggregate(&physical.Aggregate{Groups: []expr.Expr{field(0, bigint)},
			Aggs: []*expr.Aggregate{{Fn: resolve("sum"), Args: v}, {Fn: resolve("count"), Args: v}}}, rt, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := runSink(t, rt, a, in); err != nil {
			t.Fatal(err)
		}
		if a.merge.folded == nil {
			t.Fatalf("%s: the tables of %d drivers were not merged in place", name, len(a.merge.locals))
		}
		got, err := drain(rt, aggSource{a})
		a.Abort()
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for k, w := range want {
			rows = append(rows, fmt.Sprintf("%s|%d|%d|", k, w[0], w[1]))
		}
		sameRows(t, name, got, rows)
	}
}
