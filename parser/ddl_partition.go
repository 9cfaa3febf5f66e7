package parser

import (
	"strconv"

	"github.com/basaltdb/basalt/parser/ast"
)

// partitionList reads p, (p1, p2) or (*), which gives "*".
func (p *parser) partitionList() []string {
	if p.peek().isOp("(") && p.at(1).isOp("*") && p.at(2).isOp(")") {
		p.skip(3)
		return []string{"*"}
	}
	if p.peek().isOp("(") {
		return p.identList()
	}
	return []string{p.ident()}
}

// modifyPartition reads MODIFY PARTITION partitions SET (properties).
func (p *parser) modifyPartition(a *ast.AlterAction) {
	p.skip(2)
	a.Kind = "MODIFY PARTITION"
	a.Partitions = p.partitionList()
	p.expect("SET")
	a.Properties = p.propertyList()
}

// replacePartition reads REPLACE PARTITION partitions WITH TEMPORARY PARTITION partitions
// [FORCE] [PROPERTIES].
func (p *parser) replacePartition(a *ast.AlterAction) {
	p.skip(2)
	a.Kind = "REPLACE PARTITION"
	a.Partitions = p.partitionList()
	p.expect("WITH")
	p.expect("TEMPORARY")
	p.expect("PARTITION")
	a.With = p.partitionList()
	a.Force = p.accept("FORCE")
	a.Properties = p.optionalProperties()
}

// recoverDropped reads RECOVER.
func (p *parser) recoverDropped() ast.Statement {
	n := &ast.Recover{Pos: p.pos()}
	p.next()
	switch {
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		n.Kind, n.Name = "DATABASE", p.databaseName()
	case p.accept("TABLE"):
		n.Kind, n.Name = "TABLE", p.name()
	case p.accept("PARTITION"):
		n.Kind, n.Partition = "PARTITION", p.ident()
	default:
		p.fail("DATABASE, TABLE or PARTITION expected")
	}
	if t := p.peek(); t.kind == tokInt {
		id, err := strconv.ParseInt(t.val, 10, 64)
		if err != nil {
			p.fail("an id expected")
		}
		n.ID = id
		p.next()
	}
	if p.accept("AS") {
		n.As = p.ident()
	}
	if n.Kind == "PARTITION" {
		p.expect("FROM")
		n.Name = p.name()
	}
	return n
}
