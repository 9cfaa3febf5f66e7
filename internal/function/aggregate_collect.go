package function

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveCollect is collect_list(x), array_agg(x) and collect_set(x), with an optional bound on the
// number of elements. Hive and Doris: collect_list and collect_set leave NULLs out, array_agg keeps them.
func resolveCollect(name string, args []Arg) (*Aggregate, error) {
	if len(args) < 1 || args[0].Type.IsOpaque() || len(args) > 2 || len(args) == 2 && (name == "array_agg" || !castable(args[1].Type, tBigInt)) {
		return nil, wrongArguments(name, args)
	}
	t := notNull(args[0].Type)
	set := name == "collect_set" || name == "group_uniq_array"
	return &Aggregate{Params: types(t, tBigInt)[:len(args)], Result: sqltype.ArrayOf(t), IgnoresDistinct: set,
		NewAccumulator: func(_ *Context, consts []*vector.Value) (Accumulator, error) {
			c := &collect{typ: t, nulls: name == "array_agg", set: set, most: -1}
			if len(consts) == 2 && consts[1] != nil && !consts[1].Null && consts[1].Int64() >= 0 {
				c.most = int(consts[1].Int64())
			}
			return c, nil
		}}, nil
}

// collect holds one growing vector a group.
type collect struct {
	typ        sqltype.Type
	nulls, set bool
	most       int // elements of a group; -1: no bound
	groups     []*vector.Vector
	has        []seen // of sets
	held       int64
}

func (c *collect) Grow(n int) {
	c.groups = growTo(c.groups, n)
	if c.set {
		c.has = growTo(c.has, n)
	}
}

// add appends row i of v, flat or constant.
func (c *collect) add(g uint32, v *vector.Vector, i int) {
	null := isNullAt(v, i)
	if null && !c.nulls {
		return
	}
	list := c.groups[g]
	if list == nil {
		list = vector.New(c.typ, 0)
		c.groups[g] = list
		c.held += 160
	}
	if c.most >= 0 && list.Len >= c.most {
		return
	}
	if c.set {
		if c.has[g] == nil {
			c.has[g] = seen{}
		}
		id := string(canonical(v, i))
		if !c.has[g].add(id) {
			return
		}
		c.held += int64(len(id)) + 48
	}
	list.AppendFrom(v, []int32{int32(i)})
	c.held += int64(c.typ.Physical().Size())
	if c.typ.Physical() == sqltype.PhysString && !null {
		c.held += outOfLine(len(textOf(v).at(i)))
	}
}

// Update implements Accumulator.
func (c *collect) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for k, g := range groups {
		c.add(g, args[0], row(sel, k))
	}
	return nil
}

// Merge implements Accumulator.
func (c *collect) Merge(groups []uint32, other Accumulator, from int) error {
	o := other.(*collect)
	for k, g := range groups {
		if list := o.groups[from+k]; list != nil {
			for i := range list.Len {
				c.add(g, list, i)
			}
		}
	}
	return nil
}

// Finish implements Accumulator.
func (c *collect) Finish(lo int, out *vector.Vector) error {
	var b []byte
	none := vector.New(c.typ, 0)
	for i := range out.Len {
		list := c.groups[lo+i]
		if list == nil {
			list = none
		}
		b = vector.AppendElements(b[:0], list, 0, list.Len)
		out.SetBytes(i, b)
	}
	return nil
}

// Bytes implements Accumulator.
func (c *collect) Bytes() int64 { return c.held + int64(cap(c.groups))*8 + int64(cap(c.has))*8 }
