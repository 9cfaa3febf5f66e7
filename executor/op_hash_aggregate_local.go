package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// Adaptive first phase: a table grows while its keys come back. Where they do not, rows go
// to radix partitions: through a small table, emptied whenever it is full, where keys
// repeat near each other, else straight.
const (
	aggPartitionBits = 6
	aggPartitions    = 1 << aggPartitionBits
	// aggSmallGroups is when the small table is emptied (2^15 slots: a batch may come on top).
	aggSmallGroups = 1 << 13
	// aggCheckGroups is when a growing table is first asked whether its keys come back; again
	// at every doubling.
	aggCheckGroups = 1 << 17
	// aggEarlyGroups is when it is first asked with several instances: keys that have not come
	// back at all will be looked up once more in the merge, in tables that fit the cache.
	aggEarlyGroups = 1 << 13
	// aggMaxState bounds the bytes of a group's states that are worth copying to partitions.
	aggMaxState = 128
	// aggStraight is how many rows go straight to partitions before the small table has
	// another try.
	aggStraight = 1 << 19
)

// aggLocal are the groups and states that one driver made of one stream.
type aggLocal struct {
	a      *hashAggregate
	stream *aggStream
	aggs   []int // positions of accs; none while a DISTINCT stream collects keys
	table  *hashtable.GroupTable
	accs   []function.Accumulator
	writer *hashtable.ArenaWriter
	codes  *hashtable.CodeMap
	parts  *aggParts // once keys were seen not to repeat
	held   int64
	disk   *aggDisk // once memory was refused
	alone  bool     // writer's arena is the local's own
	// bounded: whoever fills it empties it before it grows large.
	bounded bool

	rows     int                 // consumed
	next     int                 // groups at which a growing table is checked
	flushed  int                 // rows when the small table was emptied last
	straight int                 // rows still to go straight to the partitions
	plain    bool                // no aggregate has a filter
	few      *function.FewGroups // nil where it would not help

	groups, some []uint32
	missing      []int32
	scatter      aggScatter
}

// newAggLocal makes an empty table; alone: its strings are nobody else's.
func newAggLocal(a *hashAggregate, s *aggStream, alone bool) (*aggLocal, error) {
	arena := a.arena
	if alone {
		arena = new(hashtable.Arena)
	}
	l := &aggLocal{a: a, stream: s, writer: arena.NewWriter(), alone: alone, codes: hashtable.NewCodeMap(), next: a.earlyGroups}
	if !s.distinct {
		l.aggs = s.aggs
	}
	if a.apart() {
		l.next = a.checkGroups // what comes is merged nowhere
	}
	l.table = hashtable.NewGroupTable(s.layout, l.writer, 32)
	l.table.AllowDense()
	var err error
	l.accs, err = a.newAccumulators(l.aggs)
	if l.sums() > 1 && l.stream.layout.Words() > 0 {
		l.few = &function.FewGroups{}
	}
	return l, err
}

// sums is the number of aggregates that can do with sums of a batch by group.
func (l *aggLocal) sums() int {
	n := 0
	for i, acc := range l.accs {
		if _, ok := acc.(function.FewGroupsUpdate); ok && l.a.aggs[l.aggs[i]].Filter == nil {
			n++
		}
	}
	return n
}

func (l *aggLocal) empty() bool {
	return l.table.Groups() == 0 && l.parts == nil && l.disk == nil
}

// update consumes the rows of sel (nil: all n).
func (l *aggLocal) update(k *hashtable.Keys, cols []*vector.Vector, n int, sel []int32, in *aggInput) error {
	rows := n
	if sel != nil {
		rows = len(sel)
	}
	if rows == 0 {
		return nil
	}
	if cap(l.groups) < rows {
		l.groups = make([]uint32, rows)
	}
	groups := l.groups[:rows]
	if l.straight > 0 {
		k.Encode(cols, n, sel)
		l.rows += rows
		l.straight -= rows
		if err := l.scatterRows(k, in, sel); err != nil {
			return err
		}
		l.flushed = l.rows
		return l.claim()
	}
	if err := l.foresee(rows); err != nil {
		return err
	}
	before := l.table.Groups()
	ids := l.fewIDs(n)
	if l.parts != nil || !l.codes.Find(cols, sel, groups, ids) {
		k.Encode(cols, n, sel)
		l.table.FindOrAdd(k, groups)
		hashtable.PlaceGroups(groups, sel, ids)
	} else if missing := l.codes.Missing(); len(missing) > 0 {
		l.addMissing(k, cols, n, sel, groups, ids)
	}
	l.rows += rows
	few := ids != nil && l.table.Groups() <= function.FewGroupsMost
	if few {
		l.few.Begin(l.table.Groups(), sel)
	}
	single := l.stream.layout.Words() == 0
	for i, acc := range l.accs {
		acc.Grow(l.table.Groups())
		if x, ok := acc.(function.FewGroupsUpdate); ok && few && !in.hasFilter(i) {
			if done, err := x.UpdateFew(l.few, in.values[i]); done || err != nil {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := l.updateOne(acc, in, i, groups, sel, single); err != nil {
			return err
		}
	}
	return l.adapt(before, groups)
}

// fewIDs is memory for the groups of the n rows of a batch as bytes; nil where they do not fit, or would not help.
func (l *aggLocal) fewIDs(n int) []uint8 {
	if l.few == nil || l.parts != nil || l.table.Groups() > function.FewGroupsMost {
		return nil
	}
	return l.few.IDs(n)
}

// addMissing finds the groups of the few dictionary codes that are new.
func (l *aggLocal) addMissing(k *hashtable.Keys, cols []*vector.Vector, n int, sel []int32, groups []uint32, ids []uint8) {
	l.missing = l.missing[:0]
	for _, j := range l.codes.Missing() {
		if sel != nil {
			j = sel[j]
		}
		l.missing = append(l.missing, j)
	}
	k.Encode(cols, n, l.missing)
	if cap(l.some) < len(l.missing) {
		l.some = make([]uint32, len(l.missing))
	}
	some := l.some[:len(l.missing)]
	l.table.FindOrAdd(k, some)
	l.codes.Learn(some, sel, groups, ids)
}

func (l *aggLocal) updateOne(acc function.Accumulator, in *aggInput, i int, groups []uint32, sel []int32, single bool) error {
	args := in.args(i, sel)
	if in.hasFilter(i) {
		chosen := in.selected[i]
		if len(chosen) == 0 {
			return nil
		}
		groups, sel = l.narrow(groups, sel, chosen), chosen
	}
	if one, ok := acc.(function.SingleGroup); ok && single {
		return one.UpdateOne(0, args, sel, len(groups))
	}
	return acc.Update(groups, args, sel)
}

// narrow picks the groups of the rows chosen, a part of sel.
func (l *aggLocal) narrow(groups []uint32, sel, chosen []int32) []uint32 {
	if cap(l.some) < len(chosen) {
		l.some = make([]uint32, len(groups))
	}
	out := l.some[:len(chosen)]
	j := 0
	for i, r := range chosen {
		if sel == nil {
			out[i] = groups[r]
			continue
		}
		for sel[j] != r {
			j++
		}
		out[i] = groups[j]
	}
	return out
}

// bytes is the memory of the local tables and of the strings they added.
func (l *aggLocal) bytes() int64 {
	n := l.table.Bytes()
	for _, acc := range l.accs {
		n += acc.Bytes()
	}
	if l.parts != nil {
		n += l.parts.bytes
	}
	return n + l.writer.Bytes()
}

// adapt empties a full small table, or decides whether a growing one goes on growing, and
// claims memory for what there is now. before is the number of groups before the batch
// whose groups these are.
func (l *aggLocal) adapt(before int, groups []uint32) error {
	if l.bounded {
		return nil
	}
	n := l.table.Groups()
	if l.parts != nil {
		if n < l.a.smallGroups {
			return nil
		}
		rows := l.rows - l.flushed
		if err := l.flush(); err != nil {
			return err
		}
		if l.plain && 2*rows < 3*n {
			l.straight = aggStraight
		}
		return l.claim()
	}
	if n >= l.next {
		l.next = 2 * n
		unique := 8*l.rows < 9*n
		if n < l.a.checkGroups && !unique {
			l.next = l.a.checkGroups
		} else if !l.table.Dense() && (unique || l.comeNotBack(before, groups)) && l.smallStates() {
			if err := l.startPartitions(); err != nil {
				return err
			}
		}
	}
	return l.claim()
}

// comeNotBack reports whether few rows of a batch belong to groups that are older than
// what a small table would hold.
func (l *aggLocal) comeNotBack(before int, groups []uint32) bool {
	old, recent := 0, uint32(max(0, before-l.a.smallGroups))
	for _, g := range groups {
		if g < recent {
			old++
		}
	}
	return 4*old < len(groups)
}

func (l *aggLocal) smallStates() bool {
	var n int64
	for _, acc := range l.accs {
		n += acc.Bytes()
	}
	return n <= aggMaxState*int64(l.table.Groups())*max(1, int64(len(l.accs)))
}

func (l *aggLocal) startPartitions() error {
	l.parts = &aggParts{level: l.a.levelOf(l.table)}
	l.plain = true
	for _, i := range l.aggs {
		l.plain = l.plain && l.a.aggs[i].Filter == nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	l.table = hashtable.NewGroupTable(l.stream.layout, l.writer, 2*l.a.smallGroups-1)
	return nil
}

// flush moves the groups of the table to the partitions.
func (l *aggLocal) flush() error {
	l.flushed = l.rows
	if l.table.Groups() == 0 {
		return nil
	}
	l.parts.rows += l.table.Groups()
	order, offsets := l.table.PartitionAt(l.parts.level, aggPartitionBits)
	for p := range aggPartitions {
		rows := order[offsets[p]:offsets[p+1]]
		for len(rows) > 0 {
			c, base, n, err := l.parts.room(l, p, len(rows))
			if err != nil {
				return err
			}
			c.rows.AppendRows(l.table.Rows, rows[:n])
			groups := ascending(&l.some, base, n)
			for i, acc := range c.accs {
				if err := mergeRows(acc, groups, l.accs[i], rows[:n]); err != nil {
					return err
				}
			}
			rows = rows[n:]
		}
	}
	l.table.Reset()
	l.codes.Reset()
	var err error
	l.accs, err = l.a.newAccumulators(l.aggs)
	return err
}
