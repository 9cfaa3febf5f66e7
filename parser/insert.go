package parser

import "github.com/basaltdb/basalt/parser/ast"

// insert reads INSERT in the forms of Doris, MySQL and Hive, and REPLACE.
func (p *parser) insert() ast.Statement {
	if p.at(1).is("OVERWRITE") && (p.at(2).is("DIRECTORY") || p.at(2).is("LOCAL") && p.at(3).is("DIRECTORY")) {
		p.prefix = nil
		return p.admin()
	}
	return p.insertBranch(p.insertQuery)
}

// insertBranch reads one INSERT up to its query, which query reads.
func (p *parser) insertBranch(query func(*ast.Insert)) *ast.Insert {
	n := p.insertHead()
	switch {
	case p.peek().is("SET"):
		p.insertSet(n)
	default:
		query(n)
	}
	if p.isWords("ON", "DUPLICATE") {
		p.refuse("ON DUPLICATE KEY UPDATE")
	}
	return n
}

func (p *parser) insertHead() *ast.Insert {
	n := &ast.Insert{Pos: p.pos()}
	n.Replace = p.next().is("REPLACE")
	for p.accept("LOW_PRIORITY") || p.accept("DELAYED") || p.accept("HIGH_PRIORITY") {
	}
	if p.peek().is("IGNORE") {
		p.refuse("INSERT IGNORE")
	}
	if p.accept("OVERWRITE") {
		n.Overwrite = true
		_ = p.accept("TABLE") || p.accept("INTO")
	} else if p.accept("INTO") {
		if p.peek().is("TABLE") && p.at(1).isName() {
			p.next()
		}
	}
	n.Name = p.name()
	for {
		switch {
		case p.peek().is("PARTITION") && p.at(1).isOp("("), p.peek().is("PARTITIONS") && p.at(1).isOp("("):
			p.next()
			p.insertPartition(n)
		case p.isWords("TEMPORARY", "PARTITION"):
			p.skip(2)
			n.Temporary = true
			n.Partitions = p.identList()
		case p.accept("IF", "NOT", "EXISTS"):
			n.IfNotExists = true
		case p.accept("WITH", "LABEL"):
			n.LabelDatabase, n.Label = p.label()
		case p.peek().isOp("(") && p.at(1).isOp(")"): // all columns, as without brackets
			p.skip(2)
		case p.peek().isOp("(") && n.Columns == nil && !p.queryAt(p.i+1):
			n.Columns = p.identList()
		case p.peek().isOp("[") && p.at(1).isName():
			p.next()
			for {
				n.Hints = append(n.Hints, p.ident())
				if !p.acceptOp(",") {
					break
				}
			}
			p.expectOp("]")
		case p.peek().kind == tokHint:
			p.next()
		default:
			return n
		}
	}
}

// label reads [database.]label.
func (p *parser) label() (database, label string) {
	label = p.identOrString()
	if p.acceptOp(".") {
		database, label = label, p.identOrString()
	}
	return database, label
}

// cancelLoad reads CANCEL LOAD [FROM db] WHERE condition.
func (p *parser) cancelLoad() ast.Statement {
	n := &ast.CancelLoad{Pos: p.pos()}
	p.skip(2)
	if p.accept("FROM") || p.accept("IN") {
		n.Database = p.ident()
	}
	p.expect("WHERE")
	n.Where = p.expression()
	return n
}

// cleanLabel reads CLEAN LABEL [label] FROM db.
func (p *parser) cleanLabel() ast.Statement {
	n := &ast.CleanLabel{Pos: p.pos()}
	p.skip(2)
	if !p.peek().is("FROM") && !p.peek().is("IN") {
		n.Label = p.identOrString()
	}
	if !p.accept("IN") {
		p.expect("FROM")
	}
	n.Database = p.ident()
	return n
}

// insertPartition reads PARTITION (*), (p1, p2) or (a = 'x', b). Names alone may be
// Doris partitions or Hive's dynamic columns; only the binder knows the table.
func (p *parser) insertPartition(n *ast.Insert) {
	if p.at(1).isOp("*") {
		p.skip(2)
		p.expectOp(")")
		n.AutoDetect = true
		return
	}
	specs := p.partitionSpec()
	named := false
	for _, s := range specs {
		named = named || s.Value != nil
	}
	if named {
		n.Partition = specs
		return
	}
	for _, s := range specs {
		n.Partitions = append(n.Partitions, s.Column)
	}
}

// partitionSpec reads (a = 'x', b, c < 3).
func (p *parser) partitionSpec() []ast.PartitionSpec {
	p.expectOp("(")
	var specs []ast.PartitionSpec
	for !p.acceptOp(")") {
		if len(specs) > 0 {
			p.expectOp(",")
		}
		s := ast.PartitionSpec{Pos: p.pos(), Column: p.ident()}
		switch t := p.peek(); t.val {
		case "=", "<", ">", "<=", ">=", "<>", "!=":
			p.next()
			s.Op = t.val
			if s.Op == "!=" {
				s.Op = "<>"
			}
			s.Value = p.expression()
		}
		specs = append(specs, s)
	}
	return specs
}

func (p *parser) insertQuery(n *ast.Insert) {
	if p.values != nil && p.peek().is("VALUES") && p.at(1).kind == tokEOF {
		p.next()
		n.Query = p.values
		return
	}
	if p.peek().is("VALUE") && p.at(1).isOp("(") { // MySQL's other spelling
		p.peek().val = "VALUES"
	}
	n.Query = p.query()
}

// insertSet reads MySQL's INSERT INTO t SET a = 1, b = 2.
func (p *parser) insertSet(n *ast.Insert) {
	v := &ast.Values{Pos: p.pos()}
	p.next()
	var row []ast.Expr
	for {
		n.Columns = append(n.Columns, p.ident())
		p.expectOp("=")
		row = append(row, p.expression())
		if !p.acceptOp(",") {
			break
		}
	}
	v.Rows = [][]ast.Expr{row}
	n.Query = v
}

// fromStatement reads FROM t SELECT …, or Hive's FROM t INSERT … INSERT ….
func (p *parser) fromStatement() ast.Statement {
	if !p.hasInsert(p.i) {
		return p.query()
	}
	m := &ast.MultiInsert{Pos: p.pos()}
	p.next()
	if p.prefix != nil {
		p.refuse("WITH before FROM … INSERT")
	}
	m.From = crossAll(p.tables())
	for p.peek().is("INSERT") {
		if p.at(2).is("DIRECTORY") || p.at(3).is("DIRECTORY") {
			p.refuse("INSERT OVERWRITE DIRECTORY")
		}
		m.Inserts = append(m.Inserts, p.insertBranch(p.insertQuery))
	}
	if m.Inserts == nil { // the word was an alias
		p.fail("INSERT expected")
	}
	return m
}
