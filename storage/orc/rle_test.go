package orc

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
)

// plainStream is a stream over bytes without a codec.
func plainStream(b []byte) *stream {
	in := &input{file: memFile{bytes.NewReader(b)}, path: "mem", block: defaultBlock}
	return newStream(in, &streamMeta{length: int64(len(b))}, false)
}

// TestRLEVectors decodes the examples of the specification.
func TestRLEVectors(t *testing.T) {
	ramp := func(from, to, step int64) (out []int64) {
		for x := from; step > 0 && x <= to || step < 0 && x >= to; x += step {
			out = append(out, x)
		}
		return out
	}
	patched := append([]int64{2030, 2000, 2020, 1000000}, ramp(2040, 2190, 10)...)
	for _, c := range []struct {
		hex    string
		v2     bool
		signed bool
		want   []int64
	}{
		{"61 00 07", false, false, slices.Repeat([]int64{7}, 100)},
		{"61 ff 64", false, false, ramp(100, 1, -1)},
		{"fb 02 03 06 07 0b", false, false, []int64{2, 3, 6, 7, 11}},
		{"0a 27 10", true, false, slices.Repeat([]int64{10000}, 5)},
		{"02 01", true, true, slices.Repeat([]int64{-1}, 5)},
		{"5e 03 5c a1 ab 1e de ad be ef", true, false, []int64{23713, 43806, 57005, 48879}},
		{"8e 13 2b 21 07 d0 1e 00 14 70 28 32 3c 46 50 5a 64 6e 78 82 8c 96 a0 aa b4 be fc e8", true, false, patched},
		{"c6 09 02 02 22 42 42 46", true, false, []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		r := newIntReader(plainStream(b), c.signed, c.v2)
		got := make([]int64, len(c.want))
		if err := r.next(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.hex, got, err, c.want)
		}
	}
}

// randomInts makes values of one of the shapes that the sub-encodings are for.
func randomInts(r *rand.Rand, n int, signed bool) []int64 {
	out := make([]int64, 0, n)
	for len(out) < n {
		k := 1 + r.IntN(700)
		bits := uint(1 + r.IntN(63))
		base := r.Int64() >> r.IntN(64)
		if signed && r.IntN(2) == 0 {
			base = -base
		}
		x := base
		for i := range k {
			switch shape := (k + int(bits)) % 6; shape {
			case 0:
				x = base
			case 1:
				x += int64(r.Uint64() >> (64 - bits%20))
			case 2:
				x -= int64(r.Uint64() >> (64 - bits%20))
			case 3:
				x = int64(r.Uint64() >> (64 - bits))
			case 4:
				x = base + int64(i%5)
				if r.IntN(30) == 0 {
					x += int64(r.Uint64() >> (64 - bits))
				}
			case 5:
				x = base + int64(i)*int64(bits)
			}
			if !signed && x < 0 {
				x &= math.MaxInt64
			}
			out = append(out, x)
			if r.IntN(40) == 0 {
				for range r.IntN(12) {
					out = append(out, x)
				}
			}
		}
		if r.IntN(20) == 0 && signed {
			out = append(out, math.MinInt64, math.MaxInt64, 0, -1)
		}
	}
	return out[:n]
}

// TestRLERoundTrip encodes and decodes, in pieces and with skips.
func TestRLERoundTrip(t *testing.T) {
	var kinds [4]int
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		signed := seed%2 == 0
		vals := randomInts(r, 1+r.IntN(5000), signed)
		enc := rleEncoder{signed: signed}
		b := enc.append(nil, vals)
		d := newIntReader(plainStream(b), signed, true)
		for at := 0; at < len(vals); {
			n := min(1+r.IntN(900), len(vals)-at)
			if r.IntN(3) == 0 {
				if err := d.skip(n); err != nil {
					t.Fatalf("seed %d: skip at %d: %v", seed, at, err)
				}
			} else {
				got := make([]int64, n)
				if err := d.next(got); err != nil {
					t.Fatalf("seed %d: at %d: %v", seed, at, err)
				}
				if !slices.Equal(got, vals[at:at+n]) {
					t.Fatalf("seed %d: values from %d on differ", seed, at)
				}
			}
			at += n
		}
		kinds[b[0]>>6]++
		if err := d.next(make([]int64, 1)); err == nil {
			t.Fatalf("seed %d: a value too many", seed)
		}
	}
	for k, n := range kinds {
		if n == 0 {
			t.Errorf("no stream began with sub-encoding %d", k)
		}
	}
}

func TestByteAndBitRLE(t *testing.T) {
	for seed := range 100 {
		r := rand.New(rand.NewPCG(uint64(seed), 6))
		n := 1 + r.IntN(4000)
		data := compressible(r, n)
		s := plainStream(appendBytesRLE(nil, data))
		d := byteReader{s: s}
		bitwise := bitReader{bytes: byteReader{s: plainStream(appendBytesRLE(nil, data))}}
		got := make([]byte, n)
		half := r.IntN(n)
		if err := d.next(got[:half]); err != nil {
			t.Fatal(err)
		}
		if err := d.next(got[half:]); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("seed %d: bytes differ: %v", seed, err)
		}
		for at := 0; at < 8*n; {
			k := min(1+r.IntN(300), 8*n-at)
			words := make(vector.Bitmap, (k+63)/64)
			ones, err := bitwise.next(words, k)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for i := range k {
				set := data[(at+i)/8]>>(7-(at+i)%8)&1 != 0
				if set {
					want++
				}
				if words.Get(i) != set {
					t.Fatalf("seed %d: bit %d differs", seed, at+i)
				}
			}
			if ones != want {
				t.Fatalf("seed %d: %d ones, want %d", seed, ones, want)
			}
			at += k
		}
	}
}

// FuzzRLE decodes foreign bytes as every run length encoding: values or an error, and skipping
// gives the same as reading.
func FuzzRLE(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 9))
	for seed := range 10 {
		enc := rleEncoder{signed: seed%2 == 0}
		f.Add(enc.append(nil, randomInts(r, 300, enc.signed)))
		f.Add(appendBytesRLE(nil, compressible(r, 300)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(bytes.Clone(b), make([]byte, padding)...)[:len(b)]
		for k := range 4 {
			signed, v2 := k&1 == 0, k&2 == 0
			one, other := newIntReader(plainStream(b), signed, v2), newIntReader(plainStream(b), signed, v2)
			vals, rest := make([]int64, 700), make([]int64, 400)
			for range 20 {
				err1, err2 := one.next(vals), other.skip(300)
				if err2 == nil {
					err2 = other.next(rest)
				}
				if (err1 == nil) != (err2 == nil) {
					t.Fatalf("read: %v, skipped: %v", err1, err2)
				}
				if err1 != nil {
					break
				}
				if !slices.Equal(vals[300:], rest) {
					t.Fatal("values behind a skip differ")
				}
			}
		}
		bits := bitReader{bytes: byteReader{s: plainStream(b)}}
		words := make(vector.Bitmap, 20)
		for range 50 {
			ones, err := bits.next(words, 1234)
			if err != nil {
				break
			}
			if want := 1234 - words.CountZeros(1234); ones != want {
				t.Fatalf("%d ones, want %d", ones, want)
			}
		}
	})
}
