package executor

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// Profile collects what each operator of a query did, for EXPLAIN ANALYZE. Safe for
// concurrent use; counters are added to once a batch.
type Profile struct {
	mu    sync.Mutex
	nodes map[physical.NodeID]*NodeProfile
}

// NodeProfile are one operator's counters, summed over its instances.
type NodeProfile struct {
	Rows, Batches atomic.Int64 // output
	Nanos         atomic.Int64 // busy time, children excluded
	PeakBytes     atomic.Int64
	Notes         sync.Map // string -> string: operator-specific facts (hash table size, row groups pruned)
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

// clock gives the nanoseconds that node times are measured with; without a profile it
// stands still, so that queries that nobody analyses do not pay for it.
func (p *Profile) clock() func() int64 {
	if p == nil {
		return func() int64 { return 0 }
	}
	start := time.Now()
	return func() int64 { return int64(time.Since(start)) }
}

// add counts one output batch, which may be nil, and the time that it took.
func (n *NodeProfile) add(b *vector.Batch, nanos int64) {
	if b != nil {
		n.Rows.Add(int64(b.NumRows()))
		n.Batches.Add(1)
	}
	if nanos != 0 {
		n.Nanos.Add(nanos)
	}
}

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
