package parser

import (
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// wordPrimary emits the primary that begins with an unquoted word.
func (p *parser) wordPrimary(t *token) {
	tok := p.i
	pos := p.pos()
	after := p.at(1)
	if after.isOp(".") && p.at(2).isName() {
		p.namePrimary()
		return
	}
	if after.kind == tokString && p.typedString(t) {
		return
	}
	call := after.isOp("(")
	if p.constantWord(t, call) || p.compoundWord(t, call) {
		return
	}
	if !call && niladic.has(t.val) {
		p.next()
		p.emitLeaf(tok, &ast.Call{Pos: pos, Name: strings.ToLower(t.val)})
		return
	}
	if call && notOperand.has(t.val) || !call && reserved.has(t.val) {
		p.fail("")
	}
	p.namePrimary()
}

// constantWord emits NULL, TRUE, DEFAULT and the like.
func (p *parser) constantWord(t *token, call bool) bool {
	tok, pos := p.i, p.pos()
	switch t.val {
	case "NULL":
		p.next()
		p.emitLeaf(tok, &ast.Literal{Pos: pos, Kind: ast.NullLit})
		return true
	case "TRUE", "FALSE":
		p.next()
		p.emitLeaf(tok, &ast.Literal{Pos: pos, Kind: ast.BoolLit, Text: strings.ToLower(t.val)})
		return true
	case "DEFAULT":
		if !call {
			p.next()
			p.emitLeaf(tok, &ast.Default{Pos: pos})
			return true
		}
	case "MAXVALUE":
		if !call {
			p.next()
			p.emitLeaf(tok, &ast.MaxValue{Pos: pos})
			return true
		}
	}
	return false
}

// compoundWord emits the primaries that have a grammar of their own.
func (p *parser) compoundWord(t *token, call bool) bool {
	tok, pos, after := p.i, p.pos(), p.at(1)
	switch t.val {
	case "CASE":
		p.caseExpr()
		return true
	case "EXISTS":
		if call && p.queryAt(p.i+2) {
			p.emit("EXISTS")
			p.next()
			p.subquery()
			return true
		}
	case "CAST", "TRY_CAST", "SAFE_CAST":
		if call {
			p.cast(t.val != "CAST")
			return true
		}
	case "CONVERT":
		if call {
			p.convert()
			return true
		}
	case "INTERVAL":
		if p.isInterval() {
			p.interval()
			return true
		}
	case "BINARY":
		if !after.isOp(")") && !after.isOp(",") && after.kind != tokEOF {
			p.next()
			n := &ast.Cast{Pos: pos, Type: &ast.TypeName{Pos: pos, Name: "binary"}}
			p.callOf(tok, n, func(m *mark) {
				m.holes = []func(ast.Expr){func(e ast.Expr) { n.X = e }}
				p.operand()
			})
			return true
		}
	case "ROW":
		if call {
			p.emit("ROW")
			p.next()
			p.parenthesized()
			return true
		}
	case "ARRAY":
		if call || after.isOp("[") {
			p.skip(2)
			end := ")"
			if after.isOp("[") {
				end = "]"
			}
			p.arrayLiteral(tok, end)
			return true
		}
	case "MAP", "STRUCT":
		if after.isOp("{") {
			p.next()
			p.braces()
			return true
		}
	}
	return false
}

// typedString emits DATE '…' and the like, and passes a character set introducer.
func (p *parser) typedString(t *token) bool {
	tok := p.i
	var kind ast.LiteralKind
	switch t.val {
	case "DATE":
		kind = ast.DateLit
	case "TIMESTAMP", "DATETIME":
		kind = ast.TimestampLit
	case "TIME":
		kind = ast.TimeLit
	case "_UTF8", "_UTF8MB4", "_UTF8MB3", "_BINARY", "_LATIN1", "_ASCII":
		p.next()
		p.emitLeaf(tok, p.stringLiteral())
		return true
	default:
		return false
	}
	p.next()
	p.emitLeaf(tok, &ast.Literal{Pos: ast.Pos(t.start), Kind: kind, Text: p.str()})
	return true
}

func (p *parser) caseExpr() {
	tok := p.i
	n := &ast.Case{Pos: p.pos()}
	p.next()
	p.enter()
	p.callOf(tok, n, func(m *mark) {
		part := func(set func(ast.Expr)) {
			if len(m.holes) > 0 {
				p.emit(",")
			}
			p.expr()
			m.holes = append(m.holes, set)
		}
		if !p.peek().is("WHEN") {
			part(func(e ast.Expr) { n.Operand = e })
		}
		for p.accept("WHEN") {
			at := len(n.Whens)
			n.Whens = append(n.Whens, ast.When{})
			part(func(e ast.Expr) { n.Whens[at].Cond = e })
			p.expect("THEN")
			part(func(e ast.Expr) { n.Whens[at].Then = e })
		}
		if len(n.Whens) == 0 {
			p.fail("WHEN expected")
		}
		if p.accept("ELSE") {
			part(func(e ast.Expr) { n.Else = e })
		}
		p.expect("END")
	})
	p.leave()
}

func (p *parser) cast(try bool) {
	tok := p.i
	n := &ast.Cast{Pos: p.pos(), Try: try}
	p.skip(2)
	p.callOf(tok, n, func(m *mark) {
		m.holes = []func(ast.Expr){func(e ast.Expr) { n.X = e }}
		p.expr()
	})
	p.expect("AS")
	n.Type = p.typeName()
	p.expectOp(")")
}

// convert reads CONVERT(x, type) as a cast and CONVERT(x USING charset) as a call.
func (p *parser) convert() {
	tok := p.i
	pos := p.pos()
	p.skip(2)
	index := len(p.marks)
	p.callOf(tok, nil, func(*mark) { p.expr() })
	m := &p.marks[index]
	if p.accept("USING") {
		n := &ast.Call{Pos: pos, Name: "convert", Args: make([]ast.Expr, 2)}
		n.Args[1] = &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: strings.ToLower(p.identOrString())}
		m.payload, m.holes = n, []func(ast.Expr){func(e ast.Expr) { n.Args[0] = e }}
	} else {
		p.expectOp(",")
		n := &ast.Cast{Pos: pos, Type: p.typeName()}
		m.payload, m.holes = n, []func(ast.Expr){func(e ast.Expr) { n.X = e }}
	}
	p.expectOp(")")
}

// isInterval tells INTERVAL n unit from the function INTERVAL(n, …).
func (p *parser) isInterval() bool {
	after := p.at(1)
	if !after.isOp("(") {
		return after.kind != tokEOF && !after.isOp(")") && !after.isOp(",") && !after.isOp("=")
	}
	end := p.match[p.i+1]
	if end < 0 {
		return false
	}
	unit := &p.toks[end+1]
	return unit.kind == tokOp && !unit.isOp(")") && !unit.isOp(",") || unit.kind == tokWord && units.has(unit.val)
}

func (p *parser) interval() {
	tok := p.i
	n := &ast.Interval{Pos: p.pos()}
	p.next()
	p.callOf(tok, n, func(m *mark) {
		m.holes = []func(ast.Expr){func(e ast.Expr) { n.Value = e }}
		p.expr()
	})
	n.Unit = p.unit()
	if p.accept("TO") { // Hive: YEAR TO MONTH
		n.Unit += "_" + p.unit()
	}
}

// unit reads a unit of time; plural forms come as singular.
func (p *parser) unit() string {
	t := p.peek()
	if t.kind != tokWord || !units.has(t.val) {
		p.fail("a unit of time expected")
	}
	p.next()
	if t.val != "DAYS" && len(t.val) < 5 {
		return t.val
	}
	return strings.TrimSuffix(t.val, "S")
}

// call emits the call whose bracket is at the cursor: arguments first, then the
// expressions of ORDER BY, FILTER and OVER, each with its place in the node.
func (p *parser) call(tok int, c *ast.Call) {
	p.enter()
	p.callOf(tok, c, func(m *mark) {
		p.next()
		a := &argList{p: p, m: m}
		if c.Database == "" && p.specialCall(c, a) {
			p.expectOp(")")
			return
		}
		if p.accept("DISTINCT") {
			c.Distinct = true
		} else if p.peek().is("ALL") && !p.at(1).isOp(".") {
			p.next()
		}
		if p.peek().isOp("*") && p.at(1).isOp(")") {
			p.next()
			c.Star = true
		} else {
			p.callArgs(c, a)
		}
		p.callTail(c, a)
		p.expectOp(")")
		p.callSuffix(c, a)
	})
	p.leave()
}

// argList counts the expressions emitted for one mark.
type argList struct {
	p *parser
	m *mark
	n int
}

// add emits one expression and says where it goes; set is nil for plain arguments.
func (a *argList) add(set func(ast.Expr), emit func()) {
	if a.n > 0 {
		a.p.emit(",")
	}
	emit()
	a.n++
	if set != nil {
		a.m.holes = append(a.m.holes, set)
	}
}

func (p *parser) callArgs(c *ast.Call, a *argList) {
	isHigherOrder := higherOrder.has(strings.ToUpper(c.Name))
	for !p.peek().isOp(")") {
		if a.n > 0 {
			if !p.acceptOp(",") {
				break
			}
		} else if p.isWords("ORDER", "BY") {
			break
		}
		a.add(nil, func() { p.arg(isHigherOrder) })
	}
	c.Args = make([]ast.Expr, a.n)
	a.m.args = c.Args
}

// arg emits a lambda, a query or an expression.
func (p *parser) arg(isHigherOrder bool) {
	t := p.peek()
	if t.isName() && p.at(1).isOp("->") {
		path := p.at(2)
		if isHigherOrder || path.kind != tokString || !strings.HasPrefix(path.val, "$") {
			p.lambda([]string{p.ident()}, p.i-1)
			return
		}
	}
	if t.isOp("(") {
		if end := int(p.match[p.i]); end > 0 && p.toks[end+1].isOp("->") && p.namesBetween(p.i+1, end) {
			tok := p.i
			p.lambda(p.identList(), tok)
			return
		}
	}
	if p.queryAt(p.i) { // array(SELECT …)
		p.emit("(")
		p.queryText()
		p.emit(")")
		return
	}
	p.expr()
}

// namesBetween tells whether tokens [lo, hi) are names and commas.
func (p *parser) namesBetween(lo, hi int) bool {
	for ; lo < hi; lo++ {
		if t := &p.toks[lo]; !t.isName() && !t.isOp(",") {
			return false
		}
	}
	return true
}

func (p *parser) lambda(params []string, tok int) {
	n := &ast.Lambda{Pos: ast.Pos(p.toks[tok].start), Params: params}
	p.expectOp("->")
	p.callOf(tok, n, func(m *mark) {
		m.holes = []func(ast.Expr){func(e ast.Expr) { n.Body = e }}
		p.expr()
	})
}

// callTail reads what may follow the arguments inside the brackets.
func (p *parser) callTail(c *ast.Call, a *argList) {
	if p.accept("ORDER", "BY") {
		for {
			p.callOrderItem(&c.OrderBy, a)
			if !p.acceptOp(",") {
				break
			}
		}
	}
	if p.accept("SEPARATOR") {
		s := p.str()
		c.Separator = &s
	}
	p.ignoreNulls(c)
}

func (p *parser) ignoreNulls(c *ast.Call) {
	switch {
	case p.accept("IGNORE", "NULLS"):
		c.IgnoreNulls = true
	case p.accept("RESPECT", "NULLS"):
	}
}

func (p *parser) callOrderItem(items *[]ast.OrderItem, a *argList) {
	at := len(*items)
	*items = append(*items, ast.OrderItem{Pos: p.pos()})
	a.add(func(e ast.Expr) { (*items)[at].Expr = e }, p.expr)
	p.orderSuffix(&(*items)[at])
}

// orderSuffix reads [ASC|DESC] [NULLS FIRST|LAST].
func (p *parser) orderSuffix(item *ast.OrderItem) {
	if p.accept("DESC") {
		item.Desc = true
	} else {
		p.accept("ASC")
	}
	switch {
	case p.accept("NULLS", "FIRST"):
		item.Nulls = ast.NullsFirst
	case p.accept("NULLS", "LAST"):
		item.Nulls = ast.NullsLast
	}
}

// callSuffix reads what may follow the closing bracket.
func (p *parser) callSuffix(c *ast.Call, a *argList) {
	if p.isWords("WITHIN", "GROUP") && p.at(2).isOp("(") {
		p.skip(3)
		p.expect("ORDER", "BY")
		for {
			p.callOrderItem(&c.OrderBy, a)
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	}
	if p.peek().is("FILTER") && p.at(1).isOp("(") && p.at(2).is("WHERE") {
		p.skip(3)
		a.add(func(e ast.Expr) { c.Filter = e }, p.expr)
		p.expectOp(")")
	}
	p.ignoreNulls(c)
	if !p.peek().is("OVER") {
		return
	}
	p.next()
	if p.peek().isName() {
		c.Over = &ast.WindowSpec{Pos: p.pos(), Ref: p.ident()}
		return
	}
	c.Over = p.windowSpec(a)
}

// windowSpec reads ( … ) of OVER or of a named window.
func (p *parser) windowSpec(a *argList) *ast.WindowSpec {
	w := &ast.WindowSpec{Pos: p.pos()}
	p.expectOp("(")
	if t := p.peek(); t.isName() && !p.isWords("PARTITION", "BY") && !p.isWords("ORDER", "BY") && !p.isWords("DISTRIBUTE", "BY") &&
		!p.isWords("SORT", "BY") && !t.is("ROWS") && !t.is("RANGE") && !t.is("GROUPS") {
		w.Ref = p.ident()
	}
	if p.accept("PARTITION", "BY") || p.accept("DISTRIBUTE", "BY") {
		for {
			at := len(w.PartitionBy)
			w.PartitionBy = append(w.PartitionBy, nil)
			a.add(func(e ast.Expr) { w.PartitionBy[at] = e }, p.expr)
			if !p.acceptOp(",") {
				break
			}
		}
	}
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		for {
			p.callOrderItem(&w.OrderBy, a)
			if !p.acceptOp(",") {
				break
			}
		}
	}
	if t := p.peek(); t.is("ROWS") || t.is("RANGE") || t.is("GROUPS") {
		p.next()
		f := &ast.WindowFrame{Pos: ast.Pos(t.start), Unit: t.val, End: ast.FrameBound{Kind: ast.CurrentRow}}
		w.Frame = f
		if p.accept("BETWEEN") {
			p.frameBound(&f.Start, a)
			p.expect("AND")
			p.frameBound(&f.End, a)
		} else {
			p.frameBound(&f.Start, a)
		}
	}
	p.expectOp(")")
	return w
}

func (p *parser) frameBound(b *ast.FrameBound, a *argList) {
	switch {
	case p.accept("UNBOUNDED", "PRECEDING"):
		b.Kind = ast.UnboundedPreceding
	case p.accept("UNBOUNDED", "FOLLOWING"):
		b.Kind = ast.UnboundedFollowing
	case p.accept("CURRENT", "ROW"):
		b.Kind = ast.CurrentRow
	default:
		a.add(func(e ast.Expr) { b.N = e }, p.expr)
		if p.accept("PRECEDING") {
			b.Kind = ast.Preceding
		} else {
			p.expect("FOLLOWING")
			b.Kind = ast.Following
		}
	}
}

// specialCall reads the arguments of functions with a grammar of their own. It
// reports false, with nothing read, for all others.
func (p *parser) specialCall(c *ast.Call, a *argList) bool {
	arg := func(at int, emit func()) {
		for len(c.Args) <= at {
			c.Args = append(c.Args, nil)
		}
		a.add(func(e ast.Expr) { c.Args[at] = e }, emit)
	}
	unit := func() {
		c.Args = append(c.Args, &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: strings.ToLower(p.unit())})
	}
	switch c.Name {
	case "extract":
		if p.peek().kind != tokWord || !p.at(1).is("FROM") {
			return false
		}
		unit()
		p.next()
		arg(1, p.expr)
	case "substring", "substr", "mid":
		arg(0, p.expr)
		if p.accept("FROM") {
			c.Name = "substring"
			arg(1, p.expr)
			if p.accept("FOR") {
				arg(2, p.expr)
			}
			return true
		}
		p.moreArgs(c, arg)
	case "position":
		arg(0, func() { p.noIn = true; p.expr(); p.noIn = false })
		if p.accept("IN") {
			arg(1, p.expr)
			return true
		}
		p.moreArgs(c, arg)
	case "trim":
		p.trim(c, a, arg)
	case "timestampdiff", "timestampadd", "date_diff", "dateadd":
		if p.peek().kind != tokWord || !units.has(p.peek().val) || !p.at(1).isOp(",") {
			return false
		}
		unit()
		p.moreArgs(c, arg)
	case "char":
		arg(0, p.expr)
		p.moreArgs(c, arg)
		if p.accept("USING") {
			p.identOrString()
		}
	default:
		return false
	}
	return true
}

// moreArgs reads the rest of a plain argument list.
func (p *parser) moreArgs(c *ast.Call, arg func(int, func())) {
	for p.acceptOp(",") {
		arg(len(c.Args), p.expr)
	}
}

// trim reads TRIM([BOTH|LEADING|TRAILING] [what] FROM x) as trim, ltrim or rtrim(x, what).
func (p *parser) trim(c *ast.Call, a *argList, arg func(int, func())) {
	side := p.peek()
	if (side.is("BOTH") || side.is("LEADING") || side.is("TRAILING")) && !p.at(1).isOp(")") && !p.at(1).isOp(",") {
		p.next()
		switch side.val {
		case "LEADING":
			c.Name = "ltrim"
		case "TRAILING":
			c.Name = "rtrim"
		}
		if p.accept("FROM") {
			arg(0, p.expr)
			return
		}
		arg(1, p.expr)
		p.expect("FROM")
		arg(0, p.expr)
		return
	}
	// The place of the first expression is known only when FROM was seen, or not.
	place := 0
	a.add(func(e ast.Expr) { c.Args[place] = e }, p.expr)
	c.Args = append(c.Args, nil)
	if p.accept("FROM") {
		place = 1
		c.Args = append(c.Args, nil)
		a.add(func(e ast.Expr) { c.Args[0] = e }, p.expr)
		return
	}
	p.moreArgs(c, arg)
}
