package keyorder

import (
	"context"
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Merger joins sorted inputs into one that is sorted. It is a storage.Reader: batches are flat and full, but for
// the last one and those that merging made shorter.
//
// The inputs are kept by their current rows in an ordered list: the first one gives the rows that come
// before the second one's.
type Merger struct {
	types   []sqltype.Type
	order   []Key
	merging *collapser // nil: every row stays
	waiting []*input   // not read yet
	list    []*input
	opened  bool

	rows  rowBuffer // to be handed out
	other rowBuffer // the memory of the batch before
	out   vector.Batch
}

// input is one reader with its current batch, flat.
type input struct {
	r     storage.Reader
	rank  int
	cols  []*vector.Vector
	flat  []vector.Vector
	words []uint64 // of the first key column; nil without keys
	at, n int
}

// NewMerger merges readers, whose batches have columns of types and are sorted by the columns order; rows that are
// equal come in the order of readers. Without order they come one reader after the other. m, when not nil,
// makes rows of one key one row. The readers belong to the Merger.
func NewMerger(readers []storage.Reader, types []sqltype.Type, order []Key, m *Merging) (*Merger, error) {
	out := &Merger{types: types, order: order}
	for i, r := range readers {
		out.waiting = append(out.waiting, &input{r: r, rank: i, cols: make([]*vector.Vector, len(types)), flat: make([]vector.Vector, len(types))})
	}
	if m != nil {
		c, err := newCollapser(m, types)
		if err != nil {
			out.Close()
			return nil, err
		}
		out.merging = c
	}
	return out, nil
}

// Close implements storage.Reader.
func (m *Merger) Close() {
	for _, in := range m.waiting {
		in.r.Close()
	}
	for _, in := range m.list {
		in.r.Close()
	}
	m.waiting, m.list, m.opened = nil, nil, true
}

// open reads the first batch of each input.
func (m *Merger) open(ctx context.Context) error {
	m.opened = true
	m.rows.reset(m.types)
	if len(m.order) == 0 {
		return nil
	}
	for len(m.waiting) > 0 {
		in := m.waiting[0]
		more, err := m.advance(ctx, in)
		if err != nil {
			return err
		}
		m.waiting = m.waiting[1:]
		if more {
			m.list = append(m.list, in)
		}
	}
	slices.SortFunc(m.list, func(a, b *input) int { return m.compare(a, a.at, b) })
	return nil
}

// advance reads the next batch of in; false at its end, when it is closed.
func (m *Merger) advance(ctx context.Context, in *input) (bool, error) {
	for {
		b, err := in.r.Next(ctx)
		if err != nil {
			return false, err
		}
		if b == nil {
			in.r.Close()
			return false, nil
		}
		if in.n, in.at = b.NumRows(), 0; in.n == 0 {
			continue
		}
		for i, c := range b.Cols {
			in.cols[i] = c.Flatten(b.Sel, &in.flat[i])
		}
		if len(m.order) > 0 {
			in.words = firstWords(in.words, in.cols[m.order[0].Column], in.n, m.order[0].Descending)
		}
		return true, nil
	}
}

// Next implements storage.Reader.
func (m *Merger) Next(ctx context.Context) (*vector.Batch, error) {
	if !m.opened {
		if err := m.open(ctx); err != nil {
			return nil, err
		}
	}
	for {
		if err := m.fill(ctx); err != nil {
			return nil, err
		}
		if m.rows.n == 0 {
			return nil, nil
		}
		m.rows, m.other = m.other, m.rows
		m.rows.reset(m.types)
		cols, n := m.other.cols, m.other.n
		if m.merging != nil {
			var err error
			if cols, n, err = m.merging.collapse(&m.other); err != nil {
				return nil, err
			}
			// The last row may have more to come.
			if len(m.list) > 0 && same(cols, n-1, m.list[0].cols, m.list[0].at, m.merging.Keys) {
				n--
				m.rows.append(cols, n, n+1)
			}
		}
		if n == 0 {
			continue
		}
		m.out = vector.Batch{Cols: m.out.Cols[:0], Len: n}
		for _, c := range cols {
			m.out.Cols = append(m.out.Cols, c.Slice(0, n))
		}
		return &m.out, nil
	}
}

// fill adds rows until the buffer is full or the inputs end.
func (m *Merger) fill(ctx context.Context) error {
	for m.rows.n < vector.BatchRows {
		if len(m.list) == 0 {
			if len(m.waiting) == 0 {
				return nil
			}
			in := m.waiting[0] // without order
			more, err := m.advance(ctx, in)
			if err != nil {
				return err
			}
			m.waiting = m.waiting[1:]
			if more {
				m.list = append(m.list, in)
			}
			continue
		}
		first := m.list[0]
		end := first.n
		if len(m.list) > 1 {
			end = m.runOf(first, m.list[1])
		}
		end = min(end, first.at+vector.BatchRows-m.rows.n)
		if m.merging != nil {
			m.merging.mark(&m.rows, first, end)
		}
		m.rows.append(first.cols, first.at, end)
		first.at = end
		if first.at == first.n {
			more, err := m.advance(ctx, first)
			if err != nil {
				return err
			}
			if !more {
				m.list = m.list[1:]
				continue
			}
		}
		if len(m.list) > 1 {
			m.sink()
		}
	}
	return nil
}

// runOf is the end of the rows of a that come before b's current row.
func (m *Merger) runOf(a, b *input) int {
	lo, step := a.at, 1 // its current row does
	for lo+step < a.n && m.compare(a, lo+step, b) < 0 {
		lo += step
		step *= 2
	}
	hi := min(lo+step, a.n)
	for lo+1 < hi { // lo comes before b, hi does not
		if mid := (lo + hi) / 2; m.compare(a, mid, b) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1
}

// sink moves the first input to where its current row belongs.
func (m *Merger) sink() {
	first := m.list[0]
	lo, hi := 1, len(m.list) // the others are in order
	for lo < hi {
		if mid := (lo + hi) / 2; m.compare(first, first.at, m.list[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	copy(m.list, m.list[1:lo])
	m.list[lo-1] = first
}

// compare orders row of a and the current row of b by key, then by input.
func (m *Merger) compare(a *input, row int, b *input) int {
	if c := m.compareKeys(a, row, b, b.at); c != 0 {
		return c
	}
	return a.rank - b.rank
}

// compareKeys orders row i of a and row j of b by key.
func (m *Merger) compareKeys(a *input, i int, b *input, j int) int {
	switch x, y := a.words[i], b.words[j]; {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return compare(a.cols, i, b.cols, j, m.order)
}

// firstWords are numbers that order as far as they differ as the values of v do, NULL first; or the other way round.
func firstWords(dst []uint64, v *vector.Vector, n int, descending bool) []uint64 {
	const sign = 1 << 63
	dst = slices.Grow(dst[:0], n)[:n]
	switch v.Type.Physical() {
	case sqltype.PhysInt32:
		for i, x := range vector.Values[int32](v)[:n] {
			dst[i] = uint64(x) ^ sign
		}
	case sqltype.PhysInt64:
		for i, x := range vector.Values[int64](v)[:n] {
			dst[i] = uint64(x) ^ sign
		}
	case sqltype.PhysString:
		for i, x := range vector.Values[vector.View](v)[:n] {
			dst[i] = stringWord(x.Bytes(v.Bufs), 0)
		}
	default:
		clear(dst)
	}
	if v.Valid != nil {
		for i := range dst {
			if !v.Valid.Get(i) {
				dst[i] = 0
			}
		}
	}
	if descending {
		for i := range dst {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// rowBuffer is up to vector.BatchRows rows, copied, in memory that is used again.
type rowBuffer struct {
	cols   []*vector.Vector
	n      int
	starts []int32 // first rows of each key, while rows are merged
}

func (b *rowBuffer) reset(types []sqltype.Type) {
	if b.cols == nil {
		for _, t := range types {
			b.cols = append(b.cols, &vector.Vector{Type: t})
		}
	}
	for _, c := range b.cols {
		c.Reset(vector.BatchRows)
	}
	b.n, b.starts = 0, b.starts[:0]
}

// append copies rows [lo, hi) of cols.
func (b *rowBuffer) append(cols []*vector.Vector, lo, hi int) {
	for i, c := range cols {
		CopyRows(b.cols[i], b.n, c, lo, hi)
	}
	if len(b.starts) == 0 {
		b.starts = append(b.starts, 0)
	}
	b.n += hi - lo
}

// CopyRows copies rows [lo, hi) of the flat vector v to dst, which has room, from row at on. It returns the
// bytes beyond dst's fixed part.
func CopyRows(dst *vector.Vector, at int, v *vector.Vector, lo, hi int) int64 {
	var extra int64
	if v.Type.Physical() == sqltype.PhysString {
		src, out := vector.Values[vector.View](v), vector.Values[vector.View](dst)[at:]
		for i := lo; i < hi; i++ {
			if s := &src[i]; s.IsInline() {
				out[i-lo] = *s
			} else {
				extra += int64(s.Len())
				out[i-lo] = dst.AddBytes(s.Bytes(v.Bufs))
			}
		}
	} else {
		w := v.Type.Physical().Size()
		copy(dst.Data[at*w:], v.Data[lo*w:hi*w])
	}
	if v.Valid != nil {
		for i := lo; i < hi; i++ {
			if !v.Valid.Get(i) {
				dst.SetNull(at + i - lo)
			}
		}
	}
	return extra
}
