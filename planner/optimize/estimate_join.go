package optimize

import (
	"math"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// join describes a join's output.
func (e *Estimates) join(n *logical.Join) *relation {
	l, r := e.of(n.LeftInput), e.of(n.RightInput)
	lcols := expr.SetOfColumns(n.LeftInput.Columns())
	rcols := expr.SetOfColumns(n.RightInput.Columns())
	edges, rest := equalities(n.On, lcols, rcols)
	sel := joinSelectivity(l, r, edges)
	both := merged(l, r)
	for _, c := range rest {
		sel *= selectivity(both, c)
	}
	inner := l.rows * r.rows * sel
	switch n.Kind {
	case logical.Semi, logical.Anti, logical.NullAwareAnti:
		match := semiFraction(l, r, edges, len(rest))
		if n.Kind != logical.Semi {
			match = math.Max(1-match, 0.05)
		}
		return l.scaled(l.rows * match)
	case logical.Mark, logical.Single:
		out := merged(l, r)
		out.rows = l.rows
		return out
	case logical.Left:
		inner = math.Max(inner, l.rows)
	case logical.Right:
		inner = math.Max(inner, r.rows)
	case logical.Full:
		inner = math.Max(inner, l.rows+r.rows)
	}
	return joined(l, r, edges, inner)
}

// edge is one equality between two inputs of a join.
type edge struct{ left, right expr.Expr }

// equalities finds the conjuncts that equate something of the left input with something of the right.
func equalities(on []expr.Expr, lcols, rcols expr.ColumnSet) (edges []edge, rest []expr.Expr) {
	for _, c := range on {
		a, b, ok := splitEquality(c, lcols, rcols)
		if ok {
			edges = append(edges, edge{a, b})
		} else {
			rest = append(rest, c)
		}
	}
	return edges, rest
}

// splitEquality reads "x = y" or "x <=> y" with x over the left and y over the right columns, turned so.
func splitEquality(e expr.Expr, lcols, rcols expr.ColumnSet) (l, r expr.Expr, ok bool) {
	c, isCall := e.(*expr.Call)
	if !isCall || c.Fn.Name != "=" && c.Fn.Name != "<=>" {
		return nil, nil, false
	}
	a, b := expr.Columns(c.Args[0]), expr.Columns(c.Args[1])
	switch {
	case a.Empty() || b.Empty():
		return nil, nil, false
	case a.SubsetOf(lcols) && b.SubsetOf(rcols):
		return c.Args[0], c.Args[1], true
	case b.SubsetOf(lcols) && a.SubsetOf(rcols):
		return c.Args[1], c.Args[0], true
	}
	return nil, nil, false
}

// joinSelectivity is the fraction of all pairs that satisfy the equalities. Several equalities
// between the same two tables are one compound key: together they cannot tell apart more rows than the
// smaller table has.
func joinSelectivity(l, r *relation, edges []edge) float64 {
	var keys compoundKeys
	for _, x := range edges {
		keys.add(describe(l, x.left), describe(r, x.right))
	}
	return keys.selectivity()
}

// compoundKeys collects the equalities of a join by the two tables that they relate.
type compoundKeys struct{ list []compoundKey }

type compoundKey struct {
	a, b  logical.Node
	n     int
	sel   float64
	floor float64 // rows of the smaller table
}

func (k *compoundKeys) add(a, b column) {
	x := compoundKey{a: a.table, b: b.table, n: 1, sel: pairSelectivity(a, b), floor: math.Min(a.baseRows, b.baseRows)}
	for i := range k.list {
		if y := &k.list[i]; x.a == y.a && x.b == y.b {
			y.n++
			y.sel *= x.sel
			y.floor = math.Min(y.floor, x.floor)
			return
		}
	}
	k.list = append(k.list, x)
}

func (k *compoundKeys) selectivity() float64 {
	sel := 1.0
	for _, x := range k.list {
		if x.n > 1 && x.a != nil && x.b != nil {
			x.sel = math.Max(x.sel, 1/math.Max(1, x.floor))
		}
		sel *= x.sel
	}
	return sel
}

// pairSelectivity is 1/max(ndv), but when one side is a key of its table: then the other side
// refers to it, and each of its rows meets the key's row if that is still there.
func pairSelectivity(a, b column) float64 {
	notNull := (1 - a.nulls) * (1 - b.nulls)
	switch {
	case a.unique && b.unique:
		return notNull / math.Max(1, math.Max(a.baseNDV, b.baseNDV))
	case a.unique:
		return notNull / referenced(a, b)
	case b.unique:
		return notNull / referenced(b, a)
	}
	if a.values != nil && b.values != nil {
		if s, ok := a.values.joined(b.values, a.ndv, b.ndv); ok {
			return notNull * s
		}
	}
	return notNull / math.Max(1, math.Max(a.ndv, b.ndv))
}

// referenced is the number of values of a key that a column refers to: all of the key's table, or those in the column's range,
// when that is a part of the key's, like the five years of sales among two centuries of dates. What is left of the key after a
// filter is then taken to lie in that part: queries ask for what there is.
func referenced(key, ref column) float64 {
	n := key.baseNDV
	if key.ranged && ref.ranged && key.baseHi > key.baseLo {
		width := math.Min(key.baseHi, ref.baseHi) - math.Max(key.baseLo, ref.baseLo) + 1
		if part := clamp(width / (key.baseHi - key.baseLo + 1)); part < 0.5 {
			n *= part
		}
	}
	return math.Max(1, math.Max(n, key.ndv))
}

// semiFraction is the part of l's rows that find a match in r: the part of l's domain
// that is left in r.
func semiFraction(l, r *relation, edges []edge, rest int) float64 {
	if r.rows < 0.5 {
		return 0
	}
	match := 1.0
	for _, x := range edges {
		a, b := describe(l, x.left), describe(r, x.right)
		domain := math.Max(1, a.baseNDV)
		if b.unique && a.baseNDV > b.baseNDV || a.guessed && !b.guessed {
			domain = math.Max(1, b.baseNDV)
		}
		match = math.Min(match, math.Min(1, b.ndv/domain))
	}
	for range rest {
		match *= 0.7
	}
	return clamp(match)
}

// merged has the columns of both sides and no rows of its own.
func merged(l, r *relation) *relation {
	out := &relation{rows: l.rows * r.rows, cols: make(map[expr.ColumnID]column, len(l.cols)+len(r.cols)),
		unknown: l.unknown || r.unknown}
	for id, c := range l.cols {
		out.cols[id] = c
	}
	for id, c := range r.cols {
		out.cols[id] = c
	}
	return out
}

// joined is the output of a join with the given rows: keys that were equated share the smaller number of
// distinct values.
func joined(l, r *relation, edges []edge, rows float64) *relation {
	out := merged(l, r)
	out.rows = rows
	for _, side := range []*relation{l, r} {
		if rows >= side.rows {
			continue
		}
		for id, c := range side.cols {
			c.ndv = drawn(c.ndv, side.rows, rows)
			out.cols[id] = c
		}
	}
	for _, x := range edges {
		a, ok1 := x.left.(*expr.Column)
		b, ok2 := x.right.(*expr.Column)
		if !ok1 || !ok2 {
			continue
		}
		ca, cb := out.column(a.ID), out.column(b.ID)
		ndv := math.Min(ca.ndv, cb.ndv)
		ca.ndv, cb.ndv = ndv, ndv
		out.cols[a.ID], out.cols[b.ID] = ca, cb
	}
	for id, c := range out.cols {
		c.unique = c.unique && (ownsKey(l, id) && rows <= 1.01*l.rows || ownsKey(r, id) && rows <= 1.01*r.rows)
		out.cols[id] = c
	}
	return out
}

func ownsKey(r *relation, id expr.ColumnID) bool {
	c, ok := r.cols[id]
	return ok && c.unique
}
