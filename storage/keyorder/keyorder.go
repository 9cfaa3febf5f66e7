// Package keyorder works on rows in the order of a table's key: it sorts them, merges sorted
// inputs, and makes rows of equal keys one. Writers, compaction and scans of tables whose rows merge use it.
//
// NULL comes first, where a key descends last; strings compare by bytes. All vectors are flat.
package keyorder

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Key is a column of an order of rows.
type Key struct {
	Column     int // by position
	Descending bool
}

// Merging says which rows become one, and how. Immutable, shared.
type Merging struct {
	// Keys are the columns, by position, that such rows have in common.
	Keys []int
	// Columns are the aggregations of all columns, by position; those of keys do not matter. Rows count as
	// added in their order, so REPLACE takes the last one.
	Columns []function.Aggregation
	// Unique tells that no input of a merge has two rows of one key.
	Unique bool
}

// compare orders row i of a and row j of b.
func compare(a []*vector.Vector, i int, b []*vector.Vector, j int, keys []Key) int {
	for _, k := range keys {
		x, y, less := a[k.Column], b[k.Column], -1
		if k.Descending {
			less = 1
		}
		xn, yn := !x.Valid.Get(i), !y.Valid.Get(j)
		switch {
		case xn && yn:
			continue
		case xn:
			return less
		case yn:
			return -less
		}
		if c := compareValues(x, i, y, j); c != 0 {
			return -c * less
		}
	}
	return 0
}

// same reports whether row i of a and row j of b agree in the columns keys.
func same(a []*vector.Vector, i int, b []*vector.Vector, j int, keys []int) bool {
	for _, k := range keys {
		x, y := a[k], b[k]
		xn, yn := !x.Valid.Get(i), !y.Valid.Get(j)
		if xn != yn || !xn && compareValues(x, i, y, j) != 0 {
			return false
		}
	}
	return true
}

// compareValues orders two values that are not NULL, of one type.
func compareValues(x *vector.Vector, i int, y *vector.Vector, j int) int {
	switch x.Type.Physical() {
	case sqltype.PhysInt32:
		return compareTwo(vector.Values[int32](x)[i], vector.Values[int32](y)[j])
	case sqltype.PhysInt64:
		return compareTwo(vector.Values[int64](x)[i], vector.Values[int64](y)[j])
	case sqltype.PhysString:
		return vector.ViewCompare(&vector.Values[vector.View](x)[i], x.Bufs, &vector.Values[vector.View](y)[j], y.Bufs)
	}
	return x.Value(i).Compare(y.Value(j)) // rare as keys
}

func compareTwo[T int32 | int64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
