package bitmap

import (
	"math/bits"
	"slices"
	"unsafe"
)

// Set is a set that grows: the state of one group. The zero Set is empty. It begins as a list of values, which is sorted
// when it is full, and becomes containers when at least 8 values share one: ids that lie close together cost a bit each,
// those that do not eight bytes. Bitmaps that are added as a whole wait as they are (pending.go). Values are counted at the end.
type Set struct {
	list    []uint64 // while tree is nil
	tree    *tree
	pending *pending // nil: none
}

// Workspace adds to sets and accounts for their memory. One goroutine uses it; its sets are used with it only.
type Workspace struct {
	// Held is the memory of the sets that were changed through it, in bytes, without the Sets themselves.
	Held    int64
	scratch words  // zero between uses
	spare   *words // zero, nil: none
	low     []uint16
	out     writer
	cursors []cursor
	lent    *buffer // last one, nil: none
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
	denseList = 8    // values a container from which on a list becomes a tree, once there is much memory held
	leastTree = 64   // values of the smallest tree
	maxList   = 4096 // values of a growing container's list: as many bytes as a bitset, written one after the other
	// roomyBytes is the memory of a workspace's sets below which trees may be large for what they hold, since a list
	// sorts all its values each time that it is full.
	roomyBytes = 8 << 20
	growBytes  = int64(unsafe.Sizeof(growing{}))
	slotBytes  = int64(unsafe.Sizeof(slot{}))
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
				s := &t.table[i]
				if b := s.bits; b != nil {
					b[v>>6&(numWords-1)] |= 1 << (v & 63)
					continue
				}
				if s.num != 0 {
					if c := &t.cons[s.num-1]; len(c.list) < cap(c.list) {
						c.list = append(c.list, uint16(v))
						continue
					}
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
		if n >= denseList*keys || n >= keys+keys/4 && w.Held < roomyBytes {
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
	next := 2 * n
	if n < 256 {
		next = max(4, 4*n)
	}
	w.reserve(c, next)
}

// reserve makes room for n values in a list.
func (w *Workspace) reserve(c *growing, n int) {
	if n <= cap(c.list) {
		return
	}
	room := make([]uint16, len(c.list), n)
	copy(room, c.list)
	w.Held += int64(n-cap(c.list)) * 2
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

// Merge adds the values of another workspace's set. Containers that s lacks are shared with it: o must not change afterwards,
// but different goroutines may read it.
func (w *Workspace) Merge(s, o *Set) {
	if o.pending != nil {
		for i := range o.pending.bitmaps {
			shared := o.pending.bitmaps[i]
			shared.buf = nil
			w.wait(s, shared, o.pending.containers)
		}
	}
	if o.tree == nil {
		for _, v := range o.list {
			w.Add(s, v)
		}
		return
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
			if to.bits == nil && len(to.list)+len(from.list) > maxList {
				w.toBits(to, t)
			}
			if to.bits != nil {
				for _, v := range from.list {
					to.bits[v>>6] |= 1 << (v & 63)
				}
				continue
			}
			w.reserve(to, len(to.list)+len(from.list))
			to.list = append(to.list, from.list...)
		}
	}
}

// sortList makes the list ascend, without duplicates.
func (s *Set) sortList() {
	slices.Sort(s.list)
	s.list = slices.Compact(s.list)
}

// Count is the number of values.
func (w *Workspace) Count(s *Set) int64 {
	if s.tree == nil && s.pending == nil {
		s.sortList()
		return int64(len(s.list))
	}
	if s.tree == nil && len(s.list) == 0 {
		return w.countPending(s)
	}
	n := 0
	if s.pending == nil {
		for i := range s.tree.cons {
			if g := &s.tree.cons[i]; g.bits != nil {
				n += ones(g.bits)
			} else {
				n += w.distinct(g.list)
			}
		}
		return int64(n)
	}
	w.each(s, func(_ uint64, set *words, vals []uint16, c *container) {
		switch {
		case set != nil:
			n += ones(set)
		case c != nil:
			n += c.card
		default:
			n += len(vals)
		}
	})
	return int64(n)
}

// distinct is the number of different values of a list.
func (w *Workspace) distinct(list []uint16) int {
	known := uint64(0)
	for _, v := range list {
		a := &w.scratch[v>>6]
		known += *a >> (v & 63) & 1
		*a |= 1 << (v & 63)
	}
	if len(list) > numWords/4 {
		clear(w.scratch[:])
	} else {
		for _, v := range list {
			w.scratch[v>>6] = 0
		}
	}
	return len(list) - int(known)
}

// AppendTo appends the serialised form. The set may grow afterwards. The only error is sqlerr.OutOfRange.
func (w *Workspace) AppendTo(dst []byte, s *Set) ([]byte, error) {
	if s.tree == nil && len(s.list) == 0 && s.pending != nil && len(s.pending.bitmaps) == 1 {
		return append(dst, s.pending.bitmaps[0].bytes...), nil
	}
	w.out.reset()
	if s.tree == nil && s.pending == nil {
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
		return w.out.appendTo(dst)
	}
	w.each(s, func(key uint64, set *words, vals []uint16, c *container) {
		switch {
		case set != nil:
			w.out.bits(key, set)
		case c != nil:
			w.out.copied(c)
		default:
			w.out.array(key, vals)
		}
	})
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
