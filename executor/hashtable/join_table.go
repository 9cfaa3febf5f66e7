package hashtable

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/hugepage"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// denseFactor bounds the span of keys of a direct array, in multiples of the rows.
const denseFactor = 8

// slotsPerRow is how many slots a row has at least: few keys share a slot then, so that the first one
// seen is mostly right and the branch on it predicted.
const slotsPerRow = 2

// JoinTable maps the keys of a join's build rows to the rows. A slot stands for one
// distinct key; further rows of the key hang on the first one by Next. Single integer keys
// whose values lie close together take a direct array instead of hashes.
//
// A slot is 4 bytes: the first row of its key plus one, with a tag of the hash in the bits that
// no row needs; 0 is empty. Keys are compared only where tags are equal. Tables are bound by the
// latency of memory, so that a slot of a quarter of the size is worth looking at the key's
// words: those are visited in their order when both sides of the join come in the same order.
//
// Use: NewJoinTable, Insert of all rows by any number of goroutines (compare-and-swap, no
// locks) or InsertAlone by one, then Probe by any number.
type JoinTable struct {
	L     *Layout
	N     int
	hash  []uint64 // of rows, for layouts that keep them
	words []uint64
	bufs  [][]byte
	skip  vector.Bitmap // rows to leave out, as zeros; nil: none
	slots []uint32
	mask  uint64
	// rowBits are the bits of a slot that hold a row plus one.
	rowBits uint
	// direct[x-base] is the first row plus one of integer key x; nil where hashes are used.
	direct []uint32
	base   int64
	next   []uint32 // made with the first row whose key is there already
	chain  sync.Once
	alone  bool // one goroutine inserts
}

// NewJoinTable makes a table of the rows of parts, which follow each other in the
// numbering; all lists share one arena. skip has a zero for every row that no key may
// find. There are fewer than 2^31 rows.
func NewJoinTable(l *Layout, parts []*Rows, skip vector.Bitmap) *JoinTable {
	t := &JoinTable{L: l, skip: skip}
	for _, r := range parts {
		t.N += r.N
		if r.arena != nil {
			t.bufs = r.bufs()
		}
	}
	if len(parts) == 1 {
		t.words, t.hash = parts[0].Words, parts[0].Hash
	} else {
		t.words = hugepage.Make[uint64](0, t.N*l.words)
		for _, r := range parts {
			t.words = append(t.words, r.Words...)
			t.hash = append(t.hash, r.Hash...)
		}
	}
	if t.findDense() {
		return t
	}
	size := 16
	for size < slotsPerRow*t.N {
		size *= 2
	}
	t.slots, t.mask = hugepage.Make[uint32](size, size), uint64(size-1)
	t.rowBits = uint(bits.Len(uint(t.N)))
	return t
}

// tag is what a slot of hash h holds above its row. It is taken from bits that neither choose the slot
// nor, but for the highest, a radix partition.
func (t *JoinTable) tag(h uint64) uint32 { return uint32(h>>32) << (t.rowBits & 31) }

// integerKey is the width of a layout that is one integer of at most 64 bits, else 0.
func (l *Layout) integerKey() uint {
	if len(l.cols) != 1 || l.cols[0].nullWord >= 0 {
		return 0
	}
	switch l.cols[0].phys {
	case sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32, sqltype.PhysInt64:
		return l.cols[0].bits
	}
	return 0
}

// findDense makes the direct array where keys are integers close together.
func (t *JoinTable) findDense() bool {
	width := t.L.integerKey()
	if width == 0 || t.N == 0 {
		return false
	}
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	shift := 64 - width
	for i, w := range t.words {
		if t.skip.Get(i) {
			x := int64(w<<shift) >> shift
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if lo > hi {
		lo, hi = 0, 0
	}
	span := uint64(hi) - uint64(lo)
	if span >= uint64(t.N)*denseFactor+1024 || span >= 1<<31 {
		return false
	}
	t.direct, t.base = hugepage.Make[uint32](int(span+1), int(span+1)), lo
	return true
}

// Bytes is the memory held, without the arena.
func (t *JoinTable) Bytes() int64 {
	return int64(4*len(t.slots) + 4*len(t.direct) + 4*len(t.next) + 8*len(t.hash) + 8*len(t.words))
}

// Unique reports whether no two inserted rows have the same key.
func (t *JoinTable) Unique() bool { return t.next == nil }

// Next is the row plus one that follows row in its key's list; 0 at the end.
func (t *JoinTable) Next(row uint32) uint32 {
	if t.next == nil {
		return 0
	}
	return t.next[row]
}

// key is the words of row's key.
func (t *JoinTable) key(row uint32) []uint64 {
	w := t.L.words
	return t.words[int(row)*w : int(row)*w+w]
}

// InsertAlone is Insert by the only goroutine that inserts into the table.
func (t *JoinTable) InsertAlone(lo, hi int) {
	t.alone = true
	t.Insert(lo, hi)
}

// Insert adds rows [lo, hi).
func (t *JoinTable) Insert(lo, hi int) {
	if t.direct != nil {
		t.insertDirect(lo, hi)
		return
	}
	k := NewKeys(t.L)
	for i := range k.bufs {
		k.bufs[i] = t.bufs
	}
	k.hashes = make([]uint64, 0, min(hi-lo, insertBatch))
	for ; lo < hi; lo += insertBatch {
		t.insertKeys(k, lo, min(lo+insertBatch, hi))
	}
}

// insertBatch is how many rows are hashed at a time.
const insertBatch = 8 * window

// insertKeys adds rows [lo, hi), at most insertBatch; k is scratch.
func (t *JoinTable) insertKeys(k *Keys, lo, hi int) {
	w := t.L.words
	k.N, k.Words = hi-lo, t.words[lo*w:hi*w]
	all := k.hashes[:k.N]
	if t.L.keepHash {
		all = t.hash[lo:hi]
	} else {
		k.hashes = all
		k.fillHashes(nil, nil)
	}
	for at := 0; at < len(all); at += window {
		hashes := all[at:min(at+window, len(all))]
		sum := uint32(0)
		for _, h := range hashes { // touches the slots
			sum |= atomic.LoadUint32(&t.slots[h&t.mask])
		}
		k.touched = uint64(sum)
		for j, h := range hashes {
			if t.skip.Get(lo + at + j) {
				t.insertOne(k, at+j, uint32(lo+at+j), h)
			}
		}
	}
}

// insertOne adds row, which is key j of k and has hash h.
func (t *JoinTable) insertOne(k *Keys, j int, row uint32, h uint64) {
	tag, tags := t.tag(h), ^uint32(0)<<(t.rowBits&31)
	for p := h & t.mask; ; p = (p + 1) & t.mask {
		s := &t.slots[p]
		x := atomic.LoadUint32(s)
		if x == 0 {
			if t.alone {
				*s = tag | (row + 1)
				return
			}
			if atomic.CompareAndSwapUint32(s, 0, tag|(row+1)) {
				return
			}
			x = atomic.LoadUint32(s)
		}
		if x&tags == tag {
			if first := x&^tags - 1; k.equal(j, t.key(first), t.bufs) {
				t.append(first, row)
				return
			}
		}
	}
}

// append hangs row behind the first row of its key.
func (t *JoinTable) append(first, row uint32) {
	t.chain.Do(func() { t.next = hugepage.Make[uint32](t.N, t.N) })
	for {
		old := atomic.LoadUint32(&t.next[first])
		t.next[row] = old
		if atomic.CompareAndSwapUint32(&t.next[first], old, row+1) {
			return
		}
	}
}

func (t *JoinTable) insertDirect(lo, hi int) {
	shift := 64 - t.L.integerKey()
	for row := lo; row < hi; row++ {
		if !t.skip.Get(row) {
			continue
		}
		at := &t.direct[int64(t.words[row]<<shift)>>shift-t.base]
		if !atomic.CompareAndSwapUint32(at, 0, uint32(row)+1) {
			t.append(atomic.LoadUint32(at)-1, uint32(row))
		}
	}
}

// Probe stores the first row plus one of every key in heads, 0 where there is none. NULLs
// of columns that are not nullable in the layout are the caller's to overwrite.
func (t *JoinTable) Probe(k *Keys, heads []uint32) {
	heads = heads[:k.N]
	switch {
	case t.N == 0:
		clear(heads)
	case t.direct != nil:
		t.probeDirect(k, heads)
	default:
		t.probeSlots(k, heads)
	}
}

func (t *JoinTable) probeDirect(k *Keys, heads []uint32) {
	shift, base, direct := (64-t.L.integerKey())&63, uint64(t.base), t.direct
	words := k.Words[:len(heads)]
	for j, w := range words {
		x := uint64(int64(w<<shift)>>shift) - base
		head := uint32(0)
		if x < uint64(len(direct)) {
			head = direct[x]
		}
		heads[j] = head
	}
}

// probeSlots looks keys up in windows: first their slots, all at once, then the keys of the rows
// found there. What the first equal tag does not answer is left to search.
func (t *JoinTable) probeSlots(k *Keys, heads []uint32) {
	all := k.Hash()
	for lo := 0; lo < len(heads); lo += window {
		hi := min(lo+window, len(heads))
		t.candidates(all[lo:hi], heads[lo:hi])
		switch {
		case t.L.strings || t.L.words > 2:
			t.verify(k, lo, all[lo:hi], heads[lo:hi])
		case t.L.words == 2:
			t.verify2(k, lo, all[lo:hi], heads[lo:hi])
		case t.L.words == 1:
			t.verify1(k, lo, all[lo:hi], heads[lo:hi])
		}
	}
}

// candidates stores the first row plus one with the tag of each hash, or 0.
func (t *JoinTable) candidates(hashes []uint64, heads []uint32) {
	slots, mask, rowBits := t.slots, t.mask, t.rowBits&31
	tags := ^uint32(0) << rowBits
	heads = heads[:len(hashes)]
	for j, h := range hashes { // independent loads
		heads[j] = slots[h&mask]
	}
	var more [window]uint8
	n := 0
	for j, h := range hashes { // without branches: whether the first slot is the one is hard to predict
		x := heads[j]
		other := (x ^ uint32(h>>32)<<rowBits) & tags
		more[n&(window-1)] = uint8(j)
		n += int(((other | -other) & (x | -x)) >> 31)
		heads[j] = x &^ tags
	}
	for _, j := range more[:n] {
		h := hashes[j]
		p, tag := (h+1)&mask, uint32(h>>32)<<rowBits
		x := slots[p]
		for x != 0 && x&tags != tag {
			p = (p + 1) & mask
			x = slots[p]
		}
		heads[j] = x &^ tags
	}
}

// verify replaces candidates, of keys from lo on, that are other keys.
func (t *JoinTable) verify(k *Keys, lo int, hashes []uint64, heads []uint32) {
	sum, w := uint64(0), t.L.words
	for _, r := range heads { // touches the keys
		if r != 0 {
			sum ^= t.words[int(r-1)*w]
		}
	}
	k.touched = sum
	for j, r := range heads {
		if r != 0 && !k.equal(lo+j, t.key(r-1), t.bufs) {
			heads[j] = t.search(k, lo+j, hashes[j])
		}
	}
}

// verify1 is verify of keys of a word.
func (t *JoinTable) verify1(k *Keys, lo int, hashes []uint64, heads []uint32) {
	keys, words := k.Words[lo:lo+len(heads)], t.words
	for j, r := range heads {
		if r != 0 && words[r-1] != keys[j] {
			heads[j] = t.search(k, lo+j, hashes[j])
		}
	}
}

// verify2 is verify of keys of two words without strings.
func (t *JoinTable) verify2(k *Keys, lo int, hashes []uint64, heads []uint32) {
	keys, words := k.Words[2*lo:2*(lo+len(heads))], t.words
	for j, r := range heads {
		if r == 0 {
			continue
		}
		x, y := words[2*int(r-1):2*int(r)], keys[2*j:2*j+2]
		if x[0] != y[0] || x[1] != y[1] {
			heads[j] = t.search(k, lo+j, hashes[j])
		}
	}
}

// search is the first row plus one of key j of k, whose hash is h, or 0.
func (t *JoinTable) search(k *Keys, j int, h uint64) uint32 {
	tag, tags := t.tag(h), ^uint32(0)<<(t.rowBits&31)
	for p := h & t.mask; ; p = (p + 1) & t.mask {
		x := t.slots[p]
		if x == 0 || x&tags == tag && k.equal(j, t.key(x&^tags-1), t.bufs) {
			return x &^ tags
		}
	}
}

// Dense reports whether the table is a direct array.
func (t *JoinTable) Dense() bool { return t.direct != nil }
