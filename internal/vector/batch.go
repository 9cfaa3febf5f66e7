package vector

// Batch is up to a few thousand rows of columns. Sel, when not nil, lists the live rows
// in ascending order; rows outside of it must not be read as data.
type Batch struct {
	Cols []*Vector
	Len  int // physical rows of every column
	Sel  []int32
}

// NewBatch makes a batch over cols, which all have the same length n.
func NewBatch(n int, cols ...*Vector) *Batch { return &Batch{Cols: cols, Len: n} }

// NumRows is the number of live rows.
func (b *Batch) NumRows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.Len
}

// View is live rows [lo, hi) of b, sharing memory.
func (b *Batch) View(lo, hi int) *Batch {
	if b.Sel != nil {
		return &Batch{Cols: b.Cols, Len: b.Len, Sel: b.Sel[lo:hi]}
	}
	out := &Batch{Cols: make([]*Vector, len(b.Cols)), Len: hi - lo}
	for i, c := range b.Cols {
		out.Cols[i] = c.Slice(lo, hi)
	}
	return out
}

// Row is the physical row of the i-th live row.
func (b *Batch) Row(i int) int {
	if b.Sel != nil {
		return int(b.Sel[i])
	}
	return i
}

// Copy is a dense, flat copy of the live rows that shares nothing with b.
func (b *Batch) Copy() *Batch {
	out := &Batch{Cols: make([]*Vector, len(b.Cols)), Len: b.NumRows()}
	for i, c := range b.Cols {
		out.Cols[i] = CopyOf(c, b.Sel)
	}
	return out
}

// Bytesize is the memory that the columns refer to.
func (b *Batch) Bytesize() int64 {
	var n int64
	for _, c := range b.Cols {
		n += c.Bytesize()
	}
	return n
}
