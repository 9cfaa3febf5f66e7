package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

var salesColumns = []storage.Column{
	{Name: "day", Type: sqltype.T(sqltype.Date)},
	{Name: "id", Type: sqltype.T(sqltype.BigInt), Nullable: true},
	{Name: "note", Type: sqltype.VarcharOf(0), Nullable: true},
}

// days makes daily range partitions of days 0 … n-1.
func days(n int, buckets func(i int) int) *storage.Layout {
	t := salesColumns[0].Type
	l := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0},
		Bucketing: &storage.Bucketing{Hash: bucket.DorisCRC32, Columns: []int{1}, Trusted: true}}
	for i := range n {
		l.Partitions = append(l.Partitions, storage.PartitionInfo{ID: int64(100 + i), Name: fmt.Sprint("d", i), Buckets: buckets(i),
			Bounds: storage.PartitionBounds{Lower: []storage.Endpoint{{Value: vector.IntValue(t, int64(i))}}, Upper: []storage.Endpoint{{Value: vector.IntValue(t, int64(i+1))}}}})
	}
	return l
}

func salesBatch(r *rand.Rand, n, daysTo int) *vector.Batch {
	cols := []*vector.Vector{vector.New(salesColumns[0].Type, n), vector.New(salesColumns[1].Type, n), vector.New(salesColumns[2].Type, n)}
	for i := range n {
		vector.Values[int32](cols[0])[i] = int32(r.IntN(daysTo))
		vector.Values[int64](cols[1])[i] = int64(r.IntN(500))
		cols[2].SetString(i, strings.Repeat("x", r.IntN(30)))
		if r.IntN(10) == 0 {
			cols[1].SetNull(i)
		}
	}
	b := vector.NewBatch(n, cols...)
	if r.IntN(3) == 0 {
		b.Sel = []int32{}
		for i := range n {
			if r.IntN(2) == 0 {
				b.Sel = append(b.Sel, int32(i))
			}
		}
	}
	return b
}

// linesFormat writes rows as text, which the tests read back from disk.
type linesFormat struct{ lines }

func (linesFormat) NewFileWriter(f storage.WritableFile, _ []storage.Column) (FileWriter, error) {
	return &rowLines{f}, nil
}

type rowLines struct{ f storage.WritableFile }

func (l *rowLines) Write(b *vector.Batch) error {
	var text []byte
	for i := range b.NumRows() {
		for c, v := range b.Cols {
			if c > 0 {
				text = append(text, ' ')
			}
			if c == 0 {
				text = fmt.Appendf(text, "%03d", v.Value(b.Row(i)).Int64())
			} else if c == 1 && !v.IsNull(b.Row(i)) {
				text = fmt.Appendf(text, "%05d", v.Value(b.Row(i)).Int64())
			} else if v.IsNull(b.Row(i)) {
				text = append(text, '!') // before digits, as NULL is
			} else {
				text = vector.AppendText(text, v, b.Row(i))
			}
		}
		text = append(text, '\n')
	}
	_, err := l.f.Write(text)
	return err
}

func (l *rowLines) Close() error { return nil }

// readLines are the rows of a file.
func readLines(t *testing.T, path string) []string {
	t.Helper()
	f, err := storage.OSFS{}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	data := make([]byte, st.Size)
	if _, err := f.ReadAt(data, 0); err != nil && st.Size > 0 {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(data), "\n"), "\n")
}

// TestRouting writes from several drivers with little memory: every row is in a file of its partition and bucket, files
// are in order, nothing is lost.
func TestRouting(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		dir := filepath.Join(t.TempDir(), "t")
		layout := days(6, func(i int) int { return 2 + i%int(1+seed%3) })
		var files []File
		s := NewSink(Options{FS: storage.OSFS{}, Dir: dir, Txn: 5, Columns: salesColumns, Format: linesFormat{}, Sorted: []int{0, 1}, BufferBytes: 1 << (12 + 2*(seed%5)),
			Routing: &Routing{Layout: layout, Folder: func(p *storage.PartitionInfo) string { return p.Name }},
			Publish: func(_ context.Context, f []File) error { files = f; return nil }})
		limit := budget.New("query", 8<<20, nil)
		s.UseBudget(limit)
		var want []string
		var wg sync.WaitGroup
		for k := range 3 {
			var batches []*vector.Batch
			for range 10 {
				b := salesBatch(r, 1+r.IntN(1500), 6)
				batches = append(batches, b)
				for i := range b.NumRows() {
					want = append(want, rowText(b, b.Row(i)))
				}
			}
			wg.Go(func() {
				w, err := s.NewWriter(context.Background(), k)
				for _, b := range batches {
					if err == nil {
						err = w.Write(context.Background(), b)
					}
				}
				if err == nil {
					err = w.Close(context.Background())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		s.Abort()
		if limit.Used() != 0 {
			t.Errorf("seed %d: %d bytes stay reserved", seed, limit.Used())
		}
		got := checkFiles(t, dir, layout, files)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: %d rows, want %d", seed, len(got), len(want))
		}
	}
}

func rowText(b *vector.Batch, row int) string {
	id := "!"
	if !b.Cols[1].IsNull(row) {
		id = fmt.Sprintf("%05d", b.Cols[1].Value(row).Int64())
	}
	return fmt.Sprintf("%03d %s %s", b.Cols[0].Value(row).Int64(), id, b.Cols[2].Value(row).S)
}

// checkFiles checks each file's order, partition and bucket, and returns all rows.
func checkFiles(t *testing.T, dir string, l *storage.Layout, files []File) (rows []string) {
	t.Helper()
	for _, f := range files {
		mine := readLines(t, filepath.Join(dir, f.Name))
		if int64(len(mine)) != f.Rows {
			t.Errorf("%s: %d rows, want %d", f.Name, len(mine), f.Rows)
		}
		rows = append(rows, mine...)
		last := ""
		for _, row := range mine {
			var day int64
			var id string
			fmt.Sscan(row, &day, &id)
			key := row[:len("000 ")+len(id)]
			if key < last {
				t.Fatalf("%s: %q after %q", f.Name, key, last)
			}
			last = key
			v := vector.NullOf(salesColumns[1].Type)
			if id != "!" {
				var x int64
				fmt.Sscan(strings.TrimLeft(id, "0")+" 0", &x)
				v = vector.IntValue(salesColumns[1].Type, x)
			}
			p := l.Partitions[day]
			if f.Partition != p.ID || f.Bucket != l.Bucketing.Hash.Number([]vector.Value{v}, p.Buckets) || !strings.HasPrefix(f.Name, fmt.Sprintf("%s/%06d_", p.Name, f.Bucket)) {
				t.Fatalf("%s (partition %d, bucket %d) holds %q", f.Name, f.Partition, f.Bucket, row)
			}
		}
	}
	return rows
}

// TestRoutingFaults fails every step of a routed write: nothing is published or left then.
func TestRoutingFaults(t *testing.T) {
	for step := 1; ; step++ {
		dir := filepath.Join(t.TempDir(), "t")
		fs := &faultFS{left: step}
		var published []File
		s := NewSink(Options{FS: fs, Dir: dir, Txn: 5, Columns: salesColumns, Format: linesFormat{}, Sorted: []int{0, 1}, BufferBytes: 24 << 10,
			Routing: &Routing{Layout: days(3, func(int) int { return 2 }), Folder: func(p *storage.PartitionInfo) string { return p.Name }},
			Publish: func(_ context.Context, f []File) error { published = f; return nil }})
		w, err := s.NewWriter(context.Background(), 0)
		r := rand.New(rand.NewPCG(1, 1))
		for range 3 {
			if err == nil {
				err = w.Write(context.Background(), salesBatch(r, 200, 3))
			}
		}
		if err == nil {
			err = w.Close(context.Background())
		}
		if err == nil {
			err = s.Commit(context.Background())
		}
		s.Abort()
		if fs.open != 0 {
			t.Errorf("step %d: %d files stay open", step, fs.open)
		}
		if err == nil {
			if fs.left > 0 {
				return
			}
			continue
		}
		if !errors.Is(err, errFault) || published != nil {
			t.Errorf("step %d: %v, published %v", step, err, published)
		}
		for _, name := range entries(t, dir) {
			if left := entries(t, filepath.Join(dir, name)); len(left) != 0 {
				t.Errorf("step %d: %s/%v is left", step, name, left)
			}
		}
	}
}

// TestRowsWithoutPlace: strict writes fail, lenient ones count, AUTO asks once for what is missing.
func TestRowsWithoutPlace(t *testing.T) {
	write := func(o Options, b *vector.Batch) (*Sink, error) {
		o.FS, o.Dir, o.Txn, o.Columns, o.Format, o.Sorted = storage.OSFS{}, filepath.Join(t.TempDir(), "t"), 1, salesColumns, linesFormat{}, []int{0}
		o.Publish = func(context.Context, []File) error { return nil }
		o.Routing.Folder = func(p *storage.PartitionInfo) string { return p.Name }
		s := NewSink(o)
		w, _ := s.NewWriter(context.Background(), 0)
		if err := w.Write(context.Background(), b); err != nil {
			return s, err
		}
		return s, s.Commit(context.Background())
	}
	one := func(int) int { return 1 }
	batch := func() *vector.Batch {
		b := salesBatch(rand.New(rand.NewPCG(3, 3)), 100, 5)
		b.Sel = nil
		b.Cols[0].SetNull(7)
		return b
	}
	count := func(b *vector.Batch, from int32) (n int64) {
		for i, d := range vector.Values[int32](b.Cols[0]) {
			if d >= from || b.Cols[0].IsNull(i) {
				n++
			}
		}
		return n
	}
	if _, err := write(Options{Routing: &Routing{Layout: days(5, one)}}, batch()); !sqlerr.Is(err, sqlerr.NotNull) {
		t.Errorf("NULL in NOT NULL: %v", err)
	}
	b := batch()
	b.Cols[0].Valid = nil
	if _, err := write(Options{Routing: &Routing{Layout: days(3, one)}}, b); err == nil || !strings.Contains(err.Error(), "no partition for this tuple. tuple=(1970-01-0") {
		t.Errorf("no partition: %v", err)
	}
	b = batch()
	s, err := write(Options{Routing: &Routing{Layout: days(3, one)}, Lenient: true, MaxFiltered: 1}, b)
	if err != nil || s.Filtered() != count(b, 3) {
		t.Errorf("lenient: %v, %d rows left out, want %d", err, s.Filtered(), count(b, 3))
	}
	if _, err := write(Options{Routing: &Routing{Layout: days(3, one)}, Lenient: true, MaxFiltered: 0.1}, b); err == nil || !strings.Contains(err.Error(), "too many filtered data 44/100") {
		t.Errorf("too many rows are dropped: %v", err)
	}
	asked := 0
	b = batch()
	b.Cols[0].Valid = nil
	s, err = write(Options{Routing: &Routing{Layout: days(2, one), Create: func(_ context.Context, tuples [][]vector.Value) (*storage.Layout, error) {
		asked++
		if len(tuples) != 3 {
			t.Errorf("asked for %v", tuples)
		}
		return days(5, one), nil
	}}}, b)
	if err != nil || asked != 1 || len(s.files) != 5 {
		t.Errorf("auto: %v, asked %d times, %d files", err, asked, len(s.files))
	}
}

// TestSortRows compares with a stable sort by values, over all types.
func TestSortRows(t *testing.T) {
	types := []sqltype.Type{sqltype.T(sqltype.Boolean), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt),
		sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Double), sqltype.T(sqltype.Float), sqltype.VarcharOf(0), sqltype.DecimalOf(30, 2)}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		n := 1 + r.IntN(1000)
		var cols []*vector.Vector
		var keys []keyorder.Key
		for k := range 1 + r.IntN(4) {
			ty := types[r.IntN(len(types))]
			v := vector.New(ty, n)
			spread := 1 + r.IntN(1+r.IntN(300))
			for i := range n {
				x := r.IntN(spread) - spread/2
				switch {
				case r.IntN(7) == 0:
					v.SetNull(i)
				case ty.IsString():
					v.SetString(i, strings.Repeat("ab\x00\xff", r.IntN(5))+fmt.Sprint(x)[:r.IntN(2)+len(fmt.Sprint(x))-1])
				case ty.IsFloat():
					v.SetValue(i, vector.Value{Type: ty, F: float64(x) / 4})
				default:
					v.SetValue(i, vector.Value{Type: ty, I: int128.FromInt64(int64(x & (1<<(8*min(ty.Physical().Size(), 4)-1) - 1)))})
				}
			}
			cols, keys = append(cols, v), append(keys, keyorder.Key{Column: k, Descending: r.IntN(3) == 0})
		}
		compare := func(a, b int32) int {
			for k, v := range cols {
				x, y := v.Value(int(a)), v.Value(int(b))
				if keys[k].Descending {
					x, y = y, x
				}
				switch {
				case x.Null && y.Null:
				case x.Null:
					return -1
				case y.Null:
					return 1
				default:
					if c := x.Compare(y); c != 0 {
						return c
					}
				}
			}
			return 0
		}
		want := make([]int32, n)
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, compare)
		got := keyorder.Sort(cols, n, keys)
		if got == nil {
			got = make([]int32, n)
			for i := range got {
				got[i] = int32(i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: rows are not in order (%d rows, %d keys, first of %s)", seed, n, len(keys), cols[0].Type)
		}
	}
}

// batches is a reader of given batches.
type batches struct {
	list   []*vector.Batch
	closed int
}

func (b *batches) Next(context.Context) (*vector.Batch, error) {
	if len(b.list) == 0 {
		return nil, nil
	}
	out := b.list[0]
	b.list = b.list[1:]
	return out, nil
}

func (b *batches) Close() { b.closed++ }

// TestRewrite merges sorted files.
func TestRewrite(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		dir := filepath.Join(t.TempDir(), "t")
		layout := days(1, func(int) int { return 1 })
		var files []File
		s := NewSink(Options{FS: storage.OSFS{}, Dir: dir, Txn: 5, Columns: salesColumns, Format: linesFormat{}, Sorted: []int{0, 1},
			Routing: &Routing{Layout: layout, Folder: func(p *storage.PartitionInfo) string { return p.Name }},
			Publish: func(_ context.Context, f []File) error { files = f; return nil }})
		var inputs []storage.Reader
		var want []string
		for range 1 + r.IntN(5) {
			b := salesBatch(r, 1+r.IntN(3000), 1).Copy()
			perm := keyorder.Sort(b.Cols, b.Len, []keyorder.Key{{Column: 0}, {Column: 1}})
			if perm != nil {
				for i, c := range b.Cols {
					b.Cols[i] = c.Flatten(perm, &vector.Vector{})
				}
			}
			in := &batches{}
			for lo := 0; lo < b.Len; {
				hi := min(b.Len, lo+1+r.IntN(1000))
				in.list = append(in.list, b.View(lo, hi))
				lo = hi
			}
			for i := range b.Len {
				want = append(want, rowText(b, i))
			}
			inputs = append(inputs, in)
		}
		if err := s.Rewrite(context.Background(), &layout.Partitions[0], 0, inputs, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, in := range inputs {
			if in.(*batches).closed == 0 {
				t.Error("an input stays open")
			}
		}
		got := checkFiles(t, dir, layout, files)
		slices.Sort(got)
		slices.Sort(want)
		if len(files) != 1 || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d files, %d rows, want %d", seed, len(files), len(got), len(want))
		}
	}
}
