package parquet

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// scan reads all splits of a source and hands every batch to f.
func scan(t testing.TB, s *Source, req *storage.ScanRequest, f func(b *vector.Batch)) error {
	t.Helper()
	ctx := context.Background()
	splits, err := s.Splits(ctx, req)
	if err != nil {
		return err
	}
	for _, sp := range splits {
		r, err := s.Open(ctx, sp, req)
		if err != nil {
			return err
		}
		for {
			b, err := r.Next(ctx)
			if err != nil {
				r.Close()
				return err
			}
			if b == nil {
				break
			}
			f(b)
		}
		r.Close()
	}
	return nil
}

func TestTPCHFirst(t *testing.T) {
	dir := os.Getenv("BASALT_BENCH_DATA")
	if dir == "" {
		t.Skip("BASALT_BENCH_DATA is not set")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*", "*.parquet"))
	for _, p := range paths {
		s, err := NewSource(storage.OSFS{}, []string{p}, nil)
		if err != nil {
			t.Fatal(err)
		}
		req := &storage.ScanRequest{Limit: -1}
		for i, c := range s.Columns() {
			t.Log(c.Name, c.Type, s.Stats().Columns[i].Nulls, s.Stats().Columns[i].Distinct)
			req.Columns = append(req.Columns, i)
		}
		rows, forms := 0, map[int]map[vector.Form]int{}
		err = scan(t, s, req, func(b *vector.Batch) {
			rows += b.NumRows()
			for i, c := range b.Cols {
				if forms[i] == nil {
					forms[i] = map[vector.Form]int{}
				}
				forms[i][c.Form]++
				if rows == b.NumRows() {
					t.Log(c.Value(0))
				}
			}
		})
		t.Log(p, rows, s.Stats().Rows, err, forms)
	}
}
