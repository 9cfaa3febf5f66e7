// Package bitmap compares bitmaps with plain SQL over their exploded ids.
package bitmap

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

var (
	seed   = flag.Uint64("seed", 1, "of the data and questions")
	rounds = flag.Int("rounds", 2, "data sets")
)

type engine struct {
	t *testing.T
	s *basalt.Session
}

func open(t *testing.T, dir string) *engine {
	t.Helper()
	db, err := basalt.Open(dir, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := db.NewSession(basalt.SessionOptions{})
	t.Cleanup(s.Close)
	return &engine{t, s}
}

func (e *engine) exec(sql string) {
	e.t.Helper()
	if _, err := e.s.Exec(context.Background(), sql); err != nil {
		e.t.Fatalf("%.200s: %v", sql, err)
	}
}

// rows is a query's rows as sorted text.
func (e *engine) rows(sql string) []string {
	e.t.Helper()
	r, err := e.s.Query(context.Background(), sql)
	if err != nil {
		e.t.Fatalf("%.300s: %v", sql, err)
	}
	defer r.Close()
	var out []string
	for r.Next(context.Background()) {
		line := ""
		for c := range r.Columns() {
			b, null := r.AppendText(nil, c)
			if null {
				b = []byte("NULL")
			}
			line += string(b) + "|"
		}
		out = append(out, line)
	}
	if err := r.Err(); err != nil {
		e.t.Fatalf("%.300s: %v", sql, err)
	}
	slices.Sort(out)
	return out
}

func (e *engine) same(bitmaps, plain string) {
	e.t.Helper()
	if x, y := e.rows(bitmaps), e.rows(plain); !slices.Equal(x, y) {
		e.t.Errorf("seed %d: go test ./test/bitmap -seed %d\n%s\n%.500v\n%s\n%.500v", *seed, *seed, bitmaps, x, plain, y)
	}
}

// fill makes ids(g, k, id), rows of NULL and negative ids among them, and sets(g, k, b, n) with a bitmap of each k.
func (e *engine) fill(r *rand.Rand, format string) {
	e.exec("DROP TABLE IF EXISTS ids")
	e.exec("DROP TABLE IF EXISTS sets")
	e.exec("CREATE TABLE ids (g INT, k INT, id BIGINT) STORED AS " + format)
	e.exec("CREATE TABLE sets (g INT, k INT, b BITMAP) STORED AS " + format)
	spans := []int64{10, 1000, 70_000, 300_000, 1 << 33, 1 << 60}
	for k := range 12 {
		span, n := spans[r.IntN(len(spans))], []int{1, 5, 300, 5000}[r.IntN(4)]
		step := 1 + r.Int64N(span/int64(n)+1)
		salt := r.Int64N(span)
		// Runs where the step is one; some ids again, some below 0, some NULL.
		e.exec(fmt.Sprintf(`INSERT INTO ids SELECT %d, %d, CASE number %% 97 WHEN 5 THEN NULL WHEN 7 THEN -number ELSE (number * %d + %d) %% %d END FROM numbers("number" = "%d")`,
			k%4, k, step, salt, span, n+n/3))
	}
	e.exec("INSERT INTO ids VALUES (3, 100, NULL), (4, 101, -1), (4, 101, 4294967296), (4, 101, 9223372036854775807)")
	e.exec("INSERT INTO sets SELECT g, k, bitmap_union(to_bitmap(id)) FROM ids GROUP BY g, k")
}

const valid = "(SELECT DISTINCT g, k, id FROM ids WHERE id >= 0) v"

func TestRandomAlgebra(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 1))
	for round := range *rounds {
		e := open(t, t.TempDir())
		e.fill(r, []string{"PARQUET", "ORC"}[round%2])
		for _, set := range []string{"SET parallel_pipeline_task_num = 1", "SET parallel_pipeline_task_num = 4, batch_size = 101", "SET enable_force_spill = 1"} {
			e.exec(set)
			e.check(r)
		}
	}
}

func (e *engine) check(r *rand.Rand) {
	e.same("SELECT k, bitmap_count(b) FROM sets", "SELECT a.k, count(DISTINCT v.id) FROM (SELECT DISTINCT k FROM ids) a LEFT JOIN "+valid+" ON a.k = v.k GROUP BY a.k")
	e.same("SELECT k, x FROM sets LATERAL VIEW explode_bitmap(b) t AS x", "SELECT k, id FROM "+valid)
	e.same("SELECT g, bitmap_union_count(b) FROM sets GROUP BY g", "SELECT a.g, count(DISTINCT v.id) FROM (SELECT DISTINCT g FROM ids) a LEFT JOIN "+valid+" ON a.g = v.g GROUP BY a.g")
	e.same("SELECT count(DISTINCT b) FROM sets", "SELECT count(DISTINCT id) FROM ids WHERE id >= 0")
	e.same("SELECT g, bitmap_union_int(id), bitmap_count(bitmap_agg(id)) FROM ids GROUP BY g", "SELECT g, count(DISTINCT id), count(DISTINCT CASE WHEN id >= 0 THEN id END) FROM ids GROUP BY g")
	e.same("SELECT k, bitmap_min(b), bitmap_max(b) FROM sets WHERE bitmap_count(b) > 0", "SELECT k, min(id), max(id) FROM ids WHERE id >= 0 GROUP BY k")
	e.same("SELECT g, x FROM (SELECT g, bitmap_intersect(b) AS b FROM sets GROUP BY g) s LATERAL VIEW explode_bitmap(b) t AS x",
		"SELECT v.g, id FROM "+valid+" JOIN (SELECT g, count(DISTINCT k) AS n FROM ids GROUP BY g) a ON v.g = a.g GROUP BY v.g, id, n HAVING count(DISTINCT k) = n")
	e.same("SELECT g, x FROM (SELECT g, group_bitmap_xor(b) AS b FROM sets GROUP BY g) s LATERAL VIEW explode_bitmap(b) t AS x",
		"SELECT g, id FROM "+valid+" GROUP BY g, id HAVING count(DISTINCT k) % 2 = 1")
	i, j := r.IntN(12), r.IntN(12)
	pair := fmt.Sprintf("FROM (SELECT b AS x FROM sets WHERE k = %d) p JOIN (SELECT b AS y FROM sets WHERE k = %d) q", i, j)
	left := fmt.Sprintf("(SELECT DISTINCT id FROM ids WHERE k = %d AND id >= 0)", i)
	right := fmt.Sprintf("(SELECT DISTINCT id FROM ids WHERE k = %d AND id >= 0)", j)
	sets := map[string]string{
		"bitmap_and":     "SELECT id FROM " + left + " l WHERE id IN " + right,
		"bitmap_or":      "SELECT id FROM " + left + " l UNION SELECT id FROM " + right + " r",
		"bitmap_and_not": "SELECT id FROM " + left + " l WHERE id NOT IN " + right,
		"bitmap_xor":     "SELECT id FROM " + left + " l WHERE id NOT IN " + right + " UNION ALL SELECT id FROM " + right + " r WHERE id NOT IN " + left,
	}
	for f, plain := range sets {
		e.same(fmt.Sprintf("SELECT z FROM (SELECT %s(x, y) AS b %s) s LATERAL VIEW explode_bitmap(b) t AS z", f, pair), plain)
		e.same(fmt.Sprintf("SELECT %s_count(x, y) %s", f, pair), "SELECT count(*) FROM ("+plain+") p")
	}
	e.same("SELECT bitmap_has_any(x, y), bitmap_has_all(x, y) "+pair, "SELECT (SELECT count(*) FROM ("+sets["bitmap_and"]+") p) > 0, (SELECT count(*) FROM "+right+" r WHERE id NOT IN "+left+") = 0")
	e.same(fmt.Sprintf("SELECT intersect_count(b, k, %d, %d) FROM sets", i, j), "SELECT count(*) FROM ("+sets["bitmap_and"]+") p")
	lo := []int64{0, 5, 65536, 1 << 33}[r.IntN(4)]
	hi := lo + 1 + r.Int64N(100_000)
	e.same(fmt.Sprintf("SELECT k, z FROM sets LATERAL VIEW explode_bitmap(bitmap_subset_in_range(b, %d, %d)) t AS z", lo, hi),
		fmt.Sprintf("SELECT k, id FROM %s WHERE id >= %d AND id < %d", valid, lo, hi))
	n, skip := 1+r.IntN(400), r.IntN(400)
	e.same(fmt.Sprintf("SELECT k, z FROM sets LATERAL VIEW explode_bitmap(bitmap_subset_limit(b, %d, %d)) t AS z", lo, n),
		fmt.Sprintf("SELECT k, id FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) AS p FROM %s WHERE id >= %d) s WHERE p <= %d", valid, lo, n))
	e.same(fmt.Sprintf("SELECT k, z FROM sets LATERAL VIEW explode_bitmap(sub_bitmap(b, %d, %d)) t AS z", skip, n),
		fmt.Sprintf("SELECT k, id FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) AS p FROM %s) s WHERE p > %d AND p <= %d", valid, skip, skip+n))
	e.same("SELECT k, bitmap_contains(b, bitmap_max(b)), bitmap_contains(bitmap_remove(b, bitmap_max(b)), bitmap_max(b)) FROM sets WHERE bitmap_count(b) > 0",
		"SELECT DISTINCT k, 1, 0 FROM "+valid)
	e.same("SELECT k, bitmap_to_string(b) FROM sets WHERE bitmap_count(b) BETWEEN 1 AND 1000",
		"SELECT k, group_concat(CAST(id AS STRING) ORDER BY id SEPARATOR ',') FROM "+valid+" GROUP BY k HAVING count(*) <= 1000")
	e.same("SELECT k, bitmap_count(bitmap_from_base64(bitmap_to_base64(b))), bitmap_count(bitmap_from_string(bitmap_to_string(b))), bitmap_count(bitmap_from_array(bitmap_to_array(b))) FROM sets",
		"SELECT k, bitmap_count(b), bitmap_count(b), bitmap_count(b) FROM sets")
}

// TestDenseDistinct: count(DISTINCT x) by bitmaps and by hash sets.
func TestDenseDistinct(t *testing.T) {
	e := open(t, t.TempDir())
	e.exec("CREATE TABLE events (d INT, p SMALLINT, u INT, w BIGINT) STORED AS PARQUET")
	e.exec(`INSERT INTO events SELECT number % 7, CASE WHEN number % 11 = 3 THEN NULL ELSE CAST(pow(number * 48271 % 2147483647 / 2147483647.0E0, 2) * 20 AS SMALLINT) END,
  CAST(number * 69621 % 2147483629 % 150000 AS INT) - 75000, CASE WHEN number % 13 = 0 THEN NULL ELSE number * 7 % 300000 END FROM numbers("number" = "120000")`)
	queries := []string{
		"SELECT p, count(DISTINCT u) FROM events GROUP BY p",
		"SELECT p, count(DISTINCT u), count(DISTINCT w), sum(w), count(*) FROM events GROUP BY p",
		"SELECT count(DISTINCT u), count(DISTINCT w) FROM events WHERE d < 3",
		"SELECT d, count(DISTINCT u) FROM events GROUP BY ROLLUP(d)",
		"SELECT p, count(DISTINCT CASE WHEN d = 1 THEN u END) FROM events GROUP BY p",
	}
	plan := strings.Join(e.rows("EXPLAIN "+queries[1]), "\n")
	if strings.Count(plan, "bitmap_union_int") < 2 {
		t.Errorf("no bitmaps in the plan:\n%s", plan)
	}
	var want [][]string
	e.exec("SET optimizer_disable = 'bitmap_aggregates'")
	for _, q := range queries {
		want = append(want, e.rows(q))
	}
	e.exec("SET optimizer_disable = ''")
	for _, set := range []string{"SET parallel_pipeline_task_num = 1", "SET parallel_pipeline_task_num = 3", "SET batch_size = 61", "SET enable_force_spill = 1"} {
		e.exec(set)
		for i, q := range queries {
			if got := e.rows(q); !slices.Equal(got, want[i]) {
				t.Errorf("%s, %s: %v, want %v", set, q, got, want[i])
			}
		}
	}
}
