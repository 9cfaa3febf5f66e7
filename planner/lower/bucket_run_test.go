package lower

import (
	"context"
	"fmt"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// bucketSource has a layout of hash buckets of given sizes, and no data.
type bucketSource struct {
	layout *storage.Layout
	sel    *storage.Selection
	rows   []int64
}

func (s *bucketSource) Columns() []storage.Column {
	return []storage.Column{{Name: "id", Type: sqltype.T(sqltype.Int)}}
}

func (s *bucketSource) Stats() *storage.Stats {
	st := &storage.Stats{Bytes: -1}
	for b, n := range s.rows {
		if len(s.sel.OneBucket(int32(b)).Partitions) > 0 {
			st.Rows += n
		}
	}
	return st
}

func (s *bucketSource) Splits(context.Context, *storage.ScanRequest) ([]storage.Split, error) {
	return nil, nil
}

func (s *bucketSource) Open(context.Context, storage.Split, *storage.ScanRequest) (storage.Reader, error) {
	return nil, nil
}
func (s *bucketSource) Layout() *storage.Layout       { return s.layout }
func (s *bucketSource) Selection() *storage.Selection { return s.sel }
func (s *bucketSource) Restrict(sel *storage.Selection) storage.Partitioned {
	return &bucketSource{s.layout, sel, s.rows}
}

// bucketScan scans the given buckets (nil: all) of a table whose buckets have the given sizes.
func bucketScan(rows []int64, only []int32) *physical.Scan {
	l := &storage.Layout{
		Partitions: []storage.PartitionInfo{{Buckets: len(rows)}}, Group: "g", GroupStable: true,
		Bucketing: &storage.Bucketing{Columns: []int{0}, Buckets: len(rows), Trusted: true},
	}
	sel := l.Full()
	if only != nil {
		sel.Buckets = [][]int32{only}
	}
	src := &bucketSource{l, sel, rows}
	s := &physical.Scan{Source: src, Selection: sel}
	s.Rows = float64(src.Stats().Rows)
	return s
}

func colocated(kind physical.JoinKind, probe, build physical.Node) *physical.HashJoin {
	return &physical.HashJoin{Kind: kind, Distribution: physical.Colocate, Probe: probe, Build: build}
}

// TestBucketRun: which buckets run, in which order, and when none does.
func TestBucketRun(t *testing.T) {
	even, four := []int64{100, 100, 100, 100}, []int32{2}
	check := func(name, want string, n physical.Node) {
		t.Helper()
		l := &lowerer{opts: Options{Instances: 2, BucketRunRows: 50}}
		got := "none"
		if run := l.bucketRun(n); run != nil {
			got = fmt.Sprint(run.Buckets)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	whole := func() *physical.Scan { return bucketScan(even, nil) }
	pruned := func() *physical.Scan { return bucketScan(even, []int32{1, 2}) }
	check("all", "[0 1 2 3]", colocated(physical.Inner, whole(), whole()))
	check("largest first", "[2 0 1 3]", colocated(physical.Inner, bucketScan([]int64{100, 90, 120, 10}, nil), whole()))
	// Joins that keep build rows give rows of buckets that are pruned away on the probe side.
	check("inner, pruned probe", "[1 2]", colocated(physical.Inner, pruned(), whole()))
	check("right, pruned probe", "[0 1 2 3]", sorted(colocated(physical.Right, pruned(), whole())))
	check("full, pruned build", "[0 1 2 3]", sorted(colocated(physical.Full, whole(), pruned())))
	check("right anti, pruned probe", "[0 1 2 3]", sorted(colocated(physical.RightAnti, pruned(), whole())))
	check("right semi, pruned probe", "[1 2]", colocated(physical.RightSemi, pruned(), whole()))
	check("left, pruned build", "[0 1 2 3]", sorted(colocated(physical.Left, whole(), pruned())))
	check("left, pruned probe", "[1 2]", colocated(physical.Left, pruned(), whole()))
	// Not worth it, or not possible.
	check("one bucket for two instances", "none", colocated(physical.Inner, bucketScan(even, four), whole()))
	check("three buckets for two instances", "[0 1 2]", colocated(physical.Inner, bucketScan(even[:3], nil), bucketScan(even[:3], nil)))
	check("small", "none", colocated(physical.Inner, whole(), bucketScan([]int64{1, 1, 1, 1}, nil)))
	check("one bucket has nearly all", "none", colocated(physical.Inner, bucketScan([]int64{1000, 1, 1, 1}, nil), whole()))
	x := &physical.Exchange{Kind: physical.BroadcastRows, Input: whole()}
	x.Rows = 10
	b := &physical.HashJoin{Kind: physical.Inner, Distribution: physical.Broadcast, Probe: whole(), Build: x}
	check("over a broadcast join", "[0 1 2 3]", colocated(physical.Inner, b, whole()))
	x.Rows = 1e9
	check("over a broadcast join that may not fit", "none", colocated(physical.Inner, b, whole()))
}

// sorted has no other order than by number: all buckets have the same size.
func sorted(j *physical.HashJoin) physical.Node {
	for _, c := range j.Children() {
		c.(*physical.Scan).Source.(*bucketSource).rows = []int64{0, 0, 0, 0}
	}
	return j
}
