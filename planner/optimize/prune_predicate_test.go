package optimize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

var opNames = map[storage.Op]string{
	storage.OpEq: "=", storage.OpNe: "<>", storage.OpLt: "<", storage.OpLe: "<=", storage.OpGt: ">", storage.OpGe: ">=",
	storage.OpIn: "in", storage.OpIsNull: "null", storage.OpIsNotNull: "not null", storage.OpPrefix: "prefix",
}

// show writes a predicate as (column op values).
func show(p storage.Predicate) string {
	if p.Op == storage.OpAnd || p.Op == storage.OpOr {
		parts := make([]string, len(p.Children))
		for i, c := range p.Children {
			parts[i] = show(c)
		}
		return "(" + strings.Join(parts, map[storage.Op]string{storage.OpAnd: " and ", storage.OpOr: " or "}[p.Op]) + ")"
	}
	s := fmt.Sprintf("%d %s", p.Column, opNames[p.Op])
	for _, v := range p.Values {
		s += " " + v.Text()
	}
	return s
}

func TestPrunePredicate(t *testing.T) {
	integer, text := sqltype.T(sqltype.Int), sqltype.T(sqltype.String)
	a := expr.Column{ID: 1, Name: "a", T: integer, Null: true}
	s := expr.Column{ID: 2, Name: "s", T: text, Null: true}
	scan := &logical.Scan{Cols: []expr.Column{a, s}, Ordinal: []int{5, 7}, Limit: -1}
	num := func(v int64) expr.Expr { return expr.Lit(vector.IntValue(integer, v)) }
	str := func(v string) expr.Expr { return expr.Lit(vector.StringValue(text, v)) }
	call := func(name string, args ...expr.Expr) expr.Expr { return expr.MustCall(name, args...) }
	check := func(want string, e expr.Expr) {
		t.Helper()
		p, ok := PrunePredicate(scan, e)
		got := "none"
		if ok {
			got = show(p)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", expr.String(e), got, want)
		}
	}
	A, S := expr.Ref(a), expr.Ref(s)
	check("5 = 3", call("=", A, num(3)))
	check("5 > 3", call("<", num(3), A))
	check("5 >= 3", call("not", call("<", A, num(3))))
	check("7 = x", call("=", S, str("x")))
	check("5 null", call("is_null", A))
	check("5 not null", call("is_not_null", A))
	check("5 in 1 4", call("in", A, num(4), num(1), num(4)))
	check("(5 <> 1 and 5 <> 4)", call("not", call("in", A, num(4), num(1))))
	check("7 prefix ab", call("like", S, str("ab%c")))
	check("7 = ab", call("like", S, str("ab")))
	check("none", call("like", S, str("%ab")))
	check("none", call("=", A, expr.Null(integer)))
	check("none", call("=", A, A))
	check("none", call("=", call("+", A, num(1)), expr.Int(3)))
	check("(5 = 1 or 7 = x)", expr.Or(call("=", A, num(1)), call("=", S, str("x"))))
	check("none", expr.Or(call("=", A, num(1)), call("=", A, A)))
	check("5 = 1", expr.And(call("=", A, num(1)), call("=", A, A)))
	check("(5 > 1 and 5 < 9)", expr.And(call(">", A, num(1)), call("<", A, num(9))))
}
