package orc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// denseShare decides how the columns after a filter are read: when fewer than one row in
// denseShare survives, only the survivors are decoded and the batch is compacted;
// otherwise whole windows are decoded and the batch carries a selection.
const denseShare = 8

// rowRange is rows [lo, hi) of a row group.
type rowRange struct{ lo, hi int64 }

// reader is the storage.Reader of rows of one stripe.
type reader struct {
	name    string
	in      *input
	ranges  []rowRange // rows to visit, ascending
	columns []*readColumn
	filters []readFilter
	output  []*readColumn
	batch   vector.Batch
	size    int64 // rows of a window
	first   int64 // the file's number of row 0
	deleted *rowset.Set
	alive   []int32 // rows of a window that are not deleted
	count   *storage.ScanCounters
	cols    []*vector.Vector
	rows    []int32 // physical rows of a dense window
	err     error
	closed  bool
}

// readColumn is a column that a reader needs: of the file, or missing in it.
type readColumn struct {
	column *column       // nil: NULL in every row
	cast   *widen.Caster // nil: the file has the table's type
	typ    storage.Column
	null   vector.Vector
	rows   *vector.Vector // storage.RowNumber: its memory
	first  int64          // … and the file's number of row 0

	windows storage.CachedWindows

	vec    *vector.Vector // in the current window
	have   bool
	dense  bool
	gather [2]gathered
	flip   int
}

// readFilter is a filter with its columns.
type readFilter struct {
	columns []*readColumn
	fn      storage.FilterFunc
	args    []*vector.Vector
}

// Next implements storage.Reader.
func (r *reader) Next(ctx context.Context) (b *vector.Batch, err error) {
	if r.err != nil {
		return nil, r.err
	}
	defer func() { r.err = err }()
	for len(r.ranges) > 0 {
		if ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
		g := &r.ranges[0]
		row, n := g.lo, int(min(r.size, g.hi-g.lo))
		g.lo += int64(n)
		if g.lo == g.hi {
			r.ranges = r.ranges[1:]
		}
		b, err := r.window(row, n)
		if err != nil || b != nil {
			return b, err
		}
	}
	return nil, nil
}

// interrupted is why ctx ended.
func interrupted(ctx context.Context) error {
	var e *sqlerr.Error
	if errors.As(context.Cause(ctx), &e) {
		return e
	}
	return sqlerr.New(sqlerr.Interrupted, "Query execution was interrupted")
}

// window reads rows [row, row+n); nil when none survives the filters.
func (r *reader) window(row int64, n int) (*vector.Batch, error) {
	for _, c := range r.columns {
		c.have, c.dense = false, false
	}
	live := n         // physical rows of the vectors
	var sel []int32   // among live
	var dense []int32 // live rows as rows of the window; nil: all
	if rest, all := r.deleted.Others(r.alive[:0], r.first+row, n); !all {
		r.alive = rest
		switch {
		case len(rest) == 0:
			return nil, nil
		case len(rest)*denseShare <= n:
			r.rows = append(r.rows[:0], rest...)
			dense, live = r.rows, len(rest)
		default:
			sel = rest
		}
	}
	if r.count != nil {
		read := live
		if sel != nil {
			read = len(sel)
		}
		r.count.RowsRead.Add(int64(read))
	}
	for i := range r.filters {
		f := &r.filters[i]
		for k, c := range f.columns {
			v, err := c.get(row, n, dense)
			if err != nil {
				return nil, err
			}
			f.args[k] = v
		}
		before := live
		if sel != nil {
			before = len(sel)
		}
		next, err := f.fn(f.args, live, sel)
		if err != nil {
			return nil, err
		}
		if r.count != nil {
			r.count.RowsFiltered.Add(int64(before - len(next)))
		}
		if len(next) == 0 {
			return nil, nil
		}
		if len(next) == live {
			continue
		}
		if len(next)*denseShare <= live || dense != nil {
			r.rows = composeRows(r.rows, dense, next)
			dense = r.rows
			for _, c := range r.columns {
				c.compact(next)
			}
			live, sel = len(next), nil
			continue
		}
		sel = next
	}
	for k, c := range r.output {
		v, err := c.get(row, n, dense)
		if err != nil {
			return nil, err
		}
		r.cols[k] = v
	}
	r.batch = vector.Batch{Cols: r.cols, Len: live, Sel: sel}
	return &r.batch, nil
}

// composeRows is dense[next[i]], or next where dense is nil, in dst's memory. dst may be
// dense itself.
func composeRows(dst, dense, next []int32) []int32 {
	if dense == nil {
		return append(dst[:0], next...)
	}
	for i, x := range next {
		dst[i] = dense[x]
	}
	return dst[:len(next)]
}

// get returns the column in the window: all n rows, or only the dense ones.
func (c *readColumn) get(row int64, n int, dense []int32) (*vector.Vector, error) {
	if c.have {
		return c.vec, nil
	}
	v, err := c.windows.Get(row, n, dense)
	if err == nil && c.cast != nil {
		v, err = c.cast.Apply(v)
	}
	c.vec, c.have, c.dense = v, err == nil, dense != nil
	return v, err
}

// decode reads the column from the file. Panics are turned into errors here, and not
// further up, so that those of a filter function stay what they are.
func (c *readColumn) decode(row int64, n int, dense []int32) (v *vector.Vector, err error) {
	if c.rows != nil {
		return c.numbers(row, n, dense), nil
	}
	if c.column == nil {
		c.null.Len = n
		if dense != nil {
			c.null.Len = len(dense)
		}
		return &c.null, nil
	}
	defer storage.RecoverCorrupt("ORC", c.column.f.path, &err)
	if dense != nil {
		return c.column.pick(row, dense)
	}
	return c.column.read(row, n)
}

// numbers are the file's numbers of rows of the window.
func (c *readColumn) numbers(row int64, n int, dense []int32) *vector.Vector {
	if dense != nil {
		n = len(dense)
	}
	c.rows.Reset(n)
	for i := range vector.Values[int64](c.rows) {
		at := int64(i)
		if dense != nil {
			at = int64(dense[i])
		}
		vector.Values[int64](c.rows)[i] = c.first + row + at
	}
	return c.rows
}

// gathered is memory of a compacted vector.
type gathered struct {
	vec   vector.Vector
	data  []byte
	codes []int32
	valid vector.Bitmap
}

// compact keeps only the rows sel of a vector that was read already. Two memories take
// turns, because a vector may be compacted after each of several filters.
func (c *readColumn) compact(sel []int32) {
	if !c.have {
		return
	}
	g := &c.gather[c.flip]
	c.flip ^= 1
	c.vec = g.take(c.vec, sel)
}

func (g *gathered) take(v *vector.Vector, sel []int32) *vector.Vector {
	n := len(sel)
	out := &g.vec
	*out = vector.Vector{Type: v.Type, Form: v.Form, Len: n}
	switch v.Form {
	case vector.Constant:
		out.Data, out.Valid, out.Bufs = v.Data, v.Valid, v.Bufs
		return out
	case vector.Dictionary:
		if cap(g.codes) < n {
			g.codes = make([]int32, max(n, vector.BatchRows/denseShare))
		}
		out.Codes, out.Dict = g.codes[:n], v.Dict
		for i, r := range sel {
			out.Codes[i] = v.Codes[r]
		}
	default:
		w := v.Type.Physical().Size()
		if len(g.data) < n*w {
			g.data = alignedBytes(max(n, vector.BatchRows/denseShare) * w)
		}
		out.Data, out.Bufs = g.data[:n*w], v.Bufs
		gatherFixed(out.Data, v.Data, w, sel)
	}
	if v.Valid != nil {
		words := (n + 63) / 64
		if cap(g.valid) < words {
			g.valid = make(vector.Bitmap, max(words, 64))
		}
		out.Valid = g.valid[:words]
		clear(out.Valid)
		for i, r := range sel {
			out.Valid[i>>6] |= v.Valid[r>>6] >> (uint(r) & 63) & 1 << (uint(i) & 63)
		}
	}
	return out
}

// Close implements storage.Reader.
func (r *reader) Close() {
	if r.closed {
		return
	}
	r.closed = true
	for _, c := range r.columns {
		if c.column != nil {
			c.column.close()
		}
	}
	r.in.file.Close()
	r.err = sqlerr.New(sqlerr.Internal, "reading %s after its end", r.name)
}

// open makes the reader of a split.
func (s *Source) open(sp *split, req *storage.ScanRequest) (*reader, error) {
	f := sp.file
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	r := &reader{name: f.path, count: req.Counters, size: int64(req.BatchRows)}
	r.in = &input{file: file, path: f.path, codec: f.tail.codec, block: f.tail.block}
	r.in.mem.budget = req.Budget
	r.deleted = req.Deleted
	for i := range sp.stripe {
		r.first += f.stripes[i].rows
	}
	if req.Counters != nil {
		r.in.bytes, r.in.chunks = &req.Counters.BytesRead, &req.Counters.PagesRead
	}
	if r.size <= 0 {
		r.size = vector.BatchRows
	}
	if err := s.openColumns(r, sp, req); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// openColumns opens what the request reads, and finds out which rows it must visit.
func (s *Source) openColumns(r *reader, sp *split, req *storage.ScanRequest) error {
	f := sp.file
	footer, err := f.stripeFooter(r.in.file, sp.stripe)
	if err != nil {
		return err
	}
	byOrdinal := map[int]*readColumn{}
	use := func(ordinal int) (*readColumn, error) {
		if c := byOrdinal[ordinal]; c != nil {
			return c, nil
		}
		if ordinal == storage.RowNumber {
			c := &readColumn{typ: storage.Column{Type: sqltype.T(sqltype.BigInt)}, rows: &vector.Vector{Type: sqltype.T(sqltype.BigInt)}, first: r.first}
			c.windows.Decode = c.decode
			byOrdinal[ordinal] = c
			r.columns = append(r.columns, c)
			return c, nil
		}
		if ordinal < 0 || ordinal >= len(s.columns) {
			return nil, fmt.Errorf("column ordinal %d of %d", ordinal, len(s.columns))
		}
		c := &readColumn{typ: s.columns[ordinal]}
		c.windows.Decode = c.decode
		m := sp.mapping[ordinal]
		if m.bad != nil {
			return nil, m.bad
		}
		if m.column >= 0 {
			x := &f.columns[m.column]
			nested := x.Type.IsNested() // their types change further down
			typ := x.Type
			if nested {
				typ = c.typ.Type
			}
			if req.Pages != nil && !nested { // what nested columns are read as differs
				c.windows.Pages = req.Pages
				c.windows.Key = storage.PageKey{FS: f.fs, Path: f.path, Size: f.info.Size, Time: f.info.ModTime.UnixNano(), Group: int32(sp.stripe), Column: int32(m.column)}
			}
			c.column, err = newColumn(f, x, typ, sp.stripe, footer, r.in)
			if err != nil {
				return nil, err
			}
			if m.cast && !nested {
				c.cast = &widen.Caster{From: x.Type, To: c.typ.Type, Place: fmt.Sprintf("column %s of %s", x.Name, f.path)}
			}
		} else {
			c.null.Type = c.typ.Type
			c.null.SetAllNull(0)
		}
		byOrdinal[ordinal] = c
		r.columns = append(r.columns, c)
		return c, nil
	}
	if err := r.prepare(req, use); err != nil {
		return err
	}
	prune := req.Prune
	if req.Moving != nil {
		prune = append(slices.Clip(prune), req.Moving()...)
	}
	r.ranges = r.prune(s, sp, prune, byOrdinal)
	return nil
}

func (r *reader) prepare(req *storage.ScanRequest, use func(int) (*readColumn, error)) error {
	for i := range req.Filters {
		f := readFilter{args: make([]*vector.Vector, len(req.Filters[i].Columns))}
		for _, o := range req.Filters[i].Columns {
			c, err := use(o)
			if err != nil {
				return err
			}
			f.columns = append(f.columns, c)
		}
		var err error
		if f.fn, err = req.Filters[i].New(); err != nil {
			return err
		}
		r.filters = append(r.filters, f)
	}
	for _, o := range req.Columns {
		c, err := use(o)
		if err != nil {
			return err
		}
		r.output = append(r.output, c)
	}
	r.cols = make([]*vector.Vector, len(r.output))
	return nil
}
