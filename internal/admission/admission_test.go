package admission

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

func mustEnter(t *testing.T, q *Queue, r Request) func() {
	t.Helper()
	leave, err := q.Enter(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func TestOneAloneAlwaysEnters(t *testing.T) {
	q := New(100)
	leave := mustEnter(t, q, Request{Bytes: 1000})
	if _, err := q.Enter(context.Background(), Request{Bytes: 1}); !sqlerr.Is(err, sqlerr.OutOfResources) || !strings.Contains(err.Error(), "full") {
		t.Fatalf("no room and no line: got %v", err)
	}
	leave()
	leave() // twice is allowed
	if q.Running() != 0 || q.bytes != 0 {
		t.Fatalf("%d running, %d bytes", q.Running(), q.bytes)
	}
}

func TestFirstComeFirstServed(t *testing.T) {
	q := New(100)
	first := mustEnter(t, q, Request{Bytes: 80})
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	leaves := make([]func(), 3)
	for i, bytes := range []int64{60, 10, 50} {
		wg.Go(func() {
			leave, err := q.Enter(context.Background(), Request{Bytes: bytes, MaxWaiting: 10})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, i)
			leaves[i] = leave
		})
		for q.Waiting() != i+1 { // the second waits although there is room: the first comes first
			runtime.Gosched()
		}
	}
	first()
	for q.Waiting() != 1 {
		runtime.Gosched()
	}
	if q.bytes != 70 {
		t.Fatalf("%d bytes, want those of the first two", q.bytes)
	}
	for done := false; !done; {
		mu.Lock()
		done = len(order) == 2
		mu.Unlock()
	}
	leaves[0]()
	wg.Wait()
	if order[2] != 2 || q.Waited.Load() != 3 {
		t.Fatalf("order %v", order)
	}
}

func TestConcurrency(t *testing.T) {
	q := New(0)
	leave := mustEnter(t, q, Request{Concurrency: 1})
	if _, err := q.Enter(context.Background(), Request{Concurrency: 1}); err == nil {
		t.Fatal("a second one entered")
	}
	mustEnter(t, q, Request{})
	leave()
}

func TestPatience(t *testing.T) {
	q := New(100)
	defer mustEnter(t, q, Request{Bytes: 100})()
	_, err := q.Enter(context.Background(), Request{Bytes: 1, MaxWaiting: 1, Patience: time.Nanosecond})
	if !sqlerr.Is(err, sqlerr.OutOfResources) || !strings.Contains(err.Error(), "timeout") {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := q.Enter(ctx, Request{Bytes: 1, MaxWaiting: 1}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if q.Waiting() != 0 || q.Running() != 1 || q.Refused.Load() != 2 {
		t.Fatalf("%d waiting, %d running, %d refused", q.Waiting(), q.Running(), q.Refused.Load())
	}
}
