package function

import (
	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// bitmapAggregates are the aggregates over BITMAP and over ids. All pass over NULL; none is ever NULL.
//
// bitmap_union(to_bitmap(x)) and bitmap_union_count(to_bitmap(x)) are the same as bitmap_agg(x) and bitmap_agg_count(x), which
// make no bitmap of a single row; the optimizer replaces them.
func bitmapAggregates() map[string]aggregateBuilder {
	return map[string]aggregateBuilder{
		"bitmap_union": bitmapUnion(tBitmap), "bitmap_union_count": bitmapUnion(tBigInt), "orthogonal_bitmap_union_count": bitmapUnion(tBigInt),
		"bitmap_union_int": resolveUnionInt, "bitmap_agg": idUnion(tBitmap), "bitmap_agg_count": idUnion(tBigInt),
		"bitmap_intersect": bitmapFold((*bitmap.Algebra).And), "group_bitmap_xor": bitmapFold((*bitmap.Algebra).Xor),
		"intersect_count":                        resolveIntersect,
		"orthogonal_bitmap_intersect":            resolveIntersect,
		"orthogonal_bitmap_intersect_count":      resolveIntersect,
		"orthogonal_bitmap_expr_calculate":       resolveBitmapExpr,
		"orthogonal_bitmap_expr_calculate_count": resolveBitmapExpr,
	}
}

// bitmapUnion unites bitmaps; BIGINT is the size of the union.
func bitmapUnion(result sqltype.Type) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tBitmap) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tBitmap), Result: result, IgnoresDistinct: true,
			NewAccumulator: accumulator(func() Accumulator { return &bitmapSets{add: addBitmaps} })}, nil
	}
}

// idUnion is bitmapUnion of ids, without those that no bitmap can hold.
func idUnion(result sqltype.Type) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, idType(args[0].Type)) {
			return nil, wrongArguments(name, args)
		}
		t := narrowID(args[0].Type)
		return &Aggregate{Params: types(t), Result: result, IgnoresDistinct: true, NewAccumulator: accumulator(func() Accumulator {
			return &bitmapSets{add: addIDs(t, false)}
		})}, nil
	}
}

// narrowID is idType, with integers as they are: they need no cast.
func narrowID(t sqltype.Type) sqltype.Type {
	if t.IsInteger() {
		return t
	}
	return idType(t)
}

// resolveUnionInt counts distinct integers, negative ones among them.
func resolveUnionInt(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 1 || args[0].Type.Kind != sqltype.Null && (!args[0].Type.IsInteger() || args[0].Type.Kind == sqltype.LargeInt) {
		return nil, wrongArguments(name, args)
	}
	t := narrowID(args[0].Type)
	return &Aggregate{Params: types(t), Result: tBigInt, IgnoresDistinct: true, NewAccumulator: accumulator(func() Accumulator {
		return &bitmapSets{add: addIDs(t, true)}
	})}, nil
}

// bitmapSets is one set a group.
type bitmapSets struct {
	work bitmap.Workspace
	sets []bitmap.Set
	add  func(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error
	buf  []byte
}

const bitmapSetBytes = 40

func (s *bitmapSets) Grow(n int) { s.sets = growTo(s.sets, n) }

// Update implements Accumulator.
func (s *bitmapSets) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	return s.add(s, groups, args, sel)
}

func addBitmaps(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error {
	x := textOf(args[0])
	lender := lenderOf(args[0], sel)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(args[0], i) {
			if err := s.work.Or(&s.sets[g], x.at(i), lender); err != nil {
				return err
			}
		}
	}
	return nil
}

// lenderOf is who lends the memory of bitmaps, where the large ones among rows sel fill most of it; else nil.
func lenderOf(v *vector.Vector, sel []int32) bitmap.Lender {
	const large = 1 << 10
	if v.Lender == nil || v.Form != vector.Flat {
		return nil
	}
	total, kept := 0, 0
	for _, b := range v.Bufs {
		total += len(b)
	}
	views := vector.Values[vector.View](v)
	rows := len(views)
	if sel != nil {
		rows = len(sel)
	}
	for k := range rows {
		if n := views[row(sel, k)].Len(); n >= large {
			kept += n
		}
	}
	if 2*kept < total {
		return nil
	}
	return v.Lender
}

// addIDs adds values of type t; signed: negative ones, too.
func addIDs(t sqltype.Type, signed bool) func(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error {
	least := int64(0)
	if signed {
		least = -1 << 63
	}
	switch t.Kind {
	case sqltype.TinyInt:
		return addIntegers[int8](least)
	case sqltype.SmallInt:
		return addIntegers[int16](least)
	case sqltype.Int:
		return addIntegers[int32](least)
	case sqltype.BigInt:
		return addIntegers[int64](least)
	}
	return func(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error {
		id := idsOf(args[0])
		for k, g := range groups {
			if i := row(sel, k); !isNullAt(args[0], i) {
				if v, ok := id(i); ok {
					s.work.Add(&s.sets[g], v)
				}
			}
		}
		return nil
	}
}

func addIntegers[T integer](least int64) func(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error {
	return func(s *bitmapSets, groups []uint32, args []*vector.Vector, sel []int32) error {
		x := columnOf[T](args[0])
		if sel == nil && args[0].Valid == nil && args[0].Form == vector.Flat {
			bitmap.AddGrouped(&s.work, s.sets, groups, x.vals, least)
			return nil
		}
		for k, g := range groups {
			if i := row(sel, k); !isNullAt(args[0], i) {
				if v := int64(x.at(i)); v >= least {
					s.work.Add(&s.sets[g], uint64(v))
				}
			}
		}
		return nil
	}
}

// Merge implements Accumulator.
func (s *bitmapSets) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*bitmapSets)
	for k, g := range groups {
		s.work.Merge(&s.sets[g], &o.sets[from+k])
	}
	return nil
}

// MergeRows implements ScatteredMerge.
func (s *bitmapSets) MergeRows(groups []uint32, other Accumulator, rows []uint32) error {
	o := other.(*bitmapSets)
	for k, g := range groups {
		s.work.Merge(&s.sets[g], &o.sets[rows[k]])
	}
	return nil
}

// Release implements Releasing.
func (s *bitmapSets) Release() { bitmap.Release(s.sets) }

// Finish implements Accumulator.
func (s *bitmapSets) Finish(lo int, out *vector.Vector) (err error) {
	if out.Type.Kind == sqltype.BigInt {
		dst := vector.Values[int64](out)
		for i := range dst {
			dst[i] = s.work.Count(&s.sets[lo+i])
		}
		return nil
	}
	for i := range out.Len {
		if s.buf, err = s.work.AppendTo(s.buf[:0], &s.sets[lo+i]); err != nil {
			return err
		}
		out.SetBytes(i, s.buf)
	}
	return nil
}

// Bytes implements Accumulator.
func (s *bitmapSets) Bytes() int64 {
	return s.work.Held + int64(cap(s.sets))*bitmapSetBytes + int64(cap(s.buf))
}

// Save implements Spillable: the serialised sets.
func (s *bitmapSets) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		s.buf, _ = s.work.AppendTo(s.buf[:0], &s.sets[g]) // TODO: sets above 1 GiB, once Save can fail
		dst = saveBytes(dst, s.buf)
	}
	return dst
}

// Load implements Spillable.
func (s *bitmapSets) Load(src []byte, n int) error {
	s.Grow(n)
	for i := range n {
		var b []byte
		var err error
		if b, src, err = loadBytes(src); err == nil {
			err = s.work.Or(&s.sets[i], b, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bitmapFold folds bitmaps of a group in serialised form: bitmap_intersect, group_bitmap_xor. Without rows it is empty.
func bitmapFold(f combineBitmaps) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tBitmap) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tBitmap), Result: tBitmap, NewAccumulator: accumulator(func() Accumulator { return &foldedBitmaps{fold: f} })}, nil
	}
}

// foldedBitmaps is one serialised bitmap a group, nil before the first.
type foldedBitmaps struct {
	fold    combineBitmaps
	algebra bitmap.Algebra
	states  [][]byte
	held    int64
	buf     []byte
}

func (f *foldedBitmaps) Grow(n int) { f.states = growTo(f.states, n) }

func (f *foldedBitmaps) add(g uint32, b []byte) (err error) {
	s := f.states[g]
	f.held -= int64(cap(s))
	if s == nil {
		if len(b) == 0 {
			b = bitmap.AppendEmpty(nil)
		}
		if _, err := bitmap.Count(b); err != nil {
			return err
		}
		s = append(s, b...)
	} else {
		if f.buf, err = f.fold(&f.algebra, f.buf[:0], s, b); err != nil {
			return err
		}
		s = append(s[:0], f.buf...)
	}
	f.states[g] = s
	f.held += int64(cap(s))
	return nil
}

// Update implements Accumulator.
func (f *foldedBitmaps) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	x := textOf(args[0])
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(args[0], i) {
			if err := f.add(g, x.at(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Merge implements Accumulator.
func (f *foldedBitmaps) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*foldedBitmaps)
	for k, g := range groups {
		if b := o.states[from+k]; b != nil {
			if err := f.add(g, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finish implements Accumulator.
func (f *foldedBitmaps) Finish(lo int, out *vector.Vector) error {
	empty := bitmap.AppendEmpty(nil)
	for i := range out.Len {
		if b := f.states[lo+i]; b != nil {
			out.SetBytes(i, b)
		} else {
			out.SetBytes(i, empty)
		}
	}
	return nil
}

// Bytes implements Accumulator.
func (f *foldedBitmaps) Bytes() int64 { return f.held + 24*int64(cap(f.states)) + int64(cap(f.buf)) }

// Save implements Spillable: nothing at all is no state, since bitmaps have bytes.
func (f *foldedBitmaps) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		dst = saveBytes(dst, f.states[g])
	}
	return dst
}

// Load implements Spillable.
func (f *foldedBitmaps) Load(src []byte, n int) error {
	f.Grow(n)
	for i := range n {
		var b []byte
		var err error
		if b, src, err = loadBytes(src); err == nil && len(b) > 0 {
			err = f.add(uint32(i), b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
