// Package hll estimates numbers of distinct values with HyperLogLog sketches that can be stored, merged and made smaller.
//
// Values are hashed by Hash64, Hash128, HashFloat and HashBytes, which are the same in every process and version: stored
// sketches depend on them. Equal values must be hashed by the same function.
//
// Sources: Flajolet, Fusy, Gandouet and Meunier, HyperLogLog, AofA 2007; the estimator is Ertl's, New cardinality
// estimation algorithms for HyperLogLog sketches, 2017 (algorithm 6), which needs no tables of bias corrections.
package hll

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Precisions: a sketch of precision p has 2^p registers and a standard error of 1.04 / 2^(p/2).
const (
	MinPrecision = 4
	MaxPrecision = 16
	// FilePrecision is that of column statistics, which are kept for every file: 3.25 %, 768 bytes stored.
	FilePrecision = 10
	// ColumnPrecision is that of HLL values in tables: 0.81 %.
	ColumnPrecision = 14
)

// exactMax is how many hashes a sketch holds as they are before it makes registers.
const exactMax = 64

// Sketch is a set of hashes. The zero value is not usable; one goroutine uses a Sketch.
type Sketch struct {
	p         uint8
	exact     []uint64 // distinct, ascending, until registers are made
	registers []uint8
}

// New makes an empty sketch of a precision between MinPrecision and MaxPrecision.
func New(precision int) *Sketch {
	return &Sketch{p: uint8(min(max(precision, MinPrecision), MaxPrecision))}
}

// Precision is the number of bits that choose a register.
func (s *Sketch) Precision() int { return int(s.p) }

// Exact reports that no two hashes share a register yet: Estimate counts them.
func (s *Sketch) Exact() bool { return s.registers == nil }

// Add adds a hash.
func (s *Sketch) Add(h uint64) {
	if s.registers != nil {
		i, r := h>>(64-s.p), rank(h, s.p)
		if s.registers[i] < r {
			s.registers[i] = r
		}
		return
	}
	s.addExact(h)
}

// AddAll adds many hashes.
func (s *Sketch) AddAll(hashes []uint64) {
	for len(hashes) > 0 && s.registers == nil {
		s.addExact(hashes[0])
		hashes = hashes[1:]
	}
	shift, registers := 64-s.p, s.registers
	for _, h := range hashes {
		if i, r := h>>shift, rank(h, s.p); registers[i] < r {
			registers[i] = r
		}
	}
}

func (s *Sketch) addExact(h uint64) {
	at, found := slices.BinarySearch(s.exact, h)
	if found {
		return
	}
	if len(s.exact) < exactMax {
		s.exact = slices.Insert(s.exact, at, h)
		return
	}
	s.spread()
	s.Add(h)
}

// spread turns exact hashes into registers.
func (s *Sketch) spread() {
	s.registers = make([]uint8, 1<<s.p)
	for _, h := range s.exact {
		s.Add(h)
	}
	s.exact = nil
}

// rank is the position of the first set bit after the bits that choose the register.
func rank(h uint64, p uint8) uint8 {
	return uint8(bits.LeadingZeros64(h<<p|1<<(p-1))) + 1
}

// Merge adds everything that o has. The sketch takes the smaller precision of the two.
func (s *Sketch) Merge(o *Sketch) {
	if o.registers == nil {
		s.AddAll(o.exact)
		return
	}
	if s.registers == nil {
		s.spread()
	}
	if o.p < s.p {
		*s = *s.Fold(int(o.p))
	}
	if o.p > s.p {
		o = o.Fold(int(s.p))
	}
	for i, r := range o.registers {
		s.registers[i] = max(s.registers[i], r)
	}
}

// Fold is the sketch of the same hashes at a smaller precision.
func (s *Sketch) Fold(precision int) *Sketch {
	p := uint8(min(max(precision, MinPrecision), int(s.p)))
	out := &Sketch{p: p, exact: slices.Clone(s.exact)}
	if s.registers == nil {
		return out
	}
	out.registers = make([]uint8, 1<<p)
	lost := s.p - p
	for i, r := range s.registers {
		if r == 0 {
			continue
		}
		// The bits that chose among the registers that become one now come before the counted ones.
		if low := uint64(i) & (1<<lost - 1); low != 0 {
			r = uint8(bits.LeadingZeros64(low<<(64-lost))) + 1
		} else {
			r += lost
		}
		j := i >> lost
		out.registers[j] = max(out.registers[j], r)
	}
	return out
}

// Clone is an independent copy.
func (s *Sketch) Clone() *Sketch {
	return &Sketch{p: s.p, exact: slices.Clone(s.exact), registers: slices.Clone(s.registers)}
}

// Bytes is the memory that the sketch holds.
func (s *Sketch) Bytes() int64 { return int64(8*cap(s.exact)+cap(s.registers)) + 64 }

// Estimate is the number of distinct hashes.
func (s *Sketch) Estimate() int64 {
	if s.registers == nil {
		return int64(len(s.exact))
	}
	top := 64 - int(s.p) // ranks are at most top+1
	counts := make([]float64, top+2)
	for _, r := range s.registers {
		counts[r]++
	}
	m := float64(len(s.registers))
	z := m * tau(1-counts[top+1]/m)
	for k := top; k >= 1; k-- {
		z = 0.5 * (z + counts[k])
	}
	z += m * sigma(counts[0]/m)
	return int64(math.Round(m * m / (2 * math.Ln2 * z)))
}

// sigma sums x + Σ x^(2^k) 2^(k-1), what empty registers add.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		before := z
		z += x * y
		y += y
		if z == before {
			return z
		}
	}
}

// tau is what saturated registers add.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		before := z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
		if z == before {
			return z / 3
		}
	}
}

// The stored form:
//
//	| u8 'H' | u8 form | u8 precision | exact: u8 count, count × u64 little endian
//	                                  | dense: registers, 6 bits each, the first in the lowest bits
const (
	magic     = 'H'
	formExact = 0
	formDense = 1
	headSize  = 3
)

// AppendBinary appends the stored form.
func (s *Sketch) AppendBinary(dst []byte) []byte {
	if s.registers == nil {
		dst = append(dst, magic, formExact, s.p, uint8(len(s.exact)))
		for _, h := range s.exact {
			dst = binary.LittleEndian.AppendUint64(dst, h)
		}
		return dst
	}
	dst = append(dst, magic, formDense, s.p)
	for i := 0; i < len(s.registers); i += 4 {
		r := s.registers[i : i+4]
		x := uint32(r[0]) | uint32(r[1])<<6 | uint32(r[2])<<12 | uint32(r[3])<<18
		dst = append(dst, byte(x), byte(x>>8), byte(x>>16))
	}
	return dst
}

// AppendOne appends the stored form of the sketch of one hash.
func AppendOne(dst []byte, precision int, h uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, magic, formExact, uint8(precision), 1), h)
}

// MergeBinary adds what a stored form has; no bytes are an empty sketch. Errors are sqlerr.CorruptFile.
func (s *Sketch) MergeBinary(data []byte) error {
	if len(data) == headSize+9 && data[0] == magic && data[1] == formExact && data[3] == 1 && data[2] >= s.p && data[2] <= MaxPrecision {
		s.Add(binary.LittleEndian.Uint64(data[headSize+1:]))
		return nil
	}
	if len(data) == 0 {
		return nil
	}
	o, err := Decode(data)
	if err != nil {
		return err
	}
	s.Merge(o)
	return nil
}

// Decode reads the stored form, which must end with data. Errors are sqlerr.CorruptFile.
func Decode(data []byte) (*Sketch, error) {
	bad := func(what string) error { return sqlerr.New(sqlerr.CorruptFile, "malformed HLL value: %s", what) }
	if len(data) < headSize || data[0] != magic || data[2] < MinPrecision || data[2] > MaxPrecision {
		return nil, bad("header")
	}
	s := &Sketch{p: data[2]}
	body := data[headSize:]
	switch data[1] {
	case formExact:
		if len(body) < 1 || body[0] > exactMax || len(body) != 1+8*int(body[0]) {
			return nil, bad("length")
		}
		for body = body[1:]; len(body) > 0; body = body[8:] {
			h := binary.LittleEndian.Uint64(body)
			if n := len(s.exact); n > 0 && s.exact[n-1] >= h {
				return nil, bad("order")
			}
			s.exact = append(s.exact, h)
		}
	case formDense:
		if len(body) != 3<<s.p/4 {
			return nil, bad("length")
		}
		s.registers = make([]uint8, 0, 1<<s.p)
		for ; len(body) > 0; body = body[3:] {
			x := uint32(body[0]) | uint32(body[1])<<8 | uint32(body[2])<<16
			s.registers = append(s.registers, uint8(x&63), uint8(x>>6&63), uint8(x>>12&63), uint8(x>>18))
		}
		for _, r := range s.registers {
			if r > 64-s.p+1 {
				return nil, bad("register")
			}
		}
	default:
		return nil, bad("form")
	}
	return s, nil
}
