package spill

import (
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var allTypes = []sqltype.Type{
	sqltype.T(sqltype.Boolean), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt),
	sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Float), sqltype.T(sqltype.Double), sqltype.DecimalOf(12, 2), sqltype.DecimalOf(38, 4),
	sqltype.T(sqltype.String), sqltype.T(sqltype.Null),
}

// randomVector has values of any form.
func randomVector(r *rand.Rand, t sqltype.Type, n int) *vector.Vector {
	v := vector.New(t, n)
	if t.Kind == sqltype.Null {
		v.SetAllNull(n)
		return v
	}
	r.Read(v.Data)
	switch t.Physical() {
	case sqltype.PhysString:
		clear(v.Data)
		for i := range n {
			v.SetString(i, strings.Repeat(fmt.Sprint(r.Intn(50)), r.Intn(20)))
		}
	case sqltype.PhysBool:
		for i := range v.Data {
			v.Data[i] &= 1
		}
	}
	nulls := r.Intn(3) == 0
	switch r.Intn(4) {
	case 0:
		codes := make([]int32, n)
		for i := range codes {
			codes[i] = int32(r.Intn(max(n, 1)))
		}
		v = vector.NewDictionary(v, codes, nil)
	case 1:
		one := vector.CopyOf(v, []int32{0})
		one.Form, one.Len = vector.Constant, n
		return one
	}
	if nulls {
		for i := range n {
			if r.Intn(3) == 0 {
				v.SetNull(i)
			}
		}
	}
	return v
}

func newArea(t *testing.T, fs storage.FS) (*Area, string) {
	dir := filepath.Join(t.TempDir(), "spill")
	return NewStore(fs, dir).NewArea(), dir
}

func TestRoundTrip(t *testing.T) {
	a, dir := newArea(t, storage.OSFS{})
	var written, files, read atomic.Int64
	f, err := a.Create(Counters{&written, &files, &read})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(1))
	w, rd := NewCodec(allTypes), NewCodec(allTypes)
	for round := range 60 {
		n := 1 + r.Intn(300)
		cols := make([]*vector.Vector, len(allTypes))
		for i, ty := range allTypes {
			cols[i] = randomVector(r, ty, n)
		}
		rows := []int32(nil)
		if round%2 == 0 {
			rows = []int32{}
			for range r.Intn(n) {
				rows = append(rows, int32(r.Intn(n)))
			}
		}
		b, err := f.Write(w, cols, n, rows, []byte("extra"), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, extra, err := f.Read(rd, b)
		if err != nil {
			t.Fatal(err)
		}
		if len(extra) != 2 || string(extra[0]) != "extra" || len(extra[1]) != 0 {
			t.Fatalf("extra %q", extra)
		}
		want := n
		if rows != nil {
			want = len(rows)
		}
		if int(b.Rows) != want {
			t.Fatalf("%d rows, want %d", b.Rows, want)
		}
		for i := range cols {
			for j := range want {
				src := j
				if rows != nil {
					src = int(rows[j])
				}
				if x, y := text(got[i], j), text(cols[i], src); x != y {
					t.Fatalf("round %d %s row %d: %s, want %s", round, allTypes[i], j, x, y)
				}
			}
		}
	}
	if written.Load() == 0 || read.Load() != written.Load() || files.Load() != 1 {
		t.Fatalf("counted %d written, %d read, %d files", written.Load(), read.Load(), files.Load())
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	noFiles(t, dir)
	if _, err := a.Create(Counters{}); err == nil {
		t.Fatal("a closed area made a file")
	}
}

func text(v *vector.Vector, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	return string(vector.AppendText(nil, v, i))
}

func noFiles(t *testing.T, dir string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != dir {
			t.Errorf("%s is left", path)
		}
		return nil
	})
}

// Every byte that is changed on disk is found out.
func TestDamage(t *testing.T) {
	a, dir := newArea(t, storage.OSFS{})
	f, err := a.Create(Counters{})
	if err != nil {
		t.Fatal(err)
	}
	types := []sqltype.Type{sqltype.T(sqltype.String), sqltype.T(sqltype.BigInt)}
	c := NewCodec(types)
	b, err := f.Write(c, []*vector.Vector{vector.FromStrings(types[0], "a", "a string that is long"), vector.New(types[1], 2)}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "query-1", "1.spill")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		if i >= 4 && i < 8 {
			continue // the size when unpacked is checked against what comes out
		}
		bad := append([]byte(nil), data...)
		bad[i] ^= 0x10
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.Read(c, b); !sqlerr.Is(err, sqlerr.CorruptFile) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if err := os.WriteFile(path, data[:len(data)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Read(c, b); err == nil {
		t.Fatal("a short file was read")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestParts(t *testing.T) {
	a, dir := newArea(t, storage.OSFS{})
	p, err := a.CreateParts(1, Counters{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(3))
	hashes := make([]uint64, 5000)
	ids := vector.New(sqltype.T(sqltype.BigInt), len(hashes))
	for i := range hashes {
		hashes[i] = r.Uint64()
		vector.Values[int64](ids)[i] = int64(hashes[i])
	}
	c := NewCodec([]sqltype.Type{ids.Type})
	var s Scatter
	s.By(hashes, 1)
	for q := range Fanout {
		if err := p.Write(c, q, []*vector.Vector{ids}, len(hashes), s.Rows(q)); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for q := range Fanout {
		for _, b := range p.Blocks(q) {
			cols, _, err := p.File.Read(c, b)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range vector.Values[int64](cols[0]) {
				seen++
				if PartitionOf(uint64(h), 1) != q {
					t.Fatalf("hash %x in partition %d", h, q)
				}
			}
		}
	}
	if seen != len(hashes) || p.Used() != Fanout {
		t.Fatalf("%d rows in %d partitions", seen, p.Used())
	}
	if err := p.File.Close(); err != nil {
		t.Fatal(err)
	}
	noFiles(t, filepath.Join(dir, "query-1"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// fullDisk fails writes after some bytes.
type fullDisk struct {
	storage.OSFS
	left int
}

type fullFile struct {
	storage.WritableFile
	fs *fullDisk
}

func (d *fullDisk) Create(path string) (storage.WritableFile, error) {
	f, err := d.OSFS.Create(path)
	return &fullFile{f, d}, err
}

func (f *fullFile) Write(b []byte) (int, error) {
	if f.fs.left -= len(b); f.fs.left < 0 {
		return 0, io.ErrShortWrite
	}
	return f.WritableFile.Write(b)
}

func TestWriteError(t *testing.T) {
	a, dir := newArea(t, &fullDisk{left: 200})
	f, err := a.Create(Counters{})
	if err != nil {
		t.Fatal(err)
	}
	c := NewCodec([]sqltype.Type{sqltype.T(sqltype.BigInt)})
	v := vector.New(sqltype.T(sqltype.BigInt), 10)
	for {
		if _, err = f.Write(c, []*vector.Vector{v}, 10, nil); err != nil {
			break
		}
	}
	if !sqlerr.Is(err, sqlerr.FileIO) || !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("got %v", err)
	}
	if _, again := f.Write(c, []*vector.Vector{v}, 1, nil); again == nil {
		t.Fatal("a file whose write failed was written on")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	noFiles(t, dir)
}

func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s := NewStore(storage.OSFS{}, dir)
	if _, err := s.NewArea().Create(Counters{}); err != nil {
		t.Fatal(err)
	}
	// The process dies here; the next one starts.
	if err := NewStore(storage.OSFS{}, dir).Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%v", err)
	}
}
