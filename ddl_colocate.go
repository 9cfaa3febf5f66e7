package basalt

import (
	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

const colocateProperty = "colocate_with"

// checkColocatable fails for tables that cannot be in any colocate group.
func checkColocatable(t *catalog.Table) error {
	switch {
	case t.Distribution.Kind == catalog.RandomDistributed:
		return sqlerr.Detail("Colocate table must use hash distribution: %s is distributed by RANDOM", t.Name)
	case t.Distribution.Kind != catalog.HashDistributed:
		return sqlerr.Detail("Colocate table must use hash distribution: %s has no DISTRIBUTED BY", t.Name)
	case t.Distribution.Auto:
		return sqlerr.Detail("Colocate table must have a fixed number of buckets: %s has BUCKETS AUTO", t.Name)
	}
	return nil
}

// replicationOf is the number of copies that a table's properties ask for, "" for none.
func replicationOf(t *catalog.Table) string {
	for _, key := range []string{"replication_num", "replication_allocation"} {
		if v := t.Properties[key]; v != "" {
			return v
		}
	}
	return ""
}

// groupOf is the qualified name of the group that t's properties name, "" for none.
func groupOf(tx *catalog.Tx, t *catalog.Table) string {
	name := t.Properties[colocateProperty]
	if name == "" {
		return ""
	}
	return catalog.GroupName(tx.DatabaseID(t.Database), name)
}

// joinGroup puts a new table into the group that its properties name.
func joinGroup(tx *catalog.Tx, t *catalog.Table) error {
	group := groupOf(tx, t)
	if group == "" {
		return nil
	}
	return tx.JoinGroup(t.Database, t.ID, group, replicationOf(t))
}

// checkGroup fails early for a table that is still to be written: joinGroup decides.
func checkGroup(tx *catalog.Tx, t *catalog.Table) error {
	if g := tx.Group(groupOf(tx, t)); g != nil {
		return catalog.CheckGroup(g, t, replicationOf(t))
	}
	return nil
}

// setGroup is ALTER TABLE … SET ("colocate_with" = …).
func setGroup(tx *catalog.Tx, t *catalog.Table, name string) error {
	if name == "" {
		if t.Group == "" {
			return sqlerr.New(sqlerr.ColocateNotInUse, "Table %s is not a colocated table", t.Name)
		}
		return tx.JoinGroup(t.Database, t.ID, "", "")
	}
	if err := checkColocatable(t); err != nil {
		return err
	}
	return tx.JoinGroup(t.Database, t.ID, catalog.GroupName(tx.DatabaseID(t.Database), name), replicationOf(t))
}

// SetColocateGroupStable marks a colocate group, named by its GroupId of SHOW PROC '/colocation_group',
// as stable or not. Joins of an unstable group move their rows: an operator's way to take a group
// whose files are in doubt out of use.
func (db *DB) SetColocateGroupStable(id string, stable bool) error {
	for _, g := range db.cat.Groups() {
		if groupID(g) == id {
			return db.cat.Update(func(tx *catalog.Tx) error { return tx.SetGroupStable(g.Name, stable) })
		}
	}
	return sqlerr.Detail("Unknown colocate group: %s", id)
}
