package function

import (
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// FewGroupsMost is how many groups a FewGroups knows at most.
const FewGroupsMost = noGroup

// noGroup is the group of rows that do not count.
const noGroup = 255

// FewGroups sums up the columns of a batch by group where groups are few: a column of which several
// aggregates want sums is added up once, and four sums a group, of every fourth row, keep rows
// of one group from waiting for each other. One goroutine uses it.
type FewGroups struct {
	ids    []uint8 // group of every row of the batch; noGroup for those that are not live
	groups int
	sel    []int32
	rows   counts
	memory sums
	masked []uint8

	columns []*groupSums // of this batch, the first used ones
	used    int
}

// counts and sums are four numbers a group, of every fourth row each.
type (
	counts [4][noGroup + 1]uint32
	sums   [4][noGroup + 1]int64
)

// groupSums are the sums of a column by group.
type groupSums struct {
	of  *vector.Vector
	ok  bool
	sum [FewGroupsMost]int64
	n   [FewGroupsMost]int64 // values that are not NULL
}

// FewGroupsUpdate is implemented by accumulators that take sums instead of rows. It is Update by all
// live rows of the batch, with arguments in any form; false, having done nothing, where the arguments do not allow it.
type FewGroupsUpdate interface {
	UpdateFew(b *FewGroups, args []*vector.Vector) (bool, error)
}

// IDs is memory for the groups of n rows, to be filled before Begin: all are no group's yet.
func (b *FewGroups) IDs(n int) []uint8 {
	if cap(b.ids) < n {
		b.ids = make([]uint8, n)
	}
	b.ids = b.ids[:n]
	for i := range b.ids {
		b.ids[i] = noGroup
	}
	return b.ids
}

// Begin starts a batch of at most FewGroupsMost groups; IDs has those of the rows of sel (nil: all).
func (b *FewGroups) Begin(groups int, sel []int32) {
	b.groups, b.sel, b.used = groups, sel, 0
	b.rows.count(b.ids, groups)
}

// sumsOf are the sums of v, a vector of integers of layout A; false where they might overflow.
func sumsOf[A integer](b *FewGroups, v *vector.Vector) (*groupSums, bool) {
	for _, s := range b.columns[:b.used] {
		if s.of == v {
			return s, s.ok
		}
	}
	if b.used == len(b.columns) {
		b.columns = append(b.columns, &groupSums{})
	}
	s := b.columns[b.used]
	b.used++
	s.of, s.ok = v, addUp[A](b, v, s)
	return s, s.ok
}

func addUp[A integer](b *FewGroups, v *vector.Vector, s *groupSums) bool {
	n, x := len(b.ids), vector.Values[A](v)
	if v.Form == vector.Constant {
		if bits.Len64(uint64(int64(x[0])^int64(x[0])>>63))+bits.Len(uint(n)) > maxNarrowBits {
			return false
		}
		for g := range b.groups {
			s.n[g] = b.rows.of(g)
			if constantNull(v) {
				s.n[g] = 0
			}
			s.sum[g] = int64(x[0]) * s.n[g]
		}
		return true
	}
	ids, rows := b.ids, &b.rows
	if v.Valid != nil {
		ids = b.valid(v)
		var own counts
		own.count(ids, b.groups)
		rows = &own
	}
	sums := &b.memory
	sums.clear(b.groups)
	var all uint64
	switch {
	case v.Form == vector.Dictionary:
		entries := vector.Values[A](v.Dict)
		for _, x := range entries {
			all |= uint64(int64(x) + addendMost)
		}
		if dense(b.sel, n) {
			sumCodes(sums, ids, v.Codes, entries)
		} else {
			for k, i := range b.sel {
				sums[k&3][ids[i]] += int64(entries[v.Codes[i]])
			}
		}
	case dense(b.sel, n):
		all = sumDense(sums, ids, x)
	default:
		all = sumSparse(sums, ids, b.sel, x)
	}
	if all >= 2*addendMost || n > 1<<(62-addendBits) {
		return false
	}
	for g := range b.groups {
		s.sum[g] = sums[0][g] + sums[1][g] + sums[2][g] + sums[3][g]
		s.n[g] = rows.of(g)
	}
	return true
}

// valid are the ids without those of rows where v is NULL.
func (b *FewGroups) valid(v *vector.Vector) []uint8 {
	if cap(b.masked) < len(b.ids) {
		b.masked = make([]uint8, len(b.ids))
	}
	out := b.masked[:len(b.ids)]
	for i, id := range b.ids {
		null := uint8(v.Valid[uint(i)>>6]>>(uint(i)&63)&1) - 1 // all ones for NULL
		out[i] = id | null
	}
	return out
}

func (c *counts) of(g int) int64 {
	return int64(c[0][g]) + int64(c[1][g]) + int64(c[2][g]) + int64(c[3][g])
}

func (c *counts) count(ids []uint8, groups int) {
	for i := range c {
		clear(c[i][:groups])
	}
	c0, c1, c2, c3 := &c[0], &c[1], &c[2], &c[3]
	i := 0
	for ; i < len(ids)-3; i += 4 {
		c0[ids[i]]++
		c1[ids[i+1]]++
		c2[ids[i+2]]++
		c3[ids[i+3]]++
	}
	for ; i < len(ids); i++ {
		c0[ids[i]]++
	}
}

func (s *sums) clear(groups int) {
	for i := range s {
		clear(s[i][:groups])
	}
}

// Values in [-addendMost, addendMost) can be added up without looking for overflow, a batch of them.
const (
	addendBits = 45
	addendMost = 1 << addendBits
)

// sumDense adds the values of all rows. What it returns is less than 2*addendMost if all of them may be added.
func sumDense[A integer](s *sums, ids []uint8, vals []A) uint64 {
	s0, s1, s2, s3 := &s[0], &s[1], &s[2], &s[3]
	var m int64
	vals = vals[:len(ids)]
	i := 0
	for ; i < len(ids)-3; i += 4 {
		v, w, x, y := int64(vals[i]), int64(vals[i+1]), int64(vals[i+2]), int64(vals[i+3])
		s0[ids[i]] += v
		s1[ids[i+1]] += w
		s2[ids[i+2]] += x
		s3[ids[i+3]] += y
		m |= (v + addendMost) | (w + addendMost) | (x + addendMost) | (y + addendMost)
	}
	for ; i < len(ids); i++ {
		v := int64(vals[i])
		s0[ids[i]] += v
		m |= v + addendMost
	}
	return uint64(m)
}

// sumCodes is sumDense by a dictionary; codes of rows that do not count may be anything.
func sumCodes[A integer](s *sums, ids []uint8, codes []int32, entries []A) {
	s0, s1 := &s[0], &s[1]
	codes = codes[:len(ids)]
	i := 0
	for ; i < len(ids)-1; i += 2 {
		if c := codes[i]; uint(c) < uint(len(entries)) {
			s0[ids[i]] += int64(entries[c])
		}
		if c := codes[i+1]; uint(c) < uint(len(entries)) {
			s1[ids[i+1]] += int64(entries[c])
		}
	}
	if i < len(ids) {
		if c := codes[i]; uint(c) < uint(len(entries)) {
			s0[ids[i]] += int64(entries[c])
		}
	}
}

// sumSparse is sumDense of the rows of sel.
func sumSparse[A integer](s *sums, ids []uint8, sel []int32, vals []A) uint64 {
	var m int64
	for k, i := range sel {
		v := int64(vals[i])
		s[k&3][ids[i]] += v
		m |= v + addendMost
	}
	return uint64(m)
}

// UpdateFew implements FewGroupsUpdate.
func (c *countAccumulator) UpdateFew(b *FewGroups, args []*vector.Vector) (bool, error) {
	if nullableArgs(args) != nil {
		return false, nil
	}
	for g := range b.groups {
		c.n[g] += b.rows.of(g)
	}
	return true, nil
}

// UpdateFew implements FewGroupsUpdate.
func (s *intSum[A]) UpdateFew(b *FewGroups, args []*vector.Vector) (bool, error) {
	sums, ok := sumsOf[A](b, args[0])
	if !ok {
		return false, nil
	}
	for g := range b.groups {
		if n := sums.n[g]; n > 0 {
			s.add(uint32(g), sums.sum[g])
			s.states[g].n += n - 1
		}
	}
	return true, nil
}

// UpdateFew implements FewGroupsUpdate.
func (s *wideSum) UpdateFew(b *FewGroups, args []*vector.Vector) (bool, error) {
	if args[0].Type.Physical() != sqltype.PhysInt64 {
		return false, nil
	}
	sums, ok := sumsOf[int64](b, args[0])
	if !ok {
		return false, nil
	}
	for g := range b.groups {
		if n := sums.n[g]; n > 0 {
			if err := s.addSum(uint32(g), int128.FromInt64(sums.sum[g]), n); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}
