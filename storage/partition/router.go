package partition

import (
	"slices"
	"sort"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Router finds the partition of rows. Immutable and safe for concurrent use.
//
// Each column's values become small codes that order as they do among the bounds of that column:
// a value found by binary search, with the last answer kept for runs of rows that are close.
// Tuples of codes are then looked up, or searched for, without touching a value again.
type Router struct {
	kind    storage.PartitionKind
	parts   []storage.PartitionInfo
	columns []coder

	order        []int32   // ranges: ordinals by lower bound
	lower, upper [][]int32 // ranges: the codes of the bounds, in that order
	direct       []int32   // one column: ordinal by code+1, -1: none
	// pairs, for lists of several columns, number the tuples of their first i+2 columns: the
	// number of the tuple before and the code of the next column give the number. The last is the ordinal.
	pairs []map[[2]int32]int32
}

// codes that are no position among bounds.
const (
	codeNull    = -1 // ranges: NULL, and below every value
	codeMax     = 1<<31 - 1
	codeMissing = -2 // lists: a value that no partition names
)

// NewRouter makes the router of partitions of kind; types are those of the partition columns.
func NewRouter(kind storage.PartitionKind, types []sqltype.Type, parts []storage.PartitionInfo) *Router {
	r := &Router{kind: kind, parts: parts}
	switch kind {
	case storage.Unpartitioned:
	case storage.RangePartitions:
		r.buildRanges(types)
	default:
		r.buildLists(types)
	}
	return r
}

// Partitions are what Route numbers.
func (r *Router) Partitions() []storage.PartitionInfo { return r.parts }

// Route writes the ordinal of the partition of each row of sel (nil: all n rows) to out, indexed
// by row; -1 where no partition takes the row. cols are the partition columns, any form.
// missing is the number of such rows. The scratch is reused and returned.
//
// NULL belongs where a range's lower bound is the least, and to a list that names it.
func (r *Router) Route(cols []*vector.Vector, n int, sel []int32, out []int32, scratch []int32) (missing int, _ []int32) {
	if r.kind == storage.Unpartitioned {
		each(n, sel, func(i int) { out[i] = 0 })
		return 0, scratch
	}
	if len(cols) == 1 {
		scratch = r.columns[0].codes(cols[0], n, sel, out, scratch)
		each(n, sel, func(i int) {
			o := r.directOf(out[i])
			out[i] = o
			if o < 0 {
				missing++
			}
		})
		return missing, scratch
	}
	if cap(scratch) < n*len(cols) {
		scratch = make([]int32, n*len(cols))
	}
	codes, spare := scratch[:n*len(cols)], scratch[n*len(cols):]
	for k, c := range cols {
		r.columns[k].codes(c, n, sel, codes[k*n:(k+1)*n], spare)
	}
	tuple, last := make([]int32, len(cols)), make([]int32, len(cols))
	found := int32(-1)
	each(n, sel, func(i int) {
		same := i > 0 && found >= 0
		for k := range tuple {
			tuple[k] = codes[k*n+i]
			same = same && tuple[k] == last[k]
		}
		if !same {
			found = r.search(tuple)
			copy(last, tuple)
		}
		out[i] = found
		if found < 0 {
			missing++
		}
	})
	return missing, scratch
}

// each calls f with the rows of sel, or all n.
func each(n int, sel []int32, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(int(i))
	}
}

func (r *Router) directOf(code int32) int32 {
	if code == codeMissing {
		return -1
	}
	return r.direct[code+1]
}

// search finds the ordinal of a tuple of codes.
func (r *Router) search(tuple []int32) int32 {
	if r.kind == storage.RangePartitions {
		at := sort.Search(len(r.lower), func(k int) bool { return slices.Compare(r.lower[k], tuple) > 0 }) - 1
		if at < 0 || slices.Compare(tuple, r.upper[at]) >= 0 {
			return -1
		}
		return r.order[at]
	}
	if slices.Contains(tuple, codeMissing) {
		return -1
	}
	prefix := tuple[0]
	for k, m := range r.pairs {
		next, ok := m[[2]int32{prefix, tuple[k+1]}]
		if !ok {
			return -1
		}
		prefix = next
	}
	return prefix
}

func (r *Router) buildRanges(types []sqltype.Type) {
	r.columns = make([]coder, len(types))
	for k, t := range types {
		c := &r.columns[k]
		c.typ, c.null = t, codeNull
		for i := range r.parts {
			b := &r.parts[i].Bounds
			for _, e := range []storage.Endpoint{b.Lower[k], b.Upper[k]} {
				if !e.Min && !e.Max {
					c.bounds = append(c.bounds, e.Value)
				}
			}
		}
		c.sortBounds()
	}
	encode := func(bound []storage.Endpoint) []int32 {
		out := make([]int32, len(bound))
		for k, e := range bound {
			switch {
			case e.Min:
				out[k] = codeNull
			case e.Max:
				out[k] = codeMax
			default:
				out[k] = r.columns[k].position(e.Value)
			}
		}
		return out
	}
	r.order = make([]int32, len(r.parts))
	for i := range r.order {
		r.order[i] = int32(i)
	}
	slices.SortFunc(r.order, func(a, b int32) int {
		return CompareBound(r.parts[a].Bounds.Lower, r.parts[b].Bounds.Lower)
	})
	for _, o := range r.order {
		r.lower = append(r.lower, encode(r.parts[o].Bounds.Lower))
		r.upper = append(r.upper, encode(r.parts[o].Bounds.Upper))
	}
	if len(types) == 1 {
		r.direct = make([]int32, 2*len(r.columns[0].bounds)+2)
		for code := range r.direct {
			r.direct[code] = r.search([]int32{int32(code) - 1})
		}
	}
}

func (r *Router) buildLists(types []sqltype.Type) {
	r.columns = make([]coder, len(types))
	for k, t := range types {
		c := &r.columns[k]
		c.typ, c.null, c.exact = t, codeMissing, true
		for i := range r.parts {
			for _, tuple := range r.parts[i].Bounds.Values {
				if !tuple[k].Null {
					c.bounds = append(c.bounds, tuple[k])
				} else {
					c.null = codeNull
				}
			}
		}
		c.sortBounds()
	}
	if len(types) == 1 {
		r.direct = slices.Repeat([]int32{-1}, 2*len(r.columns[0].bounds)+2)
	} else {
		r.pairs = make([]map[[2]int32]int32, len(types)-1)
		for k := range r.pairs {
			r.pairs[k] = map[[2]int32]int32{}
		}
	}
	for i := range r.parts {
		for _, tuple := range r.parts[i].Bounds.Values {
			r.addTuple(tuple, int32(i))
		}
	}
}

func (r *Router) addTuple(tuple []vector.Value, ordinal int32) {
	code := func(k int) int32 {
		if tuple[k].Null {
			return codeNull
		}
		return r.columns[k].position(tuple[k])
	}
	if r.direct != nil {
		r.direct[code(0)+1] = ordinal
		return
	}
	prefix := code(0)
	for k, m := range r.pairs {
		key := [2]int32{prefix, code(k + 1)}
		if k == len(r.pairs)-1 {
			m[key] = ordinal
			return
		}
		next, ok := m[key]
		if !ok {
			next = int32(len(m))
			m[key] = next
		}
		prefix = next
	}
}

// Find is the ordinal of one tuple, -1 for none: the simple twin of Route.
func (r *Router) Find(tuple []vector.Value) int {
	point := make([]storage.Endpoint, len(tuple))
	for i, v := range tuple {
		point[i] = storage.Endpoint{Value: v, Min: v.Null}
	}
	for i := range r.parts {
		b := &r.parts[i].Bounds
		switch r.kind {
		case storage.Unpartitioned:
			return 0
		case storage.RangePartitions:
			if CompareBound(b.Lower, point) <= 0 && CompareBound(point, b.Upper) < 0 {
				return i
			}
		default:
			key := tupleKey(tuple)
			for _, v := range b.Values {
				if tupleKey(v) == key {
					return i
				}
			}
		}
	}
	return -1
}

// Unrouted are the distinct tuples of the rows of sel that Route left at -1, in order of
// appearance.
func Unrouted(cols []*vector.Vector, n int, sel []int32, out []int32) [][]vector.Value {
	var list [][]vector.Value
	seen := map[string]bool{}
	each(n, sel, func(i int) {
		if out[i] >= 0 {
			return
		}
		tuple := make([]vector.Value, len(cols))
		for k, c := range cols {
			tuple[k] = c.Value(i)
		}
		if key := tupleKey(tuple); !seen[key] {
			seen[key] = true
			list = append(list, tuple)
		}
	})
	return list
}

// TupleText prints a tuple as messages do: (2024-01-01, NULL).
func TupleText(tuple []vector.Value) string {
	text := []byte("(")
	for i, v := range tuple {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(text, v.Text()...)
	}
	return string(append(text, ')'))
}

// coder turns the values of one column into their positions among its bounds: 2i+1 is the
// i-th bound itself, 2i what lies before it. null is the code of NULL.
type coder struct {
	typ    sqltype.Type
	bounds []vector.Value // ascending, distinct
	exact  bool           // lists: only the bounds themselves have codes, others are missing
	null   int32

	// The bounds again, by layout.
	ints  []int64
	wides []int128.Int
	texts []string
}

func (c *coder) sortBounds() {
	slices.SortFunc(c.bounds, vector.Value.Compare)
	c.bounds = slices.CompactFunc(c.bounds, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
	for _, v := range c.bounds {
		switch c.typ.Physical() {
		case sqltype.PhysString:
			c.texts = append(c.texts, v.S)
		case sqltype.PhysInt128:
			c.wides = append(c.wides, v.I)
		default:
			c.ints = append(c.ints, v.Int64())
		}
	}
}

// position is the code of a bound's value.
func (c *coder) position(v vector.Value) int32 {
	at, _ := slices.BinarySearchFunc(c.bounds, v, vector.Value.Compare)
	return int32(2*at + 1)
}

// codes writes the code of each row of sel to out, indexed by row.
func (c *coder) codes(v *vector.Vector, n int, sel []int32, out []int32, scratch []int32) []int32 {
	switch {
	case v.Type.Kind == sqltype.Null:
		each(n, sel, func(i int) { out[i] = c.null })
		return scratch
	case v.Form == vector.Constant:
		var one [1]int32
		flat := *v
		flat.Form, flat.Len = vector.Flat, 1
		c.flat(&flat, 1, nil, one[:])
		each(n, sel, func(i int) { out[i] = one[0] })
		return scratch
	case v.Form == vector.Dictionary:
		if cap(scratch) < v.Dict.Len {
			scratch = make([]int32, v.Dict.Len)
		}
		entries := scratch[:v.Dict.Len]
		c.flat(v.Dict, v.Dict.Len, nil, entries)
		each(n, sel, func(i int) {
			if out[i] = c.null; v.Valid.Get(i) {
				out[i] = entries[v.Codes[i]]
			}
		})
		return scratch
	}
	c.flat(v, n, sel, out)
	return scratch
}

func (c *coder) flat(v *vector.Vector, n int, sel []int32, out []int32) {
	switch v.Type.Physical() {
	case sqltype.PhysBool, sqltype.PhysInt8:
		codeInts[int8](c, v, n, sel, out)
	case sqltype.PhysInt16:
		codeInts[int16](c, v, n, sel, out)
	case sqltype.PhysInt32:
		codeInts[int32](c, v, n, sel, out)
	case sqltype.PhysInt64:
		codeInts[int64](c, v, n, sel, out)
	case sqltype.PhysInt128:
		vals := vector.Values[int128.Int](v)
		each(n, sel, func(i int) {
			if out[i] = c.null; v.Valid.Get(i) {
				at := sort.Search(len(c.wides), func(k int) bool { return !c.wides[k].Less(vals[i]) })
				out[i] = c.code(at, at < len(c.wides) && c.wides[at] == vals[i])
			}
		})
	default:
		vals := vector.Values[vector.View](v)
		each(n, sel, func(i int) {
			if out[i] = c.null; v.Valid.Get(i) {
				out[i] = c.codeText(vals[i].Bytes(v.Bufs))
			}
		})
	}
}

func (c *coder) codeText(b []byte) int32 {
	lo, hi := 0, len(c.texts)
	for lo < hi {
		if mid := (lo + hi) / 2; c.texts[mid] < string(b) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return c.code(lo, lo < len(c.texts) && c.texts[lo] == string(b))
}

// code is the code of the value before, or at, bound i.
func (c *coder) code(i int, at bool) int32 {
	switch {
	case at:
		return int32(2*i + 1)
	case c.exact:
		return codeMissing
	}
	return int32(2 * i)
}

func codeInts[T int8 | int16 | int32 | int64](c *coder, v *vector.Vector, n int, sel []int32, out []int32) {
	vals := vector.Values[T](v)
	lo, hi, code := int64(1), int64(0), int32(0) // values of [lo, hi] have the last code
	each(n, sel, func(i int) {
		if !v.Valid.Get(i) {
			out[i] = c.null
			return
		}
		x := int64(vals[i])
		if x < lo || x > hi {
			lo, hi, code = c.around(x)
		}
		out[i] = code
	})
}

// around is the code of x and the values that share it.
func (c *coder) around(x int64) (lo, hi int64, code int32) {
	at, found := slices.BinarySearch(c.ints, x)
	if found {
		return x, x, c.code(at, true)
	}
	lo, hi = -1<<63, 1<<63-1
	if at > 0 {
		lo = c.ints[at-1] + 1
	}
	if at < len(c.ints) {
		hi = c.ints[at] - 1
	}
	return lo, hi, c.code(at, false)
}
