package parquet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Parts of a row group, read side by side, are together what the row group is; pages that several of them
// need are read and decompressed once; memory is given back with the last part.
func TestSharedPages(t *testing.T) {
	rows := foreignRows(rand.New(rand.NewPCG(1, 2)), 3*vector.BatchRows)
	for name, codec := range map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy} {
		for version := 1; version <= 2; version++ {
			for _, page := range []int{40_000, 8 << 20} {
				t.Run(fmt.Sprint(name, version, "/", page), func(t *testing.T) {
					var file bytes.Buffer
					w := parquet.NewGenericWriter[foreignRow](&file, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(page))
					if _, err := w.Write(rows); err != nil {
						t.Fatal(err)
					}
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
					s := source(t, file.Bytes())
					whole, wholePages := readParts(t, s, int64(len(rows)))
					parts, partPages := readParts(t, s, vector.BatchRows)
					if len(parts) < 2 {
						t.Fatalf("%d parts", len(parts))
					}
					at := 0
					for p, list := range parts {
						for i, text := range list {
							if text != whole[0][at] {
								t.Fatalf("part %d row %d: got %s, want %s", p, i, text, whole[0][at])
							}
							at++
						}
					}
					if at != len(rows) {
						t.Fatalf("%d rows, want %d", at, len(rows))
					}
					if codec != &parquet.Uncompressed && partPages != wholePages {
						t.Errorf("the parts read %d pages, the row group has %d", partPages, wholePages)
					}
				})
			}
		}
	}
}

// readParts cuts a row group and reads all parts side by side: the rows of every part as texts, and the pages read.
func readParts(t *testing.T, s *Source, rows int64) (out [][]string, pages int64) {
	b := budget.New("test", 1<<40, nil)
	req := &storage.ScanRequest{Limit: -1, Counters: &storage.ScanCounters{}, Budget: b.Reserve("scan")}
	for i, c := range s.Columns() {
		if !c.Type.IsNested() {
			req.Columns = append(req.Columns, i)
		}
	}
	splits, err := s.Splits(t.Context(), req)
	if err != nil || len(splits) != 1 {
		t.Fatalf("%d splits, %v", len(splits), err)
	}
	splits = splits[0].(storage.Divisible).Divide(rows)
	out = make([][]string, len(splits))
	errs := make([]error, len(splits))
	var wg sync.WaitGroup
	for p, sp := range splits {
		wg.Go(func() { out[p], errs[p] = readTexts(t, s, sp, req) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if used := b.Used(); used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
	return out, req.Counters.PagesRead.Load()
}

func readTexts(t *testing.T, s *Source, sp storage.Split, req *storage.ScanRequest) (out []string, err error) {
	r, err := s.Open(t.Context(), sp, req)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next(t.Context())
		if err != nil || b == nil {
			return out, err
		}
		for i := range b.NumRows() {
			var text []byte
			for _, v := range b.Cols {
				text = append(vector.AppendText(text, v, b.Row(i)), '|')
			}
			out = append(out, string(text))
		}
	}
}
