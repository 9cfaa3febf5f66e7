package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Index is a materialised index of a table: a rollup or a single-table materialised view. It has columns and files
// of its own, in the table's partitions, which are written in the same transaction as the rows they are made of.
// Immutable.
type Index struct {
	ID   int64
	Name string
	// View tells CREATE MATERIALIZED VIEW from ROLLUP; Text is then its query as written, whose i-th item is Columns[i].
	View bool
	Text string `json:",omitempty"`
	// Columns have ids of their own. Keys, which rows are sorted by, come first.
	Columns []IndexColumn
	// Folded: rows of equal keys may become one at any time, the other columns by their Aggregation.
	Folded bool `json:",omitempty"`
	// Building indexes are not read yet: files from before they were made are being indexed.
	Building   bool
	Created    time.Time
	LastColumn int32             `json:",omitempty"` // the largest column id that was given out, 0 for that of Columns
	Properties map[string]string `json:",omitempty"`
}

// IndexColumn is a column of an Index.
type IndexColumn struct {
	Column
	// Base is the id of the table's column that this one is, or aggregates; 0: an expression of the view's query.
	Base int32 `json:",omitempty"`
	// Defined is what the column was defined as, for people.
	Defined string `json:",omitempty"`
}

// Keys is the number of leading columns that rows are sorted by.
func (ix *Index) Keys() int {
	n := 0
	for n < len(ix.Columns) && ix.Columns[n].Key {
		n++
	}
	return n
}

// IndexNamed finds an index by its name, without case; nil when there is none.
func (t *Table) IndexNamed(name string) *Index {
	for i := range t.Indexes {
		if strings.EqualFold(t.Indexes[i].Name, name) {
			return &t.Indexes[i]
		}
	}
	return nil
}

// IndexByID finds an index; nil when there is none.
func (t *Table) IndexByID(id int64) *Index {
	for i := range t.Indexes {
		if t.Indexes[i].ID == id {
			return &t.Indexes[i]
		}
	}
	return nil
}

// Covers reports that the rows of f are in the files of an index.
func (f *DataFile) Covers(index int64) bool { return slices.Contains(f.Indexed, index) }

// AddIndex gives a table another index, and its id. Where the table has files the index is Building until
// CoverFiles has seen all of them.
func (tx *Tx) AddIndex(database string, id int64, ix Index) (Index, error) {
	ix.ID, ix.Created = tx.NewID(), tx.now
	_, err := tx.ChangeTable(database, id, func(t *Table) error {
		if t.IndexNamed(ix.Name) != nil || strings.EqualFold(t.Name, ix.Name) {
			return IndexExists(&ix, t)
		}
		ix.Building = len(t.Files) > 0
		t.Indexes = append(slices.Clone(t.Indexes), ix)
		return nil
	})
	return ix, err
}

// IndexExists is the error of an index name that is taken.
func IndexExists(ix *Index, t *Table) error {
	if ix.View {
		return sqlerr.Detail("Materialized view[%s] already exists in the table %s", ix.Name, t.Name)
	}
	return sqlerr.Detail("Rollup index[%s] already exists in table[%s]", ix.Name, t.Name)
}

// DropIndex takes an index away and returns its files.
func (tx *Tx) DropIndex(database string, table, index int64) ([]DataFile, error) {
	tx.EndJobs(RollupJob, index, JobCancelled, "the index was dropped")
	return tx.changeIndexFiles(database, table, func(t *Table) error {
		t.Indexes = slices.DeleteFunc(slices.Clone(t.Indexes), func(x Index) bool { return x.ID == index })
		t.IndexFiles = slices.DeleteFunc(slices.Clone(t.IndexFiles), func(f DataFile) bool { return f.Index == index })
		return nil
	})
}

// RenameIndex changes the name of an index.
func (tx *Tx) RenameIndex(database string, table, index int64, to string) error {
	_, err := tx.ChangeTable(database, table, func(t *Table) error {
		if o := t.IndexNamed(to); o != nil && o.ID != index || strings.EqualFold(t.Name, to) {
			return sqlerr.Detail("Rollup name[%s] is already used", to)
		}
		t.Indexes = slices.Clone(t.Indexes)
		t.IndexByID(index).Name = to
		return nil
	})
	return err
}

// CoverFiles adds files of an index that hold the rows of covered, files of the table by path with the deleted rows that
// were left out. It does nothing, and says so, when one of them is gone meanwhile, is covered already, or lost more
// rows. The index is complete when no file
// is left that it does not cover.
func (tx *Tx) CoverFiles(database string, table, index int64, covered map[string]*rowset.Set, added []DataFile) (ok bool, err error) {
	old := tx.TableByID(database, table)
	if old == nil || old.IndexByID(index) == nil {
		return false, nil
	}
	var changed []DataFile
	for _, f := range old.Files {
		if gone, ok := covered[f.Path]; ok && gone == f.Deleted && !f.Covers(index) {
			f.Indexed = append(slices.Clone(f.Indexed), index)
			changed = append(changed, f)
		}
	}
	if len(changed) != len(covered) {
		return false, nil
	}
	t, err := tx.ChangeTable(database, table, func(t *Table) error {
		t.Files = replaced(t.Files, changed)
		t.IndexFiles = append(slices.Clone(t.IndexFiles), added...)
		tx.settleIndexes(t)
		return nil
	})
	if err != nil {
		return false, err
	}
	tx.ops = append(tx.ops, putFiles(t, changed), putFiles(t, added))
	return true, nil
}

// settleIndexes makes the indexes visible that cover all files, which ends their jobs.
func (tx *Tx) settleIndexes(t *Table) {
	for i := range t.Indexes {
		if ix := &t.Indexes[i]; ix.Building && !slices.ContainsFunc(t.Files, func(f DataFile) bool { return !f.Covers(ix.ID) }) {
			t.Indexes = slices.Clone(t.Indexes)
			t.Indexes[i].Building = false
			tx.EndJobs(RollupJob, ix.ID, JobFinished, "")
		}
	}
}

// replaced is list with the files of changed in the place of those of the same paths.
func replaced(list, changed []DataFile) []DataFile {
	byPath := make(map[string]*DataFile, len(changed))
	for i := range changed {
		byPath[changed[i].Path] = &changed[i]
	}
	out := slices.Clone(list)
	for i := range out {
		if f := byPath[out[i].Path]; f != nil {
			out[i] = *f
		}
	}
	return out
}

// forget removes the index files of the partitions, and what the files of the table that stay there are covered by:
// their rows are not those that the index files were made of any more. It stores the changes of files.
func (tx *Tx) forget(t *Table, partitions map[int64]bool) {
	if len(t.Indexes) == 0 {
		return
	}
	var kept, stale, uncovered []DataFile
	removed := map[string]bool{}
	for _, f := range t.IndexFiles {
		if partitions[f.Partition] {
			stale = append(stale, f)
			removed[f.Path] = true
		} else {
			kept = append(kept, f)
		}
	}
	for _, f := range t.Files {
		if partitions[f.Partition] && f.Indexed != nil {
			f.Indexed = nil
			uncovered = append(uncovered, f)
		}
	}
	t.IndexFiles, t.Files = kept, replaced(t.Files, uncovered)
	tx.ops = append(tx.ops, removeFiles(t, removed), putFiles(t, uncovered))
	for _, f := range stale {
		tx.stale = append(tx.stale, StaleFile{t.Location, f.Path})
	}
}

// StaleFile is a file that nobody lists any more.
type StaleFile struct{ Location, Path string }

// Stale are the files of indexes that this transaction took out of tables because the rows that they were made of
// changed. They may go once the transaction is there.
func (tx *Tx) Stale() []StaleFile { return tx.stale }

// changeIndexFiles is ChangeTable for changes that take index files away, which are returned.
func (tx *Tx) changeIndexFiles(database string, id int64, change func(t *Table) error) ([]DataFile, error) {
	old := tx.TableByID(database, id)
	t, err := tx.ChangeTable(database, id, change)
	if err != nil {
		return nil, err
	}
	stays := make(map[string]bool, len(t.IndexFiles))
	for i := range t.IndexFiles {
		stays[t.IndexFiles[i].Path] = true
	}
	var gone []DataFile
	removed := map[string]bool{}
	for _, f := range old.IndexFiles {
		if !stays[f.Path] {
			gone = append(gone, f)
			removed[f.Path] = true
		}
	}
	tx.ops = append(tx.ops, removeFiles(t, removed))
	return gone, nil
}

// AllFiles are the files of a table and of its indexes.
func (t *Table) AllFiles() []DataFile {
	if len(t.IndexFiles) == 0 {
		return t.Files
	}
	return slices.Concat(t.Files, t.IndexFiles)
}

// SetAllFiles is the inverse of AllFiles. Files of indexes that the table does not have (any more) are returned.
func (t *Table) SetAllFiles(all []DataFile) (foreign []DataFile) {
	t.Files, t.IndexFiles = nil, nil
	for _, f := range all {
		switch {
		case f.Index == 0:
			t.Files = append(t.Files, f)
		case t.IndexByID(f.Index) != nil:
			t.IndexFiles = append(t.IndexFiles, f)
		default:
			foreign = append(foreign, f)
		}
	}
	return foreign
}
