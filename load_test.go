package basalt_test

import (
	"context"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// TestLoadInfile runs LOAD DATA INFILE with its clauses, strictly and leniently, with what it answers.
func TestLoadInfile(t *testing.T) {
	dir := t.TempDir()
	db, err := basalt.Open(t.TempDir(), basalt.Options{Settings: map[string]string{"secure_file_priv": dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	put(t, dir+"/good.csv", "id,name,v\n1,\"a,b\",2.5\n2,\\N,3\n")
	put(t, dir+"/bad.csv", "1,a,2\n300,abcdefghijkl,x\n3,c\n4,d,1,2\n")
	put(t, dir+"/vars.txt", "1\t2024-01-02\tx y\n2\t2024-02-03\tz\n")
	out := t.TempDir() + "/out.csv"
	put(t, out, "1\n")
	csv := "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' "
	for _, c := range []struct{ sql, want, info string }{
		{"CREATE TABLE t (id TINYINT NOT NULL, name VARCHAR(10) DEFAULT 'none', v DECIMAL(5,1))", "", ""},
		{"LOAD DATA INFILE 'D/good.csv' INTO TABLE t " + csv + "IGNORE 1 LINES", "", "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"SELECT * FROM t ORDER BY id", "1,a,b,2.5;2,NULL,3.0", ""},
		{"LOAD DATA INFILE 'good.csv' INTO TABLE t " + csv + "IGNORE 2 ROWS (@i, @skipped, v) SET id = @i + 10, name = DEFAULT", "", "Records: 1  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"SELECT * FROM t WHERE id = 12", "12,none,3.0", ""},
		{"TRUNCATE TABLE t", "", ""},
		// Strict: the first problem is the statement's error, and nothing is loaded.
		{"LOAD DATA INFILE 'D/bad.csv' INTO TABLE t " + csv, "error: Out of range value for column 'id' at row 2", ""},
		{"LOAD DATA INFILE 'D/bad.csv' INTO TABLE t " + csv + "IGNORE 2 LINES", "error: Row 1 doesn't contain data for all columns", ""},
		{"LOAD DATA INFILE 'D/bad.csv' INTO TABLE t " + csv + "IGNORE 3 LINES", "error: Row 1 was truncated; it contained more data than there were input columns", ""},
		{"SELECT count(*) FROM t", "0", ""},
		// LOCAL and IGNORE make values fit.
		{"LOAD DATA INFILE 'D/bad.csv' IGNORE INTO TABLE t " + csv, "", "Records: 4  Deleted: 0  Skipped: 0  Warnings: 5"},
		{"SHOW WARNINGS", "Warning,1264,Out of range value for column 'id' at row 2;Warning,1265,Data truncated for column 'name' at row 2;" +
			"Warning,1366,Incorrect decimal value: 'x' for column 'v' at row 2;Warning,1261,Row 3 doesn't contain data for all columns;" +
			"Warning,1262,Row 4 was truncated; it contained more data than there were input columns", ""},
		{"SELECT * FROM t ORDER BY id", "1,a,2.0;3,c,NULL;4,d,1.0;127,abcdefghij,0.0", ""},
		{"LOAD DATA LOCAL INFILE 'D/bad.csv' INTO TABLE t " + csv, "", "Records: 4  Deleted: 0  Skipped: 0  Warnings: 5"},
		// Expressions over fields and variables.
		{"CREATE TABLE u (day DATE, month INT, words ARRAY<STRING>, n INT)", "", ""},
		{"SET @factor = 10", "", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE u (@n, day, @w) SET n = @n * @factor, month = month(day), words = split_by_string(@w, ' ')", "", "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"SELECT * FROM u ORDER BY n", `2024-01-02,1,["x", "y"],10;2024-02-03,2,["z"],20`, ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE u (n, day, words) SET n = n + 1", "error: Incorrect array value: 'x y' for column 'words' at row 1", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE u (n, day, @w) SET n = n + 1", "", "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"SELECT n FROM u WHERE words IS NULL ORDER BY n", "2;3", ""},
		// A table that keeps one row a key.
		{"CREATE TABLE k (id INT, v INT) UNIQUE KEY (id) DISTRIBUTED BY HASH(id) BUCKETS 1", "", ""},
		{"INSERT INTO k VALUES (1, 1)", "", ""},
		{"LOAD DATA INFILE 'D/vars.txt' REPLACE INTO TABLE k (id, @d, @w) SET v = 7", "", "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"SELECT * FROM k ORDER BY id", "1,7;2,7", ""},
		// What cannot be.
		{"LOAD DATA INFILE 'D/vars.txt' IGNORE INTO TABLE k", "error: LOAD DATA … IGNORE into a UNIQUE KEY table is not supported yet", ""},
		{"LOAD DATA INFILE 'D/none' INTO TABLE t", "error: cannot stat D/none", ""},
		{"LOAD DATA INFILE '" + out + "' INTO TABLE t (id)", "error: The MySQL server is running with the --secure-file-priv option", ""},
		{"LOAD DATA LOCAL INFILE '" + out + "' INTO TABLE t (id)", "", "Records: 1  Deleted: 0  Skipped: 0  Warnings: 0"},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE t (nothing)", "error: Unknown column 'nothing' in 'field list'", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE t (id, id)", "error: Column 'id' specified twice", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE t (id) SET nothing = 1", "error: Unknown column 'nothing' in 'field list'", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE t CHARACTER SET utf16", "error: CHARACTER SET utf16 of a text file is not supported yet", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE t FIELDS TERMINATED BY ''", "error: FIELDS or LINES TERMINATED BY '' is not supported yet", ""},
		{"LOAD DATA INFILE 'D/vars.txt' INTO TABLE information_schema.tables", "error: Access denied", ""},
	} {
		sql := strings.ReplaceAll(c.sql, "D/", dir+"/")
		if c.info != "" {
			r, err := s.Query(context.Background(), sql)
			if err != nil || r.Info() != c.info {
				t.Errorf("%s\n%v %v", c.sql, r, err)
			}
			continue
		}
		got := strings.ReplaceAll(lines(t, s, sql), dir+"/", "D/")
		if got != c.want && (!strings.HasPrefix(c.want, "error: ") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	if _, err := s.Prepare(context.Background(), "LOAD DATA INFILE 'x' INTO TABLE t"); err == nil || !strings.Contains(err.Error(), "prepared statement protocol") {
		t.Error(err)
	}
}
