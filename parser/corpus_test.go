package parser

import (
	"os"
	"path/filepath"
	"testing"
)

// corpusFor calls fn with every file of testdata/dir; the queries of TPC-DS are with their benchmark.
func corpusFor(t testing.TB, dir string, fn func(name, text string)) int {
	t.Helper()
	path := filepath.Join("testdata", dir)
	if dir == "tpcds" {
		path = filepath.Join("..", "bench", "tpcds", "queries")
	}
	files, err := filepath.Glob(filepath.Join(path, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fn(f, string(text))
	}
	return len(files)
}

// TestCorpusParses reads the queries of the public benchmarks and our collection of
// statements, and counts the statements, so that none is lost unseen.
func TestCorpusParses(t *testing.T) {
	check := func(dir string, numFiles, atLeast int) {
		t.Helper()
		n := 0
		files := corpusFor(t, dir, func(name, text string) {
			parsed, err := Parse(text, Options{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			n += len(parsed)
		})
		if files != numFiles || n < atLeast {
			t.Errorf("%s: %d statements in %d files, want %d in %d", dir, n, files, atLeast, numFiles)
		}
	}
	check("tpch", 22, 22)
	check("tpcds", 99, 99)
	check("clickbench", 43, 43)
	check("dialect", 4, 500)
}
