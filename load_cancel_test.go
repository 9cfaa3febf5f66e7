package basalt

import (
	"context"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// TestCancelLoad ends loads in the middle of them: nothing of them is left, and their labels are free. SHOW LOAD and SHOW
// TRANSACTION find them by label, state and id.
func TestCancelLoad(t *testing.T) {
	fs := &writingFS{}
	dir := t.TempDir()
	db, err := Open(dir, Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.Close() }()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	mustExec(t, s, `CREATE TABLE t (a INT, b INT) DUPLICATE KEY(a) DISTRIBUTED BY HASH(b) BUCKETS 1`)
	mustExec(t, s, `INSERT INTO t WITH LABEL first VALUES (1, 1)`)
	load := func(sql string, cancel string) {
		t.Helper()
		cancelled := make(chan error, 1)
		do := func() {
			if got := shownRows(t, other, "SHOW LOAD WHERE LABEL = 'l' AND STATE = 'LOADING'"); strings.Count(got, "\n") != 1 {
				t.Errorf("while it runs: %q", got)
			}
			ended := make(chan struct{})
			db.transactions.mu.Lock()
			for _, w := range db.transactions.running {
				c := w.cancel
				w.cancel = func(cause error) { c(cause); close(ended) }
			}
			db.transactions.mu.Unlock()
			go func() {
				_, err := other.Exec(context.Background(), cancel)
				cancelled <- err
			}()
			<-ended
		}
		fs.do.Store(&do)
		if _, err := s.Exec(context.Background(), sql); !sqlerr.Is(err, sqlerr.Interrupted) || !strings.Contains(err.Error(), "CANCEL LOAD") {
			t.Fatalf("%s: %v", sql, err)
		}
		if err := <-cancelled; err != nil {
			t.Fatal(err)
		}
	}
	load(`INSERT INTO t WITH LABEL l SELECT number, 1 FROM numbers("number" = "100000")`, `CANCEL LOAD FROM default WHERE LABEL = "l"`)
	load(`INSERT OVERWRITE TABLE t WITH LABEL l SELECT number, 1 FROM numbers("number" = "100000")`, `CANCEL LOAD WHERE LABEL LIKE "l%" AND STATE = "LOADING"`)
	load(`CREATE TABLE u WITH LABEL l AS SELECT number AS a FROM numbers("number" = "100000")`, `CANCEL LOAD WHERE LABEL = "l"`)
	if got := shownRows(t, s, "SELECT * FROM t"); got != "1 1\n" {
		t.Errorf("left: %q", got)
	}
	mustExec(t, s, `CREATE TABLE u WITH LABEL l AS SELECT 7 AS a`)
	for _, c := range []struct {
		sql  string
		want int
	}{
		{"SHOW LOAD", 5}, {"SHOW LOAD FROM default WHERE LABEL = 'l'", 4}, {"SHOW LOAD WHERE LABEL LIKE 'f%'", 1}, {"SHOW LOAD WHERE STATE = 'CANCELLED'", 3},
		{"SHOW LOAD WHERE LABEL = 'l' AND STATE = 'FINISHED'", 1}, {"SHOW LOAD ORDER BY CreateTime DESC LIMIT 2", 2}, {"SHOW LOAD LIMIT 1, 3", 3}, {"SHOW LOAD LIMIT 3 OFFSET 4", 1},
		{"SHOW TRANSACTION WHERE LABEL = 'l'", 4}, {"SHOW TRANSACTION WHERE STATUS = 'aborted'", 3}, {"SHOW TRANSACTION WHERE ID = 0", 0},
		{"SHOW TRANSACTION FROM default WHERE LABEL LIKE '%' ORDER BY TransactionId DESC LIMIT 1", 1},
	} {
		if got := shownRows(t, s, c.sql); strings.Count(got, "\n") != c.want {
			t.Errorf("%s: %s", c.sql, got)
		}
	}
	if got := shownRows(t, s, "SHOW LOAD WHERE State = 'CANCELLED'"); strings.Count(got, "msg:user cancel") != 3 {
		t.Error(got)
	}
	mustExec(t, s, "CLEAN LABEL l FROM default")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	s = db.NewSession(SessionOptions{})
	mustExec(t, s, `INSERT INTO t WITH LABEL l VALUES (2, 2)`)
	if _, err := s.Exec(context.Background(), `INSERT INTO t WITH LABEL first VALUES (2, 2)`); err == nil {
		t.Error("a label was used twice")
	}
}
