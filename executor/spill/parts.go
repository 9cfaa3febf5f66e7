package spill

import (
	"sync"

	"github.com/basaltdb/basalt/internal/vector"
)

// Radix partitioning: level 0 takes the highest Bits bits of a hash, level 1 those below,
// and so on. Hash tables use the lowest ones.
const (
	Bits   = 6
	Fanout = 1 << Bits
	// MaxLevel is the deepest level: rows that still share a partition there have, but for
	// accidents, the same key.
	MaxLevel = 4
)

// PartitionOf is the partition of a hash on a level.
func PartitionOf(hash uint64, level int) int { return int(hash << (Bits * level) >> (64 - Bits)) }

// Parts is a file of blocks that belong to partitions of one level. Safe for concurrent
// use while it is written.
type Parts struct {
	File  *File
	Level int

	mu     sync.Mutex
	blocks [Fanout][]Block
	rows   [Fanout]int64
	raw    [Fanout]int64
}

// CreateParts makes an empty Parts.
func (a *Area) CreateParts(level int, c Counters) (*Parts, error) {
	f, err := a.Create(c)
	if err != nil {
		return nil, err
	}
	return &Parts{File: f, Level: level}, nil
}

// Write appends rows to partition p; see File.Write.
func (p *Parts) Write(c *Codec, part int, cols []*vector.Vector, n int, rows []int32, extra ...[]byte) error {
	b, err := p.File.Write(c, cols, n, rows, extra...)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blocks[part] = append(p.blocks[part], b)
	p.rows[part] += int64(b.Rows)
	p.raw[part] += int64(b.Raw)
	return nil
}

// Blocks are the blocks of a partition. A nil Parts has none.
func (p *Parts) Blocks(part int) []Block {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blocks[part]
}

// Size is the number of rows of a partition and their bytes in memory, about.
func (p *Parts) Size(part int) (rows, bytes int64) {
	if p == nil {
		return 0, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rows[part], p.raw[part]
}

// Used is the number of partitions with rows in them.
func (p *Parts) Used() int {
	n := 0
	for _, rows := range p.rows {
		if rows > 0 {
			n++
		}
	}
	return n
}

// Scatter orders row numbers by partition: those of partition q are
// order[offsets[q]:offsets[q+1]], ascending. Its memory is reused from call to call.
type Scatter struct {
	part    []uint8
	Order   []int32
	Offsets [Fanout + 1]int
}

// By sorts rows 0 … len(hashes)-1 by the partitions of their hashes on a level.
func (s *Scatter) By(hashes []uint64, level int) {
	if cap(s.part) < len(hashes) {
		s.part, s.Order = make([]uint8, len(hashes)), make([]int32, len(hashes))
	}
	part := s.part[:len(hashes)]
	s.Order = s.Order[:len(hashes)]
	s.Offsets = [Fanout + 1]int{}
	for i, h := range hashes {
		q := uint8(PartitionOf(h, level))
		part[i] = q
		s.Offsets[q+1]++
	}
	for q := range Fanout {
		s.Offsets[q+1] += s.Offsets[q]
	}
	next := s.Offsets
	for i, q := range part {
		s.Order[next[q]] = int32(i)
		next[q]++
	}
}

// Rows are the rows of partition q.
func (s *Scatter) Rows(q int) []int32 { return s.Order[s.Offsets[q]:s.Offsets[q+1]] }
