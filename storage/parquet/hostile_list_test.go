package parquet

import (
	"encoding/binary"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// TestHostileLevels: runs of a few bytes do not make a row of any number of elements, while as many rows without elements are read.
func TestHostileLevels(t *testing.T) {
	const all = 1 << 30
	stream := func(rep byte) *leafStream {
		c := &column{rows: all, ahead: all, meta: &chunkMeta{compressed: 10}, file: &File{path: "x"}}
		c.page.left = all
		pad := func(b []byte) []byte { return append(b, make([]byte, padding)...)[:len(b)] }
		c.page.reps.init(pad(append(binary.AppendUvarint([]byte{1 << 1, 0}, (all-1)<<1), rep)), 1)
		c.page.levels.init(pad(append(binary.AppendUvarint(nil, all<<1), 0)), 1)
		return &leafStream{node: &node{name: "a", maxDef: 1, maxRep: 1}, column: c, rows: all, values: vector.New(sqltype.T(sqltype.Int), 0)}
	}
	s := stream(0)
	for range 3000 {
		if err := s.readRows(vector.BatchRows); err != nil {
			t.Fatal(err)
		}
	}
	if got := cap(s.def); got > 16*levelPiece {
		t.Errorf("%d levels are kept for %d rows", got, vector.BatchRows)
	}
	s = stream(1)
	if err := s.readRows(1); !sqlerr.Is(err, sqlerr.NotSupported) {
		t.Errorf("a row of 2^30 elements: %v", err)
	}
	if got := len(s.def); got > 4*leastPending {
		t.Errorf("%d levels were decoded", got)
	}
}
