package storage

import (
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// PartitionKind tells how rows find their partition.
type PartitionKind uint8

// Partition kinds.
const (
	Unpartitioned   PartitionKind = iota // one partition holds all rows
	RangePartitions                      // Doris RANGE: lower inclusive, upper exclusive, tuples compare lexicographically
	ListPartitions                       // Doris LIST: each partition names its tuples
	PathPartitions                       // Hive: one tuple a partition, taken from the folder names
)

// Endpoint is one column of a range bound.
type Endpoint struct {
	Value vector.Value // of the partition column's type; ignored when Min or Max
	Min   bool         // below every value, and where NULL belongs
	Max   bool         // MAXVALUE
}

// PartitionBounds say which rows a partition holds. Lower and Upper are for RangePartitions,
// one Endpoint a partition column (missing trailing columns of a definition are Min);
// Values is for the others: tuples of one value a partition column, which may be NULL.
type PartitionBounds struct {
	Lower, Upper []Endpoint       `json:",omitempty"`
	Values       [][]vector.Value `json:",omitempty"`
}

// PartitionInfo is one partition of a Layout.
type PartitionInfo struct {
	ID      int64
	Name    string // Hive: p1=v1/p2=v2
	Bounds  PartitionBounds
	Buckets int // number of hash or random buckets; 0: not bucketed
	// FirstTablet numbers the tablets of the partition: bucket b is tablet FirstTablet+b.
	FirstTablet int64
	Rows        int64 // -1: unknown
	Bytes       int64 // -1: unknown
	Files       int
}

// Bucketing says how rows find their bucket: Hash over Columns, modulo the partition's Buckets.
type Bucketing struct {
	Hash    bucket.Hash
	Columns []int // source ordinals, in declared order
	// Buckets is the number of buckets when all partitions have the same, else 0.
	Buckets int
	// Trusted tells that every file is known to hold only rows of its bucket: without it no
	// bucket is pruned and no join is colocated.
	Trusted bool
	// Random buckets (DISTRIBUTED BY RANDOM) say nothing about rows; Columns is empty.
	Random bool
}

// Layout says how the files of a source are grouped: by partitions, and inside each by
// buckets. Immutable.
type Layout struct {
	Table      int64 // identity of the table, for self joins
	Kind       PartitionKind
	Columns    []int // source ordinals of the partition columns; none where the source does not have them
	Partitions []PartitionInfo
	// Function is the unit of AUTO PARTITION BY RANGE(date_trunc(col, unit)), else "".
	Function  string
	Bucketing *Bucketing // nil: not bucketed
	// Sorted are the source ordinals of the columns that rows inside each file are sorted by.
	Sorted []int
	// Group is the colocate group's qualified name, "" when the table is in none. Tables of one
	// group have equal bucket counts and bucket column types.
	Group       string
	GroupStable bool
}

// Selection is a part of a Layout: partitions and, inside each, buckets.
type Selection struct {
	// Partitions are ordinals of Layout.Partitions, ascending.
	Partitions []int
	// Buckets, by position of Partitions, are the bucket numbers selected there, ascending; a nil
	// entry, or nil as a whole, is all.
	Buckets [][]int32
}

// Partitioned is a Source whose files are grouped by a Layout.
//
// Its Splits also prune partitions, buckets and files by ScanRequest.Prune, before any footer
// is opened: so runtime filters that become Prune predicates prune partitions as well.
type Partitioned interface {
	Source
	Layout() *Layout
	// Selection is what this source reads of the layout: everything, or the last Restrict.
	Selection() *Selection
	// Restrict is the same source reading only sel, cheap, with the Stats of that part.
	Restrict(sel *Selection) Partitioned
}

// Merged is a Partitioned source of a table whose rows of equal keys are one row, made while it is read.
type Merged interface {
	Partitioned
	// Merging tells the ordinals of the key columns and how the others merge, by ordinal; nil: rows are given as
	// they are stored.
	Merging() (keys []int, aggregations []function.Aggregation)
	// Unmerged is the same source without merging: several rows a key, whose values merge to the key's.
	Unmerged() Partitioned
}

// Full selects all of l.
func (l *Layout) Full() *Selection {
	sel := &Selection{Partitions: make([]int, len(l.Partitions))}
	for i := range sel.Partitions {
		sel.Partitions[i] = i
	}
	return sel
}

// BucketsOf are the selected bucket numbers of the i-th selected partition; all is true when
// nothing was pruned there.
func (s *Selection) BucketsOf(i int) (buckets []int32, all bool) {
	if s.Buckets == nil || s.Buckets[i] == nil {
		return nil, true
	}
	return s.Buckets[i], false
}

// OneBucket is the part of s that lies in bucket b.
func (s *Selection) OneBucket(b int32) *Selection {
	out := &Selection{}
	for i, p := range s.Partitions {
		buckets, all := s.BucketsOf(i)
		keep := all
		for _, x := range buckets {
			keep = keep || x == b
		}
		if keep {
			out.Partitions = append(out.Partitions, p)
			out.Buckets = append(out.Buckets, []int32{b})
		}
	}
	return out
}

// Tablets counts what s selects of l, and all there are.
func (s *Selection) Tablets(l *Layout) (selected, total int) {
	for _, p := range l.Partitions {
		total += max(p.Buckets, 1)
	}
	for i, p := range s.Partitions {
		if buckets, all := s.BucketsOf(i); all {
			selected += max(l.Partitions[p].Buckets, 1)
		} else {
			selected += len(buckets)
		}
	}
	return selected, total
}
