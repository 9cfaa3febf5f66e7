// Package parser turns SQL text into statements of package ast. It resolves no names.
//
// The text passes four stages. lex.go cuts it into tokens. The statement's own grammar
// (stmt.go and the ddl_, show_ and admin_ files) reads tokens by recursive descent.
// Queries and expressions are rewritten for the TiDB parser (rewrite_*.go), which sees
// marks instead of the user's names and values (mark.go), and its tree is converted to
// ours (convert_*.go). Bulk INSERT … VALUES has a scanner of its own (values.go).
package parser

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// Limits against texts that would exhaust the stack or the memory.
const (
	maxTextBytes = 256 << 20
	maxNesting   = 500   // brackets, calls and subqueries within each other
	maxDepth     = 20000 // operators within each other: a + b + c + … is a deep tree
)

// Options are the session settings that change how text is read.
type Options struct {
	AnsiQuotes    bool // "x" is an identifier
	PipesAsConcat bool // || concatenates
}

// Parsed is one statement and where it stands in the text.
type Parsed struct {
	Statement  ast.Statement
	Text       string // the statement's own text, without the separator
	Start      int    // byte offset of Text in the whole input
	ParamCount int
}

// Parse reads all statements of text. An error is a *sqlerr.Error whose Pos is an
// offset in text. Safe for concurrent use.
func Parse(text string, o Options) (parsed []Parsed, err error) {
	if err := checkSize(text); err != nil {
		return nil, err
	}
	defer rescue(&err, func() { parsed = nil })
	l := &lexer{src: text, ansiQuotes: o.AnsiQuotes}
	for {
		p := newParser(text, o)
		last := p.tokenize(l)
		if len(p.toks) > 1 {
			p.match = matchBrackets(p.toks)
			start := p.toks[0].start
			s := p.topStatement()
			parsed = append(parsed, Parsed{Statement: s, Text: text[start:p.end()], Start: start, ParamCount: p.params})
		}
		if last {
			break
		}
	}
	if len(parsed) == 0 {
		return nil, sqlerr.New(sqlerr.EmptyQuery, "Query was empty").At(0)
	}
	return parsed, nil
}

// ParseExpr reads one expression, for example the mapping of a load's column. Errors
// are as those of Parse.
func ParseExpr(text string, o Options) (e ast.Expr, err error) {
	err = parseWhole(text, o, func(p *parser) { e = p.expression() })
	return e, err
}

// ParseType reads one type, for example of a file's declared schema. Errors are as
// those of Parse.
func ParseType(text string) (t *ast.TypeName, err error) {
	err = parseWhole(text, Options{}, func(p *parser) { t = p.typeName() })
	return t, err
}

// parseWhole runs read over a text that it must read to the end.
func parseWhole(text string, o Options, read func(*parser)) (err error) {
	if err := checkSize(text); err != nil {
		return err
	}
	defer rescue(&err, func() {})
	l := &lexer{src: text, ansiQuotes: o.AnsiQuotes}
	p := newParser(text, o)
	last := p.tokenize(l)
	p.match = matchBrackets(p.toks)
	read(p)
	if !p.atEnd() || !last {
		p.fail("")
	}
	return nil
}

func checkSize(text string) error {
	if len(text) > maxTextBytes {
		return sqlerr.New(sqlerr.PacketTooLarge, "the text has %d bytes, more than %d", len(text), maxTextBytes).At(0)
	}
	return nil
}

// rescue turns the panic of an error for the user into *err; failed clears results.
func rescue(err *error, failed func()) {
	r := recover()
	if r == nil {
		return
	}
	b, ok := r.(bail)
	if !ok {
		panic(r)
	}
	failed()
	*err = b.err
}

// newParser has room for a short statement.
func newParser(text string, o Options) *parser {
	return &parser{src: text, o: o, toks: make([]token, 0, 32), marks: make([]mark, 0, 16), out: make([]piece, 0, 32)}
}

// tokenize reads the tokens of one statement, up to ';' or the end of the text, and
// reports whether that was the end.
func (p *parser) tokenize(l *lexer) bool {
	for {
		t := l.next()
		if t.kind == tokEOF || t.isOp(";") {
			last := t.kind == tokEOF
			p.toks = append(p.toks, token{kind: tokEOF, start: t.start, end: t.start})
			return last
		}
		p.toks = append(p.toks, t)
		if t.is("VALUES") && p.endsInsertHead() {
			p.bulkRows(l, t.start)
		}
	}
}

// endsInsertHead tells whether the last token, VALUES, is the one of INSERT … VALUES.
func (p *parser) endsInsertHead() bool {
	if first := &p.toks[0]; !first.is("INSERT") && !first.is("REPLACE") {
		return false
	}
	for i := range p.toks {
		if t := &p.toks[i]; t.is("SELECT") || t.is("FROM") || t.is("AS") || t.is("TABLE") && i > 3 {
			return false
		}
	}
	return true
}

// end is where the statement's text ends.
func (p *parser) end() int {
	if p.values != nil {
		return p.valuesEnd
	}
	return p.toks[len(p.toks)-2].end
}
