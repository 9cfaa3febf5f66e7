package parser

import "github.com/basaltdb/basalt/parser/ast"

// topStatement reads the statement and checks that nothing follows it.
func (p *parser) topStatement() ast.Statement {
	s := p.statement()
	if !p.atEnd() {
		p.fail("")
	}
	return s
}

func (p *parser) statement() ast.Statement {
	return p.query()
}
