package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// failingFS fails the n-th call that changes the disk.
type failingFS struct {
	OSFS
	left int
}

var errInjected = errors.New("injected")

func (f *failingFS) step() error {
	if f.left--; f.left == 0 {
		return errInjected
	}
	return nil
}

func (f *failingFS) MkdirAll(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OSFS.MkdirAll(dir)
}

func (f *failingFS) Rename(from, to string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OSFS.Rename(from, to)
}

func (f *failingFS) Remove(path string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OSFS.Remove(path)
}

func (f *failingFS) SyncDir(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OSFS.SyncDir(dir)
}

// listing is all files below dir with their content.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			out = append(out, rel+"/")
			return nil
		}
		data, err := os.ReadFile(path)
		out = append(out, rel+"="+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestFolderChange fails every step of a change in turn, and every step of taking it back: what Undo leaves is
// what was there before.
func TestFolderChange(t *testing.T) {
	for fail := 1; ; fail++ {
		root := t.TempDir()
		put := func(name, body string) {
			path := filepath.Join(root, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		at := func(name string) string { return filepath.Join(root, name) }
		put("p=1/000000_0", "old")
		put("p=2/keep", "kept")
		before := listing(t, root)
		for i := range 3 {
			put(fmt.Sprintf("_staging/%d", i), fmt.Sprint("new", i))
		}
		c := &FolderChange{Staging: at("_staging"), Folders: []string{at("p=3"), at("p=3/q=1")},
			Aside:  []FileMove{{at("p=1/000000_0"), at("_staging/old/0")}},
			Placed: []FileMove{{at("_staging/0"), at("p=1/000000_0_copy_1")}, {at("_staging/1"), at("p=2/000000_0")}, {at("_staging/2"), at("p=3/q=1/000000_0")}}}
		err := c.Apply(&failingFS{left: fail})
		if err == nil {
			want := "./ _staging/ _staging/old/ _staging/old/0=old p=1/ p=1/000000_0_copy_1=new0 p=2/ p=2/000000_0=new1 p=2/keep=kept p=3/ p=3/q=1/ p=3/q=1/000000_0=new2"
			if got := listing(t, root); got != want {
				t.Errorf("applied:\n got %s\nwant %s", got, want)
			}
		} else if !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
		for undo := 1; ; undo++ { // the process dies again and again
			if err := c.Undo(&failingFS{left: undo}); err == nil {
				break
			} else if !errors.Is(err, errInjected) {
				t.Fatal(err)
			}
		}
		if got := listing(t, root); got != before {
			t.Errorf("undone after step %d:\n got %s\nwant %s", fail, got, before)
		}
		if err == nil {
			return
		}
	}
}
