package basalt_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basaltdb/basalt"
)

// info runs a statement and returns the text of its OK packet.
func info(t *testing.T, s *basalt.Session, sql string) string {
	t.Helper()
	rows, err := s.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	return rows.Info()
}

// masked replaces what differs from run to run.
func masked(text string) string {
	for _, r := range [][2]string{{`'txnId':'\d+'`, `'txnId':'N'`}, {`[0-9a-f]{16}-[0-9a-f]{16}`, "UUID"}, {`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "TIME"},
		{`\b\d{5,}\b`, "N"}, {`"(LoadBytes|FileSize)":\d+`, `"$1":N`}} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

// TestLabelInfo: what clients are told of a write, by the OK packet and by SHOW.
func TestLabelInfo(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	s := session(t, db)
	run(t, s, `CREATE TABLE t (a INT, b INT) UNIQUE KEY(a) DISTRIBUTED BY HASH(a) BUCKETS 2 PROPERTIES("replication_num"="1")`)
	for _, c := range [][2]string{
		{`INSERT INTO t WITH LABEL one VALUES (1, 1), (2, 2)`, `{'label':'one', 'status':'VISIBLE', 'txnId':'N'}`},
		{`INSERT INTO t VALUES (3, 3)`, `{'label':'insert_UUID', 'status':'VISIBLE', 'txnId':'N'}`},
		{`INSERT INTO t SELECT * FROM t WHERE a > 5`, ``},
		{`INSERT INTO t WITH LABEL none SELECT * FROM t WHERE a > 5`, ``},
		{`UPDATE t SET b = 5 WHERE a = 1`, `{'label':'update_UUID', 'status':'VISIBLE', 'txnId':'N'}`},
		{`DELETE FROM t WHERE a = 3`, `{'label':'delete_UUID', 'status':'VISIBLE', 'txnId':'N'}`},
		{`DELETE FROM t WHERE a = 300`, ``},
		{`SHOW TABLES`, ``},
	} {
		if got := masked(info(t, s, c[0])); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
	if _, err := s.Exec(context.Background(), `INSERT INTO t WITH LABEL bad SELECT 1, (SELECT a FROM t)`); err == nil {
		t.Fatal("a subquery of two rows is no value")
	}
	const load = `N,one,FINISHED,100%,INSERT,unselected.rows=0; dpp.abnorm.ALL=0; dpp.norm.ALL=2,cluster:N/A; timeout(s):900; max_filter_ratio:0.0,NULL,TIME,TIME,TIME,TIME,TIME,,` +
		`{"Unfinished backends":{},"ScannedRows":2,"TaskNumber":1,"LoadBytes":N,"All backends":{},"FileNumber":1,"FileSize":N},N,{},root,`
	check := func(s *basalt.Session, sql, want string) {
		t.Helper()
		got := masked(lines(t, s, sql))
		if got != want {
			t.Errorf("%s\n got %q\nwant %q", sql, got, want)
		}
	}
	check(s, `SHOW LOAD WHERE LABEL = "one"`, load)
	check(s, `SHOW LOAD FROM default WHERE LABEL LIKE "on%" AND STATE = "FINISHED" ORDER BY CreateTime DESC LIMIT 1`, load)
	if got := lines(t, s, `SHOW LOAD WHERE state = 'CANCELLED'`); !strings.Contains(got, "bad") || !strings.Contains(got, "type:LOAD_RUN_FAIL; msg:Subquery returns more than 1 row") {
		t.Error(got)
	}
	const shown = `N,one,FE: 127.0.0.1,VISIBLE,INSERT_STREAMING,TIME,NULL,TIME,TIME,TIME,,0,-1,N,`
	check(s, `SHOW TRANSACTION WHERE label = 'one'`, shown)
	id := regexp.MustCompile(`\d+`).FindString(lines(t, s, `SHOW TRANSACTION WHERE label = 'one'`))
	check(s, `SHOW TRANSACTION FROM default WHERE id = `+id, shown)
	check(s, `SHOW TRANSACTION WHERE status = 'ABORTED'`, `N,bad,FE: 127.0.0.1,ABORTED,INSERT_STREAMING,TIME,NULL,NULL,NULL,TIME,Subquery returns more than 1 row,0,-1,N,`)
	info(t, s, `INSERT INTO t WITH LABEL last VALUES (7, 7)`)
	check(s, `SHOW LAST INSERT`, `N,last,default,t,VISIBLE,1,0`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = session(t, open(t, dir))
	check(s, `SHOW LOAD WHERE LABEL = "one"`, load)
	check(s, `SHOW TRANSACTION WHERE id = `+id, shown)
	mustFail(t, s, `INSERT INTO t WITH LABEL one VALUES (1, 1)`, "Label [one] has already been used, relate to txn ["+id+"]")
	run(t, s, `INSERT INTO t WITH LABEL bad VALUES (1, 1)`)
}

// TestLabelOnce: of statements with one label that run at the same time one counts, whatever the table.
func TestLabelOnce(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	s := session(t, db)
	tables := []string{"plain", "uniq", "managed", "ext"}
	run(t, s, `CREATE TABLE plain (a BIGINT)`)
	run(t, s, `CREATE TABLE uniq (a BIGINT) UNIQUE KEY(a) DISTRIBUTED BY HASH(a) BUCKETS 2 PROPERTIES("replication_num"="1")`)
	run(t, s, `CREATE TABLE managed (a BIGINT) STORED AS ORC`)
	run(t, s, `CREATE EXTERNAL TABLE ext (a BIGINT) STORED AS PARQUET LOCATION '`+dir+`/external'`)
	for round := range 6 {
		for _, table := range tables {
			var wg sync.WaitGroup
			var count atomic.Int64
			for i := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					own := db.NewSession(basalt.SessionOptions{})
					defer own.Close()
					_, err := own.Exec(context.Background(), fmt.Sprintf(`INSERT INTO %s WITH LABEL %s_%d SELECT number + %d FROM numbers("number"="100")`, table, table, round, 1000*(4*round+i)))
					if err == nil {
						count.Add(1)
					} else if !strings.Contains(err.Error(), "has already been used") {
						t.Error(err)
					}
				}()
			}
			wg.Wait()
			if want := fmt.Sprint(100 * (round + 1)); count.Load() != 1 || lines(t, s, `SELECT count(*) FROM `+table) != want {
				t.Fatalf("%s, round %d: %d statements counted, %s rows", table, round, count.Load(), lines(t, s, `SELECT count(*) FROM `+table))
			}
		}
	}
}

// TestLabelRetention: labels are free again after label_keep_max_second, or when label_num_threshold others came.
func TestLabelRetention(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	db, err := basalt.Open("", basalt.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := session(t, db)
	run(t, s, `CREATE TABLE t (a INT)`)
	run(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`)
	now = now.Add(3*24*time.Hour - time.Second)
	mustFail(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`, "Label [a] has already been used")
	now = now.Add(2 * time.Second)
	run(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`)
	mustFail(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`, "Label [a] has already been used")
	run(t, s, `SET GLOBAL label_num_threshold = 2`)
	run(t, s, `INSERT INTO t WITH LABEL b VALUES (1)`)
	mustFail(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`, "Label [a] has already been used")
	run(t, s, `INSERT INTO t WITH LABEL c VALUES (1)`)
	run(t, s, `INSERT INTO t WITH LABEL a VALUES (1)`)
	for range 3 {
		run(t, s, `INSERT INTO t VALUES (1)`)
	}
	now = now.Add(13 * time.Hour)
	run(t, s, `INSERT INTO t VALUES (1)`)
	if got := len(strings.Split(lines(t, s, `SHOW TRANSACTION`), ";")); got != 3 {
		t.Errorf("%d transactions are remembered:\n%s", got, lines(t, s, `SHOW TRANSACTION`))
	}
}
