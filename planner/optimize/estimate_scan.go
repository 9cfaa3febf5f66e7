package optimize

import (
	"math"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/statistics"
)

// scan describes a table after the scan's own filter.
func (e *Estimates) scan(n *logical.Scan) *relation {
	base := tableOf(n)
	out := filtered(base, independent(n.Filter))
	if n.Limit >= 0 && float64(n.Limit) < out.rows {
		out = out.scaled(float64(n.Limit))
	}
	return out
}

// tableOf describes a table before any filter.
func tableOf(n *logical.Scan) *relation {
	var stats *storage.Stats
	if n.Source != nil {
		stats = statistics.Refine(n.Source.Stats(), n.Known)
	}
	out := &relation{rows: unknownRows, cols: make(map[expr.ColumnID]column, len(n.Cols)), unknown: true}
	if stats != nil && stats.Rows >= 0 {
		out.rows, out.unknown = float64(stats.Rows), false
	}
	for i, c := range n.Cols {
		var s *storage.ColumnStats
		if stats != nil && n.Ordinal[i] < len(stats.Columns) {
			s = &stats.Columns[n.Ordinal[i]]
		}
		col := columnOf(c.T, s, math.Max(1, out.rows))
		col.table = n
		out.cols[c.ID] = col
	}
	return out
}

// columnOf describes a stored column. Where the number of distinct values is unknown, types whose
// values are spaced evenly have at most as many as their range holds. A range exactly as wide as the rows, or some times
// wider, is taken as a key; one just short of the rows is more likely a foreign key that happens to fit.
func columnOf(t sqltype.Type, s *storage.ColumnStats, rows float64) column {
	c := column{ndv: rows, baseRows: rows, guessed: true}
	if s == nil {
		c.ndv = guessDistinct(t, 0, rows)
		c.baseNDV = c.ndv
		return c
	}
	c.origin, c.values = s.Origin, valuesOf(t, s)
	if s.Nulls > 0 {
		c.nulls = math.Min(1, float64(s.Nulls)/rows)
	}
	filled := math.Max(1, rows*(1-c.nulls))
	if s.Min != nil && s.Max != nil && !s.Min.Null && !s.Max.Null {
		c.lo, c.hi, c.ranged = position(*s.Min), position(*s.Max), true
		c.baseLo, c.baseHi = c.lo, c.hi
	}
	discrete := t.IsInteger() || t.Kind == sqltype.Date || t.Kind == sqltype.Decimal || t.Kind == sqltype.Boolean
	switch {
	case s.Distinct >= 0:
		c.ndv, c.guessed = math.Max(1, float64(s.Distinct)), false
		c.unique = c.ndv >= nearlyAll(s.Origin)*filled
	case t.Kind == sqltype.Boolean:
		c.ndv, c.guessed = 2, false
	case c.ranged && discrete:
		width := c.hi - c.lo + 1
		c.ndv = math.Min(filled, width)
		c.guessed = width > 1e6
		c.unique = t.IsInteger() && (filled == width || 1.02*filled <= width && width <= 8*filled)
	default:
		c.ndv = guessDistinct(t, s.AvgBytes, filled)
	}
	c.ndv = math.Max(1, math.Min(c.ndv, filled))
	c.baseNDV = c.ndv
	return c
}

// nearlyAll is the fraction of the rows from which on distinct values make a key: sketches err by some percent.
func nearlyAll(o storage.Origin) float64 {
	if o == storage.OriginFooter {
		return 0.98
	}
	return 0.93
}

// guessDistinct is for columns without a known range: short strings are categories, long ones texts.
func guessDistinct(t sqltype.Type, avgBytes, rows float64) float64 {
	switch {
	case t.Kind == sqltype.Boolean:
		return 2
	case t.IsString() && avgBytes > 0 && avgBytes <= 2:
		return math.Min(rows, 16)
	case t.IsString() && avgBytes > 0 && avgBytes <= 12:
		return math.Min(rows, 64)
	case t.IsString() && avgBytes > 0 && avgBytes <= 32:
		return math.Min(rows, math.Max(200, rows/10))
	case t.IsString():
		return math.Max(1, math.Min(rows, rows/2))
	}
	return math.Max(1, rows/10)
}

// position maps a value onto a line, in the order of the type: numbers and dates as they are
// (decimals unscaled), strings by their first bytes.
func position(v vector.Value) float64 {
	switch v.Type.Physical() {
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		return v.F
	case sqltype.PhysString:
		x := 0.0
		for i := range 8 {
			b := 0.0
			if i < len(v.S) {
				b = float64(v.S[i])
			}
			x = x*256 + b
		}
		return x
	}
	return v.I.Float64()
}
