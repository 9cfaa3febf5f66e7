package function

import (
	"slices"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func inFunctions() map[string]builder { return map[string]builder{"in": resolveIn} }

// resolveIn is in(x, a, b, …). Lists of constants become a set; others compare one by one.
func resolveIn(name string, args []Arg) (*Scalar, error) {
	if len(args) < 2 {
		return nil, wrongArguments(name, args)
	}
	x := args[0]
	t := x.Type
	for i, a := range args[1:] {
		u, ok := comparisonType(x, a)
		if i > 0 && ok {
			u, ok = widerComparison(t, u)
		}
		if x.Type.IsOpaque() || a.Type.IsOpaque() {
			return nil, opaqueError()
		}
		if !ok {
			return nil, wrongArguments(name, args)
		}
		t = u
	}
	params := make([]sqltype.Type, len(args))
	for i := range params {
		params[i] = t
	}
	s := &Scalar{Params: params, Result: tBoolean, Nulls: NullAware}
	s.New = func(consts []*vector.Value) (Kernel, error) {
		if set := newMemberSet(t, consts); set != nil {
			return set.kernel, nil
		}
		return newInList(t), nil
	}
	s.NewSelector = func(consts []*vector.Value) (Selector, error) {
		if set := newMemberSet(t, consts); set != nil {
			return set.selector, nil
		}
		return selectorOf(s.New, NullAware)(consts)
	}
	return s, nil
}

// widerComparison is the type for a list whose items compare as t and as u.
func widerComparison(t, u sqltype.Type) (sqltype.Type, bool) {
	if isText(t) != isText(u) && !t.IsTemporal() && !u.IsTemporal() {
		return tDouble, true
	}
	if isText(t) {
		return u, true
	}
	if isText(u) {
		return t, true
	}
	return CommonType(t, u)
}

// memberSet is a constant list. Exactly one of the containers is used.
type memberSet struct {
	hasNull bool
	find    func(v *vector.Vector, rows, dst []int32) int
}

// newMemberSet builds the set of consts[1:], nil when one of them is not constant.
func newMemberSet(t sqltype.Type, consts []*vector.Value) *memberSet {
	s := &memberSet{}
	items := make([]vector.Value, 0, len(consts))
	for _, c := range consts[1:] {
		if c == nil {
			return nil
		}
		if c.Null {
			s.hasNull = true
			continue
		}
		items = append(items, *c)
	}
	switch t.Physical() {
	case sqltype.PhysBool:
		s.find = intFinder[uint8](items)
	case sqltype.PhysInt8:
		s.find = intFinder[int8](items)
	case sqltype.PhysInt16:
		s.find = intFinder[int16](items)
	case sqltype.PhysInt32:
		s.find = intFinder[int32](items)
	case sqltype.PhysInt64:
		s.find = intFinder[int64](items)
	case sqltype.PhysInt128:
		s.find = wideFinder(items)
	case sqltype.PhysFloat32:
		s.find = floatFinder[float32](items)
	case sqltype.PhysFloat64:
		s.find = floatFinder[float64](items)
	case sqltype.PhysString:
		s.find = textFinder(items)
	default:
		panic(invariant.Failed("IN list of %s", t))
	}
	return s
}

func (s *memberSet) selector(_ *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
	x := args[0]
	base := len(dst)
	if x.Form == vector.Constant {
		if n == 0 || x.IsNull(0) || s.find(x, []int32{0}, []int32{0}) == 0 {
			return dst, nil
		}
		return appendAll(n, sel, dst), nil
	}
	dst = appendAll(n, sel, dst)
	rows := dropNulls(x, dst[base:])
	return dst[:base+s.find(x, rows, rows)], nil
}

func (s *memberSet) kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := args[0], vector.Values[bool](out)
	rows := appendAll(out.Len, sel, make([]int32, 0, count(out, sel)))
	for _, r := range rows {
		dst[r] = false
	}
	if x.Form == vector.Constant {
		found := !x.IsNull(0) && s.find(x, []int32{0}, []int32{0}) == 1
		for _, r := range rows {
			dst[r] = found
		}
	} else {
		hits := slices.Clone(rows)
		for _, r := range hits[:s.find(x, rows, hits)] {
			dst[r] = true
		}
	}
	if !s.hasNull && !x.MayHaveNulls() {
		return nil
	}
	for _, r := range rows {
		if isNullAt(x, int(r)) || s.hasNull && !dst[r] {
			out.SetNull(int(r))
		}
	}
	return nil
}

// intFinder searches small lists in order, dense ranges in a bitmap and others in an open
// addressing table. The returned function keeps the members among rows in dst (which may be rows).
func intFinder[T uint8 | int8 | int16 | int32 | int64](items []vector.Value) func(*vector.Vector, []int32, []int32) int {
	list := make([]T, len(items))
	for i, v := range items {
		list[i] = T(v.I.Lo)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) <= 4 {
		return func(v *vector.Vector, rows, dst []int32) int {
			x, k := vector.Values[T](v), 0
			for _, r := range rows {
				hit := 0
				for _, c := range list {
					hit |= b2i(x[r] == c)
				}
				dst[k] = r
				k += hit
			}
			return k
		}
	}
	lo, span := int64(list[0]), uint64(list[len(list)-1])-uint64(list[0])
	if span < 1<<18 {
		return denseFinder(list, lo, span)
	}
	return hashFinder(list)
}

func denseFinder[T uint8 | int8 | int16 | int32 | int64](list []T, lo int64, span uint64) func(*vector.Vector, []int32, []int32) int {
	bits := make([]uint64, span/64+1)
	for _, c := range list {
		d := uint64(int64(c) - lo)
		bits[d>>6] |= 1 << (d & 63)
	}
	return func(v *vector.Vector, rows, dst []int32) int {
		x, k := vector.Values[T](v), 0
		for _, r := range rows {
			d := uint64(int64(x[r]) - lo)
			dst[k] = r
			if d <= span {
				k += int(bits[d>>6] >> (d & 63) & 1)
			}
		}
		return k
	}
}

func hashFinder[T uint8 | int8 | int16 | int32 | int64](list []T) func(*vector.Vector, []int32, []int32) int {
	size := 16
	for size < 2*len(list) {
		size *= 2
	}
	mask := uint64(size - 1)
	keys, used := make([]T, size), make([]bool, size)
	slot := func(c T) uint64 { return uint64(c) * 0x9E3779B97F4A7C15 >> 32 & mask }
	for _, c := range list {
		h := slot(c)
		for used[h] {
			h = (h + 1) & mask
		}
		keys[h], used[h] = c, true
	}
	return func(v *vector.Vector, rows, dst []int32) int {
		x, k := vector.Values[T](v), 0
		for _, r := range rows {
			c := x[r]
			h := uint64(c) * 0x9E3779B97F4A7C15 >> 32 & mask
			for used[h] && keys[h] != c {
				h = (h + 1) & mask
			}
			dst[k] = r
			k += b2i(used[h])
		}
		return k
	}
}

func wideFinder(items []vector.Value) func(*vector.Vector, []int32, []int32) int {
	set := make(map[int128.Int]struct{}, len(items))
	for _, v := range items {
		set[v.I] = struct{}{}
	}
	return func(v *vector.Vector, rows, dst []int32) int {
		x, k := vector.Values[int128.Int](v), 0
		for _, r := range rows {
			_, ok := set[x[r]]
			dst[k] = r
			k += b2i(ok)
		}
		return k
	}
}

func floatFinder[T float32 | float64](items []vector.Value) func(*vector.Vector, []int32, []int32) int {
	list := make([]T, len(items))
	for i, v := range items {
		list[i] = T(v.F)
	}
	slices.Sort(list) // NaN first
	return func(v *vector.Vector, rows, dst []int32) int {
		x, k := vector.Values[T](v), 0
		for _, r := range rows {
			_, ok := slices.BinarySearch(list, x[r])
			dst[k] = r
			k += b2i(ok)
		}
		return k
	}
}

func textFinder(items []vector.Value) func(*vector.Vector, []int32, []int32) int {
	if len(items) <= 4 {
		list := vector.New(tString, len(items))
		for i, it := range items {
			list.SetString(i, it.S)
		}
		views := vector.Values[vector.View](list)
		if !slices.ContainsFunc(views, func(v vector.View) bool { return !v.IsInline() }) {
			return inlineFinder(views)
		}
		return func(v *vector.Vector, rows, dst []int32) int {
			x, k := vector.Values[vector.View](v), 0
			for _, r := range rows {
				hit := 0
				for c := range views {
					hit |= b2i(vector.ViewEqual(&x[r], v.Bufs, &views[c], list.Bufs))
				}
				dst[k] = r
				k += hit
			}
			return k
		}
	}
	set := make(map[string]struct{}, len(items))
	for _, it := range items {
		set[it.S] = struct{}{}
	}
	return func(v *vector.Vector, rows, dst []int32) int {
		x, k := vector.Values[vector.View](v), 0
		for _, r := range rows {
			_, ok := set[string(x[r].Bytes(v.Bufs))]
			dst[k] = r
			k += b2i(ok)
		}
		return k
	}
}

// newInList compares with every item, three-valued.
func newInList(t sqltype.Type) Kernel {
	_, equals := compareLoops(opEq, t)
	var open, same []int32
	return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
		dst := vector.Values[bool](out)
		open = appendAll(out.Len, sel, open[:0])
		if len(open) == 0 {
			return nil
		}
		for _, r := range open {
			dst[r] = false
		}
		if cap(same) < len(open) {
			same = make([]int32, 0, len(open))
		}
		for _, item := range args[1:] {
			same = selectNotNull(equals, args[0], item, out.Len, open, same[:0])
			for _, r := range same {
				dst[r] = true
			}
		}
		for _, a := range args {
			if !a.MayHaveNulls() {
				continue
			}
			for _, r := range open {
				if !dst[r] && isNullAt(a, int(r)) {
					out.SetNull(int(r))
				}
			}
		}
		return nil
	}
}

// inlineFinder compares with a few strings of at most twelve bytes: two words each.
func inlineFinder(list []vector.View) func(*vector.Vector, []int32, []int32) int {
	var words [4][2]uint64
	for c := range list {
		words[c][0], words[c][1] = list[c].Words()
	}
	for c := len(list); c < len(words) && c > 0; c++ { // repeated, so that the loop has one shape
		words[c] = words[0]
	}
	none := len(list) == 0
	return func(v *vector.Vector, rows, dst []int32) int {
		if none {
			return 0
		}
		x, k := vector.Values[vector.View](v), 0
		for _, r := range rows {
			w0, w1 := x[r].Words()
			hit := b2i(w0^words[0][0]|w1^words[0][1] == 0) | b2i(w0^words[1][0]|w1^words[1][1] == 0) |
				b2i(w0^words[2][0]|w1^words[2][1] == 0) | b2i(w0^words[3][0]|w1^words[3][1] == 0)
			dst[k] = r
			k += hit
		}
		return k
	}
}
