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
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/test/refeval"
)

// inferenceTables hold the same kinds of rows in every layout: a partitioned by range, b by list, c in
// buckets only. id is the partition column, h the bucket column, x a plain one.
var inferenceTables = []string{
	`CREATE TABLE a (id INT, h INT, x INT, n INT) DUPLICATE KEY(id) PARTITION BY RANGE(id) (PARTITION p0 VALUES LESS THAN ("2"), PARTITION p1 VALUES LESS THAN ("4"), PARTITION p2 VALUES LESS THAN ("5"), PARTITION p3 VALUES LESS THAN MAXVALUE) DISTRIBUTED BY HASH(h) BUCKETS 3`,
	`CREATE TABLE b (id INT, h INT, x INT, n INT) DUPLICATE KEY(id) PARTITION BY LIST(id) (PARTITION p0 VALUES IN (NULL, "0", "1"), PARTITION p1 VALUES IN ("2", "3", "4"), PARTITION p2 VALUES IN ("5"), PARTITION p3 VALUES IN ("6", "7", "8", "9")) DISTRIBUTED BY HASH(h) BUCKETS 2`,
	`CREATE TABLE c (id INT, h INT, x INT, n INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(h) BUCKETS 4`,
}

func inferenceSession(t *testing.T) *basalt.Session {
	t.Helper()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := db.NewSession(basalt.SessionOptions{})
	r := rand.New(rand.NewPCG(7, 7))
	value := func() string {
		if r.IntN(8) == 0 {
			return "NULL"
		}
		return fmt.Sprint(r.IntN(10))
	}
	for i, create := range inferenceTables {
		if _, err := s.Exec(context.Background(), create); err != nil {
			t.Fatal(err)
		}
		var rows []string
		for k := range 40 {
			rows = append(rows, fmt.Sprintf("(%s, %s, %s, %d)", value(), value(), value(), k))
		}
		if _, err := s.Exec(context.Background(), fmt.Sprintf("INSERT INTO %c VALUES %s", 'a'+i, strings.Join(rows, ", "))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// joinForms are ways to join l with r on l.{col} = r.{col}. The condition is in the place of {where} or {on}. The four
// flags tell which side a condition must reach from the other: WHERE on the left to the right, WHERE on the right
// to the left, ON on the left to the right, ON on the right to the left.
var joinForms = []struct {
	name, sql                                string
	whereLeft, whereRight, onLeft, onRight   bool
	noWhereRight, noWhereLeft, noOn, noRight bool // the form has no such place
}{
	{name: "inner", sql: "SELECT l.n, r.n FROM {l} l JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, whereRight: true, onLeft: true, onRight: true},
	{name: "cross", sql: "SELECT l.n, r.n FROM {l} l, {r} r {where} AND l.{col} = r.{col}", whereLeft: true, whereRight: true, noOn: true},
	{name: "left", sql: "SELECT l.n, r.n FROM {l} l LEFT JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, whereRight: true, onLeft: true},
	{name: "right", sql: "SELECT l.n, r.n FROM {l} l RIGHT JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, whereRight: true, onRight: true},
	{name: "full", sql: "SELECT l.n, r.n FROM {l} l FULL JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, whereRight: true},
	{name: "left semi", sql: "SELECT l.n FROM {l} l LEFT SEMI JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, onLeft: true, onRight: true, noWhereRight: true},
	{name: "left anti", sql: "SELECT l.n FROM {l} l LEFT ANTI JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereLeft: true, onLeft: true, noWhereRight: true},
	{name: "right semi", sql: "SELECT r.n FROM {l} l RIGHT SEMI JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereRight: true, onLeft: true, onRight: true, noWhereLeft: true},
	{name: "right anti", sql: "SELECT r.n FROM {l} l RIGHT ANTI JOIN {r} r ON l.{col} = r.{col} {on} {where}", whereRight: true, onRight: true, noWhereLeft: true},
	{name: "not in", sql: "SELECT l.n FROM {l} l {where} AND l.{col} NOT IN (SELECT r.{col} FROM {r} r)", noOn: true, noWhereRight: true},
	{name: "mark", sql: "SELECT l.n FROM {l} l {where} AND (l.{col} IN (SELECT r.{col} FROM {r} r) OR l.n = 3)", noOn: true, noWhereRight: true},
}

// TestInferenceMatrix runs every kind of join with conditions in every place, on partition, bucket and plain columns: the
// other side gets the condition where the kind of join allows, nowhere else, and rows are those of the
// reference whatever is switched off.
func TestInferenceMatrix(t *testing.T) {
	s := inferenceSession(t)
	conds := []string{"{c} = 3", "{c} IN (2, 5)", "{c} BETWEEN 2 AND 6", "{c} < 4", "{c} IS NOT NULL"}
	pairs := [][2]string{{"a", "b"}, {"b", "c"}, {"c", "a"}}
	for i, f := range joinForms {
		for k, col := range []string{"id", "h", "x"} {
			for m, cond := range conds {
				pair := pairs[(i+k+m)%len(pairs)]
				places := []struct {
					side, place string
					reaches     bool
					missing     bool
				}{
					{"l", "where", f.whereLeft, f.noWhereLeft}, {"r", "where", f.whereRight, f.noWhereRight},
					{"l", "on", f.onLeft, f.noOn}, {"r", "on", f.onRight, f.noOn},
				}
				for _, p := range places {
					if p.missing {
						continue
					}
					text := strings.ReplaceAll(cond, "{c}", p.side+"."+col)
					on, where := "", ""
					if p.place == "on" {
						on = "AND " + text
					} else {
						where = "WHERE " + text
					}
					sql := strings.NewReplacer("{l}", pair[0], "{r}", pair[1], "{col}", col, "{on}", on, "{where}", where).Replace(f.sql)
					compareSettings(t, s, sql)
					other := "r"
					if p.side == "r" {
						other = "l"
					}
					if got := reached(t, s, sql, other, col); got != p.reaches {
						t.Errorf("%s, %s in %s: the other side has the condition: %t, want %t\n%s", f.name, cond, p.place, got, p.reaches, sql)
					}
				}
			}
		}
	}
}

// compareSettings runs a query as it is, without inference, and without pruning, and compares the rows
// with those of the reference.
func compareSettings(t *testing.T, s *basalt.Session, sql string) {
	t.Helper()
	want, err := reference(s, sql, false)
	if errors.Is(err, refeval.ErrTooSlow) {
		return
	}
	if err != nil {
		t.Fatalf("reference: %v\n%s", err, sql)
	}
	for _, settings := range []map[string]string{
		{"enable_runtime_filter": "0"}, {"enable_infer_predicate": "0"}, {"optimizer_disable": "prune_partitions", "enable_runtime_filter": "0"},
		{"optimizer_disable": "simplify_outer_joins,pushdown_filter"}, nil,
	} {
		got, err := engine(s, sql, settings, false)
		if err != nil {
			t.Fatalf("%v: %v\n%s", settings, err, sql)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %s\ngot  %d rows %q\nwant %d rows %q", settings, sql, len(got), cut(got), len(want), cut(want))
		}
	}
}

// reached reports whether the scan of a table, by its alias, has a condition on the column.
func reached(t *testing.T, s *basalt.Session, sql, alias, col string) bool {
	t.Helper()
	lines, err := engine(s, "EXPLAIN "+sql, nil, true)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	inTable := false
	for _, l := range lines {
		l = strings.Trim(l, `"`)
		switch {
		case strings.Contains(l, "TABLE: "):
			inTable = strings.HasSuffix(l, " "+alias)
		case inTable && strings.Contains(l, "PREDICATES: "):
			return strings.Contains(l, alias+"."+col)
		}
	}
	return false
}

// TestInferenceOfParameters: values of a prepared statement are constants of each run, no more.
func TestInferenceOfParameters(t *testing.T) {
	s := inferenceSession(t)
	ctx := context.Background()
	sql := "SELECT count(*), sum(r.n) FROM a l JOIN b r ON l.id = r.id WHERE l.id = "
	list, err := s.Parse(sql + "?")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{3, 5, 99, 0} {
		rows, err := s.Execute(ctx, list[0], []vector.Value{vector.IntValue(sqltype.T(sqltype.BigInt), id)})
		if err != nil {
			t.Fatal(err)
		}
		b, err := rows.NextBatch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := rowText([]vector.Value{b.Cols[0].Value(b.Row(0)), b.Cols[1].Value(b.Row(0))})
		rows.Close()
		if want, err := reference(s, sql+fmt.Sprint(id), false); err != nil || got != want[0] {
			t.Errorf("%d: got %s, want %q, %v", id, got, want, err)
		}
	}
}

// TestInferenceRandom joins three of the tables in random ways, with conditions of every form in every place.
func TestInferenceRandom(t *testing.T) {
	s := inferenceSession(t)
	r := rand.New(rand.NewPCG(11, *seed))
	n := 150
	switch {
	case *long:
		n = 1500
	case testing.Short():
		n = 40
	}
	col := func(t string) string { return t + "." + pickOf(r, "id", "h", "x") }
	cond := func(names []string) string {
		t := names[r.IntN(len(names))]
		c, k := col(t), r.IntN(10)
		return pickOf(r,
			fmt.Sprintf("%s = %d", c, k), fmt.Sprintf("%s IN (%d, %d, NULL)", c, k, r.IntN(12)), fmt.Sprintf("%s > %d", c, k-4), fmt.Sprintf("%s <= %d", c, k),
			fmt.Sprintf("%s <> %d", c, k), fmt.Sprintf("%s NOT IN (1, %d)", c, k), fmt.Sprintf("%s IS NULL", c), fmt.Sprintf("%s IS NOT NULL", c),
			fmt.Sprintf("%s < %s", c, col(names[r.IntN(len(names))])), fmt.Sprintf("%s <=> %d", c, k), fmt.Sprintf("%s = %s", c, col(names[r.IntN(len(names))])),
			fmt.Sprintf("(%s = %d OR %s BETWEEN 5 AND %d)", c, k, c, k), fmt.Sprintf("(%s = %d AND %s = 2 OR %s = 7)", c, k, col(t), c),
			fmt.Sprintf("NOT (%s < %d OR %s > 8)", c, k, c), fmt.Sprintf("%s + 1 = %d", c, k), fmt.Sprintf("abs(%s) %% 3 = 1", c))
	}
	kinds := []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"}
	for range n {
		names, from := []string{"t0"}, pickOf(r, "a", "b", "c")+" t0"
		for i := 1; i < 2+r.IntN(3); i++ {
			kind, name := pickOf(r, kinds...), fmt.Sprintf("t%d", i)
			on := fmt.Sprintf("%s %s %s", col(names[r.IntN(len(names))]), pickOf(r, "=", "=", "=", "<=>"), col(name))
			visible := append(slices.Clone(names), name)
			for range r.IntN(3) {
				on += " AND " + cond(visible)
			}
			from += fmt.Sprintf(" %s %s %s ON %s", kind, pickOf(r, "a", "b", "c"), name, on)
			if !strings.HasPrefix(kind, "LEFT SEMI") && !strings.HasPrefix(kind, "LEFT ANTI") {
				names = visible
			}
		}
		sql := fmt.Sprintf("SELECT count(*), sum(%s.n), min(%s) FROM %s WHERE %s", names[0], col(names[len(names)-1]), from, cond(names))
		if r.IntN(2) == 0 {
			sql += " AND " + cond(names)
		}
		switch r.IntN(6) {
		case 0:
			sql = fmt.Sprintf("SELECT %s.n, %s FROM %s WHERE %s", names[0], col(names[0]), from, cond(names))
		case 1:
			sql = fmt.Sprintf("WITH w AS (SELECT %s AS k, %s AS m FROM %s) SELECT count(*), sum(w1.m) FROM w w1 JOIN w w2 ON w1.k = w2.k WHERE w1.k = %d AND w2.m < 5",
				col(names[0]), col(names[0]), from, r.IntN(9))
		case 2:
			op := pickOf(r, "INTERSECT", "EXCEPT", "UNION", "UNION ALL")
			sql = fmt.Sprintf("SELECT x.k, y.id FROM (SELECT id AS k FROM a WHERE %s %s SELECT h FROM %s WHERE %s) x LEFT JOIN b y ON x.k = y.id",
				cond([]string{"a"}), op, from, cond(names))
			sql = strings.Replace(sql, "SELECT h FROM", "SELECT "+names[0]+".h FROM", 1)
		}
		compareSettings(t, s, sql)
		if t.Failed() {
			return
		}
	}
}

func pickOf(r *rand.Rand, items ...string) string { return items[r.IntN(len(items))] }
