package basalt

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/test/faults"
)

// shownRows are the rows of a statement as text.
func shownRows(t *testing.T, s *Session, sql string) string {
	t.Helper()
	rows, err := s.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next(context.Background()) {
		b.WriteString(strings.Trim(fmt.Sprint(rows.Values()), "[]") + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return b.String()
}

// shownJobs are the rows of a statement as text, without ids and times.
func shownJobs(t *testing.T, s *Session, sql string) string {
	t.Helper()
	text := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).ReplaceAllString(shownRows(t, s, sql), "TIME")
	return regexp.MustCompile(`(?m)(^| )\d+\b`).ReplaceAllString(text, "${1}N")
}

// TestCancelAlterColumn looks at, disturbs and cancels a change of columns that writes its table anew.
func TestCancelAlterColumn(t *testing.T) {
	fs := &writingFS{}
	dir := t.TempDir()
	db, err := Open(dir, Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.Close() }()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	mustExec(t, s, `CREATE TABLE t (a INT, b INT, c INT) DUPLICATE KEY(a, b) DISTRIBUTED BY HASH(b) BUCKETS 1`)
	mustExec(t, s, `INSERT INTO t SELECT number % 10, number, 7 FROM numbers("number" = "1000")`)
	mustExec(t, s, `ALTER TABLE t ADD COLUMN d INT DEFAULT "1"`)
	const finished = "N t TIME TIME t N N N N FINISHED  <nil> N\n"
	if got := shownJobs(t, s, "SHOW ALTER TABLE COLUMN"); got != finished {
		t.Fatalf("after a light change: %q", got)
	}
	id := tableID(db, "t")
	before := shownRows(t, s, "SELECT a, b, c, d FROM t ORDER BY b")
	cancelled := make(chan error, 1)
	do := func() {
		if got := shownJobs(t, other, "SHOW ALTER TABLE COLUMN WHERE TableName = 't' ORDER BY JobId DESC LIMIT 1"); got != "N t TIME <nil> t N N N N RUNNING  N/1 N\n" {
			t.Errorf("while it runs: %q", got)
		}
		if _, err := other.Exec(context.Background(), "ALTER TABLE t ADD COLUMN e INT"); err == nil || !strings.Contains(err.Error(), "state(SCHEMA_CHANGE) is not NORMAL") {
			t.Errorf("a second change: %v", err)
		}
		if _, err := other.Exec(context.Background(), "CANCEL ALTER TABLE COLUMN FROM t (1)"); err == nil {
			t.Error("another job was cancelled")
		}
		job := db.rewrites.of(id)
		go func() {
			_, err := other.Exec(context.Background(), "CANCEL ALTER TABLE COLUMN FROM t")
			cancelled <- err
		}()
		<-job.ctx.Done()
	}
	fs.do.Store(&do)
	if _, err := s.Exec(context.Background(), "ALTER TABLE t ORDER BY (b, a, c, d)"); !sqlerr.Is(err, sqlerr.Interrupted) {
		t.Fatalf("the cancelled statement: %v", err)
	}
	if err := <-cancelled; err != nil {
		t.Fatal(err)
	}
	if got := shownJobs(t, s, "SHOW ALTER TABLE COLUMN"); got != finished+"N t TIME TIME t N N N N CANCELLED user cancelled <nil> N\n" {
		t.Errorf("after it was cancelled: %q", got)
	}
	if got := shownRows(t, s, "SELECT a, b, c, d FROM t ORDER BY b"); got != before {
		t.Error("the rows are others")
	}
	mustExec(t, s, "ALTER TABLE t ORDER BY (b, a, c, d)")
	if got := shownJobs(t, s, "SHOW ALTER TABLE COLUMN WHERE State = 'FINISHED'"); got != finished+finished {
		t.Errorf("in the end: %q", got)
	}
	if n, err := len(db.rewrites.at), db.Close(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
}

// TestAlterColumnProgress: a change of columns that writes its table anew tells how many of its tablets are written.
func TestAlterColumnProgress(t *testing.T) {
	fs := &writingFS{}
	db, err := Open(t.TempDir(), Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	mustExec(t, s, `SET parallel_pipeline_task_num = 1`) // one tablet after the other
	mustExec(t, s, `CREATE TABLE t (a INT, b INT) DUPLICATE KEY(a, b) PARTITION BY RANGE(b) (PARTITION p1 VALUES LESS THAN (100), PARTITION p2 VALUES LESS THAN (200), PARTITION p3 VALUES LESS THAN MAXVALUE)
		DISTRIBUTED BY HASH(b) BUCKETS 2`)
	mustExec(t, s, `INSERT INTO t SELECT number, number FROM numbers("number" = "200")`) // none in p3
	var seen []string
	var look func()
	look = func() {
		seen = append(seen, regexp.MustCompile(` \d+/\d+ `).FindString(shownRows(t, other, "SHOW ALTER TABLE COLUMN")))
		fs.do.Store(&look)
	}
	fs.do.Store(&look)
	mustExec(t, s, `ALTER TABLE t ORDER BY (b, a)`)
	if got := fmt.Sprint(seen); got != "[ 0/6   1/6   2/6   3/6 ]" {
		t.Errorf("when each file began: %s", got)
	}
	if got := shownJobs(t, s, "SHOW ALTER TABLE COLUMN"); got != "N t TIME TIME t N N N N FINISHED  <nil> N\n" {
		t.Errorf("in the end: %s", got)
	}
}

// TestIndexBuildIsTriedAgain: an index that could not be built, for the disk was full, is built by the next round of background work.
func TestIndexBuildIsTriedAgain(t *testing.T) {
	disk := faults.New()
	db, err := Open(t.TempDir(), Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(SessionOptions{})
	mustExec(t, s, `CREATE TABLE t (a INT, b INT) DUPLICATE KEY(a) DISTRIBUTED BY HASH(b) BUCKETS 1`)
	mustExec(t, s, `INSERT INTO t VALUES (1, 2)`)
	disk.Fail(faults.Plan{Kinds: faults.Writes, On: true})
	mustExec(t, s, `ALTER TABLE t ADD ROLLUP r (b)`)
	state := func() string {
		return regexp.MustCompile(`PENDING|RUNNING|FINISHED`).FindString(shownRows(t, s, "SHOW ALTER TABLE ROLLUP"))
	}
	db.runScheduled()
	db.indexing.done.Wait()
	if got := state(); got != "PENDING" {
		t.Errorf("on the full disk: %s", got)
	}
	disk.Heal()
	db.runScheduled()
	db.indexing.done.Wait()
	if got := state(); got != "FINISHED" {
		t.Errorf("in the end: %s", got)
	}
}

// tableID is the id of a table of the default database.
func tableID(db *DB, name string) int64 { return db.cat.Snapshot().Table("default", name).ID }

// TestRenameKeepsWhatBelongs: dictionaries, rollups, deleted rows and statistics stay with a table under its new name, also
// after the folder is opened anew.
func TestRenameKeepsWhatBelongs(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := db.NewSession(SessionOptions{})
	mustExec(t, s, `CREATE TABLE t (k INT NOT NULL, usr VARCHAR(20), v INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("bitmap_dict" = "usr")`)
	mustExec(t, s, `INSERT INTO t SELECT number, concat('u', number % 7), number FROM numbers("number" = "100")`)
	mustExec(t, s, `INSERT INTO t SELECT number, 'again', 0 FROM numbers("number" = "10")`)
	mustExec(t, s, `DELETE FROM t WHERE k > 50`)
	mustExec(t, s, `ANALYZE TABLE t WITH SYNC`)
	const sql = ` SELECT count(*), count(DISTINCT usr), sum(v), sum(bitmap_dict_text('%s.usr', bitmap_dict(usr)) = usr), bitmap_to_string(bitmap_union(to_bitmap(bitmap_dict(usr)))) FROM %s`
	of := func(table string) string { return shownRows(t, s, strings.ReplaceAll(sql, "%s", table)) }
	want := of("t")
	mustExec(t, s, "RENAME TABLE t TO u")
	mustExec(t, s, "ALTER TABLE u RENAME w")
	for range 2 {
		if got := of("w"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := shownRows(t, s, "SHOW COLUMN STATS w (k)"); !strings.Contains(got, "MANUAL") {
			t.Errorf("statistics %q", got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open(dir, Options{}); err != nil {
			t.Fatal(err)
		}
		s = db.NewSession(SessionOptions{})
	}
	defer db.Close()
	mustExec(t, s, `INSERT INTO w VALUES (1000, 'u1', 1), (1001, 'new', 1)`)
	if got := shownRows(t, s, "SELECT count(DISTINCT usr), count(DISTINCT bitmap_dict(usr)) FROM w"); got != "9 9\n" {
		t.Error(got)
	}
}
