package optimize

import (
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// distinctDictionary counts the ids that a global dictionary gave to the values of a column in place of the values:
// count(DISTINCT x) is count(DISTINCT __DICT_x), which rollups over the ids answer, and bitmaps where there are none. The ids
// are in the same rows as the values; both are NULL where one is.
func distinctDictionary(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok {
			return n
		}
		var ids map[expr.ColumnID]expr.Column
		var aggs []*expr.Aggregate
		for i, x := range a.Aggs {
			col := countedColumn(x)
			if col == nil {
				continue
			}
			if ids == nil {
				ids = idColumns(a.Input)
			}
			id, ok := ids[col.ID]
			if !ok {
				continue
			}
			if aggs == nil {
				aggs = append(aggs, a.Aggs...)
			}
			aggs[i] = countOf(x, id)
		}
		if aggs == nil {
			return n
		}
		c := *a
		c.Aggs = aggs
		return &c
	}), nil
}

// countedColumn is the column of count(DISTINCT column), nil for other aggregates.
func countedColumn(a *expr.Aggregate) *expr.Column {
	if !a.Distinct || !strings.EqualFold(a.Fn.Name, "count") || len(a.Args) != 1 || len(a.OrderBy) > 0 {
		return nil
	}
	c, _ := a.Args[0].(*expr.Column)
	return c
}

func countOf(a *expr.Aggregate, id expr.Column) *expr.Aggregate {
	c := *a
	c.Args = []expr.Expr{expr.Ref(id)}
	c.Fn, _ = function.ResolveAggregate("count", []function.Arg{{Type: id.T}})
	return &c
}

// idColumns are the columns of dictionary ids that n outputs, by the columns that they number. Those of a key of a table that
// merges rows serve as well: rows of one key have one id, see numbersKey.
func idColumns(n logical.Node) map[expr.ColumnID]expr.Column {
	out := map[expr.ColumnID]expr.Column{}
	visible := map[expr.ColumnID]expr.Column{}
	for _, c := range n.Columns() {
		visible[c.ID] = c
	}
	logical.Walk(n, func(n logical.Node) bool {
		s, ok := n.(*logical.Scan)
		if !ok || s.Source == nil {
			return true
		}
		cols := s.Source.Columns()
		for i, id := range s.Cols {
			if o := s.Ordinal[i]; o < 0 || o >= len(cols) || cols[o].DictionaryOf == "" {
				continue
			}
			shown, ok := visible[id.ID]
			for k, of := range s.Cols {
				if o := s.Ordinal[k]; ok && o >= 0 && o < len(cols) && strings.EqualFold(cols[o].Name, cols[s.Ordinal[i]].DictionaryOf) {
					out[of.ID] = shown
				}
			}
		}
		return true
	})
	return out
}
