package executor_test

import (
	"context"
	"fmt"
	"math/rand"
	"path/filepath"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

var bucketKinds = []physical.JoinKind{physical.Inner, physical.Left, physical.Right, physical.Full, physical.Semi, physical.Anti,
	physical.Single, physical.RightSemi, physical.RightAnti}

var bucketTypes = []sqltype.Type{sqltype.T(sqltype.Int), sqltype.VarcharOf(10), sqltype.T(sqltype.BigInt)}

// bucketRows are n rows (key, text, number), some with NULL keys; unique keys for Single.
func bucketRows(r *rand.Rand, n, keys int, unique bool) optest.Rows {
	out := make(optest.Rows, n)
	for i := range out {
		var k any = r.Intn(keys)
		if unique {
			k = i
		}
		if r.Intn(8) == 0 {
			k = nil
		}
		out[i] = []any{k, fmt.Sprintf("v%d", r.Intn(keys)), i}
	}
	return out
}

// join makes a join on the first column; outputs are the key and the number of each side.
func join(kind physical.JoinKind, d physical.Distribution, id physical.NodeID, probe, build physical.Node) *physical.HashJoin {
	t := probe.Base().Cols[0].T
	j := &physical.HashJoin{Kind: kind, Distribution: d, Probe: probe, Build: build, NullSafe: []bool{false},
		ProbeKeys: []expr.Expr{optest.Field(0, t)}, BuildKeys: []expr.Expr{optest.Field(0, t)}}
	j.ID = id
	last := func(n physical.Node) int { return len(n.Base().Cols) - 1 }
	add := func(n physical.Node, cols []int) {
		for _, c := range cols {
			j.Cols = append(j.Cols, n.Base().Cols[c])
		}
	}
	if kind != physical.RightSemi && kind != physical.RightAnti {
		j.ProbeCols = []int{0, last(probe)}
		add(probe, j.ProbeCols)
	}
	if kind != physical.Semi && kind != physical.Anti {
		j.BuildCols = []int{0, last(build)}
		add(build, j.BuildCols)
	}
	return j
}

func broadcast(id physical.NodeID, n physical.Node) *physical.Exchange {
	x := &physical.Exchange{Kind: physical.BroadcastRows, Input: n}
	x.ID, x.Cols = id, n.Base().Cols
	return x
}

func toBuckets(id physical.NodeID, n physical.Node, h bucket.Hash, buckets int) *physical.Exchange {
	x := &physical.Exchange{Kind: physical.BucketExchange, Input: n, Hash: h, Buckets: buckets,
		Keys: []expr.Expr{optest.Field(0, n.Base().Cols[0].T)}}
	x.ID, x.Cols = id, n.Base().Cols
	return x
}

// byBucket marks n to run bucket by bucket.
func byBucket(n physical.Node, buckets int) physical.Node {
	run := &physical.BucketRun{}
	for b := range buckets {
		run.Buckets = append(run.Buckets, int32(b))
	}
	n.Base().Run = run
	return n
}

// TestBucketRun compares plans that run bucket by bucket with the same plans run as a whole.
func TestBucketRun(t *testing.T) {
	seeds := int64(40)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		for _, kind := range bucketKinds {
			r := rand.New(rand.NewSource(seed))
			hash := []bucket.Hash{bucket.DorisCRC32, bucket.HiveV2}[r.Intn(2)]
			buckets := 1 + r.Intn(6)
			keys := 1 + r.Intn(40)
			make3 := func(n, partitions int, unique bool) *optest.Buckets {
				b := optest.NewBuckets(bucketTypes, bucketRows(r, n, keys, unique), hash, []int{0}, buckets, partitions)
				b.Change(func(x *optest.Table) { x.Vary(r, 4) })
				return b
			}
			t1, t2 := make3(r.Intn(80), 1+r.Intn(3), false), make3(r.Intn(80), 1, kind == physical.Single)
			t3 := make3(r.Intn(60), 2, false)
			small := make3(r.Intn(10), 1, false)
			shape := r.Intn(4)
			left := t1.Scan(1)
			if r.Intn(2) == 0 { // pruned on the left: joins that keep right rows must not lose the others
				left.Selection = t1.Selection().OneBucket(int32(r.Intn(buckets)))
				left.Source = t1.Restrict(left.Selection)
			}
			plan := func(d physical.Distribution) physical.Node {
				var right physical.Node = t2.Scan(2)
				if shape == 1 {
					right = toBuckets(12, right, hash, buckets)
				}
				n := join(kind, d, 3, left, right)
				switch shape {
				case 2: // a third table on the key of the first one that is there
					return join(physical.Inner, physical.Colocate, 5, n, t3.Scan(4))
				case 3: // a broadcast table in between
					b := join(physical.Left, physical.Broadcast, 5, n, broadcast(14, small.Scan(4)))
					return join(physical.Inner, physical.Colocate, 7, b, t3.Scan(6))
				}
				return n
			}
			d := physical.Colocate
			if shape == 1 {
				d = physical.BucketShuffle
			}
			v := optest.Variation{BatchRows: 20 + r.Intn(20), Instances: 1 + r.Intn(3)}
			name := fmt.Sprintf("seed %d kind %d shape %d buckets %d, %s", seed, kind, shape, buckets, v)
			want, err := optest.Collect(plan(d), v.Runtime())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			rt := v.Runtime()
			got, err := optest.Collect(byBucket(plan(d), buckets), rt)
			if err != nil {
				t.Fatalf("%s: by bucket: %v", name, err)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%s:\ngot  %q\nwant %q", name, got, want)
			}
			if used := rt.Budget.Used(); used != 0 {
				t.Fatalf("%s: %d bytes left in the budget", name, used)
			}
		}
	}
}

// TestBucketRunOperator runs the harness: early ends, cancelling, leaks.
func TestBucketRunOperator(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	rows1, rows2 := bucketRows(r, 60, 20, false), bucketRows(r, 50, 20, false)
	a := optest.NewBuckets(bucketTypes, rows1, bucket.DorisCRC32, []int{0}, 4, 2)
	b := optest.NewBuckets(bucketTypes, rows2, bucket.DorisCRC32, []int{0}, 4, 1)
	small := func(x *optest.Table) { x.Cut(1) }
	a.Change(small)
	b.Change(small)
	var want optest.Rows
	for _, x := range rows1 {
		for _, y := range rows2 {
			if x[0] != nil && x[0] == y[0] {
				want = append(want, []any{x[0], x[2], y[0], y[2]})
			}
		}
	}
	optest.Run(t, optest.Case{Want: want, Plan: func(...physical.Node) physical.Node {
		return byBucket(join(physical.Inner, physical.Colocate, 3, a.Scan(1), b.Scan(2)), 4)
	}})
	optest.Run(t, optest.Case{Want: want, Plan: func(...physical.Node) physical.Node {
		return byBucket(join(physical.Inner, physical.BucketShuffle, 3, a.Scan(1), toBuckets(4, b.Scan(2), bucket.DorisCRC32, 4)), 4)
	}})
}

// TestBucketRunMemory: the build sides of one bucket an instance are held, not of all.
func TestBucketRunMemory(t *testing.T) {
	const buckets, n = 32, 40_000
	rows := make(optest.Rows, n)
	for i := range rows {
		rows[i] = []any{i, "x", i}
	}
	a := optest.NewBuckets(bucketTypes, rows, bucket.DorisCRC32, []int{0}, buckets, 1)
	a.Change(func(x *optest.Table) { x.Cut(1000) })
	plan := func() physical.Node { return join(physical.Inner, physical.Colocate, 3, a.Scan(1), a.Scan(2)) }
	peak := func(p physical.Node) int64 {
		rt := optest.Variation{BatchRows: 1024, Instances: 2}.Runtime()
		rt.Budget = budget.New("query", 0, nil)
		got, err := optest.Collect(p, rt)
		if err != nil || len(got) != n {
			t.Fatalf("%d rows, %v", len(got), err)
		}
		return rt.Budget.Peak()
	}
	whole, parts := peak(plan()), peak(byBucket(plan(), buckets))
	if parts > whole/8 {
		t.Fatalf("bucket by bucket takes %d bytes, at once %d", parts, whole)
	}
}

// TestBucketShuffleSpills: the build side of a bucket shuffle that does not fit goes to a file, and
// the joins of the buckets fit or spill for themselves.
func TestBucketShuffleSpills(t *testing.T) {
	const buckets, n = 8, 20_000
	rows := make(optest.Rows, n)
	for i := range rows {
		rows[i] = []any{i, fmt.Sprintf("a longer text of row %d", i), i}
	}
	types := []sqltype.Type{bucketTypes[0], sqltype.VarcharOf(40), bucketTypes[2]}
	a := optest.NewBuckets(types, rows, bucket.DorisCRC32, []int{0}, buckets, 1)
	a.Change(func(x *optest.Table) { x.Cut(500) })
	for _, limit := range []int64{1 << 20, 600 << 10} {
		rt := optest.Variation{BatchRows: 500, Instances: 2}.Runtime()
		rt.Budget = budget.New("query", limit, nil)
		rt.Spill = spill.NewStore(storage.OSFS{}, filepath.Join(t.TempDir(), "spill")).NewArea()
		j := join(physical.Full, physical.BucketShuffle, 3, a.Scan(1), toBuckets(4, a.Scan(2), bucket.DorisCRC32, buckets))
		j.BuildCols, j.Cols = []int{1}, append(j.Cols[:2:2], j.Build.Base().Cols[1])
		got, err := optest.Collect(byBucket(j, buckets), rt)
		if err != nil || len(got) != n {
			t.Fatalf("limit %d: %d rows, %v", limit, len(got), err)
		}
		for _, row := range got {
			var k, number int
			if _, err := fmt.Sscanf(row, "%d|%d|", &k, &number); err != nil || row != fmt.Sprintf("%d|%d|a longer text of row %d", k, k, k) {
				t.Fatalf("limit %d: row %q", limit, row)
			}
		}
		if rt.Profile.Node(4).SpilledBytes.Load() == 0 {
			t.Fatalf("limit %d: nothing was spilled", limit)
		}
		if err := rt.Spill.Close(); err != nil || rt.Budget.Used() != 0 {
			t.Fatalf("limit %d: %v, %d bytes left", limit, err, rt.Budget.Used())
		}
	}
}

// TestBucketRunFails: an error of one bucket is the query's.
func TestBucketRunFails(t *testing.T) {
	r := rand.New(rand.NewSource(9))
	a := optest.NewBuckets(bucketTypes, bucketRows(r, 60, 20, false), bucket.DorisCRC32, []int{0}, 4, 1)
	fail := sqlerr.New(sqlerr.CorruptFile, "broken")
	n := 0
	a.Change(func(x *optest.Table) {
		if n++; n == 2 {
			x.Fail = fail
		}
	})
	rt := optest.Variation{Instances: 2}.Runtime()
	_, err := optest.Collect(byBucket(join(physical.Inner, physical.Colocate, 3, a.Scan(1), a.Scan(2)), 4), rt)
	if !sqlerr.Is(err, sqlerr.CorruptFile) {
		t.Fatalf("got %v", err)
	}
	if rt.Budget.Used() != 0 {
		t.Fatal("bytes left")
	}
}

// TestBucketAggregate: groups that hold the bucket column, a bucket at a time, under a limit that
// ends the query early.
func TestBucketAggregate(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	a := optest.NewBuckets(bucketTypes, bucketRows(r, 300, 50, false), bucket.DorisCRC32, []int{0}, 5, 3)
	a.Change(func(x *optest.Table) { x.Cut(3) })
	agg := func() *physical.Aggregate {
		g := &physical.Aggregate{Input: a.Scan(1), Colocate: true, Groups: []expr.Expr{optest.Field(0, bucketTypes[0])}, MaxGroups: -1}
		g.ID, g.Cols = 2, optest.Columns(bucketTypes[0])
		return g
	}
	want, err := optest.Collect(agg(), optest.Variation{Instances: 2}.Runtime())
	if err != nil {
		t.Fatal(err)
	}
	got, err := optest.Collect(byBucket(agg(), 5), optest.Variation{Instances: 2}.Runtime())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	limit := &physical.Limit{Input: byBucket(agg(), 5), Count: 3}
	limit.Cols, limit.ID = optest.Columns(bucketTypes[0]), 9
	if got, err = optest.Collect(limit, optest.Variation{Instances: 1}.Runtime()); err != nil || len(got) != 3 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
}

// Two drivers read scan counters of all buckets into one.
func TestBucketRunProfile(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	a := optest.NewBuckets(bucketTypes, bucketRows(r, 60, 20, false), bucket.DorisCRC32, []int{0}, 4, 1)
	rt := optest.Variation{Instances: 2}.Runtime()
	res, err := executor.Run(context.Background(), optest.Whole(byBucket(join(physical.Semi, physical.Colocate, 3, a.Scan(1), a.Scan(2)), 4)), rt)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	rows := int64(0)
	for {
		b, err := res.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		rows += int64(b.NumRows())
	}
	if got := rt.Profile.Node(3).Rows.Load(); got != rows {
		t.Fatalf("the profile counts %d rows of the join, it gave %d", got, rows)
	}
	if got := rt.Profile.Node(1).Rows.Load(); got != 60 {
		t.Fatalf("the profile counts %d rows of the scan", got)
	}
	var _ storage.Partitioned = a
}
