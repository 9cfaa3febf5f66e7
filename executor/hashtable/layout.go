// Package hashtable holds the tables of the hash operators: groups of an aggregation,
// rows of a join's build side, Bloom filters.
//
// Keys of any types become rows of 64-bit words (Layout, Keys): narrow columns are packed
// together with their null bits, strings are their 16-byte views. Equal keys have equal
// words, but for strings longer than a view holds, whose bytes are compared. A key
// that fits one word is hashed by a bijection, so that its hash stands for it. Tables work
// on a batch in windows of rows: compute slots, touch them, then compare; the independent
// touches hide the latency of memory. Their arrays hold no pointers.
package hashtable

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// column places one key column in the words of a key.
type column struct {
	typ  sqltype.Type
	phys sqltype.Physical
	word int  // first word
	bits uint // 0 (NULL type), 8, 16, 32, 64 or 128
	// shift is the position in the word of a column narrower than it.
	shift uint
	// nullWord and nullShift locate the bit that is 1 for NULL; nullWord is -1 where there is none.
	// The NULL of a string column is a view of impossible length instead.
	nullWord  int
	nullShift uint
}

func (c *column) isString() bool { return c.phys == sqltype.PhysString }

// Words of a NULL string.
const (
	nullView0 = ^uint64(0)
	nullView1 = 0
)

// Layout is how keys of certain column types are packed into words. Immutable.
type Layout struct {
	cols  []column
	words int
	// units are the parts that are hashed one by one: the first word of a string, or a
	// single word of packed columns.
	units []unit
	// leads: the upper bits of hashes are those of leading columns, see Lead. lead is how many of
	// units are of these alone, mixed the words that they share with others.
	leads bool
	lead  int
	mixed []mixedUnit
	// exact: the hash determines the key.
	exact bool
	// aside: the only column is 64 bits wide and nullable; NULL keys are marked beside the
	// words (Keys.null) instead of taking a second word.
	aside   bool
	strings bool
	// keepHash: lists of keys store hashes, because to compute them again is slow.
	keepHash bool
}

type unit struct {
	word int
	col  int // the string column, or -1
}

// mixedUnit is the part of a word that belongs to leading columns.
type mixedUnit struct {
	word int
	mask uint64
}

// NewLayout packs columns of the given types. nullable[i] says that NULLs of column i
// must be told apart from values; where it is false, callers keep NULL rows out.
// A nested value is its bytes.
func NewLayout(types []sqltype.Type, nullable []bool) (*Layout, error) {
	return newLayout(types, nullable, true)
}

// NewJoinLayout is NewLayout for a JoinTable, which knows no NULLs aside.
func NewJoinLayout(types []sqltype.Type, nullable []bool) (*Layout, error) {
	return newLayout(types, nullable, false)
}

func newLayout(types []sqltype.Type, nullable []bool, aside bool) (*Layout, error) {
	l := &Layout{cols: make([]column, len(types))}
	for i, t := range types {
		c := column{typ: t, phys: t.Physical(), nullWord: -1}
		switch c.phys {
		case sqltype.PhysNone:
		default:
			c.bits = uint(c.phys.Size() * 8)
		}
		l.cols[i] = c
	}
	l.aside = aside && len(l.cols) == 1 && l.cols[0].bits == 64 && nullable[0]
	for i := range l.cols {
		if c := &l.cols[i]; c.bits >= 64 {
			c.word = l.words
			l.words += int(c.bits / 64)
			l.strings = l.strings || c.isString()
		}
	}
	var free []uint // bits used of words that are shared by narrow columns
	first := l.words
	place := func(bits uint) (word int, shift uint) {
		for i, used := range free {
			at := (used + min(bits, 8) - 1) &^ (min(bits, 8) - 1)
			if at+bits <= 64 {
				free[i] = at + bits
				return first + i, at
			}
		}
		free = append(free, bits)
		l.words++
		return l.words - 1, 0
	}
	for _, width := range []uint{32, 16, 8} {
		for i := range l.cols {
			if c := &l.cols[i]; c.bits == width {
				c.word, c.shift = place(width)
			}
		}
	}
	for i := range l.cols {
		c := &l.cols[i]
		if nullable[i] && !l.aside && !c.isString() && c.bits != 0 {
			c.nullWord, c.nullShift = place(1)
		}
	}
	l.findUnits()
	return l, nil
}

func (l *Layout) findUnits() {
	inString := make([]bool, l.words)
	for i, c := range l.cols {
		if c.isString() {
			l.units = append(l.units, unit{c.word, i})
			inString[c.word], inString[c.word+1] = true, true
		}
	}
	for w, s := range inString {
		if !s {
			l.units = append(l.units, unit{w, -1})
		}
	}
	l.exact = l.words == 0 || l.words == 1 && !l.strings
	l.keepHash = l.strings
}

// leadBits are the bits of a hash that leading columns alone decide.
const leadBits = 6

// Lead is l with hashes whose leadBits highest bits depend on the given columns alone: keys that are
// equal in these lie in one radix partition of up to leadBits bits. No column, or all of them, give l.
func (l *Layout) Lead(columns []int) *Layout {
	leads := make([]bool, len(l.cols))
	for _, c := range columns {
		leads[c] = true
	}
	if !slices.Contains(leads, true) || !slices.Contains(leads, false) {
		return l
	}
	masks := make([]uint64, l.words)
	for i, c := range l.cols {
		if !leads[i] || c.bits == 0 {
			continue
		}
		switch {
		case c.bits >= 64:
			for w := range int(c.bits / 64) {
				masks[c.word+w] = ^uint64(0)
			}
		default:
			masks[c.word] |= (1<<c.bits - 1) << c.shift
		}
		if c.nullWord >= 0 {
			masks[c.nullWord] |= 1 << c.nullShift
		}
	}
	out := *l
	out.units, out.mixed, out.exact, out.leads = nil, nil, false, true
	var rest []unit
	for _, u := range l.units {
		switch masks[u.word] {
		case ^uint64(0):
			out.units = append(out.units, u)
			continue
		case 0:
		default:
			out.mixed = append(out.mixed, mixedUnit{u.word, masks[u.word]})
		}
		rest = append(rest, u)
	}
	out.lead = len(out.units)
	out.units = append(out.units, rest...)
	return &out
}

// Leads reports whether the upper bits of hashes are those of leading columns.
func (l *Layout) Leads() bool { return l.leads }

// Words is the number of words of a key.
func (l *Layout) Words() int { return l.words }

// Columns is the number of key columns.
func (l *Layout) Columns() int { return len(l.cols) }

// Type is the type of key column i.
func (l *Layout) Type(i int) sqltype.Type { return l.cols[i].typ }

// HasStrings reports whether keys may refer to bytes in an Arena.
func (l *Layout) HasStrings() bool { return l.strings }

// Exact reports whether equal hashes are equal keys.
func (l *Layout) Exact() bool { return l.exact }
