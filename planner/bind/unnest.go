package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// oneRow is the input of table functions that stand alone: one row without columns.
func oneRow() logical.Node { return &logical.Values{Rows: [][]expr.Expr{{}}} }

// lateralView binds t LATERAL VIEW [OUTER] f(args) alias AS columns. The arguments see t and the items of FROM to
// the left of it.
func (b *binder) lateralView(v *ast.LateralView, fc *fromContext) (fromItem, error) {
	in, err := b.tableExpr(v.Input, fc)
	if err != nil {
		return in, err
	}
	s := fc.scope(in)
	if len(fc.left) > 0 {
		s.parent = fc.scope(fc.left...)
	}
	return b.generate(v, s, in, generator{name: v.Func, args: v.Args, outer: v.Outer, alias: v.Alias, columns: v.Columns})
}

// unnest binds explode(x), UNNEST(x) and the like as items of FROM: they see the items to their left.
func (b *binder) unnest(t *ast.TableFunction, fc *fromContext) (fromItem, error) {
	s := &scope{parent: fc.scope(fc.left...), ctes: fc.ctes}
	alias := t.Alias
	if alias == "" {
		alias = t.Name
	}
	return b.generate(t, s, fromItem{node: oneRow()}, generator{name: t.Name, args: t.Args, alias: alias, columns: t.Columns, ordinality: t.Ordinality})
}

// generator is the call of a table function of rows.
type generator struct {
	name    string
	args    []ast.Expr
	outer   bool
	alias   string
	columns []string // names that the query gives; nil: the function's own
	// ordinality: WITH ORDINALITY.
	ordinality bool
}

// generate puts a table function over in; its arguments are bound in s.
func (b *binder) generate(n ast.Node, s *scope, in fromItem, g generator) (fromItem, error) {
	if !function.IsTable(g.name) {
		err := sqlerr.New(sqlerr.UnknownFunction, "TABLE FUNCTION %s does not exist", g.name).At(n.Position())
		if near := nearest(g.name, function.TableList()); near != "" {
			err = err.WithHint("Did you mean '%s'?", near)
		}
		return in, err
	}
	args, err := b.exprs(s.in("lateral view", aggregatesForbidden, nil), g.args)
	if err != nil {
		return in, err
	}
	fn, err := function.ResolveTable(g.name, expr.ArgsOf(args))
	if err != nil {
		return in, at(err, n)
	}
	if g.ordinality {
		fn = function.WithOrdinality(fn)
	}
	u := &logical.Unnest{Input: in.node, Fn: fn, Outer: g.outer || fn.Outer}
	for i, a := range args {
		if a, err = expr.CastTo(a, fn.Params[i]); err != nil {
			return in, at(err, n)
		}
		if u.Input, a, err = b.extract(u.Input, b.fold(a), false); err != nil {
			return in, at(err, n)
		}
		u.Args = append(u.Args, a)
	}
	rel := &relation{name: g.alias}
	if g.columns != nil && len(g.columns) != len(fn.Result) {
		return in, sqlerr.New(columnListMismatch, "Column list of '%s' has %d names for the %d columns of %s", g.alias, len(g.columns), len(fn.Result), g.name).At(n.Position())
	}
	for i, t := range fn.Result {
		name := fn.Names[i]
		if g.columns != nil {
			name = g.columns[i]
		}
		label := name
		if g.alias != "" {
			label = g.alias + "." + name
		}
		col := b.newColumn(label, t, u.Outer || !fn.NotNull[i])
		u.Cols, u.Ordinal = append(u.Cols, col), append(u.Ordinal, i)
		rel.cols = append(rel.cols, named{name: name, col: col})
	}
	out := fromItem{
		node: u, rels: append(append([]*relation(nil), in.rels...), rel), visible: append(append([]named(nil), in.visible...), rel.cols...),
		lateral: in.lateral,
	}
	for _, a := range u.Args {
		out.lateral = out.lateral || !logical.FreeColumnsOf(a).SubsetOf(logical.Outputs(u.Input))
	}
	return out, nil
}

// generatedAlias names the rows of a table function in the select list; no text can spell it.
const generatedAlias = "(generated)"

// withGenerator reads SELECT explode(x) [AS a | AS (a, b)] FROM t as SELECT g.* FROM t LATERAL VIEW
// explode(x) g. There can be one such item.
func (b *binder) withGenerator(q *ast.Select) (*ast.Select, error) {
	at := -1
	for i := range q.Items {
		c, ok := q.Items[i].Expr.(*ast.Call)
		if !ok || q.Items[i].Star || c.Over != nil || !function.IsTable(c.Name) || c.Name == "stack" && len(c.Args) == 0 {
			continue
		}
		if at >= 0 {
			return nil, sqlerr.Unsupported("More than one table function in the select list").At(c.Position())
		}
		at = i
	}
	if at < 0 {
		return q, nil
	}
	it := q.Items[at]
	c := it.Expr.(*ast.Call)
	switch {
	case q.GroupBy != nil || q.Having != nil:
		return nil, sqlerr.Unsupported("A table function in the select list with GROUP BY").At(c.Position())
	case c.Distinct || c.Filter != nil || len(c.OrderBy) > 0 || c.Star:
		return nil, sqlerr.New(sqlerr.WrongUsage, "DISTINCT, ORDER BY and FILTER belong to aggregates, which %s is not", c.Name).At(c.Position())
	}
	out := *q
	out.Items = append([]ast.SelectItem(nil), q.Items...)
	for i, o := range q.Items {
		if o.Star && o.Table.Name == "" && i != at {
			return nil, sqlerr.Unsupported("* beside a table function").At(o.Position())
		}
	}
	out.Items[at] = ast.SelectItem{Pos: it.Pos, Star: true, Table: ast.Name{Pos: it.Pos, Name: generatedAlias}, Text: it.Text}
	v := &ast.LateralView{Pos: c.Pos, Input: joined(q.From), Func: c.Name, Args: c.Args, Alias: generatedAlias, Columns: it.Aliases}
	if it.Alias != "" {
		v.Columns = []string{it.Alias}
	}
	out.From = []ast.TableExpr{v}
	return &out, nil
}

// joined is a FROM clause as one item, nil for none.
func joined(items []ast.TableExpr) ast.TableExpr {
	var t ast.TableExpr
	for _, it := range items {
		if t == nil {
			t = it
		} else {
			t = &ast.Join{Pos: ast.Pos(it.Position()), Kind: ast.CrossJoin, Left: t, Right: it}
		}
	}
	return t
}
