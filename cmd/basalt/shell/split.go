package shell

import "strings"

// Statement is one statement of a script without its end, or a line for the shell itself.
type Statement struct {
	Text     string
	Vertical bool // ended by \G: show each row over several lines
	Meta     bool // a line that starts with a backslash
}

// Split cuts text into the statements that end with ; or \G, and the rest that has no end
// yet. Both are ignored inside quotes and comments. Empty statements are dropped. A
// backslash where a statement would start makes its line one for the shell.
func Split(text string) (list []Statement, rest string) {
	start := 0
	add := func(end int, vertical bool) {
		if t := strings.TrimSpace(text[start:end]); skipSpace(t) != "" {
			list = append(list, Statement{Text: t, Vertical: vertical})
		}
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ';':
			add(i, false)
			i++
			start = i
		case c == '\\' && skipSpace(text[start:i]) == "" && !strings.HasPrefix(text[i:], `\G`) && !strings.HasPrefix(text[i:], `\g`):
			line, _, _ := strings.Cut(text[i:], "\n")
			list = append(list, Statement{Text: strings.TrimSpace(line), Meta: true})
			i += len(line)
			start = i
		case c == '\\' && i+1 < len(text) && (text[i+1] == 'G' || text[i+1] == 'g'):
			add(i, text[i+1] == 'G')
			i += 2
			if i < len(text) && text[i] == ';' {
				i++
			}
			start = i
		default:
			i = skipToken(text, i)
		}
	}
	return list, text[start:]
}

// skipToken returns the position behind the quoted text, comment or byte at i.
func skipToken(text string, i int) int {
	switch c := text[i]; {
	case c == '\'' || c == '"' || c == '`':
		return skipQuoted(text, i)
	case isLineComment(text, i):
		return skipUntil(text, i, "\n")
	case strings.HasPrefix(text[i:], "/*"):
		return skipUntil(text, i+2, "*/")
	}
	return i + 1
}

func isLineComment(text string, i int) bool {
	if text[i] == '#' {
		return true
	}
	return strings.HasPrefix(text[i:], "--") && (i+2 == len(text) || text[i+2] == ' ' || text[i+2] == '\t' || text[i+2] == '\n' || text[i+2] == '\r')
}

func skipUntil(text string, i int, end string) int {
	at := strings.Index(text[i:], end)
	if at < 0 {
		return len(text)
	}
	return i + at + len(end)
}

// skipQuoted passes a quoted text; a doubled quote is two quoted texts to it, which is as good.
func skipQuoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// skipSpace drops white space and comments from the front of a statement.
func skipSpace(text string) string {
	for i := 0; i < len(text); {
		switch {
		case strings.IndexByte(" \t\r\n", text[i]) >= 0:
			i++
		case isLineComment(text, i), strings.HasPrefix(text[i:], "/*") && !strings.HasPrefix(text[i:], "/*!") && !strings.HasPrefix(text[i:], "/*+"):
			i = skipToken(text, i)
		default:
			return text[i:]
		}
	}
	return ""
}
