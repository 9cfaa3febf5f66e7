package parser

import (
	"os"
	"path/filepath"
	"testing"
)

// corpus calls fn with every file below testdata/dir and fails when there are fewer than want.
func corpus(t *testing.T, dir string, want int, fn func(name, text string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
	if err != nil || len(files) < want {
		t.Fatalf("testdata/%s has %d files, want %d (%v)", dir, len(files), want, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fn(f, string(text))
	}
}

func TestCorpusParses(t *testing.T) {
	check := func(dir string, want int) {
		t.Helper()
		corpus(t, dir, want, func(name, text string) {
			if _, err := Parse(text, Options{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	check("tpch", 22)
	check("tpcds", 99)
	check("clickbench", 43)
	check("dialect", 4)
}
