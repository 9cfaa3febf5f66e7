package optimize

import (
	"math/bits"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// joinOrder picks the order of inner joins, and where among them semi and anti joins run. Each region of inner, semi
// and anti joins becomes a graph of relations and conditions; trees over it, bushy ones included, are searched by
// dynamic programming over connected subsets (join_graph.go) up to dpLimit relations and greedily beyond. Outer joins, hinted joins and
// everything that is not a join are borders of a region: relations from its point of view.
//
// Source for greedy: Fegaras, A New Heuristic for Optimizing Large Queries, 1998.
func joinOrder(_ *Context, n logical.Node) (logical.Node, error) {
	o := &orderer{est: NewEstimates(), bounds: boundsOf(n)}
	return keepColumns(n.Columns(), o.reorder(n)), nil
}

const (
	dpLimit     = 12
	pairLimit   = 60_000 // pairs of sets that a search looks at
	regionLimit = 60     // relations of a region; masks are 64 bits
)

type orderer struct {
	est    *Estimates
	bounds bounds
}

func (o *orderer) reorder(n logical.Node) logical.Node {
	if !o.inRegion(n) {
		return logical.RewriteChildren(n, func(c logical.Node) logical.Node {
			out := o.reorder(c)
			if ordersColumns(n) {
				out = keepColumns(c.Columns(), out)
			}
			return out
		})
	}
	r := &region{est: o.est}
	r.collect(n, o)
	if len(r.rels) < 2 || len(r.rels) > regionLimit {
		return logical.RewriteChildren(n, o.reorder)
	}
	r.prepare()
	return r.plan()
}

// inRegion reports whether n is an operator that regions are made of.
func (o *orderer) inRegion(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Join:
		if n.NoReorder || n.Hint != "" {
			return false
		}
		for _, c := range n.On {
			if expr.IsVolatile(c) {
				return false
			}
		}
		switch n.Kind {
		case logical.Inner:
			return true
		case logical.Semi, logical.Anti:
			return readsLeft(n)
		}
	case *logical.Filter:
		for _, c := range n.Conds {
			if !o.bounds.movable(c) {
				return false
			}
		}
		return o.inRegion(n.Input)
	}
	return false
}

func readsLeft(n *logical.Join) bool {
	lcols := logical.Outputs(n.LeftInput)
	for _, c := range n.On {
		if expr.Columns(c).Intersects(lcols) {
			return true
		}
	}
	return false
}

// region is a maximal tree of inner, semi and anti joins, taken apart.
type region struct {
	est     *Estimates
	rels    []rel
	conds   []cond
	classes *classes
	// class[i] lists the members of equality class i by relation.
	class [][]member
	graph *graph
	rows  map[uint64]float64
}

// rel is one relation of a region.
type rel struct {
	node logical.Node
	est  *relation
	cols expr.ColumnSet
	// semi is set for the right input of a semi or anti join: it may only be joined to a set that has all of needs,
	// and keeps fraction of its rows.
	semi     *logical.Join
	needs    uint64
	fraction float64
}

// cond is a conjunct of the region that is not an equality of two columns.
type cond struct {
	e           expr.Expr
	mask        uint64 // relations that it reads
	selectivity float64
	equality    bool   // of something of left with something of right: a hash key where they are on two sides
	left, right uint64 // the relations that the sides of an equality read
}

type member struct {
	rel int
	col *expr.Column
	est column
}

func (r *region) collect(n logical.Node, o *orderer) {
	if o.inRegion(n) {
		switch n := n.(type) {
		case *logical.Filter:
			r.collect(n.Input, o)
			r.addConds(n.Conds)
			return
		case *logical.Join:
			r.collect(n.LeftInput, o)
			if n.Kind == logical.Inner {
				r.collect(n.RightInput, o)
				r.addConds(n.On)
				return
			}
			right := o.reorder(n.RightInput)
			r.rels = append(r.rels, rel{node: right, est: r.est.of(right), semi: n})
			return
		}
	}
	n = o.reorder(n)
	r.rels = append(r.rels, rel{node: n, est: r.est.of(n), cols: logical.Outputs(n)})
}

func (r *region) addConds(conds []expr.Expr) {
	for _, c := range conds {
		r.conds = append(r.conds, cond{e: c})
	}
}

// mask is the set of member relations that e reads.
func (r *region) mask(e expr.Expr) uint64 {
	used := expr.Columns(e)
	var m uint64
	for i := range r.rels {
		if r.rels[i].cols.Intersects(used) {
			m |= 1 << i
		}
	}
	return m
}

// prepare sorts the conditions into classes and others and finds what semi joins need.
func (r *region) prepare() {
	r.classes = newClasses()
	r.rows = map[uint64]float64{}
	all := &relation{rows: 1, cols: map[expr.ColumnID]column{}}
	for i := range r.rels {
		if r.rels[i].semi == nil {
			all = merged(all, r.rels[i].est)
		}
	}
	kept := r.conds[:0:0]
	for _, c := range r.conds {
		c.mask = r.mask(c.e)
		if bits.OnesCount64(c.mask) == 2 && !r.meetsItself(c.e) && r.classes.equate(c.e) {
			continue
		}
		args, eq := expr.IsCall(c.e, "=")
		if !eq {
			args, eq = expr.IsCall(c.e, "<=>")
		}
		if eq {
			c.left, c.right = r.mask(args[0]), r.mask(args[1])
			c.equality = c.left != 0 && c.right != 0 && c.left&c.right == 0
		}
		c.selectivity = selectivity(all, c.e)
		kept = append(kept, c)
	}
	r.conds = kept
	for _, list := range r.classes.list {
		var members []member
		for _, col := range list {
			for i := range r.rels {
				if r.rels[i].cols.Has(col.ID) {
					members = append(members, member{i, col, r.rels[i].est.column(col.ID)})
				}
			}
		}
		if len(members) > 1 {
			r.class = append(r.class, members)
		}
	}
	for i := range r.rels {
		if r.rels[i].semi != nil {
			r.prepareSemi(&r.rels[i], all)
		}
	}
}

// meetsItself reports that an equality would put two columns of one relation into a class: t.a = u.b AND t.a = u.c is
// one condition more than u needs to be joined, and has to stay one.
func (r *region) meetsItself(e expr.Expr) bool {
	args, ok := expr.IsCall(e, "=")
	if !ok {
		return false
	}
	a, ok1 := args[0].(*expr.Column)
	b, ok2 := args[1].(*expr.Column)
	if !ok1 || !ok2 {
		return false
	}
	for _, x := range append(r.classes.others(a), a) {
		for _, y := range append(r.classes.others(b), b) {
			if x.ID != y.ID && r.mask(x)&r.mask(y) != 0 {
				return true
			}
		}
	}
	return false
}

func (r *region) prepareSemi(x *rel, all *relation) {
	lcols := logical.Outputs(x.semi.LeftInput)
	for _, c := range x.semi.On {
		x.needs |= r.mask(c)
	}
	edges, rest := equalities(x.semi.On, lcols, logical.Outputs(x.node))
	x.fraction = semiFraction(all, x.est, edges, len(rest))
	if x.semi.Kind == logical.Anti {
		x.fraction = max(1-x.fraction, 0.05)
	}
}

// rowsOf estimates the rows of a joined set, the same for every order of joining it.
func (r *region) rowsOf(set uint64) float64 {
	if n, ok := r.rows[set]; ok {
		return n
	}
	n := 1.0
	for i := range r.rels {
		if set>>i&1 == 0 {
			continue
		}
		if r.rels[i].semi != nil && set != 1<<i {
			n *= r.rels[i].fraction
		} else {
			n *= r.rels[i].est.rows
		}
	}
	for _, members := range r.class {
		n *= classSelectivity(members, set)
	}
	n *= r.compoundCorrection(set)
	for _, c := range r.conds {
		if c.mask&^set == 0 {
			n *= c.selectivity
		}
	}
	r.rows[set] = n
	return n
}

// classSelectivity chains the members that are in the set from the fewest distinct values to the most: k
// equal columns are k-1 conditions.
func classSelectivity(members []member, set uint64) float64 {
	var in []member
	for _, m := range members {
		if set>>m.rel&1 == 0 {
			continue
		}
		at := len(in)
		for at > 0 && in[at-1].est.ndv > m.est.ndv {
			at--
		}
		in = append(in[:at], append([]member{m}, in[at:]...)...)
	}
	sel := 1.0
	for i := 1; i < len(in); i++ {
		if in[i].rel != in[i-1].rel {
			sel *= pairSelectivity(in[i-1].est, in[i].est)
		}
	}
	return sel
}

// compoundCorrection undoes the independence of several equalities between two relations: together they
// are one compound key, which tells apart no more rows than the smaller table has.
func (r *region) compoundCorrection(set uint64) float64 {
	type pair struct{ a, b int }
	sels, counts, floors := map[pair]float64{}, map[pair]int{}, map[pair]float64{}
	var order []pair
	for _, members := range r.class {
		for i, m := range members {
			for _, k := range members[i+1:] {
				if m.rel == k.rel || set>>m.rel&1 == 0 || set>>k.rel&1 == 0 || m.est.table == nil || k.est.table == nil {
					continue
				}
				p := pair{min(m.rel, k.rel), max(m.rel, k.rel)}
				if counts[p] == 0 {
					sels[p], floors[p] = 1, 1e18
					order = append(order, p)
				}
				counts[p]++
				sels[p] *= pairSelectivity(m.est, k.est)
				floors[p] = min(floors[p], m.est.baseRows, k.est.baseRows)
			}
		}
	}
	out := 1.0
	for _, p := range order {
		if floor := 1 / max(1, floors[p]); counts[p] > 1 && sels[p] > 0 && sels[p] < floor {
			out *= floor / sels[p]
		}
	}
	return out
}
