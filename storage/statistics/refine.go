package statistics

import (
	"math"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Refine completes what a source tells of itself now by what is known of its whole table: from ANALYZE or from the writing
// of its files. Rows and bounds are the source's: they are of the moment, and of the partitions that are left. Counts of
// the table are scaled to its rows. known nil gives now. Neither is changed.
func Refine(now, known *storage.Stats) *storage.Stats {
	if known == nil {
		return now
	}
	if now == nil {
		return known
	}
	out := *now
	if out.Rows < 0 {
		out.Rows = known.Rows
	}
	out.Columns = make([]storage.ColumnStats, max(len(now.Columns), len(known.Columns)))
	for i := range out.Columns {
		c := storage.ColumnStats{Nulls: -1, Distinct: -1}
		if i < len(now.Columns) {
			c = now.Columns[i]
		}
		if i < len(known.Columns) && known.Columns[i].Distinct >= 0 {
			refineColumn(&c, &known.Columns[i], float64(out.Rows), float64(known.Rows))
		}
		out.Columns[i] = c
	}
	return &out
}

// refineColumn takes k, of rows before, over to c, of rows now.
func refineColumn(c, k *storage.ColumnStats, now, before float64) {
	part := 1.0
	if before > 0 {
		part = now / before
	}
	if c.Min == nil || c.Max == nil {
		c.Min, c.Max = k.Min, k.Max
	}
	if k.AvgBytes > 0 {
		c.AvgBytes = k.AvgBytes
	}
	if c.Nulls < 0 && k.Nulls >= 0 {
		c.Nulls = int64(float64(k.Nulls) * part)
	}
	c.Common, c.Histogram = k.Common, k.Histogram
	if part < 1 && c.Min != nil && c.Max != nil && len(k.Histogram)+len(k.Common) > 0 {
		c.Common, c.Histogram = inside(k, *c.Min, *c.Max)
	}
	if c.Sketch != nil && (part < 0.9 || part > 1.1) {
		c.Origin = storage.OriginFiles // counted over just these files
		return
	}
	c.Origin, c.Sketch = k.Origin, nil
	if part == 1 {
		c.Sketch = k.Sketch
	}
	d, filled := float64(k.Distinct), math.Max(1, before-math.Max(0, float64(k.Nulls)))
	switch {
	case part < 1: // a part of the rows has some of the values
		d *= 1 - math.Pow(1-part, filled/math.Max(d, 1))
	case part > 1 && d > filled/10: // values hardly repeat: new ones come with rows
		d *= part
	}
	if w, ok := width(c); ok && part < 1 { // a partition has the values of its range only
		d = math.Min(d, w)
	}
	c.Distinct = int64(math.Max(math.Round(d), math.Min(1, now)))
}

// inside are the frequent values and the histogram of the rows between lo and hi, which are all that are left.
func inside(k *storage.ColumnStats, lo, hi vector.Value) ([]storage.CommonValue, []vector.Value) {
	within := func(v vector.Value) bool { return lo.Compare(v) <= 0 && hi.Compare(v) >= 0 }
	rest, total := 1.0, 0.0
	var common []storage.CommonValue
	for _, c := range k.Common {
		rest -= c.Fraction
		if within(c.Value) {
			common = append(common, c)
			total += c.Fraction
		}
	}
	var bounds []vector.Value
	if n := len(k.Histogram); n > 1 {
		for _, v := range k.Histogram {
			if within(v) {
				bounds = append(bounds, v)
			}
		}
		total += math.Max(0, rest) * math.Min(1, float64(len(bounds)+1)/float64(n))
		if len(bounds) == 0 || lo.Compare(bounds[0]) < 0 {
			bounds = append([]vector.Value{lo}, bounds...)
		}
		if hi.Compare(bounds[len(bounds)-1]) > 0 {
			bounds = append(bounds, hi)
		}
	}
	if total <= 0 {
		return nil, nil
	}
	for i := range common {
		common[i].Fraction = math.Min(1, common[i].Fraction/total)
	}
	return common, bounds
}

// width is how many values there can be between the bounds of a column of whole numbers.
func width(c *storage.ColumnStats) (float64, bool) {
	if c.Min == nil || c.Max == nil || !c.Min.Type.IsInteger() && c.Min.Type.Kind != sqltype.Date {
		return 0, false
	}
	return c.Max.I.Float64() - c.Min.I.Float64() + 1, true
}
