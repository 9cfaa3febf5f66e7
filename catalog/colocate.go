package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// globalGroup begins the names of colocate groups that tables of any database may join.
const globalGroup = "__global__"

// ColocateGroup is a named set of tables whose rows have the same bucket when their bucket
// columns are equal. Immutable.
type ColocateGroup struct {
	ID         int64
	DatabaseID int64  // 0 for global groups
	Name       string // as SHOW PROC prints it: databaseID_name, or __global__name
	Tables     []int64
	Buckets    int
	Types      []sqltype.Type // of the bucket columns, in order
	// Replication is the number of copies that the first table asked for, "" when it did not say.
	Replication string
	// Unstable groups are not joined without moving rows; an operator marks them.
	Unstable bool
}

// GroupName qualifies the value of colocate_with for a database.
func GroupName(databaseID int64, name string) string {
	if strings.HasPrefix(name, globalGroup) {
		return name
	}
	return fmt.Sprintf("%d_%s", databaseID, name)
}

// DatabaseID is the id of a database, 0 for an unknown one.
func (tx *Tx) DatabaseID(name string) int64 {
	if d := tx.st.databases[name]; d != nil {
		return d.id
	}
	return 0
}

// Group is a colocate group by its qualified name, nil when there is none.
func (tx *Tx) Group(name string) *ColocateGroup { return tx.st.groups[name] }

// CheckGroup fails with ColocateSchema when t does not fit the group g: its buckets everywhere,
// the number and types of its bucket columns, and its replication when both say one.
func CheckGroup(g *ColocateGroup, t *Table, replication string) error {
	if t.Distribution.Buckets != g.Buckets {
		return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables must have same bucket num: %d", g.Buckets)
	}
	for i := range t.Partitions {
		if t.Partitions[i].Buckets != g.Buckets {
			return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables must have same bucket num: %d", g.Buckets)
		}
	}
	if len(t.Distribution.Columns) != len(g.Types) {
		return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables distribution columns size must be same : %d", len(g.Types))
	}
	for i, id := range t.Distribution.Columns {
		c := t.ColumnByID(id)
		if groupType(c.Type) != groupType(g.Types[i]) {
			return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables distribution columns must have the same data type: %s should be %s", c.Name, g.Types[i])
		}
	}
	if replication != "" && g.Replication != "" && replication != g.Replication {
		return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables must have same replication num: %s", g.Replication)
	}
	return nil
}

// groupType is a type without what its bucket does not depend on: the length of texts.
func groupType(t sqltype.Type) sqltype.Type {
	if t.IsString() {
		t.Length = 0
	}
	return t
}

// JoinGroup puts a table that the catalog has into the group of a qualified name, made when it
// is new, and takes it out of the one it was in; "" only takes it out. A group that the table is
// in already stays as it is.
func (tx *Tx) JoinGroup(database string, id int64, group, replication string) error {
	t := tx.TableByID(database, id)
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
	}
	if t.Group == group {
		return nil
	}
	if group != "" {
		if err := tx.enterGroup(t, group, replication); err != nil {
			return err
		}
	}
	tx.leaveGroup(t)
	g := tx.st.groups[group]
	_, err := tx.ChangeTable(database, id, func(t *Table) error {
		t.Group, t.GroupUnstable = group, g != nil && g.Unstable
		return nil
	})
	return err
}

func (tx *Tx) enterGroup(t *Table, group, replication string) error {
	var next ColocateGroup
	if g := tx.st.groups[group]; g != nil {
		if err := CheckGroup(g, t, replication); err != nil {
			return err
		}
		next = *g
		next.Tables = append(slices.Clone(g.Tables), t.ID)
		if next.Replication == "" {
			next.Replication = replication
		}
	} else {
		next = ColocateGroup{ID: tx.NewID(), Name: group, Tables: []int64{t.ID}, Buckets: t.Distribution.Buckets, Replication: replication}
		if !strings.HasPrefix(group, globalGroup) {
			next.DatabaseID = tx.DatabaseID(t.Database)
		}
		for _, id := range t.Distribution.Columns {
			next.Types = append(next.Types, t.ColumnByID(id).Type)
		}
		if err := CheckGroup(&next, t, replication); err != nil { // partitions with buckets of their own
			return err
		}
	}
	tx.putGroup(&next)
	return nil
}

func (tx *Tx) putGroup(g *ColocateGroup) {
	tx.ownGroups()
	tx.st.groups[g.Name] = g
	tx.ops = append(tx.ops, putGroup(g))
}

func (tx *Tx) ownGroups() {
	if !tx.ownsGroups {
		tx.st.groups = maps.Clone(tx.st.groups)
		if tx.st.groups == nil {
			tx.st.groups = map[string]*ColocateGroup{}
		}
		tx.ownsGroups = true
	}
}

// leaveGroup takes a table out of its group, which ends with its last table. Tables in the
// recycle bin are still members: they may come back.
func (tx *Tx) leaveGroup(t *Table) {
	g := tx.st.groups[t.Group]
	if g == nil {
		return
	}
	next := *g
	next.Tables = slices.DeleteFunc(slices.Clone(g.Tables), func(id int64) bool { return id == t.ID })
	if len(next.Tables) > 0 {
		tx.putGroup(&next)
		return
	}
	tx.ownGroups()
	delete(tx.st.groups, g.Name)
	tx.ops = append(tx.ops, dropGroup(g.Name))
}

// SetGroupStable marks a group and its tables; the planner moves rows in joins of unstable ones.
func (tx *Tx) SetGroupStable(name string, stable bool) error {
	g := tx.st.groups[name]
	if g == nil {
		return sqlerr.New(sqlerr.ColocateNotInUse, "Colocate group %s does not exist", name)
	}
	next := *g
	next.Unstable = !stable
	tx.putGroup(&next)
	for database, d := range tx.st.databases {
		for _, t := range sorted(d.tables) {
			if t.Group != name {
				continue
			}
			if _, err := tx.ChangeTable(database, t.ID, func(t *Table) error { t.GroupUnstable = !stable; return nil }); err != nil {
				return err
			}
		}
	}
	return nil
}

// Groups lists the colocate groups by name.
func (c *Catalog) Groups() []*ColocateGroup { return sorted(c.current.Load().groups) }

// DatabaseID is the id of a database, 0 for an unknown one.
func (c *Catalog) DatabaseID(name string) int64 {
	if d := c.current.Load().databases[name]; d != nil {
		return d.id
	}
	return 0
}
