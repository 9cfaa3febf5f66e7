package catalog

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/rowset"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// AssignIDs gives t, its columns, its partitions and their tablets the numbers that they do
// not have yet. CREATE TABLE AS needs them before the table is in the catalog: files that are
// written for it carry them.
func (tx *Tx) AssignIDs(t *Table) {
	if t.ID == 0 {
		t.ID = tx.NewID()
	}
	for i := range t.Columns {
		if t.Columns[i].ID == 0 {
			t.Columns[i].ID = int32(i + 1)
		}
	}
	if t.Partitioning == nil && t.Kind == Internal && t.FirstTablet == 0 {
		t.FirstTablet = tx.NewIDs(max(t.Distribution.Buckets, 1))
	}
	for i := range t.Indexes {
		if t.Indexes[i].ID == 0 {
			t.Indexes[i].ID, t.Indexes[i].Created = tx.NewID(), tx.now
		}
	}
	for i := range t.Partitions {
		tx.assignPartition(&t.Partitions[i])
	}
}

func (tx *Tx) assignPartition(p *Partition) {
	if p.ID != 0 {
		return
	}
	p.ID = tx.NewID()
	p.FirstTablet = tx.NewIDs(max(p.Buckets, 1))
	p.Version, p.Created, p.Modified = 1, tx.now, tx.now
}

// TableByID finds a table by its id, so that one renamed meanwhile is found; nil when it is gone.
func (tx *Tx) TableByID(database string, id int64) *Table {
	if d := tx.st.databases[database]; d != nil {
		for _, t := range d.tables {
			if t.ID == id {
				return t
			}
		}
	}
	return nil
}

// ChangeTable gives change a copy of a table, with its own Columns, Partitions and Properties,
// and stores the result. change must not touch Files, ID, Database and Name.
func (tx *Tx) ChangeTable(database string, id int64, change func(t *Table) error) (*Table, error) {
	d, err := tx.database(database)
	if err != nil {
		return nil, err
	}
	old := tx.TableByID(database, id)
	if old == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	next := *old
	next.Source = nil
	next.Columns = slices.Clone(old.Columns)
	next.Partitions = slices.Clone(old.Partitions)
	next.Properties = make(map[string]string, len(old.Properties))
	for k, v := range old.Properties {
		next.Properties[k] = v
	}
	if err := change(&next); err != nil {
		return nil, err
	}
	d.tables[next.Name] = &next
	tx.putTable(&next)
	return &next, nil
}

// AddPartitions appends list to a partitioned table with new ids and Version 1, and returns it as
// stored. Their bounds are the caller's matter; their names must be free.
func (tx *Tx) AddPartitions(database string, id int64, list ...Partition) ([]Partition, error) {
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		taken := make(map[string]bool, len(t.Partitions)+len(list))
		for i := range t.Partitions {
			taken[t.nameKey(t.Partitions[i].Name)] = true
		}
		for _, p := range list {
			name := t.nameKey(p.Name)
			if taken[name] {
				return PartitionExists(p.Name)
			}
			taken[name] = true
			p.ID = 0
			tx.assignPartition(&p)
			t.Partitions = append(t.Partitions, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t.Partitions[len(t.Partitions)-len(list):], nil
}

// PartitionExists is the error of a partition name that is taken.
func PartitionExists(name string) error {
	return sqlerr.New(sqlerr.PartitionExists, "Duplicate partition name %s", name)
}

// InPath tells that the table's partitions are folders key=value, as Hive has them: the folder is a partition's
// name, and data files do not have the partition columns, which are the table's last.
func (t *Table) InPath() bool {
	return t.Partitioning != nil && t.Partitioning.Kind == storage.PathPartitions
}

// nameKey is the form in which partition names of t compare: those of folders as they are, others without case.
func (t *Table) nameKey(name string) string {
	if t.InPath() {
		return name
	}
	return strings.ToLower(name)
}

// PartitionNamed finds a partition by its name, without case but where it is a folder, among the temporary or the
// other ones; nil when there is none. The one partition of an unpartitioned table has no entry.
func (t *Table) PartitionNamed(name string, temporary bool) *Partition {
	folders := t.InPath()
	for i := range t.Partitions {
		if p := &t.Partitions[i]; p.Temporary == temporary && (p.Name == name || !folders && strings.EqualFold(p.Name, name)) {
			return p
		}
	}
	return nil
}

// PartitionByID finds a partition; nil when there is none.
func (t *Table) PartitionByID(id int64) *Partition {
	for i := range t.Partitions {
		if t.Partitions[i].ID == id {
			return &t.Partitions[i]
		}
	}
	return nil
}

// ColumnByID finds a column; nil when there is none.
func (t *Table) ColumnByID(id int32) *Column {
	for i := range t.Columns {
		if t.Columns[i].ID == id {
			return &t.Columns[i]
		}
	}
	return nil
}

// Visible are the columns without the hidden ones, which are the last.
func (t *Table) Visible() []Column {
	n := len(t.Columns)
	for n > 0 && t.Columns[n-1].Hidden {
		n--
	}
	return t.Columns[:n]
}

// Sequence is the column that decides which row of a key is the last in a UNIQUE table, whatever the order of loads;
// nil: the order of loads does.
func (t *Table) Sequence() *Column {
	if t.Model != UniqueKey {
		return nil
	}
	if name := t.Properties["function_column.sequence_col"]; name != "" {
		return t.ColumnNamed(name)
	}
	return t.ColumnNamed(SequenceColumn)
}

// ColumnNamed finds a column by its name, without case; nil when there is none.
func (t *Table) ColumnNamed(name string) *Column {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return &t.Columns[i]
		}
	}
	return nil
}

// Load is one change of a table's rows.
type Load struct {
	Removed map[string]bool // paths of files that go
	Added   []DataFile      // files that come, some of their rows maybe deleted already
	// Deleted are rows of files that stay, by path, in addition to those that are deleted already.
	Deleted map[string]*rowset.Set
}

// SetFiles changes the committed files of a table: the removed paths go, added ones come. It is
// one load; see Load.
func (tx *Tx) SetFiles(database string, id int64, removed map[string]bool, added []DataFile) error {
	return tx.Load(database, id, Load{Removed: removed, Added: added})
}

// Load changes the rows of a table. The version of the table and of each partition that it touches grows by one,
// and the added files get their partition's. The table is found by id, so that a table dropped meanwhile gives an
// error and a renamed one is found; so does a partition dropped meanwhile. Deleted rows of files that are gone
// are passed over: so are the rows.
func (tx *Tx) Load(database string, id int64, load Load) error {
	var kept []DataFile
	touched, changed := map[int64]bool{}, map[int64]bool{}
	var ops []storeOp
	old := tx.TableByID(database, id)
	if old != nil {
		kept = make([]DataFile, 0, len(old.Files)+len(load.Added))
		for _, f := range old.Files {
			gone := load.Deleted[f.Path].Minus(f.Deleted)
			switch {
			case load.Removed[f.Path]:
				touched[f.Partition], changed[f.Partition] = true, true
				continue
			case gone != nil:
				touched[f.Partition], changed[f.Partition] = true, true
				ops = append(ops, deleteRows(old, &f, gone, old.Version+1))
			}
			kept = append(kept, f)
		}
	}
	added := slices.Clone(load.Added)
	for i := range added {
		touched[added[i].Partition] = true
	}
	t, err := tx.ChangeTable(database, id, func(t *Table) error {
		t.Version++
		t.Modified = tx.now
		versions := map[int64]int64{0: t.Version}
		for i := range t.Partitions {
			if p := &t.Partitions[i]; touched[p.ID] {
				p.Version++
				p.Modified = tx.now
				versions[p.ID] = p.Version
			}
		}
		for i := range added {
			v, ok := versions[added[i].Partition]
			if !ok || added[i].Partition == 0 && t.Partitioning != nil {
				return sqlerr.New(sqlerr.UnknownPartition, "Partition %d of table '%s' was dropped meanwhile", added[i].Partition, t.Name)
			}
			added[i].Version, added[i].Seq = v, int32(i)
		}
		t.Files = kept
		if len(changed) > 0 {
			tx.forget(t, changed)
		}
		foreign := t.SetAllFiles(slices.Concat(t.AllFiles(), added))
		for _, f := range foreign { // of an index that was dropped meanwhile
			tx.stale = append(tx.stale, StaleFile{t.Location, f.Path})
		}
		added = slices.DeleteFunc(added, func(f DataFile) bool { return f.Index != 0 && t.IndexByID(f.Index) == nil })
		tx.settleIndexes(t)
		return nil
	})
	if err != nil {
		return err
	}
	tx.ops = append(append(tx.ops, removeFiles(t, load.Removed), putFiles(t, added)), ops...)
	return nil
}
