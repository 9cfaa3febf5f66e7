package catalog

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// partitionColumns are those of information_schema.partitions: MySQL's.
var partitionColumns = []string{"TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "PARTITION_NAME", "SUBPARTITION_NAME", "PARTITION_ORDINAL_POSITION:bigint",
	"SUBPARTITION_ORDINAL_POSITION:bigint", "PARTITION_METHOD", "SUBPARTITION_METHOD", "PARTITION_EXPRESSION", "SUBPARTITION_EXPRESSION",
	"PARTITION_DESCRIPTION", "TABLE_ROWS:bigint", "AVG_ROW_LENGTH:bigint", "DATA_LENGTH:bigint", "MAX_DATA_LENGTH:bigint", "INDEX_LENGTH:bigint", "DATA_FREE:bigint",
	"CREATE_TIME:datetime", "UPDATE_TIME:datetime", "CHECK_TIME:datetime", "CHECKSUM:bigint", "PARTITION_COMMENT", "NODEGROUP", "TABLESPACE_NAME"}

// partitionRows lists the partitions of internal tables, ranges in their order; an
// unpartitioned table has one row with the table's name, as in Doris. Temporary partitions are not shown.
func partitionRows(s *snapshot, add addRow) {
	for _, db := range s.Databases() {
		for _, t := range s.Tables(db) {
			if t.Kind == Internal {
				addPartitions(t, add)
			}
		}
	}
}

func addPartitions(t *Table, add addRow) {
	type total struct{ rows, bytes int64 }
	totals := map[int64]total{}
	for i := range t.Files {
		f := &t.Files[i]
		v := totals[f.Partition]
		totals[f.Partition] = total{v.rows + f.Live(), v.bytes + f.Bytes}
	}
	n := null()
	row := func(p *Partition, ordinal int, method, expression, description vector.Value) {
		v := totals[p.ID]
		average := n
		if v.rows > 0 {
			average = long(v.bytes / v.rows)
		}
		add(text(tableCatalog), text(t.Database), text(t.Name), text(p.Name), n, long(int64(ordinal)), n, method, n, expression, n, description,
			long(v.rows), average, long(v.bytes), n, n, n, vector.IntValue(timeType, p.Created.UnixMicro()), vector.IntValue(timeType, p.Modified.UnixMicro()),
			n, n, text(""), n, n)
	}
	if t.Partitioning == nil {
		row(&Partition{Name: t.Name, Created: t.Created, Modified: t.Modified}, 1, text("UNPARTITIONED"), n, n)
		return
	}
	var names []string
	var types []sqltype.Type
	for _, id := range t.Partitioning.Columns {
		c := t.ColumnByID(id)
		names, types = append(names, c.Name), append(types, c.Type)
	}
	list := slices.DeleteFunc(slices.Clone(t.Partitions), func(p Partition) bool { return p.Temporary })
	method := "LIST"
	if t.Partitioning.Kind == storage.RangePartitions {
		method = "RANGE"
		slices.SortStableFunc(list, func(a, b Partition) int { return partition.CompareBound(a.Bounds.Lower, b.Bounds.Lower) })
	}
	for i := range list {
		row(&list[i], i+1, text(method), text(strings.Join(names, ", ")), text(partition.FormatRange(types, &list[i].Bounds)))
	}
}
