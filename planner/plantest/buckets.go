package plantest

import (
	"slices"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// bucketedTable is a table of a million rows in hash buckets.
type bucketedTable struct {
	name       string
	partitions int
	buckets    int
	columns    []int
	group      string
	change     func(*storage.Layout)
	merges     bool // AGGREGATE KEY(id, k, dt), v SUM, s MAX
}

// c1, c2 and c3 are in the colocate group g by their first column, whose name differs; p1 and p2
// are in g2 by two columns; x1 and x2 in a group that is unstable; f1 in one whose files cannot be
// trusted; o1 and o2 in none; r1 is bucketed at random; h… are bucketed in Hive's way.
var bucketedTables = []bucketedTable{
	{name: "c1", partitions: 3, buckets: 8, columns: []int{0}, group: "test.g"},
	{name: "c2", partitions: 1, buckets: 8, columns: []int{0}, group: "test.g"},
	{name: "c3", partitions: 2, buckets: 8, columns: []int{0}, group: "test.g"},
	{name: "p1", partitions: 2, buckets: 8, columns: []int{0, 1}, group: "test.g2"},
	{name: "p2", partitions: 1, buckets: 8, columns: []int{0, 1}, group: "test.g2"},
	{name: "x1", partitions: 1, buckets: 8, columns: []int{0}, group: "test.x", change: unstable},
	{name: "x2", partitions: 3, buckets: 8, columns: []int{0}, group: "test.x", change: unstable},
	{name: "f1", partitions: 3, buckets: 8, columns: []int{0}, group: "test.g", change: func(l *storage.Layout) { l.Bucketing.Trusted = false }},
	{name: "o1", partitions: 1, buckets: 8, columns: []int{0}},
	{name: "o2", partitions: 3, buckets: 8, columns: []int{0}},
	{name: "o3", partitions: 1, buckets: 1, columns: []int{0}},
	{name: "r1", partitions: 1, buckets: 8, change: func(l *storage.Layout) { l.Bucketing.Random = true }},
	{name: "a1", partitions: 3, buckets: 8, columns: []int{0}, merges: true},
	{name: "a2", partitions: 1, buckets: 8, columns: []int{0}, merges: true},
	{name: "h1", partitions: 4, buckets: 16, columns: []int{0}, change: hive(bucket.HiveV2)},
	{name: "h2", partitions: 1, buckets: 16, columns: []int{0}, change: hive(bucket.HiveV2)},
	{name: "h3", partitions: 1, buckets: 4, columns: []int{0}, change: hive(bucket.HiveV2)},
	{name: "h4", partitions: 1, buckets: 16, columns: []int{0}, change: hive(bucket.Spark)},
}

func unstable(l *storage.Layout) { l.GroupStable = false }

func hive(h bucket.Hash) func(*storage.Layout) {
	return func(l *storage.Layout) { l.Kind, l.Bucketing.Hash = storage.PathPartitions, h }
}

// bucketColumns are the columns of every bucketed table; the first one of c2 is named uid.
func bucketColumns(name string) []column {
	first := "id"
	if name == "c2" {
		first = "uid"
	}
	return []column{
		num(first, tInt, 1, 1_000_000), num("k", tInt, 1, 1_000_000), null(num("v", tBig, 1, 1000)),
		null(column{name: "s", t: sqltype.VarcharOf(20), avg: 10}), num("dt", tDate, 10_000, 10_299),
	}
}

// withBuckets adds the bucketed tables.
func withBuckets(out []table) []table {
	for _, b := range bucketedTables {
		out = append(out, table{b.name, 1_000_000, bucketColumns(b.name)})
	}
	return out
}

// layoutOf is the layout of a table, nil when it has none.
func layoutOf(name string) *storage.Layout {
	tablet := int64(10_000)
	for i, b := range bucketedTables {
		if b.name != name {
			tablet += int64(b.partitions * b.buckets)
			continue
		}
		l := &storage.Layout{
			Table: int64(1000 + i), Kind: storage.RangePartitions, Columns: []int{4}, Group: b.group, GroupStable: b.group != "",
			Bucketing: &storage.Bucketing{Columns: b.columns, Buckets: b.buckets, Trusted: true},
		}
		if b.partitions == 1 {
			l.Kind, l.Columns = storage.Unpartitioned, nil
		}
		for p := range b.partitions {
			day := func(n int) []storage.Endpoint {
				return []storage.Endpoint{{Value: vector.IntValue(tDate, int64(10_000+n*300/b.partitions))}}
			}
			l.Partitions = append(l.Partitions, storage.PartitionInfo{
				ID: int64(100*i + p), Name: "p" + string(rune('0'+p)), Buckets: b.buckets, FirstTablet: tablet,
				Bounds: storage.PartitionBounds{Lower: day(p), Upper: day(p + 1)},
				Rows:   1_000_000 / int64(b.partitions), Bytes: -1, Files: b.buckets,
			})
			tablet += int64(b.buckets)
		}
		if b.change != nil {
			b.change(l)
		}
		if l.Kind == storage.PathPartitions {
			for p := range l.Partitions {
				l.Partitions[p].Bounds = storage.PartitionBounds{Values: [][]vector.Value{{vector.IntValue(tDate, int64(10_000+p))}}}
			}
		}
		return l
	}
	return nil
}

// bucketed is a source with a layout.
type bucketed struct {
	*source
	layout *storage.Layout
	sel    *storage.Selection
}

// Layout implements storage.Partitioned.
func (b *bucketed) Layout() *storage.Layout { return b.layout }

// Selection implements storage.Partitioned.
func (b *bucketed) Selection() *storage.Selection { return b.sel }

// Restrict implements storage.Partitioned: rows lie evenly.
func (b *bucketed) Restrict(sel *storage.Selection) storage.Partitioned {
	s := *b.source
	selected, total := sel.Tablets(b.layout)
	s.stats.Rows = s.stats.Rows * int64(selected) / int64(max(total, 1))
	return &bucketed{&s, b.layout, sel}
}

// merging is a source whose rows merge.
type merging struct {
	*bucketed
	raw bool
}

// Merging implements storage.Merged.
func (m *merging) Merging() ([]int, []function.Aggregation) {
	if m.raw {
		return nil, nil
	}
	return []int{0, 1, 4}, []function.Aggregation{2: function.SumAggregation, 3: function.MaxAggregation, 4: 0}
}

// Unmerged implements storage.Merged.
func (m *merging) Unmerged() storage.Partitioned { return &merging{m.bucketed, true} }

// Restrict implements storage.Partitioned.
func (m *merging) Restrict(sel *storage.Selection) storage.Partitioned {
	return &merging{m.bucketed.Restrict(sel).(*bucketed), m.raw}
}

// merges reports whether a table is one of AGGREGATE KEY.
func merges(name string) bool {
	return slices.ContainsFunc(bucketedTables, func(b bucketedTable) bool { return b.name == name && b.merges })
}
