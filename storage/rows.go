package storage

import "github.com/basaltdb/basalt/internal/vector"

// RowBuilder collects rows of scalar values into batches: for metadata, SHOW and other
// small results, never for data.
type RowBuilder struct {
	cols    []Column
	batches []*vector.Batch
}

// NewRowBuilder makes an empty builder.
func NewRowBuilder(cols []Column) *RowBuilder { return &RowBuilder{cols: cols} }

// Add appends one row. NULLs may be of any type; other values must have the layout of
// their column.
func (b *RowBuilder) Add(vals ...vector.Value) {
	last := len(b.batches) - 1
	if last < 0 || b.batches[last].Len == vector.BatchRows {
		batch := &vector.Batch{Cols: make([]*vector.Vector, len(b.cols))}
		for i, c := range b.cols {
			batch.Cols[i] = vector.New(c.Type, 0)
		}
		b.batches = append(b.batches, batch)
		last++
	}
	batch := b.batches[last]
	for i, c := range batch.Cols {
		c.Grow(batch.Len + 1)
		c.SetValue(batch.Len, vals[i])
	}
	batch.Len++
}

// Batches are the rows so far; the builder must not be used any more.
func (b *RowBuilder) Batches() []*vector.Batch { return b.batches }
