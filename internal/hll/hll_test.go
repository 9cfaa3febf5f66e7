package hll

import (
	"bytes"
	"math"
	"strconv"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

func filled(p, from, to int) *Sketch {
	s := New(p)
	for i := from; i < to; i++ {
		s.Add(Hash64(uint64(i)))
	}
	return s
}

func TestEstimate(t *testing.T) {
	for _, p := range []int{FilePrecision, 12, ColumnPrecision} {
		for _, n := range []int{0, 1, 63, 64, 65, 100, 1000, 5000, 20_000, 100_000, 1_000_000} {
			got := filled(p, 0, n).Estimate()
			allowed := 4 * 1.04 / math.Sqrt(float64(int(1)<<p)) * float64(n)
			if n <= exactMax {
				allowed = 0
			}
			if math.Abs(float64(got)-float64(n)) > allowed {
				t.Errorf("precision %d: %d of %d values", p, got, n)
			}
		}
	}
}

func TestStringsAreSpread(t *testing.T) {
	for _, prefix := range []string{"", "a", "Customer#0000", "a text that is longer than sixteen bytes "} {
		s := New(ColumnPrecision)
		for i := range 50_000 {
			s.Add(HashBytes([]byte(prefix + strconv.Itoa(i))))
		}
		if got := s.Estimate(); got < 48_000 || got > 52_000 {
			t.Errorf("%q: %d of 50000 values", prefix, got)
		}
	}
	seen := map[uint64]string{}
	for n := range 40 {
		x := string(bytes.Repeat([]byte{0}, n))
		h := HashBytes([]byte(x))
		if y, ok := seen[h]; ok {
			t.Errorf("%q and %q hash alike", x, y)
		}
		seen[h] = x
	}
}

// TestHashesStay pins the functions that stored sketches depend on.
func TestHashesStay(t *testing.T) {
	for i, got := range []uint64{Hash64(1), Hash128(-1, 1<<63), Hash128(1, 7), HashFloat(math.Copysign(0, -1)), HashBytes([]byte("abc")), HashBytes([]byte("a longer text of bytes"))} {
		want := []uint64{0x910a2dec89025cc1, 0x481ec0a212a9f3db, 0x3d41bf495cd3075f, 0xe220a8397b1dcdaf, 0xab5fdf2d35f9feee, 0xdbb45ea508aaf699}[i]
		if got != want {
			t.Errorf("hash %d is %#x, was %#x", i, got, want)
		}
	}
}

func TestMergeFoldAndStore(t *testing.T) {
	for _, n := range []int{0, 10, 40, 200, 50_000} {
		a, b := filled(12, 0, n), filled(FilePrecision, n/2, 2*n)
		all := filled(FilePrecision, 0, 2*n)
		for name, s := range map[string]*Sketch{"large into small": b.Clone(), "small into large": a.Clone()} {
			if name == "large into small" {
				s.Merge(a)
			} else {
				s.Merge(b)
			}
			if !s.Exact() && s.Estimate() != all.Estimate() && s.Precision() == FilePrecision {
				t.Errorf("%s, %d: %d, want %d", name, n, s.Estimate(), all.Estimate())
			}
			stored := s.AppendBinary([]byte("x"))
			back, err := Decode(stored[1:])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(back.AppendBinary(nil), stored[1:]) || back.Estimate() != s.Estimate() {
				t.Errorf("%s, %d: changed by storing", name, n)
			}
		}
		if folded := filled(ColumnPrecision, 0, 2*n).Fold(FilePrecision); folded.Estimate() != all.Estimate() {
			t.Errorf("%d folded: %d, want %d", n, folded.Estimate(), all.Estimate())
		}
	}
}

func TestAddAll(t *testing.T) {
	var hashes []uint64
	for i := range 1000 {
		hashes = append(hashes, Hash64(uint64(i%700)))
	}
	s := New(FilePrecision)
	s.AddAll(hashes)
	if got, want := s.Estimate(), filled(FilePrecision, 0, 700).Estimate(); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(filled(FilePrecision, 0, 10).AppendBinary(nil))
	f.Add(filled(FilePrecision, 0, 1000).AppendBinary(nil))
	f.Add([]byte{'H', 0, 10, 65})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatal(err)
			}
			return
		}
		s.Estimate()
		if !bytes.Equal(s.AppendBinary(nil), data) {
			t.Fatal("another stored form")
		}
	})
}

func BenchmarkAddAll(b *testing.B) {
	s, hashes := New(FilePrecision), make([]uint64, 4096)
	b.SetBytes(8 * 4096)
	for i := range b.N {
		for k := range hashes {
			hashes[k] = Hash64(uint64(i*4096 + k))
		}
		s.AddAll(hashes)
	}
}
