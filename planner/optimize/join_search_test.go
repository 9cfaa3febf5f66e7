package optimize

import (
	"testing"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// TestManyRelations orders chains of joins around the border of dynamic programming: every relation is in the result
// once, every condition too, and nothing is a cross product.
func TestManyRelations(t *testing.T) {
	for n := 2; n <= dpLimit+4; n++ {
		var tree logical.Node
		var conds []expr.Expr
		var last *logical.Scan
		for i := range n {
			s := table(expr.ColumnID(1+10*i), int64(1000*(i+1)), 1000, 1000)
			if tree == nil {
				tree = s
			} else {
				conds = append(conds, expr.Eq(expr.Ref(last.Cols[1]), expr.Ref(s.Cols[0])))
				tree = &logical.Join{Kind: logical.Inner, LeftInput: tree, RightInput: s}
			}
			last = s
		}
		in := &logical.Filter{Input: tree, Conds: conds}
		out, err := joinOrder(&Context{}, in)
		if err != nil {
			t.Fatal(err)
		}
		if msg := Verify(out); msg != "" {
			t.Fatalf("%d relations: %s", n, msg)
		}
		scans, joins := 0, 0
		logical.Walk(out, func(x logical.Node) bool {
			switch x := x.(type) {
			case *logical.Scan:
				scans++
			case *logical.Join:
				joins++
				if len(x.On) == 0 {
					t.Errorf("%d relations: a cross product", n)
				}
			}
			return true
		})
		if scans != n || joins != n-1 {
			t.Errorf("%d relations: %d scans, %d joins", n, scans, joins)
		}
	}
}

// TestPairs counts the pairs of connected sets of graphs of known shape, and compares with trying all subsets.
func TestPairs(t *testing.T) {
	shapes := map[string]func(g *graph, n int){
		"chain": func(g *graph, n int) {
			for i := 1; i < n; i++ {
				g.edge(1<<(i-1), 1<<i)
			}
		},
		"star": func(g *graph, n int) {
			for i := 1; i < n; i++ {
				g.edge(1, 1<<i)
			}
		},
		"clique": func(g *graph, n int) {
			for i := range n {
				for k := range i {
					g.edge(1<<i, 1<<k)
				}
			}
		},
		"hyperedges": func(g *graph, n int) {
			for i := 2; i < n; i++ {
				g.edge(1<<(i-1), 1<<i)
				g.edge(1|1<<(i-1), 1<<i)
			}
			g.edge(1, 2|4)
		},
		"semi joins": func(g *graph, n int) {
			for i := 1; i < n-1; i++ {
				g.edge(1<<(i-1), 1<<i)
			}
			g.edge(1|2, 1<<(n-1))
			g.alone = 1 << (n - 1)
		},
		"two parts": func(g *graph, n int) {
			g.edge(1, 2)
			g.edge(4, 8)
		},
	}
	counts := map[string]int{"chain": 20, "star": 32, "clique": 90} // of 5 relations, each pair once; Moerkotte 2006
	for name, shape := range shapes {
		for n := 4; n <= 8; n++ {
			g := &graph{n: n, simple: make([]uint64, n)}
			shape(g, n)
			type pair struct{ a, b uint64 }
			got := map[pair]int{}
			g.pairs(func(a, b uint64) bool {
				got[pair{min(a, b), max(a, b)}]++
				return true
			})
			for p, times := range got {
				if times > 1 {
					t.Errorf("%s of %d: %b and %b came %d times", name, n, p.a, p.b, times)
				}
			}
			want := allPairs(g)
			for p := range want {
				if got[pair{p[0], p[1]}] == 0 {
					t.Errorf("%s of %d: %b and %b are missing", name, n, p[0], p[1])
				}
			}
			if n == 5 && counts[name] != 0 && len(got) != counts[name] {
				t.Errorf("%s of %d: %d pairs, want %d", name, n, len(got), counts[name])
			}
		}
	}
}

// allPairs is what pairs must give, by trying every split of every set.
func allPairs(g *graph) map[[2]uint64]bool {
	joined := map[uint64]bool{}
	out := map[[2]uint64]bool{}
	for set := uint64(1); set < 1<<g.n; set++ {
		if set&(set-1) == 0 {
			joined[set] = true
			continue
		}
		for sub := (set - 1) & set; sub > 0; sub = (sub - 1) & set {
			if rest := set ^ sub; sub < rest && joined[sub] && joined[rest] && g.connected(sub, rest) {
				joined[set] = true
				out[[2]uint64{sub, rest}] = true
			}
		}
	}
	return out
}
