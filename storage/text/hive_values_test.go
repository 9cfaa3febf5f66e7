package text

import (
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// readHive reads text of the columns' types, values divided by blanks.
func readHive(t *testing.T, data string, opt Options, types ...sqltype.Type) []string {
	t.Helper()
	var cols []storage.Column
	for i, typ := range types {
		cols = append(cols, storage.Column{Name: string(rune('a' + i)), Type: typ, Nullable: true})
	}
	var out []string
	for _, block := range []int{blockBytes, 1} {
		s, err := NewSource(memFS{data: []byte(data)}, []string{"f"}, cols, opt)
		if err != nil {
			t.Fatal(err)
		}
		s.files[0].block = block
		rows, err := collect(t, s, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			rows[i] = strings.ReplaceAll(strings.TrimSuffix(row, "\x00"), "\x00", " ")
		}
		if out != nil && !slices.Equal(out, rows) {
			t.Errorf("%q in small blocks, %q in large ones", rows, out)
		}
		out = rows
	}
	return out
}

// TestHiveValues: odd texts of values are what Hive's LazySimpleSerDe makes of them (Spark 4 over Hive tables).
func TestHiveValues(t *testing.T) {
	check := func(typ sqltype.Type, pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			if got := readHive(t, pairs[i]+"\x01x\n", Hive(), typ, sqltype.T(sqltype.String)); len(got) != 1 || got[0] != pairs[i+1]+" x" {
				t.Errorf("%s %q: %q, want %q", typ, pairs[i], got, pairs[i+1])
			}
		}
	}
	check(sqltype.T(sqltype.Int), "1.5", "1", "1.", "1", ".5", "0", "-1.9", "-1", "1.x", "NULL", " 1", "NULL", "1 ", "NULL", "1e3", "NULL", "+5", "5",
		"2147483648", "NULL", "-", "NULL", ".", "NULL", "", "NULL", "007", "7")
	check(sqltype.T(sqltype.BigInt), "1.99", "1", "--1", "NULL", "1L", "NULL", "9223372036854775807", "9223372036854775807")
	check(sqltype.T(sqltype.Boolean), "TRUE", "1", "False", "0", "t", "NULL", "1", "NULL", "f", "NULL", "0", "NULL")
	check(sqltype.DecimalOf(10, 2), " 1.00", "NULL", "1.005", "1.01", "1E-1", "0.10", "+1", "1.00")
	number := sqltype.T(sqltype.Int)
	check(sqltype.MapOf(sqltype.T(sqltype.String), number), "a\x031\x02a\x032", `{"a":1}`, "\\N\x031\x02b\x032", `{"b":2}`, "a", `{"a":null}`)
	deep, text, want := number, "1", "1"
	for level := byte(8); level > 1; level-- {
		deep, text, want = sqltype.ArrayOf(deep), text+string(level)+text, "["+want+", "+want+"]"
	}
	check(deep, text, want)
}

// TestRest: the last column takes what is left of the row.
func TestRest(t *testing.T) {
	opt := Hive()
	opt.Field, opt.Escape, opt.Rest = ',', '\\', true
	text := sqltype.T(sqltype.String)
	want := []string{"1 a,b,c", "2 x", "3 ", "4 NULL", "5 ,,", `6 a,b`}
	if got := readHive(t, "1,a,b,c\n2,x\n3,\n4\n5,,,\n6,a\\,b\n", opt, text, text); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// Blanks behind a CHAR are no part of it.
	if got := readHive(t, "ab  \x01ab  \n", Hive(), sqltype.Type{Kind: sqltype.Char, Length: 4}, sqltype.Type{Kind: sqltype.Varchar, Length: 4}); !slices.Equal(got, []string{"ab ab  "}) {
		t.Errorf("%q", got)
	}
}

// TestLinesFirst: what ends a line ends a row, before escapes and quotes are looked at.
func TestLinesFirst(t *testing.T) {
	check := func(opt Options, data string, want ...string) {
		t.Helper()
		text := sqltype.T(sqltype.String)
		if got := readHive(t, data, opt, text, text, text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", data, got, want)
		}
	}
	escaped := Hive()
	escaped.Field, escaped.Escape = '|', '\\'
	check(escaped, "5|a\\\n6|\\\\N|\\N\n7|a\\nb|a\\|b\n", "5 a\\ NULL", "6 \\N NULL", "7 a\nb a|b")
	lines := Options{Kind: CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n', OneLine: true}
	check(lines, "6\n\n8,\"abc,d\n9,a,\"x\\\"y\"\r\n10,\"a\\\n11,b", "6 NULL NULL", "NULL NULL NULL", "8 NULL NULL", "9 a x\"y", "10 NULL NULL", "11 b NULL")
}

// TestHiveFloatsAndLengths: floats are what Java reads, lengths count characters.
func TestHiveFloatsAndLengths(t *testing.T) {
	for _, c := range []struct {
		typ  sqltype.Type
		data string
		want string
	}{
		{sqltype.T(sqltype.Double), "NaN", "nan"}, {sqltype.T(sqltype.Double), "nan", "NULL"}, {sqltype.T(sqltype.Double), "-Infinity", "-inf"},
		{sqltype.T(sqltype.Double), "inf", "NULL"}, {sqltype.T(sqltype.Double), "INFINITY", "NULL"}, {sqltype.T(sqltype.Double), "1.5f", "1.5"},
		{sqltype.T(sqltype.Float), "1d", "1"}, {sqltype.T(sqltype.Float), " 1.5", "1.5"}, {sqltype.T(sqltype.Float), "d", "NULL"}, {sqltype.T(sqltype.Float), "1e", "NULL"},
		{sqltype.VarcharOf(3), "äöüß", "äöü"}, {sqltype.Type{Kind: sqltype.Char, Length: 2}, "äöü", "äö"},
	} {
		if got := readHive(t, c.data+"\x01x\n", Hive(), c.typ, sqltype.T(sqltype.String)); len(got) != 1 || !strings.EqualFold(got[0], c.want+" x") {
			t.Errorf("%s %q: %q, want %q", c.typ, c.data, got, c.want)
		}
	}
}
