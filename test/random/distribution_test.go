package random

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// TestRandomJoinDistribution joins partitioned and bucketed tables in every way under every
// distribution, number of instances, subset of rules and memory limit: the rows must be those
// of the reference.
func TestRandomJoinDistribution(t *testing.T) {
	first, seeds := uint64(1), uint64(6)
	switch {
	case *seed != 0:
		first, seeds = *seed, 1
	case *long:
		seeds = 50 // times 20 queries
	}
	compared, skipped, byBucket := 0, 0, 0
	for s := first; s < first+seeds; s++ {
		c, k, b := runJoins(t, s)
		byBucket += b
		compared += c
		skipped += k
		if t.Failed() {
			t.Logf("go test ./test/random -run TestRandomJoinDistribution -args -seed %d", s)
			return
		}
	}
	t.Logf("%d queries compared, %d of them ran bucket by bucket, %d skipped", compared, byBucket, skipped)
	if *seed == 0 && byBucket < compared/20 {
		t.Errorf("only %d of %d queries ran bucket by bucket", byBucket, compared)
	}
	if compared < 4*skipped {
		t.Errorf("too many queries were skipped: %d of %d", skipped, compared+skipped)
	}
}

const joinsPerSeed = 20

// joinTables are the statements that make the tables of a seed: in colocate groups by one column
// and by two, bucketed at random, and not at all, each partitioned in some way.
func joinTables(r *rand.Rand, tables int) []string {
	var out []string
	buckets := []int{1 + r.IntN(6), 1 + r.IntN(4)}
	for i := range tables {
		name := fmt.Sprintf("t%d", i)
		partition := []string{
			"",
			` PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ("2024-01-03"), PARTITION p2 VALUES LESS THAN ("2024-01-05"), PARTITION p3 VALUES LESS THAN (MAXVALUE))`,
			` PARTITION BY LIST(part) (PARTITION a VALUES IN ("0", "1"), PARTITION b VALUES IN ("2"))`,
		}[r.IntN(3)]
		distribution := []string{
			fmt.Sprintf(`DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("colocate_with" = "one")`, buckets[0]),
			fmt.Sprintf(`DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("colocate_with" = "one")`, buckets[0]),
			fmt.Sprintf(`DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("colocate_with" = "one")`, buckets[0]),
			fmt.Sprintf(`DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("colocate_with" = "one")`, buckets[0]),
			fmt.Sprintf(`DISTRIBUTED BY HASH(id, k) BUCKETS %d PROPERTIES ("colocate_with" = "two")`, buckets[1]),
			fmt.Sprintf(`DISTRIBUTED BY HASH(id) BUCKETS %d`, 1+r.IntN(5)),
			fmt.Sprintf(`DISTRIBUTED BY HASH(s) BUCKETS %d`, 1+r.IntN(5)),
			fmt.Sprintf(`DISTRIBUTED BY RANDOM BUCKETS %d`, 1+r.IntN(3)),
		}[r.IntN(8)]
		out = append(out, fmt.Sprintf(
			`CREATE TABLE %s (dt DATE NOT NULL, part INT NOT NULL, id INT, k INT, s VARCHAR(10), v BIGINT) DUPLICATE KEY(dt, part, id)%s %s`,
			name, partition, distribution))
		for range r.IntN(3) {
			rows := make([]string, 1+r.IntN(30))
			for j := range rows {
				rows[j] = fmt.Sprintf("('2024-01-0%d', %d, %s, %s, %s, %d)", 1+r.IntN(7), r.IntN(3),
					orNull(r, r.IntN(9)), orNull(r, r.IntN(4)), orNull(r, fmt.Sprintf("'s%d'", r.IntN(5))), r.IntN(100))
			}
			out = append(out, fmt.Sprintf("INSERT INTO %s VALUES %s", name, strings.Join(rows, ", ")))
		}
	}
	return out
}

func orNull(r *rand.Rand, x any) string {
	if r.IntN(7) == 0 {
		return "NULL"
	}
	return fmt.Sprint(x)
}

// joinQuery is a query with {h} where a hint may stand that the kind of join takes, {s} where only
// [shuffle] may.
func joinQuery(r *rand.Rand, tables int) string {
	kinds := []struct{ words, hint string }{
		{"JOIN", "{h}"}, {"JOIN", "{h}"}, {"LEFT JOIN", "{h}"}, {"RIGHT JOIN", "{s}"}, {"FULL JOIN", "{s}"},
		{"LEFT SEMI JOIN", "{h}"}, {"LEFT ANTI JOIN", "{h}"}, {"RIGHT SEMI JOIN", "{s}"}, {"RIGHT ANTI JOIN", "{s}"},
	}
	source := func() string {
		t := fmt.Sprintf("t%d", r.IntN(tables))
		switch r.IntN(8) {
		case 0:
			return fmt.Sprintf("(SELECT id, k, min(s) AS s, min(dt) AS dt, sum(v) AS v FROM %s GROUP BY id, k)", t)
		case 1:
			return fmt.Sprintf("(SELECT id, k, s, dt, v FROM %s WHERE %s)", t, condition(r, ""))
		}
		return t
	}
	from := source() + " a0"
	visible := []string{"a0"}
	for i := range 1 + r.IntN(3) {
		kind := kinds[r.IntN(len(kinds))]
		right := fmt.Sprintf("a%d", i+1)
		from += fmt.Sprintf(" %s %s %s %s ON %s", kind.words, kind.hint, source(), right, on(r, visible, right))
		switch {
		case strings.HasPrefix(kind.words, "RIGHT SEMI"), strings.HasPrefix(kind.words, "RIGHT ANTI"):
			visible = []string{right}
		case strings.Contains(kind.words, "SEMI"), strings.Contains(kind.words, "ANTI"):
		default:
			visible = append(visible, right)
		}
	}
	where := ""
	if r.IntN(2) == 0 {
		where = " WHERE " + condition(r, visible[r.IntN(len(visible))]+".")
	}
	a := visible[r.IntN(len(visible))]
	z := visible[r.IntN(len(visible))]
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("SELECT %s.id AS g, count(*) AS n, sum(%s.v) AS s, count(DISTINCT %s.k) AS d FROM %s%s GROUP BY %s.id", a, z, z, from, where, a)
	case 1:
		return fmt.Sprintf("SELECT %s.id AS g, %s.k AS h, count(%s.v) AS n FROM %s%s GROUP BY %s.id, %s.k", a, a, z, from, where, a, a)
	case 2:
		return fmt.Sprintf("SELECT %s.id AS g, %s.k AS h, count(*) AS n FROM %s%s GROUP BY ROLLUP(%s.id, %s.k)", a, a, from, where, a, a)
	case 3:
		return fmt.Sprintf("SELECT DISTINCT %s.id AS g, %s.s AS s FROM %s%s", a, z, from, where)
	}
	return fmt.Sprintf("SELECT %s.id AS g, %s.k AS k, %s.v AS v, %s.dt AS dt FROM %s%s", a, z, z, a, from, where)
}

// on joins some visible relation with right, mostly on what tables are bucketed by.
func on(r *rand.Rand, visible []string, right string) string {
	l := func() string { return visible[r.IntN(len(visible))] }
	out := []string{
		fmt.Sprintf("%s.id = %s.id", l(), right),
		fmt.Sprintf("%s.id = %s.id AND %s.k = %s.k", l(), right, l(), right),
		fmt.Sprintf("%s.id = %s.id AND %s.dt = %s.dt", l(), right, l(), right),
		fmt.Sprintf("%s.k = %s.id AND %s.id = %s.k", l(), right, l(), right),
		fmt.Sprintf("%s.id <=> %s.id", l(), right),
		fmt.Sprintf("%s.s = %s.s", l(), right),
		fmt.Sprintf("%s.id + 1 = %s.id", l(), right),
		fmt.Sprintf("%s.id = %s.id", l(), right),
	}[r.IntN(8)]
	switch r.IntN(5) {
	case 0:
		out += fmt.Sprintf(" AND %s.v < %s.v", l(), right)
	case 1:
		out += " AND " + condition(r, right+".")
	}
	return out
}

func condition(r *rand.Rand, prefix string) string {
	return []string{
		fmt.Sprintf("%sid = %d", prefix, r.IntN(9)),
		fmt.Sprintf("%sid IN (%d, %d)", prefix, r.IntN(9), r.IntN(9)),
		fmt.Sprintf("%sdt >= '2024-01-0%d'", prefix, 1+r.IntN(7)),
		fmt.Sprintf("%sdt < '2024-01-0%d'", prefix, 1+r.IntN(7)),
		fmt.Sprintf("%sk IS NULL", prefix),
		fmt.Sprintf("%sid = %d AND %sk = %d", prefix, r.IntN(9), prefix, r.IntN(4)),
		fmt.Sprintf("%sv > %d", prefix, r.IntN(90)),
	}[r.IntN(7)]
}

// hinted puts hints where q may have some.
func hinted(r *rand.Rand, q string, with bool) string {
	for _, place := range []string{"{h}", "{s}"} {
		for strings.Contains(q, place) {
			choices := []string{"[shuffle]", "[broadcast]", ""}
			if place == "{s}" {
				choices = []string{"[shuffle]", ""}
			}
			hint := ""
			if with {
				hint = choices[r.IntN(len(choices))]
			}
			q = strings.Replace(q, place, hint, 1)
		}
	}
	return q
}

func joinSettings(r *rand.Rand) map[string]string {
	s := randomSettings(r)
	s["disable_colocate_plan"] = fmt.Sprint(r.IntN(4) / 3)
	s["enable_bucket_shuffle_join"] = fmt.Sprint(min(1, r.IntN(4)))
	s["bucket_shuffle_downgrade_ratio"] = []string{"0", "0.8"}[r.IntN(2)]
	s["bucket_run_min_rows"] = []string{"1", "1", "50000"}[r.IntN(3)]
	s["prefer_join_method"] = []string{"broadcast", "shuffle"}[r.IntN(2)]
	s["exec_mem_limit"] = []string{"1M", "4M", "2G"}[r.IntN(3)]
	return s
}

func runJoins(t *testing.T, seed uint64) (compared, skipped, byBucket int) {
	r := rand.New(rand.NewPCG(seed, 4711))
	db, err := basalt.Open(t.TempDir(), basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	tables := 4
	for _, sql := range append([]string{"CREATE DATABASE d", "USE d"}, joinTables(r, tables)...) {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, sql)
		}
	}
	for range joinsPerSeed {
		q := joinQuery(r, tables)
		plain := hinted(r, q, false)
		if *only != "" {
			q, plain = *only, *only
		}
		if *verbose {
			t.Log(q)
		}
		s.Reset()
		if _, err := s.Exec(context.Background(), "USE d"); err != nil {
			t.Fatal(err)
		}
		want, err := reference(s, plain, false)
		if err != nil {
			if !harmless(err) {
				t.Errorf("seed %d: reference: %v\n%s", seed, err, plain)
				return
			}
			skipped++
			continue
		}
		for i := range 4 {
			sql, settings := plain, map[string]string{"bucket_run_min_rows": "1", "parallel_pipeline_task_num": "1"}
			if i == 0 {
				lines, err := engineIn(s, "d", "EXPLAIN VERBOSE "+sql, settings)
				if err != nil {
					t.Errorf("seed %d: %v\n%s", seed, err, sql)
					return
				}
				if strings.Contains(strings.Join(lines, ""), "bucket by bucket") {
					byBucket++
				}
			}
			if i > 0 {
				sql, settings = hinted(r, q, i > 1), joinSettings(r)
			}
			got, err := engineIn(s, "d", sql, settings)
			switch {
			case err != nil && outOfMemory(err) && settings["exec_mem_limit"] != "2G":
			case err != nil:
				t.Errorf("seed %d, settings %v: %v\n%s", seed, settings, err, sql)
			case !slices.Equal(got, want):
				t.Errorf("seed %d, settings %v\n%s\ngot  %d rows %q\nwant %d rows %q", seed, settings, sql, len(got), cut(got), len(want), cut(want))
			}
			if t.Failed() {
				return
			}
		}
		compared++
	}
	return
}

// engineIn is engine with a database to USE.
func engineIn(s *basalt.Session, database, sql string, settings map[string]string) ([]string, error) {
	s.Reset()
	if _, err := s.Exec(context.Background(), "USE "+database); err != nil {
		return nil, err
	}
	return engineAgain(s, sql, settings, false)
}

func outOfMemory(err error) bool {
	var e *sqlerr.Error
	return errors.As(err, &e) && e.Code == sqlerr.OutOfMemory
}
