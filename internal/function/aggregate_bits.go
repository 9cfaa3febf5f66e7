package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// bitOp is a bitwise or boolean fold.
type bitOp uint8

const (
	foldAnd bitOp = iota
	foldOr
	foldXor
)

// bitFoldBuilder folds integers; the result is BIGINT.
func bitFoldBuilder(op bitOp) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tBigInt) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tBigInt), Result: tBigInt, NullOnEmpty: true, IgnoresDistinct: op != foldXor,
			NewAccumulator: accumulator(func() Accumulator { return &bitFold{op: op} })}, nil
	}
}

// boolFoldBuilder is bool_and and bool_or.
func boolFoldBuilder(largest bool) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tBoolean) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tBoolean), Result: tBoolean, NullOnEmpty: true, IgnoresDistinct: true,
			NewAccumulator: accumulator(func() Accumulator { return newMinMax(sqltype.T(sqltype.Boolean), largest) })}, nil
	}
}

type bitFold struct {
	states []bitState
	op     bitOp
}

type bitState struct {
	v  int64
	ok bool
}

func (b *bitFold) Grow(n int) { b.states = growTo(b.states, n) }

func (b *bitFold) add(s *bitState, v int64) {
	switch {
	case !s.ok:
		s.v, s.ok = v, true
	case b.op == foldAnd:
		s.v &= v
	case b.op == foldOr:
		s.v |= v
	default:
		s.v ^= v
	}
}

func (b *bitFold) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v, x := args[0], columnOf[int64](args[0])
	for k, g := range groups {
		if i := row(sel, k); !isNullAt(v, i) {
			b.add(&b.states[g], x.at(i))
		}
	}
	return nil
}

func (b *bitFold) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*bitFold).states[from:]
	for k, g := range groups {
		if o[k].ok {
			b.add(&b.states[g], o[k].v)
		}
	}
	return nil
}

func (b *bitFold) Finish(lo int, out *vector.Vector) error {
	dst := vector.Values[int64](out)
	for i := range dst {
		s := &b.states[lo+i]
		dst[i] = s.v
		if !s.ok {
			out.SetNull(i)
		}
	}
	return nil
}

func (b *bitFold) Bytes() int64 { return int64(cap(b.states)) * 16 }
