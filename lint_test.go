package basalt_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFileLines     = 1000
	maxFunctionLines = 120
)

// bannedPackages are names that unrelated code gathers under.
var bannedPackages = map[string]bool{"util": true, "utils": true, "common": true, "helpers": true, "helper": true, "base": true, "misc": true}

// lintExceptions lists what may break a rule, with the reason.
var lintExceptions = map[string]string{
	"driver.go init": "database/sql drivers register themselves by init, as every importer expects",
}

// TestSizesAndNames fails on files and functions that are too long to review, on packages
// whose name says nothing, and on init functions.
func TestSizesAndNames(t *testing.T) {
	eachGoFile(t, func(path string) {
		path = filepath.ToSlash(path)
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(src), "\n"); n > maxFileLines && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s: %d lines, at most %d", path, n, maxFileLines)
		}
		if bannedPackages[strings.TrimSuffix(f.Name.Name, "_test")] {
			t.Errorf("%s: package name %s", path, f.Name.Name)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			if lines > maxFunctionLines && !strings.HasSuffix(path, "_test.go") && lintExceptions[path+" "+fn.Name.Name] == "" {
				t.Errorf("%s: %s has %d lines, at most %d", path, fn.Name.Name, lines, maxFunctionLines)
			}
			if fn.Name.Name == "init" && fn.Recv == nil && lintExceptions[path+" init"] == "" {
				t.Errorf("%s: init function", path)
			}
		}
	})
}

// bannedCalls are calls that a room must not make, and what to do instead.
var bannedCalls = []struct{ room, call, instead string }{
	{"executor/", "time.Now(", "operators take the time from the Driver's profile clock; see executor/profile.go"},
	{"executor/", "runtime.SetFinalizer", "free memory in Close and Abort"},
	{"storage/parquet/", "os.Open", "go through storage.FS"},
	{"storage/orc/", "os.Open", "go through storage.FS"},
}

// callExceptions lists files that may make a banned call, with the reason.
var callExceptions = map[string]string{
	"executor/profile.go time.Now(": "the clock itself",
}

func TestBannedCalls(t *testing.T) {
	eachGoFile(t, func(path string) {
		path = filepath.ToSlash(path)
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bannedCalls {
			if strings.HasPrefix(path, b.room) && strings.Contains(string(src), b.call) && callExceptions[path+" "+b.call] == "" {
				t.Errorf("%s: %s is banned here: %s", path, b.call, b.instead)
			}
		}
	})
}
