package function

import (
	"math"

	"github.com/basaltdb/basalt/internal/vector"
)

// varianceBuilder is a variance over DOUBLE: of a sample or a population, and its root.
// A sample of one value has none: NULL.
func varianceBuilder(sample, root bool) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tDouble) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tDouble), Result: tDouble, NullOnEmpty: true, NewAccumulator: accumulator(func() Accumulator {
			return &moments{sample: sample, root: root}
		})}, nil
	}
}

// moments keeps count, mean and squared distance from the mean (Welford; merged as by
// Chan, Golub and LeVeque, 1979), which does not lose digits as sums of squares do.
type moments struct {
	states       []moment
	sample, root bool
}

type moment struct {
	n        int64
	mean, m2 float64
}

func (m *moments) Grow(n int) { m.states = growTo(m.states, n) }

func (s *moment) add(v float64) {
	s.n++
	d := v - s.mean
	s.mean += d / float64(s.n)
	s.m2 += d * (v - s.mean)
}

func (m *moments) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v, x := args[0], columnOf[float64](args[0])
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			m.states[g].add(x.at(i))
		}
	}
	return nil
}

func (m *moments) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	v, x := args[0], columnOf[float64](args[0])
	s := m.states[group]
	for k := range n {
		if i := row(sel, k); !isNullAt(v, i) {
			s.add(x.at(i))
		}
	}
	m.states[group] = s
	return nil
}

func (m *moments) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*moments).states[from:]
	for k, g := range groups {
		mergeMoment(&m.states[g], &o[k])
	}
	return nil
}

func (m *moments) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[float64](out)
	for i := range dst {
		s := &m.states[lo+i]
		n := s.n
		if m.sample {
			n--
		}
		dst[i] = 0
		if n <= 0 {
			out.SetNull(i)
			continue
		}
		dst[i] = s.m2 / float64(n)
		if m.root {
			dst[i] = math.Sqrt(dst[i])
		}
	}
	return nil
}

func (m *moments) Bytes() int64 { return int64(cap(m.states)) * 24 }
