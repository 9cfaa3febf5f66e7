package catalog

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Replacement puts one file in the place of others that hold the same rows, all of one
// partition and bucket.
type Replacement struct {
	Removed []string // paths
	Added   DataFile
}

// ReplaceFiles makes the replacements whose removed files are all there still; the others are
// returned: an overwrite, a truncation or a drop was faster. Rows stay what they were, so no
// version grows; an added file has the last version of those it replaces.
func (tx *Tx) ReplaceFiles(database string, id int64, list []Replacement) (late []Replacement, err error) {
	old := tx.TableByID(database, id)
	if old == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	byPath := make(map[string]*DataFile, len(old.Files))
	for i := range old.Files {
		byPath[old.Files[i].Path] = &old.Files[i]
	}
	removed := map[string]bool{}
	var added []DataFile
	for _, r := range list {
		version, there := int64(0), true
		for _, path := range r.Removed {
			f := byPath[path]
			if there = there && f != nil && !removed[path]; there {
				version = max(version, f.Version)
			}
		}
		if !there {
			late = append(late, r)
			continue
		}
		for _, path := range r.Removed {
			removed[path] = true
		}
		r.Added.Version = version
		added = append(added, r.Added)
	}
	if len(added) == 0 {
		return late, nil
	}
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		t.Files = slices.DeleteFunc(slices.Clone(old.Files), func(f DataFile) bool { return removed[f.Path] })
		t.Files = append(t.Files, added...)
		return nil
	})
	if err != nil {
		return late, err
	}
	tx.ops = append(tx.ops, removeFiles(t, removed), putFiles(t, added))
	return late, nil
}
