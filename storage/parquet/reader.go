package parquet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

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

// reader is the storage.Reader of rows of one row group.
type reader struct {
	name    string
	file    storage.File
	mem     memory
	shared  *sharedPages // nil: the row group was not cut
	ranges  []rowRange   // rows to visit, ascending
	columns []*readColumn
	filters []readFilter
	output  []*readColumn
	batch   vector.Batch
	size    int64 // rows of a window
	first   int64 // the file's number of row 0
	deleted *rowset.Set
	alive   []int32 // rows of a window that are not deleted
	lists   *rowList
	count   *storage.ScanCounters
	cols    []*vector.Vector
	rows    []int32 // physical rows of a dense window
	err     error
	closed  bool
}

// rowList is memory for lists of the rows of a window.
type rowList struct{ alive, rows []int32 }

var rowLists = sync.Pool{New: func() any { return new(rowList) }}

// readColumn is a column that a reader needs: of the file, or missing in it.
type readColumn struct {
	column *column // nil: NULL in every row, or nested
	nested *nestedColumn
	cast   *widen.Caster // nil: the file has the table's type
	typ    storage.Column
	null   vector.Vector
	rows   *vector.Vector // storage.RowNumber: its memory
	first  int64          // … and the file's number of row 0

	windows storage.CachedWindows
	vec     *vector.Vector // in the current window
	have    bool
	dense   bool
	gather  [2]gathered
	flip    int
}

var readColumns = sync.Pool{New: func() any { return new(readColumn) }}

func newReadColumn(typ storage.Column) *readColumn {
	c := readColumns.Get().(*readColumn)
	c.typ = typ
	c.windows.Decode = c.decode
	return c
}

// release gives c's memory to columns to come, but for what wide rows made large.
func (c *readColumn) release() {
	const most = 64 << 10
	gather := c.gather
	for i := range gather {
		g := &gather[i]
		g.vec = vector.Vector{}
		if cap(g.data) > most {
			g.data = nil
		}
	}
	*c = readColumn{gather: gather}
	readColumns.Put(c)
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
		row, n, until := g.lo, int(min(r.size, g.hi-g.lo)), g.hi
		g.lo += int64(n)
		if g.lo == g.hi {
			r.ranges = r.ranges[1:]
		}
		for _, c := range r.columns {
			if c.column != nil {
				c.column.until = until
			}
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
	if c.nested != nil {
		defer storage.RecoverCorrupt("Parquet", c.nested.file.path, &err)
		if v, err = c.nested.read(row, n); err == nil && dense != nil {
			v = v.Gather(dense, &vector.Vector{})
		}
		return v, err
	}
	if c.column == nil {
		c.null.Len = n
		if dense != nil {
			c.null.Len = len(dense)
		}
		return &c.null, nil
	}
	defer storage.RecoverCorrupt("Parquet", c.column.file.path, &err)
	if dense != nil {
		return c.column.pick(row, n, dense)
	}
	v, err = c.column.read(row, n)
	if c.column.cachedDict {
		c.windows.Shared = c.column.dict
	}
	return v, err
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
		if c.nested != nil {
			c.nested.close()
		}
		if c.column != nil {
			c.column.release()
		}
		c.release()
	}
	r.columns, r.output, r.filters = nil, nil, nil
	if r.lists != nil {
		r.lists.alive, r.lists.rows = r.alive, r.rows
		rowLists.Put(r.lists)
		r.lists, r.alive, r.rows = nil, nil, nil
	}
	if r.shared != nil {
		r.shared.leave(&r.mem)
	}
	r.file.Close()
	r.err = sqlerr.New(sqlerr.Internal, "reading %s after its end", r.name)
}

// open makes the reader of a split.
func (s *Source) open(sp *split, req *storage.ScanRequest) (*reader, error) {
	f := sp.file
	file := f.open()
	var err error
	r := &reader{name: f.path, file: file, count: req.Counters, size: int64(req.BatchRows)}
	r.mem.budget = req.Budget
	if r.shared = sp.shared; r.shared != nil {
		r.shared.enter()
	}
	r.deleted = req.Deleted
	r.lists = rowLists.Get().(*rowList)
	r.alive, r.rows = r.lists.alive, r.lists.rows
	for g := range sp.group {
		r.first += f.meta.groups[g].rows
	}
	if r.size <= 0 {
		r.size = vector.BatchRows
	}
	byOrdinal := map[int]*readColumn{}
	use := func(ordinal int) (*readColumn, error) {
		if c := byOrdinal[ordinal]; c != nil {
			return c, nil
		}
		if ordinal == storage.RowNumber {
			c := newReadColumn(storage.Column{Type: sqltype.T(sqltype.BigInt)})
			c.rows, c.first = &vector.Vector{Type: sqltype.T(sqltype.BigInt)}, r.first
			byOrdinal[ordinal] = c
			r.columns = append(r.columns, c)
			return c, nil
		}
		if ordinal < 0 || ordinal >= len(s.columns) {
			return nil, fmt.Errorf("column ordinal %d of %d", ordinal, len(s.columns))
		}
		c := newReadColumn(s.columns[ordinal])
		m := sp.mapping[ordinal]
		if m.bad != nil {
			return nil, m.bad
		}
		if m.leaf >= 0 {
			l := &f.leaves[m.leaf]
			if l.nested != nil && l.unsupported == "" {
				if c.nested, err = newNestedColumn(f, file, l.nested, c.typ.Type, sp.group, &r.mem, req.Counters); err != nil {
					return nil, err
				}
				byOrdinal[ordinal] = c
				r.columns = append(r.columns, c)
				return c, nil
			}
			if req.Pages != nil {
				c.windows.Pages = req.Pages
				c.windows.Key = storage.PageKey{FS: f.fs, Path: f.path, Size: f.info.Size, Time: f.info.ModTime.UnixNano(), Group: int32(sp.group), Column: int32(m.leaf)}
			}
			c.column, err = newColumn(f, file, l, sp.group, &r.mem, req.Counters)
			if err != nil {
				return nil, err
			}
			c.column.shared, c.column.lo, c.column.hi = sp.shared, sp.lo, sp.hi
			if req.Pages != nil {
				c.column.cache, c.column.key = req.Pages, c.windows.Key
			}
			if m.cast {
				c.cast = &widen.Caster{From: l.Type, To: c.typ.Type, Place: fmt.Sprintf("column %s of %s", l.Name, f.path)}
			}
		} else {
			c.null.Type = c.typ.Type
			c.null.SetAllNull(0)
		}
		byOrdinal[ordinal] = c
		r.columns = append(r.columns, c)
		return c, nil
	}
	prune := req.Prune
	if req.Moving != nil {
		prune = append(slices.Clip(prune), req.Moving()...)
	}
	if err := r.prepareFilters(req, prune, use); err != nil {
		r.Close()
		return nil, err
	}
	if r.ranges, err = r.prune(s, sp, prune, byOrdinal); err != nil {
		r.Close()
		return nil, err
	}
	if len(r.ranges) == 0 { // nothing else is looked at
		return r, nil
	}
	if err := r.prepareOutput(req, use); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// prepareFilters opens the columns of the filters and, of those that are read, what prune looks at.
func (r *reader) prepareFilters(req *storage.ScanRequest, prune []storage.Predicate, use func(int) (*readColumn, error)) error {
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
	for _, o := range predicateColumns(nil, prune) {
		if slices.Contains(req.Columns, o) {
			if _, err := use(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepareOutput opens the columns that are read.
func (r *reader) prepareOutput(req *storage.ScanRequest, use func(int) (*readColumn, error)) error {
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
