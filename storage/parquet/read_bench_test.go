package parquet

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/parquet-go/parquet-go"
)

// benchFile is TPC-H's lineitem; BASALT_BENCH_DATA is a folder of the generator.
func benchFile(b *testing.B) string {
	dir := os.Getenv("BASALT_BENCH_DATA")
	if dir == "" {
		b.Skip("BASALT_BENCH_DATA is not set")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "lineitem", "*.parquet"))
	if len(paths) == 0 {
		b.Skip("no lineitem in " + dir)
	}
	return paths[0]
}

var benchColumns = []string{"l_orderkey", "l_partkey", "l_extendedprice", "l_quantity", "l_shipdate", "l_returnflag", "l_shipmode", "l_comment"}

// BenchmarkColumn decodes one column of lineitem and sums its values (codes for strings of
// a dictionary, lengths for others), beside parquet-go's pages.
func BenchmarkColumn(b *testing.B) {
	path := benchFile(b)
	s, err := NewSource(storage.OSFS{}, []string{path}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range benchColumns {
		i := ordinalOf(s, name)
		if i < 0 {
			b.Fatal(name)
		}
		f := s.files[0]
		var bytes int64
		for g := range f.meta.groups {
			bytes += f.meta.groups[g].chunks[i].uncompressed
		}
		b.Run(name+"/basalt", func(b *testing.B) {
			b.SetBytes(bytes)
			var sum int64
			for range b.N {
				if err := scan(b, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1}, func(batch *vector.Batch) {
					sum += sumVector(batch.Cols[0])
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(f.Rows())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
		b.Run(name+"/parquet-go", func(b *testing.B) {
			b.SetBytes(bytes)
			for range b.N {
				benchReference(b, path, i)
			}
			b.ReportMetric(float64(f.Rows())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func ordinalOf(s *Source, name string) int {
	for i, c := range s.Columns() {
		if c.Name == name {
			return i
		}
	}
	return -1
}

func sumVector(v *vector.Vector) (sum int64) {
	if v.Form == vector.Dictionary {
		if v.Type.Physical() == sqltype.PhysInt64 {
			d := vector.Values[int64](v.Dict)
			for _, c := range v.Codes {
				sum += d[c]
			}
			return sum
		}
		if v.Type.Physical() == sqltype.PhysInt32 {
			d := vector.Values[int32](v.Dict)
			for _, c := range v.Codes {
				sum += int64(d[c])
			}
			return sum
		}
		for _, c := range v.Codes {
			sum += int64(c)
		}
		return sum
	}
	switch v.Type.Physical() {
	case sqltype.PhysInt32:
		for _, x := range vector.Values[int32](v) {
			sum += int64(x)
		}
	case sqltype.PhysInt64:
		for _, x := range vector.Values[int64](v) {
			sum += x
		}
	case sqltype.PhysString:
		for i := range vector.Values[vector.View](v) {
			sum += int64(vector.Values[vector.View](v)[i].Len())
		}
	}
	return sum
}

func benchReference(b *testing.B, path string, leaf int) (sum int64) {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	st, _ := file.Stat()
	f, err := parquet.OpenFile(file, st.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range f.RowGroups() {
		pages := g.ColumnChunks()[leaf].Pages()
		for {
			p, err := pages.ReadPage()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if d := p.Dictionary(); d != nil {
				data := p.Data()
				for _, c := range data.Int32() {
					sum += int64(c)
				}
			} else {
				data := p.Data()
				switch p.Type().Kind() {
				case parquet.Int64:
					for _, x := range data.Int64() {
						sum += x
					}
				case parquet.Int32:
					for _, x := range data.Int32() {
						sum += int64(x)
					}
				case parquet.ByteArray:
					_, offsets := data.ByteArray()
					for i := 1; i < len(offsets); i++ {
						sum += int64(offsets[i] - offsets[i-1])
					}
				}
			}
			parquet.Release(p)
		}
		pages.Close()
	}
	return sum
}

// BenchmarkFilter reads four columns where a filter on a fifth keeps one row in n.
func BenchmarkFilter(b *testing.B) {
	s, err := NewSource(storage.OSFS{}, []string{benchFile(b)}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, keep := range []struct {
		name  string
		every int64
	}{{"all", 1}, {"1in4", 4}, {"1in20", 20}, {"1in1000", 1000}} {
		b.Run(keep.name, func(b *testing.B) {
			key := ordinalOf(s, "l_orderkey")
			req := &storage.ScanRequest{Limit: -1, Filters: []storage.Filter{{Columns: []int{key}, New: func() (storage.FilterFunc, error) {
				var out []int32
				return func(cols []*vector.Vector, n int, _ []int32) ([]int32, error) {
					out = out[:0]
					for i, k := range vector.Values[int64](cols[0]) {
						if (k*2654435761>>7)%keep.every == 0 {
							out = append(out, int32(i))
						}
					}
					return out, nil
				}, nil
			}}}}
			for _, name := range []string{"l_extendedprice", "l_shipdate", "l_quantity", "l_comment"} {
				req.Columns = append(req.Columns, ordinalOf(s, name))
			}
			rows := 0
			for range b.N {
				if err := scan(b, s, req, func(batch *vector.Batch) { rows += batch.NumRows() }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/float64(b.N), "rows")
		})
	}
}
