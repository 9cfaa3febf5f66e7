package function

import (
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveApproxDistinct is approx_count_distinct (ndv): a HyperLogLog of 2^12 registers,
// whose standard error is 1.6 %, exact up to 64 values. Hashes differ from
// process to process: sketches are never stored.
func resolveApproxDistinct(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 1 || args[0].Type.Kind >= sqltype.Array {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	return &Aggregate{Params: types(t), Result: tBigInt, IgnoresDistinct: true,
		NewAccumulator: accumulator(func() Accumulator { return &distinctSketch{} })}, nil
}

const (
	sketchBits = 12
	sketchSize = 1 << sketchBits
	sparseMax  = 64 // hashes kept as they are before the registers are made
)

// hashSeed is the process's; all drivers of a query share it.
var hashSeed = maphash.MakeSeed()

// distinctSketch holds a small set of hashes, then registers, a group.
type distinctSketch struct {
	states []sketch
	held   int64
}

type sketch struct {
	sparse    []uint64 // distinct, unordered
	registers []uint8
}

func (d *distinctSketch) Grow(n int) { d.states = growTo(d.states, n) }

func (d *distinctSketch) add(s *sketch, h uint64) {
	if s.registers != nil {
		s.register(h)
		return
	}
	for _, x := range s.sparse {
		if x == h {
			return
		}
	}
	if len(s.sparse) < sparseMax {
		before := cap(s.sparse)
		s.sparse = append(s.sparse, h)
		d.held += int64(cap(s.sparse)-before) * 8
		return
	}
	s.registers = make([]uint8, sketchSize)
	d.held += sketchSize - int64(cap(s.sparse))*8
	for _, x := range s.sparse {
		s.register(x)
	}
	s.sparse = nil
	s.register(h)
}

func (s *sketch) register(h uint64) {
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	if r := &s.registers[h>>(64-sketchBits)]; *r < rank {
		*r = rank
	}
}

// estimate uses the registers' harmonic mean, and linear counting while many are empty.
func (s *sketch) estimate() int64 {
	if s.registers == nil {
		return int64(len(s.sparse))
	}
	const m = float64(sketchSize)
	sum, zeros := 0.0, 0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		zeros += b2i(r == 0)
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(e))
}

func (d *distinctSketch) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	hash := rowHasher(v)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			d.add(&d.states[g], hash(i))
		}
	}
	return nil
}

// rowHasher hashes rows of one vector. Equal values hash alike: -0 and +0, all NaNs.
func rowHasher(v *vector.Vector) func(i int) uint64 {
	switch v.Type.Physical() {
	case sqltype.PhysString:
		x := textOf(v)
		return func(i int) uint64 { return maphash.Bytes(hashSeed, x.at(i)) }
	case sqltype.PhysInt128:
		x := columnOf[int128.Int](v)
		return func(i int) uint64 { return mix(mix(x.at(i).Lo) ^ uint64(x.at(i).Hi)) }
	case sqltype.PhysFloat64:
		x := columnOf[float64](v)
		return func(i int) uint64 { return hashFloat(x.at(i)) }
	case sqltype.PhysFloat32:
		x := columnOf[float32](v)
		return func(i int) uint64 { return hashFloat(float64(x.at(i))) }
	case sqltype.PhysInt64:
		x := columnOf[int64](v)
		return func(i int) uint64 { return mix(uint64(x.at(i))) }
	case sqltype.PhysInt32:
		x := columnOf[int32](v)
		return func(i int) uint64 { return mix(uint64(x.at(i))) }
	case sqltype.PhysInt16:
		x := columnOf[int16](v)
		return func(i int) uint64 { return mix(uint64(x.at(i))) }
	}
	x := columnOf[uint8](v)
	return func(i int) uint64 { return mix(uint64(x.at(i))) }
}

func hashFloat(f float64) uint64 {
	if f == 0 {
		f = 0
	}
	if f != f {
		f = math.NaN()
	}
	return mix(math.Float64bits(f))
}

// mix spreads the bits of x (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (d *distinctSketch) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*distinctSketch)
	for k, g := range groups {
		src, dst := &o.states[from+k], &d.states[g]
		for _, h := range src.sparse {
			d.add(dst, h)
		}
		if src.registers == nil {
			continue
		}
		if dst.registers == nil {
			sparse := dst.sparse
			dst.registers, dst.sparse = make([]uint8, sketchSize), nil
			d.held += sketchSize - int64(cap(sparse))*8
			for _, h := range sparse {
				dst.register(h)
			}
		}
		for r, v := range src.registers {
			dst.registers[r] = max(dst.registers[r], v)
		}
	}
	return nil
}

func (d *distinctSketch) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[int64](out)
	for i := range dst {
		dst[i] = d.states[lo+i].estimate()
	}
	return nil
}

func (d *distinctSketch) Bytes() int64 { return d.held + int64(cap(d.states))*48 }
