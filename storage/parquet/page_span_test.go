package parquet

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestPageSpan: the pages that order leaves are those that may match one by one, and where there is no order all are left.
func TestPageSpan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	bigint := sqltype.T(sqltype.BigInt)
	value := func(n int) vector.Value { return vector.IntValue(bigint, int64(n)) }
	ordered := 0
	for range 3000 {
		x := &pageRanges{}
		at := 0
		for range r.IntN(8) {
			lo := at + r.IntN(3)
			hi := lo + r.IntN(4)
			at = hi - r.IntN(2)*min(r.IntN(2), hi-lo)
			if r.IntN(60) == 0 {
				at -= 5
			}
			min, max := value(lo), value(hi)
			p := storage.Range{Rows: 10, Min: &min, Max: &max}
			if r.IntN(60) == 0 {
				p = storage.Range{Rows: 10, Nulls: 10}
			}
			x.pages = append(x.pages, p)
		}
		x.ascending = ascending(x.pages)
		if x.ascending {
			ordered++
		}
		for _, op := range []storage.Op{storage.OpEq, storage.OpNe, storage.OpLt, storage.OpLe, storage.OpGt, storage.OpGe, storage.OpIn, storage.OpIsNull, storage.OpIsNotNull} {
			p := storage.Predicate{Op: op, Values: []vector.Value{value(r.IntN(24))}}
			if op == storage.OpIn {
				for range r.IntN(3) {
					p.Values = append(p.Values, value(r.IntN(24)))
				}
				slices.SortFunc(p.Values, vector.Value.Compare)
			}
			lo, hi := x.span(&p)
			for i := range x.pages {
				may := p.MayMatch(func(int) storage.Range { return x.pages[i] })
				inside := i >= lo && i < hi
				one := op == storage.OpEq || op == storage.OpLe || op == storage.OpGe
				if may && !inside || x.ascending && one && inside && !may {
					t.Fatalf("op %d of %v: page %d of %v may match: %v, pages [%d, %d)", op, p.Values, i, x.pages, may, lo, hi)
				}
			}
		}
	}
	if ordered < 1000 || ordered == 3000 {
		t.Errorf("%d of 3000 in order", ordered)
	}
}
