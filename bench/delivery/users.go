package delivery

import (
	"fmt"
	"time"
)

// uvDay is distinct users: a set of them a day, city, category and channel, with rollups for the questions that are asked most.
func uvDay() Table {
	create := `CREATE TABLE uv_day (dt DATE NOT NULL, city_id INT NOT NULL, category_id INT NOT NULL, channel VARCHAR(10), users BITMAP BITMAP_UNION)
AGGREGATE KEY(dt, city_id, category_id, channel) ` + partitions(days-orderDays, orderDays) + ` DISTRIBUTED BY HASH(city_id) BUCKETS 8
ROLLUP (uv_city_channel (dt, city_id, channel, users), uv_city (dt, city_id, users), uv_dt (dt, users)) ` + small
	return Table{"uv_day", create, []string{`INSERT INTO uv_day
SELECT o.dt, o.city_id, m.category_id, o.channel, bitmap_agg(o.user_id)
FROM order_detail o JOIN merchant m ON o.merchant_id = m.merchant_id
GROUP BY o.dt, o.city_id, m.category_id, o.channel`}}
}

// distinctUsers is the question for distinct users of uv_day, and the same one for an engine that has orders only. Conditions
// and groups are over dt, city_id, category_id and channel.
func distinctUsers(groups, where, order string) (sql, peer string) {
	ask := func(users, from string) string {
		sep, by := "", ""
		if groups != "" {
			sep, by = ", ", " GROUP BY "+groups
		}
		return fmt.Sprintf("SELECT %s%sCOUNT(DISTINCT %s) AS users FROM %s WHERE %s%s%s", groups, sep, users, from, where, by, order)
	}
	return ask("users", "uv_day"), ask("user_id", "(SELECT o.dt, o.city_id, o.channel, o.user_id, m.category_id FROM order_detail o JOIN merchant m ON o.merchant_id = m.merchant_id) AS orders")
}

// People is how many look at the dashboard at once, and DashboardWanted the time in which 95 % of them have all of it.
const (
	People          = 30
	DashboardWanted = 2 * time.Second
)

// Dashboard is d10: twelve questions that one page asks, of distinct users and of totals.
func Dashboard() []Query {
	const week, yesterday = "dt BETWEEN '2024-06-03' AND '2024-06-09'", "dt = '2024-06-09'"
	users := []struct{ groups, where, order string }{
		{"dt", week, " ORDER BY dt"},
		{"", week, ""},
		{"city_id", yesterday, " ORDER BY city_id"},
		{"channel", yesterday, " ORDER BY channel"},
		{"dt", week + " AND city_id = 17", " ORDER BY dt"},
		{"channel", week + " AND city_id = 17", " ORDER BY channel"},
		{"category_id", yesterday + " AND city_id = 17", " ORDER BY category_id"},
		{"dt, channel", week + " AND city_id IN (3, 5, 8)", " ORDER BY dt, channel"},
	}
	totals := []string{
		"SELECT dt, SUM(orders) AS orders, SUM(gmv) AS gmv FROM merchant_day WHERE dt >= '2024-06-03' GROUP BY dt ORDER BY dt",
		"SELECT SUM(orders) AS orders, SUM(gmv) AS gmv, SUM(new_users) AS new_users FROM merchant_day WHERE dt = '2024-06-09'",
		"SELECT SUM(CASE WHEN dt = '2024-06-09' THEN gmv ELSE 0 END) AS gmv, SUM(CASE WHEN dt = '2024-06-02' THEN gmv ELSE 0 END) AS before FROM merchant_day WHERE dt IN ('2024-06-02', '2024-06-09')",
		"SELECT dt, orders, gmv, refunds FROM merchant_day WHERE merchant_id = 4711 AND dt >= '2024-06-03' ORDER BY dt",
	}
	var out []Query
	add := func(sql, peer string) {
		out = append(out, Query{Name: fmt.Sprintf("d10-%d", len(out)+1), SQL: sql, Peer: peer})
	}
	for _, q := range users {
		add(distinctUsers(q.groups, q.where, q.order))
	}
	for _, q := range totals {
		add(q, "")
	}
	return out
}
