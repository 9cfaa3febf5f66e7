package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// FS is the one door to the disk: everything that storage reads or writes goes through
// it, so that tests can crash it, fill it up and break it. Safe for concurrent use.
// Errors are *sqlerr.Error: FileNotFound or FileIO, with the path.
type FS interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create makes a new file for writing; an existing one is truncated.
	Create(path string) (WritableFile, error)
	// Stat describes a file or folder.
	Stat(path string) (FileInfo, error)
	// List is the content of a folder, by name.
	List(dir string) ([]FileInfo, error)
	// MkdirAll makes a folder and its parents.
	MkdirAll(dir string) error
	// Rename replaces newPath atomically.
	Rename(oldPath, newPath string) error
	// Remove deletes a file or an empty folder; nothing there is no error.
	Remove(path string) error
	// RemoveAll deletes a file or a folder with all it holds; nothing there is no error.
	RemoveAll(path string) error
	// SyncDir makes the folder's entries durable.
	SyncDir(dir string) error
}

// FileInfo describes a file. Name is its last path element.
type FileInfo struct {
	Name    string
	Size    int64
	ModTime time.Time
	IsDir   bool
}

// File is an open file for reading. ReadAt may be called concurrently.
type File interface {
	io.ReaderAt
	io.Closer
	// Stat describes the open file.
	Stat() (FileInfo, error)
}

// WritableFile is an open file for writing, by one goroutine.
type WritableFile interface {
	io.Writer
	io.Closer
	// Sync makes what was written durable.
	Sync() error
}

// OSFS is the operating system's file system.
type OSFS struct{}

// Open implements FS.
func (OSFS) Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathError(err, path, "open")
	}
	return osFile{f}, nil
}

// Create implements FS.
func (OSFS) Create(path string) (WritableFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, pathError(err, path, "create")
	}
	return f, nil
}

// Stat implements FS.
func (OSFS) Stat(path string) (FileInfo, error) {
	st, err := os.Stat(path)
	if err != nil {
		return FileInfo{}, pathError(err, path, "stat")
	}
	return infoOf(st), nil
}

// List implements FS.
func (OSFS) List(dir string) ([]FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, pathError(err, dir, "list")
	}
	out := make([]FileInfo, 0, len(entries))
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(dir, e.Name())) // through links, which warehouses use
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile, or a dangling link
		}
		if err != nil {
			return nil, pathError(err, dir, "list")
		}
		info := infoOf(st)
		info.Name = e.Name()
		out = append(out, info)
	}
	return out, nil
}

// MkdirAll implements FS.
func (OSFS) MkdirAll(dir string) error {
	return pathError(os.MkdirAll(dir, 0o755), dir, "create folder")
}

// Rename implements FS.
func (OSFS) Rename(oldPath, newPath string) error {
	return pathError(os.Rename(oldPath, newPath), oldPath, "rename")
}

// Remove implements FS.
func (OSFS) Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return pathError(err, path, "remove")
}

// RemoveAll implements FS.
func (OSFS) RemoveAll(path string) error { return pathError(os.RemoveAll(path), path, "remove") }

// SyncDir implements FS.
func (OSFS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return pathError(err, dir, "sync")
	}
	defer f.Close()
	return pathError(f.Sync(), dir, "sync")
}

type osFile struct{ *os.File }

func (f osFile) Stat() (FileInfo, error) {
	st, err := f.File.Stat()
	if err != nil {
		return FileInfo{}, pathError(err, f.Name(), "stat")
	}
	return infoOf(st), nil
}

func infoOf(st os.FileInfo) FileInfo {
	return FileInfo{Name: st.Name(), Size: st.Size(), ModTime: st.ModTime(), IsDir: st.IsDir()}
}

// pathError turns an error of the operating system into ours; nil stays nil.
func pathError(err error, path, verb string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return sqlerr.Wrap(sqlerr.FileNotFound, reason(err), "cannot %s %s", verb, path)
	}
	return sqlerr.Wrap(sqlerr.FileIO, reason(err), "cannot %s %s", verb, path)
}

// reason drops the path that os repeats in its errors.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// FileError turns an error of an open file, or of the operating system, into a
// *sqlerr.Error that names the path; nil stays nil.
func FileError(err error, path, verb string) error { return pathError(err, path, verb) }
