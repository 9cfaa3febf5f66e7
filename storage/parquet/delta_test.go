package parquet

import "testing"

// TestDeltaWithoutBlocks reads pages of no value and of one, which have no block: theirs are fewer bytes than the header says
// that a block has miniblocks. DuckDB ends every page of NULLs like that.
func TestDeltaWithoutBlocks(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want []uint64
	}{
		{[]byte{0x80, 0x10, 0x08, 0x00, 0x00}, nil},
		{[]byte{0x80, 0x10, 0x08, 0x01, 0x0e}, []uint64{7}},
	} {
		var d deltaReader
		if err := d.init(c.data); err != nil {
			t.Fatalf("% x: %v", c.data, err)
		}
		if d.total != len(c.want) {
			t.Fatalf("% x: %d values, want %d", c.data, d.total, len(c.want))
		}
		for _, w := range c.want {
			if d.last != w || !d.first {
				t.Fatalf("% x: %d, want %d", c.data, d.last, w)
			}
		}
	}
	// Blocks that are declared must be there.
	var d deltaReader
	if err := d.init([]byte{0x80, 0x10, 0x08, 0x02, 0x00}); err != nil {
		t.Fatal(err)
	}
	if err := d.nextMini(); err == nil {
		t.Fatal("a block that is missing was read")
	}
}
