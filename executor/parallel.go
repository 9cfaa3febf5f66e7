package executor

import (
	"context"
	"sync"
)

// parallelTasks runs tasks 0 … tasks-1 on up to workers goroutines, the caller being one
// of them; the others take CPU slots. It returns the first error, after all have ended.
func parallelTasks(ctx context.Context, rt *Runtime, workers, tasks int, run func(worker, task int) error) error {
	var mu sync.Mutex
	var first error
	next := 0
	claim := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = ctx.Err()
		}
		if first != nil || next >= tasks {
			return 0, false
		}
		next++
		return next - 1, true
	}
	work := func(worker int) {
		for {
			task, ok := claim()
			if !ok {
				return
			}
			if err := run(worker, task); err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		}
	}
	var wg sync.WaitGroup
	var failed any
	// Who still waits for a slot when the tasks have run out is not needed.
	waiting, enough := context.WithCancel(ctx)
	defer enough()
	for worker := 1; worker < min(workers, tasks); worker++ {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					failed = p
					mu.Unlock()
				}
			}()
			if rt.Slots.Acquire(waiting) != nil {
				return
			}
			defer rt.Slots.Release()
			work(worker)
		})
	}
	work(0)
	enough()
	wg.Wait()
	if failed != nil {
		panic(failed)
	}
	return first
}
