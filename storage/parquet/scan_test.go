package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// source opens data as a table.
func source(t testing.TB, data []byte) *Source {
	t.Helper()
	s, err := NewSource(&memFS{data: data}, []string{"mem.parquet"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keepRows is a filter over one column: a row passes by the hash of its value's text, so
// that the same rows pass however the column is read.
func keepRows(column, keep, of int) storage.Filter {
	return storage.Filter{Columns: []int{column}, New: func() (storage.FilterFunc, error) {
		var out []int32
		return func(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
			if cols[0].Len != n {
				return nil, fmt.Errorf("a vector of %d rows, not %d", cols[0].Len, n)
			}
			out = out[:0]
			for i := range n {
				if sel != nil && !slices.Contains(sel, int32(i)) {
					continue
				}
				if passes(cols[0].Value(i), keep, of) {
					out = append(out, int32(i))
				}
			}
			return out, nil
		}, nil
	}}
}

func passes(v vector.Value, keep, of int) bool {
	h := uint32(2166136261)
	for _, c := range valueText(v) {
		h = (h ^ uint32(c)) * 16777619
	}
	return int(h>>8)%of < keep
}

// TestFilters reads random files with zero to three filters of every selectivity, and
// compares with what filtering the plain columns gives; some with rows that are deleted.
func TestFilters(t *testing.T) {
	cols := []storage.Column{
		{Name: "a", Type: sqltype.T(sqltype.BigInt)},
		{Name: "b", Type: sqltype.T(sqltype.Int), Nullable: true},
		{Name: "c", Type: sqltype.T(sqltype.String), Nullable: true},
		{Name: "d", Type: sqltype.DecimalOf(30, 2), Nullable: true},
		{Name: "e", Type: sqltype.T(sqltype.Boolean), Nullable: true},
		{Name: "f", Type: sqltype.T(sqltype.TinyInt)},
		{Name: "g", Type: sqltype.T(sqltype.String)},
	}
	for seed := range 40 {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		opt := WriterOptions{RowGroupRows: 3000 + r.IntN(9000), PageBytes: 1 << (10 + r.IntN(8)), Codec: [...]string{"none", "snappy"}[r.IntN(2)]}
		data, want := writeRandom(t, r, cols, r.IntN(20_000), r.IntN(3), opt)
		s := source(t, data)
		req := &storage.ScanRequest{Limit: -1, BatchRows: [...]int{0, 7, 100, 5000}[r.IntN(4)], Counters: &storage.ScanCounters{}}
		live := make([]bool, len(want[0]))
		for i := range live {
			live[i] = true
		}
		if share := [...]int{0, 2, 30, 3000}[r.IntN(4)]; share > 0 { // deleted rows, alone and many together
			var gone rowset.Builder
			for i := 0; i < len(live); i += 1 + r.IntN(share) {
				for run := r.IntN(1 + r.IntN(2*share)); run >= 0 && i < len(live); run-- {
					live[i] = false
					gone.Add(int64(i))
					i++
				}
			}
			req.Deleted = gone.Set()
		}
		for range r.IntN(4) {
			col, of := r.IntN(len(cols)), [...]int{1, 2, 3, 20, 300}[r.IntN(5)]
			req.Filters = append(req.Filters, keepRows(col, 1, of))
			for i, v := range want[col] {
				live[i] = live[i] && passes(v, 1, of)
			}
		}
		for range r.IntN(len(cols) + 1) {
			req.Columns = append(req.Columns, r.IntN(len(cols)))
		}
		numbered := r.IntN(2) == 0
		if numbered {
			req.Columns = append(req.Columns, storage.RowNumber)
		}
		got := make([][]vector.Value, len(req.Columns))
		rows := 0
		if err := scan(t, s, req, func(b *vector.Batch) {
			rows += b.NumRows()
			for i, c := range b.Cols {
				for k := range b.NumRows() {
					got[i] = append(got[i], c.Value(b.Row(k)))
				}
			}
		}); err != nil {
			t.Fatal(seed, err)
		}
		total := 0
		for _, l := range live {
			if l {
				total++
			}
		}
		if rows != total {
			t.Fatalf("seed %d: %d rows, want %d", seed, rows, total)
		}
		for i, col := range req.Columns {
			var kept []vector.Value
			if col == storage.RowNumber {
				k := -1
				for _, v := range got[i] {
					for k++; !live[k]; k++ {
					}
					if v.Int64() != int64(k) {
						t.Fatalf("seed %d: row %d is numbered %d", seed, k, v.Int64())
					}
				}
				continue
			}
			for k, v := range want[col] {
				if live[k] {
					kept = append(kept, v)
				}
			}
			compareValues(t, fmt.Sprint("seed ", seed, " column ", cols[col].Name), got[i], kept)
		}
		if n := req.Counters.RowsRead.Load() - req.Counters.RowsFiltered.Load(); n != int64(total) {
			t.Errorf("seed %d: counters leave %d rows, want %d", seed, n, total)
		}
	}
}

// sortedFile has column a ascending from 0, b = a/1000 as text, c of few values.
func sortedFile(t testing.TB, rows int, opt WriterOptions) []byte {
	cols := []storage.Column{{Name: "a", Type: sqltype.T(sqltype.BigInt)}, {Name: "b", Type: sqltype.T(sqltype.String)}, {Name: "c", Type: sqltype.T(sqltype.String), Nullable: true}}
	var file bytes.Buffer
	w, err := NewWriter(&file, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	for lo := 0; lo < rows; lo += 1000 {
		n := min(1000, rows-lo)
		a, b, c := vector.New(cols[0].Type, n), vector.New(cols[1].Type, n), vector.New(cols[2].Type, n)
		for i := range n {
			vector.Values[int64](a)[i] = int64(lo + i)
			b.SetString(i, fmt.Sprintf("%09d", lo+i))
			c.SetString(i, [...]string{"apple", "cherry", "melon"}[i%3])
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

// TestPruning makes sure that row groups, pages and dictionaries prune, and that what is
// left holds every row that matches.
func TestPruning(t *testing.T) {
	s := source(t, sortedFile(t, 200_000, WriterOptions{RowGroupRows: 50_000, PageBytes: 32 << 10}))
	big := func(v int64) vector.Value { return vector.IntValue(sqltype.T(sqltype.BigInt), v) }
	text := func(v string) vector.Value { return vector.StringValue(sqltype.T(sqltype.String), v) }
	check := func(name string, prune []storage.Predicate, groups, maxRows int64, lo, hi int64) {
		t.Helper()
		counters := &storage.ScanCounters{}
		req := &storage.ScanRequest{Columns: []int{0, 1, 2}, Limit: -1, Prune: prune, Counters: counters}
		rows, found := int64(0), int64(0)
		if err := scan(t, s, req, func(b *vector.Batch) {
			rows += int64(b.NumRows())
			for i := range b.NumRows() {
				a := b.Cols[0].Value(b.Row(i)).Int64()
				if a >= lo && a < hi {
					found++
				}
				if want := fmt.Sprintf("%09d", a); b.Cols[1].Value(b.Row(i)).S != want {
					t.Fatalf("%s: row %d has %s", name, a, b.Cols[1].Value(b.Row(i)).S)
				}
			}
		}); err != nil {
			t.Fatal(name, err)
		}
		if found != hi-lo {
			t.Errorf("%s: found %d of %d rows", name, found, hi-lo)
		}
		if rows > maxRows {
			t.Errorf("%s: read %d rows, at most %d should be left", name, rows, maxRows)
		}
		if got := counters.RowGroupsPruned.Load(); got != groups {
			t.Errorf("%s: %d row groups pruned, want %d", name, got, groups)
		}
	}
	check("nothing", nil, 0, 200_000, 0, 200_000)
	check("one row", []storage.Predicate{{Op: storage.OpEq, Values: []vector.Value{big(123_456)}}}, 3, 10_000, 123_456, 123_457)
	check("range", []storage.Predicate{
		{Op: storage.OpGe, Values: []vector.Value{big(60_000)}},
		{Op: storage.OpLt, Values: []vector.Value{big(110_000)}},
	}, 2, 66_000, 60_000, 110_000)
	check("two ends", []storage.Predicate{{Op: storage.OpOr, Children: []storage.Predicate{
		{Op: storage.OpLt, Values: []vector.Value{big(10)}},
		{Op: storage.OpEq, Column: 1, Values: []vector.Value{text("000199999")}},
	}}}, 2, 20_000, 0, 10)
	check("text", []storage.Predicate{{Op: storage.OpPrefix, Column: 1, Values: []vector.Value{text("00007")}}}, 3, 20_000, 70_000, 80_000)
	check("dictionary", []storage.Predicate{{Op: storage.OpIn, Column: 2, Values: []vector.Value{text("banana"), text("cucumber")}}}, 0, 0, 0, 0)
	check("dictionary hit", []storage.Predicate{{Op: storage.OpIn, Column: 2, Values: []vector.Value{text("cherry")}}}, 0, 200_000, 0, 200_000)
	check("nulls", []storage.Predicate{{Op: storage.OpIsNull, Column: 2}}, 4, 0, 0, 0)
}

// TestSkippedPages makes sure that a selective filter leaves pages of other columns unread.
func TestSkippedPages(t *testing.T) {
	s := source(t, sortedFile(t, 100_000, WriterOptions{PageBytes: 32 << 10}))
	read := func(filters []storage.Filter) (bytes, pages int64) {
		counters := &storage.ScanCounters{}
		req := &storage.ScanRequest{Columns: []int{1}, Limit: -1, Filters: filters, Counters: counters}
		if err := scan(t, s, req, func(*vector.Batch) {}); err != nil {
			t.Fatal(err)
		}
		return counters.BytesRead.Load(), counters.PagesRead.Load()
	}
	_, all := read(nil)
	_, some := read([]storage.Filter{{Columns: []int{2}, New: func() (storage.FilterFunc, error) {
		first := true
		return func(_ []*vector.Vector, n int, _ []int32) ([]int32, error) {
			if first {
				first = false
				return []int32{1}, nil
			}
			return nil, nil
		}, nil
	}}})
	if all < 10 || some > all/2 {
		t.Errorf("%d pages read for one row, %d for all", some, all)
	}
}

// TestManyFiles reads files of different schemas as one table.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, cols []storage.Column, vecs ...*vector.Vector) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := NewWriter(f, cols, WriterOptions{})
		if err == nil {
			err = w.Write(vector.NewBatch(vecs[0].Len, vecs...))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	of := func(t sqltype.Type, vals ...int64) *vector.Vector {
		v := vector.New(t, len(vals))
		for i, x := range vals {
			v.SetValue(i, vector.Value{Type: t, I: int128.FromInt64(x), F: float64(x)})
		}
		return v
	}
	integer, long, date := sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt), sqltype.T(sqltype.Date)
	old := write("old.parquet", []storage.Column{{Name: "ID", Type: integer}, {Name: "day", Type: date}, {Name: "p", Type: sqltype.DecimalOf(5, 1)}},
		of(integer, 1, -2), of(date, 0, 10), of(sqltype.DecimalOf(5, 1), 15, -20))
	recent := write("new.parquet", []storage.Column{{Name: "extra", Type: long}, {Name: "id", Type: long}, {Name: "p", Type: sqltype.DecimalOf(25, 3)}, {Name: "day", Type: sqltype.DateTimeOf(6)}},
		of(long, 9), of(long, 1<<40), of(sqltype.DecimalOf(25, 3), 1234), of(sqltype.DateTimeOf(6), 5))
	cols := []storage.Column{{Name: "id", Type: long}, {Name: "day", Type: sqltype.DateTimeOf(6)}, {Name: "p", Type: sqltype.DecimalOf(25, 3)}, {Name: "extra", Type: long, Nullable: true}}
	s, err := NewSource(storage.OSFS{}, []string{old, recent}, cols)
	if err != nil {
		t.Fatal(err)
	}
	check := func(col int, want ...string) {
		t.Helper()
		vals, err := readColumnValues(t, s, col)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range vals {
			got = append(got, valueText(v))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", cols[col].Name, got, want)
		}
	}
	check(0, "1", "-2", "1099511627776")
	check(1, "0", "864000000000", "5")
	check(2, "1500", "-2000", "1234")
	check(3, "NULL", "NULL", "9")
	st := s.Stats()
	if st.Rows != 3 || st.Columns[0].Min.Int64() != -2 || st.Columns[0].Max.Int64() != 1<<40 || st.Columns[3].Nulls != 2 || st.Columns[1].Max.Int64() != 864000000000 {
		t.Errorf("statistics %+v %+v", st, st.Columns)
	}
	narrow, err := NewSource(storage.OSFS{}, []string{old, recent}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := scan(t, narrow, &storage.ScanRequest{Columns: []int{0, 1, 2}, Limit: -1}, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.TypeMismatch) || !strings.Contains(err.Error(), "new.parquet") {
		t.Errorf("narrowing: %v", err)
	}
	if _, err := NewSource(storage.OSFS{}, []string{filepath.Join(dir, "none")}, nil); !sqlerr.Is(err, sqlerr.FileNotFound) {
		t.Errorf("missing file: %v", err)
	}
	// A file that is replaced is read anew.
	write("old.parquet", []storage.Column{{Name: "id", Type: long}}, of(long, 7, 8, 9))
	if s, err = NewSource(storage.OSFS{}, []string{old}, cols); err != nil {
		t.Fatal(err)
	}
	check(0, "7", "8", "9")
}

func TestConcurrentReaders(t *testing.T) {
	s := source(t, sortedFile(t, 60_000, WriterOptions{RowGroupRows: 5000}))
	req := &storage.ScanRequest{Columns: []int{0, 1}, Limit: -1, Counters: &storage.ScanCounters{}}
	splits, err := s.Splits(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	sums := make([]int64, len(splits))
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
			}
		}()
	}
	wg.Wait()
	total := int64(0)
	for _, x := range sums {
		total += x
	}
	if total != 60_000*59_999/2 {
		t.Errorf("sum %d", total)
	}
}

// TestStats looks at what the planner gets of a file of ours.
func TestStats(t *testing.T) {
	st := source(t, sortedFile(t, 50_000, WriterOptions{RowGroupRows: 20_000})).Stats()
	a, b, c := st.Columns[0], st.Columns[1], st.Columns[2]
	if st.Rows != 50_000 || a.Distinct != 50_000 || a.Min.Int64() != 0 || a.Max.Int64() != 49_999 || a.Nulls != 0 || a.AvgBytes != 8 {
		t.Errorf("a: %+v", a)
	}
	if b.Distinct != -1 || b.Min.S != "000000000" || b.Max.S != "000049999" || b.AvgBytes < 8 || b.AvgBytes > 10 {
		t.Errorf("b: %+v", b)
	}
	if c.Distinct != 3 || c.AvgBytes < 5 || c.AvgBytes > 6 || c.Nulls != 0 {
		t.Errorf("c: %+v", c)
	}
}

// TestSplitRowGroup reads a large row group in parts.
func TestSplitRowGroup(t *testing.T) {
	rows := 3 * splitRows
	s := source(t, sortedFile(t, rows, WriterOptions{RowGroupRows: rows}))
	splits, err := s.Splits(context.Background(), &storage.ScanRequest{Limit: -1})
	if err != nil || len(splits) != 3 {
		t.Fatal(len(splits), err)
	}
	seen := int64(0)
	if err := scan(t, s, &storage.ScanRequest{Columns: []int{0, 2}, Limit: -1}, func(b *vector.Batch) {
		for i, a := range vector.Values[int64](b.Cols[0]) {
			if a != seen {
				t.Fatalf("row %d is %d", seen, a)
			}
			if want := [...]string{"apple", "cherry", "melon"}[a%1000%3]; string(b.Cols[1].Bytes(i)) != want {
				t.Fatalf("row %d: %s", a, b.Cols[1].Bytes(i))
			}
			seen++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if seen != int64(rows) {
		t.Errorf("%d rows", seen)
	}
}

func TestBudgetAndCancel(t *testing.T) {
	s := source(t, sortedFile(t, 50_000, WriterOptions{}))
	root := budget.New("query", 16<<10, nil)
	req := &storage.ScanRequest{Columns: []int{0, 1}, Limit: -1, Budget: root.Reserve("scan")}
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

// TestFilterPanics makes sure that a bug of a filter is not blamed on the file.
func TestFilterPanics(t *testing.T) {
	s := source(t, sortedFile(t, 100, WriterOptions{}))
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

// TestFileReplaced makes sure that pages of another file are never read by an old footer.
func TestFileReplaced(t *testing.T) {
	fs := &memFS{data: sortedFile(t, 5000, WriterOptions{})}
	s, err := NewSource(fs, []string{"mem.parquet"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fs.data = sortedFile(t, 4000, WriterOptions{})
	if err := scan(t, s, &storage.ScanRequest{Columns: []int{0}, Limit: -1}, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.FileIO) {
		t.Errorf("a replaced file: %v", err)
	}
}
