package hashtable

import (
	"slices"
	"unsafe"

	"github.com/basaltdb/basalt/internal/hugepage"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/vector"
)

// Rows is a growing list of keys. Long strings lie in the list's Arena.
type Rows struct {
	L     *Layout
	Words []uint64
	Hash  []uint64 // of keys with strings; else the hash follows from the words
	N     int
	Null  []int32 // ascending positions of NULLs kept aside
	arena *Arena
	w     *ArenaWriter
}

// NewRows makes an empty list; w may be nil when the layout has no strings.
func NewRows(l *Layout, w *ArenaWriter) *Rows {
	r := &Rows{L: l}
	r.setWriter(w)
	return r
}

func (r *Rows) setWriter(w *ArenaWriter) {
	r.w, r.arena = w, nil
	if w != nil {
		r.arena = w.arena
	}
}

// Reserve makes room for n keys in all.
func (r *Rows) Reserve(n int) {
	r.Words = withRoom(r.Words, n*r.L.words)
	if r.L.keepHash {
		r.Hash = withRoom(r.Hash, n)
	}
}

// room makes room for n keys more, and for many where it has to move.
func (r *Rows) room(n int) {
	if need := len(r.Words) + n*r.L.words; need > cap(r.Words) {
		r.Words = withRoom(r.Words, max(need, 2*cap(r.Words)))
	}
	if need := len(r.Hash) + n; r.L.keepHash && need > cap(r.Hash) {
		r.Hash = withRoom(r.Hash, max(need, 2*cap(r.Hash)))
	}
}

// withRoom is s with a capacity of n at least.
func withRoom(s []uint64, n int) []uint64 {
	if n <= cap(s) {
		return s
	}
	return append(hugepage.Make[uint64](0, n), s...)
}

// Append adds key j of k.
func (r *Rows) Append(k *Keys, j int) {
	w := r.L.words
	switch w {
	case 1:
		r.Words = append(r.Words, k.Words[j])
	case 2:
		at := len(r.Words)
		r.Words = append(r.Words, k.Words[2*j], k.Words[2*j+1])
		if r.L.strings && k.arena != r.arena {
			k.intern(j, r.Words[at:], r.w)
		}
	default:
		at := len(r.Words)
		r.Words = append(r.Words, k.Words[j*w:j*w+w]...)
		if r.L.strings && k.arena != r.arena {
			k.intern(j, r.Words[at:], r.w)
		}
	}
	if r.L.keepHash {
		r.Hash = append(r.Hash, k.Hash()[j])
	} else if k.IsNull(j) {
		r.Null = append(r.Null, int32(r.N))
	}
	r.N++
}

// AppendAt adds the keys of k at the positions js.
func (r *Rows) AppendAt(k *Keys, js []int32) {
	w := r.L.words
	if w == 0 || w > 2 || k.null != nil {
		for _, j := range js {
			r.Append(k, int(j))
		}
		return
	}
	at, n := len(r.Words), len(js)
	r.Words = slices.Grow(r.Words, n*w)[:at+n*w]
	dst := r.Words[at:]
	if w == 1 {
		for i, j := range js {
			dst[i] = k.Words[j]
		}
	} else {
		for i, j := range js {
			dst[2*i], dst[2*i+1] = k.Words[2*j], k.Words[2*j+1]
		}
	}
	if r.L.keepHash {
		hashes := k.Hash()
		at := len(r.Hash)
		r.Hash = slices.Grow(r.Hash, n)[:at+n]
		for i, j := range js {
			r.Hash[at+i] = hashes[j]
		}
		if k.arena != r.arena {
			bufs := k.bufs[r.L.units[0].col]
			for i := range js {
				r.w.adopt(dst[2*i:2*i+2], bufs)
			}
		}
	}
	r.N += n
}

// AppendAll adds all keys of k.
func (r *Rows) AppendAll(k *Keys) {
	at := len(r.Words)
	r.Words = append(r.Words, k.Words[:k.N*r.L.words]...)
	if r.L.strings && k.arena != r.arena {
		w := r.L.words
		for j := range k.N {
			k.intern(j, r.Words[at+j*w:at+j*w+w], r.w)
		}
	}
	if r.L.keepHash {
		r.Hash = append(r.Hash, k.Hash()...)
	}
	for j, null := range k.null {
		if null {
			r.Null = append(r.Null, int32(r.N+j))
		}
	}
	r.N += k.N
}

// AppendList adds all keys of from, a list on the same arena.
func (r *Rows) AppendList(from *Rows) {
	r.Words, r.Hash = append(r.Words, from.Words...), append(r.Hash, from.Hash...)
	for _, x := range from.Null {
		r.Null = append(r.Null, int32(r.N)+x)
	}
	r.N += from.N
}

// AppendRows adds the keys of from, a list on the same arena, at the given positions.
func (r *Rows) AppendRows(from *Rows, at []uint32) {
	w := r.L.words
	switch w {
	case 0:
	case 1:
		for _, i := range at {
			r.Words = append(r.Words, from.Words[i])
		}
	case 2:
		for _, i := range at {
			r.Words = append(r.Words, from.Words[2*i], from.Words[2*i+1])
		}
	default:
		for _, i := range at {
			r.Words = append(r.Words, from.key(int(i))...)
		}
	}
	if r.L.keepHash {
		for _, i := range at {
			r.Hash = append(r.Hash, from.Hash[i])
		}
	}
	for _, x := range from.Null {
		for j, i := range at {
			if i == uint32(x) {
				r.Null = append(r.Null, int32(r.N+j))
			}
		}
	}
	r.N += len(at)
}

// SharesArena reports whether the strings of both lists lie in one arena.
func (r *Rows) SharesArena(o *Rows) bool { return r.arena == o.arena }

// Reset empties the list and keeps its memory.
func (r *Rows) Reset() {
	r.Words, r.Hash, r.Null, r.N = r.Words[:0], r.Hash[:0], r.Null[:0], 0
}

// Bytes is the memory held, without the arena.
func (r *Rows) Bytes() int64 { return int64(cap(r.Words)*8 + cap(r.Hash)*8 + cap(r.Null)*4) }

// bufs are what the views of the list refer to.
func (r *Rows) bufs() [][]byte {
	if r.arena == nil {
		return nil
	}
	return r.arena.Bufs()
}

// key is key i's words.
func (r *Rows) key(i int) []uint64 {
	w := r.L.words
	return r.Words[i*w : i*w+w]
}

// Load makes k the keys [lo, hi) of r, sharing its memory.
func (k *Keys) Load(r *Rows, lo, hi int) {
	w := r.L.words
	k.cols, k.sel = nil, nil
	k.L, k.N, k.null = r.L, hi-lo, nil
	k.Words = r.Words[lo*w : hi*w]
	if k.hashed = r.L.keepHash; k.hashed {
		k.hashes = append(k.hashes[:0], r.Hash[lo:hi]...)
	}
	k.loadStrings(r)
	for _, x := range r.nulls(lo, hi) {
		k.setAside(int(x) - lo)
	}
}

// LoadAt makes k the keys of r at the given positions.
func (k *Keys) LoadAt(r *Rows, at []uint32) {
	w, n := r.L.words, len(at)
	k.cols, k.sel = nil, nil
	k.L, k.N, k.null = r.L, n, nil
	if cap(k.words) < n*w {
		k.words = make([]uint64, n*w)
	}
	k.Words = k.words[:n*w]
	switch w {
	case 0:
	case 1:
		for j, i := range at {
			k.Words[j] = r.Words[i]
		}
	case 2:
		for j, i := range at {
			k.Words[2*j], k.Words[2*j+1] = r.Words[2*i], r.Words[2*i+1]
		}
	default:
		for j, i := range at {
			copy(k.Words[j*w:j*w+w], r.Words[int(i)*w:])
		}
	}
	if k.hashed = r.L.keepHash; k.hashed {
		k.hashes = k.hashes[:0]
		for _, i := range at {
			k.hashes = append(k.hashes, r.Hash[i])
		}
	}
	k.loadStrings(r)
	for _, x := range r.Null {
		for j, i := range at {
			if i == uint32(x) {
				k.setAside(j)
			}
		}
	}
}

func (k *Keys) setAside(j int) {
	if k.null == nil {
		if cap(k.nullMem) < k.N {
			k.nullMem = make([]bool, k.N)
		}
		k.null = k.nullMem[:k.N]
		clear(k.null)
	}
	k.null[j] = true
}

func (k *Keys) loadStrings(r *Rows) {
	k.arena = r.arena
	if !r.L.strings {
		return
	}
	if k.bufs == nil {
		k.bufs = make([][][]byte, len(r.L.cols))
	}
	bufs := r.bufs()
	for i := range k.bufs {
		k.bufs[i] = bufs
	}
}

// Decode writes column col of keys [lo, lo+out.Len) to out, a flat vector of the column's
// type that the caller has Reset. String bytes are shared with the arena.
func (r *Rows) Decode(col, lo int, out *vector.Vector) {
	c, w, n := &r.L.cols[col], r.L.words, out.Len
	if c.bits == 0 {
		out.SetAllNull(n)
		return
	}
	src := r.Words[lo*w:]
	switch c.bits {
	case 8:
		take(c, w, src, vector.Values[uint8](out))
	case 16:
		take(c, w, src, vector.Values[uint16](out))
	case 32:
		take(c, w, src, vector.Values[uint32](out))
	case 64:
		take(c, w, src, vector.Values[uint64](out))
	default:
		if c.isString() {
			out.Bufs = r.bufs()
			takeStrings(c, w, src, out)
			return
		}
		dst := vector.Values[int128.Int](out)
		for j := range dst {
			x := src[j*w+c.word:]
			dst[j] = int128.Int{Lo: x[0], Hi: int64(x[1])}
		}
	}
	if c.nullWord >= 0 {
		for j := range n {
			if src[j*w+c.nullWord]>>c.nullShift&1 != 0 {
				out.SetNull(j)
			}
		}
	}
	for _, x := range r.nulls(lo, lo+n) {
		out.SetNull(int(x) - lo)
	}
}

// nulls are the positions in [lo, hi) of NULLs kept aside.
func (r *Rows) nulls(lo, hi int) []int32 {
	if len(r.Null) == 0 {
		return nil
	}
	from, _ := slices.BinarySearch(r.Null, int32(lo))
	to, _ := slices.BinarySearch(r.Null, int32(hi))
	return r.Null[from:to]
}

func take[T uint8 | uint16 | uint32 | uint64](c *column, w int, src []uint64, dst []T) {
	for j := range dst {
		dst[j] = T(src[j*w+c.word] >> (c.shift & 63))
	}
}

func takeStrings(c *column, w int, src []uint64, out *vector.Vector) {
	dst := vector.Values[vector.View](out)
	for j := range dst {
		x := src[j*w+c.word:]
		if x[0] == nullView0 {
			out.SetNull(j)
			dst[j] = vector.View{}
			continue
		}
		dst[j] = *(*vector.View)(unsafe.Pointer(&x[0]))
	}
}
