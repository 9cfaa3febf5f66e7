package physical

import (
	"math/bits"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// FilterKind is the form of a runtime filter, or a set of forms; the numbers are Doris's.
type FilterKind uint8

// Forms of runtime filters.
const (
	FilterIn        FilterKind = 1  // the list of values, when they are few
	FilterBloom     FilterKind = 2  // a Bloom filter, or an exact bitmap where integers lie close together
	FilterMinMax    FilterKind = 4  // the smallest and the largest value
	FilterInOrBloom FilterKind = 8  // the list, and above its limit the Bloom filter
	FilterBitmap    FilterKind = 16 // an exact bitmap of integers
	FilterTopN      FilterKind = 32 // the worst value that still is among the first rows: moves while the query runs
)

// DefaultFilters is what a join makes where nothing else is said.
const DefaultFilters = FilterInOrBloom | FilterMinMax

var filterNames = []string{"in", "bloom", "min_max", "in_or_bloom", "bitmap", "topn"}

// String names the forms as EXPLAIN does.
func (k FilterKind) String() string {
	var out []string
	for _, f := range k.Each() {
		out = append(out, filterNames[bits.TrailingZeros8(uint8(f))])
	}
	return strings.Join(out, ",")
}

// Each lists the single forms of a set.
func (k FilterKind) Each() []FilterKind {
	var out []FilterKind
	for i := range filterNames {
		if k>>i&1 != 0 {
			out = append(out, 1<<i)
		}
	}
	return out
}

// RuntimeFilterRef says that filter ID applies to source column Column.
type RuntimeFilterRef struct {
	ID     int
	Column int        // source ordinal
	Kind   FilterKind // as the RuntimeFilter's
	// Type is that of the filter's values, when it is a wider integer than the column's; else the zero Type.
	Type sqltype.Type
}

// RuntimeFilter is made by a hash join from its build side's key, by a set operation from its left
// side's column, by a top-N of its first sort key.
type RuntimeFilter struct {
	ID   int
	Key  int        // index into HashJoin.BuildKeys, SetOp's columns; 0 for Sort
	Kind FilterKind // one form; 0: DefaultFilters
}

// RangeFilter is made by a nested loop join of one comparison with its build side: no probe row
// matches unless "probe column Op bound" holds, where the bound is the build column's largest (OpLt, OpLe) or
// smallest value (OpGt, OpGe).
type RangeFilter struct {
	ID           int
	Op           storage.Op
	Probe, Build int // positions of the probe and the build batch
}
