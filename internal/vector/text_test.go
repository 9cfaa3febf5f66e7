package vector

import (
	"math"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// TestText: the text of scalar values; casts in package function test the way back.
func TestText(t *testing.T) {
	for _, c := range []struct {
		v    Value
		want string
	}{
		{BoolValue(true), "1"}, {NullOf(sqltype.T(sqltype.Int)), "NULL"}, {IntValue(sqltype.T(sqltype.TinyInt), -128), "-128"},
		{IntValue(sqltype.DecimalOf(10, 2), -5), "-0.05"}, {IntValue(sqltype.DecimalOf(18, 18), math.MinInt64), "-9.223372036854775808"}, {IntValue(sqltype.DecimalOf(38, 2), 12345), "123.45"},
		{Value{Type: sqltype.T(sqltype.LargeInt), I: int128.Min}, "-170141183460469231731687303715884105728"},
		{FloatValue(0.1), "0.1"}, {FloatValue(1e20), "1e20"}, {FloatValue(-1.5e-7), "-1.5e-7"}, {FloatValue(math.Copysign(0, -1)), "0"}, {FloatValue(math.Inf(-1)), "-inf"},
		{IntValue(sqltype.T(sqltype.Date), -1), "1969-12-31"}, {IntValue(sqltype.T(sqltype.Date), sqltype.MinDate), "0000-01-01"},
		{IntValue(sqltype.DateTimeOf(3), -1), "1969-12-31 23:59:59.999"}, {IntValue(sqltype.DateTimeOf(0), 0), "1970-01-01 00:00:00"},
		{IntValue(sqltype.T(sqltype.Time), -3723*sqltype.MicrosPerSecond), "-01:02:03"}, {IntValue(sqltype.Type{Kind: sqltype.Time, Scale: 6}, 360000*sqltype.MicrosPerSecond+1), "100:00:00.000001"},
		{StringValue(sqltype.T(sqltype.String), "a string that is longer"), "a string that is longer"},
	} {
		if got := c.v.Text(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.v.Type, got, c.want)
		}
	}
}

// TestTextForms: rows of all forms, and nested values.
func TestTextForms(t *testing.T) {
	s := sqltype.T(sqltype.String)
	dict := FromStrings(s, "x", "y")
	v := NewDictionary(dict, []int32{1, 0, 1}, Bitmap{0b101})
	for i, want := range []string{"y", "NULL", "y"} {
		if got := string(AppendText(nil, v, i)); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
	elems := FromStrings(s, "a", "b", "c")
	elems.SetNull(1)
	list := PackArrays(sqltype.ArrayOf(s), elems, []int32{0, 2, 3}, nil)
	if got := string(AppendText(nil, list, 0)) + string(AppendText(nil, list, 1)); got != `["a", null]["c"]` {
		t.Error(got)
	}
	ints := FromValues(sqltype.T(sqltype.Int), []int32{7, 8, 9}, nil)
	pairs := PackMaps(sqltype.MapOf(s, ints.Type), elems, ints, []int32{0, 1}, nil)
	if got := string(AppendText(nil, pairs, 0)); got != `{"a":7}` {
		t.Error(got)
	}
	fields := PackStructs(sqltype.StructOf([]string{"f", "g"}, []sqltype.Type{s, ints.Type}), []*Vector{elems, ints}, 3, nil)
	if got := string(AppendText(nil, fields, 1)); got != `{"f":null, "g":8}` {
		t.Error(got)
	}
}
