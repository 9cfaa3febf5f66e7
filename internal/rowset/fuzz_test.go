package rowset

import (
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// FuzzSet reads hostile bytes as a set: an error, or a set that every operation takes and that reads back as it was written.
func FuzzSet(f *testing.F) {
	var b Builder
	for i := range int64(3000) {
		b.Add(i * i)
	}
	for _, s := range []*Set{nil, Of(0), Of(5, 70_000, MaxRow), Range(100_000), b.Set()} {
		data, err := s.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint32(3))
	}
	other := Of(0, 7, 65_536, 70_000, MaxRow)
	f.Fuzz(func(t *testing.T, data []byte, lo uint32) {
		var s Set
		if err := s.UnmarshalBinary(data); err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatalf("not an error for users: %v", err)
			}
			return
		}
		n, before := int64(0), int64(-1)
		s.Each(func(row int64) bool {
			if row <= before {
				t.Fatalf("row %d after %d", row, before)
			}
			before = row
			n++
			return n < 1<<20
		})
		if n != s.Len() && n < 1<<20 {
			t.Fatalf("%d rows, of %d", n, s.Len())
		}
		const some = 1000
		lo = min(lo, MaxRow-some)
		gone := 0
		for i := range uint32(some) {
			if s.Has(int64(lo + i)) {
				gone++
			}
		}
		if rest, all := s.Others(nil, int64(lo), some); all != (gone == 0) || !all && len(rest) != some-gone {
			t.Fatalf("%d of %d from %d are others, want %d", len(rest), some, lo, some-gone)
		}
		union := s.Union(other)
		if left := union.Minus(other); left.Len() != s.Minus(other).Len() || union.Len() != left.Len()+other.Len() {
			t.Fatalf("%d rows, of them %d not in the other set, but %d in both", s.Len(), left.Len(), union.Len())
		}
		again, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Set
		if err := back.UnmarshalBinary(again); err != nil || !back.Equal(&s) {
			t.Fatalf("read back as other rows: %v", err)
		}
	})
}
