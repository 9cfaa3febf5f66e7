package eval

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// caseNode is CASE WHEN and IF: each branch is computed for the rows that reach it. An ELSE that is a constant, or absent,
// goes to all rows first, and what the branches give over it: then nobody asks which rows reach it.
type caseNode struct {
	conds []*Predicate
	thens []node
	els   node // nil: NULL
	fixed bool // els is nil or a constant
	rows  [2][]int32
	out   merged
}

func (c *compiler) caseNode(e *expr.Call) (node, error) {
	n := &caseNode{out: merged{t: e.Fn.Result}}
	args := e.Args
	for ; len(args) >= 2; args = args[2:] {
		p, err := c.predicate(args[:1])
		if err != nil {
			return nil, err
		}
		then, err := c.compile(args[1])
		if err != nil {
			return nil, err
		}
		n.conds = append(n.conds, p)
		n.thens = append(n.thens, then)
	}
	if len(args) == 1 {
		var err error
		if n.els, err = c.compile(args[0]); err != nil {
			return nil, err
		}
		l, ok := args[0].(*expr.Literal)
		if n.fixed = ok; ok && l.Value.Null {
			n.els = nil
		}
	} else {
		n.fixed = true
	}
	return n, nil
}

func (n *caseNode) eval(f *frame, sel []int32) (*vector.Vector, error) {
	n.out.reset(f.n)
	left := allRows(sel, f.n, &n.rows[0])
	if n.fixed {
		if err := n.putElse(f, left); err != nil {
			return nil, err
		}
	}
	for i, p := range n.conds {
		hit, err := p.selectRows(f, left)
		if err != nil {
			return nil, err
		}
		if len(hit) == 0 {
			continue
		}
		v, err := n.thens[i].eval(f, hit)
		if err != nil {
			return nil, err
		}
		n.out.put(v, hit)
		if n.fixed && i == len(n.conds)-1 {
			break
		}
		if left = without(left, hit, &n.rows[1-i&1]); len(left) == 0 {
			break
		}
	}
	if n.fixed || len(left) == 0 {
		return &n.out.v, nil
	}
	return &n.out.v, n.putElse(f, left)
}

func (n *caseNode) putElse(f *frame, rows []int32) error {
	if n.els == nil {
		n.out.putNulls()
		return nil
	}
	v, err := n.els.eval(f, rows)
	if err != nil {
		return err
	}
	n.out.put(v, rows)
	return nil
}

// coalesceNode is COALESCE and IFNULL: later arguments are computed for the rows that are
// still NULL.
type coalesceNode struct {
	args []node
	rows [2][]int32
	hits []int32
	out  merged
}

func (c *compiler) coalesceNode(e *expr.Call) (node, error) {
	args, err := c.compileList(e.Args)
	return &coalesceNode{args: args, out: merged{t: e.Fn.Result}}, err
}

func (n *coalesceNode) eval(f *frame, sel []int32) (*vector.Vector, error) {
	left := allRows(sel, f.n, &n.rows[0])
	first, err := n.args[0].eval(f, left)
	if err != nil {
		return nil, err
	}
	if !first.MayHaveNulls() {
		return first, nil
	}
	n.out.reset(f.n)
	for i := 0; ; {
		n.hits = n.hits[:0]
		next := n.rows[1-i&1][:0]
		for _, r := range left {
			if first.IsNull(int(r)) {
				next = append(next, r)
			} else {
				n.hits = append(n.hits, r)
			}
		}
		n.rows[1-i&1] = next
		n.out.put(first, n.hits)
		if left = next; len(left) == 0 {
			break
		}
		if i++; i == len(n.args) {
			n.out.putNull(left)
			break
		}
		if first, err = n.args[i].eval(f, left); err != nil {
			return nil, err
		}
	}
	return &n.out.v, nil
}

// allRows is sel, or the numbers of all n rows in memory.
func allRows(sel []int32, n int, memory *[]int32) []int32 {
	if sel != nil {
		return sel
	}
	rows := (*memory)[:0]
	for i := range n {
		rows = append(rows, int32(i))
	}
	*memory = rows
	return rows
}

// without is a minus b, both ascending and b within a, in memory, which is not a's.
func without(a, b []int32, memory *[]int32) []int32 {
	out := (*memory)[:0]
	k := 0
	for _, r := range a {
		if k < len(b) && b[k] == r {
			k++
			continue
		}
		out = append(out, r)
	}
	*memory = out
	return out
}

// merged collects rows from several vectors into one flat vector.
type merged struct {
	t     sqltype.Type
	v     vector.Vector
	nulls bool // all rows were NULL once
}

func (m *merged) reset(n int) {
	m.v.Type, m.nulls = m.t, false
	m.v.Reset(n)
}

// putNulls makes all rows NULL, before any other is put.
func (m *merged) putNulls() {
	clear(m.v.MutableValid())
	m.nulls = true
}

func (m *merged) putNull(rows []int32) {
	valid := m.v.MutableValid()
	for _, r := range rows {
		valid.Clear(int(r))
	}
}

// put copies the given rows of v, in any form, to their places.
func (m *merged) put(v *vector.Vector, rows []int32) {
	if v.Type.Kind == sqltype.Null {
		m.putNull(rows)
		return
	}
	if nulls := v.MayHaveNulls(); nulls || m.nulls {
		valid := m.v.MutableValid()
		for _, r := range rows {
			if nulls && v.IsNull(int(r)) {
				valid.Clear(int(r))
			} else {
				valid.Set(int(r))
			}
		}
	}
	switch m.t.Physical() {
	case sqltype.PhysString:
		m.putViews(v, rows)
	case sqltype.PhysNone:
	default:
		switch m.t.Physical().Size() {
		case 1:
			putFixed[uint8](&m.v, v, rows)
		case 2:
			putFixed[uint16](&m.v, v, rows)
		case 4:
			putFixed[uint32](&m.v, v, rows)
		case 8:
			putFixed[uint64](&m.v, v, rows)
		case 16:
			putFixed[int128.Int](&m.v, v, rows)
		}
	}
}

func putFixed[T vector.Fixed](out, v *vector.Vector, rows []int32) {
	dst := vector.Values[T](out)
	switch v.Form {
	case vector.Constant:
		x := vector.Values[T](v)[0]
		for _, r := range rows {
			dst[r] = x
		}
	case vector.Dictionary:
		src := vector.Values[T](v.Dict)
		for _, r := range rows {
			dst[r] = src[v.Codes[r]]
		}
	default:
		src := vector.Values[T](v)
		for _, r := range rows {
			dst[r] = src[r]
		}
	}
}

// putViews shares the string buffers of v.
func (m *merged) putViews(v *vector.Vector, rows []int32) {
	src := v
	if v.Form == vector.Dictionary {
		src = v.Dict
	}
	base := len(m.v.Bufs)
	m.v.Bufs = append(m.v.Bufs, src.Bufs...)
	dst, views := vector.Values[vector.View](&m.v), vector.Values[vector.View](src)
	for _, r := range rows {
		i := int(r)
		switch v.Form {
		case vector.Constant:
			i = 0
		case vector.Dictionary:
			i = int(v.Codes[r])
		}
		x := views[i]
		if base > 0 && !x.IsInline() {
			x = x.Rebase(base + x.Buffer())
		}
		dst[r] = x
	}
}
