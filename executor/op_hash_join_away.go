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
			r.finish()
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

// start builds the table of a partition.
func (r *joinAwayReader) start(ctx context.Context, t joinTask) (part *joinPart, err error) {
	child, err := newHashJoin(t.j.n, r.rt, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			child.release()
		}
	}()
	if child.mark != nil {
		child.mark.simple = r.a.j.mark.simple
	}
	child.disk.level = t.j.disk.level + 1
	child.share = max(1, r.a.j.rt.Instances)
	child.spillable = child.disk.level <= spill.MaxLevel && t.j.divides(t.partition)
	w := newJoinWriter(child)
	if child.oneRowAKey() {
		w.seen = hashtable.NewGroupTable(child.layout, w.arena, 64)
	}
	if err := w.load(ctx, t.j.disk.build, t.partition); err != nil {
		return nil, err
	}
	w.seen = nil
	if err := w.Close(ctx); err != nil {
		return nil, err
	}
	if err := child.build(ctx); err != nil {
		return nil, err
	}
	part = &joinPart{task: t, child: child, blocks: t.j.disk.probe.Blocks(t.partition), codec: spill.NewCodec(child.probeTypes), rows: batchRowsOf(r.rt)}
	part.probe, err = newHashJoinProbe(child)
	return part, err
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
	child.release()
}

// Close implements SourceReader.
func (r *joinAwayReader) Close() {
	if r.cur != nil {
		r.cur.child.release()
		r.cur = nil
	}
}

// joinPart is the join of one partition: its probe rows, then its unmatched build rows.
type joinPart struct {
	task   joinTask
	child  *hashJoin
	probe  *hashJoinProbe
	blocks []spill.Block
	codec  *spill.Codec
	rows   int

	block   *vector.Batch // being probed
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
	if p.block == nil || p.at >= p.block.Len {
		if len(p.blocks) == 0 {
			return nil
		}
		b := p.blocks[0]
		p.blocks = p.blocks[1:]
		cols, _, err := p.task.j.disk.probe.File.Read(p.codec, b)
		if err != nil {
			return err
		}
		p.block, p.at = vector.NewBatch(int(b.Rows), cols...), 0
	}
	hi := min(p.at+p.rows, p.block.Len)
	p.in = p.block
	if p.at > 0 || hi < p.block.Len {
		p.in = p.block.View(p.at, hi)
	}
	p.at = hi
	return nil
}
