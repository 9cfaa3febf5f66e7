package parser

import (
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// set reads SET in MySQL's, Doris's and Hive's forms.
func (p *parser) set() ast.Statement {
	s := &ast.Set{Pos: p.pos()}
	switch t := p.at(1); {
	case t.kind == tokEOF:
		p.next()
		return &ast.Show{Pos: s.Pos, What: "VARIABLES"}
	case t.is("PASSWORD") && !p.at(2).isOp("."), t.is("PROPERTY") && !p.at(2).isOp("="), t.is("ROLE") && !p.at(2).isOp("="),
		t.is("DEFAULT"), t.is("LDAP_ADMIN_PASSWORD"):
		return p.admin()
	case t.is("RESOURCE"):
		return p.admin()
	}
	for i := p.i + 1; i < len(p.toks)-1; i++ { // SET v AS DEFAULT STORAGE VAULT and the like
		if p.toks[i].is("AS") && p.toks[i+1].is("DEFAULT") {
			return p.admin()
		}
	}
	p.next()
	for {
		s.Items = append(s.Items, p.setItem())
		if !p.acceptOp(",") {
			return s
		}
	}
}

func (p *parser) setItem() ast.SetItem {
	item := ast.SetItem{Pos: p.pos()}
	if t := p.peek(); (t.is("GLOBAL") || t.is("SESSION") || t.is("LOCAL") || t.is("PERSIST")) && (p.at(1).isName() || p.at(1).kind == tokSysVar) {
		item.Scope = strings.ToLower(t.val)
		if item.Scope == "persist" {
			item.Scope = "global"
		}
		p.next()
	}
	t := p.peek()
	switch {
	case p.isWords("NAMES"):
		p.next()
		item.Name = "names"
		item.Value = p.setValue()
		if p.accept("COLLATE") {
			p.identOrString()
		}
		return item
	case p.isWords("CHARACTER", "SET"), t.is("CHARSET") && !p.at(1).isOp("="):
		p.next()
		p.accept("SET")
		item.Name = "charset"
		item.Value = p.setValue()
		return item
	case t.is("TRANSACTION") && !p.at(1).isOp("="):
		p.next()
		item.Name = "transaction"
		item.Value = p.restAsString()
		return item
	}
	hive := false
	switch {
	case t.kind == tokUserVar:
		p.next()
		item.Scope, item.Name = "user", t.val
	case t.kind == tokSysVar:
		p.next()
		v := variableOf(t)
		if strings.Contains(v.Name, ".") {
			p.failAt(p.i-1, "a scope is GLOBAL or SESSION")
		}
		item.Name = v.Name
		if v.Scope != "" {
			item.Scope = v.Scope
		}
	default:
		if p.at(1).isOp(":") { // hivevar:x, hiveconf:x
			p.skip(2)
		}
		parts := p.dotted()
		for p.acceptOp("-") { // hive-style names with dashes
			more := p.dotted()
			parts[len(parts)-1] += "-" + more[0]
			parts = append(parts, more[1:]...)
		}
		hive = len(parts) > 1
		item.Name = strings.ToLower(strings.Join(parts, "."))
	}
	if !p.acceptOp("=") && !p.acceptOp(":=") {
		p.fail("'=' expected")
	}
	if hive {
		item.Value = p.hiveValue()
	} else {
		item.Value = p.setValue()
	}
	return item
}

// setValue reads an expression. A bare word is a string.
func (p *parser) setValue() ast.Expr {
	t := p.peek()
	end := p.at(1).kind == tokEOF || p.at(1).isOp(",") || p.at(1).is("COLLATE")
	if t.kind == tokString && end {
		p.next()
		return &ast.Literal{Pos: ast.Pos(t.start), Kind: ast.StringLit, Text: t.val}
	}
	if t.isName() && end && !niladic.has(t.val) {
		switch t.val {
		case "NULL", "TRUE", "FALSE", "DEFAULT":
		default:
			p.next()
			return &ast.Literal{Pos: ast.Pos(t.start), Kind: ast.StringLit, Text: p.nameOf(t)}
		}
	}
	return p.expression()
}

// hiveValue reads the rest of the statement: Hive's SET knows no quotes and no lists.
func (p *parser) hiveValue() ast.Expr {
	if p.at(1).kind == tokEOF {
		return p.setValue()
	}
	return p.restAsString()
}

// restAsString is the text up to the end of the statement.
func (p *parser) restAsString() ast.Expr {
	lit := &ast.Literal{Pos: p.pos(), Kind: ast.StringLit, Text: p.textOf(p.i, len(p.toks)-1)}
	p.i = len(p.toks) - 1
	return lit
}
