package text

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// zstdFrame is text as one frame that asks for a window of so many bytes.
func zstdFrame(t testing.TB, text string, window int, single bool) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(single))
	if err != nil {
		t.Fatal(err)
	}
	if single {
		return w.EncodeAll([]byte(text), nil)
	}
	half := len(text) / 2
	for _, part := range []string{text[:half], text[half:]} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func numbered(from, to int) string {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "%d,x%d\n", i, i)
	}
	return b.String()
}

// TestZstdWindow: a window is charged while a file is read, whichever frame asks for it, and a sample needs none.
func TestZstdWindow(t *testing.T) {
	skipped := []byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc")
	small, large := zstdFrame(t, numbered(0, 3000), 64<<10, false), zstdFrame(t, numbered(3000, 6000), 32<<20, false)
	whole := zstdFrame(t, numbered(0, 1_000_000), 64<<10, true) // a single segment of 13 MB
	check := func(name string, data []byte, rows int, window int64) {
		t.Helper()
		read := func(limit int64) (n int, peak int64, err error) {
			b := budget.New("query", limit, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := NewSource(memFS{data: data}, []string{"f.csv.zst"}, nil, Options{Kind: CSV, Field: ',', Line: '\n'})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			runtime.ReadMemStats(&after)
			if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 30 {
				t.Errorf("%s: the schema took %d MB", name, got)
			}
			req := &storage.ScanRequest{Columns: []int{0}, Limit: -1, Budget: b.Reserve("scan")}
			splits, err := s.Splits(context.Background(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, sp := range splits {
				r, err := s.Open(context.Background(), sp, req)
				if err != nil {
					return 0, b.Peak(), err
				}
				for {
					batch, err := r.Next(context.Background())
					if batch == nil || err != nil {
						r.Close()
						if b.Used() != 0 {
							t.Errorf("%s: %d bytes are still held", name, b.Used())
						}
						if err != nil {
							return n, b.Peak(), err
						}
						break
					}
					n += batch.NumRows()
				}
			}
			return n, b.Peak(), nil
		}
		n, peak, err := read(0)
		if err != nil || n != rows || peak < window || peak > window+12<<20 {
			t.Errorf("%s: %d rows with %d bytes, %v; %d rows with %d bytes expected", name, n, peak, err, rows, window)
		}
		if window > leastWindow {
			if _, _, err := read(window / 2); !sqlerr.Is(err, sqlerr.OutOfMemory) {
				t.Errorf("%s with half the memory: %v", name, err)
			}
		}
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	check("small", small, 3000, leastWindow)
	check("large", large, 3000, 32<<20)
	check("behind a skipped frame", join(skipped, large), 3000, 32<<20)
	check("large behind small", join(small, large), 6000, 64<<20) // four times and four times again
	check("two of them", join(small, skipped, large, small, large), 12000, 64<<20)
	check("single segment", whole, 1_000_000, 12<<20)
}
