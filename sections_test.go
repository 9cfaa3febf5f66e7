package basalt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// csvFiles reads the rows of text files, a slice a file.
func csvFiles(t *testing.T, pattern string) (files [][][]string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]string
		for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
			rows = append(rows, strings.Split(l, "\t"))
		}
		files = append(files, rows)
	}
	return files
}

// TestSections writes with DISTRIBUTE BY, SORT BY and CLUSTER BY: keys are in one file each, files are in order.
func TestSections(t *testing.T) {
	for _, settings := range []map[string]string{{}, {"enable_force_spill": "1", "exec_mem_limit": "64M"}} {
		db, err := basalt.Open("", basalt.Options{Workers: 3, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		lines(t, s, "CREATE TABLE t AS SELECT number AS n, number * 7919 % 101 AS k, repeat('x', number % 30) AS s FROM numbers('number' = '60000')")
		for i, c := range []struct {
			clauses, parallel string
			key               int // all rows of a value are in one file; -1: nothing is said
			order             int // column that files are ordered by
			desc              bool
			files             int // at least
		}{
			{"DISTRIBUTE BY k", "0", 1, -1, false, 3}, {"DISTRIBUTE BY k SORT BY n DESC", "0", 1, 0, true, 3},
			{"CLUSTER BY k", "1", 1, 1, false, 3}, {"SORT BY n", "1", -1, 0, false, 1}, {"DISTRIBUTE BY s, k SORT BY k, n", "1", -1, 1, false, 3},
			{"DISTRIBUTE BY length(s) SORT BY k + 0 DESC", "1", -1, 1, true, 3},
		} {
			dir := t.TempDir()
			lines(t, s, "SET enable_parallel_outfile = "+c.parallel)
			got := lines(t, s, fmt.Sprintf("SELECT n, k, s FROM t %s INTO OUTFILE '%s/x_' FORMAT AS CSV", c.clauses, dir))
			files := csvFiles(t, dir+"/x_*.csv")
			if cells := strings.Split(got, ","); cells[0] != strconv.Itoa(len(files)) || len(files) < c.files || len(cells) < 2 || cells[1] != "60000" {
				t.Errorf("%v %d: %s, %d files", settings, i, got, len(files))
			}
			seen := map[string]int{}
			for f, rows := range files {
				for k, row := range rows {
					if c.key >= 0 {
						if in, ok := seen[row[c.key]]; ok && in != f {
							t.Fatalf("%v %s: %s is in two files", settings, c.clauses, row[c.key])
						}
						seen[row[c.key]] = f
					}
					if c.order >= 0 && k > 0 {
						a, _ := strconv.Atoi(rows[k-1][c.order])
						b, _ := strconv.Atoi(row[c.order])
						if a != b && a < b == c.desc {
							t.Fatalf("%v %s: %d before %d", settings, c.clauses, a, b)
						}
					}
				}
			}
		}
		// Tables: a section is a file, and in a partitioned table a file of each partition.
		lines(t, s, "CREATE TABLE u (n BIGINT, k BIGINT) STORED AS TEXTFILE")
		if got := lines(t, s, "INSERT INTO u SELECT n, k FROM t DISTRIBUTE BY k SORT BY n DESC"); got != "" {
			t.Error(got)
		}
		if got := lines(t, s, "SELECT count(*), sum(n), count(DISTINCT k) FROM u"); got != "60000,1799970000,101" {
			t.Error(got)
		}
		if got := lines(t, s, "SELECT k FROM t GROUP BY k SORT BY k DESC LIMIT 3"); got != "100;99;98" {
			t.Error(got)
		}
		got := strings.Split(lines(t, s, "SELECT n FROM t WHERE n < 100 DISTRIBUTE BY n % 7 SORT BY n"), ";")
		slices.Sort(got)
		if len(slices.Compact(got)) != 100 {
			t.Error(got)
		}
		db.Close()
	}
}
