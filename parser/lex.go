package parser

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// tokenKind is the lexical class of a token.
type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokWord             // an unquoted word; val is its upper-case form
	tokQuoted           // a quoted identifier; val is the name
	tokString           // val is the unescaped text
	tokInt              // val is the digits
	tokDecimal
	tokFloat
	tokHex // val is the bytes
	tokBit // val is the bytes
	tokParam
	tokUserVar // @x; val is the lower-case name
	tokSysVar  // @@x or @@scope.x; val is the lower-case name with its scope
	tokOp      // val is the operator or the punctuation mark
	tokHint    // /*+ … */; val is the text inside
)

// token is one lexical unit of the user's text; src[start:end] is how it was written.
type token struct {
	kind       tokenKind
	start, end int
	val        string
}

// lexer cuts one text into tokens. Comments vanish, except that the content of
// /*! … */ is read as if the comment marks were not there, as MySQL does.
type lexer struct {
	src        string
	pos        int
	ansiQuotes bool
	inBang     bool // inside /*! … */
	// The token before: where it ended, and whether it was a dot or the end of a name,
	// which decide how digits and points are read.
	prevEnd           int
	prevDot, prevName bool
}

func (l *lexer) fail(pos int, what string) {
	panic(bail{syntaxError(l.src, pos, what)})
}

// next returns the next token; at the end of the text always tokEOF.
func (l *lexer) next() token {
	if hint, ok := l.skipBlank(); ok {
		return hint
	}
	t := l.scan()
	l.prevEnd = t.end
	l.prevDot = t.kind == tokOp && t.val == "."
	l.prevName = t.kind == tokWord || t.kind == tokQuoted || t.kind == tokOp && (t.val == ")" || t.val == "]")
	return t
}

func (l *lexer) scan() token {
	start := l.pos
	if start >= len(l.src) {
		return token{kind: tokEOF, start: len(l.src), end: len(l.src)}
	}
	c := l.src[start]
	switch {
	case isDigit(c):
		if l.prevDot && l.prevEnd == start {
			return l.word() // the part after a dot may begin with a digit
		}
		return l.number()
	case c == '.' && start+1 < len(l.src) && isDigit(l.src[start+1]) && (!l.prevName || l.prevEnd != start):
		return l.number()
	case isWordStart(c):
		if start+1 < len(l.src) && l.src[start+1] == '\'' {
			switch c {
			case 'x', 'X':
				return l.quotedBytes(tokHex)
			case 'b', 'B':
				return l.quotedBytes(tokBit)
			case 'n', 'N':
				l.pos++
				t := l.quoted('\'', tokString)
				t.start = start
				return t
			}
		}
		return l.word()
	case c == '\'':
		return l.quoted('\'', tokString)
	case c == '"':
		if l.ansiQuotes {
			return l.quoted('"', tokQuoted)
		}
		return l.quoted('"', tokString)
	case c == '`':
		return l.quoted('`', tokQuoted)
	case c == '@':
		return l.variable()
	case c == '?':
		l.pos++
		return token{kind: tokParam, start: start, end: l.pos, val: "?"}
	}
	return l.operator()
}

// skipBlank passes white space and comments. A hint comes back as a token.
func (l *lexer) skipBlank() (token, bool) {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; c {
		case ' ', '\t', '\n', '\r', '\f', '\v':
			l.pos++
			continue
		case '#', '-', '*', '/', 0xef:
		default:
			return token{}, false
		}
		rest := l.src[l.pos:]
		switch {
		case rest[0] == '#':
			l.skipLine()
		case strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			l.skipLine()
		case l.inBang && strings.HasPrefix(rest, "*/"):
			l.inBang = false
			l.pos += 2
		case strings.HasPrefix(rest, "/*"):
			if hint, ok := l.comment(rest); ok {
				return hint, true
			}
		case strings.HasPrefix(rest, "\xef\xbb\xbf"): // byte order mark
			l.pos += 3
		default:
			return token{}, false
		}
	}
	return token{}, false
}

func (l *lexer) skipLine() {
	if n := strings.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		l.pos += n + 1
	} else {
		l.pos = len(l.src)
	}
}

// comment passes the comment at the head of rest; it returns a token for a hint.
func (l *lexer) comment(rest string) (token, bool) {
	start := l.pos
	if strings.HasPrefix(rest, "/*!") && !l.inBang {
		l.pos += 3
		for n := 0; n < 6 && l.pos < len(l.src) && isDigit(l.src[l.pos]); n++ {
			l.pos++
		}
		l.inBang = true
		return token{}, false
	}
	n := strings.Index(rest[2:], "*/")
	if n < 0 {
		l.fail(start, "unterminated comment")
	}
	l.pos += n + 4
	if strings.HasPrefix(rest, "/*+") {
		return token{kind: tokHint, start: start, end: l.pos, val: rest[3 : n+2]}, true
	}
	return token{}, false
}

func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.src) && isWordPart(l.src[l.pos]) {
		l.pos++
	}
	return token{kind: tokWord, start: start, end: l.pos, val: upperWord(l.src[start:l.pos])}
}

func (l *lexer) number() token {
	start := l.pos
	s := l.src
	if s[start] == '0' && start+2 < len(s) && (s[start+1] == 'x' || s[start+1] == 'b') {
		if t, ok := l.prefixed(); ok {
			return t
		}
	}
	kind := tokInt
	for l.pos < len(s) && isDigit(s[l.pos]) {
		l.pos++
	}
	if l.pos < len(s) && s[l.pos] == '.' {
		kind = tokDecimal
		l.pos++
		for l.pos < len(s) && isDigit(s[l.pos]) {
			l.pos++
		}
	}
	if l.pos < len(s) && (s[l.pos] == 'e' || s[l.pos] == 'E') {
		p := l.pos + 1
		if p < len(s) && (s[p] == '+' || s[p] == '-') {
			p++
		}
		if p < len(s) && isDigit(s[p]) {
			for p < len(s) && isDigit(s[p]) {
				p++
			}
			kind = tokFloat
			l.pos = p
		}
	}
	if kind == tokInt && l.pos < len(s) && isWordPart(s[l.pos]) {
		l.pos = start
		return l.word() // a name may begin with digits
	}
	return token{kind: kind, start: start, end: l.pos, val: s[start:l.pos]}
}

// prefixed reads 0x4d and 0b01; it declines what is a name beginning with a digit.
func (l *lexer) prefixed() (token, bool) {
	start := l.pos
	end := start + 2
	for end < len(l.src) && isWordPart(l.src[end]) {
		end++
	}
	kind := tokHex
	if l.src[start+1] == 'b' {
		kind = tokBit
	}
	val, ok := decodeDigits(l.src[start+2:end], kind)
	if !ok || end == start+2 {
		return token{}, false
	}
	l.pos = end
	return token{kind: kind, start: start, end: end, val: val}, true
}

// quotedBytes reads x'4d' and b'01'.
func (l *lexer) quotedBytes(kind tokenKind) token {
	start := l.pos
	n := strings.IndexByte(l.src[start+2:], '\'')
	if n < 0 {
		l.fail(start, "unterminated literal")
	}
	val, ok := decodeDigits(l.src[start+2:start+2+n], kind)
	if !ok || (kind == tokHex && n%2 == 1) {
		l.fail(start, "malformed literal")
	}
	l.pos = start + n + 3
	return token{kind: kind, start: start, end: l.pos, val: val}
}

// decodeDigits turns hexadecimal or binary digits into bytes, left-padded with zero bits.
func decodeDigits(s string, kind tokenKind) (string, bool) {
	shift := 4
	if kind == tokBit {
		shift = 1
	}
	out := make([]byte, (len(s)*shift+7)/8)
	for i := range len(s) {
		v := hexValue(s[len(s)-1-i])
		if v < 0 || v >= 1<<shift {
			return "", false
		}
		bit := i * shift
		out[len(out)-1-bit/8] |= byte(v << (bit % 8))
	}
	return string(out), true
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// quoted reads text between quote marks; a doubled mark stands for itself, and in
// strings a backslash escapes.
func (l *lexer) quoted(quote byte, kind tokenKind) token {
	start := l.pos
	s := l.src
	i := start + 1
	plain := true
	for {
		if i >= len(s) {
			l.fail(start, "unterminated quotation")
		}
		c := s[i]
		if c == quote {
			if i+1 < len(s) && s[i+1] == quote {
				plain = false
				i += 2
				continue
			}
			break
		}
		if c == '\\' && kind == tokString {
			plain = false
			i++
		}
		i++
	}
	l.pos = i + 1
	val := s[start+1 : i]
	if val == "" && kind == tokQuoted {
		l.fail(start, "a name is empty")
	}
	if !plain {
		val = unescape(val, quote, kind == tokString)
	}
	return token{kind: kind, start: start, end: l.pos, val: val}
}

// unescape resolves doubled quotes and, with backslash, MySQL's escapes. \% and \_
// keep their backslash, so that LIKE sees them.
func unescape(s string, quote byte, backslash bool) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == quote {
			i++
		}
		if c != '\\' || !backslash || i+1 >= len(s) {
			out = append(out, c)
			continue
		}
		i++
		switch s[i] {
		case '0':
			out = append(out, 0)
		case 'b':
			out = append(out, '\b')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'Z':
			out = append(out, 26)
		case '%', '_':
			out = append(out, '\\', s[i])
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

func (l *lexer) variable() token {
	start := l.pos
	kind := tokUserVar
	l.pos++
	if l.pos < len(l.src) && l.src[l.pos] == '@' {
		kind = tokSysVar
		l.pos++
	}
	if l.pos < len(l.src) && strings.IndexByte("'\"`", l.src[l.pos]) >= 0 {
		t := l.quoted(l.src[l.pos], tokQuoted) // not tokString: no escapes in names
		return token{kind: kind, start: start, end: l.pos, val: strings.ToLower(t.val)}
	}
	from := l.pos
	for l.pos < len(l.src) && (isWordPart(l.src[l.pos]) || l.src[l.pos] == '.') {
		l.pos++
	}
	if l.pos == from {
		if kind == tokSysVar {
			l.fail(start, "a variable has no name")
		}
		return token{kind: tokOp, start: start, end: l.pos, val: "@"}
	}
	name := l.src[from:l.pos]
	if name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, "..") {
		l.fail(start, "malformed variable name")
	}
	return token{kind: kind, start: start, end: l.pos, val: strings.ToLower(name)}
}

// longOperators is tried in order before single characters.
var longOperators = [...]string{"<=>", "->>", "<=", ">=", "<>", "!=", "<<", ">>", ":=", "::", "->", "||", "&&", "=="}

func (l *lexer) operator() token {
	start := l.pos
	switch l.src[start] { // the most frequent first
	case '(':
		l.pos++
		return token{kind: tokOp, start: start, end: l.pos, val: "("}
	case ')':
		l.pos++
		return token{kind: tokOp, start: start, end: l.pos, val: ")"}
	case ',':
		l.pos++
		return token{kind: tokOp, start: start, end: l.pos, val: ","}
	}
	rest := l.src[start:]
	for _, op := range longOperators {
		if strings.HasPrefix(rest, op) {
			l.pos += len(op)
			return token{kind: tokOp, start: start, end: l.pos, val: op}
		}
	}
	if strings.IndexByte("+-*/%&|^~!=<>(),;[]{}.:", rest[0]) < 0 {
		l.fail(start, "")
	}
	l.pos++
	return token{kind: tokOp, start: start, end: l.pos, val: rest[:1]}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || isDigit(c) }

// upperWord is strings.ToUpper for ASCII; other bytes stay, so that names keep their length.
func upperWord(s string) string {
	for i := range len(s) {
		if s[i] >= 'a' && s[i] <= 'z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'a' && b[j] <= 'z' {
					b[j] -= 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// bail carries a user's error up to Parse.
type bail struct{ err *sqlerr.Error }
