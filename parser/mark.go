package parser

import (
	"strconv"

	"github.com/basaltdb/basalt/parser/ast"
)

// A mark stands in the text for the TiDB parser in place of something that the user
// wrote: mark 12 is the identifier t12. Every name, literal, call, table and select
// item becomes one, so the TiDB parser sees operators and the skeleton of queries
// but no text of the user's. What its tree cannot hold (FULL joins, NULLS FIRST,
// subscripts, window frames, …) waits in the mark and is put back by conversion.
//
// Used as a column, a mark stands for its node. Used as a function, its arguments
// are expressions that conversion puts into the node: the first nargs into args,
// the others one by one into holes.
type mark struct {
	tok     int // first token
	payload any // an ast node or one of the types below
	args    []ast.Expr
	holes   []func(ast.Expr)
}

// itemMark is the alias of a select item. The first item of a block leads to the block.
type itemMark struct {
	item  ast.SelectItem
	block ast.Query // *ast.Select or *ast.Values, without its expressions
}

// orderMark wraps an ORDER BY key.
type orderMark struct {
	item ast.OrderItem
}

// clausesMark wraps HAVING together with the clauses that the TiDB grammar lacks.
type clausesMark struct {
	having ast.Expr
}

// listMark is a list of literals in IN.
type listMark struct {
	list []ast.Expr
}

// usingMark is the column list of USING.
type usingMark struct {
	columns []string
}

// noTable is the table of a SELECT without FROM.
type noTable struct{}

// piece is a part of the text for the TiDB parser, and the token it stems from.
type piece struct {
	text string
	tok  int
}

func (p *parser) emit(text string) { p.out = append(p.out, piece{text, p.i}) }

// pass emits the words and goes behind them when they stand at the cursor.
func (p *parser) pass(words ...string) bool {
	if !p.isWords(words...) {
		return false
	}
	for _, w := range words {
		p.emit(w)
		p.next()
	}
	return true
}

// addMark stores m and returns the name that stands for it.
func (p *parser) addMark(m mark) string {
	p.marks = append(p.marks, m)
	return "t" + strconv.Itoa(len(p.marks)-1)
}

// emitLeaf emits a mark for a complete node that begins at token tok.
func (p *parser) emitLeaf(tok int, node any) {
	p.out = append(p.out, piece{p.addMark(mark{tok: tok, payload: node}), tok})
}

// markOf is the mark named so, or nil.
func (p *parser) markOf(name string) (int, *mark) {
	if len(name) < 2 || name[0] != 't' {
		return 0, nil
	}
	n, err := strconv.Atoi(name[1:])
	if err != nil || n < 0 || n >= len(p.marks) {
		return 0, nil
	}
	return n, &p.marks[n]
}
