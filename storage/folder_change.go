package storage

import (
	"path/filepath"
	"slices"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// FileMove is a rename.
type FileMove struct{ From, To string }

// FolderChange replaces files in folders that other programs read: written files go to their places, old ones
// move aside. It is many steps, so whoever does it writes it down before, and Undo takes back whatever
// part of it was done. Paths are absolute. Immutable once it is written down.
type FolderChange struct {
	// Staging is the folder that new files come from and old ones go to. Its name is hidden from readers.
	Staging string
	// Folders are made, parents first; Undo removes those that are empty.
	Folders []string
	// Aside are the old files, Placed the new ones. Nothing has the names of the latter before.
	Aside, Placed []FileMove
}

// Apply makes the change, durably. After an error a part of it is done: see Undo.
func (c *FolderChange) Apply(fs FS) error {
	for _, dir := range c.Folders {
		if err := fs.MkdirAll(dir); err != nil {
			return err
		}
	}
	made := map[string]bool{}
	for _, m := range c.Aside {
		dir := filepath.Dir(m.To)
		if !made[dir] {
			if err := fs.MkdirAll(dir); err != nil {
				return err
			}
			made[dir] = true
		}
		if err := fs.Rename(m.From, m.To); err != nil {
			return err
		}
	}
	for _, m := range c.Placed {
		if err := fs.Rename(m.From, m.To); err != nil {
			return err
		}
	}
	return c.sync(fs)
}

// sync makes the entries of all folders that the change touches durable.
func (c *FolderChange) sync(fs FS) error {
	dirs := map[string]bool{}
	for _, d := range c.Folders {
		dirs[d], dirs[filepath.Dir(d)] = true, true
	}
	for _, m := range c.Aside {
		dirs[filepath.Dir(m.From)], dirs[filepath.Dir(m.To)] = true, true
	}
	for _, m := range c.Placed {
		dirs[filepath.Dir(m.To)] = true
	}
	for d := range dirs {
		if err := fs.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// Undo takes back what was done of the change, whatever that is, and removes the staging folder. It may be
// called again after an error.
func (c *FolderChange) Undo(fs FS) error {
	touched := map[string]bool{}
	for _, m := range c.Placed {
		if err := fs.Remove(m.To); err != nil {
			return err
		}
		touched[filepath.Dir(m.To)] = true
	}
	for _, m := range c.Aside {
		_, err := fs.Stat(m.To)
		if sqlerr.Is(err, sqlerr.FileNotFound) {
			continue
		}
		if err == nil {
			err = fs.Rename(m.To, m.From)
		}
		if err != nil {
			return err
		}
		touched[filepath.Dir(m.From)] = true
	}
	for _, dir := range slices.Backward(c.Folders) {
		entries, err := fs.List(dir)
		if sqlerr.Is(err, sqlerr.FileNotFound) || err == nil && len(entries) > 0 {
			continue
		}
		if err == nil {
			err = fs.Remove(dir)
		}
		if err != nil {
			return err
		}
		delete(touched, dir)
		touched[filepath.Dir(dir)] = true
	}
	for dir := range touched {
		if err := fs.SyncDir(dir); err != nil && !sqlerr.Is(err, sqlerr.FileNotFound) {
			return err
		}
	}
	return fs.RemoveAll(c.Staging)
}
