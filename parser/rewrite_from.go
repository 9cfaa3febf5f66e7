package parser

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// fromClause emits the tables after FROM. The kind of a join is not emitted: every
// join that needs ON becomes LEFT JOIN, and conversion reads the kind from the words
// before the join's right operand.
func (p *parser) fromClause() {
	p.enter()
	p.tableRef()
	for {
		t := p.peek()
		switch {
		case t.isOp(","):
			p.emit(",")
			p.next()
			p.accept("LATERAL")
			p.tableRef()
		case t.is("ON"):
			p.emit("ON")
			p.next()
			p.expr()
		case t.is("USING") && p.at(1).isOp("("):
			tok := p.i
			p.next()
			p.emit("USING (")
			p.emitLeaf(tok, &usingMark{columns: p.identList()})
			p.emit(")")
		case p.isWords("LATERAL", "VIEW"):
			p.lateralView()
		default:
			if !p.joinWords() {
				p.leave()
				return
			}
			p.tableRef()
		}
	}
}

// joinSpec is a join as its words tell.
type joinSpec struct {
	kind    ast.JoinKind
	natural bool
	hint    string
	pos     int // token of the first word
	comma   bool
}

// joinWords emits the join whose words stand at the cursor.
func (p *parser) joinWords() bool {
	start := p.i
	outer, natural := false, false
	for {
		t := p.peek()
		switch {
		case t.is("NATURAL"):
			natural = true
		case t.is("ASOF"):
			if p.at(1).is("JOIN") || p.at(1).is("LEFT") || p.at(1).is("INNER") {
				p.refuse("ASOF JOIN")
			}
			p.i = start
			return false
		case t.is("LEFT"), t.is("RIGHT"), t.is("FULL"), t.is("SEMI"), t.is("ANTI"):
			outer = true
		case t.is("OUTER"), t.is("INNER"), t.is("CROSS"):
		case t.is("JOIN"), t.is("STRAIGHT_JOIN"):
			if p.joins == nil {
				p.joins = map[int]int{}
			}
			p.joins[p.i] = start
			p.next()
			if natural {
				p.emit("NATURAL")
			}
			if outer {
				p.emit("LEFT")
			}
			p.emit("JOIN")
			if _, ok := p.joinBefore(p.i); !ok {
				p.failAt(start, "")
			}
			p.joinHint()
			p.accept("LATERAL")
			return true
		default:
			if p.i > start {
				p.fail("JOIN expected")
			}
			return false
		}
		p.next()
	}
}

// joinHint passes [shuffle] or [broadcast], or a list of such words.
func (p *parser) joinHint() {
	if p.peek().isOp("[") && p.at(1).isName() {
		n := 2
		for p.at(n).isOp(",") && p.at(n+1).isName() {
			n += 2
		}
		if p.at(n).isOp("]") {
			p.skip(n + 1)
		}
	}
	if p.peek().kind == tokHint {
		p.next()
	}
}

// joinWordsList holds what may stand before JOIN.
var joinWordsList = words("NATURAL", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "OUTER", "INNER", "CROSS")

// joinBefore reads backwards the join that leads to the operand at token i.
func (p *parser) joinBefore(i int) (joinSpec, bool) {
	for i--; i >= 0 && (p.toks[i].isOp("(") || p.toks[i].is("LATERAL")); i-- {
	}
	var j joinSpec
	if i >= 0 && p.toks[i].kind == tokHint {
		if hints := parseHints(&p.toks[i]); len(hints) == 1 {
			j.hint = strings.ToLower(hints[0].Name)
		}
		i--
	}
	if i >= 2 && p.toks[i].isOp("]") {
		for i--; i >= 0 && !p.toks[i].isOp("["); i-- {
			if p.toks[i].isOp(",") {
				j.hint = "," + j.hint
			} else {
				j.hint = strings.ToLower(p.nameOf(&p.toks[i])) + j.hint
			}
		}
		i--
	}
	if i < 0 {
		return j, false
	}
	j.pos = i
	if p.toks[i].isOp(",") {
		j.comma, j.kind = true, ast.CrossJoin
		return j, true
	}
	if !p.toks[i].is("JOIN") {
		j.kind = ast.InnerJoin
		return j, p.toks[i].is("STRAIGHT_JOIN")
	}
	have, from := set{}, p.joins[i]
	for i > from && p.toks[i-1].kind == tokWord && joinWordsList.has(p.toks[i-1].val) {
		i--
		have[p.toks[i].val] = struct{}{}
	}
	j.pos = i
	j.natural = have.has("NATURAL")
	right := have.has("RIGHT")
	sided := have.has("LEFT") || right || have.has("FULL")
	switch {
	case have.has("SEMI") && have.has("ANTI"), have.has("INNER") && sided, have.has("CROSS") && len(have) > 1:
		return j, false
	case have.has("OUTER") && !sided, have.has("LEFT") && right, have.has("FULL") && (right || have.has("LEFT")):
		return j, false
	case have.has("SEMI"), have.has("ANTI"):
		switch {
		case have.has("SEMI") && !right:
			j.kind = ast.LeftSemiJoin
		case have.has("SEMI"):
			j.kind = ast.RightSemiJoin
		case !right:
			j.kind = ast.LeftAntiJoin
		default:
			j.kind = ast.RightAntiJoin
		}
		return j, !have.has("FULL") && !have.has("OUTER") && !j.natural
	case have.has("FULL"):
		j.kind = ast.FullJoin
	case right:
		j.kind = ast.RightJoin
	case have.has("LEFT"):
		j.kind = ast.LeftJoin
	case have.has("CROSS"):
		j.kind = ast.CrossJoin
	}
	return j, true
}

// tableRef emits one table with the LATERAL VIEWs that follow it.
func (p *parser) tableRef() {
	start, tok := len(p.out), p.i
	p.tablePrimary()
	if !p.isWords("LATERAL", "VIEW") {
		return
	}
	p.out = slices.Insert(p.out, start, p.groupOpening(tok)...)
	for views := 0; p.isWords("LATERAL", "VIEW"); views++ {
		if views > maxNesting {
			p.fail("the statement is nested too deeply")
		}
		p.lateralView()
	}
	p.closeGroup(tok)
}

// joinGroup is a join in brackets. It is emitted as a derived table: the TiDB parser
// rearranges joins across plain brackets as if all of them were inner or left joins.
type joinGroup struct{}

func (p *parser) groupOpening(tok int) []piece {
	return []piece{{"( SELECT 1 AS", tok}, {p.addMark(mark{tok: tok, payload: &itemMark{}}), tok}, {"FROM", tok}}
}

func (p *parser) closeGroup(tok int) {
	p.emit(") AS")
	p.emitLeaf(tok, joinGroup{})
}

func (p *parser) tablePrimary() {
	t := p.peek()
	switch {
	case t.isOp("("):
		p.bracketedTable()
	case t.kind == tokString:
		tok := p.i
		n := &ast.FileTable{Pos: p.pos(), Path: p.str()}
		n.Alias, n.Columns = p.tableAlias()
		p.emitLeaf(tok, n)
	case t.is("TABLE") && p.at(1).isOp("("): // TABLE(f(x))
		p.skip(2)
		p.tableFunction(p.i, func() { p.expectOp(")") })
	case t.isName():
		p.namedTable()
	default:
		p.fail("a table expected")
	}
}

func (p *parser) bracketedTable() {
	tok := p.i
	if !p.queryAt(p.i + 1) {
		p.out = append(p.out, p.groupOpening(tok)...)
		p.next()
		p.fromClause()
		p.expectOp(")")
		p.closeGroup(tok)
		return
	}
	n := &ast.Derived{Pos: p.pos(), Lateral: tok > 0 && p.toks[tok-1].is("LATERAL")}
	p.subquery()
	n.Alias, n.Columns = p.tableAlias()
	p.emit("AS")
	p.emitLeaf(tok, n)
}

// tableAlias reads [[AS] alias [(columns)]].
func (p *parser) tableAlias() (alias string, columns []string) {
	t := p.peek()
	switch {
	case p.accept("AS"):
		alias = p.identOrString()
	case t.kind == tokQuoted:
		alias = p.ident()
	case t.kind == tokWord && !reserved.has(t.val) && !p.followsTable():
		alias = p.ident()
	default:
		return "", nil
	}
	if p.peek().isOp("(") {
		columns = p.identList()
	}
	return alias, columns
}

// followsTable tells whether the word at the cursor continues FROM rather than naming
// the table before it.
func (p *parser) followsTable() bool {
	t, after := p.peek(), p.at(1)
	switch t.val {
	case "FULL", "SEMI", "ANTI":
		return after.is("JOIN") || after.kind == tokWord && joinWordsList.has(after.val)
	case "LEFT", "RIGHT":
		return true
	case "ASOF":
		return after.is("JOIN") || after.is("LEFT") || after.is("INNER")
	case "TABLET":
		return after.isOp("(")
	case "USE", "FORCE", "IGNORE":
		return after.is("INDEX") || after.is("KEY")
	case "SET":
		return true
	case "VALUES":
		return after.isOp("(")
	}
	return p.beginsClause()
}

func (p *parser) namedTable() {
	tok := p.i
	if t := p.peek(); t.kind == tokWord && (t.val == "LEFT" || t.val == "RIGHT") && (p.at(1).is("JOIN") || p.at(1).is("OUTER")) {
		p.fail("the name of a table is expected") // the word is the join's
	}
	n := p.name()
	if p.peek().isOp("(") {
		if n.Database != "" {
			p.fail("")
		}
		p.i = tok
		p.tableFunction(tok, func() {})
		return
	}
	t := &ast.TableName{Pos: n.Pos, Name: n}
	p.tableQualifiers(t)
	var columns []string
	t.Alias, columns = p.tableAlias()
	p.tableQualifiers(t)
	if t.Alias == "" {
		t.Alias, columns = p.tableAlias()
		p.tableQualifiers(t)
	}
	t.Columns = columns
	p.emitLeaf(tok, t)
}

// tableQualifiers reads what Doris, Hive and MySQL write beside a table's name.
func (p *parser) tableQualifiers(t *ast.TableName) {
	for {
		switch {
		case (p.peek().is("PARTITION") || p.peek().is("PARTITIONS")) && p.at(1).isOp("("):
			p.next()
			t.Partitions = p.identList()
		case p.peek().is("PARTITION") && p.at(1).isName() && len(t.Partitions) == 0:
			p.next()
			t.Partitions = []string{p.ident()}
		case p.peek().is("INDEX") && p.at(1).isName():
			p.next()
			t.Index = p.ident()
		case p.peek().is("TABLET") && p.at(1).isOp("("):
			p.skip(2)
			for {
				t.Tablets = append(t.Tablets, p.integer())
				if !p.acceptOp(",") {
					break
				}
			}
			p.expectOp(")")
		case p.peek().is("TABLESAMPLE"):
			t.Sample = p.sample()
		case p.peek().isOp("[") && p.at(1).isName():
			p.next()
			for {
				t.ScanHints = append(t.ScanHints, upperWord(p.ident()))
				if !p.acceptOp(",") {
					break
				}
			}
			p.expectOp("]")
		case p.peek().is("FOR") && (p.at(1).is("TIME") || p.at(1).is("VERSION") || p.at(1).is("SYSTEM_TIME")):
			p.refuse("FOR " + p.at(1).val + " AS OF")
		case (p.peek().is("USE") || p.peek().is("FORCE") || p.peek().is("IGNORE")) && (p.at(1).is("INDEX") || p.at(1).is("KEY")):
			p.skip(2) // MySQL's index hints: there are no such indexes to choose
			if p.accept("FOR") {
				_ = p.accept("JOIN") || p.accept("ORDER", "BY") || p.accept("GROUP", "BY")
			}
			p.identList()
		default:
			return
		}
	}
}

// sample reads TABLESAMPLE ( … ) [REPEATABLE n].
func (p *parser) sample() *ast.Sample {
	s := &ast.Sample{Pos: p.pos(), Kind: "PERCENT"}
	p.next()
	p.expectOp("(")
	if p.accept("BUCKET") {
		s.Kind = "BUCKET"
		s.N = p.integer()
		p.expect("OUT", "OF")
		s.OutOf = p.integer()
		if p.accept("ON") {
			for {
				s.On = append(s.On, p.expression())
				if !p.acceptOp(",") {
					break
				}
			}
		}
	} else {
		p.sampleSize(s)
	}
	p.expectOp(")")
	if p.accept("REPEATABLE") {
		n := p.integer()
		s.Repeatable = &n
	}
	return s
}

func (p *parser) sampleSize(s *ast.Sample) {
	if t := p.peek(); t.kind == tokWord && isDigit(p.src[t.start]) { // 100M
		shift := map[byte]uint{'K': 10, 'M': 20, 'G': 30, 'B': 0}
		by, ok := shift[t.val[len(t.val)-1]]
		var n int64
		for i := 0; ok && i < len(t.val)-1; i++ {
			if ok = isDigit(t.val[i]) && n < 1<<30; ok {
				n = n*10 + int64(t.val[i]-'0')
			}
		}
		if !ok {
			p.fail("a number expected")
		}
		p.next()
		s.Kind, s.N = "BYTES", n<<by
		return
	}
	if t := p.peek(); t.kind == tokDecimal {
		p.next()
		s.Percent = t.val
		p.expect("PERCENT")
		return
	}
	s.N = p.integer()
	switch {
	case p.accept("ROWS"):
		s.Kind = "ROWS"
	case p.accept("BYTES"):
		s.Kind = "BYTES"
	default:
		p.accept("PERCENT")
	}
}

// tableFunction emits f("k"="v", …) or f(x, …) in FROM as a derived table; after runs
// between its brackets and its alias.
func (p *parser) tableFunction(tok int, after func()) {
	n := &ast.TableFunction{Pos: p.pos(), Name: strings.ToLower(p.ident())}
	p.emit("( SELECT")
	p.callOf(tok, n, func(m *mark) {
		if p.propertyAt(p.i + 1) {
			n.Properties = p.propertyList()
			return
		}
		p.expectOp("(")
		a := &argList{p: p, m: m}
		for !p.peek().isOp(")") {
			if a.n > 0 {
				p.expectOp(",")
			}
			a.add(nil, func() { p.arg(false) })
		}
		p.next()
		n.Args = make([]ast.Expr, a.n)
		m.args = n.Args
	})
	p.emit(") AS")
	after()
	n.Ordinality = len(n.Properties) == 0 && p.accept("WITH", "ORDINALITY")
	n.Alias, n.Columns = p.tableAlias()
	p.emitLeaf(tok, n)
}

// lateralView emits LATERAL VIEW [OUTER] f(x) alias [AS a, b] as a join with a derived table.
func (p *parser) lateralView() {
	tok := p.i
	n := &ast.LateralView{Pos: p.pos()}
	p.skip(2)
	n.Outer = p.accept("OUTER")
	n.Func = strings.ToLower(p.ident())
	if !p.peek().isOp("(") {
		p.fail("'(' expected")
	}
	p.emit("CROSS JOIN ( SELECT")
	p.callOf(tok, n, func(m *mark) {
		p.next()
		a := &argList{p: p, m: m}
		for !p.peek().isOp(")") {
			if a.n > 0 {
				p.expectOp(",")
			}
			a.add(nil, func() { p.arg(false) })
		}
		p.next()
		n.Args = make([]ast.Expr, a.n)
		m.args = n.Args
	})
	p.emit(") AS")
	if t := p.peek(); !t.is("AS") && t.isName() && (t.kind == tokQuoted || !reserved.has(t.val)) {
		n.Alias = p.ident()
	}
	if p.accept("AS") {
		if p.peek().isOp("(") {
			n.Columns = p.identList()
		} else {
			n.Columns = append(n.Columns, p.ident())
			for p.peek().isOp(",") && p.at(1).isName() && !p.at(2).isOp(".") && !p.at(2).isOp("(") {
				p.next()
				n.Columns = append(n.Columns, p.ident())
			}
		}
	}
	p.emitLeaf(tok, n)
	if n.Alias == "" && len(n.Columns) == 0 {
		panic(bail{sqlerr.New(sqlerr.Syntax, "LATERAL VIEW needs an alias").At(p.toks[tok].start)})
	}
}
