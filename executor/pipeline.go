package executor

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
)

// runPipelines runs pipelines in order and finalizes each sink after the last pipeline
// that feeds it. The first error ends everything.
func runPipelines(ctx context.Context, rt *Runtime, list []*pipeline) error {
	feeds := map[Sink]int{}
	for _, p := range list {
		feeds[p.sink]++
	}
	for _, p := range list {
		if err := p.run(ctx, rt); err != nil {
			return err
		}
		if feeds[p.sink]--; feeds[p.sink] == 0 {
			if err := finalize(ctx, rt, p.sink); err != nil {
				return err
			}
		}
	}
	return nil
}

// finalize runs a sink's Finalize under a CPU slot.
func finalize(ctx context.Context, rt *Runtime, s Sink) (err error) {
	ctx, release, err := rt.Slots.Hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	defer recoverTo(&err)
	return finalizeTimed(ctx, rt, s)
}

// recoverTo turns a panic into an error: our bugs end one query, never the process.
func recoverTo(err *error) {
	switch r := recover().(type) {
	case nil:
	case invariant.Violation:
		*err = sqlerr.New(sqlerr.Internal, "%s", r.Error())
	default:
		*err = sqlerr.New(sqlerr.Internal, "internal error: %v\n%s", r, firstFrames(debug.Stack()))
	}
}

// firstFrames keeps enough of a stack to report.
func firstFrames(stack []byte) string {
	const most = 2000
	if len(stack) > most {
		stack = stack[:most]
	}
	return string(stack)
}

// retiring is a Source that knows before its pipeline starts whether it will yield nothing
// (Idle), and is told when its rows are no longer needed (Retire), so that their memory is
// not held until the end of the query.
type retiring interface {
	Idle() bool
	Retire()
}

// run drives the pipeline with as many drivers as the query may have and waits for all.
func (p *pipeline) run(ctx context.Context, rt *Runtime) error {
	if s, ok := p.source.(retiring); ok {
		defer s.Retire()
		if s.Idle() {
			return nil
		}
	}
	n := max(rt.Instances, 1)
	if p.serial {
		n = 1
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg    sync.WaitGroup
		first error
		once  sync.Once
		done  enough
	)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			d := &Driver{Index: i, Runtime: rt}
			if err := p.drive(ctx, d, &done); err != nil {
				once.Do(func() { first = err })
				cancel(err)
			}
		}()
	}
	wg.Wait()
	return first
}

// slotBatches is how many batches a driver computes before it lets others have its slot:
// about a millisecond's work.
const slotBatches = 8

// drive is one driver's run.
func (p *pipeline) drive(ctx context.Context, d *Driver, done *enough) (err error) {
	if err := d.Runtime.Slots.Acquire(ctx); err != nil {
		return err
	}
	d.holding = true
	defer d.release()
	defer recoverTo(&err)
	return p.work(ctx, d, done)
}

// pushSource is a Source that runs pipelines of its own on d's goroutine and hands on
// every batch as it comes: push takes it, and says Finished when no more are wanted.
type pushSource interface {
	Push(ctx context.Context, d *Driver, push func(*vector.Batch) (Flow, error)) error
}

// work is what a driver does while it holds its slot.
func (p *pipeline) work(ctx context.Context, d *Driver, done *enough) (err error) {
	run := &driverRun{d: d, done: done, transforms: make([]Transform, len(p.steps)), counts: make([]DriverCounts, len(p.steps)+2)}
	for i, s := range p.steps {
		if run.transforms[i], err = s.make(d); err != nil {
			return err
		}
	}
	run.watch = d.Runtime.Profile.stopwatch()
	if src, ok := p.source.(pushSource); ok {
		err = run.pushAll(ctx, p, src)
	} else {
		err = run.readAll(ctx, p)
	}
	if run.writer != nil {
		defer run.report(p)
	}
	if err != nil {
		return err
	}
	if err := run.flush(ctx); err != nil {
		return err
	}
	err = run.writer.Close(ctx)
	run.counts[len(p.steps)].Nanos += run.watch.lap()
	return err
}

// pushAll lets the source run and takes its batches. The source's time is not this pipeline's.
func (r *driverRun) pushAll(ctx context.Context, p *pipeline, src pushSource) (err error) {
	if r.writer, err = p.sink.Open(ctx, r.d); err != nil {
		return err
	}
	return src.Push(ctx, r.d, func(b *vector.Batch) (Flow, error) {
		r.watch.lap()
		if err := r.push(ctx, 0, b); err != nil || r.done.anywhere() {
			return Finished, err
		}
		return NeedInput, nil
	})
}

// readAll reads the source to its end.
func (r *driverRun) readAll(ctx context.Context, p *pipeline) error {
	d := r.d
	reader, err := p.source.Open(ctx, d)
	if err != nil {
		return err
	}
	defer reader.Close()
	if r.writer, err = p.sink.Open(ctx, d); err != nil {
		return err
	}
	sectioned, _ := reader.(sectionedReader)
	section := -1
	source := &r.counts[len(p.steps)+1]
	source.Nanos += r.watch.lap()
	for turn := 1; !r.done.anywhere(); turn++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if turn%slotBatches == 0 && d.Runtime.Slots.contended() {
			if err := d.Wait(ctx, func() error { return nil }); err != nil {
				return err
			}
			r.watch.lap()
		}
		b, err := reader.Next(ctx)
		source.out(b)
		source.Nanos += r.watch.lap()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if sectioned != nil && sectioned.Section() != section {
			if w, ok := r.writer.(sectionedWriter); ok && section >= 0 {
				if err := w.EndSection(ctx); err != nil {
					return err
				}
			}
			section = sectioned.Section()
		}
		if err := r.push(ctx, 0, b); err != nil {
			return err
		}
	}
	return nil
}

// enough says which steps of a running pipeline want no more rows: 0 none, i+1 those up to step i, counting the sink as
// the last step. The source then stops, while the steps behind go on with what they have been given: rows that a LIMIT let
// pass may become many in the join after it. Shared by the pipeline's drivers.
type enough struct{ steps atomic.Int32 }

// at notes that step i wants no more.
func (e *enough) at(i int) {
	for want := int32(i + 1); ; {
		now := e.steps.Load()
		if now >= want || e.steps.CompareAndSwap(now, want) {
			return
		}
	}
}

// anywhere reports whether nothing more is wanted of the source.
func (e *enough) anywhere() bool { return e.steps.Load() > 0 }

// behind reports whether nothing more is wanted of step i.
func (e *enough) behind(i int) bool { return int(e.steps.Load()) > i+1 }

// driverRun is the chain of one driver: its transforms and its part of the sink.
type driverRun struct {
	d          *Driver
	done       *enough
	transforms []Transform
	writer     SinkWriter
	watch      stopwatch
	counts     []DriverCounts // by transform, then the sink's and the source's
}

// report hands the driver's counts to the profile.
func (r *driverRun) report(p *pipeline) {
	if !r.watch.on {
		return
	}
	for i, s := range p.steps {
		s.node.addDriver(r.d.Index, r.counts[i])
	}
	if n := nodeOfSink(p.sink); n != nil {
		n.addDriver(r.d.Index, r.counts[len(p.steps)])
	}
	p.node.addDriver(r.d.Index, r.counts[len(p.steps)+1])
}

// push sends b through the transforms from i on and into the sink.
func (r *driverRun) push(ctx context.Context, i int, b *vector.Batch) error {
	count := &r.counts[i]
	count.RowsIn += int64(b.NumRows())
	if i == len(r.transforms) {
		if b.NumRows() == 0 {
			return nil
		}
		flow, err := r.writer.Consume(ctx, b)
		count.Nanos += r.watch.lap()
		if flow == Finished {
			r.done.at(i)
		}
		return err
	}
	for {
		out, flow, err := r.transforms[i].Apply(ctx, b)
		count.out(out)
		count.Nanos += r.watch.lap()
		if err != nil {
			return err
		}
		if flow == Finished {
			r.done.at(i)
		}
		if out != nil && out.NumRows() > 0 {
			if err := r.push(ctx, i+1, out); err != nil {
				return err
			}
		}
		if flow != HasMore {
			return nil
		}
		if r.done.behind(i) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// flush empties transforms that held rows back, upstream first.
func (r *driverRun) flush(ctx context.Context) error {
	for i, t := range r.transforms {
		f, ok := t.(Flusher)
		if !ok {
			continue
		}
		for !r.done.behind(i) {
			b, err := f.Flush(ctx)
			r.counts[i].out(b)
			r.counts[i].Nanos += r.watch.lap()
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			if err := r.push(ctx, i+1, b); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// release gives the driver's CPU slot back, if it holds one.
func (d *Driver) release() {
	if d.outer != nil {
		d.outer.release()
		return
	}
	if d.holding {
		d.holding = false
		d.Runtime.Slots.Release()
	}
}

// Wait runs f, which may block, without holding the driver's CPU slot.
func (d *Driver) Wait(ctx context.Context, f func() error) error {
	if d.outer != nil {
		return d.outer.Wait(ctx, f)
	}
	d.release()
	if err := f(); err != nil {
		return err
	}
	if err := d.Runtime.Slots.Acquire(ctx); err != nil {
		return err
	}
	d.holding = true
	return nil
}
