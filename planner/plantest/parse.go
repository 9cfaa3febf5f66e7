package plantest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Parse makes a snapshot of tables from text: a line "name, rows" a table, then a line a column that starts with a tab:
// name, type, distinct values, NULLs, average bytes, minimum and maximum, empty where unknown; all with tabs
// between. Lines that start with # are passed over. bare leaves the statistics out.
func Parse(text string, bare bool) (catalog.Snapshot, error) {
	s := snapshot{bare: bare}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		var err error
		switch {
		case f[0] != "" && len(f) == 2:
			t := table{name: f[0]}
			t.rows, err = strconv.ParseInt(f[1], 10, 64)
			s.tables = append(s.tables, t)
		case f[0] == "" && len(f) == 8 && len(s.tables) > 0:
			var c column
			c, err = parseColumn(f[1:])
			t := &s.tables[len(s.tables)-1]
			t.cols = append(t.cols, c)
		default:
			err = fmt.Errorf("%d fields", len(f))
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return s, nil
}

func parseColumn(f []string) (column, error) {
	c := column{name: f[0], nullable: true}
	var err error
	if c.t, err = typeOf(f[1]); err != nil {
		return c, err
	}
	if c.distinct, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		return c, err
	}
	if c.nulls, err = strconv.ParseInt(f[3], 10, 64); err != nil {
		return c, err
	}
	if c.avg, err = strconv.ParseFloat(f[4], 64); err != nil || f[5] == "" || f[6] == "" {
		return c, err
	}
	if c.t.IsString() {
		c.min, c.max = f[5], f[6]
		return c, nil
	}
	lo, err := strconv.ParseInt(f[5], 10, 64)
	if err != nil {
		return c, err
	}
	hi, err := strconv.ParseInt(f[6], 10, 64)
	c.min, c.max = lo, hi
	return c, err
}

func typeOf(name string) (sqltype.Type, error) {
	switch name {
	case "BIGINT":
		return tBig, nil
	case "INT":
		return tInt, nil
	case "STRING":
		return tText, nil
	case "DATE":
		return tDate, nil
	}
	var p, s int
	if _, err := fmt.Sscanf(name, "DECIMAL(%d,%d)", &p, &s); err != nil {
		return sqltype.Type{}, fmt.Errorf("type %s: %w", name, err)
	}
	return sqltype.DecimalOf(p, s), nil
}
