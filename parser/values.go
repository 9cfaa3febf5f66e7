package parser

import "github.com/basaltdb/basalt/parser/ast"

// bulkRows reads the rows of INSERT … VALUES straight from the lexer, without tokens
// in memory and without a grammar, as long as they hold nothing but literals. It
// declines, with the lexer where it was, at the first thing that is no literal.
//
// Literals and rows are cut from chunks: two small objects a value would cost more
// than reading it.
func (p *parser) bulkRows(l *lexer, valuesPos int) bool {
	saved := *l
	b := bulk{l: l, v: &ast.Values{Pos: ast.Pos(valuesPos)}}
	if !b.rows() {
		*l = saved
		return false
	}
	p.values, p.valuesEnd = b.v, b.end
	return true
}

type bulk struct {
	l        *lexer
	v        *ast.Values
	literals []ast.Literal
	exprs    []ast.Expr
	width    int
	end      int // behind the last row
}

const bulkChunk = 512

func (b *bulk) rows() bool {
	for {
		if t := b.l.next(); !t.isOp("(") {
			return false
		}
		row, ok := b.row()
		if !ok {
			return false
		}
		b.v.Rows = append(b.v.Rows, row)
		before := b.l.pos
		b.end = before
		t := b.l.next()
		switch {
		case t.isOp(","):
		case t.isOp(";"), t.kind == tokEOF:
			b.l.pos = before // the tokenizer sees the end itself
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
		switch t := b.l.next(); {
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

func (b *bulk) value() (ast.Expr, bool) {
	t := b.l.next()
	switch t.kind {
	case tokString:
		return b.literal(t.start, ast.StringLit, t.val), true
	case tokInt:
		return b.literal(t.start, ast.IntLit, t.val), true
	case tokDecimal:
		return b.literal(t.start, ast.DecimalLit, t.val), true
	case tokFloat:
		return b.literal(t.start, ast.FloatLit, t.val), true
	case tokHex:
		return b.literal(t.start, ast.HexLit, t.val), true
	case tokBit:
		return b.literal(t.start, ast.BitLit, t.val), true
	case tokWord:
		switch t.val {
		case "NULL":
			return b.literal(t.start, ast.NullLit, ""), true
		case "TRUE":
			return b.literal(t.start, ast.BoolLit, "true"), true
		case "FALSE":
			return b.literal(t.start, ast.BoolLit, "false"), true
		case "DEFAULT":
			return &ast.Default{Pos: ast.Pos(t.start)}, true
		}
	case tokOp:
		if t.val == "-" {
			n := b.l.next()
			kind, ok := literalKinds[n.kind]
			if ok && kind <= ast.FloatLit {
				return &ast.Unary{Pos: ast.Pos(t.start), Op: "-", X: b.literal(n.start, kind, n.val)}, true
			}
		}
	}
	return nil, false
}
