package catalog

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

func TestValuesAreStored(t *testing.T) {
	big, _ := int128.Parse("-12345678901234567890123")
	for _, v := range []vector.Value{
		vector.IntValue(sqltype.T(sqltype.TinyInt), -128), vector.IntValue(sqltype.DecimalOf(10, 2), 12345), {Type: sqltype.DecimalOf(38, 4), I: big},
		vector.FloatValue(0.1), vector.FloatValue(1e300), vector.StringValue(sqltype.T(sqltype.String), "it's"), vector.IntValue(sqltype.T(sqltype.Date), -1),
		vector.BoolValue(true),
	} {
		text, ok := valueText(v)
		back, ok2 := parseValue(v.Type, text)
		if !ok || !ok2 || back.Compare(v) != 0 {
			t.Errorf("%s: stored as %q, read as %s", v.Text(), text, back.Text())
		}
	}
	if _, ok := valueText(vector.StringValue(sqltype.T(sqltype.String), "\xff")); ok {
		t.Error("bytes that JSON cannot hold were taken")
	}
}

// TestStatisticsStay sets, reopens, renames and drops.
func TestStatisticsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.bolt")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	integer := sqltype.T(sqltype.Int)
	c, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := &Table{Database: DefaultDatabase, Name: "t", Columns: []Column{{Name: "a", Type: integer}, {Name: "b", Type: integer}}}
	lo, hi := vector.IntValue(integer, 1), vector.IntValue(integer, 9)
	stats := AnalyzedColumn(1, 100, 50, now, &storage.ColumnStats{
		Min: &lo, Max: &hi, Nulls: 10, Distinct: 9, AvgBytes: 4, Origin: storage.OriginSample,
		Common: []storage.CommonValue{{Value: lo, Fraction: 0.5}}, Histogram: []vector.Value{lo, hi},
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sketch := hll.New(hll.FilePrecision)
	for i := range 40 {
		sketch.Add(hll.Hash64(uint64(i)))
	}
	must(c.Update(func(tx *Tx) error { return tx.CreateTable(table) }))
	must(c.Update(func(tx *Tx) error {
		if err := tx.SetStatistics(DefaultDatabase, table.ID, table.Statistics.With(100, now, []ColumnStatistics{stats})); err != nil {
			return err
		}
		return tx.SetFiles(DefaultDatabase, table.ID, nil, []DataFile{{Path: "f", Rows: 40, Columns: []FileColumnStats{{ColumnID: 1, AvgBytes: 4, Sketch: sketch.AppendBinary(nil)}}}})
	}))
	must(c.Update(func(tx *Tx) error { return tx.RenameTable(DefaultDatabase, "t", "u") }))
	must(c.Close())
	c, err = Open(path, nil)
	must(err)
	defer c.Close()
	u := c.Snapshot().Table(DefaultDatabase, "u")
	if got := u.Statistics.Column(1); !reflect.DeepEqual(*got, stats) {
		t.Fatalf("%+v, want %+v", *got, stats)
	}
	p := u.PlannerStats()
	if p.Rows != 100 || p.Columns[0].Distinct != 9 || p.Columns[0].Max.Int64() != 9 || p.Columns[1].Distinct != -1 || p.Columns[0].Common[0].Value.Int64() != 1 {
		t.Errorf("%+v", p)
	}
	if w := u.WrittenStats(nil); w.Rows != 40 || w.Columns[0].Distinct != 40 || w.Columns[1].Nulls != 40 {
		t.Errorf("%+v", w)
	}
	must(c.Update(func(tx *Tx) error { _, err := tx.DropTable(DefaultDatabase, "u"); return err }))
	must(c.Update(func(tx *Tx) error {
		return tx.CreateTable(&Table{Database: DefaultDatabase, Name: "t", Columns: table.Columns})
	}))
	if s := c.Snapshot().Table(DefaultDatabase, "t").Statistics; s != nil {
		t.Errorf("a new table has %+v", s)
	}
}

// TestFileRange reads bounds back exactly, and not at all for another type.
func TestFileRange(t *testing.T) {
	value := func(ty sqltype.Type, v int64) *vector.Value { x := vector.IntValue(ty, v); return &x }
	text := func(s string) *vector.Value { x := vector.StringValue(sqltype.VarcharOf(0), s); return &x }
	date, dec := sqltype.T(sqltype.Date), sqltype.DecimalOf(10, 2)
	for _, c := range []struct {
		lo, hi *vector.Value
		read   sqltype.Type
		known  bool
	}{
		{value(date, 19000), value(date, 19001), date, true},
		{value(date, 19000), value(date, 19001), sqltype.DateTimeOf(0), false},
		{value(dec, -1234), value(dec, 99), dec, true},
		{value(dec, -1234), value(dec, 99), sqltype.DecimalOf(12, 2), true},
		{value(dec, -1234), value(dec, 99), sqltype.DecimalOf(12, 4), false},
		{value(sqltype.T(sqltype.Int), 1), value(sqltype.T(sqltype.Int), 7), sqltype.T(sqltype.BigInt), true},
		{text("a"), text("z\x00é"), sqltype.T(sqltype.String), true},
		{text("a\xff"), text("z"), sqltype.T(sqltype.String), false}, // JSON keeps no such bytes
	} {
		f := DataFile{Rows: 5, Columns: []FileColumnStats{FileColumn(3, &storage.ColumnStats{Min: c.lo, Max: c.hi, Nulls: 2})}}
		r := f.Range(&Column{ID: 3, Type: c.read})
		if (r.Min != nil) != c.known || r.Nulls != 2 || r.Rows != 5 {
			t.Errorf("%s read as %s: %+v", c.lo.Type, c.read, r)
		}
		if c.known && (r.Min.I != c.lo.I || r.Min.S != c.lo.S || r.Max.I != c.hi.I || r.Max.S != c.hi.S) {
			t.Errorf("%s: %v %v", c.lo.Type, r.Min, r.Max)
		}
	}
	if r := (&DataFile{Rows: 5}).Range(&Column{ID: 3}); r.Nulls != -1 || r.Min != nil {
		t.Errorf("a column that is not in the file: %+v", r)
	}
}
