// Package admission decides how many queries run at the same time: a query enters when
// there is room for the least memory that it can work with, and else waits in line. What
// it then uses is the budget's matter: queries spill when they would need more.
package admission

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Queue lets queries in, first come, first served. Safe for concurrent use.
type Queue struct {
	capacity int64 // bytes that the least needs of all running queries may add up to; <= 0: no bound

	mu      sync.Mutex
	running int
	bytes   int64
	line    []*waiter

	// Waited counts queries that had to wait, Refused those that waited in vain or found the
	// line full.
	Waited, Refused atomic.Int64
}

// waiter is a query in the line; ready is closed when it has entered.
type waiter struct {
	r     Request
	ready chan struct{}
}

// Request is what a query asks for.
type Request struct {
	Bytes int64 // the least memory that it can work with
	// Concurrency bounds the queries that run at the same time; <= 0: no bound.
	Concurrency int
	// MaxWaiting bounds the line; who finds it full is refused at once. Patience is how long the
	// query waits; <= 0: forever.
	MaxWaiting int
	Patience   time.Duration
}

// New makes a queue for queries whose least needs add up to capacity bytes.
func New(capacity int64) *Queue { return &Queue{capacity: capacity} }

// fits reports whether r can enter now. One query alone always can.
func (q *Queue) fits(r Request) bool {
	if q.running == 0 {
		return true
	}
	if r.Concurrency > 0 && q.running >= r.Concurrency {
		return false
	}
	return q.capacity <= 0 || q.bytes+r.Bytes <= q.capacity
}

func (q *Queue) enter(r Request) {
	q.running++
	q.bytes += r.Bytes
}

// Enter waits until the query may run and returns what to call when it has ended; that may
// be called more than once. The error is ctx's, or sqlerr.OutOfResources when the line is
// full or the query's patience at its end.
func (q *Queue) Enter(ctx context.Context, r Request) (leave func(), err error) {
	q.mu.Lock()
	if len(q.line) == 0 && q.fits(r) {
		q.enter(r)
		q.mu.Unlock()
		return q.leaver(r), nil
	}
	if len(q.line) >= r.MaxWaiting {
		waiting, running := len(q.line), q.running
		q.mu.Unlock()
		q.Refused.Add(1)
		return nil, sqlerr.New(sqlerr.OutOfResources, "query queue is full: %d queries run and %d wait", running, waiting).
			WithHint("Try again later, or raise query_queue_max_queued_queries or the server's memory (--memory)")
	}
	w := &waiter{r: r, ready: make(chan struct{})}
	q.line = append(q.line, w)
	q.mu.Unlock()
	q.Waited.Add(1)

	var timeout <-chan time.Time
	if r.Patience > 0 {
		t := time.NewTimer(r.Patience)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-w.ready:
		return q.leaver(r), nil
	case <-timeout:
		err = sqlerr.New(sqlerr.OutOfResources, "query queue timeout: the query waited %s for memory and could not start", r.Patience).
			WithHint("Try again later, or raise query_queue_pending_timeout_second or the server's memory (--memory)")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !q.giveUp(w) { // it was let in at the last moment
		q.leaver(r)()
	}
	q.Refused.Add(1)
	return nil, err
}

// giveUp removes w from the line; false if it is no longer there.
func (q *Queue) giveUp(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, x := range q.line {
		if x == w {
			q.line = append(q.line[:i], q.line[i+1:]...)
			q.advance() // who was behind may be smaller
			return true
		}
	}
	return false
}

// advance lets in whom there is room for, in order.
func (q *Queue) advance() {
	for len(q.line) > 0 && q.fits(q.line[0].r) {
		w := q.line[0]
		q.line = q.line[1:]
		q.enter(w.r)
		close(w.ready)
	}
}

func (q *Queue) leaver(r Request) func() {
	var once sync.Once
	return func() {
		once.Do(func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.running--
			q.bytes -= r.Bytes
			q.advance()
		})
	}
}

// Running and Waiting are the queries that have entered and those in line.
func (q *Queue) Running() int { q.mu.Lock(); defer q.mu.Unlock(); return q.running }

// Waiting is the length of the line.
func (q *Queue) Waiting() int { q.mu.Lock(); defer q.mu.Unlock(); return len(q.line) }
