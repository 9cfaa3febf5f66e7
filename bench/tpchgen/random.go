package tpchgen

// The generator is a set of Lehmer streams, one a column. Each row draws a varying
// number of values from a stream, but every stream advances by a fixed number a row,
// so that any row can be produced without the rows before it.
const (
	multiplier = 16807
	modulus    = 1<<31 - 1
	maxDraws   = 92 // draws a row from the widest stream, that of p_name
)

// skipFactor[k] is multiplier^k mod modulus: one multiplication skips k draws.
var skipFactor = func() (f [maxDraws + 1]int64) {
	f[0] = 1
	for k := 1; k <= maxDraws; k++ {
		f[k] = f[k-1] * multiplier % modulus
	}
	return f
}()

// A stream is one column's random numbers. It is not safe for concurrent use.
type stream struct {
	seed   int64
	used   int // draws since the row began
	perRow int // draws that every row accounts for
}

func newStream(seed int64, perRow int) stream { return stream{seed: seed, perRow: perRow} }

// between returns the next value, uniform over lo..hi.
func (s *stream) between(lo, hi int64) int64 {
	return lo + s.scaled(float64(hi-lo+1))
}

// bits returns the value that the reference program draws for "0 to the largest 32-bit
// integer". Its range overflows there, so the result is negative; the low bits of that
// number choose the letters of addresses.
func (s *stream) bits() int64 { return s.scaled(-(1 << 31)) }

func (s *stream) scaled(width float64) int64 {
	s.used++
	s.seed = s.seed * multiplier % modulus
	return int64(float64(s.seed) / modulus * width)
}

// endRow skips what the row did not draw.
func (s *stream) endRow() {
	if left := s.perRow - s.used; left > 0 {
		s.seed = s.seed * skipFactor[left] % modulus
	}
	s.used = 0
}
