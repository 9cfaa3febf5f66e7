package executor

import (
	"fmt"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// How an aggregation spills: a driver whose memory is refused writes all its groups, keys
// and states, to a file of its own by radix partition, and starts again with an empty
// table and an arena of its own; the other drivers follow at their next batch. The merge
// adds a partition's blocks to what is in memory of it. A partition whose result is still
// too large goes to another file by the next bits of the hash, and so on.

// aggDisk is one driver's spilled groups, or those of a partition that was too large.
type aggDisk struct {
	a     *hashAggregate
	aggs  []int // whose states the blocks have, in this order
	parts *spill.Parts
	first int          // level of the hashes' bits of parts' level 0, see hashAggregate.levelOf
	codec *spill.Codec // of the goroutine that writes
	keys  []*vector.Vector
	some  *hashtable.Rows
	state [][]byte
}

// canSpill reports whether all states can be saved.
func (a *hashAggregate) canSpill() (bool, error) {
	if !a.memory.canSpill() {
		return false, nil
	}
	all := make([]int, len(a.aggs))
	for i := range all {
		all[i] = i
	}
	accs, err := a.newAccumulators(all)
	if err != nil {
		return false, err
	}
	for _, acc := range accs {
		if o, ok := acc.(*orderedAccumulator); ok {
			acc = o.inner
		}
		if _, ok := acc.(function.Spillable); !ok {
			return false, nil
		}
	}
	return true, nil
}

func newAggDisk(a *hashAggregate, aggs []int, t *hashtable.GroupTable, level int) (*aggDisk, error) {
	parts, err := a.memory.area.CreateParts(level, a.memory.counters())
	if err != nil {
		return nil, err
	}
	l := t.Rows.L
	d := &aggDisk{a: a, aggs: aggs, parts: parts, first: a.levelOf(t), codec: spill.NewCodec(keyTypes(l)), state: make([][]byte, len(aggs))}
	for i := range l.Columns() {
		d.keys = append(d.keys, &vector.Vector{Type: l.Type(i)})
	}
	return d, nil
}

func keyTypes(l *hashtable.Layout) []sqltype.Type {
	out := make([]sqltype.Type, l.Columns())
	for i := range out {
		out[i] = l.Type(i)
	}
	return out
}

// aggBlockRows is how many groups a block has at most.
const aggBlockRows = 16 << 10

// write appends groups of from to partition p, with their states.
func (d *aggDisk) write(p int, from *hashtable.Rows, w *hashtable.ArenaWriter, accs []function.Accumulator, groups []uint32) error {
	for len(groups) > 0 {
		chunk := groups[:min(len(groups), aggBlockRows)]
		groups = groups[len(chunk):]
		some := hashtable.NewRows(from.L, w)
		if d.some != nil && d.some.SharesArena(some) {
			some = d.some
			some.Reset()
		}
		d.some = some
		some.AppendRows(from, chunk)
		for i, v := range d.keys {
			v.Reset(len(chunk))
			some.Decode(i, 0, v)
		}
		for i, acc := range accs {
			d.state[i] = acc.(function.Spillable).Save(chunk, d.state[i][:0])
		}
		if err := d.parts.Write(d.codec, p, d.keys, len(chunk), nil, d.state...); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes all groups of a table by partition.
func (d *aggDisk) writeTable(t *hashtable.GroupTable, w *hashtable.ArenaWriter, accs []function.Accumulator) error {
	order, offsets := t.PartitionAt(d.first+d.parts.Level, spill.Bits)
	for p := range spill.Fanout {
		if err := d.write(p, t.Rows, w, accs, order[offsets[p]:offsets[p+1]]); err != nil {
			return err
		}
	}
	return nil
}

// foresee makes room for what a table may need when rows more keys come: it doubles, and
// the old half goes only afterwards.
func (l *aggLocal) foresee(rows int) error {
	if l.bounded || !l.a.spillable || l.stream.layout.Words() == 0 {
		return nil
	}
	growth := l.table.GrowthBytes(rows)
	if growth < minWorkspace {
		return nil
	}
	for _, acc := range l.accs {
		growth += acc.Bytes()
	}
	if l.a.memory.try(&l.held, l.bytes()+growth) || l.bytes() < l.a.memory.workspace() {
		return nil
	}
	return l.spill()
}

// claim reserves what the local holds, or spills.
func (l *aggLocal) claim() error {
	n, m := l.bytes(), l.a.memory
	if !l.a.spillable || l.stream.layout.Words() == 0 {
		return m.settle(&l.held, n) // or one group, which cannot be divided
	}
	if l.a.spilling.Load() && !l.alone && n > m.workspace() {
		return l.spill()
	}
	if m.try(&l.held, n) {
		return nil
	}
	if n <= m.workspace() {
		m.force(&l.held, n)
		return nil
	}
	if l.table.Groups() <= 1 && l.parts == nil {
		return m.settle(&l.held, n) // nothing to divide
	}
	return l.spill()
}

// spill moves all groups to disk.
func (l *aggLocal) spill() error {
	l.a.spilling.Store(true)
	if l.table.Groups() == 0 && l.parts == nil {
		return l.startAgain()
	}
	if l.disk == nil {
		var err error
		if l.disk, err = newAggDisk(l.a, l.aggs, l.table, 0); err != nil {
			return err
		}
	}
	if err := l.disk.writeTable(l.table, l.writer, l.accs); err != nil {
		return err
	}
	if l.parts != nil {
		var all []uint32
		for p := range aggPartitions {
			for _, c := range l.parts.part[p] {
				groups := ascending(&all, 0, c.rows.N)
				if err := l.disk.write(p, c.rows, l.writer, c.accs, groups); err != nil {
					return err
				}
			}
			l.parts.part[p] = nil
		}
	}
	return l.startAgain()
}

// startAgain gives the local an empty table and an arena of its own.
func (l *aggLocal) startAgain() error {
	a := l.a
	l.writer, l.alone = new(hashtable.Arena).NewWriter(), true
	l.parts, l.straight, l.next = nil, 0, a.checkGroups
	l.table = hashtable.NewGroupTable(l.stream.layout, l.writer, 32)
	l.table.AllowDense()
	l.codes.Reset()
	if l.disk != nil {
		l.disk.some = nil
	}
	var err error
	if l.accs, err = a.newAccumulators(l.aggs); err != nil {
		return err
	}
	a.memory.force(&l.held, l.bytes())
	return nil
}

// makeRoom, before a merge begins, spills what the drivers still hold in memory if that
// leaves the merge no room.
func (m *aggMerge) makeRoom() error {
	a := m.a
	used, any := 0, false
	var held int64
	for _, l := range m.locals {
		held += l.held
		if l.disk != nil {
			any = true
			used = max(used, l.disk.parts.Used())
		}
	}
	if any {
		a.memory.noteSpill(used, "partitions")
	}
	if m.partitions == 1 || !a.spillable || a.memory.r.Budget().Available() > held/4 {
		return nil
	}
	for _, l := range m.locals {
		if l.stream.layout.Words() == 0 {
			continue
		}
		if err := l.spill(); err != nil {
			return err
		}
	}
	return nil
}

// aggTask is a partition to merge: of the drivers' groups (disk nil), or of a file that a
// partition was too large for memory made.
type aggTask struct {
	disk      *aggDisk
	partition int
	last      bool // of its file
}

// aggCursor makes the results of one reader's partitions, one after the other.
type aggCursor struct {
	m     *aggMerge
	which []int
	tasks []aggTask
	w     mergeWorker
	codec *spill.Codec
	spare *hashtable.GroupTable // of the result before
	held  int64                 // for spare
}

// table is an empty table for r: in the memory of the result before, which is warm and need
// not be collected.
func (c *aggCursor) table(r *aggResult, capacity int) *hashtable.GroupTable {
	t := c.spare
	if t == nil || r.alone || t.Rows.L != r.layout {
		return hashtable.NewGroupTable(r.layout, r.writer, capacity)
	}
	c.drop()
	t.Renew(r.writer, capacity)
	return t
}

// recycle takes a result back that nobody reads any more.
func (c *aggCursor) recycle(r *aggResult) {
	a := c.m.a
	a.memory.force(&r.held, 0)
	if r.renewable && r.disk == nil && a.memory.try(&c.held, r.table.Bytes()) {
		c.spare = r.table
	}
}

// drop gives the spare memory up.
func (c *aggCursor) drop() {
	c.spare = nil
	if c.m != nil {
		c.m.a.memory.force(&c.held, 0)
	}
}

// next is the next result, nil when nothing is left of what add gave.
func (c *aggCursor) next() (*aggResult, error) {
	for len(c.tasks) > 0 {
		t := c.tasks[len(c.tasks)-1]
		c.tasks = c.tasks[:len(c.tasks)-1]
		r, err := c.m.partition(c, t)
		if err != nil {
			return nil, err
		}
		if t.last {
			if err := t.disk.parts.File.Close(); err != nil {
				return nil, err
			}
		}
		if r != nil {
			return r, nil
		}
	}
	return nil, nil
}

func (c *aggCursor) add(p int) { c.tasks = append(c.tasks, aggTask{partition: p}) }

// readDisk merges a partition's blocks of one file into r.
func (c *aggCursor) readDisk(r *aggResult, d *aggDisk, p int) error {
	blocks := d.parts.Blocks(p)
	if len(blocks) == 0 {
		return nil
	}
	if c.codec == nil {
		c.codec = spill.NewCodec(keyTypes(r.layout))
	}
	at := positions(c.which, d.aggs)
	keys := hashtable.NewKeys(r.layout)
	var groups []uint32
	for _, b := range blocks {
		cols, states, err := d.parts.File.Read(c.codec, b)
		if err != nil {
			return err
		}
		n := int(b.Rows)
		if cap(groups) < n {
			groups = make([]uint32, n)
		}
		groups = groups[:n]
		keys.Encode(cols, n, nil)
		r.table.FindOrAdd(keys, groups)
		accs, err := c.m.a.newAccumulators(d.aggs)
		if err != nil {
			return err
		}
		for i, acc := range accs {
			if err := acc.(function.Spillable).Load(states[i], n); err != nil {
				return err
			}
			acc.Grow(n)
			to := r.accs[at[i]]
			to.Grow(r.table.Groups())
			if err := to.Merge(groups, acc, 0); err != nil {
				return err
			}
		}
		if err := c.claim(r); err != nil {
			return err
		}
	}
	return nil
}

// claim reserves what a result holds; where that is refused, its groups go to a file of
// the next level.
func (c *aggCursor) claim(r *aggResult) error {
	a, n := c.m.a, r.bytes()
	if !a.spillable || r.level > spill.MaxLevel || r.table.Groups() <= 1 {
		return a.memory.settle(&r.held, n)
	}
	if a.memory.try(&r.held, n) {
		return nil
	}
	if n <= a.memory.workspace() {
		a.memory.force(&r.held, n)
		return nil
	}
	return c.overflow(r)
}

func (c *aggCursor) overflow(r *aggResult) error {
	var err error
	if r.disk == nil {
		if r.disk, err = newAggDisk(c.m.a, c.which, r.table, r.level); err != nil {
			return err
		}
	}
	for _, acc := range r.accs {
		acc.Grow(r.table.Groups())
	}
	if err := r.disk.writeTable(r.table, r.writer, r.accs); err != nil {
		return err
	}
	r.disk.some = nil
	r.writer, r.alone = new(hashtable.Arena).NewWriter(), true
	r.table = hashtable.NewGroupTable(r.layout, r.writer, 32)
	if r.accs, err = c.m.a.newAccumulators(c.which); err != nil {
		return err
	}
	c.m.a.memory.force(&r.held, r.bytes())
	return nil
}

// finish makes tasks of what a result overflowed to, or leaves it a result.
func (c *aggCursor) finish(r *aggResult) (*aggResult, error) {
	if r.disk == nil {
		for _, acc := range r.accs {
			acc.Grow(r.table.Groups())
		}
		return r, nil
	}
	if err := c.overflow(r); err != nil {
		return nil, err
	}
	c.m.a.memory.force(&r.held, 0)
	c.m.a.memory.note("spill levels", r.level)
	r.disk.keys = nil
	first := len(c.tasks)
	for p := range spill.Fanout {
		if rows, _ := r.disk.parts.Size(p); rows > 0 {
			c.tasks = append(c.tasks, aggTask{disk: r.disk, partition: p})
		}
	}
	if first < len(c.tasks) {
		c.tasks[first].last = true // tasks are taken from the end
	}
	return nil, nil
}

// note keeps the highest number under a name.
func (m *memoryClaim) note(name string, n int) {
	if old, ok := m.node.Notes.Load(name); ok {
		var before int
		if _, err := fmt.Sscan(old.(string), &before); err == nil && before >= n {
			return
		}
	}
	m.node.note(name, fmt.Sprint(n))
}
