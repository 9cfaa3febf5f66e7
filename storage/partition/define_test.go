package partition

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

func moment(t *testing.T, typ sqltype.Type, text string) vector.Value {
	t.Helper()
	v, ok := readMoment(typ, text)
	if !ok {
		t.Fatalf("%q is no moment", text)
	}
	return v
}

// show prints partitions as name[lower,upper) name[…).
func show(typ sqltype.Type, list []Named) string {
	var out []string
	for _, n := range list {
		out = append(out, fmt.Sprintf("%s[%s,%s)", n.Name, endpointText(typ, n.Bounds.Lower[0]), endpointText(typ, n.Bounds.Upper[0])))
	}
	return strings.Join(out, " ")
}

func TestSteps(t *testing.T) {
	check := func(typ sqltype.Type, from, to string, n int64, unit, want string) {
		t.Helper()
		got, err := Steps(moment(t, typ, from), moment(t, typ, to), n, unit, 100)
		if err != nil {
			t.Fatal(err)
		}
		if s := show(typ, got); s != want {
			t.Errorf("%s to %s by %d %s:\n got %s\nwant %s", from, to, n, unit, s, want)
		}
	}
	check(dateT, "2020-01-30", "2020-02-02", 1, "DAY", "p_20200130[2020-01-30,2020-01-31) p_20200131[2020-01-31,2020-02-01) p_20200201[2020-02-01,2020-02-02)")
	check(dateT, "2020-01-30", "2020-02-04", 2, "DAY", "p_20200130[2020-01-30,2020-02-01) p_20200201[2020-02-01,2020-02-03) p_20200203[2020-02-03,2020-02-04)")
	check(dateT, "2020-01-15", "2020-06-01", 2, "MONTH", "p_202001[2020-01-15,2020-03-01) p_202003[2020-03-01,2020-05-01) p_202005[2020-05-01,2020-06-01)")
	check(dateT, "2020-01-20", "2022-03-20", 1, "YEAR", "p_2020[2020-01-20,2021-01-01) p_2021[2021-01-01,2022-01-01) p_2022[2022-01-01,2022-03-20)")
	check(dateT, "2020-02-10", "2020-08-01", 1, "QUARTER", "p_2020_Q1[2020-02-10,2020-04-01) p_2020_Q2[2020-04-01,2020-07-01) p_2020_Q3[2020-07-01,2020-08-01)")
	check(dateT, "2024-12-25", "2025-01-08", 1, "WEEK", "p_2024_52[2024-12-25,2024-12-30) p_2025_01[2024-12-30,2025-01-06) p_2025_02[2025-01-06,2025-01-08)")
	check(timeT, "2020-01-01 22:30:00", "2020-01-02 00:30:00", 1, "HOUR", "p_2020010122[2020-01-01 22:30:00,2020-01-01 23:30:00) p_2020010123[2020-01-01 23:30:00,2020-01-02 00:30:00)")
	check(timeT, "2020-01-01", "2040-01-01", 500_000_000, "SECOND", "p_20200101000000[2020-01-01 00:00:00,2035-11-05 00:53:20) p_20351105005320[2035-11-05 00:53:20,2040-01-01 00:00:00)")
	check(timeT, "0001-01-01", "9000-01-01", 200_000_000_000, "SECOND", "p_00010101000000[0001-01-01 00:00:00,6338-10-01 19:33:20) p_63381001193320[6338-10-01 19:33:20,9000-01-01 00:00:00)")
	check(dateT, "2020-01-01", "2021-01-01", 1<<62, "DAY", "p_20200101[2020-01-01,2021-01-01)")
	check(dateT, "9999-12-30", "9999-12-31", 5, "YEAR", "p_9999[9999-12-30,9999-12-31)")
}

func TestAutoRange(t *testing.T) {
	check := func(typ sqltype.Type, value, unit, want string) {
		t.Helper()
		if got := show(typ, []Named{AutoRange(moment(t, typ, value), unit)}); got != want {
			t.Errorf("%s by %s: %s, want %s", value, unit, got, want)
		}
	}
	check(timeT, "2024-05-17 13:02:03", "year", "p20240101000000[2024-01-01 00:00:00,2025-01-01 00:00:00)")
	check(timeT, "2024-05-17 13:02:03", "quarter", "p20240401000000[2024-04-01 00:00:00,2024-07-01 00:00:00)")
	check(timeT, "2024-05-17 13:02:03", "month", "p20240501000000[2024-05-01 00:00:00,2024-06-01 00:00:00)")
	check(timeT, "2024-05-17 13:02:03", "week", "p20240513000000[2024-05-13 00:00:00,2024-05-20 00:00:00)")
	check(timeT, "2024-05-17 13:02:03", "day", "p20240517000000[2024-05-17 00:00:00,2024-05-18 00:00:00)")
	check(timeT, "2024-05-17 13:02:03", "hour", "p20240517130000[2024-05-17 13:00:00,2024-05-17 14:00:00)")
	check(timeT, "2024-05-17 13:02:03", "minute", "p20240517130200[2024-05-17 13:02:00,2024-05-17 13:03:00)")
	check(dateT, "2024-02-29", "month", "p20240201000000[2024-02-01,2024-03-01)")
	check(dateT, "9999-12-31", "year", "p99990101000000[9999-01-01,MAXVALUE)")
	check(dateT, "0000-01-02", "year", "p00000101000000[0000-01-01,0001-01-01)")
}

func TestCutTo(t *testing.T) {
	others := []Named{{"a", intRange("10", "20")}, {"b", intRange("40", "50")}, {"c", intRange("200", "max")}}
	check := func(value, want string) {
		t.Helper()
		b := CutTo(intRange("0", "100"), others, []vector.Value{intBound(value)[0].Value})
		if got := show(intT, []Named{{"", b}}); got != want {
			t.Errorf("around %s: %s, want %s", value, got, want)
		}
	}
	check("5", "[0,10)")
	check("20", "[20,40)")
	check("39", "[20,40)")
	check("50", "[50,100)")
}

func TestAutoListName(t *testing.T) {
	text := func(s string) vector.Value { return vector.StringValue(textT, s) }
	check := func(want string, tuple ...vector.Value) {
		t.Helper()
		if got := AutoListName(tuple); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	check("pBeijing", text("Beijing"))
	check("pa_20b", text("a b"))
	check("pa_5fb", text("a_b"))
	check("p_e5_8c_97", text("北"))
	check("p_2d5", vector.IntValue(intT, -5))
	check("pa__1", text("a"), vector.IntValue(intT, 1))
	check("p__NULL", vector.NullOf(textT))
	check("p", text(""))
	long := AutoListName([]vector.Value{text(strings.Repeat("x", 500))})
	other := AutoListName([]vector.Value{text(strings.Repeat("x", 499) + "y")})
	if len(long) > maxName || long == other {
		t.Errorf("names of long values: %d bytes, equal %v", len(long), long == other)
	}
}

func TestRoll(t *testing.T) {
	at := func(text string) time.Time {
		m, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	check := func(typ sqltype.Type, r Roll, now, want string) {
		t.Helper()
		if got := show(typ, r.Wanted(typ, "p", at(now))); got != want {
			t.Errorf("%+v at %s:\n got %s\nwant %s", r, now, got, want)
		}
	}
	check(dateT, Roll{Unit: "DAY", First: -1, End: 0}, "2024-03-01 10:00:00", "p20240229[2024-02-29,2024-03-01) p20240301[2024-03-01,2024-03-02)")
	check(dateT, Roll{Unit: "MONTH", MonthDay: 28, End: 1}, "2024-02-27 10:00:00", "p202401[2024-01-28,2024-02-28) p202402[2024-02-28,2024-03-28)")
	check(dateT, Roll{Unit: "MONTH", MonthDay: 28}, "2024-02-28 00:00:00", "p202402[2024-02-28,2024-03-28)")
	check(dateT, Roll{Unit: "WEEK", WeekDay: 1}, "2024-06-10 00:00:00", "p2024_24[2024-06-10,2024-06-17)") // a Monday
	check(dateT, Roll{Unit: "WEEK", WeekDay: 7}, "2024-06-10 00:00:00", "p2024_23[2024-06-09,2024-06-16)")
	check(dateT, Roll{Unit: "WEEK", WeekDay: 3}, "2024-06-10 00:00:00", "p2024_23[2024-06-05,2024-06-12)")
	check(dateT, Roll{Unit: "YEAR", First: -1}, "2024-06-10 00:00:00", "p2023[2023-01-01,2024-01-01) p2024[2024-01-01,2025-01-01)")
	check(timeT, Roll{Unit: "HOUR", End: 1}, "2024-06-10 23:59:59", "p2024061023[2024-06-10 23:00:00,2024-06-11 00:00:00) p2024061100[2024-06-11 00:00:00,2024-06-11 01:00:00)")
	check(dateT, Roll{Unit: "YEAR", First: 7970, End: 7980}, "2024-06-10 00:00:00", "p9994[9994-01-01,9995-01-01) p9995[9995-01-01,9996-01-01) p9996[9996-01-01,9997-01-01) p9997[9997-01-01,9998-01-01) p9998[9998-01-01,9999-01-01)")

	periods, err := ReadPeriods(dateT, "[2024-06-01,2024-06-02], [2024-06-05,2024-06-05]")
	if err != nil {
		t.Fatal(err)
	}
	var have []Named
	for day := range 8 {
		m := at("2024-06-01 00:00:00").AddDate(0, 0, day)
		lo, _ := ValueOf(dateT, m)
		hi, _ := ValueOf(dateT, m.AddDate(0, 0, 1))
		have = append(have, Named{m.Format("02"), storage.PartitionBounds{Lower: []storage.Endpoint{{Value: lo}}, Upper: []storage.Endpoint{{Value: hi}}}})
	}
	r := Roll{Unit: "DAY", Start: -1, Reserved: periods}
	if got := strings.Join(r.Expired(dateT, at("2024-06-08 12:00:00"), have), " "); got != "03 04 06" {
		t.Errorf("expired: %s", got)
	}
	for _, bad := range []string{"x", "[2024-01-01]", "[2024-01-01,2024-01-02", "[2024-01-01,2024-01-02],", "[2024-01-02,2024-01-01]", "[a,b]", "2024-01-01,2024-01-02]"} {
		if _, err := ReadPeriods(dateT, bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, none := range []string{"", "NULL", " null "} {
		if p, err := ReadPeriods(dateT, none); err != nil || p != nil {
			t.Errorf("%q: %v %v", none, p, err)
		}
	}
}
