package orc

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// countedFile has rows rows of a number, a string and a nullable double.
func countedFile(t testing.TB, rows int, opt WriterOptions) []byte {
	t.Helper()
	cols := []storage.Column{{Name: "a", Type: sqltype.T(sqltype.BigInt)}, {Name: "b", Type: sqltype.T(sqltype.String)}, {Name: "c", Type: sqltype.T(sqltype.Double), Nullable: true}}
	var file bytes.Buffer
	w, err := NewWriter(&file, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	for lo := 0; lo < rows; lo += vector.BatchRows {
		n := min(vector.BatchRows, rows-lo)
		a, b, c := vector.New(cols[0].Type, n), vector.New(cols[1].Type, n), vector.New(cols[2].Type, n)
		for i := range n {
			vector.Values[int64](a)[i] = int64(lo + i)
			b.SetString(i, "a string that is too long for its view "+string(rune('a'+(lo+i)*7%26)))
			if vector.Values[float64](c)[i] = float64(lo + i); i%3 == 0 {
				c.SetNull(i)
			}
		}
		if err := w.Write(vector.NewBatch(n, a, b, c)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestSplitStripe reads a large stripe in parts of whole row groups, at the same time.
func TestSplitStripe(t *testing.T) {
	rows := 3 * splitRows
	s := source(t, countedFile(t, rows, WriterOptions{Codec: "none", StripeRows: rows, StripeBytes: 1 << 30}))
	req := &storage.ScanRequest{Columns: []int{0, 2}, Limit: -1, Counters: &storage.ScanCounters{}}
	splits, err := s.Splits(context.Background(), req)
	if err != nil || len(splits) != 3 {
		t.Fatal(len(splits), err)
	}
	var wg sync.WaitGroup
	sums, nulls := make([]int64, len(splits)), make([]int, len(splits))
	for i, sp := range splits {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r, err := s.Open(context.Background(), sp, req)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			for {
				b, err := r.Next(context.Background())
				if err != nil {
					t.Error(err)
				}
				if b == nil {
					return
				}
				sums[i] += sumVector(b.Cols[0])
				nulls[i] += b.Cols[1].Valid.CountZeros(b.Len)
			}
		}()
	}
	wg.Wait()
	total, none := int64(0), 0
	for i := range sums {
		total += sums[i]
		none += nulls[i]
	}
	if n := int64(rows); total != n*(n-1)/2 || none != rows/vector.BatchRows*((vector.BatchRows+2)/3) {
		t.Errorf("sum %d, %d nulls", total, none)
	}
	if r := s.SplitRange(splits[0], 0); r.Min == nil || r.Max.Int64() != int64(rows-1) {
		t.Errorf("bounds of a split: %+v", r)
	}
}

func TestBudgetAndCancel(t *testing.T) {
	s := source(t, countedFile(t, 50_000, WriterOptions{Codec: "zstd"}))
	root := budget.New("query", 16<<10, nil)
	req := &storage.ScanRequest{Columns: []int{0, 1, 2}, Limit: -1, Budget: root.Reserve("scan")}
	if err := scan(t, s, req, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.OutOfMemory) {
		t.Errorf("tiny budget: %v", err)
	}
	if root.Used() != 0 {
		t.Errorf("%d bytes are still charged", root.Used())
	}
	root = budget.New("query", 64<<20, nil)
	req.Budget = root.Reserve("scan")
	if err := scan(t, s, req, func(*vector.Batch) {}); err != nil {
		t.Error(err)
	}
	if root.Used() != 0 || root.Peak() == 0 {
		t.Errorf("%d bytes are still charged, peak %d", root.Used(), root.Peak())
	}
	ctx, cancel := context.WithCancel(context.Background())
	splits, _ := s.Splits(ctx, req)
	r, err := s.Open(ctx, splits[0], req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := r.Next(ctx); !sqlerr.Is(err, sqlerr.Interrupted) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestFileReplaced makes sure that stripes of another file are never read by an old tail.
func TestFileReplaced(t *testing.T) {
	fs := &memFS{data: countedFile(t, 5000, WriterOptions{})}
	s, err := NewSource(fs, []string{"mem.orc"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fs.data = countedFile(t, 4000, WriterOptions{})
	if err := scan(t, s, &storage.ScanRequest{Columns: []int{0}, Limit: -1}, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.FileIO) {
		t.Errorf("a replaced file: %v", err)
	}
}

// TestFilterPanics makes sure that a bug of a filter is not blamed on the file.
func TestFilterPanics(t *testing.T) {
	s := source(t, countedFile(t, 100, WriterOptions{}))
	defer func() {
		if r := recover(); r != "bug" {
			t.Errorf("recovered %v", r)
		}
	}()
	err := scan(t, s, &storage.ScanRequest{Columns: []int{0}, Limit: -1, Filters: []storage.Filter{{Columns: []int{0}, New: func() (storage.FilterFunc, error) {
		return func([]*vector.Vector, int, []int32) ([]int32, error) { panic("bug") }, nil
	}}}}, func(*vector.Batch) {})
	t.Errorf("no panic: %v", err)
}

// TestLateReading makes sure that columns behind a filter are read only where rows survive.
func TestLateReading(t *testing.T) {
	s := source(t, countedFile(t, 200_000, WriterOptions{Codec: "none", Stride: 5000}))
	read := func(keep func(row int64) bool) int64 {
		c := &storage.ScanCounters{}
		req := &storage.ScanRequest{Columns: []int{1}, Limit: -1, Counters: c, Filters: []storage.Filter{{Columns: []int{0}, New: func() (storage.FilterFunc, error) {
			return func(v []*vector.Vector, n int, _ []int32) (out []int32, _ error) {
				for i, x := range vector.Values[int64](v[0])[:n] {
					if keep(x) {
						out = append(out, int32(i))
					}
				}
				return out, nil
			}, nil
		}}}}
		if err := scan(t, s, req, func(b *vector.Batch) {
			for k := range b.NumRows() {
				if text := b.Cols[0].Bytes(b.Row(k)); len(text) != 40 {
					t.Fatalf("%q", text)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		return c.BytesRead.Load()
	}
	all, one := read(func(int64) bool { return true }), read(func(x int64) bool { return x == 150_000 })
	if one*2 > all {
		t.Errorf("one row took %d bytes, all rows %d", one, all)
	}
}

// TestLZO decodes instructions of every kind.
func TestLZO(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"first run", []byte{17 + 5, 'h', 'e', 'l', 'l', 'o', 17, 0, 0}, "hello"},
		{"long run", append(append([]byte{0, 3}, []byte("twenty-one letters...")...), 17, 0, 0), "twenty-one letters..."},
		{"near match", []byte{17 + 4, 'a', 'b', 'c', 'd', 0x80 | 3<<2, 0, 17, 0, 0}, "abcdabcda"},
		{"overlap", []byte{17 + 4, 'a', 'b', 'c', 'x', 0x60, 0, 17, 0, 0}, "abcxxxxx"},
		{"far match", []byte{17 + 4, 'a', 'b', 'c', 'd', 32 + 4, 3 << 2, 0, 17, 0, 0}, "abcdabcdab"},
		{"literals behind a match", []byte{17 + 4, 'a', 'b', 'c', 'd', 32 + 4, 3<<2 | 2, 0, 'y', 'z', 17, 0, 0}, "abcdabcdabyz"},
	} {
		dst := make([]byte, 64)
		n, err := expandLZO(dst, c.in)
		if err != nil || string(dst[:n]) != c.want {
			t.Errorf("%s: %q, %v", c.name, dst[:n], err)
		}
		for cut := range len(c.in) {
			if _, err := expandLZO(dst, c.in[:cut]); err == nil {
				t.Errorf("%s: %d of %d bytes were read", c.name, cut, len(c.in))
			}
		}
		if _, err := expandLZO(make([]byte, len(c.want)-1), c.in); err == nil {
			t.Errorf("%s: wrote past the end", c.name)
		}
	}
}

func FuzzLZO(f *testing.F) {
	f.Add([]byte{17 + 5, 'h', 'e', 'l', 'l', 'o', 17, 0, 0})
	f.Add([]byte{17 + 4, 'a', 'b', 'c', 'd', 32 + 4, 3<<2 | 2, 0, 'y', 'z', 17, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := make([]byte, 1000)
		if n, err := expandLZO(dst, b); err == nil && n > len(dst) {
			t.Errorf("%d bytes", n)
		}
	})
}
