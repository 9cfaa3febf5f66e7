package executor

import (
	"context"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Profile collects what each operator of a query did, for EXPLAIN ANALYZE and SHOW QUERY
// PROFILE. Safe for concurrent use. Drivers count for themselves and hand over when they
// end, so that a batch costs two readings of the clock an operator and nothing shared.
type Profile struct {
	mu    sync.Mutex
	nodes map[physical.NodeID]*NodeProfile
}

// NodeProfile are one operator's counters, summed over its instances.
type NodeProfile struct {
	Rows, Batches atomic.Int64 // output
	RowsIn        atomic.Int64 // input, of all sides; a scan's is the rows that it decoded
	Nanos         atomic.Int64 // busy time of all instances, children excluded, FinishNanos included
	FinishNanos   atomic.Int64 // between the last row in and the first row out: building, merging
	PeakBytes     atomic.Int64
	// What did not fit into memory: bytes and files written, bytes read back.
	SpilledBytes, SpillFiles, SpillReadBytes atomic.Int64
	Notes                                    sync.Map // string -> string: operator-specific facts (build rows)

	mu      sync.Mutex
	drivers []DriverCounts
	scan    *storage.ScanCounters
	filters []*filterCounters
}

// DriverCounts are what one instance of an operator did.
type DriverCounts struct {
	RowsIn, Rows, Batches, Nanos int64
}

// Node returns the counters of a node, made on first use. A nil Profile gives counters
// that nobody reads.
func (p *Profile) Node(id physical.NodeID) *NodeProfile {
	if p == nil {
		return &NodeProfile{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes == nil {
		p.nodes = map[physical.NodeID]*NodeProfile{}
	}
	n := p.nodes[id]
	if n == nil {
		n = &NodeProfile{}
		p.nodes[id] = n
	}
	return n
}

// addDriver adds what driver i counted.
func (n *NodeProfile) addDriver(i int, c DriverCounts) {
	n.RowsIn.Add(c.RowsIn)
	n.Rows.Add(c.Rows)
	n.Batches.Add(c.Batches)
	n.Nanos.Add(c.Nanos)
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.drivers) <= i {
		n.drivers = append(n.drivers, DriverCounts{})
	}
	d := &n.drivers[i]
	d.RowsIn += c.RowsIn
	d.Rows += c.Rows
	d.Batches += c.Batches
	d.Nanos += c.Nanos
}

// addScan tells where a scan's counters are.
func (n *NodeProfile) addScan(c *storage.ScanCounters) {
	n.mu.Lock()
	n.scan = c
	n.mu.Unlock()
}

// addFilter gives the counters of a runtime filter that the node makes or uses; what runs
// bucket by bucket asks again and again.
func (n *NodeProfile) addFilter(id int, kind string) *filterCounters {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.filters {
		if c.id == id {
			return c
		}
	}
	c := &filterCounters{id: id, kind: kind}
	n.filters = append(n.filters, c)
	return c
}

// note stores a fact about the operator.
func (n *NodeProfile) note(name, text string) { n.Notes.Store(name, text) }

// eachNote visits the notes by name.
func (n *NodeProfile) eachNote(f func(name, text string)) {
	var names []string
	n.Notes.Range(func(k, _ any) bool { names = append(names, k.(string)); return true })
	sort.Strings(names)
	for _, k := range names {
		v, _ := n.Notes.Load(k)
		f(k, v.(string))
	}
}

// nodeSink is a Sink whose work belongs to a plan node.
type nodeSink interface{ sinkNode() *NodeProfile }

func (s hashJoinSink) sinkNode() *NodeProfile    { return s.j.node }
func (a *hashAggregate) sinkNode() *NodeProfile  { return a.memory.node }
func (s *sorter) sinkNode() *NodeProfile         { return s.memory.node }
func (j *nestedLoopJoin) sinkNode() *NodeProfile { return j.memory.node }
func (w *write) sinkNode() *NodeProfile          { return w.node }

// nodeOfSink is nil for sinks that no node of the plan shows.
func nodeOfSink(s Sink) *NodeProfile {
	if n, ok := s.(nodeSink); ok {
		return n.sinkNode()
	}
	return nil
}

// finalizeTimed finalizes a sink and counts the time for its node.
func finalizeTimed(ctx context.Context, rt *Runtime, s Sink) error {
	n := nodeOfSink(s)
	if n == nil || rt.Profile == nil {
		return s.Finalize(ctx)
	}
	watch := rt.Profile.stopwatch()
	err := s.Finalize(ctx)
	took := watch.lap()
	n.Nanos.Add(took)
	n.FinishNanos.Add(took)
	return err
}

// stopwatch gives the time between its laps; without a profile it stands still, so that
// queries that nobody analyses do not pay for it.
type stopwatch struct {
	on   bool
	from time.Time
	last time.Duration
}

func (p *Profile) stopwatch() stopwatch {
	if p == nil {
		return stopwatch{}
	}
	return stopwatch{on: true, from: time.Now()}
}

// lap is the nanoseconds since the lap before.
func (w *stopwatch) lap() int64 {
	if !w.on {
		return 0
	}
	now := time.Since(w.from)
	d := now - w.last
	w.last = now
	return int64(d)
}

// out counts one output batch, which may be nil.
func (c *DriverCounts) out(b *vector.Batch) {
	if b != nil {
		c.Rows += int64(b.NumRows())
		c.Batches++
	}
}
