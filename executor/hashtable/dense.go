package hashtable

// Limits of direct arrays of groups: an array may span denseSpan keys at any time, and
// denseGroups keys a group that there is.
const (
	denseSpan   = 1 << 16
	denseGroups = 16
	denseMost   = 1 << 28
)

// Pages of a direct array: 16 KB, made where keys lie. A driver that sees parts of a wide
// range holds memory for these alone, and a range that grows moves pointers.
const (
	densePageBits = 12
	densePage     = 1 << densePageBits
)

// dense is the direct array of a GroupTable over single integer keys: key x is group
// page[(x-base)%densePage]-1 of pages[(x-base)/densePage]. The table moves between array and
// hash slots as its keys turn out.
type dense struct {
	width  uint // bits of the key; 0: the table stays with hashes
	pages  []*[densePage]uint32
	made   int   // pages that there are
	base   int64 // of pages; a multiple of densePage
	lo, hi int64 // of all keys
	any    bool
}

// page is the page of the key at x-base, made when it is missing.
func (d *dense) page(x uint64) *[densePage]uint32 {
	at := &d.pages[x>>densePageBits]
	if *at == nil {
		*at = new([densePage]uint32)
		d.made++
	}
	return *at
}

// bytes is the memory held.
func (d *dense) bytes() int64 { return int64(8*len(d.pages) + 4*densePage*d.made) }

// AllowDense lets the table use a direct array where its key is one integer. It is for
// tables that see all keys of a range, not one radix partition of them.
func (t *GroupTable) AllowDense() { t.dense.width = t.Rows.L.integerKey() }

// Dense reports whether the table is a direct array now.
func (t *GroupTable) Dense() bool { return t.dense.pages != nil }

// findDense is FindOrAdd by the direct array; it is false, having done nothing, where
// the keys need hashes.
func (t *GroupTable) findDense(k *Keys, groups []uint32) bool {
	d := &t.dense
	shift := (64 - d.width) & 63
	lo, hi := d.lo, d.hi
	if !d.any {
		lo = int64(k.Words[0]<<shift) >> shift
		hi = lo
	}
	for _, w := range k.Words[:k.N] {
		x := int64(w<<shift) >> shift
		lo, hi = min(lo, x), max(hi, x)
	}
	d.lo, d.hi, d.any = lo, hi, true
	if d.pages == nil && t.Rows.N > 0 {
		return false // grow decides
	}
	if !t.cover() {
		t.leaveDense()
		return false
	}
	t.Rows.room(k.N)
	pages, base := d.pages, d.base
	words := k.Words[:k.N]
	groups = groups[:len(words)]
	for j, w := range words {
		if k.null != nil && k.null[j] {
			groups[j] = t.aside(k, j)
			continue
		}
		x := uint64(int64(w<<shift)>>shift - base)
		page := pages[x>>densePageBits]
		if page == nil {
			page = d.page(x)
		}
		at := &page[x%densePage]
		g := *at
		if g == 0 {
			t.Rows.Words = append(t.Rows.Words, w)
			t.Rows.N++
			g = uint32(t.Rows.N)
			*at = g
		}
		groups[j] = g - 1
	}
	return true
}

// aside is the group of a NULL kept aside.
func (t *GroupTable) aside(k *Keys, j int) uint32 {
	if t.nullGroup < 0 {
		t.nullGroup = int32(t.Rows.N)
		t.Rows.Append(k, j)
	}
	return uint32(t.nullGroup)
}

// cover makes the array span all keys; it is false where the span is too wide for the groups.
func (t *GroupTable) cover() bool {
	d := &t.dense
	if len(d.pages) > 0 && d.lo >= d.base && (uint64(d.hi)-uint64(d.base))>>densePageBits < uint64(len(d.pages)) {
		return true
	}
	span := uint64(d.hi) - uint64(d.lo)
	if span >= uint64(max(denseSpan, denseGroups*t.Rows.N)) || span >= denseMost {
		return false
	}
	d.span()
	return true
}

// span makes pages' pointers reach from lo to hi, with slack where they grow downwards.
func (d *dense) span() {
	base := d.lo &^ (densePage - 1)
	if n := int64(len(d.pages)); n > 0 && d.base <= base {
		base = d.base
	} else if n > 0 && d.lo > -1<<62 {
		base -= n / 2 * densePage
	}
	want := int((uint64(d.hi)-uint64(base))>>densePageBits) + 1
	first := 0
	if len(d.pages) > 0 {
		first = int((uint64(d.base) - uint64(base)) >> densePageBits)
		want = max(want, first+len(d.pages))
	}
	if first == 0 {
		d.pages, d.base = append(d.pages, make([]*[densePage]uint32, want-len(d.pages))...), base
		return
	}
	pages := make([]*[densePage]uint32, want)
	copy(pages[first:], d.pages)
	d.pages, d.base = pages, base
}

// leaveDense puts all groups into hash slots.
func (t *GroupTable) leaveDense() {
	t.dense.pages, t.dense.made = nil, 0
	n := len(t.slots)
	for n < 4*t.Rows.N {
		n *= 2
	}
	t.slots, t.mask = make([]groupSlot, n), uint64(n-1)
	for g, w := range t.Rows.Words[:t.Rows.N] {
		if g == int(t.nullGroup) {
			continue
		}
		h := Mix(w)
		p := h & t.mask
		for t.slots[p].group != 0 {
			p = (p + 1) & t.mask
		}
		t.slots[p] = groupSlot{hash: h, group: uint32(g) + 1}
	}
}

// enterDense moves to a direct array where the keys turned out to lie close together.
func (t *GroupTable) enterDense() bool {
	d := &t.dense
	if d.width == 0 || !d.any || t.Rows.N == 0 || !t.cover() {
		return false
	}
	shift := (64 - d.width) & 63
	for g, w := range t.Rows.Words[:t.Rows.N] {
		if g != int(t.nullGroup) {
			x := uint64(int64(w<<shift)>>shift - d.base)
			d.page(x)[x%densePage] = uint32(g) + 1
		}
	}
	return true
}

func (t *GroupTable) lookupDense(w uint64) int32 {
	d := &t.dense
	shift := (64 - d.width) & 63
	x := uint64(int64(w<<shift)>>shift) - uint64(d.base)
	if x>>densePageBits >= uint64(len(d.pages)) || d.pages[x>>densePageBits] == nil {
		return -1
	}
	return int32(d.pages[x>>densePageBits][x%densePage]) - 1
}

// Span is the range of keys that a direct array was asked for.
func (t *GroupTable) Span() (lo, hi int64) { return t.dense.lo, t.dense.hi }

// PartitionRange is Partition of a direct array's groups by ranges of 1<<shift keys from lo on, of which there
// are parts: partition p are the groups of keys [lo+p<<shift, lo+(p+1)<<shift), NULL being in the first.
// All keys must lie in the ranges.
func (t *GroupTable) PartitionRange(lo int64, shift uint, parts int) (order []uint32, offsets []int) {
	n := t.Rows.N
	width := (64 - t.dense.width) & 63
	where := make([]uint8, n)
	offsets = make([]int, parts+1)
	for g, w := range t.Rows.Words[:n] {
		p := uint64(int64(w<<width)>>width-lo) >> shift
		if g == int(t.nullGroup) {
			p = 0
		}
		where[g] = uint8(p)
		offsets[p+1]++
	}
	for p := range parts {
		offsets[p+1] += offsets[p]
	}
	order = make([]uint32, n)
	next := append([]int(nil), offsets...)
	for g, p := range where {
		order[next[p]] = uint32(g)
		next[p]++
	}
	return order, offsets
}

// NewDenseTable is NewGroupTable with a direct array over the keys lo to hi and room for capacity groups.
func NewDenseTable(l *Layout, w *ArenaWriter, lo, hi int64, capacity int) *GroupTable {
	t := NewGroupTable(l, w, 16)
	t.Rows.Reserve(capacity)
	t.AllowDense()
	t.dense.lo, t.dense.hi, t.dense.any = lo, hi, true
	t.dense.span()
	return t
}
