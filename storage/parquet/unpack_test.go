package parquet

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// TestUnpack compares every width, length and start with reading bit by bit, and the
// assembly with its twin.
func TestUnpack(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for width := uint(1); width <= 32; width++ {
		for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 65, 100, 255} {
			src := make([]byte, 3+(n+8)*int(width)/8+padding)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			for skip := range 9 {
				want := make([]int32, n)
				var largest uint32
				for i := range want {
					for k := range int(width) {
						bit := (skip+i)*int(width) + k
						want[i] |= int32(src[bit/8]>>(bit%8)&1) << k
					}
					largest = max(largest, uint32(want[i]))
				}
				got := make([]int32, n)
				if m := unpackBits(got, src, skip*int(width), width); !slices.Equal(got, want) || m != largest {
					t.Fatalf("width %d, %d values after %d: got %v largest %d, want %v %d", width, n, skip, got, m, want, largest)
				}
				if skip == 0 && n%8 == 0 {
					clear(got)
					if m := unpackGroupsGeneric(got, unsafe.Pointer(&src[0]), width); !slices.Equal(got, want) || m != largest {
						t.Fatalf("generic, width %d, %d values: got %v, want %v", width, n, got, want)
					}
				}
			}
		}
	}
}

// TestHybrid encodes random runs and reads them back: all, picked and after skipping.
func TestHybrid(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		width := uint(r.IntN(21))
		codes := make([]int32, r.IntN(300))
		for i := range codes {
			codes[i] = int32(r.Uint64() & (1<<width - 1))
			if i > 0 && r.IntN(20) > 0 && width%2 == 0 {
				codes[i] = codes[i-1]
			}
		}
		data := append(appendHybrid(nil, codes, width), make([]byte, padding)...)
		data = data[:len(data)-padding]
		var h hybrid
		h.init(data, width)
		skip := 0
		if len(codes) > 0 {
			skip = r.IntN(len(codes))
		}
		if err := h.skip(skip); err != nil {
			t.Fatal(err)
		}
		rest := codes[skip:]
		copyOf := h
		got := make([]int32, len(rest))
		if err := h.codes(got, 1<<width); err != nil || !slices.Equal(got, rest) {
			t.Fatalf("width %d: got %v, want %v, %v", width, got, rest, err)
		}
		var idx, want []int32
		for i, c := range rest {
			if r.IntN(5) == 0 {
				idx, want = append(idx, int32(i)), append(want, c)
			}
		}
		got = make([]int32, len(idx))
		if err := copyOf.pick(got, idx, len(rest), 1<<width); err != nil || !slices.Equal(got, want) {
			t.Fatalf("width %d: picked %v, want %v, %v", width, got, want, err)
		}
		if limit := int(slices.Max(append(rest, 0))); limit > 0 {
			h.init(data, width)
			if err := h.codes(make([]int32, len(codes)), limit); err == nil {
				t.Fatalf("codes up to %d pass the limit %d", limit, limit)
			}
		}
	}
}
