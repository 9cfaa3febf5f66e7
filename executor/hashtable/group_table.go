package hashtable

import (
	"slices"

	"github.com/basaltdb/basalt/internal/hugepage"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/vector"
)

// window is how many rows a table looks up at a time.
const window = 128

// groupSlot is one slot of a GroupTable: 16 bytes, empty where group is 0.
type groupSlot struct {
	hash  uint64
	group uint32 // number of the group plus one
	_     uint32
}

// tagSlot is one slot where keys are compared anyway: 8 bytes, empty where group is 0. tag
// are the lower bits of the hash, which place the slot, too.
type tagSlot struct{ tag, group uint32 }

// maxTags is how many slots of tags there can be.
const maxTags = 1 << 32

// GroupTable numbers distinct keys from 0 in order of arrival: open addressing with the
// full hash stored, linear probing, at most half full. Single integer keys that lie close
// together take a direct array instead (see dense.go). One goroutine uses it.
type GroupTable struct {
	Rows      *Rows       // the keys, by group
	slots     []groupSlot // of keys that their hash is all of
	tags      []tagSlot   // of all others
	mask      uint64
	nullGroup int32 // the group of a NULL kept aside, or -1
	dense     dense
	touched   uint32
}

// NewGroupTable makes an empty table with room for about capacity groups before it
// grows. Strings are copied through w.
func NewGroupTable(l *Layout, w *ArenaWriter, capacity int) *GroupTable {
	t := &GroupTable{Rows: NewRows(l, w)}
	t.Renew(w, capacity)
	return t
}

// Renew makes the table what NewGroupTable makes, in the memory that it has.
func (t *GroupTable) Renew(w *ArenaWriter, capacity int) {
	size := 64
	for size < 2*capacity {
		size *= 2
	}
	if t.Rows.L.exact {
		t.slots = emptied(t.slots, size)
	} else {
		t.tags = emptied(t.tags, size)
	}
	t.mask, t.nullGroup, t.dense = uint64(size-1), -1, dense{}
	t.Rows.Reset()
	t.Rows.setWriter(w)
	t.Rows.Reserve(capacity)
}

// emptied is size empty slots, in the memory of s if that is enough.
func emptied[S any](s []S, size int) []S {
	if size > cap(s) {
		return hugepage.Make[S](size, size)
	}
	s = s[:size]
	clear(s)
	return s
}

// Groups is the number of groups.
func (t *GroupTable) Groups() int { return t.Rows.N }

// Bytes is the memory held, without the arena.
func (t *GroupTable) Bytes() int64 {
	return int64(cap(t.slots)*16+cap(t.tags)*8) + t.dense.bytes() + t.Rows.Bytes()
}

// GrowthBytes is the memory that adding n keys may take besides that held now.
func (t *GroupTable) GrowthBytes(n int) int64 {
	var bytes int64
	switch d := &t.dense; {
	case d.pages != nil:
		bytes = int64(min(n, len(d.pages)-d.made+1)) * 4 * densePage
	case 2*(t.Rows.N+n) > int(t.mask):
		bytes = int64(2 * (len(t.slots)*16 + len(t.tags)*8))
	}
	if w := t.Rows.L.words; cap(t.Rows.Words) < (t.Rows.N+n)*w {
		bytes += int64(cap(t.Rows.Words)*8) * 5 / 4
		if t.Rows.L.keepHash {
			bytes += int64(cap(t.Rows.Hash)*8) * 5 / 4
		}
	}
	return bytes
}

// Reset removes all groups; the table keeps its memory, its strings stay in the arena.
func (t *GroupTable) Reset() {
	clear(t.slots)
	clear(t.tags)
	t.dense.pages, t.dense.made = nil, 0
	t.Rows.Reset()
	t.nullGroup = -1
}

// FindOrAdd stores the group of every key in groups, which has k.N entries, adding
// groups for new keys.
func (t *GroupTable) FindOrAdd(k *Keys, groups []uint32) {
	if t.Rows.L.words == 0 {
		if t.Rows.N == 0 && k.N > 0 {
			t.Rows.Append(k, 0)
		}
		clear(groups[:k.N])
		return
	}
	if t.dense.width != 0 && k.N > 0 {
		if t.dense.pages == nil && 2*(t.Rows.N+k.N) > int(t.mask) {
			t.enterDense()
		}
		if t.findDense(k, groups) {
			return
		}
	}
	hashes := k.Hash()
	for lo := 0; lo < k.N; lo += window {
		hi := min(lo+window, k.N)
		t.Rows.room(hi - lo)
		if 2*(t.Rows.N+hi-lo) > int(t.mask) {
			t.grow()
		}
		t.touch(hashes[lo:hi])
		switch {
		case k.null != nil:
			t.findNullable(k, lo, hi, groups)
		case t.Rows.L.exact:
			t.findExact(k, lo, hi, groups)
		case t.Rows.L.words == 2 && !t.Rows.L.strings:
			t.findPairs(k, lo, hi, groups)
		case t.Rows.L.words == 2:
			t.findStrings(k, lo, hi, groups)
		default:
			t.findKeys(k, lo, hi, groups)
		}
	}
}

// touch reads the slots of some keys, so that they come from memory side by side.
func (t *GroupTable) touch(hashes []uint64) {
	sum := uint32(0)
	if t.tags == nil {
		for _, h := range hashes {
			sum |= t.slots[h&t.mask].group
		}
	} else {
		for _, h := range hashes {
			sum |= t.tags[h&t.mask].group
		}
	}
	t.touched = sum
}

// findExact is the loop for keys whose hash is all there is to compare.
func (t *GroupTable) findExact(k *Keys, lo, hi int, groups []uint32) {
	slots, mask := t.slots, t.mask
	hashes := k.Hash()[lo:hi]
	groups = groups[lo:hi]
	groups = groups[:len(hashes)]
	for j, h := range hashes {
		p := h & mask
		for {
			s := &slots[p]
			if s.hash == h && s.group != 0 {
				groups[j] = s.group - 1
				break
			}
			if s.group == 0 {
				s.hash, s.group = h, uint32(t.Rows.N)+1
				groups[j] = uint32(t.Rows.N)
				t.Rows.Words = append(t.Rows.Words, k.Words[lo+j])
				t.Rows.N++
				break
			}
			p = (p + 1) & mask
		}
	}
}

// findNullable is findExact for batches with NULLs aside.
func (t *GroupTable) findNullable(k *Keys, lo, hi int, groups []uint32) {
	k.Hash()
	one := *k
	one.null = nil
	for j := lo; j < hi; j++ {
		switch {
		case !k.null[j]:
			t.findExact(&one, j, j+1, groups)
		case t.nullGroup >= 0:
			groups[j] = uint32(t.nullGroup)
		default:
			t.nullGroup = int32(t.Rows.N)
			groups[j] = uint32(t.Rows.N)
			t.Rows.Append(k, j)
		}
	}
}

// findPairs is the loop for keys of two words without strings.
func (t *GroupTable) findPairs(k *Keys, lo, hi int, groups []uint32) {
	slots, mask, hashes := t.tags, t.mask, k.Hash()
	for j := lo; j < hi; j++ {
		h, x, y := hashes[j], k.Words[2*j], k.Words[2*j+1]
		p := h & mask
		for {
			s := &slots[p]
			if s.group == 0 {
				s.tag, s.group = uint32(h), uint32(t.Rows.N)+1
				groups[j] = uint32(t.Rows.N)
				t.Rows.Words = append(t.Rows.Words, x, y)
				t.Rows.N++
				break
			}
			if g := s.group - 1; s.tag == uint32(h) && t.Rows.Words[2*g] == x && t.Rows.Words[2*g+1] == y {
				groups[j] = g
				break
			}
			p = (p + 1) & mask
		}
	}
}

// findStrings is the loop for a single string.
func (t *GroupTable) findStrings(k *Keys, lo, hi int, groups []uint32) {
	slots, mask, hashes := t.tags, t.mask, k.Hash()
	bufs, kbufs := t.Rows.bufs(), k.bufs[t.Rows.L.units[0].col]
	foreign := k.arena != t.Rows.arena
	for j := lo; j < hi; j++ {
		h, x, y := hashes[j], k.Words[2*j], k.Words[2*j+1]
		inline := uint32(x) <= vector.MaxInline || x == nullView0
		p := h & mask
		for {
			s := &slots[p]
			if s.group == 0 {
				s.tag, s.group = uint32(h), uint32(t.Rows.N)+1
				groups[j] = uint32(t.Rows.N)
				at := len(t.Rows.Words)
				t.Rows.Words = append(t.Rows.Words, x, y)
				t.Rows.Hash = append(t.Rows.Hash, h)
				t.Rows.N++
				if !inline && foreign {
					t.Rows.w.adopt(t.Rows.Words[at:at+2], kbufs)
					if t.Rows.w.id >= len(bufs) {
						bufs = t.Rows.bufs()
					}
				}
				break
			}
			if s.tag == uint32(h) {
				g := s.group - 1
				key := t.Rows.Words[2*g : 2*g+2]
				if key[0] == x && (key[1] == y && (inline || !foreign) || !inline && equalLong(k.Words[2*j:], kbufs, key, bufs)) {
					groups[j] = g
					break
				}
			}
			p = (p + 1) & mask
		}
	}
}

// findKeys compares keys where hashes are equal.
func (t *GroupTable) findKeys(k *Keys, lo, hi int, groups []uint32) {
	slots, mask, hashes := t.tags, t.mask, k.Hash()
	bufs := t.Rows.bufs()
	for j := lo; j < hi; j++ {
		h := hashes[j]
		p := h & mask
		for {
			s := &slots[p]
			if s.group == 0 {
				s.tag, s.group = uint32(h), uint32(t.Rows.N)+1
				groups[j] = uint32(t.Rows.N)
				t.Rows.Append(k, j)
				if t.Rows.w != nil && t.Rows.w.chunk != nil && t.Rows.w.id >= len(bufs) {
					bufs = t.Rows.bufs()
				}
				break
			}
			if s.tag == uint32(h) && k.equal(j, t.Rows.key(int(s.group-1)), bufs) {
				groups[j] = s.group - 1
				break
			}
			p = (p + 1) & mask
		}
	}
}

// Lookup is FindOrAdd that adds nothing: groups[j] is -1 for unknown keys. Any number of
// goroutines may look up while nobody adds.
func (t *GroupTable) Lookup(k *Keys, groups []int32) {
	bufs := t.Rows.bufs()
	for j := range k.N {
		groups[j] = t.lookupOne(k, j, bufs)
	}
}

func (t *GroupTable) lookupOne(k *Keys, j int, bufs [][]byte) int32 {
	if k.IsNull(j) {
		return t.nullGroup
	}
	if t.Rows.L.words == 0 {
		return int32(t.Rows.N) - 1
	}
	if t.dense.pages != nil {
		return t.lookupDense(k.Words[j])
	}
	h := k.Hash()[j]
	if t.tags == nil {
		for p := h & t.mask; ; p = (p + 1) & t.mask {
			if s := &t.slots[p]; s.group == 0 || s.hash == h {
				return int32(s.group) - 1
			}
		}
	}
	for p := h & t.mask; ; p = (p + 1) & t.mask {
		s := &t.tags[p]
		if s.group == 0 || s.tag == uint32(h) && k.equal(j, t.Rows.key(int(s.group-1)), bufs) {
			return int32(s.group) - 1
		}
	}
}

// grow quadruples small tables and doubles large ones.
func (t *GroupTable) grow() {
	n := 2 * (int(t.mask) + 1)
	if n < 1<<16 {
		n *= 2
	}
	if n > maxTags {
		panic(invariant.Failed("a table of %d groups", t.Rows.N)) // memory ends before
	}
	mask := uint64(n - 1)
	if t.tags == nil {
		slots := hugepage.Make[groupSlot](n, n)
		for _, s := range t.slots {
			if s.group == 0 {
				continue
			}
			p := s.hash & mask
			for slots[p].group != 0 {
				p = (p + 1) & mask
			}
			slots[p] = s
		}
		t.slots, t.mask = slots, mask
		return
	}
	tags := hugepage.Make[tagSlot](n, n)
	for _, s := range t.tags {
		if s.group == 0 {
			continue
		}
		p := uint64(s.tag) & mask
		for tags[p].group != 0 {
			p = (p + 1) & mask
		}
		tags[p] = s
	}
	t.tags, t.mask = tags, mask
}

// PartitionOf is the radix partition of a hash among 1<<bits; it uses the upper bits,
// tables the lower ones.
func PartitionOf(hash uint64, bits uint) int { return int(hash >> (64 - bits)) }

// Partition orders the groups by radix partition of their hash: partition p are
// order[offsets[p]:offsets[p+1]], ascending.
func (t *GroupTable) Partition(bits uint) (order []uint32, offsets []int) {
	return t.PartitionAt(0, bits)
}

// crowdSample is how many groups Crowded looks at.
const crowdSample = 1 << 13

// Crowded reports whether some partition of the table's groups (of the first ones, if there are
// many) has more than a sixteenth of them, or may have: too few groups tell nothing.
func (t *GroupTable) Crowded(bits uint) bool {
	n := min(t.Rows.N, crowdSample)
	if n < crowdSample/8 {
		return true
	}
	var k Keys
	k.Load(t.Rows, 0, n)
	count := make([]int, 1<<bits)
	for _, h := range k.Hash() {
		count[PartitionOf(h, bits)]++
	}
	return 16*slices.Max(count) > n
}

// PartitionAt is Partition by the bits of the hash below the level*bits highest.
func (t *GroupTable) PartitionAt(level int, bits uint) (order []uint32, offsets []int) {
	n := t.Rows.N
	parts := make([]uint8, n)
	offsets = make([]int, 1<<bits+1)
	var k Keys
	for lo := 0; lo < n; lo += 4096 {
		hi := min(lo+4096, n)
		k.Load(t.Rows, lo, hi)
		for j, h := range k.Hash() {
			p := PartitionOf(h<<(uint(level)*bits), bits)
			parts[lo+j] = uint8(p)
			offsets[p+1]++
		}
	}
	for p := range 1 << bits {
		offsets[p+1] += offsets[p]
	}
	order = make([]uint32, n)
	next := append([]int(nil), offsets...)
	for i, p := range parts {
		order[next[p]] = uint32(i)
		next[p]++
	}
	return order, offsets
}
