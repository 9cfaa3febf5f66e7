package expr_test

import (
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

var (
	tInt     = sqltype.T(sqltype.Int)
	tBoolean = sqltype.T(sqltype.Boolean)
)

func col(id expr.ColumnID, name string) *expr.Column {
	return &expr.Column{ID: id, Name: name, T: tInt, Null: true}
}

func TestColumnSet(t *testing.T) {
	s := expr.SetOf(1, 64, 200)
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("has 64", s.Has(64), true)
	check("has 63", s.Has(63), false)
	check("has 4000", s.Has(4000), false)
	check("len", s.Len(), 3)
	check("subset", expr.SetOf(1, 200).SubsetOf(s), true)
	check("not subset", expr.SetOf(1, 500).SubsetOf(s), false)
	check("long empty is a subset", expr.SetOf().SubsetOf(s), true)
	check("intersects", s.Intersects(expr.SetOf(200)), true)
	check("disjoint", s.Intersects(expr.SetOf(2, 65)), false)
	u := s.Clone()
	u.RemoveAll(expr.SetOf(64, 999))
	check("removed", u.Has(64), false)
	check("clone is apart", s.Has(64), true)
	both := s.Intersect(expr.SetOf(1, 2, 200))
	if ids := both.IDs(); len(ids) != 2 || ids[0] != 1 || ids[1] != 200 {
		t.Errorf("intersection: %v", ids)
	}
	u.AddAll(expr.SetOf(3, 700))
	check("added", u.Len(), 4)
	check("empty", expr.ColumnSet{}.Empty(), true)
	check("not empty", u.Empty(), false)
}

func TestString(t *testing.T) {
	a, b, c := expr.MustCall("<", col(1, "a"), col(2, "b")), expr.MustCall("=", col(2, "b"), expr.Int(3)), expr.MustCall("is_null", col(3, "c"))
	check := func(e expr.Expr, want string) {
		t.Helper()
		if got := expr.String(e); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(expr.And(a, expr.Or(b, c)), "a < b and (cast(b as bigint) = 3 or c is null)")
	check(expr.Or(expr.And(a, b), c), "a < b and cast(b as bigint) = 3 or c is null")
	check(expr.Not(expr.And(a, c)), "not (a < b and c is null)")
	x, y, z := col(1, "x"), col(2, "y"), col(3, "z")
	check(expr.MustCall("-", x, expr.MustCall("-", y, z)), "cast(x as bigint) - (y - z)")
	check(expr.MustCall("*", expr.MustCall("+", x, y), expr.MustCall("neg", z)), "(x + y) * -z")
	check(expr.MustCall("in", x, expr.Lit(vector.IntValue(tInt, 1)), expr.Lit(vector.IntValue(tInt, 2))), "x in (1, 2)")
	check(expr.Lit(vector.StringValue(sqltype.T(sqltype.String), "it's")), "'it''s'")
	check(expr.Null(tInt), "NULL")
	if got := expr.StringIDs(a); got != "a#1 < b#2" {
		t.Errorf("ids: %s", got)
	}
}

func TestEqual(t *testing.T) {
	check := func(a, b expr.Expr, want bool) {
		t.Helper()
		if got := expr.Equal(a, b); got != want {
			t.Errorf("%s and %s: got %v", expr.StringIDs(a), expr.StringIDs(b), got)
		}
	}
	check(col(1, "a"), col(1, "another name"), true)
	check(col(1, "a"), col(2, "a"), false)
	check(expr.MustCall("+", col(1, "a"), expr.Int(1)), expr.MustCall("+", col(1, "a"), expr.Int(1)), true)
	check(expr.MustCall("+", col(1, "a"), expr.Int(1)), expr.MustCall("-", col(1, "a"), expr.Int(1)), false)
	check(expr.Int(1), expr.Lit(vector.IntValue(tInt, 1)), false) // types count
	check(expr.Null(tInt), expr.Null(tInt), true)
	check(expr.Null(tInt), expr.Lit(vector.IntValue(tInt, 0)), false)
}

func TestRewriteSharesWhatDoesNotChange(t *testing.T) {
	left, right := expr.MustCall("<", col(1, "a"), col(2, "b")), expr.MustCall("is_null", col(3, "c"))
	e := expr.And(left, right)
	if same := expr.Rewrite(e, func(e expr.Expr) expr.Expr { return e }); same != e {
		t.Error("a rewrite to itself made a new tree")
	}
	out := expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) { return col(9, "z"), c.ID == 3 })
	args, ok := expr.IsCall(out, "and")
	if !ok || args[0] != left || args[1] == right {
		t.Errorf("got %s", expr.StringIDs(out))
	}
	if got := expr.Columns(out).IDs(); len(got) != 3 || got[2] != 9 {
		t.Errorf("columns %v", got)
	}
	if expr.Columns(e).Has(9) {
		t.Error("the original changed")
	}
}

func TestConjuncts(t *testing.T) {
	a, b, c := expr.MustCall("is_null", col(1, "a")), expr.MustCall("is_null", col(2, "b")), expr.MustCall("is_null", col(3, "c"))
	list := expr.Conjuncts(nil, expr.And(a, expr.And(b, c), expr.Bool(true)))
	if len(list) != 3 || list[0] != a || list[2] != c {
		t.Errorf("%d conjuncts", len(list))
	}
	if e := expr.And(); !expr.Equal(e, expr.Bool(true)) {
		t.Errorf("nothing is %s", expr.String(e))
	}
	if e := expr.Or(); !expr.Equal(e, expr.Bool(false)) {
		t.Errorf("nothing ORed is %s", expr.String(e))
	}
}

func TestFold(t *testing.T) {
	check := func(e expr.Expr, want string) {
		t.Helper()
		if got := expr.String(expr.FoldTree(e, nil)); got != want {
			t.Errorf("%s: got %s, want %s", expr.String(e), got, want)
		}
	}
	check(expr.MustCall("+", expr.Int(1), expr.MustCall("*", expr.Int(2), expr.Int(3))), "7")
	check(expr.MustCall("+", expr.Int(1), expr.Null(sqltype.T(sqltype.BigInt))), "NULL")
	check(expr.MustCall("<", expr.Int(1), expr.Int(2)), "TRUE")
	check(expr.MustCall("+", col(1, "a"), expr.MustCall("+", expr.Lit(vector.IntValue(tInt, 1)), expr.Lit(vector.IntValue(tInt, 1)))), "cast(a as bigint) + 2")

	// What cannot be computed keeps its error for the row that needs it.
	fails := expr.MustCall("+", expr.Int(1<<62), expr.Int(1<<62))
	if _, err := expr.Fold(fails, nil); err == nil {
		t.Error("an overflow folded")
	}
	check(fails, "4611686018427387904 + 4611686018427387904")

	// Volatile calls are never computed, session calls only with a session.
	run := func([]*vector.Value) (function.Kernel, error) {
		return func(_ *function.Context, _ []*vector.Vector, _ []int32, out *vector.Vector) error {
			out.SetValue(0, vector.IntValue(tInt, 5))
			return nil
		}, nil
	}
	f := func(s function.Stability) expr.Expr {
		return &expr.Call{Fn: &function.Scalar{Name: "f", Result: tInt, Stability: s, New: run}}
	}
	check(f(function.Volatile), "f()")
	check(f(function.Stable), "f()")
	check(f(function.Immutable), "5")
	if got := expr.String(expr.FoldTree(f(function.Stable), &function.Context{})); got != "5" {
		t.Errorf("with a session: %s", got)
	}
	if !expr.IsVolatile(expr.MustCall("+", f(function.Volatile), expr.Int(1))) || expr.IsVolatile(f(function.Stable)) {
		t.Error("volatility")
	}
}

func TestCastTo(t *testing.T) {
	e, err := expr.CastTo(expr.Null(sqltype.T(sqltype.Null)), tBoolean)
	if err != nil || e.Type() != tBoolean || !e.Nullable() {
		t.Errorf("NULL as boolean: %v %v", e, err)
	}
	if e, _ := expr.CastTo(col(1, "a"), tInt); e.(*expr.Column).ID != 1 {
		t.Error("a cast to its own type")
	}
	// A longer VARCHAR is the same bytes: no call.
	lit := expr.Lit(vector.StringValue(sqltype.VarcharOf(3), "abc"))
	if e, err := expr.CastTo(lit, sqltype.T(sqltype.Varchar)); err != nil || expr.String(e) != "'abc'" {
		t.Errorf("%v %v", e, err)
	}
}

func TestAggregateChildren(t *testing.T) {
	sum, err := function.ResolveAggregate("sum", []function.Arg{{Type: tInt}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := expr.ApplyAggregate(sum, []expr.Expr{col(1, "a")})
	if err != nil {
		t.Fatal(err)
	}
	a.OrderBy = []expr.SortKey{{Expr: col(2, "b"), Desc: true}}
	a.Filter = expr.MustCall("is_null", col(3, "c"))
	n := len(expr.Children(a))
	out := expr.Substitute(a, func(c *expr.Column) (expr.Expr, bool) { return col(c.ID+10, c.Name+"x"), true }).(*expr.Aggregate)
	if n != 3 || !expr.Equal(out.OrderBy[0].Expr, col(12, "")) || !out.OrderBy[0].Desc || !expr.Columns(out.Filter).Has(13) || !expr.Columns(out.Args[0]).Has(11) {
		t.Errorf("%d children, %s", n, expr.StringIDs(out))
	}
	if got := expr.String(a); got != "sum(a order by b desc) filter (where c is null)" && got != "sum(cast(a as bigint) order by b desc) filter (where c is null)" {
		t.Error(got)
	}
}
