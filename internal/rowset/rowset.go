// Package rowset holds sets of the rows of a file: those that are deleted, though the file still has them.
package rowset

import (
	"bytes"
	"errors"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Set is an immutable set of row numbers, which count from 0 through the whole file. A nil Set is empty.
// Safe for concurrent use.
type Set struct {
	rows  *roaring.Bitmap
	count int64
}

// MaxRow is the largest row number that a Set can hold.
const MaxRow = math.MaxUint32

func of(rows *roaring.Bitmap) *Set {
	if rows == nil || rows.IsEmpty() {
		return nil
	}
	return &Set{rows, int64(rows.GetCardinality())}
}

// Of is the set of rows, in any order.
func Of(rows ...uint32) *Set { return of(roaring.BitmapOf(rows...)) }

// Range is the set of rows [0, n).
func Range(n int64) *Set {
	b := roaring.New()
	b.AddRange(0, uint64(n))
	return of(b)
}

// Len is the number of rows in s.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	return s.count
}

// Has reports whether row is in s.
func (s *Set) Has(row int64) bool { return s != nil && s.rows.Contains(uint32(row)) }

// Union is what is in s or o.
func (s *Set) Union(o *Set) *Set {
	switch {
	case s == nil:
		return o
	case o == nil:
		return s
	}
	return of(roaring.Or(s.rows, o.rows))
}

// Minus is what is in s and not in o.
func (s *Set) Minus(o *Set) *Set {
	if s == nil || o == nil {
		return s
	}
	return of(roaring.AndNot(s.rows, o.rows))
}

// Equal reports whether both hold the same rows.
func (s *Set) Equal(o *Set) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.rows.Equals(o.rows)
}

// Each calls f with the rows in ascending order until it returns false.
func (s *Set) Each(f func(row int64) bool) {
	if s != nil {
		s.rows.Iterate(func(x uint32) bool { return f(int64(x)) })
	}
}

// Others appends to dst the rows of [lo, lo+n) that are not in s, as distances from lo. all is true, and dst
// as it was, when none of them is in s.
func (s *Set) Others(dst []int32, lo int64, n int) (rest []int32, all bool) {
	if s == nil {
		return dst, true
	}
	it := s.rows.Iterator()
	it.AdvanceIfNeeded(uint32(lo))
	next := func() int {
		if !it.HasNext() {
			return n
		}
		return int(min(int64(it.PeekNext())-lo, int64(n)))
	}
	gone := next()
	if gone == n {
		return dst, true
	}
	dst = slices.Grow(dst, n)
	for i := 0; i < n; {
		for ; i < gone; i++ {
			dst = append(dst, int32(i))
		}
		for i < n && i == gone {
			i++
			it.Next()
			gone = next()
		}
	}
	return dst, false
}

// MarshalBinary implements encoding.BinaryMarshaler: roaring's portable form. Runs are made first.
func (s *Set) MarshalBinary() ([]byte, error) {
	if s == nil {
		return roaring.New().MarshalBinary()
	}
	b := s.rows.Clone()
	b.RunOptimize()
	return b.MarshalBinary()
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. s must be new. The bytes are checked whole: operations take for granted that
// containers are in order and not empty.
func (s *Set) UnmarshalBinary(data []byte) error {
	b := roaring.New()
	n, err := b.ReadFrom(bytes.NewReader(data))
	if err == nil && n != int64(len(data)) {
		err = errors.New("more bytes than the set has")
	}
	if err == nil && !b.IsEmpty() {
		err = b.Validate()
	}
	if err != nil {
		return sqlerr.Wrap(sqlerr.CorruptFile, err, "a set of deleted rows")
	}
	*s = Set{b, int64(b.GetCardinality())}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (s *Set) MarshalJSON() ([]byte, error) {
	data, err := s.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return appendQuoted(data), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Set) UnmarshalJSON(text []byte) error {
	data, err := unquoted(text)
	if err != nil {
		return err
	}
	return s.UnmarshalBinary(data)
}

// Builder collects rows in any order. The zero Builder is empty.
type Builder struct{ rows *roaring.Bitmap }

// Add adds a row.
func (b *Builder) Add(row int64) {
	if b.rows == nil {
		b.rows = roaring.New()
	}
	b.rows.Add(uint32(row))
}

// Set is what was added. The Builder must not be used any more.
func (b *Builder) Set() *Set { return of(b.rows) }
