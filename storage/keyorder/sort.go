package keyorder

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Sort orders the n rows of flat columns by the columns keys, NULL first or, where they are descending,
// last, equal rows in their order; nil when they are in order already.
//
// Keys are taken eight bytes at a time: a radix sort by one word, then each run of equal
// words by the next word of the column, or by the next column.
func Sort(cols []*vector.Vector, n int, keys []Key) []int32 {
	s := &rowSort{}
	for _, k := range keys {
		s.keys = append(s.keys, newSortKey(cols[k.Column], n, k.Descending))
	}
	if s.inOrder(n) {
		return nil
	}
	s.items, s.spare = make([]sortItem, n), make([]sortItem, n)
	for i := range s.items {
		s.items[i].row = int32(i)
	}
	s.sort(0, n, 0, 0)
	perm := make([]int32, n)
	for i := range s.items {
		perm[i] = s.items[i].row
	}
	return perm
}

// sortItem is a row with the word that it is being sorted by.
type sortItem struct {
	word uint64
	row  int32
}

type rowSort struct {
	keys         []sortKey
	items, spare []sortItem
}

// sortKey is one key column.
type sortKey struct {
	v     *vector.Vector
	words int // words of a value: strings have one for each eight bytes and one for the length
	desc  bool
}

func newSortKey(v *vector.Vector, n int, desc bool) sortKey {
	k := sortKey{v: v, words: 1, desc: desc}
	switch v.Type.Physical() {
	case sqltype.PhysInt128:
		k.words = 2
	case sqltype.PhysString:
		longest := 0
		for _, s := range vector.Values[vector.View](v)[:n] {
			longest = max(longest, s.Len())
		}
		k.words = (longest+7)/8 + 1
	}
	return k
}

// smallSort is where comparing rows beats radix passes.
const smallSort = 48

// sort orders items [lo, hi), which are equal before the given word of the given key.
func (s *rowSort) sort(lo, hi, key, word int) {
	for hi-lo > 1 && key < len(s.keys) {
		if hi-lo <= smallSort {
			slices.SortStableFunc(s.items[lo:hi], func(a, b sortItem) int { return s.compare(a.row, b.row, key) })
			return
		}
		k := &s.keys[key]
		if word == 0 && k.v.Valid != nil {
			nulls := s.nullsApart(lo, hi, k)
			if k.desc {
				s.sort(hi-nulls, hi, key+1, 0)
				hi -= nulls
			} else {
				s.sort(lo, lo+nulls, key+1, 0)
				lo += nulls
			}
		}
		k.fill(s.items[lo:hi], word)
		next, nextWord := key, word+1
		if nextWord == k.words {
			next, nextWord = key+1, 0
		}
		if !s.radix(lo, hi) { // all words are equal
			key, word = next, nextWord
			continue
		}
		for at := lo; at < hi; {
			end := at + 1
			for end < hi && s.items[end].word == s.items[at].word {
				end++
			}
			s.sort(at, end, next, nextWord)
			at = end
		}
		return
	}
}

// nullsApart moves the items that are null to the front, or the end where the key descends, and returns their
// number.
func (s *rowSort) nullsApart(lo, hi int, k *sortKey) int {
	rest := s.spare[:0]
	at := lo
	for _, it := range s.items[lo:hi] {
		if k.v.Valid.Get(int(it.row)) != k.desc {
			rest = append(rest, it)
		} else {
			s.items[at] = it
			at++
		}
	}
	copy(s.items[at:hi], rest)
	if k.desc {
		return len(rest)
	}
	return at - lo
}

// radix sorts items [lo, hi) by word, keeping the order of equal ones; false when all are equal.
func (s *rowSort) radix(lo, hi int) bool {
	items := s.items[lo:hi]
	var counts [8][256]int32
	first, differ := uint64(0), uint64(0)
	if len(items) > 0 {
		first = items[0].word
	}
	for i := range items {
		differ |= items[i].word ^ first
	}
	if differ == 0 {
		return false
	}
	for d := range counts {
		if differ>>(8*d)&0xff != 0 {
			c, shift := &counts[d], 8*d
			for i := range items {
				c[byte(items[i].word>>shift)]++
			}
		}
	}
	from, to := items, s.spare[:len(items)]
	for d := range counts {
		if differ>>(8*d)&0xff == 0 {
			continue
		}
		c, shift := &counts[d], 8*d
		at := int32(0)
		for b, n := range c {
			c[b] = at
			at += n
		}
		for _, it := range from {
			b := byte(it.word >> shift)
			to[c[b]] = it
			c[b]++
		}
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
	return true
}

// fill sets the words of items.
func (k *sortKey) fill(items []sortItem, word int) {
	const sign = 1 << 63
	switch k.v.Type.Physical() {
	case sqltype.PhysBool:
		fillWords(items, k.v, func(x uint8) uint64 { return uint64(x) })
	case sqltype.PhysInt8:
		fillWords(items, k.v, func(x int8) uint64 { return uint64(x) ^ sign })
	case sqltype.PhysInt16:
		fillWords(items, k.v, func(x int16) uint64 { return uint64(x) ^ sign })
	case sqltype.PhysInt32:
		fillWords(items, k.v, func(x int32) uint64 { return uint64(x) ^ sign })
	case sqltype.PhysInt64:
		fillWords(items, k.v, func(x int64) uint64 { return uint64(x) ^ sign })
	case sqltype.PhysInt128:
		fillWords(items, k.v, func(x int128.Int) uint64 {
			if word == 0 {
				return uint64(x.Hi) ^ sign
			}
			return x.Lo
		})
	case sqltype.PhysFloat32:
		fillWords(items, k.v, func(x float32) uint64 { return orderedFloat(float64(x)) })
	case sqltype.PhysFloat64:
		fillWords(items, k.v, orderedFloat)
	case sqltype.PhysString:
		vals := vector.Values[vector.View](k.v)
		for i := range items {
			s := &vals[items[i].row]
			if word == k.words-1 {
				items[i].word = uint64(s.Len())
			} else {
				items[i].word = stringWord(s.Bytes(k.v.Bufs), 8*word)
			}
		}
	default:
		panic(invariant.Failed("sort by %s", k.v.Type))
	}
	if k.desc {
		for i := range items {
			items[i].word = ^items[i].word
		}
	}
}

func fillWords[T vector.Fixed](items []sortItem, v *vector.Vector, f func(x T) uint64) {
	vals := vector.Values[T](v)
	for i := range items {
		items[i].word = f(vals[items[i].row])
	}
}

// orderedFloat are bits that order as vector.CompareFloat does.
func orderedFloat(x float64) uint64 {
	switch {
	case x != x:
		return math.MaxUint64
	case x == 0:
		return 1 << 63
	}
	b := math.Float64bits(x)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// stringWord is b[at:at+8], zero padded, as a number that orders as the bytes do.
func stringWord(b []byte, at int) uint64 {
	if len(b) >= at+8 {
		return binary.BigEndian.Uint64(b[at:])
	}
	var x uint64
	for i := at; i < len(b); i++ {
		x |= uint64(b[i]) << (56 - 8*(i-at))
	}
	return x
}

// inOrder reports whether the rows are sorted already.
func (s *rowSort) inOrder(n int) bool {
	for i := 1; i < n; i++ {
		if s.compare(int32(i-1), int32(i), 0) > 0 {
			return false
		}
	}
	return true
}

// compare orders two rows by the keys from key on.
func (s *rowSort) compare(a, b int32, key int) int {
	for ; key < len(s.keys); key++ {
		v, less := s.keys[key].v, -1
		if s.keys[key].desc {
			less = 1
		}
		if v.Valid != nil {
			an, bn := !v.Valid.Get(int(a)), !v.Valid.Get(int(b))
			switch {
			case an && bn:
				continue
			case an:
				return less
			case bn:
				return -less
			}
		}
		if c := compareAt(v, a, b); c != 0 {
			return -c * less
		}
	}
	return 0
}

// compareAt orders two non-null values.
func compareAt(v *vector.Vector, a, b int32) int {
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		return compareInts[uint8](v, a, b)
	case sqltype.PhysInt8:
		return compareInts[int8](v, a, b)
	case sqltype.PhysInt16:
		return compareInts[int16](v, a, b)
	case sqltype.PhysInt32:
		return compareInts[int32](v, a, b)
	case sqltype.PhysInt64:
		return compareInts[int64](v, a, b)
	case sqltype.PhysInt128:
		vals := vector.Values[int128.Int](v)
		return vals[a].Cmp(vals[b])
	case sqltype.PhysFloat32:
		vals := vector.Values[float32](v)
		return vector.CompareFloat(vals[a], vals[b])
	case sqltype.PhysFloat64:
		vals := vector.Values[float64](v)
		return vector.CompareFloat(vals[a], vals[b])
	case sqltype.PhysString:
		vals := vector.Values[vector.View](v)
		return bytes.Compare(vals[a].Bytes(v.Bufs), vals[b].Bytes(v.Bufs))
	}
	panic(invariant.Failed("sort by %s", v.Type))
}

func compareInts[T uint8 | int8 | int16 | int32 | int64](v *vector.Vector, a, b int32) int {
	vals := vector.Values[T](v)
	x, y := vals[a], vals[b]
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
