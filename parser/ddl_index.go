package parser

import "github.com/basaltdb/basalt/parser/ast"

// materializedView reads CREATE MATERIALIZED VIEW v AS query of one table. The views of many tables, which are
// refreshed, have clauses before AS; they are administrative.
func (p *parser) materializedView() ast.Statement {
	start := p.i
	n := &ast.CreateMaterializedView{Pos: p.pos()}
	p.skip(3)
	n.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	n.Name = p.name()
	if !p.accept("AS") {
		p.i = start
		return p.admin()
	}
	from := p.i
	n.Query = p.query()
	n.Text = p.textOf(from, p.i)
	n.Properties = p.optionalProperties()
	return n
}

// dropMaterializedView reads DROP MATERIALIZED VIEW v ON t; without ON it is one of many tables.
func (p *parser) dropMaterializedView() ast.Statement {
	start := p.i
	n := &ast.DropMaterializedView{Pos: p.pos()}
	p.skip(3)
	n.IfExists = p.accept("IF", "EXISTS")
	n.Name = p.name()
	if !p.accept("ON") {
		p.i = start
		return p.admin()
	}
	n.Table = p.name()
	return n
}

// cancelAlter reads CANCEL ALTER TABLE {COLUMN|ROLLUP|MATERIALIZED VIEW} FROM t [(job, …)].
func (p *parser) cancelAlter() ast.Statement {
	start := p.i
	n := &ast.CancelAlter{Pos: p.pos()}
	p.skip(3)
	switch {
	case p.accept("ROLLUP"):
		n.Kind = "ROLLUP"
	case p.accept("COLUMN"):
		n.Kind = "COLUMN"
	case p.accept("MATERIALIZED", "VIEW"):
		n.Kind = "MATERIALIZED VIEW"
	default:
		p.i = start
		return p.admin()
	}
	p.expect("FROM")
	n.Table = p.name()
	if p.acceptOp("(") {
		for {
			n.Jobs = append(n.Jobs, p.integer())
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	}
	return n
}
