package executor

import (
	"context"
	"sync"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Result is a running query. One goroutine reads it; Close it always.
type Result struct {
	Columns []expr.Column

	cancel context.CancelFunc
	queue  chan *vector.Batch
	end    chan struct{} // closed when every pipeline has ended and everything is freed
	err    error         // valid after end
	once   sync.Once
}

// resultQueue is how many batches may wait for the reader.
const resultQueue = 4

// Run starts a plan. Errors while building are returned at once, errors of running by
// Next. The query ends with ctx, with Close, or after its last row.
func Run(ctx context.Context, plan *fragment.Plan, rt *Runtime) (*Result, error) {
	r := &Result{Columns: plan.Root.Base().Cols, queue: make(chan *vector.Batch, resultQueue), end: make(chan struct{})}
	rt.selections = &eval.Selections{}
	b := &builder{rt: rt, filters: newRuntimeFilters(), ctes: map[*physical.CTE]*materialized{}}
	if err := b.buildPlan(plan, stage{sink: &resultSink{r: r}}); err != nil {
		b.abort()
		return nil, err
	}
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		err := runPipelines(ctx, rt, b.pipelines)
		b.abort()
		r.err = err
		close(r.end)
		r.cancel()
	}()
	return r, nil
}

// buildPlan builds the plan's root; panics while building are our bugs and end this query.
func (b *builder) buildPlan(plan *fragment.Plan, down stage) (err error) {
	defer recoverTo(&err)
	return b.build(plan.Root, down)
}

// abort frees what the sinks and the budget hold, at the end of the query.
func (b *builder) abort() {
	seen := map[Sink]bool{}
	for _, p := range b.pipelines {
		if !seen[p.sink] {
			seen[p.sink] = true
			p.sink.Abort()
		}
	}
	if b.rt.Budget != nil {
		b.rt.Budget.ReleaseAll()
	}
	if b.part != nil {
		return // the query goes on
	}
	b.rt.selections.Close()
	_ = b.rt.Spill.Close() // what cannot be removed now goes at the next start
}

// Next returns the next rows, nil at the end. The batch is the caller's.
func (r *Result) Next(ctx context.Context) (*vector.Batch, error) {
	select {
	case b := <-r.queue:
		return b, nil
	default:
	}
	select {
	case b := <-r.queue:
		return b, nil
	case <-r.end:
		select {
		case b := <-r.queue: // handed over just before the end
			return b, nil
		default:
			return nil, r.err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the query if it still runs and waits until it has let go of everything.
func (r *Result) Close() {
	r.once.Do(func() {
		r.cancel()
		for {
			select {
			case <-r.queue:
			case <-r.end:
				return
			}
		}
	})
}

// resultSink hands rows to the reader.
type resultSink struct{ r *Result }

// Open implements Sink.
func (s *resultSink) Open(_ context.Context, d *Driver) (SinkWriter, error) {
	return &resultWriter{s.r, d}, nil
}

// Finalize implements Sink.
func (s *resultSink) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (s *resultSink) Abort() {}

type resultWriter struct {
	r *Result
	d *Driver
}

// Consume copies the batch, because its memory is the producer's, and gives the CPU slot
// away while the reader is behind.
func (w *resultWriter) Consume(ctx context.Context, b *vector.Batch) (Flow, error) {
	c := b.Copy()
	select {
	case w.r.queue <- c:
		return NeedInput, nil
	default:
	}
	return NeedInput, w.d.Wait(ctx, func() error {
		select {
		case w.r.queue <- c:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// Close implements SinkWriter.
func (w *resultWriter) Close(context.Context) error { return nil }
