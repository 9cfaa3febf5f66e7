// Package instances is the workload of skewed and NULL-heavy keys: aggregations and joins in
// which one value holds half the rows, or NULL most of them, must use all cores like any
// others.
package instances

import "fmt"

// Database is where the tables are made.
const Database = "instances"

// Query is one question.
type Query struct{ Name, SQL string }

// Queries returns the questions; every one reads ten million rows at scale 1.
func Queries() []Query {
	return []Query{
		// One value holds half the rows.
		{"skew_group", `SELECT count(*), max(n), sum(s) FROM (SELECT k, count(*) AS n, sum(v) AS s FROM skewed GROUP BY k) AS g`},
		{"skew_join", `SELECT count(*), sum(v + w) FROM skewed JOIN names ON skewed.k = names.k`},
		{"skew_distinct", `SELECT count(*), max(d), sum(d) FROM (SELECT k % 100 AS g, count(DISTINCT x) AS d FROM skewed GROUP BY k % 100) AS g`},
		{"skew_full", `SELECT count(*), sum(v), sum(w) FROM names FULL JOIN (SELECT k, sum(v) AS v FROM skewed GROUP BY k) AS g ON g.k = names.k`},
		// Nine of ten keys are NULL.
		{"null_group", `SELECT count(*), max(n), sum(s) FROM (SELECT k, count(*) AS n, sum(v) AS s FROM mostly_null GROUP BY k) AS g`},
		{"null_left", `SELECT count(*), sum(v), sum(w) FROM mostly_null LEFT JOIN names ON mostly_null.k = names.k`},
		{"null_right", `SELECT count(*), sum(v), sum(w) FROM names RIGHT JOIN mostly_null ON mostly_null.k = names.k`},
		{"null_anti", `SELECT count(*), sum(v) FROM mostly_null LEFT ANTI JOIN names ON mostly_null.k = names.k`},
	}
}

// Table is one table: the statement that makes it and the one that fills it.
type Table struct{ Name, Create, Load string }

// Tables returns the tables. scale multiplies the rows.
func Tables(scale float64) []Table {
	table := func(name, columns, exprs string, rows int) Table {
		return Table{name, fmt.Sprintf("CREATE TABLE %s (%s)", name, columns),
			fmt.Sprintf(`INSERT INTO %s SELECT %s FROM numbers("number" = "%d")`, name, exprs, max(1, int(float64(rows)*scale)))}
	}
	const key = "number * 48271 % 2147483647 % 100000"
	return []Table{
		table("skewed", "k BIGINT, x BIGINT, v INT", "CASE WHEN number % 2 = 0 THEN 7 ELSE "+key+" END, number * 7919 % 2147483647, number % 1000", 10_000_000),
		table("mostly_null", "k BIGINT, v INT", "CASE WHEN number % 10 > 0 THEN NULL ELSE "+key+" END, number % 1000", 10_000_000),
		table("names", "k BIGINT, w INT", "number, number % 333", 1_000_000),
	}
}
