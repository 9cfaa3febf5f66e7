package storage

import (
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// MovedFiles is an FS that finds files which were moved aside under the paths that they had, until what they were
// moved to is removed: whoever listed a folder before its files were replaced reads on. Safe for
// concurrent use.
type MovedFiles struct {
	FS
	mu    sync.RWMutex
	aside map[string]string // old path -> where the file is now
}

// NewMovedFiles wraps fs.
func NewMovedFiles(fs FS) *MovedFiles { return &MovedFiles{FS: fs, aside: map[string]string{}} }

// Note tells where files went.
func (m *MovedFiles) Note(moves []FileMove) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range moves {
		m.aside[f.From] = f.To
	}
}

// Forget undoes Note.
func (m *MovedFiles) Forget(moves []FileMove) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range moves {
		if m.aside[f.From] == f.To {
			delete(m.aside, f.From)
		}
	}
}

// Moved reports whether something at path was moved aside and is still read.
func (m *MovedFiles) Moved(path string) bool {
	_, ok := m.find(path)
	return ok
}

func (m *MovedFiles) find(path string) (string, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	to, ok := m.aside[path]
	return to, ok
}

// Open implements FS.
func (m *MovedFiles) Open(path string) (File, error) {
	f, err := m.FS.Open(path)
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		if to, ok := m.find(path); ok {
			return m.FS.Open(to)
		}
	}
	return f, err
}

// Stat implements FS.
func (m *MovedFiles) Stat(path string) (FileInfo, error) {
	st, err := m.FS.Stat(path)
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		if to, ok := m.find(path); ok {
			return m.FS.Stat(to)
		}
	}
	return st, err
}

// RemoveAll implements FS: files that had been moved below path are gone.
func (m *MovedFiles) RemoveAll(path string) error {
	m.mu.Lock()
	for from, to := range m.aside {
		if strings.HasPrefix(to, path) {
			delete(m.aside, from)
		}
	}
	m.mu.Unlock()
	return m.FS.RemoveAll(path)
}
