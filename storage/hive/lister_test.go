package hive

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/basaltdb/basalt/storage"
)

// countingFS counts folders that are read.
type countingFS struct {
	storage.OSFS
	lists int
}

func (c *countingFS) List(dir string) ([]storage.FileInfo, error) {
	c.lists++
	return c.OSFS.List(dir)
}

// TestLister reads folders anew when, and only when, something may have changed.
func TestLister(t *testing.T) {
	root := tree(t, "k=1/a", "k=1/b", "k=2/a", "k=3/x/skipped")
	age := func(dir string, by time.Duration) {
		at := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(root, dir), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"", "k=1", "k=2", "k=3"} {
		age(d, time.Hour)
	}
	fs := &countingFS{}
	l := NewLister(fs)
	walk := func(wantParts, wantFiles, wantLists int) {
		t.Helper()
		fs.lists = 0
		l.Begin()
		parts, err := l.Discover(root, []string{"k"})
		l.End()
		files := 0
		for _, p := range parts {
			files += len(p.Files)
		}
		if err != nil || len(parts) != wantParts || files != wantFiles || fs.lists != wantLists {
			t.Errorf("%d partitions, %d files, %d folders read, %v; want %d, %d, %d", len(parts), files, fs.lists, err, wantParts, wantFiles, wantLists)
		}
	}
	fresh := func(want bool) {
		t.Helper()
		if fs.lists = 0; l.Fresh() != want || fs.lists != 0 {
			t.Errorf("Fresh is not %v, or read %d folders", want, fs.lists)
		}
	}
	fresh(false)
	walk(3, 3, 4)
	fresh(true)
	walk(3, 3, 0)

	if err := os.WriteFile(filepath.Join(root, "k=2/b"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh(false)
	walk(3, 4, 1)
	fresh(false) // the folder changed just now: a second change may show the same time
	walk(3, 4, 1)
	age("k=2", time.Minute)
	walk(3, 4, 1)
	fresh(true)

	if err := os.WriteFile(filepath.Join(root, "k=1/empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	age("k=1", time.Minute)
	walk(3, 4, 1)
	fresh(false) // somebody may be about to write it
	if err := os.WriteFile(filepath.Join(root, "k=1/empty"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	walk(3, 5, 1)
	fresh(true)

	if err := os.RemoveAll(filepath.Join(root, "k=3")); err != nil {
		t.Fatal(err)
	}
	age("", time.Minute)
	fresh(false)
	walk(2, 5, 1)
	fresh(true)

	// A folder that is not there may come.
	l.Begin()
	if _, err := l.Discover(root, []string{"k"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Files(filepath.Join(root, "elsewhere")); err == nil {
		t.Error("a folder that is not there was listed")
	}
	l.End()
	fresh(true)
	if err := os.Mkdir(filepath.Join(root, "elsewhere"), 0o755); err != nil {
		t.Fatal(err)
	}
	age("", time.Minute) // even if the folder above hides it
	fresh(false)
}
