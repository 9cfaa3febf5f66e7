package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// How a join spills. When memory for the build side is refused, all of it goes to disk by
// radix partition of the keys' hashes. Once all is there and sizes are known, as many
// partitions as fit come back into the table (the resident ones); probe rows of the others
// go to disk as well, by the same hash, and all other probe rows pass as ever. A last
// pipeline joins the partitions that are away one by one: each is a hashJoin of its own,
// one level deeper, which may spill again.

// joinSpill is what a join that spills has beside its table.
type joinSpill struct {
	level int          // of its own partitions
	build *spill.Parts // nil until memory was refused
	probe *spill.Parts // of the partitions that are away
	on    atomic.Bool  // build is there
	away  [spill.Fanout]bool
	some  bool // a partition is away
}

// tableRowBytes is about what a row takes in the table, beside its key and columns.
func (j *hashJoin) tableRowBytes() int64 { return 4 + 16 + 8*int64(j.layout.Words()) }

// startSpill makes the file of the build side; once, by whoever comes first.
func (j *hashJoin) startSpill() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.disk.build != nil {
		return nil
	}
	var err error
	if j.disk.build, err = j.memory.area.CreateParts(j.disk.level, j.memory.counters()); err != nil {
		return err
	}
	j.disk.on.Store(true)
	return nil
}

// spillTypes are the types of a spilled build row: keys, then the columns that are used.
func (j *hashJoin) spillTypes() []sqltype.Type {
	out := keyTypes(j.layout)
	for i, used := range j.used {
		if used {
			out = append(out, j.buildTypes[i])
		}
	}
	return out
}

// claim reserves what the writer holds, and what the table will take of it, or spills.
func (w *joinWriter) claim() error {
	j, m := w.j, w.j.memory
	switch {
	case w.loading:
		m.force(&w.held, w.bytes())
		return nil
	case !j.spillable:
		return m.settle(&w.held, w.bytes())
	}
	n := w.bytes() + int64(w.rows.N)*j.tableRowBytes()
	if j.disk.on.Load() {
		if n > m.workspace() {
			return w.toDisk()
		}
		m.force(&w.held, n)
		return nil
	}
	if m.try(&w.held, n) {
		return nil
	}
	if n <= m.workspace() {
		m.force(&w.held, n)
		return nil
	}
	if err := j.startSpill(); err != nil {
		return err
	}
	return w.toDisk()
}

// Rows of the parts that a writer's rows are partitioned in, and of a block.
const (
	joinSpillChunk = 128 << 10
	joinBlockRows  = 16 << 10
)

// toDisk writes all rows of the writer by partition and empties it.
func (w *joinWriter) toDisk() error {
	j := w.j
	if w.codec == nil {
		w.codec = spill.NewCodec(j.spillTypes())
	}
	for lo := 0; lo < w.rows.N; lo += joinSpillChunk {
		if err := w.chunkToDisk(lo, min(lo+joinSpillChunk, w.rows.N)); err != nil {
			return err
		}
	}
	w.arena = new(hashtable.Arena).NewWriter()
	if w.seen != nil {
		w.seen = hashtable.NewGroupTable(j.layout, w.arena, 64)
	}
	w.rows, w.nulls = hashtable.NewRows(j.layout, w.arena), nil
	if w.marks != nil {
		w.marks = j.mark.newWriter(w.arena)
	}
	for i, c := range w.cols {
		if c != nil {
			w.cols[i] = &joinColumn{vals: vector.New(j.buildTypes[i], 0)}
		}
	}
	j.memory.force(&w.held, w.bytes())
	return nil
}

func (w *joinWriter) chunkToDisk(lo, hi int) error {
	j, n := w.j, hi-lo
	var cols []*vector.Vector
	if w.marks != nil {
		w.scatter.By(make([]uint64, n), j.disk.level)
		cols = w.marks.decode(lo, hi)
	} else {
		var keys hashtable.Keys
		keys.Load(w.rows, lo, hi)
		w.scatter.By(keys.Hash(), j.disk.level)
		for i := range j.layout.Columns() {
			cols = append(cols, decodeKey(w.rows, i, lo, hi, j.nullSafe(i), w.nulls))
		}
	}
	j.collectSpilled(cols)
	for _, c := range w.cols {
		if c != nil {
			cols = append(cols, c.vector().Slice(lo, hi))
		}
	}
	for q := range spill.Fanout {
		for rows := w.scatter.Rows(q); len(rows) > 0; {
			block := rows[:min(len(rows), joinBlockRows)]
			rows = rows[len(block):]
			if err := j.disk.build.Write(w.codec, q, cols, n, block); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeKey is column i of the keys [lo, hi) of rows; where NULLs are not equal, nulls lists the rows with a NULL key.
func decodeKey(rows *hashtable.Rows, i, lo, hi int, nullSafe bool, nulls []int32) *vector.Vector {
	v := vector.New(rows.L.Type(i), hi-lo)
	rows.Decode(i, lo, v)
	if nullSafe || v.Form != vector.Flat {
		return v
	}
	for _, r := range nulls {
		if int(r) >= lo && int(r) < hi {
			v.SetNull(int(r) - lo)
		}
	}
	return v
}

// vector is the column so far.
func (c *joinColumn) vector() *vector.Vector {
	if c.dict != nil {
		return vector.NewDictionary(c.dict, c.codes, c.valid)
	}
	return c.vals
}

// roomForTable claims the table of what the writers hold; false means that it does not fit.
func (j *hashJoin) roomForTable() bool {
	var rows int64
	for _, w := range j.writers {
		n := w.bytes()
		rows += n
		j.memory.force(&w.held, n)
	}
	n := int64(j.rows) * j.tableRowBytes()
	if rows+n <= j.memory.workspace() {
		j.memory.force(&j.held, n)
		return true
	}
	return j.memory.try(&j.held, n)
}

// settle, when the build side is spilled, decides which partitions come back, and brings them.
func (j *hashJoin) settle(ctx context.Context) error {
	err := parallelTasks(ctx, j.rt, j.rt.Instances, len(j.writers), func(_, i int) error {
		w := j.writers[i]
		if err := w.toDisk(); err != nil {
			return err
		}
		j.memory.force(&w.held, 0)
		return nil
	})
	if err != nil {
		return err
	}
	j.writers, j.dicts, j.arena, j.rows = nil, map[*vector.Vector]*vector.Vector{}, &hashtable.Arena{}, 0
	j.memory.noteSpill(j.disk.build.Used(), "partitions")
	j.memory.note("spill levels", j.disk.level+1)
	resident := j.chooseResident()
	writers := make([]*joinWriter, max(1, min(j.rt.Instances, len(resident))))
	err = parallelTasks(ctx, j.rt, len(writers), len(resident), func(worker, i int) error {
		w := writers[worker]
		if w == nil {
			w = newJoinWriter(j)
			w.loading = true
			writers[worker] = w
		}
		return w.load(ctx, j.disk.build, j.disk.build.Blocks(resident[i]))
	})
	if err != nil {
		return err
	}
	for _, w := range writers {
		if w != nil && w.rows.N > 0 {
			j.writers = append(j.writers, w)
		}
	}
	if j.disk.some {
		j.disk.probe, err = j.memory.area.CreateParts(j.disk.level, j.memory.counters())
	} else {
		err = j.disk.build.File.Close()
	}
	return err
}

// rowBytes is about what a build row takes in memory, without the bytes of strings.
func (j *hashJoin) rowBytes() int64 {
	n := j.tableRowBytes() + 8*int64(j.layout.Words())
	if j.layout.HasStrings() {
		n += 8
	}
	if !j.divisible() { // keys are kept twice, and there are two more tables
		n += 2*j.tableRowBytes() + 8*int64(j.layout.Words())
	}
	for i, used := range j.used {
		if used {
			n += int64(j.buildTypes[i].Physical().Size())
		}
	}
	return n
}

// chooseResident marks the partitions that stay away and lists the others: what fits into
// half of the memory that is free, since the operators above need some as well.
func (j *hashJoin) chooseResident() []int {
	perRow := j.rowBytes()
	room := j.memory.r.Budget().Available() / 2 / int64(j.share)
	var resident []int
	for q := range spill.Fanout {
		rows, raw := j.disk.build.Size(q)
		need := rows*perRow + raw
		switch {
		case rows == 0:
		case need <= room:
			room -= need
			resident = append(resident, q)
		default:
			j.disk.away[q], j.disk.some = true, true
		}
	}
	return resident
}

// load adds blocks of a file to the writer.
func (w *joinWriter) load(ctx context.Context, from *spill.Parts, blocks []spill.Block) error {
	j := w.j
	if w.codec == nil {
		w.codec = spill.NewCodec(j.spillTypes())
	}
	keys := j.layout.Columns()
	cols := make([]*vector.Vector, len(j.used))
	for _, b := range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		read, _, err := from.File.Read(w.codec, b)
		if err != nil {
			return err
		}
		next := keys
		for i, used := range j.used {
			if used {
				cols[i] = read[next]
				next++
			}
		}
		if err := w.add(read[:keys], &vector.Batch{Cols: cols, Len: int(b.Rows)}); err != nil {
			return err
		}
	}
	return nil
}

// probeSpill is one driver's buffer of probe rows whose partitions are away.
type probeSpill struct {
	j      *hashJoin
	cols   []*vector.Vector
	hashes []uint64
	codec  *spill.Codec
	order  spill.Scatter
	held   int64

	stay, leave []int32
	rest        vector.Batch // the rows that stay
}

func newProbeSpill(j *hashJoin) *probeSpill {
	s := &probeSpill{j: j, codec: spill.NewCodec(j.probeTypes), stay: []int32{}} // not nil: that would be all rows
	for _, t := range j.probeTypes {
		s.cols = append(s.cols, vector.New(t, 0))
	}
	return s
}

// divert takes the rows whose partitions are away and returns the batch of the others.
// Rows with a NULL key match nothing: they stay.
func (s *probeSpill) divert(in *vector.Batch, keys *hashtable.Keys, vals []*vector.Vector) (*vector.Batch, error) {
	j := s.j
	s.stay, s.leave = s.stay[:0], s.leave[:0]
	nulls := j.divisible() && j.mayHaveNullKeys(vals)
	for k, h := range keys.Hash() {
		row := in.Row(k)
		if !j.divisible() {
			h = 0
		}
		if !j.disk.away[spill.PartitionOf(h, j.disk.level)] || nulls && j.isNullKey(vals, row) {
			s.stay = append(s.stay, int32(row))
			continue
		}
		s.leave = append(s.leave, int32(row))
		s.hashes = append(s.hashes, h)
	}
	if len(s.leave) == 0 {
		return in, nil
	}
	bytes := int64(8 * cap(s.hashes))
	for i, c := range s.cols {
		c.AppendFrom(in.Cols[i], s.leave)
		bytes += c.Bytesize()
	}
	j.memory.force(&s.held, bytes)
	s.rest = vector.Batch{Cols: in.Cols, Len: in.Len, Sel: s.stay}
	if bytes > j.memory.workspace() {
		return &s.rest, s.flush()
	}
	return &s.rest, nil
}

// flush writes the buffer by partition.
func (s *probeSpill) flush() error {
	n := len(s.hashes)
	if n == 0 {
		return nil
	}
	s.order.By(s.hashes, s.j.disk.level)
	for q := range spill.Fanout {
		for rows := s.order.Rows(q); len(rows) > 0; {
			block := rows[:min(len(rows), joinBlockRows)]
			rows = rows[len(block):]
			if err := s.j.disk.probe.Write(s.codec, q, s.cols, n, block); err != nil {
				return err
			}
		}
	}
	s.hashes = s.hashes[:0]
	for _, c := range s.cols {
		c.Reset(0)
	}
	return nil
}

// Flush implements Flusher: the end of the probe side.
func (p *hashJoinProbe) Flush(context.Context) (*vector.Batch, error) {
	if p.spill == nil {
		return nil, nil
	}
	s := p.spill
	p.spill = nil
	if err := s.flush(); err != nil {
		return nil, err
	}
	p.j.memory.force(&s.held, 0)
	return nil, nil
}

// canSpill reports whether there is a place for rows of the build side on disk, and something to find them by.
func (j *hashJoin) canSpill() bool { return j.memory.canSpill() && j.layout.Words() > 0 }

// divisible reports whether rows that may meet have the same hash. In Mark and NullAwareAnti joins, but for simple
// ones, a row with a NULL meets rows of any hash: all of them are one partition, joined in passes.
func (j *hashJoin) divisible() bool { return j.mark == nil || j.mark.simple != nil }

// oneRowAKey reports whether further build rows of a key change nothing, so that a key that
// very many rows have does not make its partition too large.
func (j *hashJoin) oneRowAKey() bool {
	switch j.n.Kind {
	case physical.Semi, physical.Anti, physical.Mark, physical.NullAwareAnti:
		return len(j.n.Residual) == 0 && j.divisible()
	}
	return false
}

// newKeys are the live rows with keys that the writer has not seen.
func (w *joinWriter) newKeys(n int, sel []int32) []int32 {
	if cap(w.groups) < w.keys.N {
		w.groups = make([]uint32, w.keys.N)
	}
	groups := w.groups[:w.keys.N]
	next := uint32(w.seen.Groups())
	w.seen.FindOrAdd(w.keys, groups)
	w.fresh = w.fresh[:0]
	for k, g := range groups {
		if g != next {
			continue
		}
		next++
		row := int32(k)
		if sel != nil {
			row = sel[k]
		}
		w.fresh = append(w.fresh, row)
	}
	return w.fresh
}

// divides reports whether a partition can be expected to become smaller when it is divided:
// not when nearly all rows of its join are in it already, which then have one key.
func (j *hashJoin) divides(q int) bool {
	if !j.divisible() {
		return false
	}
	rows, _ := j.disk.build.Size(q)
	var all int64
	for p := range spill.Fanout {
		n, _ := j.disk.build.Size(p)
		all += n
	}
	return j.disk.level == 0 || rows < all-all/8
}
