package executor

import (
	"context"
	"fmt"
	"sync"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// bucketShuffle keeps the build side of a join whose probe side is bucketed, dealt out to
// the probe side's buckets by the storage hash; each bucket takes its rows once, and they are
// freed after it. When memory is refused, further batches go to one temporary file.
type bucketShuffle struct {
	rt     *Runtime
	n      *physical.Exchange
	memory *memoryClaim

	mu    sync.Mutex
	parts [][]*vector.Batch // by bucket
	bytes []int64
	file  *spill.File // nil until memory was refused
	away  [][]spill.Block
}

func newBucketShuffle(n *physical.Exchange, rt *Runtime, node *NodeProfile) *bucketShuffle {
	return &bucketShuffle{rt: rt, n: n, parts: make([][]*vector.Batch, n.Buckets), bytes: make([]int64, n.Buckets),
		away: make([][]spill.Block, n.Buckets), memory: newSpillClaim(rt, fmt.Sprintf("bucket shuffle #%d", n.ID), node)}
}

// rowsOf is the number of rows of a bucket.
func (s *bucketShuffle) rowsOf(bucket int32) int {
	rows := 0
	for _, b := range s.parts[bucket] {
		rows += b.Len
	}
	for _, b := range s.away[bucket] {
		rows += int(b.Rows)
	}
	return rows
}

// Open implements Sink.
func (s *bucketShuffle) Open(context.Context, *Driver) (SinkWriter, error) {
	keys, err := compileRowExprs(s.n.Keys, s.rt.Functions)
	if err != nil {
		return nil, err
	}
	return &shuffleWriter{s: s, keys: keys, open: make([]*vector.Batch, s.n.Buckets), rows: make([][]int32, s.n.Buckets)}, nil
}

// shuffleWriter is one driver's part.
type shuffleWriter struct {
	s       *bucketShuffle
	keys    []*rowExpr
	vals    []*vector.Vector
	numbers []int32
	scratch []uint32
	rows    [][]int32 // of the batch at hand, by bucket
	open    []*vector.Batch
	codec   *spill.Codec
}

// Consume implements SinkWriter.
func (w *shuffleWriter) Consume(_ context.Context, b *vector.Batch) (Flow, error) {
	vals, err := evalAll(w.keys, b, false, w.vals)
	if err != nil {
		return NeedInput, err
	}
	w.vals = vals
	if cap(w.numbers) < b.Len {
		w.numbers = make([]int32, b.Len)
	}
	numbers := w.numbers[:b.Len]
	w.scratch = w.s.n.Hash.Numbers(vals, b.Len, b.Sel, w.s.n.Buckets, numbers, w.scratch)
	for i := range w.rows {
		w.rows[i] = w.rows[i][:0]
	}
	for k := range b.NumRows() {
		r := b.Row(k)
		w.rows[numbers[r]] = append(w.rows[numbers[r]], int32(r))
	}
	for bucket, rows := range w.rows {
		if err := w.add(b, bucket, rows); err != nil {
			return NeedInput, err
		}
	}
	return NeedInput, nil
}

// add appends rows of b to a bucket, in batches of the usual size.
func (w *shuffleWriter) add(b *vector.Batch, bucket int, rows []int32) error {
	most := batchRowsOf(w.s.rt)
	for len(rows) > 0 {
		o := w.open[bucket]
		if o == nil {
			o = &vector.Batch{}
			for _, c := range b.Cols {
				o.Cols = append(o.Cols, vector.New(c.Type, 0))
			}
			w.open[bucket] = o
		}
		n := min(len(rows), most-o.Len)
		for i, c := range b.Cols {
			o.Cols[i].AppendFrom(c, rows[:n])
		}
		o.Len += n
		rows = rows[n:]
		if o.Len == most {
			if err := w.keep(bucket, o); err != nil {
				return err
			}
			w.open[bucket] = nil
		}
	}
	return nil
}

// keep hands over a full batch of a bucket.
func (w *shuffleWriter) keep(bucket int, b *vector.Batch) error {
	s := w.s
	spilling, err := s.take(bucket, b)
	if err != nil || !spilling {
		return err
	}
	if w.codec == nil {
		types := make([]sqltype.Type, len(b.Cols))
		for i, c := range b.Cols {
			types[i] = c.Type
		}
		w.codec = spill.NewCodec(types)
	}
	block, err := s.file.Write(w.codec, b.Cols, b.Len, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.away[bucket] = append(s.away[bucket], block)
	s.mu.Unlock()
	return nil
}

// take keeps a batch in memory; spilling tells that there is no room and a file for it.
func (s *bucketShuffle) take(bucket int, b *vector.Batch) (spilling bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := &s.bytes[bucket]
	n := *held + b.Bytesize()
	switch {
	case !s.memory.canSpill():
		if err := s.memory.set(held, n); err != nil {
			return false, err
		}
	case s.file != nil:
		return true, nil
	case !s.memory.try(held, n):
		if s.file, err = s.memory.area.Create(s.memory.counters()); err != nil {
			return false, err
		}
		return true, nil
	}
	s.parts[bucket] = append(s.parts[bucket], b)
	return false, nil
}

// Close implements SinkWriter.
func (w *shuffleWriter) Close(context.Context) error {
	for bucket, o := range w.open {
		if o != nil {
			if err := w.keep(bucket, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finalize implements Sink.
func (s *bucketShuffle) Finalize(context.Context) error { return nil }

// Abort implements Sink.
func (s *bucketShuffle) Abort() {
	s.parts, s.away = nil, nil
	if s.file != nil {
		_ = s.file.Close() // the area removes what is left
	}
	s.memory.release()
}

// shuffledBucket is one bucket's rows as the source of its pipeline.
type shuffledBucket struct {
	s      *bucketShuffle
	number int32
}

// Open implements Source.
func (b *shuffledBucket) Open(context.Context, *Driver) (SourceReader, error) {
	return &shuffledReader{b: b}, nil
}

type shuffledReader struct {
	b     *shuffledBucket
	next  int
	codec *spill.Codec
	out   vector.Batch
}

// Next implements SourceReader.
func (r *shuffledReader) Next(context.Context) (*vector.Batch, error) {
	s := r.b.s // nobody writes any more
	part := s.parts[r.b.number]
	if i := r.next - len(part); i >= 0 {
		return r.spilled(i)
	}
	r.next++
	return part[r.next-1], nil
}

// spilled reads a block of the bucket back.
func (r *shuffledReader) spilled(i int) (*vector.Batch, error) {
	s := r.b.s
	if i >= len(s.away[r.b.number]) {
		return nil, nil
	}
	if r.codec == nil {
		cols := s.n.Base().Cols
		types := make([]sqltype.Type, len(cols))
		for k, c := range cols {
			types[k] = c.T
		}
		r.codec = spill.NewCodec(types)
	}
	block := s.away[r.b.number][i]
	cols, _, err := s.file.Read(r.codec, block)
	if err != nil {
		return nil, err
	}
	r.next++
	r.out = vector.Batch{Cols: cols, Len: int(block.Rows)}
	return &r.out, nil
}

// Close implements SourceReader: a bucket runs once.
func (r *shuffledReader) Close() {
	s := r.b.s
	s.parts[r.b.number] = nil
	s.memory.force(&s.bytes[r.b.number], 0)
}
