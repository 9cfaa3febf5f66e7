package expr

import "math/bits"

// ColumnSet is a set of column ids. The zero value is empty and ready; copies share
// memory, so only the maker of a set adds to it (Clone gives one of your own).
type ColumnSet struct{ words []uint64 }

// SetOf makes a set of ids.
func SetOf(ids ...ColumnID) ColumnSet {
	var s ColumnSet
	for _, id := range ids {
		s.Add(id)
	}
	return s
}

// SetOfColumns makes the set of the ids of cols.
func SetOfColumns(cols []Column) ColumnSet {
	var s ColumnSet
	for i := range cols {
		s.Add(cols[i].ID)
	}
	return s
}

// Add puts id into the set.
func (s *ColumnSet) Add(id ColumnID) {
	w := int(id) >> 6
	for len(s.words) <= w {
		s.words = append(s.words, 0)
	}
	s.words[w] |= 1 << (uint(id) & 63)
}

// AddAll puts every member of t into the set.
func (s *ColumnSet) AddAll(t ColumnSet) {
	for len(s.words) < len(t.words) {
		s.words = append(s.words, 0)
	}
	for i, w := range t.words {
		s.words[i] |= w
	}
}

// RemoveAll takes every member of t out of the set.
func (s *ColumnSet) RemoveAll(t ColumnSet) {
	for i := range min(len(s.words), len(t.words)) {
		s.words[i] &^= t.words[i]
	}
}

// Clone is a copy that shares no memory with s.
func (s ColumnSet) Clone() ColumnSet {
	return ColumnSet{words: append([]uint64(nil), s.words...)}
}

// Has reports whether id is a member.
func (s ColumnSet) Has(id ColumnID) bool {
	w := int(id) >> 6
	return w < len(s.words) && s.words[w]>>(uint(id)&63)&1 != 0
}

// Empty reports whether there are no members.
func (s ColumnSet) Empty() bool {
	for _, w := range s.words {
		if w != 0 {
			return false
		}
	}
	return true
}

// Len is the number of members.
func (s ColumnSet) Len() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// SubsetOf reports whether every member of s is one of t.
func (s ColumnSet) SubsetOf(t ColumnSet) bool {
	for i, w := range s.words {
		if i < len(t.words) {
			w &^= t.words[i]
		}
		if w != 0 {
			return false
		}
	}
	return true
}

// Intersects reports whether s and t have a member in common.
func (s ColumnSet) Intersects(t ColumnSet) bool {
	for i := range min(len(s.words), len(t.words)) {
		if s.words[i]&t.words[i] != 0 {
			return true
		}
	}
	return false
}

// Intersect is the set of common members, in memory of its own.
func (s ColumnSet) Intersect(t ColumnSet) ColumnSet {
	out := ColumnSet{words: make([]uint64, min(len(s.words), len(t.words)))}
	for i := range out.words {
		out.words[i] = s.words[i] & t.words[i]
	}
	return out
}

// IDs lists the members, ascending.
func (s ColumnSet) IDs() []ColumnID {
	var out []ColumnID
	for i, w := range s.words {
		for w != 0 {
			out = append(out, ColumnID(i<<6+bits.TrailingZeros64(w)))
			w &= w - 1
		}
	}
	return out
}
