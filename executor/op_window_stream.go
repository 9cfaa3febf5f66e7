package executor

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// A partition need not be in memory as a whole where the calls look back and ahead by a few rows only, or carry what
// they know of the rows before. Such a node streams: it computes rows as soon as what lies ahead of them is there.

// reach is what a call needs beside the row itself.
type reach struct {
	back, ahead int64 // rows
	peers       bool  // the peers of the row
	carries     bool  // what came before is in the call's state; see windowCall.next
}

// farthest is how far a call may look back or ahead for its node to stream.
const farthest = 1 << 16

// reach tells what the call needs; false: the whole partition.
func (c *windowCall) reach() (reach, bool) {
	f := &c.w.Frame
	switch k := c.w.Fn.Kind; {
	case c.w.IgnoreNulls || c.w.Distinct:
		return reach{}, false
	case k == function.RowNumber, k == function.Rank, k == function.DenseRank:
		return reach{carries: true}, true
	case c.total > 0 && (k == function.PercentRank || k == function.Ntile):
		return reach{carries: true}, true
	case c.total > 0 && k == function.CumeDist:
		return reach{carries: true, peers: true}, true
	case k == function.Lag:
		return near(reach{back: c.offset(1, 1)})
	case k == function.Lead:
		return near(reach{ahead: c.offset(1, 1)})
	case !k.UsesFrame():
		return reach{}, false
	case f.Start.Kind == expr.UnboundedPreceding && f.End.Kind == expr.CurrentRow && k != function.NthValue:
		return reach{carries: true, peers: !f.Rows}, true
	case !f.Rows || f.Start.Kind == expr.UnboundedPreceding || f.End.Kind == expr.UnboundedFollowing:
		return reach{}, false
	}
	r := reach{}
	for _, b := range []*expr.Bound{&f.Start, &f.End} {
		switch b.Kind {
		case expr.Preceding:
			r.back = max(r.back, b.Rows)
		case expr.Following:
			r.ahead = max(r.ahead, b.Rows)
		}
	}
	return near(r)
}

func near(r reach) (reach, bool) { return r, r.back <= farthest && r.ahead <= farthest }

// streamState is where a window that streams is. The rows of window.buf before done are out; they are there for calls
// that look back.
type streamState struct {
	reach
	peerKeys int // sort keys that the calls that need peers have at most
	done     int

	last    []*vector.Vector // the keys of the last row that is out or dropped, one row each
	haveRow bool
	spare   []*vector.Vector // the other buffer
}

// newStreamState is nil when a call needs whole partitions.
func newStreamState(calls []*windowCall) *streamState {
	s := &streamState{}
	for _, c := range calls {
		r, ok := c.reach()
		if !ok {
			return nil
		}
		s.back, s.ahead = max(s.back, r.back), max(s.ahead, r.ahead)
		if r.peers {
			s.peers, s.peerKeys = true, max(s.peerKeys, c.w.Peers)
		}
		c.carries = r.carries
	}
	return s
}

// direct: no row waits for another, so that batches pass as they come.
func (s *streamState) direct() bool { return s.back == 0 && s.ahead == 0 && !s.peers }

// stream takes a batch, nil at the end of the input, and computes what can be.
func (w *window) stream(in *vector.Batch) (*vector.Batch, Flow, error) {
	s := w.streaming
	if s.direct() {
		if in == nil {
			return nil, NeedInput, nil
		}
		if in.Sel != nil {
			in = in.Copy()
		}
		if err := w.prepare(in); err != nil {
			return nil, NeedInput, err
		}
		return w.advance(in, 0, in.Len, in.Len)
	}
	if in != nil {
		if err := w.add(in); err != nil {
			return nil, NeedInput, err
		}
		if w.count-s.done < w.enough() {
			return nil, NeedInput, nil
		}
	}
	if w.count == 0 {
		return nil, NeedInput, nil
	}
	b := vector.NewBatch(w.count, w.buf...)
	if err := w.prepare(b); err != nil {
		return nil, NeedInput, err
	}
	return w.advance(b, s.done, w.count, w.knownRows(b, in == nil))
}

// knownRows is the number of rows of the buffer whose surroundings are all there.
func (w *window) knownRows(b *vector.Batch, end bool) int {
	if end {
		return b.Len
	}
	s := w.streaming
	known := max(0, b.Len-int(s.ahead))
	if s.peers {
		groups := w.rows.peers(s.peerKeys)
		known = min(known, int(groups[len(groups)-2]))
	}
	parts := w.rows.partitions()
	return max(known, int(parts[len(parts)-2]))
}

// prepare makes the windowRows of a batch.
func (w *window) prepare(b *vector.Batch) (err error) {
	w.rows.reset(b)
	w.rows.keys, err = evalAll(w.keys, b, true, w.rows.keys)
	return err
}

// advance computes rows [done, known) of b, which has n, and keeps what later rows look back to.
func (w *window) advance(b *vector.Batch, done, n, known int) (*vector.Batch, Flow, error) {
	if known <= done {
		return nil, NeedInput, nil
	}
	s, r := w.streaming, &w.rows
	p := progress{lo: done, hi: known}
	if s.haveRow && done == 0 {
		p.continued = sameRow(s.last[:r.partition], 0, r.keys, 0)
	}
	w.ready = vector.Batch{Len: known - done, Cols: w.ready.Cols[:0]}
	for _, c := range b.Cols {
		if known-done < b.Len {
			c = c.Slice(done, known)
		}
		w.ready.Cols = append(w.ready.Cols, c)
	}
	for _, c := range w.calls {
		v, err := w.streamedCall(c, b, p)
		if err != nil {
			return nil, NeedInput, err
		}
		w.ready.Cols = append(w.ready.Cols, v)
	}
	s.remember(r, known-1)
	if !s.direct() {
		w.keepFrom(max(0, known-int(s.back)), n)
		s.done = known - max(0, known-int(s.back))
	}
	w.at = 0
	return w.next(), w.flow(), nil
}

func (w *window) streamedCall(c *windowCall, b *vector.Batch, p progress) (*vector.Vector, error) {
	if !c.carries {
		v, err := c.compute(&w.rows, b)
		if err != nil || p.hi-p.lo == b.Len {
			return v, err
		}
		return v.Slice(p.lo, p.hi), nil
	}
	s, r := w.streaming, &w.rows
	if p.lo == 0 {
		p.peer = p.continued && sameRow(s.last[:r.partition+c.w.Peers], 0, r.keys, 0)
	} else {
		p.continued = sameRow(r.keys[:r.partition], p.lo-1, r.keys, p.lo)
		p.peer = p.continued && sameRow(r.keys[:r.partition+c.w.Peers], p.lo-1, r.keys, p.lo)
	}
	return c.next(r, b, p)
}

// remember copies the keys of a row.
func (s *streamState) remember(r *windowRows, row int) {
	if s.last == nil {
		for _, k := range r.keys {
			s.last = append(s.last, vector.New(k.Type, 0))
		}
	}
	sel := [1]int32{int32(row)}
	for i, k := range r.keys {
		s.last[i].Reset(0)
		s.last[i].AppendFrom(k, sel[:])
	}
	s.haveRow = true
}

// keepFrom moves rows [lo, n) of the buffer to its beginning. What was handed out stays where it is until the call after
// the next one.
func (w *window) keepFrom(lo, n int) {
	s := w.streaming
	old := w.buf
	if s.spare == nil {
		w.buf = nil
		w.clear()
	} else {
		w.buf = s.spare
		for _, c := range w.buf {
			c.Reset(0)
		}
	}
	s.spare = old
	sel := make([]int32, 0, n-lo)
	for i := lo; i < n; i++ {
		sel = append(sel, int32(i))
	}
	for i, c := range w.buf {
		c.AppendFrom(old[i], sel)
	}
	w.count = len(sel)
}

// sameRow reports whether row i of a and row j of b are equal in all of a's columns.
func sameRow(a []*vector.Vector, i int, b []*vector.Vector, j int) bool {
	for k, x := range a {
		y := b[k]
		p, q := i, j
		if x.Form == vector.Constant {
			p = 0
		}
		if y.Form == vector.Constant {
			q = 0
		}
		xn, yn := x.IsNull(p), y.IsNull(q)
		if xn != yn || !xn && compareKeys(x, y)(p, q) != 0 {
			return false
		}
	}
	return true
}

// progress is what to compute of a batch: rows [lo, hi). continued tells that row lo belongs to the partition of the
// row before it, peer that both are peers for the call.
type progress struct {
	lo, hi          int
	continued, peer bool
}

// segments calls f for each partition's rows among those of p, the first one perhaps continued.
func (p *progress) segments(parts []int32, f func(lo, hi int, continued bool) error) error {
	for k := range len(parts) - 1 {
		lo, hi := max(int(parts[k]), p.lo), min(int(parts[k+1]), p.hi)
		if lo >= hi {
			continue
		}
		if err := f(lo, hi, lo == p.lo && p.continued); err != nil {
			return err
		}
	}
	return nil
}

// carried is what a call that streams knows of the rows of its partition so far.
type carried struct {
	rows, rank, dense int64
	acc               function.Accumulator
	state             uint32 // of acc
	value             *vector.Vector
}

// next computes rows of p, which come right after those of the call before.
func (c *windowCall) next(r *windowRows, in *vector.Batch, p progress) (*vector.Vector, error) {
	switch c.w.Fn.Kind {
	case function.RowNumber:
		return c.nextNumber(r, p), nil
	case function.Rank, function.DenseRank, function.PercentRank:
		return c.nextRank(r, p), nil
	case function.CumeDist, function.Ntile:
		return c.nextShare(r, p), nil
	case function.FirstValue:
		return c.nextFirst(r, in, p)
	case function.LastValue:
		return c.nextLast(r, in, p)
	}
	return c.nextAggregate(r, in, p)
}

func (c *windowCall) nextNumber(r *windowRows, p progress) *vector.Vector {
	out := vector.New(c.w.Type(), p.hi-p.lo)
	vals := vector.Values[int64](out)
	_ = p.segments(r.partitions(), func(lo, hi int, continued bool) error {
		if !continued {
			c.carried.rows = 0
		}
		for i := lo; i < hi; i++ {
			c.carried.rows++
			vals[i-p.lo] = c.carried.rows
		}
		return nil
	})
	return out
}

func (c *windowCall) nextRank(r *windowRows, p progress) *vector.Vector {
	out := vector.New(c.w.Type(), p.hi-p.lo)
	ints, floats, s := vector.Values[int64](out), vector.Values[float64](out), &c.carried
	peers := r.peers(c.w.Peers)
	g := 0
	_ = p.segments(r.partitions(), func(lo, hi int, continued bool) error {
		if !continued {
			s.rows, s.rank, s.dense = 0, 0, 0
		}
		for i := lo; i < hi; i++ {
			for int(peers[g+1]) <= i {
				g++
			}
			s.rows++
			if int(peers[g]) == i && !(i == p.lo && p.peer) {
				s.rank = s.rows
				s.dense++
			}
			switch c.w.Fn.Kind {
			case function.DenseRank:
				ints[i-p.lo] = s.dense
			case function.Rank:
				ints[i-p.lo] = s.rank
			default:
				floats[i-p.lo] = float64(s.rank-1) / float64(max(c.total-1, 1))
			}
		}
		return nil
	})
	return out
}

// nextShare is what depends on the number of rows before the row, or up to its last peer, and of all rows.
func (c *windowCall) nextShare(r *windowRows, p progress) *vector.Vector {
	out := vector.New(c.w.Type(), p.hi-p.lo)
	ints, floats := vector.Values[int64](out), vector.Values[float64](out)
	if c.w.Fn.Kind == function.Ntile {
		buckets := c.offset(0, 1)
		for i := range ints {
			ints[i] = bucketOf(c.carried.rows, c.total, buckets)
			c.carried.rows++
		}
		return out
	}
	peers := r.peers(c.w.Peers)
	for g, s := range peers[:len(peers)-1] {
		lo, hi := max(int(s), p.lo), min(int(peers[g+1]), p.hi)
		if lo >= hi {
			continue
		}
		c.carried.rows += int64(hi - lo)
		for i := lo; i < hi; i++ {
			floats[i-p.lo] = float64(c.carried.rows) / float64(c.total)
		}
	}
	return out
}

// nextFirst is first_value over frames that begin with the partition.
func (c *windowCall) nextFirst(r *windowRows, in *vector.Batch, p progress) (*vector.Vector, error) {
	v, err := flatColumn(c.args[0], in)
	if err != nil {
		return nil, err
	}
	firsts := vector.New(c.w.Type(), 0)
	rows := c.targets(p.hi - p.lo)
	err = p.segments(r.partitions(), func(lo, hi int, continued bool) error {
		if continued {
			firsts.AppendFrom(c.carried.value, nil)
		} else {
			firsts.AppendFrom(v, []int32{int32(lo)})
		}
		for i := lo; i < hi; i++ {
			rows[i-p.lo] = int32(firsts.Len - 1)
		}
		return nil
	})
	c.carried.value = vector.CopyOf(firsts, []int32{int32(firsts.Len - 1)})
	return firsts.Gather(rows, &vector.Vector{}), err
}

// nextLast is last_value over frames that end with the row or its peers.
func (c *windowCall) nextLast(r *windowRows, in *vector.Batch, p progress) (*vector.Vector, error) {
	v, err := flatColumn(c.args[0], in)
	if err != nil {
		return nil, err
	}
	rows := c.targets(p.hi - p.lo)
	for i := p.lo; i < p.hi; i++ {
		rows[i-p.lo] = int32(i)
	}
	if !c.w.Frame.Rows {
		peers := r.peers(c.w.Peers)
		for g, s := range peers[:len(peers)-1] {
			for i := max(int(s), p.lo); i < min(int(peers[g+1]), p.hi); i++ {
				rows[i-p.lo] = peers[g+1] - 1
			}
		}
	}
	return v.Gather(rows, &vector.Vector{}), nil
}

// nextAggregate sums up from the beginning of the partition: a state a row, or a group of peers, and one before
// them for what was carried.
func (c *windowCall) nextAggregate(r *windowRows, in *vector.Batch, p progress) (*vector.Vector, error) {
	var err error
	if c.vals, err = evalAll(c.args, in, true, c.vals); err != nil {
		return nil, err
	}
	if err := c.counted(r, in); err != nil {
		return nil, err
	}
	units := c.units(r, p)
	acc, err := c.w.Fn.Aggregate.NewAccumulator(c.rt.Functions, c.consts)
	if err != nil {
		return nil, err
	}
	fold, ok := acc.(function.Foldable)
	if !ok {
		return c.nextAnew(r, p, units)
	}
	count := int(units[p.hi-p.lo-1]) + 1
	acc.Grow(count + 1)
	if p.continued {
		if err := acc.Merge([]uint32{0}, c.carried.acc, int(c.carried.state)); err != nil {
			return nil, err
		}
	}
	if err := c.takeUnits(acc, p, units); err != nil {
		return nil, err
	}
	err = p.segments(r.partitions(), func(lo, hi int, continued bool) error {
		first := int(units[lo-p.lo]) + 1
		if continued {
			first = 0
		}
		return fold.Scan(first, int(units[hi-1-p.lo])+2)
	})
	if err != nil {
		return nil, err
	}
	c.carried.acc, c.carried.state = acc, uint32(count)
	few := vector.New(c.w.Type(), count)
	if err := acc.Finish(1, few); err != nil || c.w.Frame.Rows {
		return few, err
	}
	return few.Gather(units, &vector.Vector{}), nil
}

// units numbers the rows of p, or the groups of peers among them.
func (c *windowCall) units(r *windowRows, p progress) []int32 {
	units := c.targets(p.hi - p.lo)
	if c.w.Frame.Rows {
		for i := range units {
			units[i] = int32(i)
		}
		return units
	}
	peers, k := r.peers(c.w.Peers), int32(-1)
	for g, s := range peers[:len(peers)-1] {
		lo, hi := max(int(s), p.lo), min(int(peers[g+1]), p.hi)
		if lo < hi {
			k++
		}
		for i := lo; i < hi; i++ {
			units[i-p.lo] = k
		}
	}
	return units
}

// takeUnits adds the rows of p that take part to the state after that of their unit.
func (c *windowCall) takeUnits(acc function.Accumulator, p progress, units []int32) error {
	var rows []int32
	c.groups = c.groups[:0]
	add := func(i int32) {
		rows, c.groups = append(rows, i), append(c.groups, uint32(units[int(i)-p.lo])+1)
	}
	if sel, n := c.counts(p.hi); sel != nil {
		for _, i := range sel {
			if int(i) >= p.lo && int(i) < p.hi {
				add(i)
			}
		}
	} else {
		for i := p.lo; i < n; i++ {
			add(int32(i))
		}
	}
	return acc.Update(c.groups, c.vals, rows)
}

// nextAnew is nextAggregate for aggregates whose states cannot be put together: one state takes in unit after unit.
func (c *windowCall) nextAnew(r *windowRows, p progress, units []int32) (*vector.Vector, error) {
	sel, _ := c.counts(p.hi)
	s := &c.carried
	results, one := vector.New(c.w.Type(), 0), vector.New(c.w.Type(), 1)
	units = append([]int32(nil), units...)
	err := p.segments(r.partitions(), func(lo, hi int, continued bool) error {
		if !continued {
			var err error
			if s.acc, err = c.w.Fn.Aggregate.NewAccumulator(c.rt.Functions, c.consts); err != nil {
				return err
			}
			s.acc.Grow(1)
		}
		for lo < hi {
			end := lo + 1
			for end < hi && units[end-p.lo] == units[lo-p.lo] {
				end++
			}
			if err := c.takeRange(s.acc, 0, sel, positionIn(sel, int32(lo)), positionIn(sel, int32(end))); err != nil {
				return err
			}
			one.Reset(1)
			clear(one.Data)
			if err := s.acc.Finish(0, one); err != nil {
				return err
			}
			results.AppendFrom(one, nil)
			lo = end
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results.Gather(units, &vector.Vector{}), nil
}
