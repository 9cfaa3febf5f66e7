package plantest

import (
	"fmt"
	"os"
	"strings"
)

// Case is one case of a .plan file:
//
//	# why this case is here
//	plan expect=top_n off=prune_columns
//	SELECT …
//	----
//	the output
//	                      ← a blank line; after other commands than plan, whose output has blank lines, a line of ----
type Case struct {
	Comment []string // lines above the command, as written
	Command string   // "plan", "explain", "tree"
	Args    map[string][]string
	Line    string // the command line as written
	SQL     string
	Want    string
	Number  int // of the command's line
}

// ReadCases reads a .plan file.
func ReadCases(path string) ([]*Case, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(data), "\n")
	var out []*Case
	var comment []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "" && len(comment) == 0:
			continue
		case line == "" || strings.HasPrefix(line, "#"):
			comment = append(comment, line)
			continue
		}
		c := &Case{Comment: comment, Line: line, Number: i + 1, Args: map[string][]string{}}
		comment = nil
		words := strings.Fields(line)
		c.Command = words[0]
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w, "=")
			c.Args[key] = append(c.Args[key], strings.Split(value, ",")...)
		}
		var sql, want []string
		for i++; i < len(lines) && lines[i] != "----"; i++ {
			sql = append(sql, lines[i])
		}
		for i++; i < len(lines) && lines[i] != c.end(); i++ {
			want = append(want, lines[i])
		}
		c.SQL, c.Want = strings.Join(sql, "\n"), strings.Join(want, "\n")
		if c.SQL == "" {
			return nil, fmt.Errorf("%s:%d: no statement", path, c.Number)
		}
		out = append(out, c)
	}
	return out, nil
}

func (c *Case) end() string {
	if c.Command != "plan" {
		return "----"
	}
	return ""
}

// WriteCases writes a .plan file whose outputs are got[i].
func WriteCases(path string, cases []*Case, got []string) error {
	var b strings.Builder
	for i, c := range cases {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, l := range c.Comment {
			b.WriteString(l + "\n")
		}
		b.WriteString(c.Line + "\n" + c.SQL + "\n----\n" + got[i] + "\n")
		if e := c.end(); e != "" {
			b.WriteString(e + "\n")
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
