package function

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func caseFunctions() map[string]builder {
	return map[string]builder{
		"case": resolveCase, "if": resolveIf, "ifnull": resolveCoalesce, "nvl": resolveCoalesce, "coalesce": resolveCoalesce,
		"nullif": resolveNullIf, "nvl2": resolveNvl2,
	}
}

// resolveCase is case(cond, then, cond, then, …[, else]).
func resolveCase(name string, args []Arg) (*Scalar, error) {
	if len(args) < 2 {
		return nil, wrongArguments(name, args)
	}
	var branches []Arg
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			branches = append(branches, args[i])
		}
	}
	t, ok := commonOf(branches)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	params := make([]sqltype.Type, len(args))
	for i := range args {
		params[i] = tBoolean
		if i%2 == 1 || i == len(args)-1 {
			params[i] = t
		} else if !castable(args[i].Type, tBoolean) {
			return nil, wrongArguments(name, args)
		}
	}
	return &Scalar{Params: params, Result: t, Nulls: NullAware, YieldsNull: len(args)%2 == 0, New: newCase(t)}, nil
}

func resolveIf(name string, args []Arg) (*Scalar, error) {
	if len(args) != 3 {
		return nil, wrongArguments(name, args)
	}
	return resolveCase(name, args)
}

// newCase decides a branch a row, then copies branch by branch.
func newCase(t sqltype.Type) func([]*vector.Value) (Kernel, error) {
	return func([]*vector.Value) (Kernel, error) {
		var pick picker
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			pick.reset(sel, out)
			for b := 0; b+1 < len(args) && len(pick.open) > 0; b += 2 {
				pick.take(out, args[b+1], pick.splitTrue(args[b]))
			}
			if len(args)%2 == 1 {
				pick.take(out, args[len(args)-1], pick.open)
			} else {
				for _, r := range pick.open {
					out.SetNull(int(r))
				}
			}
			return nil
		}, nil
	}
}

// picker copies rows from several sources of one type; scratch of one kernel.
type picker struct {
	open, chosen []int32
}

func (p *picker) reset(sel []int32, out *vector.Vector) {
	p.open = appendAll(out.Len, sel, p.open[:0])
	out.Bufs = nil
}

// splitTrue moves the open rows for which cond is true to the returned list.
func (p *picker) splitTrue(cond *vector.Vector) []int32 {
	x := columnOf[bool](cond)
	p.chosen = p.chosen[:0]
	k := 0
	for _, r := range p.open {
		if x.at(int(r)) && !isNullAt(cond, int(r)) {
			p.chosen = append(p.chosen, r)
		} else {
			p.open[k] = r
			k++
		}
	}
	p.open = p.open[:k]
	return p.chosen
}

// splitValid moves the open rows that are not null in v to the returned list.
func (p *picker) splitValid(v *vector.Vector) []int32 {
	p.chosen = p.chosen[:0]
	k := 0
	for _, r := range p.open {
		if !isNullAt(v, int(r)) {
			p.chosen = append(p.chosen, r)
		} else {
			p.open[k] = r
			k++
		}
	}
	p.open = p.open[:k]
	return p.chosen
}

// take copies rows of src, nulls included, to the same rows of out. String buffers are
// shared: out lists src's after those it has.
func (p *picker) take(out, src *vector.Vector, rows []int32) {
	if len(rows) == 0 {
		return
	}
	if src.Type.Physical() == sqltype.PhysString {
		base := len(out.Bufs)
		out.Bufs = append(out.Bufs[:base:base], src.Bufs...)
		x, dst := columnOf[vector.View](src), vector.Values[vector.View](out)
		for _, r := range rows {
			dst[r] = shiftView(x.at(int(r)), base)
		}
	} else {
		copyFixed(out, src, rows)
	}
	if src.MayHaveNulls() {
		for _, r := range rows {
			if isNullAt(src, int(r)) {
				out.SetNull(int(r))
			}
		}
	}
}

// shiftView is a view whose buffers start at base in the vector that it moves to.
func shiftView(v vector.View, base int) vector.View {
	if v.IsInline() {
		return v
	}
	return v.Rebase(v.Buffer() + base)
}

func copyFixed(out, src *vector.Vector, rows []int32) {
	switch src.Type.Physical().Size() {
	case 0:
	case 1:
		copyRows[uint8](out, src, rows)
	case 2:
		copyRows[uint16](out, src, rows)
	case 4:
		copyRows[uint32](out, src, rows)
	case 8:
		copyRows[uint64](out, src, rows)
	case 16:
		copyRows[int128.Int](out, src, rows)
	default:
		panic(invariant.Failed("copy of %s", src.Type))
	}
}

func copyRows[T vector.Fixed](out, src *vector.Vector, rows []int32) {
	x, dst := columnOf[T](src), vector.Values[T](out)
	for _, r := range rows {
		dst[r] = x.at(int(r))
	}
}

// copyKernel is the identity: values shared or copied, nulls as the caller set them.
func copyKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	var p picker
	p.reset(sel, out)
	if args[0].Type.Physical() == sqltype.PhysString {
		out.Bufs = args[0].Bufs
		x, dst := columnOf[vector.View](args[0]), vector.Values[vector.View](out)
		for _, r := range p.open {
			dst[r] = x.at(int(r))
		}
		return nil
	}
	copyFixed(out, args[0], p.open)
	return nil
}

// resolveCoalesce is COALESCE and its two-argument forms.
func resolveCoalesce(name string, args []Arg) (*Scalar, error) {
	if len(args) == 0 || name != "coalesce" && len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	t, ok := commonOf(args)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	params := make([]sqltype.Type, len(args))
	for i := range params {
		params[i] = t
	}
	return &Scalar{Params: params, Result: t, Nulls: NullAware, New: func([]*vector.Value) (Kernel, error) {
		var pick picker
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			pick.reset(sel, out)
			for _, a := range args {
				pick.take(out, a, pick.splitValid(a))
			}
			for _, r := range pick.open {
				out.SetNull(int(r))
			}
			return nil
		}, nil
	}}, nil
}

// resolveNvl2 is nvl2(x, not null, null).
func resolveNvl2(name string, args []Arg) (*Scalar, error) {
	if len(args) != 3 {
		return nil, wrongArguments(name, args)
	}
	t, ok := commonOf(args[1:])
	if !ok {
		return nil, wrongArguments(name, args)
	}
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	return &Scalar{Params: []sqltype.Type{args[0].Type, t, t}, Result: t, Nulls: NullAware, New: func([]*vector.Value) (Kernel, error) {
		var pick picker
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			pick.reset(sel, out)
			pick.take(out, args[1], pick.splitValid(args[0]))
			pick.take(out, args[2], pick.open)
			return nil
		}, nil
	}}, nil
}

// resolveNullIf is nullif(a, b): a, or NULL where a = b.
func resolveNullIf(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	t, ok := CommonType(args[0].Type, args[1].Type)
	if !ok {
		return nil, wrongArguments(name, args)
	}
	if t.Kind == sqltype.Null {
		t = tTinyInt
	}
	_, equals := compareLoops(opEq, t)
	return &Scalar{Params: []sqltype.Type{t, t}, Result: t, Nulls: NullAware, YieldsNull: true, New: func([]*vector.Value) (Kernel, error) {
		var pick picker
		var same []int32
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			pick.reset(sel, out)
			if len(pick.open) == 0 {
				return nil
			}
			pick.take(out, args[0], pick.open)
			if cap(same) < len(pick.open) {
				same = make([]int32, 0, out.Len)
			}
			same = selectNotNull(equals, args[0], args[1], out.Len, pick.open, same[:0])
			for _, r := range same {
				out.SetNull(int(r))
			}
			return nil
		}, nil
	}}, nil
}
