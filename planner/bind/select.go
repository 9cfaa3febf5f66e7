package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// selectItem is a bound item of a select list.
type selectItem struct {
	e    expr.Expr
	name string // as the user sees it
}

// selectQuery binds one query block. The plan, bottom up: FROM, WHERE, grouping, HAVING, windows, QUALIFY,
// the select list with hidden sort keys, DISTINCT, ORDER BY, LIMIT, the hidden keys dropped.
func (b *binder) selectQuery(q *ast.Select, parent *scope, ctes *cteScope, top bool) (relationResult, error) {
	none := relationResult{}
	if err := refused(q); err != nil {
		return none, err
	}
	q, err := b.withGenerator(q)
	if err != nil {
		return none, err
	}
	fc := &fromContext{parent: parent, ctes: ctes, ordered: hasHint(q, "ORDERED")}
	from, err := b.from(q.From, fc)
	if err != nil {
		return none, err
	}
	return b.selectFrom(q, fc, from, top)
}

// selectFrom binds what stands over a block's FROM.
func (b *binder) selectFrom(q *ast.Select, fc *fromContext, from fromItem, top bool) (relationResult, error) {
	none := relationResult{}
	var err error
	if len(q.Hints) > 0 {
		b.orderHints(q, &from)
	}
	node := from.node
	base := fc.scope(from)
	if q.Where != nil {
		cond, err := b.condition(base.in("where clause", aggregatesForbidden, nil), q.Where)
		if err != nil {
			return none, err
		}
		if node, err = b.filter(node, expr.Conjuncts(nil, cond)); err != nil {
			return none, at(err, q.Where)
		}
	}
	ws, err := b.windowScope(q)
	if err != nil {
		return none, err
	}
	items, err := b.selectList(base, ws, q)
	if err != nil {
		return none, err
	}
	blk := &block{b: b, base: base, windows: ws, items: items, node: node, q: q}
	if err := blk.group(); err != nil {
		return none, err
	}
	if err := blk.project(top); err != nil {
		return none, err
	}
	names := make([]string, len(items))
	for i, it := range items {
		names[i] = it.name
	}
	return relationResult{node: blk.node, names: names}, nil
}

// refused names the clauses that cannot run yet.
func refused(q *ast.Select) error {
	switch {
	case q.Into != nil:
		return sqlerr.Unsupported("INTO OUTFILE").At(q.Into.Position())
	}
	return nil
}

func hasHint(q *ast.Select, name string) bool {
	for _, h := range q.Hints {
		if h.Name == name {
			return true
		}
	}
	return false
}

// selectList binds the items with stars expanded.
func (b *binder) selectList(base *scope, ws *windowScope, q *ast.Select) ([]selectItem, error) {
	s := ws.in(base.in("field list", aggregatesAllowed, nil))
	var items []selectItem
	for i := range q.Items {
		it := &q.Items[i]
		if it.Star {
			cols, err := b.star(s, it, len(q.From) == 0)
			if err != nil {
				return nil, err
			}
			b.frozen.star(s, q, i, cols)
			for _, c := range cols {
				ref := expr.Ref(c.col)
				b.positions[ref] = it.Position()
				items = append(items, selectItem{e: ref, name: c.name})
			}
			continue
		}
		e, err := b.expr(s, it.Expr)
		if err != nil {
			return nil, err
		}
		b.frozen.name(it)
		items = append(items, selectItem{e: e, name: itemName(it)})
	}
	return items, nil
}

// itemName is the column name that MySQL shows: the alias, a column's own name, or the text as written.
func itemName(it *ast.SelectItem) string {
	if it.Alias != "" {
		return it.Alias
	}
	switch e := it.Expr.(type) {
	case *ast.Column:
		return e.Name
	case *ast.Literal:
		if e.Kind == ast.StringLit {
			return e.Text
		}
	}
	return it.Text
}

// star expands * or t.*.
func (b *binder) star(s *scope, it *ast.SelectItem, noFrom bool) ([]named, error) {
	if it.Table.Name == "" {
		if noFrom {
			return nil, sqlerr.New(noTables, "No tables used").At(it.Position())
		}
		return except(shown(s.visible), it)
	}
	for _, r := range s.rels {
		if r.named(it.Table.Database, it.Table.Name) {
			return except(shown(r.cols), it)
		}
	}
	err := sqlerr.New(sqlerr.UnknownTableAlias, "Unknown table '%s'", it.Table.Name).At(it.Position())
	var names []string
	for _, r := range s.rels {
		names = append(names, r.name)
	}
	if near := nearest(it.Table.Name, names); near != "" {
		return nil, err.WithHint("Did you mean '%s'?", near)
	}
	return nil, err
}

// except takes the columns of * EXCEPT (…) away; each must be there, and one must be left.
func except(cols []named, it *ast.SelectItem) ([]named, error) {
	if len(it.Except) == 0 {
		return cols, nil
	}
	for _, name := range it.Except {
		if !slices.ContainsFunc(cols, func(c named) bool { return equalName(c.name, name) }) {
			return nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '* EXCEPT'", name).At(it.Position())
		}
	}
	left := slices.DeleteFunc(slices.Clone(cols), func(c named) bool { return containsName(it.Except, c.name) })
	if len(left) == 0 {
		return nil, sqlerr.Detail("All columns in slots: [%s] are excepted", strings.Join(it.Except, ", ")).At(it.Position())
	}
	return left, nil
}

// filter keeps the rows for which all conds are true; subqueries in them become Applies. The
// order is by likely cost: conditions without subqueries, scalar subqueries that are
// computed once, semi and anti joins, then the rest.
func (b *binder) filter(n logical.Node, conds []expr.Expr) (logical.Node, error) {
	var plain, once, rest []expr.Expr
	for _, c := range conds {
		switch {
		case !expr.HasSubquery(c):
			plain = append(plain, c)
		case computedOnce(c):
			once = append(once, c)
		default:
			rest = append(rest, c)
		}
	}
	if len(plain) > 0 {
		n = &logical.Filter{Input: n, Conds: plain}
	}
	n, err := b.filterExtracted(n, once)
	if err != nil {
		return nil, err
	}
	var others []expr.Expr
	for _, c := range rest {
		m, ok, err := b.semiApply(n, c)
		if err != nil {
			return nil, err
		}
		if ok {
			n = m
		} else {
			others = append(others, c)
		}
	}
	return b.filterExtracted(n, others)
}

// filterExtracted is a Filter of conds over the Applies of their subqueries.
func (b *binder) filterExtracted(n logical.Node, conds []expr.Expr) (logical.Node, error) {
	if len(conds) == 0 {
		return n, nil
	}
	after := make([]expr.Expr, len(conds))
	for i, c := range conds {
		m, e, err := b.extract(n, c, true)
		if err != nil {
			return nil, err
		}
		n, after[i] = m, e
	}
	return &logical.Filter{Input: n, Conds: after}, nil
}

// computedOnce reports that the subqueries of e are scalar and read no outer columns.
func computedOnce(e expr.Expr) bool {
	once := true
	expr.Walk(e, func(e expr.Expr) bool {
		if q, ok := e.(*expr.Subquery); ok && (q.Kind != expr.ScalarSubquery || !logical.FreeColumns(q.Plan.(logical.Node)).Empty()) {
			once = false
		}
		return once
	})
	return once
}

// block is one query block while it is being put together.
type block struct {
	b       *binder
	q       *ast.Select
	base    *scope
	windows *windowScope
	node    logical.Node
	items   []selectItem
	having  []expr.Expr
	qualify []expr.Expr
	keys    []orderKey
	// sections tells that keys come from DISTRIBUTE BY, SORT BY or CLUSTER BY; see distribute.go.
	sections logical.Sections
}

// project adds HAVING, windows, QUALIFY, the select list, DISTINCT, ORDER BY and LIMIT.
func (k *block) project(top bool) error {
	b := k.b
	if len(k.having) > 0 {
		n, err := b.filter(k.node, k.having)
		if err != nil {
			return at(err, k.q.Having)
		}
		k.node = n
	}
	if !top && k.q.Limit == nil {
		k.keys = nil // the order of a subquery's rows means nothing
	}
	if err := k.addWindows(); err != nil {
		return err
	}
	exprs := make([]expr.Expr, 0, len(k.items)+len(k.keys))
	names := make([]string, 0, cap(exprs))
	for _, it := range k.items {
		if err := function.CheckOrderable(it.e.Type()); err != nil && k.q.Distinct {
			return at(err, k.q)
		}
		if k.q.Distinct && it.e.Type().Kind == sqltype.Null {
			it.e = expr.Null(sqltype.T(sqltype.TinyInt))
		}
		exprs, names = append(exprs, it.e), append(names, it.name)
	}
	positions := make([]int, len(k.keys)) // of each key among exprs
	for i, key := range k.keys {
		positions[i] = -1
		for j, e := range exprs {
			if expr.Equal(e, key.e) && (j < len(k.items) || !expr.IsVolatile(e)) {
				positions[i] = j
				break
			}
		}
		if positions[i] >= 0 {
			continue
		}
		if _, constant := key.e.(*expr.Literal); constant && k.sections == logical.Whole {
			continue
		}
		if k.q.Distinct {
			return sqlerr.New(orderNotSelected, "Expression #%d of ORDER BY clause is not in SELECT list, which is needed with DISTINCT", i+1).At(key.position)
		}
		positions[i] = len(exprs)
		exprs, names = append(exprs, key.e), append(names, fmt.Sprintf("(sort key %d)", i+1))
	}
	for i, e := range exprs {
		if !expr.HasSubquery(e) {
			continue
		}
		n, e, err := b.extract(k.node, e, false)
		if err != nil {
			return at(err, k.q)
		}
		k.node, exprs[i] = n, e
	}
	p := b.project(k.node, exprs, names)
	k.node = p
	if k.q.Distinct {
		k.node = &logical.Distinct{Input: k.node}
	}
	var sort []expr.SortKey
	for i, key := range k.keys {
		if positions[i] >= 0 {
			sort = append(sort, expr.SortKey{Expr: expr.Ref(p.Cols[positions[i]]), Desc: key.desc, NullsFirst: key.nullsFirst})
		}
	}
	if len(sort) > 0 {
		k.node = &logical.Sort{Input: k.node, Keys: sort, Limit: -1, Sections: k.sections}
	}
	n, err := b.limit(k.node, k.q.Limit)
	if err != nil {
		return err
	}
	k.node = n
	if visible := len(k.items); len(exprs) > visible {
		k.node = &logical.Project{Input: k.node, Exprs: expr.Refs(p.Cols[:visible]), Cols: p.Cols[:visible]}
	}
	return nil
}
