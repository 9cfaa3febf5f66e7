package function

import "github.com/basaltdb/basalt/internal/int128"

// The accumulators whose states are small and whose groups are often many implement
// ScatteredMerge: a hash aggregation moves such states between tables by the million.

// MergeRows implements ScatteredMerge.
func (c *countAccumulator) MergeRows(groups []uint32, other Accumulator, rows []uint32) error {
	o, rows := other.(*countAccumulator).n, rows[:len(groups)]
	for k, g := range groups {
		c.n[g] += o[rows[k]]
	}
	return nil
}

// MergeRows implements ScatteredMerge.
func (s *intSum[A]) MergeRows(groups []uint32, other Accumulator, rows []uint32) error {
	o := other.(*intSum[A])
	for k, g := range groups {
		src := rows[k]
		if o.carry != nil || s.carry != nil {
			s.addWide(g, o.total(src), o.states[src].n)
			continue
		}
		n := s.states[g].n + o.states[src].n
		s.add(g, o.states[src].sum)
		s.states[g].n = n
	}
	return nil
}

// MergeRows implements ScatteredMerge.
func (s *wideSum) MergeRows(groups []uint32, other Accumulator, rows []uint32) error {
	o := other.(*wideSum).states
	for k, g := range groups {
		st := &s.states[g]
		var ok bool
		var z int128.Int
		if z, ok = st.sum.AddOK(o[rows[k]].sum); !ok {
			return s.check(-1)
		}
		st.sum = z
		st.n += o[rows[k]].n
	}
	return nil
}

// MergeRows implements ScatteredMerge.
func (s *floatSum) MergeRows(groups []uint32, other Accumulator, rows []uint32) error {
	o := other.(*floatSum).states
	for k, g := range groups {
		s.states[g].sum += o[rows[k]].sum
		s.states[g].n += o[rows[k]].n
	}
	return nil
}
