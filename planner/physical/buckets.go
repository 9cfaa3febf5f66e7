package physical

import (
	"github.com/basaltdb/basalt/storage"
)

// BucketRun marks the topmost node of a subtree that runs bucket by bucket: an instance
// claims a bucket, runs the subtree over that bucket of every bucketed scan in it, and goes
// on to the next one. Nothing that an Exchange below it brings is a part of the subtree:
// such rows are there, whole, before the first bucket starts.
type BucketRun struct {
	// Buckets are the numbers of the buckets that can yield rows, those with the most work first.
	Buckets []int32
}

// Buckets tells how the rows that s reads are bucketed: by hash over b.Columns of its source,
// count buckets in every selected partition. ok is false when nothing is known that could be used.
func (s *Scan) Buckets() (b *storage.Bucketing, count int, ok bool) {
	p, isPartitioned := s.Source.(storage.Partitioned)
	if !isPartitioned || s.Selection == nil {
		return nil, 0, false
	}
	l := p.Layout()
	b = l.Bucketing
	if b == nil || b.Random || len(b.Columns) == 0 {
		return nil, 0, false
	}
	if len(s.Selection.Partitions) == 0 {
		return b, b.Buckets, b.Buckets > 0
	}
	for _, i := range s.Selection.Partitions {
		n := l.Partitions[i].Buckets
		if n == 0 || count != 0 && n != count {
			return nil, 0, false
		}
		count = n
	}
	return b, count, true
}

// Fixed tells that bucket i of all partitions that s reads belongs together, so that its
// rows count as distributed by the bucket columns: a single partition is selected, the
// table is in a stable colocate group, or its files are bucketed in the Hive way, which
// has one number of buckets for all partitions.
func (s *Scan) Fixed() bool {
	b, _, ok := s.Buckets()
	if !ok || !b.Trusted {
		return false
	}
	l := s.Source.(storage.Partitioned).Layout()
	return len(s.Selection.Partitions) <= 1 || l.Group != "" && l.GroupStable || BucketedLikeHive(l)
}

// BucketedLikeHive: a table outside of colocate groups whose files other engines bucket, too. Two of them with
// equal hash, number of buckets and types are colocated without a group.
func BucketedLikeHive(l *storage.Layout) bool {
	return l.Bucketing != nil && l.Group == "" && (l.Kind == storage.PathPartitions || l.Bucketing.Hash.String() != "doris_crc32")
}
