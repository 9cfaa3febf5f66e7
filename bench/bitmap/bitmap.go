// Package bitmap is the workload of exact distinct counts: events of 30 days on 200 pages by five million users,
// few of whom make most of them; who visited which page on any days.
//
// The events are Parquet files that the engine itself writes from numbers() with fixed arithmetic: every run has the same rows.
// They are loaded into tables that keep them and into tables of bitmaps.
package bitmap

import "fmt"

// Database is where the tables are made.
const Database = "bitmap"

// Events at scale 1, and what they are of.
const (
	Events = 50_000_000
	days   = 30
	pages  = 200
	users  = 5_000_000
)

// Table is one table: the statement that makes it and the one that fills it.
type Table struct {
	Name, Create, Load string
	// Claimed says that its load must reach the claim.
	Claimed bool
}

// Raw is the table of Parquet files that the peer reads.
const Raw = "events"

// uniform is a pseudo-random DOUBLE in [0, 1): two steps of arithmetic modulo a prime, the second one quadratic.
func uniform(factor, salt, prime int) string {
	step := fmt.Sprintf("((number * %d + %d) %% %d)", factor, salt, prime)
	return fmt.Sprintf("((%s * %s %% %d) / %d.0E0)", step, step, prime, prime)
}

// Tables returns the tables in the order of loading. scale multiplies the events. Pages and users are skewed; the users that
// make many events are spread over all ids.
func Tables(scale float64) []Table {
	rows := max(days, int(Events*scale))
	events := fmt.Sprintf(`INSERT INTO events SELECT dt, page, user_id, concat('user-', lpad(CAST(user_id AS VARCHAR), 7, '0')) FROM (
SELECT date_add('2024-06-01', number DIV %d) AS dt, CAST(floor(pow(%s, 2) * %d) AS INT) AS page,
CAST(floor(pow(%s, 3) * %d) * 1000003 %% %d AS INT) AS user_id FROM numbers("number" = "%d")) AS e`,
		(rows+days-1)/days, uniform(48271, 7, 2147483647), pages, uniform(69621, 11, 2147483629), users, users, rows)
	const byDay = `PARTITION BY RANGE(dt) (FROM ("2024-06-01") TO ("2024-07-02") INTERVAL 1 DAY) DISTRIBUTED BY HASH(page) BUCKETS 2 `
	const key = `dt DATE NOT NULL, page INT NOT NULL, `
	// A section of a page is what its base rows are by; the rollup has none.
	aggregate := func(name, properties string) string {
		return fmt.Sprintf(`CREATE TABLE %s (%ssection TINYINT NOT NULL, views BIGINT SUM, users BITMAP BITMAP_UNION) AGGREGATE KEY(dt, page, section) %sROLLUP (by_page (dt, page, users)) PROPERTIES("replication_num" = "1"%s)`,
			name, key, byDay, properties)
	}
	return []Table{
		{Name: Raw, Create: `CREATE TABLE events (` + key + `user_id INT NOT NULL, user_name VARCHAR(20) NOT NULL) STORED AS PARQUET`, Load: events},
		{Name: "uv", Create: aggregate("uv", ""), Load: `INSERT INTO uv SELECT dt, page, user_id % 4, 1, to_bitmap(user_id) FROM events`, Claimed: true},
		{Name: "uv_name", Create: aggregate("uv_name", `, "bitmap_dict" = "users"`), Load: `INSERT INTO uv_name SELECT dt, page, user_id % 4, 1, user_name FROM events`, Claimed: true},
		{Name: "plain", Create: `CREATE TABLE plain (` + key + `user_id INT NOT NULL, user_name VARCHAR(20) NOT NULL) DUPLICATE KEY(dt, page) ` + byDay +
			`PROPERTIES("replication_num" = "1", "bitmap_dict" = "user_name")`, Load: `INSERT INTO plain SELECT dt, page, user_id, user_name FROM events`},
	}
}

// Query is one question, in Basalt's words and in the peer's, and how many times faster Basalt is to be.
type Query struct {
	Name, SQL, PeerSQL string
	Wanted             float64
}

// The claims: with a rollup, and without any.
const (
	WithRollup    = 50
	WithoutRollup = 3
)

// Queries returns the questions.
func Queries() []Query {
	spans := []struct{ name, cond string }{
		{"day", "dt = '2024-06-05'"},
		{"week", "dt BETWEEN '2024-06-03' AND '2024-06-09'"},
		{"sundays", "dt IN ('2024-06-02', '2024-06-09', '2024-06-16', '2024-06-23', '2024-06-30')"},
		{"month", "dt BETWEEN '2024-06-01' AND '2024-06-30'"},
	}
	var out []Query
	add := func(kind, table, counted, peers string, wanted float64) {
		for _, s := range spans {
			text := "SELECT page, count(DISTINCT %s) AS visitors FROM %s WHERE " + s.cond + " GROUP BY page ORDER BY page"
			out = append(out, Query{kind + " " + s.name, fmt.Sprintf(text, counted, table), fmt.Sprintf(text, peers, Raw), wanted})
		}
	}
	add("rollup", "uv", "users", "user_id", WithRollup)
	add("rollup, name", "uv_name", "users", "user_name", WithRollup)
	add("no rollup", "plain", "user_id", "user_id", WithoutRollup)
	add("no rollup, name", "plain", "user_name", "user_name", WithoutRollup)
	return out
}
