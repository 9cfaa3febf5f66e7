package basalt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// fields picks columns of a statement's rows by name: a line a row.
func fields(t *testing.T, s *basalt.Session, sql string, names ...string) string {
	t.Helper()
	ctx := context.Background()
	rows, err := s.Query(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next(ctx) {
		for i, c := range rows.Columns() {
			for _, n := range names {
				if c.Name == n {
					fmt.Fprint(&b, rows.Values()[i], " ")
				}
			}
		}
		b.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func TestAnalyze(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	s := session(t, db)
	query(t, s, `CREATE TABLE t AS SELECT number AS id, number % 40 AS k, IF(number % 10 = 0, NULL, concat('name of ', number % 300)) AS s,
		CAST(number % 7 AS DECIMAL(30,2)) AS d FROM numbers("number" = "200000")`)
	wanted := []string{"column_name", "count", "ndv", "num_null", "avg_size_byte", "min", "max", "method", "trigger"}
	show := func(s *basalt.Session) string { return fields(t, s, "SHOW COLUMN STATS t", wanted...) }

	// Written files know their distinct values and NULLs; keys are estimated within the sketch's error.
	before := show(s)
	for _, want := range []string{
		"k 200000.0 40.0 0.0 8.0 0 39 FILES SYSTEM\n", "d 200000.0 7.0 0.0 16.0 0.00 6.00 FILES SYSTEM\n", "s 200000.0 2",
	} {
		if !strings.Contains(before, want) {
			t.Errorf("as written: no %q in\n%s", want, before)
		}
	}
	if out := query(t, s, "ANALYZE TABLE t (k, s)"); !strings.Contains(out, "[t:k,t:s]") {
		t.Errorf("job: %q", out)
	}
	query(t, s, "ANALYZE TABLE t WITH SYNC")
	full := show(s)
	for _, want := range []string{"k 200000.0 40.0 0.0 8.0 0 39 FULL MANUAL\n", "'name of 1' 'name of 99' FULL MANUAL\n"} {
		if !strings.Contains(full, want) {
			t.Errorf("analyzed: no %q in\n%s", want, full)
		}
	}
	if got := fields(t, s, "SHOW TABLE STATS t", "row_count", "columns", "trigger"); got != "200000 [t:id, t:k, t:s, t:d] MANUAL\n" {
		t.Errorf("table: %s", got)
	}
	if got := fields(t, s, "SHOW ANALYZE t", "tbl_name", "col_name", "state"); got != "t [id,k,s,d] FINISHED\nt [k,s] FINISHED\n" {
		t.Errorf("jobs: %s", got)
	}

	plan := query(t, s, "EXPLAIN VERBOSE SELECT count(*) FROM t WHERE k < 10 AND s = 'name of 7'")
	if !strings.Contains(plan, "estimated by: table 200000 rows; t.k < 10: 0.2") || !strings.Contains(plan, "(histogram, analyzed); t.s = 'name of 7': 0.00") {
		t.Errorf("explained:\n%s", plan)
	}

	// They stay, are shown by column, and go by column or as a whole.
	s.Close()
	db.Close()
	db = open(t, dir)
	s = session(t, db)
	if again := show(s); again != full {
		t.Errorf("after a restart\n%s\nbefore\n%s", again, full)
	}
	query(t, s, "DROP STATS t (k)")
	if got := fields(t, s, "SHOW COLUMN STATS t (k, id)", "column_name", "method"); got != "id FULL\nk FILES\n" {
		t.Errorf("one dropped: %s", got)
	}
	query(t, s, "DROP STATS t")
	if got := show(s); got != before {
		t.Errorf("all dropped\n%s\nwant\n%s", got, before)
	}

	query(t, s, "ANALYZE TABLE t WITH SYNC WITH SAMPLE PERCENT 10")
	if got := fields(t, s, "SHOW COLUMN STATS t (k, d)", "column_name", "ndv", "method"); got != "k 40.0 SAMPLE\nd 7.0 SAMPLE\n" {
		t.Errorf("sample: %s", got)
	}
	query(t, s, "ANALYZE DATABASE `default` WITH SYNC")
	query(t, s, "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS k")
	for sql, code := range map[string]sqlerr.Code{
		"ANALYZE TABLE nope": sqlerr.UnknownTable, "ANALYZE TABLE t (nope)": sqlerr.UnknownColumn, "ANALYZE DATABASE nope": sqlerr.UnknownDatabase,
		"ANALYZE TABLE t WITH SAMPLE PERCENT 101": sqlerr.WrongArguments, "ANALYZE TABLE information_schema.tables": sqlerr.AccessDeniedDB,
		"DROP STATS nope": sqlerr.UnknownTable, "SHOW COLUMN STATS nope": sqlerr.UnknownTable,
	} {
		if _, err := tryQuery(s, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestStatisticsOfEmptyTables: nothing is divided by no rows.
func TestStatisticsOfEmptyTables(t *testing.T) {
	s := session(t, open(t, ""))
	query(t, s, "CREATE TABLE e (a INT, b STRING)")
	query(t, s, "ANALYZE TABLE e WITH SYNC")
	if got := fields(t, s, "SHOW COLUMN STATS e", "column_name", "count", "ndv", "min"); got != "a 0.0 0.0 N/A\nb 0.0 0.0 N/A\n" {
		t.Errorf("%s", got)
	}
	query(t, s, "INSERT INTO e VALUES (NULL, NULL)")
	query(t, s, "ANALYZE TABLE e WITH SYNC")
	query(t, s, "SELECT * FROM e WHERE a = 1 AND b > 'x' GROUP BY 1, 2")
}

// TestGivenStatistics states what no file tells.
func TestGivenStatistics(t *testing.T) {
	s := session(t, open(t, ""))
	query(t, s, "CREATE TABLE t (a INT, b STRING)")
	query(t, s, "INSERT INTO t VALUES (1, 'x')")
	query(t, s, "ALTER TABLE t MODIFY COLUMN a SET STATS ('row_count'='1', 'ndv'='1', 'num_nulls'='0', 'min_value'='1', 'max_value'='500', 'data_size'='4')")
	if got := fields(t, s, "SHOW COLUMN STATS t (a)", "ndv", "avg_size_byte", "method"); got != "1.0 4.0 GIVEN\n" {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{"'row_count'='1'", "'ndv'='x', 'row_count'='1'", "'ndv'='1', 'row_count'='1', 'rows'='1'", "'ndv'='1', 'row_count'='1', 'min_value'='x'"} {
		if _, err := tryQuery(s, "ALTER TABLE t MODIFY COLUMN a SET STATS ("+bad+")"); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	query(t, s, "DROP STATS t")
}
