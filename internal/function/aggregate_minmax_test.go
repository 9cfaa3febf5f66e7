package function

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// TestTextExtremum finds min and max of texts that begin alike, a batch at a time.
func TestTextExtremum(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 8))
	for round := range 300 {
		largest := round%2 == 0
		e := newMinMax(sqltype.T(sqltype.String), largest).(*textExtremum)
		e.Grow(1)
		var all []string
		for range 1 + r.IntN(5) {
			n := r.IntN(30)
			v := vector.New(sqltype.T(sqltype.String), n)
			for i := range n {
				b := make([]byte, r.IntN(3)*r.IntN(10))
				for k := range b {
					b[k] = "aab\x00\xff"[r.IntN(2+min(r.IntN(40), 3))]
				}
				v.SetBytes(i, b)
				all = append(all, string(b))
			}
			if err := e.UpdateOne(0, []*vector.Vector{v}, nil, n); err != nil {
				t.Fatal(err)
			}
		}
		out := vector.New(sqltype.T(sqltype.String), 1)
		if err := e.Finish(0, out); err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			if !out.IsNull(0) {
				t.Fatal("of nothing")
			}
			continue
		}
		want := slices.Min(all)
		if largest {
			want = slices.Max(all)
		}
		if got := string(out.Value(0).Text()); got != want {
			t.Fatalf("%q of %q, want %q", got, all, want)
		}
	}
}
