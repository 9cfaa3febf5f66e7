package bitmap

import (
	"slices"
	"unsafe"
)

// pending is the bitmaps that were added to a set as a whole and wait to be united with it, all of them container by container:
// each container of the union is then made once, in a bitset that stays in the first-level cache, and where only its size is
// wanted in no other memory. They wait until they take twice the bytes of the bitsets that they would become, or eight times those
// while there is little memory held: counting them once is cheaper than making what they become.
type pending struct {
	bitmaps    []waiting
	bytes      int
	held       int64      // memory of the bitmaps
	containers int        // of the one that has most
	few        [4]waiting // memory of the first ones
}

type waiting struct {
	bytes []byte  // never changed
	buf   *buffer // that bytes are in; nil: memory of their own, or another set's
}

// maxWaiting bounds the bitmaps, which are searched for the next container.
const maxWaiting = 128

// denseUnion is how many values of a union take as long to look up one by one as all words of it to count.
const denseUnion = 2400

// nearBytes is the memory of a workspace's sets that is in the second-level cache most of the time: then nothing needs to wait.
const nearBytes = 1 << 20

// leanBytes is the memory of a workspace's sets below which bitmaps may wait that take more than twice the bytes of their union.
const leanBytes = 128 << 20

const waitingBytes = int64(unsafe.Sizeof(waiting{}))

// Or adds the values of a serialised bitmap. It keeps memory that from lends, and copies where that is nil.
func (w *Workspace) Or(s *Set, b []byte, from Lender) error {
	if v, ok := single(b); ok {
		w.Add(s, v)
		return nil
	}
	c := walk(b)
	values, containers := c.size()
	switch {
	case c.err != nil || values == 0:
		return c.err
	case values < leastTree || values < int64(denseList*containers) && s.tree == nil:
		for c = walk(b); c.next(); {
			w.low = c.values(w.low[:0])
			for _, low := range w.low {
				w.Add(s, c.key<<16|uint64(low))
			}
		}
		return nil
	case w.Held < nearBytes && (s.tree != nil || s.pending != nil):
		if s.pending != nil {
			w.unite(s)
		}
		w.include(s.tree, b)
		return nil
	}
	own, buf := w.keep(b, from)
	w.wait(s, waiting{own, buf}, containers)
	return nil
}

// include adds the containers of b to a tree at once.
func (w *Workspace) include(t *tree, b []byte) {
	c := walk(b)
	for c.next() {
		g := w.container(t, c.key)
		n := c.card + len(g.list)
		if g.bits == nil && (c.kind == bitsetKind || n > maxList) {
			w.toBits(g, t)
		}
		if g.bits != nil {
			c.fill(g.bits)
			continue
		}
		if n > cap(g.list) {
			w.reserve(g, min(2*n, maxList))
		}
		g.list = c.values(g.list)
	}
}

// wait puts a bitmap, which it keeps, into the pending ones, and unites them when they are too many.
func (w *Workspace) wait(s *Set, b waiting, containers int) {
	p := s.pending
	if p == nil {
		p = &pending{}
		p.bitmaps = p.few[:0]
		s.pending = p
		w.Held += int64(unsafe.Sizeof(*p))
	}
	before := cap(p.bitmaps)
	p.bitmaps = append(p.bitmaps, b)
	p.bytes += len(b.bytes)
	p.containers = max(p.containers, containers)
	p.held += b.held()
	w.Held += b.held() + int64(cap(p.bitmaps)-before)*waitingBytes
	most := 2 * bitsetBytes * p.containers
	if w.Held < leanBytes {
		most *= 4
	}
	if len(p.bitmaps) >= maxWaiting || len(p.bitmaps) > 1 && p.bytes > most {
		w.unite(s)
	}
}

// unite moves what is pending into the tree.
func (w *Workspace) unite(s *Set) {
	if s.tree == nil {
		w.grow(s)
	}
	t := s.tree
	w.eachPending(s, func(key uint64, cs []*container) {
		g := w.container(t, key)
		if g.bits == nil && len(g.list) == 0 && len(cs) == 1 && cs[0].card <= maxArray {
			w.reserve(g, cs[0].card)
			g.list = cs[0].values(g.list)
			return
		}
		for _, c := range cs {
			c.fill(&w.scratch)
		}
		for _, v := range g.list {
			w.scratch[v>>6] |= 1 << (v & 63)
		}
		switch n := ones(&w.scratch); {
		case g.bits != nil:
			for i, x := range w.scratch {
				g.bits[i] |= x
			}
		case n > maxList/2:
			b := w.spare
			if w.spare = nil; b == nil {
				b = new(words)
			}
			*b = w.scratch
			w.Held += bitsetBytes - 2*int64(cap(g.list))
			w.own(g, t, b)
		default:
			w.reserve(g, n)
			g.list = drain(&w.scratch, g.list[:0])
			return
		}
		clear(w.scratch[:])
	})
	p := s.pending
	w.Held -= p.held + int64(cap(p.bitmaps)-len(p.few))*waitingBytes + int64(unsafe.Sizeof(*p))
	for i := range p.bitmaps {
		w.Held -= p.bitmaps[i].free()
	}
	s.pending = nil
}

// touch reads the beginnings of the pending bitmaps, of which none is in a cache: so the processor fetches all at once.
//
//go:noinline
func touch(p *pending) (sum byte) {
	const line = 64
	for i := range p.bitmaps {
		b := p.bitmaps[i].bytes
		sum += b[0]
		if len(b) > 2*line {
			sum += b[line] + b[2*line]
		}
	}
	return sum
}

// eachPending calls f for the keys of the pending bitmaps in order, with their containers, which are valid during the call.
func (w *Workspace) eachPending(s *Set, f func(key uint64, cs []*container)) {
	w.cursors = w.cursors[:0]
	touch(s.pending)
	for i := range s.pending.bitmaps {
		c := walk(s.pending.bitmaps[i].bytes)
		if c.next() {
			w.cursors = append(w.cursors, c)
		}
	}
	same := make([]*container, 0, len(w.cursors))
	for len(w.cursors) > 0 {
		key := w.cursors[0].key
		for i := range w.cursors {
			key = min(key, w.cursors[i].key)
		}
		same = same[:0]
		for i := range w.cursors {
			if w.cursors[i].key == key {
				same = append(same, &w.cursors[i].container)
			}
		}
		f(key, same)
		left := 0
		for i := range w.cursors {
			if c := &w.cursors[i]; c.key != key || c.next() {
				if left < i { // cursors are large
					w.cursors[left] = *c
				}
				left++
			}
		}
		w.cursors = w.cursors[:left]
	}
}

// each calls f for the containers of a set in order: of each a bitset, or its ascending values, or a serialised container that is
// all of it. They are valid during the call.
func (w *Workspace) each(s *Set, f func(key uint64, set *words, vals []uint16, c *container)) {
	if s.tree == nil && len(s.list) > 0 {
		w.grow(s)
	}
	var order []int32
	if s.tree != nil {
		order = s.tree.order()
	}
	grown := func() *growing { return &s.tree.cons[order[0]] }
	before := func(key uint64) { // containers of the tree alone
		for len(order) > 0 && grown().key < key {
			w.one(grown(), f)
			order = order[1:]
		}
	}
	if s.pending != nil {
		w.eachPending(s, func(key uint64, cs []*container) {
			before(key)
			shared := len(order) > 0 && grown().key == key
			if !shared && len(cs) == 1 {
				f(key, nil, nil, cs[0])
				return
			}
			if shared {
				g := grown()
				order = order[1:]
				if g.bits != nil {
					w.scratch = *g.bits
				}
				for _, v := range g.list {
					w.scratch[v>>6] |= 1 << (v & 63)
				}
			}
			for _, c := range cs {
				c.fill(&w.scratch)
			}
			f(key, &w.scratch, nil, nil)
			clear(w.scratch[:])
		})
	}
	before(^uint64(0))
}

// countPending is the number of values of a set that has pending bitmaps and no tree.
func (w *Workspace) countPending(s *Set) (n int64) {
	if len(s.pending.bitmaps) == 1 {
		n, _ := Count(s.pending.bitmaps[0].bytes)
		return n
	}
	w.eachPending(s, func(_ uint64, cs []*container) { n += int64(w.countUnion(cs)) })
	return n
}

// countUnion is the number of values of the union of containers of one key.
func (w *Workspace) countUnion(cs []*container) int {
	switch {
	case len(cs) == 1:
		return cs[0].card
	case countsFast:
		return w.countFilled(cs)
	}
	return w.countCompared(cs)
}

// countFilled counts all words of the union.
func (w *Workspace) countFilled(cs []*container) int {
	for _, c := range cs {
		c.fill(&w.scratch)
	}
	return takeOnes(&w.scratch)
}

// countCompared counts arrays, unless they are many values, by those that they share with the ones before: that reads less than
// all words of the union.
func (w *Workspace) countCompared(cs []*container) (n int) {
	values, last := 0, 0
	for i, c := range cs {
		if c.kind != arrayKind {
			values = denseUnion
		}
		if values += c.card; c.card > cs[last].card {
			last = i
		}
	}
	if values >= denseUnion {
		return w.countFilled(cs)
	}
	// The largest one is only compared.
	cs[last], cs[len(cs)-1] = cs[len(cs)-1], cs[last]
	cs[0].fill(&w.scratch)
	for _, c := range cs[1 : len(cs)-1] {
		n += c.insert(&w.scratch)
	}
	largest := cs[len(cs)-1]
	n += cs[0].card + largest.card - largest.present(&w.scratch)
	clear(w.scratch[:])
	return n
}

// one calls f for a container of a tree.
func (w *Workspace) one(g *growing, f func(key uint64, set *words, vals []uint16, c *container)) {
	if g.bits != nil {
		f(g.key, g.bits, nil, nil)
		return
	}
	if len(g.list) > 64 {
		for _, v := range g.list {
			w.scratch[v>>6] |= 1 << (v & 63)
		}
		f(g.key, &w.scratch, nil, nil)
		clear(w.scratch[:])
		return
	}
	w.low = append(w.low[:0], g.list...)
	slices.Sort(w.low)
	w.low = slices.Compact(w.low)
	f(g.key, nil, w.low, nil)
}

// order is the numbers of t's containers by ascending key.
func (t *tree) order() []int32 {
	order := make([]int32, 0, len(t.cons))
	if t.index == nil {
		for i := range t.table {
			if num := t.table[i].num; num != 0 {
				order = append(order, num-1)
			}
		}
		return order
	}
	for i := range t.cons {
		order = append(order, int32(i))
	}
	slices.SortFunc(order, func(a, b int32) int {
		if t.cons[a].key < t.cons[b].key {
			return -1
		}
		return 1
	})
	return order
}
