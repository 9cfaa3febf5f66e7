package logical_test

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

var tInt = sqltype.T(sqltype.Int)

func column(id expr.ColumnID, name string) expr.Column {
	return expr.Column{ID: id, Name: name, T: tInt}
}

func scan(table string, cols ...expr.Column) *logical.Scan {
	s := &logical.Scan{Table: table, Cols: cols, Limit: -1}
	for i := range cols {
		s.Ordinal = append(s.Ordinal, i)
	}
	return s
}

func eq(a, b expr.Column) expr.Expr { return expr.Eq(expr.Ref(a), expr.Ref(b)) }

// plan is a semi join over t(a, b) with u(c) whose right side reads an outer column 9.
func plan() (n logical.Node, a, b, c, outer expr.Column) {
	a, b, c, outer = column(1, "a"), column(2, "b"), column(3, "c"), column(9, "outer")
	right := &logical.Filter{Input: scan("u", c), Conds: []expr.Expr{eq(c, outer)}}
	join := &logical.Join{Kind: logical.Semi, LeftInput: scan("t", a, b), RightInput: right, On: []expr.Expr{eq(a, c)}}
	sum := column(4, "n")
	return &logical.Project{Input: join, Exprs: []expr.Expr{expr.Ref(a), expr.MustCall("coalesce", expr.Ref(b), expr.Ref(a))}, Cols: []expr.Column{a, sum}}, a, b, c, outer
}

func TestFormat(t *testing.T) {
	n, _, _, _, _ := plan()
	want := `Project [a#1, coalesce(b#2, a#1) AS n#4]
└─ Semi Join on a#1 = c#3
   ├─ Scan t [a#1, b#2]
   └─ Filter c#3 = outer#9
      └─ Scan u [c#3]
`
	if got := logical.FormatIDs(n); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestFreeColumns(t *testing.T) {
	n, _, _, _, outer := plan()
	if got := logical.FreeColumns(n).IDs(); len(got) != 1 || got[0] != outer.ID {
		t.Errorf("free columns %v", got)
	}
	// Those of subqueries in expressions count; what the plan around makes does not.
	sub := &expr.Subquery{Kind: expr.ExistsSubquery, Plan: n}
	if got := logical.FreeColumnsOf(sub).IDs(); len(got) != 1 || got[0] != outer.ID {
		t.Errorf("of the expression: %v", got)
	}
	whole := &logical.Filter{Input: scan("v", outer), Conds: []expr.Expr{sub}}
	if got := logical.FreeColumns(whole); !got.Empty() {
		t.Errorf("of the whole: %v", got.IDs())
	}
}

func TestClone(t *testing.T) {
	n, a, _, _, outer := plan()
	clone, renamed := logical.Clone(n, expr.NewIDs(20))
	made := logical.Outputs(clone)
	if made.Intersects(logical.Outputs(n)) {
		t.Error("the clone makes columns of the original")
	}
	if got := logical.FreeColumns(clone).IDs(); len(got) != 1 || got[0] != outer.ID {
		t.Errorf("free columns of the clone: %v", got)
	}
	if id := renamed(a).ID; id != clone.Columns()[0].ID || id <= 20 {
		t.Errorf("column a became %d", id)
	}
	if renamed(outer).ID != outer.ID {
		t.Error("an outer column was renamed")
	}
	if logical.Format(clone) != logical.Format(n) {
		t.Errorf("got\n%s", logical.FormatIDs(clone))
	}
	if strings.Contains(logical.FormatIDs(clone), "#1 ") || strings.Contains(logical.FormatIDs(clone), "#3") {
		t.Errorf("old ids are left\n%s", logical.FormatIDs(clone))
	}
}

func TestRewriteSharesWhatDoesNotChange(t *testing.T) {
	n, _, _, _, _ := plan()
	if logical.Rewrite(n, func(n logical.Node) logical.Node { return n }) != n {
		t.Error("a rewrite to itself made a new plan")
	}
	out := logical.Rewrite(n, func(n logical.Node) logical.Node {
		if s, ok := n.(*logical.Scan); ok && s.Table == "u" {
			c := *s
			c.Table = "w"
			return &c
		}
		return n
	})
	if out == n || out.Children()[0].Children()[0] != n.Children()[0].Children()[0] {
		t.Error("the untouched side was not shared")
	}
	same := logical.MapExprs(n, func(e expr.Expr) expr.Expr { return e })
	if same != n {
		t.Error("MapExprs to itself made a new node")
	}
}

func TestYieldsOneRow(t *testing.T) {
	check := func(n logical.Node, want bool) {
		t.Helper()
		if got := logical.YieldsOneRow(n); got != want {
			t.Errorf("%sgot %v", logical.Format(n), got)
		}
	}
	a := column(1, "a")
	agg := &logical.Aggregate{Input: scan("t", a)}
	check(agg, true)
	check(&logical.Aggregate{Input: scan("t", a), Groups: []expr.Expr{expr.Ref(a)}, Cols: []expr.Column{a}}, false)
	check(&logical.Project{Input: agg}, true)
	check(&logical.Filter{Input: agg}, false)
	check(&logical.Limit{Input: agg, Count: 1}, true)
	check(&logical.Limit{Input: agg, Count: 0}, false)
	check(&logical.Limit{Input: agg, Count: -1, Offset: 1}, false)
	check(&logical.Values{Rows: [][]expr.Expr{{}}}, true)
	check(&logical.Join{Kind: logical.Inner, LeftInput: agg, RightInput: agg}, true)
	check(&logical.Join{Kind: logical.Inner, LeftInput: agg, RightInput: agg, On: []expr.Expr{expr.Bool(false)}}, false)
	check(&logical.Join{Kind: logical.Left, LeftInput: agg, RightInput: scan("t", a)}, false)
}

func TestCTEsComeInReadingOrder(t *testing.T) {
	a := column(1, "a")
	inner := &logical.CTE{ID: 1, Name: "inner", Plan: scan("t", a)}
	outer := &logical.CTE{ID: 2, Name: "outer", Plan: &logical.CTERef{CTE: inner, Cols: []expr.Column{column(2, "a")}}}
	n := &logical.Join{Kind: logical.Inner,
		LeftInput:  &logical.CTERef{CTE: outer, Cols: []expr.Column{column(3, "a")}},
		RightInput: &logical.CTERef{CTE: outer, Cols: []expr.Column{column(4, "a")}}}
	got := logical.CTEs(n)
	if len(got) != 2 || got[0] != inner || got[1] != outer {
		t.Errorf("%d shared plans", len(got))
	}
}
