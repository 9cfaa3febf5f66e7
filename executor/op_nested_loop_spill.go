package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/vector"
)

// How a nested loop join spills. Every probe row meets every build row, so nothing can be
// divided: when memory for the build side is refused, all of it goes to a file, in blocks. A
// driver then gathers probe rows until they are worth a batch and reads the file once for
// them (a block nested loops join), with what they have found so far kept from block to block.
// Reading is a small part of the work: a block's rows are decoded once for thousands of pairs each.

// nestedLoopDisk is the build side of a join that spilled.
type nestedLoopDisk struct {
	on   atomic.Bool // file is there
	file *spill.File // nil until memory was refused
	// blocks of the file, and the numbers of their first rows; complete after Finalize.
	blocks []spill.Block
	bases  []int
}

// nestedLoopBlockRows is up to how many rows a block has; less where they are wide.
const nestedLoopBlockRows = 16 << 10

// claim reserves what the writer holds, or spills.
func (w *nestedLoopWriter) claim() error {
	m, bytes := w.j.memory, int64(0)
	for _, c := range w.cols {
		bytes += c.Bytesize()
	}
	if !m.canSpill() {
		return m.set(&w.held, bytes)
	}
	if !w.j.disk.on.Load() && m.try(&w.held, bytes) {
		return nil
	}
	if bytes <= m.workspace() {
		m.force(&w.held, bytes)
		return nil
	}
	if err := w.j.startSpill(); err != nil {
		return err
	}
	if w.codec == nil {
		w.codec = spill.NewCodec(w.j.buildTypes)
	}
	if err := w.j.toDisk(w.codec, w.cols); err != nil {
		return err
	}
	for i, t := range w.j.buildTypes {
		w.cols[i] = vector.New(t, 0)
	}
	w.rows = 0
	m.force(&w.held, 0)
	return nil
}

// startSpill makes the file; once, by whoever comes first.
func (j *nestedLoopJoin) startSpill() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.disk.file != nil {
		return nil
	}
	var err error
	if j.disk.file, err = j.memory.area.Create(j.memory.counters()); err != nil {
		return err
	}
	j.disk.on.Store(true)
	return nil
}

// toDisk writes build rows, flat columns, in blocks of about what a driver may hold.
func (j *nestedLoopJoin) toDisk(codec *spill.Codec, cols []*vector.Vector) error {
	n, bytes := 0, int64(0)
	for _, c := range cols {
		n = c.Len
		bytes += c.Bytesize()
	}
	step := nestedLoopBlockRows
	if bytes > 0 {
		step = min(step, max(1, int(int64(n)*j.memory.workspace()/bytes)))
	}
	part := make([]*vector.Vector, len(cols))
	for lo := 0; lo < n; lo += step {
		hi := min(lo+step, n)
		for i, c := range cols {
			part[i] = c.Slice(lo, hi)
		}
		b, err := j.disk.file.Write(codec, part, hi-lo, nil)
		if err != nil {
			return err
		}
		j.mu.Lock()
		j.disk.blocks = append(j.disk.blocks, b)
		j.mu.Unlock()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.collectRanges(cols)
	return nil
}

// settle writes what the drivers still have and numbers the rows.
func (j *nestedLoopJoin) settle(ctx context.Context) error {
	codec := spill.NewCodec(j.buildTypes)
	for _, p := range j.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := j.toDisk(codec, p); err != nil {
			return err
		}
	}
	j.parts, j.rows = nil, 0
	j.memory.release()
	for _, b := range j.disk.blocks {
		j.disk.bases = append(j.disk.bases, j.rows)
		j.rows += int(b.Rows)
	}
	j.memory.noteSpill(len(j.disk.blocks), "blocks")
	return nil
}

// blocks is in how many blocks the build rows come.
func (j *nestedLoopJoin) blocks() int {
	if j.disk.on.Load() {
		return len(j.disk.blocks)
	}
	return 1
}

// nestedLoopBlock is build rows for one driver: all of them where they are in memory, else
// the block that it read last.
type nestedLoopBlock struct {
	rows, base int              // base is the number of the first row
	cols       []*vector.Vector // flat, by build column
	j          *nestedLoopJoin
	codec      *spill.Codec // of blocks on disk
	held       int64
}

// open is the block of all rows that are in memory.
func (b *nestedLoopBlock) open(j *nestedLoopJoin) {
	b.j = j
	if !j.disk.on.Load() {
		b.rows, b.cols = j.rows, j.cols
		return
	}
	b.codec = spill.NewCodec(j.buildTypes)
}

// read makes it block k; its memory is the one of the block before.
func (b *nestedLoopBlock) read(k int) error {
	if b.codec == nil {
		return nil
	}
	j := b.j
	cols, _, err := j.disk.file.Read(b.codec, j.disk.blocks[k])
	if err != nil {
		return err
	}
	b.rows, b.base, b.cols = int(j.disk.blocks[k].Rows), j.disk.bases[k], cols
	j.memory.force(&b.held, b.codec.Bytes()+int64(j.disk.blocks[k].Raw))
	return nil
}

func (b *nestedLoopBlock) close() { b.j.memory.force(&b.held, 0) }

// probeGather collects the probe rows of one driver that meet a build side on disk together,
// up to a batch of them or what the driver may hold.
type probeGather struct {
	j     *nestedLoopJoin
	limit int // rows
	used  int // live rows of the input that were taken
	batch vector.Batch
	spent bool // the batch is done; its memory goes to the next one
	sel   []int32
	held  int64
}

func newProbeGather(j *nestedLoopJoin, limit int) *probeGather {
	g := &probeGather{j: j, limit: limit}
	for _, t := range j.probeTypes {
		g.batch.Cols = append(g.batch.Cols, vector.New(t, 0))
	}
	return g
}

// take adds rows of in and reports whether the batch is full.
func (g *probeGather) take(in *vector.Batch) bool {
	g.renew()
	for g.used < in.NumRows() {
		sel := g.sel[:0]
		// Few at a time, so that wide rows do not come all at once.
		const few = 64
		for n := min(g.limit-g.batch.Len, few); n > 0 && g.used < in.NumRows(); n-- {
			sel = append(sel, int32(in.Row(g.used)))
			g.used++
		}
		g.sel = sel
		bytes := int64(0)
		for i, c := range g.batch.Cols {
			c.AppendFrom(in.Cols[i], sel)
			bytes += c.Bytesize()
		}
		g.batch.Len += len(sel)
		g.j.memory.force(&g.held, bytes)
		if g.batch.Len == g.limit || bytes > g.j.memory.workspace() {
			return true
		}
	}
	g.used = 0
	return false
}

// renew empties the batch when it is done.
func (g *probeGather) renew() {
	if !g.spent {
		return
	}
	g.spent, g.batch.Len = false, 0
	for _, c := range g.batch.Cols {
		c.Reset(0)
	}
}

// applyGathered is Apply where the build side is on disk.
func (p *nestedLoopProbe) applyGathered(ctx context.Context, in *vector.Batch) (*vector.Batch, Flow, error) {
	for {
		if !p.active {
			if !p.gather.take(in) {
				return nil, NeedInput, nil
			}
			p.start(&p.gather.batch)
		}
		out, more, err := p.proceed(ctx, &p.gather.batch)
		p.gather.spent = !more
		if err != nil || out != nil {
			return out, HasMore, err
		}
	}
}

// Flush implements Flusher: the probe rows that were too few for a batch.
func (p *nestedLoopProbe) Flush(ctx context.Context) (*vector.Batch, error) {
	g := p.gather
	if g == nil {
		return nil, nil
	}
	for {
		if !p.active {
			if g.renew(); g.batch.Len == 0 {
				break
			}
			p.start(&g.batch)
		}
		out, more, err := p.proceed(ctx, &g.batch)
		g.spent = !more
		if err != nil || out != nil {
			return out, err
		}
	}
	g.j.memory.force(&g.held, 0)
	p.build.close()
	return nil, nil
}
