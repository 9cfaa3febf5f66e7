package executor_test

import (
	"context"
	"fmt"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// bigBuckets is a table of n rows (BIGINT key, BIGINT), keys in random order, in buckets.
func bigBuckets(n, buckets int, seed int64) *optest.Buckets {
	big := sqltype.T(sqltype.BigInt)
	keys := rand.New(rand.NewSource(seed)).Perm(n)
	parts := make([][]*vector.Batch, buckets)
	open := make([][]int64, buckets)
	flush := func(b int) {
		if len(open[b]) > 0 {
			v := vector.FromValues(big, open[b], nil)
			parts[b] = append(parts[b], &vector.Batch{Len: v.Len, Cols: []*vector.Vector{v, vector.FromValues(big, append([]int64(nil), open[b]...), nil)}})
			open[b] = nil
		}
	}
	out := make([]int32, vector.BatchRows)
	var scratch []uint32
	for lo := 0; lo < n; lo += vector.BatchRows {
		hi := min(lo+vector.BatchRows, n)
		vals := make([]int64, hi-lo)
		for i := range vals {
			vals[i] = int64(keys[lo+i])
		}
		scratch = bucket.DorisCRC32.Numbers([]*vector.Vector{vector.FromValues(big, vals, nil)}, hi-lo, nil, buckets, out, scratch)
		for i, x := range vals {
			b := out[i]
			if open[b] = append(open[b], x); len(open[b]) == vector.BatchRows {
				flush(int(b))
			}
		}
	}
	for b := range open {
		flush(b)
	}
	return optest.BucketsOf([]sqltype.Type{big, big}, bucket.DorisCRC32, []int{0}, parts)
}

// BenchmarkBucketRun joins 4 million rows with as many and counts, at once and bucket by bucket.
func BenchmarkBucketRun(b *testing.B) {
	const n = 4 << 20
	for _, buckets := range []int{16, 64} {
		left, right := bigBuckets(n, buckets, 1), bigBuckets(n, buckets, 2)
		for _, byBuckets := range []bool{false, true} {
			b.Run(fmt.Sprintf("buckets=%d/by=%v", buckets, byBuckets), func(b *testing.B) {
				for b.Loop() {
					var j physical.Node = join(physical.Inner, physical.Colocate, 3, left.Scan(1), right.Scan(2))
					if byBuckets {
						j = byBucket(j, buckets)
					}
					agg := &physical.Aggregate{Input: j, MaxGroups: -1, Aggs: []*expr.Aggregate{{Fn: countFn(b)}}}
					agg.ID, agg.Cols = 5, optest.Columns(sqltype.T(sqltype.BigInt))
					rt := optest.Variation{Instances: 2}.Runtime()
					res, err := executor.Run(context.Background(), optest.Whole(agg), rt)
					if err != nil {
						b.Fatal(err)
					}
					batch, err := res.Next(context.Background())
					if err != nil || batch.Cols[0].Value(0).Int64() != n {
						b.Fatal(err, batch)
					}
					res.Close()
					b.ReportMetric(float64(rt.Budget.Peak())/(1<<20), "peak-MB")
				}
			})
		}
	}
}

func countFn(t testing.TB) *function.Aggregate {
	t.Helper()
	fn, err := function.ResolveAggregate("count", nil)
	if err != nil {
		t.Fatal(err)
	}
	return fn
}
