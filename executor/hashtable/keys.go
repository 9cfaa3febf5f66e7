package hashtable

import (
	"math"
	"slices"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// eagerDict bounds the dictionaries that are encoded whole when first seen.
const eagerDict = 1 << 16

// Keys are the keys of a batch in the form of a Layout. One goroutine uses it. Its
// memory, and that of the batch it was encoded from, is used until the next Encode.
type Keys struct {
	L *Layout
	N int
	// Words are L.Words() a key, key after key; read-only: they may be the batch's memory.
	Words []uint64

	hashes []uint64
	hashed bool
	// What the hashes will be computed from, when somebody asks.
	cols    []*vector.Vector
	sel     []int32
	null    []bool // per key, for an aside layout with NULL keys in it; else nil
	bufs    [][][]byte
	arena   *Arena // where all strings lie already, or nil
	words   []uint64
	nullMem []bool
	scratch []uint64
	leading []uint64 // hashes of the leading columns (Layout.Lead)
	touched uint64   // keeps look-ups that only warm the cache from being optimized away
	dicts   []dictCache
}

// dictCache is one dictionary, encoded: two words an entry for strings and 128 bits,
// else one, and for strings their hashes.
type dictCache struct {
	dict  *vector.Vector
	words []uint64
	hash  []uint64
}

// NewKeys makes empty keys of a layout.
func NewKeys(l *Layout) *Keys {
	return &Keys{L: l, bufs: make([][][]byte, len(l.cols)), dicts: make([]dictCache, len(l.cols))}
}

// Encode makes keys of the live rows of cols: key k is row sel[k], or k where sel is nil
// and n rows are live. cols may have any form.
func (k *Keys) Encode(cols []*vector.Vector, n int, sel []int32) {
	if sel != nil {
		n = len(sel)
	}
	k.N, k.null, k.arena, k.hashed = n, nil, nil, false
	k.cols, k.sel = cols, sel
	w := k.L.words
	if c := k.L.cols; w == 1 && len(c) == 1 && c[0].bits == 64 && sel == nil && cols[0].Form == vector.Flat &&
		c[0].phys == sqltype.PhysInt64 && cols[0].Valid == nil {
		k.Words = vector.Values[uint64](cols[0])[:n]
	} else {
		if cap(k.words) < n*w {
			k.words = make([]uint64, n*w)
		}
		k.Words = k.words[:n*w]
		clear(k.Words)
		for i, v := range cols {
			k.encodeColumn(i, v, sel)
		}
	}
}

// Hash is the hash of every key, computed when first asked for.
func (k *Keys) Hash() []uint64 {
	if !k.hashed {
		if cap(k.hashes) < k.N {
			k.hashes = make([]uint64, k.N)
		}
		k.hashes, k.hashed = k.hashes[:k.N], true
		k.fillHashes(k.cols, k.sel)
	}
	return k.hashes
}

func (k *Keys) encodeColumn(i int, v *vector.Vector, sel []int32) {
	c := &k.L.cols[i]
	switch {
	case c.bits == 0 || k.N == 0:
		return
	case v.Form == vector.Constant:
		k.encodeConstant(i, v)
	case v.Form == vector.Dictionary:
		k.encodeDictionary(i, v, sel)
	default:
		k.bufs[i] = v.Bufs
		k.encodeFlat(c, v, sel)
	}
	if v.Form != vector.Constant && v.Valid != nil {
		k.markNulls(c, v.Valid, sel)
	}
}

// markNulls overwrites the values of null rows, so that all NULLs are equal.
func (k *Keys) markNulls(c *column, valid vector.Bitmap, sel []int32) {
	for j := range k.N {
		r := j
		if sel != nil {
			r = int(sel[j])
		}
		if !valid.Get(r) {
			k.setNull(c, j)
		}
	}
}

func (k *Keys) setNull(c *column, j int) {
	at := j * k.L.words
	switch {
	case c.isString():
		k.Words[at+c.word], k.Words[at+c.word+1] = nullView0, nullView1
		return
	case c.bits == 128:
		k.Words[at+c.word], k.Words[at+c.word+1] = 0, 0
	case c.bits == 64:
		k.Words[at+c.word] = 0
	default:
		k.Words[at+c.word] &^= (1<<c.bits - 1) << c.shift
	}
	if c.nullWord >= 0 {
		k.Words[at+c.nullWord] |= 1 << c.nullShift
	} else if k.L.aside {
		if k.null == nil {
			if cap(k.nullMem) < k.N {
				k.nullMem = make([]bool, k.N)
			}
			k.null = k.nullMem[:k.N]
			clear(k.null)
		}
		k.null[j] = true
	}
}

func (k *Keys) encodeConstant(i int, v *vector.Vector) {
	c := &k.L.cols[i]
	if v.IsNull(0) {
		for j := range k.N {
			k.setNull(c, j)
		}
		return
	}
	k.bufs[i] = v.Bufs
	x := encodeValues(c, v, nil)
	k.spread(c, x, func(int) int { return 0 })
}

// spread stores the encoded value at(j) of x as key j's column c.
func (k *Keys) spread(c *column, x []uint64, at func(j int) int) {
	w := k.L.words
	if c.bits == 128 {
		for j := range k.N {
			e := 2 * at(j)
			k.Words[j*w+c.word], k.Words[j*w+c.word+1] = x[e], x[e+1]
		}
		return
	}
	for j := range k.N {
		k.Words[j*w+c.word] |= x[at(j)] << c.shift
	}
}

func (k *Keys) encodeDictionary(i int, v *vector.Vector, sel []int32) {
	c := &k.L.cols[i]
	k.bufs[i] = v.Dict.Bufs
	d := &k.dicts[i]
	if d.dict != v.Dict {
		d.dict, d.words, d.hash = nil, nil, nil
		if v.Dict.Len > eagerDict && v.Dict.Len > 4*k.N {
			rows := make([]int32, k.N)
			for j := range rows {
				rows[j] = v.Codes[liveRow(sel, j)]
			}
			k.spread(c, encodeValues(c, v.Dict, rows), func(j int) int { return j })
			return
		}
		d.dict, d.words = v.Dict, encodeValues(c, v.Dict, nil)
		if c.isString() {
			d.hash = make([]uint64, v.Dict.Len)
			for e := range d.hash {
				d.hash[e] = hashString(d.words[2*e], d.words[2*e+1], v.Dict.Bufs)
			}
		}
	}
	w, x, codes := k.L.words, d.words, v.Codes
	if c.bits == 128 {
		for j := range k.N {
			e := 2 * int(codes[liveRow(sel, j)])
			k.Words[j*w+c.word], k.Words[j*w+c.word+1] = x[e], x[e+1]
		}
		return
	}
	dst, shift := k.Words[c.word:], c.shift&63
	if sel == nil {
		for j, code := range codes[:k.N] {
			dst[j*w] |= x[code] << shift
		}
		return
	}
	for j, r := range sel[:k.N] {
		dst[j*w] |= x[codes[r]] << shift
	}
}

func liveRow(sel []int32, j int) int {
	if sel == nil {
		return j
	}
	return int(sel[j])
}

// encodeValues encodes rows (nil: all) of a flat or constant vector on their own: one
// unshifted word a value, or two.
func encodeValues(c *column, v *vector.Vector, rows []int32) []uint64 {
	n := len(rows)
	if rows == nil {
		n = len(v.Data) / c.phys.Size()
	}
	lone := *c
	lone.word, lone.shift = 0, 0
	l := &Layout{cols: []column{lone}, words: max(1, int(c.bits/64))}
	k := Keys{L: l, N: n, Words: make([]uint64, n*l.words)}
	k.encodeFlat(&l.cols[0], v, rows)
	return k.Words
}

func (k *Keys) encodeFlat(c *column, v *vector.Vector, sel []int32) {
	switch c.phys {
	case sqltype.PhysBool, sqltype.PhysInt8:
		put(k, c, vector.Values[uint8](v), sel)
	case sqltype.PhysInt16:
		put(k, c, vector.Values[uint16](v), sel)
	case sqltype.PhysInt32:
		put(k, c, vector.Values[uint32](v), sel)
	case sqltype.PhysInt64:
		put(k, c, vector.Values[uint64](v), sel)
	case sqltype.PhysFloat32:
		w, vals := k.L.words, vector.Values[float32](v)
		for j := range k.N {
			k.Words[j*w+c.word] |= uint64(floatBits32(vals[liveRow(sel, j)])) << c.shift
		}
	case sqltype.PhysFloat64:
		w, vals := k.L.words, vector.Values[float64](v)
		for j := range k.N {
			k.Words[j*w+c.word] = floatBits64(vals[liveRow(sel, j)])
		}
	case sqltype.PhysInt128:
		put128(k, c, vector.Values[int128.Int](v), sel, func(x int128.Int) (uint64, uint64) { return x.Lo, uint64(x.Hi) })
	case sqltype.PhysString:
		w, at, vals := k.L.words, c.word, vector.Values[vector.View](v)
		if sel == nil {
			for j := range k.N {
				k.Words[j*w+at], k.Words[j*w+at+1] = vals[j].Words()
			}
			return
		}
		for j, r := range sel[:k.N] {
			k.Words[j*w+at], k.Words[j*w+at+1] = vals[r].Words()
		}
	}
}

func put128[T any](k *Keys, c *column, vals []T, sel []int32, words func(T) (uint64, uint64)) {
	w := k.L.words
	for j := range k.N {
		k.Words[j*w+c.word], k.Words[j*w+c.word+1] = words(vals[liveRow(sel, j)])
	}
}

func put[T uint8 | uint16 | uint32 | uint64](k *Keys, c *column, vals []T, sel []int32) {
	w, shift := k.L.words, c.shift
	dst := k.Words[c.word:]
	switch {
	case sel == nil && w == 1:
		vals = vals[:k.N]
		for j, x := range vals {
			dst[j] |= uint64(x) << (shift & 63)
		}
	case sel == nil:
		for j, x := range vals[:k.N] {
			dst[j*w] |= uint64(x) << (shift & 63)
		}
	default:
		for j, r := range sel[:k.N] {
			dst[j*w] |= uint64(vals[r]) << (shift & 63)
		}
	}
}

// floatBits64 are x's bits with one NaN and one zero.
func floatBits64(x float64) uint64 {
	if x != x {
		return 0x7ff8000000000000
	}
	return math.Float64bits(x + 0) // -0 + 0 is +0
}

func floatBits32(x float32) uint32 {
	if x != x {
		return 0x7fc00000
	}
	return math.Float32bits(x + 0)
}

// hashString hashes the string (or NULL) whose view is the two words.
func hashString(w0, w1 uint64, bufs [][]byte) uint64 {
	v := *(*vector.View)(unsafe.Pointer(&[2]uint64{w0, w1}))
	if v.IsInline() || w0 == nullView0 {
		return hashInline(w0, w1)
	}
	return HashBytes(v.Bytes(bufs))
}

// fillHashes computes hashes from Words, with the cached hashes of dictionary entries.
func (k *Keys) fillHashes(cols []*vector.Vector, sel []int32) {
	l := k.L
	if l.words == 0 || k.N == 0 {
		clear(k.hashes)
		return
	}
	if l.exact {
		hashes := k.hashes
		words := k.Words[:len(hashes)]
		for j, x := range words {
			hashes[j] = Mix(x)
		}
		for j, null := range k.null {
			if null {
				k.hashes[j] = nullHash
			}
		}
		return
	}
	if !l.Leads() {
		if l.words == 2 && !l.strings {
			k.hashPairs()
			return
		}
		k.hashUnits(0, len(l.units), cols, sel)
		return
	}
	k.hashUnits(0, l.lead, cols, sel)
	k.noteLead()
	k.hashUnits(l.lead, len(l.units), cols, sel)
	const low = 1<<(64-leadBits) - 1
	h := k.hashes[:len(k.leading)]
	for j, x := range k.leading {
		h[j] = h[j]&low | x&^low
	}
}

// hashPairs is hashUnits for keys of two words without strings.
func (k *Keys) hashPairs() {
	words := k.Words[:2*len(k.hashes)]
	for j := range k.hashes {
		x := words[2*j : 2*j+2]
		k.hashes[j] = combine(Mix(x[0]), Mix(x[1]))
	}
}

// hashUnits brings units [from, to) of the layout into the hashes, which are those of the units before.
func (k *Keys) hashUnits(from, to int, cols []*vector.Vector, sel []int32) {
	for i := from; i < to; i++ {
		if i == 0 {
			k.hashUnit(k.L.units[i], cols, sel, k.hashes)
			continue
		}
		if cap(k.scratch) < k.N {
			k.scratch = make([]uint64, k.N)
		}
		dst := k.scratch[:k.N]
		k.hashUnit(k.L.units[i], cols, sel, dst)
		h := k.hashes[:len(dst)]
		for j, x := range dst {
			h[j] = combine(h[j], x)
		}
	}
}

// noteLead sets leading to the hashes of the leading columns, those of whose own units hashes are.
func (k *Keys) noteLead() {
	if k.L.lead > 0 {
		k.leading = append(k.leading[:0], k.hashes...)
	} else {
		k.leading = slices.Grow(k.leading[:0], k.N)[:k.N]
		clear(k.leading)
	}
	w := k.L.words
	for _, m := range k.L.mixed {
		words := k.Words[m.word:]
		for j := range k.leading {
			k.leading[j] = combine(k.leading[j], Mix(words[j*w]&m.mask))
		}
	}
}

func (k *Keys) hashUnit(u unit, cols []*vector.Vector, sel []int32, dst []uint64) {
	w := k.L.words
	if u.col < 0 && w == 2 {
		words := k.Words[u.word:]
		for j := range dst {
			dst[j] = Mix(words[2*j])
		}
		return
	}
	if u.col < 0 {
		for j := range dst {
			dst[j] = Mix(k.Words[j*w+u.word])
		}
		return
	}
	if cols != nil && cols[u.col].Form == vector.Dictionary && cols[u.col].Valid == nil && k.dicts[u.col].dict == cols[u.col].Dict {
		h, codes := k.dicts[u.col].hash, cols[u.col].Codes
		for j := range dst {
			dst[j] = h[codes[liveRow(sel, j)]]
		}
		return
	}
	bufs := k.bufs[u.col]
	for j := range dst {
		w0, w1 := k.Words[j*w+u.word], k.Words[j*w+u.word+1]
		if uint32(w0) <= vector.MaxInline {
			dst[j] = hashInline(w0, w1)
		} else {
			dst[j] = hashString(w0, w1, bufs)
		}
	}
}

// IsNull reports whether key j is a NULL kept aside.
func (k *Keys) IsNull(j int) bool { return k.null != nil && k.null[j] }

// equal compares key j with a stored key of the layout, whose strings lie in bufs.
func (k *Keys) equal(j int, stored []uint64, bufs [][]byte) bool {
	w := k.L.words
	key := k.Words[j*w : j*w+w]
	if !k.L.strings {
		for i, x := range key {
			if stored[i] != x {
				return false
			}
		}
		return true
	}
	for _, u := range k.L.units {
		if key[u.word] != stored[u.word] {
			return false
		}
		if u.col < 0 {
			continue
		}
		if uint32(key[u.word]) <= vector.MaxInline || key[u.word] == nullView0 {
			if key[u.word+1] != stored[u.word+1] {
				return false
			}
		} else if !equalLong(key[u.word:], k.bufs[u.col], stored[u.word:], bufs) {
			return false
		}
	}
	return true
}

func equalLong(x []uint64, xb [][]byte, y []uint64, yb [][]byte) bool {
	vx, vy := (*vector.View)(unsafe.Pointer(&x[0])), (*vector.View)(unsafe.Pointer(&y[0]))
	return string(vx.Bytes(xb)) == string(vy.Bytes(yb))
}

// intern copies key j to dst, its long strings into the arena.
func (k *Keys) intern(j int, dst []uint64, w *ArenaWriter) {
	n := k.L.words
	copy(dst, k.Words[j*n:j*n+n])
	if !k.L.strings || w == nil || k.arena == w.arena {
		return
	}
	for _, u := range k.L.units {
		if u.col >= 0 {
			w.adopt(dst[u.word:u.word+2], k.bufs[u.col])
		}
	}
}
