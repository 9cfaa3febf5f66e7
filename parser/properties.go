package parser

import "github.com/basaltdb/basalt/parser/ast"

// propertyAt tells whether "key" = value begins at token i.
func (p *parser) propertyAt(i int) bool {
	if i+1 >= len(p.toks) {
		return false
	}
	k := &p.toks[i]
	return (k.kind == tokString || k.kind == tokQuoted || k.kind == tokWord) && p.toks[i+1].isOp("=")
}

// propertyList reads ("k" = "v", …). Keys and values may be written as names and numbers.
func (p *parser) propertyList() []ast.Property {
	p.expectOp("(")
	props := []ast.Property{}
	for !p.acceptOp(")") {
		if len(props) > 0 {
			p.expectOp(",")
		}
		pr := ast.Property{Pos: p.pos()}
		pr.Key = p.propertyKey()
		p.expectOp("=")
		pr.Value = p.propertyValue()
		props = append(props, pr)
	}
	return props
}

// propertyKey reads a string, or dotted words.
func (p *parser) propertyKey() string {
	key := p.identOrString()
	for p.acceptOp(".") {
		key += "." + p.ident()
	}
	return key
}

func (p *parser) propertyValue() string {
	t := p.peek()
	switch {
	case t.kind == tokString:
		return p.stringLiteral().Text
	case t.isOp("-"):
		p.next()
		return "-" + p.propertyValue()
	case t.kind == tokWord || t.kind == tokQuoted:
		return p.propertyKey()
	case t.kind == tokInt, t.kind == tokDecimal, t.kind == tokFloat:
		p.next()
		return t.val
	}
	p.fail("a value expected")
	return ""
}

// optionalProperties reads [PROPERTIES ( … )].
func (p *parser) optionalProperties() []ast.Property {
	if p.accept("PROPERTIES") {
		return p.propertyList()
	}
	return nil
}
