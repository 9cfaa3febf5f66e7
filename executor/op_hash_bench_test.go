package executor

import (
	"context"
	"fmt"
	"math/rand"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// The rows of these benchmarks are those of PERFORMANCE.md: 6.0 M rows of lineitem's shape.
const benchRows = 6_000_000

func intBatches(columns ...func(i int) int64) []*vector.Batch {
	var out []*vector.Batch
	for lo := 0; lo < benchRows; lo += vector.BatchRows {
		n := min(vector.BatchRows, benchRows-lo)
		b := &vector.Batch{Len: n}
		for _, f := range columns {
			vals := make([]int64, n)
			for i := range vals {
				vals[i] = f(lo + i)
			}
			b.Cols = append(b.Cols, vector.FromValues(bigint, vals, nil))
		}
		out = append(out, b)
	}
	return out
}

// reportCPU measures processor time, which other load on the machine disturbs less.
func reportCPU(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/1e6/float64(b.N), "cpu-ms/op") }
}

func stringBatches(f func(i int) string) []*vector.Batch {
	var out []*vector.Batch
	for lo := 0; lo < benchRows; lo += vector.BatchRows {
		n := min(vector.BatchRows, benchRows-lo)
		v := vector.New(text, n)
		for i := range n {
			v.SetString(i, f(lo+i))
		}
		out = append(out, vector.NewBatch(n, v))
	}
	return out
}

func resolveAggregate(tb testing.TB, name string, args ...sqltype.Type) *function.Aggregate {
	list := make([]function.Arg, len(args))
	for i, t := range args {
		list[i].Type = t
	}
	a, err := function.ResolveAggregate(name, list)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func benchmarkAggregate(b *testing.B, n *physical.Aggregate, batches []*vector.Batch, want int) {
	for _, instances := range []int{1, 2} {
		b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
			rt := &Runtime{Instances: instances}
			defer reportCPU(b)()
			for b.Loop() {
				a, err := newHashAggregate(n, rt, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := runSink(b, rt, a, batches); err != nil {
					b.Fatal(err)
				}
				if got := countSource(b, rt, aggSource{a}); got != want && want >= 0 {
					b.Fatalf("%d groups, want %d", got, want)
				}
				a.Abort()
			}
		})
	}
}

func countSource(b *testing.B, rt *Runtime, source Source) int {
	var rows atomic.Int64
	err := eachDriver(rt, func(d *Driver) error {
		r, err := source.Open(context.Background(), d)
		if err != nil {
			return err
		}
		defer r.Close()
		for {
			out, err := r.Next(context.Background())
			if err != nil || out == nil {
				return err
			}
			rows.Add(int64(out.NumRows()))
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return int(rows.Load())
}

func sumByKey(b *testing.B) *physical.Aggregate {
	return &physical.Aggregate{Groups: []expr.Expr{field(0, bigint)}, Aggs: []*expr.Aggregate{
		{Fn: resolveAggregate(b, "sum", bigint), Args: []expr.Expr{field(1, bigint)}}}}
}

func BenchmarkAggregate(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	value := func(i int) int64 { return int64(i & 63) }
	random := func(n int, spread int64) func(int) int64 {
		return func(int) int64 { return int64(r.Intn(n)) * spread }
	}
	b.Run("clustered 1.5M", func(b *testing.B) {
		clustered := func(i int) int64 { return int64(i/32*8+i%32/4) * 1 }
		benchmarkAggregate(b, sumByKey(b), intBatches(clustered, value), 1_500_000)
	})
	b.Run("clustered 1.5M sparse", func(b *testing.B) {
		clustered := func(i int) int64 { return int64(i/4) * 1_000_003 }
		benchmarkAggregate(b, sumByKey(b), intBatches(clustered, value), 1_500_000)
	})
	b.Run("random 1.5M sparse", func(b *testing.B) {
		benchmarkAggregate(b, sumByKey(b), intBatches(random(1_500_000, 1_000_003), value), -1)
	})
	b.Run("random 200k", func(b *testing.B) {
		benchmarkAggregate(b, sumByKey(b), intBatches(random(200_000, 1), value), 200_000)
	})
	b.Run("random 200k sparse", func(b *testing.B) {
		benchmarkAggregate(b, sumByKey(b), intBatches(random(200_000, 1_000_003), value), 200_000)
	})
	b.Run("codes", func(b *testing.B) {
		dicts := []*vector.Vector{vector.FromStrings(text, "A", "N", "R"), vector.FromStrings(text, "F", "O")}
		batches := intBatches(value, value, value, value)
		for _, batch := range batches {
			for _, d := range dicts {
				codes := make([]int32, batch.Len)
				for i := range codes {
					codes[i] = int32(r.Intn(d.Len))
				}
				batch.Cols = append(batch.Cols, vector.NewDictionary(d, codes, nil))
			}
		}
		n := &physical.Aggregate{Groups: []expr.Expr{field(4, text), field(5, text)}}
		for i := range 4 {
			n.Aggs = append(n.Aggs, &expr.Aggregate{Fn: resolveAggregate(b, "sum", bigint), Args: []expr.Expr{field(i, bigint)}})
		}
		n.Aggs = append(n.Aggs, &expr.Aggregate{Fn: resolveAggregate(b, "count")})
		benchmarkAggregate(b, n, batches, 6)
	})
}

func BenchmarkAggregateStrings(b *testing.B) {
	n := &physical.Aggregate{Groups: []expr.Expr{field(0, text)}, Aggs: []*expr.Aggregate{{Fn: resolveAggregate(b, "count")}}}
	r := rand.New(rand.NewSource(1))
	b.Run("long 4.6M", func(b *testing.B) {
		benchmarkAggregate(b, n, stringBatches(func(i int) string {
			return fmt.Sprintf("carefully final deposits %d", r.Intn(10_000_000))
		}), -1)
	})
	b.Run("short 982k", func(b *testing.B) {
		benchmarkAggregate(b, n, stringBatches(func(i int) string { return fmt.Sprint(r.Intn(984_000)) }), -1)
	})
}

func BenchmarkCountDistinct(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	n := &physical.Aggregate{Groups: []expr.Expr{field(0, bigint)}, Aggs: []*expr.Aggregate{
		{Fn: resolveAggregate(b, "count", bigint), Args: []expr.Expr{field(1, bigint)}, Distinct: true}}}
	batches := intBatches(func(i int) int64 { return int64(r.Intn(100)) }, func(i int) int64 { return int64(r.Intn(1_000_000)) })
	b.Run("1M in 100 groups", func(b *testing.B) { benchmarkAggregate(b, n, batches, 100) })
	all := &physical.Aggregate{Aggs: []*expr.Aggregate{
		{Fn: resolveAggregate(b, "count", bigint), Args: []expr.Expr{field(1, bigint)}, Distinct: true}}}
	b.Run("1M", func(b *testing.B) { benchmarkAggregate(b, all, batches, 1) })
}

func BenchmarkJoin(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		name          string
		spread        int64
		build         int
		clustered     bool
		filters, dups bool
	}{
		{name: "6M x 1.5M clustered", spread: 4, build: 1_500_000, clustered: true},
		{name: "6M x 1.5M random", spread: 4, build: 1_500_000},
		{name: "6M x 1.5M random sparse", spread: 1_000_003, build: 1_500_000},
		{name: "6M x 1.5M random sparse, two rows a key", spread: 1_000_003, build: 1_500_000, dups: true},
		{name: "6M x 150k of 1.5M", spread: 1_000_003, build: 150_000},
		{name: "6M x 150k of 1.5M, filtered", spread: 1_000_003, build: 150_000, filters: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			probe := intBatches(func(i int) int64 {
				if c.clustered {
					return int64(i/4) * c.spread
				}
				return int64(r.Intn(1_500_000)) * c.spread
			}, func(i int) int64 { return int64(i) })
			build := intBatches(func(i int) int64 {
				if c.dups {
					i /= 2
				}
				return int64(i) * c.spread
			}, func(i int) int64 { return int64(i) })[:c.build/vector.BatchRows]
			types := []sqltype.Type{bigint, bigint}
			n := &physical.HashJoin{Probe: inputOf(types), Build: inputOf(types), ProbeKeys: []expr.Expr{field(0, bigint)},
				BuildKeys: []expr.Expr{field(0, bigint)}, ProbeCols: []int{1}, BuildCols: []int{1}}
			if c.filters {
				n.RuntimeFilters = []physical.RuntimeFilter{{ID: 1}}
			}
			for _, instances := range []int{1, 2} {
				b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
					defer reportCPU(b)()
					for b.Loop() {
						benchmarkJoin(b, n, &Runtime{Instances: instances}, probe, build)
					}
				})
			}
		})
	}
}

// benchmarkJoin sums one column of each side.
func benchmarkJoin(b *testing.B, n *physical.HashJoin, rt *Runtime, probe, build []*vector.Batch) {
	filters := newRuntimeFilters()
	j, err := newHashJoin(n, rt, filters)
	if err != nil {
		b.Fatal(err)
	}
	if err := runSink(b, rt, hashJoinSink{j}, build); err != nil {
		b.Fatal(err)
	}
	fs := filters.forScan([]physical.RuntimeFilterRef{{ID: 1}}, nil, &NodeProfile{}).filters
	ctx := context.Background()
	var total atomic.Int64
	err = eachDriver(rt, func(d *Driver) error {
		p, err := newHashJoinProbe(j)
		if err != nil {
			return err
		}
		sum := int64(0)
		for i := d.Index; i < len(probe); i += rt.Instances {
			in := probe[i]
			if len(fs) > 0 {
				f, _ := fs[0].New()
				sel, err := f(in.Cols[:1], in.Len, nil)
				if err != nil {
					return err
				}
				in = &vector.Batch{Cols: in.Cols, Len: in.Len, Sel: sel}
			}
			for flow := HasMore; flow == HasMore; {
				var out *vector.Batch
				out, flow, err = p.Apply(ctx, in)
				if err != nil {
					return err
				}
				if out == nil {
					continue
				}
				x, y := vector.Values[int64](out.Cols[0]), vector.Values[int64](out.Cols[1])
				if out.Sel == nil {
					for i := range x {
						sum += x[i] + y[i]
					}
				}
				for _, r := range out.Sel {
					sum += x[r] + y[r]
				}
			}
		}
		total.Add(sum)
		return nil
	})
	if err != nil || total.Load() == 0 {
		b.Fatal(err, total.Load())
	}
	hashJoinSink{j}.Abort()
}
