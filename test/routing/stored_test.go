package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// stored is an index and the query that it holds the rows of, of one partition: %s is the table with its partition.
type stored struct{ name, held, defined string }

// changing is a table with indexes that changes in every way there is.
type changing struct {
	table   string
	create  []string
	indexes []stored
	load    func(r *rand.Rand) string
	steps   []string
}

func filled(table string, rows int, cols ...string) string {
	return fmt.Sprintf(`INSERT INTO %s SELECT %s FROM numbers("number"="%d")`, table, strings.Join(cols, ", "), rows)
}

// changingTables are one of each model.
func changingTables() []*changing {
	dt := func(r *rand.Rand) string {
		return fmt.Sprintf("date_add('2024-01-01', cast((number * 7 + %d) %% 90 AS int))", r.IntN(90))
	}
	dup := &changing{
		table: "d",
		create: []string{
			`CREATE TABLE d (dt DATE NOT NULL, k INT, s VARCHAR(10), ts DATETIME, uid BIGINT, v INT, big BIGINT, x INT) DUPLICATE KEY(dt, k)` + partitions + `DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE d ADD ROLLUP r_s (s, v, k), r_k (k, dt, uid)`,
			`CREATE MATERIALIZED VIEW m_s AS SELECT s AS s_, sum(v) AS sv_, count(*) AS n_, count(v) AS nv_, min(v) AS lo_, max(ts) AS hi_, bitmap_union(to_bitmap(uid)) AS u_, hll_union(hll_hash(uid)) AS h_, sum(big) AS sb_ FROM d GROUP BY s`,
			`CREATE MATERIALIZED VIEW m_day AS SELECT date_trunc(ts, 'day') AS day_, k % 3 AS k3_, sum(v + k) AS svk_, count(*) AS n2_ FROM d WHERE v > 0 AND s IS NOT NULL GROUP BY date_trunc(ts, 'day'), k % 3`,
			`CREATE MATERIALIZED VIEW m_rows AS SELECT k AS k_, v * 2 AS v2_, upper(s) AS us_ FROM d WHERE dt >= '2024-01-20' ORDER BY k_`,
		},
		load: func(r *rand.Rand) string {
			return filled("d (dt, k, s, ts, uid, v, big)", 1+r.IntN(700), dt(r), "if(number % 11 = 3, NULL, cast(number * 13 % 37 AS int))", "if(number % 7 = 5, NULL, substr('abcdef', cast(number % 5 + 1 AS int), 1))",
				"if(number % 9 = 2, NULL, seconds_add('2024-01-01', cast(number * 4321 AS int)))", fmt.Sprintf("if(number %% 8 = 1, NULL, (number + %d) %% 300)", r.IntN(1000)), "if(number % 6 = 0, NULL, cast(number % 200 - 100 AS int))",
				"if(number % 5 = 0, NULL, (2 * (number % 2) - 1) * 9223372036854775807)")
		},
		indexes: []stored{
			{"r_s", "s, v, k", "SELECT s, v, k FROM %s"}, {"r_k", "k, dt, uid", "SELECT k, dt, uid FROM %s"},
			{"m_s", "s_, sv_, n_, nv_, lo_, hi_, bitmap_to_string(u_), hll_cardinality(h_), sb_", "SELECT s, sum(v), count(*), count(v), min(v), max(ts), bitmap_to_string(bitmap_union(to_bitmap(uid))), hll_union_agg(hll_hash(uid)), sum(cast(big AS largeint)) FROM %s GROUP BY s"},
			{"m_day", "*", "SELECT date_trunc(ts, 'day'), k %% 3, sum(v + k), count(*) FROM %s WHERE v > 0 AND s IS NOT NULL GROUP BY date_trunc(ts, 'day'), k %% 3"},
			{"m_rows", "*", "SELECT k, v * 2, upper(s) FROM %s WHERE dt >= '2024-01-20'"},
		},
		steps: []string{
			"DELETE FROM d PARTITION (p1) WHERE k = 5", "DELETE FROM d WHERE s = 'b' AND v < 0", "DELETE FROM d WHERE dt BETWEEN '2024-01-10' AND '2024-02-10' AND k IN (1, 2, 3)", "DELETE FROM d WHERE k IS NULL",
			"UPDATE d SET v = v + 1000, s = 'z' WHERE k = 7", "INSERT OVERWRITE TABLE d PARTITION (p2) SELECT * FROM d PARTITION (p2) WHERE k > 10", "INSERT OVERWRITE TABLE d SELECT * FROM d WHERE v IS NULL OR v < 80",
			"TRUNCATE TABLE d PARTITION (p3)", "ALTER TABLE d CONCATENATE", `ALTER TABLE d DROP PARTITION p3 FORCE; ALTER TABLE d ADD PARTITION p3 VALUES LESS THAN ("2024-04-01")`,
			"ALTER TABLE d MODIFY COLUMN x BIGINT", "ALTER TABLE d ADD COLUMN y INT DEFAULT '3'", "ALTER TABLE d DROP COLUMN y", "ALTER TABLE d RENAME COLUMN x xx; ALTER TABLE d RENAME COLUMN xx x", "ALTER TABLE d DROP COLUMN x", "ALTER TABLE d ADD COLUMN x VARCHAR(5) AFTER v",
			`ALTER TABLE d ADD TEMPORARY PARTITION t2 VALUES [("2024-02-01"), ("2024-03-01")); INSERT INTO d TEMPORARY PARTITION (t2) SELECT * FROM d PARTITION (p2) WHERE k < 20; ALTER TABLE d REPLACE PARTITION (p2) WITH TEMPORARY PARTITION (t2)`,
			"ALTER TABLE d RENAME ROLLUP r_s r_t; ALTER TABLE d RENAME ROLLUP r_t r_s", "ALTER TABLE d DROP ROLLUP r_k", "ALTER TABLE d ADD ROLLUP r_k (k, dt, uid)", "DROP MATERIALIZED VIEW m_rows ON d",
			"CREATE MATERIALIZED VIEW m_rows AS SELECT k AS k_, v * 2 AS v2_, upper(s) AS us_ FROM d WHERE dt >= '2024-01-20' ORDER BY k_", "ALTER TABLE d RENAME e; ALTER TABLE e RENAME d",
		},
	}
	agg := &changing{
		table: "a",
		create: []string{
			`CREATE TABLE a (dt DATE NOT NULL, k INT, s VARCHAR(10), v BIGINT SUM, lo INT MIN, hi DATETIME MAX, last INT REPLACE, keep INT REPLACE_IF_NOT_NULL, u BITMAP BITMAP_UNION, h HLL HLL_UNION) AGGREGATE KEY(dt, k, s)` + partitions + `DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE a ADD ROLLUP r_s (s, v, lo, hi, u, h), r_k (k, dt, v), r_all (s, k, dt, last, keep, v)`,
			`CREATE MATERIALIZED VIEW m_month AS SELECT date_trunc(dt, 'month') AS month_, sum(v) AS sv_, bitmap_union(u) AS u_, max(hi) AS hi_ FROM a WHERE k > 3 GROUP BY date_trunc(dt, 'month')`,
		},
		load: func(r *rand.Rand) string {
			return filled("a (dt, k, s, v, lo, hi, last, keep, u, h)", 1+r.IntN(700), fmt.Sprintf("date_add('2024-01-01', cast((number * 7 + %d) %% 40 * 2 AS int))", r.IntN(90)), "if(number % 11 = 3, NULL, cast(number * 13 % 17 AS int))", "if(number % 7 = 5, NULL, substr('abcdef', cast(number % 5 + 1 AS int), 1))",
				"if(number % 6 = 0, NULL, number - 100)", "if(number % 5 = 0, NULL, cast(number % 90 AS int))", "if(number % 9 = 2, NULL, seconds_add('2024-01-01', cast(number * 4321 AS int)))", fmt.Sprintf("if(number %% 4 = 0, NULL, %d)", r.IntN(1000)), fmt.Sprintf("if(number %% 3 = 0, NULL, %d)", r.IntN(1000)),
				fmt.Sprintf("to_bitmap(if(number %% 8 = 1, NULL, (number + %d) %% 300))", r.IntN(1000)), "hll_hash(number % 50)")
		},
		indexes: []stored{
			{"r_s", "s, v, lo, hi, bitmap_to_string(u), hll_cardinality(h)", "SELECT s, sum(v), min(lo), max(hi), bitmap_to_string(bitmap_union(u)), hll_union_agg(h) FROM %s GROUP BY s"},
			{"r_k", "*", "SELECT k, dt, sum(v) FROM %s GROUP BY k, dt"}, {"r_all", "s, k, dt, last, keep, v", "SELECT s, k, dt, last, keep, v FROM %s"},
			{"m_month", "month_, sv_, bitmap_to_string(u_), hi_", "SELECT date_trunc(dt, 'month'), sum(v), bitmap_to_string(bitmap_union(u)), max(hi) FROM %s WHERE k > 3 GROUP BY date_trunc(dt, 'month')"},
		},
		steps: []string{
			"DELETE FROM a PARTITION (p1) WHERE k = 5", "DELETE FROM a WHERE s = 'b' AND dt > '2024-02-10'", "DELETE FROM a WHERE k IS NULL", "INSERT OVERWRITE TABLE a PARTITION (p2) SELECT * FROM a PARTITION (p2) WHERE k > 10", "TRUNCATE TABLE a PARTITION (p3)", "ALTER TABLE a CONCATENATE",
			`ALTER TABLE a DROP PARTITION p3 FORCE; ALTER TABLE a ADD PARTITION p3 VALUES LESS THAN ("2024-04-01")`, "ALTER TABLE a ADD COLUMN y BIGINT SUM DEFAULT '3'", "ALTER TABLE a DROP COLUMN y", "ALTER TABLE a ADD COLUMN kk INT KEY DEFAULT '1' AFTER s", "ALTER TABLE a DROP ROLLUP r_k",
			"ALTER TABLE a ADD ROLLUP r_k (k, dt, v)", "ALTER TABLE a RENAME COLUMN lo low; ALTER TABLE a RENAME COLUMN low lo",
		},
	}
	uniq := &changing{
		table: "u",
		create: []string{
			`CREATE TABLE u (dt DATE NOT NULL, k INT NOT NULL, s VARCHAR(10), v INT, w BIGINT) UNIQUE KEY(dt, k)` + partitions + `DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE u ADD ROLLUP r_k (k, dt, s, v), r_v (k, dt, w)`,
			`CREATE MATERIALIZED VIEW m_k AS SELECT k AS k_, dt AS dt_, v + 1 AS v1_ FROM u ORDER BY k_`,
		},
		load: func(r *rand.Rand) string {
			return filled("u (dt, k, s, v, w)", 1+r.IntN(700), dt(r), "cast(number * 13 % 37 AS int)", "if(number % 7 = 5, NULL, substr('abcdef', cast(number % 5 + 1 AS int), 1))", fmt.Sprintf("if(number %% 6 = 0, NULL, %d)", r.IntN(1000)), "number")
		},
		indexes: []stored{{"r_k", "*", "SELECT k, dt, s, v FROM %s"}, {"r_v", "*", "SELECT k, dt, w FROM %s"}, {"m_k", "*", "SELECT k, dt, v + 1 FROM %s"}},
		steps: []string{
			"DELETE FROM u WHERE k = 5", "DELETE FROM u WHERE v > 500 AND s = 'a'", "UPDATE u SET v = v + 1, s = 'y' WHERE k < 9", "UPDATE u SET w = NULL WHERE dt < '2024-01-20'", "INSERT INTO u (dt, k, __DORIS_DELETE_SIGN__) SELECT dt, k, 1 FROM u WHERE k = 11",
			"INSERT OVERWRITE TABLE u PARTITION (p2) SELECT * FROM u PARTITION (p2) WHERE k > 10", "TRUNCATE TABLE u PARTITION (p3)", "ALTER TABLE u CONCATENATE", "ALTER TABLE u ADD COLUMN y INT DEFAULT '3'", "ALTER TABLE u DROP COLUMN y", "ALTER TABLE u DROP ROLLUP r_v", "ALTER TABLE u ADD ROLLUP r_v (k, dt, w)",
		},
	}
	ordered := &changing{
		table: "q",
		create: []string{
			`CREATE TABLE q (dt DATE NOT NULL, k INT NOT NULL, s VARCHAR(10), v INT, o INT) UNIQUE KEY(dt, k)` + partitions + `DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("replication_num"="1", "function_column.sequence_col"="o")`,
			`ALTER TABLE q ADD ROLLUP r_k (k, dt, s, v), r_o (k, dt, o)`,
		},
		load: func(r *rand.Rand) string {
			return filled("q (dt, k, s, v, o, __DORIS_DELETE_SIGN__)", 1+r.IntN(700), "date_add('2024-01-01', cast((number * 7) % 90 AS int))", "cast(number % 11 AS int)", "substr('abcdef', cast(number % 5 + 1 AS int), 1)", fmt.Sprint(r.IntN(1000)), fmt.Sprintf("(number + %d) %% 9", r.IntN(9)), fmt.Sprintf("if(number %% 7 = %d, 1, 0)", r.IntN(9)))
		},
		indexes: []stored{{"r_k", "*", "SELECT k, dt, s, v FROM %s"}, {"r_o", "*", "SELECT k, dt, o FROM %s"}},
		steps: []string{
			"DELETE FROM q WHERE k = 5", "DELETE FROM q WHERE v > 500 AND s = 'a'", "UPDATE q SET v = v + 1, o = o + 1 WHERE k < 4", "UPDATE q SET v = 7, o = 0 WHERE k > 4", "INSERT OVERWRITE TABLE q PARTITION (p2) SELECT * FROM q PARTITION (p2) WHERE k > 3", "TRUNCATE TABLE q PARTITION (p3)",
			"ALTER TABLE q CONCATENATE", "ALTER TABLE q CONCATENATE", "ALTER TABLE q ORDER BY (k, dt, s, v, o)", "ALTER TABLE q ORDER BY (dt, k, s, v, o)", "ALTER TABLE q RENAME COLUMN o oo; ALTER TABLE q RENAME COLUMN oo o", "ALTER TABLE q DROP ROLLUP r_o", "ALTER TABLE q ADD ROLLUP r_o (k, dt, o)",
		},
	}
	list := &changing{
		table: "l",
		create: []string{
			`CREATE TABLE l (city VARCHAR(10) NOT NULL, k INT, dt DATE, uid BIGINT, v INT) DUPLICATE KEY(city, k)` + cities + `DISTRIBUTED BY RANDOM BUCKETS 3 PROPERTIES("replication_num"="1")`,
			`ALTER TABLE l ADD ROLLUP r_k (k, dt, v), r_v (v, city)`,
			cityView + "l GROUP BY city, k % 5",
		},
		load: func(r *rand.Rand) string {
			return filled("l (city, k, dt, uid, v)", 1+r.IntN(700), "substr('abcdef', cast(number % 6 + 1 AS int), 1)", "if(number % 11 = 3, NULL, cast(number * 13 % 37 AS int))", dt(r),
				fmt.Sprintf("if(number %% 8 = 1, NULL, (number + %d) %% 300)", r.IntN(1000)), "if(number % 6 = 0, NULL, cast(number % 200 - 100 AS int))")
		},
		indexes: []stored{{"r_k", "*", "SELECT k, dt, v FROM %s"}, {"r_v", "*", "SELECT v, city FROM %s"},
			{"m_c", "city_, k5_, sv_, n_, bitmap_to_string(u_)", "SELECT city, k %% 5, sum(v), count(*), bitmap_to_string(bitmap_union(to_bitmap(uid))) FROM %s GROUP BY city, k %% 5"}},
		steps: append([]string{
			"DELETE FROM l PARTITION (p1) WHERE k = 5", "DELETE FROM l WHERE city = 'd' AND v < 0", "DELETE FROM l WHERE city IN ('a', 'e') AND k > 20", "UPDATE l SET v = v + 1000 WHERE k = 7", "UPDATE l SET city = 'c', k = 1 WHERE city = 'b' AND k < 3",
			"INSERT OVERWRITE TABLE l PARTITION (p2) SELECT * FROM l PARTITION (p2) WHERE k > 10", "INSERT OVERWRITE TABLE l SELECT * FROM l WHERE v IS NULL OR v < 80", "INSERT OVERWRITE TABLE l PARTITION (*) SELECT * FROM l WHERE city = 'a'",
			"TRUNCATE TABLE l PARTITION (p3)", "ALTER TABLE l CONCATENATE", `ALTER TABLE l DROP PARTITION p3 FORCE; ALTER TABLE l ADD PARTITION p3 VALUES IN ("e", "f")`, `ALTER TABLE l DROP PARTITION p1 FORCE; ALTER TABLE l ADD PARTITION p1 VALUES IN ("a", "b", "x") DISTRIBUTED BY RANDOM BUCKETS 5`,
			`ALTER TABLE l ADD TEMPORARY PARTITION t2 VALUES IN ("c", "d"); INSERT INTO l TEMPORARY PARTITION (t2) SELECT * FROM l PARTITION (p2) WHERE k < 20; ALTER TABLE l REPLACE PARTITION (p2) WITH TEMPORARY PARTITION (t2)`,
			"ALTER TABLE l ORDER BY (k, city, dt, uid, v)", "ALTER TABLE l ORDER BY (city, k, dt, uid, v)", "ALTER TABLE l DROP ROLLUP r_k", "ALTER TABLE l ADD ROLLUP r_k (k, dt, v)", "DROP MATERIALIZED VIEW m_c ON l", cityView + "l GROUP BY city, k % 5",
			"ALTER TABLE l DROP PARTITION p1; RECOVER PARTITION p1 FROM l",
		}, replaceSteps("l", cityView+"other GROUP BY city, k % 5")...),
	}
	listed := &changing{
		table: "al",
		create: []string{
			`CREATE TABLE al (city VARCHAR(10) NOT NULL, k INT, dt DATE, v BIGINT SUM, hi INT MAX, last INT REPLACE) AGGREGATE KEY(city, k, dt)` + cities + `DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("replication_num"="1", "format"="orc")`,
			`ALTER TABLE al ADD ROLLUP r_c (city, v, hi), r_k (k, dt, v)`,
		},
		load: func(r *rand.Rand) string {
			return filled("al (city, k, dt, v, hi, last)", 1+r.IntN(700), "substr('abcdef', cast(number % 6 + 1 AS int), 1)", "if(number % 11 = 3, NULL, cast(number * 13 % 17 AS int))", dt(r), "if(number % 6 = 0, NULL, number - 100)", "cast(number % 90 AS int)", fmt.Sprint(r.IntN(1000)))
		},
		indexes: []stored{{"r_c", "*", "SELECT city, sum(v), max(hi) FROM %s GROUP BY city"}, {"r_k", "*", "SELECT k, dt, sum(v) FROM %s GROUP BY k, dt"}},
		steps: append([]string{
			"DELETE FROM al PARTITION (p1) WHERE k = 5", "DELETE FROM al WHERE city = 'b' AND dt > '2024-02-10'", "DELETE FROM al WHERE k IS NULL", "INSERT OVERWRITE TABLE al PARTITION (p2) SELECT * FROM al PARTITION (p2) WHERE k > 10", "TRUNCATE TABLE al PARTITION (p3)",
			"ALTER TABLE al CONCATENATE", `ALTER TABLE al DROP PARTITION p3 FORCE; ALTER TABLE al ADD PARTITION p3 VALUES IN ("e", "f")`, "ALTER TABLE al ADD COLUMN y BIGINT SUM DEFAULT '3'", "ALTER TABLE al DROP COLUMN y", "ALTER TABLE al DROP ROLLUP r_k", "ALTER TABLE al ADD ROLLUP r_k (k, dt, v)",
		}, replaceSteps("al", "")...),
	}
	for _, x := range []*changing{dup, agg, uniq} {
		view := ""
		if x == uniq {
			view = "CREATE MATERIALIZED VIEW m_k AS SELECT k AS k_, dt AS dt_, v + 1 AS v1_ FROM other ORDER BY k_"
		}
		x.steps = append(x.steps, replaceSteps(x.table, view)...)
	}
	return []*changing{dup, agg, uniq, ordered, list, listed}
}

const (
	cities   = ` PARTITION BY LIST(city) (PARTITION p1 VALUES IN ("a", "b"), PARTITION p2 VALUES IN ("c", "d"), PARTITION p3 VALUES IN ("e", "f")) `
	cityView = "CREATE MATERIALIZED VIEW m_c AS SELECT city AS city_, k % 5 AS k5_, sum(v) AS sv_, count(*) AS n_, bitmap_union(to_bitmap(uid)) AS u_ FROM "
)

// replaceSteps put another table, of the same form and some of the rows, in the place of one: with its rollups and the view that
// is made before or after it has rows, or without any.
func replaceSteps(table, view string) []string {
	const swap, drop = "", " PROPERTIES('swap' = 'false')"
	other := func(with, before, after, how string) string {
		sql := fmt.Sprintf("DROP TABLE IF EXISTS other FORCE; CREATE TABLE other LIKE %[1]s%[2]s; %[3]sINSERT INTO other SELECT * FROM %[1]s WHERE k > 4; %[4]sALTER TABLE %[1]s REPLACE WITH TABLE other%[5]s", table, with, before, after, how)
		return strings.TrimSuffix(sql, "; ")
	}
	if view == "" {
		return []string{other(" WITH ROLLUP", "", "", swap), other(" WITH ROLLUP", "", "", drop)}
	}
	return []string{other(" WITH ROLLUP", view+"; ", "", swap), other(" WITH ROLLUP", "", view+"; ", drop), other("", "", view+"; ", swap)}
}

// TestStored changes tables at random and compares, partition by partition, what each index holds with its definition over the
// table: what it has of them at any moment, and all of it when everything is built.
func TestStored(t *testing.T) {
	first, seeds, steps := uint64(1), uint64(1), 30
	if *long {
		seeds, steps = 10, 150
	}
	if *seed != 0 {
		first, seeds, steps = *seed, 1, 150
	}
	for s := first; s < first+seeds; s++ {
		for _, x := range changingTables() {
			t.Run(fmt.Sprintf("%s/%d", x.table, s), func(t *testing.T) {
				r := rand.New(rand.NewPCG(s, 9))
				e := open(t, "")
				e.exec("SET enable_materialized_view_rewrite = 0")
				e.exec(x.create...)
				done := 0
				for i := range steps {
					sql := x.load(r)
					if r.IntN(5) > 1 {
						sql = x.steps[r.IntN(len(x.steps))]
					}
					for _, part := range strings.Split(sql, "; ") {
						if _, err := e.s.Exec(t.Context(), part); err == nil {
							done++
						} else if sqlerr.Is(err, sqlerr.Syntax) || strings.Contains(err.Error(), "panic") {
							t.Fatalf("%v\n%s", err, part)
						} else { // there already, or not there
							t.Logf("%v\n%s", err, part)
							break
						}
					}
					if settled := i%4 == 3; settled {
						e.settle(x.table)
						e.holds(x, true, sql)
					} else {
						e.holds(x, false, sql)
					}
					if t.Failed() {
						return
					}
				}
				if done < steps/2 {
					t.Errorf("only %d of %d statements went through", done, steps)
				}
			})
		}
	}
}

// settle builds all that the indexes of a table miss.
func (e *engine) settle(table string) {
	e.Helper()
	if _, err := e.s.Exec(e.Context(), "ALTER TABLE "+table+" ADD ROLLUP settled (k, dt)"); err != nil {
		e.exec("ALTER TABLE " + table + " ADD ROLLUP settled (k, dt, s)") // all keys
	}
	e.exec("ALTER TABLE " + table + " DROP ROLLUP settled")
}

// holds compares the indexes of a table with what they shall hold. Partitions that are not in an index yet are left out, unless
// all must be.
func (e *engine) holds(x *changing, all bool, after string) {
	e.Helper()
	for _, row := range e.query("SHOW PARTITIONS FROM " + x.table) {
		name := strings.Split(row, "|")[1]
		for _, ix := range x.indexes {
			held, err := e.try(fmt.Sprintf("SELECT %s FROM %s INDEX %s PARTITION (%s)", ix.held, x.table, ix.name, name))
			if err != nil {
				late := strings.Contains(err.Error(), "does not have partition") || strings.Contains(err.Error(), "it is being built")
				if !strings.Contains(err.Error(), "does not have materialized view") && (!late || all) {
					e.Errorf("after %s: %v", after, err)
				}
				continue
			}
			want := e.sorted(fmt.Sprintf(ix.defined, x.table+" PARTITION ("+name+")"))
			slices.Sort(held)
			if !slices.Equal(held, want) {
				e.Errorf("after %s, partition %s: %s holds\n%q, not\n%q", after, name, ix.name, differ(held, want), differ(want, held))
			}
		}
	}
}

// differ are the first rows of a that b does not have, with how many there are of each.
func differ(a, b []string) []string {
	out := []string{fmt.Sprintf("%d rows", len(a))}
	for _, r := range a {
		if !slices.Contains(b, r) && len(out) < 6 {
			out = append(out, r)
		}
	}
	return out
}

// TestBuiltMeanwhile adds indexes to a table that is large enough to be indexed in the background, and loads, deletes and reads on.
// Then the disk breaks, so that the process ends in the midst of a build, and another one goes on.
func TestBuiltMeanwhile(t *testing.T) {
	rows := 1<<20 + 50_000
	dir := t.TempDir()
	e := open(t, dir)
	e.exec(`CREATE TABLE b (dt DATE NOT NULL, k INT, s INT, v INT) DUPLICATE KEY(dt, k)`+partitions+`DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("replication_num"="1")`,
		filled("b", rows, "date_add('2024-01-01', cast(number % 90 AS int))", "cast(number % 1000 AS int)", "cast(number % 17 AS int)", "cast(number % 100 AS int)"), "SET enable_materialized_view_rewrite = 0")
	x := &changing{table: "b", indexes: []stored{
		{"r_s", "s, sum(v), count(*)", "SELECT s, sum(v), count(*) FROM %s GROUP BY s"}, {"m_s", "*", "SELECT s, sum(v), count(*) FROM %s GROUP BY s"},
	}}
	grouped := *x
	x.indexes = x.indexes[1:]
	e.exec("ALTER TABLE b ADD ROLLUP r_s (s, v)", "CREATE MATERIALIZED VIEW m_s AS SELECT s AS s_, sum(v) AS v_, count(*) AS n_ FROM b GROUP BY s")
	var wg sync.WaitGroup
	wg.Go(func() {
		o := &engine{t, e.db, e.db.NewSession(sessionOptions), e.disk}
		for i := range 4 {
			o.exec(filled("b", 1000, "date_add('2024-01-01', cast(number % 90 AS int))", fmt.Sprint(i), "cast(number % 17 AS int)", "1"), fmt.Sprintf("DELETE FROM b PARTITION (p2) WHERE k = %d", 500+i))
		}
	})
	for range 3 {
		e.exec("SET enable_materialized_view_rewrite = 1")
		got := e.sorted("SELECT s, count(*) - count(*) FROM b GROUP BY s")
		e.exec("SET enable_materialized_view_rewrite = 0")
		if len(got) != 17 {
			t.Errorf("%q", got)
		}
	}
	wg.Wait()
	e.finished()
	e.holds(x, true, "the build")
	e.total(&grouped)
	// The disk breaks in the midst of a build.
	e.exec("DROP MATERIALIZED VIEW m_s ON b", "CREATE MATERIALIZED VIEW m_s AS SELECT s AS s_, sum(v) AS v_, count(*) AS n_ FROM b GROUP BY s")
	e.disk.Fail(full)
	_ = e.db.Close()
	e = open(t, dir)
	e.exec("SET enable_materialized_view_rewrite = 0")
	e.finished()
	e.holds(x, true, "a restart")
}

// finished waits for the jobs that build indexes, and for what deletes left to build.
func (e *engine) finished() {
	e.Helper()
	for {
		jobs := strings.Join(e.query("SHOW ALTER TABLE ROLLUP"), "\n")
		if strings.Contains(jobs, "CANCELLED") {
			e.Fatal(jobs)
		}
		if strings.Contains(jobs, "PENDING") || strings.Contains(jobs, "RUNNING") {
			continue
		}
		if _, err := e.try("SELECT count(*) FROM b INDEX m_s"); err == nil {
			return
		} else if !strings.Contains(err.Error(), "yet") {
			e.Fatal(err)
		}
	}
}

// total compares rollups that keep every row by their sums.
func (e *engine) total(x *changing) {
	e.Helper()
	got, want := e.sorted("SELECT s, sum(v), count(*) FROM b INDEX r_s GROUP BY s"), e.sorted(fmt.Sprintf(x.indexes[0].defined, "b"))
	if !slices.Equal(got, want) {
		e.Errorf("r_s holds %q, not %q", differ(got, want), differ(want, got))
	}
}
