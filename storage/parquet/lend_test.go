package parquet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// blobRow has texts that are large for their number, so that pages are full of them.
type blobRow struct {
	ID   int64
	Blob []byte
}

// TestLend keeps strings of all batches in buffers that the reader lends, reads the file to its end and once more, and compares
// them then; given back, buffers are used again and the budget holds nothing.
func TestLend(t *testing.T) {
	for name, codec := range map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			rows := make([]blobRow, 3*vector.BatchRows)
			for i := range rows {
				rows[i] = blobRow{int64(i), bytes.Repeat([]byte(fmt.Sprintf("%d,%d;", i, r.IntN(1000))), 10+r.IntN(60))}
			}
			var file bytes.Buffer
			w := parquet.NewGenericWriter[blobRow](&file, parquet.Compression(codec), parquet.PageBufferSize(1<<20))
			if _, err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			s := source(t, file.Bytes())
			b := budget.New("test", 1<<40, nil)
			req := &storage.ScanRequest{Limit: -1, Columns: []int{0, 1}, Budget: b.Reserve("scan")}
			var kept [][]byte
			var loans []func()
			lent := map[*byte]bool{}
			read := func(lend bool) {
				err := scan(t, s, req, func(b *vector.Batch) {
					v := b.Cols[1]
					if _, giveBack := v.Lender.Lend([]byte("elsewhere")); giveBack != nil {
						t.Fatal("lent a buffer that the bytes are not in")
					}
					for i := range b.Len {
						text := v.Bytes(i)
						if !lend {
							if want := rows[vector.Values[int64](b.Cols[0])[i]].Blob; !bytes.Equal(text, want) {
								t.Fatalf("read %.20q, want %.20q", text, want)
							}
							continue
						}
						mem, giveBack := v.Lender.Lend(text)
						if giveBack == nil { // a page's rest in another batch
							text = bytes.Clone(text)
						} else {
							lent[&mem[0]] = true
							loans = append(loans, giveBack)
						}
						kept = append(kept, text)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			read(true)
			for range 3 {
				read(false)
			}
			if len(kept) != len(rows) || len(lent) < 2 || 2*len(loans) < len(rows) {
				t.Fatalf("%d rows, %d loans of %d buffers", len(kept), len(loans), len(lent))
			}
			for i := range kept {
				if !bytes.Equal(kept[i], rows[i].Blob) {
					t.Fatalf("row %d in a lent buffer: %.20q, want %.20q", i, kept[i], rows[i].Blob)
				}
			}
			for _, giveBack := range loans {
				giveBack()
			}
			read(false)
			if b.Used() != 0 {
				t.Errorf("the budget holds %d bytes", b.Used())
			}
		})
	}
}
