package basalt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
)

// tablets counts data files by folder and bucket.
func tablets(t *testing.T, dir string) map[string]int {
	out := map[string]int{}
	for _, f := range dataFiles(t, dir) {
		bucket, _, _ := strings.Cut(filepath.Base(f), "_")
		partition, _, _ := strings.Cut(filepath.Base(filepath.Dir(f)), "_")
		out[partition+"/"+bucket]++
	}
	return out
}

// TestConcatenate merges the files of each bucket, in order, and loses nothing.
func TestConcatenate(t *testing.T) {
	dir := t.TempDir()
	s := session(t, open(t, dir))
	run(t, s, `SET GLOBAL enable_auto_compaction = 0`)
	run(t, s, sales)
	for i := range 10 {
		run(t, s, fmt.Sprintf(`INSERT INTO sales SELECT date_add('2024-01-01', cast(number * 7919 %% 91 as int)), number * 31 %% 10007, if(number %% 7 = 0, NULL, concat('a long city name ', number %% 9)), %d FROM numbers("number"="1000")`, i))
	}
	run(t, s, `INSERT INTO sales VALUES ('2024-01-01', 5000000, NULL, NULL)`)
	sum := `SELECT count(*), count(city), sum(id), sum(amt), sum(length(city)), sum(day(dt) * id) FROM sales`
	before := answer(t, s, sum)
	run(t, s, `ALTER TABLE sales PARTITION (p2) CONCATENATE`)
	for tablet, n := range tablets(t, dir) {
		if (n == 1) != strings.HasPrefix(tablet, "p2/") {
			t.Errorf("%s has %d files", tablet, n)
		}
	}
	run(t, s, `ALTER TABLE sales CONCATENATE`)
	got := tablets(t, dir)
	for tablet, n := range got {
		if n != 1 {
			t.Errorf("%s has %d files", tablet, n)
		}
	}
	if len(got) != 12 || answer(t, s, sum) != before {
		t.Errorf("%d tablets, %s, before %s", len(got), answer(t, s, sum), before)
	}
	for _, f := range dataFiles(t, dir) {
		rows := strings.Split(answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM '`+filepath.Join(dir, "warehouse", f)+`'`), "\n")
		last := ""
		for _, row := range rows {
			var day string
			var id int64
			if _, err := fmt.Sscan(row, &day, &id); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("%s %020d", day, id)
			if key < last {
				t.Fatalf("%s is not in order: %s after %s", f, key, last)
			}
			last = key
		}
	}
	run(t, s, `ALTER TABLE sales CONCATENATE`) // nothing to do
	mustFail(t, s, `ALTER TABLE sales PARTITION (nope) CONCATENATE`, "Unknown partition 'nope'")
}

// TestConcatenateEqualSequences: a file with a deleted row, which came before the row of its sequence value that is live,
// is merged with smaller files that came later, and then with the live row's.
func TestConcatenateEqualSequences(t *testing.T) {
	dir := t.TempDir()
	s := session(t, open(t, dir))
	run(t, s, `SET GLOBAL enable_auto_compaction = 0`)
	run(t, s, `CREATE TABLE q (k INT, v INT, ts INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("replication_num"="1", "function_column.sequence_col"="ts")`)
	run(t, s, `INSERT INTO q (k, v, ts, __DORIS_DELETE_SIGN__) VALUES (1, 0, 5, 1)`)
	run(t, s, `INSERT INTO q SELECT number, number * 7919, 5 FROM numbers("number"="5000")`)
	for i := range 31 { // with the deleted row as many files as are merged at once, the smallest first
		run(t, s, fmt.Sprintf(`INSERT INTO q VALUES (%d, 1, 1)`, 6000+i))
	}
	const sum = `SELECT count(*), sum(v), (SELECT v FROM q WHERE k = 1) FROM q`
	before := answer(t, s, sum)
	run(t, s, `ALTER TABLE q CONCATENATE`)
	if got := answer(t, s, sum); len(dataFiles(t, dir)) != 1 || got != before {
		t.Errorf("%d files, %s, before %s", len(dataFiles(t, dir)), got, before)
	}
}

// TestAutomaticCompaction runs beside readers and writers; none loses a row or fails.
func TestAutomaticCompaction(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	s := session(t, db)
	run(t, s, `CREATE TABLE e (id BIGINT NOT NULL, v VARCHAR(50)) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES("replication_num"="1")`)
	run(t, s, `CREATE TABLE plain (id BIGINT)`)
	var wg sync.WaitGroup
	const writers, inserts = 3, 40
	for w := range writers {
		wg.Go(func() {
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			for i := range inserts {
				from := 1000 * (w*inserts + i)
				for _, table := range []string{"e", "plain"} {
					cols := map[string]string{"e": "number + %d, concat('v', number)", "plain": "number + %d"}[table]
					if _, err := s.Exec(context.Background(), fmt.Sprintf(`INSERT INTO `+table+` SELECT `+cols+` FROM numbers("number"="100")`, from)); err != nil {
						t.Error(err)
					}
				}
				if out, err := tryQuery(s, `SELECT count(*) % 100, count(*) - count(distinct id) FROM e`); err != nil || out != "0 0\n" {
					t.Error(out, err)
				}
			}
		})
	}
	wg.Wait()
	want := fmt.Sprint(writers*inserts*100, " ", writers*inserts*100)
	for _, table := range []string{"e", "plain"} {
		if got := answer(t, s, `SELECT count(*), count(distinct id) FROM `+table); got != want {
			t.Errorf("%s: %s, want %s", table, got, want)
		}
	}
	db.Close() // ends the background work
	if n := len(dataFiles(t, dir)); n >= writers*inserts {
		t.Errorf("%d files are left of %d: nothing was merged", n, 3*writers*inserts)
	}
	again := open(t, dir)
	if got := answer(t, session(t, again), `SELECT count(*), count(distinct id) FROM e`); got != want {
		t.Errorf("after opening again: %s, want %s", got, want)
	}
}

// TestCompactionLosesRaces: files that were overwritten or truncated meanwhile stay gone.
func TestCompactionLosesRaces(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	s := session(t, db)
	run(t, s, `CREATE TABLE e (id BIGINT NOT NULL) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES("replication_num"="1")`)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		s := db.NewSession(basalt.SessionOptions{})
		defer s.Close()
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Exec(context.Background(), `ALTER TABLE e CONCATENATE`); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for i := range 60 {
		for range 3 {
			run(t, s, `INSERT INTO e SELECT number FROM numbers("number"="50")`)
		}
		if i%2 == 0 {
			run(t, s, `INSERT OVERWRITE TABLE e SELECT number FROM numbers("number"="10")`)
		} else {
			run(t, s, `TRUNCATE TABLE e`)
		}
		if got, want := answer(t, s, `SELECT count(*) FROM e`), fmt.Sprint(10*(1-i%2)); got != want {
			t.Fatalf("round %d: %s rows, want %s", i, got, want)
		}
	}
	close(stop)
	wg.Wait()
	db.Close()
	open(t, dir)
	if n := len(dataFiles(t, dir)); n != 0 {
		t.Errorf("%d files are left of an empty table", n)
	}
}
