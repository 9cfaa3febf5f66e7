package bind_test

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/logical"
)

// selected is the first expression of SELECT text.
func selected(t *testing.T, text string) ast.Expr {
	t.Helper()
	q, err := parseQuery("SELECT " + text)
	if err != nil {
		t.Fatal(err)
	}
	return q.(*ast.Select).Items[0].Expr
}

func TestScalar(t *testing.T) {
	check := func(text, want string, kind sqltype.Kind) {
		t.Helper()
		v, err := bind.Scalar(selected(t, text), env())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if v.Text() != want || v.Type.Kind != kind {
			t.Errorf("%s: got %s %s", text, v.Type, v.Text())
		}
	}
	check("1 + 2 * 3", "7", sqltype.Int)
	check("'a'", "a", sqltype.Varchar)
	check("-128", "-128", sqltype.TinyInt)
	check("-129", "-129", sqltype.SmallInt)
	check("2147483648", "2147483648", sqltype.BigInt)
	check("9223372036854775808", "9223372036854775808", sqltype.LargeInt)
	check("-9223372036854775808", "-9223372036854775808", sqltype.BigInt)
	check("0.05", "0.05", sqltype.Decimal)
	check("123456789012345678901234567890123456789012345", "1.2345678901234567e44", sqltype.Double)
	check("true", "1", sqltype.Boolean)
	check("date '2024-01-31' + interval 1 month", "2024-02-29", sqltype.Date)
	check("timestamp '2024-01-31 10:00:00.25'", "2024-01-31 10:00:00.25", sqltype.DateTime)
	check("interval 2 day + date '2024-02-28'", "2024-03-01", sqltype.Date)
	check("@@sql_mode", "STRICT", sqltype.Varchar)
	check("?", "7", sqltype.BigInt)

	refused := func(text string, code sqlerr.Code) {
		t.Helper()
		if _, err := bind.Scalar(selected(t, text), env()); !sqlerr.Is(err, code) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	refused("a", sqlerr.UnknownColumn)
	refused("sum(1)", sqlerr.MisplacedAggregate)
	refused("(SELECT 1)", sqlerr.WrongUsage)
	refused("9223372036854775807 + 1", sqlerr.OutOfRangeArith)
}

// TestPrepare binds parameters as NULL and a LIMIT of one as no limit, so that PREPARE can tell the columns.
func TestPrepare(t *testing.T) {
	q, err := parseQuery("SELECT a, ? AS p FROM t WHERE b = ? LIMIT ?")
	if err != nil {
		t.Fatal(err)
	}
	e := env()
	e.Params, e.ParamTypesOnly = nil, true
	b, err := bind.Query(q, e)
	if err != nil {
		t.Fatal(err)
	}
	if b.Names[0] != "a" || b.Names[1] != "p" || strings.Contains(logical.Format(b.Plan), "Limit") {
		t.Errorf("%v\n%s", b.Names, logical.Format(b.Plan))
	}
	e.ParamTypesOnly = false
	if _, err := bind.Query(q, e); !sqlerr.Is(err, sqlerr.WrongArguments) {
		t.Errorf("without values: %v", err)
	}
}

func TestUserFunctions(t *testing.T) {
	e := env()
	e.UserFunctions = func(name string, args []function.Arg) (*function.Scalar, bool, error) {
		if name != "twice" {
			return nil, false, nil
		}
		return &function.Scalar{Name: name, Params: []sqltype.Type{sqltype.T(sqltype.BigInt)}, Result: sqltype.T(sqltype.BigInt), Stability: function.Volatile}, true, nil
	}
	q, err := parseQuery("SELECT twice(a), abs(a) FROM t")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bind.Query(q, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := logical.Format(b.Plan); !strings.HasPrefix(got, "Project [twice(cast(t.a as bigint)) AS twice(a)") {
		t.Error(got)
	}
}

// TestLargeStatements binds what generated SQL can look like without recursion or quadratic work getting
// in the way: long chains of AND, OR and +, long lists.
func TestLargeStatements(t *testing.T) {
	check := func(sql string) {
		t.Helper()
		list, err := parser.Parse(sql, parser.Options{})
		if err != nil {
			t.Fatalf("%.80s: %v", sql, err)
		}
		if _, err := bind.Query(list[0].Statement.(ast.Query), env()); err != nil {
			t.Errorf("%.80s: %v", sql, err)
		}
	}
	const n = 5000
	check("SELECT a FROM t WHERE " + strings.Repeat("a = 1 OR b = 2 OR ", n) + "a = 3")
	check("SELECT a FROM t WHERE " + strings.Repeat("a <> 1 AND ", n) + "a = 3")
	check("SELECT " + strings.Repeat("a + ", n) + "1 FROM t")
	check("SELECT a FROM t WHERE a IN (" + strings.Repeat("17, ", 4*n) + "1)")
	check("SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", n/5))
	check("SELECT a FROM t WHERE a = " + strings.Repeat("(SELECT max(a) FROM t WHERE b = ", 20) + "1" + strings.Repeat(")", 20))
}

func TestParamsKeepTheirTypes(t *testing.T) {
	e := env()
	e.Params = []vector.Value{vector.StringValue(sqltype.T(sqltype.Varchar), "1995-01-01")}
	q, err := parseQuery("SELECT a FROM t WHERE d < ?")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bind.Query(q, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := logical.Format(b.Plan); !strings.Contains(got, "t.d < DATE '1995-01-01'") {
		t.Error(got)
	}
}
