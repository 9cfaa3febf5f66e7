package executor

import (
	"sync"
	"sync/atomic"

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
