package basalt

import (
	"math"

	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/logical"
)

// limitRows bounds the rows of a query without a LIMIT of its own: sql_select_limit for
// all, default_order_by_limit for those with an ORDER BY.
func (x *execution) limitRows(q ast.Query, b *bind.Bound) {
	var limit *ast.Limit
	var order []ast.OrderItem
	if w, ok := q.(*ast.With); ok {
		q = w.Body
	}
	switch q := q.(type) {
	case *ast.Select:
		limit, order = q.Limit, q.OrderBy
	case *ast.SetOp:
		limit, order = q.Limit, q.OrderBy
	case *ast.Values:
		limit, order = q.Limit, q.OrderBy
	default:
		return
	}
	if limit != nil {
		return
	}
	most := x.s.settings.int("sql_select_limit")
	if n := x.s.settings.int("default_order_by_limit"); n >= 0 && len(order) > 0 {
		most = min(most, n)
	}
	if most < math.MaxInt64 {
		b.Plan = &logical.Limit{Input: b.Plan, Count: most}
	}
}
