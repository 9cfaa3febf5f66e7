package bind

import (
	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// partialUpdate joins the rows of a load, in by column of the target, with those that the table has of their keys: the
// values of the other columns come from there or, for keys that it does not have, from their defaults. In strict
// loads there must be none of these: their delete sign is then NULL, which the sink refuses.
func (b *binder) partialUpdate(to Target, n logical.Node, source []int, q ast.Query) (logical.Node, []expr.Expr, error) {
	t := to.Table
	cols := n.Columns()
	keyed := &logical.Project{Input: n, Exprs: expr.Refs(cols), Cols: append([]expr.Column(nil), cols...)}
	it := b.scan(to.Existing, t.Database+"."+t.Name, t.Name, "")
	old := it.rels[0].cols
	var on []expr.Expr
	for i := range t.Columns {
		c := &t.Columns[i]
		if !c.Key {
			continue
		}
		if source[i] < 0 {
			return nil, nil, sqlerr.Detail("Partial update should include all key columns, missing: %s", c.Name).At(q.Position())
		}
		in := cols[source[i]]
		key, err := expr.CastWith(expr.Ref(in), c.Type, b.storing(t, c))
		if err != nil {
			return nil, nil, notStorable(c, expr.Ref(in)).At(q.Position())
		}
		if col, ok := key.(*expr.Column); !ok || col.ID != in.ID {
			in = b.newColumn(c.Name, c.Type, key.Nullable())
			keyed.Exprs[source[i]], keyed.Cols[source[i]] = key, in
		}
		eq, err := expr.NewCall("<=>", expr.Ref(in), expr.Ref(old[i].col))
		if err != nil {
			return nil, nil, at(err, q)
		}
		on = append(on, eq)
	}
	join := &logical.Join{Kind: logical.Left, LeftInput: keyed, RightInput: it.node, On: on}
	previous := func(i int) expr.Expr {
		c := old[i].col
		c.Null = true
		return expr.Ref(c)
	}
	out := make([]expr.Expr, len(t.Columns))
	var there expr.Expr
	for i := range t.Columns {
		if t.Columns[i].Name == catalog.DeleteSign {
			there = expr.MustCall("is_not_null", previous(i))
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if source[i] >= 0 {
			out[i] = expr.Ref(keyed.Cols[source[i]])
			continue
		}
		out[i] = previous(i)
		if to.Strict && c.Name == catalog.DeleteSign || c.Default == nil && !c.Nullable {
			continue
		}
		e, err := b.defaultOf(c)
		if err != nil {
			return nil, nil, at(err, q)
		}
		if e, err = expr.CastWith(e, c.Type, b.storing(t, c)); err != nil {
			return nil, nil, notStorable(c, e).At(q.Position())
		}
		out[i] = expr.MustCall("if", there, out[i], e)
	}
	return join, out, nil
}
