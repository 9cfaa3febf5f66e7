package text

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// loadAll reads a file with a Loader: the columns' values and the problems, one a line.
func loadAll(t *testing.T, path string, o LoadOptions) ([][]vector.Value, string) {
	t.Helper()
	var problems []string
	if o.Report == nil {
		o.Report = func(p *LoadProblem) error {
			problems = append(problems, fmt.Sprintf("%d:%d:%s:%s", p.Row, p.Kind, p.Column, p.Value))
			return nil
		}
	}
	l, err := NewLoader(storage.OSFS{}, path, o)
	if err != nil {
		t.Fatal(err)
	}
	req := &storage.ScanRequest{Limit: -1, BatchRows: 100}
	for i := range o.Columns {
		req.Columns = append(req.Columns, i)
	}
	splits, _ := l.Splits(t.Context(), req)
	r, err := l.Open(t.Context(), splits[0], req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := make([][]vector.Value, len(o.Columns))
	for {
		b, err := r.Next(t.Context())
		if err != nil {
			return nil, err.Error()
		}
		if b == nil {
			return out, strings.Join(problems, " ")
		}
		for i, c := range b.Cols {
			for k := range b.Len {
				out[i] = append(out[i], c.Value(k))
			}
		}
	}
}

// TestLoadWritten loads what the writer wrote in MySQL's forms, across the ends of buffers.
func TestLoadWritten(t *testing.T) {
	wild := []string{"a", "long text without anything", "", ",", "||", "|", "\n", `"`, `\`, `\N`, "\r\n", "é", "\x00", "NULL", " ", "\t", "'", ">"}
	for i, c := range []WriterOptions{
		{Field: "\t", Line: "\n", Escape: '\\', Null: `\N`},
		{Field: "||", Line: "\r\n", Escape: '\\', Null: `\N`, Quote: '"', Quoting: QuoteAll},
		{Field: ",", Line: "\n", Escape: '\\', Null: `\N`, Quote: '\'', Quoting: QuoteStrings, Starting: ">>"},
		{Field: ";", Line: "|\n", Quote: '"', Quoting: QuoteStrings, Null: "NULL"},
	} {
		c.Kind = CSV
		r := rand.New(rand.NewPCG(6, uint64(i)))
		for range 15 {
			path, cols, batches := writeRandom(t, r, c, wild, false, 0, ".txt")
			compareLoaded(t, path, cols, batches, c)
		}
		// Larger than a buffer.
		cols := []storage.Column{{Name: "a", Type: sqltype.T(sqltype.String), Nullable: true}, {Name: "b", Type: sqltype.T(sqltype.Int), Nullable: true}}
		var out bytes.Buffer
		w, err := NewWriter(&out, cols, c)
		if err != nil {
			t.Fatal(err)
		}
		var batches []*vector.Batch
		for out.Len() < 3*blockBytes {
			b := &vector.Batch{Len: 4000, Cols: []*vector.Vector{randomVector(r, cols[0].Type, 4000, wild, false), randomVector(r, cols[1].Type, 4000, wild, false)}}
			batches = append(batches, b)
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		compareLoaded(t, writeFile(t, "x.txt", out.Bytes()), cols, batches, c)
	}
}

func compareLoaded(t *testing.T, path string, cols []storage.Column, batches []*vector.Batch, w WriterOptions) {
	t.Helper()
	o := LoadOptions{Field: w.Field, Line: w.Line, Starting: w.Starting, Quote: w.Quote, Escape: w.Escape}
	for _, c := range cols {
		if c.Type.IsFloat() {
			c.Type = sqltype.T(sqltype.String) // nan and inf are none of MySQL's
		}
		o.Columns = append(o.Columns, LoadColumn{Column: c, Default: vector.NullOf(c.Type)})
	}
	got, problems := loadAll(t, path, o)
	if problems != "" {
		t.Fatalf("%+v: %.200s", w, problems)
	}
	for i, c := range cols {
		k := 0
		for _, b := range batches {
			for row := range b.NumRows() {
				want := b.Cols[i].Value(b.Row(row))
				if k >= len(got[i]) {
					t.Fatalf("%d rows", k)
				}
				v := got[i][k]
				if v.Null != want.Null || !v.Null && v.Text() != want.Text() {
					t.Fatalf("%+v row %d of %s: %q, want %q", w, k, c.Type, v.Text(), want.Text())
				}
				k++
			}
		}
		if k != len(got[i]) {
			t.Fatalf("%d rows, want %d", len(got[i]), k)
		}
	}
}

// TestLoadRules has the rules of MySQL's manual, one file each.
func TestLoadRules(t *testing.T) {
	column := func(name string, typ sqltype.Type, null bool) LoadColumn {
		return LoadColumn{Column: storage.Column{Name: name, Type: typ, Nullable: null}, Default: vector.NullOf(typ)}
	}
	text, tiny := sqltype.VarcharOf(4), sqltype.T(sqltype.TinyInt)
	dec, date := sqltype.DecimalOf(4, 1), sqltype.T(sqltype.Date)
	both := []LoadColumn{column("s", text, true), column("n", tiny, false)}
	for _, c := range []struct {
		name, file string
		o          LoadOptions
		want       string // rows, then problems
	}{
		{"defaults", "a\t1\nb\\tc\t2\n\\N\t3", LoadOptions{Columns: both}, "a,1;b\tc,2;NULL,3|"},
		{"escapes", "\\0\\b\\n\\Z\t1\n\\a\\\\\t2\n", LoadOptions{Columns: both}, "\x00\b\n\x1a,1;a\\,2|"},
		{"numbers", "a\t1.5\nb\t12x\nc\t-200\nd\t\ne\t1e1\nf\t 7 \n", LoadOptions{Columns: both}, "a,2;b,12;c,-128;d,0;e,10;f,7|2:3:n:12x 3:4:n:-200 4:2:n:"},
		{"null and text", "long text\t\\N\n", LoadOptions{Columns: both}, "long,0|1:5:s:long text 1:6:n:"},
		{"counts", "a\nb\t1\t2\n\n", LoadOptions{Columns: both}, "a,0;b,1;,0|1:0:n: 2:1:: 3:0:n:"},
		{"skipped", "head\nmore\na\t1\n", LoadOptions{Columns: both, Skip: 2}, "a,1|"},
		{"all skipped", "head\n", LoadOptions{Columns: both, Skip: 2}, "|"},
		{"starting", "no\nxx>a\t1\nno>b\t2", LoadOptions{Columns: both, Starting: ">"}, "a,1;b,2|"},
		{"quotes", "\"a,\"\"b\",\"1\"\nx\"y,NULL\n\"NULL\",3\n\"a\"b\",4\n", LoadOptions{Columns: both, Field: ",", Quote: '"'}, "a,\"b,1;x\"y,0;NULL,3;a\"b,4|2:6:n:"},
		{"quoted line end", "'a\nb',1\n'c', 2\n", LoadOptions{Columns: both, Field: ",", Quote: '\''}, "a\nb,1;c,2|"},
		{"several bytes", "a|b||1\r\nc\n||2\r\n", LoadOptions{Columns: both, Field: "||", Line: "\r\n"}, "a|b,1;c\n,2|"},
		{"no escape", "a\\\t1\n\\N\t2\n", LoadOptions{Columns: both, Escape: 1}, "a\\,1;\\N,2|"},
		{"dates", "2024-02-29\t1.25\n20240301\t12345\n2024/3/1\tx1\nx\t-\n", LoadOptions{Columns: []LoadColumn{column("d", date, true), column("x", dec, true)}},
			"2024-02-29,1.3;2024-03-01,999.9;2024-03-01,0.0;NULL,0.0|2:4:x:12345 3:2:x:x1 4:2:d:x 4:2:x:-"},
	} {
		o := c.o
		if o.Field == "" {
			o.Field = "\t"
		}
		if o.Line == "" {
			o.Line = "\n"
		}
		switch o.Escape {
		case 0:
			o.Escape = '\\'
		case 1:
			o.Escape = 0
		}
		rows, problems := loadAll(t, writeFile(t, "x.txt", []byte(c.file)), o)
		var lines []string
		for k := range rows[0] {
			lines = append(lines, rows[0][k].Text()+","+rows[1][k].Text())
		}
		if got := strings.Join(lines, ";") + "|" + problems; got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.name, got, c.want)
		}
	}
	o := LoadOptions{Field: "\t", Line: "\n", Columns: both, Report: func(p *LoadProblem) error { return errors.New("strict") }}
	if _, err := loadAll(t, writeFile(t, "x.txt", []byte("a\t1\nb\tx\n")), o); !strings.Contains(err, "strict") {
		t.Error(err)
	}
}
