package optest

import (
	"context"
	"fmt"
	"math/rand"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Table is a source in memory. Its batches can have any form, and dead rows.
type Table struct {
	types   []sqltype.Type
	batches []*vector.Batch
	// Fail is what reading ends with, after all rows.
	Fail error
}

// NewTable makes a table of one batch.
func NewTable(types []sqltype.Type, rows Rows) *Table {
	t := &Table{types: types}
	t.batches = []*vector.Batch{{Cols: columns(types, rows), Len: len(rows)}}
	return t
}

// FromBatches makes a table of batches, which must not change any more.
func FromBatches(types []sqltype.Type, batches ...*vector.Batch) *Table {
	return &Table{types: types, batches: batches}
}

// Cut makes batches of at most n rows.
func (t *Table) Cut(n int) {
	var out []*vector.Batch
	for _, b := range t.batches {
		for lo := 0; lo < b.NumRows(); lo += n {
			out = append(out, b.View(lo, min(lo+n, b.NumRows())))
		}
	}
	t.batches = out
}

// Vary cuts the table into batches of one to n rows, makes columns dictionaries, or
// constants where a batch has one value only, and puts dead rows between the live ones.
func (t *Table) Vary(rng *rand.Rand, n int) {
	all := t.batches[0]
	t.batches = nil
	for lo := 0; lo < all.Len; {
		hi := min(lo+1+rng.Intn(n), all.Len)
		b := &vector.Batch{}
		var rows []int32 // of all, by physical row
		for r := lo; r < hi; r++ {
			for rng.Intn(3) == 0 {
				rows = append(rows, int32(rng.Intn(all.Len))) // dead
			}
			b.Sel = append(b.Sel, int32(len(rows)))
			rows = append(rows, int32(r))
		}
		if b.Len = len(rows); len(b.Sel) == b.Len {
			b.Sel = nil
		}
		for _, c := range all.Cols {
			b.Cols = append(b.Cols, vary(rng, vector.CopyOf(c, rows), b.Sel))
		}
		t.batches = append(t.batches, b)
		lo = hi
	}
}

// vary gives v, flat, some form.
func vary(rng *rand.Rand, v *vector.Vector, sel []int32) *vector.Vector {
	if v.Type.Physical() == sqltype.PhysNone {
		return v
	}
	switch rng.Intn(3) {
	case 0:
		return v
	case 1:
		first := 0
		if sel != nil {
			first = int(sel[0])
		}
		x := v.Value(first)
		for i := range v.Len {
			y := v.Value(i)
			if y.Null != x.Null || !x.Null && (y.F != x.F || y.I != x.I || y.S != x.S) {
				return v
			}
		}
		return vector.NewConstant(x, v.Len)
	}
	codes := make([]int32, v.Len)
	perm := rng.Perm(v.Len)
	dict := vector.New(v.Type, v.Len+1)
	for i, p := range perm {
		codes[i] = int32(p)
		if !v.IsNull(i) {
			dict.SetValue(p, v.Value(i))
		}
	}
	return vector.NewDictionary(dict, codes, v.Valid)
}

// Scan reads all columns of the table.
func (t *Table) Scan(id physical.NodeID) *physical.Scan {
	s := &physical.Scan{Info: physical.Info{ID: id, Cols: Columns(t.types...), Rows: -1}, Table: "t", Source: t, Limit: -1}
	for i := range t.types {
		s.Columns = append(s.Columns, i)
	}
	return s
}

// Columns implements storage.Source.
func (t *Table) Columns() []storage.Column {
	out := make([]storage.Column, len(t.types))
	for i, typ := range t.types {
		out[i] = storage.Column{Name: fmt.Sprintf("c%d", i), Type: typ, Nullable: true}
	}
	return out
}

// Stats implements storage.Source: nothing is known.
func (t *Table) Stats() *storage.Stats { return &storage.Stats{Rows: -1, Bytes: -1} }

// tableSplit is every so many batches of a table.
type tableSplit struct{ from, to int }

// Rows implements storage.Split.
func (s tableSplit) Rows() int64 { return int64(s.to - s.from) }

func (s tableSplit) String() string { return fmt.Sprintf("batches %d to %d", s.from, s.to) }

// Splits implements storage.Source: two batches a split.
func (t *Table) Splits(context.Context, *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	for i := 0; i < len(t.batches); i += 2 {
		out = append(out, tableSplit{i, min(i+2, len(t.batches))})
	}
	if t.Fail != nil && len(out) == 0 {
		out = append(out, tableSplit{})
	}
	return out, nil
}

// Open implements storage.Source.
func (t *Table) Open(_ context.Context, split storage.Split, req *storage.ScanRequest) (storage.Reader, error) {
	chain, err := storage.NewFilterChain(req)
	if err != nil {
		return nil, err
	}
	s := split.(tableSplit)
	return &tableReader{t: t, req: req, chain: chain, at: s.from, to: s.to}, nil
}

type tableReader struct {
	t      *Table
	req    *storage.ScanRequest
	chain  storage.FilterChain
	at, to int
}

// Next implements storage.Reader.
func (r *tableReader) Next(ctx context.Context) (*vector.Batch, error) {
	for r.at < r.to {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := r.chain.Apply(r.t.batches[r.at], r.req.Columns)
		r.at++
		if b == nil && err == nil {
			continue
		}
		if err == nil {
			// A header of its own, as readers have: what the last batch held is not to be relied on.
			own := *b
			return &own, nil
		}
		return nil, err
	}
	if r.at >= len(r.t.batches) && r.t.Fail != nil {
		return nil, r.t.Fail
	}
	return nil, nil
}

// Close implements storage.Reader.
func (r *tableReader) Close() {}
