package lower

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
)

// field rewrites e from column ids to positions in cols.
func field(cols []expr.Column, e expr.Expr) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		i := position(cols, c.ID)
		if i < 0 {
			panic(invariant.Failed("column %s#%d is not among %d inputs", c.Name, c.ID, len(cols)))
		}
		return &expr.Field{Index: expr.FieldIndex(i), Name: c.Name, T: c.T, Null: cols[i].Null || c.Null}, true
	})
}

func fields(cols []expr.Column, es []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = field(cols, e)
	}
	return out
}

func sortKeys(cols []expr.Column, keys []expr.SortKey) []expr.SortKey {
	out := make([]expr.SortKey, len(keys))
	for i, k := range keys {
		k.Expr = field(cols, k.Expr)
		out[i] = k
	}
	return out
}

// position is where the column is in cols, or -1.
func position(cols []expr.Column, id expr.ColumnID) int {
	for i := range cols {
		if cols[i].ID == id {
			return i
		}
	}
	return -1
}

// positions lists where the columns of cols that are in need are.
func positions(cols []expr.Column, need expr.ColumnSet) []int {
	out := []int{}
	for i := range cols {
		if need.Has(cols[i].ID) {
			out = append(out, i)
		}
	}
	return out
}

// fieldAt reads position i of cols.
func fieldAt(cols []expr.Column, i int) *expr.Field {
	return &expr.Field{Index: expr.FieldIndex(i), Name: cols[i].Name, T: cols[i].T, Null: cols[i].Null}
}
