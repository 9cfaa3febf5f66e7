package parser

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// expr emits one expression: operands joined by operators. It ends before the first
// token that can continue neither, so callers need no list of stop words.
func (p *parser) expr() {
	p.enter()
	for {
		p.operand()
		if !p.operator() {
			break
		}
	}
	p.leave()
}

// operator emits the operator at the cursor and reports whether an operand follows.
// Predicates that end an operand (IS NULL, IN (…)) are passed on the way.
func (p *parser) operator() bool {
	for {
		t := p.peek()
		switch t.kind {
		case tokOp:
			return p.symbolOperator(t)
		case tokWord:
		default:
			return false
		}
		switch t.val {
		case "AND", "OR", "XOR", "DIV", "MOD", "BETWEEN", "LIKE", "REGEXP", "RLIKE":
			p.emit(t.val)
			p.next()
			return true
		case "ESCAPE":
			p.escape()
		case "IN":
			if p.noIn {
				return false
			}
			p.emit("IN")
			p.next()
			p.inList()
		case "NOT":
			switch p.at(1).val {
			case "IN", "LIKE", "BETWEEN", "REGEXP", "RLIKE":
			default:
				return false
			}
			p.emit("NOT")
			p.next()
		case "IS":
			if p.is() {
				return true
			}
		default:
			p.refuseOperator(t)
			return false
		}
	}
}

// refuseOperator names operators that exist elsewhere and are not supported.
func (p *parser) refuseOperator(t *token) {
	after := p.at(1)
	switch t.val {
	case "ILIKE", "MATCH_ANY", "MATCH_ALL", "MATCH_PHRASE", "MATCH_PHRASE_PREFIX", "MATCH_REGEXP", "MATCH_PHRASE_EDGE":
		if after.kind == tokString {
			p.refuse(t.val)
		}
	case "SOUNDS":
		if after.is("LIKE") {
			p.refuse("SOUNDS LIKE")
		}
	case "MEMBER":
		if after.is("OF") {
			p.refuse("MEMBER OF")
		}
	case "AGAINST":
		if after.isOp("(") {
			p.refuse("MATCH … AGAINST")
		}
	}
}

func (p *parser) symbolOperator(t *token) bool {
	switch t.val {
	case "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "||", "&&":
		p.emit(t.val)
		p.next()
		return true
	case "=", "<=>", "<>", "!=", "<", "<=", ">", ">=", "==":
		if t.val == "==" { // Hive
			p.emit("=")
		} else {
			p.emit(t.val)
		}
		p.next()
		if w := p.peek(); (w.is("ANY") || w.is("SOME") || w.is("ALL")) && p.at(1).isOp("(") && p.queryAt(p.i+2) {
			p.emit(w.val)
			p.next()
		}
		return true
	case ":=":
		p.refuse("assignment to a variable within a statement")
	}
	return false
}

// escape passes ESCAPE 'c'.
func (p *parser) escape() {
	p.emit("ESCAPE")
	p.next()
	t := p.peek()
	if t.kind != tokString || len(t.val) != 1 || t.val[0] >= 0x80 {
		panic(bail{sqlerr.New(sqlerr.Syntax, "Incorrect arguments to ESCAPE: one ASCII character expected").At(t.start)})
	}
	switch t.val {
	case "'":
		p.emit("''''")
	case "\\":
		p.emit(`'\\'`)
	default:
		p.emit("'" + t.val + "'")
	}
	p.next()
}

// is passes IS [NOT] NULL, TRUE, FALSE, UNKNOWN. IS [NOT] DISTINCT FROM becomes <=>,
// and conversion adds the NOT; then an operand follows.
func (p *parser) is() bool {
	start := p.i
	p.next()
	not := p.accept("NOT")
	t := p.peek()
	switch {
	case t.is("NULL"), t.is("TRUE"), t.is("FALSE"), t.is("UNKNOWN"):
		p.emit("IS")
		if not {
			p.emit("NOT")
		}
		p.emit(t.val)
		p.next()
		return false
	case p.isWords("DISTINCT", "FROM"):
		p.out = append(p.out, piece{"<=>", start})
		p.skip(2)
		return true
	}
	p.fail("NULL, TRUE or FALSE expected after IS")
	return false
}

func (p *parser) inList() {
	if !p.peek().isOp("(") {
		p.fail("'(' expected after IN")
	}
	if p.queryAt(p.i + 1) {
		p.subquery()
		return
	}
	p.emit("(")
	tok := p.i
	p.next()
	if list := p.literals(); list != nil {
		p.emitLeaf(tok, &listMark{list})
	} else if p.args(")") == 0 {
		p.fail("")
	}
	p.emit(")")
	p.expectOp(")")
}

// literals reads a list of two or more literals up to its closing bracket, which long
// IN lists are; otherwise it reads nothing and returns nil.
func (p *parser) literals() []ast.Expr {
	start := p.i
	var list []ast.Expr
	for {
		t := p.peek()
		kind, ok := literalKinds[t.kind]
		switch {
		case t.kind == tokString && p.at(1).kind != tokString:
			kind = ast.StringLit
		case !ok:
			p.i = start
			return nil
		}
		after := p.at(1)
		if !after.isOp(",") && (!after.isOp(")") || len(list) == 0) {
			p.i = start
			return nil
		}
		p.next()
		list = append(list, &ast.Literal{Pos: ast.Pos(t.start), Kind: kind, Text: t.val})
		if after.isOp(")") {
			return list
		}
		p.next()
	}
}

// args emits one or more expressions separated by commas, up to the closing bracket.
func (p *parser) args(end string) int {
	n := 0
	for !p.peek().isOp(end) {
		if n > 0 {
			if !p.peek().isOp(",") {
				p.fail("")
			}
			p.emit(",")
			p.next()
		}
		p.expr()
		n++
	}
	return n
}

// queryAt tells whether a query begins at token i. In ((… the outer bracket belongs to
// the query when a set operation, ORDER BY or LIMIT follows the inner one.
func (p *parser) queryAt(i int) bool {
	open := i
	for p.toks[i].isOp("(") {
		i++
	}
	t := &p.toks[i]
	switch {
	case t.is("SELECT"), t.is("WITH"):
	case t.is("VALUES") && (p.toks[i+1].isOp("(") || p.toks[i+1].is("ROW")):
	case t.is("FROM") && i == open:
	case t.is("TABLE") && p.toks[i+1].isName():
	default:
		return false
	}
	if i == open {
		return true
	}
	end := p.match[open]
	if end < 0 {
		return true
	}
	after := &p.toks[end+1]
	switch after.val {
	case "UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT":
		return after.kind == tokWord
	}
	return after.isOp(")") && p.queryAt(open+1)
}

// subquery emits ( query ).
func (p *parser) subquery() {
	p.enter()
	noIn := p.noIn
	p.noIn = false
	p.emit("(")
	p.next()
	p.queryText()
	p.emit(")")
	p.expectOp(")")
	p.noIn = noIn
	p.leave()
}

// operand emits prefix operators, one primary and what is attached to its end.
func (p *parser) operand() {
	for n := 0; ; n++ {
		t := p.peek()
		if !t.isOp("-") && !t.isOp("+") && !t.isOp("~") && !t.isOp("!") && !t.is("NOT") {
			break
		}
		if n > maxNesting {
			p.fail("the statement is nested too deeply")
		}
		p.emit(t.val)
		p.next()
	}
	start, tok := len(p.out), p.i
	p.primary()
	for n := 0; p.postfix(start, tok); n++ {
		if n > maxNesting {
			p.fail("the statement is nested too deeply")
		}
	}
}

// postfix wraps the primary that begins at piece start when a subscript, a field, a
// cast, a JSON path or a collation follows it.
func (p *parser) postfix(start, tok int) bool {
	t := p.peek()
	pos := ast.Pos(p.toks[tok].start)
	switch {
	case t.isOp("["):
		p.next()
		n := &ast.Subscript{Pos: pos}
		p.wrap(start, mark{tok: tok, payload: n, holes: []func(ast.Expr){
			func(e ast.Expr) { n.X = e }, func(e ast.Expr) { n.Index = e }}})
		p.emit(",")
		p.bracketed(p.expr)
		p.expectOp("]")
	case t.isOp("::"):
		p.next()
		n := &ast.Cast{Pos: pos, Type: p.typeName()}
		p.wrap(start, mark{tok: tok, payload: n, holes: []func(ast.Expr){func(e ast.Expr) { n.X = e }}})
	case t.isOp(".") && p.at(1).isName():
		p.next()
		n := &ast.Field{Pos: pos, Name: p.ident()}
		p.wrap(start, mark{tok: tok, payload: n, holes: []func(ast.Expr){func(e ast.Expr) { n.X = e }}})
	case t.isOp("->"), t.isOp("->>"):
		if p.at(1).kind != tokString {
			return false
		}
		n := &ast.Binary{Pos: ast.Pos(t.start), Op: t.val}
		p.next()
		n.R = &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: p.str()}
		p.wrap(start, mark{tok: tok, payload: n, holes: []func(ast.Expr){func(e ast.Expr) { n.L = e }}})
	case t.is("COLLATE") && (p.at(1).isName() || p.at(1).kind == tokString):
		p.next()
		namePos := p.pos()
		n := &ast.Call{Pos: pos, Name: "collate", Args: make([]ast.Expr, 2)}
		n.Args[1] = &ast.Literal{Pos: namePos, Kind: ast.StringLit, Text: strings.ToLower(p.identOrString())}
		p.wrap(start, mark{tok: tok, payload: n, holes: []func(ast.Expr){func(e ast.Expr) { n.Args[0] = e }}})
	default:
		return false
	}
	p.emit(")")
	return true
}

// wrap puts the opening of m's call before piece start.
func (p *parser) wrap(start int, m mark) {
	name := p.addMark(m)
	p.out = slices.Insert(p.out, start, piece{name, m.tok}, piece{"(", m.tok})
}

// bracketed runs fn with the flags of an outer expression out of force.
func (p *parser) bracketed(fn func()) {
	noIn := p.noIn
	p.noIn = false
	fn()
	p.noIn = noIn
}

// literalKinds maps token kinds to literals that need no further look.
var literalKinds = map[tokenKind]ast.LiteralKind{
	tokInt: ast.IntLit, tokDecimal: ast.DecimalLit, tokFloat: ast.FloatLit, tokHex: ast.HexLit, tokBit: ast.BitLit,
}

func (p *parser) primary() {
	t := p.peek()
	tok := p.i
	switch t.kind {
	case tokString:
		p.emitLeaf(tok, p.stringLiteral())
	case tokInt, tokDecimal, tokFloat, tokHex, tokBit:
		p.next()
		p.emitLeaf(tok, &ast.Literal{Pos: ast.Pos(t.start), Kind: literalKinds[t.kind], Text: t.val})
	case tokParam:
		p.next()
		p.emitLeaf(tok, &ast.Param{Pos: ast.Pos(t.start), Index: p.params})
		p.params++
	case tokUserVar, tokSysVar:
		p.next()
		if t.kind == tokUserVar && p.variables[t.val] {
			p.emitLeaf(tok, &ast.Column{Pos: ast.Pos(t.start), Name: "@" + t.val})
			return
		}
		p.emitLeaf(tok, variableOf(t))
	case tokQuoted:
		p.namePrimary()
	case tokWord:
		p.wordPrimary(t)
	case tokOp:
		switch t.val {
		case "(":
			p.parenthesized()
		case "[":
			p.next()
			p.arrayLiteral(tok, "]")
		case "{":
			p.braces()
		default:
			p.fail("")
		}
	default:
		p.fail("")
	}
}

// stringLiteral reads one string, or several beside each other, which are one.
func (p *parser) stringLiteral() *ast.Literal {
	n := &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: p.str()}
	for p.peek().kind == tokString {
		n.Text += p.str()
	}
	return n
}

func variableOf(t *token) *ast.Variable {
	v := &ast.Variable{Pos: ast.Pos(t.start), Name: t.val, System: t.kind == tokSysVar}
	if v.System {
		scope, name, dotted := strings.Cut(t.val, ".")
		switch {
		case dotted && (scope == "global" || scope == "session"):
			v.Scope, v.Name = scope, name
		case dotted && scope == "local":
			v.Scope, v.Name = "session", name
		}
	}
	return v
}

// parenthesized emits a subquery, a lambda's parameters with its body, a row or an
// expression in brackets.
func (p *parser) parenthesized() {
	if p.queryAt(p.i + 1) {
		p.subquery()
		return
	}
	p.bracketed(func() {
		p.emit("(")
		p.next()
		if p.args(")") == 0 {
			p.fail("")
		}
		p.emit(")")
		p.expectOp(")")
	})
}

func (p *parser) arrayLiteral(tok int, end string) {
	n := &ast.ArrayLit{Pos: ast.Pos(p.toks[tok].start)}
	p.callOf(tok, n, func(m *mark) {
		count := p.args(end)
		n.Items = make([]ast.Expr, count)
		m.args = n.Items
	})
	p.expectOp(end)
}

// callOf emits a call of a mark for node; fn emits the arguments and completes the mark.
func (p *parser) callOf(tok int, node any, fn func(m *mark)) {
	index := len(p.marks)
	p.out = append(p.out, piece{p.addMark(mark{tok: tok, payload: node}), tok}, piece{"(", tok})
	m := mark{tok: tok, payload: node}
	p.bracketed(func() { fn(&m) })
	p.marks[index] = m
	p.emit(")")
}

// braces emits {k: v} as a map, {name: v} as a struct, and {d '…'} as a date.
func (p *parser) braces() {
	tok := p.i
	p.next()
	if p.peek().is("FN") && p.at(1).isName() { // ODBC: {fn f(x)}
		p.next()
		p.bracketed(p.expr)
		p.expectOp("}")
		return
	}
	if w := p.peek(); w.kind == tokWord && p.at(1).kind == tokString {
		kind := ast.DateLit
		switch w.val {
		case "D":
		case "T":
			kind = ast.TimeLit
		case "TS":
			kind = ast.TimestampLit
		default:
			p.fail("")
		}
		p.next()
		p.emitLeaf(tok, &ast.Literal{Pos: ast.Pos(p.toks[tok].start), Kind: kind, Text: p.str()})
		p.expectOp("}")
		return
	}
	if p.peek().isName() && p.at(1).isOp(":") {
		p.structLiteral(tok)
		return
	}
	n := &ast.MapLit{Pos: ast.Pos(p.toks[tok].start)}
	p.callOf(tok, n, func(m *mark) {
		count := 0
		for !p.peek().isOp("}") {
			if count > 0 {
				p.emit(",")
				p.expectOp(",")
			}
			p.expr()
			p.emit(",")
			p.expectOp(":")
			p.expr()
			count++
		}
		n.Keys, n.Values = make([]ast.Expr, count), make([]ast.Expr, count)
		for i := range count {
			m.holes = append(m.holes, func(e ast.Expr) { n.Keys[i] = e }, func(e ast.Expr) { n.Values[i] = e })
		}
	})
	p.expectOp("}")
}

func (p *parser) structLiteral(tok int) {
	n := &ast.Call{Pos: ast.Pos(p.toks[tok].start), Name: "named_struct"}
	p.callOf(tok, n, func(m *mark) {
		for !p.peek().isOp("}") {
			if len(n.Args) > 0 {
				p.emit(",")
				p.expectOp(",")
			}
			field := &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: p.ident()}
			p.expectOp(":")
			p.expr()
			n.Args = append(n.Args, field, nil)
			at := len(n.Args) - 1
			m.holes = append(m.holes, func(e ast.Expr) { n.Args[at] = e })
		}
	})
	p.expectOp("}")
}

// namePrimary emits a column, or a call of a function with a quoted or qualified name.
func (p *parser) namePrimary() {
	tok := p.i
	pos := p.pos()
	parts := p.dotted()
	if p.peek().isOp("(") && len(parts) <= 2 {
		c := &ast.Call{Pos: pos, Name: strings.ToLower(parts[len(parts)-1])}
		if len(parts) == 2 {
			c.Database = parts[0]
		}
		p.call(tok, c)
		return
	}
	p.emitLeaf(tok, columnOf(pos, parts))
}

// columnOf makes a column of up to three parts; further parts are fields.
func columnOf(pos ast.Pos, parts []string) ast.Expr {
	c := &ast.Column{Pos: pos}
	switch len(parts) {
	case 1:
		c.Name = parts[0]
	case 2:
		c.Table, c.Name = parts[0], parts[1]
	default:
		c.Database, c.Table, c.Name = parts[0], parts[1], parts[2]
	}
	var e ast.Expr = c
	for _, f := range parts[min(3, len(parts)):] {
		e = &ast.Field{Pos: pos, X: e, Name: f}
	}
	return e
}
