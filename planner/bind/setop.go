package bind

import (
	"fmt"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

var setOpKinds = map[ast.SetOpKind]logical.SetOpKind{ast.Union: logical.Union, ast.Intersect: logical.Intersect, ast.Except: logical.Except}

// setOp binds UNION, INTERSECT and EXCEPT: columns pair by position and take their common
// type; names are the first query's.
func (b *binder) setOp(q *ast.SetOp, parent *scope, ctes *cteScope, top bool) (relationResult, error) {
	none := relationResult{}
	var parts []relationResult
	var gather func(q ast.Query) error
	gather = func(part ast.Query) error {
		// A chain of UNION ALL is one node. Its own ORDER BY and LIMIT end the chain.
		if u, ok := part.(*ast.SetOp); ok && q.Op == ast.Union && q.All && u.Op == ast.Union && u.All &&
			(u == q || len(u.OrderBy) == 0 && u.Limit == nil) {
			if err := gather(u.Left); err != nil {
				return err
			}
			return gather(u.Right)
		}
		r, err := b.query(part, parent, ctes, false)
		if err != nil {
			return err
		}
		if len(parts) > 0 && len(r.names) != len(parts[0].names) {
			return sqlerr.New(sqlerr.WrongColumnCount, "The used SELECT statements have a different number of columns").At(part.Position())
		}
		parts = append(parts, r)
		return nil
	}
	if q.Op == ast.Union && q.All {
		if err := gather(q); err != nil {
			return none, err
		}
	} else {
		for _, part := range []ast.Query{q.Left, q.Right} {
			if err := gather(part); err != nil {
				return none, err
			}
		}
	}
	node, err := b.setOpNode(q, parts)
	if err != nil {
		return none, at(err, q)
	}
	return b.finishSimple(relationResult{node: node, names: parts[0].names}, parent, ctes, q.OrderBy, q.Limit, top)
}

// setOpNode casts the parts to common types.
func (b *binder) setOpNode(q *ast.SetOp, parts []relationResult) (logical.Node, error) {
	n := &logical.SetOp{Kind: setOpKinds[q.Op], All: q.All}
	for i, name := range parts[0].names {
		var types []sqltype.Type
		null := false
		for _, p := range parts {
			c := p.node.Columns()[i]
			types = append(types, c.T)
			null = null || c.Null
		}
		if n.Kind == logical.Except {
			null = parts[0].node.Columns()[i].Null
		}
		t, err := expr.CommonType(types...)
		if err != nil {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "Column %d of the queries: %s", i+1, sqlerr.From(err).Message)
		}
		if err := function.CheckOrderable(t); err != nil && (n.Kind != logical.Union || !n.All) {
			return nil, err
		}
		if t.Kind == sqltype.Null {
			t = sqltype.T(sqltype.TinyInt)
		}
		n.Cols = append(n.Cols, b.newColumn(name, t, null))
	}
	for _, p := range parts {
		in, err := b.castOutputs(p, n.Cols)
		if err != nil {
			return nil, err
		}
		n.Inputs = append(n.Inputs, in)
	}
	return n, nil
}

// castOutputs projects a query's columns to the types of want.
func (b *binder) castOutputs(r relationResult, want []expr.Column) (logical.Node, error) {
	cols := r.node.Columns()
	exprs := make([]expr.Expr, len(cols))
	changed := false
	for i, c := range cols {
		e, err := expr.CastTo(expr.Ref(c), want[i].T)
		if err != nil {
			return nil, err
		}
		exprs[i] = e
		if col, ok := e.(*expr.Column); !ok || !col.T.Equal(want[i].T) && col.T.Kind != want[i].T.Kind {
			changed = true
		}
	}
	if !changed {
		return r.node, nil
	}
	return b.project(r.node, exprs, r.names), nil
}

// finishSimple adds ORDER BY and LIMIT to a query whose keys can only use its outputs.
func (b *binder) finishSimple(r relationResult, parent *scope, ctes *cteScope, order []ast.OrderItem, limit *ast.Limit, top bool) (relationResult, error) {
	if len(order) > 0 && (top || limit != nil) {
		it := itemOf(r, "")
		s := &scope{parent: parent, rels: it.rels, visible: it.visible, ctes: ctes}
		items := make([]selectItem, len(r.names))
		for i, c := range r.node.Columns() {
			items[i] = selectItem{e: expr.Ref(c), name: r.names[i]}
		}
		keys, err := b.orderKeys(s, nil, items, order)
		if err != nil {
			return r, err
		}
		outputs := r.node.Columns()
		exprs, names := expr.Refs(outputs), append([]string(nil), r.names...)
		var sort []expr.SortKey
		for i, k := range keys {
			if (&grouping{b: b, base: s}).uses(k.e) {
				return r, sqlerr.New(sqlerr.MisplacedAggregate, "Invalid use of group function in ORDER BY of a set operation").At(k.position)
			}
			n, e, err := b.extract(r.node, k.e, false)
			if err != nil {
				return r, err
			}
			r.node = n
			if _, ok := e.(*expr.Column); !ok {
				col := b.newColumn(fmt.Sprintf("(sort key %d)", i+1), e.Type(), e.Nullable())
				exprs, names = append(exprs, e), append(names, col.Name)
				e = nil
			}
			sort = append(sort, expr.SortKey{Expr: e, Desc: k.desc, NullsFirst: k.nullsFirst})
		}
		var p *logical.Project
		if len(exprs) > len(outputs) {
			p = b.project(r.node, exprs, names)
			r.node = p
		}
		hidden := len(outputs)
		for i := range sort {
			if sort[i].Expr == nil {
				sort[i].Expr = expr.Ref(p.Cols[hidden])
				hidden++
			}
		}
		r.node = &logical.Sort{Input: r.node, Keys: sort, Limit: -1}
		n, err := b.limit(r.node, limit)
		if err != nil {
			return r, err
		}
		r.node = n
		if p != nil || len(n.Columns()) > len(outputs) {
			r.node = &logical.Project{Input: n, Exprs: expr.Refs(outputs), Cols: outputs}
		}
		return r, nil
	}
	n, err := b.limit(r.node, limit)
	if err != nil {
		return r, err
	}
	return relationResult{node: n, names: r.names}, nil
}

// values binds VALUES as a query; columns are named column_0, column_1, …
func (b *binder) values(q *ast.Values, parent *scope, ctes *cteScope) (relationResult, error) {
	none := relationResult{}
	s := &scope{parent: parent, clause: "values list", aggregates: aggregatesForbidden, ctes: ctes}
	n := &logical.Values{}
	for i, row := range q.Rows {
		if len(row) != len(q.Rows[0]) {
			return none, sqlerr.New(sqlerr.ValueCount, "Column count doesn't match value count at row %d", i+1).At(rowPosition(q, row))
		}
		exprs, err := b.exprs(s, row)
		if err != nil {
			return none, err
		}
		for j, e := range exprs {
			if expr.HasSubquery(e) {
				return none, sqlerr.Unsupported("A subquery in VALUES").At(row[j].Position())
			}
		}
		n.Rows = append(n.Rows, exprs)
	}
	r, err := b.valuesOf(n)
	if err != nil {
		return none, at(err, q)
	}
	return b.finishSimple(r, parent, ctes, q.OrderBy, q.Limit, parent == nil)
}

func rowPosition(q *ast.Values, row []ast.Expr) int {
	if len(row) > 0 {
		return row[0].Position()
	}
	return q.Position()
}

// valuesOf gives rows of expressions common types a column.
func (b *binder) valuesOf(n *logical.Values) (relationResult, error) {
	r := relationResult{node: n}
	for j := range n.Rows[0] {
		types := make([]sqltype.Type, len(n.Rows))
		null := false
		for i, row := range n.Rows {
			types[i] = row[j].Type()
			null = null || row[j].Nullable()
		}
		t, err := expr.CommonType(types...)
		if err != nil {
			return r, err
		}
		if t.Kind == sqltype.Null {
			t = sqltype.T(sqltype.TinyInt)
		}
		if _, err := castColumn(n.Rows, j, t, function.Cast); err != nil {
			return r, err
		}
		name := fmt.Sprintf("column_%d", j)
		n.Cols = append(n.Cols, b.newColumn(name, t, null))
		r.names = append(r.names, name)
	}
	return r, nil
}
