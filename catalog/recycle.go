package catalog

import (
	"maps"
	"slices"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// RecycledKind is what an entry of the recycle bin was.
type RecycledKind uint8

// Recycled kinds.
const (
	RecycledPartition RecycledKind = iota
	RecycledTable
	RecycledDatabase
)

// Recycled is something dropped that RECOVER can bring back. Its files stay until it is
// purged. Immutable.
type Recycled struct {
	ID         int64 // of the partition, table or database
	Kind       RecycledKind
	Name       string
	Database   string
	DatabaseID int64
	// With is the database's ID for a table that went with it.
	With      int64
	TableID   int64      // RecycledPartition: whose it was
	Partition *Partition // RecycledPartition
	Table     *Table     // RecycledTable, with its files
	Files     []DataFile // RecycledPartition
	Views     []*View    // RecycledDatabase
	Location  string     // RecycledDatabase: as given at CREATE; RecycledPartition: the table's
	Dropped   time.Time
}

// Bytes is the size of the files that the entry keeps.
func (r *Recycled) Bytes() int64 {
	files, n := r.Files, int64(0)
	if r.Table != nil {
		files = r.Table.AllFiles()
	}
	for i := range files {
		n += files[i].Bytes
	}
	return n
}

func (tx *Tx) recycle(r *Recycled) {
	tx.ownRecycled()
	r.Dropped = tx.now
	tx.st.recycled[r.ID] = r
	tx.ops = append(tx.ops, putRecycled(r))
}

// takeRecycled removes an entry from the bin.
func (tx *Tx) takeRecycled(id int64) {
	tx.ownRecycled()
	delete(tx.st.recycled, id)
	tx.ops = append(tx.ops, dropRecycled(id))
}

func (tx *Tx) ownRecycled() {
	if !tx.ownsRecycled {
		tx.st.recycled = maps.Clone(tx.st.recycled)
		if tx.st.recycled == nil {
			tx.st.recycled = map[int64]*Recycled{}
		}
		tx.ownsRecycled = true
	}
}

// RecycleTable moves a table to the recycle bin.
func (tx *Tx) RecycleTable(database, name string) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	t := d.tables[name]
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTableDDL, "Unknown table '%s.%s'", database, name)
	}
	delete(d.tables, name)
	tx.ops = append(tx.ops, dropTable(t))
	tx.recycle(&Recycled{ID: t.ID, Kind: RecycledTable, Name: name, Database: database, DatabaseID: d.id, Table: t})
	return nil
}

// RecycleDatabase moves a database with its internal tables and views to the recycle bin.
// External tables go for good: nothing of them is ours.
func (tx *Tx) RecycleDatabase(name string) error {
	d, err := tx.database(name)
	if err != nil {
		return err
	}
	r := &Recycled{ID: d.id, Kind: RecycledDatabase, Name: name, Database: name, DatabaseID: d.id, Location: d.location, Views: sorted(d.views)}
	dropped, err := tx.takeDatabase(name)
	if err != nil {
		return err
	}
	for _, t := range dropped {
		if t.Kind == Internal {
			tx.recycle(&Recycled{ID: t.ID, Kind: RecycledTable, Name: t.Name, Database: name, DatabaseID: d.id, With: d.id, Table: t})
		}
	}
	tx.recycle(r)
	return nil
}

// DropPartition removes a partition: into the recycle bin, or for good with force. The files are
// returned when they are to go.
func (tx *Tx) DropPartition(database string, id int64, name string, temporary, force bool) ([]DataFile, error) {
	old := tx.TableByID(database, id)
	if old == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	p := old.PartitionNamed(name, temporary)
	if p == nil {
		return nil, NoPartition(name, old.Name)
	}
	var gone, kept []DataFile
	removed := map[string]bool{}
	for _, f := range old.AllFiles() {
		if f.Partition == p.ID {
			gone = append(gone, f)
			removed[f.Path] = true
		} else {
			kept = append(kept, f)
		}
	}
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		t.Partitions = slices.DeleteFunc(t.Partitions, func(x Partition) bool { return x.ID == p.ID })
		t.SetAllFiles(kept)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tx.ops = append(tx.ops, removeFiles(t, removed))
	if force {
		return gone, nil
	}
	cp := *p
	tx.recycle(&Recycled{ID: p.ID, Kind: RecycledPartition, Name: p.Name, Database: database, DatabaseID: tx.st.databases[database].id,
		TableID: id, Partition: &cp, Files: gone, Location: t.Location})
	return nil, nil
}

// ReplacePartitions puts next, which are partitions of the table under new names and no longer
// temporary, into the place of old ones, which go for good. Their files are returned.
func (tx *Tx) ReplacePartitions(database string, id int64, old, next []Partition) ([]DataFile, error) {
	ids := map[int64]bool{}
	for i := range old {
		ids[old[i].ID] = true
	}
	moved := map[int64]bool{}
	for i := range next {
		moved[next[i].ID] = true
	}
	var gone []DataFile
	removed := map[string]bool{}
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		var kept []DataFile
		for _, f := range t.AllFiles() {
			if ids[f.Partition] {
				gone = append(gone, f)
				removed[f.Path] = true
			} else {
				kept = append(kept, f)
			}
		}
		var list []Partition
		placed := false
		for _, p := range t.Partitions {
			switch {
			case moved[p.ID]:
			case !ids[p.ID]:
				list = append(list, p)
			case !placed:
				list = append(list, next...)
				placed = true
			}
		}
		t.Partitions = list
		t.SetAllFiles(kept)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tx.ops = append(tx.ops, removeFiles(t, removed))
	return gone, nil
}

// TruncatePartition puts an empty partition into the place of one that has files; as in Doris it
// has a new id. What was there goes the way of DropPartition.
func (tx *Tx) TruncatePartition(database string, id int64, name string, force bool) ([]DataFile, error) {
	t := tx.TableByID(database, id)
	if t == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	p := t.PartitionNamed(name, false)
	if p == nil {
		return nil, NoPartition(name, t.Name)
	}
	if !slices.ContainsFunc(t.Files, func(f DataFile) bool { return f.Partition == p.ID }) {
		return nil, nil
	}
	place := slices.IndexFunc(t.Partitions, func(x Partition) bool { return x.ID == p.ID })
	gone, err := tx.DropPartition(database, id, name, false, force)
	if err != nil {
		return nil, err
	}
	empty := *p
	empty.ID, empty.FirstTablet = 0, 0
	tx.assignPartition(&empty)
	_, err = tx.ChangeTable(database, id, func(t *Table) error {
		t.Partitions = slices.Insert(t.Partitions, place, empty)
		return nil
	})
	return gone, err
}

// NoPartition is the error of a partition that a table does not have.
func NoPartition(name, table string) error {
	return sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", name, table)
}

// recycled finds the entry of a kind that match accepts: that of the id, or the last dropped.
func (tx *Tx) recycled(kind RecycledKind, id int64, match func(r *Recycled) bool) *Recycled {
	var best *Recycled
	for _, r := range tx.st.recycled {
		if r.Kind != kind || id != 0 && r.ID != id || !match(r) {
			continue
		}
		if best == nil || r.Dropped.After(best.Dropped) || r.Dropped.Equal(best.Dropped) && r.ID > best.ID {
			best = r
		}
	}
	return best
}

// RecoverTable brings a dropped table back, under the name as when that is not "". id tells
// which of several tables of a name, 0 the one dropped last.
func (tx *Tx) RecoverTable(database, name string, id int64, as string) (*Table, error) {
	d, err := tx.database(database)
	if err != nil {
		return nil, err
	}
	r := tx.recycled(RecycledTable, id, func(r *Recycled) bool { return r.DatabaseID == d.id && r.Name == name })
	if r == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Unknown table '%s' in the recycle bin of database '%s'", name, database)
	}
	return tx.restoreTable(d, r, as)
}

func (tx *Tx) restoreTable(d *database, r *Recycled, as string) (*Table, error) {
	t := *r.Table
	t.Source, t.Database = nil, d.name
	if as != "" {
		t.Name = as
	}
	if err := d.checkFree(t.Name); err != nil {
		return nil, err
	}
	tx.takeRecycled(r.ID)
	d.tables[t.Name] = &t
	tx.putTable(&t)
	tx.ops = append(tx.ops, putFiles(&t, t.AllFiles()), putStatistics(&t))
	return &t, nil
}

// RecoverDatabase brings a dropped database back with what was dropped with it.
func (tx *Tx) RecoverDatabase(name string, id int64, as string) error {
	r := tx.recycled(RecycledDatabase, id, func(r *Recycled) bool { return r.Name == name })
	if r == nil {
		return sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s' in the recycle bin", name)
	}
	to := name
	if as != "" {
		to = as
	}
	if err := tx.CreateDatabase(to, r.Location); err != nil {
		return err
	}
	d := tx.st.databases[to]
	d.id = r.ID
	tx.ops = append(tx.ops, putDatabase(d))
	tx.takeRecycled(r.ID)
	for _, e := range tx.st.recycled {
		if e.Kind == RecycledTable && e.With == r.ID {
			if _, err := tx.restoreTable(d, e, ""); err != nil {
				return err
			}
		}
	}
	for _, v := range r.Views {
		next := *v
		next.Database = to
		d.views[v.Name] = &next
		tx.ops = append(tx.ops, putView(&next))
	}
	return nil
}

// RecoverPartition brings a dropped partition back with its files. check may refuse it, for
// example when its rows have another partition now.
func (tx *Tx) RecoverPartition(database string, tableID int64, name string, id int64, as string, check func(t *Table, p *Partition) error) error {
	t := tx.TableByID(database, tableID)
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", tableID, database)
	}
	if as != "" && t.InPath() {
		return sqlerr.New(sqlerr.WrongUsage, "The partitions of table '%s' are named by their values", t.Name)
	}
	r := tx.recycled(RecycledPartition, id, func(r *Recycled) bool { return r.TableID == tableID && t.nameKey(r.Name) == t.nameKey(name) })
	if r == nil {
		return sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in the recycle bin of table '%s'", name, t.Name)
	}
	p := *r.Partition
	if as != "" {
		p.Name = as
	}
	if t.PartitionNamed(p.Name, p.Temporary) != nil {
		return PartitionExists(p.Name)
	}
	if err := check(t, &p); err != nil {
		return err
	}
	tx.takeRecycled(r.ID)
	next, err := tx.ChangeTable(database, tableID, func(t *Table) error {
		t.Partitions = append(t.Partitions, p)
		for _, f := range t.SetAllFiles(slices.Concat(t.AllFiles(), r.Files)) {
			tx.stale = append(tx.stale, StaleFile{t.Location, f.Path}) // of indexes that were dropped meanwhile
		}
		return nil
	})
	if err == nil {
		tx.ops = append(tx.ops, putFiles(next, slices.DeleteFunc(slices.Clone(r.Files), func(f DataFile) bool { return f.Index != 0 && next.IndexByID(f.Index) == nil })))
	}
	return err
}

// Purge removes the entries that were dropped before a moment, or that drop names, from the bin
// and returns them, so that their files can go. Tables leave their colocate group then.
func (tx *Tx) Purge(before time.Time, drop func(r *Recycled) bool) []*Recycled {
	var out []*Recycled
	for _, r := range tx.st.recycled {
		if r.Dropped.After(before) && (drop == nil || !drop(r)) {
			continue
		}
		out = append(out, r)
	}
	for _, r := range out {
		tx.takeRecycled(r.ID)
		if r.Table != nil {
			tx.ops = append(tx.ops, dropDictionaries(r.Table.ID))
			tx.leaveGroup(r.Table)
		}
	}
	return out
}

// Recycled lists the recycle bin, oldest first.
func (c *Catalog) Recycled() []*Recycled {
	st := c.current.Load()
	out := slices.Collect(maps.Values(st.recycled))
	slices.SortFunc(out, func(a, b *Recycled) int {
		if d := a.Dropped.Compare(b.Dropped); d != 0 {
			return d
		}
		return int(a.ID - b.ID)
	})
	return out
}
