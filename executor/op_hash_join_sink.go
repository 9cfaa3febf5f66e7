package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// hashJoinSink ends the build pipeline. Every driver keeps its rows, columns and keys, in
// memory of its own; Finalize numbers them through and builds the table in parallel.
type hashJoinSink struct{ j *hashJoin }

// joinWriter is one driver's part of the build side.
type joinWriter struct {
	j     *hashJoin
	exprs []*rowExpr
	vals  []*vector.Vector
	keys  *hashtable.Keys
	rows  *hashtable.Rows // keys by row
	nulls []int32         // rows with a NULL key, which nothing finds
	cols  []*joinColumn   // by build column, nil where unused
	marks *markWriter
	sel   []int32
	arena *hashtable.ArenaWriter
	held  int64

	loading bool                  // rows come back from disk: they are known to fit
	seen    *hashtable.GroupTable // of a partition where one row a key is enough
	groups  []uint32
	fresh   []int32
	codec   *spill.Codec
	scatter spill.Scatter
}

// Open implements Sink.
func (s hashJoinSink) Open(ctx context.Context, d *Driver) (SinkWriter, error) {
	w := newJoinWriter(s.j)
	var err error
	w.exprs, err = compileRowExprs(s.j.n.BuildKeys, s.j.rt.Functions)
	return w, err
}

func newJoinWriter(j *hashJoin) *joinWriter {
	w := &joinWriter{j: j, keys: hashtable.NewKeys(j.layout), arena: j.arena.NewWriter()}
	w.rows = hashtable.NewRows(j.layout, w.arena)
	w.rows.Reserve(j.expected)
	w.cols = make([]*joinColumn, len(j.used))
	for i, used := range j.used {
		if used {
			w.cols[i] = &joinColumn{vals: vector.New(j.buildTypes[i], 0), expected: j.expected}
		}
	}
	if !j.divisible() {
		w.marks = j.mark.newWriter(w.arena)
	}
	return w
}

// Consume implements SinkWriter.
func (w *joinWriter) Consume(ctx context.Context, b *vector.Batch) (Flow, error) {
	if b.NumRows() == 0 {
		return NeedInput, nil
	}
	vals, err := evalAll(w.exprs, b, false, w.vals)
	if err != nil {
		return NeedInput, err
	}
	w.vals = vals
	return NeedInput, w.add(vals, b)
}

// add keeps the live rows of b, whose keys are vals.
func (w *joinWriter) add(vals []*vector.Vector, b *vector.Batch) error {
	sel := b.Sel
	if !w.j.keepsBuildRows() {
		sel = w.withoutNulls(vals, b)
		if m := w.j.mark; m != nil {
			m.simple.add(b, sel != nil && len(sel) < b.NumRows())
		}
		if sel != nil && len(sel) == 0 {
			return nil
		}
	} else {
		w.noteNulls(vals, b)
	}
	w.keys.Encode(vals, b.Len, sel)
	if w.seen != nil {
		if sel = w.newKeys(b.Len, sel); len(sel) == 0 {
			return w.claim()
		}
		w.keys.Encode(vals, b.Len, sel)
	}
	w.rows.AppendAll(w.keys)
	if w.marks != nil {
		w.marks.add(vals, b.Len, sel)
	}
	for i, c := range w.cols {
		if c != nil {
			c.add(w.j, b.Cols[i], sel)
		}
	}
	return w.claim()
}

// isNullKey reports whether a key makes row r one that equals nothing.
func (j *hashJoin) isNullKey(vals []*vector.Vector, r int) bool {
	for i, v := range vals {
		if !j.nullSafe(i) && v.IsNull(r) {
			return true
		}
	}
	return false
}

func (j *hashJoin) mayHaveNullKeys(vals []*vector.Vector) bool {
	for i, v := range vals {
		if !j.nullSafe(i) && v.MayHaveNulls() {
			return true
		}
	}
	return false
}

// withoutNulls is the selection without rows whose keys are NULL.
func (w *joinWriter) withoutNulls(vals []*vector.Vector, b *vector.Batch) []int32 {
	if !w.j.mayHaveNullKeys(vals) {
		return b.Sel
	}
	if w.sel == nil {
		w.sel = make([]int32, 0, b.Len)
	}
	w.sel = w.sel[:0]
	for i := range b.NumRows() {
		if r := b.Row(i); !w.j.isNullKey(vals, r) {
			w.sel = append(w.sel, int32(r))
		}
	}
	return w.sel
}

func (w *joinWriter) noteNulls(vals []*vector.Vector, b *vector.Batch) {
	if !w.j.mayHaveNullKeys(vals) {
		return
	}
	for i := range b.NumRows() {
		if w.j.isNullKey(vals, b.Row(i)) {
			w.nulls = append(w.nulls, int32(w.rows.N+i))
		}
	}
}

func (w *joinWriter) bytes() int64 {
	n := w.rows.Bytes() + w.arena.Bytes() + int64(4*cap(w.nulls))
	for _, c := range w.cols {
		if c != nil {
			n += c.bytes()
		}
	}
	if w.marks != nil {
		n += w.marks.bytes()
	}
	if w.seen != nil {
		n += w.seen.Bytes()
	}
	return n
}

// Close implements SinkWriter.
func (w *joinWriter) Close(ctx context.Context) error {
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	if w.rows.N > 0 {
		w.j.writers = append(w.j.writers, w)
	}
	return nil
}

// Finalize implements Sink.
func (s hashJoinSink) Finalize(ctx context.Context) error { return s.j.build(ctx) }

// Abort implements Sink.
func (s hashJoinSink) Abort() { s.j.release() }

// joinColumn collects one build column: codes as long as all batches share a dictionary,
// else values.
type joinColumn struct {
	dict  *vector.Vector // the join's copy
	codes []int32
	valid vector.Bitmap // of codes
	vals  *vector.Vector
	size  int64 // of dict
	// expected rows, for which room is made at the first ones; 0: unknown.
	expected int
}

func (c *joinColumn) add(j *hashJoin, v *vector.Vector, sel []int32) {
	if v.Form == vector.Dictionary && c.vals.Len == 0 {
		if d := j.copyOfDict(v.Dict); c.dict == nil || c.dict == d {
			c.dict = d
			if c.codes == nil {
				c.codes = make([]int32, 0, c.expected)
			}
			c.addCodes(v, sel)
			return
		}
	}
	c.flatten()
	if c.vals.Len == 0 && c.expected > 0 {
		c.vals.Reset(c.expected)
		c.vals.Reset(0)
	}
	c.vals.AppendFrom(v, sel)
}

func (c *joinColumn) addCodes(v *vector.Vector, sel []int32) {
	base := len(c.codes)
	if sel == nil {
		c.codes = append(c.codes, v.Codes...)
	} else {
		for _, r := range sel {
			c.codes = append(c.codes, v.Codes[r])
		}
	}
	if v.Valid == nil && c.valid == nil {
		return
	}
	for len(c.valid) < (len(c.codes)+63)/64 {
		c.valid = append(c.valid, ^uint64(0))
	}
	if v.Valid == nil {
		return
	}
	for i := range c.codes[base:] {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if !v.Valid.Get(r) {
			c.valid.Clear(base + i)
		}
	}
}

// flatten gives up codes.
func (c *joinColumn) flatten() {
	if c.dict == nil {
		return
	}
	c.vals.AppendFrom(vector.NewDictionary(c.dict, c.codes, c.valid), nil)
	c.dict, c.codes, c.valid = nil, nil, nil
}

func (c *joinColumn) bytes() int64 {
	return c.vals.Bytesize() + int64(4*cap(c.codes)+8*cap(c.valid)) + c.size
}

// copyOfDict is the join's own copy of a dictionary of its input.
func (j *hashJoin) copyOfDict(d *vector.Vector) *vector.Vector {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.dicts[d]
	if c == nil {
		c = vector.CopyOf(d, nil)
		j.dicts[d] = c
	}
	return c
}

// joinColumns puts the writers' columns together, in the numbering of the table.
func (j *hashJoin) joinColumns(ctx context.Context) error {
	j.cols = make([]*vector.Vector, len(j.used))
	return parallelTasks(ctx, j.rt, j.rt.Instances, len(j.used), func(_, i int) error {
		if j.used[i] {
			parts := make([]*joinColumn, len(j.writers))
			for k, w := range j.writers {
				parts[k], w.cols[i] = w.cols[i], nil
			}
			j.cols[i] = asDictionary(concatColumns(j.buildTypes[i], parts))
		}
		return nil
	})
}

// maxJoinDictionary is up to how many rows a build column of strings is its own dictionary.
const maxJoinDictionary = 4096

// asDictionary makes few strings the entries of a dictionary, one a row: the join then yields codes of four bytes
// instead of views of sixteen, and who groups by them looks codes up instead of texts.
func asDictionary(v *vector.Vector) *vector.Vector {
	if v.Form != vector.Flat || v.Type.Physical() != sqltype.PhysString || v.Len == 0 || v.Len > maxJoinDictionary {
		return v
	}
	codes := make([]int32, v.Len)
	for i := range codes {
		codes[i] = int32(i)
	}
	entries := *v
	entries.Valid = nil
	return vector.NewDictionary(&entries, codes, v.Valid)
}

func concatColumns(t sqltype.Type, parts []*joinColumn) *vector.Vector {
	if len(parts) == 0 {
		return vector.New(t, 0)
	}
	first := parts[0]
	same := first.dict != nil
	for _, p := range parts[1:] {
		same = same && p.dict == first.dict
	}
	if same {
		for _, p := range parts[1:] {
			first.addCodes(vector.NewDictionary(p.dict, p.codes, p.valid), nil)
		}
		return vector.NewDictionary(first.dict, first.codes, first.valid)
	}
	for _, p := range parts {
		p.flatten()
	}
	out := first.vals
	for _, p := range parts[1:] {
		appendSharing(out, p.vals)
	}
	return out
}

// appendSharing appends all of v to out, both flat, sharing v's string buffers.
func appendSharing(out, v *vector.Vector) {
	base := out.Len
	switch t := v.Type.Physical(); t {
	case sqltype.PhysString:
		out.Grow(base + v.Len)
		bufs := len(out.Bufs)
		out.Bufs = append(out.Bufs, v.Bufs...)
		dst := vector.Values[vector.View](out)[base:]
		for i, x := range vector.Values[vector.View](v) {
			dst[i] = x.Rebase(x.Buffer() + bufs)
		}
		for i := range v.Len {
			if !v.Valid.Get(i) {
				out.SetNull(base + i)
			}
		}
	default:
		out.AppendFrom(v, nil)
	}
}
