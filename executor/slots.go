package executor

import (
	"context"
	"sync/atomic"
	"time"
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

// heldSlot is the slot of one goroutine.
type heldSlot struct {
	slots *Slots
	held  bool
}

type heldSlotKey struct{}

// Hold takes a slot for the calling goroutine, until release. The context that it returns says so: what the goroutine does with
// it may wait by Yield. The error is ctx's.
func (s *Slots) Hold(ctx context.Context) (held context.Context, release func(), err error) {
	if s == nil {
		return ctx, func() {}, ctx.Err()
	}
	if err := s.Acquire(ctx); err != nil {
		return nil, nil, err
	}
	h := &heldSlot{slots: s, held: true}
	return context.WithValue(ctx, heldSlotKey{}, h), h.release, nil
}

func (h *heldSlot) release() {
	if h.held {
		h.held = false
		h.slots.Release()
	}
}

// Yield runs wait, which may block, without the slot that the goroutine holds by ctx, if any: what it waits for may need that slot
// to come about. An error is wait's, or ctx's when no slot is to be had afterwards.
func Yield(ctx context.Context, wait func() error) error {
	h, ok := ctx.Value(heldSlotKey{}).(*heldSlot)
	if !ok || !h.held {
		return wait()
	}
	h.release()
	if err := wait(); err != nil {
		return err
	}
	if err := h.slots.Acquire(ctx); err != nil {
		return err
	}
	h.held = true
	return nil
}

// Sleep waits for d or the end of ctx, whose error it returns. Meanwhile somebody else may compute on the slot of the
// calling goroutine.
func (s *Slots) Sleep(ctx context.Context, d time.Duration) error {
	if s != nil {
		select {
		case <-s.free: // any slot is as good as the caller's, and it comes back
			defer func() {
				s.waiting.Add(1)
				defer s.waiting.Add(-1)
				s.free <- struct{}{}
			}()
		default: // the caller has none
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// contended reports whether somebody waits for a slot.
func (s *Slots) contended() bool { return s != nil && s.waiting.Load() > 0 }
