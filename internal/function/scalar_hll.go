package function

import (
	"encoding/base64"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// hllFunctions are the scalar functions of HLL. A value is a sketch as internal/hll stores it; no bytes are the empty one.
func hllFunctions() map[string]builder {
	return map[string]builder{
		"hll_hash":        signature{params: types(tString), result: tHLL, nulls: NullAware, run: hllHashKernel}.builder(),
		"hll_empty":       signature{result: tHLL, nulls: NullAware, run: hllEmptyKernel}.builder(),
		"hll_cardinality": signature{params: types(tHLL), result: tBigInt, nulls: NullAware, fails: true, run: hllCardinalityKernel}.builder(),
		"hll_to_base64":   signature{params: types(tHLL), result: tString, run: hllToBase64Kernel}.builder(),
		"hll_from_base64": signature{params: types(tString), result: tHLL, yields: true, run: hllFromBase64Kernel}.builder(),
	}
}

var emptyHLL = hll.New(hll.ColumnPrecision).AppendBinary(nil)

// hllHashKernel hashes the text of a value, whatever its type is: what was loaded as text and as a number is the same.
func hllHashKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf [16]byte
	for k := range count(out, sel) {
		i := row(sel, k)
		if isNullAt(args[0], i) {
			out.SetBytes(i, emptyHLL)
			continue
		}
		out.SetBytes(i, hll.AppendOne(buf[:0], hll.ColumnPrecision, hll.HashBytes(x.at(i))))
	}
	return nil
}

func hllEmptyKernel(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
	for k := range count(out, sel) {
		out.SetBytes(row(sel, k), emptyHLL)
	}
	return nil
}

// hllCardinalityKernel is 0 for NULL.
func hllCardinalityKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := textOf(args[0]), vector.Values[int64](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		dst[i] = 0
		if isNullAt(args[0], i) || len(x.at(i)) == 0 {
			continue
		}
		s, err := hll.Decode(x.at(i))
		if err != nil {
			return err
		}
		dst[i] = s.Estimate()
	}
	return nil
}

func hllToBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		b := x.at(i)
		if len(b) == 0 {
			b = emptyHLL
		}
		buf = base64.StdEncoding.AppendEncode(buf[:0], b)
		out.SetBytes(i, buf)
	}
	return nil
}

// hllFromBase64Kernel is NULL for text that is not base64 of a sketch.
func hllFromBase64Kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) (err error) {
	x := textOf(args[0])
	var buf []byte
	for i := range live(out, sel) {
		if buf, err = base64.StdEncoding.AppendDecode(buf[:0], x.at(i)); err == nil {
			_, err = hll.Decode(buf)
		}
		if err != nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, buf)
	}
	return nil
}

// hllAggregates unite sketches.
func hllAggregates() map[string]aggregateBuilder {
	return map[string]aggregateBuilder{"hll_union": hllUnion(tHLL), "hll_raw_agg": hllUnion(tHLL), "hll_union_agg": hllUnion(tBigInt)}
}

// hllUnion unites sketches; BIGINT is the estimate of the union.
func hllUnion(result sqltype.Type) aggregateBuilder {
	return func(name string, args []Arg) (*Aggregate, error) {
		if len(args) != 1 || !castable(args[0].Type, tHLL) {
			return nil, wrongArguments(name, args)
		}
		return &Aggregate{Params: types(tHLL), Result: result, IgnoresDistinct: true,
			NewAccumulator: accumulator(func() Accumulator { return &hllSets{} })}, nil
	}
}

// hllSets is one sketch a group, nil before the first value.
type hllSets struct {
	states []*hll.Sketch
	held   int64
	buf    []byte
}

// Grow implements Accumulator.
func (h *hllSets) Grow(n int) { h.states = growTo(h.states, n) }

// state is the sketch of a group; its memory leaves the account until keep.
func (h *hllSets) state(g uint32) *hll.Sketch {
	s := h.states[g]
	if s == nil {
		s = hll.New(hll.ColumnPrecision)
		h.states[g] = s
	} else {
		h.held -= s.Bytes()
	}
	return s
}

func (h *hllSets) keep(s *hll.Sketch) { h.held += s.Bytes() }

// Update implements Accumulator.
func (h *hllSets) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	x := textOf(args[0])
	for k, g := range groups {
		i := row(sel, k)
		if isNullAt(args[0], i) {
			continue
		}
		s := h.state(g)
		err := s.MergeBinary(x.at(i))
		h.keep(s)
		if err != nil {
			return err
		}
	}
	return nil
}

// Merge implements Accumulator.
func (h *hllSets) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*hllSets)
	for k, g := range groups {
		if from := o.states[from+k]; from != nil {
			s := h.state(g)
			s.Merge(from)
			h.keep(s)
		}
	}
	return nil
}

// Finish implements Accumulator.
func (h *hllSets) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		s := h.states[lo+i]
		switch {
		case out.Type.Kind == sqltype.BigInt && s == nil:
			vector.Values[int64](out)[i] = 0
		case out.Type.Kind == sqltype.BigInt:
			vector.Values[int64](out)[i] = s.Estimate()
		case s == nil:
			out.SetBytes(i, emptyHLL)
		default:
			h.buf = s.AppendBinary(h.buf[:0])
			out.SetBytes(i, h.buf)
		}
	}
	return nil
}

// Bytes implements Accumulator.
func (h *hllSets) Bytes() int64 { return h.held + 8*int64(cap(h.states)) + int64(cap(h.buf)) }

// Save implements Spillable: nothing at all is no state.
func (h *hllSets) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		h.buf = h.buf[:0]
		if s := h.states[g]; s != nil {
			h.buf = s.AppendBinary(h.buf)
		}
		dst = saveBytes(dst, h.buf)
	}
	return dst
}

// Load implements Spillable.
func (h *hllSets) Load(src []byte, n int) error {
	h.Grow(n)
	for i := range n {
		b, rest, err := loadBytes(src)
		if src = rest; err == nil && len(b) > 0 {
			s := h.state(uint32(i))
			err = s.MergeBinary(b)
			h.keep(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
