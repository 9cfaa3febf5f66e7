package basalt_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// TestTextFiles queries CSV and JSON files as tables.
func TestTextFiles(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"a.csv": "id,name,at\n1,\"x, y\",2024-01-02\n2,,2024-01-03\n",
		"b.tsv": "k\tv\n007\t1.5\n008\t2.5\n",
		"c.json": `{"id":1,"tags":["p","q"],"o":{"z":1.5}}
{"id":2,"tags":[],"o":null}
`,
		"d.txt": "1|one\n2|two\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for sql, want := range map[string]string{
		"SELECT concat_ws('|', id, coalesce(name, 'none'), date_add(at, 1)) FROM 'D/a.csv' WHERE id > 0 ORDER BY id LIMIT 1":                                          "1|x, y|2024-01-03",
		"SELECT concat(count(*), name IS NULL) FROM 'D/a.csv' WHERE name IS NULL GROUP BY name":                                                                       "11",
		"SELECT concat(min(k), sum(v)) FROM 'D/b.tsv'":                                                                                                                "0074",
		"SELECT concat(tags[2], o.z) FROM 'D/c.json' WHERE id = 1":                                                                                                    "q1.5",
		`SELECT group_concat(c2, '') FROM local("file_path" = "D/d.txt", "format" = "csv", "column_separator" = "|")`:                                                 "onetwo",
		`SELECT sum(n) FROM local("file_path" = "D/d.txt", "format" = "csv", "column_separator" = "|", "csv_schema" = "n:int;w:varchar(10)")`:                         "3",
		`SELECT group_concat(name, '') FROM local("file_path" = "D/a.csv", "format" = "csv_with_names", "column_separator" = ",", "enclose" = "\"") WHERE name <> ''`: "x, y",
	} {
		rows, err := s.Query(context.Background(), strings.ReplaceAll(sql, "D/", dir+"/"))
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		var got string
		if !rows.Next(context.Background()) {
			t.Errorf("%s: no row: %v", sql, rows.Err())
		} else if err := rows.Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, want %q, %v", sql, got, want, err)
		}
		rows.Close()
	}
	if _, err := s.Exec(context.Background(), `SELECT * FROM local("file_path" = "`+dir+`/a.csv", "format" = "csv", "skip_lines" = "x")`); err == nil || !strings.Contains(err.Error(), "skip_lines") {
		t.Error(err)
	}
}

// TestHiveTextFiles: tables over text files of others, whose properties say how they are read.
func TestHiveTextFiles(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"j/a.json": `{"n":"12abc","S":{"k": 1},"b":"true"}` + "\n" + `{"_col0":"7.9","b":"yes"} {"n":1}` + "\n",
		"bad/a":    "{\"n\":1}\nnone\n",
		"h/a.txt":  "head\n1\n2\nfoot",
		"h/b.txt":  "head\n3\nfoot\n",
		"h/c.gz":   "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	run := func(sql string) string {
		t.Helper()
		rows, err := s.Query(context.Background(), strings.ReplaceAll(sql, "D/", dir+"/"))
		if err != nil {
			return err.Error()
		}
		defer rows.Close()
		var out []string
		for rows.Next(context.Background()) {
			var v string
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		if rows.Err() != nil {
			return rows.Err().Error()
		}
		return strings.Join(out, " ")
	}
	for _, c := range [][2]string{
		{"CREATE DATABASE d", ""},
		{"USE d", ""},
		{"CREATE EXTERNAL TABLE j (n INT, s STRING, b BOOLEAN) STORED AS JSONFILE LOCATION 'D/j'", ""},
		{"SELECT concat(n, b) FROM j ORDER BY n", "01 70"},
		{"SELECT s FROM j", "'json.stringify.complex.fields'"},
		{"CREATE EXTERNAL TABLE k (n INT, s STRING) STORED AS JSONFILE LOCATION 'D/j' TBLPROPERTIES ('json.stringify.complex.fields'='true')", ""},
		{"SELECT s FROM k WHERE s IS NOT NULL", `{"k":1}`},
		{"CREATE EXTERNAL TABLE h (n INT) STORED AS TEXTFILE LOCATION 'D/h' TBLPROPERTIES ('skip.header.line.count'='1', 'skip.footer.line.count'='1')", ""},
		{"SELECT n FROM h ORDER BY n", "1 2 3"},
		{`SELECT c1 FROM local("file_path" = "D/h/?.txt", "format" = "csv", "skip_lines" = "1") ORDER BY c1`, "1 2 3 foot foot"},
		{"CREATE EXTERNAL TABLE wrong (n INT) STORED AS TEXTFILE LOCATION 'D/h' TBLPROPERTIES ('skip.footer.line.count'='x')", "skip.footer.line.count must be"},
		{"CREATE EXTERNAL TABLE bad (n INT) STORED AS JSONFILE LOCATION 'D/bad'", ""},
		{"SELECT n FROM bad", "malformed"},
		{"CREATE EXTERNAL TABLE lax (n INT) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json'='true') LOCATION 'D/bad'", ""},
		{"SELECT ifnull(n, 'none') FROM lax", "1 none"},
	} {
		if got := run(c[0]); got != c[1] && (!strings.Contains(got, c[1]) || c[1] == "") {
			t.Errorf("%s: %q, want %q", c[0], got, c[1])
		}
	}
}
