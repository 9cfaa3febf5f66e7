package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnswers runs the protocol over a folder with one table and checks the text forms.
func TestAnswers(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "t"), 0o777); err != nil {
		t.Fatal(err)
	}
	empty, err := openDuckDB(ctx, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer empty.close()
	if a := empty.answer(ctx, request{"copy", "copy (select 1 as a, -0.05::decimal(15,2) as b) to '" + dir + "/t/t_0.parquet'"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	tables := map[string]string{}
	if err := folderTables(dir, tables); err != nil {
		t.Fatal(err)
	}
	d, err := openDuckDB(ctx, tables, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()

	check := func(sql, want string) {
		t.Helper()
		line, err := json.Marshal(request{"q", sql})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := serve(ctx, d, bytes.NewReader(append(line, '\n')), json.NewEncoder(&out)); err != nil {
			t.Fatal(err)
		}
		var a answer
		if err := json.Unmarshal(out.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range a.Rows {
			for _, v := range row {
				if v == nil {
					got = append(got, "NULL")
				} else {
					got = append(got, *v)
				}
			}
		}
		if a.Error != "" {
			got = append(got, "error")
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s gives %s, want %s (%s)", sql, s, want, a.Error)
		}
	}
	check("select a, b from t", "1 -0.05")
	check("select 123.40::decimal(38,2), sum(1::hugeint), 7::decimal(4,0)", "123.40 1 7")
	check("select 1/3.0::double, 0.1::double + 0.2, 1e300::double", "0.3333333333 0.3 1e+300")
	check("select date '1995-03-05', timestamp '1995-03-05 01:02:03.5', null, true", "1995-03-05 1995-03-05 01:02:03.5 NULL 1")
	check("select x from t", "error")
}
