package executor

import (
	"encoding/binary"
	"slices"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// orderedAccumulator gives its rows to another accumulator in the order of an ORDER BY
// inside the call (group_concat). It keeps all rows, arguments and sort keys, until
// Finish.
type orderedAccumulator struct {
	g     *expr.Aggregate
	inner function.Accumulator
	cols  []*vector.Vector // arguments, then sort keys
	// The rows of a group are a list: last[g] is its last row plus one, prev[row] the one before.
	last, prev []uint32
	done       bool
}

func newOrderedAccumulator(g *expr.Aggregate, inner function.Accumulator) (*orderedAccumulator, error) {
	o := &orderedAccumulator{g: g, inner: inner}
	for _, x := range g.Args {
		o.cols = append(o.cols, vector.New(x.Type(), 0))
	}
	for _, k := range g.OrderBy {
		o.cols = append(o.cols, vector.New(k.Expr.Type(), 0))
	}
	return o, nil
}

// Grow implements function.Accumulator.
func (o *orderedAccumulator) Grow(n int) {
	for len(o.last) < n {
		o.last = append(o.last, 0)
	}
}

func (o *orderedAccumulator) link(group uint32) {
	o.prev = append(o.prev, o.last[group])
	o.last[group] = uint32(len(o.prev))
}

// Update implements function.Accumulator.
func (o *orderedAccumulator) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for i, c := range o.cols {
		c.AppendFrom(args[i], sel)
	}
	for _, g := range groups {
		o.link(g)
	}
	return nil
}

// Merge implements function.Accumulator.
func (o *orderedAccumulator) Merge(groups []uint32, other function.Accumulator, from int) error {
	x := other.(*orderedAccumulator)
	var rows []int32
	for k, g := range groups {
		start := len(rows)
		for r := x.last[from+k]; r != 0; r = x.prev[r-1] {
			rows = append(rows, int32(r-1))
		}
		slices.Reverse(rows[start:])
		for range rows[start:] {
			o.link(g)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	for i, c := range o.cols {
		c.AppendFrom(x.cols[i], rows)
	}
	return nil
}

// Finish implements function.Accumulator.
func (o *orderedAccumulator) Finish(lo int, out *vector.Vector) error {
	if !o.done {
		if err := o.sorted(); err != nil {
			return err
		}
		o.done = true
	}
	return o.inner.Finish(lo, out)
}

// sorted feeds the inner accumulator.
func (o *orderedAccumulator) sorted() error {
	o.inner.Grow(len(o.last))
	n := len(o.g.Args)
	var rows []int32
	for g, last := range o.last {
		rows = rows[:0]
		for r := last; r != 0; r = o.prev[r-1] {
			rows = append(rows, int32(r-1))
		}
		slices.Reverse(rows)
		slices.SortStableFunc(rows, o.compare)
		if o.g.Distinct {
			var err error
			if rows, err = o.firsts(rows); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			continue
		}
		args := make([]*vector.Vector, n)
		for i := range args {
			args[i] = o.cols[i].Gather(rows, &vector.Vector{})
		}
		groups := make([]uint32, len(rows))
		for i := range groups {
			groups[i] = uint32(g)
		}
		if err := o.inner.Update(groups, args, nil); err != nil {
			return err
		}
	}
	return nil
}

// firsts keeps the first of rows with equal arguments.
func (o *orderedAccumulator) firsts(rows []int32) ([]int32, error) {
	nullable := make([]bool, len(o.g.Args))
	for i := range nullable {
		nullable[i] = true
	}
	l, err := hashtable.NewLayout(typesOf(o.g.Args), nullable)
	if err != nil {
		return nil, err
	}
	t := hashtable.NewGroupTable(l, new(hashtable.Arena).NewWriter(), len(rows))
	k := hashtable.NewKeys(l)
	// Encode takes any order of rows although selections ascend.
	k.Encode(o.cols[:len(o.g.Args)], o.cols[0].Len, rows)
	groups := make([]uint32, len(rows))
	t.FindOrAdd(k, groups)
	out, seen := rows[:0], uint32(0)
	for i, g := range groups {
		if g == seen {
			out = append(out, rows[i])
			seen++
		}
	}
	return out, nil
}

func (o *orderedAccumulator) compare(x, y int32) int {
	for i, k := range o.g.OrderBy {
		v := o.cols[len(o.g.Args)+i]
		xn, yn := v.IsNull(int(x)), v.IsNull(int(y))
		c := 0
		switch {
		case xn && yn:
			continue
		case xn != yn:
			if xn == k.NullsFirst {
				return -1
			}
			return 1
		default:
			c = v.Value(int(x)).Compare(v.Value(int(y)))
		}
		if c != 0 {
			if k.Desc {
				return -c
			}
			return c
		}
	}
	return 0
}

// Bytes implements function.Accumulator.
func (o *orderedAccumulator) Bytes() int64 {
	n := int64(4*cap(o.last)+4*cap(o.prev)) + o.inner.Bytes()
	for _, c := range o.cols {
		n += c.Bytesize()
	}
	return n
}

// Save implements function.Spillable: a group's rows as one block of columns each way, and
// how many rows each group has.
func (o *orderedAccumulator) Save(groups []uint32, dst []byte) []byte {
	var rows []int32
	for _, g := range groups {
		start := len(rows)
		for r := o.last[g]; r != 0; r = o.prev[r-1] {
			rows = append(rows, int32(r-1))
		}
		slices.Reverse(rows[start:])
		dst = binary.AppendUvarint(dst, uint64(len(rows)-start))
	}
	if len(rows) == 0 {
		return dst
	}
	return spill.AppendColumns(dst, o.cols, rows)
}

// Load implements function.Spillable.
func (o *orderedAccumulator) Load(src []byte, n int) error {
	o.Grow(n)
	total := 0
	for g := range n {
		rows, w := binary.Uvarint(src)
		if w <= 0 {
			return errSpilledRows
		}
		src = src[w:]
		total += int(rows)
		for range rows {
			o.link(uint32(g))
		}
	}
	if total == 0 {
		return nil
	}
	types := make([]sqltype.Type, len(o.cols))
	for i, c := range o.cols {
		types[i] = c.Type
	}
	cols, err := spill.DecodeColumns(src, types, total)
	if err != nil {
		return err
	}
	for i, c := range o.cols {
		c.AppendFrom(cols[i], nil)
	}
	return nil
}

var errSpilledRows = sqlerr.New(sqlerr.CorruptFile, "spilled aggregate states are damaged")
