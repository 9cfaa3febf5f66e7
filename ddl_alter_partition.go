package basalt

import (
	"context"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// notWhileDynamic fails while the scheduler manages t's partitions.
func notWhileDynamic(t *catalog.Table) error {
	if d, err := dynamicProperties(t); err == nil && d != nil && d.enable {
		return sqlerr.Detail("Cannot add/drop partition on a Dynamic Partition Table, Use command `ALTER TABLE %s SET (\"dynamic_partition.enable\" = \"false\")` firstly.", t.Name)
	}
	return nil
}

// addPartition is ADD [TEMPORARY] PARTITION and ADD PARTITIONS FROM … TO ….
func (a *alteration) addPartition(t *catalog.Table, act *ast.AlterAction) error {
	temporary := act.Kind == "ADD TEMPORARY PARTITION"
	if t.Partitioning == nil {
		return sqlerr.Detail("Only support adding partition to range and list partitioned table")
	}
	if !temporary {
		if err := notWhileDynamic(t); err != nil {
			return err
		}
	}
	d := act.Partition
	if d.Name != "" && (t.PartitionNamed(d.Name, false) != nil || t.PartitionNamed(d.Name, true) != nil) {
		if act.IfExists {
			return nil
		}
		return catalog.PartitionExists(d.Name)
	}
	if err := a.x.checkProperties(act.Properties, partitionClause); err != nil {
		return err
	}
	buckets := newPartitionBuckets(t)
	if act.Distribution != nil {
		next, err := sameDistribution(t, act.Distribution)
		if err != nil {
			return err
		}
		buckets = next.Buckets
	}
	made, err := a.x.partitionsBeside(t, d, namedPartitions(t, temporary))
	if err != nil {
		return err
	}
	if err := addToGroup(a.tx, t, buckets); err != nil {
		return err
	}
	for i := range made {
		p := &made[i]
		p.Temporary, p.Buckets = temporary, buckets
		for _, kv := range act.Properties {
			if p.Properties == nil {
				p.Properties = map[string]string{}
			}
			p.Properties[kv.Key] = kv.Value
		}
	}
	_, err = a.tx.AddPartitions(t.Database, t.ID, made...)
	return err
}

// addToGroup fails when a partition's buckets are not those of the table's colocate group.
func addToGroup(tx *catalog.Tx, t *catalog.Table, buckets int) error {
	if g := tx.Group(t.Group); g != nil && g.Buckets != buckets {
		return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables must have same bucket num: %d", g.Buckets)
	}
	return nil
}

// newPartitionBuckets is the number of buckets of a partition to come. BUCKETS AUTO looks at
// the largest of the last partitions that hold rows, with room for half as much again.
func newPartitionBuckets(t *catalog.Table) int {
	if !t.Distribution.Auto {
		return t.Distribution.Buckets
	}
	bytes := map[int64]int64{}
	for i := range t.Files {
		bytes[t.Files[i].Partition] += t.Files[i].Bytes
	}
	var largest int64
	looked := 0
	for i := len(t.Partitions) - 1; i >= 0 && looked < 7; i-- {
		if n := bytes[t.Partitions[i].ID]; n > 0 {
			looked++
			largest = max(largest, n)
		}
	}
	if looked == 0 {
		return t.Distribution.Buckets
	}
	return bucketsForBytes(largest / 2 * 3)
}

func (a *alteration) dropPartition(t *catalog.Table, act *ast.AlterAction) error {
	temporary := act.Kind == "DROP TEMPORARY PARTITION"
	if t.Partitioning == nil {
		return sqlerr.Detail("Alter table [%s] failed. Not a partitioned table", t.Name)
	}
	if !temporary {
		if err := notWhileDynamic(t); err != nil {
			return err
		}
	}
	force := act.Force || temporary || a.x.s.db.trashSeconds() == 0
	for _, name := range strings.Split(act.Name, ",") {
		gone, err := a.tx.DropPartition(t.Database, t.ID, name, temporary, force)
		if act.IfExists && sqlerr.Is(err, sqlerr.UnknownPartition) {
			continue
		}
		if err != nil {
			return err
		}
		a.gone = append(a.gone, a.x.s.db.filePaths(t, gone)...)
	}
	return nil
}

func (a *alteration) renamePartition(t *catalog.Table, act *ast.AlterAction) error {
	if t.Partitioning == nil {
		return sqlerr.Detail("Table[%s] is single partitioned. no need to rename partition name.", t.Name)
	}
	if err := checkPartitionName(act.NewName); err != nil {
		return err
	}
	_, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		p := t.PartitionNamed(act.Name, false)
		if p == nil {
			return catalog.NoPartition(act.Name, t.Name)
		}
		for _, temporary := range []bool{false, true} {
			if o := t.PartitionNamed(act.NewName, temporary); o != nil && o != p || p.Name == act.NewName {
				return catalog.PartitionExists(act.NewName)
			}
		}
		p.Name = act.NewName
		return nil
	})
	return err
}

func (a *alteration) modifyPartition(t *catalog.Table, act *ast.AlterAction) error {
	if err := a.x.checkProperties(act.Properties, partitionClause); err != nil {
		return err
	}
	_, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		names := act.Partitions
		if len(names) == 1 && names[0] == "*" {
			names = nil
			for i := range t.Partitions {
				if !t.Partitions[i].Temporary {
					names = append(names, t.Partitions[i].Name)
				}
			}
		}
		for _, name := range names {
			p := t.PartitionNamed(name, false)
			if p == nil {
				return catalog.NoPartition(name, t.Name)
			}
			next := map[string]string{}
			for k, v := range p.Properties {
				next[k] = v
			}
			for _, kv := range act.Properties {
				next[kv.Key] = kv.Value
			}
			p.Properties = next
		}
		return nil
	})
	return err
}

// replaceOptions are the properties of REPLACE PARTITION.
type replaceOptions struct{ strict, temporaryNames bool }

func readReplaceOptions(list []ast.Property) (replaceOptions, error) {
	o := replaceOptions{strict: true}
	for _, kv := range list {
		if err := boolean(nil, kv.Value); err != nil {
			return o, err
		}
		on := strings.EqualFold(kv.Value, "true")
		switch kv.Key {
		case "strict_range":
			o.strict = on
		case "use_temp_partition_name":
			o.temporaryNames = on
		default:
			return o, sqlerr.Detail("Unknown properties: {%s=%s}", kv.Key, kv.Value)
		}
	}
	return o, nil
}

// replacePartition puts temporary partitions in the place of others, which go for good. The new
// ones keep the old names when their number is the same, unless use_temp_partition_name says
// otherwise.
func (a *alteration) replacePartition(t *catalog.Table, act *ast.AlterAction) error {
	if t.Partitioning == nil {
		return sqlerr.Detail("Alter table [%s] failed. Not a partitioned table", t.Name)
	}
	o, err := readReplaceOptions(act.Properties)
	if err != nil {
		return err
	}
	find := func(names []string, temporary bool) (list []catalog.Partition, named []partition.Named, err error) {
		for _, name := range names {
			p := t.PartitionNamed(name, temporary)
			if p == nil {
				return nil, nil, catalog.NoPartition(name, t.Name)
			}
			if slices.ContainsFunc(list, func(q catalog.Partition) bool { return q.ID == p.ID }) {
				return nil, nil, sqlerr.Detail("Partition %s is named twice", name)
			}
			list, named = append(list, *p), append(named, partition.Named{Name: p.Name, Bounds: p.Bounds})
		}
		return list, named, nil
	}
	old, oldNamed, err := find(act.Partitions, false)
	if err != nil {
		return err
	}
	next, nextNamed, err := find(act.With, true)
	if err != nil {
		return err
	}
	kind, types := t.Partitioning.Kind, partitionTypes(t)
	if o.strict && !partition.SameRows(kind, oldNamed, nextNamed) {
		what := "range"
		if kind == storage.ListPartitions {
			what = "list"
		}
		return sqlerr.Detail("2 %s lists are not stricly matched: the partitions to replace and the temporary ones must cover the same rows", what)
	}
	for i := range next {
		next[i].Temporary = false
		if !o.temporaryNames && len(next) == len(old) {
			next[i].Name = old[i].Name
		}
	}
	var rest []partition.Named
	for _, p := range t.Partitions {
		if !p.Temporary && !slices.ContainsFunc(old, func(q catalog.Partition) bool { return q.ID == p.ID }) {
			rest = append(rest, partition.Named{Name: p.Name, Bounds: p.Bounds})
		}
	}
	for i := range next {
		if slices.ContainsFunc(rest, func(n partition.Named) bool { return strings.EqualFold(n.Name, next[i].Name) }) {
			return catalog.PartitionExists(next[i].Name)
		}
		if err := partition.CheckFree(kind, types, next[i].Name, &next[i].Bounds, rest); err != nil {
			return err
		}
	}
	gone, err := a.tx.ReplacePartitions(t.Database, t.ID, old, next)
	a.gone = append(a.gone, a.x.s.db.filePaths(t, gone)...)
	return err
}

// truncate is TRUNCATE TABLE [PARTITION (…)] [FORCE]. The rows of partitions wait in the recycle
// bin unless FORCE is written; those of an unpartitioned table go.
func (x *execution) truncate(ctx context.Context, st *ast.Truncate) (*Rows, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	if t.Hive {
		return x.truncateHive(ctx, t, st)
	}
	if len(st.Specs) > 0 {
		return nil, sqlerr.New(sqlerr.WrongUsage, "Partitions of table '%s' are named by PARTITION (name)", t.Name).At(st.Position())
	}
	return x.change(st.Name, func(a *alteration) error {
		t, err := x.alterable(a.tx, st.Name)
		if err != nil {
			return err
		}
		if t.Partitioning == nil && (len(st.Partitions) == 0 || len(st.Partitions) == 1 && strings.EqualFold(st.Partitions[0], t.Name)) {
			removed := map[string]bool{}
			for _, f := range t.Files {
				removed[f.Path] = true
			}
			a.gone = append(a.gone, x.s.db.filePaths(t, t.Files)...)
			return a.tx.SetFiles(t.Database, t.ID, removed, nil)
		}
		names := st.Partitions
		if len(names) == 0 {
			for _, p := range t.Partitions {
				if !p.Temporary {
					names = append(names, p.Name)
				}
			}
		}
		for _, name := range names {
			gone, err := a.tx.TruncatePartition(t.Database, t.ID, name, st.Force || x.s.db.trashSeconds() == 0)
			if err != nil {
				return err
			}
			a.gone = append(a.gone, x.s.db.filePaths(t, gone)...)
		}
		return nil
	})
}
