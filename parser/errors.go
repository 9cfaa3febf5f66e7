package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// maxNear bounds the part of the text that a syntax error quotes.
const maxNear = 80

// syntaxError is MySQL's error 1064 for the text at pos. detail, when not empty,
// says what was wrong there.
func syntaxError(src string, pos int, detail string) *sqlerr.Error {
	pos = min(max(pos, 0), len(src))
	near := src[pos:]
	if len(near) > maxNear {
		cut := maxNear
		for cut > 0 && !utf8.RuneStart(near[cut]) {
			cut--
		}
		near = near[:cut]
	}
	line := 1 + strings.Count(src[:pos], "\n")
	column := pos - (strings.LastIndexByte(src[:pos], '\n') + 1) + 1
	e := sqlerr.New(sqlerr.Syntax, "You have an error in your SQL syntax near '%s' at line %d column %d", near, line, column).At(pos)
	if detail != "" {
		e.Message += ": " + detail
	}
	return e
}
