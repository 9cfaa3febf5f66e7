package text

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func stringColumns(n int) (cols []storage.Column) {
	for i := range n {
		cols = append(cols, storage.Column{Name: fmt.Sprintf("c%d", i), Type: sqltype.T(sqltype.String), Nullable: true})
	}
	return cols
}

func open(t testing.TB, path string, cols []storage.Column, opt Options) *Source {
	t.Helper()
	s, err := NewSource(storage.OSFS{}, []string{path}, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCSVAgainstStandard compares random CSV, whole and cut into ranges of every size, with encoding/csv.
func TestCSVAgainstStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", "bc", "", ",", "\n", `"`, "long text without anything", "\r\n", "é", " "}
	for try := range 150 {
		width := 1 + r.IntN(4)
		var want [][]string
		for range 1 + r.IntN(60) {
			row := make([]string, width)
			for i := range row {
				for range r.IntN(4) {
					row[i] += pieces[r.IntN(len(pieces))]
				}
			}
			want = append(want, row)
		}
		if width == 1 {
			for _, row := range want {
				row[0] += "x" // empty lines are no rows
			}
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		path := writeFile(t, "x.csv", b.Bytes())
		for _, step := range []int64{1 << 20, int64(1 + r.IntN(7)), int64(8 + r.IntN(200))} {
			s := open(t, path, stringColumns(width), Options{Kind: CSV, Field: ',', Quote: '"', Line: '\n'})
			s.files[0].step = step
			readBackwards = try%2 == 1
			for i := range width {
				got := readColumn(t, s, i)
				readBackwards = false
				if len(got) != len(want) {
					t.Fatalf("try %d, step %d: %d rows, want %d in %q", try, step, len(got), len(want), b.String())
				}
				for k, v := range got {
					// encoding/csv writes \r\n inside of quotes as it is.
					if v.Null || v.S != want[k][i] {
						t.Fatalf("try %d, step %d: row %d column %d: %q (null %v), want %q", try, step, k, i, v.S, v.Null, want[k][i])
					}
				}
			}
		}
	}
}

// TestJSONAgainstStandard compares random objects, a line each and in an array, with encoding/json.
func TestJSONAgainstStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	words := []string{"plain", "quo\"te", "back\\slash", "new\nline", "é\u2028", "😀", "{", "]"}
	var want []map[string]any
	var lines, array bytes.Buffer
	array.WriteString("[\n")
	for i := range 500 {
		row := map[string]any{}
		if r.IntN(3) > 0 {
			row["n"] = float64(r.IntN(1000))
		}
		if r.IntN(3) > 0 {
			row["s"] = words[r.IntN(len(words))]
		}
		if r.IntN(3) > 0 {
			row["a"] = []any{words[r.IntN(len(words))], nil}
		}
		row["other"] = map[string]any{"deep": []any{1.5, map[string]any{"n": 3.0}}}
		want = append(want, row)
		b, _ := json.Marshal(row)
		lines.Write(append(b, '\n'))
		if i > 0 {
			array.WriteString(",\n ")
		}
		pretty, _ := json.MarshalIndent(row, " ", "  ")
		array.Write(pretty)
	}
	array.WriteString("\n]\n")
	str := sqltype.T(sqltype.String)
	cols := []storage.Column{{Name: "s", Type: str}, {Name: "N", Type: sqltype.T(sqltype.Int)}, {Name: "a", Type: sqltype.ArrayOf(str)}}
	for name, data := range map[string][]byte{"x.json": lines.Bytes(), "y.json": array.Bytes()} {
		path := writeFile(t, name, data)
		for _, step := range []int64{1 << 20, 50, 333} {
			s := open(t, path, cols, Options{Kind: JSON, Strict: true})
			s.files[0].step = step
			ss, ns, as := readColumn(t, s, 0), readColumn(t, s, 1), readColumn(t, s, 2)
			if len(ss) != len(want) {
				t.Fatalf("%s, step %d: %d rows, want %d", name, step, len(ss), len(want))
			}
			for k, row := range want {
				if x, ok := row["s"]; ok == ss[k].Null || ok && ss[k].S != x {
					t.Fatalf("%s row %d: %q, want %v", name, k, ss[k].S, x)
				}
				if x, ok := row["n"]; ok == ns[k].Null || ok && float64(ns[k].Int64()) != x {
					t.Fatalf("%s row %d: %v, want %v", name, k, ns[k], x)
				}
				if x, ok := row["a"]; ok == as[k].Null {
					t.Fatalf("%s row %d: %v, want %v", name, k, as[k], x)
				} else if ok {
					e := vector.DecodeElements(str, []byte(as[k].S))
					if e.N != 2 || string(e.Bytes(0)) != x.([]any)[0] || !e.Null(1) {
						t.Fatalf("%s row %d: %s, want %v", name, k, as[k].Text(), x)
					}
				}
			}
		}
	}
}

// TestHiveText has the rules of LazySimpleSerDe.
func TestHiveText(t *testing.T) {
	i32, str := sqltype.T(sqltype.Int), sqltype.T(sqltype.String)
	cols := []storage.Column{
		{Name: "i", Type: i32}, {Name: "s", Type: str}, {Name: "d", Type: sqltype.DecimalOf(5, 2)}, {Name: "t", Type: sqltype.DateTimeOf(6)},
		{Name: "a", Type: sqltype.ArrayOf(i32)}, {Name: "m", Type: sqltype.MapOf(str, i32)},
		{Name: "st", Type: sqltype.StructOf([]string{"x", "y"}, []sqltype.Type{str, sqltype.ArrayOf(i32)})}, {Name: "b", Type: sqltype.T(sqltype.Boolean)},
	}
	text := strings.Join([]string{
		"1\x01a\\b\x011.255\x012020-01-02 03:04:05.5\x011\x022\x02\\N\x01k\x035\x02l\x03\\N\x01x\x021\x032\x01TRUE",
		"x\x01\\N\x01\x01\x01\x01\x01\x01maybe",
		"",
		"7\x01\"quoted\"\x01-0.005\x012020-01-02\x013\x01k\x01y\x01false\x01extra\x01fields",
		"99999999999\x01\x01123456.7",
	}, "\n")
	s := open(t, writeFile(t, "000000_0", []byte(text)), cols, Hive())
	want := [][]string{
		{"1", `a\b`, "1.26", "2020-01-02 03:04:05.500000", "[1, 2, null]", `{"k":5, "l":null}`, `{"x":"x", "y":[1, 2]}`, "1"},
		{"NULL", "NULL", "NULL", "NULL", "[]", "{}", `{"x":null, "y":null}`, "NULL"},
		{"NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"},
		{"7", `"quoted"`, "-0.01", "2020-01-02 00:00:00.000000", "[3]", `{"k":null}`, `{"x":"y", "y":null}`, "0"},
		{"NULL", "", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"},
	}
	for i := range cols {
		got := readColumn(t, s, i)
		if len(got) != len(want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
		for k := range got {
			if got[k].Text() != want[k][i] {
				t.Errorf("row %d, %s: %s, want %s", k, cols[i].Name, got[k].Text(), want[k][i])
			}
		}
	}
}

// TestDecimals are roundings and limits.
func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{{"1", "1.00"}, {"1.005", "1.01"}, {"-1.005", "-1.01"}, {"1.0049", "1.00"}, {".5", "0.50"}, {"5.", "5.00"}, {"1e2", "100.00"}, {"125e-3", "0.13"}, {"999.994", "999.99"}, {"999.995", ""}, {"1000", ""}, {"", ""}, {".", ""}, {"1.2.3", ""}, {"--1", ""}, {"1e", ""}, {"12345678901234567890123456789012345678901234567890", ""}} {
		v, ok := parseDecimal([]byte(c.text), 2, 5)
		got := ""
		if ok {
			got = vector.Value{Type: sqltype.DecimalOf(5, 2), I: v}.Text()
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestShortDecimals compares the fast parser with the other one.
func TestShortDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 100_000 {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = "0123456789.-"[r.IntN(12)]
		}
		if v, ok := parseShort(b, 3); ok {
			if w, ok := parseDecimal(b, 3, 18); !ok || w != int128.FromInt64(v) {
				t.Fatalf("%q: %d, want %v %v", b, v, w, ok)
			}
		}
	}
}

// TestHostile: cut, long and malformed input gives rows or a clear error.
func TestHostile(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(bytes.Repeat([]byte("1,2\n"), 10000))
	w.Close()
	cut := writeFile(t, "cut.csv.gz", zipped.Bytes()[:zipped.Len()-20])
	s, err := NewSource(storage.OSFS{}, []string{cut}, stringColumns(2), Options{Kind: CSV, Field: ',', Line: '\n'})
	if err != nil {
		t.Fatal(err)
	}
	req := &storage.ScanRequest{Columns: []int{0}, Limit: -1}
	splits, _ := s.Splits(t.Context(), req)
	rd, err := s.Open(t.Context(), splits[0], req)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var b *vector.Batch
		if b, err = rd.Next(t.Context()); b == nil && err == nil {
			t.Fatal("a cut gzip file ends without an error")
		}
	}
	if !sqlerr.Is(err, sqlerr.CorruptFile) || !strings.Contains(err.Error(), "cut.csv.gz") {
		t.Error(err)
	}
	for _, text := range []string{"{", `{"a"`, `{"a":`, `{"a":1`, `{"a":[}`, `{"a":"\`, "{}{", "[{]", "\x00", strings.Repeat("[", 1000), `{"a":` + strings.Repeat("[", 1000)} {
		path := writeFile(t, "x.json", []byte(text))
		for _, strict := range []bool{true, false} {
			s, err := NewSource(storage.OSFS{}, []string{path}, []storage.Column{{Name: "a", Type: sqltype.ArrayOf(sqltype.T(sqltype.Int))}}, Options{Kind: JSON, Strict: strict})
			if err != nil {
				continue
			}
			drain(t, s)
		}
		if _, err := NewSource(storage.OSFS{}, []string{path}, nil, Options{Kind: JSON}); err == nil && text != "{}{" && !strings.HasPrefix(text, `{"a"`) {
			t.Errorf("%q has a schema", text)
		}
	}
}

// drain reads everything or up to an error, which must be the user's.
func drain(t testing.TB, s *Source) {
	t.Helper()
	req := &storage.ScanRequest{Limit: -1}
	for i := range s.columns {
		req.Columns = append(req.Columns, i)
	}
	splits, err := s.Splits(t.Context(), req)
	for _, sp := range splits {
		var r storage.Reader
		if r, err = s.Open(t.Context(), sp, req); err != nil {
			break
		}
		for {
			var b *vector.Batch
			if b, err = r.Next(t.Context()); b == nil || err != nil {
				break
			}
			for _, c := range b.Cols {
				for k := range b.NumRows() {
					_ = c.Value(b.Row(k)).Text()
				}
			}
		}
		r.Close()
	}
	if err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) && !sqlerr.Is(err, sqlerr.WrongValue) {
		t.Errorf("not an error for users: %v", err)
	}
}

// BenchmarkCSV and BenchmarkJSON read a table like TPC-H's lineitem: bytes a second of one core.
func BenchmarkCSV(b *testing.B)  { benchmark(b, "x.csv") }
func BenchmarkJSON(b *testing.B) { benchmark(b, "x.json") }

func benchmark(b *testing.B, name string) {
	r := rand.New(rand.NewPCG(1, 2))
	var data bytes.Buffer
	cols := []storage.Column{{Name: "orderkey", Type: sqltype.T(sqltype.BigInt)}, {Name: "quantity", Type: sqltype.DecimalOf(15, 2)}, {Name: "price", Type: sqltype.DecimalOf(15, 2)},
		{Name: "flag", Type: sqltype.T(sqltype.String)}, {Name: "shipdate", Type: sqltype.T(sqltype.Date)}, {Name: "discount", Type: sqltype.T(sqltype.Double)}, {Name: "comment", Type: sqltype.T(sqltype.String)}}
	for i := range 200_000 {
		price := fmt.Sprintf("%d.%02d", r.IntN(90000), r.IntN(100))
		comment := "furiously regular accounts sleep carefully along the"[:10+r.IntN(40)]
		if name == "x.csv" {
			fmt.Fprintf(&data, "%d,%d.00,%s,R,1994-%02d-%02d,0.0%d,%s\n", i, r.IntN(50), price, 1+r.IntN(12), 1+r.IntN(28), r.IntN(10), comment)
		} else {
			fmt.Fprintf(&data, `{"orderkey":%d,"quantity":%d.00,"price":%s,"flag":"R","shipdate":"1994-%02d-%02d","discount":0.0%d,"comment":"%s"}`+"\n", i, r.IntN(50), price, 1+r.IntN(12), 1+r.IntN(28), r.IntN(10), comment)
		}
	}
	opt := Options{Kind: CSV, Field: ',', Quote: '"', Line: '\n', HasNull: true, Strict: true}
	if name == "x.json" {
		opt = Options{Kind: JSON, Strict: true}
	}
	s := open(b, writeFile(b, name, data.Bytes()), cols, opt)
	req := &storage.ScanRequest{Columns: []int{0, 1, 2, 3, 4, 5, 6}, Limit: -1}
	b.SetBytes(int64(data.Len()))
	b.ResetTimer()
	for range b.N {
		splits, _ := s.Splits(b.Context(), req)
		rows := 0
		for _, sp := range splits {
			rd, err := s.Open(b.Context(), sp, req)
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := rd.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if batch == nil {
					break
				}
				rows += batch.NumRows()
			}
			rd.Close()
		}
		if rows != 200_000 {
			b.Fatal(rows)
		}
	}
}
