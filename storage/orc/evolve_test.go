package orc

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// writeFile writes one batch to a file.
func writeFile(t *testing.T, path string, cols []storage.Column, vecs ...*vector.Vector) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, cols, WriterOptions{})
	if err == nil {
		err = w.Write(vector.NewBatch(vecs[0].Len, vecs...))
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ints(t sqltype.Type, vals ...int64) *vector.Vector {
	v := vector.New(t, len(vals))
	for i, x := range vals {
		v.SetValue(i, vector.Value{Type: t, I: int128.FromInt64(x), F: float64(x)})
	}
	return v
}

// texts are all values of a column.
func texts(t *testing.T, s *Source, column int) []string {
	t.Helper()
	var out []string
	err := scan(t, s, &storage.ScanRequest{Columns: []int{column}, Limit: -1}, func(b *vector.Batch) {
		for i := range b.NumRows() {
			out = append(out, b.Cols[0].Value(b.Row(i)).Text())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestManyFiles reads files of different schemas as one table.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	integer, long, date, text := sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt), sqltype.T(sqltype.Date), sqltype.T(sqltype.String)
	moment, wide := sqltype.DateTimeOf(6), sqltype.DecimalOf(25, 3)
	early, late, bare, empty := filepath.Join(dir, "a.orc"), filepath.Join(dir, "b.orc"), filepath.Join(dir, "c.orc"), filepath.Join(dir, "d.orc")
	writeFile(t, early, []storage.Column{{Name: "ID", Type: integer}, {Name: "day", Type: date}, {Name: "p", Type: sqltype.DecimalOf(5, 1)}, {Name: "n", Type: integer}},
		ints(integer, 1, -2), ints(date, 0, 10), ints(sqltype.DecimalOf(5, 1), 15, -20), ints(integer, 7, 8))
	writeFile(t, late, []storage.Column{{Name: "n", Type: text}, {Name: "extra", Type: long}, {Name: "id", Type: long}, {Name: "p", Type: wide}, {Name: "day", Type: moment}},
		vector.FromStrings(text, "x"), ints(long, 9), ints(long, 1<<40), ints(wide, 1234), ints(moment, 5))
	writeFile(t, bare, []storage.Column{{Name: "_col0", Type: integer}, {Name: "_col1", Type: date}}, ints(integer, 3), ints(date, 1))
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cols := []storage.Column{{Name: "id", Type: long}, {Name: "day", Type: moment}, {Name: "p", Type: wide}, {Name: "extra", Type: long, Nullable: true}, {Name: "n", Type: text, Nullable: true}}
	s, err := NewSource(storage.OSFS{}, []string{early, late, bare, empty}, cols)
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range [][]string{
		{"1", "-2", "1099511627776", "3"},
		{"1970-01-01 00:00:00.000000", "1970-01-11 00:00:00.000000", "1970-01-01 00:00:00.000005", "1970-01-02 00:00:00.000000"},
		{"1.500", "-2.000", "1.234", "NULL"},
		{"NULL", "NULL", "9", "NULL"},
		{"7", "8", "x", "NULL"},
	} {
		if got := texts(t, s, column); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", cols[column].Name, got, want)
		}
	}
	st := s.Stats()
	if st.Rows != 4 || st.Columns[0].Min.Int64() != -2 || st.Columns[0].Max.Int64() != 1<<40 || st.Columns[3].Nulls != 3 || st.Columns[4].Min != nil {
		t.Errorf("statistics %+v %+v", st, st.Columns)
	}
	narrow, err := NewSource(storage.OSFS{}, []string{early, late}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := scan(t, narrow, &storage.ScanRequest{Columns: []int{0, 1, 2}, Limit: -1}, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.TypeMismatch) || !strings.Contains(err.Error(), "b.orc") {
		t.Errorf("narrowing: %v", err)
	}
	if _, err := NewSource(storage.OSFS{}, []string{empty}, nil); !sqlerr.Is(err, sqlerr.CorruptFile) {
		t.Errorf("a schema from an empty file: %v", err)
	}
	if s, err := NewSource(storage.OSFS{}, []string{empty, bare}, nil); err != nil || len(s.Columns()) != 2 {
		t.Errorf("a schema from the first file that has one: %v", err)
	}
}

// TestNestedEvolution reads structs whose fields came, went and grew.
func TestNestedEvolution(t *testing.T) {
	integer, long, text := sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt), sqltype.T(sqltype.String)
	was := sqltype.ArrayOf(sqltype.StructOf([]string{"a", "gone"}, []sqltype.Type{integer, text}))
	now := sqltype.ArrayOf(sqltype.StructOf([]string{"later", "A"}, []sqltype.Type{text, long}))
	elem := was.Nested.Elems[0]
	structs := vector.PackStructs(elem, []*vector.Vector{ints(integer, 1, 2, 3), vector.FromStrings(text, "x", "y", "z")}, 3, nil)
	lists := vector.PackArrays(was, structs, []int32{0, 2, 2, 3}, nil)
	path := filepath.Join(t.TempDir(), "n.orc")
	writeFile(t, path, []storage.Column{{Name: "v", Type: was}}, lists)
	s, err := NewSource(storage.OSFS{}, []string{path}, []storage.Column{{Name: "v", Type: now}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`[{"later":null, "A":1}, {"later":null, "A":2}]`, `[]`, `[{"later":null, "A":3}]`}
	if got := texts(t, s, 0); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	bad := sqltype.ArrayOf(sqltype.StructOf([]string{"a"}, []sqltype.Type{sqltype.ArrayOf(integer)}))
	if s, err = NewSource(storage.OSFS{}, []string{path}, []storage.Column{{Name: "v", Type: bad}}); err != nil {
		t.Fatal(err)
	}
	if err := scan(t, s, &storage.ScanRequest{Columns: []int{0}, Limit: -1}, func(*vector.Batch) {}); !sqlerr.Is(err, sqlerr.TypeMismatch) {
		t.Errorf("a number as a list: %v", err)
	}
}

// TestWriterZone shows the wall clock of the writer's zone, on both sides of changes to and from
// daylight saving and of 1970.
func TestWriterZone(t *testing.T) {
	for _, name := range []string{"UTC", "America/Los_Angeles", "US/Pacific", "Asia/Kolkata", "GMT+8", "GMT-03:30", "Europe/Berlin"} {
		z, err := writerZone(name, "f.orc")
		if err != nil {
			t.Fatal(err)
		}
		loc := fixedZone(name)
		if loc == nil {
			if loc, err = time.LoadLocation(name); err != nil {
				t.Fatal(err)
			}
		}
		base := time.Date(2015, 1, 1, 0, 0, 0, 0, loc).Unix()
		v := timestampValues{zone: z}
		for _, x := range []time.Time{
			time.Date(2021, 3, 28, 1, 59, 59, 0, loc), time.Date(2021, 3, 28, 3, 0, 0, 0, loc), time.Date(2021, 11, 7, 0, 30, 0, 0, loc),
			time.Date(1950, 6, 1, 12, 0, 0, 0, loc), time.Date(1900, 1, 2, 0, 0, 0, 0, loc), time.Date(2050, 7, 1, 8, 0, 0, 0, loc),
		} {
			out := make([]int64, 1)
			v.combine(out, []int64{x.Unix() - base}, []int64{0})
			wall := time.Date(x.Year(), x.Month(), x.Day(), x.Hour(), x.Minute(), x.Second(), 0, time.UTC)
			if out[0] != wall.UnixMicro() {
				t.Errorf("%s: %s is shown as %s", name, x, time.UnixMicro(out[0]).UTC())
			}
		}
	}
	// What java.util.TimeZone says: one second before 1900, and in it.
	for name, want := range map[string][2]int64{
		"America/New_York": {-18000, -18000}, "Europe/Amsterdam": {3600, 1172}, "Asia/Kolkata": {19800, 19270}, "Europe/Dublin": {0, -1521}, "Asia/Kabul": {16200, 14400}, "GMT+8": {28800, 28800},
	} {
		z, err := writerZone(name, "f.orc")
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range []int64{year1900 - 1, year1900, -3900000000} {
			if got := z.offset(at); got != want[i&1] {
				t.Errorf("%s: offset %d at %d, want %d", name, got, at, want[i&1])
			}
		}
	}
	for _, name := range []string{"Mars/Olympus", "../etc/passwd", "/etc/localtime", "Local", "GMT+99"} {
		if _, err := writerZone(name, "f.orc"); !sqlerr.Is(err, sqlerr.UnknownTimeZone) || !strings.Contains(err.Error(), "f.orc") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTimestampParts combines seconds and nanoseconds as writers take them apart.
func TestTimestampParts(t *testing.T) {
	v := timestampValues{zone: zone{base: epoch}}
	for _, c := range []struct{ seconds, nanos, want int64 }{
		{0, 0, epoch * 1e6},
		{-epoch, 0x2f, 500_000},
		{-epoch - 1, 0x2f, -1_500_000}, // the writer rounded to zero
		{-epoch - 1, 999 << 3, -1_000_000},
		{-epoch, 0x0a, 1},
		{1 << 62, 0, 1<<63 - 1},
		{-1 << 62, 0, -1 << 63},
	} {
		out := make([]int64, 1)
		if v.combine(out, []int64{c.seconds}, []int64{c.nanos}); out[0] != c.want {
			t.Errorf("%d s, %#x: %d, want %d", c.seconds, c.nanos, out[0], c.want)
		}
	}
	for nanos, want := range map[int64]int64{0: 0, 1000: 0x0a, 100_000: 0x0c, 500_000_000: 0x2f, 123_456_789: 123_456_789 << 3} {
		if got := storedNanos(nanos); got != want {
			t.Errorf("%d ns are stored as %#x, want %#x", nanos, got, want)
		}
	}
}

func TestHybridCalendar(t *testing.T) {
	days := []int32{-719164, lastHybridDay, lastHybridDay - 1, 0, -719164 + 365}
	rebaseDates(days)
	var got []string
	for _, d := range days {
		got = append(got, string(vector.AppendDate(nil, d)))
	}
	if want := []string{"0001-01-01", "1582-10-15", "1582-10-04", "1970-01-01", "0002-01-01"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// 1000-02-29 exists in the Julian calendar only.
	first := int32(sqltype.DaysFromCivil(1000, 3, 1))
	for d := first - 3; d < first+12; d++ {
		y, m, day := sqltype.CivilFromDays(julianToGregorian(d))
		if y != 1000 || m < 2 || m > 3 || day < 1 {
			t.Errorf("day %d is %d-%d-%d", d, y, m, day)
		}
	}
}

// TestBloomHashes are the vectors that reference implementations agree on.
func TestBloomHashes(t *testing.T) {
	for x, want := range map[int64]int64{1: 6614235796240398542, -1: 6614246905173314819, 42: 1098236396662648698} {
		if got := int64(hashInt(x)); got != want {
			t.Errorf("hash of %d is %d, want %d", x, got, want)
		}
	}
	for s, want := range map[string]int64{"a": -2460741455279943289, "abcdefgh": 729624805048849005, "alpha": -4632331208889542987} {
		if got := int64(hashBytes([]byte(s))); got != want {
			t.Errorf("hash of %s is %d, want %d", s, got, want)
		}
	}
}

func TestBadBlooms(t *testing.T) {
	for version, want := range map[string]bool{"": true, "1.6.0": true, "1.6.11": true, "1.6.12": false, "1.7.0": true, "1.7.1": false, "2.0.0": false, "1.5.9": true} {
		f := File{tail: tailMeta{writer: writerCPP, softwareVersion: version}}
		if f.badBlooms() != want {
			t.Errorf("C++ %q: %v", version, !want)
		}
	}
	if f := (File{}); f.badBlooms() {
		t.Error("filters of the Java writer are refused")
	}
}
