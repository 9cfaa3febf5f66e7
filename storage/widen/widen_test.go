package widen

import (
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func of(t sqltype.Type, vals ...int64) *vector.Vector {
	v := vector.New(t, len(vals))
	for i, x := range vals {
		v.SetValue(i, vector.Value{Type: t, I: int128.FromInt64(x), F: float64(x)})
	}
	return v
}

var (
	tiny, small, integer, long = sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt)
	large, double, float       = sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Double), sqltype.T(sqltype.Float)
	text, date, boolean        = sqltype.T(sqltype.String), sqltype.T(sqltype.Date), sqltype.T(sqltype.Boolean)
)

// TestApply converts flat, constant and dictionary vectors, with and without nulls.
func TestApply(t *testing.T) {
	money := sqltype.DecimalOf(10, 2)
	for _, c := range []struct {
		from *vector.Vector
		to   sqltype.Type
		want []string
	}{
		{of(tiny, -128, 127), long, []string{"-128", "127"}},
		{of(small, 7), large, []string{"7"}},
		{of(integer, 1<<30), double, []string{"1073741824"}},
		{of(small, 3), float, []string{"3"}},
		{of(long, 12), sqltype.DecimalOf(20, 3), []string{"12.000"}},
		{of(float, 2), double, []string{"2"}},
		{of(money, 12345, -5), sqltype.DecimalOf(30, 4), []string{"123.4500", "-0.0500"}},
		{of(money, 12345, -12345), sqltype.DecimalOf(10, 1), []string{"123.5", "-123.5"}},
		{of(money, 150), double, []string{"1.5"}},
		{of(date, 1), sqltype.DateTimeOf(0), []string{"1970-01-02 00:00:00"}},
		{of(boolean, 1, 0), integer, []string{"1", "0"}},
		{of(integer, -42), text, []string{"-42"}},
		{of(money, 150), text, []string{"1.50"}},
		{of(date, 0), sqltype.VarcharOf(20), []string{"1970-01-01"}},
		{vector.FromStrings(text, "17", "x", "", "1.9", "3000000000", "-8"), integer, []string{"17", "NULL", "NULL", "1", "NULL", "-8"}},
		{vector.FromStrings(text, "1.255", ".5", "1e3", "12345678901"), money, []string{"1.25", "0.50", "NULL", "NULL"}},
		{vector.FromStrings(text, "1e3", "abc"), double, []string{"1000", "NULL"}},
		{vector.FromStrings(text, "abc"), sqltype.VarcharOf(2), []string{"abc"}},
	} {
		from := c.from.Type
		if !Can(from, c.to) {
			t.Errorf("%s cannot be read as %s", from, c.to)
			continue
		}
		n := c.from.Len
		codes, valid := make([]int32, n), vector.NewBitmap(n)
		for i := range codes {
			codes[i] = int32(n - 1 - i)
		}
		valid.Clear(0)
		nulls := *c.from
		nulls.Valid = valid
		backwards := slices.Clone(c.want)
		slices.Reverse(backwards)
		check := func(form string, v *vector.Vector, want []string) {
			caster := Caster{From: from, To: c.to, Place: "column c of f"}
			for range 2 { // the second time from what the first one kept
				out, err := caster.Apply(v)
				if err != nil {
					t.Errorf("%s as %s, %s: %v", from, c.to, form, err)
					return
				}
				var got []string
				for i := range out.Len {
					got = append(got, out.Value(i).Text())
				}
				if !slices.Equal(got, want) || out.Type != c.to {
					t.Errorf("%s as %s, %s: got %v of %s, want %v", from, c.to, form, got, out.Type, want)
				}
			}
		}
		check("flat", c.from, c.want)
		check("dictionary", vector.NewDictionary(c.from, codes, nil), backwards)
		check("constant", vector.NewConstant(c.from.Value(0), 2), []string{c.want[0], c.want[0]})
		check("nulls", &nulls, append([]string{"NULL"}, c.want[1:]...))
		check("nulls of a dictionary", vector.NewDictionary(c.from, codes, valid), append([]string{"NULL"}, backwards[1:]...))
	}
}

func TestRefused(t *testing.T) {
	list := sqltype.ArrayOf(integer)
	for _, c := range [][2]sqltype.Type{{long, integer}, {double, float}, {double, long}, {text, date}, {list, text}, {integer, list}, {list, sqltype.ArrayOf(long)}, {date, integer}, {text, sqltype.T(sqltype.HLL)}} {
		if Can(c[0], c[1]) {
			t.Errorf("%s can be read as %s", c[0], c[1])
		}
	}
	caster := Caster{From: sqltype.DecimalOf(10, 0), To: sqltype.DecimalOf(4, 2), Place: "column c of f"}
	if _, err := caster.Apply(of(caster.From, 99)); err != nil {
		t.Error(err)
	}
	if _, err := caster.Apply(of(caster.From, 100)); !sqlerr.Is(err, sqlerr.OutOfRange) {
		t.Errorf("a decimal that does not fit: %v", err)
	}
	v := of(caster.From, 100)
	v.SetNull(0)
	if _, err := caster.Apply(v); err != nil {
		t.Errorf("garbage behind a NULL: %v", err)
	}
}

func TestBound(t *testing.T) {
	x := vector.IntValue(integer, 5)
	if b := Bound(&x, integer, sqltype.DecimalOf(9, 1)); b == nil || b.Text() != "5.0" {
		t.Errorf("got %v", b)
	}
	if b := Bound(&x, integer, text); b != nil {
		t.Error("numbers order other than their text")
	}
	if Bound(nil, integer, long) != nil {
		t.Error("an unknown bound became known")
	}
}
