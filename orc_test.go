package basalt_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestORCFiles reads ORC files that a table of ours wrote: by path, folder, table function and
// as an external table.
func TestORCFiles(t *testing.T) {
	db := open(t, t.TempDir())
	s := session(t, db)
	query(t, s, `CREATE TABLE t (a BIGINT, b STRING) STORED AS ORC`)
	query(t, s, `INSERT INTO t SELECT number, concat('row ', number) FROM numbers("number" = "1000")`)
	files, err := filepath.Glob(filepath.Join(db.Dir(), "warehouse", "default.db", "t_*", "*.orc"))
	if err != nil || len(files) == 0 {
		t.Fatal("the table has no .orc files", err)
	}
	folder := filepath.Dir(files[0])
	for _, from := range []string{"'" + files[0] + "'", "'" + folder + "'", "'" + folder + "/*.orc'", `local("file_path" = "` + folder + `/*", "format" = "ORC")`} {
		if got := query(t, s, "SELECT count(*), sum(a), min(b), max(b) FROM "+from); got != "1000 499500 row 0 row 999\n" {
			t.Errorf("%s: %s", from, got)
		}
	}
	for i, columns := range []string{"", "(b STRING, a BIGINT, c INT)"} {
		query(t, s, fmt.Sprintf("CREATE EXTERNAL TABLE e%d %s STORED AS ORC LOCATION '%s'", i, columns, folder))
		if got := query(t, s, fmt.Sprintf("SELECT count(*), sum(a), min(b) FROM e%d WHERE a > 997", i)); got != "2 1997 row 998\n" {
			t.Errorf("external table %d: %s", i, got)
		}
	}
	if got := query(t, s, "SHOW CREATE TABLE t"); !strings.Contains(got, `STORED AS ORC`) {
		t.Errorf("the format is not told: %s", got)
	}
	if got := query(t, s, "SELECT count(c) FROM e1"); got != "0\n" {
		t.Errorf("a column that the files lack: %s", got)
	}
}
