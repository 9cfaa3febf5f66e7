package parser

import (
	"strconv"

	"github.com/basaltdb/basalt/parser/ast"
	tast "github.com/pingcap/tidb/pkg/parser/ast"
)

// query converts a SELECT or a set operation.
func (c *converter) query(n tast.ResultSetNode) ast.Query {
	c.enter()
	defer func() { c.depth-- }()
	switch n := n.(type) {
	case *tast.SelectStmt:
		return c.with(n.With, c.selectBlock(n))
	case *tast.SetOprStmt:
		q := c.setOperation(n.SelectList)
		return c.with(n.With, c.whole(q, n.OrderBy, n.Limit))
	}
	c.lost(0)
	return nil
}

// whole puts ORDER BY and LIMIT on a query that may have its own already.
func (c *converter) whole(q ast.Query, order *tast.OrderByClause, limit *tast.Limit) ast.Query {
	if order == nil && limit == nil {
		return q
	}
	items, lim := c.orderBy(order), c.limit(limit)
	switch q := q.(type) {
	case *ast.SetOp:
		if q.OrderBy == nil && q.Limit == nil {
			q.OrderBy, q.Limit = items, lim
			return q
		}
	case *ast.Select:
		if q.OrderBy == nil && q.Limit == nil {
			q.OrderBy, q.Limit = items, lim
			return q
		}
	case *ast.Values:
		if q.OrderBy == nil && q.Limit == nil {
			q.OrderBy, q.Limit = items, lim
			return q
		}
	}
	pos := ast.Pos(q.Position())
	return &ast.Select{
		Pos: pos, Items: []ast.SelectItem{{Pos: pos, Star: true, Text: "*"}},
		From:    []ast.TableExpr{&ast.Derived{Pos: pos, Query: q}},
		OrderBy: items, Limit: lim,
	}
}

func (c *converter) with(w *tast.WithClause, body ast.Query) ast.Query {
	if w == nil {
		return body
	}
	n := &ast.With{Recursive: w.IsRecursive, Body: body, Pos: ast.Pos(body.Position())}
	for i, cte := range w.CTEs {
		_, m := c.p.markOf(cte.Name.O)
		if m == nil {
			c.lost(0)
		}
		cm, ok := m.payload.(*cteMark)
		if !ok {
			c.lost(m.tok)
		}
		if i == 0 {
			first := m.tok - 1
			if c.p.toks[first].is("RECURSIVE") {
				first--
			}
			n.Pos = c.pos(first)
		}
		e := cm.cte
		e.Query = c.query(cte.Query.Query)
		n.CTEs = append(n.CTEs, e)
	}
	return n
}

// setTerm is one operand of a chain of set operations, and the operator before it.
type setTerm struct {
	query ast.Query
	op    ast.SetOpKind
	all   bool
}

// setOperation builds the tree of a flat chain: INTERSECT binds closest, the others
// associate to the left.
func (c *converter) setOperation(list *tast.SetOprSelectList) ast.Query {
	c.enter()
	defer func() { c.depth-- }()
	var terms []setTerm
	for _, n := range list.Selects {
		var t setTerm
		var after *tast.SetOprType
		switch n := n.(type) {
		case *tast.SelectStmt:
			t.query, after = c.with(n.With, c.selectBlock(n)), n.AfterSetOperator
		case *tast.SetOprSelectList:
			t.query = c.with(n.With, c.whole(c.setOperation(n), n.OrderBy, n.Limit))
			after = n.AfterSetOperator
		default:
			c.lost(0)
		}
		if after != nil {
			switch *after {
			case tast.UnionAll, tast.ExceptAll, tast.IntersectAll:
				t.all = true
			}
			switch *after {
			case tast.Except, tast.ExceptAll:
				t.op = ast.Except
			case tast.Intersect, tast.IntersectAll:
				t.op = ast.Intersect
			}
		}
		last := len(terms) - 1
		if last >= 0 && t.op == ast.Intersect {
			terms[last].query = combine(terms[last].query, t)
			continue
		}
		terms = append(terms, t)
	}
	q := terms[0].query
	for _, t := range terms[1:] {
		q = combine(q, t)
	}
	return q
}

func combine(left ast.Query, t setTerm) ast.Query {
	return &ast.SetOp{Pos: ast.Pos(left.Position()), Op: t.op, All: t.all, Left: left, Right: t.query}
}

func (c *converter) selectBlock(n *tast.SelectStmt) ast.Query {
	if n.Fields == nil || len(n.Fields.Fields) == 0 {
		c.lost(0)
	}
	block := c.item(n.Fields.Fields[0]).block
	if v, ok := block.(*ast.Values); ok {
		c.fillOnly(n.Fields.Fields[0].Expr)
		v.OrderBy, v.Limit = c.orderBy(n.OrderBy), c.limit(n.Limit)
		return v
	}
	sel, ok := block.(*ast.Select)
	if !ok {
		c.lost(0)
	}
	sel.Items = make([]ast.SelectItem, len(n.Fields.Fields))
	for i, f := range n.Fields.Fields {
		sel.Items[i] = c.item(f).item
		if !sel.Items[i].Star {
			sel.Items[i].Expr, _ = c.expr(f.Expr)
		}
	}
	if n.From != nil && n.From.TableRefs != nil {
		sel.From = c.from(n.From.TableRefs)
	}
	if n.Where != nil {
		sel.Where, _ = c.expr(n.Where)
	}
	if n.GroupBy != nil {
		sel.GroupBy = c.groupBy(n.GroupBy)
	}
	if n.Having != nil {
		m := c.fillOnly(n.Having.Expr)
		cm, ok := m.payload.(*clausesMark)
		if !ok {
			c.lost(m.tok)
		}
		sel.Having = cm.having
	}
	sel.OrderBy, sel.Limit = c.orderBy(n.OrderBy), c.limit(n.Limit)
	return sel
}

func (c *converter) item(f *tast.SelectField) *itemMark {
	_, m := c.p.markOf(f.AsName.O)
	if m == nil {
		c.lost(0)
	}
	item, ok := m.payload.(*itemMark)
	if !ok {
		c.lost(m.tok)
	}
	return item
}

// fillOnly fills the mark whose call n is, and returns it; its payload is no expression.
func (c *converter) fillOnly(n tast.ExprNode) mark {
	call, ok := n.(*tast.FuncCallExpr)
	if !ok {
		c.lost(0)
	}
	index, m := c.p.markOf(call.FnName.O)
	if m == nil {
		c.lost(0)
	}
	c.fill(index, call.Args)
	return c.p.marks[index]
}

func (c *converter) orderBy(n *tast.OrderByClause) []ast.OrderItem {
	if n == nil {
		return nil
	}
	items := make([]ast.OrderItem, len(n.Items))
	for i, by := range n.Items {
		m := c.fillOnly(by.Expr)
		o, ok := m.payload.(*orderMark)
		if !ok {
			c.lost(m.tok)
		}
		items[i] = o.item
	}
	return items
}

// limit reads the numbers of marks back from LIMIT.
func (c *converter) limit(n *tast.Limit) *ast.Limit {
	if n == nil {
		return nil
	}
	l := &ast.Limit{Pos: -1}
	read := func(e tast.ExprNode) ast.Expr {
		v, ok := e.(tast.ValueExpr)
		if !ok {
			return nil
		}
		number, _ := v.GetValue().(uint64)
		_, m := c.p.markOf("t" + strconv.FormatUint(number, 10))
		if m == nil {
			return nil
		}
		if l.Pos < 0 || c.pos(m.tok) < l.Pos {
			l.Pos = c.pos(m.tok)
		}
		count, _ := m.payload.(ast.Expr)
		return count
	}
	l.Count, l.Offset = read(n.Count), read(n.Offset)
	return l
}

// groupBy converts the one call of GROUP BY. Equal expressions of several sets become
// one item.
func (c *converter) groupBy(n *tast.GroupByClause) *ast.GroupBy {
	if len(n.Items) != 1 {
		c.lost(0)
	}
	call, ok := n.Items[0].Expr.(*tast.FuncCallExpr)
	if !ok {
		c.lost(0)
	}
	_, m := c.p.markOf(call.FnName.O)
	if m == nil {
		c.lost(0)
	}
	g, ok := m.payload.(*groupMark)
	if !ok {
		c.lost(m.tok)
	}
	out := &ast.GroupBy{Pos: g.pos, Kind: g.kind}
	index := make([]int, len(call.Args))
	known := map[string]int{} // by printed form
	for i, a := range call.Args {
		e, _ := c.expr(a)
		index[i] = len(out.Items)
		if g.kind == ast.GroupSets {
			text := ast.Format(e)
			if k, ok := known[text]; ok {
				index[i] = k
				continue
			}
			known[text] = index[i]
		}
		out.Items = append(out.Items, e)
	}
	if g.kind == ast.GroupSets {
		out.Sets = make([][]int, len(g.sets))
		for i, set := range g.sets {
			out.Sets[i] = []int{}
			seen := map[int]bool{}
			for _, arg := range set {
				if at := index[arg]; !seen[at] {
					seen[at] = true
					out.Sets[i] = append(out.Sets[i], at)
				}
			}
		}
	}
	return out
}

// from converts the join tree; commas at its top make a list.
func (c *converter) from(n *tast.Join) []ast.TableExpr {
	var list []ast.TableExpr
	var walk func(n tast.ResultSetNode)
	walk = func(n tast.ResultSetNode) {
		j, ok := n.(*tast.Join)
		if ok && j.Right != nil && !j.ExplicitParens {
			right, first := c.table(j.Right)
			if spec, known := c.p.joinBefore(first); known && spec.comma {
				walk(j.Left)
				list = append(list, right)
				return
			}
			list = append(list, c.join(j, right, first))
			return
		}
		if ok && j.Right == nil && !j.ExplicitParens {
			walk(j.Left)
			return
		}
		if ts, isSource := n.(*tast.TableSource); isSource && c.isNoTable(ts) {
			return
		}
		t, _ := c.table(n)
		list = append(list, t)
	}
	walk(n)
	return list
}

// tablesOf converts the FROM of a SELECT that was made to hold it.
func (c *converter) tablesOf(n tast.StmtNode) []ast.TableExpr {
	sel, ok := n.(*tast.SelectStmt)
	if !ok || sel.From == nil || sel.From.TableRefs == nil {
		c.lost(0)
	}
	return c.from(sel.From.TableRefs)
}

func (c *converter) isNoTable(ts *tast.TableSource) bool {
	name, ok := ts.Source.(*tast.TableName)
	if !ok {
		return false
	}
	_, m := c.p.markOf(name.Name.O)
	if m == nil {
		return false
	}
	_, ok = m.payload.(noTable)
	return ok
}

// table converts one operand of FROM and returns its first token.
func (c *converter) table(n tast.ResultSetNode) (ast.TableExpr, int) {
	c.enter()
	defer func() { c.depth-- }()
	switch n := n.(type) {
	case *tast.Join:
		if n.Right == nil {
			return c.table(n.Left)
		}
		right, rightFirst := c.table(n.Right)
		t := c.join(n, right, rightFirst)
		return t, c.firstOf(t)
	case *tast.TableSource:
		return c.tableSource(n)
	}
	c.lost(0)
	return nil, 0
}

// firstOf is the first token of a table expression.
func (c *converter) firstOf(t ast.TableExpr) int {
	for {
		switch n := t.(type) {
		case *ast.Join:
			t = n.Left
			continue
		case *ast.LateralView:
			t = n.Input
			continue
		}
		return c.tokenAt(t.Position())
	}
}

func (c *converter) tableSource(n *tast.TableSource) (ast.TableExpr, int) {
	name := n.AsName.O
	if t, ok := n.Source.(*tast.TableName); ok {
		name = t.Name.O
	}
	if j, ok := n.Source.(*tast.Join); ok {
		return c.table(j)
	}
	_, m := c.p.markOf(name)
	if m == nil {
		c.lost(0)
	}
	switch t := m.payload.(type) {
	case *ast.TableName:
		return t, m.tok
	case *ast.FileTable:
		return t, m.tok
	case joinGroup:
		sel, ok := n.Source.(*tast.SelectStmt)
		if !ok {
			c.lost(m.tok)
		}
		return crossAll(c.tablesOf(sel)), m.tok
	case *ast.Derived:
		t.Query = c.query(n.Source)
		return t, m.tok
	case *ast.TableFunction:
		c.fillSource(n.Source)
		return t, m.tok
	case *ast.LateralView:
		c.fillSource(n.Source)
		return t, m.tok
	}
	c.lost(m.tok)
	return nil, 0
}

// crossAll joins the items of a comma list to one table.
func crossAll(list []ast.TableExpr) ast.TableExpr {
	t := list[0]
	for _, right := range list[1:] {
		t = &ast.Join{Pos: ast.Pos(right.Position()), Kind: ast.CrossJoin, Left: t, Right: right}
	}
	return t
}

// fillSource fills the table function whose derived table n is.
func (c *converter) fillSource(n tast.ResultSetNode) {
	sel, ok := n.(*tast.SelectStmt)
	if !ok || sel.Fields == nil || len(sel.Fields.Fields) != 1 {
		c.lost(0)
	}
	c.fillOnly(sel.Fields.Fields[0].Expr)
}

// join converts a join whose right operand is converted already.
func (c *converter) join(n *tast.Join, right ast.TableExpr, first int) ast.TableExpr {
	left, _ := c.table(n.Left)
	if view, ok := right.(*ast.LateralView); ok && view.Input == nil {
		view.Input = left
		return view
	}
	spec, ok := c.p.joinBefore(first)
	if !ok {
		c.lost(first)
	}
	j := &ast.Join{Pos: c.pos(spec.pos), Kind: spec.kind, Natural: spec.natural, Hint: spec.hint, Left: left, Right: right}
	if n.On != nil {
		j.On, _ = c.expr(n.On.Expr)
	}
	if len(n.Using) == 1 {
		if _, m := c.p.markOf(n.Using[0].Name.O); m != nil {
			if u, ok := m.payload.(*usingMark); ok {
				j.Using = u.columns
			}
		}
	}
	// JOIN without a condition is a cross join; CROSS JOIN with one is an inner join.
	switch has := j.On != nil || j.Using != nil || j.Natural; {
	case has && j.Kind == ast.CrossJoin:
		j.Kind = ast.InnerJoin
	case !has && j.Kind == ast.InnerJoin:
		j.Kind = ast.CrossJoin
	}
	return j
}
