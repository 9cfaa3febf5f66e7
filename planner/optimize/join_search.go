package optimize

import (
	"math/bits"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// tree is a way to join a set of relations: a leaf, or left (the probe side) with right (the build side).
type tree struct {
	set         uint64
	cost        float64
	left, right *tree
}

// plan searches the best tree and builds it.
func (r *region) plan() logical.Node {
	forest := make([]*tree, len(r.rels))
	for i := range r.rels {
		forest[i] = &tree{set: 1 << i}
	}
	r.graph = r.connect()
	if len(r.rels) <= dpLimit {
		forest = r.search(forest)
	}
	best := r.greedy(forest)
	out := r.build(best)
	var constant []expr.Expr
	for _, c := range r.conds {
		if c.mask == 0 {
			constant = append(constant, c.e)
		}
	}
	return under(constant, out)
}

// search finds the cheapest tree of every connected set and returns those of the largest ones: one,
// or one a component of a graph that is not connected. A graph with too many pairs of sets comes back as it is.
func (r *region) search(leaves []*tree) []*tree {
	n := len(leaves)
	best := make([]*tree, 1<<n)
	for i, t := range leaves {
		best[1<<i] = t
	}
	pairs := 0
	complete := r.graph.pairs(func(a, b uint64) bool {
		if best[a] == nil || best[b] == nil {
			return true // a hyperedge may connect sets that no tree joins
		}
		if t := r.joinTrees(best[a], best[b]); t.before(best[t.set]) {
			best[t.set] = t
		}
		pairs++
		return pairs < pairLimit
	})
	if !complete {
		return leaves
	}
	var out []*tree
	rest := uint64(1)<<n - 1
	for rest != 0 {
		var largest *tree
		for set := rest; set > 0; set = (set - 1) & rest {
			if t := best[set]; t != nil && (largest == nil || bits.OnesCount64(set) > bits.OnesCount64(largest.set)) {
				largest = t
			}
		}
		out = append(out, largest)
		rest &^= largest.set
	}
	return out
}

// before reports whether t is the better tree for its set. Of trees of one price that one wins whose part with the first
// relation has the later others, so that the order in which pairs come does not matter.
func (t *tree) before(other *tree) bool {
	const same = 1e-9
	switch {
	case other == nil || t.cost < other.cost*(1-same):
		return true
	case t.cost > other.cost*(1+same):
		return false
	}
	return t.first() > other.first()
}

func (t *tree) first() uint64 {
	if low := t.set & -t.set; t.left.set&low != 0 {
		return t.left.set
	}
	return t.right.set
}

// greedy joins the two trees with the cheapest result until one is left; pairs without any condition
// come last, the smallest first.
func (r *region) greedy(forest []*tree) *tree {
	forest = append([]*tree(nil), forest...)
	for len(forest) > 1 {
		bi, bj := -1, -1
		var bestTree *tree
		bestKey, bestLinked := 0.0, false
		for i := range forest {
			for j := i + 1; j < len(forest); j++ {
				a, b := forest[i], forest[j]
				linked := r.joinable(a.set, b.set)
				if !linked && (r.lonelySemi(a.set) || r.lonelySemi(b.set)) {
					continue
				}
				t := r.joinTrees(a, b)
				key := r.rowsOf(t.set) + t.cost - a.cost - b.cost
				if bestTree == nil || linked && !bestLinked || linked == bestLinked && key < bestKey {
					bi, bj, bestTree, bestKey, bestLinked = i, j, t, key, linked
				}
			}
		}
		forest[bi] = bestTree
		forest = append(forest[:bj], forest[bj+1:]...)
	}
	return forest[0]
}

// lonelySemi reports a set that is only the right input of a semi or anti join.
func (r *region) lonelySemi(set uint64) bool {
	return bits.OnesCount64(set) == 1 && r.rels[bits.TrailingZeros64(set)].semi != nil
}

// joinable reports whether two sets may be joined without a cross product.
func (r *region) joinable(a, b uint64) bool { return r.graph.connected(a, b) }

// Prices of one row, relative to one row of output.
const (
	buildPrice = 2.0
	probePrice = 0.2
)

// joinTrees prices a join: its output, what is hashed, what is probed, and all pairs where there is no key to hash.
func (r *region) joinTrees(a, b *tree) *tree {
	ra, rb := r.rowsOf(a.set), r.rowsOf(b.set)
	semi := r.lonelySemi(a.set) || r.lonelySemi(b.set)
	if r.lonelySemi(a.set) || !semi && ra < rb {
		a, b, ra, rb = b, a, rb, ra
	}
	t := &tree{set: a.set | b.set, left: a, right: b}
	t.cost = a.cost + b.cost + r.rowsOf(t.set) + buildPrice*min(ra, rb) + probePrice*max(ra, rb)
	if !semi && !r.hasKey(a.set, b.set) {
		t.cost += ra * max(1, rb)
	}
	return t
}

// hasKey reports an equality that can be hashed when a is joined with b.
func (r *region) hasKey(a, b uint64) bool {
	for _, members := range r.class {
		if touches(members, a) && touches(members, b) {
			return true
		}
	}
	for _, c := range r.conds {
		if c.equality && (c.left&^a == 0 && c.right&^b == 0 || c.left&^b == 0 && c.right&^a == 0) {
			return true
		}
	}
	return false
}

func touches(members []member, set uint64) bool {
	for _, m := range members {
		if set>>m.rel&1 != 0 {
			return true
		}
	}
	return false
}

// build makes the plan of a tree.
func (r *region) build(t *tree) logical.Node {
	if t.left == nil {
		x := r.rels[bits.TrailingZeros64(t.set)]
		var own []expr.Expr
		for _, c := range r.conds {
			if c.mask == t.set {
				own = append(own, c.e)
			}
		}
		return under(own, x.node)
	}
	left, right := r.build(t.left), r.build(t.right)
	if r.lonelySemi(t.right.set) {
		return r.rels[bits.TrailingZeros64(t.right.set)].semi.WithChildren([]logical.Node{left, right})
	}
	var on []expr.Expr
	for _, members := range r.class {
		if e := equality(members, t.left.set, t.right.set); e != nil {
			on = append(on, e)
		}
	}
	for _, c := range r.conds {
		if c.mask&^t.set == 0 && c.mask&^t.left.set != 0 && c.mask&^t.right.set != 0 {
			on = append(on, c.e)
		}
	}
	return &logical.Join{Kind: logical.Inner, LeftInput: left, RightInput: right, On: on}
}

// equality equates one member of each side; within a side the members are equal already.
func equality(members []member, left, right uint64) expr.Expr {
	var l, r *expr.Column
	for _, m := range members {
		switch {
		case l == nil && left>>m.rel&1 != 0:
			l = m.col
		case r == nil && right>>m.rel&1 != 0:
			r = m.col
		}
	}
	if l == nil || r == nil {
		return nil
	}
	return expr.Eq(l, r)
}
