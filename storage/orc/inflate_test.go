package orc

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"
)

// compressible makes n bytes of runs, words and noise.
func compressible(r *rand.Rand, n int) []byte {
	var out []byte
	for len(out) < n {
		switch r.IntN(6) {
		case 0:
			out = append(out, bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(600))...)
		case 1:
			for range r.IntN(200) {
				out = append(out, byte(r.Uint32()))
			}
		case 2:
			out = append(out, bytes.Repeat(out[max(0, len(out)-1-r.IntN(7)):], r.IntN(20))...)
		case 3:
			if len(out) > 0 {
				at := r.IntN(len(out))
				out = append(out, out[at:min(len(out), at+r.IntN(300))]...)
			}
		default:
			for range r.IntN(400) {
				out = append(out, "etaoin shrdlu"[r.IntN(13)])
			}
		}
	}
	return out[:n]
}

func deflated(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestInflate compares with what was compressed, at every level and into memory with and
// without room behind the data.
func TestInflate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		data := compressible(r, r.IntN(1<<uint(4+i%14)))
		packed := deflated(t, data, i%11-2)
		for _, room := range []int{0, 1, 1000} {
			dst := make([]byte, len(data)+room)
			n, err := inflate(dst, packed)
			if err != nil || !bytes.Equal(dst[:n], data) {
				t.Fatalf("case %d, %d bytes: %d bytes, %v", i, len(data), n, err)
			}
		}
		if len(data) > 0 {
			if _, err := inflate(make([]byte, len(data)-1), packed); err == nil {
				t.Fatalf("case %d: wrote past the end", i)
			}
		}
		for range 5 {
			if _, err := inflate(make([]byte, len(data)), packed[:r.IntN(len(packed))]); err == nil {
				t.Fatalf("case %d: a cut input was read", i)
			}
		}
	}
}

// TestInflateDamaged compares with the library on damaged input: the same bytes, or an error
// from both.
func TestInflateDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	agree := 0
	for i := range 3000 {
		packed := bytes.Clone(deflated(t, compressible(r, 1+r.IntN(700)), 1+i%9))
		for range 1 + r.IntN(3) {
			packed[r.IntN(len(packed))] ^= 1 << r.IntN(8)
		}
		compareInflate(t, packed, 2000)
		agree++
	}
	t.Logf("%d inputs", agree)
}

func compareInflate(t *testing.T, packed []byte, room int) {
	want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), int64(room)+1))
	if len(want) > room {
		wantErr = io.ErrShortBuffer
	}
	dst := make([]byte, room)
	n, err := inflate(dst, packed)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%x: got %v, the library %v", packed, err, wantErr)
	}
	if err == nil && !bytes.Equal(dst[:n], want) {
		t.Fatalf("%x: %d bytes differ from the library's %d", packed, n, len(want))
	}
}

func FuzzInflate(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		f.Add(deflated(f, compressible(r, 1+r.IntN(700)), 1+i%9))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		n, err := inflate(make([]byte, 5000), packed)
		if err != nil {
			return
		}
		want, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 5001))
		if len(want) != n {
			t.Errorf("%d bytes, the library has %d", n, len(want))
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	data := compressible(rand.New(rand.NewPCG(1, 1)), 256<<10)
	packed := deflated(b, data, 6)
	dst := make([]byte, len(data)+64)
	b.SetBytes(int64(len(data)))
	for range b.N {
		if _, err := inflate(dst, packed); err != nil {
			b.Fatal(err)
		}
	}
}
