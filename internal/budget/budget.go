// Package budget accounts memory: a process has a limit, each query a part of it, and
// each operator that holds state a named Reservation of its query. Refusing is the
// operator's moment to spill (TryGrow) or to fail with sqlerr.OutOfMemory (Grow).
package budget

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Budget is a limit that reservations count against. Safe for concurrent use.
type Budget struct {
	parent *Budget
	name   string
	limit  int64 // bytes; <= 0: unlimited
	force  int64 // see SpillAbove
	used   atomic.Int64
	peak   atomic.Int64

	mu           sync.Mutex
	reservations []*Reservation
}

// New makes a budget of limit bytes (<= 0: none) under parent (nil: root). The name and
// the setting that raises it show in errors.
func New(name string, limit int64, parent *Budget) *Budget {
	return &Budget{parent: parent, name: name, limit: limit}
}

// Used and Peak are bytes.
func (b *Budget) Used() int64 { return b.used.Load() }

// Peak is the highest Used so far.
func (b *Budget) Peak() int64 { return b.peak.Load() }

// Limit is in bytes; <= 0 is unlimited.
func (b *Budget) Limit() int64 { return b.limit }

// spareShare is the part of a limit (one in spareShare) that only Grow and Force may use:
// what an operator that has begun to spill needs to go on.
const spareShare = 8

func (b *Budget) spillLimit() int64 {
	if b.force > 0 {
		return b.force
	}
	return b.limit - b.limit/spareShare
}

// SpillAbove makes TryGrow refuse what would exceed n bytes although the limit is higher, to
// see operators spill. Call it before anything is reserved.
func (b *Budget) SpillAbove(n int64) *Budget { b.force = n; return b }

// SpillLimit is where TryGrow begins to refuse, in bytes; <= 0: nowhere.
func (b *Budget) SpillLimit() int64 { return b.spillLimit() }

// Available is how much TryGrow can still give, in bytes; MaxInt64 without any limit.
func (b *Budget) Available() int64 {
	n := int64(math.MaxInt64)
	for x := b; x != nil; x = x.parent {
		if x.spillLimit() > 0 {
			n = min(n, x.spillLimit()-x.used.Load())
		}
	}
	return max(n, 0)
}

// kind of growth.
type strictness uint8

const (
	upToLimit strictness = iota
	upToSpare
	unlimited
)

func (b *Budget) grow(n int64, how strictness) (refused *Budget) {
	for x := b; x != nil; x = x.parent {
		used := x.used.Add(n)
		limit := x.limit
		if how == upToSpare {
			limit = x.spillLimit()
		}
		if how != unlimited && limit > 0 && used > limit {
			x.used.Add(-n)
			for y := b; y != x; y = y.parent {
				y.used.Add(-n)
			}
			return x
		}
		for {
			p := x.peak.Load()
			if used <= p || x.peak.CompareAndSwap(p, used) {
				break
			}
		}
	}
	return nil
}

func (b *Budget) shrink(n int64) {
	for x := b; x != nil; x = x.parent {
		x.used.Add(-n)
	}
}

// Reservation is one operator's named claim. Grow and Shrink are safe for concurrent use.
type Reservation struct {
	budget *Budget
	name   string
	held   atomic.Int64
}

// Reserve opens an empty reservation; name is the operator as EXPLAIN shows it.
func (b *Budget) Reserve(name string) *Reservation {
	r := &Reservation{budget: b, name: name}
	b.mu.Lock()
	b.reservations = append(b.reservations, r)
	b.mu.Unlock()
	return r
}

// Grow claims n more bytes, or claims nothing and returns sqlerr.OutOfMemory.
func (r *Reservation) Grow(n int64) error {
	if r == nil || n == 0 {
		return nil
	}
	if x := r.budget.grow(n, upToLimit); x != nil {
		return sqlerr.New(sqlerr.OutOfMemory, "Memory exceed limit: %s needs %d bytes more, used %d of the %s limit of %d bytes",
			r.name, n, x.Used(), x.name, x.limit).WithHint("Raise it with SET exec_mem_limit, or filter or aggregate earlier")
	}
	r.held.Add(n)
	return nil
}

// TryGrow claims n more bytes, or claims nothing and reports false: then it is time to
// spill. It leaves a part of every limit to those who spill already.
func (r *Reservation) TryGrow(n int64) bool {
	if r == nil || n == 0 {
		return true
	}
	if r.budget.grow(n, upToSpare) != nil {
		return false
	}
	r.held.Add(n)
	return true
}

// Force claims n more bytes whatever the limits say: for the small, bounded memory without
// which an operator that spills cannot go on.
func (r *Reservation) Force(n int64) {
	if r != nil && n != 0 {
		r.budget.grow(n, unlimited)
		r.held.Add(n)
	}
}

// Budget is what the reservation counts against.
func (r *Reservation) Budget() *Budget { return r.budget }

// Resize sets the claim to n bytes.
func (r *Reservation) Resize(n int64) error {
	if r == nil {
		return nil
	}
	d := n - r.held.Load()
	if d < 0 {
		r.Shrink(-d)
		return nil
	}
	return r.Grow(d)
}

// Shrink gives n bytes back.
func (r *Reservation) Shrink(n int64) {
	if r == nil {
		return
	}
	r.held.Add(-n)
	r.budget.shrink(n)
}

// Held is the current claim in bytes.
func (r *Reservation) Held() int64 { return r.held.Load() }

// Release gives everything back. Safe to call twice.
func (r *Reservation) Release() {
	if r != nil {
		r.budget.shrink(r.held.Swap(0))
	}
}

// ReleaseAll ends every reservation of the budget, when its query has ended.
func (b *Budget) ReleaseAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.reservations {
		r.Release()
	}
	b.reservations = nil
}
