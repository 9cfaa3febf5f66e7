package function

import (
	"github.com/basaltdb/basalt/internal/vector"
)

// groupConcatDefault bounds group_concat where the session sets nothing.
const groupConcatDefault = 1 << 30

// resolveGroupConcat is group_concat(x[, separator]), the separator ', ' in Doris. Rows
// are joined as they come: the executor sorts them when the call has an ORDER BY.
func resolveGroupConcat(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 1 && len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	for _, a := range args {
		if !castable(a.Type, tString) {
			return nil, wrongArguments(name, args)
		}
	}
	return &Aggregate{Params: types(tString, tString)[:len(args)], Result: tString, NullOnEmpty: true,
		NewAccumulator: func(ctx *Context, consts []*vector.Value) (Accumulator, error) {
			g := &groupConcat{limit: groupConcatDefault, separator: []byte(", ")}
			if ctx != nil && ctx.GroupConcatMaxLen > 0 {
				g.limit = ctx.GroupConcatMaxLen
			}
			if len(consts) == 2 && consts[1] != nil && !consts[1].Null {
				g.separator, g.fixed = []byte(consts[1].S), true
			}
			return g, nil
		}}, nil
}

// groupConcat holds one growing text a group.
type groupConcat struct {
	texts     [][]byte // nil: no value yet
	held      int64
	limit     int64
	separator []byte
	fixed     bool
}

func (g *groupConcat) Grow(n int) { g.texts = growTo(g.texts, n) }

func (g *groupConcat) add(group uint32, sep, b []byte) {
	t := g.texts[group]
	before := cap(t)
	if t == nil {
		t = make([]byte, 0, max(len(b), 16))
	} else {
		t = append(t, sep...)
	}
	t = append(t, b...)
	if int64(len(t)) > g.limit {
		t = cutBytes(t, int(g.limit))
	}
	g.texts[group] = t
	g.held += int64(cap(t) - before)
}

func (g *groupConcat) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	v, x := args[0], textOf(args[0])
	for k, group := range groups {
		i := row(sel, k)
		if isNullAt(v, i) {
			continue
		}
		sep := g.separator
		if len(args) == 2 && !g.fixed {
			if isNullAt(args[1], i) {
				continue
			}
			sep = textOf(args[1]).at(i)
		}
		g.add(group, sep, x.at(i))
	}
	return nil
}

func (g *groupConcat) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*groupConcat)
	for k, group := range groups {
		if t := o.texts[from+k]; t != nil {
			g.add(group, g.separator, t)
		}
	}
	return nil
}

func (g *groupConcat) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		t := g.texts[lo+i]
		if t == nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, t)
	}
	return nil
}

func (g *groupConcat) Bytes() int64 { return g.held + int64(cap(g.texts))*24 }
