package sorting

import (
	"bytes"
	"cmp"
	"slices"
)

// Run is the sorted rows of one driver.
type Run struct {
	Keys *Keys
	// Order lists the rows of Keys in order.
	Order []Entry
	base  int // Order's words are the keys' bytes [base, base+8)
	first int // the first byte that all keys share, or -1
}

// Entry is a row and eight bytes of its key.
type Entry struct {
	word uint64
	Row  uint32
}

// smallSort is the number of entries up to which comparing beats counting bytes.
const smallSort = 192

// NewRun sorts all keys. keys must not change afterwards.
func NewRun(keys *Keys) *Run {
	r := &Run{Keys: keys, Order: make([]Entry, keys.n), first: -1}
	if keys.n == 0 {
		return r
	}
	// The first byte says NULL or not, mostly the same for all rows: then words start behind it,
	// and a 64-bit key is one word.
	r.first = int(keys.At(0)[0])
	for i := range keys.n {
		if lo, _ := keys.span(i); int(keys.data[lo]) != r.first {
			r.first = -1
			break
		}
	}
	if r.first >= 0 {
		r.base = 1
	}
	s := sorter{keys: keys}
	for i := range r.Order {
		r.Order[i] = Entry{keys.word(i, r.base), uint32(i)}
	}
	s.sort(r.Order, r.base)
	return r
}

// Bytes is the memory of Order.
func (r *Run) Bytes() int64 { return int64(16 * cap(r.Order)) }

// rebase makes the words of Order those at base.
func (r *Run) rebase(base int) {
	if r.base == base {
		return
	}
	r.base = base
	for i := range r.Order {
		e := &r.Order[i]
		e.word = r.Keys.word(int(e.Row), base)
	}
}

// sorter sorts entries word by word: by counting bytes where there are many, and then,
// group by group of equal words, by the next word of their keys.
type sorter struct {
	keys    *Keys
	scratch []Entry
}

// sort orders entries whose words are those at off and whose keys are equal before it.
func (s *sorter) sort(e []Entry, off int) {
	if len(e) < smallSort {
		s.compareSort(e, off)
		return
	}
	s.radix(e, 8)
	longest := s.keys.width
	for lo := 0; lo < len(e); {
		hi := lo + 1
		for hi < len(e) && e[hi].word == e[lo].word {
			hi++
		}
		if hi-lo > 1 && (longest == 0 || off+8 < longest) {
			s.sortGroup(e[lo:hi], off)
		}
		lo = hi
	}
}

// sortGroup orders entries of equal words by what follows, and leaves their words.
func (s *sorter) sortGroup(e []Entry, off int) {
	word := e[0].word
	more := false
	for i := range e {
		lo, hi := s.keys.span(int(e[i].Row))
		more = more || hi-lo > off+8
		e[i].word = s.keys.word(int(e[i].Row), off+8)
	}
	if more { // else the keys are equal
		s.sort(e, off+8)
	}
	for i := range e {
		e[i].word = word
	}
}

func (s *sorter) compareSort(e []Entry, off int) {
	if s.keys.width > 0 && off+8 >= s.keys.width {
		slices.SortFunc(e, func(a, b Entry) int { return cmp.Compare(a.word, b.word) })
		return
	}
	slices.SortFunc(e, func(a, b Entry) int {
		if a.word != b.word {
			return cmp.Compare(a.word, b.word)
		}
		return bytes.Compare(s.rest(a, off), s.rest(b, off))
	})
}

// rest is an entry's key behind the word at off.
func (s *sorter) rest(e Entry, off int) []byte {
	k := s.keys.At(int(e.Row))
	return k[min(off+8, len(k)):]
}

// words orders by words alone, of which all but the lowest bytes are zero.
func (s *sorter) words(e []Entry, bytes int) {
	if len(e) < smallSort {
		slices.SortStableFunc(e, func(a, b Entry) int { return cmp.Compare(a.word, b.word) })
		return
	}
	s.radix(e, bytes)
}

// radix orders by the lowest bytes of the words, least significant byte first; bytes that are the same everywhere
// cost nothing.
func (s *sorter) radix(e []Entry, bytes int) {
	var all [8][256]uint32
	counts := all[:bytes]
	for i := range e {
		w := e[i].word
		for b := range counts {
			counts[b][byte(w>>(8*b))]++
		}
	}
	if len(s.scratch) < len(e) {
		s.scratch = make([]Entry, len(e))
	}
	from, to := e, s.scratch[:len(e)]
	for b := range counts {
		c := &counts[b]
		shift := 8 * b
		if int(c[byte(from[0].word>>shift)]) == len(from) {
			continue
		}
		sum := uint32(0)
		for i, n := range c {
			c[i] = sum
			sum += n
		}
		for _, x := range from {
			d := byte(x.word >> shift)
			to[c[d]] = x
			c[d]++
		}
		from, to = to, from
	}
	if &from[0] != &e[0] {
		copy(e, from)
	}
}
