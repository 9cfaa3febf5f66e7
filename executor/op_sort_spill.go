package executor

import (
	"bytes"
	"context"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// How a sort spills: a driver whose memory is refused sorts what it has and writes it as a
// run; when any run is on disk at the end, all go there, and the source merges them a block
// of each at a time. More runs than one merge takes are merged to fewer first.

// sortRun is a sorted sequence of rows on disk.
type sortRun struct {
	file   *spill.File
	blocks []spill.Block
}

const (
	// sortBlockRows is the number of rows of a run's block.
	sortBlockRows = 2048
	// sortFanIn is how many runs are merged at a time.
	sortFanIn = 64
)

// claim reserves what the writer holds and what sorting it will take, or spills.
func (w *sortWriter) claim() error {
	n, m := w.bytes(), w.s.memory
	switch {
	case !m.canSpill():
		return m.set(&w.held, n)
	case m.try(&w.held, n):
		return nil
	case n <= m.workspace():
		m.force(&w.held, n)
		return nil
	}
	return w.spill(sorting.NewRun(w.keys))
}

// spill writes the writer's rows, sorted as r, and empties it.
func (w *sortWriter) spill(r *sorting.Run) error {
	if n := int64(len(r.Order)); n >= w.s.keep {
		w.s.lower(bytes.Clone(w.keys.At(int(r.Order[w.s.keep-1].Row))))
	}
	if err := w.s.addToDisk(r, w.cols); err != nil {
		return err
	}
	w.keys, w.cols = w.encoder.NewKeys(), w.s.newColumns()
	w.s.memory.force(&w.held, w.bytes())
	return nil
}

func (s *sorter) columnTypes() []sqltype.Type {
	var out []sqltype.Type
	for _, c := range s.n.Input.Base().Cols {
		out = append(out, c.T)
	}
	return out
}

// addToDisk writes a run.
func (s *sorter) addToDisk(r *sorting.Run, cols []*vector.Vector) error {
	file, err := s.memory.area.Create(s.memory.counters())
	if err != nil {
		return err
	}
	run := &sortRun{file: file}
	codec := spill.NewCodec(s.columnTypes())
	order := r.Order[:min(int64(len(r.Order)), s.keep)]
	rows := make([]int32, 0, sortBlockRows)
	for len(order) > 0 {
		rows = rows[:0]
		for _, e := range order[:min(len(order), sortBlockRows)] {
			rows = append(rows, int32(e.Row))
		}
		order = order[len(rows):]
		b, err := file.Write(codec, cols, 0, rows)
		if err != nil {
			return err
		}
		run.blocks = append(run.blocks, b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk = append(s.disk, run)
	return nil
}

// spillRest brings all runs to disk when one is there already, or when putting them
// together would take more memory than there is; it reports whether they are.
func (s *sorter) spillRest(ctx context.Context) (bool, error) {
	if len(s.disk) == 0 {
		if !s.memory.canSpill() || len(s.runs) < 2 || s.memory.r.Budget().Available() > s.memory.r.Held()/2 {
			return false, nil
		}
	}
	err := parallelTasks(ctx, s.rt, s.rt.Instances, len(s.runs), func(_, i int) error {
		err := s.addToDisk(s.runs[i], s.parts[i])
		s.runs[i], s.parts[i] = nil, nil
		return err
	})
	if err != nil {
		return false, err
	}
	s.runs, s.parts = nil, nil
	s.memory.release()
	for _, r := range s.disk {
		for _, b := range r.blocks {
			s.total += int64(b.Rows)
		}
	}
	s.memory.noteSpill(len(s.disk), "runs")
	for len(s.disk) > sortFanIn {
		if err := s.mergeSome(ctx); err != nil {
			return false, err
		}
	}
	return true, nil
}

// mergeSome replaces the first runs by one.
func (s *sorter) mergeSome(ctx context.Context) error {
	m, err := newRunMerge(s, s.disk[:sortFanIn], sortBlockRows)
	if err != nil {
		return err
	}
	file, err := s.memory.area.Create(s.memory.counters())
	if err != nil {
		return err
	}
	out := &sortRun{file: file}
	codec := spill.NewCodec(s.columnTypes())
	for left := s.keep; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := m.next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		block, err := file.Write(codec, b.Cols, int(min(left, int64(b.Len))), nil)
		if err != nil {
			return err
		}
		left -= int64(block.Rows)
		out.blocks = append(out.blocks, block)
	}
	for _, r := range s.disk[:sortFanIn] {
		if err := r.file.Close(); err != nil {
			return err
		}
	}
	s.disk = append(s.disk[sortFanIn:], out)
	return nil
}

// runMerge yields the rows of runs in order.
type runMerge struct {
	s       *sorter
	rows    int // of a batch
	exprs   []*rowExpr
	vals    []*vector.Vector
	encoder *sorting.Encoder
	runs    []*runCursor
	tree    []int // a heap of cursors, the smallest key first

	from []int32 // by output row: its cursor
	row  []int32 // and row there
	out  vector.Batch
}

// runCursor is one run's current block.
type runCursor struct {
	run   *sortRun
	codec *spill.Codec
	cols  []*vector.Vector
	keys  *sorting.Keys
	at    int
	index int
}

func newRunMerge(s *sorter, runs []*sortRun, rows int) (*runMerge, error) {
	m := &runMerge{s: s, rows: rows}
	var err error
	if m.encoder, err = sorting.NewEncoder(s.keys); err != nil {
		return nil, err
	}
	if m.exprs, err = compileRowExprs(s.exprs, s.rt.Functions); err != nil {
		return nil, err
	}
	types := s.columnTypes()
	for _, t := range types {
		m.out.Cols = append(m.out.Cols, &vector.Vector{Type: t})
	}
	for i, r := range runs {
		c := &runCursor{run: &sortRun{file: r.file, blocks: r.blocks}, codec: spill.NewCodec(types), keys: m.encoder.NewKeys(), index: i}
		m.runs = append(m.runs, c)
		if more, err := m.refill(c); err != nil {
			return nil, err
		} else if more {
			m.tree = append(m.tree, i)
		}
	}
	for i := len(m.tree)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

// refill reads the next block of a run; false at its end.
func (m *runMerge) refill(c *runCursor) (bool, error) {
	if len(c.run.blocks) == 0 {
		return false, nil
	}
	b := c.run.blocks[0]
	c.run.blocks = c.run.blocks[1:]
	cols, _, err := c.run.file.Read(c.codec, b)
	if err != nil {
		return false, err
	}
	c.cols, c.at = cols, 0
	batch := vector.NewBatch(int(b.Rows), cols...)
	if m.vals, err = evalAll(m.exprs, batch, true, m.vals); err != nil {
		return false, err
	}
	c.keys.Reset()
	m.encoder.Append(c.keys, m.vals, batch.Len, nil)
	return true, nil
}

func (m *runMerge) less(a, b int) bool {
	x, y := m.runs[a], m.runs[b]
	c := bytes.Compare(x.keys.At(x.at), y.keys.At(y.at))
	return c < 0 || c == 0 && a < b
}

// sink moves entry i of the heap down to its place.
func (m *runMerge) sink(i int) {
	for {
		c := 2*i + 1
		if c >= len(m.tree) {
			return
		}
		if c+1 < len(m.tree) && m.less(m.tree[c+1], m.tree[c]) {
			c++
		}
		if !m.less(m.tree[c], m.tree[i]) {
			return
		}
		m.tree[i], m.tree[c] = m.tree[c], m.tree[i]
		i = c
	}
}

// next is the next rows, valid until the next call; nil at the end.
func (m *runMerge) next() (*vector.Batch, error) {
	m.from, m.row = m.from[:0], m.row[:0]
	var empty *runCursor
	for len(m.tree) > 0 && len(m.row) < m.rows && empty == nil {
		c := m.runs[m.tree[0]]
		m.from, m.row = append(m.from, int32(c.index)), append(m.row, int32(c.at))
		if c.at++; c.at == c.keys.Len() {
			empty = c // its rows must be copied before its block is replaced
			break
		}
		m.sink(0)
	}
	if len(m.row) == 0 {
		return nil, nil
	}
	m.gather()
	if empty == nil {
		return &m.out, nil
	}
	more, err := m.refill(empty)
	if err != nil {
		return nil, err
	}
	if !more {
		m.tree[0] = m.tree[len(m.tree)-1]
		m.tree = m.tree[:len(m.tree)-1]
	}
	m.sink(0)
	return &m.out, nil
}

// gather copies the chosen rows to out.
func (m *runMerge) gather() {
	m.out.Len = len(m.row)
	for i, v := range m.out.Cols {
		v.Reset(m.out.Len)
		switch t := v.Type.Physical(); {
		case t == sqltype.PhysString:
			m.gatherStrings(i, v)
		case t.Size() == 0:
			v.SetAllNull(m.out.Len)
			continue
		default:
			m.gatherFixed(i, v)
		}
		for k, c := range m.from {
			if src := m.runs[c].cols[i]; src.Valid != nil && src.IsNull(int(m.row[k])) {
				v.SetNull(k)
			}
		}
	}
}

func (m *runMerge) gatherFixed(i int, v *vector.Vector) {
	switch v.Type.Physical().Size() {
	case 1:
		gatherRuns[uint8](m, i, v)
	case 2:
		gatherRuns[uint16](m, i, v)
	case 4:
		gatherRuns[uint32](m, i, v)
	case 8:
		gatherRuns[uint64](m, i, v)
	default:
		gatherRuns[int128.Int](m, i, v)
	}
}

func gatherRuns[T vector.Fixed](m *runMerge, i int, v *vector.Vector) {
	src := make([][]T, len(m.runs))
	for c, r := range m.runs {
		if r.cols != nil {
			src[c] = vector.Values[T](r.cols[i])
		}
	}
	dst := vector.Values[T](v)
	for k, c := range m.from {
		s := src[c]
		if r := int(m.row[k]); r < len(s) {
			dst[k] = s[r]
		} else {
			dst[k] = s[0] // a constant NULL
		}
	}
}

// gatherStrings copies the bytes too: the blocks that they lie in are replaced.
func (m *runMerge) gatherStrings(i int, v *vector.Vector) {
	dst := vector.Values[vector.View](v)
	for k, c := range m.from {
		src := m.runs[c].cols[i]
		if r := int(m.row[k]); !src.IsNull(r) {
			dst[k] = v.AddBytes(src.Bytes(r))
		}
	}
}

// spilledReader yields the rows of a sort that spilled.
type spilledReader struct {
	s          *sorter
	m          *runMerge
	skip, left int64
}

func (s *sorter) openSpilled() (SourceReader, error) {
	m, err := newRunMerge(s, s.disk, batchRowsOf(s.rt))
	return &spilledReader{s: s, m: m, skip: s.n.Offset, left: s.keep}, err
}

// Next implements SourceReader.
func (r *spilledReader) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := r.m.next()
		if err != nil || b == nil || r.left <= 0 {
			return nil, err
		}
		n := int64(b.Len)
		lo, hi := min(r.skip, n), min(n, r.left)
		r.skip -= lo
		r.left -= hi
		switch {
		case lo >= hi:
		case lo == 0 && hi == n:
			return b, nil
		default:
			return b.View(int(lo), int(hi)), nil
		}
	}
}

// Close implements SourceReader.
func (r *spilledReader) Close() {}

// Idle implements retiring.
func (s sortSource) Idle() bool { return false }

// Retire implements retiring.
func (s sortSource) Retire() {
	for _, r := range s.s.disk {
		_ = r.file.Close() // the query's end tries again
	}
	s.s.Abort()
}
