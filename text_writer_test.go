package basalt_test

import (
	"testing"

	"github.com/basaltdb/basalt"
)

// TestTextTables stores tables of ours as text and JSON: rows go in and come back, files are merged.
func TestTextTables(t *testing.T) {
	db, err := basalt.Open(t.TempDir(), basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, format := range []string{
		"STORED AS TEXTFILE", "STORED AS JSONFILE", "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY ','",
		"STORED AS TEXTFILE TBLPROPERTIES('compression' = 'zstd')", "STORED AS JSONFILE TBLPROPERTIES('compression' = 'gzip')",
		"STORED AS TEXTFILE TBLPROPERTIES('compression' = 'snappy')",
	} {
		for _, c := range []struct{ sql, want string }{
			{"CREATE TABLE t (id INT, a ARRAY<INT>, m MAP<STRING,DECIMAL(10,2)>, s STRUCT<x:INT,y:STRING>, d DATETIME(3), v STRING) " + format, ""},
			{"INSERT INTO t VALUES (1, [1,NULL,3], {'k': 1.5}, named_struct('x', 1, 'y', 'p'), '2024-02-29 10:11:12.5', 'x'), (2, NULL, {}, NULL, NULL, '')", ""},
			{"INSERT INTO t SELECT 3, [], NULL, named_struct('x', NULL, 'y', 'q'), '2024-01-01', NULL", ""},
			{"SELECT * FROM t ORDER BY id", `1,[1, null, 3],{"k":1.50},{"x":1, "y":"p"},2024-02-29 10:11:12.500,x;2,NULL,{},NULL,NULL,;3,[],NULL,{"x":null, "y":"q"},2024-01-01 00:00:00.000,NULL`},
			{"INSERT INTO t (id, v) VALUES (4, 'y')", ""},
			{"ALTER TABLE t CONCATENATE", ""},
			{"SELECT id, a, v FROM t WHERE id > 2 ORDER BY id", "3,[],NULL;4,NULL,y"},
			{"INSERT OVERWRITE TABLE t SELECT * FROM t WHERE id = 4", ""},
			{"SELECT count(*), max(id) FROM t", "1,4"},
			{"DROP TABLE t", ""},
		} {
			if got := lines(t, s, c.sql); got != c.want {
				t.Errorf("%s: %s\n got %s\nwant %s", format, c.sql, got, c.want)
			}
		}
	}
}
