package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Grouping sets. A row belongs to a group of every set. Where rows have few different keys, a driver groups them by all
// keys first, and it is those groups, not the rows, that go to every set (cf. Gray et al., Data Cube, 1997: super-aggregates
// from the core GROUP BY).

// Bounds of the groups by all keys that a driver holds; then they go to the sets.
const (
	finestMostGroups = 1 << 17
	finestMostBytes  = 16 << 20
	// finestStraight is how many rows go to the sets themselves, once groups by all keys were not less than half of the rows.
	finestStraight = 1 << 19
)

// finestGroups are the groups by all keys that a driver collects for the aggregates without DISTINCT.
type finestGroups struct {
	w        *aggWriter
	local    *aggLocal
	keys     *hashtable.Keys
	cols     []*vector.Vector // of the groups that go to the sets
	most     int              // finestMostGroups; tests lower it
	straight int              // rows still to go to the sets themselves
}

// newFinestGroups is nil where groups cannot go to several sets: where their states could not be merged more than once.
func newFinestGroups(w *aggWriter) (*finestGroups, error) {
	a := w.a
	if len(a.sets) < 2 || len(a.groups) == 0 || a.streams[0].distinct {
		return nil, nil
	}
	for _, acc := range w.locals[0].accs {
		if _, ok := acc.(function.MergesCopies); !ok {
			return nil, nil
		}
	}
	f := &finestGroups{w: w, most: a.finestGroups}
	for _, g := range a.groups {
		f.cols = append(f.cols, &vector.Vector{Type: g.Type()})
	}
	return f, f.start()
}

// start makes an empty table.
func (f *finestGroups) start() error {
	a := f.w.a
	layout, err := hashtable.NewLayout(typesOf(a.groups), nullableKeys(a.groups))
	if err != nil {
		return err
	}
	if f.local, err = newAggLocal(a, &aggStream{aggs: a.streams[0].aggs, layout: layout}, true); err != nil {
		return err
	}
	f.local.bounded = true
	f.keys = hashtable.NewKeys(layout)
	return nil
}

// updateSets adds the rows of b, whose keys are cols, to the groups of all sets.
func (w *aggWriter) updateSets(cols []*vector.Vector, b *vector.Batch) error {
	plain := 0 // the first stream that takes rows
	if f := w.finest; f != nil && f.straight <= 0 {
		plain = 1
		if err := f.add(cols, b); err != nil {
			return err
		}
	} else if f != nil {
		f.straight -= b.NumRows()
	}
	if plain == len(w.locals) {
		return nil
	}
	for s := range w.a.sets {
		if err := w.update(w.setColumns(cols, s, b.Len), b, plain); err != nil {
			return err
		}
	}
	return nil
}

// setColumns are the group columns of grouping set s for n rows: those not in it NULL, and the set's ordinal.
func (w *aggWriter) setColumns(cols []*vector.Vector, s, n int) []*vector.Vector {
	out := make([]*vector.Vector, len(cols)+1)
	for _, g := range w.a.sets[s] {
		out[g] = cols[g]
	}
	for i := range cols {
		if out[i] == nil {
			out[i] = vector.New(w.a.groups[i].Type(), 0)
			out[i].SetAllNull(n)
		}
	}
	out[len(cols)] = vector.NewConstant(vector.IntValue(sqltype.T(sqltype.Int), int64(s)), n)
	return out
}

// add groups rows by all keys.
func (f *finestGroups) add(cols []*vector.Vector, b *vector.Batch) error {
	l := f.local
	if err := l.update(f.keys, cols, b.Len, b.Sel, f.w.inputs[0]); err != nil {
		return err
	}
	n := l.bytes()
	if l.table.Groups() < f.most && n < finestMostBytes && f.w.a.memory.try(&l.held, n) {
		return nil
	}
	rows, groups := l.rows, l.table.Groups()
	if err := f.rollUp(); err != nil {
		return err
	}
	if rows < 2*groups {
		f.straight = finestStraight
	}
	return f.start()
}

// rollUp gives the groups to all sets. It ends the table.
func (f *finestGroups) rollUp() error {
	l, to := f.local, f.w.locals[0]
	rows := l.table.Rows
	for lo := 0; lo < l.table.Groups(); lo += mergeChunk {
		n := min(mergeChunk, l.table.Groups()-lo)
		for i, v := range f.cols {
			v.Reset(n)
			rows.Decode(i, lo, v)
		}
		for s := range f.w.a.sets {
			if err := to.fold(f.w.keys[0], f.w.setColumns(f.cols, s, n), n, l, lo); err != nil {
				return err
			}
		}
	}
	f.w.a.memory.force(&l.held, 0)
	f.local = nil
	return nil
}

// fold adds the states of the n groups of another local from lo on, whose keys are cols.
func (l *aggLocal) fold(k *hashtable.Keys, cols []*vector.Vector, n int, from *aggLocal, lo int) error {
	l.straight = 0 // the partitions take rows, not states
	if err := l.foresee(n); err != nil {
		return err
	}
	if cap(l.groups) < n {
		l.groups = make([]uint32, n)
	}
	groups := l.groups[:n]
	before := l.table.Groups()
	k.Encode(cols, n, nil)
	l.table.FindOrAdd(k, groups)
	l.rows += n
	for i, acc := range l.accs {
		acc.Grow(l.table.Groups())
		if err := acc.Merge(groups, from.accs[i], lo); err != nil {
			return err
		}
	}
	return l.adapt(before, groups)
}
