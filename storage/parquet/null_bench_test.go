package parquet

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// BenchmarkNulls reads a column of 2 M rows, one of `share` of them null.
func BenchmarkNulls(b *testing.B) {
	for _, t := range []sqltype.Type{sqltype.T(sqltype.BigInt), sqltype.T(sqltype.String)} {
		for _, share := range []int{0, 1000, 10, 2} {
			cols := []storage.Column{{Name: "a", Type: t, Nullable: true}}
			r := rand.New(rand.NewPCG(1, 2))
			var out sliceWriter
			w, err := NewWriter(&out, cols, WriterOptions{Codec: "none"})
			if err != nil {
				b.Fatal(err)
			}
			for range 2 << 20 / 4096 {
				v := vector.New(t, 4096)
				for i := range 4096 {
					if share > 0 && r.IntN(share) == 0 {
						v.SetNull(i)
					} else if t.Kind == sqltype.String {
						v.SetString(i, fmt.Sprint(r.Uint32()))
					} else {
						vector.Values[int64](v)[i] = r.Int64()
					}
				}
				if err := w.Write(vector.NewBatch(4096, v)); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			s := source(b, out)
			b.Run(fmt.Sprint(t, "/1in", share), func(b *testing.B) {
				for range b.N {
					if err := scan(b, s, &storage.ScanRequest{Columns: []int{0}, Limit: -1}, func(*vector.Batch) {}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2<<20), "ns/row")
			})
		}
	}
}

type sliceWriter []byte

func (w *sliceWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
