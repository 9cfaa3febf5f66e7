package executor

import (
	"fmt"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/budget"
)

// memoryClaim is an operator's reservation, shared by its drivers.
type memoryClaim struct {
	r    *budget.Reservation
	node *NodeProfile
	area *spill.Area
}

func newMemoryClaim(b *budget.Budget, name string, node *NodeProfile) *memoryClaim {
	m := &memoryClaim{node: node}
	if b != nil {
		m.r = b.Reserve(name)
	}
	return m
}

// newSpillClaim is newMemoryClaim of an operator that can spill.
func newSpillClaim(rt *Runtime, name string, node *NodeProfile) *memoryClaim {
	m := newMemoryClaim(rt.Budget, name, node)
	m.area = rt.Spill
	return m
}

// set changes what one holder claims from *held bytes to n, up to the limit itself.
func (m *memoryClaim) set(held *int64, n int64) error {
	if m.r == nil || n == *held {
		return nil
	}
	if n < *held {
		m.r.Shrink(*held - n)
		*held = n
		return nil
	}
	if err := m.r.Grow(n - *held); err != nil {
		return err
	}
	*held = n
	m.peak()
	return nil
}

// try is set that leaves the budget's spare part to others; false means: spill now.
func (m *memoryClaim) try(held *int64, n int64) bool {
	if m.r == nil || n <= *held {
		m.force(held, n)
		return true
	}
	if !m.r.TryGrow(n - *held) {
		return false
	}
	*held = n
	m.peak()
	return true
}

// force is set without limits, for what is small and cannot be done without.
func (m *memoryClaim) force(held *int64, n int64) {
	if m.r == nil || n == *held {
		return
	}
	if n < *held {
		m.r.Shrink(*held - n)
	} else {
		m.r.Force(n - *held)
	}
	*held = n
	m.peak()
}

// settle is set for what cannot be divided: the small is forced, so that a query whose
// other operators hold all there is can end.
func (m *memoryClaim) settle(held *int64, n int64) error {
	if m.canSpill() && n <= m.workspace() {
		m.force(held, n)
		return nil
	}
	return m.set(held, n)
}

func (m *memoryClaim) peak() {
	for now := m.r.Held(); ; {
		peak := m.node.PeakBytes.Load()
		if now <= peak || m.node.PeakBytes.CompareAndSwap(peak, now) {
			return
		}
	}
}

func (m *memoryClaim) release() { m.r.Release() }

// Limits of what one driver of an operator that spills may hold whatever the budget says:
// a part of the query's limit, between these (less only of limits below 1 MB).
const (
	minWorkspace   = 128 << 10
	maxWorkspace   = 16 << 20
	workspaceShare = 64
)

// workspace is that memory, in bytes.
func (m *memoryClaim) workspace() int64 {
	if m.r == nil {
		return maxWorkspace
	}
	limit := m.r.Budget().SpillLimit()
	if limit <= 0 {
		return maxWorkspace
	}
	return min(max(limit/workspaceShare, min(minWorkspace, limit/8)), maxWorkspace)
}

// canSpill reports whether there is a place for temporary files.
func (m *memoryClaim) canSpill() bool { return m.area != nil && m.r != nil }

// counters are where an operator's temporary files are counted.
func (m *memoryClaim) counters() spill.Counters {
	return spill.Counters{Written: &m.node.SpilledBytes, Files: &m.node.SpillFiles, Read: &m.node.SpillReadBytes}
}

// noteSpill tells EXPLAIN ANALYZE in how many parts an operator's rows left memory.
func (m *memoryClaim) noteSpill(parts int, unit string) {
	m.node.note("spilled "+unit, fmt.Sprint(parts))
}
