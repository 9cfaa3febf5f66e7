package parquet

import (
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestPageCache scans the corpus again and again with one cache, whole and through filters that
// keep much, little and nothing: every scan gives what the first one gave.
func TestPageCache(t *testing.T) {
	pages := storage.NewPageCache(64<<20, nil)
	corpus(t, func(t *testing.T, path string, want expectation) {
		s, err := NewSource(storage.OSFS{}, []string{path}, nil)
		if err != nil {
			return
		}
		for i := range s.Columns() {
			for _, keep := range []int{1, 20} {
				var first []string
				for round := range 4 {
					req := &storage.ScanRequest{Columns: []int{i}, Limit: -1, Pages: pages,
						Filters: []storage.Filter{{Columns: []int{i}, New: func() (storage.FilterFunc, error) { return everyNth(keep), nil }}}}
					if round == 0 {
						req.Pages = nil
					}
					var got []string
					err := scan(t, s, req, func(b *vector.Batch) {
						for k := range b.NumRows() {
							got = append(got, valueText(b.Cols[0].Value(b.Row(k))))
						}
					})
					if err != nil {
						break
					}
					if round == 0 {
						first = got
					}
					if len(got) != len(first) {
						t.Fatalf("%s, round %d: %d rows, want %d", s.Columns()[i].Name, round, len(got), len(first))
					}
					for k := range got {
						if got[k] != first[k] {
							t.Fatalf("%s, round %d: row %d is %s, want %s", s.Columns()[i].Name, round, k, got[k], first[k])
						}
					}
				}
			}
		}
	})
	if st := pages.Stats(); st.Hits < 500 {
		t.Errorf("%+v", st)
	}
}

// everyNth keeps each n-th row of a batch, the first one not.
func everyNth(n int) storage.FilterFunc {
	var out []int32
	return func(_ []*vector.Vector, rows int, sel []int32) ([]int32, error) {
		out = out[:0]
		for k := n - 1; k < rows; k += n {
			if sel == nil {
				out = append(out, int32(k))
			}
		}
		return out, nil
	}
}
