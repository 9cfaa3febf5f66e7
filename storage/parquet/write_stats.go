package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// maxBoundBytes is where string bounds are cut.
const maxBoundBytes = 64

// writtenStats are the bounds of a page or chunk, in the form of the format; lo is nil
// where there is none.
type writtenStats struct {
	lo, hi           []byte
	loExact, hiExact bool
	nulls            int64
}

// bounds are the smallest and the largest of the values [from, to) of the buffer.
func (c *columnWriter) bounds(from, to int) (lo, hi []byte) {
	if from == to {
		return nil, nil
	}
	switch c.typ {
	case physBoolean:
		a, b := extremes(c.plain[from:to])
		return []byte{a}, []byte{b}
	case physInt32:
		a, b := extremes(slice[int32](c.plain, to)[from:])
		return binary.LittleEndian.AppendUint32(nil, uint32(a)), binary.LittleEndian.AppendUint32(nil, uint32(b))
	case physInt64:
		a, b := extremes(slice[int64](c.plain, to)[from:])
		return binary.LittleEndian.AppendUint64(nil, uint64(a)), binary.LittleEndian.AppendUint64(nil, uint64(b))
	case physFloat:
		a, b, ok := floatExtremes(slice[float32](c.plain, to)[from:])
		if !ok {
			return nil, nil
		}
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(a)), binary.LittleEndian.AppendUint32(nil, math.Float32bits(b))
	case physDouble:
		a, b, ok := floatExtremes(slice[float64](c.plain, to)[from:])
		if !ok {
			return nil, nil
		}
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(a)), binary.LittleEndian.AppendUint64(nil, math.Float64bits(b))
	}
	lo, hi = c.value(from), c.value(from)
	for i := from + 1; i < to; i++ {
		v := c.value(i)
		if c.compare(v, lo) < 0 {
			lo = v
		} else if c.compare(v, hi) > 0 {
			hi = v
		}
	}
	return bytes.Clone(lo), bytes.Clone(hi)
}

func extremes[T integer](v []T) (lo, hi T) {
	lo, hi = v[0], v[0]
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// floatExtremes leaves NaN out, and gives zeros the sign that bounds both zeros.
func floatExtremes[T float32 | float64](v []T) (lo, hi T, ok bool) {
	for _, x := range v {
		if x != x {
			continue
		}
		if !ok {
			lo, hi, ok = x, x, true
			continue
		}
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
	}
	if lo == 0 {
		lo = T(math.Copysign(0, -1))
	}
	if hi == 0 {
		hi = 0
	}
	return lo, hi, ok
}

// compare orders two values in PLAIN form as the column's order says.
func (c *columnWriter) compare(a, b []byte) int {
	switch c.typ {
	case physBoolean:
		return int(a[0]) - int(b[0])
	case physInt32:
		return cmpInt(int64(int32(binary.LittleEndian.Uint32(a))), int64(int32(binary.LittleEndian.Uint32(b))))
	case physInt64:
		return cmpInt(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
	case physFloat:
		return cmpInt(math.Float32frombits(binary.LittleEndian.Uint32(a)), math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case physDouble:
		return cmpInt(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case physFixed: // big-endian two's complement
		if x, y := int8(a[0]), int8(b[0]); x != y {
			return cmpInt(x, y)
		}
	}
	return bytes.Compare(a, b)
}

func cmpInt[T int8 | int64 | float32 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// finish cuts long strings, keeping lo below and hi above every value.
func (s *writtenStats) finish(t sqltype.Type) {
	s.loExact, s.hiExact = true, true
	if t.Physical() != sqltype.PhysString || s.lo == nil {
		return
	}
	if len(s.lo) > maxBoundBytes {
		s.lo, s.loExact = s.lo[:maxBoundBytes], false
	}
	if len(s.hi) > maxBoundBytes {
		s.hi, s.hiExact = increment(s.hi[:maxBoundBytes]), false
		if s.hi == nil {
			s.lo = nil
		}
	}
}

// increment is the smallest string of at most len(p) bytes that is above every string
// that begins with p; nil when there is none.
func increment(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			out := bytes.Clone(p[:i+1])
			out[i]++
			return out
		}
	}
	return nil
}
