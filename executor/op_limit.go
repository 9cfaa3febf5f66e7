package executor

import (
	"context"
	"math"
	"sync"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// quota is what all drivers of a limit share: rows still to drop and still to pass. Over
// an ordered input there is one driver, and so the order decides which rows those are.
type quota struct {
	mu         sync.Mutex
	skip, left int64
}

// take claims from n rows: those at [lo, hi) pass. more is false when nobody needs rows any more.
func (q *quota) take(n int64) (lo, hi int64, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	lo = min(q.skip, n)
	q.skip -= lo
	hi = lo + min(n-lo, q.left) // not min(n, lo+left): left may be MaxInt64
	q.left -= hi - lo
	return lo, hi, q.left > 0
}

// limit passes rows [offset, offset+count) of its input in arrival order, as views.
type limit struct {
	q *quota
}

func newLimit(n *physical.Limit) newTransform {
	q := &quota{skip: n.Offset, left: n.Count}
	if n.Count < 0 {
		q.left = math.MaxInt64
	}
	return func(*Driver) (Transform, error) { return &limit{q: q}, nil }
}

// Apply implements Transform.
func (l *limit) Apply(_ context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	n := int64(in.NumRows())
	lo, hi, more := l.q.take(n)
	flow := NeedInput
	if !more {
		flow = Finished
	}
	switch {
	case lo == hi:
		return nil, flow, nil
	case lo == 0 && hi == n:
		return in, flow, nil
	}
	return in.View(int(lo), int(hi)), flow, nil
}
