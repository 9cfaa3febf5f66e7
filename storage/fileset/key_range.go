package fileset

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// keyRange is a part of the values of a column: from lo on, below hi. nil is no bound; NULL is where lo is none.
type keyRange struct{ lo, hi *vector.Value }

// String shows a range in the names of splits.
func (k keyRange) String() string {
	out := ""
	if k.lo != nil {
		out += ", from " + k.lo.Text()
	}
	if k.hi != nil {
		out += ", below " + k.hi.Text()
	}
	return out
}

// restrict makes req read the range only.
func (k keyRange) restrict(req *storage.ScanRequest, column int) {
	if k.lo == nil && k.hi == nil {
		return
	}
	var low, high storage.Predicate
	if k.lo != nil {
		low = storage.Predicate{Op: storage.OpGe, Column: column, Values: []vector.Value{*k.lo}}
		req.Prune = append(slices.Clip(req.Prune), low)
	}
	if k.hi != nil {
		high = storage.Predicate{Op: storage.OpLt, Column: column, Values: []vector.Value{*k.hi}}
		if k.lo == nil {
			high = storage.Predicate{Op: storage.OpOr, Children: []storage.Predicate{{Op: storage.OpIsNull, Column: column}, high}}
		}
		req.Prune = append(slices.Clip(req.Prune), high)
	}
	own := storage.Filter{Columns: []int{column}, New: func() (storage.FilterFunc, error) {
		var rows []int32
		var flat vector.Vector
		return func(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
			rows = k.choose(rows[:0], cols[0].Flatten(nil, &flat), n, sel)
			return rows, nil
		}, nil
	}}
	req.Filters = append([]storage.Filter{own}, req.Filters...)
}

// choose appends the rows of sel (nil: all n) that lie in the range.
func (k keyRange) choose(dst []int32, v *vector.Vector, n int, sel []int32) []int32 {
	switch v.Type.Physical() {
	case sqltype.PhysInt32:
		return chooseInts[int32](dst, k, v, n, sel)
	case sqltype.PhysInt64:
		return chooseInts[int64](dst, k, v, n, sel)
	}
	keep := func(i int32) bool {
		if v.IsNull(int(i)) {
			return k.lo == nil
		}
		x := v.Value(int(i))
		return (k.lo == nil || x.Compare(*k.lo) >= 0) && (k.hi == nil || x.Compare(*k.hi) < 0)
	}
	if sel == nil {
		for i := range int32(n) {
			if keep(i) {
				dst = append(dst, i)
			}
		}
		return dst
	}
	for _, i := range sel {
		if keep(i) {
			dst = append(dst, i)
		}
	}
	return dst
}

func chooseInts[T int32 | int64](dst []int32, k keyRange, v *vector.Vector, n int, sel []int32) []int32 {
	vals := vector.Values[T](v)
	lo, hi := T(0), T(0)
	if k.lo != nil {
		lo = T(k.lo.Int64())
	}
	if k.hi != nil {
		hi = T(k.hi.Int64())
	}
	keep := func(i int32) bool {
		if !v.Valid.Get(int(i)) {
			return k.lo == nil
		}
		return (k.lo == nil || vals[i] >= lo) && (k.hi == nil || vals[i] < hi)
	}
	if sel == nil {
		for i := range int32(n) {
			if keep(i) {
				dst = append(dst, i)
			}
		}
		return dst
	}
	for _, i := range sel {
		if keep(i) {
			dst = append(dst, i)
		}
	}
	return dst
}
