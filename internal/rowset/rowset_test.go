package rowset

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSetMatchesMaps compares random sets with maps.
func TestSetMatchesMaps(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		size := 1 + r.IntN(200_000)
		want := map[int64]bool{}
		var b Builder
		at := 0
		for at < size {
			run := 1 + r.IntN(1+r.IntN(3000))
			if r.IntN(2) == 0 {
				for i := at; i < min(at+run, size); i++ {
					want[int64(i)] = true
					b.Add(int64(i))
				}
			}
			at += run
		}
		s := b.Set()
		if s.Len() != int64(len(want)) {
			t.Fatalf("seed %d: %d rows, want %d", seed, s.Len(), len(want))
		}
		for range 50 {
			lo, n := int64(r.IntN(size)), 1+r.IntN(5000)
			var rest []int32
			for i := range n {
				if !want[lo+int64(i)] {
					rest = append(rest, int32(i))
				}
			}
			got, all := s.Others(nil, lo, n)
			if all != (len(rest) == n) || !all && !slices.Equal(got, rest) {
				t.Fatalf("seed %d: others of [%d, +%d): %d rows, all %v; want %d", seed, lo, n, len(got), all, len(rest))
			}
		}
		if s == nil {
			continue
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back *Set
		if err := json.Unmarshal(text, &back); err != nil || !back.Equal(s) {
			t.Fatalf("seed %d: %v: not the same after JSON", seed, err)
		}
	}
}

// TestAlgebra of sets and of none.
func TestAlgebra(t *testing.T) {
	a, b := Of(1, 2, 70_000), Of(2, 3)
	if u := a.Union(b); u.Len() != 4 || !u.Has(70_000) || !u.Has(3) || a.Has(3) {
		t.Errorf("union has %d rows", u.Len())
	}
	if m := a.Minus(b); m.Len() != 2 || m.Has(2) {
		t.Errorf("difference has %d rows", m.Len())
	}
	var none *Set
	if none.Union(a) != a || a.Union(nil) != a || a.Minus(a) != nil || none.Len() != 0 || none.Has(0) || Of() != nil {
		t.Error("no set is not the empty set")
	}
	if Range(5).Len() != 5 || Range(0) != nil {
		t.Error("Range")
	}
}
