package executor

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// joinMarks answers what the table of all keys cannot: is x IN (rows) NULL where it is not
// true? It is when a row of the same correlation keys could be equal but for NULLs on
// either side.
type joinMarks struct {
	j *hashJoin
	n int // the keys [0, n) are the comparison, the others correlation
	// corrLayout is of the correlation keys, rowLayout of the compared ones, NULLs included.
	corrLayout, rowLayout *hashtable.Layout

	corr, rows *hashtable.Rows // of all build rows
	corrSkip   vector.Bitmap   // build rows with a NULL correlation key
	withNull   *hashtable.JoinTable
	// simple, where it is enough to know of all build rows: is there one, is one NULL? So it is
	// for a single comparison without correlation or residual, and where NULL may count as
	// false; then rows with NULL keys need not be kept, and the join can be divided.
	simple *markFacts
	once   sync.Once
	all    *hashtable.JoinTable // all rows by correlation keys, for probe rows with NULLs
}

// markFacts are what the build side tells, whatever partition its rows are in.
type markFacts struct{ rows, nulls atomic.Bool }

func (f *markFacts) add(b *vector.Batch, anyNull bool) {
	if b.NumRows() > 0 && !f.rows.Load() {
		f.rows.Store(true)
	}
	if anyNull && !f.nulls.Load() {
		f.nulls.Store(true)
	}
}

func newJoinMarks(j *hashJoin) (*joinMarks, error) {
	m := &joinMarks{j: j, n: j.n.MarkKeys}
	if n := j.n; n.Kind == physical.Mark && n.MarkNullOK || len(n.BuildKeys) == 1 && n.MarkKeys == 1 && len(n.Residual) == 0 {
		m.simple = &markFacts{}
		return m, nil
	}
	types := typesOf(j.n.BuildKeys)
	nullable := make([]bool, len(types))
	for i := range nullable {
		nullable[i] = i < m.n || j.nullSafe(i)
	}
	var err error
	if m.corrLayout, err = hashtable.NewJoinLayout(types[m.n:], nullable[m.n:]); err != nil {
		return nil, err
	}
	m.rowLayout, err = hashtable.NewJoinLayout(types[:m.n], nullable[:m.n])
	return m, err
}

// markWriter collects, on one driver, the build keys with their NULLs.
type markWriter struct {
	m              *joinMarks
	corrKeys, keys *hashtable.Keys
	corr, rows     *hashtable.Rows
	corrNulls      []int32
	markNulls      []int32
}

func (m *joinMarks) newWriter(arena *hashtable.ArenaWriter) *markWriter {
	return &markWriter{m: m, corrKeys: hashtable.NewKeys(m.corrLayout), keys: hashtable.NewKeys(m.rowLayout),
		corr: hashtable.NewRows(m.corrLayout, arena), rows: hashtable.NewRows(m.rowLayout, arena)}
}

func (w *markWriter) add(vals []*vector.Vector, n int, sel []int32) {
	m := w.m
	w.corrKeys.Encode(vals[m.n:], n, sel)
	w.keys.Encode(vals[:m.n], n, sel)
	for k := range w.keys.N {
		r := k
		if sel != nil {
			r = int(sel[k])
		}
		if m.anyNull(vals[:m.n], r) {
			w.markNulls = append(w.markNulls, int32(w.rows.N+k))
		}
		for i, v := range vals[m.n:] {
			if !m.j.nullSafe(m.n+i) && v.IsNull(r) {
				w.corrNulls = append(w.corrNulls, int32(w.rows.N+k))
				break
			}
		}
	}
	w.corr.AppendAll(w.corrKeys)
	w.rows.AppendAll(w.keys)
}

func (m *joinMarks) anyNull(vals []*vector.Vector, r int) bool {
	for _, v := range vals {
		if v.IsNull(r) {
			return true
		}
	}
	return false
}

func (w *markWriter) bytes() int64 { return w.corr.Bytes() + w.rows.Bytes() }

// decode is the keys of rows [lo, hi), with the NULLs of the compared ones.
func (w *markWriter) decode(lo, hi int) []*vector.Vector {
	var cols []*vector.Vector
	for i := range w.m.n {
		cols = append(cols, decodeKey(w.rows, i, lo, hi, true, nil))
	}
	for i := range w.m.corrLayout.Columns() {
		cols = append(cols, decodeKey(w.corr, i, lo, hi, w.m.j.nullSafe(w.m.n+i), w.corrNulls))
	}
	return cols
}

// build makes the table of rows with NULLs.
func (m *joinMarks) build(ctx context.Context, writers []*joinWriter) error {
	arena := m.j.arena.NewWriter()
	m.corr, m.rows = hashtable.NewRows(m.corrLayout, arena), hashtable.NewRows(m.rowLayout, arena)
	var nulls []int32
	for _, w := range writers {
		for _, r := range w.marks.markNulls {
			nulls = append(nulls, int32(m.rows.N)+r)
		}
		for _, r := range w.marks.corrNulls {
			if m.corrSkip == nil {
				m.corrSkip = vector.NewBitmap(m.j.rows)
			}
			m.corrSkip.Clear(m.rows.N + int(r))
		}
		m.corr.AppendList(w.marks.corr)
		m.rows.AppendList(w.marks.rows)
		w.marks = nil
	}
	if len(nulls) == 0 {
		return nil
	}
	only := make(vector.Bitmap, (m.j.rows+63)/64)
	for _, r := range nulls {
		if m.corrSkip.Get(int(r)) {
			only.Set(int(r))
		}
	}
	m.withNull = hashtable.NewJoinTable(m.corrLayout, []*hashtable.Rows{m.corr}, only)
	return insertAll(ctx, m.j.rt, m.withNull, m.j.rows)
}

// allRows is the table for probe rows with NULLs, made when the first one comes.
func (m *joinMarks) allRows() *hashtable.JoinTable {
	m.once.Do(func() {
		m.all = hashtable.NewJoinTable(m.corrLayout, []*hashtable.Rows{m.corr}, m.corrSkip)
		m.all.InsertAlone(0, m.j.rows)
	})
	return m.all
}

// markProbe finds the unknown rows of one driver's batches.
type markProbe struct {
	p       *hashJoinProbe
	m       *joinMarks
	corr    *hashtable.Keys
	keys    *hashtable.Keys
	heads   []uint32
	unknown []bool // by live row
}

func newMarkProbe(p *hashJoinProbe) *markProbe {
	m := p.j.mark
	if m.simple != nil {
		return &markProbe{p: p, m: m}
	}
	return &markProbe{p: p, m: m, corr: hashtable.NewKeys(m.corrLayout), keys: hashtable.NewKeys(m.rowLayout)}
}

// resolve fills unknown for the rows without a match.
func (q *markProbe) resolve(ctx context.Context, in *vector.Batch) error {
	p, m := q.p, q.m
	n := len(p.heads)
	if cap(q.unknown) < n {
		q.unknown, q.heads = make([]bool, n), make([]uint32, n)
	}
	q.unknown, q.heads = q.unknown[:n], q.heads[:n]
	clear(q.unknown)
	if m.simple != nil {
		if m.simple.rows.Load() {
			nulls := m.simple.nulls.Load()
			for k, head := range p.heads {
				q.unknown[k] = head == 0 && (nulls || m.anyNull(p.vals[:m.n], in.Row(k)))
			}
		}
		return nil
	}
	if m.n == 0 || p.j.rows == 0 {
		return nil
	}
	probeNulls := false
	for _, v := range p.vals[:m.n] {
		probeNulls = probeNulls || v.MayHaveNulls()
	}
	if !probeNulls && m.withNull == nil {
		return nil
	}
	q.corr.Encode(p.vals[m.n:], in.Len, in.Sel)
	q.keys.Encode(p.vals[:m.n], in.Len, in.Sel)
	if m.withNull != nil {
		if err := q.among(ctx, in, m.withNull, false); err != nil {
			return err
		}
	}
	if probeNulls {
		return q.among(ctx, in, m.allRows(), true)
	}
	return nil
}

// among looks for rows of t that leave the comparison open, for the probe rows that have
// a NULL themselves (nulls) or the others.
func (q *markProbe) among(ctx context.Context, in *vector.Batch, t *hashtable.JoinTable, nulls bool) error {
	p, m := q.p, q.m
	t.Probe(q.corr, q.heads)
	for k, head := range q.heads {
		row := in.Row(k)
		if head == 0 || p.heads[k] != 0 || m.anyNull(p.vals[:m.n], row) != nulls || q.corrIsNull(row) {
			continue
		}
		if m.n == 1 && p.residual == nil {
			q.unknown[k] = true
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		open, err := q.openRow(in, t, k, head)
		if err != nil {
			return err
		}
		q.unknown[k] = open
	}
	return nil
}

func (q *markProbe) corrIsNull(row int) bool {
	for i, v := range q.p.vals[q.m.n:] {
		if !q.p.j.nullSafe(q.m.n+i) && v.IsNull(row) {
			return true
		}
	}
	return false
}

// openRow walks the rows of one correlation key.
func (q *markProbe) openRow(in *vector.Batch, t *hashtable.JoinTable, k int, head uint32) (bool, error) {
	p := q.p
	var probe []int32
	var built []uint32
	for head != 0 {
		probe, built = probe[:0], built[:0]
		for ; head != 0 && len(built) < p.rows; head = t.Next(head - 1) {
			if possible, unknown := q.m.rows.CompareRow(int(head-1), q.keys, k); possible && unknown {
				if p.residual == nil {
					return true, nil
				}
				probe, built = append(probe, int32(in.Row(k))), append(built, head)
			}
		}
		if len(built) > 0 {
			pass, err := p.passing(in, probe, built)
			if err != nil || len(pass) > 0 {
				return len(pass) > 0, err
			}
		}
	}
	return false, nil
}

// emitMarks yields a Mark join's batch with its mark column, or the rows that a
// NullAwareAnti join lets pass.
func (p *hashJoinProbe) emitMarks(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	kind := p.j.n.Kind
	if kind == physical.NullAwareAnti || !p.j.n.MarkNullOK {
		if err := p.marker.resolve(ctx, in); err != nil {
			return nil, NeedInput, err
		}
	} else {
		p.marker.unknown = nil
	}
	unknown := p.marker.unknown
	if p.passes != nil {
		if !p.passes.last {
			p.noteMarks(in)
			return nil, NeedInput, nil
		}
		p.recallMarks(in)
	}
	if kind == physical.NullAwareAnti {
		for k, open := range unknown {
			if open {
				p.heads[k] = 1 // any row: it does not pass
			}
		}
		return p.emitSelected(in, false), NeedInput, nil
	}
	p.passProbe(in)
	p.mark.Reset(in.Len)
	marks := vector.Values[bool](p.mark)
	clear(marks)
	for k, head := range p.heads {
		row := in.Row(k)
		marks[row] = head != 0
		if unknown != nil && unknown[k] {
			p.mark.SetNull(row)
		}
	}
	p.out.Cols = append(p.out.Cols, p.mark)
	return &p.out, NeedInput, nil
}
