package routing

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden runs the statements of testdata/*.sql. Of queries, the golden file has what their scans read, what became of each index,
// and the rows, which must be the same without routing; of other statements the error, if there is one.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e := open(t, "")
			var out strings.Builder
			for _, sql := range strings.Split(string(text), ";\n") {
				sql = strings.TrimSpace(sql)
				if sql == "" {
					continue
				}
				out.WriteString(sql + ";\n")
				for _, l := range e.golden(withoutComments(sql)) {
					out.WriteString(strings.TrimRight("    "+l, " ") + "\n")
				}
			}
			name := strings.TrimSuffix(file, ".sql") + ".golden"
			if *update {
				if err := os.WriteFile(name, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != out.String() {
				got, expected := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
				for i := range got {
					if i >= len(expected) || got[i] != expected[i] {
						t.Fatalf("line %d of %s is\n%s\nnot\n%s\ngo test ./test/routing -run TestGolden -args -update", i+1, name, got[i], expected[min(i, len(expected)-1)])
					}
				}
				t.Fatalf("%s ends early", name)
			}
		})
	}
}

func withoutComments(sql string) string {
	lines := strings.Split(sql, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "--") }), "\n")
}

func (e *engine) golden(sql string) (out []string) {
	e.Helper()
	isQuery := strings.HasPrefix(sql, "SELECT") || strings.HasPrefix(sql, "WITH")
	rows, err := e.try(sql)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	if !strings.Contains(sql, "ORDER BY") {
		slices.Sort(rows)
	}
	if isQuery {
		for _, l := range strings.Split(e.explain(sql, "").text, "\n") {
			text := strings.TrimLeft(l, " |-")
			switch {
			case strings.HasPrefix(text, "TABLE: "), strings.HasPrefix(text, "PREAGGREGATION: "), strings.HasPrefix(text, "rollup: "), strings.HasPrefix(text, "output: "):
				out = append(out, text)
			case strings.HasPrefix(l, "MaterializedView"), strings.HasPrefix(l, "  default."), strings.HasPrefix(l, "  d."):
				out = append(out, l)
			}
		}
		e.exec("SET enable_materialized_view_rewrite = 0")
		off := e.query(sql)
		e.exec("SET enable_materialized_view_rewrite = 1")
		if !strings.Contains(sql, "ORDER BY") {
			slices.Sort(off)
		}
		if !slices.Equal(rows, off) {
			e.Errorf("%s\nrouted     %q\nnot routed %q", sql, rows, off)
		}
	}
	for _, r := range rows {
		cells := strings.Split(r, "|")
		for i := range cells {
			if strings.ContainsFunc(cells[i], func(c rune) bool { return c < ' ' || c > '~' }) {
				cells[i] = "(binary)"
			}
		}
		out = append(out, "> "+strings.Join(cells, "|"))
	}
	return out
}
