package parquet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// memFS is one file in memory.
type memFS struct {
	storage.FS
	data []byte
}

type memFile struct{ *bytes.Reader }

func (memFile) Close() error { return nil }

func (f memFile) Stat() (storage.FileInfo, error) {
	return storage.FileInfo{Name: "mem.parquet", Size: f.Size(), ModTime: time.Unix(0, 0)}, nil
}

func (m *memFS) Open(string) (storage.File, error) { return memFile{bytes.NewReader(m.data)}, nil }

func (m *memFS) Stat(string) (storage.FileInfo, error) {
	return memFile{bytes.NewReader(m.data)}.Stat()
}

// allocated is what reading a file of n bytes may allocate: the stated multiple, plus
// what batches of every column take.
func allocated(n, columns int) uint64 { return uint64(n)*1024 + uint64(columns+1)<<20 + 32<<20 }

// readHostile reads a whole file, all columns and each alone with a selective filter, and
// fails on anything but batches that hold together or an error for users.
func readHostile(t testing.TB, data []byte) error {
	fs := &memFS{data: data}
	f, err := OpenFile(fs, "mem.parquet")
	if err != nil {
		return checkError(t, err)
	}
	s := &Source{columns: f.Columns(), files: []*File{f}}
	s.mapping = [][]mapped{identity(len(s.columns))}
	s.stats = s.mergeStats()
	var first error
	for i, c := range s.columns {
		if c.Comment != "" {
			continue
		}
		for _, every := range []int{1, 3, 100} {
			err := readMutated(t, s, i, every)
			if err != nil && checkError(t, err) != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// maxHostileRows ends the reading of files that claim endless rows.
const maxHostileRows = 200_000

func readMutated(t testing.TB, s *Source, column, every int) error {
	req := &storage.ScanRequest{Columns: []int{column, column}, Limit: -1}
	if every == 3 { // page index, dictionary and bloom filter are foreign bytes too
		v := vector.Value{Type: s.columns[column].Type, S: "v1"}
		req.Prune = []storage.Predicate{{Op: storage.OpOr, Children: []storage.Predicate{
			{Op: storage.OpEq, Column: column, Values: []vector.Value{v}}, {Op: storage.OpIn, Column: column, Values: []vector.Value{v}},
		}}}
	}
	if every > 1 {
		req.Filters = []storage.Filter{{Columns: []int{column}, New: func() (storage.FilterFunc, error) {
			var out []int32
			return func(_ []*vector.Vector, n int, _ []int32) ([]int32, error) {
				out = out[:0]
				for i := 0; i < n; i += every {
					out = append(out, int32(i))
				}
				return out, nil
			}, nil
		}}}
	}
	ctx := context.Background()
	splits, err := s.Splits(ctx, req)
	if err != nil {
		return err
	}
	rows := 0
	for _, sp := range splits {
		r, err := s.Open(ctx, sp, req)
		if err != nil {
			return err
		}
		defer r.Close()
		for rows < maxHostileRows {
			b, err := r.Next(ctx)
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			rows += b.Len
			touch(t, b)
		}
	}
	return nil
}

// touch reads every value of a batch, selected or not.
func touch(t testing.TB, b *vector.Batch) {
	for _, c := range b.Cols {
		if c.Len != b.Len {
			t.Fatalf("vector of %d rows in a batch of %d", c.Len, b.Len)
		}
		for i := range c.Len {
			c.Value(i)
		}
	}
}

// checkError fails on errors that are not for users, and on panics, though queries outlive them.
func checkError(t testing.TB, err error) error {
	if p := new(storage.DecoderPanic); errors.As(err, &p) {
		t.Fatalf("%v\n%s", err, p.Stack)
	}
	if !sqlerr.Is(err, sqlerr.CorruptFile) && !sqlerr.Is(err, sqlerr.NotSupported) && !sqlerr.Is(err, sqlerr.FileIO) && !sqlerr.Is(err, sqlerr.AmbiguousColumn) {
		t.Fatalf("not an error for users: %v", err)
	}
	return err
}

// smallFiles are the corpus's files of at most limit bytes, where it is there, and some
// that our writer makes.
func smallFiles(t testing.TB, limit int64) map[string][]byte {
	out := map[string][]byte{}
	cols := writtenColumns()
	for i := range 8 {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		data, _ := writeRandom(t, r, cols[5*i:5*i+5], 60, i%3, WriterOptions{RowGroupRows: 40, BloomColumns: []int{0, 2, 4}, Codec: [...]string{"zstd", "snappy", "none"}[i%3]})
		out[fmt.Sprint("written ", i)] = data
	}
	filepath.WalkDir(dataDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return nil
		}
		if st, err := d.Info(); err == nil && st.Size() <= limit {
			if b, err := os.ReadFile(path); err == nil {
				out[path] = b
			}
		}
		return nil
	})
	return out
}

// mutate damages a copy of data: bit flips, bytes, truncations, repeated ranges.
func mutate(r *rand.Rand, data []byte) []byte {
	d := bytes.Clone(data)
	for range 1 + r.IntN(4) {
		at := r.IntN(len(d))
		if r.IntN(2) == 0 { // the footer is where most of the structure is
			at = max(0, len(d)-1-r.IntN(min(len(d), 600)))
		}
		switch r.IntN(6) {
		case 0, 1:
			d[at] ^= 1 << r.IntN(8)
		case 2:
			d[at] = byte(r.Uint32())
		case 3:
			d[at] = [...]byte{0, 0xff, 0x7f, 0x80, 1}[r.IntN(5)]
		case 4:
			n := min(1+r.IntN(8), len(d)-at)
			copy(d[at:at+n], d[r.IntN(len(d)-n+1):])
		case 5:
			if r.IntN(8) == 0 && len(d) > 20 {
				cut := 1 + r.IntN(len(d)-16)
				d = append(d[:cut], d[len(d)-8:]...)
			} else {
				d[at] += byte(r.IntN(5)) - 2
			}
		}
	}
	return d
}

// TestMutations damages small files in 10,000 ways: an error or an answer, no panic that
// escapes, and memory within bounds.
func TestMutations(t *testing.T) {
	files := smallFiles(t, 4000)
	names := slices.Sorted(maps.Keys(files))
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 1))
	mutations := 10_000
	if testing.Short() {
		mutations = 1000
	}
	failed := 0
	var before, after runtime.MemStats
	for i := range mutations {
		name := names[i%len(names)]
		d := mutate(r, files[name])
		runtime.ReadMemStats(&before)
		err := readHostile(t, d)
		runtime.ReadMemStats(&after)
		if err != nil {
			failed++
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > allocated(len(d), 30) {
			t.Errorf("%s, mutation %d of %d bytes allocated %d", name, i, len(d), got)
		}
	}
	t.Logf("%d of %d mutations gave an error", failed, mutations)
	if failed < mutations/10 {
		t.Errorf("only %d of %d mutations gave an error", failed, mutations)
	}
}

// TestTruncations cuts small files at every length.
func TestTruncations(t *testing.T) {
	for name, d := range smallFiles(t, 1500) {
		for n := range d {
			if err := readHostile(t, d[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes were read", name, n, len(d))
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, d := range smallFiles(f, 3000) {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, d []byte) { _ = readHostile(t, d) })
}
