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

// FS is the one door to disk: everything the engine reads or writes in data folders goes
// through it, so that tests can inject failures and crashes. Paths are the operating
// system's. Safe for concurrent use.
type FS interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create makes a new file for writing; it must not exist.
	Create(path string) (WritableFile, error)
	Stat(path string) (FileInfo, error)
	// List returns the entries of a folder, ordered by name.
	List(dir string) ([]FileInfo, error)
	MkdirAll(dir string) error
	Rename(from, to string) error
	Remove(path string) error
	RemoveAll(path string) error
	// SyncDir makes renames and creations in dir durable.
	SyncDir(dir string) error
}

// File is an open file. ReadAt is safe for concurrent use.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// WritableFile is a file being written; Sync makes its bytes durable.
type WritableFile interface {
	io.Writer
	io.Closer
	Sync() error
}

// FileInfo describes a file or folder.
type FileInfo struct {
	Name    string // last element
	Size    int64
	ModTime time.Time
	Dir     bool
}

// OS is the real file system.
var OS FS = osFS{}

type osFS struct{}

type osFile struct {
	*os.File
	size int64
}

func (f osFile) Size() int64 { return f.size }

func (osFS) Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, FileError(err, path)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = errors.New("is a directory")
	}
	if err != nil {
		f.Close()
		return nil, FileError(err, path)
	}
	return osFile{f, st.Size()}, nil
}

func (osFS) Create(path string) (WritableFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, FileError(err, path)
	}
	return f, nil
}

func (osFS) Stat(path string) (FileInfo, error) {
	st, err := os.Stat(path)
	if err != nil {
		return FileInfo{}, FileError(err, path)
	}
	return infoOf(st), nil
}

func (osFS) List(dir string) ([]FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, FileError(err, dir)
	}
	out := make([]FileInfo, 0, len(entries))
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(dir, e.Name())) // follows links
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile, or a dangling link
		}
		if err != nil {
			return nil, FileError(err, dir)
		}
		info := infoOf(st)
		info.Name = e.Name()
		out = append(out, info)
	}
	return out, nil
}

func (osFS) MkdirAll(dir string) error    { return FileError(os.MkdirAll(dir, 0o755), dir) }
func (osFS) Rename(from, to string) error { return FileError(os.Rename(from, to), to) }
func (osFS) Remove(path string) error     { return FileError(os.Remove(path), path) }
func (osFS) RemoveAll(path string) error  { return FileError(os.RemoveAll(path), path) }
func infoOf(st os.FileInfo) FileInfo      { return FileInfo{st.Name(), st.Size(), st.ModTime(), st.IsDir()} }
func (osFS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return FileError(err, dir)
	}
	defer f.Close()
	return FileError(f.Sync(), dir)
}

// FileError turns an operating system error about path into a *sqlerr.Error; nil stays nil.
func FileError(err error, path string) error {
	if err == nil {
		return nil
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return sqlerr.Wrap(sqlerr.FileNotFound, err, "cannot open %s", path)
	}
	return sqlerr.Wrap(sqlerr.FileIO, err, "cannot access %s", path)
}
