package basalt

import (
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// columnStats is ALTER TABLE t MODIFY COLUMN c SET STATS ('ndv' = '5', …): statistics as the user states them. row_count is
// the rows that the counts are of, not the table's, which are always known.
func (a *alteration) columnStats(t *catalog.Table, act *ast.AlterAction) error {
	c := t.ColumnNamed(act.Name)
	if c == nil {
		return sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", act.Name, t.Name)
	}
	if c.Type.Kind >= sqltype.Array {
		return sqlerr.Unsupported("statistics of a column of type " + c.Type.String())
	}
	s := storage.ColumnStats{Distinct: -1, Nulls: 0, Origin: storage.OriginGiven}
	rows, size := int64(-1), -1.0
	for _, p := range act.Properties {
		key := strings.ToLower(p.Key)
		switch key {
		case "min_value", "max_value":
			v, err := boundOf(c.Type, p.Value)
			if err != nil {
				return sqlerr.From(err).At(p.Position())
			}
			if key == "min_value" {
				s.Min = v
			} else {
				s.Max = v
			}
			continue
		case "row_count", "ndv", "num_nulls", "data_size":
		default:
			return sqlerr.New(sqlerr.WrongArguments, "unknown statistic '%s'", p.Key).At(p.Position()).
				WithHint("They are row_count, ndv, num_nulls, min_value, max_value and data_size")
		}
		x, err := strconv.ParseFloat(p.Value, 64)
		if err != nil || x < 0 {
			return sqlerr.New(sqlerr.WrongArguments, "statistic '%s' is not a count: %s", p.Key, p.Value).At(p.Position())
		}
		switch key {
		case "row_count":
			rows = int64(x)
		case "ndv":
			s.Distinct = int64(x)
		case "num_nulls":
			s.Nulls = int64(x)
		case "data_size":
			size = x
		}
	}
	if rows < 0 || s.Distinct < 0 {
		return sqlerr.New(sqlerr.WrongArguments, "SET STATS needs 'row_count' and 'ndv'")
	}
	if size >= 0 && rows > s.Nulls {
		s.AvgBytes = size / float64(rows-s.Nulls)
	}
	now := time.Now().UTC().Truncate(time.Second)
	col := catalog.AnalyzedColumn(c.ID, rows, rows, now, &s)
	return a.tx.SetStatistics(t.Database, t.ID, t.Statistics.With(rows, now, []catalog.ColumnStatistics{col}))
}

// boundOf reads a value of a column's type.
func boundOf(t sqltype.Type, text string) (*vector.Value, error) {
	e, err := expr.CastWith(expr.Lit(vector.StringValue(sqltype.VarcharOf(0), text)), t, function.Cast)
	if err != nil {
		return nil, err
	}
	if e, err = expr.Fold(e, nil); err != nil {
		return nil, err
	}
	lit, ok := e.(*expr.Literal)
	if !ok || lit.Value.Null {
		return nil, sqlerr.New(sqlerr.WrongArguments, "not a value of type %s: %s", t, text)
	}
	return &lit.Value, nil
}
