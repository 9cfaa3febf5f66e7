package text

import (
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// serdeRows reads lines of JSON as a table of Hive; an error is the only row then.
func serdeRows(t *testing.T, opt Options, data string, cols ...storage.Column) []string {
	t.Helper()
	s, err := NewSource(memFS{data: []byte(data)}, []string{"f"}, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := collect(t, s, 1, 0)
	if err != nil {
		return []string{"ERROR " + err.Error()}
	}
	for i, row := range rows {
		rows[i] = strings.ReplaceAll(strings.TrimSuffix(row, "\x00"), "\x00", " ")
	}
	return rows
}

var serdeOptions = Options{Kind: JSON, Serde: true, Strict: true}

// TestSerdeValues: values of JSON are coerced as Hive's JsonSerDe does, which reads them by Jackson's asInt, asLong, asDouble,
// asBoolean and asText (HiveJsonReader.visitLeafNode; NumberInput.parseAsInt and its like for texts).
func TestSerdeValues(t *testing.T) {
	check := func(typ sqltype.Type, pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			for _, nested := range []bool{false, true} {
				col, body, want := storage.Column{Name: "v", Type: typ, Nullable: true}, pairs[i], pairs[i+1]
				if nested {
					if want == "ERROR" || typ.IsString() || typ.Kind == sqltype.Date {
						continue
					}
					col.Type, body, want = sqltype.ArrayOf(typ), "["+body+"]", "["+strings.Replace(want, "NULL", "null", 1)+"]"
				}
				got := serdeRows(t, serdeOptions, `{"v":`+body+"}\n", col)
				if len(got) != 1 || got[0] != want && (want != "ERROR" || !strings.HasPrefix(got[0], want)) {
					t.Errorf("%s %s: %q, want %q", col.Type, body, got, want)
				}
			}
		}
	}
	check(sqltype.T(sqltype.Int), `"abc"`, "0", `"12abc"`, "0", `""`, "0", `" 12 "`, "12", `"+7"`, "7", `"-1.9"`, "-1", `"1e3"`, "1000", `"5d"`, "5", `"99999999999"`, "0",
		`"1e20"`, "2147483647", `"NaN"`, "0", `"-Infinity"`, "-2147483648", "3.99", "3", "-3.99", "-3", "99999999999", "1215752191", "-99999999999", "-1215752191",
		"1e20", "2147483647", "true", "1", "false", "0", "null", "NULL", "{}", "ERROR", "[1]", "ERROR", `"1_0"`, "0", `"0x10"`, "0", `"-"`, "0")
	check(sqltype.T(sqltype.TinyInt), "300", "44", "-129", "127", `"300"`, "44", "127", "127")
	check(sqltype.T(sqltype.SmallInt), "70000", "4464", `"x"`, "0")
	check(sqltype.T(sqltype.BigInt), "99999999999999999999", "7766279631452241919", `"99999999999999999999"`, "0", `"9223372036854775807"`, "9223372036854775807",
		"1e30", "9223372036854775807", "-9223372036854775809", "9223372036854775807")
	check(sqltype.T(sqltype.Boolean), `"true"`, "1", `" true "`, "1", `"TRUE"`, "0", `"t"`, "0", `"1"`, "0", "1", "1", "0", "0", "0.5", "1", "-0", "0", "true", "1", "false", "0", "{}", "ERROR")
	check(sqltype.T(sqltype.Double), `"abc"`, "0", `"1.5"`, "1.5", `" 2f "`, "2", "true", "1", `""`, "0", "1e3", "1000", "[]", "ERROR")
	check(sqltype.T(sqltype.Float), `"0.5"`, "0.5", `"x"`, "0", "false", "0")
	check(sqltype.DecimalOf(6, 2), `"abc"`, "NULL", `"12.345"`, "12.35", "12345.6", "NULL", "true", "NULL", `""`, "NULL", "1e3", "1000.00", "{}", "ERROR")
	check(sqltype.DecimalOf(38, 2), "123456789012345678901234567890.12", "123456789012345678901234567890.12")
	check(sqltype.T(sqltype.Date), `"2024-02-30"`, "ERROR", `"2024-02-29"`, "2024-02-29", `"x"`, "ERROR", "5", "ERROR")
	check(sqltype.T(sqltype.String), "1.50", "1.50", "true", "true", `"a\"b"`, `a"b`, `{"a":1}`, "ERROR", "[]", "ERROR")
	check(sqltype.VarcharOf(3), "12345", "123", `"[x"`, "[x", "[1]", "ERROR")
}

// TestSerdeRows: how lines become rows and keys columns.
func TestSerdeRows(t *testing.T) {
	number, text := sqltype.T(sqltype.Int), sqltype.T(sqltype.String)
	a, b := storage.Column{Name: "a", Type: number, Nullable: true}, storage.Column{Name: "b", Type: text, Nullable: true}
	m := storage.Column{Name: "m", Type: sqltype.MapOf(text, number), Nullable: true}
	st := storage.Column{Name: "s", Type: sqltype.StructOf([]string{"x", "y"}, []sqltype.Type{number, text}), Nullable: true}
	complex, lax, raw := serdeOptions, serdeOptions, serdeOptions
	complex.Complex, lax.Strict, raw.RawBinary = true, false, true
	header := serdeOptions
	header.Skip = 1
	blob := storage.Column{Name: "b", Type: sqltype.T(sqltype.Binary), Nullable: true}
	for _, c := range []struct {
		opt  Options
		data string
		cols []storage.Column
		want []string
	}{
		{serdeOptions, `{"A":1,"B":"x"}` + "\n" + `{"_col1":"y","_col0":2}` + "\n" + `{"_col7":2}`, []storage.Column{a, b}, []string{"1 x", "2 y", "NULL NULL"}},
		{serdeOptions, `{"a":1} {"a":2}` + "\n" + `{"a":3}, rest`, []storage.Column{a}, []string{"1", "3"}},
		{serdeOptions, `{"a":1,"a":2}` + "\n" + `{"a":1,"a":null}`, []storage.Column{a}, []string{"2", "NULL"}},
		{serdeOptions, `{"m":{"k":1,"l":2,"k":3}}` + "\n" + `{"m":{"k":"x"}}`, []storage.Column{m}, []string{`{"l":2, "k":3}`, `{"k":0}`}},
		{serdeOptions, `{"s":{"X":1,"_col1":2}}`, []storage.Column{st}, []string{`{"x":1, "y":"2"}`}},
		{serdeOptions, `{"s":{"y":[1]}}`, []storage.Column{st}, []string{"ERROR"}},
		{complex, `{"b":{"k" : [1, "a b"]}}`, []storage.Column{b}, []string{`{"k":[1,"a b"]}`}},
		{complex, `{"s":{"y": [1, 2]}}`, []storage.Column{st}, []string{`{"x":null, "y":"[1,2]"}`}},
		{serdeOptions, "{\"a\":1}\nnone\n", []storage.Column{a}, []string{"ERROR"}},
		{lax, "{\"a\":1}\nnone\n{\"a\":3}\n", []storage.Column{a}, []string{"1", "NULL", "3"}},
		{serdeOptions, `{"b":"YWJj"}`, []storage.Column{blob}, []string{"abc"}},
		{raw, `{"b":"YWJj"}`, []storage.Column{blob}, []string{"YWJj"}},
		{header, "# a\n{\"a\":1}\n", []storage.Column{a}, []string{"1"}},
	} {
		got := serdeRows(t, c.opt, c.data, c.cols...)
		if len(got) == 1 && len(c.want) == 1 && c.want[0] == "ERROR" && strings.HasPrefix(got[0], "ERROR") {
			continue
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.data, got, c.want)
		}
	}
}
