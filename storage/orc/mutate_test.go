package orc

import (
	"bytes"
	"time"

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
	return storage.FileInfo{Name: "mem.orc", Size: f.Size(), ModTime: time.Unix(0, 0)}, nil
}

func (m *memFS) Open(string) (storage.File, error) { return memFile{bytes.NewReader(m.data)}, nil }

func (m *memFS) Stat(string) (storage.FileInfo, error) {
	return memFile{bytes.NewReader(m.data)}.Stat()
}
