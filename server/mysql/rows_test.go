package mysql

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// flat makes a flat vector of vals and one null row at its end.
func flat(vals ...vector.Value) *vector.Vector {
	v := vector.New(vals[0].Type, len(vals)+1)
	for i, x := range vals {
		v.SetValue(i, x)
	}
	v.SetNull(len(vals))
	return v
}

// forms are the same rows as a flat, a dictionary and (for one row) a constant vector.
func forms(v *vector.Vector) map[string]*vector.Vector {
	out := map[string]*vector.Vector{"flat": v}
	if v.Type.IsNested() || v.Type.Kind == sqltype.Null {
		return out
	}
	dict := vector.New(v.Type, v.Len)
	codes := make([]int32, v.Len)
	for i := range v.Len {
		if !v.IsNull(i) {
			dict.SetValue(v.Len-1-i, v.Value(i))
			codes[i] = int32(v.Len - 1 - i)
		}
	}
	out["dictionary"] = vector.NewDictionary(dict, codes, v.Valid)
	return out
}

func encode(t *testing.T, c Column, v *vector.Vector, row int, binary bool) []byte {
	t.Helper()
	e := NewRowEncoder([]Column{c}, binary)
	e.Bind(vector.NewBatch(v.Len, v))
	return e.AppendRow(nil, row)
}

func TestRows(t *testing.T) {
	big := func(s string) int128.Int {
		x, ok := int128.Parse(s)
		if !ok {
			t.Fatal(s)
		}
		return x
	}
	at := func(days, seconds, micros int64) int64 {
		return days*sqltype.MicrosPerDay + seconds*sqltype.MicrosPerSecond + micros
	}
	day := int64(sqltype.DaysFromCivil(2024, 2, 29))
	// check wants the text of x and the bytes of its binary form; "" for length-prefixed text.
	check := func(x vector.Value, text, binary string) {
		t.Helper()
		if binary == "" {
			binary = string(appendText(nil, text))
		}
		flatVector := flat(x, x)
		for form, v := range forms(flatVector) {
			if got := encode(t, Column{Type: x.Type}, v, 0, false); string(got) != string(appendText(nil, text)) {
				t.Errorf("%s %s: text %q, want %q", x.Type, form, got, text)
			}
			if got := encode(t, Column{Type: x.Type}, v, 1, true); string(got) != "\x00\x00"+binary {
				t.Errorf("%s %s: binary %x, want 0000%x", x.Type, form, got, binary)
			}
			if got := encode(t, Column{Type: x.Type}, v, 2, false); string(got) != "\xfb" {
				t.Errorf("%s %s: NULL as text %x", x.Type, form, got)
			}
			if got := encode(t, Column{Type: x.Type}, v, 2, true); string(got) != "\x00\x04" {
				t.Errorf("%s %s: NULL as binary %x", x.Type, form, got)
			}
		}
		constant := vector.NewConstant(x, 5)
		if got := encode(t, Column{Type: x.Type}, constant, 4, false); string(got) != string(appendText(nil, text)) {
			t.Errorf("%s constant: text %q, want %q", x.Type, got, text)
		}
		nulls := vector.NewConstant(vector.NullOf(x.Type), 5)
		if got := encode(t, Column{Type: x.Type}, nulls, 4, false); string(got) != "\xfb" {
			t.Errorf("%s constant NULL: %x", x.Type, got)
		}
		// The slow twin: the engine's one text form.
		if slow := vector.AppendText(nil, flatVector, 0); string(slow) != text {
			t.Errorf("%s: AppendText says %q, want %q", x.Type, slow, text)
		}
	}
	T := sqltype.T
	check(vector.BoolValue(true), "1", "\x01")
	check(vector.BoolValue(false), "0", "\x00")
	check(vector.IntValue(T(sqltype.TinyInt), -128), "-128", "\x80")
	check(vector.IntValue(T(sqltype.SmallInt), -2), "-2", "\xfe\xff")
	check(vector.IntValue(T(sqltype.Int), math.MinInt32), "-2147483648", "\x00\x00\x00\x80")
	check(vector.IntValue(T(sqltype.BigInt), math.MaxInt64), "9223372036854775807", "\xff\xff\xff\xff\xff\xff\xff\x7f")
	check(vector.IntValue(T(sqltype.BigInt), math.MinInt64), "-9223372036854775808", "\x00\x00\x00\x00\x00\x00\x00\x80")
	check(vector.Value{Type: T(sqltype.LargeInt), I: big("-170141183460469231731687303715884105728")}, "-170141183460469231731687303715884105728", "")
	check(vector.Value{Type: T(sqltype.Float), F: 0.5}, "0.5", "\x00\x00\x00\x3f")
	check(vector.Value{Type: T(sqltype.Float), F: float64(float32(0.1))}, "0.1", "\xcd\xcc\xcc\x3d")
	check(vector.FloatValue(-1e20), "-1e20", "\x40\x8c\xb5\x78\x1d\xaf\x15\xc4")
	check(vector.FloatValue(0.1), "0.1", "\x9a\x99\x99\x99\x99\x99\xb9\x3f")
	check(vector.IntValue(sqltype.DecimalOf(9, 0), -7), "-7", "")
	check(vector.IntValue(sqltype.DecimalOf(9, 2), -7), "-0.07", "")
	check(vector.IntValue(sqltype.DecimalOf(9, 2), 0), "0.00", "")
	check(vector.IntValue(sqltype.DecimalOf(18, 18), -999999999999999999), "-0.999999999999999999", "")
	check(vector.IntValue(sqltype.DecimalOf(18, 4), 123456789012345678), "12345678901234.5678", "")
	check(vector.Value{Type: sqltype.DecimalOf(38, 10), I: big("-12345678901234567890123456789012345678")}, "-1234567890123456789012345678.9012345678", "")
	check(vector.IntValue(T(sqltype.Date), day), "2024-02-29", "\x04\xe8\x07\x02\x1d")
	check(vector.IntValue(T(sqltype.Date), sqltype.MinDate), "0000-01-01", "\x04\x00\x00\x01\x01")
	check(vector.IntValue(sqltype.DateTimeOf(0), at(day, 0, 0)), "2024-02-29 00:00:00", "\x04\xe8\x07\x02\x1d")
	check(vector.IntValue(sqltype.DateTimeOf(0), at(day, 3661, 0)), "2024-02-29 01:01:01", "\x07\xe8\x07\x02\x1d\x01\x01\x01")
	check(vector.IntValue(sqltype.DateTimeOf(6), at(day, 86399, 999999)), "2024-02-29 23:59:59.999999", "\x0b\xe8\x07\x02\x1d\x17\x3b\x3b\x3f\x42\x0f\x00")
	check(vector.IntValue(sqltype.DateTimeOf(3), at(-1, 0, 1999)), "1969-12-31 00:00:00.001", "\x0b\xb1\x07\x0c\x1f\x00\x00\x00\xe8\x03\x00\x00")
	check(vector.IntValue(sqltype.DateTimeOf(0), at(0, 0, 999999)), "1970-01-01 00:00:00", "\x04\xb2\x07\x01\x01")
	check(vector.IntValue(sqltype.Type{Kind: sqltype.Timestamp, Scale: 6}, 1), "1970-01-01 00:00:00.000001", "\x0b\xb2\x07\x01\x01\x00\x00\x00\x01\x00\x00\x00")
	check(vector.IntValue(sqltype.Type{Kind: sqltype.Time}, -at(1, 3661, 0)), "-25:01:01", "\x08\x01\x01\x00\x00\x00\x01\x01\x01")
	check(vector.IntValue(sqltype.Type{Kind: sqltype.Time, Scale: 1}, at(0, 0, 550000)), "00:00:00.5", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x20\xa1\x07\x00")
	check(vector.IntValue(sqltype.Type{Kind: sqltype.Time}, 0), "00:00:00", "\x00")
	for _, kind := range []sqltype.Kind{sqltype.Char, sqltype.Varchar, sqltype.String, sqltype.Binary, sqltype.JSON} {
		for _, n := range []int{0, 1, 12, 13, 250, 251, 65535, 65536, 1 << 24} {
			if n > 300 && kind != sqltype.String {
				continue
			}
			check(vector.StringValue(T(kind), strings.Repeat("é", n)[:n]), strings.Repeat("é", n)[:n], "")
		}
	}
}

func TestRowsOpaque(t *testing.T) {
	check := func(v *vector.Vector, text, binary string) {
		t.Helper()
		if got := encode(t, Column{Type: v.Type}, v, 0, false); string(got) != text {
			t.Errorf("%s: text %q, want %q", v.Type, got, text)
		}
		if got := encode(t, Column{Type: v.Type}, v, 0, true); string(got) != binary {
			t.Errorf("%s: binary %q, want %q", v.Type, got, binary)
		}
	}
	check(vector.FromStrings(sqltype.T(sqltype.Bitmap), "opaque"), "\xfb", "\x00\x04")
	check(vector.FromStrings(sqltype.T(sqltype.HLL), "opaque"), "\xfb", "\x00\x04")
	check(vector.New(sqltype.T(sqltype.Null), 3), "\xfb", "\x00\x04")
	list := vector.PackArrays(sqltype.ArrayOf(sqltype.T(sqltype.Int)), vector.FromValues(sqltype.T(sqltype.Int), []int32{1, 2}, nil), []int32{0, 2}, nil)
	check(list, "\x06[1, 2]", "\x00\x00\x06[1, 2]")
}

// TestRowsRetype: vectors of bare NULLs come in typed columns, and the typed ones after them.
func TestRowsRetype(t *testing.T) {
	for _, binary := range []bool{false, true} {
		e := NewRowEncoder([]Column{{Type: sqltype.T(sqltype.BigInt)}}, binary)
		want := map[bool][]string{false: {"\xfb", "\x017"}, true: {"\x00\x04", "\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00"}}[binary]
		for i, v := range []*vector.Vector{vector.New(sqltype.T(sqltype.Null), 1), vector.FromValues(sqltype.T(sqltype.BigInt), []int64{7}, nil)} {
			e.Bind(vector.NewBatch(1, v))
			if got := e.AppendRow(nil, 0); string(got) != want[i] {
				t.Errorf("binary %v, batch %d: %q, want %q", binary, i, got, want[i])
			}
		}
	}
}

// TestNullBitmap: the bits of the binary null bitmap start at 2 and cross bytes.
func TestNullBitmap(t *testing.T) {
	for n := 1; n <= 20; n++ {
		cols := make([]Column, n)
		vecs := make([]*vector.Vector, n)
		for i := range cols {
			cols[i].Type = sqltype.T(sqltype.TinyInt)
			vecs[i] = vector.FromValues(cols[i].Type, []int8{int8(i)}, nil)
			if i%3 == 0 {
				vecs[i].SetNull(0)
			}
		}
		e := NewRowEncoder(cols, true)
		e.Bind(vector.NewBatch(1, vecs...))
		row := e.AppendRow(nil, 0)
		bitmap := row[1 : 1+(n+9)/8]
		rest := row[1+len(bitmap):]
		for i := range n {
			null := bitmap[(i+2)/8]>>((i+2)%8)&1 != 0
			if null != (i%3 == 0) {
				t.Fatalf("%d columns: column %d null is %v", n, i, null)
			}
			if !null {
				if rest[0] != byte(i) {
					t.Fatalf("%d columns: column %d is %d", n, i, rest[0])
				}
				rest = rest[1:]
			}
		}
		if len(rest) != 0 {
			t.Fatalf("%d columns: %d bytes left", n, len(rest))
		}
	}
}

func TestColumns(t *testing.T) {
	// check wants charset, length, type, flags and decimals as a client reads them.
	check := func(ty sqltype.Type, charset, length, code, flags, decimals int) {
		t.Helper()
		def := AppendColumn(nil, Column{Name: "n", Type: ty, NotNull: true})
		c := cursor{data: def}
		for _, want := range []string{"def", "", "", "", "n", ""} {
			if got := c.lenencBytes(); string(got) != want {
				t.Fatalf("%s: field %q, want %q", ty, got, want)
			}
		}
		c.u8()
		got := fmt.Sprint(c.u16(), c.u32(), c.u8(), c.u16(), c.u8())
		if want := fmt.Sprint(charset, length, code, flags|1, decimals); got != want || len(c.data) != 2 || c.short {
			t.Errorf("%s: %s, want %s, %d bytes left", ty, got, want, len(c.data))
		}
	}
	const num = 32768 | 128
	T := sqltype.T
	check(T(sqltype.Boolean), 63, 1, 1, num, 0)
	check(T(sqltype.TinyInt), 63, 4, 1, num, 0)
	check(T(sqltype.SmallInt), 63, 6, 2, num, 0)
	check(T(sqltype.Int), 63, 11, 3, num, 0)
	check(T(sqltype.BigInt), 63, 20, 8, num, 0)
	check(T(sqltype.LargeInt), 45, 160, 253, 0, 0)
	check(T(sqltype.Float), 63, 12, 4, num, 31)
	check(T(sqltype.Double), 63, 22, 5, num, 31)
	check(sqltype.DecimalOf(15, 2), 63, 17, 246, num, 2)
	check(sqltype.DecimalOf(9, 0), 63, 10, 246, num, 0)
	check(T(sqltype.Date), 63, 10, 10, 128, 0)
	check(sqltype.DateTimeOf(0), 63, 19, 12, 128, 0)
	check(sqltype.DateTimeOf(6), 63, 26, 12, 128, 6)
	check(sqltype.Type{Kind: sqltype.Timestamp, Scale: 3}, 63, 23, 7, 128, 3)
	check(T(sqltype.Time), 63, 10, 11, 128, 0)
	check(sqltype.Type{Kind: sqltype.Char, Length: 10}, 45, 40, 254, 0, 0)
	check(sqltype.VarcharOf(25), 45, 100, 253, 0, 0)
	check(sqltype.VarcharOf(0), 45, 65533*4, 253, 0, 0)
	check(T(sqltype.String), 45, 1<<32-1, 253, 0, 0)
	check(T(sqltype.Binary), 63, 1<<32-1, 253, 128, 0)
	check(T(sqltype.JSON), 45, 1<<32-1, 245, 128, 0)
	check(T(sqltype.Bitmap), 45, 1<<32-1, 253, 0, 0)
	check(sqltype.ArrayOf(T(sqltype.Int)), 45, 1<<32-1, 253, 0, 0)
	check(T(sqltype.Null), 63, 0, 6, 128, 0)
}

// benchmarkRows encodes rows of four columns: BIGINT, DECIMAL, DATE, VARCHAR.
func benchmarkRows(b *testing.B, binary bool) {
	const rows = 4096
	ids := make([]int64, rows)
	prices := make([]int64, rows)
	days := make([]int32, rows)
	names := make([]string, rows)
	for i := range rows {
		ids[i], prices[i], days[i], names[i] = int64(i)*7919, int64(i)*131, int32(9000+i), fmt.Sprintf("customer %d", i)
	}
	cols := []Column{{Type: sqltype.T(sqltype.BigInt)}, {Type: sqltype.DecimalOf(15, 2)}, {Type: sqltype.T(sqltype.Date)}, {Type: sqltype.VarcharOf(25)}}
	batch := vector.NewBatch(rows, vector.FromValues(cols[0].Type, ids, nil), vector.FromValues(cols[1].Type, prices, nil),
		vector.FromValues(cols[2].Type, days, nil), vector.FromStrings(cols[3].Type, names...))
	e := NewRowEncoder(cols, binary)
	w := NewWriter(discard{})
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += rows {
		e.Bind(batch)
		for i := range rows {
			if err := w.End(e.AppendRow(w.Begin(), i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkTextRows(b *testing.B)   { benchmarkRows(b, false) }
func BenchmarkBinaryRows(b *testing.B) { benchmarkRows(b, true) }

// TestRowsDoNotAllocate: a row costs no memory once the buffer is there.
func TestRowsDoNotAllocate(t *testing.T) {
	cols := []Column{{Type: sqltype.T(sqltype.BigInt)}, {Type: sqltype.DecimalOf(15, 2)}, {Type: sqltype.T(sqltype.String)}}
	batch := vector.NewBatch(1, vector.FromValues(cols[0].Type, []int64{5}, nil), vector.FromValues(cols[1].Type, []int64{5}, nil), vector.FromStrings(cols[2].Type, "some longer text"))
	for _, binary := range []bool{false, true} {
		e := NewRowEncoder(cols, binary)
		w := NewWriter(&bytes.Buffer{})
		w.w = discard{}
		e.Bind(batch)
		if n := testing.AllocsPerRun(10000, func() { _ = w.End(e.AppendRow(w.Begin(), 0)) }); n > 0 {
			t.Errorf("binary %v: %v allocations a row", binary, n)
		}
	}
}
