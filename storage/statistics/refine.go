package statistics

import (
	"math"

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
	c.Distinct = int64(math.Max(math.Round(d), math.Min(1, now)))
}
