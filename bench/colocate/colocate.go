// Package colocate is the workload of joins between large bucketed tables: three tables of
// one colocate group, 20, 20 and 5 million rows at scale 1, joined by day and id. Each
// question is asked twice: as it is, so that the join is colocate and runs bucket by bucket,
// and with the hint [shuffle].
package colocate

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/bench/result"
)

// Database is where the tables are made.
const Database = "colocate"

// Query is one question; {hint} stands behind every JOIN.
type Query struct {
	Name  string
	SQL   string
	Rules result.Rules
}

// Plain is the question without hints.
func (q Query) Plain() string { return strings.ReplaceAll(q.SQL, "{hint} ", "") }

// Shuffled asks for partitioned joins.
func (q Query) Shuffled() string { return strings.ReplaceAll(q.SQL, "{hint}", "[shuffle]") }

// Queries returns the questions: every row of the large tables in the result, those of the small one, and
// groups by the join keys.
func Queries() []Query {
	return []Query{
		{Name: "c1", SQL: `SELECT count(*) AS n, sum(orders.amount + clicks.clicks) AS s, sum(refunds.refunded) AS r
FROM orders JOIN {hint} clicks ON orders.dt = clicks.dt AND orders.id = clicks.id
LEFT JOIN {hint} refunds ON orders.dt = refunds.dt AND orders.id = refunds.id`},
		{Name: "c2", SQL: `SELECT count(*) AS n, sum(orders.amount + clicks.clicks + refunds.refunded) AS s
FROM orders JOIN {hint} clicks ON orders.dt = clicks.dt AND orders.id = clicks.id
JOIN {hint} refunds ON orders.dt = refunds.dt AND orders.id = refunds.id`},
		{Name: "c3", SQL: `SELECT orders.dt AS dt, count(*) AS n, sum(amount) AS a, sum(clicks) AS c, sum(refunded) AS r
FROM orders JOIN {hint} clicks ON orders.dt = clicks.dt AND orders.id = clicks.id
LEFT JOIN {hint} refunds ON orders.dt = refunds.dt AND orders.id = refunds.id
GROUP BY orders.dt ORDER BY dt`, Rules: result.Rules{OrderBy: []string{"dt"}}},
	}
}

// Table is one table: the statement that makes it and the one that fills it.
type Table struct{ Name, Create, Load string }

// Rows at scale 1, and the days that they are spread over.
const (
	LargeRows = 20_000_000
	SmallRows = 5_000_000
	days      = 20
)

// Tables returns the tables. scale multiplies the rows.
func Tables(scale float64, buckets int) []Table {
	table := func(name, column string, rows, modulus int) Table {
		rows = max(days, int(float64(rows)*scale))
		return Table{name,
			fmt.Sprintf(`CREATE TABLE %s (dt DATE NOT NULL, id BIGINT NOT NULL, %s INT) DUPLICATE KEY(dt, id)
DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("replication_num" = "1", "colocate_with" = "by_id")`, name, column, buckets),
			fmt.Sprintf(`INSERT INTO %s SELECT date_add('2024-05-01', number %% %d), number DIV %d * 48271 %% 2147483647, number %% %d FROM numbers("number" = "%d")`,
				name, days, days, modulus, rows)}
	}
	return []Table{
		table("orders", "amount", LargeRows, 1000), table("clicks", "clicks", LargeRows, 777), table("refunds", "refunded", SmallRows, 555),
	}
}
