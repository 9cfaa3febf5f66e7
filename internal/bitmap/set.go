package bitmap

import (
	"math/bits"
	"slices"
	"unsafe"
)

// Set is a set that grows: the state of one group. The zero Set is empty. It begins as a list of values, which is sorted
// when it is full, and becomes containers when at least 8 values share one: ids that lie close together cost a bit each,
// those that do not eight bytes. A first bitmap that is added as a whole stays as it is until something else comes.
// Cardinalities are counted at the end only.
type Set struct {
	list []uint64 // while tree is nil
	raw  []byte   // a serialised bitmap that is all of the set
	tree *tree
}

// Workspace adds to sets and accounts for their memory. One goroutine uses it; its sets are used with it only.
type Workspace struct {
	// Held is the memory of the sets that were changed through it, in bytes, without the Sets themselves.
	Held    int64
	scratch words  // zero between uses
	spare   *words // zero, nil: none
	low     []uint16
	out     writer
}

// tree is the containers of a set. Keys that lie close together are found in a table.
type tree struct {
	base  uint64
	table []slot           // of keys base, base+1, …
	index map[uint64]int32 // key to number, instead of the table
	cons  []growing
}

type slot struct {
	bits *words // of the container, if it has them
	num  int32  // of the container plus one; 0: none
}

// growing is a container of a Set: a list in any order, with duplicates, then a bitset.
type growing struct {
	key  uint64
	bits *words
	list []uint16
}

const (
	denseList = 8    // values a container from which on a list becomes a tree
	leastTree = 64   // values of the smallest tree
	maxList   = 1024 // of a growing container's list
	growBytes = int64(unsafe.Sizeof(growing{}))
	slotBytes = int64(unsafe.Sizeof(slot{}))
)

// AddGrouped adds vals[k] to sets[groups[k]], without those below least.
func AddGrouped[T int8 | int16 | int32 | int64](w *Workspace, sets []Set, groups []uint32, vals []T, least int64) {
	vals = vals[:len(groups)]
	for k, g := range groups {
		x := int64(vals[k])
		if x < least {
			continue
		}
		v := uint64(x)
		if t := sets[g].tree; t != nil {
			if i := v>>16 - t.base; i < uint64(len(t.table)) {
				if b := t.table[i].bits; b != nil {
					b[v>>6&(numWords-1)] |= 1 << (v & 63)
					continue
				}
			}
		}
		w.Add(&sets[g], v)
	}
}

// Add adds one value.
func (w *Workspace) Add(s *Set, v uint64) {
	t := s.tree
	if t == nil {
		w.addListed(s, v)
		return
	}
	if i := v>>16 - t.base; i < uint64(len(t.table)) {
		if b := t.table[i].bits; b != nil {
			b[v>>6&(numWords-1)] |= 1 << (v & 63)
			return
		}
	}
	w.addLow(w.container(t, v>>16), uint16(v), t)
}

func (w *Workspace) addListed(s *Set, v uint64) {
	if s.raw != nil {
		w.open(s)
		w.Add(s, v)
		return
	}
	if len(s.list) == cap(s.list) {
		if w.compact(s); s.tree != nil {
			w.Add(s, v)
			return
		}
	}
	s.list = append(s.list, v)
}

// compact sorts a full list, drops duplicates, and makes room: a larger list, or a tree.
func (w *Workspace) compact(s *Set) {
	slices.Sort(s.list)
	s.list = slices.Compact(s.list)
	n := len(s.list)
	if n >= leastTree {
		keys := 1
		for i := 1; i < n; i++ {
			if s.list[i]>>16 != s.list[i-1]>>16 {
				keys++
			}
		}
		if n >= denseList*keys {
			w.grow(s)
			return
		}
	}
	if 2*n > cap(s.list) || cap(s.list) == 0 {
		room := make([]uint64, n, max(2, 2*n))
		copy(room, s.list)
		w.Held += int64(cap(room)-cap(s.list)) * 8
		s.list = room
	}
}

// grow turns the list into a tree.
func (w *Workspace) grow(s *Set) {
	list := s.list
	s.list, s.tree = nil, &tree{}
	w.Held += int64(unsafe.Sizeof(tree{})) - 8*int64(cap(list))
	for _, v := range list {
		w.Add(s, v)
	}
}

// container finds or makes the container of a key.
func (w *Workspace) container(t *tree, key uint64) *growing {
	if t.index == nil {
		if i := key - t.base; i < uint64(len(t.table)) {
			if num := t.table[i].num; num != 0 {
				return &t.cons[num-1]
			}
		} else {
			w.reach(t, key)
		}
	}
	if t.index != nil {
		if num, ok := t.index[key]; ok {
			return &t.cons[num]
		}
		t.index[key] = int32(len(t.cons))
		w.Held += 32
	} else {
		t.table[key-t.base].num = int32(len(t.cons)) + 1
	}
	before := cap(t.cons)
	t.cons = append(t.cons, growing{key: key})
	w.Held += int64(cap(t.cons)-before) * growBytes
	return &t.cons[len(t.cons)-1]
}

// reach makes the table cover key, or an index instead where that would be mostly empty.
func (w *Workspace) reach(t *tree, key uint64) {
	lo, hi := key, key
	if len(t.cons) > 0 {
		for i := range t.cons {
			lo, hi = min(lo, t.cons[i].key), max(hi, t.cons[i].key)
		}
	}
	span := hi - lo + 1
	w.Held -= slotBytes * int64(len(t.table))
	if span == 0 || span > 64+denseList*uint64(len(t.cons)) {
		t.table, t.index = nil, make(map[uint64]int32, 2*len(t.cons))
		for i := range t.cons {
			t.index[t.cons[i].key] = int32(i)
		}
		w.Held += 32 * int64(len(t.cons))
		return
	}
	// Room on the side where it grows, so that ascending and descending keys do not move the table each time.
	base, room := lo, span+span/2
	if key == lo && len(t.cons) > 0 {
		base -= min(span/2, lo)
	}
	table := make([]slot, room)
	for i := range t.cons {
		c := &t.cons[i]
		table[c.key-base] = slot{c.bits, int32(i) + 1}
	}
	t.base, t.table = base, table
	w.Held += slotBytes * int64(len(table))
}

// addLow adds to a container.
func (w *Workspace) addLow(c *growing, low uint16, t *tree) {
	if c.bits != nil {
		c.bits[low>>6] |= 1 << (low & 63)
		return
	}
	if len(c.list) == cap(c.list) {
		if w.moreRoom(c, t); c.bits != nil {
			c.bits[low>>6] |= 1 << (low & 63)
			return
		}
	}
	c.list = append(c.list, low)
}

// moreRoom makes room in a full list. Duplicates go where it would become a bitset only: looking for them costs as much as
// making that.
func (w *Workspace) moreRoom(c *growing, t *tree) {
	n := cap(c.list)
	if n >= maxList {
		b := w.bitsOf(c.list)
		if ones(b) > maxList/2 {
			w.Held += bitsetBytes - 2*int64(n)
			w.own(c, t, b)
			return
		}
		c.list = drain(b, c.list[:0])
		w.spare = b
		return
	}
	room := make([]uint16, len(c.list), max(4, 4*n))
	copy(room, c.list)
	w.Held += int64(cap(room)-n) * 2
	c.list = room
}

// bitsOf is a new bitset of values.
func (w *Workspace) bitsOf(list []uint16) *words {
	b := w.spare
	if w.spare = nil; b == nil {
		b = new(words)
	}
	for _, v := range list {
		b[v>>6] |= 1 << (v & 63)
	}
	return b
}

// toBits makes c a bitset.
func (w *Workspace) toBits(c *growing, t *tree) {
	w.Held += bitsetBytes - 2*int64(cap(c.list))
	w.own(c, t, w.bitsOf(c.list))
}

func (w *Workspace) own(c *growing, t *tree, b *words) {
	c.list, c.bits = nil, b
	if t.index == nil {
		t.table[c.key-t.base].bits = b
	}
}

func ones(set *words) (n int) {
	for _, x := range set {
		n += bits.OnesCount64(x)
	}
	return n
}

// drain appends the values of set in order and clears it.
func drain(set *words, dst []uint16) []uint16 {
	for i, x := range set {
		for ; x != 0; x &= x - 1 {
			dst = append(dst, uint16(i<<6+bits.TrailingZeros64(x)))
		}
	}
	clear(set[:])
	return dst
}

// open decodes the bitmap that a set was made of. It was walked before: it has no errors.
func (w *Workspace) open(s *Set) {
	raw := s.raw
	s.raw = nil
	w.Held -= int64(cap(raw))
	_ = w.unite(s, raw)
}

// Or adds the values of a serialised bitmap, which it does not keep.
func (w *Workspace) Or(s *Set, b []byte) error {
	if v, ok := single(b); ok {
		w.Add(s, v)
		return nil
	}
	if s.tree == nil && s.raw == nil && len(s.list) == 0 && len(b) > singleBytes {
		if _, err := Count(b); err != nil {
			return err
		}
		s.raw = append(make([]byte, 0, len(b)), b...)
		w.Held += int64(len(b)) - 8*int64(cap(s.list))
		s.list = nil
		return nil
	}
	if s.raw != nil {
		w.open(s)
	}
	return w.unite(s, b)
}

// unite adds b container by container, or value by value where a tree would not be worth it.
func (w *Workspace) unite(s *Set, b []byte) error {
	if s.tree == nil {
		values, containers := uint64(0), uint64(0)
		c := walk(b)
		for c.next() {
			values, containers = values+uint64(c.card), containers+1
		}
		if c.err != nil {
			return c.err
		}
		if values < leastTree || values < denseList*containers {
			for c = walk(b); c.next(); {
				w.low = c.values(w.low[:0])
				for _, low := range w.low {
					w.Add(s, c.key<<16|uint64(low))
				}
			}
			return c.err
		}
		w.grow(s)
	}
	c := walk(b)
	for c.next() {
		g := w.container(s.tree, c.key)
		if g.bits == nil && (c.kind == bitsetKind || c.card+len(g.list) > maxList) {
			w.toBits(g, s.tree)
		}
		if g.bits != nil {
			c.fill(g.bits)
			continue
		}
		w.low = c.values(w.low[:0])
		for _, low := range w.low {
			w.addLow(g, low, s.tree)
		}
	}
	return c.err
}

// Merge adds the values of another workspace's set. Containers that s lacks are shared with it: o must not change afterwards,
// but different goroutines may read it.
func (w *Workspace) Merge(s, o *Set) error {
	switch {
	case o.raw != nil:
		return w.Or(s, o.raw)
	case o.tree == nil:
		for _, v := range o.list {
			w.Add(s, v)
		}
		return nil
	}
	if s.raw != nil {
		w.open(s)
	}
	if s.tree == nil {
		w.grow(s)
	}
	t := s.tree
	for i := range o.tree.cons {
		from := &o.tree.cons[i]
		to := w.container(t, from.key)
		switch {
		case from.bits != nil && to.bits != nil:
			for k, x := range from.bits {
				to.bits[k] |= x
			}
		case from.bits != nil:
			b := from.bits
			for _, v := range to.list {
				b[v>>6] |= 1 << (v & 63)
			}
			w.Held += bitsetBytes - 2*int64(cap(to.list))
			w.own(to, t, b)
		case to.bits == nil && len(to.list) == 0:
			w.Held += 2 * int64(cap(from.list)-cap(to.list))
			to.list = from.list
		default:
			for _, v := range from.list {
				w.addLow(to, v, t)
			}
		}
	}
	return nil
}

// sorted calls f for the containers in order: of each either its bitset or its ascending values, which are valid during the call.
func (w *Workspace) sorted(s *Set, f func(key uint64, set *words, vals []uint16)) {
	t := s.tree
	one := func(c *growing) {
		if c.bits != nil {
			f(c.key, c.bits, nil)
			return
		}
		w.low = append(w.low[:0], c.list...)
		if len(w.low) <= 64 {
			slices.Sort(w.low)
			w.low = slices.Compact(w.low)
		} else {
			for _, v := range w.low {
				w.scratch[v>>6] |= 1 << (v & 63)
			}
			w.low = drain(&w.scratch, w.low[:0])
		}
		f(c.key, nil, w.low)
	}
	if t.index == nil {
		for i := range t.table {
			if num := t.table[i].num; num != 0 {
				one(&t.cons[num-1])
			}
		}
		return
	}
	order := make([]int32, len(t.cons))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if t.cons[a].key < t.cons[b].key {
			return -1
		}
		return 1
	})
	for _, i := range order {
		one(&t.cons[i])
	}
}

// sortList makes the list ascend, without duplicates.
func (s *Set) sortList() {
	slices.Sort(s.list)
	s.list = slices.Compact(s.list)
}

// Count is the number of values.
func (w *Workspace) Count(s *Set) int64 {
	switch {
	case s.raw != nil:
		n, _ := Count(s.raw)
		return n
	case s.tree == nil:
		s.sortList()
		return int64(len(s.list))
	}
	n := 0
	w.sorted(s, func(_ uint64, set *words, vals []uint16) {
		if set != nil {
			n += ones(set)
		} else {
			n += len(vals)
		}
	})
	return int64(n)
}

// AppendTo appends the serialised form. The set may grow afterwards. The only error is sqlerr.OutOfRange.
func (w *Workspace) AppendTo(dst []byte, s *Set) ([]byte, error) {
	if s.raw != nil {
		return append(dst, s.raw...), nil
	}
	w.out.reset()
	if s.tree == nil {
		s.sortList()
		for list := s.list; len(list) > 0; {
			n := 0
			w.low = w.low[:0]
			for ; n < len(list) && list[n]>>16 == list[0]>>16; n++ {
				w.low = append(w.low, uint16(list[n]))
			}
			w.ordered(list[0]>>16, w.low)
			list = list[n:]
		}
	} else {
		w.sorted(s, func(key uint64, set *words, vals []uint16) {
			if set != nil {
				w.out.bits(key, set)
			} else {
				w.ordered(key, vals)
			}
		})
	}
	return w.out.appendTo(dst)
}

// ordered writes ascending values of a container, however many they are.
func (w *Workspace) ordered(key uint64, vals []uint16) {
	if len(vals) <= maxArray {
		w.out.array(key, vals)
		return
	}
	for _, v := range vals {
		w.scratch[v>>6] |= 1 << (v & 63)
	}
	w.out.bits(key, &w.scratch)
	clear(w.scratch[:])
}
