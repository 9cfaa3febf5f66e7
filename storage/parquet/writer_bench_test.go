package parquet

import (
	"io"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// BenchmarkWrite writes the columns of lineitem, read into memory before.
func BenchmarkWrite(b *testing.B) {
	s, err := NewSource(storage.OSFS{}, []string{benchFile(b)}, nil)
	if err != nil {
		b.Fatal(err)
	}
	sets := map[string][]string{
		"narrow":  {"l_orderkey", "l_quantity", "l_shipdate"},
		"prices":  {"l_extendedprice"},
		"strings": {"l_returnflag", "l_shipmode", "l_comment"},
		"all":     nil,
	}
	for _, name := range []string{"narrow", "prices", "strings", "all"} {
		req := &storage.ScanRequest{Limit: -1}
		var cols []storage.Column
		for i, c := range s.Columns() {
			use := sets[name] == nil
			for _, n := range sets[name] {
				use = use || n == c.Name
			}
			if use {
				req.Columns = append(req.Columns, i)
				cols = append(cols, c)
			}
		}
		var batches []*vector.Batch
		rows, bytes := 0, int64(0)
		err := scan(b, s, req, func(batch *vector.Batch) {
			if rows < 1<<20 {
				c := batch.Copy()
				batches = append(batches, c)
				rows += c.Len
				bytes += c.Bytesize()
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, codec := range []string{"zstd", "snappy"} {
			b.Run(name+"/"+codec, func(b *testing.B) {
				b.SetBytes(bytes)
				var size int64
				for range b.N {
					w, err := NewWriter(io.Discard, cols, WriterOptions{Codec: codec})
					if err != nil {
						b.Fatal(err)
					}
					for _, batch := range batches {
						if err := w.Write(batch); err != nil {
							b.Fatal(err)
						}
					}
					if err := w.Close(); err != nil {
						b.Fatal(err)
					}
					size = w.Bytes()
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
				b.ReportMetric(float64(size)/float64(rows), "B/row")
			})
		}
	}
}
