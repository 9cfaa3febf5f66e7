package parser

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// FuzzParse checks that any text gives an error with a position, or trees that print
// to text which parses to equal trees.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"tpch", "clickbench", "dialect"} {
		corpusFor(f, dir, func(_, text string) {
			for _, s := range strings.Split(text, ";") {
				f.Add(s, false, false)
			}
		})
	}
	f.Add(`SELECT "a" || "b" FROM "t"`, true, true)
	f.Add("CREATE MATERIALIZED VIEW mv_uv AS SELECT page AS p_, bitM p", true, true)
	f.Fuzz(func(t *testing.T, text string, ansiQuotes, pipesAsConcat bool) {
		o := Options{AnsiQuotes: ansiQuotes, PipesAsConcat: pipesAsConcat}
		parsed, err := Parse(text, o)
		if err != nil {
			if e := sqlerr.From(err); e.Pos < 0 || e.Pos > len(text) || e.Code == sqlerr.Internal {
				t.Fatalf("error %d %q at %d of %d bytes", e.Code.Number, e.Message, e.Pos, len(text))
			}
			return
		}
		for _, p := range parsed {
			if text[p.Start:p.Start+len(p.Text)] != p.Text {
				t.Fatalf("%q does not start at %d", p.Text, p.Start)
			}
			printed := ast.Format(p.Statement)
			again, err := Parse(printed, o)
			if err != nil {
				t.Fatalf("%v\n  text:    %q\n  printed: %q", err, p.Text, printed)
			}
			if len(again) != 1 || !ast.Equal(p.Statement, again[0].Statement) {
				t.Fatalf("the printed statement differs\n  text:    %q\n  printed: %q\n  again:   %q", p.Text, printed, ast.Format(again[0].Statement))
			}
		}
	})
}
