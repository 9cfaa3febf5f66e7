// Package parser turns SQL text into statements of package ast. It resolves no names.
package parser

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
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
func Parse(text string, o Options) ([]Parsed, error) {
	return nil, sqlerr.Unsupported("parsing")
}
