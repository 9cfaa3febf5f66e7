package optimize

import (
	"math/bits"

	"github.com/basaltdb/basalt/planner/logical"
)

// graph says which relations of a region can be joined without a cross product: by edges between two relations, and by
// hyperedges between two sets of them, such as a.x = b.y + c.z, or what a semi join's condition needs and the semi join.
//
// Source: Moerkotte and Neumann, Dynamic Programming Strikes Back, SIGMOD 2008 (DPhyp).
type graph struct {
	n      int
	simple []uint64 // by relation: those it has an edge with
	hyper  []hyperedge
	alone  uint64 // relations that are only the right input of a semi or anti join
}

type hyperedge struct{ a, b uint64 }

// connect makes the graph of a region.
func (r *region) connect() *graph {
	g := &graph{n: len(r.rels), simple: make([]uint64, len(r.rels))}
	for i := range r.rels {
		if r.rels[i].semi != nil {
			g.alone |= 1 << i
			g.edge(r.rels[i].needs, 1<<i)
		}
	}
	for _, members := range r.class {
		for i, m := range members {
			for _, k := range members[i+1:] {
				if m.rel != k.rel {
					g.edge(1<<m.rel, 1<<k.rel)
				}
			}
		}
	}
	for _, c := range r.conds {
		if c.equality {
			g.edge(c.left, c.right)
		}
	}
	// A relation of exactly one row, such as a scalar subquery, makes no product with any other.
	for i := range r.rels {
		if g.alone>>i&1 == 0 && logical.YieldsOneRow(r.rels[i].node) {
			for k := range r.rels {
				if k != i && g.alone>>k&1 == 0 {
					g.edge(1<<i, 1<<k)
				}
			}
		}
	}
	return g
}

func (g *graph) edge(a, b uint64) {
	if bits.OnesCount64(a) == 1 && bits.OnesCount64(b) == 1 {
		i, k := bits.TrailingZeros64(a), bits.TrailingZeros64(b)
		g.simple[i] |= b
		g.simple[k] |= a
		return
	}
	if a != 0 && b != 0 {
		g.hyper = append(g.hyper, hyperedge{a, b})
	}
}

// connected reports an edge between two disjoint sets.
func (g *graph) connected(a, b uint64) bool {
	if a&g.alone == a || b&g.alone == b { // a semi join's right input joins only what its condition needs
		if a&g.alone == a {
			a, b = b, a
		}
		if a&g.alone == a || bits.OnesCount64(b) != 1 {
			return false
		}
	}
	for rest := a; rest != 0; rest &= rest - 1 {
		if g.simple[bits.TrailingZeros64(rest)]&b != 0 {
			return true
		}
	}
	for _, h := range g.hyper {
		if h.a&^a == 0 && h.b&^b == 0 || h.a&^b == 0 && h.b&^a == 0 {
			return true
		}
	}
	return false
}

// neighbours are the relations outside of excluded that s has an edge with; of the other end of a hyperedge its lowest
// relation stands for all.
func (g *graph) neighbours(s, excluded uint64) uint64 {
	excluded |= s
	var out uint64
	for rest := s; rest != 0; rest &= rest - 1 {
		out |= g.simple[bits.TrailingZeros64(rest)]
	}
	out &^= excluded
	for _, h := range g.hyper {
		if h.a&^s == 0 && h.b&excluded == 0 {
			out |= h.b & -h.b
		}
		if h.b&^s == 0 && h.a&excluded == 0 {
			out |= h.a & -h.a
		}
	}
	return out
}

// pairs calls emit with every pair of disjoint connected sets that are connected with each other, each once, smaller sets
// before those that hold them, until it gives false; then pairs gives false too.
func (g *graph) pairs(emit func(a, b uint64) bool) bool {
	w := &walk{g: g, emit: emit, known: make([]bool, 1<<g.n)}
	for i := range g.n {
		w.known[1<<i] = true
	}
	for i := g.n - 1; i >= 0 && !w.stopped; i-- {
		s := uint64(1) << i
		w.sets(s)
		w.grow(s, s|(s-1))
	}
	return !w.stopped
}

type walk struct {
	g       *graph
	emit    func(a, b uint64) bool
	known   []bool // sets that are connected
	stopped bool
}

func (w *walk) pair(a, b uint64) {
	if !w.stopped && w.g.connected(a, b) {
		w.stopped = !w.emit(a, b)
		w.known[a|b] = true
	}
}

// grow extends the connected set s by its neighbours outside of excluded.
func (w *walk) grow(s, excluded uint64) {
	n := w.g.neighbours(s, excluded)
	for sub := n & -n; sub != 0 && !w.stopped; sub = (sub - n) & n {
		if w.known[s|sub] {
			w.sets(s | sub)
		}
	}
	for sub := n & -n; sub != 0 && !w.stopped; sub = (sub - n) & n {
		w.grow(s|sub, excluded|n)
	}
}

// sets finds the sets to pair with s.
func (w *walk) sets(s uint64) {
	low := s & -s
	excluded := s | (low - 1)
	n := w.g.neighbours(s, excluded)
	for rest := n; rest != 0 && !w.stopped; {
		top := uint64(1) << (63 - bits.LeadingZeros64(rest))
		rest &^= top
		w.pair(s, top)
		w.growOther(s, top, excluded|n&(top-1))
	}
}

// growOther extends the set that is paired with s.
func (w *walk) growOther(s, other, excluded uint64) {
	n := w.g.neighbours(other, excluded)
	for sub := n & -n; sub != 0 && !w.stopped; sub = (sub - n) & n {
		if w.known[other|sub] {
			w.pair(s, other|sub)
		}
	}
	for sub := n & -n; sub != 0 && !w.stopped; sub = (sub - n) & n {
		w.growOther(s, other|sub, excluded|n)
	}
}
