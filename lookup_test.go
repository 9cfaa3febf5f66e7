package basalt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
)

// lookedUp is a UNIQUE table of several pages a file and what it holds: by key k (NULL is one) in Go, and by queries that
// no page index, filter or bucket can shorten, since they compute with the key.
type lookedUp struct {
	t    *testing.T
	s    *basalt.Session
	rows map[int]string
	null []string // the row whose key is NULL
	r    *rand.Rand
}

// newLookedUp loads keys 0, 3, 6 … in two loads, with updates and deletions over the first.
func newLookedUp(t *testing.T, format string) *lookedUp {
	l := &lookedUp{t: t, rows: map[int]string{}, r: rand.New(rand.NewPCG(7, 7))}
	_, l.s = rollupDB(t, fmt.Sprintf(`CREATE TABLE u (k BIGINT, v INT, t VARCHAR(30)) UNIQUE KEY(k)
PARTITION BY RANGE(k) (PARTITION p1 VALUES LESS THAN (30000), PARTITION p2 VALUES LESS THAN MAXVALUE) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("format"="%s")`, format),
		`INSERT INTO u SELECT number * 3, number % 100, concat('row ', number) FROM numbers("number"="20000")`,
		`INSERT INTO u SELECT number * 30, -1, 'again' FROM numbers("number"="1500")`,
		`INSERT INTO u VALUES (NULL, 5, 'null')`,
		`DELETE FROM u WHERE k BETWEEN 29990 AND 30020`,
		`UPDATE u SET v = -2 WHERE k % 21 = 0`)
	for i := range 20000 {
		l.put(3*i, i%100, fmt.Sprint("row ", i))
	}
	for i := range 1500 {
		l.put(30*i, -1, "again")
	}
	l.null = []string{"NULL|5|null"}
	l.change(func(k int) bool { return k >= 29990 && k <= 30020 }, nil)
	l.change(func(k int) bool { return k%21 == 0 }, func(row []string) { row[1] = "-2" })
	return l
}

func (l *lookedUp) put(k, v int, text string) {
	l.rows[k] = fmt.Sprintf("%d|%d|%s", k, v, text)
}

// change edits the rows whose key matches; edit nil deletes them.
func (l *lookedUp) change(match func(k int) bool, edit func(row []string)) {
	for k, row := range l.rows {
		if !match(k) {
			continue
		}
		if edit == nil {
			delete(l.rows, k)
			continue
		}
		cells := strings.Split(row, "|")
		edit(cells)
		l.rows[k] = strings.Join(cells, "|")
	}
}

func (l *lookedUp) exec(sql string) {
	l.t.Helper()
	if _, err := l.s.Exec(context.Background(), sql); err != nil {
		l.t.Fatalf("%v\n%s", err, sql)
	}
}

// expect compares a query with the rows that match.
func (l *lookedUp) expect(where string, match func(k int) bool) {
	l.t.Helper()
	var want []string
	for k, row := range l.rows {
		if match(k) {
			want = append(want, row)
		}
	}
	slices.Sort(want)
	got := texts(l.t, l.s, "SELECT * FROM u WHERE "+where)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		l.t.Fatalf("%s: %d rows, want %d\ngot  %.300q\nwant %.300q", where, len(got), len(want), got, want)
	}
}

// check looks up keys that are there and that are not, often enough that every cache is asked for the same again.
func (l *lookedUp) check() {
	l.t.Helper()
	for range 3 {
		for _, k := range []int{0, 12288, 12287, 30000, 59997, 3 * l.r.IntN(20000)} {
			l.expect(fmt.Sprintf("k = %d", k), func(x int) bool { return x == k })
			l.expect(fmt.Sprintf("k IN (%d, %d, NULL, %d)", k, k+3, k+30000), func(x int) bool { return x == k || x == k+3 || x == k+30000 })
			l.expect(fmt.Sprintf("k >= %d AND k < %d", k, k+40), func(x int) bool { return x >= k && x < k+40 })
			l.expect(fmt.Sprintf("k > %d AND k <= %d AND k <> %d", k, k+40, k+3), func(x int) bool { return x > k && x <= k+40 && x != k+3 })
			l.expect(fmt.Sprintf("k = %d OR k = %d", k, k+9), func(x int) bool { return x == k || x == k+9 })
			l.expect(fmt.Sprintf("k = %d AND v = -2", k), func(x int) bool { return x == k && strings.Contains(l.rows[x], "|-2|") })
		}
	}
	k := 3 * l.r.IntN(10000)
	for _, where := range []string{"k + 0 = %d", "k = '%d'", "k = %d.0"} {
		l.expect(fmt.Sprintf(where, k), func(x int) bool { return x == k })
	}
	for _, where := range []string{"k = 3.5", "k = NULL", "k = 'x1'", "k = 99999999999999999999", "k = 1 AND k = 2"} {
		l.expect(where, func(int) bool { return false })
	}
	for _, where := range []string{"k IS NULL", "k <=> NULL"} {
		if got := texts(l.t, l.s, "SELECT * FROM u WHERE "+where); !slices.Equal(got, l.null) {
			l.t.Fatalf("%s: %q, want %q", where, got, l.null)
		}
	}
	if got := texts(l.t, l.s, "SELECT count(*), count(DISTINCT k) FROM u")[0]; got != fmt.Sprintf("%d|%d", len(l.rows)+len(l.null), len(l.rows)) {
		l.t.Fatalf("%s rows and keys, want %d", got, len(l.rows))
	}
}

// TestLookups compares what shortens a lookup by key (buckets, bounds of files and pages, bloom filters, pages and indexes that
// are kept) with plain rows, after everything that changes what a key finds.
func TestLookups(t *testing.T) {
	for _, format := range []string{"parquet", "orc"} {
		t.Run(format, func(t *testing.T) {
			l := newLookedUp(t, format)
			l.check()
			l.exec(`SET enable_page_cache = 0`)
			l.check()
			l.exec(`SET enable_page_cache = 1`)
			l.exec(`UPDATE u SET t = 'changed', v = v + 1000 WHERE k BETWEEN 12000 AND 12600`)
			l.change(func(k int) bool { return k >= 12000 && k <= 12600 }, func(row []string) {
				var v int
				_, _ = fmt.Sscan(row[1], &v)
				row[1], row[2] = fmt.Sprint(v+1000), "changed"
			})
			l.check()
			l.exec(`ALTER TABLE u CONCATENATE`)
			l.check()
			l.exec(`DELETE FROM u WHERE k = 12288 OR k IS NULL`)
			l.change(func(k int) bool { return k == 12288 }, nil)
			l.null = nil
			l.check()
			l.exec(`ALTER TABLE u ADD COLUMN n INT DEFAULT "7"`)
			l.change(func(int) bool { return true }, func(row []string) { row[2] += "|7" })
			l.check()
			l.exec(`ALTER TABLE u DROP COLUMN n`)
			l.change(func(int) bool { return true }, nil)
			l.exec(`TRUNCATE TABLE u`)
			l.check()
			l.exec(`INSERT INTO u SELECT number * 2, 1, 'new' FROM numbers("number"="25000")`)
			for i := range 25000 {
				l.put(2*i, 1, "new")
			}
			l.check()
			l.exec(`ALTER TABLE u DROP PARTITION p2 FORCE`)
			l.change(func(k int) bool { return k >= 30000 }, nil)
			l.check()
		})
	}
}

// TestLookupsOfOtherTypes looks up keys of types whose bounds are cut or compared otherwise.
func TestLookupsOfOtherTypes(t *testing.T) {
	for _, c := range []struct{ typ, make string }{
		{"VARCHAR(200)", `concat(repeat('a long beginning ', 6), lpad(number, 6, '0'))`},
		{"DECIMAL(20,3)", `number / 8`},
		{"DATETIME", `date_add('2024-01-01', INTERVAL number MINUTE)`},
		{"LARGEINT", `cast(number AS LARGEINT) * 100000000000000000000 - 500000000000000000000000`},
		{"SMALLINT", `number - 10000`},
	} {
		_, s := rollupDB(t, fmt.Sprintf(`CREATE TABLE u (k %s NOT NULL, v INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2`, c.typ),
			`INSERT INTO u SELECT `+c.make+`, number FROM numbers("number"="18000")`, `INSERT INTO u SELECT `+c.make+`, -number FROM numbers("number"="50")`)
		for range 3 {
			for _, i := range []int{0, 49, 50, 4095, 4096, 17999} {
				want := i
				if i < 50 {
					want = -i
				}
				key := texts(t, s, fmt.Sprintf(`SELECT k FROM u WHERE v = %d`, want))[0]
				for _, where := range []string{"k = '" + key + "'", "k IN ('" + key + "')", "k >= '" + key + "' AND k <= '" + key + "'"} {
					if got := texts(t, s, `SELECT v FROM u WHERE `+where); len(got) != 1 || got[0] != fmt.Sprint(want) {
						t.Fatalf("%s: %s gives %v, want %d", c.typ, where, got, want)
					}
				}
			}
		}
	}
}

// TestLookupsSeeOneVersion looks keys up while every one of them is changed at once, and files are merged: no reader sees a
// version that is older than what it saw before, or none, or two.
func TestLookupsSeeOneVersion(t *testing.T) {
	db, s := rollupDB(t, `CREATE TABLE u (k BIGINT, version INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2`,
		`INSERT INTO u SELECT number, 0 FROM numbers("number"="9000")`)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for id := range 3 {
		wg.Go(func() {
			own := db.NewSession(basalt.SessionOptions{})
			defer own.Close()
			r, last := rand.New(rand.NewPCG(uint64(id), 1)), 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				a, b := r.IntN(9000), r.IntN(9000)
				got := texts(t, own, fmt.Sprintf(`SELECT min(version), max(version), count(*) FROM u WHERE k IN (%d, %d)`, a, b))[0]
				var lo, hi, n int
				_, err := fmt.Sscanf(strings.ReplaceAll(got, "|", " "), "%d %d %d", &lo, &hi, &n)
				if keys := len(slices.Compact([]int{a, b})); err != nil || lo != hi || lo < last || n != keys {
					t.Errorf("keys %d and %d: %s after version %d, %v", a, b, got, last, err)
					return
				}
				last = lo
			}
		})
	}
	for i := 1; i <= 15; i++ {
		sql := []string{fmt.Sprintf(`INSERT INTO u SELECT number, %d FROM numbers("number"="9000")`, i), fmt.Sprintf(`UPDATE u SET version = %d`, i)}[i%2]
		for _, sql := range slices.Compact([]string{sql, []string{sql, `ALTER TABLE u CONCATENATE`}[i%3&1]}) {
			if _, err := s.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	if got := texts(t, s, `SELECT min(version), max(version), count(*) FROM u`); !slices.Equal(got, []string{"15|15|9000"}) {
		t.Error(got)
	}
}
