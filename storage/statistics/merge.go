package statistics

import (
	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/storage"
)

// Merge adds up the statistics of parts of one table, which all have cols columns. A number that one
// part with rows does not know is unknown in the sum. What a part with no values says of bounds is ignored.
func Merge(cols int, parts []*storage.Stats) *storage.Stats {
	out := &storage.Stats{Columns: make([]storage.ColumnStats, cols)}
	for _, p := range parts {
		out.Rows = plus(out.Rows, p.Rows)
		out.Bytes = plus(out.Bytes, p.Bytes)
	}
	for i := range out.Columns {
		out.Columns[i] = mergeColumn(i, parts)
	}
	return out
}

func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

func mergeColumn(i int, parts []*storage.Stats) storage.ColumnStats {
	out := storage.ColumnStats{Distinct: -1}
	var sketch *hll.Sketch
	bounded, sketched := true, true
	width, rows := 0.0, 0.0
	largest, total := int64(-1), int64(0)
	first := true
	for _, p := range parts {
		if p.Rows == 0 {
			continue
		}
		s := storage.ColumnStats{Nulls: -1, Distinct: -1}
		if i < len(p.Columns) {
			s = p.Columns[i]
		}
		if first || s.Origin < out.Origin {
			out.Origin = s.Origin
		}
		first = false
		total += p.Rows
		out.Nulls = plus(out.Nulls, s.Nulls)
		if s.AvgBytes > 0 {
			width += s.AvgBytes * float64(p.Rows)
			rows += float64(p.Rows)
		}
		if s.Nulls == p.Rows && p.Rows > 0 {
			continue // no values
		}
		largest = max(largest, s.Distinct)
		switch {
		case s.Sketch == nil:
			sketched = false
		case sketch == nil:
			sketch = s.Sketch.Clone()
		default:
			sketch.Merge(s.Sketch)
		}
		if s.Min == nil || s.Max == nil {
			bounded = false
			continue
		}
		if out.Min == nil || s.Min.Compare(*out.Min) < 0 {
			out.Min = s.Min
		}
		if out.Max == nil || s.Max.Compare(*out.Max) > 0 {
			out.Max = s.Max
		}
	}
	if !bounded {
		out.Min, out.Max = nil, nil
	}
	if rows > 0 {
		out.AvgBytes = width / rows
	}
	switch {
	case sketched && sketch != nil:
		out.Sketch, out.Distinct = sketch, sketch.Estimate()
	case sketched:
		out.Distinct = 0
	case len(parts) == 1:
		out.Distinct = largest
	}
	if total > 0 {
		out.Distinct = min(out.Distinct, total-max(out.Nulls, 0))
	}
	return out
}
