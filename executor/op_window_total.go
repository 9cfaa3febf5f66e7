package executor

import (
	"context"
	"fmt"
	"sync"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// windowTotal computes aggregates over all rows, OVER (): all drivers keep their rows, in memory or in a file, and sum
// them up; then all drivers replay them with the results as constants beside them.
type windowTotal struct {
	n       *physical.Window
	rt      *Runtime
	node    *NodeProfile
	rows    *materialized
	mu      sync.Mutex
	accs    []function.Accumulator // of the drivers so far
	results []*vector.Vector       // one row each, after Finalize
}

func (b *builder) buildWindowTotal(n *physical.Window, down stage) error {
	t := &windowTotal{n: n, rt: b.rt, node: b.profile(n), rows: b.collected(n.Input, fmt.Sprintf("window #%d", n.ID))}
	if err := b.build(n.Input, stage{sink: t}); err != nil {
		return err
	}
	b.add(&totalSource{t: t, replay: replay{m: t.rows, columns: every(n.Input)}}, n, down)
	return nil
}

// collected is an empty store for the rows of n.
func (b *builder) collected(n physical.Node, name string) *materialized {
	m := &materialized{area: b.rt.Spill}
	for _, c := range n.Base().Cols {
		m.types = append(m.types, c.T)
	}
	if b.rt.Budget != nil {
		m.memory = b.rt.Budget.Reserve(name)
	}
	return m
}

func every(n physical.Node) []int {
	out := make([]int, len(n.Base().Cols))
	for i := range out {
		out[i] = i
	}
	return out
}

// buildCollected brings the rows of n to one driver, in any order.
func (b *builder) buildCollected(n physical.Node, down stage) error {
	m := b.collected(n, fmt.Sprintf("window over #%d", n.Base().ID))
	if err := b.build(n, stage{sink: m}); err != nil {
		return err
	}
	b.addSerial(&replay{m: m, columns: every(n)}, n, down)
	b.pipelines[len(b.pipelines)-1].node = &NodeProfile{} // its rows are counted already
	return nil
}

// sinkNode implements nodeSink.
func (t *windowTotal) sinkNode() *NodeProfile { return t.node }

// Open implements Sink.
func (t *windowTotal) Open(ctx context.Context, d *Driver) (SinkWriter, error) {
	rows, err := t.rows.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	w := &totalWriter{t: t, rows: rows}
	for _, f := range t.n.Funcs {
		a, err := newTotal(f, t.rt)
		if err != nil {
			return nil, err
		}
		w.totals = append(w.totals, a)
	}
	return w, nil
}

// total is one call's sum on one driver.
type total struct {
	acc    function.Accumulator
	args   []*rowExpr
	vals   []*vector.Vector
	filter *rowExpr
	sel    []int32
	groups []uint32 // zeros
}

func newTotal(f *expr.Window, rt *Runtime) (*total, error) {
	t := &total{}
	var err error
	if t.args, err = compileRowExprs(f.Args, rt.Functions); err != nil {
		return nil, err
	}
	if f.Filter != nil {
		if t.filter, err = compileRowExpr(f.Filter, rt.Functions); err != nil {
			return nil, err
		}
	}
	if t.acc, err = f.Fn.Aggregate.NewAccumulator(rt.Functions, constsOf(f.Args)); err != nil {
		return nil, err
	}
	t.acc.Grow(1)
	return t, nil
}

func (t *total) add(b *vector.Batch) (err error) {
	if t.vals, err = evalAll(t.args, b, true, t.vals); err != nil {
		return err
	}
	sel, n := b.Sel, b.NumRows()
	if t.filter != nil {
		keep, err := t.filter.evalFlat(b)
		if err != nil {
			return err
		}
		t.sel = t.sel[:0]
		for k := range n {
			if i := b.Row(k); !keep.IsNull(i) && keep.Bool(i) {
				t.sel = append(t.sel, int32(i))
			}
		}
		sel, n = t.sel, len(t.sel)
		if n == 0 {
			return nil
		}
	}
	if one, ok := t.acc.(function.SingleGroup); ok {
		return one.UpdateOne(0, t.vals, sel, n)
	}
	for len(t.groups) < n {
		t.groups = append(t.groups, 0)
	}
	return t.acc.Update(t.groups[:n], t.vals, sel)
}

type totalWriter struct {
	t      *windowTotal
	rows   SinkWriter
	totals []*total
}

// Consume implements SinkWriter.
func (w *totalWriter) Consume(ctx context.Context, b *vector.Batch) (Flow, error) {
	for _, t := range w.totals {
		if err := t.add(b); err != nil {
			return NeedInput, err
		}
	}
	return w.rows.Consume(ctx, b)
}

// Close implements SinkWriter.
func (w *totalWriter) Close(ctx context.Context) error {
	t := w.t
	t.mu.Lock()
	for i, x := range w.totals {
		if len(t.accs) <= i {
			t.accs = append(t.accs, x.acc)
			continue
		}
		if err := t.accs[i].Merge([]uint32{0}, x.acc, 0); err != nil {
			t.mu.Unlock()
			return err
		}
	}
	t.mu.Unlock()
	return w.rows.Close(ctx)
}

// Finalize implements Sink.
func (t *windowTotal) Finalize(context.Context) error {
	for i, acc := range t.accs {
		v := vector.New(t.n.Funcs[i].Type(), 1)
		if err := acc.Finish(0, v); err != nil {
			return err
		}
		t.results = append(t.results, v)
	}
	return nil
}

// Abort implements Sink.
func (t *windowTotal) Abort() { t.rows.Abort() }

// totalSource replays the rows with the results.
type totalSource struct {
	t      *windowTotal
	replay replay
}

// Open implements Source.
func (s *totalSource) Open(ctx context.Context, d *Driver) (SourceReader, error) {
	r, err := s.replay.Open(ctx, d)
	return &totalReader{s: s, r: r, consts: make([]vector.Vector, len(s.t.results))}, err
}

type totalReader struct {
	s      *totalSource
	r      SourceReader
	consts []vector.Vector
}

// Next implements SourceReader.
func (r *totalReader) Next(ctx context.Context) (*vector.Batch, error) {
	b, err := r.r.Next(ctx)
	if b == nil || err != nil {
		return b, err
	}
	for i, v := range r.s.t.results {
		r.consts[i] = vector.Vector{Type: v.Type, Form: vector.Constant, Len: b.Len, Data: v.Data, Valid: v.Valid, Bufs: v.Bufs}
		if v.Type.Kind == sqltype.Null {
			r.consts[i].SetAllNull(b.Len)
		}
		b.Cols = append(b.Cols, &r.consts[i])
	}
	return b, nil
}

// Close implements SourceReader.
func (r *totalReader) Close() { r.r.Close() }
