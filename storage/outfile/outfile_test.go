package outfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/table"
)

// failing counts operations that change the disk and fails the n-th.
type failing struct {
	storage.FS
	n, at int
}

var errBroken = errors.New("broken disk")

func (f *failing) step() error {
	f.n++
	if f.n == f.at {
		return errBroken
	}
	return nil
}

func (f *failing) Create(path string) (storage.WritableFile, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	w, err := f.FS.Create(path)
	return &failingFile{w, f}, err
}

func (f *failing) Rename(a, b string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.Rename(a, b)
}

func (f *failing) SyncDir(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

type failingFile struct {
	storage.WritableFile
	f *failing
}

func (w *failingFile) Write(p []byte) (int, error) {
	if err := w.f.step(); err != nil {
		return 0, err
	}
	return w.WritableFile.Write(p)
}

func (w *failingFile) Sync() error {
	if err := w.f.step(); err != nil {
		return err
	}
	return w.WritableFile.Sync()
}

func (w *failingFile) Close() error {
	if err := w.f.step(); err != nil {
		_ = w.WritableFile.Close()
		return err
	}
	return w.WritableFile.Close()
}

// numbers writes a line a row.
type numbers struct{ f storage.WritableFile }

func (n numbers) Write(b *vector.Batch) error {
	for i := range b.NumRows() {
		if _, err := fmt.Fprintln(n.f, b.Cols[0].Value(b.Row(i)).Int64()); err != nil {
			return err
		}
	}
	return nil
}

func (n numbers) Close() error { return nil }

func run(t *testing.T, fs storage.FS, dir string, parallel bool) (*Sink, error) {
	t.Helper()
	s := New(Options{FS: fs, Columns: []storage.Column{{Name: "n", Type: sqltype.T(sqltype.BigInt)}},
		Writer: func(f storage.WritableFile) (table.FileWriter, error) { return numbers{f}, nil },
		Name:   func(n int) string { return filepath.Join(dir, fmt.Sprintf("out_%d.txt", n)) }, MaxBytes: 8, Parallel: parallel,
		Success: filepath.Join(dir, "out_SUCCESS"), Unique: "x"})
	err := func() error {
		var all []storage.Writer
		for i := range 3 {
			w, err := s.NewWriter(t.Context(), i)
			if err != nil {
				return err
			}
			all = append(all, w)
		}
		for i := range 6 {
			v := vector.FromValues(sqltype.T(sqltype.BigInt), []int64{int64(10 * i), int64(10*i + 1)}, nil)
			if err := all[i%3].Write(t.Context(), vector.NewBatch(2, v)); err != nil {
				return err
			}
		}
		for _, w := range all {
			if err := w.Close(t.Context()); err != nil {
				return err
			}
		}
		return s.Commit(t.Context())
	}()
	s.Abort()
	return s, err
}

func listing(t *testing.T, dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestAllOrNothing fails every single step of a write and looks for leftovers.
func TestAllOrNothing(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		dir := t.TempDir()
		probe := &failing{FS: storage.OSFS{}}
		s, err := run(t, probe, dir, parallel)
		if err != nil {
			t.Fatal(err)
		}
		if got := listing(t, dir); s.Files() < 3 || s.Rows() != 12 || !strings.HasPrefix(got, "out_0.txt out_1.txt out_2.txt") || !strings.HasSuffix(got, "out_SUCCESS") {
			t.Fatalf("%d files, %d rows: %s", s.Files(), s.Rows(), got)
		}
		for at := 1; at <= probe.n; at++ {
			dir := t.TempDir()
			if _, err := run(t, &failing{FS: storage.OSFS{}, at: at}, dir, parallel); err == nil {
				t.Fatalf("step %d failed unseen", at)
			}
			if got := listing(t, dir); got != "" {
				t.Errorf("parallel %v, step %d of %d left %s", parallel, at, probe.n, got)
			}
		}
	}
}

// TestExists keeps a file that is there already.
func TestExists(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "out_1.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, storage.OSFS{}, dir, false); !sqlerr.Is(err, sqlerr.FileExists) {
		t.Error(err)
	}
	if got := listing(t, dir); got != "out_1.txt" {
		t.Error(got)
	}
}
