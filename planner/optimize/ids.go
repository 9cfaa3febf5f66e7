package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// LargestID is the largest column id that any node of a plan outputs, subqueries in expressions included.
func LargestID(n logical.Node) expr.ColumnID {
	f := &idFinder{seen: map[*logical.CTE]bool{}}
	f.node(n)
	return f.largest
}

type idFinder struct {
	largest expr.ColumnID
	seen    map[*logical.CTE]bool
}

func (f *idFinder) node(n logical.Node) {
	for _, c := range n.Columns() {
		f.largest = max(f.largest, c.ID)
	}
	logical.EachExpr(n, func(e expr.Expr) {
		expr.Walk(e, func(e expr.Expr) bool {
			if s, ok := e.(*expr.Subquery); ok {
				f.node(s.Plan.(logical.Node))
			}
			return true
		})
	})
	if ref, ok := n.(*logical.CTERef); ok && !f.seen[ref.CTE] {
		f.seen[ref.CTE] = true
		f.node(ref.CTE.Plan)
	}
	for _, c := range n.Children() {
		f.node(c)
	}
}
