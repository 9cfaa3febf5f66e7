package orc

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestPageCache scans the corpus again and again with one cache, whole and through filters that
// keep much and little: every scan gives what the first one gave.
func TestPageCache(t *testing.T) {
	if _, err := os.Stat(dataDir); err != nil {
		t.Skip("no conformance files: ../shared/data is absent")
	}
	pages := storage.NewPageCache(64<<20, nil)
	err := filepath.WalkDir(dataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".orc") {
			return err
		}
		s, err := NewSource(storage.OSFS{}, []string{path}, nil)
		if err != nil || s.Stats().Rows > 10_000 {
			return nil // those that cannot be read are tested elsewhere
		}
		for i := range s.Columns() {
			for _, keep := range []int{1, 20} {
				cachedRounds(t, s, i, keep, pages)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if st := pages.Stats(); st.Hits < 500 {
		t.Errorf("%+v", st)
	}
}

func cachedRounds(t *testing.T, s *Source, column, keep int, pages *storage.PageCache) {
	t.Helper()
	var first []string
	for round := range 4 {
		req := &storage.ScanRequest{Columns: []int{column}, Limit: -1, Pages: pages,
			Filters: []storage.Filter{{Columns: []int{column}, New: func() (storage.FilterFunc, error) { return everyNth(keep), nil }}}}
		if round == 0 {
			req.Pages = nil
		}
		var got []string
		if err := scan(t, s, req, func(b *vector.Batch) {
			for k := range b.NumRows() {
				got = append(got, b.Cols[0].Value(b.Row(k)).Text())
			}
		}); err != nil {
			return
		}
		if round == 0 {
			first = got
		}
		if strings.Join(got, "\n") != strings.Join(first, "\n") {
			t.Fatalf("%s of %s, round %d: other rows", s.Columns()[column].Name, s.files[0].path, round)
		}
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
