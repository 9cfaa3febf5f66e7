package parser

import (
	"testing"

	"github.com/basaltdb/basalt/parser/ast"
)

// TestFormatRoundTrip checks parse(format(parse(x))) = parse(x) over the corpus.
func TestFormatRoundTrip(t *testing.T) {
	for _, dir := range []string{"tpch", "tpcds", "clickbench", "dialect"} {
		corpusFor(t, dir, func(name, text string) {
			parsed, err := Parse(text, Options{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			for _, p := range parsed {
				checkRoundTrip(t, p, Options{})
			}
		})
	}
}

func checkRoundTrip(t *testing.T, p Parsed, o Options) {
	t.Helper()
	printed := ast.Format(p.Statement)
	again, err := Parse(printed, o)
	if err != nil {
		t.Errorf("%v\n  text:    %s\n  printed: %s", err, p.Text, printed)
		return
	}
	if len(again) != 1 || !ast.Equal(p.Statement, again[0].Statement) {
		t.Errorf("the printed statement differs\n  text:    %s\n  printed: %s\n  again:   %s", p.Text, printed, ast.Format(again[0].Statement))
	}
}
