package parser

import (
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// bulkRows reads the rows of INSERT … VALUES straight from the lexer: a row is gone
// from the lexer's memory when the next one comes, and literals meet no grammar. A
// value that is no literal is read as an expression of its own. It declines, with the
// lexer where it was, when the text is not rows up to its end.
//
// Literals and rows are cut from chunks: two small objects a value would cost more
// than reading it.
func (p *parser) bulkRows(l *lexer, valuesPos int) bool {
	for i := range p.toks {
		if p.toks[i].kind == tokParam { // parameters count from the statement's start
			return false
		}
	}
	saved := *l
	b := bulk{l: l, outer: p, v: &ast.Values{Pos: ast.Pos(valuesPos)}}
	if !b.rows() {
		*l = saved
		p.params = 0
		return false
	}
	p.values, p.valuesEnd = b.v, b.end
	return true
}

type bulk struct {
	l        *lexer
	outer    *parser
	v        *ast.Values
	literals []ast.Literal
	exprs    []ast.Expr
	width    int
	end      int    // behind the last row
	ahead    *token // read but not used yet
	toks     []token
}

const bulkChunk = 512

func (b *bulk) next() token {
	if t := b.ahead; t != nil {
		b.ahead = nil
		return *t
	}
	return b.l.next()
}

func (b *bulk) rows() bool {
	for {
		if t := b.next(); !t.isOp("(") {
			return false
		}
		row, ok := b.row()
		if !ok {
			return false
		}
		b.v.Rows = append(b.v.Rows, row)
		b.end = b.l.pos
		t := b.next()
		switch {
		case t.isOp(","):
		case t.isOp(";"), t.kind == tokEOF:
			b.l.pos = b.end // the tokenizer sees the end itself
			return true
		default:
			return false
		}
	}
}

// row reads values up to the closing bracket.
func (b *bulk) row() ([]ast.Expr, bool) {
	if cap(b.exprs)-len(b.exprs) < max(b.width, 1) {
		b.exprs = make([]ast.Expr, 0, max(bulkChunk, b.width))
	}
	row := b.exprs[len(b.exprs):]
	for {
		e, ok := b.value()
		if !ok {
			return nil, false
		}
		row = append(row, e)
		switch t := b.next(); {
		case t.isOp(","):
		case t.isOp(")"):
			b.width = len(row)
			if len(row) <= cap(b.exprs)-len(b.exprs) {
				b.exprs = b.exprs[:len(b.exprs)+len(row)]
			}
			return row[:len(row):len(row)], true
		default:
			return nil, false
		}
	}
}

func (b *bulk) literal(pos int, kind ast.LiteralKind, text string) *ast.Literal {
	if len(b.literals) == cap(b.literals) {
		b.literals = make([]ast.Literal, 0, bulkChunk)
	}
	b.literals = append(b.literals, ast.Literal{Pos: ast.Pos(pos), Kind: kind, Text: text})
	return &b.literals[len(b.literals)-1]
}

// value reads one value: a literal when a comma or a bracket follows it at once, else
// an expression.
func (b *bulk) value() (ast.Expr, bool) {
	t := b.next()
	if t.isOp(")") { // an empty row is left to the grammar
		return nil, false
	}
	b.toks = append(b.toks[:0], t)
	var lit *ast.Literal
	sign := -1
	if t.isOp("-") {
		sign = t.start
		t = b.next()
		b.toks = append(b.toks, t)
	}
	kind, isNumber := literalKinds[t.kind]
	switch {
	case sign >= 0 && (!isNumber || kind > ast.FloatLit):
	case isNumber:
		lit = b.literal(t.start, kind, t.val)
	case t.kind == tokString:
		lit = b.literal(t.start, ast.StringLit, t.val)
	case t.is("NULL"):
		lit = b.literal(t.start, ast.NullLit, "")
	case t.is("TRUE"), t.is("FALSE"):
		lit = b.literal(t.start, ast.BoolLit, strings.ToLower(t.val))
	}
	after := b.next()
	if lit != nil && (after.isOp(",") || after.isOp(")")) {
		b.ahead = &after
		if sign >= 0 {
			return &ast.Unary{Pos: ast.Pos(sign), Op: "-", X: lit}, true
		}
		return lit, true
	}
	return b.expression(t, after)
}

// expression reads the value whose tokens are in b.toks and go on with after.
func (b *bulk) expression(last, after token) (ast.Expr, bool) {
	depth := 0
	if len(last.val) == 1 && strings.Contains("([{", last.val) && last.kind == tokOp {
		depth = 1
	}
collect:
	for t := after; ; t = b.next() {
		if t.kind == tokEOF || t.isOp(";") {
			return nil, false
		}
		if t.kind == tokOp {
			switch t.val {
			case "(", "[", "{":
				depth++
			case ")", "]", "}":
				depth--
			}
			if depth < 0 || depth == 0 && t.val == "," {
				b.ahead = &t
				break collect
			}
		}
		b.toks = append(b.toks, t)
	}
	p := newParser(b.outer.src, b.outer.o)
	end := token{kind: tokEOF, start: b.ahead.start, end: b.ahead.start}
	p.toks = append(p.toks, b.toks...)
	p.toks = append(p.toks, end)
	p.match = matchBrackets(p.toks)
	p.params = b.outer.params
	e := p.expression()
	if !p.atEnd() {
		p.fail("")
	}
	b.outer.params = p.params
	return e, true
}
