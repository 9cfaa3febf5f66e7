package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/server"
)

func TestSplit(t *testing.T) {
	check := func(text, wants, rest string) {
		t.Helper()
		list, gotRest := Split(text)
		var got []string
		for _, st := range list {
			mark := ""
			if st.Vertical {
				mark += "|G"
			}
			if st.Meta {
				mark += "|meta"
			}
			got = append(got, st.Text+mark)
		}
		if strings.Join(got, " / ") != wants || gotRest != rest {
			t.Errorf("%q: got %q rest %q", text, got, gotRest)
		}
	}
	check("", "", "")
	check("select 1", "", "select 1")
	check("select 1; select 2;", "select 1 / select 2", "")
	check(";; ;", "", "")
	check("select ';', \";\", `;`; x", "select ';', \";\", `;`", " x")
	check(`select 'it''s;', 'a\';b'; y`, `select 'it''s;', 'a\';b'`, " y")
	check("a -- ;\n; b # ;\n; c /* ; */; d", "a -- ; / b # ; / c /* ; */", " d")
	check("1--2; 3", "1--2", " 3")
	check("select 1\\G select 2\\g;", "select 1|G / select 2", "")
	check("-- only a comment\n;", "", "")
	check("select 'open; ", "", "select 'open; ")
	check("/* open; ", "", "/* open; ")
	check("\\dt\nselect 1;\n \\d t x\nselect", "\\dt|meta / select 1 / \\d t x|meta", "\nselect")
	check("`a\\`; b", "`a\\`", " b")
}

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{"select 1;": true, "select 1": false, "select 1\\G": true, "\\q": true, "exit": true, "use x": true,
		"use x y": false, "": true, "select ';": false, "help": true, "help me": false, "quit;": true} {
		if got := complete(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// rowsOf makes a Result of two columns, a number and a text; "∅" is NULL.
func rowsOf(rows ...[2]string) Result {
	i := 0
	return Result{Columns: []Column{{"n", Number}, {"text", Text}}, Next: func(row []Cell) (bool, error) {
		if i == len(rows) {
			return false, nil
		}
		for c := range row {
			row[c] = Cell{rows[i][c], rows[i][c] == "∅"}
		}
		i++
		return true, nil
	}}
}

func TestFormats(t *testing.T) {
	check := func(format string, vertical bool, want string) {
		t.Helper()
		var out strings.Builder
		n, err := write(&out, format, vertical, rowsOf([2]string{"1", "日本|\n"}, [2]string{"∅", "∅"}, [2]string{"-20.5", `a"b`}))
		if err != nil || n != 3 {
			t.Fatalf("%s: %d rows, %v", format, n, err)
		}
		if got := out.String(); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", format, got, want)
		}
	}
	check("table", false, `+-------+---------+
|     n | text    |
+-------+---------+
|     1 | 日本|\n |
|  NULL | NULL    |
| -20.5 | a"b     |
+-------+---------+
`)
	check("markdown", false, `|     n | text     |
| ----: | -------- |
|     1 | 日本\|\n |
|  NULL | NULL     |
| -20.5 | a"b      |
`)
	check("csv", false, "n,text\n1,\"日本|\n\"\n,\n-20.5,\"a\"\"b\"\n")
	check("tsv", false, "n\ttext\n1\t日本|\\n\nNULL\tNULL\n-20.5\ta\"b\n")
	check("json", false, "[\n{\"n\":1,\"text\":\"日本|\\n\"},\n{\"n\":null,\"text\":null},\n{\"n\":-20.5,\"text\":\"a\\\"b\"}\n]\n")
	stars := strings.Repeat("*", 27)
	check("table", true, stars+" 1. row "+stars+"\n   n: 1\ntext: 日本|\n\n"+stars+" 2. row "+stars+"\n   n: NULL\ntext: NULL\n"+stars+" 3. row "+stars+"\n   n: -20.5\ntext: a\"b\n")

	var out strings.Builder
	if n, err := write(&out, "table", false, rowsOf()); n != 0 || err != nil || out.Len() != 0 {
		t.Errorf("an empty table: %d, %v, %q", n, err, out.String())
	}
	if err := CheckFormat("xml"); err == nil {
		t.Error("xml is a format")
	}
	for text, want := range map[string]string{"1": "1", "nan": `"nan"`, "1e20": "1e20", "-inf": `"-inf"`, "007": `"007"`} {
		if got := string(jsonCell(Cell{Text: text}, Number)); got != want {
			t.Errorf("JSON of %s: %s", text, got)
		}
	}
}

// TestLargeTable: rows behind the first block are printed as they come.
func TestLargeTable(t *testing.T) {
	i := 0
	r := Result{Columns: []Column{{"n", Number}}, Next: func(row []Cell) (bool, error) {
		i++
		row[0] = Cell{Text: fmt.Sprint(i)}
		return i <= 3*blockRows, nil
	}}
	var out strings.Builder
	if n, err := write(&out, "table", false, r); n != 3*blockRows || err != nil {
		t.Fatal(n, err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 3*blockRows+4 {
		t.Errorf("%d lines", lines)
	}
	broken := rowsOf([2]string{"1", "a"})
	next := broken.Next
	broken.Next = func(row []Cell) (bool, error) {
		if ok, _ := next(row); ok {
			return true, nil
		}
		return false, errors.New("broken")
	}
	if _, err := write(&out, "table", false, broken); err == nil {
		t.Error("no error")
	}
}

// clients are an embedded engine and a server, each new.
func clients(t *testing.T) map[string]Client {
	open := func() *basalt.DB {
		db, err := basalt.Open("", basalt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	embedded, err := NewEmbedded(open(), "")
	if err != nil {
		t.Fatal(err)
	}
	db := open()
	s, err := server.Listen(db, server.Options{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve() }()
	host, port, _ := strings.Cut(s.Addr().String(), ":")
	remote, err := Dial(t.Context(), RemoteOptions{Host: host, Port: port, User: "root"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []Client{embedded, remote} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		s.Shutdown(context.Background())
		_ = db.Close()
	})
	return map[string]Client{"embedded": embedded, "remote": remote}
}

// TestScript: both clients print the same.
func TestScript(t *testing.T) {
	dir := t.TempDir()
	included := filepath.Join(dir, "more.sql")
	if err := os.WriteFile(included, []byte("select 'included' x"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `create database d; use d;
create table t as select number n, 'x' s from numbers('number' = '3');
\f csv
select * from t order by n; -- a comment
\dt
\x
select n from t where n = 1;
\x
\i ` + included + `
\c default
\dt
select 1.50 as m, null as z;
nonsense here;
select 'never';`
	want := "n,s\n0,x\n1,x\n2,x\nTables_in_d\nt\none line a value is on\n" + strings.Repeat("*", 27) + " 1. row " + strings.Repeat("*", 27) +
		"\nn: 1\none line a value is off\nx\nincluded\nTables_in_default\nm,z\n1.50,\n"
	for name, client := range clients(t) {
		var out, errs strings.Builder
		s := New(client, Options{Out: &out, Err: &errs})
		if err := s.Script(t.Context(), script); err == nil {
			t.Errorf("%s: no error", name)
		}
		if out.String() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, out.String(), want)
		}
		if !strings.HasPrefix(errs.String(), "ERROR 1064 (42000): ") {
			t.Errorf("%s: %s", name, errs.String())
		}
		if client.Database() != "default" {
			t.Errorf("%s: database %s", name, client.Database())
		}
		if err := s.Script(t.Context(), `\q
select 1;`); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Script(t.Context(), `\nothing`); err == nil {
			t.Errorf("%s: unknown command", name)
		}
	}
}

// TestCancel: a cancelled statement leaves the session as it was.
func TestCancel(t *testing.T) {
	for name, client := range clients(t) {
		var out, errs strings.Builder
		s := New(client, Options{Out: &out, Err: &errs, Format: "tsv"})
		if err := s.Script(t.Context(), "set @kept = 5"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := client.Run(ctx, "select number from numbers('number' = '100000000000')", func(r Result) error {
			cancel()
			_, err := eachRow(r, func([]Cell) error { return nil })
			return err
		})
		if err == nil || !strings.Contains(ErrorText(err), "1317") {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Script(t.Context(), "select @kept"); err != nil || out.String() != "@kept\n5\n" {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
}
