package parquet

import (
	"context"
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
