package basalt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// lines runs a query and joins its rows.
func lines(t *testing.T, s *basalt.Session, sql string) string {
	t.Helper()
	rows, err := s.Query(context.Background(), sql)
	if err != nil {
		return "error: " + err.Error()
	}
	defer rows.Close()
	var out []string
	for rows.Next(context.Background()) {
		values := make([]any, len(rows.Columns()))
		for i := range values {
			values[i] = new(*string)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			if p := *v.(**string); p == nil {
				cells = append(cells, "NULL")
			} else {
				cells = append(cells, *p)
			}
		}
		out = append(out, strings.Join(cells, ","))
	}
	if err := rows.Err(); err != nil {
		return "error: " + err.Error()
	}
	return strings.Join(out, ";")
}

// TestHiveTables reads folders that Hive lays out: partitions of the path, text with a row format, buckets.
func TestHiveTables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for day := 1; day <= 9; day++ {
		write(fmt.Sprintf("logs/dt=2024-01-0%d/city=%s/000000_0", day, []string{"Berlin", "a%2Fb", "__HIVE_DEFAULT_PARTITION__"}[day%3]), fmt.Sprintf("%d|x:y|k=1\n%d|\\N|\n", day, 10*day))
	}
	write("logs/dt=2024-01-01/city=a%2Fb/_SUCCESS", "")
	write("logs/_tmp/dt=2024-01-01/city=Berlin/000000_0", "99||\n")
	// int buckets of Hive's first hash: the value modulo 4.
	for b := range 4 {
		write(fmt.Sprintf("bucketed/00000%d_0", b), fmt.Sprintf("%d\x01v%d\n%d\x01v%d\n", b, b, b+4, b+4))
	}
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, c := range []struct{ sql, want string }{
		{`CREATE EXTERNAL TABLE logs (n INT, tags ARRAY<STRING>, m MAP<STRING,INT>) PARTITIONED BY (dt DATE, city STRING)
			ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ':' MAP KEYS TERMINATED BY '=' STORED AS TEXTFILE LOCATION 'D/logs'`, ""},
		{"SELECT * FROM logs WHERE dt = '2024-01-02' ORDER BY n", `2,["x", "y"],{"k":1},2024-01-02,NULL;20,NULL,{},2024-01-02,NULL`},
		{"SELECT count(*), sum(n), count(DISTINCT dt) FROM logs WHERE city = 'a/b'", "6,132,3"},
		{"SELECT count(*) FROM logs WHERE city IS NULL AND dt > '2024-01-04'", "4"},
		{"CREATE EXTERNAL TABLE b (id INT, v STRING) CLUSTERED BY (id) INTO 4 BUCKETS STORED AS TEXTFILE LOCATION 'D/bucketed'", ""},
		{"SELECT v FROM b WHERE id = 6", "v6"},
		{"SELECT count(*) FROM b x JOIN b y ON x.id = y.id", "8"},
		{"CREATE EXTERNAL TABLE w (n INT) PARTITIONED BY (other INT) STORED AS TEXTFILE LOCATION 'D/logs'", ""},
		{"SELECT * FROM w", "error: the folder D/logs/dt=2024-01-01/city=a%2Fb is no partition of the table, which is partitioned by (other)"},
		{"CREATE EXTERNAL TABLE w2 (n INT) PARTITIONED BY (N INT) STORED AS TEXTFILE LOCATION 'D/logs'", "error: Column repeated in partitioning columns: N"},
	} {
		if got := strings.ReplaceAll(lines(t, s, strings.ReplaceAll(c.sql, "D/", dir+"/")), dir+"/", "D/"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	for sql, want := range map[string]string{
		"EXPLAIN SELECT count(*) FROM logs WHERE dt = '2024-01-02'": "partitions=1/9",
		"EXPLAIN SELECT * FROM b WHERE id = 6":                      "tabletRatio=1/4",
	} {
		if got := lines(t, s, sql); !strings.Contains(got, want) {
			t.Errorf("%s has no %s:\n%s", sql, want, strings.ReplaceAll(got, ";", "\n"))
		}
	}
}

// TestNestedColumns stores arrays, maps and structs in tables of ours.
func TestNestedColumns(t *testing.T) {
	db, err := basalt.Open(t.TempDir(), basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, format := range []string{"parquet", "orc"} {
		for _, c := range []struct{ sql, want string }{
			{"CREATE TABLE t (id INT, a ARRAY<INT>, m MAP<STRING,ARRAY<DECIMAL(10,2)>>, s STRUCT<x:INT,y:STRING>) PROPERTIES(\"format\" = \"" + format + "\")", ""},
			{"INSERT INTO t VALUES (1, [1,NULL,3], {'k': [1.5]}, named_struct('x', 1, 'y', 'p')), (2, NULL, {}, NULL), (3, [], NULL, named_struct('x', NULL, 'y', 'q'))", ""},
			{"SELECT * FROM t ORDER BY id", `1,[1, null, 3],{"k":[1.50]},{"x":1, "y":"p"};2,NULL,{},NULL;3,[],NULL,{"x":null, "y":"q"}`},
			{"SELECT id, a[1], m['k'][1], s.y FROM t WHERE size(a) >= 0 ORDER BY id", "1,1,1.50,p;3,NULL,NULL,q"},
			{"SELECT DISTINCT s FROM t WHERE s.x IS NULL AND s IS NOT NULL", `{"x":null, "y":"q"}`},
			{"DROP TABLE t", ""},
		} {
			if got := lines(t, s, c.sql); got != c.want {
				t.Errorf("%s: %s\n got %s\nwant %s", format, c.sql, got, c.want)
			}
		}
	}
}
