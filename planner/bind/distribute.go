package bind

import (
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// Hive's DISTRIBUTE BY, SORT BY and CLUSTER BY cut the rows into sections, which are what its reducers were: rows with equal
// DISTRIBUTE BY are in one section, a section is in the order of SORT BY, and where rows are written a section is a file.
// They bind to a logical.Sort whose first key is the number of the section. Without DISTRIBUTE BY there is no number: any
// ranges of an order of all rows will do.

// checkSections refuses what Hive refuses.
func checkSections(q *ast.Select) error {
	conflict := func(a, b string, at ast.Node) error {
		return sqlerr.New(sqlerr.WrongUsage, "Cannot have both %s and %s clauses", a, b).At(at.Position())
	}
	order := len(q.OrderBy) > 0
	switch {
	case len(q.ClusterBy) > 0 && order:
		return conflict("CLUSTER BY", "ORDER BY", q.ClusterBy[0])
	case len(q.ClusterBy) > 0 && len(q.DistributeBy) > 0:
		return conflict("CLUSTER BY", "DISTRIBUTE BY", q.ClusterBy[0])
	case len(q.ClusterBy) > 0 && len(q.SortBy) > 0:
		return conflict("CLUSTER BY", "SORT BY", q.ClusterBy[0])
	case len(q.DistributeBy) > 0 && order:
		return conflict("ORDER BY", "DISTRIBUTE BY", q.DistributeBy[0])
	case len(q.SortBy) > 0 && order:
		return conflict("ORDER BY", "SORT BY", q.SortBy[0].Expr)
	}
	return nil
}

// sectionKeys binds the clauses: the keys to sort by, of which the first is the section's number when numbered is set.
func (b *binder) sectionKeys(k *block, q *ast.Select) (keys []orderKey, numbered bool, err error) {
	by, order := q.DistributeBy, q.SortBy
	if len(q.ClusterBy) > 0 {
		by = q.ClusterBy
		for _, e := range by {
			order = append(order, ast.OrderItem{Pos: ast.Pos(e.Position()), Expr: e})
		}
	}
	if keys, err = b.orderKeys(k.base, k.windows, k.items, order); err != nil || len(by) == 0 {
		return keys, false, err
	}
	var list []ast.OrderItem
	for _, e := range by {
		list = append(list, ast.OrderItem{Pos: ast.Pos(e.Position()), Expr: e})
	}
	spread, err := b.orderKeys(k.base, k.windows, k.items, list)
	if err != nil {
		return nil, false, err
	}
	args := make([]expr.Expr, len(spread))
	for i, k := range spread {
		args[i] = k.e
	}
	number, err := bucketNumber("distribute", bucket.DorisCRC32, max(b.env.Sections, 1), args)
	if err != nil {
		return nil, false, at(err, by[0])
	}
	return append([]orderKey{{e: number, nullsFirst: true, position: spread[0].position}}, keys...), true, nil
}

// bucketNumber is the bucket among n that the hash puts args in, as a function of the given name.
func bucketNumber(name string, hash bucket.Hash, n int, args []expr.Expr) (expr.Expr, error) {
	fn := &function.Scalar{Name: name, Result: sqltype.T(sqltype.Int), Nulls: function.NullAware,
		New: func([]*vector.Value) (function.Kernel, error) {
			var scratch []uint32
			return func(_ *function.Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				scratch = hash.Numbers(args, out.Len, sel, n, vector.Values[int32](out), scratch)
				return nil
			}, nil
		}}
	call := &expr.Call{Fn: fn}
	for _, e := range args {
		if t := e.Type(); !hash.Supports(t) {
			text, err := expr.CastWith(e, sqltype.T(sqltype.String), function.Cast)
			if err != nil {
				return nil, err
			}
			e = text
		}
		fn.Params = append(fn.Params, e.Type())
		call.Args = append(call.Args, e)
	}
	return call, nil
}
