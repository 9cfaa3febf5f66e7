package spill

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
)

// FuzzBlock reads hostile bytes as a block, behind a checksum that agrees: an error, or columns that print and are written as they
// were read. A block of which a byte is changed is never taken for another one.
func FuzzBlock(f *testing.F) {
	r := rand.New(rand.NewSource(3))
	for _, n := range []int{0, 1, 3, 70} {
		cols := make([]*vector.Vector, len(allTypes))
		for i, ty := range allTypes {
			cols[i] = randomVector(r, ty, max(n, 1)).Slice(0, n)
		}
		c := NewCodec(allTypes)
		if err := c.encode(cols, n, nil, [][]byte{[]byte("extra"), nil}); err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Clone(c.raw), uint16(n), uint32(0), byte(0))
		f.Add(bytes.Clone(c.raw), uint16(n), uint32(5), byte(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, rows uint16, at uint32, flip byte) {
		w, c := NewCodec(allTypes), NewCodec(allTypes)
		w.raw = raw
		packed, err := w.pack()
		if err != nil {
			t.Fatal(err)
		}
		block := Block{size: int32(len(packed)), Rows: int32(rows), Raw: int32(len(raw))}
		packed[int(at)%len(packed)] ^= flip
		cols, extra, err := c.unpack(packed, block)
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatalf("not an error for users: %v", err)
			}
			return
		}
		if flip != 0 {
			t.Fatal("a changed block was read")
		}
		again := NewCodec(allTypes)
		if err := again.encode(cols, int(rows), nil, extra); err != nil {
			t.Fatal(err)
		}
		back, more, err := NewCodec(allTypes).decode(again.raw, int(rows))
		if err != nil || len(more) != len(extra) {
			t.Fatalf("%d byte strings of %d, %v", len(more), len(extra), err)
		}
		for i, v := range cols {
			for j := range int(rows) {
				if x, y := text(v, j), text(back[i], j); x != y {
					t.Fatalf("%s row %d: %s, want %s", allTypes[i], j, y, x)
				}
			}
		}
	})
}
