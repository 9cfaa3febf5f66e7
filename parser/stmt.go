package parser

import (
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// topStatement reads the statement and checks that nothing follows it.
func (p *parser) topStatement() ast.Statement {
	s := p.statement()
	if !p.atEnd() {
		p.fail("")
	}
	if last := len(p.toks) - 2; p.toks[last].isOp("-") { // kept as text, it could begin a comment
		p.failAt(last, "")
	}
	return s
}

// statement reads one statement by its first words.
func (p *parser) statement() ast.Statement {
	p.enter()
	defer p.leave()
	t := p.peek()
	if t.isOp("(") {
		return p.query()
	}
	if t.kind != tokWord {
		p.fail("")
	}
	switch t.val {
	case "SELECT", "VALUES":
		return p.query()
	case "TABLE":
		return p.query()
	case "WITH":
		return p.withStatement()
	case "FROM":
		return p.fromStatement()
	case "INSERT", "REPLACE":
		return p.insert()
	case "EXPLAIN", "DESC", "DESCRIBE":
		return p.explain()
	case "CREATE":
		return p.create()
	case "ALTER":
		return p.alter()
	case "DROP":
		return p.drop()
	case "TRUNCATE":
		return p.truncate()
	case "RECOVER":
		return p.recoverDropped()
	case "SHOW":
		return p.show()
	case "SET":
		return p.set()
	case "USE", "SWITCH":
		return p.use()
	case "KILL":
		return p.kill()
	case "BEGIN", "START", "COMMIT", "ROLLBACK":
		return p.transaction()
	case "PREPARE":
		return p.prepare()
	case "EXECUTE":
		return p.execute()
	case "DEALLOCATE":
		return p.deallocate()
	case "LOAD":
		return p.load()
	case "DELETE":
		return p.delete()
	case "UPDATE":
		return p.update()
	case "ANALYZE":
		return p.analyze()
	case "MSCK":
		return p.repair()
	}
	switch {
	case p.isWords("CANCEL", "ALTER", "TABLE"):
		return p.cancelAlter()
	case p.isWords("CANCEL", "LOAD"):
		return p.cancelLoad()
	case p.isWords("CLEAN", "LABEL"):
		return p.cleanLabel()
	case p.isWords("RENAME", "TABLE"), p.isWords("RENAME", "TABLES"):
		return p.renameTable()
	}
	return p.admin()
}

// repair reads MSCK [REPAIR] TABLE t [{ADD|DROP|SYNC} PARTITIONS].
func (p *parser) repair() ast.Statement {
	n := &ast.Repair{Pos: p.pos()}
	p.next()
	n.Repair = p.accept("REPAIR")
	p.expect("TABLE")
	n.Name = p.name()
	for _, mode := range []string{"ADD", "DROP", "SYNC"} {
		if p.accept(mode, "PARTITIONS") {
			n.Mode = mode
			break
		}
	}
	return n
}

// withStatement reads WITH before a query, or before Hive's INSERT and FROM … INSERT.
func (p *parser) withStatement() ast.Statement {
	i := p.i + 1
	if p.toks[i].is("RECURSIVE") && !p.toks[i+1].is("AS") {
		i++
	}
	for p.toks[i].isName() {
		i++
		for n := 0; n < 2; n++ { // (columns) AS (query)
			if p.toks[i].isOp("(") && p.match[i] > 0 {
				i = int(p.match[i]) + 1
			}
			if p.toks[i].is("AS") {
				i++
			}
		}
		if !p.toks[i].isOp(",") {
			break
		}
		i++
	}
	if !p.toks[i].is("INSERT") && !(p.toks[i].is("FROM") && p.hasInsert(i)) {
		return p.query()
	}
	p.prefix = p.sub(p.with)
	if p.peek().is("INSERT") {
		return p.insert()
	}
	return p.fromStatement()
}

// hasInsert tells FROM … INSERT from FROM … SELECT.
func (p *parser) hasInsert(i int) bool {
	for i < len(p.toks)-1 {
		switch {
		case p.toks[i].isOp("(") && p.match[i] > int32(i):
			i = int(p.match[i])
		case p.toks[i].is("INSERT"):
			return true
		case p.toks[i].is("SELECT"):
			return false
		}
		i++
	}
	return false
}

// explain reads EXPLAIN of a statement, or DESC of a table.
func (p *parser) explain() ast.Statement {
	pos := p.pos()
	start := p.i
	p.next()
	mode, process := "", false
	switch t := p.peek(); {
	case p.at(1).is("PLAN") && t.kind == tokWord:
		switch t.val {
		case "PARSED", "ANALYZED", "REWRITTEN", "OPTIMIZED", "PHYSICAL", "LOGICAL", "SHAPE", "MEMO", "DISTRIBUTED", "ALL":
		default:
			p.fail("")
		}
		mode = t.val
		p.skip(2)
		process = p.accept("PROCESS")
	case t.is("PLAN"):
		p.next()
	case t.is("VERBOSE"), t.is("ANALYZE"), t.is("GRAPH"), t.is("TREE"), t.is("EXTENDED"), t.is("FORMATTED"):
		if !p.beginsStatement(p.i + 1) {
			break
		}
		mode = t.val
		if mode == "EXTENDED" || mode == "FORMATTED" { // MySQL's and Hive's words for more detail
			mode = "VERBOSE"
		}
		p.next()
	case t.is("FORMAT") && p.at(1).isOp("="):
		p.skip(2)
		switch f := upperWord(p.identOrString()); f {
		case "TREE", "JSON":
			mode = f
		case "TRADITIONAL", "BRIEF", "ROW":
		default:
			p.refuse("EXPLAIN FORMAT=" + f)
		}
	}
	if !p.beginsStatement(p.i) {
		p.i = start
		return p.describe()
	}
	return &ast.Explain{Pos: pos, Mode: mode, Process: process, Statement: p.statement()}
}

// beginsStatement tells whether a statement that EXPLAIN takes begins at token i.
func (p *parser) beginsStatement(i int) bool {
	if i >= len(p.toks) {
		return false
	}
	t := &p.toks[i]
	switch {
	case t.isOp("("):
		return p.queryAt(i + 1)
	case t.is("SELECT"), t.is("WITH"), t.is("INSERT"), t.is("UPDATE"), t.is("DELETE"), t.is("FROM"):
		return true
	case t.is("REPLACE"):
		return p.toks[i+1].is("INTO")
	case t.is("VALUES"):
		return p.toks[i+1].isOp("(") || p.toks[i+1].is("ROW")
	case t.is("CREATE"):
		return p.toks[i+1].is("TABLE") || p.toks[i+1].is("VIEW") || p.toks[i+1].is("MATERIALIZED")
	}
	return false
}

// describe reads DESC t [ALL|col], DESC [EXTENDED|FORMATTED] t, DESC FUNCTION f(…).
func (p *parser) describe() ast.Statement {
	d := &ast.Describe{Pos: p.pos()}
	p.next()
	switch t := p.peek(); {
	case (t.is("EXTENDED") || t.is("FORMATTED") || t.is("DATABASE") || t.is("SCHEMA")) && (p.at(1).isName() || p.at(1).kind == tokString):
		p.next()
		d.Mode = t.val
		if d.Mode == "SCHEMA" {
			d.Mode = "DATABASE"
		}
		if d.Mode == "DATABASE" && p.peek().is("EXTENDED") && p.at(1).isName() {
			p.next()
		}
		if d.Mode == "EXTENDED" && (p.peek().is("DATABASE") || p.peek().is("SCHEMA")) && p.at(1).isName() {
			p.next()
			d.Mode = "DATABASE"
		}
	case t.is("FUNCTION") && (p.at(1).isName() || p.at(1).kind == tokString):
		p.next()
		p.accept("EXTENDED")
		d.Mode = "FUNCTION"
		if p.at(1).isOp("(") {
			d.Function = p.oneTableFunction()
		} else {
			d.Name = p.name()
		}
		return d
	case t.is("TABLE") && p.at(1).isName():
		p.next()
	}
	d.Name = p.name()
	if p.peek().is("PARTITION") && p.at(1).isOp("(") {
		p.next()
		d.Partition = p.partitionSpec()
	}
	switch t := p.peek(); {
	case t.is("ALL"):
		p.next()
		d.Mode = "ALL"
	case t.isName():
		d.Column = strings.Join(p.dotted(), ".")
	case t.kind == tokString:
		d.Column = p.str()
	}
	return d
}

// oneTableFunction reads f("k"="v", …) outside of FROM.
func (p *parser) oneTableFunction() *ast.TableFunction {
	list := p.tables()
	if len(list) == 1 {
		if f, ok := list[0].(*ast.TableFunction); ok {
			return f
		}
	}
	p.fail("a table function expected")
	return nil
}

// tables reads a list of tables as after FROM.
func (p *parser) tables() []ast.TableExpr {
	sel := &ast.Select{Pos: p.pos()}
	saved := p.out
	p.queries++ // a query inside is none of the statement's own
	p.out = p.sub(func() {
		p.emit("SELECT 1 AS")
		p.emitLeaf(p.i, &itemMark{item: ast.SelectItem{Star: true}, block: sel})
		p.emit("FROM")
		p.fromClause()
	})
	p.queries--
	stmt := p.parseOut()
	p.out = saved
	c := converter{p: p}
	return c.tablesOf(stmt)
}

func (p *parser) use() ast.Statement {
	u := &ast.Use{Pos: p.pos()}
	isSwitch := p.next().is("SWITCH")
	parts := p.dotted()
	switch {
	case isSwitch && len(parts) == 1:
		u.Catalog = parts[0]
	case len(parts) == 1:
		u.Database = parts[0]
	case len(parts) == 2 && !isSwitch:
		u.Catalog, u.Database = parts[0], parts[1]
	default:
		p.fail("")
	}
	return u
}

func (p *parser) kill() ast.Statement {
	k := &ast.Kill{Pos: p.pos()}
	p.next()
	if p.accept("QUERY") {
		k.Query = true
	} else {
		p.accept("CONNECTION")
	}
	t := p.peek()
	switch t.kind {
	case tokString:
		k.QueryID = t.val
	case tokInt:
		id, err := strconv.ParseUint(t.val, 10, 64)
		if err != nil {
			panic(bail{sqlerr.New(sqlerr.UnknownThread, "Unknown thread id: %s", t.val).At(t.start)})
		}
		k.ID = id
	default:
		p.fail("an id expected")
	}
	p.next()
	return k
}

func (p *parser) transaction() ast.Statement {
	t := p.peek()
	n := &ast.Transaction{Pos: p.pos(), Op: t.val}
	switch t.val {
	case "START":
		if !p.at(1).is("TRANSACTION") {
			return p.admin()
		}
		n.Op = "BEGIN"
		p.skip(2)
		for {
			switch {
			case p.accept("READ", "ONLY"), p.accept("READ", "WRITE"), p.accept("WITH", "CONSISTENT", "SNAPSHOT"):
			default:
				return n
			}
			p.acceptOp(",")
		}
	case "BEGIN":
		p.next()
		_ = p.accept("WORK") || p.accept("TRANSACTION")
		if p.accept("WITH", "LABEL") {
			n.Label = p.identOrString()
		}
	case "ROLLBACK":
		if p.at(1).is("TO") || p.at(2).is("TO") {
			return p.admin()
		}
		fallthrough
	default:
		p.next()
		p.accept("WORK")
		p.accept("AND", "NO", "CHAIN")
		p.accept("NO", "RELEASE")
	}
	return n
}

func (p *parser) prepare() ast.Statement {
	n := &ast.Prepare{Pos: p.pos()}
	p.next()
	n.Name = p.ident()
	p.expect("FROM")
	switch t := p.peek(); t.kind {
	case tokString:
		n.Text = p.stringLiteral()
	case tokUserVar:
		p.next()
		n.Text = variableOf(t)
	default:
		p.fail("a string or a variable expected")
	}
	return n
}

func (p *parser) execute() ast.Statement {
	n := &ast.Execute{Pos: p.pos()}
	p.next()
	n.Name = p.ident()
	if !p.accept("USING") {
		return n
	}
	for {
		t := p.peek()
		if t.kind != tokUserVar {
			p.fail("a variable expected")
		}
		p.next()
		n.Using = append(n.Using, t.val)
		if !p.acceptOp(",") {
			return n
		}
	}
}

func (p *parser) deallocate() ast.Statement {
	n := &ast.Deallocate{Pos: p.pos()}
	p.next()
	p.expect("PREPARE")
	n.Name = p.ident()
	return n
}

func (p *parser) delete() ast.Statement {
	n := &ast.Delete{Pos: p.pos()}
	p.next()
	p.expect("FROM")
	n.Name = p.name()
	p.partitionNames(&n.Partitions)
	n.Alias, _ = p.tableAlias()
	p.partitionNames(&n.Partitions)
	if p.accept("USING") {
		n.Using = p.tables()
	}
	if p.accept("WHERE") {
		n.Where = p.expression()
	}
	if p.peek().is("ORDER") || p.peek().is("LIMIT") {
		p.refuse("DELETE with " + p.peek().val)
	}
	return n
}

// partitionNames reads [[TEMPORARY] PARTITION[S] p | (p, …)].
func (p *parser) partitionNames(names *[]string) {
	if !p.accept("PARTITION") && !p.accept("PARTITIONS") && !p.accept("TEMPORARY", "PARTITION") && !p.accept("TEMPORARY", "PARTITIONS") {
		return
	}
	if p.peek().isOp("(") {
		*names = p.identList()
	} else {
		*names = []string{p.ident()}
	}
}

func (p *parser) update() ast.Statement {
	n := &ast.Update{Pos: p.pos()}
	p.next()
	n.Name = p.name()
	n.Alias, _ = p.tableAlias()
	if p.peek().isOp(",") || p.peek().is("JOIN") {
		p.refuse("UPDATE of several tables")
	}
	p.expect("SET")
	for {
		a := ast.Assignment{Pos: p.pos()}
		parts := p.dotted()
		a.Column = parts[len(parts)-1]
		p.expectOp("=")
		a.Value = p.expression()
		n.Set = append(n.Set, a)
		if !p.acceptOp(",") {
			break
		}
	}
	if p.accept("FROM") {
		n.From = p.tables()
	}
	if p.accept("WHERE") {
		n.Where = p.expression()
	}
	if p.peek().is("ORDER") || p.peek().is("LIMIT") {
		p.refuse("UPDATE with " + p.peek().val)
	}
	return n
}

// analyze reads ANALYZE TABLE t [PARTITION …] [(cols)] [WITH SYNC …] [COMPUTE STATISTICS …] [PROPERTIES …].
func (p *parser) analyze() ast.Statement {
	n := &ast.Analyze{Pos: p.pos()}
	database := p.at(1).is("DATABASE")
	if !p.at(1).is("TABLE") && !database {
		return p.admin()
	}
	p.skip(2)
	if database {
		n.Database = p.ident()
	} else {
		n.Name = p.name()
	}
	for !p.atEnd() {
		switch {
		case p.peek().isOp("(") && n.Columns == nil && !database:
			n.Columns = p.identList()
		case p.peek().is("PARTITION") && p.at(1).isOp("(") && n.Partition == nil:
			p.next()
			n.Partition = p.partitionSpec()
		case p.accept("WITH", "SYNC"):
			n.Sync = true
		case n.Sample == nil && (p.accept("WITH", "SAMPLE", "PERCENT") || p.accept("WITH", "SAMPLE", "ROWS")):
			n.SampleUnit = p.toks[p.i-1].val
			n.Sample = p.limitNumber()
		case p.accept("COMPUTE", "STATISTICS"):
			n.Compute = true
		case n.Columns == nil && p.accept("FOR", "COLUMNS"):
			n.ForColumns = true
			for p.peek().isName() && !p.peek().is("NOSCAN") {
				n.Columns = append(n.Columns, p.ident())
				if !p.acceptOp(",") {
					break
				}
			}
		case p.accept("NOSCAN"):
			n.NoScan = true
		case p.peek().is("PROPERTIES") && p.at(1).isOp("("):
			n.Options = append(n.Options, p.optionalProperties()...)
		case p.accept("WITH"):
			o := ast.Property{Pos: p.pos(), Key: strings.ToLower(p.ident())}
			if t := p.peek(); t.kind == tokInt || t.kind == tokString {
				p.next()
				o.Value = t.val
			}
			n.Options = append(n.Options, o)
		default:
			p.fail("")
		}
	}
	return n
}

// dropStats reads DROP STATS t [(cols)].
func (p *parser) dropStats() ast.Statement {
	n := &ast.DropStats{Pos: p.pos()}
	p.skip(2)
	n.Name = p.name()
	if p.peek().isOp("(") {
		n.Columns = p.identList()
	}
	return n
}

// closing is the token that closes the bracket at token i.
func (p *parser) closing(i int) int {
	if p.match[i] < int32(i) {
		p.failAt(i, "')' missing")
	}
	return int(p.match[i])
}
