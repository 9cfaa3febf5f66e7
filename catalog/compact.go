package catalog

import (
	"cmp"
	"slices"

	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Replacement puts one file in the place of others that hold the same rows, all of one
// partition and bucket.
type Replacement struct {
	// Removed are files by path, with the deleted rows that Added takes account of.
	Removed map[string]*rowset.Set
	Added   DataFile // without rows it is not added
}

// Compare orders files of one partition by when their rows came.
func (f *DataFile) Compare(g *DataFile) int {
	return cmp.Or(cmp.Compare(f.Version, g.Version), cmp.Compare(f.Seq, g.Seq))
}

// ReplaceFiles makes the replacements whose removed files are all there still and lost no more rows; the others are
// returned: an overwrite, a truncation, a drop or a deletion was faster. Rows stay what they were, so no
// version grows; an added file takes the place of the last of those that it replaces.
func (tx *Tx) ReplaceFiles(database string, id int64, list []Replacement) (late []Replacement, err error) {
	old := tx.TableByID(database, id)
	if old == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	files := old.AllFiles()
	byPath := make(map[string]*DataFile, len(files))
	for i := range files {
		byPath[files[i].Path] = &files[i]
	}
	removed := map[string]bool{}
	var added []DataFile
	for _, r := range list {
		var last *DataFile
		there := true
		for path, gone := range r.Removed {
			f := byPath[path]
			if there = there && f != nil && f.Deleted == gone && !removed[path] && old.mergeable(last, f); there && (last == nil || last.Compare(f) < 0) {
				last = f
			}
		}
		if !there {
			late = append(late, r)
			continue
		}
		for path := range r.Removed {
			removed[path] = true
		}
		if r.Added.Rows == 0 {
			continue
		}
		r.Added.Version, r.Added.Seq = last.Version, last.Seq
		r.Added.Index, r.Added.Indexed = last.Index, old.coverage(last)
		added = append(added, r.Added)
	}
	if len(removed) == 0 {
		return late, nil
	}
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		left := slices.DeleteFunc(slices.Clone(files), func(f DataFile) bool { return removed[f.Path] })
		t.SetAllFiles(append(left, added...))
		return nil
	})
	if err != nil {
		return late, err
	}
	tx.ops = append(tx.ops, removeFiles(t, removed), putFiles(t, added))
	return late, nil
}

// mergeable reports that files may be merged: both are of one index, or their rows are in the files of the same indexes.
func (t *Table) mergeable(a, b *DataFile) bool {
	return a == nil || a.Index == b.Index && slices.Equal(t.coverage(a), t.coverage(b))
}

// coverage are the indexes of t that cover a file.
func (t *Table) coverage(f *DataFile) (out []int64) {
	for i := range t.Indexes {
		if f.Covers(t.Indexes[i].ID) {
			out = append(out, t.Indexes[i].ID)
		}
	}
	return out
}
