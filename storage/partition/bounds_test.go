package partition

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var (
	intT  = sqltype.T(sqltype.Int)
	dateT = sqltype.T(sqltype.Date)
	timeT = sqltype.DateTimeOf(0)
	textT = sqltype.VarcharOf(10)
)

// bound reads "5,max", "min" as endpoints of INT columns.
func intBound(text string) []storage.Endpoint {
	var out []storage.Endpoint
	for _, p := range strings.Split(text, ",") {
		switch p {
		case "min":
			out = append(out, storage.Endpoint{Min: true})
		case "max":
			out = append(out, storage.Endpoint{Max: true})
		default:
			n, _ := int128.Parse(p)
			out = append(out, storage.Endpoint{Value: vector.Value{Type: intT, I: n}})
		}
	}
	return out
}

func intRange(lower, upper string) storage.PartitionBounds {
	return storage.PartitionBounds{Lower: intBound(lower), Upper: intBound(upper)}
}

func TestCompareBound(t *testing.T) {
	// In ascending order.
	order := []string{"min,min", "min,5", "min,max", "-3,min", "-3,0", "2,min", "2,7", "2,max", "max,min", "max,max"}
	for i := range order {
		for j := range order {
			got := CompareBound(intBound(order[i]), intBound(order[j]))
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s against %s: %d", order[i], order[j], got)
			}
		}
	}
}

func TestIntersects(t *testing.T) {
	check := func(a, b storage.PartitionBounds, want bool) {
		t.Helper()
		if Intersects(&a, &b) != want || Intersects(&b, &a) != want {
			t.Errorf("%s and %s: not %v", FormatRange([]sqltype.Type{intT}, &a), FormatRange([]sqltype.Type{intT}, &b), want)
		}
	}
	check(intRange("1", "5"), intRange("5", "9"), false)
	check(intRange("1", "6"), intRange("5", "9"), true)
	check(intRange("1", "9"), intRange("4", "5"), true)
	check(intRange("min", "1"), intRange("1", "max"), false)
	check(intRange("min", "max"), intRange("1", "2"), true)
}

func TestLessThanTakesTheHole(t *testing.T) {
	have := []Named{{"b", intRange("30", "40")}, {"a", intRange("10", "20")}}
	check := func(upper, lower string) {
		t.Helper()
		if b := LessThan(have, intBound(upper)); CompareBound(b.Lower, intBound(lower)) != 0 {
			t.Errorf("LESS THAN %s begins at %v, want %s", upper, b.Lower, lower)
		}
	}
	check("30", "20")
	check("25", "20")
	check("10", "min")
	check("5", "min")
	check("max", "40")
	check("35", "20") // overlaps: CheckFree says so
	b := LessThan(have, intBound("35"))
	if err := CheckFree(storage.RangePartitions, []sqltype.Type{intT}, "x", &b, have); err == nil {
		t.Error("an overlap passed")
	}
}

func TestSameRows(t *testing.T) {
	named := func(list ...storage.PartitionBounds) (out []Named) {
		for _, b := range list {
			out = append(out, Named{"p", b})
		}
		return out
	}
	check := func(a, b []Named, want bool) {
		t.Helper()
		if SameRows(storage.RangePartitions, a, b) != want {
			t.Errorf("not %v: %v %v", want, a, b)
		}
	}
	check(named(intRange("1", "5"), intRange("5", "9")), named(intRange("1", "9")), true)
	check(named(intRange("5", "9"), intRange("1", "5")), named(intRange("1", "3"), intRange("3", "9")), true)
	check(named(intRange("1", "4"), intRange("5", "9")), named(intRange("1", "9")), false)
	check(named(intRange("1", "4"), intRange("5", "9")), named(intRange("5", "9"), intRange("1", "4")), true)
	list := func(vals ...string) Named {
		var b storage.PartitionBounds
		for _, v := range vals {
			b.Values = append(b.Values, []vector.Value{vector.StringValue(textT, v)})
		}
		return Named{"p", b}
	}
	if !SameRows(storage.ListPartitions, []Named{list("a", "b"), list("c")}, []Named{list("c", "a", "b")}) {
		t.Error("equal lists differ")
	}
	if SameRows(storage.ListPartitions, []Named{list("a", "b")}, []Named{list("a")}) {
		t.Error("different lists are equal")
	}
}

// TestTupleKeys checks that tuples that differ have keys that differ, whatever is in the texts.
func TestTupleKeys(t *testing.T) {
	text := func(s string) vector.Value { return vector.StringValue(textT, s) }
	null := vector.NullOf(textT)
	tuples := [][]vector.Value{
		{text("a"), text("b")}, {text("ab"), text("")}, {text(""), text("ab")}, {text("a\x00"), text("b")}, {text("a"), text("\x00b")},
		{null, text("a")}, {text("a"), null}, {null, null}, {text(""), text("")}, {text("\x00"), text("")}, {text(""), text("\x00")}, {text("\x01"), null},
	}
	seen := map[string]int{}
	for i, tuple := range tuples {
		if j, ok := seen[tupleKey(tuple)]; ok {
			t.Errorf("tuples %d and %d have one key", i, j)
		}
		seen[tupleKey(tuple)] = i
	}
}

func TestFormat(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	types := []sqltype.Type{dateT, intT}
	day := func(text string) storage.Endpoint {
		v, ok := readMoment(dateT, text)
		if !ok {
			t.Fatal(text)
		}
		return EndpointOf(v)
	}
	b := storage.PartitionBounds{Lower: []storage.Endpoint{day("2020-01-01"), {Min: true}}, Upper: []storage.Endpoint{day("2020-02-01"), {Max: true}}}
	check(FormatRange(types, &b), "[types: [DATE, INT]; keys: [2020-01-01, -2147483648]; ..types: [DATE, INT]; keys: [2020-02-01, MAXVALUE]; )")
	check(DefinitionSQL(types, &b), `VALUES [("2020-01-01"), ("2020-02-01", MAXVALUE))`)
	b = storage.PartitionBounds{Lower: []storage.Endpoint{day("0000-01-01")}, Upper: []storage.Endpoint{{Max: true}}}
	check(FormatRange(types[:1], &b), "[types: [DATE]; keys: [0000-01-01]; ..types: [DATE]; keys: [MAXVALUE]; )")
	check(DefinitionSQL(types[:1], &b), `VALUES [("0000-01-01"), (MAXVALUE))`)
	if !b.Lower[0].Min {
		t.Error("the least date is not Min")
	}
	l := storage.PartitionBounds{Values: [][]vector.Value{{vector.StringValue(textT, `a"\`)}, {vector.NullOf(textT)}}}
	check(FormatRange([]sqltype.Type{textT}, &l), `[types: [VARCHAR]; keys: [a"\]; , types: [VARCHAR]; keys: [NULL]; ]`)
	check(DefinitionSQL([]sqltype.Type{textT}, &l), `VALUES IN ("a\"\\", NULL)`)
	for kind, want := range map[sqltype.Kind]string{sqltype.TinyInt: "-128", sqltype.SmallInt: "-32768", sqltype.Int: "-2147483648", sqltype.BigInt: "-9223372036854775808",
		sqltype.LargeInt: "-170141183460469231731687303715884105728", sqltype.Date: "0000-01-01", sqltype.DateTime: "0000-01-01 00:00:00"} {
		check(MinValue(sqltype.T(kind)).Text(), want)
	}
}
