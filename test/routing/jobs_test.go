package routing

import (
	"strings"
	"testing"
)

// job is the state and message of the newest job about an index.
func (e *engine) job(index string) (state, message string) {
	e.Helper()
	for _, row := range e.query("SHOW ALTER TABLE ROLLUP") {
		if c := strings.Split(row, "|"); c[5] == index {
			state, message = c[8], c[9]
		}
	}
	return state, message
}

// TestJobs: an index that cannot be built yet is invisible until it is; its job waits, can be cancelled, and goes on.
func TestJobs(t *testing.T) {
	e := open(t, "")
	e.exec(`CREATE TABLE t (k INT, s VARCHAR(5), v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 ROLLUP (r0 (s, v)) PROPERTIES("replication_num"="1")`, `INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20)`)
	e.disk.Fail(full)
	e.exec(`ALTER TABLE t ADD ROLLUP r1 (v, k), r2 (s, k) PROPERTIES("timeout"="77")`, `CREATE MATERIALIZED VIEW m AS SELECT s AS s_, sum(v) AS v_ FROM t GROUP BY s`)
	for _, x := range []string{"r1", "r2", "m"} {
		if state, _ := e.job(x); state != "PENDING" && state != "RUNNING" {
			t.Errorf("the job of %s is %s", x, state)
		}
		if desc := strings.Join(e.query("DESC t ALL"), "\n"); strings.Contains(desc, "\n"+x+"|") {
			t.Errorf("%s is shown:\n%s", x, desc)
		}
		if _, err := e.try("SELECT * FROM t INDEX " + x); err == nil || !strings.Contains(err.Error(), "it is being built") {
			t.Errorf("%s: %v", x, err)
		}
	}
	if p := e.explain("SELECT s, sum(v) FROM t GROUP BY s", "t"); !strings.Contains(p.text, "t.m: it is being built") || len(p.chosen)+len(p.unchosen) != 1 {
		t.Error(p.text)
	}
	if jobs := e.query("SHOW ALTER TABLE ROLLUP FROM `default` WHERE RollupIndexName = 'r2'"); len(jobs) != 1 || !strings.HasSuffix(jobs[0], "|0/2|77") {
		t.Errorf("%q", jobs)
	}
	if jobs := e.query("SHOW ALTER TABLE MATERIALIZED VIEW WHERE TableName = 't' ORDER BY JobId DESC LIMIT 1"); len(jobs) != 1 || !strings.Contains(jobs[0], "|m|") {
		t.Errorf("%q", jobs)
	}
	// One by its number, the rest at once.
	id := strings.Split(e.query("SHOW ALTER TABLE ROLLUP WHERE RollupIndexName = 'r1'")[0], "|")[0]
	e.exec("CANCEL ALTER TABLE ROLLUP FROM t (" + id + ")")
	if state, message := e.job("r1"); state != "CANCELLED" || message != "user cancelled" {
		t.Errorf("the job of r1 is %s: %s", state, message)
	}
	if state, _ := e.job("r2"); state == "CANCELLED" {
		t.Error("r2 was cancelled as well")
	}
	e.disk.Heal()
	e.exec(`INSERT INTO t VALUES (3, 'a', 5)`, `ALTER TABLE t ADD ROLLUP r3 (s)`) // builds all
	for _, x := range []string{"r2", "m", "r3"} {
		if state, _ := e.job(x); state != "FINISHED" {
			t.Errorf("the job of %s is %s", x, state)
		}
	}
	if got := e.sorted("SELECT s_, v_ FROM t INDEX m"); strings.Join(got, " ") != "a|15 b|20" {
		t.Errorf("%q", got)
	}
	if _, err := e.try("CANCEL ALTER TABLE MATERIALIZED VIEW FROM t"); err == nil || !strings.Contains(err.Error(), "is not under MATERIALIZED VIEW") {
		t.Error(err)
	}
	e.exec("DROP MATERIALIZED VIEW r2 ON t", "ALTER TABLE t DROP ROLLUP m, r3")
	if desc := e.query("DESC t ALL"); !strings.HasPrefix(desc[len(desc)-2], "r0|DUP_KEYS|s|") {
		t.Errorf("%q", desc)
	}
}
