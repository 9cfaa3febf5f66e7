package parser

import (
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// parseOne parses a text of one statement.
func parseOne(t *testing.T, text string, o Options) ast.Statement {
	t.Helper()
	parsed, err := Parse(text, o)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(parsed) != 1 {
		t.Fatalf("%s: %d statements", text, len(parsed))
	}
	return parsed[0].Statement
}

// TestMeaning compares what was read, printed, with its plain form.
func TestMeaning(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		if got := ast.Format(parseOne(t, text, Options{})); got != want {
			t.Errorf("%s\n  got  %s\n  want %s", text, got, want)
		}
	}
	// What the TiDB grammar alone would read as something else.
	check("SELECT * FROM a FULL JOIN b ON a.x = b.x", "SELECT * FROM a FULL JOIN b ON a.x = b.x")
	check("SELECT * FROM a FULL OUTER JOIN b USING (x)", "SELECT * FROM a FULL JOIN b USING (x)")
	check("SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x", "SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x")
	check("SELECT * FROM a RIGHT ANTI JOIN b ON a.x = b.x", "SELECT * FROM a RIGHT ANTI JOIN b ON a.x = b.x")
	check("SELECT f(x -> 'c')", "SELECT f((x) -> 'c')")
	check("SELECT f(x -> '$.c')", "SELECT f((x -> '$.c'))")
	check("SELECT array_map(x -> '$.c', a)", "SELECT array_map((x) -> '$.c', a)")
	check("DESCRIBE FORMATTED t", "DESCRIBE FORMATTED t")
	check("DESCRIBE formatted", "DESCRIBE `formatted`")
	// Operators.
	check("SELECT a || b && !c", "SELECT a OR b AND NOT c")
	check("SELECT 7 MOD 3, mod(7, 3), 7 DIV 2", "SELECT 7 % 3, mod(7, 3), 7 DIV 2")
	check("SELECT NOT a = b, !a = b", "SELECT NOT a = b, (NOT a) = b")
	check("SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b", "SELECT NOT a <=> b, a <=> b")
	check("SELECT a IS UNKNOWN, a != b, a == b", "SELECT a IS NULL, a <> b, a = b")
	check("SELECT - - 3, -x::int, (-x)::int", "SELECT -(-3), -CAST(x AS int), CAST(-x AS int)")
	check("SELECT a IN (1, 'x', 2.5), b IN (1), c IN (-1, 2), d IN ('a' 'b', 'c')", "SELECT a IN (1, 'x', 2.5), b IN (1), c IN (-1, 2), d IN ('ab', 'c')")
	check("SELECT {fn year(x)}, {ts '2020-01-01 00:00:00'}", "SELECT year(x), TIMESTAMP '2020-01-01 00:00:00'")
	check("SELECT NOT a IN (1, 2), a NOT IN (SELECT 1)", "SELECT NOT a IN (1, 2), a NOT IN (SELECT 1)")
	// Functions with a grammar of their own.
	check("SELECT EXTRACT(YEAR FROM x), SUBSTRING(x FROM 1 FOR 2)", "SELECT extract('year', x), substring(x, 1, 2)")
	check("SELECT TRIM(LEADING 'a' FROM x), TRIM('b' FROM x), TRIM(x)", "SELECT ltrim(x, 'a'), trim(x, 'b'), trim(x)")
	check("SELECT POSITION('a' IN b), TIMESTAMPDIFF(MONTH, a, b)", "SELECT position('a', b), timestampdiff('month', a, b)")
	check("SELECT COUNT(*), count(DISTINCT a, b), Sum(ALL a)", "SELECT count(*), count(DISTINCT a, b), sum(a)")
	check("SELECT x + INTERVAL 2 DAYS, INTERVAL '1-2' YEAR TO MONTH + x", "SELECT x + INTERVAL 2 DAY, INTERVAL '1-2' YEAR_MONTH + x")
	check("SELECT left(a, 1), `count`(1), db.f(1), current_date", "SELECT left(a, 1), count(1), db.f(1), current_date()")
	// Literals and names.
	check("SELECT DATE '1994-01-01', {d '1994-01-01'}, 1.50, 1e2, .5", "SELECT DATE '1994-01-01', DATE '1994-01-01', 1.50, 1e2, .5")
	check(`SELECT "a", 'b' 'c', 0x4d, b'1'`, "SELECT 'a', 'bc', x'4d', b'00000001'")
	check("SELECT MyCol AS MyAlias FROM Db.MyTable", "SELECT MyCol AS MyAlias FROM Db.MyTable")
	check("SELECT a.b.c.d, a[1].b, {k: 1}, {'k': 1}", "SELECT (a.b.c).d, (a)[1].b, named_struct('k', 1), {'k': 1}")
	// Queries.
	check("SELECT a FROM t LIMIT 5, 10", "SELECT a FROM t LIMIT 10 OFFSET 5")
	check("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)")
	check("SELECT 1 MINUS SELECT 2", "SELECT 1 EXCEPT SELECT 2")
	check("SELECT a FROM t GROUP BY a, ROLLUP(b, c)", "SELECT a FROM t GROUP BY a, b, c GROUPING SETS ((a, b, c), (a, b), (a))")
	check("SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, ())", "SELECT a FROM t GROUP BY a, b GROUPING SETS ((a, b), (a), ())")
	check("SELECT a FROM t GROUP BY CUBE(a, b)", "SELECT a FROM t GROUP BY a, b WITH CUBE")
	check("FROM t SELECT a WHERE b", "SELECT a FROM t WHERE b")
	check("SELECT * FROM a, b LATERAL VIEW explode(b.x) v AS c", "SELECT * FROM a, b LATERAL VIEW explode(b.x) v AS (c)")
	check("SELECT * FROM a JOIN b ON a.x = b.x LATERAL VIEW OUTER explode(b.x) v AS c",
		"SELECT * FROM (a JOIN b ON a.x = b.x) LATERAL VIEW OUTER explode(b.x) v AS (c)")
	check("SELECT * FROM a JOIN (b RIGHT JOIN c ON p) JOIN d ON q", "SELECT * FROM a CROSS JOIN (b RIGHT JOIN c ON p) JOIN d ON q")
	check("SELECT * FROM a JOIN (b FULL JOIN c ON p) LEFT JOIN d ON q", "SELECT * FROM a CROSS JOIN (b FULL JOIN c ON p) LEFT JOIN d ON q")
	check("SELECT * FROM a JOIN b RIGHT JOIN c ON p", "SELECT * FROM a CROSS JOIN b RIGHT JOIN c ON p")
	check("SELECT * FROM a JOIN b LATERAL VIEW f(b.x) v AS c JOIN d ON q", "SELECT * FROM a CROSS JOIN (b LATERAL VIEW f(b.x) v AS (c)) JOIN d ON q")
	check("SELECT * FROM a JOIN (b, c) ON p, (d, e)", "SELECT * FROM a JOIN (b CROSS JOIN c) ON p, d CROSS JOIN e")
	check("SELECT * FROM a JOIN b", "SELECT * FROM a CROSS JOIN b")
	check("SELECT * FROM a CROSS JOIN b ON a.x = b.x", "SELECT * FROM a JOIN b ON a.x = b.x")
	check("SELECT * FROM a LEFT JOIN b JOIN c ON b.x = c.x ON a.x = b.x", "SELECT * FROM a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x")
	check("SELECT a INTO OUTFILE 'x' FROM t", "SELECT a FROM t INTO OUTFILE 'x'")
	check("WITH c AS (SELECT 1) SELECT 1 UNION SELECT 2 INTO OUTFILE 'x'", "WITH c AS (SELECT 1) SELECT * FROM (SELECT 1 UNION SELECT 2) INTO OUTFILE 'x'")
	check("SELECT /*!40001 SQL_NO_CACHE */ a -- c\n# d\n/* e */ FROM t", "SELECT a FROM t")
	check("/*!40101 SET NAMES utf8 */", "SET NAMES 'utf8'")
	check("SELECT a FROM d.t PARTITION (p) INDEX r x, u INDEX `index` USE INDEX (i)", "SELECT a FROM d.t INDEX r PARTITION (p) AS x, u INDEX `index`")
	check("CREATE VIEW v AS SELECT a  FROM t", "CREATE VIEW v AS SELECT a FROM t")
}

// TestPositions checks where nodes stand in the user's text.
func TestPositions(t *testing.T) {
	text := "SELECT a + b * f(c), x IS NULL FROM t1 FULL JOIN db.t2 y ON NOT t1.k = y.k WHERE EXISTS (SELECT 1)"
	sel := parseOne(t, text, Options{}).(*ast.Select)
	check := func(n ast.Node, want string) {
		t.Helper()
		if n.Position() < 0 || !strings.HasPrefix(text[n.Position():], want) {
			t.Errorf("position %d, want that of %q", n.Position(), want)
		}
	}
	plus := sel.Items[0].Expr.(*ast.Binary)
	times := plus.R.(*ast.Binary)
	join := sel.From[0].(*ast.Join)
	not := join.On.(*ast.Unary)
	check(plus, "+ b")
	check(plus.L, "a +")
	check(times, "* f")
	check(times.R, "f(c)")
	check(times.R.(*ast.Call).Args[0], "c)")
	check(sel.Items[1].Expr, "x IS")
	check(join, "FULL JOIN")
	check(join.Right, "db.t2")
	check(not, "NOT")
	check(not.X, "= y.k")
	check(sel.Where, "EXISTS")
	check(sel.Where.(*ast.Exists).Query, "SELECT 1")
	if got := sel.Items[0].Text; got != "a + b * f(c)" {
		t.Errorf("text of the first item is %q", got)
	}
}

// TestErrors checks the code, the position and the words of errors.
func TestErrors(t *testing.T) {
	check := func(text string, code sqlerr.Code, at, message string) {
		t.Helper()
		_, err := Parse(text, Options{})
		if err == nil {
			t.Errorf("%.80s: no error", text)
			return
		}
		e := sqlerr.From(err)
		if e.Code != code || !strings.Contains(e.Message, message) {
			t.Errorf("%.80s: error %d %s", text, e.Code.Number, e.Message)
		}
		if e.Pos < 0 || e.Pos > len(text) || !strings.HasPrefix(text[e.Pos:], at) || at == "" && e.Pos != len(text) {
			t.Errorf("%.80s: position %d, want that of %q", text, e.Pos, at)
		}
	}
	check("SELEC 1", sqlerr.Syntax, "SELEC", "You have an error in your SQL syntax near 'SELEC 1' at line 1 column 1")
	check("SELECT 1;\n  SELECT a b c FROM t", sqlerr.Syntax, "c FROM", "near 'c FROM t' at line 2 column 14")
	check("SELECT FROM t", sqlerr.Syntax, "FROM", "near 'FROM t'")
	check("SELECT a FROM", sqlerr.Syntax, "", "a table expected")
	check("SELECT (a + b FROM t", sqlerr.Syntax, "FROM", "")
	check("SELECT * FROM a LEFT JOIN b WHERE x", sqlerr.Syntax, "WHERE", "")
	check("SELECT * FROM a FULL CROSS JOIN b", sqlerr.Syntax, "FULL", "")
	check("SELECT 'abc", sqlerr.Syntax, "'abc", "unterminated")
	check("SELECT 1 /* x", sqlerr.Syntax, "/* x", "unterminated comment")
	check("SELECT \x01", sqlerr.Syntax, "\x01", "")
	check("SELECT a LIKE 'x' ESCAPE 'ab'", sqlerr.Syntax, "'ab'", "ESCAPE")
	check("INSERT INTO t VALUES (1, 2", sqlerr.Syntax, "", "")
	check("INSERT INTO t VALUES (1, 2 3)", sqlerr.Syntax, "3)", "")
	check("INSERT INTO t VALUES (1, f(2)), (3, g(4", sqlerr.Syntax, "", "")
	check("INSERT INTO t VALUES (1, 2) x", sqlerr.Syntax, "x", "")
	check("INSERT INTO t VALUES (1, a b)", sqlerr.Syntax, "b)", "")
	check("CREATE TABLE t (a)b", sqlerr.Syntax, "b", "")
	check("CREATE TABLE t (a ENUM('x'))", sqlerr.NotSupported, "ENUM", "ENUM")
	check("SELECT * FROM a ASOF JOIN b ON a.x = b.x", sqlerr.NotSupported, "ASOF", "ASOF JOIN")
	check("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", sqlerr.NotSupported, "ON DUPLICATE", "ON DUPLICATE KEY UPDATE")
	check("SELECT a MATCH_ANY 'x' FROM t", sqlerr.NotSupported, "MATCH_ANY", "MATCH_ANY")
	check("SELECT @a := 1", sqlerr.NotSupported, ":=", "assignment")
	check("SELECT a IN () FROM t", sqlerr.Syntax, ")", "")
	check("SELECT 1 INTO @x", sqlerr.NotSupported, "INTO", "SELECT INTO")
	check(" ; ;", sqlerr.EmptyQuery, " ;", "Query was empty")
	check("DELETE FROM t WHERE a = (SELECT 1 INTO OUTFILE 'x')", sqlerr.Syntax, "INTO", "")
	check("SELECT (SELECT 1 INTO OUTFILE 'x')", sqlerr.Syntax, "INTO", "")
	check("CREATE TABLE t (a INT) PROPERTIES 'a'='b'", sqlerr.Syntax, "'a'", "'(' expected")
	check("CREATE DATABASE d PROPERTIES 'a'='b'", sqlerr.Syntax, "'a'", "'(' expected")
	check("CREATE TABLE t (INDEX i (a))", sqlerr.Syntax, "(INDEX", "at least one column")
	check("CREATE TABLE t (a INT) DISTRIBUTED BY HASH()", sqlerr.Syntax, ")", "a name expected")
	check("GRANT a ON (b", sqlerr.Syntax, "(b", "unpaired")
}

// TestTruncated cuts every statement of the dialect corpus after each token: an error
// or a tree, never a panic.
func TestTruncated(t *testing.T) {
	corpusFor(t, "dialect", func(_, text string) {
		for _, s := range strings.Split(text, ";") {
			fields := strings.Fields(s)
			for n := range fields {
				Parse(strings.Join(fields[:n], " "), Options{})
			}
		}
	})
}

// TestNesting checks that depth ends in an error and never in a full stack.
func TestNesting(t *testing.T) {
	refused := func(text string) {
		t.Helper()
		_, err := Parse(text, Options{})
		if e := sqlerr.From(err); err == nil || e.Code != sqlerr.Syntax {
			t.Errorf("%.40s…: %v", text, err)
		}
	}
	const deep = 200000
	refused("SELECT " + strings.Repeat("(", deep) + "1" + strings.Repeat(")", deep))
	refused("SELECT " + strings.Repeat("(SELECT ", deep) + "1" + strings.Repeat(")", deep))
	refused("SELECT " + strings.Repeat("f(", deep) + "1" + strings.Repeat(")", deep))
	refused("SELECT " + strings.Repeat("NOT ", deep) + "1")
	refused("SELECT " + strings.Repeat("- ", deep) + "1")
	refused("SELECT a" + strings.Repeat("[1]", deep))
	refused("SELECT " + strings.Repeat("CASE WHEN ", deep) + "1")
	refused("SELECT * FROM " + strings.Repeat("(", deep) + "t")
	refused("CREATE TABLE t (a " + strings.Repeat("ARRAY<", deep) + "INT")
	refused("SELECT 1" + strings.Repeat("+1", deep))
	refused("EXPLAIN " + strings.Repeat("EXPLAIN ", deep) + "SELECT 1")
	// What people's tools do write must pass.
	parseOne(t, "SELECT * FROM t WHERE a = 0"+strings.Repeat(" OR a = 1", 5000), Options{})
	parseOne(t, "SELECT "+strings.Repeat("(", 200)+"1"+strings.Repeat(")", 200), Options{})
	parseOne(t, "SELECT 1"+strings.Repeat(" UNION ALL SELECT 1", 2000), Options{})
}

// TestSQLModes checks that ANSI_QUOTES and PIPES_AS_CONCAT change both grammars.
func TestSQLModes(t *testing.T) {
	check := func(o Options, text, want string) {
		t.Helper()
		got := ast.Format(parseOne(t, text, o))
		if got != want {
			t.Errorf("%+v %s\n  got  %s\n  want %s", o, text, got, want)
		}
		checkRoundTrip(t, Parsed{Statement: parseOne(t, text, o), Text: text}, o)
	}
	check(Options{}, `SELECT "a" || b`, "SELECT 'a' OR b")
	check(Options{AnsiQuotes: true}, `SELECT "a" || b`, "SELECT a OR b")
	check(Options{PipesAsConcat: true}, `SELECT "a" || b`, "SELECT 'a' || b")
	check(Options{PipesAsConcat: true, AnsiQuotes: true}, `SELECT "a" || b || concat(c, "d e")`, "SELECT a || b || concat(c, `d e`)")
	check(Options{PipesAsConcat: true}, "SELECT a = b || c OR d", "SELECT a = b || c OR d")
}

// TestStatements checks how a text is cut into statements.
func TestStatements(t *testing.T) {
	text := "SELECT ';' ; -- a;b\n;INSERT INTO t VALUES (1);SELECT ?, ? ;"
	parsed, err := Parse(text, Options{})
	if err != nil || len(parsed) != 3 {
		t.Fatalf("%d statements, %v", len(parsed), err)
	}
	for i, want := range []string{"SELECT ';'", "INSERT INTO t VALUES (1)", "SELECT ?, ?"} {
		p := parsed[i]
		if p.Text != want || text[p.Start:p.Start+len(p.Text)] != want {
			t.Errorf("statement %d is %q at %d", i, p.Text, p.Start)
		}
	}
	if parsed[2].ParamCount != 2 || parsed[0].ParamCount != 0 {
		t.Errorf("%d and %d parameters", parsed[2].ParamCount, parsed[0].ParamCount)
	}
}

// TestBulkRows checks that the scanner of literal rows agrees with the grammar.
func TestBulkRows(t *testing.T) {
	rows := `(1, -2, 3.5, -4e1, 'it''s', "q\n", NULL, TRUE, false, x'4d', b'1', DEFAULT)`
	fast := parseOne(t, "INSERT INTO t VALUES "+rows+", "+rows, Options{}).(*ast.Insert)
	slow := parseOne(t, "INSERT INTO t VALUES "+rows+", "+rows+", (1 + 1)", Options{}).(*ast.Insert)
	f, s := fast.Query.(*ast.Values), slow.Query.(*ast.Values)
	s.Rows = s.Rows[:2]
	if len(f.Rows) != 2 || !ast.Equal(f, s) {
		t.Errorf("got  %s\nwant %s", ast.Format(f), ast.Format(s))
	}
	for i := range f.Rows[1] {
		if got, want := f.Rows[1][i].Position(), s.Rows[1][i].Position(); got != want {
			t.Errorf("value %d is at %d, want %d", i, got, want)
		}
	}
	mixed := "INSERT INTO t VALUES (1, f(a, (2)), ?, [1, 2], 'a' 'b'), (-x, DATE '2020-01-01', ? + 1, {'k': 1}, DEFAULT)"
	check := parseOne(t, mixed, Options{}).(*ast.Insert)
	if got, want := ast.Format(check), "INSERT INTO t VALUES (1, f(a, 2), ?, [1, 2], 'ab'), (-x, DATE '2020-01-01', ? + 1, {'k': 1}, DEFAULT)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if second := check.Query.(*ast.Values).Rows[1][2].(*ast.Binary).L.(*ast.Param); second.Index != 1 {
		t.Errorf("the second parameter has number %d", second.Index)
	}
	many := parseOne(t, "INSERT INTO t VALUES (1)"+strings.Repeat(", (1, 'x')", 3000)+", (2)", Options{}).(*ast.Insert).Query.(*ast.Values)
	if len(many.Rows) != 3002 || len(many.Rows[0]) != 1 || len(many.Rows[1500]) != 2 || many.Rows[3001][0].(*ast.Literal).Text != "2" {
		t.Error("rows of changing width are mixed up")
	}
}

// TestParts checks the entry points for parts of statements.
func TestParts(t *testing.T) {
	e, err := ParseExpr("year(a) + 1", Options{})
	if err != nil || ast.Format(e) != "year(a) + 1" {
		t.Errorf("%v, %v", e, err)
	}
	for _, text := range []string{"", "a b", "a;", "a +"} {
		if _, err := ParseExpr(text, Options{}); sqlerr.From(err).Code != sqlerr.Syntax {
			t.Errorf("%q: %v", text, err)
		}
	}
	ty, err := ParseType("MAP<STRING, ARRAY<DECIMALV3(10, 2)>>")
	if err != nil || ty.Name != "map" || ty.Elems[1].Elems[0].Name != "decimal" || ty.Elems[1].Elems[0].Args[1] != 2 {
		t.Errorf("%v, %v", ty, err)
	}
	if _, err := ParseType("INT INT"); err == nil {
		t.Error("two types read as one")
	}
}

// TestParallel runs parsers at the same time; the race detector watches.
func TestParallel(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if _, err := Parse("SELECT sum(a) OVER (ORDER BY b) FROM t FULL JOIN u USING (k)", Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPointQuery(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("SELECT a, b FROM t WHERE id = 42", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBulkInsert(b *testing.B) {
	text := "INSERT INTO t VALUES (1, 'some text', 3.14, NULL)" + strings.Repeat(", (1, 'some text', 3.14, NULL)", 10000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
