package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/vector"
)

// hashJoinAway is the source of a join's last pipeline: the partitions that are away.
type hashJoinAway struct {
	j    *hashJoin
	next atomic.Int64
}

// Idle implements retiring.
func (a *hashJoinAway) Idle() bool { return !a.j.disk.some }

// Retire implements retiring: the join is done.
func (a *hashJoinAway) Retire() {
	a.j.closeFiles()
	a.j.release()
}

func (j *hashJoin) closeFiles() {
	for _, p := range []*spill.Parts{j.disk.build, j.disk.probe} {
		if p != nil {
			_ = p.File.Close() // the query's end tries again
		}
	}
}

// Open implements Source.
func (a *hashJoinAway) Open(_ context.Context, d *Driver) (SourceReader, error) {
	alone := *d.Runtime
	alone.Instances = 1
	return &joinAwayReader{a: a, rt: &alone}, nil
}

// joinAwayReader joins the partitions that it claims, and the parts of those that spill
// again.
type joinAwayReader struct {
	a     *hashJoinAway
	rt    *Runtime
	tasks []joinTask
	cur   *joinPart
}

// joinTask is a partition of a join that is away.
type joinTask struct {
	j         *hashJoin
	partition int
	last      bool // of j's partitions, where j is not the join of the plan
}

// Next implements SourceReader.
func (r *joinAwayReader) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.cur != nil {
			b, err := r.cur.next(ctx)
			if err != nil || b != nil {
				return b, err
			}
			more, err := r.nextPass(ctx)
			if err != nil {
				return nil, err
			}
			if !more {
				r.finish()
			}
			continue
		}
		t, ok := r.claim()
		if !ok {
			return nil, nil
		}
		cur, err := r.start(ctx, t)
		if err != nil {
			return nil, err
		}
		r.cur = cur
	}
}

func (r *joinAwayReader) claim() (joinTask, bool) {
	if n := len(r.tasks); n > 0 {
		t := r.tasks[n-1]
		r.tasks = r.tasks[:n-1]
		return t, true
	}
	for {
		q := int(r.a.next.Add(1)) - 1
		if q >= spill.Fanout {
			return joinTask{}, false
		}
		if r.a.j.disk.away[q] {
			return joinTask{j: r.a.j, partition: q}, true
		}
	}
}

// newChild makes the join of a partition.
func (r *joinAwayReader) newChild(t joinTask) (*hashJoin, error) {
	child, err := newHashJoin(t.j.n, r.rt, nil)
	if err != nil {
		return nil, err
	}
	if child.mark != nil {
		child.mark.simple = r.a.j.mark.simple
	}
	child.disk.level = t.j.disk.level + 1
	child.share = max(1, r.a.j.rt.Instances)
	return child, nil
}

// start builds the table of a partition, or of as much of it as fits where it does not divide.
func (r *joinAwayReader) start(ctx context.Context, t joinTask) (*joinPart, error) {
	child, err := r.newChild(t)
	if err != nil {
		return nil, err
	}
	part := &joinPart{task: t, child: child, rows: batchRowsOf(r.rt)}
	group := t.j.disk.build.Blocks(t.partition)
	child.spillable = child.disk.level <= spill.MaxLevel && (child.oneRowAKey() || t.j.divides(t.partition))
	child.measured = !child.spillable // what is loaded is one group of passes, or a row of each of very few keys
	if !child.spillable && !child.oneRowAKey() {
		if s := child.newPasses(t); len(s.groups) > 1 {
			rows, _ := t.j.disk.probe.Size(t.partition)
			s.remember(rows, r.a.j.memory)
			r.a.j.memory.note("passes", len(s.groups))
			part.passes = s
			group, _ = s.next()
		}
	}
	return part, part.begin(ctx, group)
}

// begin builds the table of blocks of the build side and goes to the start of the probe side.
// When it fails it lets go of everything.
func (p *joinPart) begin(ctx context.Context, group []spill.Block) (err error) {
	child := p.child
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	w := newJoinWriter(child)
	w.loading = child.measured
	if child.oneRowAKey() {
		w.seen = hashtable.NewGroupTable(child.layout, w.arena, 64)
	}
	if err := w.load(ctx, p.task.j.disk.build, group); err != nil {
		return err
	}
	w.seen = nil
	if err := w.Close(ctx); err != nil {
		return err
	}
	if err := child.build(ctx); err != nil {
		return err
	}
	if p.probe, err = newHashJoinProbe(child); err != nil {
		return err
	}
	if p.passes != nil && p.passes.seen != nil && (!p.passes.last || child.mark != nil) {
		p.probe.passes = p.passes
	}
	p.codec, p.blocks = spill.NewCodec(child.probeTypes), p.task.j.disk.probe.Blocks(p.task.partition)
	p.block, p.in, p.at, p.from, p.more, p.flushed, p.tail = nil, nil, 0, 0, false, false, nil
	return nil
}

// release lets go of the part's memory.
func (p *joinPart) release() {
	p.child.release()
	p.passes.release()
}

// finish lets go of the current partition, and queues those that it made.
func (r *joinAwayReader) finish() {
	c := r.cur
	r.cur = nil
	if c.task.last {
		c.task.j.closeFiles()
	}
	child := c.child
	first := len(r.tasks)
	for q, away := range child.disk.away {
		if away {
			r.tasks = append(r.tasks, joinTask{j: child, partition: q})
		}
	}
	if first < len(r.tasks) {
		r.tasks[first].last = true // tasks are taken from the end
	} else {
		child.closeFiles()
	}
	c.release()
}

// Close implements SourceReader.
func (r *joinAwayReader) Close() {
	if r.cur != nil {
		r.cur.release()
		r.cur = nil
	}
}

// joinPart is the join of one partition: its probe rows, then its unmatched build rows.
type joinPart struct {
	task   joinTask
	child  *hashJoin
	passes *joinPasses // nil: one
	probe  *hashJoinProbe
	blocks []spill.Block
	codec  *spill.Codec
	rows   int

	block   *vector.Batch // being probed
	from    int           // number of its first row
	at      int           // its next row
	in      *vector.Batch
	more    bool // probe has more of in
	flushed bool
	tail    *joinTailReader
}

func (p *joinPart) next(ctx context.Context) (*vector.Batch, error) {
	for !p.flushed {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !p.more {
			if err := p.nextInput(); err != nil {
				return nil, err
			}
			if p.in == nil {
				if _, err := p.probe.Flush(ctx); err != nil {
					return nil, err
				}
				p.flushed = true
				break
			}
		}
		out, flow, err := p.probe.Apply(ctx, p.in)
		if err != nil {
			return nil, err
		}
		p.more = flow == HasMore
		if flow == Finished {
			p.blocks, p.block = nil, nil
		}
		if out != nil && out.NumRows() > 0 {
			return out, nil
		}
	}
	if !p.child.wantsMatched() {
		return nil, nil
	}
	if p.tail == nil {
		p.tail = &joinTailReader{j: p.child, rows: p.rows}
	}
	return p.tail.Next(ctx)
}

// nextInput makes in the next rows of the partition's probe side, nil at the end.
func (p *joinPart) nextInput() error {
	p.in = nil
	for {
		if p.block == nil || p.at >= p.block.Len {
			if more, err := p.nextBlock(); err != nil || !more {
				return err
			}
		}
		lo, hi := p.at, min(p.at+p.rows, p.block.Len)
		p.at, p.probe.from = hi, p.from+lo
		in := p.block.View(lo, hi)
		if p.passes.unseenOnly() {
			if in.Sel = p.passes.unseen(p.from+lo, hi-lo); len(in.Sel) == 0 {
				continue
			}
		}
		p.in = in
		return nil
	}
}

// nextBlock reads the next block of the probe side; false at the end.
func (p *joinPart) nextBlock() (bool, error) {
	if p.block != nil {
		p.from += p.block.Len
	}
	p.block = nil
	if len(p.blocks) == 0 {
		return false, nil
	}
	b := p.blocks[0]
	p.blocks = p.blocks[1:]
	cols, _, err := p.task.j.disk.probe.File.Read(p.codec, b)
	if err != nil {
		return false, err
	}
	p.block, p.at = vector.NewBatch(int(b.Rows), cols...), 0
	return true, nil
}
