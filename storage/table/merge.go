package table

import (
	"context"
	"fmt"
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Rewrite writes the rows of inputs, which have the columns of files, one after the other or, where the table is sorted, merged by its
// key, as one file of a partition and bucket of the sink's layout. Inputs are the files' own readers, in
// the order that equal keys shall have; they are closed. pause, when set, is called now and then, so that
// others may compute. Several may run at a time on one Sink.
func (s *Sink) Rewrite(ctx context.Context, p *storage.PartitionInfo, bucket int32, inputs []storage.Reader, pause func() error) (err error) {
	defer func() {
		for _, r := range inputs {
			r.Close()
		}
	}()
	folder := ""
	if r := s.o.Routing; r != nil && r.Folder != nil {
		folder = r.Folder(p)
	}
	out, err := s.start(folder, func(next int) string {
		return fmt.Sprintf("%06d_%d_%d%s", bucket, next, s.o.Txn, s.o.Format.Extension())
	})
	if err != nil {
		return err
	}
	m := &merge{ctx: ctx, schema: s.schema, keys: s.sorted, out: out, pause: pause}
	if err := m.run(inputs); err != nil {
		_ = s.closeFile(out.raw)
		return err
	}
	return out.finish(p.ID, bucket)
}

// merge joins sorted inputs. The inputs are kept by their current rows in an ordered list: the
// first one gives the rows that come before the second one's.
type merge struct {
	ctx    context.Context
	schema []storage.Column
	keys   []sortColumn
	out    *output
	pause  func() error
	full   int // batches written

	batch []*vector.Vector // rows to be written
	n     int
}

// input is one reader with its current batch, flat.
type input struct {
	r     storage.Reader
	order int
	cols  []*vector.Vector
	flat  []vector.Vector
	at, n int
}

func (m *merge) run(readers []storage.Reader) error {
	m.reset()
	var list []*input
	for i, r := range readers {
		in := &input{r: r, order: i, cols: make([]*vector.Vector, len(m.schema)), flat: make([]vector.Vector, len(m.schema))}
		if len(m.keys) == 0 {
			if err := m.copyAll(in); err != nil {
				return err
			}
			continue
		}
		more, err := in.next(m.ctx)
		if err != nil {
			return err
		}
		if more {
			list = append(list, in)
		}
	}
	slices.SortFunc(list, func(a, b *input) int { return m.compare(a, a.at, b) })
	for len(list) > 0 {
		first := list[0]
		end := first.n
		if len(list) > 1 {
			end = m.runOf(first, list[1])
		}
		if err := m.add(first, end); err != nil {
			return err
		}
		if first.at == first.n {
			more, err := first.next(m.ctx)
			if err != nil {
				return err
			}
			if !more {
				first.r.Close()
				list = list[1:]
				continue
			}
		}
		m.sink(list)
	}
	return m.flush()
}

// runOf is the end of the rows of a that come before b's current row.
func (m *merge) runOf(a, b *input) int {
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
func (m *merge) sink(list []*input) {
	first := list[0]
	lo, hi := 1, len(list) // the others are in order
	for lo < hi {
		if mid := (lo + hi) / 2; m.compare(first, first.at, list[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	copy(list, list[1:lo])
	list[lo-1] = first
}

// compare orders row of a and the current row of b by key, then by input.
func (m *merge) compare(a *input, row int, b *input) int {
	for _, k := range m.keys {
		x, y, less := a.cols[k.column], b.cols[k.column], -1
		if k.descending {
			less = 1
		}
		xn, yn := !x.Valid.Get(row), !y.Valid.Get(b.at)
		switch {
		case xn && yn:
			continue
		case xn:
			return less
		case yn:
			return -less
		}
		if c := compareRows(x, row, y, b.at); c != 0 {
			return -c * less
		}
	}
	return a.order - b.order
}

// next reads the next batch with rows; false at the end.
func (in *input) next(ctx context.Context) (bool, error) {
	for {
		b, err := in.r.Next(ctx)
		if err != nil || b == nil {
			return false, err
		}
		if in.n, in.at = b.NumRows(), 0; in.n == 0 {
			continue
		}
		for i, c := range b.Cols {
			in.cols[i] = c.Flatten(b.Sel, &in.flat[i])
		}
		return true, nil
	}
}

func (m *merge) copyAll(in *input) error {
	for {
		more, err := in.next(m.ctx)
		if err != nil {
			return err
		}
		if !more {
			in.r.Close()
			return nil
		}
		if err := m.add(in, in.n); err != nil {
			return err
		}
	}
}

// add copies the rows of in up to end.
func (m *merge) add(in *input, end int) error {
	for in.at < end {
		k := min(end-in.at, vector.BatchRows-m.n)
		for i, c := range in.cols {
			appendColumn(m.batch[i], m.n, c, in.at, in.at+k)
		}
		m.n += k
		in.at += k
		if m.n == vector.BatchRows {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset starts an empty batch.
func (m *merge) reset() {
	m.n = 0
	m.batch = make([]*vector.Vector, len(m.schema))
	for i, c := range m.schema {
		m.batch[i] = vector.New(c.Type, vector.BatchRows)
	}
}

func (m *merge) flush() error {
	if m.n == 0 {
		return nil
	}
	if err := interrupted(m.ctx); err != nil {
		return err
	}
	b := &vector.Batch{Cols: make([]*vector.Vector, len(m.batch)), Len: m.n}
	for i, c := range m.batch {
		b.Cols[i] = c.Slice(0, m.n)
	}
	if err := m.out.write(b); err != nil {
		return err
	}
	m.reset()
	if m.full++; m.full%16 == 0 && m.pause != nil {
		return m.pause()
	}
	return nil
}

// compareRows orders two non-null values of one type in two flat vectors.
func compareRows(x *vector.Vector, i int, y *vector.Vector, j int) int {
	switch x.Type.Physical() {
	case sqltype.PhysInt32:
		return compareTwo(vector.Values[int32](x)[i], vector.Values[int32](y)[j])
	case sqltype.PhysInt64:
		return compareTwo(vector.Values[int64](x)[i], vector.Values[int64](y)[j])
	case sqltype.PhysString:
		return vector.ViewCompare(&vector.Values[vector.View](x)[i], x.Bufs, &vector.Values[vector.View](y)[j], y.Bufs)
	}
	return x.Value(i).Compare(y.Value(j)) // rare as keys
}

func compareTwo[T int32 | int64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
