package table

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// faultFS fails the n-th call that changes the disk, and counts open files.
type faultFS struct {
	storage.OSFS
	left int // calls until the fault; negative: never
	open int
}

var errFault = errors.New("no space left on device")

func (f *faultFS) fail() error {
	f.left--
	if f.left == 0 {
		return sqlerr.Wrap(sqlerr.FileIO, errFault, "fault")
	}
	return nil
}

func (f *faultFS) Create(path string) (storage.WritableFile, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	w, err := f.OSFS.Create(path)
	if err == nil {
		f.open++
	}
	return &faultFile{w, f}, err
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.OSFS.Rename(from, to)
}

func (f *faultFS) SyncDir(dir string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.OSFS.SyncDir(dir)
}

type faultFile struct {
	storage.WritableFile
	fs *faultFS
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.fs.fail(); err != nil {
		return 0, err
	}
	return f.WritableFile.Write(p)
}

func (f *faultFile) Sync() error {
	if err := f.fs.fail(); err != nil {
		return err
	}
	return f.WritableFile.Sync()
}

func (f *faultFile) Close() error {
	f.fs.open--
	return f.WritableFile.Close()
}

// lines writes a row a line; the smallest format.
type lines struct{ f storage.WritableFile }

func (lines) Extension() string { return ".txt" }

func (lines) NewFileWriter(f storage.WritableFile, _ []storage.Column) (FileWriter, error) {
	return &lines{f}, nil
}

func (lines) Stats(fs storage.FS, path string) (*storage.Stats, error) {
	_, err := fs.Stat(path)
	return &storage.Stats{}, err
}

func (l *lines) Write(b *vector.Batch) error {
	for i := range b.NumRows() {
		if _, err := l.f.Write(vector.AppendText(nil, b.Cols[0], b.Row(i))); err != nil {
			return err
		}
	}
	return nil
}

func (l *lines) Close() error { return nil }

// write runs a whole insert of rows through a sink, aborting on errors as the executor does.
func write(fs storage.FS, dir string, txn int64, rows int, publish func([]File) error) error {
	ctx := context.Background()
	s := NewSink(Options{FS: fs, Dir: dir, Txn: txn, Format: lines{}, FileRows: 2,
		Columns: []storage.Column{{Name: "n", Type: sqltype.T(sqltype.BigInt)}},
		Publish: func(_ context.Context, files []File) error { return publish(files) }})
	defer s.Abort()
	w, err := s.NewWriter(ctx, 0)
	if err != nil {
		return err
	}
	for range rows {
		v := vector.New(sqltype.T(sqltype.BigInt), 1)
		if err := w.Write(ctx, vector.NewBatch(1, v)); err != nil {
			return err
		}
	}
	if err := w.Close(ctx); err != nil {
		return err
	}
	return s.Commit(ctx)
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	list, err := storage.OSFS{}.List(dir)
	if err != nil && !sqlerr.Is(err, sqlerr.FileNotFound) {
		t.Fatal(err)
	}
	for _, e := range list {
		out = append(out, e.Name)
	}
	return out
}

// TestFaults fails every single step of a write in turn: either everything is published and
// there, or nothing is, no file stays open, and the error names the cause.
func TestFaults(t *testing.T) {
	for step := 1; ; step++ {
		dir := filepath.Join(t.TempDir(), "t")
		fs := &faultFS{left: step}
		var published []File
		err := write(fs, dir, 7, 5, func(f []File) error { published = f; return nil })
		if fs.open != 0 {
			t.Errorf("step %d: %d files stay open", step, fs.open)
		}
		got := entries(t, dir)
		if err == nil {
			if len(published) != 3 || len(got) != 3 {
				t.Errorf("step %d: published %d files, %v on disk", step, len(published), got)
			}
			if fs.left > 0 {
				return // no step was left to fail
			}
			continue
		}
		if !errors.Is(err, errFault) {
			t.Errorf("step %d: %v", step, err)
		}
		if published != nil || len(got) != 0 {
			t.Errorf("step %d: published %v, left on disk %v", step, published, got)
		}
	}
}

// TestPublishFails removes the renamed files again.
func TestPublishFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	err := write(&faultFS{}, dir, 1, 3, func([]File) error { return errFault })
	if !errors.Is(err, errFault) || len(entries(t, dir)) != 0 {
		t.Errorf("%v, left %v", err, entries(t, dir))
	}
}

// TestSweep leaves what is listed and what is not ours.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	fs := storage.OSFS{}
	for _, name := range []string{"a.txt", "b.txt", "note.md", "_staging_3/c.txt"} {
		path := filepath.Join(dir, name)
		if err := fs.MkdirAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := Sweep(fs, dir, map[string]bool{"a.txt": true}, ".txt"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(entries(t, dir)); got != "[a.txt note.md]" {
		t.Error(got)
	}
	if err := Sweep(fs, filepath.Join(dir, "nope"), nil, ".txt"); err != nil {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
