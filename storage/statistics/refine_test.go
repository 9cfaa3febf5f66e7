package statistics

import (
	"testing"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

func TestRefine(t *testing.T) {
	value := func(v int64) *vector.Value { x := vector.IntValue(sqltype.T(sqltype.Int), v); return &x }
	known := &storage.Stats{Rows: 1000, Columns: []storage.ColumnStats{
		{Distinct: 1000, Nulls: 0, Min: value(1), Max: value(1000), Origin: storage.OriginAnalyzed},
		{Distinct: 10, Nulls: 100, Origin: storage.OriginAnalyzed, Common: []storage.CommonValue{{Value: *value(7), Fraction: 0.5}}},
		{Distinct: -1, Nulls: -1},
	}}
	for _, c := range []struct {
		rows            int64
		key, kind, null int64
	}{{1000, 1000, 10, 100}, {500, 4, 10, 50}, {5, 4, 4, 0}, {2000, 2000, 10, 200}} {
		got := Refine(&storage.Stats{Rows: c.rows, Columns: []storage.ColumnStats{
			{Distinct: 3, Nulls: 0, Max: value(5), Min: value(2)}, {Distinct: -1, Nulls: -1}, {Distinct: 77, Nulls: 1},
		}}, known)
		a, b := got.Columns[0], got.Columns[1]
		if got.Rows != c.rows || a.Distinct != c.key || b.Distinct != c.kind || b.Nulls != c.null || a.Max.Int64() != 5 || len(b.Common) != 1 {
			t.Errorf("%d rows: %+v %+v", c.rows, a, b)
		}
		if got.Columns[2].Distinct != 77 || got.Columns[2].Origin != storage.OriginFooter {
			t.Errorf("%d rows: a column that nothing is known of: %+v", c.rows, got.Columns[2])
		}
	}
	sketch := hll.New(hll.FilePrecision)
	got := Refine(&storage.Stats{Rows: 100, Columns: []storage.ColumnStats{{Distinct: 42, Sketch: sketch}}}, known)
	if got.Columns[0].Distinct != 42 {
		t.Errorf("a part with a sketch of its own: %+v", got.Columns[0])
	}
	if Refine(known, nil) != known || Refine(nil, known) != known {
		t.Error("nothing to refine by")
	}
}

// TestRefinePart: the values of a partition are judged among themselves.
func TestRefinePart(t *testing.T) {
	value := func(v int64) *vector.Value { x := vector.IntValue(sqltype.T(sqltype.Date), v); return &x }
	k := storage.ColumnStats{Distinct: 100, Min: value(0), Max: value(99), Origin: storage.OriginAnalyzed,
		Common: []storage.CommonValue{{Value: *value(3), Fraction: 0.1}, {Value: *value(50), Fraction: 0.1}}}
	for i := int64(0); i <= 100; i += 10 {
		k.Histogram = append(k.Histogram, *value(i))
	}
	known := &storage.Stats{Rows: 1000, Columns: []storage.ColumnStats{k}}
	got := Refine(&storage.Stats{Rows: 180, Columns: []storage.ColumnStats{{Distinct: -1, Min: value(0), Max: value(9)}}}, known).Columns[0]
	if got.Distinct != 10 || len(got.Common) != 1 || got.Common[0].Fraction < 0.3 || got.Common[0].Fraction > 0.7 {
		t.Errorf("frequent values: %+v", got)
	}
	if n := len(got.Histogram); n != 2 || got.Histogram[0].Int64() != 0 || got.Histogram[n-1].Int64() != 9 {
		t.Errorf("histogram: %+v", got.Histogram)
	}
	if known.Columns[0].Common[0].Fraction != 0.1 {
		t.Error("what was known has changed")
	}
}
