package executor

import (
	"context"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/vector"
)

// A sectioned sort (DISTRIBUTE BY, SORT BY) hands its rows out by sections: ranges of the merged order, each with one value of
// the first key, or of about equal size. Where a sink can take several at a time, every driver claims one after the
// other; else one driver reads all in order. In both cases the sink is told where a section ends.

// sectionedReader is a SourceReader whose batches belong to sections.
type sectionedReader interface {
	SourceReader
	// Section is the number of the section of the batch that Next returned last.
	Section() int
}

// sectionedWriter is a SinkWriter that keeps sections apart.
type sectionedWriter interface {
	SinkWriter
	// EndSection is called between the rows of two sections.
	EndSection(ctx context.Context) error
}

// sections are those of a sort; made by the first driver.
type sections struct {
	s    *sorter
	next atomic.Int64
	cuts []int // bounds in s.order
}

// buildSections adds the pipeline of a sectioned sort.
func (b *builder) buildSections(s *sorter, down stage) {
	src := &sectionSource{s: s}
	s.sections = &sections{s: s}
	if w, ok := down.sink.(*write); ok && w.takesSections() {
		b.add(src, s.n, down)
		return
	}
	b.addSerial(src, s.n, down)
}

// cut finds the sections of the merged order.
func (c *sections) cut() error {
	n := len(c.s.order)
	c.cuts = []int{0}
	if !c.s.n.Numbered {
		const least = 4 * vector.BatchRows // smaller files serve nobody
		parts := min(max(c.s.rt.Instances, 1), max(n/least, 1))
		for p := 1; p <= parts; p++ {
			c.cuts = append(c.cuts, n*p/parts)
		}
		return nil
	}
	number, err := newSectionNumber(c.s)
	if err != nil {
		return err
	}
	for at := 0; at < n; {
		first, err := number.of(c.s.cols, c.s.order[at])
		if err != nil {
			return err
		}
		lo, hi := at+1, n // the first row of another section is in [lo, hi]
		for lo < hi {
			mid := int(uint(lo+hi) >> 1)
			v, err := number.of(c.s.cols, c.s.order[mid])
			if err != nil {
				return err
			}
			if v == first {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		at = lo
		c.cuts = append(c.cuts, at)
	}
	return nil
}

// sectionNumber computes the first key of single rows.
type sectionNumber struct {
	exprs []*rowExpr
	vals  []*vector.Vector
	mem   []vector.Vector
	batch vector.Batch
	row   [1]int32
}

func newSectionNumber(s *sorter) (*sectionNumber, error) {
	exprs, err := compileRowExprs(s.exprs[:1], s.rt.Functions)
	return &sectionNumber{exprs: exprs}, err
}

// of is the section of a row of cols.
func (x *sectionNumber) of(cols []*vector.Vector, row int32) (int32, error) {
	if x.mem == nil {
		x.mem = make([]vector.Vector, len(cols))
		x.batch.Cols = make([]*vector.Vector, len(cols))
	}
	x.row[0] = row
	for i, c := range cols {
		x.batch.Cols[i] = c.Gather(x.row[:], &x.mem[i])
	}
	x.batch.Len = 1
	vals, err := evalAll(x.exprs, &x.batch, true, x.vals)
	if err != nil {
		return 0, err
	}
	x.vals = vals
	return int32(vals[0].Value(0).Int64()), nil
}

// sectionSource yields the sections to whoever claims them.
type sectionSource struct{ s *sorter }

// Open implements Source.
func (src *sectionSource) Open(context.Context, *Driver) (SourceReader, error) {
	s := src.s
	if len(s.disk) == 0 {
		return &sectionReader{c: s.sections, in: sortReader{s: s, rows: batchRowsOf(s.rt)}, now: -1}, nil
	}
	if s.sections.next.Add(1) > 1 { // rows on disk are merged by one driver
		return &sectionReader{c: &sections{s: s}, now: -1}, nil
	}
	in, err := s.openSpilled()
	if err != nil || !s.n.Numbered {
		return in, err
	}
	number, err := newSectionNumber(s)
	return &spilledSections{SourceReader: in, number: number}, err
}

// sectionReader reads sections of the order in memory.
type sectionReader struct {
	c   *sections
	in  sortReader
	now int
	end int // of the section
}

// Next implements SourceReader.
func (r *sectionReader) Next(ctx context.Context) (*vector.Batch, error) {
	for r.in.at >= r.end {
		r.now = int(r.c.next.Add(1)) - 1
		if r.now+1 >= len(r.c.cuts) {
			return nil, nil
		}
		r.in.at, r.end = r.c.cuts[r.now], r.c.cuts[r.now+1]
	}
	return r.in.upTo(r.end), nil
}

// Section implements sectionedReader.
func (r *sectionReader) Section() int { return r.now }

// Close implements SourceReader.
func (r *sectionReader) Close() {}

// spilledSections cuts the batches of a merge where the section's number changes.
type spilledSections struct {
	SourceReader
	number *sectionNumber
	batch  *vector.Batch
	at     int
	now    int
}

// Next implements SourceReader.
func (r *spilledSections) Next(ctx context.Context) (*vector.Batch, error) {
	for r.batch == nil || r.at >= r.batch.Len {
		b, err := r.SourceReader.Next(ctx)
		if b == nil || err != nil {
			return nil, err
		}
		r.batch, r.at = b, 0
	}
	lo := r.at
	first, err := r.number.of(r.batch.Cols, int32(lo))
	if err != nil {
		return nil, err
	}
	for r.at = r.batch.Len; r.at > lo+1; { // halves, from the right
		v, err := r.number.of(r.batch.Cols, int32(r.at-1))
		if err != nil {
			return nil, err
		}
		if v == first {
			break
		}
		r.at = lo + (r.at-lo)/2
	}
	r.now = int(first)
	if lo == 0 && r.at == r.batch.Len {
		return r.batch, nil
	}
	return r.batch.View(lo, r.at), nil
}

// Section implements sectionedReader.
func (r *spilledSections) Section() int { return r.now }

// Idle and Retire implement retiring.
func (src *sectionSource) Idle() bool { return false }

// Retire implements retiring.
func (src *sectionSource) Retire() { sortSource{src.s}.Retire() }
