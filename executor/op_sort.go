package executor

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// sorter orders all rows: each driver collects rows and their keys and sorts them into a
// run; Finalize merges the runs, in parallel by ranges of keys, into one order; the source of the
// next pipeline, one driver, gathers the rows in that order. With a limit that is worth
// it, drivers keep few rows; see topNWriter.
type sorter struct {
	n      *physical.Sort
	rt     *Runtime
	memory *memoryClaim
	keys   []sorting.Column
	exprs  []expr.Expr
	keep   int64 // Offset+Limit, or MaxInt64: all

	// threshold is the key that the best of keep rows of some driver end with: rows whose key is
	// not below it are not among the first keep of all.
	threshold atomic.Pointer[[]byte]

	mu    sync.Mutex
	runs  []*sorting.Run
	parts [][]*vector.Vector // columns by run
	disk  []*sortRun

	sections *sections // nil: the rows are one stream

	// After Finalize, read-only:
	total int64 // rows
	cols  []*vector.Vector
	order []int32 // rows of cols

}

// topNLimit is how many rows a top-N keeps at most; above, sorting everything is as good.
const topNLimit = 1 << 20

func (b *builder) buildSort(n *physical.Sort, down stage) error {
	_, err := b.addSort(n, down)
	return err
}

func (b *builder) addSort(n *physical.Sort, down stage) (*sorter, error) {
	s := &sorter{n: n, rt: b.rt, keep: math.MaxInt64}
	s.memory = newSpillClaim(b.rt, fmt.Sprintf("sort #%d", n.ID), b.profile(n))
	if n.Limit >= 0 && n.Limit < math.MaxInt64-n.Offset {
		s.keep = n.Offset + n.Limit
	}
	for _, k := range n.Keys {
		s.keys = append(s.keys, sorting.Column{Type: k.Expr.Type(), Desc: k.Desc, NullsFirst: k.NullsFirst})
		s.exprs = append(s.exprs, k.Expr)
	}
	if _, err := sorting.NewEncoder(s.keys); err != nil {
		return nil, err
	}
	if n.TopN != nil && s.keep <= topNLimit && b.filters != nil {
		b.filters.publish(n.TopN.ID, &publication{topN: &topNFilter{threshold: &s.threshold, key: s.keys[0], only: len(s.keys) == 1}})
		b.profile(n).addFilter(n.TopN.ID, physical.FilterTopN.String()).set("READY", "")
	}
	if err := b.build(n.Input, stage{sink: s}); err != nil {
		return nil, err
	}
	if n.Sectioned {
		b.buildSections(s, down)
	} else {
		b.addSerial(sortSource{s}, n, down)
	}
	return s, nil
}

// Open implements Sink.
func (s *sorter) Open(context.Context, *Driver) (SinkWriter, error) {
	w := &sortWriter{s: s}
	var err error
	if w.encoder, err = sorting.NewEncoder(s.keys); err != nil {
		return nil, err
	}
	if w.exprs, err = compileRowExprs(s.exprs, s.rt.Functions); err != nil {
		return nil, err
	}
	w.keys = w.encoder.NewKeys()
	w.cols = s.newColumns()
	if s.keep <= topNLimit {
		return newTopNWriter(w), nil
	}
	return w, nil
}

func (s *sorter) newColumns() []*vector.Vector {
	var out []*vector.Vector
	for _, c := range s.n.Input.Base().Cols {
		out = append(out, vector.New(c.T, 0))
	}
	return out
}

// sortWriter collects the rows of one driver.
type sortWriter struct {
	s       *sorter
	exprs   []*rowExpr
	vals    []*vector.Vector
	encoder *sorting.Encoder
	keys    *sorting.Keys
	cols    []*vector.Vector
	held    int64
}

// Consume implements SinkWriter.
func (w *sortWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	if err := w.encode(b, w.keys); err != nil {
		return NeedInput, err
	}
	for i, c := range w.cols {
		c.AppendFrom(b.Cols[i], b.Sel)
	}
	return NeedInput, w.claim()
}

// encode appends the keys of the live rows of b.
func (w *sortWriter) encode(b *vector.Batch, keys *sorting.Keys) error {
	vals, err := evalAll(w.exprs, b, true, w.vals)
	if err != nil {
		return err
	}
	w.vals = vals
	w.encoder.Append(keys, vals, b.Len, b.Sel)
	return nil
}

// bytes is what the writer holds and what sorting it will take.
func (w *sortWriter) bytes() int64 {
	const entries = 2*16 + 4 // sorting.Entry twice, and the row in the merged order
	n := w.keys.Bytes() + entries*int64(w.keys.Len())
	for _, c := range w.cols {
		n += c.Bytesize()
	}
	return n
}

// Close implements SinkWriter: every driver sorts its own run.
func (w *sortWriter) Close(context.Context) error {
	if w.keys.Len() == 0 {
		return nil
	}
	if int64(w.keys.Len()) > math.MaxInt32 {
		return tooManyRows(w.s.n)
	}
	w.s.addRun(sorting.NewRun(w.keys), w.cols)
	return nil
}

func tooManyRows(n *physical.Sort) error {
	return sqlerr.New(sqlerr.OutOfMemory, "sort #%d has more than 2^31 rows", n.ID)
}

func (s *sorter) addRun(r *sorting.Run, cols []*vector.Vector) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, r)
	s.parts = append(s.parts, cols)
}

// Finalize implements Sink: it merges the runs.
func (s *sorter) Finalize(ctx context.Context) error {
	if spilled, err := s.spillRest(ctx); err != nil || spilled {
		return err
	}
	total := int64(0)
	bases := make([]uint32, len(s.runs))
	for i, r := range s.runs {
		bases[i] = uint32(total)
		total += int64(r.Keys.Len())
	}
	if total > math.MaxInt32 {
		return tooManyRows(s.n)
	}
	const parts = 4 // a driver: ranges are not of one size
	s.total = total
	m := sorting.NewMerge(s.runs, parts*max(s.rt.Instances, 1))
	order := make([]int32, m.Len())
	err := parallelTasks(ctx, s.rt, s.rt.Instances, m.Parts(), func(_, p int) error {
		m.MergePart(p, bases, order)
		return nil
	})
	if err != nil {
		return err
	}
	lo := min(s.n.Offset, int64(len(order)))
	s.order = order[lo:min(s.keep, int64(len(order)))]
	s.runs = nil
	s.cols = s.newColumns()
	err = parallelTasks(ctx, s.rt, s.rt.Instances, len(s.cols), func(_, i int) error {
		for k, p := range s.parts {
			if k == 0 {
				s.cols[i] = p[i]
			} else {
				appendSharing(s.cols[i], p[i])
			}
			p[i] = nil
		}
		return nil
	})
	if err != nil || s.sections == nil {
		return err
	}
	return s.sections.cut()
}

// Abort implements Sink.
func (s *sorter) Abort() {
	s.runs, s.parts, s.cols, s.order, s.disk = nil, nil, nil, nil, nil
	s.memory.release()
}

// sortSource yields the rows in order.
type sortSource struct{ s *sorter }

// Open implements Source.
func (s sortSource) Open(context.Context, *Driver) (SourceReader, error) {
	if len(s.s.disk) > 0 {
		return s.s.openSpilled()
	}
	return &sortReader{s: s.s, rows: batchRowsOf(s.s.rt)}, nil
}

type sortReader struct {
	s    *sorter
	rows int
	at   int
	mem  []vector.Vector
	out  vector.Batch
}

// Next implements SourceReader.
func (r *sortReader) Next(context.Context) (*vector.Batch, error) {
	return r.upTo(len(r.s.order)), nil
}

// upTo is the next batch of rows before end; nil when there are none.
func (r *sortReader) upTo(end int) *vector.Batch {
	rows := r.s.order[r.at:end]
	rows = rows[:min(len(rows), r.rows)]
	if len(rows) == 0 {
		return nil
	}
	r.at += len(rows)
	if r.mem == nil {
		r.mem = make([]vector.Vector, len(r.s.cols))
	}
	r.out = vector.Batch{Len: len(rows), Cols: r.out.Cols[:0]}
	for i, c := range r.s.cols {
		r.out.Cols = append(r.out.Cols, c.Gather(rows, &r.mem[i]))
	}
	return &r.out
}

// Close implements SourceReader.
func (r *sortReader) Close() {}
