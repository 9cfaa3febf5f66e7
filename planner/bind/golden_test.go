package bind_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// golden is one case of a testdata file:
//
//	# why this case is here
//	command
//	SQL
//	----
//	output, up to a blank line
type golden struct {
	comment            []string
	command, sql, want string
	line               int
}

func readGoldens(t *testing.T, path string) []*golden {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*golden
	lines := strings.Split(string(data), "\n")
	take := func(i *int, end string) string {
		var part []string
		for *i++; *i < len(lines) && lines[*i] != end; *i++ {
			part = append(part, lines[*i])
		}
		return strings.Join(part, "\n")
	}
	var comment []string
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" {
			continue
		}
		if strings.HasPrefix(lines[i], "#") {
			comment = append(comment, lines[i])
			continue
		}
		c := &golden{comment: comment, command: lines[i], line: i + 1}
		comment = nil
		c.sql = take(&i, "----")
		c.want = take(&i, "")
		out = append(out, c)
	}
	return out
}

func writeGoldens(t *testing.T, path string, cases []*golden) {
	t.Helper()
	parts := make([]string, len(cases))
	for i, c := range cases {
		for _, l := range c.comment {
			parts[i] += l + "\n"
		}
		parts[i] += fmt.Sprintf("%s\n%s\n----\n%s\n", c.command, c.sql, c.want)
	}
	if err := os.WriteFile(path, []byte(strings.Join(parts, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
