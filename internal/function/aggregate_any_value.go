package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveAnyValue keeps the first value that is not NULL.
func resolveAnyValue(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	t := args[0].Type
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	return &Aggregate{Params: types(t), Result: t, NullOnEmpty: true, IgnoresDistinct: true,
		NewAccumulator: accumulator(func() Accumulator { return &kept{vals: vector.New(t, 0)} })}, nil
}

// resolveExtremeBy is max_by(x, key) and min_by(x, key): x where the key is largest or
// smallest; rows with a NULL key do not count.
func resolveExtremeBy(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 2 || args[1].Type.Kind >= sqltype.Array {
		return nil, wrongArguments(name, args)
	}
	t, key := args[0].Type, args[1].Type
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	if key.Kind == sqltype.Null {
		key = tTinyInt
	}
	op := opGt
	if name == "min_by" {
		op = opLt
	}
	return &Aggregate{Params: types(t, key), Result: t, NullOnEmpty: true, IgnoresDistinct: true,
		NewAccumulator: accumulator(func() Accumulator {
			_, better := compareLoops(op, key)
			return &keptBy{kept: kept{vals: vector.New(t, 0)}, keys: kept{vals: vector.New(key, 0)}, better: better}
		})}, nil
}

// kept holds one value a group in a flat vector that owns its bytes.
type kept struct {
	vals *vector.Vector
	ok   []bool
	held int64 // string bytes appended since the last rebuild
}

func (a *kept) Grow(n int) {
	a.ok = growTo(a.ok, n)
	if n > a.vals.Len {
		a.vals.Grow(n)
	}
}

// store makes row i of v, null or not, the value of group g.
func (a *kept) store(g uint32, v *vector.Vector, i int) {
	a.ok[g] = true
	if isNullAt(v, i) {
		a.vals.SetNull(int(g))
		return
	}
	if a.vals.Valid != nil {
		a.vals.Valid.Set(int(g))
	}
	if v.Type.Physical() == sqltype.PhysString {
		b := textOf(v).at(i)
		a.vals.SetBytes(int(g), b)
		if a.held += outOfLine(len(b)); a.held > 1<<20 && a.held > 64*int64(len(a.ok)) {
			a.vals, a.held = vector.CopyOf(a.vals, nil), 0
		}
		return
	}
	w := v.Type.Physical().Size()
	from := (i & formMask(v)) * w
	copy(a.vals.Data[int(g)*w:], v.Data[from:from+w])
}

func (a *kept) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for k, g := range groups {
		if i := row(sel, k); !a.ok[g] && !isNullAt(args[0], i) {
			a.store(g, args[0], i)
		}
	}
	return nil
}

func (a *kept) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*kept)
	for k, g := range groups {
		if !a.ok[g] && o.ok[from+k] {
			a.store(g, o.vals, from+k)
		}
	}
	return nil
}

func (a *kept) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		g := lo + i
		if !a.ok[g] || isNullAt(a.vals, g) {
			out.SetNull(i)
			continue
		}
		if out.Type.Physical() == sqltype.PhysString {
			out.SetBytes(i, textOf(a.vals).at(g))
			continue
		}
		w := out.Type.Physical().Size()
		copy(out.Data[i*w:(i+1)*w], a.vals.Data[g*w:])
	}
	return nil
}

func (a *kept) Bytes() int64 {
	n := int64(cap(a.vals.Data) + cap(a.ok))
	for _, b := range a.vals.Bufs {
		n += int64(cap(b))
	}
	return n
}

// keptBy holds the value beside the best key of each group.
type keptBy struct {
	kept
	keys   kept
	better compareSelect
}

func (a *keptBy) Grow(n int) {
	a.kept.Grow(n)
	a.keys.Grow(n)
}

// beats reports whether row i of key goes before the key of group g.
func (a *keptBy) beats(g uint32, key *vector.Vector, i int) bool {
	if isNullAt(key, i) {
		return false
	}
	if !a.keys.ok[g] {
		return true
	}
	var room [1]int32
	i &= formMask(key)
	return len(a.better(oneRow(key, i), oneRow(a.keys.vals, int(g)), 1, nil, room[:0])) == 1
}

// oneRow is row i of flat or constant data as a vector of its own.
func oneRow(v *vector.Vector, i int) *vector.Vector {
	w := v.Type.Physical().Size()
	return &vector.Vector{Type: v.Type, Len: 1, Data: v.Data[i*w : (i+1)*w], Bufs: v.Bufs}
}

func (a *keptBy) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for k, g := range groups {
		if i := row(sel, k); a.beats(g, args[1], i) {
			a.keys.store(g, args[1], i)
			a.store(g, args[0], i)
		}
	}
	return nil
}

func (a *keptBy) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*keptBy)
	for k, g := range groups {
		if o.keys.ok[from+k] && a.beats(g, o.keys.vals, from+k) {
			a.keys.store(g, o.keys.vals, from+k)
			a.store(g, o.vals, from+k)
		}
	}
	return nil
}

func (a *keptBy) Bytes() int64 { return a.kept.Bytes() + a.keys.Bytes() }
