package executor

import (
	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// aggChunkRows is the number of rows of a chunk of a partition.
const aggChunkRows = 2048

// aggParts are rows of keys and a state for each, not yet grouped, in radix partitions of
// the keys' hashes.
type aggParts struct {
	part  [aggPartitions][]aggChunk
	bytes int64
	level int // of the hashes' bits, see hashAggregate.levelOf
	// rows are all that were put in, straight those that did not go through a table.
	rows, straight int
}

// expect is how many groups partition p may have: straight rows hardly repeat, of others
// half may.
func (q *aggParts) expect(p int) int {
	n := 0
	for i := range q.part[p] {
		n += q.part[p][i].rows.N
	}
	if 2*q.straight < q.rows {
		n /= 2
	}
	return n
}

// aggChunk is a chunk of one partition: state i belongs to key i.
type aggChunk struct {
	rows *hashtable.Rows
	accs []function.Accumulator
}

// room gives a chunk of partition p with room for up to want more rows: n of them, from
// base on. Their states are there and empty.
func (q *aggParts) room(l *aggLocal, p, want int) (c *aggChunk, base, n int, err error) {
	list := q.part[p]
	if len(list) == 0 || list[len(list)-1].rows.N == aggChunkRows {
		if len(list) > 0 {
			q.bytes += list[len(list)-1].bytes()
		}
		fresh := aggChunk{rows: hashtable.NewRows(l.stream.layout, l.writer)}
		if fresh.accs, err = l.a.newAccumulators(l.aggs); err != nil {
			return nil, 0, 0, err
		}
		fresh.rows.Reserve(aggChunkRows)
		for _, acc := range fresh.accs {
			acc.Grow(aggChunkRows)
		}
		list = append(list, fresh)
		q.part[p] = list
	}
	c = &list[len(list)-1]
	base = c.rows.N
	return c, base, min(want, aggChunkRows-base), nil
}

func (c *aggChunk) bytes() int64 {
	n := c.rows.Bytes()
	for _, acc := range c.accs {
		n += acc.Bytes()
	}
	return n
}

// aggScatter is memory for sorting the rows of a batch by partition.
type aggScatter struct {
	part  []uint8
	order []int32 // live rows by partition
	rows  []int32 // the same as rows of the batch
}

// scatterRows puts every row of a batch into its partition with a state of its own.
func (l *aggLocal) scatterRows(k *hashtable.Keys, in *aggInput, sel []int32) error {
	l.parts.rows += k.N
	l.parts.straight += k.N
	s := &l.scatter
	if cap(s.part) < k.N {
		s.part, s.order, s.rows = make([]uint8, k.N), make([]int32, k.N), make([]int32, k.N)
	}
	var offsets [aggPartitions + 1]int
	part, order := s.part[:k.N], s.order[:k.N]
	shift := uint(l.parts.level * aggPartitionBits)
	for j, h := range k.Hash()[:len(part)] {
		p := uint8(h << shift >> (64 - aggPartitionBits))
		part[j] = p
		offsets[p+1]++
	}
	for p := range aggPartitions {
		offsets[p+1] += offsets[p]
	}
	next := offsets
	for j, p := range part {
		order[next[p]] = int32(j)
		next[p]++
	}
	rows := order
	if sel != nil {
		rows = s.rows[:k.N]
		for i, j := range order {
			rows[i] = sel[j]
		}
	}
	for p := range aggPartitions {
		for lo, hi := offsets[p], offsets[p+1]; lo < hi; {
			c, base, n, err := l.parts.room(l, p, hi-lo)
			if err != nil {
				return err
			}
			c.rows.AppendAt(k, order[lo:lo+n])
			groups := ascending(&l.some, base, n)
			for i, acc := range c.accs {
				if err := acc.Update(groups, in.args(i, sel), rows[lo:lo+n]); err != nil {
					return err
				}
			}
			lo += n
		}
	}
	return nil
}

// ascending is base, base+1, …: n numbers in *mem's memory.
func ascending(mem *[]uint32, base, n int) []uint32 {
	if cap(*mem) < n {
		*mem = make([]uint32, max(n, vector.BatchRows))
	}
	out := (*mem)[:n]
	for i := range out {
		out[i] = uint32(base + i)
	}
	return out
}

// mergeRows folds the states at rows of other into acc: rows[k] goes to groups[k].
func mergeRows(acc function.Accumulator, groups []uint32, other function.Accumulator, rows []uint32) error {
	if s, ok := acc.(function.ScatteredMerge); ok {
		return s.MergeRows(groups, other, rows)
	}
	for lo := 0; lo < len(rows); {
		hi := lo + 1
		for hi < len(rows) && rows[hi] == rows[hi-1]+1 {
			hi++
		}
		if err := acc.Merge(groups[lo:hi], other, int(rows[lo])); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}
