package function

import (
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Aggregation is how the values of a column are merged that rows of equal keys have in a table of the
// AGGREGATE KEY model, a rollup or a view. Stored by name.
type Aggregation uint8

// Aggregations.
const (
	NoAggregation Aggregation = iota // keys, and all columns of the other models
	SumAggregation
	MinAggregation
	MaxAggregation
	ReplaceAggregation          // the last value, NULL or not
	ReplaceIfNotNullAggregation // the last value that is not NULL
	HLLUnionAggregation
	BitmapUnionAggregation
)

var aggregationNames = [...]string{"", "SUM", "MIN", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL", "HLL_UNION", "BITMAP_UNION"}

// String is the name in SQL; "" for NoAggregation.
func (a Aggregation) String() string { return aggregationNames[a] }

// AggregationNamed finds an aggregation by its name, without case; false for names that are none.
func AggregationNamed(name string) (Aggregation, bool) {
	for a, n := range aggregationNames {
		if a > 0 && strings.EqualFold(n, name) {
			return Aggregation(a), true
		}
	}
	return NoAggregation, false
}

// MarshalText implements encoding.TextMarshaler.
func (a Aggregation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Aggregation) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = NoAggregation
		return nil
	}
	known, ok := AggregationNamed(string(text))
	if !ok {
		return sqlerr.New(sqlerr.CorruptFile, "unknown aggregation %q", text)
	}
	*a = known
	return nil
}

// Replaces reports whether the merged value is one of the values as they are: who has rows in the
// order of their versions may take it instead of computing.
func (a Aggregation) Replaces() bool {
	return a == ReplaceAggregation || a == ReplaceIfNotNullAggregation
}

// Allows reports whether columns of type t can have this aggregation.
func (a Aggregation) Allows(t sqltype.Type) bool {
	number := t.IsInteger() || t.IsFloat() || t.Kind == sqltype.Decimal
	switch a {
	case SumAggregation:
		return number
	case MinAggregation, MaxAggregation:
		return number || t.IsTemporal() || t.Kind == sqltype.Char || t.Kind == sqltype.Varchar || t.Kind == sqltype.String
	case HLLUnionAggregation:
		return t.Kind == sqltype.HLL
	case BitmapUnionAggregation:
		return t.Kind == sqltype.Bitmap
	case ReplaceAggregation, ReplaceIfNotNullAggregation:
		return t.Kind != sqltype.Bitmap && t.Kind != sqltype.HLL
	}
	return false
}

// Merging is the aggregate that merges values of a column of type t, which Allows takes: parameter and
// result are t itself. SUM wraps where the column's type ends, as Doris's does; REPLACE takes the
// value of the last row that was added, so rows must come in the order of their versions, and states be
// merged in it.
func (a Aggregation) Merging(t sqltype.Type) (*Aggregate, error) {
	if !a.Allows(t) {
		return nil, sqlerr.Detail("Aggregate type %s is not compatible with primitive type %s", a, strings.ToUpper(t.String()))
	}
	out := &Aggregate{Name: strings.ToLower(a.String()), Params: types(t), Result: t, NullOnEmpty: true}
	switch a {
	case SumAggregation:
		out.NewAccumulator = columnSum(t)
	case MinAggregation, MaxAggregation:
		out.IgnoresDistinct = true
		out.NewAccumulator = accumulator(func() Accumulator { return newMinMax(t, a == MaxAggregation) })
	case ReplaceAggregation, ReplaceIfNotNullAggregation:
		out.NewAccumulator = accumulator(func() Accumulator {
			return &lastValue{kept: kept{vals: vector.New(t, 0)}, skipNull: a == ReplaceIfNotNullAggregation}
		})
	case HLLUnionAggregation:
		return ResolveAggregate("hll_union", []Arg{{Type: t}})
	case BitmapUnionAggregation:
		return ResolveAggregate("bitmap_union", []Arg{{Type: t}})
	}
	return out, nil
}

// columnSum adds values of t and wraps the result to t.
func columnSum(t sqltype.Type) func(*Context, []*vector.Value) (Accumulator, error) {
	switch t.Physical() {
	case sqltype.PhysFloat32:
		return accumulator(func() Accumulator { return &columnFloatSum[float32]{} })
	case sqltype.PhysFloat64:
		return accumulator(func() Accumulator { return &columnFloatSum[float64]{} })
	case sqltype.PhysInt128:
		return accumulator(func() Accumulator { return &columnWideSum{} })
	}
	return sumOf(t, wrapSum)
}

// wrapSum writes what the column's layout keeps of a sum.
func wrapSum(sum int128.Int, _ int64, i int, out *vector.Vector) error {
	switch out.Type.Physical() {
	case sqltype.PhysInt8:
		vector.Values[int8](out)[i] = int8(sum.Lo)
	case sqltype.PhysInt16:
		vector.Values[int16](out)[i] = int16(sum.Lo)
	case sqltype.PhysInt32:
		vector.Values[int32](out)[i] = int32(sum.Lo)
	default:
		vector.Values[int64](out)[i] = int64(sum.Lo)
	}
	return nil
}

// columnFloatSum adds floats in double precision; a sum beyond FLOAT is infinite.
type columnFloatSum[T float32 | float64] struct{ states []floatSumState }

func (s *columnFloatSum[T]) Grow(n int) { s.states = growTo(s.states, n) }

func (s *columnFloatSum[T]) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[T](v)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			s.states[g].sum += float64(x.at(i))
			s.states[g].n++
		}
	}
	return nil
}

func (s *columnFloatSum[T]) Merge(groups []uint32, other Accumulator, from int) error {
	for k, g := range groups {
		o := other.(*columnFloatSum[T]).states[from+k]
		s.states[g].sum += o.sum
		s.states[g].n += o.n
	}
	return nil
}

func (s *columnFloatSum[T]) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[T](out)
	for i := range dst {
		st := &s.states[lo+i]
		if dst[i] = T(st.sum); st.n == 0 {
			out.SetNull(i)
		}
	}
	return nil
}

func (s *columnFloatSum[T]) Bytes() int64 { return int64(cap(s.states)) * 16 }

// columnWideSum adds 128-bit values and wraps.
type columnWideSum struct{ states []wideSumState }

func (s *columnWideSum) Grow(n int) { s.states = growTo(s.states, n) }

func (s *columnWideSum) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v := args[0]
	x := columnOf[int128.Int](v)
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			s.states[g].sum = s.states[g].sum.Add(x.at(i))
			s.states[g].n++
		}
	}
	return nil
}

func (s *columnWideSum) Merge(groups []uint32, other Accumulator, from int) error {
	for k, g := range groups {
		o := &other.(*columnWideSum).states[from+k]
		s.states[g].sum = s.states[g].sum.Add(o.sum)
		s.states[g].n += o.n
	}
	return nil
}

func (s *columnWideSum) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[int128.Int](out)
	for i := range dst {
		st := &s.states[lo+i]
		if dst[i] = st.sum; st.n == 0 {
			out.SetNull(i)
		}
	}
	return nil
}

func (s *columnWideSum) Bytes() int64 { return int64(cap(s.states)) * 32 }

// lastValue keeps the value of the last row.
type lastValue struct {
	kept
	skipNull bool
}

func (a *lastValue) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for k, g := range groups {
		if i := row(sel, k); !a.skipNull || !isNullAt(args[0], i) {
			a.store(g, args[0], i)
		}
	}
	return nil
}

func (a *lastValue) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*lastValue)
	for k, g := range groups {
		if o.ok[from+k] {
			a.store(g, o.vals, from+k)
		}
	}
	return nil
}
