package parser

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// typeSynonyms maps spellings to the one name that the tree uses.
var typeSynonyms = map[string]string{
	"integer": "int", "int4": "int", "int8": "bigint", "int2": "smallint", "int1": "tinyint", "mediumint": "int", "long": "bigint", "short": "smallint", "byte": "tinyint",
	"dec": "decimal", "numeric": "decimal", "fixed": "decimal", "decimalv2": "decimal", "decimalv3": "decimal",
	"bool": "boolean", "character": "char", "nchar": "char", "nvarchar": "varchar",
	"datev1": "date", "datev2": "date", "datetimev1": "datetime", "datetimev2": "datetime",
	"real": "double", "float4": "float", "float8": "double",
}

// typeName reads a type.
func (p *parser) typeName() *ast.TypeName {
	p.enter()
	defer p.leave()
	t := &ast.TypeName{Pos: p.pos()}
	w := p.peek()
	if !w.isName() {
		p.fail("a type expected")
	}
	t.Name = strings.ToLower(p.ident())
	if s, ok := typeSynonyms[t.Name]; ok {
		t.Name = s
	}
	switch t.Name {
	case "double":
		p.accept("PRECISION")
	case "char":
		if p.accept("VARYING") {
			t.Name = "varchar"
		}
	case "national":
		t.Name = strings.ToLower(p.ident())
		if t.Name == "character" {
			t.Name = "char"
		}
	case "signed", "unsigned":
		t.Unsigned = t.Name == "unsigned"
		t.Name = "bigint"
		if !p.accept("INTEGER") {
			p.accept("INT")
		}
	case "enum", "set":
		if p.peek().isOp("(") {
			panic(bail{sqlerr.Unsupported("type " + strings.ToUpper(t.Name)).At(w.start)})
		}
	}
	p.typeArguments(t)
	p.typeSuffix(t)
	return t
}

func (p *parser) typeArguments(t *ast.TypeName) {
	switch {
	case p.peek().isOp("("):
		p.next()
		for {
			if p.acceptOp("*") { // VARCHAR(*)
				t.Args = append(t.Args, 65533)
			} else {
				t.Args = append(t.Args, p.integer())
			}
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	case p.peek().isOp("<"):
		p.next()
		for {
			p.typeElement(t)
			if !p.acceptOp(",") {
				break
			}
		}
		p.closeAngle()
	}
}

// typeElement reads one T of ARRAY<T> or f:T of STRUCT<f:T>.
func (p *parser) typeElement(t *ast.TypeName) {
	switch t.Name {
	case "struct":
		t.Fields = append(t.Fields, p.ident())
		p.acceptOp(":")
		t.Elems = append(t.Elems, p.typeName())
		p.accept("NOT", "NULL")
		if p.accept("COMMENT") {
			p.str()
		}
	case "agg_state": // AGG_STATE<sum(INT)>: the function comes as a type
		e := &ast.TypeName{Pos: p.pos(), Name: strings.ToLower(p.ident())}
		if p.acceptOp("(") {
			for !p.acceptOp(")") {
				if len(e.Elems) > 0 {
					p.expectOp(",")
				}
				e.Elems = append(e.Elems, p.typeName())
				if !p.accept("NOT", "NULL") {
					p.accept("NULL")
				}
			}
		}
		t.Elems = append(t.Elems, e)
	case "variant": // VARIANT<'path':T>
		t.Fields = append(t.Fields, p.identOrString())
		p.expectOp(":")
		t.Elems = append(t.Elems, p.typeName())
	default:
		t.Elems = append(t.Elems, p.typeName())
		p.accept("NOT", "NULL")
	}
}

// closeAngle passes one > also when the lexer saw two or more in a row.
func (p *parser) closeAngle() {
	t := p.peek()
	if t.kind == tokOp && (t.val == ">>" || t.val == ">=") {
		t.val = t.val[1:]
		t.start++
		return
	}
	p.expectOp(">")
}

func (p *parser) typeSuffix(t *ast.TypeName) {
	for {
		switch {
		case p.accept("UNSIGNED"):
			t.Unsigned = true
		case p.accept("SIGNED"), p.accept("ZEROFILL"):
		case t.Name == "timestamp" && (p.accept("WITH", "LOCAL", "TIME", "ZONE") || p.accept("WITH", "TIME", "ZONE")):
			t.Name = "timestamptz"
		case t.Name == "timestamp" && p.accept("WITHOUT", "TIME", "ZONE"):
		case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
			p.acceptOp("=")
			p.identOrString()
		case p.peek().is("COLLATE"):
			p.next()
			p.identOrString()
		default:
			return
		}
	}
}
