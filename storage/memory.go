package storage

import (
	"context"
	"fmt"

	"github.com/basaltdb/basalt/internal/vector"
)

// Memory is a Source over rows that are made when a scan starts: metadata tables, tests,
// results. Fill is called once a scan and gives batches of all columns; it may be called
// again for another scan.
type Memory struct {
	Schema []Column
	Fill   func(ctx context.Context) ([]*vector.Batch, error)
	Size   int64 // rows, for planning; -1: unknown
}

// Columns implements Source.
func (m *Memory) Columns() []Column { return m.Schema }

// Stats implements Source.
func (m *Memory) Stats() *Stats { return &Stats{Rows: m.Size, Bytes: -1} }

type memorySplit struct{ batches []*vector.Batch }

func (s *memorySplit) Rows() int64 {
	var n int64
	for _, b := range s.batches {
		n += int64(b.NumRows())
	}
	return n
}

func (s *memorySplit) String() string { return fmt.Sprintf("%d batches in memory", len(s.batches)) }

// Splits implements Source: one split with everything.
func (m *Memory) Splits(ctx context.Context, _ *ScanRequest) ([]Split, error) {
	b, err := m.Fill(ctx)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return []Split{&memorySplit{b}}, nil
}

// Open implements Source.
func (m *Memory) Open(_ context.Context, split Split, req *ScanRequest) (Reader, error) {
	f, err := NewFilterChain(req)
	if err != nil {
		return nil, err
	}
	return &memoryReader{batches: split.(*memorySplit).batches, req: req, filters: f}, nil
}

type memoryReader struct {
	batches []*vector.Batch
	pos     int // row in batches[0]
	req     *ScanRequest
	filters FilterChain
}

func (r *memoryReader) Close() { r.batches = nil }

func (r *memoryReader) Next(ctx context.Context) (*vector.Batch, error) {
	limit := r.req.BatchRows
	if limit <= 0 {
		limit = vector.BatchRows
	}
	for len(r.batches) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := r.batches[0]
		lo, hi := r.pos, min(r.pos+limit, b.NumRows())
		r.pos = hi
		if hi == b.NumRows() {
			r.batches, r.pos = r.batches[1:], 0
		}
		if lo == hi {
			continue
		}
		out, err := r.filters.Apply(b.View(lo, hi), r.req.Columns)
		if err != nil || out != nil {
			return out, err
		}
	}
	return nil, nil
}

// FilterChain applies a request's filters to batches that hold all columns of a source,
// for sources that do not decode lazily. One goroutine uses it.
type FilterChain struct {
	columns [][]int
	funcs   []FilterFunc
	count   *ScanCounters
}

// NewFilterChain makes the filter functions of one reader.
func NewFilterChain(req *ScanRequest) (FilterChain, error) {
	c := FilterChain{count: req.Counters}
	for _, f := range req.Filters {
		fn, err := f.New()
		if err != nil {
			return c, err
		}
		c.columns = append(c.columns, f.Columns)
		c.funcs = append(c.funcs, fn)
	}
	return c, nil
}

// Apply filters in, whose columns are by source ordinal, and returns the requested columns of
// the rows that passed, nil when none did.
func (c *FilterChain) Apply(in *vector.Batch, columns []int) (*vector.Batch, error) {
	sel := in.Sel
	if c.count != nil {
		c.count.RowsRead.Add(int64(in.NumRows()))
	}
	for i, fn := range c.funcs {
		cols := make([]*vector.Vector, len(c.columns[i]))
		for k, o := range c.columns[i] {
			cols[k] = in.Cols[o]
		}
		before, err := len(sel), error(nil)
		if sel == nil {
			before = in.Len
		}
		if sel, err = fn(cols, in.Len, sel); err != nil {
			return nil, err
		}
		if c.count != nil {
			c.count.RowsFiltered.Add(int64(before - len(sel)))
		}
		if len(sel) == 0 {
			return nil, nil
		}
	}
	out := &vector.Batch{Len: in.Len, Sel: sel, Cols: make([]*vector.Vector, len(columns))}
	for k, o := range columns {
		out.Cols[k] = in.Cols[o]
	}
	return out, nil
}
