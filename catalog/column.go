package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// File names of columns: every column keeps the name that it has in files, and no two columns that a table ever had
// share one. So files need not say by which schema they were written, and loads that began before a change are
// right after it.

// InFiles is the column's name in data files.
func (c *Column) InFiles() string {
	if c.Stored != "" {
		return c.Stored
	}
	return c.Name
}

// NewColumn gives a column that a table gets after it was made its id and its name in files. t must be the caller's own,
// as inside ChangeTable.
func (t *Table) NewColumn(c Column) Column {
	last := t.LastColumn
	for i := range t.Columns {
		last = max(last, t.Columns[i].ID)
	}
	t.LastColumn = last + 1
	c.ID, c.Stored = t.LastColumn, ""
	taken := func(name string) bool {
		return slices.Contains(t.Retired, strings.ToLower(name)) ||
			slices.ContainsFunc(t.Columns, func(o Column) bool { return strings.EqualFold(o.InFiles(), name) })
	}
	for name, n := c.Name, 0; ; n++ {
		if !taken(name) {
			if name != c.Name {
				c.Stored = name
			}
			return c
		}
		name = fmt.Sprintf("%s__%d", c.Name, int(c.ID)+n)
	}
}

// RemoveColumn takes the column with an id away; its id and its name in files are never used again.
func (t *Table) RemoveColumn(id int32) {
	for i := range t.Columns {
		t.LastColumn = max(t.LastColumn, t.Columns[i].ID)
	}
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.ID == id })
	if name := strings.ToLower(t.Columns[at].InFiles()); !slices.Contains(t.Retired, name) {
		t.Retired = append(slices.Clone(t.Retired), name)
	}
	t.Columns = slices.Delete(t.Columns, at, at+1)
	t.Statistics = t.Statistics.Without(func(c int32) bool { return c == id })
}

// Rename changes a column's name, not that in files.
func (c *Column) Rename(to string) {
	if c.Stored == "" && c.Name != to {
		c.Stored = c.Name
	}
	if c.Name = to; c.Stored == to {
		c.Stored = ""
	}
}

// NewColumn gives a column that an index gets later its id and its name in files; Base must be set.
func (ix *Index) NewColumn(c IndexColumn) IndexColumn {
	last := ix.LastColumn
	for i := range ix.Columns {
		last = max(last, ix.Columns[i].ID)
	}
	ix.LastColumn = last + 1
	c.ID, c.Stored = ix.LastColumn, fmt.Sprintf("%s__%d", c.Name, ix.LastColumn)
	return c
}

// RemoveColumn takes the column that is one of the table's away, if the index has it.
func (ix *Index) RemoveColumn(base int32) {
	for i := range ix.Columns {
		ix.LastColumn = max(ix.LastColumn, ix.Columns[i].ID)
	}
	ix.Columns = slices.DeleteFunc(slices.Clone(ix.Columns), func(c IndexColumn) bool { return c.Base == base })
}

// RebuildIndex drops the files of an index, which is Building again when the table has rows. Its Columns are the
// caller's to change in the same ChangeTable.
func (tx *Tx) RebuildIndex(database string, table, index int64) error {
	var uncovered []DataFile
	gone, err := tx.changeIndexFiles(database, table, func(t *Table) error {
		t.Indexes = slices.Clone(t.Indexes)
		t.IndexByID(index).Building = len(t.Files) > 0
		t.IndexFiles = slices.DeleteFunc(slices.Clone(t.IndexFiles), func(f DataFile) bool { return f.Index == index })
		for _, f := range t.Files {
			if f.Covers(index) {
				f.Indexed = slices.DeleteFunc(slices.Clone(f.Indexed), func(id int64) bool { return id == index })
				uncovered = append(uncovered, f)
			}
		}
		t.Files = replaced(t.Files, uncovered)
		return nil
	})
	if err != nil {
		return err
	}
	t := tx.TableByID(database, table)
	tx.ops = append(tx.ops, putFiles(t, uncovered))
	for _, f := range gone {
		tx.stale = append(tx.stale, StaleFile{t.Location, f.Path})
	}
	return nil
}
