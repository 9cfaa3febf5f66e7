package routing

// fact is a table with six rollups and two views, and the words of questions to it.
type fact struct {
	table   string
	create  []string
	load    string // with %d for the number of rows and %d for a shift
	indexes []index
	groups  []term
	conds   []cond
	aggs    []aggregate
	// delete makes the indexes of one partition stale.
	delete string
}

const partitions = ` PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ("2024-02-01"), PARTITION p2 VALUES LESS THAN ("2024-03-01"), PARTITION p3 VALUES LESS THAN ("2024-04-01")) `

// columns are groups that read one column, as it is.
func plain(names ...string) (out []term) {
	for _, n := range names {
		out = append(out, term{sql: n, reads: []string{n}})
	}
	return out
}

func on(sql string, reads ...string) cond { return cond{term: term{sql: sql, reads: reads}} }

func fixes(sql, column string, implies ...string) cond {
	return cond{term: term{sql: sql, reads: []string{column}}, equal: column, implies: implies}
}

const (
	bitmapOfUID = "bitmap_union(to_bitmap(uid))"
	isAB        = "chan IN ('a', 'b')"
	fromFeb     = "dt >= '2024-02-01'"
	day         = "date_trunc(ts, 'day')"
)

// duplicate keeps every row: rollups reorder columns, views fold.
func duplicate() *fact {
	return &fact{
		table: "dup",
		create: []string{
			`CREATE TABLE dup (dt DATE NOT NULL, shop INT NOT NULL, city INT, chan VARCHAR(8), kind INT NOT NULL, ts DATETIME, uid BIGINT, v INT, big BIGINT, amount DECIMAL(12,2), n SMALLINT NOT NULL) DUPLICATE KEY(dt, shop)` +
				partitions + `DISTRIBUTED BY HASH(shop) BUCKETS 2 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE dup ADD ROLLUP r_city (city, dt, v, n), r_chan (chan, kind, uid, amount), r_uid (uid, dt), r_ts (ts, city, v), r_shop (shop, city, chan, n), r_kind (kind, v)`,
			`CREATE MATERIALIZED VIEW m_day AS SELECT date_trunc(ts, 'day') AS day_, chan, count(*) AS n_, sum(big) AS sb_, count(big) AS cb_, max(ts) AS mt_, bitmap_union(to_bitmap(uid)) AS u_, min(amount) AS la_, hll_union(hll_hash(shop)) AS hs_ FROM dup GROUP BY date_trunc(ts, 'day'), chan`,
			`CREATE MATERIALIZED VIEW m_ab AS SELECT city, kind, n % 3 AS r_, sum(v) AS sv_, sum(v + n) AS svn_, count(*) AS n2_, count(v) AS cv_, bitmap_union(to_bitmap(uid)) AS u2_, sum(amount) AS sa_, count(amount) AS ca_ FROM dup WHERE chan IN ('a', 'b') AND dt >= '2024-02-01' GROUP BY city, kind, n % 3`,
		},
		// Sums of big exceed 64 bits in parts and fit in all: the largest and its negative come in turn.
		load: `INSERT INTO dup SELECT date_add('2024-01-01', cast((number * 7 + %[2]d) %% 90 AS int)), cast(number * 31 %% 499 AS int), if(number %% 11 = 3, NULL, cast(number %% 7 AS int)),
			if(number %% 13 = 5, NULL, substr('abcd', cast(number %% 4 + 1 AS int), 1)), cast(number %% 5 AS int), if(number %% 17 = 2, NULL, seconds_add('2024-01-01 00:00:00', cast(number * 4321 %% 7776000 AS int))),
			if(number %% 9 = 1, NULL, (number * 13 + %[2]d) %% 2011), if(number %% 8 = 7, NULL, cast(number %% 1000 - 500 AS int)), if(number %% 6 = 4, NULL, (2 * (number %% 2) - 1) * 9223372036854775807),
			if(number %% 10 = 9, NULL, cast((number %% 20011 - 10000) / 100 AS decimal(12,2))), cast(number %% 90 - 20 AS smallint) FROM numbers("number"="%[1]d")`,
		indexes: []index{
			{name: "r_city", columns: []string{"city", "dt", "v", "n"}, buckets: 1},
			{name: "r_chan", columns: []string{"chan", "kind", "uid", "amount"}, buckets: 1},
			{name: "r_uid", columns: []string{"uid", "dt"}, buckets: 1},
			{name: "r_ts", columns: []string{"ts", "city", "v"}, buckets: 1},
			{name: "r_shop", columns: []string{"shop", "city", "chan", "n"}, buckets: 2},
			{name: "r_kind", columns: []string{"kind", "v"}, buckets: 1},
			{name: "m_day", folded: true, keys: []string{day, "chan"}, buckets: 1,
				states: []string{"count(*)", "sum(big)", "count(big)", "max(ts)", bitmapOfUID, "min(amount)", "hll_union(hll_hash(shop))"}},
			{name: "m_ab", folded: true, keys: []string{"city", "kind", "n % 3"}, where: []string{isAB, fromFeb}, buckets: 1,
				states: []string{"sum(v)", "sum(v + n)", "count(*)", "count(v)", bitmapOfUID, "sum(amount)", "count(amount)"}},
		},
		groups: append(plain("city", "chan", "kind", "dt", "shop"),
			term{day, []string{"ts"}, []string{day}}, term{"date_trunc(ts, 'month')", []string{"ts"}, []string{day}}, term{"year(ts)", []string{"ts"}, []string{day}}, term{"date(ts)", []string{"ts"}, []string{day}},
			term{"n % 3", []string{"n"}, []string{"n % 3"}}, term{"(n % 3) + 1", []string{"n"}, []string{"n % 3"}}, term{"city + 1", []string{"city"}, nil}, term{"coalesce(chan, 'x')", []string{"chan"}, nil},
			term{"date_trunc(dt, 'month')", []string{"dt"}, nil}, term{"CASE WHEN kind < 2 THEN 'low' ELSE 'high' END", []string{"kind"}, nil}),
		conds: []cond{
			fixes("city = 3", "city"), fixes("city IN (1, 2, 5)", "city"), fixes("chan = 'a'", "chan", isAB), fixes(isAB, "chan", isAB), fixes("kind = 1", "kind"), fixes("shop = 77", "shop"), fixes("uid = 1234", "uid"),
			on("chan <> 'b'", "chan"), on("city IS NULL", "city"), on("city > 1 OR kind = 2", "city", "kind"), on("n > 30", "n"), on("v < 0", "v"), on("dt <= '2024-02-20'", "dt"),
			{term: term{sql: fromFeb, reads: []string{"dt"}}, implies: []string{fromFeb}, byPartition: true},
			{term: term{sql: "dt >= '2024-03-01'", reads: []string{"dt"}}, implies: []string{fromFeb}, byPartition: true},
			{term: term{sql: "dt BETWEEN '2024-02-10' AND '2024-03-10'", reads: []string{"dt"}}, implies: []string{fromFeb}},
			{term: term{"ts >= '2024-01-15'", []string{"ts"}, []string{day}}}, {term: term{"ts <= '2024-02-02 23:59:59'", []string{"ts"}, []string{day}}}, on("ts >= '2024-01-15 12:00:00'", "ts"),
			{term: term{"month(ts) = 2", []string{"ts"}, []string{day}}}, {term: term{"n % 3 = 1", []string{"n"}, []string{"n % 3"}}},
		},
		aggs: []aggregate{
			{"count(*)", nil, [][]string{{"count(*)"}}}, {"count(1)", nil, [][]string{{"count(*)"}}}, {"count(n)", []string{"n"}, [][]string{{"count(*)"}}},
			{"count(v)", []string{"v"}, [][]string{{"count(v)"}}}, {"count(chan)", []string{"chan"}, [][]string{{"key:chan", "count(*)"}}}, {"count(city)", []string{"city"}, [][]string{{"key:city", "count(*)"}}},
			{"sum(v)", []string{"v"}, [][]string{{"sum(v)"}}}, {"sum(v + n)", []string{"v", "n"}, [][]string{{"sum(v + n)"}}}, {"sum(kind)", []string{"kind"}, [][]string{{"key:kind", "count(*)"}}},
			{"sum(big)", []string{"big"}, [][]string{{"sum(big)"}}}, {"avg(big)", []string{"big"}, [][]string{{"sum(big)", "count(big)"}}}, {"avg(v)", []string{"v"}, [][]string{{"sum(v)", "count(v)"}}},
			{"sum(amount)", []string{"amount"}, [][]string{{"sum(amount)"}}}, {"avg(amount)", []string{"amount"}, [][]string{{"sum(amount)", "count(amount)"}}}, {"min(amount)", []string{"amount"}, [][]string{{"min(amount)"}}},
			{"max(ts)", []string{"ts"}, [][]string{{"max(ts)"}}}, {"min(ts)", []string{"ts"}, nil}, {"max(kind)", []string{"kind"}, [][]string{{"key:kind"}}}, {"min(chan)", []string{"chan"}, [][]string{{"key:chan"}}},
			{"count(DISTINCT uid)", []string{"uid"}, [][]string{{bitmapOfUID}}}, {"bitmap_union_count(to_bitmap(uid))", []string{"uid"}, [][]string{{bitmapOfUID}}},
			{"count(DISTINCT cast(uid AS largeint))", []string{"uid"}, [][]string{{bitmapOfUID}}},
			{"count(DISTINCT kind)", []string{"kind"}, [][]string{{"key:kind"}}}, {"count(DISTINCT chan)", []string{"chan"}, [][]string{{"key:chan"}}}, {"count(DISTINCT v)", []string{"v"}, nil},
			{"count(DISTINCT CASE WHEN kind = 2 THEN uid END)", []string{"kind", "uid"}, [][]string{{"key:kind", bitmapOfUID}}},
			{"sum(CASE WHEN city = 2 THEN v ELSE 0 END)", []string{"city", "v"}, [][]string{{"key:city", "sum(v)"}}}, {"sum(if(kind > 2, v, NULL))", []string{"kind", "v"}, [][]string{{"key:kind", "sum(v)"}}},
			{"sum(CASE WHEN chan = 'c' THEN 1 ELSE 0 END)", []string{"chan"}, [][]string{{"key:chan", "count(*)"}}}, {"count(CASE WHEN city > 3 THEN v END)", []string{"city", "v"}, [][]string{{"key:city", "count(v)"}}},
			{"avg(CASE WHEN kind = 1 THEN v END)", []string{"kind", "v"}, [][]string{{"key:kind", "sum(v)", "count(v)"}}}, {"sum(v) FILTER (WHERE city = 1)", []string{"v", "city"}, [][]string{{"key:city", "sum(v)"}}},
			{"hll_union_agg(hll_hash(shop))", []string{"shop"}, [][]string{{"hll_union(hll_hash(shop))"}}}, {"sum(v * 2)", []string{"v"}, nil}, {"count(DISTINCT uid, kind)", []string{"uid", "kind"}, nil}, {"sum(DISTINCT v)", []string{"v"}, nil},
		},
		delete: "DELETE FROM dup PARTITION (p2) WHERE kind = 3 AND shop < 50",
	}
}

// folding merges rows of equal keys: rollups fold further.
func folding() *fact {
	uv := func(sql string) aggregate { return aggregate{sql, []string{"uv"}, [][]string{{"uv"}}} }
	return &fact{
		table: "agg",
		create: []string{
			`CREATE TABLE agg (dt DATE NOT NULL, shop INT NOT NULL, city INT, chan VARCHAR(8), kind INT NOT NULL, v BIGINT SUM, amount DECIMAL(12,2) SUM, lo INT MIN, hi DATETIME MAX, last INT REPLACE, uv BITMAP BITMAP_UNION, hv HLL HLL_UNION) AGGREGATE KEY(dt, shop, city, chan, kind)` +
				partitions + `DISTRIBUTED BY HASH(shop) BUCKETS 2 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE agg ADD ROLLUP a_city (city, v, uv, hv), a_dt (dt, v, amount, lo), a_dc (dt, city, v, uv), a_cc (chan, city, hi, uv), a_chan (chan, v, amount, lo, hi), a_all (kind, chan, city, shop, dt, v, hi, last)`,
			`CREATE MATERIALIZED VIEW v_month AS SELECT date_trunc(dt, 'month') AS month_, kind % 2 AS odd_, sum(v) AS s_, bitmap_union(uv) AS u_ FROM agg GROUP BY date_trunc(dt, 'month'), kind % 2`,
			`CREATE MATERIALIZED VIEW v_ab AS SELECT city, kind, sum(v) AS s2_, max(hi) AS h2_ FROM agg WHERE chan IN ('a', 'b') AND dt >= '2024-02-01' GROUP BY city, kind`,
		},
		load: `INSERT INTO agg SELECT date_add('2024-01-01', cast((number * 7 + %[2]d) %% 90 AS int)), cast(number * 31 %% 499 AS int), if(number %% 11 = 3, NULL, cast(number %% 7 AS int)),
			if(number %% 13 = 5, NULL, substr('abcd', cast(number %% 4 + 1 AS int), 1)), cast(number %% 5 AS int), if(number %% 8 = 7, NULL, number %% 1000 - 500), if(number %% 10 = 9, NULL, cast((number %% 20011 - 10000) / 100 AS decimal(12,2))),
			if(number %% 6 = 4, NULL, cast(number %% 777 - 300 AS int)), if(number %% 17 = 2, NULL, seconds_add('2024-01-01 00:00:00', cast(number * 4321 %% 7776000 AS int))), if(number %% 5 = 2, NULL, cast(number AS int)),
			to_bitmap(if(number %% 9 = 1, NULL, (number * 13 + %[2]d) %% 2011)), hll_hash(number %% 97) FROM numbers("number"="%[1]d")`,
		indexes: []index{
			{name: "a_city", folded: true, keys: []string{"city"}, states: []string{"sum(v)", "uv", "hv"}, buckets: 1},
			{name: "a_dt", folded: true, keys: []string{"dt"}, states: []string{"sum(v)", "sum(amount)", "min(lo)"}, buckets: 1},
			{name: "a_dc", folded: true, keys: []string{"dt", "city"}, states: []string{"sum(v)", "uv"}, buckets: 1},
			{name: "a_cc", folded: true, keys: []string{"chan", "city"}, states: []string{"max(hi)", "uv"}, buckets: 1},
			{name: "a_chan", folded: true, keys: []string{"chan"}, states: []string{"sum(v)", "sum(amount)", "min(lo)", "max(hi)"}, buckets: 1},
			{name: "a_all", folded: true, columns: []string{"kind", "chan", "city", "shop", "dt", "v", "hi", "last"}, keys: []string{"kind", "chan", "city", "shop", "dt"}, states: []string{"sum(v)", "max(hi)"}, buckets: 2},
			{name: "v_month", folded: true, keys: []string{"date_trunc(dt, 'month')", "kind % 2"}, states: []string{"sum(v)", "uv"}, buckets: 1},
			{name: "v_ab", folded: true, keys: []string{"city", "kind"}, where: []string{isAB, fromFeb}, states: []string{"sum(v)", "max(hi)"}, buckets: 1},
		},
		groups: append(plain("city", "chan", "kind", "dt", "shop"), term{"date_trunc(dt, 'month')", []string{"dt"}, []string{"date_trunc(dt, 'month')"}}, term{"year(dt)", []string{"dt"}, []string{"date_trunc(dt, 'month')"}},
			term{"date_trunc(dt, 'week')", []string{"dt"}, nil}, term{"kind % 2", []string{"kind"}, []string{"kind % 2"}}, term{"city + 1", []string{"city"}, nil}, term{"lo", []string{"lo"}, nil}),
		conds: []cond{
			fixes("city = 3", "city"), fixes("city IN (1, 2, 5)", "city"), fixes("chan = 'a'", "chan", isAB), fixes(isAB, "chan", isAB), fixes("kind = 1", "kind"), fixes("dt = '2024-02-11'", "dt", fromFeb),
			on("chan <> 'b'", "chan"), on("city IS NULL", "city"), on("dt <= '2024-02-20'", "dt"), on("v > 100", "v"), on("last IS NULL", "last"), on("lo < 0", "lo"),
			{term: term{sql: fromFeb, reads: []string{"dt"}}, implies: []string{fromFeb}, byPartition: true},
			{term: term{sql: "dt >= '2024-03-01'", reads: []string{"dt"}}, implies: []string{fromFeb}, byPartition: true},
			{term: term{"kind % 2 = 1", []string{"kind"}, []string{"kind % 2"}}}, {term: term{"month(dt) = 2", []string{"dt"}, []string{"date_trunc(dt, 'month')"}}},
		},
		aggs: []aggregate{
			{"sum(v)", []string{"v"}, [][]string{{"sum(v)"}}}, {"sum(v)", []string{"v"}, [][]string{{"sum(v)"}}}, {"sum(amount)", []string{"amount"}, [][]string{{"sum(amount)"}}}, {"min(lo)", []string{"lo"}, [][]string{{"min(lo)"}}},
			{"max(hi)", []string{"hi"}, [][]string{{"max(hi)"}}}, uv("bitmap_union_count(uv)"), uv("count(DISTINCT uv)"), uv("bitmap_count(bitmap_union(uv))"), {"hll_union_agg(hv)", []string{"hv"}, [][]string{{"hv"}}},
			{"count(DISTINCT hv)", []string{"hv"}, [][]string{{"hv"}}},
			{"count(*)", nil, nil}, {"count(v)", []string{"v"}, nil}, {"avg(v)", []string{"v"}, nil}, {"min(v)", []string{"v"}, nil}, {"max(last)", []string{"last"}, nil}, {"sum(kind)", []string{"kind"}, nil},
			{"max(kind)", []string{"kind"}, [][]string{{"key:kind"}}}, {"max(dt)", []string{"dt"}, [][]string{{"key:dt"}}}, {"count(DISTINCT city)", []string{"city"}, [][]string{{"key:city"}}}, {"min(chan)", []string{"chan"}, [][]string{{"key:chan"}}},
			{"sum(CASE WHEN city = 2 THEN v ELSE 0 END)", []string{"city", "v"}, [][]string{{"key:city", "sum(v)"}}}, {"sum(if(dt >= '2024-02-11', v, NULL))", []string{"dt", "v"}, [][]string{{"key:dt", "sum(v)"}}},
			{"max(CASE WHEN chan = 'a' THEN hi END)", []string{"chan", "hi"}, [][]string{{"key:chan", "max(hi)"}}}, {"sum(v) FILTER (WHERE chan = 'b')", []string{"v", "chan"}, [][]string{{"key:chan", "sum(v)"}}},
			{"sum(v + 1)", []string{"v"}, nil}, {"max(v)", []string{"v"}, nil}, {"intersect_count(uv, city, 1, 2)", []string{"uv", "city"}, [][]string{{"uv", "key:city"}}},
		},
		delete: "DELETE FROM agg PARTITION (p2) WHERE kind = 3 AND shop < 50",
	}
}
