package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// bucketRun runs a colocated subtree bucket by bucket; it is the source of the pipeline above.
//
// Each driver of that pipeline claims a bucket from the shared counter, makes pipelines of
// the subtree whose scans are restricted to the bucket, runs them one after the other
// on its own goroutine and CPU slot, and pushes what comes out of the last one into its own
// pipeline. Then it lets go of everything and claims the next bucket. So no row crosses
// drivers, and a driver holds one bucket's tables at a time.
//
// What comes through an exchange below is no part of a bucket: the tables of broadcast
// joins are built once, by all drivers, and probed by every bucket; the build sides of bucket
// shuffles are dealt out to the buckets (bucketShuffle). Those pipelines run before.
type bucketRun struct {
	rt       *Runtime
	n        physical.Node
	buckets  []int32
	filters  *runtimeFilters
	next     atomic.Int64
	joins    map[*physical.HashJoin]*hashJoin
	shuffles map[*physical.Exchange]*bucketShuffle
	scans    map[*physical.Scan]*storage.ScanCounters
}

// bucketPart is what a builder of one bucket's pipelines knows: the run, and the bucket.
type bucketPart struct {
	run    *bucketRun
	number int32
}

// buildBucketRun adds the pipelines of everything that n's buckets share, and the one that
// starts with the run.
func (b *builder) buildBucketRun(n physical.Node, down stage) error {
	r := &bucketRun{
		rt: b.rt, n: n, buckets: n.Base().Run.Buckets, filters: b.filters,
		joins: map[*physical.HashJoin]*hashJoin{}, shuffles: map[*physical.Exchange]*bucketShuffle{},
		scans: map[*physical.Scan]*storage.ScanCounters{},
	}
	if err := b.buildShared(r, n); err != nil {
		return err
	}
	// The operators in the buckets count for n; the outer pipeline's source counts for nobody.
	b.pipelines = append(b.pipelines, &pipeline{source: r, node: &NodeProfile{}, stage: down})
	return nil
}

// rowsOf is the number of rows that n, the build side of a join, gives in the bucket; 0 where
// filters make it unknown.
func (p *bucketPart) rowsOf(n physical.Node) int {
	switch n := n.(type) {
	case *physical.Scan:
		s, ok := n.Source.(storage.Partitioned)
		if !ok || len(n.Filters) > 0 || len(n.RuntimeFilters) > 0 {
			return 0
		}
		return int(max(0, s.Restrict(n.Selection.OneBucket(p.number)).Stats().Rows))
	case *physical.Project:
		return p.rowsOf(n.Input)
	case *physical.Exchange:
		if s := p.run.shuffles[n]; s != nil {
			return s.rowsOf(p.number)
		}
	}
	return 0
}

// buildShared walks the subtree below n for what its buckets share.
func (b *builder) buildShared(r *bucketRun, n physical.Node) error {
	switch n := n.(type) {
	case *physical.Scan:
		r.scans[n] = &storage.ScanCounters{}
		return nil
	case *physical.Exchange:
		if n.Kind != physical.BucketExchange {
			return nil // a broadcast join's, built with it
		}
		s := newBucketShuffle(n, b.rt, b.profile(n))
		r.shuffles[n] = s
		return b.build(n.Input, stage{sink: s})
	case *physical.HashJoin:
		if n.Distribution == physical.Broadcast {
			j, err := newHashJoin(n, b.rt, b.filters)
			if err != nil {
				return err
			}
			if j.wantsMatched() {
				return invariant.Failed("a broadcast join that keeps build rows runs by bucket")
			}
			r.joins[n] = j
			if err := b.build(n.Build, stage{sink: hashJoinSink{j}}); err != nil {
				return err
			}
		}
	}
	for _, c := range n.Children() {
		if err := b.buildShared(r, c); err != nil {
			return err
		}
	}
	return nil
}

// buildPart adds what n is to a bucket; done is false for nodes that are built as ever.
func (b *builder) buildPart(n physical.Node, down stage) (done bool, err error) {
	p := b.part
	switch n := n.(type) {
	case *physical.Scan:
		whole, ok := n.Source.(storage.Partitioned)
		if !ok {
			return false, invariant.Failed("scan #%d of a bucket is not bucketed", n.ID)
		}
		one := *n
		one.Selection = n.Selection.OneBucket(p.number)
		one.Source = whole.Restrict(one.Selection)
		src, err := newScan(&one, b.rt, b.filters)
		if err != nil {
			return false, err
		}
		src.counters = p.run.scans[n]
		src.node.addScan(src.counters)
		b.add(src, n, down)
		return true, nil
	case *physical.Exchange:
		s := p.run.shuffles[n]
		if s == nil {
			return false, invariant.Failed("exchange #%d in a bucket", n.ID)
		}
		b.add(&shuffledBucket{s: s, number: p.number}, n, down)
		return true, nil
	case *physical.HashJoin:
		j := p.run.joins[n]
		if j == nil {
			return false, nil
		}
		probe := func(*Driver) (Transform, error) { return newHashJoinProbe(j) }
		return true, b.build(n.Probe, down.then(b.profile(n), probe))
	}
	return false, nil
}

// Open implements Source.
func (r *bucketRun) Open(context.Context, *Driver) (SourceReader, error) {
	return nil, invariant.Failed("a bucket run pushes its batches")
}

// Push implements pushSource.
func (r *bucketRun) Push(ctx context.Context, d *Driver, push func(*vector.Batch) (Flow, error)) error {
	for {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.buckets) {
			return nil
		}
		out := &pushSink{push: push}
		if err := r.bucket(ctx, d, r.buckets[i], out); err != nil || out.finished {
			return err
		}
	}
}

// bucket runs one bucket on driver d.
func (r *bucketRun) bucket(ctx context.Context, d *Driver, number int32, out *pushSink) error {
	rt := *r.rt
	rt.Instances = 1
	if rt.Budget != nil {
		rt.Budget = budget.New("query", r.rt.Budget.Limit(), r.rt.Budget) // what the bucket leaves ends with it
	}
	b := &builder{rt: &rt, filters: r.filters.child(), part: &bucketPart{run: r, number: number}}
	defer b.abort()
	if err := b.build(r.n, stage{sink: out}); err != nil {
		return err
	}
	own := &Driver{Index: d.Index, Runtime: &rt, outer: d}
	feeds := map[Sink]int{}
	for _, p := range b.pipelines {
		feeds[p.sink]++
	}
	for _, p := range b.pipelines {
		var done enough
		if err := p.work(ctx, own, &done); err != nil {
			return err
		}
		if feeds[p.sink]--; feeds[p.sink] == 0 {
			if err := finalizeTimed(ctx, &rt, p.sink); err != nil {
				return err
			}
		}
		if out.finished {
			return nil
		}
	}
	return nil
}

// pushSink ends a bucket's last pipeline in the pipeline above.
type pushSink struct {
	push     func(*vector.Batch) (Flow, error)
	finished bool // the pipeline above wants no more
}

// Open implements Sink.
func (s *pushSink) Open(context.Context, *Driver) (SinkWriter, error) { return s, nil }

// Consume implements SinkWriter.
func (s *pushSink) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	flow, err := s.push(b)
	s.finished = s.finished || flow == Finished
	return flow, err
}

// Close implements SinkWriter.
func (s *pushSink) Close(context.Context) error { return nil }

// Finalize implements Sink.
func (s *pushSink) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (s *pushSink) Abort() {}
