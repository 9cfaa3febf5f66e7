package random

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// TestRandomRollup asks tables with rollups and views random questions, with routing on and off: the answers must be
// the same. Rows come before, between and after the indexes, and go by overwrites and truncations.
func TestRandomRollup(t *testing.T) {
	first, seeds, queries := uint64(1), uint64(2), 30
	switch {
	case *seed != 0:
		first, seeds, queries = *seed, 1, 150
	case *long:
		seeds, queries = 12, 300
	}
	compared, routed := 0, 0
	for s := first; s < first+seeds; s++ {
		c, r := runRollups(t, s, queries)
		compared, routed = compared+c, routed+r
		if t.Failed() {
			t.Logf("go test ./test/random -run TestRandomRollup -args -seed %d", s)
			return
		}
	}
	t.Logf("%d queries compared, %d of them read an index", compared, routed)
	if routed < compared/4 {
		t.Errorf("only %d of %d queries read an index", routed, compared)
	}
}

// rollupTables are a DUPLICATE and an AGGREGATE table of one shape, with indexes, and a dimension.
func rollupTables(r *rand.Rand) []string {
	partition := []string{"", ` PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2024-03-01") INTERVAL 1 MONTH, PARTITION pmax VALUES LESS THAN (MAXVALUE))`,
		` PARTITION BY LIST(kind) (PARTITION a VALUES IN ("0", "1"), PARTITION b VALUES IN ("2", "3"))`}[r.IntN(3)]
	buckets := []string{"DISTRIBUTED BY HASH(city) BUCKETS 3", "DISTRIBUTED BY HASH(kind, city) BUCKETS 2", "DISTRIBUTED BY RANDOM BUCKETS 2"}
	tables := []string{
		`CREATE TABLE dup (dt DATE NOT NULL, kind INT NOT NULL, city INT, ts DATETIME, chan VARCHAR(8), uid BIGINT, v INT, big BIGINT, d DECIMAL(12,3), f DOUBLE, n SMALLINT NOT NULL)
			DUPLICATE KEY(dt, kind)` + partition + " " + buckets[r.IntN(3)] + ` PROPERTIES("replication_num"="1")`,
		`CREATE TABLE agg (dt DATE NOT NULL, kind INT NOT NULL, city INT, chan VARCHAR(8), v BIGINT SUM, d DECIMAL(12,3) SUM, lo INT MIN, hi DATETIME MAX, last INT REPLACE, uv BITMAP BITMAP_UNION, hv HLL HLL_UNION)
			AGGREGATE KEY(dt, kind, city, chan)` + partition + " " + buckets[r.IntN(2)] + ` PROPERTIES("replication_num"="1")`,
		`CREATE TABLE dim (city INT, region VARCHAR(8), weight INT) DUPLICATE KEY(city) DISTRIBUTED BY HASH(city) BUCKETS 1 PROPERTIES("replication_num"="1")`,
		`INSERT INTO dim SELECT number, concat('r', number % 3), number * 10 FROM numbers("number"="6")`,
		`INSERT INTO dim VALUES (3, 'r9', 1), (NULL, 'none', 5)`,
	}
	indexes := []string{
		`CREATE MATERIALIZED VIEW m_city AS SELECT city, chan, sum(v) sv, count(*) c, count(v) cv, min(v) mv, max(d) xd, sum(d) sd FROM dup GROUP BY city, chan`,
		`CREATE MATERIALIZED VIEW m_uid AS SELECT dt, city, kind, bitmap_union(to_bitmap(uid)) b, count(uid) cu, count(*) c FROM dup GROUP BY dt, city, kind`,
		`CREATE MATERIALIZED VIEW m_day AS SELECT date_trunc(ts, 'day') AS day_, chan, count(*) c, sum(big) sb, count(big) cb, max(ts) mx, min(ts) mn FROM dup GROUP BY date_trunc(ts, 'day'), chan`,
		`CREATE MATERIALIZED VIEW m_where AS SELECT kind, city, sum(v) sv, count(*) c, sum(n) sn FROM dup WHERE dt >= '2024-01-20' AND chan IN ('a', 'b') GROUP BY kind, city`,
		`CREATE MATERIALIZED VIEW m_expr AS SELECT n % 3 AS r_, kind, sum(v + n) AS s_, count(*) c_, hll_union(hll_hash(uid)) AS h_ FROM dup GROUP BY n % 3, kind`,
		`CREATE MATERIALIZED VIEW m_rows AS SELECT chan, city, v, n + 1 AS n1 FROM dup WHERE n > 5 ORDER BY chan, city`,
		`ALTER TABLE dup ADD ROLLUP r_city (city, dt, v, n), r_chan (chan, kind, uid, d)`,
		`ALTER TABLE agg ADD ROLLUP a_city (city, v, uv, hv), a_dt (dt, v, d, lo), a_kc (kind, chan, hi, uv), a_dk (dt, kind, v, uv), a_all (chan, city, kind, dt, last, v, hi), a_chan (chan, v, d, lo, hi)`,
		`CREATE MATERIALIZED VIEW a_view AS SELECT date_trunc(dt, 'month') AS month_, chan, sum(v) s_, bitmap_union(uv) u_ FROM agg GROUP BY date_trunc(dt, 'month'), chan`,
	}
	r.Shuffle(len(indexes), func(i, j int) { indexes[i], indexes[j] = indexes[j], indexes[i] })
	out := tables
	for i, x := range indexes {
		if i%2 == 0 {
			out = append(out, rollupLoad(r, "dup"), rollupLoad(r, "agg"))
		}
		out = append(out, x)
	}
	for range 3 {
		out = append(out, rollupLoad(r, "dup"), rollupLoad(r, "agg"))
	}
	if r.IntN(2) == 0 {
		out = append(out, "INSERT OVERWRITE TABLE dup SELECT * FROM dup WHERE n < 60", rollupLoad(r, "dup"))
	}
	if strings.Contains(partition, "RANGE") {
		out = append(out, "TRUNCATE TABLE "+[]string{"dup", "agg"}[r.IntN(2)]+" PARTITION (pmax)", "ALTER TABLE dup CONCATENATE", rollupLoad(r, "dup"))
	}
	return append(out, "ALTER TABLE agg CONCATENATE")
}

// rollupLoad inserts rows with NULLs, few values a column, dates of three months.
func rollupLoad(r *rand.Rand, table string) string {
	rows, a, b := 200+r.IntN(500), 1+r.IntN(97), r.IntN(50)
	null := func(e string, every int) string {
		return fmt.Sprintf("if(number %% %d = %d, NULL, %s)", every, r.IntN(every), e)
	}
	from := fmt.Sprintf(`FROM numbers("number"="%d")`, rows)
	mix := fmt.Sprintf("(number * %d + %d)", a, b)
	dt := fmt.Sprintf("date_add('2024-01-01', cast(%s %% 80 AS int))", mix)
	city, chan_ := null(mix+" % 7", 11), null("substr('abcd', cast(number % 4 + 1 AS int), 1)", 13)
	if table == "dup" {
		return fmt.Sprintf(`INSERT INTO dup SELECT %s, cast(number %% 4 AS int), cast(%s AS int), %s, %s, %s, cast(%s AS int), %s, cast(%s AS decimal(12,3)), number / 7, cast(number %% 90 AS smallint) %s`,
			dt, city, null("seconds_add('2024-01-01 00:00:00', cast("+mix+" * 4321 % 6912000 AS int))", 17), chan_, null(mix+" % 211", 9),
			null("number % 1000 - 400", 7), null("number * 1000000007 - 5", 8), null("number / 8", 6), from)
	}
	return fmt.Sprintf(`INSERT INTO agg SELECT %s, cast(number %% 4 AS int), cast(%s AS int), %s, %s, cast(%s AS decimal(12,3)), cast(%s AS int), %s, cast(%s AS int), to_bitmap(%s), hll_hash(%s) %s`,
		dt, city, chan_, null("number % 1000 - 400", 7), null("number / 8", 6), null("number % 300 - 100", 5),
		null("seconds_add('2024-01-01 00:00:00', cast(number * 4321 AS int))", 12), null("number", 10), mix+" % 211", mix+" % 97", from)
}

// rollupQuery is a question with places filled at random.
func rollupQuery(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	some := func(n int, list []string) []string {
		list = slices.Clone(list)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list[:min(n, len(list))]
	}
	table := pick("dup", "dup", "agg")
	groups := []string{"city", "chan", "kind", "dt", "date_trunc(dt, 'month')", "year(dt)", "month(dt)", "city + 1", "coalesce(city, -1)", "kind % 2"}
	conds := []string{"city = 3", "city IN (1, 2, 5)", "chan = 'a'", "chan <> 'b'", "chan IN ('a', 'b') AND dt >= '2024-01-20'", "dt >= '2024-01-20' AND chan = 'a'", "kind = 1", "kind < 3", "dt >= '2024-02-01'",
		"dt < '2024-02-01'", "dt BETWEEN '2024-01-10' AND '2024-02-20'", "city IS NULL", "chan IS NOT NULL", "city > 1 OR chan = 'c'", "date_trunc(dt, 'month') = '2024-02-01'", "month(dt) = 1"}
	aggs := []string{"count(DISTINCT city)", "count(DISTINCT chan)", "max(dt)", "min(chan)", "sum(v)", "sum(v)", "sum(d)",
		"sum(CASE WHEN chan = 'a' THEN v ELSE 0 END)", "sum(if(city = 2, v, NULL))", "max(CASE WHEN kind = 1 THEN dt END)"}
	if table == "dup" {
		groups = append(groups, "date_trunc(ts, 'day')", "date_trunc(ts, 'month')", "date(ts)", "year(ts)", "n % 3", "n")
		conds = append(conds, "ts >= '2024-01-15 00:00:00'", "ts < '2024-02-03'", "ts <= '2024-02-02 23:59:59'", "n > 5", "n > 40", "n % 3 = 1", "v > 100", "ts >= '2024-01-15 12:00:00'")
		aggs = append(aggs, "count(*)", "count(*)", "count(v)", "avg(v)", "avg(d)", "min(v)", "max(d)", "count(DISTINCT uid)", "count(DISTINCT uid)", "count(uid)", "sum(big)", "avg(big)", "max(ts)", "min(ts)",
			"bitmap_union_count(to_bitmap(uid))", "bitmap_to_string(bitmap_union(to_bitmap(uid)))", "sum(v + n)", "sum(n)", "count(city)", "count(n)", "sum(1)", "sum(kind)", "sum(CASE WHEN chan = 'b' THEN 1 ELSE 0 END)",
			"count(CASE WHEN city = 3 THEN 1 END)", "count(CASE WHEN kind = 2 THEN v END)", "count(DISTINCT CASE WHEN kind = 2 THEN uid END)", "avg(CASE WHEN city > 2 THEN v END)", "sum(v) FILTER (WHERE chan = 'a')",
			"count(*) FILTER (WHERE city = 1)", "hll_union_agg(hll_hash(uid))", "any_value(kind) IS NULL")
	} else {
		conds = append(conds, "v > 100", "lo < 0")
		aggs = append(aggs, "min(lo)", "max(hi)", "bitmap_union_count(uv)", "count(DISTINCT uv)", "bitmap_to_string(bitmap_union(uv))", "hll_union_agg(hv)", "count(*)", "sum(lo)", "max(last)", "avg(v)", "intersect_count(uv, kind, 1, 2)")
	}
	if x := rollupThemes[r.IntN(len(rollupThemes))]; r.IntN(3) > 0 { // what one index can answer, mostly
		table = x.table
		groups, conds, aggs = x.groups, x.conds, x.aggs
	}
	where := ""
	if n := r.IntN(3); n > 0 {
		where = " WHERE " + strings.Join(some(n, conds), " AND ")
	}
	from := " FROM " + table
	switch r.IntN(12) {
	case 0, 1:
		from, where = " FROM "+table+" JOIN dim USING (city)", qualified(where, table)
		groups, aggs = append(some(3, qualifiedAll(groups, table)), "region", "dim.weight"), append(qualifiedAll(aggs, table), "max(weight)", "count(DISTINCT region)", "sum(weight)")
	case 2:
		from, where = " FROM "+table+" LEFT JOIN dim ON dim.city = "+table+".city", qualified(where, table)
		groups, aggs = append(some(2, qualifiedAll(groups, table)), "region"), append(qualifiedAll(aggs, table), "count(region)")
	case 3:
		from, where = " FROM dim LEFT JOIN "+table+" ON dim.city = "+table+".city", qualified(where, table)
		groups, aggs = append(some(2, qualifiedAll(groups, table)), "region"), qualifiedAll(aggs, table)
	case 4:
		from, where = " FROM "+table+" LEFT SEMI JOIN dim ON dim.city = "+table+".city AND weight > 5", qualified(where, table)
		groups, aggs = qualifiedAll(groups, table), qualifiedAll(aggs, table)
	}
	keys := some(r.IntN(3), groups)
	switch r.IntN(9) {
	case 0:
		if len(keys) > 0 {
			return "SELECT DISTINCT " + strings.Join(keys, ", ") + from + where
		}
	case 1:
		if !strings.Contains(from, "JOIN") {
			cols := []string{"city", "chan", "kind", "dt", "v", "d"}
			if table == "dup" {
				cols = append(cols, "n", "n + 1", "uid")
			}
			return "SELECT " + strings.Join(some(3, cols), ", ") + from + where
		}
	case 2:
		if len(keys) > 1 {
			return fmt.Sprintf("SELECT %s, %s%s%s GROUP BY %s WITH ROLLUP", strings.Join(keys, ", "), strings.Join(some(2, aggs), ", "), from, where, strings.Join(keys, ", "))
		}
	}
	items := append(slices.Clone(keys), some(1+r.IntN(3), aggs)...)
	sql := "SELECT " + strings.Join(items, ", ") + from + where
	if len(keys) > 0 {
		sql += " GROUP BY " + strings.Join(keys, ", ")
	}
	if r.IntN(5) == 0 && len(keys) > 0 {
		sql += " HAVING " + items[len(items)-1] + " IS NOT NULL AND " + pick(some(1, aggs)[0]+" IS NOT NULL", "max("+keys[0]+") IS NOT NULL")
	}
	return sql
}

// rollupThemes are places that one index has.
var rollupThemes = []struct {
	table               string
	groups, conds, aggs []string
}{
	{"dup", []string{"city", "chan", "city % 3", "coalesce(chan, 'x')"}, []string{"city = 3", "chan <> 'b'", "city IN (1, 2) OR chan = 'a'", "city IS NULL"},
		[]string{"sum(v)", "count(*)", "count(v)", "min(v)", "avg(v)", "sum(d)", "sum(CASE WHEN chan = 'a' THEN v ELSE 0 END)", "sum(CASE WHEN chan = 'b' THEN 1 ELSE 0 END)", "count(city)", "max(chan)", "sum(city)", "count(CASE WHEN city = 3 THEN 1 END)"}},
	{"dup", []string{"dt", "city", "kind", "date_trunc(dt, 'month')", "year(dt)"}, []string{"dt >= '2024-02-01'", "dt < '2024-02-20'", "kind = 1", "city = 2", "month(dt) = 1"},
		[]string{"count(DISTINCT uid)", "count(*)", "count(uid)", "bitmap_union_count(to_bitmap(uid))", "count(DISTINCT CASE WHEN kind = 2 THEN uid END)", "count(DISTINCT city)", "sum(kind)", "max(dt)", "intersect_count(to_bitmap(uid), kind, 1, 2)"}},
	{"dup", []string{"date_trunc(ts, 'day')", "date_trunc(ts, 'month')", "date(ts)", "year(ts)", "chan", "to_date(ts)"}, []string{"ts >= '2024-01-15'", "ts <= '2024-02-02 23:59:59'", "ts < '2024-02-03'", "chan = 'a'", "month(ts) = 2"},
		[]string{"sum(big)", "count(*)", "count(big)", "max(ts)", "min(ts)", "avg(big)"}},
	{"dup", []string{"n % 3", "kind"}, []string{"kind < 3", "n % 3 = 1"}, []string{"sum(v + n)", "count(*)", "hll_union_agg(hll_hash(uid))", "sum(kind)", "sum(CASE WHEN n % 3 = 0 THEN v + n END)"}},
	{"dup", []string{"kind", "city"}, []string{"dt >= '2024-01-20' AND chan IN ('a', 'b')", "dt >= '2024-01-20' AND chan IN ('a', 'b') AND city = 1"}, []string{"sum(v)", "count(*)", "sum(n)", "count(city)", "sum(1)", "sum(CASE WHEN city > 2 THEN v ELSE 0 END)"}},
	{"agg", []string{"city", "city % 2"}, []string{"city IN (1, 3)", "city > 2"}, []string{"sum(v)", "bitmap_union_count(uv)", "count(DISTINCT uv)", "hll_union_agg(hv)", "max(city)"}},
	{"agg", []string{"dt", "date_trunc(dt, 'month')", "kind"}, []string{"dt >= '2024-02-01'", "dt BETWEEN '2024-01-10' AND '2024-02-20'"}, []string{"sum(v)", "sum(d)", "min(lo)", "bitmap_union_count(uv)", "max(dt)", "sum(CASE WHEN dt < '2024-02-01' THEN v ELSE 0 END)"}},
	{"agg", []string{"chan", "kind", "date_trunc(dt, 'month')"}, []string{"chan = 'a'", "kind = 2"}, []string{"sum(v)", "sum(d)", "max(hi)", "bitmap_union_count(uv)", "max(last)", "count(*)", "intersect_count(uv, kind, 1, 2)"}},
}

func qualified(e, table string) string {
	for _, c := range []string{"city", "chan", "kind", "dt", "ts", "uid", "big", "lo", "hi", "last", "uv", "hv"} {
		e = replaceWord(e, c, table+"."+c)
	}
	for _, c := range []string{"v", "d", "n"} {
		e = replaceWord(e, c, table+"."+c)
	}
	return e
}

func qualifiedAll(list []string, table string) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = qualified(e, table)
	}
	return out
}

// replaceWord replaces whole words outside of quotes.
func replaceWord(s, word, with string) string {
	isWord := func(b byte) bool {
		return b == '_' || b == '.' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
	}
	var out strings.Builder
	quoted := false
	for i := 0; i < len(s); {
		quoted = quoted != (s[i] == '\'')
		end := i
		for end < len(s) && isWord(s[end]) {
			end++
		}
		switch {
		case end == i:
			out.WriteByte(s[i])
			i++
			continue
		case s[i:end] == word && !quoted:
			out.WriteString(with)
		default:
			out.WriteString(s[i:end])
		}
		i = end
	}
	return out.String()
}

func runRollups(t *testing.T, seed uint64, queries int) (compared, routed int) {
	r := rand.New(rand.NewPCG(seed, 77))
	db, err := basalt.Open("", basalt.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	exec := func(sql string) {
		t.Helper()
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, sql)
		}
	}
	for _, sql := range rollupTables(r) {
		exec(sql)
	}
	for range queries {
		sql := rollupQuery(r)
		want, err := engine(s, sql, map[string]string{"enable_materialized_view_rewrite": "0"}, false)
		got, gotErr := engine(s, sql, nil, false)
		if err != nil || gotErr != nil {
			if err == nil || gotErr == nil {
				t.Errorf("seed %d: routed %v, not routed %v\n%s", seed, gotErr, err, sql)
				return compared, routed
			}
			t.Fatalf("seed %d: %v\n%s", seed, err, sql)
		}
		compared++
		plan, err := engine(s, "EXPLAIN "+sql, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(plan, "\n")
		if _, rest, ok := strings.Cut(text, "SuccessAndChose:"); ok && strings.Contains(strings.SplitN(rest, "\n", 3)[1], ".") {
			routed++
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d\n%s\nrouted     %d rows %q\nnot routed %d rows %q\n%s", seed, sql, len(got), cut(got), len(want), cut(want), text)
			return compared, routed
		}
	}
	return compared, routed
}
