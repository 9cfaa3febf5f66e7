package parser

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// parser reads one statement. Its cursor i moves over toks; out collects the text
// for the TiDB parser, in which every leaf is the name of a mark (see mark.go).
type parser struct {
	src    string
	o      Options
	toks   []token // ends with tokEOF
	match  []int32 // of each bracket the index of its partner; -1 for none
	i      int
	marks  []mark
	out    []piece
	prefix []piece // WITH … of an INSERT, emitted before its query
	depth  int
	// queries is how many queries surround the cursor; into is the statement's INTO OUTFILE.
	queries int
	into    *ast.IntoOutfile
	params  int
	// variables are user variables that are columns: SET of LOAD DATA reads the fields of a line by them.
	variables map[string]bool
	noIn      bool // IN ends the expression: POSITION(a IN b)
	// values are the rows that the bulk scanner read after the last token, up to byte valuesEnd; or nil.
	values    *ast.Values
	valuesEnd int
	// joins are, by token JOIN, the tokens where the words before it begin: the word before those may be a table called ANTI.
	joins map[int]int
}

func (p *parser) peek() *token { return &p.toks[p.i] }

// at is the token n places ahead; past the end it is the end.
func (p *parser) at(n int) *token {
	if p.i+n >= len(p.toks) {
		return &p.toks[len(p.toks)-1]
	}
	return &p.toks[p.i+n]
}

func (p *parser) next() *token {
	t := &p.toks[p.i]
	if p.i < len(p.toks)-1 {
		p.i++
	}
	return t
}

// pos is the position of the token at the cursor, for a node that begins here.
func (p *parser) pos() ast.Pos { return ast.Pos(p.toks[p.i].start) }

func (p *parser) atEnd() bool { return p.toks[p.i].kind == tokEOF }

func (t *token) is(word string) bool { return t.kind == tokWord && t.val == word }

func (t *token) isOp(op string) bool { return t.kind == tokOp && t.val == op }

func (t *token) isName() bool { return t.kind == tokWord || t.kind == tokQuoted }

// isWords tells whether the words stand at the cursor, in order.
func (p *parser) isWords(words ...string) bool {
	for n, w := range words {
		if !p.at(n).is(w) {
			return false
		}
	}
	return true
}

// accept passes the words when all of them stand at the cursor.
func (p *parser) accept(words ...string) bool {
	if !p.isWords(words...) {
		return false
	}
	p.skip(len(words))
	return true
}

// skip goes n tokens ahead, at most to the end.
func (p *parser) skip(n int) { p.i = min(p.i+n, len(p.toks)-1) }

func (p *parser) acceptOp(op string) bool {
	if !p.peek().isOp(op) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.fail("%s expected", w)
		}
	}
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.fail("'%s' expected", op)
	}
}

// fail raises a syntax error at the cursor.
func (p *parser) fail(format string, args ...string) {
	p.failAt(p.i, format, args...)
}

func (p *parser) failAt(tok int, format string, args ...string) {
	for _, a := range args {
		format = strings.Replace(format, "%s", a, 1)
	}
	panic(bail{syntaxError(p.src, p.toks[tok].start, format)})
}

// refuse raises error 1235 for what is understood and cannot run.
func (p *parser) refuse(what string) {
	panic(bail{sqlerr.Unsupported(what).At(p.toks[p.i].start)})
}

// enter bounds nesting: every recursion of the grammar passes here.
func (p *parser) enter() {
	p.depth++
	if p.depth > maxNesting {
		panic(bail{sqlerr.New(sqlerr.Syntax, "the statement is nested too deeply (more than %d levels)", maxNesting).At(p.toks[p.i].start)})
	}
}

func (p *parser) leave() { p.depth-- }

// raw is the text of a token as the user wrote it.
func (p *parser) raw(t *token) string { return p.src[t.start:t.end] }

// textOf is the user's text from token lo up to, not including, token hi.
func (p *parser) textOf(lo, hi int) string {
	if hi <= lo {
		return ""
	}
	return p.src[p.toks[lo].start:p.toks[hi-1].end]
}

// nameOf is the identifier that t spells.
func (p *parser) nameOf(t *token) string {
	if t.kind == tokQuoted {
		return t.val
	}
	return p.raw(t)
}

// ident reads one identifier, reserved or not.
func (p *parser) ident() string {
	t := p.peek()
	if !t.isName() {
		p.fail("a name expected")
	}
	p.next()
	return p.nameOf(t)
}

// identOrString reads a name that may also be written as a string.
func (p *parser) identOrString() string {
	if t := p.peek(); t.kind == tokString {
		p.next()
		return t.val
	}
	return p.ident()
}

// dotted reads a.b.c.
func (p *parser) dotted() []string {
	parts := []string{p.ident()}
	for p.peek().isOp(".") && p.at(1).isName() {
		p.next()
		parts = append(parts, p.ident())
	}
	return parts
}

// name reads [catalog.][database.]name.
func (p *parser) name() ast.Name {
	pos := p.pos()
	start := p.i
	parts := p.dotted()
	n := ast.Name{Pos: pos}
	switch len(parts) {
	case 1:
		n.Name = parts[0]
	case 2:
		n.Database, n.Name = parts[0], parts[1]
	case 3:
		n.Catalog, n.Database, n.Name = parts[0], parts[1], parts[2]
	default:
		p.failAt(start, "a name has at most three parts")
	}
	return n
}

// identList reads (a, b, …).
func (p *parser) identList() []string {
	p.expectOp("(")
	names := []string{p.ident()}
	for !p.acceptOp(")") {
		p.expectOp(",")
		names = append(names, p.ident())
	}
	return names
}

func (p *parser) str() string {
	t := p.peek()
	if t.kind != tokString {
		p.fail("a string expected")
	}
	p.next()
	return t.val
}

// filled reads a string that must not be empty: the name of a class, a path.
func (p *parser) filled() string {
	if t := p.peek(); t.kind == tokString && t.val == "" {
		p.fail("a string that is not empty expected")
	}
	return p.str()
}

// integer reads digits that fit 64 bits, with an optional minus.
func (p *parser) integer() int64 {
	neg := p.acceptOp("-")
	t := p.peek()
	if t.kind != tokInt {
		p.fail("a number expected")
	}
	var n int64
	for i := range len(t.val) {
		d := int64(t.val[i] - '0')
		if n > (1<<63-1-d)/10 {
			p.fail("the number is too large")
		}
		n = n*10 + d
	}
	p.next()
	if neg {
		return -n
	}
	return n
}

// matchBrackets pairs the brackets of the statement. Unpaired ones keep -1 and are
// left to the grammar.
func matchBrackets(toks []token) []int32 {
	match := make([]int32, len(toks))
	var open []int32
	for i := range toks {
		match[i] = -1
		if toks[i].kind != tokOp || len(toks[i].val) != 1 {
			continue
		}
		switch c := toks[i].val[0]; c {
		case '(', '[', '{':
			open = append(open, int32(i))
		case ')', ']', '}':
			if n := len(open); n > 0 && closes(toks[open[n-1]].val[0], c) {
				match[i], match[open[n-1]] = open[n-1], int32(i)
				open = open[:n-1]
			}
		}
	}
	return match
}

func closes(open, c byte) bool {
	// A half-open partition range is written [(1), (2)).
	return open == '(' && c == ')' || open == '[' && (c == ']' || c == ')') || open == '{' && c == '}'
}
