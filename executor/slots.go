package executor

import "context"

// Slots is the process-wide pool of CPU slots: as many drivers compute at a time as there
// are slots, over all queries. A driver gives its slot back before it waits for anything.
type Slots struct{ free chan struct{} }

// NewSlots makes a pool of n slots.
func NewSlots(n int) *Slots { return &Slots{free: make(chan struct{}, n)} }

// Acquire waits for a slot; the error is ctx's.
func (s *Slots) Acquire(ctx context.Context) error {
	if s == nil {
		return ctx.Err()
	}
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
