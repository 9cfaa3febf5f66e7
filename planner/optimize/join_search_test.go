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
