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
