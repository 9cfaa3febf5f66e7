package basalt_test

import (
	"context"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// rollupDB is an engine with a fact table of 60,000 rows and indexes.
func rollupDB(t *testing.T, statements ...string) (*basalt.DB, *basalt.Session) {
	t.Helper()
	db, err := basalt.Open("", basalt.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := db.NewSession(basalt.SessionOptions{})
	for _, sql := range statements {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	return db, s
}

// texts are the rows of a query as text, columns apart by a bar.
func texts(t *testing.T, s *basalt.Session, sql string) (out []string) {
	t.Helper()
	rows, err := s.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	for {
		b, err := rows.NextBatch(context.Background())
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		if b == nil {
			return out
		}
		for i := range b.NumRows() {
			var cells []string
			for _, c := range b.Cols {
				cells = append(cells, c.Value(b.Row(i)).Text())
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
}

// routing is what EXPLAIN tells of a query: the indexes that its scans read, and the lines about the others.
func routing(t *testing.T, s *basalt.Session, sql string) (reads string, plan string) {
	t.Helper()
	var names []string
	lines := texts(t, s, "EXPLAIN "+sql)
	for _, l := range lines {
		l = strings.Trim(l, `"' |`)
		if name, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(l, "| -")), "rollup: "); ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, ","), strings.Join(lines, "\n")
}

type routeCase struct{ sql, reads, says string }

func checkRoutes(t *testing.T, s *basalt.Session, cases []routeCase) {
	t.Helper()
	for _, c := range cases {
		reads, plan := routing(t, s, c.sql)
		if reads != c.reads {
			t.Errorf("%s\nreads %s, not %s\n%s", c.sql, reads, c.reads, plan)
		}
		if !strings.Contains(plan, c.says) {
			t.Errorf("%s\nEXPLAIN does not say %q\n%s", c.sql, c.says, plan)
		}
		on := texts(t, s, c.sql)
		off := texts(t, s, strings.Replace(c.sql, "SELECT", "SELECT /*+ SET_VAR(enable_materialized_view_rewrite = false) */", 1))
		if strings.Contains(c.sql, "ndv(") || strings.Contains(c.sql, "approx_") {
			continue // sketches differ
		}
		if strings.Join(on, "\n") != strings.Join(off, "\n") {
			t.Errorf("%s\nrouted     %q\nnot routed %q", c.sql, on[:min(len(on), 9)], off[:min(len(off), 9)])
		}
	}
}

// TestRollupOfDuplicate: the fewest rows, the longest prefix, and what no index has.
func TestRollupOfDuplicate(t *testing.T) {
	_, s := rollupDB(t,
		`CREATE TABLE f (dt DATE NOT NULL, shop INT NOT NULL, city INT, chan VARCHAR(10), uid BIGINT, amount DECIMAL(10,2), qty INT, ts DATETIME) DUPLICATE KEY(dt, shop)
			PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2024-05-01") INTERVAL 1 MONTH) DISTRIBUTED BY HASH(shop) BUCKETS 2 PROPERTIES("replication_num"="1")`,
		`ALTER TABLE f ADD ROLLUP r_city (city, shop, amount), r_uid (uid, dt)`,
		`CREATE MATERIALIZED VIEW m_dcc AS SELECT dt, city, chan, sum(amount) AS a_, count(*) AS n_, sum(qty) AS q_, count(qty) AS qn_, bitmap_union(to_bitmap(uid)) AS u_ FROM f GROUP BY dt, city, chan`,
		`CREATE MATERIALIZED VIEW m_c AS SELECT city, sum(amount) AS a2_, max(qty) AS x_, hll_union(hll_hash(uid)) AS h_ FROM f GROUP BY city`,
		`CREATE MATERIALIZED VIEW m_hour AS SELECT date_trunc(ts, 'hour') AS hour_, count(*) AS n3_ FROM f GROUP BY date_trunc(ts, 'hour')`,
		`CREATE MATERIALIZED VIEW m_app AS SELECT shop, sum(amount) AS a4_ FROM f WHERE chan = 'c1' GROUP BY shop`,
		`INSERT INTO f SELECT date_add('2024-01-01', cast(number % 120 AS int)), cast(number % 997 AS int), cast(number % 7 AS int), concat('c', number % 3), if(number % 10 = 0, NULL, number % 5000),
			cast(number % 100000 / 100 AS decimal(10,2)), if(number % 8 = 0, NULL, cast(number % 9 AS int)), seconds_add('2024-01-01 00:00:00', cast(number * 37 AS int)) FROM numbers("number"="60000")`,
		`CREATE TABLE city (id INT, region VARCHAR(10)) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES("replication_num"="1")`,
		`INSERT INTO city SELECT number, concat('r', number % 2) FROM numbers("number"="7")`,
	)
	checkRoutes(t, s, []routeCase{
		{"SELECT city, sum(amount) FROM f GROUP BY city ORDER BY 1", "m_c", "f.m_app: the query does not ask for f.chan = 'c1'"},
		{"SELECT city, sum(amount) FROM f WHERE dt >= '2024-02-02' GROUP BY city ORDER BY 1", "m_dcc", "m_c: WHERE: it has no column f.dt"},
		{"SELECT city, sum(amount), avg(qty), count(*), count(qty) FROM f GROUP BY city ORDER BY 1", "m_dcc", "m_c: it does not have avg(f.qty)"},
		{"SELECT date_trunc(dt, 'month') AS m, count(DISTINCT uid) FROM f WHERE city IN (1, 2) GROUP BY 1 ORDER BY 1", "m_dcc", "bitmap_union_count(f.u_)"},
		{"SELECT count(*) FROM f", "m_dcc", "f.r_city"},
		{"SELECT year(ts), count(*) FROM f GROUP BY 1", "m_hour", "m_dcc"},
		{"SELECT date_trunc(ts, 'day') AS d, count(*) FROM f WHERE ts >= '2024-01-10' AND ts < '2024-01-12' GROUP BY 1 ORDER BY 1", "m_hour", ""},
		{"SELECT count(*) FROM f WHERE ts < '2024-01-10 12:30:00'", "f", "m_hour: WHERE: it has no column f.ts"},
		{"SELECT shop, sum(amount) FROM f WHERE chan = 'c1' AND shop < 100 GROUP BY shop ORDER BY 1", "m_app", ""},
		{"SELECT shop, sum(amount) FROM f WHERE chan = 'c1' AND qty > 2 GROUP BY shop ORDER BY 1", "f", "m_app: WHERE: it has no column f.qty"},
		{"SELECT shop, amount FROM f WHERE city = 3 AND shop = 31 ORDER BY 1, 2", "r_city", "m_dcc: the query is no aggregation that its rows could serve"},
		{"SELECT dt FROM f WHERE uid = 77 ORDER BY 1", "r_uid", "r_city: WHERE: it has no column f.uid"},
		{"SELECT ts FROM f WHERE uid = 77 ORDER BY 1", "f", "r_uid: it has no column f.ts"},
		{"SELECT DISTINCT city, chan FROM f ORDER BY 1, 2", "m_dcc", ""},
		{"SELECT city, sum(CASE WHEN chan = 'c2' THEN amount ELSE 0 END) AS x, count(CASE WHEN chan = 'c1' THEN 1 END) FROM f GROUP BY city HAVING x > 10 ORDER BY x DESC, city", "m_dcc", ""},
		{"SELECT region, sum(amount), count(*), max(f.city) FROM f JOIN city ON f.city = city.id GROUP BY region ORDER BY 1", "m_dcc,city", ""},
		{"SELECT region, sum(city.id) FROM f JOIN city ON f.city = city.id GROUP BY region ORDER BY 1", "r_city,city", "counts how often rows join"},
		{"SELECT city, sum(amount) FROM f WHERE amount > 10 GROUP BY city ORDER BY 1", "r_city", "m_c: WHERE: it has no column f.amount"},
		{"SELECT city, sum(amount * 2) FROM f GROUP BY city ORDER BY 1", "r_city", "m_c: it does not have sum"},
		{"SELECT chan, stddev(qty) > 0 FROM f GROUP BY chan ORDER BY 1", "f", "m_dcc: it does not have stddev"},
		{"SELECT city, count(*) OVER (PARTITION BY city) FROM f WHERE dt = '2024-01-01' ORDER BY 1, 2", "f", ""},
		{"SELECT * FROM (SELECT city, max(qty) AS m FROM f GROUP BY city) x JOIN (SELECT chan, sum(qty) FROM f GROUP BY chan) y ON m > 0 ORDER BY 1, 2, 3, 4", "m_dcc,m_c", ""},
		// Partitions decide the condition: their bounds are those of the query.
		{"SELECT city, sum(amount) FROM f WHERE dt >= '2024-02-01' AND dt < '2024-03-01' GROUP BY city ORDER BY 1", "m_c", ""},
	})
	// No WHERE on what the index does not have, by a switch.
	for set, reads := range map[string]string{
		"enable_materialized_view_rewrite = 0": "f", "optimizer_disable = 'route_rollups'": "f", "rewrite_count_distinct_to_bitmap_hll = 0": "f",
	} {
		if _, err := s.Exec(context.Background(), "SET "+set); err != nil {
			t.Fatal(err)
		}
		if got, plan := routing(t, s, "SELECT city, count(DISTINCT uid) FROM f WHERE chan = 'c1' GROUP BY city"); got != reads {
			t.Errorf("%s: reads %s\n%s", set, got, plan)
		}
		s.Reset()
	}
}

// TestRollupOfAggregate: Doris's phases of choosing, and PREAGGREGATION where no index does.
func TestRollupOfAggregate(t *testing.T) {
	_, s := rollupDB(t,
		`CREATE TABLE a (k1 INT, k2 INT, k3 INT, k4 INT, v1 BIGINT SUM, v2 INT MAX, v3 INT REPLACE, uv BITMAP BITMAP_UNION, h HLL HLL_UNION) AGGREGATE KEY(k1, k2, k3, k4) DISTRIBUTED BY HASH(k1) BUCKETS 2 PROPERTIES("replication_num"="1")`,
		`ALTER TABLE a ADD ROLLUP r12 (k1, k2, v1, v2), r21 (k2, k1, v1), r3 (k3, v1, uv, h), r_all (k4, k3, k2, k1, v1, v2, v3)`,
		`INSERT INTO a SELECT number % 50, number % 40, number % 20, number, number, number % 100, number, to_bitmap(number % 1000), hll_hash(number % 777) FROM numbers("number"="40000")`,
	)
	checkRoutes(t, s, []routeCase{
		{"SELECT k1, sum(v1) FROM a WHERE k1 = 3 GROUP BY k1", "r12", "PREAGGREGATION: ON"},
		{"SELECT k2, sum(v1) FROM a WHERE k2 = 3 GROUP BY k2", "r21", ""},
		{"SELECT k2, max(v2) FROM a WHERE k2 = 3 GROUP BY k2", "r12", "r21: it does not have max(a.v2)"},
		{"SELECT k3, sum(v1), bitmap_union_count(uv) FROM a GROUP BY k3 ORDER BY 1", "r3", "bitmap_union_count(a.uv)"},
		{"SELECT k3, count(DISTINCT uv), hll_union_agg(h) FROM a GROUP BY k3 ORDER BY 1", "r3", ""},
		{"SELECT max(k3), count(DISTINCT k3) FROM a", "r3", ""},
		{"SELECT k3, count(*) FROM a GROUP BY k3 ORDER BY 1", "r_all", "r3: it does not have count(*)"},
		{"SELECT k1, k2, k3, k4, v3 FROM a WHERE k4 = 77", "r_all", "PREAGGREGATION: OFF. Reason: No AggregateInfo"},
		{"SELECT k1, sum(v1) FROM a WHERE v2 > 50 GROUP BY k1 ORDER BY 1", "r_all", "conjunct on `v2` which is StorageEngine value column"},
		{"SELECT k1, min(v1) FROM a GROUP BY k1 ORDER BY 1", "r_all", "r12: it does not have min(a.v1)"},
		{"SELECT k1, uv IS NULL FROM a WHERE k4 = 77", "a", "r_all: it has no column a.uv"},
	})
}

// TestDistinctRewrites are the rewrites R1 to R9 of Doris.
func TestDistinctRewrites(t *testing.T) {
	_, s := rollupDB(t,
		`CREATE TABLE pv (page VARCHAR(10), id BIGINT, n INT, name VARCHAR(10)) DUPLICATE KEY(page) DISTRIBUTED BY HASH(page) BUCKETS 2 PROPERTIES("replication_num"="1")`,
		`CREATE MATERIALIZED VIEW mv_uv AS SELECT page AS p_, bitmap_union(to_bitmap(id)) AS b_, hll_union(hll_hash(name)) AS h_, count(n) AS c_ FROM pv GROUP BY page`,
		`INSERT INTO pv SELECT concat('p', number % 5), if(number % 9 = 0, NULL, number % 321), if(number % 3 = 0, NULL, cast(number AS int)), concat('n', number % 40) FROM numbers("number"="20000")`,
		`INSERT INTO pv VALUES ('empty', NULL, NULL, NULL)`,
	)
	checkRoutes(t, s, []routeCase{
		{"SELECT page, count(DISTINCT id) FROM pv GROUP BY page ORDER BY 1", "mv_uv", "bitmap_union_count(pv.b_)"},                   // R3
		{"SELECT count(DISTINCT id) FROM pv WHERE page = 'nothing'", "mv_uv", ""},                                                    // 0, not NULL
		{"SELECT count(DISTINCT id) AS u FROM pv GROUP BY page HAVING u > 0 ORDER BY u", "mv_uv", ""},                                // by its alias
		{"SELECT bitmap_union_count(to_bitmap(id)), bitmap_count(bitmap_union(to_bitmap(cast(id AS bigint)))) FROM pv", "mv_uv", ""}, // R4
		{"SELECT ndv(name), approx_count_distinct(name) FROM pv", "mv_uv", "hll_union_agg(pv.h_)"},                                   // R5
		{"SELECT hll_union_agg(hll_hash(name)), hll_cardinality(hll_raw_agg(hll_hash(name))) FROM pv", "mv_uv", ""},                  // R6
		{"SELECT count(n) FROM pv", "mv_uv", "coalesce(sum(pv.c_), 0)"},                                                              // R7
		{"SELECT count(n) FROM pv WHERE page = 'nothing'", "mv_uv", ""},                                                              // 0 for no row
		{"SELECT count(DISTINCT id), count(DISTINCT page) FROM pv", "mv_uv", ""},                                                     // R8
		{"SELECT count(DISTINCT id), count(DISTINCT n) FROM pv", "pv", "mv_uv: it does not have count(distinct pv.n)"},               //
		{"SELECT count(DISTINCT id + 0) FROM pv", "pv", ""},
		{"SELECT count(DISTINCT name) FROM pv", "pv", "mv_uv: it does not have count(distinct pv.name)"}, // a sketch is no answer
		{"SELECT sum(DISTINCT id) FROM pv", "pv", ""},
		{"SELECT count(DISTINCT id, page) FROM pv", "pv", ""},
		{"SELECT count(id) FROM pv", "pv", "mv_uv: it does not have count(pv.id)"},
	})
	// What a bitmap cannot hold is refused by the load, never lost.
	if _, err := s.Exec(context.Background(), "INSERT INTO pv VALUES ('neg', -1, 1, 'x')"); err == nil || !strings.Contains(err.Error(), "to_bitmap_with_check") {
		t.Errorf("a negative number was loaded: %v", err)
	}
	// A view over what is there already: its job is cancelled and says why, and nothing is routed.
	for _, sql := range []string{
		`CREATE TABLE neg (k INT, id INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("replication_num"="1")`, `INSERT INTO neg VALUES (1, 5), (1, -5), (2, 7)`,
		`CREATE MATERIALIZED VIEW mv_neg AS SELECT k, bitmap_union(to_bitmap(id)) FROM neg GROUP BY k`,
	} {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	jobs := strings.Join(texts(t, s, "SHOW ALTER TABLE MATERIALIZED VIEW"), "\n")
	if !strings.Contains(jobs, "CANCELLED") || !strings.Contains(jobs, "to_bitmap_with_check") {
		t.Errorf("jobs: %s", jobs)
	}
	checkRoutes(t, s, []routeCase{{"SELECT k, count(DISTINCT id) FROM neg GROUP BY k ORDER BY 1", "neg", ""}})
}
