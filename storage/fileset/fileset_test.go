package fileset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var (
	dayType = sqltype.T(sqltype.Date)
	bigType = sqltype.T(sqltype.BigInt)
)

// world is a table of 4 days with 4 buckets each, and 3 files a bucket. Files of an uneven day were
// written before the column late existed. File k of a bucket holds amounts of 1000*k ….
type world struct {
	columns []storage.Column
	files   []File
	data    map[string][][4]int64 // path -> rows of day, id, amount, late
	mu      sync.Mutex
	opened  []string
}

const lateDefault = 77

func newWorld(rowsDeclared int64) (*world, Options) {
	w := &world{data: map[string][][4]int64{}, columns: []storage.Column{{Name: "day", Type: dayType}, {Name: "id", Type: bigType}, {Name: "amount", Type: bigType}, {Name: "late", Type: bigType, Nullable: true}}}
	l := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0}, Bucketing: &storage.Bucketing{Hash: bucket.DorisCRC32, Columns: []int{1}, Buckets: 4, Trusted: true}}
	v := vector.IntValue(bigType, lateDefault)
	old := &Schema{Constants: []*vector.Value{nil, nil, nil, &v}}
	for d := range int64(4) {
		l.Partitions = append(l.Partitions, storage.PartitionInfo{ID: 10 + d, Name: fmt.Sprint("p", d), Buckets: 4, FirstTablet: 100 + 4*d, Bounds: storage.PartitionBounds{
			Lower: []storage.Endpoint{{Value: vector.IntValue(dayType, d)}}, Upper: []storage.Endpoint{{Value: vector.IntValue(dayType, d+1)}}}})
	}
	for id := range int64(400) {
		d := id % 4
		b := l.Bucketing.Hash.Number([]vector.Value{vector.IntValue(bigType, id)}, 4)
		k := id / 4 % 3
		path := fmt.Sprintf("p%d/%06d_%d", d, b, k)
		if w.data[path] == nil {
			f := File{Path: path, Format: "mem", Partition: int32(d), Bucket: b}
			if d%2 == 1 {
				f.Schema = old
			}
			w.files = append(w.files, f)
		}
		w.data[path] = append(w.data[path], [4]int64{d, id, 1000*k + id%10, id})
	}
	for i := range w.files {
		f := &w.files[i]
		f.Rows, f.Bytes = int64(len(w.data[f.Path])), 1000
		if rowsDeclared != 0 {
			f.Rows = rowsDeclared
		}
	}
	return w, Options{Columns: w.columns, Layout: l, Files: w.files, Formats: map[string]Open{"mem": w.open}, Range: func(file, column int) storage.Range {
		r := storage.Range{Rows: w.files[file].Rows}
		for _, row := range w.data[w.files[file].Path] {
			v := vector.IntValue(w.columns[column].Type, row[column])
			if r.Min == nil || v.Compare(*r.Min) < 0 {
				r.Min = &v
			}
			if r.Max == nil || v.Compare(*r.Max) > 0 {
				r.Max = &v
			}
		}
		return r
	}}
}

// open is the format: columns are found by name, those that are not there are NULL.
func (w *world) open(_ storage.FS, paths []string, cols []storage.Column) (storage.Source, error) {
	w.mu.Lock()
	w.opened = append(w.opened, paths[0])
	w.mu.Unlock()
	rows := w.data[paths[0]]
	return &storage.Memory{Schema: cols, Size: int64(len(rows)), Fill: func(context.Context) ([]*vector.Batch, error) {
		b := vector.NewBatch(len(rows))
		for _, c := range cols {
			v := vector.New(c.Type, len(rows))
			at := slices.IndexFunc(w.columns, func(x storage.Column) bool { return x.Name == c.Name })
			for i := range rows {
				if at < 0 {
					v.SetNull(i)
				} else {
					v.SetValue(i, vector.IntValue(c.Type, rows[i][at]))
				}
			}
			b.Cols = append(b.Cols, v)
		}
		return []*vector.Batch{b}, nil
	}}, nil
}

// scan reads all of a source as sorted lines, and counts.
func scan(t *testing.T, w *world, s storage.Source, req *storage.ScanRequest) ([]string, *storage.ScanCounters) {
	t.Helper()
	req.Counters = &storage.ScanCounters{}
	w.opened = nil
	splits, err := s.Splits(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, sp := range splits {
		rd, err := s.Open(context.Background(), sp, req)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := rd.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			for i := range b.NumRows() {
				var parts []string
				for _, c := range b.Cols {
					parts = append(parts, c.Value(b.Row(i)).Text())
				}
				rows = append(rows, strings.Join(parts, " "))
			}
		}
		rd.Close()
	}
	slices.Sort(rows)
	return rows, req.Counters
}

// want are the rows that pass keep.
func (w *world) want(keep func(row [4]int64) bool) (rows []string) {
	for i := range w.files {
		for _, r := range w.data[w.files[i].Path] {
			if w.files[i].Schema != nil {
				r[3] = lateDefault
			}
			if keep(r) {
				rows = append(rows, fmt.Sprintf("%s %d %d %d", vector.IntValue(dayType, r[0]).Text(), r[1], r[2], r[3]))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

func all() *storage.ScanRequest {
	return &storage.ScanRequest{Columns: []int{0, 1, 2, 3}, Limit: -1}
}

func pred(op storage.Op, column int, values ...int64) storage.Predicate {
	p := storage.Predicate{Op: op, Column: column}
	for _, v := range values {
		t := bigType
		if column == 0 {
			t = dayType
		}
		p.Values = append(p.Values, vector.IntValue(t, v))
	}
	return p
}

// TestPrune: partitions, buckets and files that cannot match are not opened, and counted.
func TestPrune(t *testing.T) {
	for _, declared := range []int64{0, 1 << 20} { // small files, and large ones
		w, o := newWorld(declared)
		s := New(o)
		numbers := func(c *storage.ScanCounters) string {
			return fmt.Sprintf("partitions %d of %d, tablets %d of %d, files %d of %d", c.PartitionsPruned.Load(), c.PartitionsTotal.Load(),
				c.TabletsPruned.Load(), c.TabletsTotal.Load(), c.FilesPruned.Load(), c.FilesTotal.Load())
		}
		check := func(want string, files int, preds ...storage.Predicate) {
			t.Helper()
			req := all()
			req.Prune = preds
			rows, c := scan(t, w, s, req)
			if got := numbers(c); got != want {
				t.Errorf("%v: pruned %s, want %s", preds, got, want)
			}
			if len(w.opened) != files {
				t.Errorf("%v: opened %v, want %d files", preds, w.opened, files)
			}
			for _, r := range w.want(func(r [4]int64) bool { return matches(preds, r) }) {
				if _, ok := slices.BinarySearch(rows, r); !ok {
					t.Fatalf("%v: row %s is lost", preds, r)
				}
			}
		}
		check("partitions 0 of 4, tablets 0 of 16, files 0 of 48", 48)
		check("partitions 3 of 4, tablets 12 of 16, files 36 of 48", 12, pred(storage.OpEq, 0, 2))
		check("partitions 2 of 4, tablets 8 of 16, files 24 of 48", 24, pred(storage.OpGe, 0, 2))
		check("partitions 0 of 4, tablets 0 of 16, files 32 of 48", 16, pred(storage.OpLt, 2, 1000))
		check("partitions 4 of 4, tablets 16 of 16, files 48 of 48", 0, pred(storage.OpGt, 0, 3))
		check("partitions 3 of 4, tablets 15 of 16, files 47 of 48", 1, pred(storage.OpEq, 1, 5), pred(storage.OpEq, 0, 1), pred(storage.OpLt, 2, 2000), pred(storage.OpGe, 2, 1000))
		check("partitions 0 of 4, tablets 0 of 16, files 24 of 48", 24, pred(storage.OpGt, 3, lateDefault)) // more than the default: not in old files
	}
}

// matches evaluates predicates on a row.
func matches(preds []storage.Predicate, r [4]int64) bool {
	for _, p := range preds {
		x := r[p.Column]
		ok := false
		for _, v := range p.Values {
			switch y := v.Int64(); p.Op {
			case storage.OpEq, storage.OpIn:
				ok = ok || x == y
			case storage.OpGe:
				ok = x >= y
			case storage.OpGt:
				ok = x > y
			case storage.OpLt:
				ok = x < y
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// TestRestrict reads selections; buckets partition the rows.
func TestRestrict(t *testing.T) {
	w, o := newWorld(0)
	s := New(o)
	rows := 0
	for b := range int32(4) {
		part := s.Restrict(s.Selection().OneBucket(b))
		got, _ := scan(t, w, part, all())
		rows += len(got)
		for _, path := range w.opened {
			if !strings.Contains(path, fmt.Sprintf("/%06d_", b)) {
				t.Errorf("bucket %d reads %s", b, path)
			}
		}
		if int64(len(got)) != part.Stats().Rows {
			t.Errorf("bucket %d: %d rows, statistics say %d", b, len(got), part.Stats().Rows)
		}
		splits, _ := part.Splits(context.Background(), all())
		for _, sp := range splits {
			if bucket := sp.(Bucketed).Bucket(); bucket != b {
				t.Errorf("split %s of bucket %d", sp, bucket)
			}
		}
	}
	if rows != 400 {
		t.Errorf("%d rows in all buckets", rows)
	}
	two := s.Restrict(&storage.Selection{Partitions: []int{1, 3}, Buckets: [][]int32{nil, {0, 2}}})
	got, _ := scan(t, w, two, all())
	want := w.want(func(r [4]int64) bool {
		b := bucket.DorisCRC32.Number([]vector.Value{vector.IntValue(bigType, r[1])}, 4)
		return r[0] == 1 || r[0] == 3 && b%2 == 0
	})
	if !slices.Equal(got, want) {
		t.Errorf("two partitions: %d rows, want %d", len(got), len(want))
	}
}

// TestConstants: columns that old files lack read as their default, for filters too.
func TestConstants(t *testing.T) {
	w, o := newWorld(0)
	s := New(o)
	got, _ := scan(t, w, s, all())
	if want := w.want(func([4]int64) bool { return true }); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d: %v", len(got), len(want), got[:3])
	}
	made := 0
	req := &storage.ScanRequest{Columns: []int{3, 1}, Limit: -1, Prune: []storage.Predicate{pred(storage.OpEq, 3, lateDefault)},
		Filters: []storage.Filter{{Columns: []int{3}, New: func() (storage.FilterFunc, error) {
			made++
			return func(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
				out := []int32{}
				for i := range n {
					if v := cols[0].Value(i); !v.Null && v.Int64() == lateDefault && (sel == nil || slices.Contains(sel, int32(i))) {
						out = append(out, int32(i))
					}
				}
				return out, nil
			}, nil
		}}}}
	got, _ = scan(t, w, s, req)
	if len(got) != 200 || got[0][:3] != "77 " {
		t.Errorf("%d rows with the default, want 200: %v", len(got), got[:3])
	}
	if made > 16+4 {
		t.Errorf("filters were made %d times: files of one pack share theirs", made)
	}
}

// TestStats merges what is known of the selected files.
func TestStats(t *testing.T) {
	_, o := newWorld(0)
	s := New(o)
	st := s.Stats()
	if st.Rows != 400 || st.Columns[1].Min.Int64() != 0 || st.Columns[1].Max.Int64() != 399 || st.Columns[1].Nulls != 0 {
		t.Errorf("%+v", st)
	}
	l := s.Layout()
	if p := l.Partitions[2]; p.Files != 12 || p.Rows != 100 || p.Bytes != 12000 {
		t.Errorf("%+v", p)
	}
	part := s.Restrict(&storage.Selection{Partitions: []int{1}}).Stats()
	if part.Rows != 100 || part.Columns[0].Min.Int64() != 1 || part.Columns[3].Max.Int64() != lateDefault {
		t.Errorf("%+v", part)
	}
}

// TestLimit stops listing files when there are rows enough.
func TestLimit(t *testing.T) {
	w, o := newWorld(0)
	req := all()
	req.Limit = 20
	rows, _ := scan(t, w, New(o), req)
	if len(rows) < 20 || len(w.opened) > 8 {
		t.Errorf("%d rows of %d files", len(rows), len(w.opened))
	}
}
