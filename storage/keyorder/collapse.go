package keyorder

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// collapser makes the rows of each key one row.
type collapser struct {
	*Merging
	make   []func() (function.Accumulator, error) // by column; nil: a value is taken as it is
	key    []bool
	sets   []int            // columns of bitmaps and sketches, in which NULL is the empty set
	cols   []*vector.Vector // the result
	groups []uint32
	pick   []int32
}

func newCollapser(m *Merging, types []sqltype.Type) (*collapser, error) {
	c := &collapser{Merging: m, make: make([]func() (function.Accumulator, error), len(types)), key: make([]bool, len(types))}
	for _, k := range m.Keys {
		c.key[k] = true
	}
	for i, t := range types {
		c.cols = append(c.cols, &vector.Vector{Type: t})
		if a := m.Columns[i]; !c.key[i] && !a.Replaces() {
			agg, err := a.Merging(t)
			if err != nil {
				return nil, err
			}
			if a == function.BitmapUnionAggregation || a == function.HLLUnionAggregation {
				c.sets = append(c.sets, i)
			}
			c.make[i] = func() (function.Accumulator, error) {
				return agg.NewAccumulator(&function.Context{}, []*vector.Value{nil})
			}
		}
	}
	return c, nil
}

// mark notes where new keys start in the rows of in up to end, which follow those of rows.
func (c *collapser) mark(rows *rowBuffer, in *input, end int) {
	at := in.at
	if rows.n > 0 {
		if !same(rows.cols, rows.n-1, in.cols, at, c.Keys) {
			rows.starts = append(rows.starts, int32(rows.n))
		}
	} else {
		rows.starts = append(rows.starts, 0)
	}
	for i := at + 1; i < end; i++ {
		if c.Unique || !same(in.cols, i-1, in.cols, i, c.Keys) {
			rows.starts = append(rows.starts, int32(rows.n+i-at))
		}
	}
}

// collapse returns one row for each key of rows, valid until the next call; rows must be left alone that long.
func (c *collapser) collapse(rows *rowBuffer) ([]*vector.Vector, int, error) {
	n := len(rows.starts)
	if n == rows.n && !c.lacksSets(rows) {
		return rows.cols, n, nil
	}
	c.groups = c.groups[:0]
	for g, lo := range rows.starts {
		hi := rows.n
		if g+1 < n {
			hi = int(rows.starts[g+1])
		}
		for range hi - int(lo) {
			c.groups = append(c.groups, uint32(g))
		}
	}
	for i, v := range rows.cols {
		if c.make[i] == nil {
			c.pick = c.choose(c.pick[:0], v, c.Columns[i], rows)
			c.cols[i] = v.Gather(c.pick, c.cols[i])
			continue
		}
		acc, err := c.make[i]()
		if err != nil {
			return nil, 0, err
		}
		acc.Grow(n)
		if err := acc.Update(c.groups, []*vector.Vector{v.Slice(0, rows.n)}, nil); err != nil {
			return nil, 0, err
		}
		c.cols[i].Reset(n)
		if err := acc.Finish(0, c.cols[i]); err != nil {
			return nil, 0, err
		}
	}
	return c.cols, n, nil
}

// lacksSets reports whether a set is NULL, which a merge makes the empty one whatever rows there are beside it.
func (c *collapser) lacksSets(rows *rowBuffer) bool {
	for _, i := range c.sets {
		if rows.cols[i].MayHaveNulls() {
			return true
		}
	}
	return false
}

// choose appends the row of each key whose value of v stands: the last one, or the last that is not NULL.
func (c *collapser) choose(dst []int32, v *vector.Vector, a function.Aggregation, rows *rowBuffer) []int32 {
	for g := range rows.starts {
		hi := int32(rows.n)
		if g+1 < len(rows.starts) {
			hi = rows.starts[g+1]
		}
		row := hi - 1
		if a == function.ReplaceIfNotNullAggregation && v.Valid != nil {
			for row > rows.starts[g] && !v.Valid.Get(int(row)) {
				row--
			}
		}
		dst = append(dst, row)
	}
	return dst
}
