package fileset

import (
	"math"
	"slices"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// mayMatch reports whether a row that satisfies all conjuncts could exist, as far as lookup knows.
func mayMatch(prune []storage.Predicate, lookup func(column int) storage.Range) bool {
	for i := range prune {
		if !prune[i].MayMatch(lookup) {
			return false
		}
	}
	return true
}

// unknown is the range of a column that nothing is known of.
var unknown = storage.Range{Nulls: -1, HasNaN: true}

// partitionMayMatch decides by the bounds of a partition.
func (s *set) partitionMayMatch(p int, prune []storage.Predicate) bool {
	l := s.Layout
	b := &l.Partitions[p].Bounds
	switch l.Kind {
	case storage.Unpartitioned:
		return true
	case storage.RangePartitions:
		return mayMatch(prune, func(column int) storage.Range {
			if k := slices.Index(l.Columns, column); k >= 0 {
				return boundRange(b, k, s.Columns[column].Type)
			}
			return unknown
		})
	}
	for _, tuple := range b.Values {
		if mayMatch(prune, func(column int) storage.Range {
			switch k := slices.Index(l.Columns, column); {
			case k < 0:
				return unknown
			case tuple[k].Null:
				return storage.Range{Nulls: 1, Rows: 1}
			default:
				return storage.Range{Min: &tuple[k], Max: &tuple[k], Rows: 1}
			}
		}) {
			return true
		}
	}
	return false
}

// boundRange is what the bounds of a range partition say of their k-th column.
func boundRange(b *storage.PartitionBounds, k int, t sqltype.Type) storage.Range {
	for i := range k { // later columns are bound only where the ones before have a single value
		lo, hi := b.Lower[i], b.Upper[i]
		if lo.Min || hi.Max || lo.Max || hi.Min || lo.Value.Compare(hi.Value) != 0 {
			return unknown
		}
	}
	r := storage.Range{}
	lo, hi := b.Lower[k], b.Upper[k]
	if lo.Min {
		r.Nulls = -1 // NULL belongs below every value
	}
	least, most, ok := extremes(t)
	if !ok {
		return unknown
	}
	if !lo.Min && !lo.Max {
		least = lo.Value
	}
	if !hi.Min && !hi.Max {
		most = hi.Value
		exclusive := true
		for _, e := range b.Upper[k+1:] {
			exclusive = exclusive && e.Min
		}
		if exclusive {
			if x, fits := most.I.SubOK(int128.FromInt64(1)); fits {
				most.I = x
			}
		}
	}
	r.Min, r.Max = &least, &most
	return r
}

// extremes are the least and the largest value of a type that partitions ranges.
func extremes(t sqltype.Type) (lo, hi vector.Value, ok bool) {
	switch t.Physical() {
	case sqltype.PhysInt8, sqltype.PhysInt16, sqltype.PhysInt32, sqltype.PhysInt64:
		return vector.IntValue(t, math.MinInt64), vector.IntValue(t, math.MaxInt64), true
	case sqltype.PhysInt128:
		return vector.Value{Type: t, I: int128.Min}, vector.Value{Type: t, I: int128.Max}, true
	}
	return lo, hi, false
}

// maxTuples bounds the combinations of values whose buckets are computed.
const maxTuples = 1 << 16

// bucketTuples are the combinations of values that prune allows for the bucket columns; ok is false when
// it does not bind all of them, or too many.
func bucketTuples(b *storage.Bucketing, cols []storage.Column, prune []storage.Predicate) (tuples [][]vector.Value, ok bool) {
	if b == nil || b.Random || !b.Trusted || len(b.Columns) == 0 {
		return nil, false
	}
	tuples = [][]vector.Value{nil}
	for _, c := range b.Columns {
		if !b.Hash.Supports(cols[c].Type) {
			return nil, false
		}
		values, bound := valuesOf(c, prune)
		if !bound || len(tuples)*len(values) > maxTuples {
			return nil, false
		}
		next := make([][]vector.Value, 0, len(tuples)*len(values))
		for _, t := range tuples {
			for _, v := range values {
				v.Type = cols[c].Type
				next = append(next, append(slices.Clip(t), v))
			}
		}
		tuples = next
	}
	return tuples, true
}

// valuesOf are the values that a column can have where all conjuncts hold; bound is false when they
// do not say.
func valuesOf(column int, conjuncts []storage.Predicate) (values []vector.Value, bound bool) {
	for i := range conjuncts {
		v, ok := valuesOfOne(column, &conjuncts[i])
		if ok && (!bound || len(v) < len(values)) {
			values, bound = v, true
		}
	}
	return values, bound
}

func valuesOfOne(column int, p *storage.Predicate) ([]vector.Value, bool) {
	switch p.Op {
	case storage.OpEq, storage.OpIn:
		return p.Values, p.Column == column
	case storage.OpIsNull:
		if p.Column == column {
			return []vector.Value{{Null: true}}, true
		}
	case storage.OpAnd:
		return valuesOf(column, p.Children)
	case storage.OpOr:
		var all []vector.Value
		for i := range p.Children {
			v, ok := valuesOfOne(column, &p.Children[i])
			if !ok {
				return nil, false
			}
			all = append(all, v...)
		}
		return all, true
	}
	return nil, false
}

// bucketSet finds, for numbers of buckets as they occur, which buckets the tuples lie in.
type bucketSet struct {
	b      *storage.Bucketing
	tuples [][]vector.Value
	known  map[int][]bool
}

func (s *bucketSet) of(buckets int) []bool {
	if hit := s.known[buckets]; hit != nil {
		return hit
	}
	hit := make([]bool, buckets)
	for _, t := range s.tuples {
		hit[s.b.Hash.Number(t, buckets)] = true
	}
	s.known[buckets] = hit
	return hit
}

// prune lists the files that may hold rows for the request, and counts what it left out.
func (s *Source) prune(req *storage.ScanRequest) []int32 {
	var parts, tablets, files, prunedParts, prunedTablets int64
	tuples, byBucket := bucketTuples(s.set.Layout.Bucketing, s.set.Columns, req.Prune)
	hits := &bucketSet{b: s.set.Layout.Bucketing, tuples: tuples, known: map[int][]bool{}}
	kept := make([]int32, 0, len(s.files))
	at := 0
	for i, p := range s.sel.Partitions {
		end := at
		for end < len(s.files) && int(s.set.Files[s.files[end]].Partition) == p {
			end++
		}
		mine := s.files[at:end]
		at = end
		parts++
		files += int64(len(mine))
		n := int64(max(s.set.Layout.Partitions[p].Buckets, 1))
		selected, all := s.sel.BucketsOf(i)
		if !all {
			n = int64(len(selected))
		}
		tablets += n
		if !s.set.partitionMayMatch(p, req.Prune) {
			prunedParts++
			prunedTablets += n
			continue
		}
		var hit []bool
		if byBucket && s.set.Layout.Partitions[p].Buckets > 0 {
			hit = hits.of(s.set.Layout.Partitions[p].Buckets)
			prunedTablets += unhit(hit, selected, all)
		}
		for _, f := range mine {
			if b := s.set.Files[f].Bucket; hit != nil && int(b) < len(hit) && !hit[b] {
				continue
			}
			if s.set.Files[f].Rows != 0 && mayMatch(req.Prune, func(c int) storage.Range { return s.set.rangeOf(f, c) }) {
				kept = append(kept, f)
			}
		}
	}
	if c := req.Counters; c != nil {
		c.PartitionsTotal.Add(parts)
		c.PartitionsPruned.Add(prunedParts)
		c.TabletsTotal.Add(tablets)
		c.TabletsPruned.Add(prunedTablets)
		c.FilesTotal.Add(files)
		c.FilesPruned.Add(files - int64(len(kept)))
	}
	return kept
}

// unhit counts the selected buckets that hit leaves out.
func unhit(hit []bool, selected []int32, all bool) (n int64) {
	if all {
		for _, h := range hit {
			if !h {
				n++
			}
		}
		return n
	}
	for _, b := range selected {
		if int(b) < len(hit) && !hit[b] {
			n++
		}
	}
	return n
}
