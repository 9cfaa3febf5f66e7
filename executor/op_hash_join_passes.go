package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// joinPasses joins a partition whose build rows do not fit and would not divide, as those of
// one key: its probe rows are read once for every group of build blocks that fits (a block
// nested loops join, inside of which hashes are used). Kinds that keep probe rows without a
// match read these once more, when all groups are through.
type joinPasses struct {
	kind   physical.JoinKind
	groups [][]spill.Block // still to come
	// seen has a bit for each probe row, in the order of the blocks, that has found a match; nil for
	// kinds whose probe rows come out by match alone.
	seen vector.Bitmap
	// unknown has a bit for each probe row that a row of the groups so far leaves open, of Mark joins.
	unknown vector.Bitmap
	last    bool // the groups are through
	memory  *memoryClaim
	held    int64 // of it, for seen
}

// newPasses divides the build rows of task t by what child, which will hold them, has room for.
func (j *hashJoin) newPasses(t joinTask) *joinPasses {
	s := &joinPasses{kind: j.n.Kind}
	room, used := j.memory.r.Budget().Available()/2/int64(j.share), int64(0)
	perRow := j.rowBytes()
	for _, b := range t.j.disk.build.Blocks(t.partition) {
		need := int64(b.Rows)*perRow + int64(b.Raw)
		if len(s.groups) == 0 || used+need > room {
			s.groups, used = append(s.groups, nil), 0
		}
		used += need
		last := len(s.groups) - 1
		s.groups[last] = append(s.groups[last], b)
	}
	return s
}

// remember makes room to note which of the partition's probe rows have found a match.
func (s *joinPasses) remember(rows int64, memory *memoryClaim) {
	switch s.kind {
	case physical.Mark:
		s.unknown = make(vector.Bitmap, (rows+63)/64)
		fallthrough
	case physical.Left, physical.Full, physical.Single, physical.Semi, physical.Anti, physical.NullAwareAnti:
		s.seen = make(vector.Bitmap, (rows+63)/64)
		s.memory = memory
		memory.force(&s.held, int64(8*(len(s.seen)+len(s.unknown))))
	}
}

// release forgets them.
func (s *joinPasses) release() {
	if s != nil && s.memory != nil {
		s.memory.force(&s.held, 0)
	}
}

// next is the build blocks of the next pass; false at the end.
func (s *joinPasses) next() ([]spill.Block, bool) {
	switch {
	case len(s.groups) > 0:
		group := s.groups[0]
		s.groups = s.groups[1:]
		return group, true
	case s.last || s.seen == nil || s.kind == physical.Semi:
		return nil, false
	}
	s.last = true
	return nil, true
}

// unseenOnly: the pass wants but the probe rows that have not found a match.
func (s *joinPasses) unseenOnly() bool {
	if s == nil {
		return false
	}
	switch s.kind {
	case physical.Semi, physical.NullAwareAnti:
		return true
	case physical.Mark:
		return !s.last
	}
	return s.last
}

// unseen are those of n rows, the first of which has number from, that have not found a match; never nil.
func (s *joinPasses) unseen(from, n int) []int32 {
	sel := make([]int32, 0, n)
	for i := range n {
		if !s.seen.Get(from + i) {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

// noteMatch remembers that live row k of in has a match.
func (p *hashJoinProbe) noteMatch(in *vector.Batch, k int) error {
	s, row := p.passes, p.from+in.Row(k)
	if s.kind == physical.Single && s.seen.Get(row) {
		return sqlerr.New(sqlerr.SubqueryMoreThanOne, "Subquery returns more than 1 row")
	}
	s.seen.Set(row)
	return nil
}

// noteHeads is noteMatch for all rows with a head.
func (p *hashJoinProbe) noteHeads(in *vector.Batch) error {
	if p.passes == nil {
		return nil
	}
	for k, head := range p.heads {
		if head != 0 {
			if err := p.noteMatch(in, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteMarks remembers which rows have a match and which are left open; for a NullAwareAnti join these
// are as good as matched.
func (p *hashJoinProbe) noteMarks(in *vector.Batch) {
	s := p.passes
	for k, head := range p.heads {
		open := p.marker.unknown != nil && p.marker.unknown[k]
		switch row := p.from + in.Row(k); {
		case head != 0 || open && s.unknown == nil:
			s.seen.Set(row)
		case open:
			s.unknown.Set(row)
		}
	}
}

// recallMarks is what all passes noted of a Mark join's rows, as heads and unknown rows. A NullAwareAnti join has
// only those that nobody noted.
func (p *hashJoinProbe) recallMarks(in *vector.Batch) {
	s := p.passes
	if s.unknown == nil {
		return
	}
	for k := range p.heads {
		row := p.from + in.Row(k)
		p.heads[k] = 0
		if s.seen.Get(row) {
			p.heads[k] = 1 // any row
		}
		if p.marker.unknown != nil {
			p.marker.unknown[k] = p.heads[k] == 0 && s.unknown.Get(row)
		}
	}
}

// notePairs is noteMatch for all rows with a pair.
func (p *hashJoinProbe) notePairs(in *vector.Batch) error {
	if p.passes == nil {
		return nil
	}
	for k, matched := range p.pairs.matched {
		if matched {
			if err := p.noteMatch(in, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextPass starts the next pass over the current partition; false when there is none.
func (r *joinAwayReader) nextPass(ctx context.Context) (bool, error) {
	part := r.cur
	if part.passes == nil {
		return false, nil
	}
	group, ok := part.passes.next()
	if !ok {
		return false, nil
	}
	part.child.release()
	child, err := r.newChild(part.task)
	if err != nil {
		return false, err
	}
	part.child = child
	child.spillable, child.measured = false, true
	return true, part.begin(ctx, group)
}
