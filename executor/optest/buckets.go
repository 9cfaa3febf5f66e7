package optest

import (
	"context"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Buckets is a table in memory whose rows lie in partitions and hash buckets, as those of
// tables of files do.
type Buckets struct {
	*Table
	layout *storage.Layout
	sel    *storage.Selection
	parts  [][]*Table // by partition and bucket
}

// NewBuckets deals rows to partitions in turn and, inside, to buckets by the hash of cols.
func NewBuckets(types []sqltype.Type, rows Rows, hash bucket.Hash, cols []int, buckets, partitions int) *Buckets {
	b := &Buckets{Table: NewTable(types, rows), layout: &storage.Layout{
		Group: "g", GroupStable: true,
		Bucketing: &storage.Bucketing{Hash: hash, Columns: cols, Buckets: buckets, Trusted: true},
	}}
	parts := make([][]Rows, partitions)
	for p := range parts {
		parts[p] = make([]Rows, buckets)
		b.layout.Partitions = append(b.layout.Partitions, storage.PartitionInfo{ID: int64(p), Buckets: buckets})
	}
	for i, row := range rows {
		tuple := make([]vector.Value, len(cols))
		for k, c := range cols {
			tuple[k] = Value(types[c], row[c])
		}
		p, n := i%partitions, hash.Number(tuple, buckets)
		parts[p][n] = append(parts[p][n], row)
	}
	for _, list := range parts {
		var tables []*Table
		for _, r := range list {
			tables = append(tables, NewTable(types, r))
		}
		b.parts = append(b.parts, tables)
	}
	b.sel = b.layout.Full()
	return b
}

// Change has every bucket's rows cut or varied by f.
func (b *Buckets) Change(f func(*Table)) {
	for _, list := range b.parts {
		for _, t := range list {
			if len(t.batches) > 0 && t.batches[0].Len > 0 {
				f(t)
			}
		}
	}
}

// Layout implements storage.Partitioned.
func (b *Buckets) Layout() *storage.Layout { return b.layout }

// Selection implements storage.Partitioned.
func (b *Buckets) Selection() *storage.Selection { return b.sel }

// Restrict implements storage.Partitioned.
func (b *Buckets) Restrict(sel *storage.Selection) storage.Partitioned {
	out := *b
	out.sel = sel
	return &out
}

// Stats implements storage.Source: the number of rows is known.
func (b *Buckets) Stats() *storage.Stats {
	rows := int64(0)
	b.each(func(t *Table) {
		for _, x := range t.batches {
			rows += int64(x.NumRows())
		}
	})
	return &storage.Stats{Rows: rows, Bytes: -1}
}

func (b *Buckets) each(f func(t *Table)) {
	for i, p := range b.sel.Partitions {
		buckets, all := b.sel.BucketsOf(i)
		for n, t := range b.parts[p] {
			keep := all
			for _, x := range buckets {
				keep = keep || int(x) == n
			}
			if keep {
				f(t)
			}
		}
	}
}

// bucketSplit is a split of one bucket's table.
type bucketSplit struct {
	tableSplit
	t *Table
}

// Splits implements storage.Source.
func (b *Buckets) Splits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	var out []storage.Split
	var first error
	b.each(func(t *Table) {
		splits, err := t.Splits(ctx, req)
		if err != nil {
			first = err
		}
		for _, s := range splits {
			out = append(out, bucketSplit{s.(tableSplit), t})
		}
	})
	return out, first
}

// Open implements storage.Source.
func (b *Buckets) Open(ctx context.Context, split storage.Split, req *storage.ScanRequest) (storage.Reader, error) {
	s := split.(bucketSplit)
	return s.t.Open(ctx, s.tableSplit, req)
}

// Scan reads all columns of the selection.
func (b *Buckets) Scan(id physical.NodeID) *physical.Scan {
	s := b.Table.Scan(id)
	s.Source, s.Selection = b, b.sel
	return s
}

// BucketsOf is a table of one partition whose buckets are given as batches, which must be
// those that the hash of cols gives.
func BucketsOf(types []sqltype.Type, hash bucket.Hash, cols []int, buckets [][]*vector.Batch) *Buckets {
	b := &Buckets{Table: &Table{types: types}, layout: &storage.Layout{
		Group: "g", GroupStable: true, Partitions: []storage.PartitionInfo{{Buckets: len(buckets)}},
		Bucketing: &storage.Bucketing{Hash: hash, Columns: cols, Buckets: len(buckets), Trusted: true},
	}, parts: make([][]*Table, 1)}
	for _, list := range buckets {
		b.parts[0] = append(b.parts[0], FromBatches(types, list...))
	}
	b.sel = b.layout.Full()
	return b
}
