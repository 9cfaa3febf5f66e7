// Package faults breaks the disk under an engine, for tests: calls of storage.FS fail after a number of others, once or for ever.
// It also notes what was not made durable, and finds files that nobody lists.
package faults

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// Err is in the chain of every error that is made here.
var Err = errors.New("no space left on device")

// Kind is a set of kinds of calls.
type Kind uint8

// The kinds of calls.
const (
	Writes  Kind = 1 << iota // Create, Write, Sync, MkdirAll, Rename, SyncDir
	Reads                    // Open, ReadAt, List, Stat
	Removes                  // Remove, RemoveAll
)

// Plan says which calls fail.
type Plan struct {
	Kinds Kind
	After int  // so many calls of these kinds succeed first
	On    bool // all that follow fail, too, as on a full disk; else one does
}

// FS is the operating system's file system with faults. Safe for concurrent use.
type FS struct {
	storage.OSFS
	mu      sync.Mutex
	plan    Plan            // Kinds is 0 when nothing fails
	dirty   map[string]bool // files written since their last sync
	unnamed map[string]bool // folders whose entries changed since their last sync
}

// New makes one in which nothing fails yet.
func New() *FS { return &FS{dirty: map[string]bool{}, unnamed: map[string]bool{}} }

// Fail makes calls fail, in place of what failed until now.
func (f *FS) Fail(p Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = p
}

// Heal makes all calls succeed.
func (f *FS) Heal() { f.Fail(Plan{}) }

// Undurable are the files and folders that were changed and not synced since, or since Forget.
func (f *FS) Undurable() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(slices.Sorted(maps.Keys(f.dirty)), slices.Sorted(maps.Keys(f.unnamed))...)
}

// Forget forgets what was not synced.
func (f *FS) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.dirty)
	clear(f.unnamed)
}

// step counts a call and makes its error.
func (f *FS) step(k Kind) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.plan.Kinds&k == 0 {
		return nil
	}
	if f.plan.After > 0 {
		f.plan.After--
		return nil
	}
	if !f.plan.On {
		f.plan.Kinds = 0
	}
	return sqlerr.Wrap(sqlerr.FileIO, Err, "fault")
}

// note changes what is noted.
func (f *FS) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// Create implements storage.FS.
func (f *FS) Create(path string) (storage.WritableFile, error) {
	if err := f.step(Writes); err != nil {
		return nil, err
	}
	w, err := f.OSFS.Create(path)
	if err != nil {
		return nil, err
	}
	return &writtenFile{w, f, path}, nil
}

// Open implements storage.FS.
func (f *FS) Open(path string) (storage.File, error) {
	if err := f.step(Reads); err != nil {
		return nil, err
	}
	r, err := f.OSFS.Open(path)
	if err != nil {
		return nil, err
	}
	return &readFile{r, f}, nil
}

// Stat implements storage.FS.
func (f *FS) Stat(path string) (storage.FileInfo, error) {
	if err := f.step(Reads); err != nil {
		return storage.FileInfo{}, err
	}
	return f.OSFS.Stat(path)
}

// List implements storage.FS.
func (f *FS) List(dir string) ([]storage.FileInfo, error) {
	if err := f.step(Reads); err != nil {
		return nil, err
	}
	return f.OSFS.List(dir)
}

// MkdirAll implements storage.FS.
func (f *FS) MkdirAll(dir string) error {
	if err := f.step(Writes); err != nil {
		return err
	}
	return f.OSFS.MkdirAll(dir)
}

// Rename implements storage.FS.
func (f *FS) Rename(from, to string) error {
	if err := f.step(Writes); err != nil {
		return err
	}
	f.note(func() {
		if f.dirty[from] {
			f.dirty[to] = true
		}
		delete(f.dirty, from)
		f.unnamed[filepath.Dir(to)] = true
	})
	return f.OSFS.Rename(from, to)
}

// SyncDir implements storage.FS.
func (f *FS) SyncDir(dir string) error {
	if err := f.step(Writes); err != nil {
		return err
	}
	f.note(func() { delete(f.unnamed, dir) })
	return f.OSFS.SyncDir(dir)
}

// Remove implements storage.FS.
func (f *FS) Remove(path string) error {
	if err := f.step(Removes); err != nil {
		return err
	}
	return f.OSFS.Remove(path)
}

// RemoveAll implements storage.FS.
func (f *FS) RemoveAll(path string) error {
	if err := f.step(Removes); err != nil {
		return err
	}
	return f.OSFS.RemoveAll(path)
}

type writtenFile struct {
	storage.WritableFile
	fs   *FS
	path string
}

func (w *writtenFile) Write(p []byte) (int, error) {
	if err := w.fs.step(Writes); err != nil {
		return 0, err
	}
	w.fs.note(func() { w.fs.dirty[w.path] = true })
	return w.WritableFile.Write(p)
}

func (w *writtenFile) Sync() error {
	if err := w.fs.step(Writes); err != nil {
		return err
	}
	w.fs.note(func() { delete(w.fs.dirty, w.path) })
	return w.WritableFile.Sync()
}

type readFile struct {
	storage.File
	fs *FS
}

func (r *readFile) ReadAt(p []byte, off int64) (int, error) {
	if err := r.fs.step(Reads); err != nil {
		return 0, err
	}
	return r.File.ReadAt(p, off)
}
