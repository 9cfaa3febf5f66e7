package parser

import "github.com/basaltdb/basalt/parser/ast"

// intoOutfile reads INTO OUTFILE, which only a whole statement can have; query puts it where it belongs. It is Doris's,
// with FORMAT AS and PROPERTIES, or MySQL's, with FIELDS and LINES.
func (p *parser) intoOutfile() {
	if p.queries > 1 || p.into != nil {
		p.fail("")
	}
	n := &ast.IntoOutfile{Pos: p.pos()}
	p.into = n
	p.skip(2)
	n.Path = p.str()
	if p.accept("FORMAT") {
		p.expect("AS")
		n.Format = upperWord(p.identOrString())
	}
	if n.Properties = p.optionalProperties(); n.Format == "" && n.Properties == nil {
		n.Charset = p.charset()
		n.Text = p.textClauses()
	}
}

// charset reads [CHARACTER SET x].
func (p *parser) charset() string {
	if p.accept("CHARACTER", "SET") || p.accept("CHARSET") {
		return p.identOrString()
	}
	return ""
}

// textClauses reads MySQL's [{FIELDS|COLUMNS} …] [LINES …]; nil when there are none.
func (p *parser) textClauses() *ast.TextClauses {
	var t *ast.TextClauses
	text := func(at **string) {
		s := p.str()
		*at = &s
	}
	if (p.peek().is("FIELDS") || p.peek().is("COLUMNS")) && p.fieldsClause(p.i+1) {
		p.next()
		t = &ast.TextClauses{}
		for p.fieldsClause(p.i) {
			switch {
			case p.accept("TERMINATED", "BY"):
				text(&t.Fields)
			case p.accept("OPTIONALLY", "ENCLOSED", "BY"):
				t.Optionally = true
				text(&t.Enclosed)
			case p.accept("ENCLOSED", "BY"):
				t.Optionally = false
				text(&t.Enclosed)
			default:
				p.expect("ESCAPED", "BY")
				text(&t.Escaped)
			}
		}
	}
	if p.peek().is("LINES") && (p.at(1).is("STARTING") || p.at(1).is("TERMINATED")) {
		p.next()
		if t == nil {
			t = &ast.TextClauses{}
		}
		for {
			switch {
			case p.accept("STARTING", "BY"):
				text(&t.Starting)
			case p.accept("TERMINATED", "BY"):
				text(&t.Lines)
			default:
				return t
			}
		}
	}
	return t
}

// fieldsClause tells whether a part of FIELDS begins at token i.
func (p *parser) fieldsClause(i int) bool {
	t := &p.toks[min(i, len(p.toks)-1)]
	return t.is("TERMINATED") || t.is("OPTIONALLY") || t.is("ENCLOSED") || t.is("ESCAPED")
}

// load reads LOAD DATA [LOCAL] in MySQL's form, INFILE, and in Hive's, INPATH.
func (p *parser) load() ast.Statement {
	if !p.at(1).is("DATA") {
		return p.admin()
	}
	n := &ast.LoadData{Pos: p.pos()}
	p.skip(2)
	_ = p.accept("LOW_PRIORITY") || p.accept("CONCURRENT")
	n.Local = p.accept("LOCAL")
	switch {
	case p.accept("INPATH"):
		n.Hive = true
		n.Path = p.str()
		n.Overwrite = p.accept("OVERWRITE")
	default:
		p.expect("INFILE")
		n.Path = p.str()
		if p.accept("REPLACE") {
			n.Duplicates = "REPLACE"
		} else if p.accept("IGNORE") {
			n.Duplicates = "IGNORE"
		}
	}
	p.expect("INTO", "TABLE")
	n.Name = p.name()
	if n.Hive {
		p.hiveLoad(n)
	} else {
		p.mysqlLoad(n)
	}
	return n
}

func (p *parser) hiveLoad(n *ast.LoadData) {
	if p.accept("PARTITION") {
		n.Partition = p.partitionSpec()
	}
	if p.accept("INPUTFORMAT") {
		n.InputFormat = p.str()
		p.expect("SERDE")
		n.Serde = p.str()
	}
}

func (p *parser) mysqlLoad(n *ast.LoadData) {
	p.partitionNames(&n.Partitions)
	n.Charset = p.charset()
	n.Text = p.textClauses()
	if p.accept("IGNORE") {
		if n.SkipLines = p.integer(); !p.accept("LINES") {
			p.expect("ROWS")
		}
	}
	if p.acceptOp("(") && !p.acceptOp(")") {
		for {
			c := ast.LoadColumn{Pos: p.pos()}
			if t := p.peek(); t.kind == tokUserVar {
				c.Name, c.Variable = t.val, true
				p.next()
			} else {
				c.Name = p.ident()
			}
			n.Columns = append(n.Columns, c)
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	}
	if p.accept("SET") {
		p.variables = map[string]bool{}
		for i := range n.Columns {
			p.variables[n.Columns[i].Name] = n.Columns[i].Variable
		}
		for {
			a := ast.Assignment{Pos: p.pos(), Column: p.ident()}
			p.expectOp("=")
			a.Value = p.expression()
			n.Set = append(n.Set, a)
			if !p.acceptOp(",") {
				break
			}
		}
		p.variables = nil
	}
}
