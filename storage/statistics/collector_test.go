package statistics

import (
	"fmt"
	"math"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var schema = []storage.Column{
	{Name: "id", Type: sqltype.T(sqltype.BigInt)},
	{Name: "city", Type: sqltype.T(sqltype.String), Nullable: true},
	{Name: "price", Type: sqltype.DecimalOf(38, 2)},
	{Name: "day", Type: sqltype.T(sqltype.Date)},
	{Name: "x", Type: sqltype.T(sqltype.Double)},
	{Name: "ok", Type: sqltype.T(sqltype.Boolean)},
}

// batch makes rows lo … hi-1: city is NULL in each tenth row, "big" in half of the others and one of 1000 else.
func batch(lo, hi int, dictionary, selected bool) *vector.Batch {
	n := hi - lo
	cols := make([]*vector.Vector, len(schema))
	for i, c := range schema {
		cols[i] = vector.New(c.Type, n)
	}
	for r := range n {
		i := lo + r
		vector.Values[int64](cols[0])[r] = int64(i)
		switch {
		case i%10 == 0:
			cols[1].SetNull(r)
		case i%2 == 1:
			cols[1].SetString(r, "big")
		default:
			cols[1].SetString(r, fmt.Sprintf("a city of number %04d", i/2%1000))
		}
		cols[2].SetValue(r, vector.IntValue(schema[2].Type, int64(i%500)-250))
		cols[3].SetValue(r, vector.IntValue(schema[3].Type, int64(10_000+i%365)))
		vector.Values[float64](cols[4])[r] = float64(i % 100)
		vector.Values[bool](cols[5])[r] = i%3 == 0
	}
	if dictionary {
		codes := make([]int32, n)
		at := map[string]int32{"big": 0}
		for r := range n {
			if cols[1].IsNull(r) {
				continue
			}
			s := cols[1].Value(r).S
			if _, ok := at[s]; !ok {
				at[s] = int32(len(at))
			}
			codes[r] = at[s]
		}
		texts := make([]string, len(at))
		for s, c := range at {
			texts[c] = s
		}
		cols[1] = vector.NewDictionary(vector.FromStrings(schema[1].Type, texts...), codes, cols[1].Valid)
	}
	b := vector.NewBatch(n, cols...)
	if selected {
		b.Sel = []int32{}
		for r := range n {
			b.Sel = append(b.Sel, int32(r))
		}
	}
	return b
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*want {
		t.Errorf("%s: %v, want about %v", what, got, want)
	}
}

func TestCollect(t *testing.T) {
	const rows = 100_000
	for _, form := range []string{"flat", "dictionary", "selected"} {
		parts := []*Collector{}
		for p := range 2 {
			c := NewCollector(schema, Options{Sample: 5000, Bounds: true})
			for lo := p * rows / 2; lo < (p+1)*rows/2; lo += 1000 {
				c.Add(batch(lo, lo+1000, form == "dictionary", form == "selected"))
			}
			parts = append(parts, c)
		}
		parts[0].Merge(parts[1])
		s := parts[0].Stats(-1)
		if s.Rows != rows {
			t.Errorf("%s: %d rows", form, s.Rows)
		}
		for i, want := range []float64{rows, 1001 - 200, 500, 365, 100, 2} {
			near(t, form+" "+schema[i].Name, float64(s.Columns[i].Distinct), want, 0.1)
		}
		city, price, id := s.Columns[1], s.Columns[2], s.Columns[0]
		if city.Nulls != rows/10 {
			t.Errorf("%s: %d nulls", form, city.Nulls)
		}
		near(t, form+" width", city.AvgBytes, (5*3+4*21)/9.0, 0.01)
		if len(city.Common) == 0 || city.Common[0].Value.S != "big" {
			t.Fatalf("%s: %v", form, city.Common)
		}
		near(t, form+" fraction", city.Common[0].Fraction, 5.0/9, 0.1)
		if price.Min.Text() != "-2.50" || price.Max.Text() != "2.49" {
			t.Errorf("%s: price from %s to %s", form, price.Min.Text(), price.Max.Text())
		}
		if len(id.Common) != 0 || len(id.Histogram) != histogramSize+1 {
			t.Errorf("%s: %d frequent ids, %d bounds", form, len(id.Common), len(id.Histogram))
		}
		near(t, form+" median", id.Histogram[histogramSize/2].I.Float64(), rows/2, 0.1)
		if n := len(s.Columns[5].Common); n != 2 || s.Columns[5].Histogram != nil {
			t.Errorf("%s: %d booleans", form, n)
		}
	}
}

// TestSample scales a part up: keys to all rows, categories not.
func TestSample(t *testing.T) {
	c := NewCollector(schema, Options{Sample: 5000, Bounds: true, Only: map[int]bool{0: true, 3: true}})
	for lo := 0; lo < 10_000; lo += 1000 {
		c.Add(batch(lo, lo+1000, false, false))
	}
	s := c.Stats(1_000_000)
	near(t, "keys", float64(s.Columns[0].Distinct), 1_000_000, 0.1)
	near(t, "days", float64(s.Columns[3].Distinct), 365, 0.1)
	if s.Columns[0].Origin != storage.OriginSample || s.Columns[1].Distinct != -1 {
		t.Errorf("origin %s, other column %d", s.Columns[0].Origin, s.Columns[1].Distinct)
	}
}

func TestMerge(t *testing.T) {
	var parts []*storage.Stats
	for p := range 3 {
		c := NewCollector(schema, Options{Bounds: true})
		for lo := p * 10_000; lo < (p+2)*10_000; lo += 1000 {
			c.Add(batch(lo, lo+1000, false, false))
		}
		parts = append(parts, c.Stats(-1))
	}
	parts = append(parts, &storage.Stats{Columns: make([]storage.ColumnStats, len(schema))})
	m := Merge(len(schema), parts)
	if m.Rows != 60_000 {
		t.Errorf("%d rows", m.Rows)
	}
	near(t, "distinct", float64(m.Columns[0].Distinct), 40_000, 0.1)
	if m.Columns[0].Max.Text() != "39999" || m.Columns[1].Nulls != 6000 {
		t.Errorf("max %s, %d nulls", m.Columns[0].Max.Text(), m.Columns[1].Nulls)
	}
	near(t, "the parts are as they were", float64(parts[0].Columns[0].Distinct), 20_000, 0.1)
	parts[1].Columns[0] = storage.ColumnStats{Nulls: -1, Distinct: -1}
	m = Merge(len(schema), parts)
	if c := m.Columns[0]; c.Distinct != -1 || c.Min != nil || c.Nulls != -1 {
		t.Errorf("an unknown part: %+v", c)
	}
}

func BenchmarkCollect(b *testing.B) {
	c, rows := NewCollector(schema, Options{}), batch(0, 4096, false, false)
	b.SetBytes(int64(4096 * len(schema)))
	for range b.N {
		c.Add(rows)
	}
}
