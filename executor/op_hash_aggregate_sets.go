package executor

import (
	"slices"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// Grouping sets. A row belongs to a group of every set. Where rows have few different keys, a driver groups them by all
// keys first, and it is those groups, not the rows, that go to the sets; and those of a set that has keys to spare to the sets
// that lack them (cf. Gray et al., Data Cube, 1997: each super-aggregate from the smallest one that has its keys).

// Bounds of the groups by all keys that a driver holds; then they go to the sets.
const (
	finestMostGroups = 1 << 17
	finestMostBytes  = 16 << 20
	// finestStraight is how many rows go to the sets themselves, once the way by the groups took more look-ups.
	finestStraight = 1 << 19
)

// finestGroups are the groups by all keys that a driver collects for the aggregates without DISTINCT.
type finestGroups struct {
	w        *aggWriter
	local    *aggLocal
	keys     *hashtable.Keys
	all      []int // the keys
	sets     []*coarserSet
	cols     []*vector.Vector // by key, of the groups that go on
	most     int              // finestMostGroups; tests lower it
	folded   int              // groups that went to a table
	straight int              // rows still to go to the sets themselves
}

// coarserSet is a grouping set, and those that its groups go to.
type coarserSet struct {
	set   int   // position
	keys  []int // ascending, each once
	below []*coarserSet
}

// coarserSets hangs every set below the one with the fewest keys that has all of its keys and more; those that are
// below none, or only below all keys, are returned.
func coarserSets(sets [][]int, keys int) []*coarserSet {
	list := make([]*coarserSet, len(sets))
	for i, s := range sets {
		list[i] = &coarserSet{set: i, keys: slices.Compact(slices.Sorted(slices.Values(s)))}
	}
	var top []*coarserSet
	for _, c := range list {
		var above *coarserSet
		for _, o := range list {
			if len(o.keys) > len(c.keys) && len(o.keys) < keys && (above == nil || len(o.keys) < len(above.keys)) && hasKeys(o.keys, c.keys) {
				above = o
			}
		}
		if above == nil {
			top = append(top, c)
		} else {
			above.below = append(above.below, c)
		}
	}
	return top
}

func hasKeys(list, some []int) bool {
	for _, x := range some {
		if !slices.Contains(list, x) {
			return false
		}
	}
	return true
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
	f := &finestGroups{w: w, most: a.finestGroups, sets: coarserSets(a.sets, len(a.groups))}
	for i, g := range a.groups {
		f.all = append(f.all, i)
		f.cols = append(f.cols, &vector.Vector{Type: g.Type()})
	}
	return f, f.start()
}

// start makes an empty table.
func (f *finestGroups) start() (err error) {
	f.local, f.keys, err = f.newLocal(f.all)
	return err
}

// newLocal makes an empty table of groups by some keys, whose strings are its own.
func (f *finestGroups) newLocal(keys []int) (*aggLocal, *hashtable.Keys, error) {
	a := f.w.a
	var groups []expr.Expr
	for _, k := range keys {
		groups = append(groups, a.groups[k])
	}
	layout, err := hashtable.NewLayout(typesOf(groups), nullableKeys(groups))
	if err != nil {
		return nil, nil, err
	}
	l, err := newAggLocal(a, &aggStream{aggs: a.streams[0].aggs, layout: layout}, true)
	if err != nil {
		return nil, nil, err
	}
	l.bounded = true
	return l, hashtable.NewKeys(layout), nil
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
	rows, before := l.rows, f.folded
	if err := f.rollUp(); err != nil {
		return err
	}
	if rows+f.folded-before > rows*len(f.w.a.sets) {
		f.straight = finestStraight
	}
	return f.start()
}

// rollUp gives the groups to all sets. It ends the table.
func (f *finestGroups) rollUp() error {
	for _, c := range f.sets {
		if err := f.coarser(c, f.local, f.all); err != nil {
			return err
		}
	}
	f.w.a.memory.force(&f.local.held, 0)
	f.local = nil
	return nil
}

// coarser gives the groups of from, which are by the keys of, to a set and to those below it: by way of a table of that set's
// groups, if memory is to be had for one that may be as large as from is.
func (f *finestGroups) coarser(c *coarserSet, from *aggLocal, of []int) error {
	var held int64
	if len(c.below) > 0 && f.w.a.memory.try(&held, from.bytes()) {
		defer f.w.a.memory.force(&held, 0)
		l, keys, err := f.newLocal(c.keys)
		if err != nil {
			return err
		}
		cols := make([]*vector.Vector, len(c.keys))
		for i, k := range c.keys {
			cols[i] = f.cols[k]
		}
		err = f.give(from, of, c.keys, func(n, lo int) error { return l.fold(keys, cols, n, from, lo) })
		if err != nil {
			return err
		}
		from, of = l, c.keys
	}
	to := f.w.locals[0]
	err := f.give(from, of, c.keys, func(n, lo int) error {
		return to.fold(f.w.keys[0], f.w.setColumns(f.cols, c.set, n), n, from, lo)
	})
	for i := 0; i < len(c.below) && err == nil; i++ {
		err = f.coarser(c.below[i], from, of)
	}
	return err
}

// give decodes some keys of the groups of a table, which are by the keys of, and calls fold for n groups from lo on at a time.
func (f *finestGroups) give(from *aggLocal, of, keys []int, fold func(n, lo int) error) error {
	groups := from.table.Groups()
	f.folded += groups
	for lo := 0; lo < groups; lo += mergeChunk {
		n := min(mergeChunk, groups-lo)
		for i, k := range of {
			if slices.Contains(keys, k) {
				f.cols[k].Reset(n)
				from.table.Rows.Decode(i, lo, f.cols[k])
			}
		}
		if err := fold(n, lo); err != nil {
			return err
		}
	}
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
