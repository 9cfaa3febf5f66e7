package optimize_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/plantest"
)

// TestPlansGiveTheSameRows evaluates the binder's test queries, and some more, by the book (a
// subquery anew for every outer row), without dependent joins, and after all passes, over
// small random tables full of NULLs and duplicates, and compares the rows. Errors must be
// the same too.
func TestPlansGiveTheSameRows(t *testing.T) {
	queries := append(goldenQueries(t), moreQueries...)
	if len(queries) < 60 {
		t.Fatalf("only %d queries", len(queries))
	}
	withRows := 0
	for _, sql := range queries {
		for seed := range uint64(6) {
			data := randomTables(seed)
			b := bound(t, sql)
			want := rowsOf(b.Plan, data)
			check := func(what string, run func(*optimize.Context, logical.Node) (logical.Node, error)) {
				t.Helper()
				b := bound(t, sql) // shared plans are rewritten in place
				n, err := run(&optimize.Context{IDs: expr.NewIDs(b.NextID), Functions: &function.Context{}, Verify: true}, b.Plan)
				if err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
				if got := rowsOf(n, data); got != want {
					t.Errorf("%s (seed %d)\n--- by the book\n%s\n--- %s\n%s\n%s", sql, seed, want, what, got, logical.FormatIDs(n))
				}
			}
			check("decorrelated", optimize.Decorrelate)
			check("optimized", optimize.Run)
			if strings.Count(want, "\n") > 0 {
				withRows++
			}
			if t.Failed() {
				break
			}
		}
	}
	if withRows < 2*len(queries) { // a test of empty results tests nothing
		t.Errorf("only %d runs had rows", withRows)
	}
}

var moreQueries = []string{
	"SELECT a, (SELECT sum(k) FROM u WHERE u.b = t.b AND u.a > t.a) FROM t",
	"SELECT a FROM t WHERE b NOT IN (SELECT u.b FROM u WHERE u.a < t.a)",
	"SELECT a, b NOT IN (SELECT u.b FROM u WHERE u.a <= t.a) FROM t",
	"SELECT a, b IN (SELECT max(u.b) FROM u WHERE u.a = t.a) FROM t",
	"SELECT a FROM t WHERE b NOT IN (SELECT count(*) FROM u WHERE u.a = t.a)",
	"SELECT a FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) > 1)",
	"SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u JOIN v ON u.a = v.a AND v.x < t.b WHERE u.b = t.b)",
	"SELECT a, b <> ANY (SELECT u.b FROM u WHERE u.a = t.a), b = ALL (SELECT u.b FROM u WHERE u.a = t.a), b >= ALL (SELECT u.b FROM u WHERE u.a = t.a) FROM t",
	"SELECT a, (SELECT count(DISTINCT u.b) FROM u WHERE u.a = t.a) + (SELECT count(*) FROM v WHERE v.x = t.b) FROM t",
	"SELECT a FROM t WHERE a IN (SELECT u.a FROM u WHERE u.b IN (SELECT v.x FROM v WHERE v.a = t.b))",
	"SELECT a, (SELECT max(w.s) FROM (SELECT u.b, sum(u.k) AS s FROM u WHERE u.a = t.a GROUP BY u.b) w) FROM t",
	"SELECT a, (SELECT count(*) FROM (SELECT DISTINCT u.b FROM u WHERE u.a >= t.a) w) FROM t",
	"SELECT a, (SELECT count(*) FROM (SELECT u.b FROM u WHERE u.a = t.a UNION SELECT v.x FROM v WHERE v.a = t.a) w) FROM t",
	"SELECT a, (SELECT count(*) FROM (SELECT u.b FROM u WHERE u.a <= t.a EXCEPT ALL SELECT v.x FROM v WHERE v.a = t.a) w) FROM t",
	"SELECT t.a, x.s FROM t LEFT JOIN LATERAL (SELECT sum(u.k) AS s, u.b FROM u WHERE u.a = t.a GROUP BY u.b) x ON x.b <> t.b",
	"SELECT t.a, (SELECT count(*) FROM u LEFT JOIN v ON u.a = v.a AND v.x = t.b WHERE u.b = t.b) FROM t",
	"SELECT t.a, (SELECT count(v.x) FROM u RIGHT JOIN v ON u.a = v.a AND u.b = t.b) FROM t",
	"SELECT t.a FROM t JOIN u ON t.a = u.a WHERE EXISTS (SELECT 1 FROM v WHERE v.a < t.a + u.a) AND t.b < (SELECT count(*) FROM v WHERE v.x <> u.k)",
	"SELECT b, sum(a) FROM t GROUP BY b HAVING sum(a) > (SELECT count(*) FROM u WHERE u.b = t.b) OR b IS NULL",
	"SELECT a FROM t WHERE (a, b) NOT IN (SELECT u.a, u.b FROM u WHERE u.k > t.a)",
	"SELECT a FROM t WHERE (SELECT u.b FROM u WHERE u.a = t.a) IS NULL",
	"SELECT a, (SELECT (SELECT count(*) FROM v WHERE v.a = u.a AND v.x > t.b) FROM u WHERE u.k = t.a) FROM t",
	"SELECT a, (SELECT sum((SELECT count(*) FROM v WHERE v.a = u.a AND v.x <> t.b)) FROM u WHERE u.b = t.b) FROM t",
	"SELECT a, CASE WHEN EXISTS (SELECT 1 FROM u WHERE u.a = t.a) THEN (SELECT max(k) FROM u WHERE u.a = t.a) ELSE -1 END FROM t",
	"SELECT a FROM t WHERE NOT (b IN (SELECT u.b FROM u WHERE u.a = t.a) AND a > 1)",
	"SELECT a, (SELECT coalesce(sum(k), 0) + count(*) FROM u WHERE u.a = t.a AND t.b > 1) FROM t",
	"SELECT a, (SELECT t.b + sum(u.k) FROM u WHERE u.a = t.a) FROM t",
	"SELECT a, (SELECT sum(t.b * u.k) FROM u WHERE u.a = t.a) FROM t",
	"WITH x AS (SELECT t.a, t.b FROM t JOIN v ON t.a = v.a WHERE t.b < (SELECT sum(k) FROM u WHERE u.b < v.x)) " +
		"SELECT p.a, (SELECT count(*) FROM u WHERE u.a < p.b + q.a) FROM x p JOIN x q ON p.a = q.a",
	"SELECT a FROM t WHERE b NOT IN (SELECT NULL FROM u WHERE u.a = t.a)",
	"SELECT a, (SELECT NULL), (SELECT x.n FROM (SELECT NULL AS n, k FROM u) x WHERE x.k = t.a) FROM t",
	"SELECT a, count(*) FROM t GROUP BY a, 'x', NULL",
	"SELECT count(*), 'x' FROM t GROUP BY 'x'",
	"SELECT DISTINCT NULL, b FROM t",
	"SELECT NULL FROM t UNION SELECT NULL FROM u",
	"SELECT NULL FROM t UNION ALL SELECT d FROM t",
	"SELECT x.n, count(*) FROM (SELECT NULL AS n FROM u) x GROUP BY x.n",
	"SELECT a FROM t WHERE b <=> (SELECT min(u.b) FROM u WHERE u.a <=> t.b)",
}

// goldenQueries are the SELECTs of the binder's testdata over the small tables.
func goldenQueries(t *testing.T) []string {
	t.Helper()
	var out []string
	foreign := regexp.MustCompile(`\?|@|numbers|'dir|INFORMATION|LIMIT|plain|wide|nested|GROUPING SETS|CUBE|ROLLUP|group_concat`)
	for _, name := range []string{"subquery", "join", "setop", "group"} {
		data, err := os.ReadFile("../bind/testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		for i, l := range lines {
			if i > 0 && i+1 < len(lines) && lines[i+1] == "----" && !strings.HasPrefix(l, "INSERT") && !foreign.MatchString(l) {
				out = append(out, l)
			}
		}
	}
	return out
}

func bound(t *testing.T, sql string) *bind.Bound {
	t.Helper()
	list, err := parser.Parse(sql, parser.Options{})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	b, err := bind.Query(list[0].Statement.(ast.Query), &bind.Env{Snapshot: plantest.Snapshot(), Database: plantest.Database})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return b
}

type table [][]vector.Value

// randomTables fills t, u and v with few values, so that keys meet, and NULLs where they are allowed.
func randomTables(seed uint64) map[string]table {
	r := rand.New(rand.NewPCG(seed, 7))
	out := map[string]table{}
	for _, name := range []string{"t", "u", "v"} {
		cols := plantest.Snapshot().Table(plantest.Database, name).Source.Columns()
		var rows table
		for range r.IntN(7) {
			row := make([]vector.Value, len(cols))
			for i, c := range cols {
				row[i] = randomValue(r, c.Type)
				if c.Nullable && r.IntN(4) == 0 {
					row[i] = vector.NullOf(c.Type)
				}
			}
			rows = append(rows, row)
		}
		out["test."+name] = rows
	}
	return out
}

func randomValue(r *rand.Rand, t sqltype.Type) vector.Value {
	switch {
	case t.IsString():
		return vector.StringValue(t, string(rune('x'+r.IntN(2))))
	case t.IsFloat():
		return vector.FloatValue(float64(r.IntN(3)))
	}
	return vector.IntValue(t, int64(r.IntN(4)))
}

// rowsOf is the sorted text of a plan's rows, or its error.
func rowsOf(n logical.Node, data map[string]table) (text string) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(evalError)
			if !ok {
				panic(r)
			}
			text = "error: " + string(f)
		}
	}()
	ev := &evaluator{data: data}
	var lines []string
	for _, r := range ev.rows(n, nil) {
		var s []string
		for _, c := range n.Columns() {
			v, ok := r[c.ID]
			if !ok {
				panic(fmt.Sprintf("no column %s#%d", c.Name, c.ID))
			}
			s = append(s, v.Text())
		}
		lines = append(lines, strings.Join(s, "|"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
