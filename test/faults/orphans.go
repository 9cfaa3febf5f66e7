package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
)

// Orphans compares the files on disk with those that the catalog of a closed data folder lists, the recycle bin included. In the
// folder external, if there is one, it looks for what writes leave.
func Orphans(dir string) error {
	cat, err := catalog.Open(filepath.Join(dir, "catalog.bolt"), nil)
	if err != nil {
		return err
	}
	defer cat.Close()
	listed := map[string]bool{}
	list := func(location string, files []catalog.DataFile) {
		for i := range files {
			listed[filepath.Join(location, files[i].Path)] = true
		}
	}
	snap := cat.Snapshot()
	for _, name := range snap.Databases() {
		for _, t := range snap.Tables(name) {
			list(t.Location, t.AllFiles())
		}
	}
	for _, r := range cat.Recycled() {
		if list(r.Location, r.Files); r.Table != nil {
			list(r.Table.Location, r.Table.AllFiles())
		}
	}
	root := filepath.Join(dir, "warehouse")
	var extra []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if !listed[rel] {
			extra = append(extra, rel)
		}
		delete(listed, rel)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	eerr := filepath.WalkDir(filepath.Join(dir, "external"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "_") {
			extra = append(extra, path)
		}
		return err
	})
	if eerr != nil && !errors.Is(eerr, fs.ErrNotExist) {
		err = eerr
	}
	slices.Sort(extra)
	if len(extra)+len(listed) > 0 {
		return fmt.Errorf("files that nobody lists: %v; listed files that are not there: %v", extra, listed)
	}
	return err
}
