package basalt

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// ensurePartitions returns, for each tuple of values of t's partition columns, the partition that
// takes it, and makes those that are missing: t has AUTO PARTITION. It works on the table as it
// is in the catalog now, in one transaction, so that loads at the same time make each partition
// once. A table that CREATE TABLE AS has not published yet gets the partitions itself.
//
// Callers keep what is returned: t, of an older snapshot, does not have the new partitions.
// Partitions stay when the load fails, as in Doris.
func (x *execution) ensurePartitions(t *catalog.Table, tuples [][]vector.Value) ([]catalog.Partition, error) {
	if t.Partitioning == nil || !t.Partitioning.Auto {
		return nil, sqlerr.Detail("Table %s has no AUTO PARTITION", t.Name)
	}
	for _, tuple := range tuples {
		if t.Partitioning.Kind == storage.RangePartitions && tuple[0].Null {
			return nil, sqlerr.New(sqlerr.NotNull, "Column '%s' cannot be null", t.ColumnByID(t.Partitioning.Columns[0]).Name)
		}
	}
	limit := int(x.s.settings.int("max_auto_partition_num"))
	var out []catalog.Partition
	pending := t.Created.IsZero()
	if pending {
		x.s.db.pending.Lock()
		defer x.s.db.pending.Unlock()
	}
	err := x.s.db.cat.Update(func(tx *catalog.Tx) error {
		now := t
		if !pending {
			if now = tx.TableByID(t.Database, t.ID); now == nil {
				return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' was dropped meanwhile", t.Database, t.Name)
			}
		}
		missing, found := missingPartitions(now, tuples)
		if len(now.Partitions)+len(missing) > limit {
			return sqlerr.Detail("The number of auto partitions of table %s exceeds max_auto_partition_num: %d", t.Name, limit)
		}
		var list []catalog.Partition
		taken := map[string]bool{}
		for i := range now.Partitions {
			taken[strings.ToLower(now.Partitions[i].Name)] = true
		}
		for _, n := range missing {
			list = append(list, catalog.Partition{Name: freeName(taken, n.Name), Bounds: n.Bounds, Buckets: newPartitionBuckets(now)})
		}
		if len(missing) > 0 {
			if pending {
				t.Partitions = append(t.Partitions, list...)
				tx.AssignIDs(t)
			} else {
				if _, err := tx.AddPartitions(t.Database, t.ID, list...); err != nil {
					return err
				}
				now = tx.TableByID(t.Database, t.ID)
			}
			_, found = missingPartitions(now, tuples)
		}
		out = nil
		for _, i := range found {
			out = append(out, now.Partitions[i])
		}
		return nil
	})
	return out, err
}

// missingPartitions finds the partition ordinal of each tuple, and what must be made for
// those that have none (found is -1 there): each once, without overlap.
func missingPartitions(t *catalog.Table, tuples [][]vector.Value) (missing []partition.Named, found []int) {
	kind, types := t.Partitioning.Kind, partitionTypes(t)
	var infos []storage.PartitionInfo
	var ordinals []int
	for i := range t.Partitions {
		if !t.Partitions[i].Temporary {
			infos = append(infos, storage.PartitionInfo{Bounds: t.Partitions[i].Bounds})
			ordinals = append(ordinals, i)
		}
	}
	router := partition.NewRouter(kind, types, infos)
	made := map[string]bool{}
	for _, tuple := range tuples {
		if i := router.Find(tuple); i >= 0 {
			found = append(found, ordinals[i])
			continue
		}
		found = append(found, -1)
		n := partition.AutoList(tuple)
		if kind == storage.RangePartitions {
			n = partition.AutoRange(tuple[0], t.Partitioning.Unit)
			n.Bounds = partition.CutTo(n.Bounds, namedPartitions(t, false), tuple)
		}
		if key := partition.FormatRange(types, &n.Bounds); !made[key] {
			made[key] = true
			missing = append(missing, n)
		}
	}
	return missing, found
}

// freeName is name, or name with a number when it is taken; it is taken then.
func freeName(taken map[string]bool, name string) string {
	free := name
	for i := 2; taken[strings.ToLower(free)]; i++ {
		free = fmt.Sprintf("%s_%d", name, i)
	}
	taken[strings.ToLower(free)] = true
	return free
}
