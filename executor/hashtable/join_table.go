package hashtable

import (
	"math"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/hugepage"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// joinSlot is one slot of a JoinTable: 16 bytes, empty where row is 0.
type joinSlot struct {
	hash uint64
	row  uint32 // first row of the key plus one
	_    uint32
}

// denseFactor bounds the span of keys of a direct array, in multiples of the rows.
const denseFactor = 8

// JoinTable maps the keys of a join's build rows to the rows. A slot stands for one
// distinct key; further rows of the key hang on the first one by Next. Single integer keys
// whose values lie close together take a direct array instead of hashes.
//
// Use: NewJoinTable, Insert of all rows by any number of goroutines (compare-and-swap, no
// locks), then Probe by any number.
type JoinTable struct {
	L     *Layout
	N     int
	hash  []uint64
	words []uint64
	bufs  [][]byte
	skip  vector.Bitmap // rows to leave out, as zeros; nil: none
	slots []joinSlot
	mask  uint64
	// direct[x-base] is the first row plus one of integer key x; nil where hashes are used.
	direct []uint32
	base   int64
	next   []uint32
	dups   atomic.Bool
}

// NewJoinTable makes a table of the rows of parts, which follow each other in the
// numbering; all lists share one arena. skip has a zero for every row that no key may
// find.
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
	t.next = hugepage.Make[uint32](t.N, t.N)
	if t.findDense() {
		return t
	}
	size := 16
	for 2*size < 3*t.N {
		size *= 2
	}
	t.slots, t.mask = hugepage.Make[joinSlot](size, size), uint64(size-1)
	if !l.keepHash {
		t.hash = hugepage.Make[uint64](t.N, t.N)
	}
	return t
}

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
	return int64(len(t.slots)*16 + 4*len(t.direct) + 4*len(t.next) + 8*len(t.hash) + 8*len(t.words))
}

// Unique reports whether no two inserted rows have the same key.
func (t *JoinTable) Unique() bool { return !t.dups.Load() }

// Next is the row plus one that follows row in its key's list; 0 at the end.
func (t *JoinTable) Next(row uint32) uint32 { return t.next[row] }

// key is the words of row's key; only for layouts that are not exact.
func (t *JoinTable) key(row uint32) []uint64 {
	w := t.L.words
	return t.words[int(row)*w : int(row)*w+w]
}

// Insert adds rows [lo, hi).
func (t *JoinTable) Insert(lo, hi int) {
	switch {
	case t.direct != nil:
		t.insertDirect(lo, hi)
		return
	case t.L.words == 0:
		clear(t.hash[lo:hi])
	case !t.L.keepHash:
		w := t.L.words
		k := Keys{L: t.L, N: hi - lo, Words: t.words[lo*w : hi*w], hashes: t.hash[lo:hi]}
		k.fillHashes(nil, nil)
	}
	for ; lo < hi; lo += window {
		end := min(lo+window, hi)
		sum := uint32(0)
		for _, h := range t.hash[lo:end] {
			sum |= atomic.LoadUint32(&t.slots[h&t.mask].row)
		}
		for row := lo; row < end; row++ {
			if t.skip.Get(row) {
				t.insertOne(uint32(row))
			}
		}
		_ = sum
	}
}

func (t *JoinTable) insertOne(row uint32) {
	h := t.hash[row]
	for p := h & t.mask; ; p = (p + 1) & t.mask {
		s := &t.slots[p]
		first := atomic.LoadUint32(&s.row)
		if first == 0 {
			if atomic.CompareAndSwapUint32(&s.row, 0, row+1) {
				s.hash = h // read by nobody before all rows are in
				return
			}
			first = atomic.LoadUint32(&s.row)
		}
		if t.hash[first-1] == h && (t.L.exact || t.sameKey(first-1, row)) {
			t.chain(first-1, row)
			return
		}
	}
}

// chain hangs row behind the first row of its key.
func (t *JoinTable) chain(first, row uint32) {
	if !t.dups.Load() {
		t.dups.Store(true)
	}
	for {
		old := atomic.LoadUint32(&t.next[first])
		t.next[row] = old
		if atomic.CompareAndSwapUint32(&t.next[first], old, row+1) {
			return
		}
	}
}

func (t *JoinTable) sameKey(x, y uint32) bool {
	k := Keys{L: t.L, Words: t.key(x), bufs: make([][][]byte, len(t.L.cols))}
	for i := range k.bufs {
		k.bufs[i] = t.bufs
	}
	return k.equal(0, t.key(y), t.bufs)
}

func (t *JoinTable) insertDirect(lo, hi int) {
	shift := 64 - t.L.integerKey()
	for row := lo; row < hi; row++ {
		if !t.skip.Get(row) {
			continue
		}
		at := &t.direct[int64(t.words[row]<<shift)>>shift-t.base]
		if !atomic.CompareAndSwapUint32(at, 0, uint32(row)+1) {
			t.chain(atomic.LoadUint32(at)-1, uint32(row))
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
	case t.L.exact:
		t.probeExact(k, heads)
	default:
		t.probeKeys(k, heads)
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

func (t *JoinTable) probeExact(k *Keys, heads []uint32) {
	slots, mask, all := t.slots, t.mask, k.Hash()
	for lo := 0; lo < len(heads); lo += window {
		hashes := all[lo:min(lo+window, len(heads))]
		out := heads[lo:]
		out = out[:len(hashes)]
		for j, h := range hashes { // touches the slots
			out[j] = slots[h&mask].row
		}
		for j, h := range hashes {
			p := h & mask
			for {
				s := &slots[p]
				if s.hash == h || s.row == 0 {
					out[j] = s.row
					break
				}
				p = (p + 1) & mask
			}
		}
	}
}

func (t *JoinTable) probeKeys(k *Keys, heads []uint32) {
	slots, mask, all := t.slots, t.mask, k.Hash()
	for lo := 0; lo < len(heads); lo += window {
		hashes := all[lo:min(lo+window, len(heads))]
		for j, h := range hashes {
			heads[lo+j] = slots[h&mask].row
		}
		sum := uint64(0)
		for j, h := range hashes { // touches the keys of slots that will likely match
			if r := heads[lo+j]; r != 0 && slots[h&mask].hash == h {
				sum ^= t.key(r - 1)[0]
			}
		}
		k.touched = sum
		for j, h := range hashes {
			p := h & mask
			for {
				s := &slots[p]
				if s.row == 0 || s.hash == h && k.equal(lo+j, t.key(s.row-1), t.bufs) {
					heads[lo+j] = s.row
					break
				}
				p = (p + 1) & mask
			}
		}
	}
}

// Dense reports whether the table is a direct array.
func (t *JoinTable) Dense() bool { return t.direct != nil }
