package lower

import (
	"slices"

	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// DefaultBucketRunRows is the number of build rows from which on working bucket by bucket pays:
// a table of fewer rows stays in a core's cache.
const DefaultBucketRunRows = 50_000

// largestShare is how much more than its part of the rows an instance may have to do: beyond, it
// would work alone while the others wait.
const largestShare = 1.5

// maxSharedBuild is the largest build side, in estimated rows, that every bucket of a run may
// probe: such a table must stay in memory.
const maxSharedBuild = 500_000

// bucketRuns marks the topmost colocated subtrees that are better run bucket by bucket. Instances
// then share nothing and hold one bucket's tables each. Others run with all instances over all buckets,
// which gives the same rows.
func (l *lowerer) bucketRuns(root physical.Node) {
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		if isColocated(n) {
			if run := l.bucketRun(n); run != nil {
				n.Base().Run = run
				l.belowRun(n, visit)
				return
			}
		}
		for _, c := range n.Children() {
			visit(c)
		}
	}
	for _, c := range l.order {
		visit(c.Plan)
	}
	visit(root)
}

// belowRun visits what the exchanges below a run bring.
func (l *lowerer) belowRun(n physical.Node, visit func(physical.Node)) {
	for _, c := range n.Children() {
		if x, ok := c.(*physical.Exchange); ok {
			visit(x)
		} else {
			l.belowRun(c, visit)
		}
	}
}

func isColocated(n physical.Node) bool {
	switch n := n.(type) {
	case *physical.HashJoin:
		return n.Distribution == physical.Colocate || n.Distribution == physical.BucketShuffle
	case *physical.Aggregate:
		return n.Colocate
	case *physical.Window:
		return n.Colocate
	}
	return false
}

// bucketRun is the run of the subtree n, nil when it does not pay.
func (l *lowerer) bucketRun(n physical.Node) *physical.BucketRun {
	t := &runTree{}
	if !t.add(n) || t.buckets == 0 {
		return nil
	}
	least := l.opts.BucketRunRows
	if least <= 0 {
		least = DefaultBucketRunRows
	}
	if t.held < least {
		return nil
	}
	run := &physical.BucketRun{}
	rows := make([]int64, t.buckets)
	for b := range rows {
		if !yields(n, int32(b)) {
			continue
		}
		for _, s := range t.scans {
			rows[b] += bucketRows(s, int32(b))
		}
		rows[b] = max(rows[b], 1)
		run.Buckets = append(run.Buckets, int32(b))
	}
	if len(run.Buckets) == 0 {
		return nil
	}
	slices.SortStableFunc(run.Buckets, func(a, b int32) int {
		switch {
		case rows[a] > rows[b]:
			return -1
		case rows[a] < rows[b]:
			return 1
		}
		return 0
	})
	if !l.balanced(run.Buckets, rows) {
		return nil
	}
	return run
}

// balanced: when instances claim the buckets one after the other, none ends up with much more than its part.
func (l *lowerer) balanced(buckets []int32, rows []int64) bool {
	work := make([]int64, l.opts.Instances)
	total := int64(0)
	for _, b := range buckets {
		least := slices.Index(work, slices.Min(work))
		work[least] += rows[b]
		total += rows[b]
	}
	return float64(slices.Max(work))*float64(len(work)) <= largestShare*float64(total)
}

// runTree is what a subtree that may run bucket by bucket consists of.
type runTree struct {
	scans   []*physical.Scan
	buckets int
	held    float64 // estimated rows of the build sides and groups that are split
}

// add collects n; false when something in it cannot run by bucket.
func (t *runTree) add(n physical.Node) bool {
	switch n := n.(type) {
	case *physical.Scan:
		_, count, ok := n.Buckets()
		if !ok || t.buckets != 0 && t.buckets != count {
			return false
		}
		t.buckets = count
		t.scans = append(t.scans, n)
		return true
	case *physical.Filter, *physical.Project:
		return t.add(n.Children()[0])
	case *physical.Window:
		return n.Colocate && t.add(n.Input)
	case *physical.Sort:
		t.held += n.Rows
		return n.Within && t.add(n.Input)
	case *physical.Aggregate:
		t.held += n.Rows
		return n.Colocate && t.add(n.Input)
	case *physical.HashJoin:
		if x, ok := n.Build.(*physical.Exchange); ok {
			switch x.Kind {
			case physical.BroadcastRows:
				return x.Rows <= maxSharedBuild && t.add(n.Probe)
			case physical.BucketExchange:
				t.held += x.Rows
				return t.add(n.Probe)
			}
			return false
		}
		t.held += n.Build.Base().Rows
		return n.Distribution == physical.Colocate && t.add(n.Probe) && t.add(n.Build)
	}
	return false
}

// yields reports whether the subtree n may give rows in bucket b: a join that keeps build rows does so where
// the probe side's bucket was pruned away, too.
func yields(n physical.Node, b int32) bool {
	switch n := n.(type) {
	case *physical.Scan:
		return len(n.Selection.OneBucket(b).Partitions) > 0
	case *physical.Exchange:
		return true
	case *physical.HashJoin:
		switch n.Kind {
		case physical.Inner, physical.Semi, physical.RightSemi:
			return yields(n.Probe, b) && yields(n.Build, b)
		case physical.Right, physical.RightAnti:
			return yields(n.Build, b)
		case physical.Full:
			return yields(n.Probe, b) || yields(n.Build, b)
		}
		return yields(n.Probe, b)
	}
	return yields(n.Children()[0], b)
}

// bucketRows is the size of a bucket, as far as the catalog knows it.
func bucketRows(s *physical.Scan, b int32) int64 {
	sel := s.Selection.OneBucket(b)
	if len(sel.Partitions) == 0 {
		return 0
	}
	return max(0, s.Source.(storage.Partitioned).Restrict(sel).Stats().Rows)
}
