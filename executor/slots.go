package executor

import (
	"context"
	"sync/atomic"
)

// Slots is the process-wide pool of CPU slots: as many drivers compute at a time as there
// are slots, over all queries. A driver gives its slot back before it waits for anything,
// and passes it on now and then while others wait, so that a short query does not wait
// for the end of a long one. A nil pool has slots for all.
type Slots struct {
	free    chan struct{}
	waiting atomic.Int64
}

// NewSlots makes a pool of n slots.
func NewSlots(n int) *Slots { return &Slots{free: make(chan struct{}, n)} }

// Acquire waits for a slot, first come, first served; the error is ctx's.
func (s *Slots) Acquire(ctx context.Context) error {
	if s == nil {
		return ctx.Err()
	}
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives a slot back.
func (s *Slots) Release() {
	if s != nil {
		<-s.free
	}
}

// contended reports whether somebody waits for a slot.
func (s *Slots) contended() bool { return s != nil && s.waiting.Load() > 0 }
