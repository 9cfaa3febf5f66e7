// Package delivery is the workload of a food-delivery company's warehouse: merchants whose
// area and category change daily, a day of figures for each of them, order details, and the
// questions of operations analysts and dashboards.
//
// Tables are Doris tables, partitioned by day and bucketed and colocated by merchant. The rows
// are made by INSERT … SELECT from numbers() with fixed arithmetic, so every load gives the same
// rows: no generator besides the engine itself. They are skewed as life is: few cities, chains
// and users hold most rows.
package delivery

import (
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt/bench/result"
)

// Database is where the tables are made.
const Database = "delivery"

//go:embed queries/*.sql
var queries embed.FS

// Query is one question, the time wanted for it on two cores with warm caches, and how its
// answers compare.
type Query struct {
	Name   string
	SQL    string
	Peer   string // what an engine without bitmaps is asked; "": the same
	Wanted time.Duration
	Rules  result.Rules
}

// Queries returns the queries in order, but for those of the Dashboard.
func Queries() []Query {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	out := []Query{
		{Name: "d1", Wanted: ms(300), Rules: result.Rules{OrderBy: []string{"region", "category"}, Inexact: []string{"day_over_day", "week_over_week"}}},
		{Name: "d2", Wanted: ms(200), Rules: result.Rules{OrderBy: []string{"refund_rate", "merchant_id"}, Inexact: []string{"refund_rate"}}},
		{Name: "d3", Wanted: ms(700), Rules: result.Rules{OrderBy: []string{"city", "dt"}}},
		{Name: "d4", Wanted: ms(1500), Rules: result.Rules{OrderBy: []string{"city"}}},
		{Name: "d5", Wanted: ms(50)},
		{Name: "d6", Wanted: ms(2000)},
		{Name: "d7", Wanted: ms(20), Rules: result.Rules{OrderBy: []string{"created_at", "order_id"}}},
		{Name: "d8", Wanted: ms(3000)},
		{Name: "d9", Wanted: ms(50), Rules: result.Rules{OrderBy: []string{"dt"}}},
	}
	for i := range out {
		if out[i].Name == "d5" { // d6 without a rollup
			out[i].SQL, out[i].Peer = distinctUsers("city_id, channel", "dt BETWEEN '2024-06-03' AND '2024-06-09'", " ORDER BY city_id, channel")
			continue
		}
		text, err := queries.ReadFile("queries/" + out[i].Name + ".sql")
		if err != nil {
			panic("delivery: an embedded query is missing: " + err.Error())
		}
		out[i].SQL = strings.TrimSpace(string(text))
	}
	return out
}

// Table is one table: the statement that makes it and those that fill it.
type Table struct {
	Name   string
	Create string
	Load   []string
}

// Rows at scale 1.
const (
	merchants = 500_000
	areas     = 3_000
	cities    = 300
	orders    = 40_000_000
	users     = 5_000_000
	days      = 30 // of merchant_day; the last is yesterday, 2024-06-09
	orderDays = 7  // of order_detail, the last ones of merchant_day
)

// Tables returns the tables in the order of loading. scale multiplies merchants, orders and users.
func Tables(scale float64) []Table {
	n := func(rows int) int { return max(1, int(float64(rows)*scale)) }
	return []Table{region(), city(), area(), category(), merchant(n(merchants)), merchantDay(n(merchants)), orderDetail(n(orders), n(merchants), n(users)), uvDay()}
}

const bucketed = `DISTRIBUTED BY HASH(merchant_id) BUCKETS 16 PROPERTIES ("replication_num" = "1", "colocate_with" = "by_merchant")`
const small = `PROPERTIES ("replication_num" = "1")`

// uniform is a pseudo-random DOUBLE in [0, 1) made from the integer expression x: two steps of
// arithmetic modulo the prime 2^31-1, the second one quadratic.
func uniform(x string, salt int) string {
	step := fmt.Sprintf("((%s) * 48271 + %d) %% 2147483647", x, 7919*salt+1)
	return fmt.Sprintf("((((%s) * (%s) + %d) %% 2147483647) / 2147483647.0E0)", step, step, salt)
}

// skewed is a whole number in [1, n], the small ones more frequent the larger power is.
func skewed(x string, salt, power, n int) string {
	u := uniform(x, salt)
	return fmt.Sprintf("1 + CAST(floor(pow(%s, %d) * %d) AS BIGINT)", u, power, n)
}

func from(rows int) string { return fmt.Sprintf(`FROM numbers("number" = "%d")`, rows) }

func region() Table {
	return Table{"region",
		`CREATE TABLE region (region_id INT NOT NULL, name VARCHAR(20) NOT NULL) DUPLICATE KEY(region_id) DISTRIBUTED BY HASH(region_id) BUCKETS 1 ` + small,
		[]string{`INSERT INTO region SELECT number + 1, concat('region ', number + 1) ` + from(8)}}
}

func city() Table {
	return Table{"city",
		`CREATE TABLE city (city_id INT NOT NULL, region_id INT NOT NULL, name VARCHAR(20) NOT NULL) DUPLICATE KEY(city_id) DISTRIBUTED BY HASH(city_id) BUCKETS 1 ` + small,
		[]string{`INSERT INTO city SELECT number + 1, 1 + number % 8, concat('city ', number + 1) ` + from(cities)}}
}

func area() Table {
	return Table{"area",
		`CREATE TABLE area (area_id INT NOT NULL, city_id INT NOT NULL, name VARCHAR(20) NOT NULL) DUPLICATE KEY(area_id) DISTRIBUTED BY HASH(area_id) BUCKETS 1 ` + small,
		[]string{`INSERT INTO area SELECT number + 1, ` + skewed("number", 1, 2, cities) + `, concat('area ', number + 1) ` + from(areas)}}
}

func category() Table {
	return Table{"category",
		`CREATE TABLE category (category_id INT NOT NULL, parent_id INT NOT NULL, name VARCHAR(20) NOT NULL) DUPLICATE KEY(category_id) DISTRIBUTED BY HASH(category_id) BUCKETS 1 ` + small,
		[]string{`INSERT INTO category SELECT number + 1, 1 + number % 20, concat('category ', number + 1) ` + from(200)}}
}

func merchant(rows int) Table {
	return Table{"merchant",
		`CREATE TABLE merchant (merchant_id BIGINT NOT NULL, area_id INT NOT NULL, category_id INT NOT NULL, brand VARCHAR(20), opened_on DATE)
DUPLICATE KEY(merchant_id) ` + bucketed,
		[]string{`INSERT INTO merchant SELECT number + 1, ` + skewed("number", 2, 2, areas) + `, ` + skewed("number", 3, 2, 200) +
			`, concat('brand ', ` + skewed("number", 4, 3, 5000) + `), date_sub('2024-06-09', ` + skewed("number", 5, 1, 2000) + `) ` + from(rows)}}
}

func partitions(first, days int) string {
	start := time.Date(2024, 5, 11, 0, 0, 0, 0, time.UTC).AddDate(0, 0, first)
	return fmt.Sprintf(`PARTITION BY RANGE(dt) (FROM ("%s") TO ("%s") INTERVAL 1 DAY)`,
		start.Format(time.DateOnly), start.AddDate(0, 0, days).Format(time.DateOnly))
}

func merchantDay(rows int) Table {
	create := `CREATE TABLE merchant_day (dt DATE NOT NULL, merchant_id BIGINT NOT NULL, orders INT, gmv DECIMAL(18,2), refunds INT, exposed INT, clicked INT, new_users INT)
DUPLICATE KEY(dt, merchant_id) ` + partitions(0, days) + ` ` + bucketed
	load := fmt.Sprintf(`INSERT INTO merchant_day
SELECT date_add('2024-05-11', number DIV %d), number %% %d + 1, orders, CAST(orders * (20 + %s * 60) AS DECIMAL(18,2)),
  CAST(floor(orders * %s * 0.2) AS INT), orders * 20 + 10, orders * 3, CAST(floor(orders * %s * 0.1) AS INT)
FROM (SELECT number, CAST(floor(pow(%s, 3) * 200) AS INT) AS orders %s) AS days`,
		rows, rows, uniform("number", 6), uniform("number", 7), uniform("number", 8), uniform("number", 9), from(rows*days))
	view := `CREATE MATERIALIZED VIEW day_totals AS
SELECT dt, SUM(orders) AS orders_, SUM(gmv) AS gmv_, SUM(refunds) AS refunds_, SUM(new_users) AS new_users_ FROM merchant_day GROUP BY dt`
	return Table{"merchant_day", create, []string{view, load}}
}

func orderDetail(rows, merchants, users int) Table {
	create := `CREATE TABLE order_detail (dt DATE NOT NULL, merchant_id BIGINT NOT NULL, order_id BIGINT NOT NULL, user_id BIGINT NOT NULL, city_id INT NOT NULL,
  amount DECIMAL(10,2), status TINYINT, created_at DATETIME, channel VARCHAR(10), coupon BIGINT)
DUPLICATE KEY(dt, merchant_id, order_id) ` + partitions(days-orderDays, orderDays) + ` ` + bucketed
	perDay := max(1, rows/orderDays)
	load := fmt.Sprintf(`INSERT INTO order_detail
SELECT date_add('2024-06-03', number DIV %d), 1 + CAST(floor(place * %d) AS BIGINT), number + 1, %s, 1 + CAST(floor(place * %d) AS BIGINT),
  CAST(5 + pow(%s, 3) * 300 AS DECIMAL(10,2)), CAST(%s AS TINYINT), date_add(CAST(date_add('2024-06-03', number DIV %d) AS DATETIME), INTERVAL %s SECOND),
  elt(%s, 'app', 'web', 'mini', 'partner', 'phone'), CASE WHEN number %% 10 < 7 THEN NULL ELSE %s END
FROM (SELECT number, pow(%s, 3) AS place %s) AS o`,
		perDay, merchants, skewed("number", 10, 2, users), cities,
		uniform("number", 11), skewed("number", 12, 2, 5), perDay, skewed("number", 13, 1, 86_000),
		skewed("number", 14, 2, 5), skewed("number", 15, 1, 100_000), uniform("number", 16), from(perDay*orderDays))
	return Table{"order_detail", create, []string{load}}
}
