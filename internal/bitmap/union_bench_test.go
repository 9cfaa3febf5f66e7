package bitmap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// BenchmarkCountUnion is the cost of a container of seven bitmaps, by the values of each; the rate is of values.
func BenchmarkCountUnion(b *testing.B) {
	for _, n := range []int{10, 50, 100, 200, 400, 800} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			var unions [64][7]container
			for u := range unions {
				for i := range unions[u] {
					vals := make([]uint16, n)
					for k := range vals {
						vals[k] = uint16(r.Uint32())
					}
					slices.Sort(vals)
					c := &unions[u][i]
					c.card = n
					for _, v := range vals {
						c.data = append(c.data, byte(v), byte(v>>8))
					}
				}
			}
			var w Workspace
			b.SetBytes(int64(7 * n))
			for i := 0; b.Loop(); i++ {
				cs := make([]*container, 0, 7)
				for k := range unions[i%64] {
					cs = append(cs, &unions[i%64][k])
				}
				w.countUnion(cs)
			}
		})
	}
}
