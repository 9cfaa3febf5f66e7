package parser

import (
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// queryText emits one query: [WITH …] term {UNION term} [ORDER BY] [LIMIT].
func (p *parser) queryText() {
	p.enter()
	if p.peek().is("WITH") {
		p.with()
	}
	p.queries++
	p.term()
	for {
		at := p.i
		op, ok := p.setOperator()
		if !ok {
			break
		}
		p.out = append(p.out, piece{op, at})
		p.term()
	}
	p.queryTail()
	p.queries--
	p.leave()
}

// queryTail emits ORDER BY and LIMIT of a whole query.
func (p *parser) queryTail() {
	if p.pass("ORDER", "BY") {
		p.orderItems()
	}
	p.limit()
	p.locking()
	if p.isWords("INTO", "OUTFILE") {
		p.intoOutfile()
	} else if p.peek().is("INTO") && (p.at(1).is("DUMPFILE") || p.at(1).kind == tokUserVar) {
		p.refuse("SELECT INTO " + p.at(1).val)
	}
	p.locking()
}

// locking passes FOR UPDATE and the like: reads take no locks.
func (p *parser) locking() {
	switch {
	case p.accept("FOR", "UPDATE"), p.accept("FOR", "SHARE"):
		_ = p.accept("NOWAIT") || p.accept("SKIP", "LOCKED")
	case p.accept("LOCK", "IN", "SHARE", "MODE"):
	}
}

// setOperator passes UNION, INTERSECT, EXCEPT or MINUS with ALL or DISTINCT.
func (p *parser) setOperator() (string, bool) {
	t := p.peek()
	op := t.val
	switch {
	case t.is("UNION"), t.is("INTERSECT"), t.is("EXCEPT"):
	case t.is("MINUS") && (p.at(1).is("SELECT") || p.at(1).is("ALL") || p.at(1).is("DISTINCT") || p.at(1).isOp("(") || p.at(1).is("VALUES")):
		op = "EXCEPT"
	default:
		return "", false
	}
	p.next()
	if p.accept("ALL") {
		op += " ALL"
	} else {
		p.accept("DISTINCT")
	}
	return op, true
}

// cteMark is one table of WITH.
type cteMark struct {
	cte ast.CTE
}

func (p *parser) with() {
	p.emit("WITH")
	p.next()
	if p.peek().is("RECURSIVE") && !p.at(1).is("AS") {
		p.next()
		p.emit("RECURSIVE")
	}
	for {
		tok := p.i
		m := &cteMark{ast.CTE{Pos: p.pos(), Name: p.ident()}}
		if p.peek().isOp("(") {
			m.cte.Columns = p.identList()
		}
		p.emitLeaf(tok, m)
		if !p.pass("AS") {
			p.fail("AS expected")
		}
		if !p.peek().isOp("(") {
			p.fail("'(' expected")
		}
		p.subquery()
		if !p.acceptOp(",") {
			return
		}
		p.emit(",")
	}
}

// term emits one operand of a set operation.
func (p *parser) term() {
	t := p.peek()
	switch {
	case t.isOp("("):
		p.subquery()
	case t.is("SELECT"):
		p.selectWith(nil)
	case t.is("FROM"):
		p.fromFirst()
	case t.is("VALUES"):
		p.valuesBlock()
	case t.is("TABLE") && p.at(1).isName():
		p.tableBlock()
	default:
		p.fail("")
	}
}

// valuesBlock emits VALUES as a SELECT of one call that holds all values.
func (p *parser) valuesBlock() {
	tok := p.i
	v := &ast.Values{Pos: p.pos()}
	p.emit("SELECT")
	p.next()
	p.callOf(tok, v, func(m *mark) {
		a := &argList{p: p, m: m}
		for {
			p.accept("ROW")
			p.expectOp("(")
			var row []ast.Expr
			from := a.n
			for !p.acceptOp(")") {
				if a.n > from {
					p.expectOp(",")
				}
				a.add(nil, p.expr)
				row = append(row, nil)
			}
			v.Rows = append(v.Rows, row)
			if !p.acceptOp(",") {
				break
			}
		}
		m.holes = nil
		for _, row := range v.Rows {
			for col := range row {
				m.holes = append(m.holes, func(e ast.Expr) { row[col] = e })
			}
		}
	})
	p.emit("AS")
	p.emitLeaf(tok, &itemMark{block: v})
}

// tableBlock emits TABLE t as SELECT * FROM t.
func (p *parser) tableBlock() {
	tok := p.i
	sel := &ast.Select{Pos: p.pos()}
	p.emit("SELECT 1 AS")
	p.emitLeaf(tok, &itemMark{item: ast.SelectItem{Pos: p.pos(), Star: true, Text: "*"}, block: sel})
	p.next()
	p.emit("FROM")
	p.tableRef()
}

// fromFirst reads Hive's FROM t SELECT …, emitted in the usual order.
func (p *parser) fromFirst() {
	from := p.sub(func() {
		p.next()
		p.fromClause()
	})
	if !p.peek().is("SELECT") {
		p.fail("SELECT expected")
	}
	p.selectWith(from)
}

// selectWith emits a query block; from holds its FROM when that came first.
func (p *parser) selectWith(from []piece) {
	sel := &ast.Select{Pos: p.pos()}
	p.emit("SELECT")
	p.next()
	p.selectOptions(sel)
	if sel.Distinct {
		p.emit("DISTINCT")
	}
	p.selectItems(sel)
	if p.isWords("INTO", "OUTFILE") {
		p.intoOutfile()
	}
	switch {
	case from != nil:
		p.emit("FROM")
		p.out = append(p.out, from...)
		for p.isWords("LATERAL", "VIEW") {
			p.lateralView()
		}
	case p.peek().is("FROM") && p.at(1).is("DUAL") && !p.at(2).isOp("."):
		p.skip(2)
		p.emit("FROM")
		p.emitLeaf(p.i, noTable{})
	case p.pass("FROM"):
		p.fromClause()
	default:
		p.emit("FROM")
		p.emitLeaf(p.i, noTable{})
	}
	if p.pass("WHERE") {
		p.expr()
	}
	if p.peek().is("GROUP") && p.at(1).is("BY") {
		p.groupBy()
	}
	p.clauses(sel)
}

// selectOptions reads hints, DISTINCT and MySQL's modifiers, which change nothing here.
func (p *parser) selectOptions(sel *ast.Select) {
	for {
		t := p.peek()
		switch {
		case t.kind == tokHint:
			sel.Hints = append(sel.Hints, parseHints(t)...)
		case t.is("DISTINCT"), t.is("DISTINCTROW"):
			sel.Distinct = true
		case t.is("ALL") && !p.at(1).isOp("."):
		case t.is("SQL_NO_CACHE"), t.is("SQL_CACHE"), t.is("SQL_CALC_FOUND_ROWS"), t.is("SQL_SMALL_RESULT"),
			t.is("SQL_BIG_RESULT"), t.is("SQL_BUFFER_RESULT"), t.is("HIGH_PRIORITY"), t.is("STRAIGHT_JOIN"):
		default:
			return
		}
		p.next()
	}
}

// parseHints cuts /*+ NAME(args) NAME … */ into hints. One whose arguments do not end is passed over, as MySQL does.
func parseHints(t *token) []ast.Hint {
	var hints []ast.Hint
	s := t.val
	for i := 0; i < len(s); {
		if !isWordStart(s[i]) {
			i++
			continue
		}
		from := i
		for i < len(s) && isWordPart(s[i]) {
			i++
		}
		h := ast.Hint{Pos: ast.Pos(t.start + 3 + from), Name: upperWord(s[from:i])}
		for i < len(s) && s[i] == ' ' {
			i++
		}
		if i < len(s) && s[i] == '(' {
			open, depth := i+1, 0
			for ; i < len(s); i++ {
				if s[i] == '(' {
					depth++
				} else if s[i] == ')' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			if i == len(s) {
				return hints
			}
			h.Args = strings.TrimSpace(s[open:i])
			i++
		}
		hints = append(hints, h)
	}
	return hints
}

func (p *parser) selectItems(sel *ast.Select) {
	for n := 0; ; n++ {
		tok := p.i
		m := &itemMark{item: ast.SelectItem{Pos: p.pos()}}
		if n == 0 {
			m.block = sel
		}
		if p.star(&m.item) {
			p.emit("1")
		} else {
			p.expr()
			m.item.Text = p.textOf(tok, p.i)
			p.itemAlias(&m.item)
		}
		p.emit("AS")
		p.emitLeaf(tok, m)
		if !p.acceptOp(",") {
			return
		}
		p.emit(",")
	}
}

// star reads *, t.*, db.t.* and Doris's * EXCEPT (…).
func (p *parser) star(item *ast.SelectItem) bool {
	n := 0
	for p.at(n).isName() && p.at(n+1).isOp(".") {
		n += 2
	}
	if !p.at(n).isOp("*") || n > 6 {
		return false
	}
	item.Star = true
	start := p.i
	var parts []string
	pos := p.pos()
	for ; n > 0; n -= 2 {
		parts = append(parts, p.nameOf(p.peek()))
		p.skip(2)
	}
	switch len(parts) {
	case 1:
		item.Table = ast.Name{Pos: pos, Name: parts[0]}
	case 2:
		item.Table = ast.Name{Pos: pos, Database: parts[0], Name: parts[1]}
	case 3:
		item.Table = ast.Name{Pos: pos, Catalog: parts[0], Database: parts[1], Name: parts[2]}
	}
	p.next()
	if p.peek().is("EXCEPT") && p.at(1).isOp("(") && !p.queryAt(p.i+2) {
		p.next()
		item.Except = p.identList()
	}
	item.Text = p.textOf(start, p.i)
	return true
}

// itemAlias reads [AS] alias, or AS (a, b) of a table-generating function.
func (p *parser) itemAlias(item *ast.SelectItem) {
	if p.accept("AS") {
		if p.peek().isOp("(") {
			item.Aliases = p.identList()
			return
		}
		item.Alias = p.identOrString()
		return
	}
	t := p.peek()
	switch {
	case t.kind == tokString, t.kind == tokQuoted:
		item.Alias = p.identOrString()
	case t.kind == tokWord && !reserved.has(t.val) && !p.beginsClause():
		item.Alias = p.ident()
	}
}

// beginsClause tells whether a word that is not reserved begins a clause here.
func (p *parser) beginsClause() bool {
	t, after := p.peek(), p.at(1)
	switch t.val {
	case "SORT", "DISTRIBUTE", "CLUSTER":
		return after.is("BY")
	case "LOCK":
		return after.is("IN")
	case "QUALIFY":
		return after.kind != tokEOF && !after.isOp(",") && !after.isOp(")") && !after.is("FROM")
	case "MINUS":
		return after.is("SELECT") || after.isOp("(") || after.is("ALL") || after.is("DISTINCT") || after.is("VALUES")
	case "OFFSET":
		return after.kind == tokInt || after.kind == tokParam
	case "INSERT": // the next branch of FROM … INSERT
		return after.is("INTO") || after.is("OVERWRITE")
	}
	return false
}

// groupBy emits GROUP BY as one call over all expressions; their sets are in its mark.
func (p *parser) groupBy() {
	tok := p.i
	g := &groupMark{pos: p.pos()}
	p.skip(2)
	p.emit("GROUP BY")
	p.callOf(tok, g, func(m *mark) {
		a := &argList{p: p, m: m}
		// parts are the comma-separated elements, each a list of sets; GROUP BY is
		// their cross product.
		var parts []groupPart
		for {
			parts = append(parts, p.groupElement(a))
			if !p.acceptOp(",") {
				break
			}
		}
		g.combine(p, parts, a.n)
		switch {
		case p.accept("WITH", "ROLLUP"):
			g.kind = ast.GroupRollup
		case p.accept("WITH", "CUBE"):
			g.kind = ast.GroupCube
		case p.isWords("GROUPING", "SETS") && g.kind == ast.GroupPlain: // Hive: after the list
			part := p.groupElement(a)
			g.kind, g.sets = ast.GroupSets, part.sets
		}
		g.count = a.n
	})
}

func (p *parser) groupElement(a *argList) groupPart {
	switch {
	case p.peek().is("ROLLUP") && p.at(1).isOp("("):
		p.next()
		units := p.groupUnits(a)
		return groupPart{kind: ast.GroupRollup, units: units, sets: rollupSets(units)}
	case p.peek().is("CUBE") && p.at(1).isOp("("):
		p.next()
		units := p.groupUnits(a)
		if len(units) > maxCube {
			p.fail("CUBE has too many expressions")
		}
		return groupPart{kind: ast.GroupCube, units: units, sets: cubeSets(units)}
	case p.isWords("GROUPING", "SETS") && p.at(2).isOp("("):
		p.skip(3)
		part := groupPart{kind: ast.GroupSets}
		for !p.acceptOp(")") {
			if len(part.sets) > 0 {
				p.expectOp(",")
			}
			if len(part.sets) > maxSets {
				p.fail("too many grouping sets")
			}
			t := p.peek()
			if t.is("ROLLUP") || t.is("CUBE") || t.is("GROUPING") && p.at(1).is("SETS") {
				part.sets = append(part.sets, p.groupElement(a).sets...)
			} else {
				part.sets = append(part.sets, p.groupUnit(a))
			}
		}
		return part
	}
	part := groupPart{expr: true, sets: [][]int{{a.n}}}
	a.add(nil, p.expr)
	return part
}

// groupUnits reads ( unit, … ), of one unit or more.
func (p *parser) groupUnits(a *argList) [][]int {
	p.expectOp("(")
	units := [][]int{p.groupUnit(a)}
	for !p.acceptOp(")") {
		p.expectOp(",")
		units = append(units, p.groupUnit(a))
	}
	return units
}

// groupUnit reads a, or (a, b), or () and returns the argument numbers.
func (p *parser) groupUnit(a *argList) []int {
	set := []int{}
	if end := p.match[p.i]; p.peek().isOp("(") && end > 0 && (p.toks[end+1].isOp(",") || p.toks[end+1].isOp(")")) && !p.queryAt(p.i+1) {
		p.next()
		for !p.acceptOp(")") {
			if len(set) > 0 {
				p.expectOp(",")
			}
			set = append(set, a.n)
			a.add(nil, p.expr)
		}
		return set
	}
	set = append(set, a.n)
	a.add(nil, p.expr)
	return set
}

// clauses emits HAVING and the clauses that TiDB's grammar lacks as one HAVING.
func (p *parser) clauses(sel *ast.Select) {
	tok := p.i
	c := &clausesMark{}
	m := mark{tok: tok, payload: c}
	a := &argList{p: p, m: &m}
	out := p.sub(func() { p.clauseList(sel, c, a) })
	if a.n == 0 && len(sel.Windows) == 0 {
		return
	}
	p.out = append(p.out, piece{"HAVING", tok}, piece{p.addMark(m), tok}, piece{"(", tok})
	p.out = append(p.out, out...)
	p.emit(")")
}

func (p *parser) clauseList(sel *ast.Select, c *clausesMark, a *argList) {
	if p.accept("HAVING") {
		a.add(func(e ast.Expr) { c.having = e }, p.expr)
	}
	if p.accept("WINDOW") {
		p.namedWindows(sel, a)
	}
	if p.peek().is("QUALIFY") {
		p.next()
		a.add(func(e ast.Expr) { sel.Qualify = e }, p.expr)
	}
	if p.accept("WINDOW") {
		p.namedWindows(sel, a)
	}
	list := func(exprs *[]ast.Expr) {
		for {
			at := len(*exprs)
			*exprs = append(*exprs, nil)
			a.add(func(e ast.Expr) { (*exprs)[at] = e }, p.expr)
			if !p.acceptOp(",") {
				return
			}
		}
	}
	if p.accept("CLUSTER", "BY") {
		list(&sel.ClusterBy)
	}
	if p.accept("DISTRIBUTE", "BY") {
		list(&sel.DistributeBy)
	}
	if p.accept("SORT", "BY") {
		for {
			p.callOrderItem(&sel.SortBy, a)
			if !p.acceptOp(",") {
				break
			}
		}
	}
}

func (p *parser) namedWindows(sel *ast.Select, a *argList) {
	for {
		w := ast.NamedWindow{Pos: p.pos(), Name: p.ident()}
		p.expect("AS")
		w.Spec = p.windowSpec(a)
		sel.Windows = append(sel.Windows, w)
		if !p.acceptOp(",") {
			return
		}
	}
}

func (p *parser) orderItems() {
	for {
		tok := p.i
		o := &orderMark{item: ast.OrderItem{Pos: p.pos()}}
		p.callOf(tok, o, func(m *mark) {
			m.holes = []func(ast.Expr){func(e ast.Expr) { o.item.Expr = e }}
			p.expr()
		})
		p.orderSuffix(&o.item)
		if !p.acceptOp(",") {
			return
		}
		p.emit(",")
	}
}

// limit emits LIMIT n, LIMIT m, n, LIMIT n OFFSET m and FETCH FIRST n ROWS ONLY. The
// numbers that it emits are the numbers of marks.
func (p *parser) limit() {
	number := func() string {
		tok := p.i
		t := p.peek()
		var e ast.Expr
		switch t.kind {
		case tokInt:
			e = &ast.Literal{Pos: p.pos(), Kind: ast.IntLit, Text: t.val}
		case tokParam:
			e = &ast.Param{Pos: p.pos(), Index: p.params}
			p.params++
		default:
			p.fail("a number or ? expected")
		}
		p.next()
		return strings.TrimPrefix(p.addMark(mark{tok: tok, payload: e}), "t")
	}
	tok := p.i
	var count, offset string
	if p.accept("LIMIT") {
		if p.accept("ALL") {
			return
		}
		count = number()
		if p.acceptOp(",") {
			offset = count
			count = number()
		}
	}
	if p.peek().is("OFFSET") && offset == "" {
		p.next()
		offset = number()
		_ = p.accept("ROWS") || p.accept("ROW")
	}
	if count == "" && (p.accept("FETCH", "FIRST") || p.accept("FETCH", "NEXT")) {
		count = number()
		_ = p.accept("ROWS") || p.accept("ROW")
		p.expect("ONLY")
	}
	if count == "" && offset == "" {
		return
	}
	if count == "" { // OFFSET alone: TiDB's grammar needs a count, conversion drops it
		count = strconv.Itoa(len(p.marks))
		p.addMark(mark{tok: tok})
	}
	p.emit("LIMIT " + count)
	if offset != "" {
		p.emit("OFFSET " + offset)
	}
}
